#![doc = include_str!("../docs.md")]

mod check;
#[path = "../../shared/children.rs"]
mod children;
mod collector;
mod context;
mod convert;
mod current_loop;
mod engine;
mod error;
mod event_loop;
mod find;
mod host;
mod host_signals;
mod instance;
mod interpreter;
mod limits;
mod living;
mod loader;
mod offspring;
#[path = "../../shared/process_environment.rs"]
mod process_environment;
mod program;
mod relative;
mod scopes;
mod state;
#[path = "../../shared/trace_variable.rs"]
mod trace_variable;

pub use engine::{PythonEngine, engine};
