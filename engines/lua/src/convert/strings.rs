//! The writing of JSON strings: eight bytes at a time until one has to be escaped.

use trine_json::special;

const HIGH: u64 = 0x8080_8080_8080_8080;
/// The filler of incomplete words.
const SPACES: u64 = 0x2020_2020_2020_2020;

/// Writes a JSON string; returns false when the bytes are not UTF-8.
pub(super) fn write_string(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let (start, length) = (out.len(), bytes.len());
    out.reserve(length + 2);
    let (high, found);
    // SAFETY: there is room for the bytes and two quotes, all of which are written before they count.
    unsafe {
        let text = out.as_mut_ptr().add(start);
        *text = b'"';
        (high, found) = copy(bytes, text.add(1));
        if found == 0 {
            *text.add(1 + length) = b'"';
            out.set_len(start + length + 2);
        } else {
            out.set_len(start + 1);
        }
    }
    (found == 0 && high & HIGH == 0) || write_other(out, bytes, found != 0)
}

/// Completes a string that is not quite plain: writes it if it has to be escaped, and checks that it is UTF-8.
#[inline(never)]
fn write_other(out: &mut Vec<u8>, bytes: &[u8], escape: bool) -> bool {
    if escape {
        write_escaped(out, bytes);
        out.push(b'"');
    }
    std::str::from_utf8(bytes).is_ok()
}

/// Copies the bytes and returns the union of all words, and of the special bits in them. Words may overlap.
///
/// # Safety
/// There is room for the bytes at `to`.
#[inline]
unsafe fn copy(bytes: &[u8], to: *mut u8) -> (u64, u64) {
    let length = bytes.len();
    let (mut high, mut found) = (0, 0);
    let mut note = |word| {
        high |= word;
        found |= special(word);
    };
    // SAFETY: each chunk is stored where it has been in the bytes.
    unsafe {
        if let Some(last) = bytes.last_chunk::<8>() {
            for (index, word) in bytes.as_chunks::<8>().0.iter().enumerate() {
                note(u64::from_le_bytes(*word));
                to.add(8 * index).cast::<[u8; 8]>().write_unaligned(*word);
            }
            note(u64::from_le_bytes(*last));
            to.add(length - 8).cast::<[u8; 8]>().write_unaligned(*last);
        } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            note(
                u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)),
            );
            to.cast::<[u8; 4]>().write_unaligned(*first);
            to.add(length - 4).cast::<[u8; 4]>().write_unaligned(*last);
        } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            let ends =
                u32::from(u16::from_le_bytes(*first)) << 16 | u32::from(u16::from_le_bytes(*last));
            note(SPACES << 32 | u64::from(ends));
            to.cast::<[u8; 2]>().write_unaligned(*first);
            to.add(length - 2).cast::<[u8; 2]>().write_unaligned(*last);
        } else if let [byte] = bytes {
            note(SPACES << 8 | u64::from(*byte));
            *to = *byte;
        }
    }
    (high, found)
}

/// Number of bytes that are escaped at a time: room is made for the longest result.
const PIECE: usize = 256;

/// Writes bytes of which some have to be escaped.
fn write_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    for piece in bytes.chunks(PIECE) {
        out.reserve(6 * piece.len() + 8);
        // SAFETY: a byte becomes six at most, and a word that is written too far is within the eight bytes beyond.
        unsafe {
            let start = out.as_mut_ptr().add(out.len());
            let end = escape(piece, start);
            out.set_len(out.len() + end.offset_from_unsigned(start));
        }
    }
}

/// Escapes a piece and returns the end of the result.
///
/// # Safety
/// There is room at `to` for six times the piece and eight bytes.
unsafe fn escape(mut piece: &[u8], mut to: *mut u8) -> *mut u8 {
    // SAFETY: `to` moves on by at most six for each byte that leaves the piece.
    unsafe {
        while let Some((word, rest)) = piece.split_first_chunk::<8>() {
            let found = special(u64::from_le_bytes(*word));
            to.cast::<[u8; 8]>().write_unaligned(*word);
            if found == 0 {
                (piece, to) = (rest, to.add(8));
                continue;
            }
            let clean = found.trailing_zeros() as usize / 8;
            to = escape_byte(word[clean], to.add(clean));
            piece = &piece[clean + 1..];
        }
        for &byte in piece {
            if byte < 0x20 || byte == b'"' || byte == b'\\' {
                to = escape_byte(byte, to);
            } else {
                *to = byte;
                to = to.add(1);
            }
        }
    }
    to
}

/// Writes a byte that has to be escaped and returns the end of the result.
///
/// # Safety
/// There is room for six bytes at `to`.
#[inline]
unsafe fn escape_byte(byte: u8, to: *mut u8) -> *mut u8 {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        _ => b'u',
    };
    // SAFETY: as the caller vouches.
    unsafe {
        to.cast::<[u8; 2]>().write_unaligned([b'\\', short]);
        if short != b'u' {
            return to.add(2);
        }
        let digits = [b'0', b'0', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
        to.add(2).cast::<[u8; 4]>().write_unaligned(digits);
        to.add(6)
    }
}

#[cfg(test)]
mod tests {
    use super::write_string;

    #[test]
    fn bytes_are_escaped_at_any_place() {
        let others = *b"0123456789abcdefghijklmnopq";
        for length in 0..others.len() {
            for place in 0..length {
                for byte in 0..=255 {
                    let mut bytes = others[..length].to_vec();
                    bytes[place] = byte;
                    let mut out = b"[".to_vec();
                    let valid = write_string(&mut out, &bytes);
                    let text = std::str::from_utf8(&bytes);
                    assert_eq!(valid, text.is_ok(), "{bytes:?}");
                    if let Ok(text) = text {
                        let expected = serde_json::to_vec(text).unwrap();
                        assert_eq!(out[1..], expected, "{text:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn neighbours_of_escaped_bytes_stay_as_they_are() {
        for first in 0..=127 {
            for second in 0..=127 {
                let text =
                    String::from_utf8(vec![b'a', first, second, b'!', second, first]).unwrap();
                for text in [text.clone(), text.repeat(3), text.repeat(100)] {
                    let mut out = Vec::new();
                    assert!(write_string(&mut out, text.as_bytes()));
                    assert_eq!(out, serde_json::to_vec(&text).unwrap());
                }
            }
        }
    }
}
