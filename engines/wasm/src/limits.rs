//! The interruption of code that runs too long, from any thread, and of what waits.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use trine_engine::Interrupter;
use trine_v8::v8;

/// The interrupt line of an instance, shared with whoever may interrupt it.
#[derive(Default)]
pub(crate) struct Stop {
    /// Number of interrupts. A call that began at another value has to end.
    epoch: AtomicU64,
    /// The isolate, for as long as it lives. Held while the number changes and while a call begins, so that an interrupt
    /// is either seen by a call or over before it.
    isolate: Mutex<Option<v8::IsolateHandle>>,
    interrupted: Condvar,
}

impl Stop {
    fn isolate(&self) -> MutexGuard<'_, Option<v8::IsolateHandle>> {
        self.isolate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the isolate that is stopped; `None` when it is about to end.
    pub(crate) fn watch(&self, isolate: Option<v8::IsolateHandle>) {
        *self.isolate() = isolate;
    }

    /// Begins a call, which interrupts from now on hit, and no earlier ones. Returns the number of these.
    pub(crate) fn begin(&self) -> u64 {
        let isolate = self.isolate();
        if let Some(isolate) = &*isolate {
            isolate.cancel_terminate_execution();
        }
        self.epoch()
    }

    /// Returns the number of interrupts so far.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Waits until a time, or without end. Returns whether no interrupt has come since the call began at `epoch`.
    pub(crate) fn sleep(&self, until: Option<Instant>, epoch: u64) -> bool {
        let mut isolate = self.isolate();
        while self.epoch() == epoch {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            isolate = match left {
                Some(left) if left.is_zero() => return true,
                Some(left) => {
                    let waited = self.interrupted.wait_timeout(isolate, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.interrupted.wait(isolate).unwrap_or_else(PoisonError::into_inner),
            };
        }
        false
    }

    /// Returns a handle for other threads.
    pub(crate) fn interrupter(self: &Arc<Self>) -> Interrupter {
        let stop = self.clone();
        Interrupter::new(move || {
            let isolate = stop.isolate();
            stop.epoch.fetch_add(1, Ordering::SeqCst);
            if let Some(isolate) = &*isolate {
                isolate.terminate_execution();
            }
            stop.interrupted.notify_all();
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{thread, time::Duration};

    #[test]
    fn a_wait_ends_by_itself_or_by_an_interrupt() {
        let stop = Arc::new(Stop::default());
        let epoch = stop.begin();
        assert!(stop.sleep(Some(Instant::now() + Duration::from_millis(2)), epoch));
        let interrupter = stop.interrupter();
        let other = thread::spawn(move || interrupter.interrupt());
        assert!(!stop.sleep(None, epoch));
        other.join().unwrap();
        assert!(!stop.sleep(None, epoch), "it is not lost");
        assert!(stop.sleep(Some(Instant::now()), stop.begin()), "nor does it hit the next call");
    }
}
