//! The keys that are pressed at the terminal.

use crate::worker::spawn_beside;
use nix::{
    sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr},
    unistd::{getpgrp, tcgetpgrp},
};
use std::io::{IsTerminal, Read, stdin};

/// A terminal that gives keys as they are pressed. It is as it was when this is dropped.
#[derive(Debug)]
pub(super) struct Keys {
    before: Termios,
}

impl Keys {
    /// Begins to read keys, if there is a terminal to read from and this process is in its foreground. `tell` is called on a
    /// thread of its own.
    pub(super) fn read(tell: impl Fn(u8) + Send + 'static) -> Option<Self> {
        let terminal = stdin();
        if !terminal.is_terminal() || tcgetpgrp(&terminal).ok()? != getpgrp() {
            return None;
        }
        let before = tcgetattr(&terminal).ok()?;
        let mut raw = before.clone();
        raw.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO);
        raw.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        raw.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        tcsetattr(&terminal, SetArg::TCSANOW, &raw).ok()?;
        let keys = Self { before };
        let reads = move || {
            let mut key = [0];
            while matches!(stdin().read(&mut key), Ok(1)) {
                tell(key[0]);
            }
        };
        spawn_beside("trine-keys", reads).ok()?;
        Some(keys)
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A terminal that is gone does not mind.
        let _ = tcsetattr(stdin(), SetArg::TCSANOW, &self.before);
    }
}
