//! The environment of a request: what a WSGI application is told about it.

use super::prelude;
use crate::web::{Shared, text};
use pyo3::{
    intern,
    prelude::*,
    types::{PyDict, PyString},
};
use trine_engine::WebRequest;

/// Makes the environment of a request, without its body.
pub(super) fn environ<'py>(
    py: Python<'py>,
    request: &WebRequest,
    shared: &Shared,
) -> PyResult<Bound<'py, PyDict>> {
    let environ = match shared.environ.get() {
        Some(environ) => environ.bind(py).copy()?,
        None => {
            let made = prelude(py)?.environ.bind(py).call0()?.cast_into::<PyDict>()?;
            shared.environ.get_or_init(|| made.unbind()).bind(py).copy()?
        }
    };
    let set =
        |name: &Bound<'py, PyString>, value: Bound<'py, PyString>| environ.set_item(name, value);
    set(intern!(py, "REQUEST_METHOD"), shared.word(py, &request.method))?;
    if !request.mount.is_empty() {
        let name = text::latin1(py, &text::decoded(&request.mount));
        set(intern!(py, "SCRIPT_NAME"), name)?;
    }
    let below = if request.path == request.mount { "" } else { request.path_in_mount() };
    set(intern!(py, "PATH_INFO"), text::latin1(py, &text::decoded(below)))?;
    let target = match &request.query {
        Some(query) => {
            set(intern!(py, "QUERY_STRING"), text::latin1(py, query.as_bytes()))?;
            text::latin1(py, format!("{}?{query}", request.path).as_bytes())
        }
        None => text::latin1(py, request.path.as_bytes()),
    };
    set(intern!(py, "REQUEST_URI"), target.clone())?;
    set(intern!(py, "RAW_URI"), target)?;
    let (host, port) = &request.server;
    set(intern!(py, "SERVER_NAME"), shared.word(py, host))?;
    set(intern!(py, "SERVER_PORT"), shared.word(py, &port.to_string()))?;
    if request.version != "1.1" {
        let protocol = format!("HTTP/{}", request.version);
        set(intern!(py, "SERVER_PROTOCOL"), PyString::new(py, &protocol))?;
    }
    if request.scheme != "http" {
        set(intern!(py, "wsgi.url_scheme"), shared.word(py, &request.scheme))?;
    }
    if let Some(client) = request.client {
        set(intern!(py, "REMOTE_ADDR"), PyString::new(py, &client.ip().to_string()))?;
        if client.port() > 0 {
            set(intern!(py, "REMOTE_PORT"), PyString::new(py, &client.port().to_string()))?;
        }
    }
    let mut keys = shared.keys.borrow_mut();
    for (name, value) in request.headers.iter() {
        // Its key would be that of another field, with a hyphen, which somebody in between may have checked.
        if name.contains(&b'_') {
            continue;
        }
        let key = keys.get(py, name, |name| text::latin1(py, &key(name)));
        let value = text::latin1(py, value);
        let value = match environ.get_item(&key)? {
            Some(before) => {
                let separator = if name == b"cookie" { "; " } else { "," };
                let before = before.cast_into::<PyString>()?;
                PyString::new(py, &format!("{}{separator}{}", before.to_str()?, value.to_str()?))
            }
            None => value,
        };
        environ.set_item(key, value)?;
    }
    Ok(environ)
}

/// Returns the key of a header field.
fn key(name: &[u8]) -> Vec<u8> {
    let upper = name.iter().map(|byte| match byte {
        b'-' => b'_',
        other => other.to_ascii_uppercase(),
    });
    match name {
        b"content-type" | b"content-length" => upper.collect(),
        _ => b"HTTP_".iter().copied().chain(upper).collect(),
    }
}
