//! SQL for Trine: SQLite, embedded; a file of statements is a handler.
//!
//! [`SqlEngine`] is the entry for a registry; everything else is reached through `trine_engine`'s traits.
//!
//! ```
//! use std::{fs, rc::Rc};
//! use tokio::runtime::Builder;
//! use trine_engine::{Engine, Environment, Form, Invocation, LogSettings, Module, Payload, Wanted};
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("app.sql");
//! fs::write(&file, "SELECT 'Hello, ' || event('name') || '!' AS message;")?;
//!
//! let environment = Environment::new("/opt", LogSettings::default());
//! let module = Module::new(folder.path(), file, "app", Wanted::Handler("handler".to_owned()));
//! let runtime = Builder::new_current_thread().build()?;
//! let (answer, _) = runtime.block_on(async {
//!     let instance = trine_sql::engine().start(&environment)?;
//!     let exports = instance.load(&module).await?;
//!     let (_, handler) = exports.functions[0];
//!     let event = Payload::json(r#"{"name": "you"}"#);
//!     let answer = instance.call(handler, event, Form::Json, &Rc::default()).await?;
//!     instance.shutdown();
//!     answer.into_bytes()
//! })?;
//! assert_eq!(answer, r#"{"message":"Hello, you!"}"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
#![doc = include_str!("../docs.md")]

mod attach;
mod authorizer;
mod busy;
mod call;
mod convert;
mod engine;
mod error;
mod event;
mod functions;
mod host;
mod instance;
mod limits;
mod loader;
mod memory;
mod search;
mod settings;
mod source;
mod sqlite;

pub use engine::{SqlEngine, engine};

/// The id by which values and settings refer to this engine.
pub(crate) const ID: &str = "sql";
