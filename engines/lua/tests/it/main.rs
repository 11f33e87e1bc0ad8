//! The Lua engine through `trine_engine`'s traits, as the worker uses it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod deadline;
mod errors;
mod exchange;
mod hooks;
mod loading;
mod output;
mod programs;
mod stopping;
mod streaming;
mod support;
mod values;
mod waiting;
