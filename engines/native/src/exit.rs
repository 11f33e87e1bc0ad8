//! What is told when a library ends the process by `exit`: whoever started it would take that for a success otherwise.

use crate::{crash, flight};
use std::{
    ffi::{c_int, c_void},
    sync::Once,
};

/// The status of a process that a library has ended as if everything were done.
const ENDED: c_int = 1;

/// A stream of C's library.
#[repr(C)]
struct Stream([u8; 0]);

// SAFETY: as C's library declares them; all of them are in every program that it is part of.
unsafe extern "C" {
    static stdout: *mut Stream;
    fn ftrylockfile(stream: *mut Stream) -> c_int;
    fn funlockfile(stream: *mut Stream);
    fn fflush(stream: *mut Stream) -> c_int;
    #[cfg(target_env = "gnu")]
    fn on_exit(function: extern "C" fn(c_int, *mut c_void), data: *mut c_void) -> c_int;
    #[cfg(not(target_env = "gnu"))]
    fn atexit(function: extern "C" fn()) -> c_int;
}

/// Looks out for ends of the process that libraries bring about, from now on.
pub(crate) fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        #[cfg(target_env = "gnu")]
        // SAFETY: the function may be called at any `exit`. Without room for it nobody is told.
        let _ = unsafe { on_exit(ended, std::ptr::null_mut()) };
        #[cfg(not(target_env = "gnu"))]
        // SAFETY: as above.
        let _ = unsafe { atexit(ended_somehow) };
    });
}

/// Tells of an end where the status is not known.
#[cfg(not(target_env = "gnu"))]
extern "C" fn ended_somehow() {
    ended(0, std::ptr::null_mut());
}

/// Tells of an end of the process while code of a library runs, and ends it. Does nothing at an ordinary end.
extern "C" fn ended(status: c_int, _: *mut c_void) {
    if !crash::is_own_process() {
        return;
    }
    let number = status.to_string();
    let told = flight::with_current(|flight| match flight {
        Some(flight) => {
            let (words, id) = flight.words();
            let text =
                [flight.file(), b" ended the process by exit(", number.as_bytes(), b") while it "];
            Some([&text.concat(), words.as_bytes(), id.as_bytes()].concat())
        }
        None => None,
    });
    // A thread that a library has started may have done it.
    let told = told.or_else(|| {
        flight::with_any(|flight| {
            let flight = flight?;
            let (words, id) = flight.words();
            let text =
                [b"exit(", number.as_bytes(), b") ended the process while ", flight.file(), b" "];
            Some([&text.concat(), words.as_bytes(), id.as_bytes()].concat())
        })
    });
    let Some(told) = told else { return };
    flush();
    crash::write(&[b"error: ", &told, b"\n"]);
    // Parents see the lower eight bits.
    trine_process::end(if status & 0xff == 0 { ENDED } else { status });
}

/// Writes out what was printed through C's library, unless another thread is at it and may never be done.
fn flush() {
    // SAFETY: the stream is C's own, which is locked while it is used.
    unsafe {
        if ftrylockfile(stdout) == 0 {
            fflush(stdout);
            funlockfile(stdout);
        }
    }
}
