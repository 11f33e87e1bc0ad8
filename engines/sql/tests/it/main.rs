//! The SQL engine through `trine_engine`'s traits, as the worker uses it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attached;
mod errors;
mod event;
mod examples;
mod fresh;
mod hostile;
mod loading;
mod locked;
mod output;
mod stopping;
mod support;
mod values;
