//! The chunks of a response, made from what a generator yields.

use crate::{
    convert::{self, Failure, Settings},
    error, interpreter,
};
use bytes::Bytes;
use pyo3::{
    exceptions::PyRuntimeError,
    prelude::*,
    types::{PyByteArray, PyBytes, PyMemoryView, PyString},
};
use std::sync::atomic::{AtomicBool, Ordering};
use trine_engine::{Error, ErrorKind, ResponseStream, StreamHead, Written};

/// Media types of responses that name none, by their first chunk.
const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";
const JSON_LINES: &str = "application/x-ndjson";

/// A stream, and what is known of its head.
pub(super) struct Outgoing {
    stream: ResponseStream,
    settings: Settings,
    /// Whether metadata were yielded.
    described: AtomicBool,
    /// Whether the head has a content type.
    typed: AtomicBool,
}

impl Outgoing {
    pub(super) fn new(stream: ResponseStream, settings: Settings) -> Self {
        Self { stream, settings, described: AtomicBool::new(false), typed: AtomicBool::new(false) }
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
                (Bytes::new(), BYTES)
            }
            None => (self.line(value)?, JSON_LINES),
        };
        let refused = |error: Error| error::streaming(py, &error);
        if !chunk.is_empty() && !self.typed.swap(true, Ordering::Relaxed) {
            let content_type = Some(content_type.to_owned());
            let head = StreamHead { content_type, ..self.stream.head() };
            self.stream.set_head(head).map_err(refused)?;
        }
        self.stream.write(chunk).map_err(refused)
    }

    /// Returns a text's or bytes' chunk; `None` for any other value.
    fn chunk(&self, value: &Bound<'_, PyAny>) -> Option<PyResult<(Bytes, &'static str)>> {
        if let Ok(text) = value.cast::<PyString>() {
            let text = text.to_str().map(|text| Bytes::copy_from_slice(text.as_bytes()));
            return Some(text.map(|text| (text, TEXT)).map_err(|raised| {
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
        Some(bytes.map(|bytes| (bytes, BYTES)))
    }

    /// Returns any other value's chunk: a line of JSON.
    fn line(&self, value: &Bound<'_, PyAny>) -> PyResult<Bytes> {
        let py = value.py();
        let mut out = Vec::with_capacity(256);
        match convert::write(value, &mut out, self.settings) {
            Ok(()) => {
                out.push(b'\n');
                Ok(Bytes::from(out))
            }
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
        let (content_type, document): (Option<String>, Bound<'_, PyAny>) = head.extract()?;
        let metadata = match document.is_none() {
            true => None,
            false => Some(self.line(&document)?),
        };
        let is_typed = content_type.is_some();
        self.stream.set_head(StreamHead { content_type, metadata }).map_err(refused)?;
        self.typed.store(is_typed, Ordering::Relaxed);
        self.described.store(true, Ordering::Relaxed);
        Ok(())
    }
}
