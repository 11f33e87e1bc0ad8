//! What Trine's tests and benchmarks, and those of engines written elsewhere, are made with.
//!
//! - [`emulator`]: a strict Lambda Runtime API with the Invoke API on the same port. It runs a bootstrap as the
//!   platform would, remembers every rule that it broke, injects faults, and counts what was answered.
//! - [`conformance`]: a folder of cases, each with the same handler in several languages, run against any set of
//!   engines; and a folder of cases with middlewares, run by whatever product is plugged in, in every pair of languages.
//! - [`mod@reference`]: the smallest engine there is, the end state of the tutorial in [`trine_engine`].
//!
//! A test of a bootstrap starts an emulator, starts the process with the emulator's variables, and invokes:
//!
//! ```no_run
//! use serde_json::json;
//! use std::process::Command;
//! use trine_testkit::emulator::{Emulator, EmulatorOptions};
//!
//! let emulator = Emulator::spawn_thread(EmulatorOptions::default())?;
//! let mut process = Command::new("./bootstrap").envs(emulator.environment()).spawn()?;
//! assert_eq!(emulator.invoke_blocking(json!({"name": "you"})).json(), json!("hello you"));
//! emulator.assert_clean();
//! process.kill()?;
//! # Ok::<(), std::io::Error>(())
//! ```
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
//! - The crate knows no language but the reference engine: what it tests comes in as [`trine_engine::Engine`]s or
//!   over HTTP.
//! - The emulator shares no code with Trine's own Runtime API client, so that a misreading of the contract in one of
//!   them shows.

pub mod conformance;
pub mod emulator;
pub mod reference;
