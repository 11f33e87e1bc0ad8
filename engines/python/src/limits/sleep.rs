//! Python's `time.sleep`, except that warnings and stops wake it on every thread.

use super::{raise_due, with_current};
use pyo3::{
    exceptions::PyOSError,
    ffi,
    prelude::*,
    types::{PyFloat, PyInt},
};
use std::{
    ffi::CString,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// Longest sleep of ours in seconds: Python's clock ends a little later, and longer ones are refused.
const LONGEST: f64 = 9.2e9;

/// Python's own function, which reports what is wrong with an argument.
static ORIGINAL: OnceLock<Py<PyAny>> = OnceLock::new();

/// The counter that a sleep outside calls waits on: it never changes.
static NEVER: AtomicU32 = AtomicU32::new(0);

/// Replaces Python's function by ours.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    let time = py.import("time")?;
    let original = time.getattr("sleep")?;
    let doc: Option<String> = original.getattr("__doc__")?.extract()?;
    let doc = CString::new(doc.unwrap_or_default()).unwrap_or_default();
    if ORIGINAL.set(original.unbind()).is_err() {
        return Ok(());
    }
    // Both live as long as the interpreter, which is never finalised.
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: c"sleep".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: sleep },
        ml_flags: ffi::METH_O,
        ml_doc: Box::leak(doc.into_boxed_c_str()).as_ptr(),
    }));
    let name = time.getattr("__name__")?;
    // SAFETY: the definition is valid for good; module and name are alive, and the callee takes its own references; the
    // result is owned or null with an exception.
    let function = unsafe {
        Bound::from_owned_ptr_or_err(
            py,
            ffi::PyCFunction_NewEx(definition, time.as_ptr(), name.as_ptr()),
        )
    }?;
    time.setattr("sleep", function)
}

unsafe extern "C" fn sleep(
    _module: *mut ffi::PyObject,
    seconds: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: Python calls this with the thread attached, as it does all functions of its own.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: the argument is an object that the caller keeps alive during the call.
    let seconds = unsafe { Bound::from_borrowed_ptr(py, seconds) };
    match sleep_for(&seconds) {
        Ok(()) => py.None().into_ptr(),
        Err(raised) => {
            raised.restore(py);
            std::ptr::null_mut()
        }
    }
}

fn sleep_for(seconds: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = seconds.py();
    let Some(duration) = duration(seconds) else {
        // It raises, as the argument is none of those that we take; if it does not, it knows what to do.
        let original = ORIGINAL.get().expect("set before this function was reachable");
        return original.call1(py, (seconds,)).map(drop);
    };
    let Some(deadline) = now()?.checked_add(duration) else { return Ok(()) };
    loop {
        let seen = with_current(|runs| runs.alarms.load(Ordering::Acquire)).unwrap_or(0);
        raise_due(py)?;
        with_current(|runs| runs.raise_set(py)).transpose()?;
        let alarms = with_current(|runs| Word(&raw const runs.alarms));
        let alarms = alarms.unwrap_or(Word(&raw const NEVER));
        py.detach(move || alarms.wait(seen, deadline));
        py.check_signals()?;
        if now()? >= deadline {
            return Ok(());
        }
    }
}

/// Returns the duration of a sleep; `None` for an argument that is not an ordinary number of seconds.
fn duration(seconds: &Bound<'_, PyAny>) -> Option<Duration> {
    if let Ok(float) = seconds.cast::<PyFloat>() {
        let seconds = float.value();
        if !(0.0..LONGEST).contains(&seconds) {
            return None;
        }
        // Rounded up, as in Python: never shorter than requested.
        return Some(Duration::from_nanos((seconds * 1e9).ceil() as u64));
    }
    let seconds: u64 = seconds.cast::<PyInt>().ok()?.extract().ok()?;
    ((seconds as f64) < LONGEST).then(|| Duration::from_secs(seconds))
}

/// Reads the monotonic clock.
pub(super) fn now() -> PyResult<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writes.
    if unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) } != 0 {
        return Err(PyOSError::new_err(std::io::Error::last_os_error().to_string()));
    }
    Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

/// A number that a thread waits on until it changes.
pub(super) struct Word(*const AtomicU32);

// SAFETY: the pointer is used by `wait` alone, on the thread that made it, whose open section keeps it valid (or it is
// static); an atomic number may be read from any thread.
unsafe impl Send for Word {}

impl Word {
    /// Makes one for a wait during which the number stays alive.
    pub(super) fn of(number: &AtomicU32) -> Self {
        Self(number)
    }

    /// Waits until the number is no longer `seen`, until a point of the monotonic clock, or until a signal arrives.
    pub(super) fn wait(self, seen: u32, deadline: Duration) {
        let deadline = libc::timespec {
            tv_sec: deadline.as_secs() as libc::time_t,
            tv_nsec: deadline.subsec_nanos().into(),
        };
        // SAFETY: the number is alive (see above) and so is the deadline; the operation reads both and writes nothing.
        // Not the standard library's wait, because that goes on after a signal.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                self.0,
                libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG,
                seen,
                &raw const deadline,
                std::ptr::null::<u32>(),
                libc::FUTEX_BITSET_MATCH_ANY,
            );
        }
    }
}

/// Wakes the sleepers on this number.
pub(super) fn wake(alarms: &AtomicU32) {
    // SAFETY: the number is alive; the operation wakes waiters and touches no memory.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            std::ptr::from_ref(alarms),
            libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
            i32::MAX,
        );
    }
}
