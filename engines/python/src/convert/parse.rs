//! JSON text to Python values, as `json.loads` would read it.

use super::{DEPTH, quick};
use crate::error;
use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, Peek};
use pyo3::{
    ffi,
    prelude::*,
    types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString},
};
use std::ffi::CString;
use trine_engine::OddJson;

/// Slots of the key cache; a power of two.
const SLOTS: usize = 512;

/// Longer keys are not kept.
const LONGEST: usize = 48;

/// A place for a key seen before.
pub(super) type Slot = Option<Seen>;

pub(super) struct Seen {
    ends: u64,
    text: Box<str>,
    object: Py<PyString>,
}

/// Keys seen before. Events look alike, and a string that is used again brings its hash with it.
pub(crate) struct Keys {
    slots: Vec<Slot>,
    /// Room for strings with escapes, reused from one event to the next.
    room: String,
}

impl Default for Keys {
    fn default() -> Self {
        Self { slots: std::iter::repeat_with(|| None).take(SLOTS).collect(), room: String::new() }
    }
}

/// Why a text is no value.
pub(crate) enum Failure {
    /// It is not JSON: what is wrong and where.
    Malformed(String),
    /// Python refused: memory, size of a number.
    Raised(PyErr),
}

enum Inner {
    Json(JiterError),
    TooDeep(&'static str),
    Raised(PyErr),
}

impl From<JiterError> for Inner {
    fn from(error: JiterError) -> Self {
        Self::Json(error)
    }
}

impl From<PyErr> for Inner {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

/// The value that `text` stands for.
pub(crate) fn parse<'py>(
    py: Python<'py>,
    text: &[u8],
    keys: &mut Keys,
) -> Result<Bound<'py, PyAny>, Failure> {
    match quick::read(py, text, &mut keys.slots, &mut keys.room) {
        Ok(value) => Ok(value),
        Err(OddJson) => parse_any(py, text, keys),
    }
}

/// The same for every text.
fn parse_any<'py>(
    py: Python<'py>,
    text: &[u8],
    keys: &mut Keys,
) -> Result<Bound<'py, PyAny>, Failure> {
    let mut json = Jiter::new(text).with_allow_inf_nan();
    let parsed = (|| {
        let peek = json.peek()?;
        let value = value(py, &mut json, peek, &mut keys.slots, 0)?;
        json.finish()?;
        Ok(value)
    })();
    let parsed = parsed.map_err(|inner| match inner {
        Inner::Json(error) => match error.error_type {
            // Python keeps half a surrogate pair, which the parser, dealing in UTF-8, cannot; and how long a number
            // may be is a setting of Python's.
            JiterErrorType::JsonError(
                JsonErrorType::LoneLeadingSurrogateInHexEscape
                | JsonErrorType::UnexpectedEndOfHexEscape
                | JsonErrorType::InvalidUnicodeCodePoint
                | JsonErrorType::NumberOutOfRange,
            ) => Err(error.description(&json)),
            _ => Ok(Failure::Malformed(error.description(&json))),
        },
        Inner::TooDeep(what) => Ok(Failure::Malformed(format!(
            "maximum recursion depth exceeded while decoding a JSON {what} from a unicode string"
        ))),
        Inner::Raised(error) => Ok(Failure::Raised(error)),
    });
    match parsed {
        Ok(value) => Ok(value),
        Err(Ok(failure)) => Err(failure),
        Err(Err(description)) => slowly(py, text, description),
    }
}

/// The same through the standard library, for what only it accepts.
fn slowly<'py>(
    py: Python<'py>,
    text: &[u8],
    description: String,
) -> Result<Bound<'py, PyAny>, Failure> {
    let Ok(text) = std::str::from_utf8(text) else { return Err(Failure::Malformed(description)) };
    let json = py.import("json").map_err(Failure::Raised)?;
    json.call_method1("loads", (text,)).map_err(|raised| {
        let malformed = json
            .getattr("JSONDecodeError")
            .is_ok_and(|class| raised.matches(py, class).unwrap_or(false));
        if malformed { Failure::Malformed(description) } else { Failure::Raised(raised) }
    })
}

fn value<'py>(
    py: Python<'py>,
    json: &mut Jiter<'_>,
    peek: Peek,
    keys: &mut [Slot],
    depth: usize,
) -> Result<Bound<'py, PyAny>, Inner> {
    Ok(match peek {
        Peek::String => string(py, json.known_str()?)?.into_any(),
        Peek::Object => {
            if depth >= DEPTH {
                return Err(Inner::TooDeep("object"));
            }
            let dict = PyDict::new(py);
            let mut next = match json.known_object()? {
                Some(name) => Some(key(py, name, keys)?),
                None => None,
            };
            while let Some(name) = next {
                let peek = json.peek()?;
                let item = value(py, json, peek, keys, depth + 1)?;
                dict.set_item(name, item)?;
                next = match json.next_key()? {
                    Some(name) => Some(key(py, name, keys)?),
                    None => None,
                };
            }
            dict.into_any()
        }
        Peek::Array => {
            if depth >= DEPTH {
                return Err(Inner::TooDeep("array"));
            }
            let list = PyList::empty(py);
            let mut next = json.known_array()?;
            while let Some(peek) = next {
                list.append(value(py, json, peek, keys, depth + 1)?)?;
                next = json.array_step()?;
            }
            list.into_any()
        }
        Peek::Null => {
            json.known_null()?;
            py.None().into_bound(py)
        }
        Peek::True | Peek::False => PyBool::new(py, json.known_bool(peek)?).to_owned().into_any(),
        _ => number(py, json.known_number_bytes(peek)?)?,
    })
}

pub(super) fn string<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyString>> {
    // SAFETY: pointer and length are those of a valid UTF-8 text; the result is owned or null with an exception.
    unsafe {
        let made =
            ffi::PyUnicode_FromStringAndSize(text.as_ptr().cast(), text.len() as ffi::Py_ssize_t);
        Ok(Bound::from_owned_ptr_or_err(py, made)?.cast_into_unchecked())
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

/// A key that was seen before.
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
    let made = string(py, text)?;
    if text.len() <= LONGEST {
        let ends = ends(text.as_bytes());
        let object = made.clone().unbind();
        keys[slot(ends, text.len())] = Some(Seen { ends, text: text.into(), object });
    }
    Ok(made)
}

/// A key's first and last letters.
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

/// Where a key is kept.
fn slot(ends: u64, length: usize) -> usize {
    let mixed = (ends ^ length as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize & (SLOTS - 1)
}

/// Integers of any size stay exact.
pub(super) fn number<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let text = std::str::from_utf8(text).unwrap_or_default();
    if let Ok(small) = text.parse::<i64>() {
        return Ok(PyInt::new(py, small).into_any());
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        let text = CString::new(text).unwrap_or_default();
        // SAFETY: the text is terminated; the end is not asked for; the result is owned or null with an exception.
        return unsafe {
            Bound::from_owned_ptr_or_err(
                py,
                ffi::PyLong_FromString(text.as_ptr(), std::ptr::null_mut(), 10),
            )
        };
    }
    // Rust's parser knows `NaN` and `Infinity` too, and rounds as Python's does.
    Ok(PyFloat::new(py, text.parse().unwrap_or(f64::NAN)).into_any())
}

impl Failure {
    /// The reason, for an error message.
    pub(crate) fn describe(&self, py: Python<'_>) -> String {
        match self {
            Self::Malformed(reason) => reason.clone(),
            Self::Raised(error) => error::message(py, error),
        }
    }
}
