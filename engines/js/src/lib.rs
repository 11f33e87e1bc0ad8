#![doc = include_str!("../docs.md")]

mod addons;
mod blame;
mod call;
mod certificates;
mod channels;
mod check;
mod code_cache;
mod command;
mod commonjs;
mod compile;
mod conditions;
mod convert;
mod ending;
mod engine;
mod error;
mod examine;
mod exchange;
mod exits;
mod fatal;
mod fetch;
mod fetch_failure;
mod find;
mod flavour;
mod host;
mod inspector;
mod instance;
mod isolate;
mod limits;
mod literals;
mod loader;
mod makers;
mod memory;
mod options;
mod packages;
mod permits;
mod profile;
mod rules;
mod sessions;
mod snapshot;
mod source_map;
mod stack;
mod standalone;
mod stream;
mod threads;
mod transpile;
mod tunnel;
mod turns;
mod typescript;
mod value;
mod variables;
mod wakers;
mod web;

pub use engine::{JavaScript, engine};

/// The id by which values and settings name this engine.
pub(crate) const ID: &str = "js";
