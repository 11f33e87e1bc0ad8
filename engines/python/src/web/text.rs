//! Paths and header fields between their bytes and Python's objects.

use bytes::Bytes;
use pyo3::{
    exceptions::{PyRuntimeError, PyTypeError},
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyByteArray, PyBytes, PyMemoryView, PyString},
};
use std::borrow::Cow;

/// Number of bytes from which on a copy would cost more than it saves.
const SHARED: usize = 16 * 1024;

/// Returns what a path with percent signs stands for.
pub(super) fn decoded(path: &str) -> Cow<'_, [u8]> {
    let bytes = path.as_bytes();
    if !bytes.contains(&b'%') {
        return Cow::Borrowed(bytes);
    }
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, _, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(out)
}

/// Makes a string of which each byte is a character.
pub(super) fn latin1<'py>(py: Python<'py>, bytes: &[u8]) -> Bound<'py, PyString> {
    if bytes.is_ascii()
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return PyString::new(py, text);
    }
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    PyString::new(py, &text)
}

/// Returns the bytes of a string whose characters are bytes.
pub(super) fn latin1_bytes(text: &Bound<'_, PyString>) -> Option<Vec<u8>> {
    match text.to_str() {
        Ok(text) if text.is_ascii() => Some(text.as_bytes().to_vec()),
        Ok(text) => text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect(),
        Err(_) => None,
    }
}

/// Returns the bytes of a value that is a kind of bytes. Large ones are Python's own, which never change.
///
/// # Errors
/// `TypeError` for any other value.
pub(super) fn bytes(value: &Bound<'_, PyAny>, what: &str) -> PyResult<Bytes> {
    let of = |bytes: &Bound<'_, PyBytes>| match bytes.as_bytes() {
        short if short.len() < SHARED => Bytes::copy_from_slice(short),
        _ => Bytes::from_owner(PyBackedBytes::from(bytes.clone())),
    };
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(of(bytes));
    }
    if let Ok(bytes) = value.cast::<PyByteArray>() {
        return Ok(bytes.to_vec().into());
    }
    if let Ok(view) = value.cast::<PyMemoryView>() {
        return Ok(of(view.call_method0("tobytes")?.cast::<PyBytes>()?));
    }
    let class = crate::error::type_name(&value.get_type());
    Err(PyTypeError::new_err(format!("{what} must be bytes, not {class}")))
}

/// Refuses a header field that no client could read.
///
/// # Errors
/// `RuntimeError`, in the words of uvicorn.
pub(super) fn check_field(name: &[u8], value: &[u8]) -> PyResult<()> {
    if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
        return Err(PyRuntimeError::new_err("Invalid HTTP header name."));
    }
    if value.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n')) {
        return Err(PyRuntimeError::new_err("Invalid HTTP header value."));
    }
    Ok(())
}

/// Whether a byte may stand in the name of a header field. Contract: RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Returns the length that a `content-length` promises.
pub(super) fn length(name: &[u8], value: &[u8]) -> Option<u64> {
    if !name.eq_ignore_ascii_case(b"content-length") {
        return None;
    }
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{decoded, length};

    #[test]
    fn percent_signs_that_stand_for_nothing_stay() {
        assert_eq!(&*decoded("/a%20b%C3%a9%"), "/a bé%".as_bytes());
        assert_eq!(&*decoded("/%zz%4"), b"/%zz%4");
        assert_eq!(&*decoded("/plain"), b"/plain");
    }

    #[test]
    fn a_length_is_a_number_whatever_the_case_of_its_name() {
        assert_eq!(length(b"Content-Length", b" 12 "), Some(12));
        assert_eq!(length(b"content-length", b"-1"), None);
        assert_eq!(length(b"content-type", b"12"), None);
    }
}
