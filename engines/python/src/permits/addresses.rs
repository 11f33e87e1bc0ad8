//! The addresses to which names have led: who may connect to a name may connect to those. CPython tells of a connection by
//! its address only, so the functions that look up names note what they have found.

use pyo3::{
    prelude::*,
    types::{PyByteArray, PyBytes, PyCFunction, PyDict, PyString, PyTuple},
};
use std::{
    collections::HashMap,
    ffi::CStr,
    net::IpAddr,
    sync::{LazyLock, Mutex, PoisonError},
};

/// The most addresses that are kept; more begin anew.
const MOST: usize = 10_000;
/// The most names of one address that are kept.
const MOST_NAMES: usize = 64;

static NAMES: LazyLock<Mutex<HashMap<IpAddr, Vec<String>>>> = LazyLock::new(Mutex::default);

/// Returns the names that have led to an address.
pub(super) fn names_of(address: IpAddr) -> Vec<String> {
    let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.get(&address).cloned().unwrap_or_default()
}

fn note(name: &str, address: IpAddr) {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if names.len() >= MOST {
        names.clear();
    }
    let known = names.entry(address).or_default();
    if known.len() < MOST_NAMES && !known.iter().any(|known| known == name) {
        known.push(name.to_owned());
    }
}

/// Makes the functions that look up names note what they find.
pub(super) fn follow(py: Python<'_>) -> PyResult<()> {
    let own = py.import("_socket")?;
    for written in [c"getaddrinfo", c"gethostbyname", c"gethostbyname_ex"] {
        let name = &*written.to_string_lossy();
        let plain = own.getattr(name)?;
        let noting = noting(&plain, written)?;
        own.setattr(name, &noting)?;
        // Whoever has imported it already.
        let modules = py.import("sys")?.getattr("modules")?;
        if let Ok(socket) = modules.get_item("socket")
            && socket.getattr(name).is_ok_and(|known| known.is(&plain))
        {
            socket.setattr(name, &noting)?;
        }
    }
    Ok(())
}

fn noting<'py>(
    plain: &Bound<'py, PyAny>,
    name: &'static CStr,
) -> PyResult<Bound<'py, PyCFunction>> {
    let py = plain.py();
    let called = plain.clone().unbind();
    let call = move |arguments: &Bound<'_, PyTuple>, named: Option<&Bound<'_, PyDict>>| {
        let py = arguments.py();
        let found = called.bind(py).call(arguments, named)?;
        let host = match arguments.get_item(0) {
            Ok(host) => Some(host),
            Err(_) => named.and_then(|named| named.get_item("host").ok().flatten()),
        };
        if let Some(host) = host.and_then(|host| text(&host)) {
            note_all(&host, &found);
        }
        PyResult::Ok(found.unbind())
    };
    PyCFunction::new_closure(py, Some(name), None, call)
}

/// Notes each address in what a look-up gives: an address, a list of them, or tuples with them.
fn note_all(name: &str, found: &Bound<'_, PyAny>) {
    if let Ok(text) = found.cast::<PyString>() {
        if let Ok(address) = text.to_string().parse() {
            note(name, address);
        }
        return;
    }
    for item in found.try_iter().into_iter().flatten().flatten() {
        note_all(name, &item);
    }
}

/// Returns a host as text.
pub(super) fn text(host: &Bound<'_, PyAny>) -> Option<String> {
    if let Ok(text) = host.cast::<PyString>() {
        return Some(text.to_string_lossy().into_owned());
    }
    if let Ok(bytes) = host.cast::<PyByteArray>() {
        return Some(String::from_utf8_lossy(&bytes.to_vec()).into_owned());
    }
    let bytes = host.cast::<PyBytes>().ok()?;
    Some(String::from_utf8_lossy(bytes.as_bytes()).into_owned())
}
