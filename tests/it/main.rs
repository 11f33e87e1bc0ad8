//! Black-box tests: the real binary over real sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail on the spot")]

mod addons;
mod attribution;
mod bad_input;
mod certificates;
mod check;
mod cli;
mod cloudevents;
mod connections;
mod doctor;
mod emulator;
mod examples;
mod faults;
mod finding;
mod frameworks;
mod generations;
mod handlers;
mod http;
mod invariants;
mod invoke;
mod invoke_store;
mod javascript_streams;
mod lambda;
mod limits;
mod log_flags;
mod lua_streams;
mod middleware;
mod middleware_examples;
mod natives;
mod node_parity;
mod node_process;
mod otel;
mod package;
mod packages;
mod parity;
mod permissions;
mod processes;
mod program_end;
mod python_streams;
mod rust_programs;
mod soak;
mod stacks;
mod stream_faults;
mod support;
mod surroundings;
