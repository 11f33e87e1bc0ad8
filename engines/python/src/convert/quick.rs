//! The quick way from JSON text to Python values. It takes what events consist of; for anything else (texts that are
//! not JSON, halves of surrogate pairs, `NaN`) it gives up, and [`super::parse`] starts again with a parser that knows
//! how to deal with it or what to say about it.

use super::{DEPTH, parse, parse::Slot, scan};
use pyo3::{
    ffi,
    prelude::*,
    types::{PyBool, PyDict, PyFloat, PyInt, PyString},
};

/// So many digits are exact as a float, whatever they are.
const DIGITS: usize = 15;

/// Powers of ten, all of them exact: for as many digits behind the point as there can be then.
const POWERS: [f64; DIGITS] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];

/// The value that `text` stands for; `None` if this is not the one to find that out.
pub(super) fn read<'py>(
    py: Python<'py>,
    text: &[u8],
    keys: &mut [Slot],
    tape: &mut Vec<u8>,
) -> Option<Bound<'py, PyAny>> {
    let mut parser = Parser { py, text, at: 0, keys, tape, items: Vec::new() };
    let value = parser.value(0)?;
    (parser.peek().is_none() && parser.at == text.len()).then_some(value)
}

struct Parser<'a, 'py> {
    py: Python<'py>,
    text: &'a [u8],
    at: usize,
    keys: &'a mut [Slot],
    /// Room for a string with escapes.
    tape: &'a mut Vec<u8>,
    /// Items of the arrays that are open, the innermost one's last.
    items: Vec<Bound<'py, PyAny>>,
}

