#![doc = include_str!("../docs.md")]

mod addons;
mod calls;
mod check;
mod code_cache;
mod conditions;
mod convert;
mod engine;
mod error;
mod exchange;
mod exits;
mod host;
mod instance;
mod isolate;
mod limits;
mod loader;
mod memory;
mod packages;
mod sessions;
mod threads;
#[path = "../../shared/trace_variable.rs"]
mod trace_variable;
mod transpile;
mod typescript;
mod value;
mod variables;
mod wakers;

pub use engine::{JavaScript, engine};
