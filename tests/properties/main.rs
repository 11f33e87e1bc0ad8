//! Properties: what holds for every value, handler string, header, request and sequence of writes, tried with generated
//! ones.
//!
//! The ordinary run tries the same cases every time and takes some seconds. `PROPTEST_CASES=5000` tries that many new
//! ones of each property, `PROPTEST_RNG_SEED` repeats a run. A case that fails is shrunk and printed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should fail on the spot")]

mod handlers;
mod http;
mod json;
mod platform;
mod reader;
mod runtime_api;
mod state;
mod support;
mod units;
mod values;
