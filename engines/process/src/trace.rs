//! `_X_AMZN_TRACE_ID` in the process's environment, where tracing libraries look for an invocation's trace.
//!
//! C's `setenv` keeps every text that a variable ever had, some 140 bytes for each invocation, and takes longer than a
//! call of a small handler. `putenv` takes a text where it lies: two of them in turn, so that whoever has just read the
//! last one can go on reading it.

use std::sync::{Mutex, PoisonError};

/// The variable's name.
pub const NAME: &str = "_X_AMZN_TRACE_ID";
/// Room for name and value; the platform's are about 100 bytes long.
const ROOM: usize = 1024;

static TEXTS: Mutex<Texts> = Mutex::new(Texts { room: [[0; ROOM]; 2], latest: 0 });

struct Texts {
    room: [[u8; ROOM]; 2],
    latest: usize,
}

/// Sets the variable, or unsets it. A value that no variable can have unsets it too.
pub fn set(trace: Option<&str>) {
    let trace = trace.filter(|trace| !trace.contains('\0'));
    let Some(trace) = trace.filter(|trace| NAME.len() + trace.len() + 2 <= ROOM) else {
        // SAFETY: the environment changes here as it does where a guest sets a variable of its own: on a thread that
        // runs guest code, by the C library's own means.
        unsafe {
            match trace {
                Some(long) => std::env::set_var(NAME, long),
                // Unsetting a missing variable is slow, because it compares every variable there is, so it is skipped.
                None if std::env::var_os(NAME).is_none() => {}
                None => std::env::remove_var(NAME),
            }
        }
        return;
    };
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    texts.latest = 1 - texts.latest;
    let latest = texts.latest;
    let text = &mut texts.room[latest];
    let mut end = 0;
    for part in [NAME.as_bytes(), b"=", trace.as_bytes(), b"\0"] {
        text[end..end + part.len()].copy_from_slice(part);
        end += part.len();
    }
    // SAFETY: the text is terminated and lies in a static, so it outlives the environment; it is written again only
    // when the other one has taken its place there. As to other threads, see above.
    unsafe { libc::putenv(text.as_mut_ptr().cast()) };
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_variable_follows_the_invocations() {
        let long = "x".repeat(2000);
        for value in [
            Some("Root=1-a"),
            Some(""),
            None,
            Some("Root=1-b"),
            Some(long.as_str()),
            Some("c"),
            None,
        ] {
            super::set(value);
            assert_eq!(std::env::var(super::NAME).ok().as_deref(), value);
        }
        super::set(Some("a\0b"));
        assert!(std::env::var(super::NAME).is_err());
    }
}
