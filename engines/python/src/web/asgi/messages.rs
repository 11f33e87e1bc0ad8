//! The messages between an ASGI application and its server, made and read. Contract: ASGI 3.0, "HTTP & WebSocket".

use crate::{error, web::text};
use bytes::Bytes;
use pyo3::{
    exceptions::{PyKeyError, PyRuntimeError, PyTypeError},
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBool, PyBytes, PyDict, PyList, PyString, PyTuple},
};
use std::task::{Context, Poll, Waker};
use trine_engine::{Fields, RequestBody, ResponseHead, StreamReader};

/// What can be awaited and is there already. Has all methods of a coroutine, which some callers look for.
#[pyclass(frozen)]
pub(super) struct Ready(Option<Py<PyAny>>);

#[pymethods]
impl Ready {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match &self.0 {
            Some(value) => Err(pyo3::exceptions::PyStopIteration::new_err(value.clone_ref(py))),
            None => Ok(None),
        }
    }

    #[pyo3(name = "send")]
    fn resume(&self, py: Python<'_>, _value: &Bound<'_, PyAny>) -> PyErr {
        let value = self.0.as_ref().map_or_else(|| py.None(), |value| value.clone_ref(py));
        pyo3::exceptions::PyStopIteration::new_err((value,))
    }

    #[pyo3(signature = (kind, value = None, _trace = None))]
    fn throw<'py>(
        &self,
        kind: &Bound<'py, PyAny>,
        value: Option<&Bound<'py, PyAny>>,
        _trace: Option<&Bound<'py, PyAny>>,
    ) -> PyErr {
        PyErr::from_value(value.filter(|value| !value.is_none()).unwrap_or(kind).clone())
    }

    fn close(&self) {}
}

impl Ready {
    /// Makes one whose value is this.
    pub(super) fn of<'py>(
        py: Python<'py>,
        value: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Bound::new(py, Self(Some(value.unbind()))).map(Bound::into_any)
    }

    /// Returns the one whose value is nothing.
    pub(super) fn done(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        static DONE: PyOnceLock<Py<Ready>> = PyOnceLock::new();
        let done = DONE.get_or_try_init(py, || Py::new(py, Self(None)))?;
        Ok(done.bind(py).clone().into_any())
    }
}

/// The body of a request, as far as the application has it.
pub(super) enum Body {
    /// Nobody has asked for it.
    Untaken,
    Whole(Bytes),
    Arriving {
        reader: StreamReader,
        next: Option<Bytes>,
    },
    /// There is no more; it may not have come whole.
    Ended {
        complete: bool,
    },
}

impl Body {
    pub(super) fn of(body: RequestBody) -> Self {
        match body {
            RequestBody::Whole(bytes) => Self::Whole(bytes),
            RequestBody::Arriving(reader) => Self::Arriving { reader, next: None },
        }
    }

    /// Returns the next piece; the client's end where it has not come whole. Pending where there is no more, too: then only
    /// the client's end is left to wait for.
    pub(super) fn next(&mut self) -> Poll<Next> {
        let mut noop = Context::from_waker(Waker::noop());
        match self {
            Self::Untaken | Self::Ended { complete: true } => Poll::Pending,
            Self::Ended { complete: false } => Poll::Ready(Next::Disconnect),
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Ended { complete: true };
                Poll::Ready(Next::Request(bytes, false))
            }
            Self::Arriving { reader, next } => {
                let chunk = match next.take() {
                    Some(chunk) => Some(chunk),
                    None => match reader.poll_chunk(&mut noop) {
                        Poll::Pending => return Poll::Pending,
                        Poll::Ready(chunk) => chunk,
                    },
                };
                let Some(chunk) = chunk else {
                    let complete = !reader.stream().has_failed();
                    *self = Self::Ended { complete };
                    return Poll::Ready(match complete {
                        true => Next::Request(Bytes::new(), false),
                        false => Next::Disconnect,
                    });
                };
                // The last piece is told with its contents where that is known.
                match reader.poll_chunk(&mut noop) {
                    Poll::Ready(None) if !reader.stream().has_failed() => {
                        *self = Self::Ended { complete: true };
                        return Poll::Ready(Next::Request(chunk, false));
                    }
                    Poll::Ready(after) => *next = after,
                    Poll::Pending => {}
                }
                Poll::Ready(Next::Request(chunk, true))
            }
        }
    }

    /// Waits until [`Body::next`] is ready.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Untaken | Self::Ended { complete: true } => Poll::Pending,
            Self::Whole(_) | Self::Ended { complete: false } => Poll::Ready(()),
            Self::Arriving { next: Some(_), .. } => Poll::Ready(()),
            Self::Arriving { reader, next } => match reader.poll_chunk(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Some(chunk)) => {
                    *next = Some(chunk);
                    Poll::Ready(())
                }
                // Asked again, it says so again.
                Poll::Ready(None) => Poll::Ready(()),
            },
        }
    }
}

/// A message of the client's.
pub(super) enum Next {
    /// A piece of the body, and whether more may follow.
    Request(Bytes, bool),
    /// The client is gone, or has its response.
    Disconnect,
}

impl Next {
    /// Makes the message.
    pub(super) fn message<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let message = PyDict::new(py);
        match self {
            Self::Request(chunk, more) => {
                message.set_item(intern!(py, "type"), intern!(py, "http.request"))?;
                message.set_item(intern!(py, "body"), PyBytes::new(py, chunk))?;
                message.set_item(intern!(py, "more_body"), more)?;
            }
            Self::Disconnect => {
                message.set_item(intern!(py, "type"), intern!(py, "http.disconnect"))?;
            }
        }
        Ok(message)
    }
}

