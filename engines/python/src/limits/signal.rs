//! The signal by which Python's main thread is told of a warning or a stop. Its handler is an ordinary one of Python's,
//! so a C function that waits comes back (`EINTR`), lets it run, and passes on what it raises.
//!
//! Python runs signal handlers on its main thread only.

use pyo3::{ffi, prelude::*};
use std::{
    ffi::{c_int, c_long},
    sync::atomic::{AtomicI64, Ordering},
};

/// Python's main thread, as the C library knows it; 0 while no handler is installed.
static MAIN: AtomicI64 = AtomicI64::new(0);

/// A real-time signal that nobody else in this process uses: others take the lowest ones, if any.
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

/// Whether Python's main thread runs guests.
pub(crate) fn is_installed() -> bool {
    MAIN.load(Ordering::Acquire) != 0
}

/// Whether the calling thread, which is attached, is Python's main thread and runs guests.
pub(crate) fn is_here() -> bool {
    // SAFETY: the function only reads the thread's own number.
    reaches(unsafe { ffi::PyThread_get_thread_ident() } as c_long)
}

/// Whether what is sent to this thread arrives.
pub(super) fn reaches(thread: c_long) -> bool {
    MAIN.load(Ordering::Acquire) == thread
}

/// Makes this thread look for what was sent to it, if it is one that signals reach.
pub(super) fn send(thread: c_long) {
    if reaches(thread) {
        // SAFETY: `thread` is Python's main thread, and it lives: a section is open on it, which cannot end while the
        // caller holds the lock. On this platform Python's number of a thread is the C library's.
        unsafe { libc::pthread_kill(thread as libc::pthread_t, number()) };
    }
}

/// The handler of the signal.
#[pyfunction]
pub(crate) fn deliver(
    py: Python<'_>,
    _number: &Bound<'_, PyAny>,
    _frame: &Bound<'_, PyAny>,
) -> PyResult<()> {
    super::raise_due(py)
}
