//! Progress of long work: one line on a terminal that is written over and disappears in the end. Where standard error is
//! no terminal, nothing.

use std::{
    cell::Cell,
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

/// Minimum time between two lines: a terminal may be slow.
const PACE: Duration = Duration::from_millis(80);

/// A line of progress. Gone when dropped.
pub(super) struct Progress {
    is_shown: bool,
    last: Cell<Option<Instant>>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { is_shown: stderr().is_terminal(), last: Cell::new(None) }
    }

    /// Shows what is being done.
    pub(super) fn say(&self, text: &str) {
        let is_early = self.last.get().is_some_and(|last| last.elapsed() < PACE);
        if self.is_shown && !is_early {
            self.last.set(Some(Instant::now()));
            let _ = write!(stderr(), "\r\x1b[K{text}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown && self.last.get().is_some() {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
