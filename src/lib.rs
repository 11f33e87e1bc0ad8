//! Trine runs functions written in JavaScript, TypeScript, Python and Lua inside one process.
//!
//! Inside of a program of one's own:
//!
//! ```no_run
//! # async fn example() -> trine_engine::Result<()> {
//! use serde_json::{Value, json};
//!
//! let runtime = trine::Runtime::new("functions")?;
//! let greet = runtime.load("greet.handler").await?;
//! let answer: Value = greet.invoke(&json!({ "name": "you" })).await?;
//! # Ok(())
//! # }
//! ```
//!
//! There are more ways to build on it: [`cli::run`] is the whole command, with languages of one's own added; [`kit`] makes a
//! Lambda runtime of three methods; [`Runtime`] holds functions in another program; and below it lie the parts, which
//! [`worker::Function`] puts together.
//!
//! The way of an event, and with it the tour of this crate:
//!
//! 1. A front door takes it in: [`lambda`] polls the Runtime API, [`http`] listens.
//! 2. [`handler`] has found the function's file and engine before, from a handler string and [`engines`].
//! 3. A [`worker`] has loaded it into one of its instances; its [`pipeline`] runs the invocation.
//! 4. The front door sends the answer; [`diagnostic`] gives an error the form that its caller expects.
//!
//! [`telemetry`] writes what guests log and what happens to the runtime itself; [`config`] gathers the settings;
//! [`folder`] knows what is shipped of a function, [`doctor`] whether that is fit, [`package`] makes it; [`cli`] is the
//! command line. Languages live in crates of their own, behind the traits of [`trine_engine`].

mod aws_events;
pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod doctor;
pub mod engines;
mod event_text;
pub mod folder;
pub mod handler;
mod heap;
pub mod http;
pub mod kit;
pub mod lambda;
mod new;
pub mod package;
pub mod pipeline;
pub mod runtime;
mod sample_events;
mod signals;
mod suite;
pub mod telemetry;
mod watchdog;
mod web;
pub mod worker;

pub use runtime::Runtime;
