//! Lua for Trine: the reference implementation of Lua 5.4, embedded through mlua.
//!
//! [`LuaEngine`] is the entry for a registry; everything else is reached through `trine_engine`'s traits.
//!
//! ```
//! use std::{fs, rc::Rc};
//! use tokio::{runtime::Builder, task::LocalSet};
//! use trine_engine::{Engine, Environment, Form, Invocation, LogSettings, Module, Payload, Wanted};
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("app.lua");
//! fs::write(&file, "function handler(event) return 'Hello, ' .. event.name .. '!' end")?;
//!
//! let environment = Environment::new("/opt", LogSettings::default());
//! let module = Module::new(folder.path(), file, "app", Wanted::Handler("handler".to_owned()));
//! let runtime = Builder::new_current_thread().enable_all().build()?;
//! let (answer, _) = LocalSet::new().block_on(&runtime, async {
//!     let instance = trine_lua::engine().start(&environment)?;
//!     let exports = instance.load(&module).await?;
//!     let (_, handler) = exports.functions[0];
//!     let event = Payload::json(r#"{"name": "you"}"#);
//!     let invocation = Rc::new(Invocation::json(""));
//!     let answer = instance.call(handler, event, Form::Json, &invocation).await?;
//!     instance.shutdown();
//!     answer.into_bytes()
//! })?;
//! assert_eq!(answer, r#""Hello, you!""#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
#![doc = include_str!("../docs.md")]
#![doc = include_str!("../unsafe.md")]

mod answer;
mod bulk;
mod call;
mod check;
mod context;
mod contexts;
mod convert;
mod debugger;
mod engine;
mod error;
mod examine;
mod exchange;
mod exits;
mod exports;
mod fetch;
mod find;
mod frames;
mod functions;
mod guard;
mod headers;
mod host;
mod instance;
mod limits;
mod loader;
mod memory;
mod observe;
mod output;
mod pattern;
mod permits;
mod profile;
mod program;
mod snapshot;
mod stream;
mod trace;
mod value;
mod vm;
mod waits;
mod warnings;
mod web;

pub use engine::{LuaEngine, engine};

/// The id by which values and settings refer to this engine.
pub(crate) const ID: &str = "lua";
