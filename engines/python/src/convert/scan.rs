//! The search for the characters that a JSON string cannot contain unescaped, eight bytes at a time.

use trine_json::special as json_special;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES << 7;
const SPACES: u64 = ONES * b' ' as u64;

/// The `STOP` that adds everything beyond printable ASCII.
pub(super) const UNPRINTABLE: u8 = 0;
/// The `STOP` that adds the first byte of U+2028 and U+2029.
pub(super) const SEPARATORS: u8 = 1;

/// Finds, from `at` on, the first quote, backslash, control character or byte that `STOP` adds, or else the end.
#[inline]
pub(super) fn plain<const STOP: u8>(text: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        let found = special::<STOP>(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + short::<STOP>(text.get(at..).unwrap_or_default())
}

/// Does the same for fewer than eight bytes.
#[inline]
fn short<const STOP: u8>(rest: &[u8]) -> usize {
    if let (Some(first), Some(last)) = (rest.first_chunk(), rest.last_chunk()) {
        // Four bytes from either end, which may overlap.
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        let found = special::<STOP>(u64::from(first) | u64::from(last) << 32);
        return match found.trailing_zeros() as usize / 8 {
            8 => rest.len(),
            place @ 0..4 => place,
            place => rest.len() + place - 8,
        };
    }
    let bytes = rest.iter().rfold(SPACES, |bytes, byte| bytes << 8 | u64::from(*byte));
    rest.len().min(special::<STOP>(bytes).trailing_zeros() as usize / 8)
}

/// Marks each special byte by its high bit. The lowest mark is right; those above it may be wrong.
#[inline]
fn special<const STOP: u8>(bytes: u64) -> u64 {
    let below = |byte: u8| (bytes ^ (ONES * u64::from(byte))).wrapping_sub(ONES);
    let other = if STOP == SEPARATORS {
        // The exclusive or leaves the high bit set in ASCII bytes only; the second factor removes their marks.
        below(0xe2) & !(bytes ^ (ONES * 0xe2))
    } else {
        (below(0x7f) & !bytes) | bytes
    };
    json_special(bytes) | (other & HIGH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slowly(text: &[u8], at: usize, is_stop: impl Fn(u8) -> bool) -> usize {
        let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20) || is_stop(*byte);
        text[at..].iter().position(is_special).map_or(text.len(), |place| at + place)
    }

    #[test]
    fn every_byte_is_found_at_every_place() {
        for length in 0..20 {
            for place in 0..length {
                for (byte, next) in (0..=255).flat_map(|byte| [(byte, b'a'), (byte, byte)]) {
                    let mut text = vec![b'~'; length];
                    text[place] = byte;
                    if let Some(behind) = text.get_mut(place + 1) {
                        *behind = next;
                    }
                    for at in [0, place, length] {
                        let unprintable = slowly(&text, at, |byte| byte >= 0x7f);
                        assert_eq!(plain::<UNPRINTABLE>(&text, at), unprintable, "{text:?} {at}");
                        let separator = slowly(&text, at, |byte| byte == 0xe2);
                        assert_eq!(plain::<SEPARATORS>(&text, at), separator, "{text:?} {at}");
                    }
                }
            }
        }
    }
}
