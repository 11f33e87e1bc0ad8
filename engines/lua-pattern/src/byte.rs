//! The search for a byte.

use memchr::memchr;

/// Length of a text below which a look at each byte takes no longer than calling `memchr`.
const SHORT: usize = 16;

/// Returns the place of a byte.
#[inline]
pub(crate) fn position(byte: u8, text: &[u8]) -> Option<usize> {
    match text.len() {
        0..SHORT => text.iter().position(|&other| other == byte),
        _ => memchr(byte, text),
    }
}

#[cfg(test)]
mod tests {
    use super::{SHORT, position};

    #[test]
    fn a_byte_is_found_at_its_first_place() {
        for length in 0..4 * SHORT {
            for place in 0..length {
                for (byte, others) in [(0, 1), (1, 0), (255, 127), (128, 0), (b'a', b'b')] {
                    let mut text = vec![others; length];
                    assert_eq!(position(byte, &text), None);
                    text[place] = byte;
                    text[length - 1] = byte;
                    assert_eq!(position(byte, &text), Some(place), "{byte} of {length}");
                }
            }
        }
    }
}
