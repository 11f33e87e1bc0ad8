//! Handlers for Trine that are written in Rust: a function becomes a shared library that Trine loads.
//!
//! ```
//! use trine_handler::{Context, Error};
//!
//! fn hello(event: &[u8], context: &Context<'_>) -> Result<Vec<u8>, Error> {
//!     let name = std::str::from_utf8(event).map_err(|e| Error::new("BadRequest", e))?;
//!     Ok(format!(r#"{{"event": {name}, "context": {}}}"#, context.json()).into_bytes())
//! }
//!
//! trine_handler::handler!(hello);
//! # let event = b"1";
//! # assert!(hello(event, &Context::new(b"{}")).is_ok());
//! ```
//!
//! The crate is compiled as a `cdylib`:
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib"]
//! ```
//!
//! and `target/release/libhello.so`, copied to `hello.so`, is called as `hello.handler`.
//!
//! Event and answer are JSON texts; parse them with what you like, such as `serde_json`. What can be an answer says
//! [`Answer`], what can be an error everything that becomes an [`Error`] with `?`. A panic is an error with its message
//! and its place; a crate that is compiled with `panic = "abort"` ends the process instead.
//!
//! Further functions of one library have names: [`handler!`] with `get = get_item, post = add_item` makes `app.get` and
//! `app.post`. What else a library can say stands behind a semicolon:
//!
//! ```
//! use trine_handler::{Context, Error};
//!
//! fn page(_: &[u8], _: &Context<'_>) -> Result<&'static str, Error> {
//!     Ok("<p>Hello!</p>")
//! }
//!
//! trine_handler::handler!(page; threads = 4, content_type = c"text/html; charset=utf-8", init = prepare);
//!
//! /// Runs once, before the first event.
//! fn prepare(facts: &[u8]) -> Result<(), Error> {
//!     # let _ = facts;
//!     Ok(())
//! }
//! ```
//!
//! `threads` is the number of events that may be answered at a time, each on a thread of its own; one, where nothing is
//! said. `cleanup` is a function without arguments that runs at the end, `warn` one that gets an invocation's id when
//! its time is nearly up.

mod context;
mod error;
mod export;

pub use context::Context;
pub use error::Error;
pub use export::{Answer, Buffer, free, run, run_init, run_quietly, run_warn};
