//! The interruption of code that runs too long, from any thread.

use crate::{inspector::SharedTarget, wakers::Wakers};
use deno_runtime::deno_core::v8;
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use trine_engine::Interrupter;

/// The means to reach an isolate from other threads during its life.
#[derive(Clone)]
pub(crate) struct Limits {
    isolate: Arc<Mutex<Option<v8::IsolateHandle>>>,
    interrupts: Arc<AtomicU64>,
    wakers: Arc<Wakers>,
    /// What debuggers are attached to, if there is anything: an interrupt also ends their pauses.
    pub(crate) target: SharedTarget,
}

impl Limits {
    /// Makes the limits. `wakers` are those of the calls in flight, which an interrupt also ends while they wait.
    pub(crate) fn new(wakers: Arc<Wakers>) -> Self {
        let (isolate, interrupts, target) = Default::default();
        Self { isolate, interrupts, wakers, target }
    }

    /// Stores the handle of the started isolate.
    pub(crate) fn watch(&self, isolate: v8::IsolateHandle) {
        *self.isolate.lock().unwrap_or_else(PoisonError::into_inner) = Some(isolate);
    }

    /// Forgets the isolate, which is about to end.
    pub(crate) fn forget(&self) {
        *self.isolate.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Lets the code run again after an interrupt, and stay at breakpoints.
    pub(crate) fn go_on(&self, isolate: &v8::Isolate) {
        isolate.cancel_terminate_execution();
        if let Some(target) = self.target.get() {
            target.go_on();
        }
    }

    /// Returns the number of interrupts so far: a call that finds another number than at its start has been stopped.
    pub(crate) fn interrupts(&self) -> u64 {
        self.interrupts.load(Ordering::Acquire)
    }

    /// Makes an interrupter that stops JavaScript where it stands, past `catch` and `finally`, and ends waiting calls.
    pub(crate) fn interrupter(&self) -> Interrupter {
        let Self { isolate, interrupts, wakers, target } = self.clone();
        Interrupter::new(move || {
            interrupts.fetch_add(1, Ordering::Release);
            if let Some(isolate) = &*isolate.lock().unwrap_or_else(PoisonError::into_inner) {
                isolate.terminate_execution();
            }
            if let Some(target) = target.get() {
                target.interrupt();
            }
            wakers.wake_all();
        })
    }
}
