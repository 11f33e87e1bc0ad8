//! Databases that other processes have locked: how long is waited for them.
//!
//! SQLite asks a handler whether to try again. It waits until shortly before the invocation's deadline, so that there is time
//! to say what was waited for, and ends at an interrupt.

use crate::host::Host;
use std::{
    cell::Cell,
    ffi::{c_int, c_void},
    thread,
    time::{Duration, Instant},
};

/// The longest wait where no deadline limits it.
const LONGEST: Duration = Duration::from_secs(5);

/// The longest part of an invocation's time that is left when waiting ends; a fifth of it where it is shorter.
const MARGIN: Duration = Duration::from_millis(100);

/// The pauses between two attempts in milliseconds, the last one again and again.
const PAUSES: [u64; 4] = [1, 2, 5, 10];

/// A wait for a lock: when it began, and when it ends at the latest.
#[derive(Debug, Clone, Copy)]
struct Wait {
    began: Instant,
    until: Instant,
}

/// The wait of a call for a lock.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    wait: Cell<Option<Wait>>,
    was_stopped: Cell<bool>,
}

impl Patience {
    /// Begins a call.
    pub(crate) fn begin(&self) {
        self.wait.set(None);
        self.was_stopped.set(false);
    }

    /// Returns how long the last wait took, if there was one.
    pub(crate) fn waited(&self) -> Option<Duration> {
        self.wait.get().map(|wait| wait.began.elapsed())
    }

    /// Whether a wait has ended by an interrupt.
    pub(crate) fn was_stopped(&self) -> bool {
        self.was_stopped.get()
    }

    /// Waits before the next attempt after this many. Returns whether there is to be one.
    fn pause(&self, attempts: usize, left: Option<Duration>, is_stopped: bool) -> bool {
        if is_stopped {
            self.was_stopped.set(true);
            return false;
        }
        let now = Instant::now();
        let wait = match self.wait.get().filter(|_| attempts > 0) {
            Some(wait) => wait,
            None => {
                let time = left.map_or(LONGEST, |left| left - MARGIN.min(left / 5));
                Wait { began: now, until: now + time }
            }
        };
        self.wait.set(Some(wait));
        let rest = wait.until.saturating_duration_since(now);
        let pause = Duration::from_millis(PAUSES[attempts.min(PAUSES.len() - 1)]);
        thread::sleep(pause.min(rest));
        !rest.is_zero()
    }
}

/// Waits for a lock, as SQLite asks for it.
///
/// # Safety
/// `host` must be the connection's host.
pub(crate) unsafe extern "C" fn waits(host: *mut c_void, attempts: c_int) -> c_int {
    // SAFETY: as the caller vouches.
    let host = unsafe { &*host.cast::<Host>() };
    let left = host.running().and_then(|running| running.invocation.remaining_ms());
    let left = left.map(|left| Duration::from_millis(u64::try_from(left).unwrap_or(0)));
    let attempts = usize::try_from(attempts).unwrap_or(0);
    host.patience().pause(attempts, left, host.is_stopped()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_before_the_deadline_and_at_an_interrupt() {
        let patience = Patience::default();
        assert!(patience.waited().is_none());
        let began = Instant::now();
        let attempts =
            (0..).take_while(|at| patience.pause(*at, Some(Duration::from_millis(100)), false));
        assert!(attempts.count() > 1);
        assert!(began.elapsed() >= Duration::from_millis(80));
        assert!(patience.waited().is_some_and(|waited| waited >= Duration::from_millis(80)));
        assert!(!patience.was_stopped());
        assert!(!patience.pause(0, Some(Duration::ZERO), false), "no time is left");
        assert!(!patience.pause(0, None, true));
        assert!(patience.was_stopped());
        patience.begin();
        assert!(!patience.was_stopped() && patience.waited().is_none());
    }
}