/// Returns the text of a member.
pub(super) fn text<'a>(value: &'a Bound<'_, PyAny>, what: &str) -> PyResult<&'a str> {
    match value.cast::<PyString>() {
        Ok(text) => text.to_str(),
        Err(_) => Err(wrong(what, "str", value)),
    }
}

fn wrong(what: &str, wanted: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let class = error::type_name(&value.get_type());
    PyTypeError::new_err(format!("'{what}' of an ASGI message must be {wanted}, not {class}"))
}

/// Returns a member, where it is there.
pub(super) fn member<'py>(
    message: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if let Ok(message) = message.cast::<PyDict>() {
        return message.get_item(name);
    }
    match message.get_item(name) {
        Ok(value) => Ok(Some(value)),
        Err(raised) if raised.is_instance_of::<PyKeyError>(message.py()) => Ok(None),
        Err(raised) => Err(raised),
    }
}

/// Returns a member that says yes or no.
pub(super) fn flag(message: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> PyResult<bool> {
    match member(message, name)? {
        Some(value) => match value.cast::<PyBool>() {
            Ok(value) => Ok(value.is_true()),
            Err(_) => value.is_truthy(),
        },
        None => Ok(false),
    }
}

/// Returns the body in a message; nothing where there is none.
pub(super) fn body(message: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    match member(message, intern!(message.py(), "body"))? {
        Some(value) => text::bytes(&value, "'body' of an ASGI message"),
        None => Ok(Bytes::new()),
    }
}

/// Returns the head of a response, and the length that it promises.
pub(super) fn head(message: &Bound<'_, PyAny>) -> PyResult<(ResponseHead, Option<u64>)> {
    let py = message.py();
    let status = message.get_item(intern!(py, "status"))?;
    let status = match status.extract::<u16>() {
        Ok(status @ 100..=999) => status,
        Ok(status) => {
            let message = format!("'status' of an ASGI message must be 100 to 999, not {status}");
            return Err(PyRuntimeError::new_err(message));
        }
        Err(_) => return Err(wrong("status", "int", &status)),
    };
    let (headers, length) = fields(message)?;
    Ok((ResponseHead { status, reason: None, headers }, length))
}

/// Returns the header fields of a message, and the length that they promise.
pub(super) fn fields(message: &Bound<'_, PyAny>) -> PyResult<(Fields, Option<u64>)> {
    let py = message.py();
    let Some(given) = member(message, intern!(py, "headers"))? else {
        return Ok((Fields::default(), None));
    };
    let (mut fields, mut length) = (Fields::with_capacity(8, 256), None);
    let mut add = |name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>| {
        let (Ok(name), Ok(value)) = (name.cast::<PyBytes>(), value.cast::<PyBytes>()) else {
            let other = if name.is_instance_of::<PyBytes>() { value } else { name };
            let class = error::type_name(&other.get_type());
            return Err(PyTypeError::new_err(format!(
                "names and values of headers in an ASGI message must be bytes, not {class}"
            )));
        };
        let (name, value) = (name.as_bytes(), value.as_bytes());
        text::check_field(name, value)?;
        length = length.or_else(|| text::length(name, value));
        fields.push(name, value);
        Ok(())
    };
    let mut pair = |pair: &Bound<'_, PyAny>| -> PyResult<()> {
        if let Ok(pair) = pair.cast_exact::<PyTuple>()
            && pair.len() == 2
        {
            return add(&*pair.get_borrowed_item(0)?, &*pair.get_borrowed_item(1)?);
        }
        if let Ok(pair) = pair.cast_exact::<PyList>()
            && pair.len() == 2
        {
            return add(&pair.get_item(0)?, &pair.get_item(1)?);
        }
        let mut items = pair.try_iter()?;
        match (items.next(), items.next(), items.next()) {
            (Some(name), Some(value), None) => add(&name?, &value?),
            _ => Err(PyTypeError::new_err(
                "headers of an ASGI message must be pairs of a name and a value",
            )),
        }
    };
    match given.cast_exact::<PyList>() {
        Ok(list) => list.iter().try_for_each(|item| pair(&item))?,
        Err(_) => given.try_iter()?.try_for_each(|item| pair(&item?))?,
    }
    Ok((fields, length))
}

/// Takes a future out of a list.
pub(super) fn without(list: &mut Vec<Py<PyAny>>, future: &Bound<'_, PyAny>) -> Vec<Py<PyAny>> {
    list.extract_if(.., |waiting| waiting.is(future)).collect()
}

/// Resolves the futures that a call leaves behind, whose tasks go on when the loop runs next.
pub(super) fn release(futures: Vec<(Py<PyAny>, bool)>) {
    if futures.is_empty() {
        return;
    }
    Python::attach(|py| {
        if let Err(raised) = resolve(py, futures) {
            raised.write_unraisable(py, None);
        }
    });
}

/// Resolves futures that are still waited for.
pub(super) fn resolve(py: Python<'_>, futures: Vec<(Py<PyAny>, bool)>) -> PyResult<()> {
    for (future, value) in futures {
        let future = future.bind(py);
        if !future.call_method0(intern!(py, "done"))?.is_truthy()? {
            future.call_method1(intern!(py, "set_result"), (value,))?;
        }
    }
    Ok(())
}
