//! The arguments that a function gets, and the form in which its result is passed on.

use super::PythonInstance;
use crate::{ID, call::Called, convert, error, exchange, value::Value};
use bytes::Bytes;
use pyo3::{exceptions::PyBaseException, prelude::*, types::PyBytes};
use std::rc::Rc;
use trine_engine::{Error, ErrorKind, Form, Hook, Invocation, Payload, RawPayload, Result};

/// Content type of the answer of a handler that returns `bytes`, as in AWS's own runtime.
const BYTES_TYPE: &str = "application/unknown";

impl PythonInstance {
    pub(crate) fn event<'py>(
        &self,
        py: Python<'py>,
        input: Payload,
        invocation: &Invocation,
        hook: Option<Hook>,
    ) -> Result<Bound<'py, PyAny>> {
        let text = match &input {
            Payload::Json(text) if invocation.event_is_json || hook == Some(Hook::Error) => {
                text.clone()
            }
            Payload::Shaped(event) => {
                return self.contexts.build(py, event).map_err(|e| error::internal(py, &e));
            }
            Payload::Json(raw) => return Ok(PyBytes::new(py, raw).into_any()),
            Payload::Nothing => return Ok(py.None().into_bound(py)),
            Payload::Raw(raw) => return Ok(PyBytes::new(py, &raw.bytes).into_any()),
            Payload::Native(native) => match native.as_any().downcast_ref::<Value>() {
                Some(value) if native.engine() == ID => return Ok(value.object(py)),
                _ => native.to_json()?,
            },
            _ => return Err(Error::new(ErrorKind::Unsupported, "this kind of payload is unknown")),
        };
        let value = self.contexts.parse(py, &text).map_err(|failure| {
            let reason = failure.describe(py);
            Error::new(ErrorKind::Unmarshal, format!("Unable to unmarshal input: {reason}"))
        })?;
        if hook != Some(Hook::Error) {
            return Ok(value);
        }
        // The error document of another language.
        let made = self
            .python
            .guest
            .bind(py)
            .get_item("foreign_error")
            .and_then(|make| make.expect("the prelude defines it").call1((value,)));
        made.map_err(|e| error::internal(py, &e))
    }

    pub(crate) fn answer(&self, value: &Bound<'_, PyAny>, called: &Called<'_>) -> Result<Payload> {
        if let Ok(bytes) = value.cast::<PyBytes>() {
            return Ok(Payload::Raw(RawPayload {
                bytes: Bytes::copy_from_slice(bytes.as_bytes()),
                content_type: BYTES_TYPE,
            }));
        }
        if value.is_none() && called.form == Form::Native {
            return Ok(Payload::Nothing);
        }
        if called.hook == Some(Hook::Error)
            && let Ok(replacing) = value.cast::<PyBaseException>()
        {
            let raised = PyErr::from_value(replacing.clone().into_any());
            let id = called.invocation.map_or("", |invocation| invocation.request_id.as_str());
            self.keep_thrown(value, called);
            return Err(error::raised(value.py(), &raised, id).returned());
        }
        if called.form == Form::Native {
            return Ok(exchange::payload(value, self.settings));
        }
        let takes_http = called.hook.is_none()
            && called.invocation.is_some_and(|invocation| invocation.takes_http_result);
        if takes_http && let Some(result) = convert::http_result(value) {
            return Ok(Payload::Http(result));
        }
        let mut out = Vec::with_capacity(1024);
        convert::write(value, &mut out, self.settings)
            .map_err(|failure| failure.into_error(value.py()))?;
        Ok(Payload::Json(Bytes::from(out)))
    }

    /// Keeps the exception itself for those who asked for it.
    pub(crate) fn keep_thrown(&self, raised: &Bound<'_, PyAny>, called: &Called<'_>) {
        if let Some(invocation) = called.invocation
            && invocation.exchange.keeps_thrown()
        {
            let thrown = Value::new(raised.clone().unbind(), self.settings);
            invocation.exchange.set_thrown(Rc::new(thrown));
        }
    }
}
