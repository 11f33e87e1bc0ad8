//! The one place where the driver prints: progress to stderr, tables to stdout.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is where the driver talks")]

use std::io::{IsTerminal, stderr};

/// Prints a message that stays.
pub fn say(text: &str) {
    if stderr().is_terminal() {
        // Whatever `progress` left on the line is cleared.
        eprintln!("\r\x1b[K{text}");
    } else {
        eprintln!("{text}");
    }
}

/// Prints what is being done; on a terminal the next line replaces it.
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
