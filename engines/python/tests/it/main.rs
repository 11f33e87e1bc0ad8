//! The Python engine through its public face: files in, payloads out.
//!
//! One process has one interpreter, so these cases share it, each with a task root, a thread and a log of its own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "figures are printed")]

mod asynchronous;
mod calls;
mod check;
mod context;
mod errors;
mod exits;
mod harness;
mod hooks;
mod interrupts;
mod loading;
mod logs;
mod process;
mod profiles;
mod programs;
mod recycling;
mod roots;
mod scopes;
mod state;
mod streaming;
mod values;
mod warnings;
mod web;
