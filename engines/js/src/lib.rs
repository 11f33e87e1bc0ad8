#![doc = include_str!("../docs.md")]

mod addons;
mod calls;
mod certificates;
mod channels;
mod check;
#[path = "../../shared/children.rs"]
mod children;
mod code_cache;
mod command;
mod conditions;
mod convert;
mod engine;
mod error;
mod exchange;
mod exits;
mod fatal;
mod fetch;
mod find;
mod flavour;
mod host;
mod instance;
mod interpreter;
mod isolate;
mod limits;
mod loader;
mod memory;
mod options;
mod packages;
#[path = "../../shared/process_environment.rs"]
mod process_environment;
mod sessions;
mod source_map;
mod stack;
mod threads;
#[path = "../../shared/trace_variable.rs"]
mod trace_variable;
mod transpile;
mod tunnel;
mod typescript;
mod value;
mod variables;
mod wakers;

pub use engine::{JavaScript, engine};
