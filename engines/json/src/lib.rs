//! A pull parser for JSON: strict, quick, and without a tree. Engines read events with it into their own values.
//!
//! ```
//! use trine_json::{Number, Peek, Reader};
//!
//! let mut reader = Reader::new(br#"{"id": 7}"#, String::new())?;
//! assert_eq!(reader.peek()?, Peek::Object);
//! assert_eq!(reader.object()?, Some("id"));
//! assert_eq!(reader.peek()?, Peek::Number);
//! assert_eq!(reader.number()?, Number::Integer(7));
//! assert_eq!(reader.next_key()?, None);
//! reader.finish()?;
//! # Ok::<(), trine_json::Refused>(())
//! ```
//!
//! Its errors say nothing, so that they cost nothing: whoever has to tell what is wrong asks [`describe`], which reads
//! the text once more.

mod describe;

pub use describe::{Place, describe};

use std::{fmt, ops::Range};

/// The reader's only error: the text is not JSON, or has half of a surrogate pair, which no Rust string can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not JSON that can be read")
    }
}

impl std::error::Error for Refused {}

/// The kind of a value, as its beginning tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peek {
    /// `{`
    Object,
    /// `[`
    Array,
    /// `"`
    String,
    /// A digit or a minus sign.
    Number,
    /// `true`, already read.
    True,
    /// `false`, already read.
    False,
    /// `null`, already read.
    Null,
}

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number<'j> {
    /// An integer of at most eighteen digits.
    Integer(i64),
    /// A longer integer, as it is written.
    Long(&'j str),
    /// A number with a fraction or an exponent: the double that is nearest to it, which may be infinite.
    Float(f64),
}

/// A string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'r> {
    /// Its text, without escapes. Borrowed from the reader, which has room for one string with escapes.
    pub text: &'r str,
    /// Whether all of it is ASCII.
    pub is_ascii: bool,
}

/// A reader of one JSON text, from its beginning to its end.
///
/// Nesting is the caller's affair: [`Reader::peek`] says what comes, and the method of that kind has to follow.
#[derive(Debug)]
pub struct Reader<'j> {
    text: &'j str,
    at: usize,
    /// The last string that had escapes.
    unescaped: String,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Marks what a JSON string cannot hold as it is, in eight of its bytes: the highest bit of each quote, backslash and
/// control character. The lowest of these bits is right, those above it may be wrong.
#[inline]
#[must_use]
pub const fn special(word: u64) -> u64 {
    // Each difference has the highest bit where the byte is smaller than what is subtracted, or is not ASCII.
    let control = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * b'"' as u64)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (control | quote | backslash) & !word & HIGH
}

/// Number of digits that are exact as a double, whatever they are.
const EXACT_DIGITS: usize = 15;

/// Powers of ten, all of them exact: one for each possible number of digits behind the point.
const POWERS: [f64; EXACT_DIGITS] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];

impl<'j> Reader<'j> {
    /// Makes a reader of `text`. `room` is for strings with escapes; see [`Reader::into_room`].
    ///
    /// # Errors
    /// When the text is not UTF-8.
    pub fn new(text: &'j [u8], mut room: String) -> Result<Self, Refused> {
        room.clear();
        let text = std::str::from_utf8(text).map_err(|_| Refused)?;
        Ok(Self { text, at: 0, unescaped: room })
    }

    /// Returns how many bytes it has read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Returns the room that it was given, for the next reader.
    pub fn into_room(self) -> String {
        self.unescaped
    }

    /// Returns the kind of what comes next. Reads the words `true`, `false` and `null`.
    ///
    /// # Errors
    /// When no value begins here.
    #[inline]
    pub fn peek(&mut self) -> Result<Peek, Refused> {
        match self.skip()? {
            b'"' => Ok(Peek::String),
            b'{' => Ok(Peek::Object),
            b'[' => Ok(Peek::Array),
            b'0'..=b'9' | b'-' => Ok(Peek::Number),
            b't' => self.word("true", Peek::True),
            b'f' => self.word("false", Peek::False),
            b'n' => self.word("null", Peek::Null),
            _ => Err(Refused),
        }
    }

