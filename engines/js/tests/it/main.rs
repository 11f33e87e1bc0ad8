//! The JavaScript engine through `trine_engine`'s traits, as the worker uses it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "figures are printed")]

mod callbacks;
mod code_cache;
mod debugger;
mod flavour;
mod hooks;
mod interleaving;
mod memory;
mod mends;
mod programs;
mod recycling;
mod stacks;
mod stopping;
mod streaming;
mod support;
mod threads;
mod web;
