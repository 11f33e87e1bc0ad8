//! The chunks of a response, made from what a generator yields.

use crate::{
    convert::{self, Failure, Settings},
    error, interpreter,
};
use bytes::Bytes;
use pyo3::{
    exceptions::{PyException, PyRuntimeError},
    prelude::*,
    types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString},
};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use trine_engine::{
    BYTE_CHUNKS, Error, JSON_LINES, ResponseStream, StreamHead, TEXT_CHUNKS, Written,
};

/// A stream, and what is known of its head.
pub(super) struct Outgoing {
    stream: ResponseStream,
    settings: Settings,
    /// Whether metadata were yielded.
    described: AtomicBool,
    /// Whether the head has a content type.
    typed: AtomicBool,
    /// The metadata that lack one.
    untyped: Mutex<Option<Py<PyDict>>>,
}

impl Outgoing {
    pub(super) fn new(stream: ResponseStream, settings: Settings) -> Self {
        Self {
            stream,
            settings,
            described: AtomicBool::new(false),
            typed: AtomicBool::new(false),
            untyped: Mutex::new(None),
        }
    }

    pub(super) fn stream(&self) -> &ResponseStream {
        &self.stream
    }

    /// Sends what a generator has yielded.
    ///
    /// # Errors
    /// What is to be raised at that `yield`.
    pub(super) fn put(&self, value: &Bound<'_, PyAny>) -> PyResult<Written> {
        let py = value.py();
        let python = interpreter::get()
            .ok_or_else(|| PyRuntimeError::new_err("the interpreter is still starting"))?;
        let (chunk, content_type) = match self.chunk(value) {
            Some(chunk) => chunk?,
            None if value.is_instance(python.response_metadata.bind(py))? => {
                self.describe(value)?;
                (Bytes::new(), BYTE_CHUNKS)
            }
            None => {
                let mut line = self.json(value)?;
                line.push(b'\n');
                (line.into(), JSON_LINES)
            }
        };
        let refused = |error: Error| error::streaming(py, &error);
        if !chunk.is_empty() && !self.typed.swap(true, Ordering::Relaxed) {
            let head = self.head(py, content_type)?;
            self.stream.set_head(head).map_err(refused)?;
        }
        self.stream.write(chunk).map_err(refused)
    }

    /// Returns a text's or bytes' chunk; `None` for any other value.
    fn chunk(&self, value: &Bound<'_, PyAny>) -> Option<PyResult<(Bytes, &'static str)>> {
        if let Ok(text) = value.cast::<PyString>() {
            let text = text.to_str().map(|text| Bytes::copy_from_slice(text.as_bytes()));
            return Some(text.map(|text| (text, TEXT_CHUNKS)).map_err(|raised| {
                let failure = Failure::Raised(raised).into_error(value.py());
                error::streaming(value.py(), &failure)
            }));
        }
        let bytes = if let Ok(bytes) = value.cast::<PyBytes>() {
            Ok(Bytes::copy_from_slice(bytes.as_bytes()))
        } else if let Ok(bytes) = value.cast::<PyByteArray>() {
            Ok(Bytes::from(bytes.to_vec()))
        } else if let Ok(view) = value.cast::<PyMemoryView>() {
            let copied = view.call_method0("tobytes");
            copied.and_then(|bytes| {
                let bytes = bytes.cast::<PyBytes>()?;
                Ok(Bytes::copy_from_slice(bytes.as_bytes()))
            })
        } else {
            return None;
        };
        Some(bytes.map(|bytes| (bytes, BYTE_CHUNKS)))
    }

    /// Returns a value as JSON text.
    fn json(&self, value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
        let py = value.py();
        let mut out = Vec::with_capacity(256);
        match convert::write(value, &mut out, self.settings) {
            Ok(()) => Ok(out),
            // It comes from outside and concerns the whole call.
            Err(Failure::Raised(raised)) if !raised.is_instance_of::<PyException>(py) => {
                Err(raised)
            }
            Err(failure) => {
                let cause = match &failure {
                    Failure::Raised(raised) => Some(raised.clone_ref(py)),
                    Failure::Refused { .. } => None,
                };
                let raised = error::streaming(py, &failure.into_error(py));
                raised.set_cause(py, cause);
                Err(raised)
            }
        }
    }

    /// Returns the head of a response whose content type nobody has named.
    fn head(&self, py: Python<'_>, content_type: &str) -> PyResult<StreamHead> {
        let untyped = self.untyped.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(metadata) = untyped else {
            return Ok(StreamHead {
                content_type: Some(content_type.to_owned()),
                ..StreamHead::default()
            });
        };
        let metadata = metadata.into_bound(py);
        let headers = match metadata.get_item("headers")? {
            Some(headers) => headers,
            None => PyDict::new(py).into_any(),
        };
        headers.set_item("content-type", content_type)?;
        metadata.set_item("headers", headers)?;
        Ok(StreamHead {
            metadata: Some(self.json(metadata.as_any())?.into()),
            ..StreamHead::default()
        })
    }

    /// Takes the metadata.
    fn describe(&self, metadata: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = metadata.py();
        let refused = |error: Error| error::streaming(py, &error);
        if self.described.load(Ordering::Relaxed) && !self.stream.is_begun() {
            let message = "the response has its metadata already: they are yielded once";
            return Err(refused(Error::guest("Runtime.InvalidStreamingOperation", message)));
        }
        let python = interpreter::get()
            .ok_or_else(|| PyRuntimeError::new_err("the interpreter is still starting"))?;
        let head = interpreter::of(python.guest.bind(py), "head_of")?.call1((metadata,))?;
        let (content_type, document): (Option<String>, Option<Bound<'_, PyDict>>) =
            head.extract()?;
        let is_typed = content_type.is_some();
        let head = match &document {
            // What it is stands among the headers.
            Some(document) => StreamHead {
                metadata: Some(self.json(document.as_any())?.into()),
                ..StreamHead::default()
            },
            None => StreamHead { content_type, ..StreamHead::default() },
        };
        self.stream.set_head(head).map_err(refused)?;
        self.typed.store(is_typed, Ordering::Relaxed);
        self.described.store(true, Ordering::Relaxed);
        let untyped = document.filter(|_| !is_typed).map(Bound::unbind);
        *self.untyped.lock().unwrap_or_else(PoisonError::into_inner) = untyped;
        Ok(())
    }
}
