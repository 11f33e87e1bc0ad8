#![doc = include_str!("../docs.md")]

mod call;
mod check;
mod child_environment;
mod collector;
mod context;
mod convert;
mod current_loop;
mod debugger;
mod engine;
mod error;
mod event_loop;
mod examine;
mod exchange;
mod exits;
mod find;
mod host;
mod host_signals;
mod instance;
mod interpreter;
mod limits;
mod live_instances;
mod loader;
mod permits;
mod program;
mod relative;
mod scopes;
mod standalone;
mod stream;
mod user_environment;
mod value;
mod web;

pub use engine::{PythonEngine, engine};

/// The id by which values and settings name this engine.
pub(crate) const ID: &str = "python";
