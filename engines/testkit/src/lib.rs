//! Tools for Trine's tests and benchmarks, and for those of engines written elsewhere.
//!
//! - [`conformance`]: a folder of cases, each with the same handler in several languages, run against any set of
//!   engines; and a folder of cases with middlewares, run by whatever product is plugged in, in every pair of languages.
//! - [`alone`]: tests that need a process of their own.
//! - [`guest`]: a folder of files and an instance, for a language crate's own tests.
//! - [`mod@reference`]: the smallest engine there is, the end state of the tutorial in [`trine_engine`].
//!
//! A test of an engine is one line in a target with `harness = false`:
//!
//! ```no_run
//! use std::{path::Path, sync::Arc};
//! use trine_testkit::{conformance, reference};
//!
//! let arguments = libtest_mimic::Arguments::from_args();
//! let cases = Path::new("tests/conformance");
//! libtest_mimic::run(&arguments, conformance::trials(cases, vec![Arc::new(reference::engine())])).exit();
//! ```
//!
//! # Architecture invariants
//! - The crate knows no language but the reference engine: what it tests comes in as [`trine_engine::Engine`]s.

pub mod alone;
pub mod conformance;
pub mod guest;
pub mod reference;
