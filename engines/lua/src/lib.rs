//! Lua for Trine: the reference implementation of Lua 5.4, embedded through mlua.
//!
//! [`LuaEngine`] is what a registry names; everything else is reached through `trine_engine`'s traits.
#![doc = include_str!("../docs.md")]

mod bulk;
mod call;
mod check;
mod context;
mod convert;
mod engine;
mod error;
mod fetch;
mod find;
mod guard;
mod host;
mod instance;
mod limits;
mod loader;
mod memory;
mod output;
mod pattern;
mod program;
mod shared;
mod state;
mod value;

pub use engine::{LuaEngine, engine};
