//! The search for a byte.

use memchr::memchr;

/// Many searches end within so many bytes, for which starting `memchr` costs more than looking at them.
const NEAR: usize = 16;
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The place of a byte.
#[inline]
pub(crate) fn position(byte: u8, text: &[u8]) -> Option<usize> {
    let all = u64::from(byte) * ONES;
    let (words, rest) = text[..text.len().min(NEAR)].as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        // A byte that is zero here is one that is sought.
        let other = u64::from_le_bytes(*word) ^ all;
        let found = other.wrapping_sub(ONES) & !other & HIGH;
        if found != 0 {
            return Some(8 * index + found.trailing_zeros() as usize / 8);
        }
    }
    let done = 8 * words.len();
    let further = match text.len() {
        0..NEAR => rest.iter().position(|&other| other == byte),
        _ => memchr(byte, &text[done..]),
    };
    further.map(|at| done + at)
}

#[cfg(test)]
mod tests {
    use super::{NEAR, position};

    #[test]
    fn a_byte_is_found_at_its_first_place() {
        for length in 0..6 * NEAR {
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
