//! Languages in shared libraries for Trine: a plug-in is a whole engine behind a small C interface, so that anybody adds
//! a language without a fork, in whatever compiles to a shared library.
//!
//! [`load`] makes an engine of a file, [`load_all`] engines of a list of files; everything else is reached through
//! `trine_engine`'s traits.
//!
//! ```
//! use std::path::Path;
//! use trine_plugin::LoadError;
//!
//! let refused = trine_plugin::load(Path::new("/opt/engines/upper.so")).err();
//! assert!(matches!(refused, Some(LoadError::Missing { .. })));
//! ```
//!
#![doc = include_str!("../docs.md")]

mod abi;
mod call;
mod context;
mod convert;
mod crash;
mod engine;
mod error;
mod exchange;
mod exports;
mod file;
mod host;
mod info;
mod instance;
mod library;
mod limits;
mod list;
mod refusal;

pub use engine::load;
pub use list::{load_all, load_each};
pub use refusal::LoadError;
