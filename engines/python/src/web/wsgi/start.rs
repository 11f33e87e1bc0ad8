//! `start_response`, and the response that it starts.

use crate::{
    error, limits,
    web::{response::Response, text},
};
use bytes::Bytes;
use pyo3::{
    exceptions::{PyAssertionError, PyBrokenPipeError, PyException, PyTypeError, PyValueError},
    prelude::*,
    types::{PyString, PyTuple},
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use trine_engine::{Error, Fields, Payload, ResponseHead, ResponseStream, Result, Written};

/// The function that starts a response.
#[pyclass(frozen)]
pub(super) struct StartResponse {
    state: Mutex<State>,
    /// Whether `write` may wait for room: not on a thread that makes room itself.
    may_wait: bool,
}

struct State {
    response: Response,
    is_started: bool,
    head_only: bool,
    /// The bytes that the response has said it has.
    length: Option<u64>,
    written: u64,
}

#[pymethods]
impl StartResponse {
    #[pyo3(signature = (status, headers, exc_info = None))]
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        status: &Bound<'py, PyAny>,
        headers: &Bound<'py, PyAny>,
        exc_info: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let this = slf.get();
        let (is_started, is_begun) = {
            let state = this.locked();
            (state.is_started, state.response.is_begun())
        };
        match exc_info.filter(|info| !info.is_none()) {
            Some(info) if is_begun => return Err(reraised(info)),
            None if is_started => {
                return Err(PyAssertionError::new_err("Response headers already set!"));
            }
            _ => {}
        }
        let (head, length) = head(status, headers)?;
        let mut state = this.locked();
        state.is_started = true;
        state.length = if has_body(head.status) { length } else { Some(0) };
        state.response.set_head(head);
        drop(state);
        slf.getattr("write")
    }

    /// Writes a piece of the body.
    fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let data = bytes(data)?;
        let mut reads = match self.put(py, data, false)? {
            Written::Room => true,
            Written::Full if !self.may_wait => true,
            Written::Gone => false,
            Written::Full => {
                let stream = self.locked().response.stream().clone();
                limits::wait_here(py, |cx| stream.poll_ready(cx))?
            }
        };
        reads &= !self.locked().response.stream().is_gone();
        match reads {
            true => Ok(()),
            false => Err(PyBrokenPipeError::new_err("nobody reads the response any more")),
        }
    }
}

