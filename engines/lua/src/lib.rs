//! Lua for Trine: the reference implementation of Lua 5.4, embedded through mlua.
//!
//! [`LuaEngine`] is the entry for a registry; everything else is reached through `trine_engine`'s traits.
#![doc = include_str!("../docs.md")]
#![doc = include_str!("../unsafe.md")]

mod answer;
mod bulk;
mod call;
mod check;
mod context;
mod contexts;
mod convert;
mod engine;
mod error;
mod examine;
mod exchange;
mod exits;
mod exports;
mod fetch;
mod find;
mod functions;
mod guard;
mod host;
mod instance;
mod limits;
mod loader;
mod memory;
mod output;
mod pattern;
mod program;
mod trace;
mod value;
mod vm;
mod waits;
mod warnings;

pub use engine::{LuaEngine, engine};

/// The id by which values and settings refer to this engine.
pub(crate) const ID: &str = "lua";
