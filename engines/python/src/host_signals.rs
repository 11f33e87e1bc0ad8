//! Signals that the host handles (SIGTERM, SIGINT) and a guest wants to receive as well: one handler of ours calls the
//! host's and then Python's.

use crate::{
    interpreter::{self, Prelude},
    limits::signal,
};
use pyo3::{exceptions::PyOSError, prelude::*};
use std::{
    ffi::{c_int, c_void},
    io,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Signals that can be shared.
const SHARED: [c_int; 2] = [libc::SIGTERM, libc::SIGINT];

/// The handlers of each of them.
static BOTH: [Both; SHARED.len()] = [const { Both::nobody() }; SHARED.len()];

struct Both {
    /// The host's handler, which takes three arguments.
    host: AtomicUsize,
    /// Python's handler, which takes the number alone.
    python: AtomicUsize,
}

impl Both {
    const fn nobody() -> Self {
        Self { host: AtomicUsize::new(0), python: AtomicUsize::new(0) }
    }
}

type Plain = extern "C" fn(c_int);
type WithInfo = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

extern "C" fn call_both(number: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let Some(at) = SHARED.iter().position(|shared| *shared == number) else { return };
    let host = BOTH[at].host.load(Ordering::Acquire);
    if host != 0 {
        // SAFETY: the address is that of a handler that was installed with `SA_SIGINFO`, which is a function of this
        // type; handlers are never unloaded.
        let host: WithInfo = unsafe { std::mem::transmute(host) };
        host(number, info, context);
    }
    let python = BOTH[at].python.load(Ordering::Acquire);
    if python != 0 {
        // SAFETY: the address is that of a handler that was installed without `SA_SIGINFO`, as above.
        let python: Plain = unsafe { std::mem::transmute(python) };
        python(number);
    }
}

fn action(number: c_int) -> PyResult<libc::sigaction> {
    // SAFETY: all-zero bytes are a valid value of this C structure of integers and pointers.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: the action is valid for writes; nothing is installed.
    match unsafe { libc::sigaction(number, std::ptr::null(), &raw mut action) } {
        0 => Ok(action),
        _ => Err(PyOSError::new_err(io::Error::last_os_error().to_string())),
    }
}

/// Puts functions of our own into the built-in module on which `signal` rests: guests may use it directly. Called on
/// Python's main thread where it runs guests; handlers cannot be installed anywhere else.
pub(crate) fn install(py: Python<'_>, natives: &Bound<'_, PyModule>) -> PyResult<()> {
    let signals = interpreter::run_prelude(py, Prelude::Signals, natives)?;
    interpreter::of(&signals, "install")?.call0().map(drop)
}

/// Whether handlers can be installed on this thread.
#[pyfunction]
pub(crate) fn is_on_main_thread() -> bool {
    signal::is_here()
}

/// Whether the host has a handler for this signal.
#[pyfunction]
pub(crate) fn host_handles(number: c_int) -> PyResult<bool> {
    let action = action(number)?;
    let has_handler = !matches!(action.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN);
    Ok(SHARED.contains(&number) && has_handler && action.sa_flags & libc::SA_SIGINFO != 0)
}

/// Installs a function of Python's for a signal, beside the host's handler. `plain` is Python's `signal`.
#[pyfunction]
pub(crate) fn install_beside(
    number: c_int,
    plain: &Bound<'_, PyAny>,
    function: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let Some(at) = SHARED.iter().position(|shared| *shared == number) else { return Ok(()) };
    let host = action(number)?;
    plain.call1((number, function))?;
    let python = action(number)?;
    BOTH[at].host.store(host.sa_sigaction, Ordering::Release);
    BOTH[at].python.store(python.sa_sigaction, Ordering::Release);
    let mut both = python;
    both.sa_sigaction = call_both as WithInfo as usize;
    // As for Python's own handlers: a waiting system call returns, and Python's code runs.
    both.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the action is whole, and its function may be called at any time: it reads atomic numbers and calls two
    // handlers that are made for that.
    match unsafe { libc::sigaction(number, &raw const both, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(PyOSError::new_err(io::Error::last_os_error().to_string())),
    }
}