impl StartResponse {
    pub(super) fn new(stream: ResponseStream, head_only: bool, may_wait: bool) -> Self {
        let response = Response::new(stream, head_only);
        let state = State { response, is_started: false, head_only, length: None, written: 0 };
        Self { state: Mutex::new(state), may_wait }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a piece of the body. It is on its way then, unless there is nothing to come after it: `is_last` says so of the
    /// only pieces of a list.
    pub(super) fn put(&self, py: Python<'_>, chunk: Bytes, is_last: bool) -> PyResult<Written> {
        let put = self.locked().put(chunk, is_last);
        put.map_err(|refused| match refused {
            Some(error) => error::streaming(py, &error),
            None => PyAssertionError::new_err("write() before start_response()"),
        })
    }

    /// Sets the length of a response that is this one piece, where the application has not.
    pub(super) fn set_length(&self, length: usize) {
        let mut state = self.locked();
        if state.length.is_some() {
            return;
        }
        if let Some(head) = state.response.head()
            && !head.headers.contains("transfer-encoding")
        {
            head.headers.push("content-length", length.to_string());
        }
    }

    /// Whether pieces of the response are in its stream.
    pub(super) fn is_streaming(&self) -> bool {
        self.locked().response.is_streaming()
    }

    /// Returns the result of the call, whose application has ended.
    pub(super) fn ended(&self, outcome: Result<()>) -> Result<Payload> {
        let mut state = self.locked();
        let is_gone = state.response.stream().is_gone();
        match outcome {
            Err(failed) if is_gone && failed.name() == "BrokenPipeError" => Ok(Payload::Streamed),
            Err(failed) => {
                state.response.flush()?;
                Err(failed)
            }
            Ok(()) if is_gone => Ok(Payload::Streamed),
            Ok(()) if !state.is_started => {
                let message = "the WSGI application returned without calling start_response";
                Err(crate::web::no_response(message))
            }
            Ok(()) => {
                let missing = state.length.is_some_and(|length| state.written < length);
                if missing && !state.head_only {
                    state.response.flush()?;
                    let message = format!(
                        "the WSGI application has ended its response after {} of the {} bytes that its Content-Length promises",
                        state.written,
                        state.length.unwrap_or_default(),
                    );
                    return Err(crate::web::no_response(&message));
                }
                if !state.response.is_complete() {
                    state.response.complete();
                }
                state.response.take()
            }
        }
    }
}

impl State {
    /// Takes a piece of the body. Refuses it with nothing before there is a head.
    fn put(
        &mut self,
        mut chunk: Bytes,
        is_last: bool,
    ) -> std::result::Result<Written, Option<Error>> {
        if !self.is_started {
            return Err(None);
        }
        if chunk.is_empty() {
            return Ok(Written::Room);
        }
        if let Some(length) = self.length {
            // Never more than was promised, as gunicorn does.
            let room = length.saturating_sub(self.written);
            chunk.truncate(room.min(chunk.len() as u64) as usize);
        }
        self.written += chunk.len() as u64;
        let is_whole = self.length.is_some_and(|length| self.written >= length);
        let mut written = Written::Room;
        if !chunk.is_empty() || !self.response.is_begun() {
            written = self.response.write(chunk).map_err(Some)?;
        }
        if is_whole {
            if !self.response.is_complete() {
                self.response.complete();
            }
        } else if !is_last && !self.response.is_streaming() {
            written = self.response.begin().map_err(Some)?;
        }
        Ok(written)
    }
}

/// Whether responses of this status have bodies.
fn has_body(status: u16) -> bool {
    !matches!(status, 100..=199 | 204 | 304)
}

/// Returns the bytes of a piece of the body.
pub(super) fn bytes(data: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    text::bytes(data, "the pieces of a WSGI response's body")
}

/// Returns the exception that an application was about to report.
fn reraised(info: &Bound<'_, PyAny>) -> PyErr {
    let raised = || {
        let info = info.cast::<PyTuple>()?;
        let (value, trace) = (info.get_item(1)?, info.get_item(2)?);
        value.call_method1("with_traceback", (trace,))
    };
    match raised() {
        Ok(value) => PyErr::from_value(value),
        Err(raised) if raised.is_instance_of::<PyException>(info.py()) => {
            PyTypeError::new_err("exc_info must be what sys.exc_info() returns")
        }
        Err(raised) => raised,
    }
}

/// Returns the head of a response, and the length that it promises.
fn head(
    status: &Bound<'_, PyAny>,
    headers: &Bound<'_, PyAny>,
) -> PyResult<(ResponseHead, Option<u64>)> {
    let Ok(status) = status.cast::<PyString>() else {
        let class = error::type_name(&status.get_type());
        return Err(PyTypeError::new_err(format!("the status must be str, not {class}")));
    };
    let text = status.to_str()?;
    let (number, reason) = text.split_once(' ').unwrap_or((text, ""));
    let number = match number.parse::<u16>() {
        Ok(number @ 100..=999) if number.to_string() == text[..text.len().min(3)] => number,
        _ => {
            let message = format!("'{text}' is no status: it is three digits and a reason");
            return Err(PyValueError::new_err(message));
        }
    };
    if reason.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(PyValueError::new_err("the reason of a status must be one line"));
    }
    let (mut fields, mut length) = (Fields::with_capacity(8, 256), None);
    for pair in headers.try_iter()? {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract()?;
        let (name, value) = (latin1(&name)?, latin1(&value)?);
        text::check_field(&name, &value)?;
        length = length.or_else(|| text::length(&name, &value));
        fields.push(name, value);
    }
    let reason = (!reason.is_empty() && !is_usual(number, reason)).then(|| reason.to_owned());
    Ok((ResponseHead { status: number, reason, headers: fields }, length))
}

/// Whether a reason is the one that goes with a status anyway.
fn is_usual(status: u16, reason: &str) -> bool {
    let usual = match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        404 => "Not Found",
        500 => "Internal Server Error",
        _ => return false,
    };
    reason == usual
}

fn latin1(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let Ok(text) = value.cast::<PyString>() else {
        let class = error::type_name(&value.get_type());
        let message = format!("names and values of headers must be str, not {class}");
        return Err(PyTypeError::new_err(message));
    };
    text::latin1_bytes(text).ok_or_else(|| {
        PyValueError::new_err("names and values of headers must consist of latin-1 characters")
    })
}
