//! Trine runs functions written in JavaScript, TypeScript, Python and Lua inside one process.
//!
//! The way of an event, and with it the tour of this crate:
//!
//! 1. A front door takes it in: [`lambda`] polls the Runtime API, [`http`] listens.
//! 2. [`handler`] has found the function's file and engine before, from a handler string and [`engines`].
//! 3. A [`worker`] has loaded it into one of its instances; its [`pipeline`] runs the invocation.
//! 4. The front door sends the answer; [`diagnostic`] gives an error the form that its caller expects.
//!
//! [`telemetry`] writes what guests log and what happens to the runtime itself; [`config`] gathers the settings;
//! [`cli`] is the command line. Languages live in crates of their own, behind the traits of [`trine_engine`].

pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod engines;
pub mod handler;
mod heap;
pub mod http;
pub mod lambda;
pub mod pipeline;
mod signals;
pub mod telemetry;
mod watchdog;
pub mod worker;
