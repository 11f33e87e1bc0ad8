//! JSON strings: eight bytes at a time where nothing has to be escaped.

const HIGH: u64 = 0x8080_8080_8080_8080;
const ONES: u64 = 0x0101_0101_0101_0101;

/// Whether one of eight bytes has to be escaped: below 0x20, a quote, a backslash.
fn special(word: u64) -> bool {
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
    control | zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\'))) != 0
}

/// Writes a JSON string; false when the bytes are not UTF-8.
pub(super) fn write_string(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let (words, rest) = bytes.as_chunks::<8>();
    let (mut high, mut escape) = (0, false);
    for word in words {
        let word = u64::from_le_bytes(*word);
        high |= word;
        escape |= special(word);
    }
    for &byte in rest {
        high |= u64::from(byte);
        escape |= ESCAPED[usize::from(byte)];
    }
    if escape {
        write_escaped(out, bytes);
    } else {
        out.extend_from_slice(bytes);
    }
    out.push(b'"');
    high & HIGH == 0 || std::str::from_utf8(bytes).is_ok()
}

fn write_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        if special(u64::from_le_bytes(*word)) {
            word.iter().for_each(|&byte| write_byte(out, byte));
        } else {
            out.extend_from_slice(word);
        }
    }
    rest.iter().for_each(|&byte| write_byte(out, byte));
}

/// Which bytes have to be escaped, as in [`special`].
const ESCAPED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

fn write_byte(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    if !ESCAPED[usize::from(byte)] {
        return out.push(byte);
    }
    let short = match byte {
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        b'"' | b'\\' => byte,
        _ => {
            let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
            out.extend_from_slice(b"\\u00");
            return out.extend_from_slice(&digits);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
