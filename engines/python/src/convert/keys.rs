//! The keys of objects that were seen before. Events look alike, and a reused string brings its hash with it.

use super::read::any_string;
use pyo3::{prelude::*, types::PyString};

/// Number of slots in the key cache; a power of two.
const SLOTS: usize = 512;

/// Maximum length of keys that are kept.
const LONGEST: usize = 48;

/// The slot for a key seen before.
pub(super) type Slot = Option<Seen>;

pub(super) struct Seen {
    ends: u64,
    text: Box<str>,
    object: Py<PyString>,
}

/// The cache of one interpreter's keys.
pub(crate) struct Keys {
    pub(super) slots: Vec<Slot>,
    /// A buffer for strings with escapes, reused from one event to the next.
    pub(super) room: String,
}

impl Default for Keys {
    fn default() -> Self {
        Self { slots: std::iter::repeat_with(|| None).take(SLOTS).collect(), room: String::new() }
    }
}

#[inline]
pub(super) fn key<'py>(
    py: Python<'py>,
    text: &str,
    keys: &mut [Slot],
) -> PyResult<Bound<'py, PyString>> {
    match seen(py, text, keys) {
        Some(object) => Ok(object),
        None => new_key(py, text, keys),
    }
}

/// Finds a key that was seen before.
#[inline]
fn seen<'py>(py: Python<'py>, text: &str, keys: &[Slot]) -> Option<Bound<'py, PyString>> {
    let ends = ends(text.as_bytes());
    let seen = keys[slot(ends, text.len())].as_ref()?;
    let same = seen.ends == ends
        && seen.text.len() == text.len()
        // The ends of such a text are all of it.
        && (text.len() < 8 || *seen.text == *text);
    same.then(|| seen.object.bind(py).clone())
}

#[cold]
fn new_key<'py>(py: Python<'py>, text: &str, keys: &mut [Slot]) -> PyResult<Bound<'py, PyString>> {
    let made = any_string(py, text)?;
    if text.len() <= LONGEST {
        let ends = ends(text.as_bytes());
        let object = made.clone().unbind();
        keys[slot(ends, text.len())] = Some(Seen { ends, text: text.into(), object });
    }
    Ok(made)
}

/// Packs a key's first and last letters.
#[inline]
fn ends(text: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29)
    } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
    } else {
        text.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
    }
}

/// Returns the index of a key's slot.
fn slot(ends: u64, length: usize) -> usize {
    let mixed = (ends ^ length as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize & (SLOTS - 1)
}
