//! The WebAssembly engine through `trine_engine`'s traits, as the worker uses it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod commands;
mod examples;
mod failing;
mod limits;
mod loading;
mod reactors;
mod stopping;
mod support;
