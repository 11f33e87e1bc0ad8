//! The one place where the driver prints: progress to stderr, tables to stdout.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is where the driver talks")]

use std::io::{IsTerminal, stderr};

/// Says something that stays.
pub fn say(text: &str) {
    if stderr().is_terminal() {
        // What `progress` left on the line goes.
        eprintln!("\r\x1b[K{text}");
    } else {
        eprintln!("{text}");
    }
}

/// Says what is being done; on a terminal the next line takes its place.
pub(crate) fn progress(text: &str) {
    if stderr().is_terminal() {
        eprint!("\r\x1b[K{text}");
    } else {
        eprintln!("{text}");
    }
}

/// Prints a result.
pub fn print(text: &str) {
    println!("{text}");
}
