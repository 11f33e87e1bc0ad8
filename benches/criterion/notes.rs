//! Messages next to the figures.
#![allow(clippy::print_stderr, reason = "this is what it is for")]

/// Reports that something could not be measured, and why.
pub(crate) fn left_out(what: &str, why: &str) {
    eprintln!("{what} is left out: {why}");
}
