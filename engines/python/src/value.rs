//! A Python value, held for the next function of this interpreter or for readers elsewhere.

use crate::{
    ID,
    convert::{Failure, Settings, write, write_plain},
};
use bytes::Bytes;
use pyo3::prelude::*;
use std::any::Any;
use trine_engine::{NativeValue, Result};

/// A Python value on its way to another function of this interpreter.
pub(crate) struct Value {
    object: Py<PyAny>,
    settings: Settings,
}

impl Value {
    pub(crate) fn new(object: Py<PyAny>, settings: Settings) -> Self {
        Self { object, settings }
    }

    pub(crate) fn object<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.object.bind(py).clone()
    }
}

impl NativeValue for Value {
    fn engine(&self) -> &'static str {
        ID
    }

    fn to_json(&self) -> Result<Bytes> {
        Python::attach(|py| {
            let mut out = Vec::with_capacity(256);
            write(self.object.bind(py), &mut out, self.settings)
                .map_err(|failure| failure.into_error(py))?;
            Ok(Bytes::from(out))
        })
    }

    fn to_plain_json(&self) -> Result<Bytes> {
        Python::attach(|py| {
            let mut out = Vec::with_capacity(256);
            write_plain(self.object.bind(py), &mut out).map_err(Failure::into_plain_error)?;
            Ok(Bytes::from(out))
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
