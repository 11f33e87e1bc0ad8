//! The quick way from JSON text to Python values. What the quick reader leaves to others (texts that are not JSON, halves
//! of surrogate pairs, `NaN`) [`super::parse`] reads again with a parser that knows how to deal with it or what to say
//! about it.

use super::{DEPTH, parse, parse::Slot};
use pyo3::{
    ffi,
    prelude::*,
    types::{PyBool, PyDict, PyFloat, PyInt},
};
use trine_engine::{JsonNumber, JsonPeek, JsonReader, JsonText, OddJson};

/// The value that `text` stands for, if this is the one to find that out. `room` is for strings with escapes.
pub(super) fn read<'py>(
    py: Python<'py>,
    text: &[u8],
    keys: &mut [Slot],
    room: &mut String,
) -> Result<Bound<'py, PyAny>, OddJson> {
    let json = JsonReader::new(text, std::mem::take(room))?;
    let mut parser = Parser { py, json, keys, items: Vec::new() };
    let value = parser.whole();
    *room = parser.json.into_room();
    value
}

struct Parser<'a, 'j, 'py> {
    py: Python<'py>,
    json: JsonReader<'j>,
    keys: &'a mut [Slot],
    /// Items of the arrays that are open, the innermost one's last.
    items: Vec<Bound<'py, PyAny>>,
}

impl<'py> Parser<'_, '_, 'py> {
    fn whole(&mut self) -> Result<Bound<'py, PyAny>, OddJson> {
        let peek = self.json.peek()?;
        let value = self.value(peek, 0)?;
        self.json.finish()?;
        Ok(value)
    }

    fn value(&mut self, peek: JsonPeek, depth: usize) -> Result<Bound<'py, PyAny>, OddJson> {
        let py = self.py;
        match peek {
            JsonPeek::String => string(py, self.json.string()?),
            JsonPeek::Object if depth < DEPTH => self.object(depth),
            JsonPeek::Array if depth < DEPTH => self.array(depth),
            JsonPeek::Object | JsonPeek::Array => Err(OddJson),
            JsonPeek::Number => match self.json.number()? {
                JsonNumber::Integer(value) => Ok(PyInt::new(py, value).into_any()),
                JsonNumber::Float(value) => Ok(PyFloat::new(py, value).into_any()),
                JsonNumber::Long(text) => parse::number(py, text.as_bytes()).map_err(raised),
            },
            JsonPeek::True => Ok(PyBool::new(py, true).to_owned().into_any()),
            JsonPeek::False => Ok(PyBool::new(py, false).to_owned().into_any()),
            JsonPeek::Null => Ok(py.None().into_bound(py)),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Bound<'py, PyAny>, OddJson> {
        let dict = PyDict::new(self.py);
        let mut next = self.json.object()?;
        while let Some(text) = next {
            let key = parse::key(self.py, text, self.keys).map_err(raised)?;
            let peek = self.json.peek()?;
            let value = self.value(peek, depth + 1)?;
            // SAFETY: a dictionary, a text and a value, all alive; the callee takes its own references.
            let set = unsafe { ffi::PyDict_SetItem(dict.as_ptr(), key.as_ptr(), value.as_ptr()) };
            if set != 0 {
                return Err(raised(PyErr::fetch(self.py)));
            }
            next = self.json.next_key()?;
        }
        Ok(dict.into_any())
    }

    fn array(&mut self, depth: usize) -> Result<Bound<'py, PyAny>, OddJson> {
        let first = self.items.len();
        let mut next = self.json.array()?;
        while let Some(peek) = next {
            let value = self.value(peek, depth + 1)?;
            self.items.push(value);
            next = self.json.next_item()?;
        }
        self.list(first)
    }

    /// A list of the items from the `first` one on.
    fn list(&mut self, first: usize) -> Result<Bound<'py, PyAny>, OddJson> {
        let items = self.items.drain(first..);
        // SAFETY: the result is owned, or null with an exception.
        let list = unsafe { ffi::PyList_New(items.len() as ffi::Py_ssize_t) };
        if list.is_null() {
            return Err(raised(PyErr::fetch(self.py)));
        }
        for (at, item) in items.enumerate() {
            // SAFETY: a new list with room for all items, each of which it takes over.
            unsafe { ffi::PyList_SET_ITEM(list, at as ffi::Py_ssize_t, item.into_ptr()) };
        }
        // SAFETY: checked above, and ours.
        Ok(unsafe { Bound::from_owned_ptr(self.py, list) })
    }
}

fn string<'py>(
    py: Python<'py>,
    JsonText { text, is_ascii }: JsonText<'_>,
) -> Result<Bound<'py, PyAny>, OddJson> {
    // Python keeps the shortest ones.
    if !is_ascii || text.len() < 2 {
        return parse::string(py, text).map(Bound::into_any).map_err(raised);
    }
    // SAFETY: the result is owned, or null with an exception. It has as many bytes as letters, because the largest of
    // them is one of ASCII; nobody else has seen it yet.
    unsafe {
        let made = ffi::PyUnicode_New(text.len() as ffi::Py_ssize_t, 0x7f);
        if made.is_null() {
            return Err(raised(PyErr::fetch(py)));
        }
        let letters = ffi::PyUnicode_DATA(made).cast::<u8>();
        letters.copy_from_nonoverlapping(text.as_ptr(), text.len());
        Ok(Bound::from_owned_ptr(py, made))
    }
}

/// Python refused: the other parser will see that as well, and say so.
#[cold]
fn raised(_: PyErr) -> OddJson {
    OddJson
}