impl<'py> Parser<'_, 'py> {
    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.text.get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<Bound<'py, PyAny>> {
        let py = self.py;
        match self.peek()? {
            b'"' => self.string(),
            b'{' if depth < DEPTH => self.object(depth),
            b'[' if depth < DEPTH => self.array(depth),
            b't' => self.word(b"true").map(|()| PyBool::new(py, true).to_owned().into_any()),
            b'f' => self.word(b"false").map(|()| PyBool::new(py, false).to_owned().into_any()),
            b'n' => self.word(b"null").map(|()| py.None().into_bound(py)),
            b'-' | b'0'..=b'9' => self.number(),
            _ => None,
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.text[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    fn object(&mut self, depth: usize) -> Option<Bound<'py, PyAny>> {
        let dict = PyDict::new(self.py);
        self.at += 1;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(dict.into_any());
        }
        loop {
            if self.peek()? != b'"' {
                return None;
            }
            let key = self.key()?;
            if self.peek()? != b':' {
                return None;
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            // SAFETY: a dictionary, a text and a value, all alive; the callee takes its own references.
            let set = unsafe { ffi::PyDict_SetItem(dict.as_ptr(), key.as_ptr(), value.as_ptr()) };
            if set != 0 {
                return self.raised();
            }
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b',' => {}
                b'}' => return Some(dict.into_any()),
                _ => return None,
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Bound<'py, PyAny>> {
        let first = self.items.len();
        self.at += 1;
        if self.peek()? == b']' {
            self.at += 1;
            return self.list(first);
        }
        loop {
            let value = self.value(depth + 1)?;
            self.items.push(value);
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b',' => {}
                b']' => return self.list(first),
                _ => return None,
            }
        }
    }

    /// A list of the items from the `first` one on.
    fn list(&mut self, first: usize) -> Option<Bound<'py, PyAny>> {
        let items = self.items.drain(first..);
        // SAFETY: the result is owned, or null with an exception.
        let list = unsafe { ffi::PyList_New(items.len() as ffi::Py_ssize_t) };
        if list.is_null() {
            drop(items);
            return self.raised();
        }
        for (at, item) in items.enumerate() {
            // SAFETY: a new list with room for all items, each of which it takes over.
            unsafe { ffi::PyList_SET_ITEM(list, at as ffi::Py_ssize_t, item.into_ptr()) };
        }
        // SAFETY: checked above, and ours.
        Some(unsafe { Bound::from_owned_ptr(self.py, list) })
    }

    fn string(&mut self) -> Option<Bound<'py, PyAny>> {
        let text = self.text;
        let start = self.at + 1;
        let end = scan::plain::<{ scan::WIDE }>(text, start);
        if text.get(end) == Some(&b'"') {
            self.at = end + 1;
            return self.ascii(&text[start..end]);
        }
        let place = self.other_text(start, end)?;
        let made = match place {
            Place::Text(end) => parse::string(self.py, str::from_utf8(&text[start..end]).ok()?),
            Place::Tape => parse::string(self.py, str::from_utf8(self.tape).ok()?),
        };
        made.map(Bound::into_any).ok()
    }

    fn key(&mut self) -> Option<Bound<'py, PyString>> {
        let text = self.text;
        let start = self.at + 1;
        let end = scan::plain::<{ scan::WIDE }>(text, start);
        if text.get(end) != Some(&b'"') {
            return match self.other_text(start, end)? {
                Place::Text(end) => {
                    parse::key(self.py, str::from_utf8(&text[start..end]).ok()?, self.keys)
                }
                Place::Tape => parse::key(self.py, str::from_utf8(self.tape).ok()?, self.keys),
            }
            .ok();
        }
        self.at = end + 1;
        // SAFETY: nothing in it is beyond ASCII.
        let text = unsafe { str::from_utf8_unchecked(&text[start..end]) };
        match parse::seen(self.py, text, self.keys) {
            Some(key) => Some(key),
            None => parse::new_key(self.py, text, self.keys).ok(),
        }
    }

    /// A text that holds more than plain ASCII, up to and with its end. The first such byte is at `at`.
    fn other_text(&mut self, start: usize, mut at: usize) -> Option<Place> {
        let text = self.text;
        let mut taken = start;
        self.tape.clear();
        loop {
            match *text.get(at)? {
                b'"' => {
                    self.at = at + 1;
                    if taken == start {
                        return Some(Place::Text(at));
                    }
                    self.tape.extend_from_slice(&text[taken..at]);
                    return Some(Place::Tape);
                }
                b'\\' => {
                    self.tape.extend_from_slice(&text[taken..at]);
                    at = self.escape(at + 1)?;
                    taken = at;
                }
                0x80.. => at += 1,
                _ => return None,
            }
            at = scan::plain::<{ scan::SEPARATORS }>(text, at);
        }
    }

    /// Puts what an escape stands for on the tape. Where the text goes on.
    fn escape(&mut self, at: usize) -> Option<usize> {
        let byte = match *self.text.get(at)? {
            b'u' => return self.unicode_escape(at + 1),
            plain @ (b'"' | b'\\' | b'/') => plain,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            _ => return None,
        };
        self.tape.push(byte);
        Some(at + 1)
    }

    fn unicode_escape(&mut self, at: usize) -> Option<usize> {
        let (unit, mut at) = (self.unit(at)?, at + 4);
        let character = match unit {
            0xd800..0xdc00 => {
                if self.text.get(at..at + 2)? != b"\\u" {
                    return None;
                }
                let low = self.unit(at + 2)?;
                at += 6;
                let low = low.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                0x10000 + ((unit - 0xd800) << 10) + low
            }
            unit => unit,
        };
        let character = char::from_u32(character)?;
        self.tape.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Some(at)
    }

    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
    }

    /// A text without anything beyond ASCII.
    fn ascii(&self, text: &[u8]) -> Option<Bound<'py, PyAny>> {
        if text.len() < 2 {
            // Python keeps these.
            return parse::string(self.py, str::from_utf8(text).ok()?).map(Bound::into_any).ok();
        }
        // SAFETY: the result is owned, or null with an exception. It has as many bytes as letters, because the largest
        // of them is one of ASCII; nobody else has seen it yet.
        unsafe {
            let made = ffi::PyUnicode_New(text.len() as ffi::Py_ssize_t, 0x7f);
            if made.is_null() {
                return self.raised();
            }
            let letters = ffi::PyUnicode_DATA(made).cast::<u8>();
            letters.copy_from_nonoverlapping(text.as_ptr(), text.len());
            Some(Bound::from_owned_ptr(self.py, made))
        }
    }

    fn number(&mut self) -> Option<Bound<'py, PyAny>> {
        let start = self.at;
        let negative = self.text[start] == b'-';
        let first = start + usize::from(negative);
        let mut digits = 0;
        let mut at = self.digits(first, &mut digits);
        let whole = at - first;
        if whole == 0 || (whole > 1 && self.text[first] == b'0') {
            return None;
        }
        let mut behind_point = 0;
        if self.text.get(at) == Some(&b'.') {
            let point = at + 1;
            at = self.digits(point, &mut digits);
            behind_point = at - point;
            if behind_point == 0 {
                return None;
            }
        }
        let has_exponent = matches!(self.text.get(at), Some(b'e' | b'E'));
        if has_exponent {
            at += 1;
            at += usize::from(matches!(self.text.get(at), Some(b'+' | b'-')));
            let exponent = at;
            at = self.digits(at, &mut 0);
            if at == exponent {
                return None;
            }
        }
        self.at = at;
        if has_exponent || whole + behind_point > DIGITS {
            return parse::number(self.py, &self.text[start..at]).ok();
        }
        if behind_point == 0 {
            let value = if negative { -(digits as i64) } else { digits as i64 };
            return Some(PyInt::new(self.py, value).into_any());
        }
        // Both are exact, so the quotient is the float that is nearest to the number.
        let value = digits as f64 / POWERS[behind_point];
        Some(PyFloat::new(self.py, if negative { -value } else { value }).into_any())
    }

    /// Where the digits end. Their value is right as long as they are few.
    fn digits(&self, mut at: usize, value: &mut u64) -> usize {
        while let Some(digit) = self.text.get(at).map(|byte| byte.wrapping_sub(b'0'))
            && digit < 10
        {
            *value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            at += 1;
        }
        at
    }

    /// Python refused: the other parser will see that as well, and say so.
    fn raised<T>(&self) -> Option<T> {
        drop(PyErr::take(self.py));
        None
    }
}

/// Where a text is.
enum Place {
    /// In the JSON text, up to here.
    Text(usize),
    /// On the tape, for it had escapes.
    Tape,
}
