#![doc = include_str!("../docs.md")]

mod addons;
mod calls;
mod certificates;
mod check;
mod code_cache;
mod command;
mod conditions;
mod convert;
mod engine;
mod error;
mod exchange;
mod exits;
mod fetch;
mod find;
mod flavour;
mod host;
mod instance;
mod interpreter;
mod isolate;
mod limits;
mod literals;
mod loader;
mod memory;
mod options;
mod packages;
mod sessions;
mod source_map;
mod stack;
mod threads;
mod transpile;
mod tunnel;
mod typescript;
mod value;
mod variables;
mod wakers;

pub use engine::{JavaScript, engine};
