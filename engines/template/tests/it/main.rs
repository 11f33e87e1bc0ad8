//! The crate from outside: files of each kind, files that are wrong, and files that are made at random.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bounds;
mod cloudformation;
mod example;
mod others;
mod random;
mod sam;
mod scaleway;
mod serverless;
mod support;
mod variables;
