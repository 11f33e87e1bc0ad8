//! Native code for Trine: functions in shared libraries, which are loaded into the process and called through a C ABI.
//!
//! [`NativeEngine`] is the entry for a registry; everything else is reached through `trine_engine`'s traits.
#![doc = include_str!("../docs.md")]

mod answer;
mod check;
mod context;
mod elf;
mod engine;
mod error;
mod examine;
mod instance;
mod libraries;
mod library;
mod names;
mod warnings;

pub use engine::{NativeEngine, engine};

/// The id by which settings refer to this engine.
pub(crate) const ID: &str = "native";
