//! Plug-ins that are written in C, through `trine_engine`'s traits, as the worker uses them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod broken_answers;
mod calls;
mod crashes;
mod errors;
mod example;
mod exchange;
mod header;
mod hooks;
mod lists;
mod loading;
mod logs;
mod refusals;
mod stopping;
mod support;
