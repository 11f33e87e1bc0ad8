//! The names of header fields that were seen before, as Python has them. Requests look alike, and an object that is
//! there already costs next to nothing.

use pyo3::prelude::*;

/// Number of slots; a power of two.
const SLOTS: usize = 256;

/// Maximum length of what is kept.
const LONGEST: usize = 64;

/// The bytes of an object, and the object.
type Known<T> = (Box<[u8]>, Py<T>);

/// Objects by the bytes that they were made of.
pub(super) struct Seen<T>(Vec<Option<Known<T>>>);

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self(std::iter::repeat_with(|| None).take(SLOTS).collect())
    }
}

impl<T> Seen<T> {
    /// Returns the object of these bytes, made if need be.
    pub(super) fn get<'py>(
        &mut self,
        py: Python<'py>,
        bytes: &[u8],
        make: impl FnOnce(&[u8]) -> Bound<'py, T>,
    ) -> Bound<'py, T> {
        let slot = &mut self.0[slot(bytes)];
        if let Some((known, object)) = slot
            && **known == *bytes
        {
            return object.bind(py).clone();
        }
        let made = make(bytes);
        if bytes.len() <= LONGEST {
            *slot = Some((bytes.into(), made.clone().unbind()));
        }
        made
    }
}

/// Returns the index of the slot for these bytes.
fn slot(bytes: &[u8]) -> usize {
    let (first, last) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
    };
    let mixed =
        (first ^ last.rotate_left(29) ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize & (SLOTS - 1)
}
