//! Native code for Trine: functions in shared libraries, which are loaded into the process and called through a C ABI.
//!
//! [`NativeEngine`] is the entry for a registry; everything else is reached through `trine_engine`'s traits.
//!
//! ```
//! use std::{fs, process::Command, rc::Rc};
//! use trine_engine::{Engine, Environment, Form, Invocation, LogSettings, Module, Payload, Wanted};
//!
//! let folder = tempfile::tempdir()?;
//! let (source, library) = (folder.path().join("app.c"), folder.path().join("app.so"));
//! fs::write(&source, r#"
//!     #include <stddef.h>
//!     #include <stdint.h>
//!     int32_t trine_handle(const uint8_t *event, size_t event_len, const uint8_t *context, size_t context_len,
//!                          uint8_t **out, size_t *out_len) {
//!         (void)event, (void)event_len, (void)context, (void)context_len;
//!         *out = (uint8_t *)"\"Hello!\"";
//!         *out_len = 8;
//!         return 0;
//!     }
//!     void trine_free(uint8_t *out, size_t out_len) { (void)out, (void)out_len; }
//! "#)?;
//! assert!(Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status()?.success());
//!
//! let environment = Environment::new("/opt", LogSettings::default());
//! let module = Module::new(folder.path(), library, "app", Wanted::Handler("handler".to_owned()));
//! let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! let (answer, _) = runtime.block_on(async {
//!     let instance = trine_native::engine().start(&environment)?;
//!     let exports = instance.load(&module).await?;
//!     let (_, handler) = exports.functions[0];
//!     let invocation = Rc::new(Invocation::default());
//!     let answer = instance.call(handler, Payload::json("{}"), Form::Json, &invocation).await?;
//!     instance.shutdown();
//!     answer.into_bytes()
//! })?;
//! assert_eq!(answer, r#""Hello!""#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
#![doc = include_str!("../docs.md")]

mod answer;
mod check;
mod context;
mod crash;
mod elf;
mod engine;
mod error;
mod examine;
mod exit;
mod flight;
mod instance;
mod libraries;
mod library;
mod limits;
mod names;
mod warnings;

pub use engine::{NativeEngine, engine};

/// The id by which settings refer to this engine.
pub(crate) const ID: &str = "native";
