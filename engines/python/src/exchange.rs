//! `context.state`, `context.reply` and `context.buffer_response`: the invocation's exchange, as Python code sees it.

use crate::{ID, context::Contexts, convert::Settings, interpreter, value::Value};
use pyo3::{
    exceptions::{PyKeyError, PyRuntimeError, PyTypeError},
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyString},
};
use std::rc::Rc;
use trine_engine::{Invocation, NativeValue, Payload};

/// The language, as messages of the exchange call it.
const READER: &str = "Python";

/// Adds the functions that the prelude's `context` needs to the module `_trine`.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(read_state, module)?)?;
    module.add_function(wrap_pyfunction!(write_state, module)?)?;
    module.add_function(wrap_pyfunction!(remove_state, module)?)?;
    module.add_function(wrap_pyfunction!(state_keys, module)?)?;
    module.add_function(wrap_pyfunction!(reply, module)?)?;
    module.add_function(wrap_pyfunction!(buffer_response, module)?)
}

/// Makes the payload by which a Python value is passed to other functions.
pub(crate) fn payload(value: &Bound<'_, PyAny>, settings: Settings) -> Payload {
    if interpreter::get().is_some_and(|python| value.is(&python.null)) {
        return Payload::Json(bytes::Bytes::from_static(b"null"));
    }
    Payload::Native(Rc::new(Value::new(value.clone().unbind(), settings)))
}

fn is_own(value: &Rc<dyn NativeValue>) -> bool {
    value.engine() == ID && value.as_any().is::<Value>()
}

fn of(context: &Bound<'_, PyAny>, what: &str) -> PyResult<(Rc<Contexts>, Rc<Invocation>)> {
    Contexts::invocation_of(context).ok_or_else(|| {
        PyRuntimeError::new_err(format!(
            "context.{what} is there while its invocation runs, and on the thread that runs it"
        ))
    })
}

fn text<'a>(key: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    match key.cast::<PyString>() {
        Ok(key) => key.to_str(),
        Err(_) => {
            let name = crate::error::type_name(&key.get_type());
            Err(PyTypeError::new_err(format!("keys of context.state must be str, not {name}")))
        }
    }
}

#[pyfunction]
fn read_state<'py>(
    context: &Bound<'py, PyAny>,
    key: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = context.py();
    let (contexts, invocation) = of(context, "state")?;
    let name = text(key)?;
    // Another language may be asked for its value, and its code may run meanwhile.
    let read = invocation.exchange.read_state(name, READER, is_own);
    let value = read.map_err(|error| PyTypeError::new_err(error.message().to_owned()))?;
    let bytes = match value {
        None => return Err(PyKeyError::new_err(key.clone().unbind())),
        Some(Payload::Native(value)) => match value.as_any().downcast_ref::<Value>() {
            Some(own) => return Ok(own.object(py)),
            None => return Err(PyTypeError::new_err(format!("context.state.{name} is unknown"))),
        },
        Some(Payload::Json(text)) => text,
        Some(Payload::Raw(raw)) => return Ok(PyBytes::new(py, &raw.bytes).into_any()),
        Some(_) => return Ok(py.None().into_bound(py)),
    };
    let value = contexts.parse(py, &bytes).map_err(|failure| {
        let reason = failure.describe(py);
        PyTypeError::new_err(format!("context.state.{name} cannot be read by {READER}: {reason}"))
    })?;
    if value.is_instance_of::<PyDict>() || value.is_instance_of::<PyList>() {
        // From now on it is Python's, so that everybody sees changes in it.
        invocation.exchange.write_state(name, payload(&value, contexts.settings));
    }
    Ok(value)
}

#[pyfunction]
fn write_state(
    context: &Bound<'_, PyAny>,
    key: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let (contexts, invocation) = of(context, "state")?;
    invocation.exchange.write_state(text(key)?, payload(value, contexts.settings));
    Ok(())
}

#[pyfunction]
fn remove_state(context: &Bound<'_, PyAny>, key: &Bound<'_, PyAny>) -> PyResult<()> {
    let (_, invocation) = of(context, "state")?;
    if invocation.exchange.remove_state(text(key)?) {
        return Ok(());
    }
    Err(PyKeyError::new_err(key.clone().unbind()))
}

#[pyfunction]
fn state_keys(context: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    Ok(of(context, "state")?.1.exchange.state_keys())
}

#[pyfunction]
fn reply(context: &Bound<'_, PyAny>, response: &Bound<'_, PyAny>) -> PyResult<()> {
    let (contexts, invocation) = of(context, "reply")?;
    let replied = invocation.exchange.reply(payload(response, contexts.settings));
    replied.map_err(|error| PyRuntimeError::new_err(error.message().to_owned()))
}

#[pyfunction]
fn buffer_response(context: &Bound<'_, PyAny>) -> PyResult<()> {
    let (_, invocation) = of(context, "buffer_response")?;
    let asked = invocation.exchange.buffer_response();
    asked.map_err(|error| PyRuntimeError::new_err(error.message().to_owned()))
}