    /// Reads the string that was peeked at.
    ///
    /// # Errors
    /// When it is malformed.
    #[inline]
    pub fn string(&mut self) -> Result<Text<'_>, Refused> {
        self.at += 1;
        let start = self.at;
        let is_ascii = self.run();
        if self.byte() != Some(b'"') {
            return self.escaped(start);
        }
        let end = self.at;
        self.at += 1;
        Ok(Text { text: self.text.get(start..end).ok_or(Refused)?, is_ascii })
    }

    /// Enters the object that was peeked at. Returns its first key.
    ///
    /// # Errors
    /// When it is malformed.
    #[inline]
    pub fn object(&mut self) -> Result<Option<&str>, Refused> {
        self.at += 1;
        match self.skip()? {
            b'}' => {
                self.at += 1;
                Ok(None)
            }
            b'"' => self.key().map(Some),
            _ => Err(Refused),
        }
    }

    /// Reads the key after a member's value; `None` at the end of the object.
    ///
    /// # Errors
    /// When it is malformed.
    #[inline]
    pub fn next_key(&mut self) -> Result<Option<&str>, Refused> {
        match self.skip()? {
            b',' => {
                self.at += 1;
                match self.skip()? {
                    b'"' => self.key().map(Some),
                    _ => Err(Refused),
                }
            }
            b'}' => {
                self.at += 1;
                Ok(None)
            }
            _ => Err(Refused),
        }
    }

    /// Enters the array that was peeked at. Returns the kind of its first item.
    ///
    /// # Errors
    /// When it is malformed.
    #[inline]
    pub fn array(&mut self) -> Result<Option<Peek>, Refused> {
        self.at += 1;
        if self.skip()? == b']' {
            self.at += 1;
            return Ok(None);
        }
        self.peek().map(Some)
    }

    /// Returns the kind of the item after an item; `None` at the end of the array.
    ///
    /// # Errors
    /// When it is malformed.
    #[inline]
    pub fn next_item(&mut self) -> Result<Option<Peek>, Refused> {
        match self.skip()? {
            b',' => {
                self.at += 1;
                self.peek().map(Some)
            }
            b']' => {
                self.at += 1;
                Ok(None)
            }
            _ => Err(Refused),
        }
    }

    /// Reads the number that was peeked at.
    ///
    /// # Errors
    /// When it is malformed.
    #[inline]
    pub fn number(&mut self) -> Result<Number<'j>, Refused> {
        let start = self.at;
        let negative = self.byte() == Some(b'-');
        self.at += usize::from(negative);
        let first = self.at;
        let mut digits = 0;
        let whole = self.digits(&mut digits)?;
        if whole > 1 && self.text.as_bytes()[first] == b'0' {
            return Err(Refused);
        }
        if !matches!(self.byte(), Some(b'.' | b'e' | b'E')) {
            return Ok(match whole {
                ..=18 => Number::Integer(if negative { -digits } else { digits }),
                _ => Number::Long(self.written(start)?),
            });
        }
        let mut fraction = 0;
        if self.byte() == Some(b'.') {
            self.at += 1;
            fraction = self.digits(&mut digits)?;
        }
        let has_exponent = matches!(self.byte(), Some(b'e' | b'E'));
        if has_exponent {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.digits(&mut 0)?;
        }
        if has_exponent || whole + fraction > EXACT_DIGITS {
            return self.written(start)?.parse().map(Number::Float).map_err(|_| Refused);
        }
        // Both are exact, so the quotient is the double that is nearest to the number.
        let value = digits as f64 / POWERS[fraction];
        Ok(Number::Float(if negative { -value } else { value }))
    }

    /// Returns a number as it is written, from `start` to here.
    fn written(&self, start: usize) -> Result<&'j str, Refused> {
        self.text.get(start..self.at).ok_or(Refused)
    }

    /// Checks that nothing but white space is left.
    ///
    /// # Errors
    /// When something is.
    pub fn finish(&mut self) -> Result<(), Refused> {
        match self.skip() {
            Ok(_) => Err(Refused),
            Err(Refused) => Ok(()),
        }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Returns the next byte that is not white space; the reader stands before it.
    #[inline]
    fn skip(&mut self) -> Result<u8, Refused> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return Ok(byte),
                None => return Err(Refused),
            }
        }
    }

    #[inline]
    fn word(&mut self, word: &str, is: Peek) -> Result<Peek, Refused> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(Refused);
        }
        self.at += word.len();
        Ok(is)
    }

    /// Reads digits, at least one, and returns how many. Their value is right only if they are few.
    #[inline]
    fn digits(&mut self, value: &mut i64) -> Result<usize, Refused> {
        let start = self.at;
        while let Some(digit @ b'0'..=b'9') = self.byte() {
            *value = value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            self.at += 1;
        }
        let count = self.at - start;
        if count == 0 { Err(Refused) } else { Ok(count) }
    }

    #[inline]
    fn key(&mut self) -> Result<&str, Refused> {
        self.at += 1;
        let start = self.at;
        self.run();
        let key = if self.byte() == Some(b'"') {
            let end = self.at;
            self.at += 1;
            Some(start..end)
        } else {
            self.unescape(start)?;
            None
        };
        if self.skip()? != b':' {
            return Err(Refused);
        }
        self.at += 1;
        self.text_or_unescaped(key)
    }

    #[inline]
    fn text_or_unescaped(&self, range: Option<Range<usize>>) -> Result<&str, Refused> {
        match range {
            Some(range) => self.text.get(range).ok_or(Refused),
            None => Ok(&self.unescaped),
        }
    }

    /// Goes on to the end of a plain run: to what is special, or the text's end. Returns whether the run is ASCII.
    #[inline]
    fn run(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        let mut rest = &bytes[self.at..];
        let mut seen = 0;
        while let Some((word, behind)) = rest.split_first_chunk::<8>() {
            let word = u64::from_le_bytes(*word);
            let special = special(word);
            if special != 0 {
                self.at = bytes.len() - rest.len() + special.trailing_zeros() as usize / 8;
                // The lowest bit is an ASCII character's; what counts is before it.
                return (seen | (word & (special ^ (special - 1)))) & HIGH == 0;
            }
            seen |= word;
            rest = behind;
        }
        let plain = |byte: &&u8| !matches!(byte, ..0x20 | b'"' | b'\\');
        let plain = &rest[..rest.iter().take_while(plain).count()];
        self.at = bytes.len() - rest.len() + plain.len();
        seen & HIGH == 0 && plain.is_ascii()
    }

    #[cold]
    fn escaped(&mut self, start: usize) -> Result<Text<'_>, Refused> {
        self.unescape(start)?;
        Ok(Text { text: &self.unescaped, is_ascii: self.unescaped.is_ascii() })
    }

    /// Reads the rest of a string that began at `start` and has something special here.
    fn unescape(&mut self, start: usize) -> Result<(), Refused> {
        let mut start = start;
        self.unescaped.clear();
        loop {
            let run = self.text.get(start..self.at).ok_or(Refused)?;
            self.unescaped.push_str(run);
            let stop = self.byte();
            self.at += 1;
            match stop {
                Some(b'"') => return Ok(()),
                Some(b'\\') => {}
                _ => return Err(Refused),
            }
            let letter = self.byte().ok_or(Refused)?;
            self.at += 1;
            let plain = match letter {
                b'"' | b'\\' | b'/' => char::from(letter),
                b'n' => '\n',
                b't' => '\t',
                b'r' => '\r',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'u' => self.unicode()?,
                _ => return Err(Refused),
            };
            self.unescaped.push(plain);
            start = self.at;
            self.run();
        }
    }

    /// Reads the character of `\u` and what follows it.
    fn unicode(&mut self) -> Result<char, Refused> {
        let unit = self.hex()?;
        let code = match unit {
            0xd800..=0xdbff => {
                if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
                    return Err(Refused);
                }
                self.at += 2;
                let low = self.hex()?;
                if !matches!(low, 0xdc00..=0xdfff) {
                    return Err(Refused);
                }
                0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
            }
            _ => unit,
        };
        char::from_u32(code).ok_or(Refused)
    }

    fn hex(&mut self) -> Result<u32, Refused> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Refused)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Refused);
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| Refused)
    }
}

#[cfg(test)]
mod tests;
