//! The body of a request as a WSGI application reads it: lazily, and its thread waits for what is still to come.

use super::prelude;
use crate::limits;
use bytes::Bytes;
use pyo3::{exceptions::PyConnectionResetError, prelude::*, types::PyBytes};
use std::sync::{Mutex, PoisonError};
use trine_engine::{Error, RequestBody, Result, StreamReader};

/// Bytes that are kept in memory of a body that has to be there before the application begins.
const KEPT: usize = 64 * 1024;

/// The message of a body that did not come whole.
const LOST: &str = "the client is gone: the body of the request did not come whole";

/// The body of a request.
pub(super) enum Input {
    Whole(Bytes),
    Arriving(StreamReader),
    /// A file that it is in.
    File(Py<PyAny>),
}

/// A body that arrives while it is read.
#[pyclass(frozen)]
struct Source(Mutex<State>);

struct State {
    reader: StreamReader,
    rest: Bytes,
}

#[pymethods]
impl Source {
    /// Returns at least one byte and at most so many; none at the end.
    fn read<'py>(&self, py: Python<'py>, most: usize) -> PyResult<Bound<'py, PyBytes>> {
        let chunk = limits::wait_here(py, |cx| {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if state.rest.is_empty() {
                match state.reader.poll_chunk(cx) {
                    std::task::Poll::Pending => return std::task::Poll::Pending,
                    std::task::Poll::Ready(Some(chunk)) => state.rest = chunk,
                    std::task::Poll::Ready(None) => {
                        let has_failed = state.reader.stream().has_failed();
                        return std::task::Poll::Ready((!has_failed).then(Bytes::new));
                    }
                }
            }
            let size = state.rest.len().min(most);
            std::task::Poll::Ready(Some(state.rest.split_to(size)))
        })?;
        match chunk {
            Some(chunk) => Ok(PyBytes::new(py, &chunk)),
            None => Err(PyConnectionResetError::new_err(LOST)),
        }
    }
}

impl Input {
    /// Returns the body of a request. Where the thread must not wait for it, `is_here` says that it has to be there first.
    ///
    /// # Errors
    /// Where it does not come whole.
    pub(super) async fn of(body: RequestBody, is_here: bool) -> Result<Self> {
        let mut reader = match body {
            RequestBody::Whole(bytes) => return Ok(Self::Whole(bytes)),
            RequestBody::Arriving(reader) if !is_here => return Ok(Self::Arriving(reader)),
            RequestBody::Arriving(reader) => reader,
        };
        let (mut kept, mut file) = (Vec::new(), None);
        while let Some(chunk) = reader.chunk().await {
            kept.extend_from_slice(&chunk);
            if kept.len() >= KEPT {
                file = Some(spool(file, &kept)?);
                kept.clear();
            }
        }
        if reader.stream().has_failed() {
            return Err(Error::guest("ConnectionResetError", LOST));
        }
        match file {
            None => Ok(Self::Whole(kept.into())),
            Some(file) => {
                let file = spool(Some(file), &kept)?;
                let rewound = Python::attach(|py| file.call_method1(py, "seek", (0,)).map(drop));
                rewound.map_err(internal)?;
                Ok(Self::File(file))
            }
        }
    }

    /// Makes the object that the application reads.
    pub(super) fn object(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let prelude = prelude(py)?;
        match self {
            Self::Whole(bytes) => prelude.bytes_io.bind(py).call1((PyBytes::new(py, &bytes),)),
            Self::File(file) => Ok(file.into_bound(py)),
            Self::Arriving(reader) => {
                let source = Source(Mutex::new(State { reader, rest: Bytes::new() }));
                prelude.arriving.bind(py).call1((Bound::new(py, source)?,))
            }
        }
    }
}

/// Writes bytes to a file, made if need be.
fn spool(file: Option<Py<PyAny>>, bytes: &[u8]) -> Result<Py<PyAny>> {
    let written = Python::attach(|py| {
        let file = match file {
            Some(file) => file,
            None => prelude(py)?.spooled.call0(py)?,
        };
        file.call_method1(py, "write", (PyBytes::new(py, bytes),))?;
        Ok(file)
    });
    written.map_err(internal)
}

fn internal(raised: PyErr) -> Error {
    Python::attach(|py| crate::error::internal(py, &raised))
}
