//! The reading of JSON text into Python values, as by `json.loads`.

use super::{
    DEPTH,
    keys::{self, Keys, Slot},
};
use crate::error;
use pyo3::{
    ffi,
    prelude::*,
    types::{PyBool, PyDict, PyFloat, PyInt, PyString},
};
use std::ffi::CString;
use trine_json::{Number, Peek, Reader, Refused, Text, describe};

/// The reason why a text is not a value.
pub(crate) enum Failure {
    /// Invalid JSON: what is wrong and where.
    Malformed(String),
    /// An exception of Python's: memory, size of a number.
    Raised(PyErr),
}

impl Failure {
    /// Describes the reason, for an error message.
    pub(crate) fn describe(&self, py: Python<'_>) -> String {
        match self {
            Self::Malformed(reason) => reason.clone(),
            Self::Raised(error) => error::message(py, error),
        }
    }
}

/// The reason why reading ends.
enum Stop {
    Refused,
    TooDeep(&'static str),
    /// An exception, in a box because this travels with every value that is read.
    Raised(Box<PyErr>),
}

impl From<Refused> for Stop {
    fn from(_: Refused) -> Self {
        Self::Refused
    }
}

impl From<PyErr> for Stop {
    fn from(error: PyErr) -> Self {
        Self::Raised(Box::new(error))
    }
}

/// Reads the value that `text` stands for.
pub(crate) fn read<'py>(
    py: Python<'py>,
    text: &[u8],
    keys: &mut Keys,
) -> Result<Bound<'py, PyAny>, Failure> {
    let whole = |keys: &mut Keys| -> Result<Bound<'py, PyAny>, Stop> {
        let json = Reader::new(text, std::mem::take(&mut keys.room))?;
        let mut parser = Parser { py, json, keys: &mut keys.slots, items: Vec::new() };
        let value = parser.whole();
        keys.room = parser.json.into_room();
        value
    };
    match whole(keys) {
        Ok(value) => Ok(value),
        Err(Stop::Refused) => slowly(py, text),
        Err(Stop::TooDeep(what)) => Err(Failure::Malformed(format!(
            "maximum recursion depth exceeded while decoding a JSON {what} from a unicode string"
        ))),
        Err(Stop::Raised(error)) => Err(Failure::Raised(*error)),
    }
}

/// Reads with the standard library what only that accepts: `NaN`, and halves of surrogate pairs, which Python's strings
/// can hold.
#[cold]
fn slowly<'py>(py: Python<'py>, text: &[u8]) -> Result<Bound<'py, PyAny>, Failure> {
    let malformed = || Failure::Malformed(describe(text));
    let text = std::str::from_utf8(text).map_err(|_| malformed())?;
    let json = py.import("json").map_err(Failure::Raised)?;
    json.call_method1("loads", (text,)).map_err(|raised| {
        let refused = json
            .getattr("JSONDecodeError")
            .is_ok_and(|class| raised.matches(py, class).unwrap_or(false));
        if refused { malformed() } else { Failure::Raised(raised) }
    })
}

struct Parser<'a, 'j, 'py> {
    py: Python<'py>,
    json: Reader<'j>,
    keys: &'a mut [Slot],
    /// Items of the open arrays, the innermost one's last.
    items: Vec<Bound<'py, PyAny>>,
}

