//! Interrupts: which calls they reach, and which they must not.

use crate::abi;
use std::{
    ffi::c_void,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use trine_engine::Interrupter;

/// The interrupt line of an instance, shared with whoever may interrupt it.
///
/// A plug-in hears of an interrupt only while a load or a call of its instance is under way. So none reaches a call that
/// begins later, and none an instance that is being shut down.
pub(crate) struct Line {
    interrupt: Option<abi::OfInstance>,
    running: Mutex<Option<Address>>,
    interrupted: AtomicBool,
}

/// The address of an instance that runs.
struct Address(*mut c_void);

// SAFETY: it is given to one function alone, which may be called from any thread.
unsafe impl Send for Address {}

impl Line {
    pub(crate) fn new(interrupt: Option<abi::OfInstance>) -> Arc<Self> {
        Arc::new(Self { interrupt, running: Mutex::new(None), interrupted: AtomicBool::new(false) })
    }

    /// Returns a handle for other threads.
    pub(crate) fn interrupter(self: &Arc<Self>) -> Interrupter {
        let line = self.clone();
        Interrupter::new(move || line.interrupt())
    }

    /// Notes that an instance runs from now on, until the value is dropped.
    pub(crate) fn run(&self, instance: *mut c_void) -> Running<'_> {
        let mut running = self.running();
        self.interrupted.store(false, Ordering::SeqCst);
        *running = Some(Address(instance));
        Running(self)
    }

    /// Whether what runs was interrupted, or what ran last.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    fn interrupt(&self) {
        let running = self.running();
        let Some(Address(instance)) = &*running else { return };
        self.interrupted.store(true, Ordering::SeqCst);
        if let Some(interrupt) = self.interrupt {
            // SAFETY: the instance runs at this instant, and is not shut down before the lock is given back.
            unsafe { interrupt(*instance) };
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Address>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A load or a call under way.
pub(crate) struct Running<'l>(&'l Line);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *self.0.running() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" fn count(instance: *mut c_void) {
        // SAFETY: the test passes the address of a counter.
        unsafe { *instance.cast::<u32>() += 1 };
    }

    #[test]
    fn an_interrupt_reaches_what_runs_and_nothing_else() {
        let mut counter = 0_u32;
        let line = Line::new(Some(count));
        let interrupter = line.interrupter();
        interrupter.interrupt();
        assert!(!line.is_interrupted());
        let running = line.run((&raw mut counter).cast());
        interrupter.interrupt();
        drop(running);
        interrupter.interrupt();
        assert!(line.is_interrupted(), "it can be asked afterwards");
        drop(line.run((&raw mut counter).cast()));
        assert!(!line.is_interrupted(), "the next one begins anew");
        assert_eq!(counter, 1);
    }
}
