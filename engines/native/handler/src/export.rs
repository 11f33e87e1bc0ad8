//! The functions that a library exports, around those that are written in Rust.

use crate::{Context, Error};
use std::{
    borrow::Cow,
    cell::RefCell,
    ffi::{CStr, c_char},
    panic::{self, AssertUnwindSafe},
    slice,
    sync::Once,
};

/// What a handler can answer with: bytes, or a text.
pub trait Answer {
    /// Returns the bytes.
    fn into_answer(self) -> Vec<u8>;
}

impl Answer for Vec<u8> {
    fn into_answer(self) -> Vec<u8> {
        self
    }
}

impl Answer for String {
    fn into_answer(self) -> Vec<u8> {
        self.into_bytes()
    }
}

impl Answer for &str {
    fn into_answer(self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl Answer for Cow<'_, str> {
    fn into_answer(self) -> Vec<u8> {
        self.into_owned().into_bytes()
    }
}

/// An answer without bytes: `null`.
impl Answer for () {
    fn into_answer(self) -> Vec<u8> {
        Vec::new()
    }
}

/// The places in which an answer is left.
#[derive(Debug, Clone, Copy)]
pub struct Buffer {
    /// The place of the bytes' address.
    pub out: *mut *mut u8,
    /// The place of their number.
    pub length: *mut usize,
}

impl Buffer {
    fn give(self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let bytes = bytes.into_boxed_slice();
        // SAFETY: whoever calls a function of the library passes places that can be written.
        unsafe {
            *self.length = bytes.len();
            *self.out = Box::into_raw(bytes).cast();
        }
    }
}

/// Runs a handler. For [`handler!`](crate::handler), as everything that follows.
///
/// # Safety
/// Event and context are as many bytes as is said, and the buffer's places can be written.
pub unsafe fn run<A: Answer, E: Into<Error>>(
    handler: impl FnOnce(&[u8], &Context<'_>) -> Result<A, E>,
    (event, event_len): (*const u8, usize),
    (context, context_len): (*const u8, usize),
    buffer: Buffer,
) -> i32 {
    // SAFETY: the caller vouches for both.
    let (event, context) = unsafe { (bytes(event, event_len), bytes(context, context_len)) };
    guarded(buffer, || {
        let answer = handler(event, &Context::new(context)).map_err(Into::into)?;
        Ok(answer.into_answer())
    })
}

/// Runs a function that prepares a library.
///
/// # Safety
/// As for [`run`].
pub unsafe fn run_init<E: Into<Error>>(
    init: impl FnOnce(&[u8]) -> Result<(), E>,
    (facts, length): (*const u8, usize),
    buffer: Buffer,
) -> i32 {
    // SAFETY: the caller vouches for them.
    let facts = unsafe { bytes(facts, length) };
    guarded(buffer, || init(facts).map(|()| Vec::new()).map_err(Into::into))
}

/// Runs a function that cannot fail. A panic ends it.
pub fn run_quietly(function: impl FnOnce()) {
    let _ = panic::catch_unwind(AssertUnwindSafe(function));
}

/// Runs a function that hears of an invocation's deadline.
///
/// # Safety
/// The id is terminated by NUL.
pub unsafe fn run_warn(warn: impl FnOnce(&str), id: *const c_char) {
    // SAFETY: the caller vouches for it.
    let id = unsafe { CStr::from_ptr(id) };
    run_quietly(|| warn(&id.to_string_lossy()));
}

/// Takes back what a handler gave.
///
/// # Safety
/// The bytes were given by this library, and are so many.
pub unsafe fn free(out: *mut u8, length: usize) {
    if !out.is_null() {
        // SAFETY: `Buffer::give` made them of a boxed slice of this length.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(out, length)) });
    }
}

/// # Safety
/// There are so many bytes at this place, unless there are none.
unsafe fn bytes<'a>(place: *const u8, length: usize) -> &'a [u8] {
    if place.is_null() || length == 0 {
        return &[];
    }
    // SAFETY: the caller vouches for them.
    unsafe { slice::from_raw_parts(place, length) }
}

fn guarded(buffer: Buffer, run: impl FnOnce() -> Result<Vec<u8>, Error>) -> i32 {
    note_places_of_panics();
    let outcome = panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let error = Error::new("Panic", text.unwrap_or("the handler panicked"));
        Err(match PLACE.take() {
            Some(place) => error.with_place(place),
            None => error,
        })
    });
    match outcome {
        Ok(bytes) => {
            buffer.give(bytes);
            0
        }
        Err(error) => {
            buffer.give(error.to_json().into_bytes());
            1
        }
    }
}

thread_local! {
    /// The place of this thread's last panic.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Has the places of panics noted, before whatever else is done about them.
fn note_places_of_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let place = info.location().map(|place| format!("    at {place}"));
            PLACE.with(|noted| *noted.borrow_mut() = place);
            others(info);
        }));
    });
}

