#![doc = include_str!("../docs.md")]

mod context;
mod convert;
mod engine;
mod error;
mod event_loop;
mod host;
mod instance;
mod interpreter;
mod limits;
mod living;
mod loader;
mod program;
mod state;

pub use engine::{PythonEngine, engine};
