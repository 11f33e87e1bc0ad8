//! Limits of time. Code of a library cannot be stopped; what can is the wait for another thread that loads or prepares the
//! same library, and what would come after its code.

use crate::warnings::Running;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};
use trine_engine::{Error, ErrorKind, Interrupter, Result};

/// The time between two looks at whether another thread is done.
const PAUSE: Duration = Duration::from_millis(2);

/// The interrupt line of an instance, shared with whoever may interrupt it.
#[derive(Default)]
pub(crate) struct Stop(AtomicU64);

/// A load that has begun, and ends where the instance is interrupted.
pub(crate) struct Load<'s> {
    stop: &'s Stop,
    /// Number of interrupts before.
    began: u64,
}

impl Stop {
    /// Begins a load, which interrupts from now on hit, and no earlier ones.
    pub(crate) fn begin(&self) -> Load<'_> {
        Load { stop: self, began: self.0.load(Ordering::SeqCst) }
    }

    /// Returns the handle by which an instance is interrupted, and the library whose function runs is warned.
    pub(crate) fn interrupter(self: &Arc<Self>, running: &Arc<Running>) -> Interrupter {
        let (stop, running) = (self.clone(), running.clone());
        let interrupter = Interrupter::new(move || {
            stop.0.fetch_add(1, Ordering::SeqCst);
        });
        interrupter.warning(move || running.warn())
    }
}

impl Load<'_> {
    /// Checks that it may go on.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] when it was interrupted.
    pub(crate) fn check(&self) -> Result<()> {
        match self.stop.0.load(Ordering::SeqCst) == self.began {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Timeout, Error::STOPPED)),
        }
    }

    /// Locks what another thread may hold for long.
    ///
    /// # Errors
    /// As [`Load::check`], while it is held.
    pub(crate) fn lock<'m, T>(&self, mutex: &'m Mutex<T>) -> Result<MutexGuard<'m, T>> {
        loop {
            match mutex.try_lock() {
                Ok(guard) => return Ok(guard),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
            self.check()?;
            thread::sleep(PAUSE);
        }
    }
}

/// Locks what nobody holds for long.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
