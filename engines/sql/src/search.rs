//! SQLite's functions that look for a text in another, in time that grows with the texts and not with their product: while
//! one of SQLite's own runs, nothing can stop it, and a caller's event could hold the process for minutes.

use crate::sqlite::{Connection, Failure};
use libsqlite3_sys as ffi;
use memchr::memmem::Finder;
use std::{ffi::c_int, ptr, slice};

/// Maximum number of bytes in a pattern of `LIKE` and `GLOB`, which take time for each of them at each place of a text.
pub(crate) const LONGEST_PATTERN: c_int = 1000;

/// Registers `instr` and `replace` for a connection.
pub(crate) fn register(connection: &Connection) -> Result<(), Failure> {
    connection.pure_function(c"instr", 2, instr)?;
    connection.pure_function(c"replace", 3, replace)
}

/// `instr(X, Y)`: where Y begins in X, in characters or, where both are bytes, in bytes; 0 where it does not.
///
/// # Safety
/// To be called by SQLite, with two values.
unsafe extern "C" fn instr(
    context: *mut ffi::sqlite3_context,
    _count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: SQLite gives as many values as were registered, and they stay during the call.
    unsafe {
        let (text, sought) = (*values, *values.add(1));
        let kinds = [ffi::sqlite3_value_type(text), ffi::sqlite3_value_type(sought)];
        if kinds.contains(&ffi::SQLITE_NULL) {
            return ffi::sqlite3_result_null(context);
        }
        let are_bytes = kinds == [ffi::SQLITE_BLOB; 2];
        let (Some(text), Some(sought)) = (bytes(text, are_bytes), bytes(sought, are_bytes)) else {
            return ffi::sqlite3_result_error_nomem(context);
        };
        let begins = |byte: &&u8| are_bytes || **byte & 0xc0 != 0x80;
        let place = Finder::new(sought).find(text);
        let place = place.map_or(0, |at| 1 + text[..at].iter().filter(begins).count());
        ffi::sqlite3_result_int64(context, i64::try_from(place).unwrap_or(i64::MAX));
    }
}

/// `replace(X, Y, Z)`: X with Z in the place of every Y.
///
/// # Safety
/// To be called by SQLite, with three values.
unsafe extern "C" fn replace(
    context: *mut ffi::sqlite3_context,
    _count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: as in `instr`; what SQLite has allocated is as long as it was asked for, and becomes SQLite's own again.
    unsafe {
        let values = slice::from_raw_parts(values, 3);
        if values.iter().any(|value| ffi::sqlite3_value_type(*value) == ffi::SQLITE_NULL) {
            return ffi::sqlite3_result_null(context);
        }
        let (Some(text), Some(sought), Some(put)) =
            (bytes(values[0], false), bytes(values[1], false), bytes(values[2], false))
        else {
            return ffi::sqlite3_result_error_nomem(context);
        };
        if sought.is_empty() {
            return ffi::sqlite3_result_value(context, values[0]);
        }
        let finder = Finder::new(sought);
        let found = finder.find_iter(text).count();
        let length = (text.len() - found * sought.len()) as u64 + found as u64 * put.len() as u64;
        if length > i32::MAX as u64 {
            return ffi::sqlite3_result_error_toobig(context);
        }
        let room = ffi::sqlite3_malloc64((length + 1) as _).cast::<u8>();
        if room.is_null() {
            return ffi::sqlite3_result_error_nomem(context);
        }
        let (mut written, mut from) = (0, 0);
        let mut write = |part: &[u8]| {
            ptr::copy_nonoverlapping(part.as_ptr(), room.add(written), part.len());
            written += part.len();
        };
        for at in finder.find_iter(text) {
            write(&text[from..at]);
            write(put);
            from = at + sought.len();
        }
        write(&text[from..]);
        let (free, utf8) = (Some(ffi::sqlite3_free as _), ffi::SQLITE_UTF8 as u8);
        ffi::sqlite3_result_text64(context, room.cast(), length as _, free, utf8);
    }
}

/// Returns a value's bytes, or those of its text; `None` where memory does not suffice for that.
///
/// # Safety
/// The value must be one of a call in flight, and the result must not outlive that.
unsafe fn bytes<'v>(value: *mut ffi::sqlite3_value, as_they_are: bool) -> Option<&'v [u8]> {
    // SAFETY: as the caller vouches. The length is asked for after the pointer, as SQLite wants it.
    unsafe {
        let start = match as_they_are {
            true => ffi::sqlite3_value_blob(value).cast::<u8>(),
            false => ffi::sqlite3_value_text(value),
        };
        let length = usize::try_from(ffi::sqlite3_value_bytes(value)).unwrap_or(0);
        match start.is_null() {
            true if length > 0 || !as_they_are => None,
            true => Some(&[]),
            false => Some(slice::from_raw_parts(start, length)),
        }
    }
}
