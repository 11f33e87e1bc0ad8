//! The scope of a request: what an ASGI application is told about it.

use crate::web::{Shared, seen::Seen, text};
use pyo3::{
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyDict, PyList, PyString, PyTuple},
};
use std::borrow::Cow;
use trine_engine::{Fields, WebRequest};

/// The scopes of requests and of WebSockets, with the members that are not the same for all still to be set.
struct Templates {
    http: Py<PyDict>,
    websocket: Py<PyDict>,
}

/// What the scope of a request is made of beside the request.
pub(super) struct About<'a, 'py> {
    pub(super) shared: &'a Shared,
    pub(super) state: &'a Bound<'py, PyDict>,
    pub(super) is_socket: bool,
}

/// Makes the scope of a request.
pub(super) fn scope<'py>(
    py: Python<'py>,
    request: &WebRequest,
    about: &About<'_, 'py>,
) -> PyResult<Bound<'py, PyDict>> {
    let templates = templates(py)?;
    let template = if about.is_socket { &templates.websocket } else { &templates.http };
    let scope = template.bind(py).copy()?;
    for name in [intern!(py, "asgi"), intern!(py, "extensions")] {
        let value = scope.get_item(name)?.expect("every template has it");
        scope.set_item(name, value.cast::<PyDict>()?.copy()?)?;
    }
    let shared = about.shared;
    if !about.is_socket {
        scope.set_item(intern!(py, "method"), shared.word(py, &request.method))?;
    }
    if request.version != "1.1" {
        scope.set_item(intern!(py, "http_version"), &request.version)?;
    }
    let scheme = match (about.is_socket, request.scheme.as_str()) {
        (true, "https") => "wss",
        (true, "http") => "ws",
        (_, scheme) => scheme,
    };
    scope.set_item(intern!(py, "scheme"), shared.word(py, scheme))?;
    let raw_path = request.path.as_bytes();
    scope.set_item(intern!(py, "path"), decoded(py, &request.path))?;
    scope.set_item(intern!(py, "raw_path"), PyBytes::new(py, raw_path))?;
    if let Some(query) = request.query.as_deref().filter(|query| !query.is_empty()) {
        scope.set_item(intern!(py, "query_string"), PyBytes::new(py, query.as_bytes()))?;
    }
    if !request.mount.is_empty() {
        scope.set_item(intern!(py, "root_path"), decoded(py, &request.mount))?;
    }
    let headers = headers(py, &request.headers, &mut shared.names.borrow_mut())?;
    scope.set_item(intern!(py, "headers"), headers)?;
    if let Some(client) = request.client {
        let client = (client.ip().to_string(), client.port());
        scope.set_item(intern!(py, "client"), client)?;
    }
    let (host, port) = &request.server;
    scope.set_item(intern!(py, "server"), (shared.word(py, host), *port))?;
    scope.set_item(intern!(py, "state"), about.state.copy()?)?;
    if about.is_socket {
        scope.set_item(intern!(py, "subprotocols"), subprotocols(py, &request.headers)?)?;
    }
    Ok(scope)
}

fn decoded<'py>(py: Python<'py>, path: &str) -> Bound<'py, PyString> {
    match text::decoded(path) {
        Cow::Borrowed(_) => PyString::new(py, path),
        Cow::Owned(bytes) => PyString::new(py, &String::from_utf8_lossy(&bytes)),
    }
}

fn headers<'py>(
    py: Python<'py>,
    fields: &Fields,
    names: &mut Seen<PyBytes>,
) -> PyResult<Bound<'py, PyList>> {
    let mut pairs = Vec::with_capacity(fields.len());
    for (name, value) in fields.iter() {
        let name = names.get(py, name, |name| PyBytes::new(py, name));
        pairs.push(PyTuple::new(py, [name, PyBytes::new(py, value)])?);
    }
    PyList::new(py, pairs)
}

/// Returns the subprotocols that a client offers.
fn subprotocols<'py>(py: Python<'py>, fields: &Fields) -> PyResult<Bound<'py, PyList>> {
    let offered = PyList::empty(py);
    for value in fields.all("sec-websocket-protocol") {
        for name in String::from_utf8_lossy(value).split(',').map(str::trim) {
            if !name.is_empty() {
                offered.append(name)?;
            }
        }
    }
    Ok(offered)
}

fn templates(py: Python<'_>) -> PyResult<&'static Templates> {
    static TEMPLATES: PyOnceLock<Templates> = PyOnceLock::new();
    TEMPLATES.get_or_try_init(py, || {
        let make = |kind: &str, extension: &str| {
            let scope = PyDict::new(py);
            scope.set_item("type", kind)?;
            let asgi = PyDict::new(py);
            asgi.set_item("version", "3.0")?;
            asgi.set_item("spec_version", "2.4")?;
            scope.set_item("asgi", asgi)?;
            scope.set_item("http_version", "1.1")?;
            scope.set_item("server", py.None())?;
            scope.set_item("client", py.None())?;
            scope.set_item("scheme", py.None())?;
            if kind == "http" {
                scope.set_item("method", py.None())?;
            }
            scope.set_item("root_path", "")?;
            scope.set_item("path", py.None())?;
            scope.set_item("raw_path", py.None())?;
            scope.set_item("query_string", PyBytes::new(py, b""))?;
            scope.set_item("headers", py.None())?;
            if kind == "websocket" {
                scope.set_item("subprotocols", py.None())?;
            }
            let extensions = PyDict::new(py);
            extensions.set_item(extension, PyDict::new(py))?;
            scope.set_item("extensions", extensions)?;
            scope.set_item("state", py.None())?;
            PyResult::Ok(scope.unbind())
        };
        let http = make("http", "http.response.trailers")?;
        let websocket = make("websocket", "websocket.http.response")?;
        Ok(Templates { http, websocket })
    })
}