impl<'py> Parser<'_, '_, 'py> {
    fn whole(&mut self) -> Result<Bound<'py, PyAny>, Stop> {
        let peek = self.json.peek()?;
        let value = self.value(peek, 0)?;
        self.json.finish()?;
        Ok(value)
    }

    fn value(&mut self, peek: Peek, depth: usize) -> Result<Bound<'py, PyAny>, Stop> {
        let py = self.py;
        match peek {
            Peek::String => Ok(string(py, self.json.string()?)?),
            Peek::Object if depth < DEPTH => self.object(depth),
            Peek::Array if depth < DEPTH => self.array(depth),
            Peek::Object => Err(Stop::TooDeep("object")),
            Peek::Array => Err(Stop::TooDeep("array")),
            Peek::Number => match self.json.number()? {
                Number::Integer(value) => Ok(PyInt::new(py, value).into_any()),
                Number::Float(value) => Ok(PyFloat::new(py, value).into_any()),
                Number::Long(text) => Ok(long(py, text)?),
            },
            Peek::True => Ok(PyBool::new(py, true).to_owned().into_any()),
            Peek::False => Ok(PyBool::new(py, false).to_owned().into_any()),
            Peek::Null => Ok(py.None().into_bound(py)),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Bound<'py, PyAny>, Stop> {
        let dict = PyDict::new(self.py);
        let mut next = self.json.object()?;
        while let Some(text) = next {
            let key = keys::key(self.py, text, self.keys)?;
            let peek = self.json.peek()?;
            let value = self.value(peek, depth + 1)?;
            // SAFETY: a dictionary, a text and a value, all alive; the callee takes its own references.
            let set = unsafe { ffi::PyDict_SetItem(dict.as_ptr(), key.as_ptr(), value.as_ptr()) };
            if set != 0 {
                return Err(PyErr::fetch(self.py).into());
            }
            next = self.json.next_key()?;
        }
        Ok(dict.into_any())
    }

    fn array(&mut self, depth: usize) -> Result<Bound<'py, PyAny>, Stop> {
        let first = self.items.len();
        let mut next = self.json.array()?;
        while let Some(peek) = next {
            let value = self.value(peek, depth + 1)?;
            self.items.push(value);
            next = self.json.next_item()?;
        }
        Ok(list(self.py, self.items.drain(first..))?)
    }
}

/// Makes a list of the items.
pub(super) fn list<'py>(
    py: Python<'py>,
    items: impl ExactSizeIterator<Item = Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the result is owned, or null with an exception.
    let list = unsafe { ffi::PyList_New(items.len() as ffi::Py_ssize_t) };
    if list.is_null() {
        return Err(PyErr::fetch(py));
    }
    for (at, item) in items.enumerate() {
        // SAFETY: a new list with room for all items, each of which it takes over.
        unsafe { ffi::PyList_SET_ITEM(list, at as ffi::Py_ssize_t, item.into_ptr()) };
    }
    // SAFETY: checked above, and ours.
    Ok(unsafe { Bound::from_owned_ptr(py, list) })
}

pub(super) fn string<'py>(
    py: Python<'py>,
    Text { text, is_ascii }: Text<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    // Python keeps the shortest ones.
    if !is_ascii || text.len() < 2 {
        return any_string(py, text).map(Bound::into_any);
    }
    // SAFETY: the result is owned, or null with an exception. It has as many bytes as letters, because the highest of
    // them is in ASCII; nobody else has seen it yet.
    unsafe {
        let made = ffi::PyUnicode_New(text.len() as ffi::Py_ssize_t, 0x7f);
        if made.is_null() {
            return Err(PyErr::fetch(py));
        }
        let letters = ffi::PyUnicode_DATA(made).cast::<u8>();
        letters.copy_from_nonoverlapping(text.as_ptr(), text.len());
        Ok(Bound::from_owned_ptr(py, made))
    }
}

pub(super) fn any_string<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyString>> {
    // SAFETY: pointer and length are those of a valid UTF-8 text; the result is owned or null with an exception.
    unsafe {
        let made =
            ffi::PyUnicode_FromStringAndSize(text.as_ptr().cast(), text.len() as ffi::Py_ssize_t);
        Ok(Bound::from_owned_ptr_or_err(py, made)?.cast_into_unchecked())
    }
}

/// Makes an integer with more digits than a machine word holds. Integers of any size stay exact.
fn long<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(small) = text.parse::<i64>() {
        return Ok(PyInt::new(py, small).into_any());
    }
    let text = CString::new(text).unwrap_or_default();
    // SAFETY: the text is terminated; the end is not requested; the result is owned or null with an exception.
    unsafe {
        let made = ffi::PyLong_FromString(text.as_ptr(), std::ptr::null_mut(), 10);
        Bound::from_owned_ptr_or_err(py, made)
    }
}
