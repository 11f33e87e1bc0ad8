//! The Lua engine through `trine_engine`'s traits, as the worker uses it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod adapter;
mod attaching;
mod deadline;
mod debugging;
mod errors;
mod exchange;
mod hooks;
mod loading;
mod output;
mod profiling;
mod programs;
mod stopping;
mod streaming;
mod support;
mod values;
mod waiting;
mod web;
