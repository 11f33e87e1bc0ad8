//! WebAssembly for Trine: modules of WASI preview 1, run by V8.
//!
//! [`WasmEngine`] is the entry for a registry; everything else is reached through `trine_engine`'s traits.
//!
//! ```
//! use std::{fs, rc::Rc};
//! use trine_engine::{Engine, Environment, Form, Invocation, LogSettings, Module, Payload, Wanted};
//!
//! // Answers with the event itself.
//! let text = r#"(module
//!     (memory (export "memory") 1)
//!     (func (export "alloc") (param i32) (result i32) i32.const 1024)
//!     (func (export "handle") (param $pointer i32) (param $length i32) (result i64)
//!         local.get $pointer i64.extend_i32_u i64.const 32 i64.shl
//!         local.get $length i64.extend_i32_u i64.or))"#;
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("echo.wasm");
//! fs::write(&file, wat::parse_str(text)?)?;
//!
//! let environment = Environment::new("/opt", LogSettings::default());
//! let module = Module::new(folder.path(), file, "echo", Wanted::Unnamed);
//! let (answer, _) = futures::executor::block_on(async {
//!     let instance = trine_wasm::engine().start(&environment)?;
//!     let exports = instance.load(&module).await?;
//!     let (_, handler) = exports.functions[0];
//!     let event = Payload::json(r#"{"name": "you"}"#);
//!     let invocation = Rc::new(Invocation::default());
//!     let answer = instance.call(handler, event, Form::Json, &invocation).await?;
//!     instance.shutdown();
//!     answer.into_bytes()
//! })?;
//! assert_eq!(answer, r#"{"name": "you"}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
#![doc = include_str!("../docs.md")]

mod answer;
mod binary;
mod check;
mod engine;
mod error;
mod form;
mod guest;
mod heap;
mod host;
mod instance;
mod isolate;
mod limits;
mod loader;
mod program;
mod wasi;

pub use engine::{WasmEngine, engine};

/// The id by which values and settings refer to this engine.
pub(crate) const ID: &str = "wasm";
