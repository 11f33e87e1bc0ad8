//! The messages between an ASGI application and a WebSocket, made and read.

use super::messages;
use crate::web::text;
use pyo3::{
    exceptions::{PyRuntimeError, PyTypeError},
    intern,
    prelude::*,
    types::{PyBytes, PyDict, PyString},
};
use trine_engine::{SocketClose, SocketMessage};

/// What the application is told next.
pub(super) enum Next {
    Connect,
    Received(SocketMessage),
    Ended(SocketClose),
}

/// Makes a message.
pub(super) fn message(py: Python<'_>, next: Next) -> PyResult<Bound<'_, PyDict>> {
    let message = PyDict::new(py);
    let name = intern!(py, "type");
    match next {
        Next::Connect => message.set_item(name, intern!(py, "websocket.connect"))?,
        Next::Received(received) => {
            message.set_item(name, intern!(py, "websocket.receive"))?;
            match received {
                SocketMessage::Text(text) => message.set_item(intern!(py, "text"), text)?,
                SocketMessage::Binary(bytes) => {
                    message.set_item(intern!(py, "bytes"), PyBytes::new(py, &bytes))?;
                }
            }
        }
        Next::Ended(close) => {
            message.set_item(name, intern!(py, "websocket.disconnect"))?;
            message.set_item(intern!(py, "code"), close.code)?;
            message.set_item(intern!(py, "reason"), close.reason)?;
        }
    }
    Ok(message)
}

/// Returns the message that goes to the client.
pub(super) fn outgoing(message: &Bound<'_, PyAny>) -> PyResult<SocketMessage> {
    let py = message.py();
    let given = |name| {
        let member = messages::member(message, name)?;
        PyResult::Ok(member.filter(|value| !value.is_none()))
    };
    if let Some(bytes) = given(intern!(py, "bytes"))? {
        let what = "'bytes' of an ASGI message";
        return text::bytes(&bytes, what).map(SocketMessage::Binary);
    }
    match given(intern!(py, "text"))? {
        Some(text) => Ok(SocketMessage::Text(messages::text(&text, "text")?.to_owned())),
        None => Err(PyTypeError::new_err("'websocket.send' must have 'text' or 'bytes'")),
    }
}

/// Returns a member that is a text, or nothing.
pub(super) fn text_member(
    message: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
) -> PyResult<Option<String>> {
    match messages::member(message, name)?.filter(|value| !value.is_none()) {
        Some(value) => Ok(Some(messages::text(&value, name.to_str()?)?.to_owned())),
        None => Ok(None),
    }
}

/// Returns the code with which an application ends a WebSocket.
pub(super) fn code(message: &Bound<'_, PyAny>) -> PyResult<u16> {
    match messages::member(message, intern!(message.py(), "code"))? {
        Some(code) if !code.is_none() => match code.extract::<u16>() {
            Ok(code @ (1000..=1003 | 1007..=1014 | 3000..=4999)) => Ok(code),
            _ => {
                let message = format!("{code} is no code with which a WebSocket can be ended");
                Err(PyRuntimeError::new_err(message))
            }
        },
        _ => Ok(1000),
    }
}
