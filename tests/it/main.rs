//! Black-box tests: the real binary over real sockets.

mod bad_input;
mod cli;
mod examples;
mod handlers;
mod http;
mod invariants;
mod invoke;
mod lambda;
mod packages;
mod support;
