//! Limits of time: how a running call is stopped from another thread.
//!
//! SQLite asks a handler every thousand instructions of its machine whether to go on, and the allocator asks, too, so that
//! work inside of one instruction ends where it needs memory. An interrupt only counts up: one that comes before the first
//! instruction of a call is seen there.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use trine_engine::{Environment, Error, ErrorKind, Interrupter};

/// The interrupt line of an instance, shared with whoever may interrupt it.
#[derive(Default)]
pub(crate) struct Stop(AtomicU64);

impl Stop {
    /// Returns the number of interrupts so far. A call that began at another number has to end.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Returns a handle for other threads.
    pub(crate) fn interrupter(self: &Arc<Self>) -> Interrupter {
        let stop = self.clone();
        Interrupter::new(move || {
            stop.0.fetch_add(1, Ordering::SeqCst);
        })
    }
}

/// Returns the error of a call that was interrupted. It does not poison: a call leaves nothing behind that could be half
/// done.
pub(crate) fn stopped() -> Error {
    Error::new(ErrorKind::Timeout, Error::STOPPED)
}

/// Returns the error of a call that needed more memory than there is. It does not poison either.
pub(crate) fn out_of_memory() -> Error {
    Error::new(ErrorKind::OutOfMemory, "failed to execute query: out of memory")
}

/// Returns the bytes that a function may take.
pub(crate) fn memory(environment: &Environment) -> usize {
    let limit = environment.memory_limit.and_then(|bytes| usize::try_from(bytes).ok());
    limit.unwrap_or(usize::MAX)
}