/// Exports functions as handlers of this library; see the [crate's documentation](crate).
#[macro_export]
macro_rules! handler {
    ($handler:path $(; $($option:ident = $value:expr),+ $(,)?)?) => {
        $crate::handler!(@function trine_handle, $handler);
        $crate::handler!(@library $($($option = $value),+)?);
    };
    ($($name:ident = $handler:path),+ $(; $($option:ident = $value:expr),+ $(,)?)?) => {
        $($crate::handler!(@named $name, $handler);)+
        $crate::handler!(@library $($($option = $value),+)?);
    };
    (@named $name:ident, $handler:path) => {
        const _: () = {
            #[unsafe(export_name = concat!("trine_handle_", stringify!($name)))]
            unsafe extern "C" fn exported(
                event: *const u8, event_len: usize, context: *const u8, context_len: usize,
                out: *mut *mut u8, length: *mut usize,
            ) -> i32 {
                let buffer = $crate::Buffer { out, length };
                // SAFETY: Trine calls it as trine_handler.h says.
                unsafe { $crate::run($handler, (event, event_len), (context, context_len), buffer) }
            }
        };
    };
    (@function $symbol:ident, $handler:path) => {
        const _: () = {
            #[unsafe(export_name = stringify!($symbol))]
            unsafe extern "C" fn exported(
                event: *const u8, event_len: usize, context: *const u8, context_len: usize,
                out: *mut *mut u8, length: *mut usize,
            ) -> i32 {
                let buffer = $crate::Buffer { out, length };
                // SAFETY: Trine calls it as trine_handler.h says.
                unsafe { $crate::run($handler, (event, event_len), (context, context_len), buffer) }
            }
        };
    };
    (@library $($option:ident = $value:expr),*) => {
        const _: () = {
            #[unsafe(no_mangle)]
            unsafe extern "C" fn trine_free(out: *mut u8, length: usize) {
                // SAFETY: Trine gives back what it was given.
                unsafe { $crate::free(out, length) }
            }
            $($crate::handler!(@option $option = $value);)*
        };
    };
    (@option threads = $value:expr) => {
        #[unsafe(no_mangle)]
        extern "C" fn trine_threads() -> u32 {
            $value
        }
    };
    (@option content_type = $value:expr) => {
        #[unsafe(no_mangle)]
        extern "C" fn trine_content_type() -> *const ::std::ffi::c_char {
            const TYPE: &::std::ffi::CStr = $value;
            TYPE.as_ptr()
        }
    };
    (@option init = $value:expr) => {
        #[unsafe(no_mangle)]
        unsafe extern "C" fn trine_init(
            _root: *const ::std::ffi::c_char, facts: *const u8, facts_len: usize,
            out: *mut *mut u8, length: *mut usize,
        ) -> i32 {
            let buffer = $crate::Buffer { out, length };
            // SAFETY: Trine calls it as trine_handler.h says.
            unsafe { $crate::run_init($value, (facts, facts_len), buffer) }
        }
    };
    (@option cleanup = $value:expr) => {
        #[unsafe(no_mangle)]
        extern "C" fn trine_cleanup() {
            $crate::run_quietly($value)
        }
    };
    (@option warn = $value:expr) => {
        #[unsafe(no_mangle)]
        unsafe extern "C" fn trine_warn(id: *const ::std::ffi::c_char) {
            // SAFETY: Trine calls it as trine_handler.h says.
            unsafe { $crate::run_warn($value, id) }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr;

    /// Runs a handler as Trine does; returns what it returned and gave.
    fn called<A: Answer>(
        handler: impl FnOnce(&[u8], &Context<'_>) -> Result<A, Error>,
        event: &[u8],
    ) -> (i32, String) {
        let (mut out, mut length) = (ptr::null_mut(), 0);
        let buffer = Buffer { out: &raw mut out, length: &raw mut length };
        // SAFETY: the slices are what they say, and the places are ours.
        unsafe {
            let status = run(handler, (event.as_ptr(), event.len()), (ptr::null(), 0), buffer);
            let given = String::from_utf8(bytes(out, length).to_vec()).unwrap();
            free(out, length);
            (status, given)
        }
    }

    #[test]
    fn an_answer_is_given_and_taken_back() {
        assert_eq!(called(|event, _| Ok(event.to_vec()), b"[1]"), (0, "[1]".to_owned()));
        assert_eq!(called(|_, _| Ok("\"text\""), b""), (0, "\"text\"".to_owned()));
        assert_eq!(called(|_, _| Ok(()), b""), (0, String::new()));
    }

    #[test]
    fn an_error_is_an_object() {
        let (status, given) = called::<()>(|_, _| Err(Error::new("BadRequest", "no name")), b"");
        assert_eq!(status, 1);
        assert!(given.starts_with(r#"{"errorType":"BadRequest","errorMessage":"no name""#));
    }

    #[test]
    fn a_panic_is_an_error_with_its_place() {
        let (status, given) = called::<()>(|event, _| panic!("{} bytes", event.len()), b"12");
        assert_eq!(status, 1);
        assert!(given.starts_with(r#"{"errorType":"Panic","errorMessage":"2 bytes""#), "{given}");
        assert!(given.contains("export.rs:"), "{given}");
    }
}
