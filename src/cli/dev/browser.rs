//! The user's browser.

use crate::worker::spawn_beside;
use std::process::{Command, Stdio};

/// The programs that open a page, in the order in which they are tried.
const OPENERS: [&str; 4] = ["xdg-open", "open", "wslview", "sensible-browser"];

/// Opens a page. Returns whether there is a program for that.
pub(super) fn open(url: &str) -> bool {
    OPENERS.iter().any(|program| {
        let quiet = Stdio::null;
        let mut command = Command::new(program);
        command.arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet());
        command.spawn().is_ok_and(|mut child| {
            // It stays for as long as the browser does, where it was not running.
            spawn_beside("trine-browser", move || child.wait()).is_ok()
        })
    })
}
