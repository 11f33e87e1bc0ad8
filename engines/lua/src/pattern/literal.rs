//! Looks for text that is no pattern.

use std::ffi::{c_int, c_void};

unsafe extern "C" {
    fn memchr(text: *const c_void, byte: c_int, length: usize) -> *const c_void;
    fn memmem(
        text: *const c_void,
        length: usize,
        part: *const c_void,
        part_length: usize,
    ) -> *const c_void;
}

/// The place of a byte.
pub(super) fn position(text: &[u8], byte: u8) -> Option<usize> {
    // SAFETY: the C library reads these bytes only.
    let found = unsafe { memchr(text.as_ptr().cast(), c_int::from(byte), text.len()) };
    (!found.is_null()).then(|| found as usize - text.as_ptr() as usize)
}

/// A piece of at least this size is searched in one go.
const PIECE: usize = 1 << 20;

/// The place of `part`, or that the search was stopped. Takes time in proportion to the text, whatever the part.
pub(super) fn find(
    text: &[u8],
    part: &[u8],
    alarmed: fn() -> bool,
) -> Result<Option<usize>, Stopped> {
    let Some((&first, others)) = part.split_first() else { return Ok(Some(0)) };
    if part.len() > text.len() {
        return Ok(None);
    }
    // The first byte is rare in most texts. Where it is not, comparing at each of them may take the product of both
    // lengths, so that this way is left after some attempts.
    let mut attempts = 64 + text.len() / 64;
    let mut from = 0;
    let last = text.len() - part.len();
    while from <= last {
        let Some(skipped) = position(&text[from..=last], first) else { return Ok(None) };
        let at = from + skipped;
        if text[at + 1..].starts_with(others) {
            return Ok(Some(at));
        }
        from = at + 1;
        let cost = 1 + others.len() / 64;
        if attempts < cost {
            return in_pieces(text, from, part, alarmed);
        }
        attempts -= cost;
    }
    Ok(None)
}

/// The search has to end.
#[derive(Debug)]
pub(super) struct Stopped;

/// The same by an algorithm that takes time in proportion to the text, from `from` on.
fn in_pieces(
    text: &[u8],
    mut from: usize,
    part: &[u8],
    alarmed: fn() -> bool,
) -> Result<Option<usize>, Stopped> {
    // Pieces overlap by the part's length, so they are larger than it.
    let size = PIECE.max(4 * part.len());
    while text.len() - from >= part.len() {
        if alarmed() {
            return Err(Stopped);
        }
        let piece = &text[from..text.len().min(from + size)];
        // SAFETY: the C library reads these bytes only.
        let found =
            unsafe { memmem(piece.as_ptr().cast(), piece.len(), part.as_ptr().cast(), part.len()) };
        if !found.is_null() {
            return Ok(Some(found as usize - text.as_ptr() as usize));
        }
        if from + piece.len() == text.len() {
            break;
        }
        from += piece.len() - (part.len() - 1);
    }
    Ok(None)
}
