//! The building of Python values that were taken apart, without a text in between.

use super::{
    keys::{self, Keys, Slot},
    read::{list, string},
};
use pyo3::{
    exceptions::PyValueError,
    ffi,
    prelude::*,
    types::{PyBool, PyDict, PyFloat, PyInt},
};
use std::slice::Iter;
use trine_engine::{Leaf, Part, Shaped};
use trine_json::Text;

/// Builds the value.
pub(crate) fn build<'py>(
    py: Python<'py>,
    value: &Shaped,
    keys: &mut Keys,
) -> PyResult<Bound<'py, PyAny>> {
    let (parts, leaves) = (value.shape().parts().iter(), value.leaves());
    Builder { py, parts, leaves, keys: &mut keys.slots }.value()
}

struct Builder<'v, 'k, 'py, L> {
    py: Python<'py>,
    parts: Iter<'v, Part>,
    leaves: L,
    keys: &'k mut [Slot],
}

impl<'v, 'py, L: Iterator<Item = Leaf<'v>>> Builder<'v, '_, 'py, L> {
    fn value(&mut self) -> PyResult<Bound<'py, PyAny>> {
        let part = self.parts.next();
        self.value_at(part)
    }

    fn value_at(&mut self, part: Option<&Part>) -> PyResult<Bound<'py, PyAny>> {
        match part {
            Some(Part::Object(_)) => self.object(),
            Some(Part::List(count)) => self.list(*count as usize),
            Some(Part::Leaf) => self.leaf(),
            _ => Err(PyValueError::new_err("the parts of an event are in disorder")),
        }
    }

    fn leaf(&mut self) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        Ok(match self.leaves.next().unwrap_or(Leaf::Null) {
            Leaf::Text(text) => string(py, Text { text, is_ascii: text.is_ascii() })?,
            Leaf::Integer(number) => PyInt::new(py, number).into_any(),
            Leaf::Float(number) => PyFloat::new(py, number).into_any(),
            Leaf::Truth(truth) => PyBool::new(py, truth).to_owned().into_any(),
            Leaf::Null => py.None().into_bound(py),
        })
    }

    fn object(&mut self) -> PyResult<Bound<'py, PyAny>> {
        let dict = PyDict::new(self.py);
        while let Some(Part::Name(name)) = self.parts.next() {
            let key = keys::key(self.py, name, self.keys)?;
            let value = self.value()?;
            // SAFETY: a dictionary, a text and a value, all alive; the callee takes its own references.
            let set = unsafe { ffi::PyDict_SetItem(dict.as_ptr(), key.as_ptr(), value.as_ptr()) };
            if set != 0 {
                return Err(PyErr::fetch(self.py));
            }
        }
        Ok(dict.into_any())
    }

    fn list(&mut self, count: usize) -> PyResult<Bound<'py, PyAny>> {
        let mut items = Vec::with_capacity(count);
        loop {
            match self.parts.next() {
                Some(Part::End) | None => break,
                part => items.push(self.value_at(part)?),
            }
        }
        list(self.py, items.into_iter())
    }
}
