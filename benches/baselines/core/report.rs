//! Messages to people: why the process ends.

#![allow(clippy::print_stderr, reason = "this is where a failure is told")]

/// Prints why the process ends.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("trine-baseline: {error:#}");
}
