//! The signal that brings a warning or a stop to Python's main thread. Its handler is an ordinary one of Python's, so a
//! C function that waits returns (`EINTR`), lets it run, and passes on what it raises.
//!
//! Python runs signal handlers on its main thread only.

use pyo3::{ffi, prelude::*};
use std::{
    ffi::{c_int, c_long},
    sync::atomic::{AtomicI64, Ordering},
};

/// The C library's number of Python's main thread; 0 while no handler is installed.
static MAIN: AtomicI64 = AtomicI64::new(0);

/// Returns a real-time signal that nobody else in this process uses: others take the lowest ones, if any.
fn number() -> c_int {
    libc::SIGRTMAX() - 3
}

/// Installs the handler. Called on Python's main thread.
pub(crate) fn install(py: Python<'_>, natives: &Bound<'_, PyModule>) -> PyResult<()> {
    py.import("_signal")?.call_method1("signal", (number(), natives.getattr("deliver")?))?;
    // SAFETY: the thread is attached; the function only reads the thread's own number.
    let thread = unsafe { ffi::PyThread_get_thread_ident() };
    MAIN.store(thread as c_long, Ordering::Release);
    Ok(())
}

/// Whether the calling thread, which is attached, is Python's main thread and runs guests.
pub(crate) fn is_here() -> bool {
    // SAFETY: the function only reads the thread's own number.
    reaches(unsafe { ffi::PyThread_get_thread_ident() } as c_long)
}

/// Whether signals to this thread arrive.
pub(super) fn reaches(thread: c_long) -> bool {
    MAIN.load(Ordering::Acquire) == thread
}

/// Makes this thread check for exceptions sent to it, if signals reach it.
pub(super) fn send(thread: c_long) {
    if reaches(thread) {
        // SAFETY: `thread` is Python's main thread, and it lives: a section is open on it, which cannot end while the
        // caller holds the lock. On this platform Python's number of a thread is the C library's.
        unsafe { libc::pthread_kill(thread as libc::pthread_t, number()) };
    }
}

/// Handles the signal.
#[pyfunction]
pub(crate) fn deliver(
    py: Python<'_>,
    _number: &Bound<'_, PyAny>,
    _frame: &Bound<'_, PyAny>,
) -> PyResult<()> {
    super::raise_due(py)
}
