//! Results that are plainly responses to HTTP requests.

use pyo3::{
    intern,
    prelude::*,
    types::{PyBool, PyDict, PyInt, PyString},
};
use trine_engine::HttpResult;

/// Takes a result apart that leaves nothing to interpret: a text, or a dictionary of `statusCode`, `headers`, `body` and
/// `isBase64Encoded` and nothing else, all of the types that they should be. `None` for any other.
pub(crate) fn http_result(value: &Bound<'_, PyAny>) -> Option<HttpResult> {
    if let Ok(text) = value.cast_exact::<PyString>() {
        return text_of(text).map(HttpResult::text);
    }
    let (py, dict) = (value.py(), value.cast_exact::<PyDict>().ok()?);
    let member = |name| dict.get_item(name).ok().flatten();
    let status = member(intern!(py, "statusCode"))?;
    let headers = member(intern!(py, "headers"));
    let body = member(intern!(py, "body"));
    let is_base64 = member(intern!(py, "isBase64Encoded"));
    let found = [headers.is_some(), body.is_some(), is_base64.is_some()];
    if 1 + found.iter().filter(|found| **found).count() != dict.len() {
        return None;
    }
    let status: u16 = status.cast_exact::<PyInt>().ok()?.extract().ok()?;
    let fields = match headers.filter(|headers| !headers.is_none()) {
        Some(headers) => fields(headers.cast_exact::<PyDict>().ok()?)?,
        None => String::new(),
    };
    let body = match body.filter(|body| !body.is_none()) {
        Some(body) => text_of(body.cast_exact::<PyString>().ok()?)?,
        None => String::new(),
    };
    let is_base64 = match is_base64.filter(|truth| !truth.is_none()) {
        Some(truth) => truth.cast_exact::<PyBool>().ok()?.is_true(),
        None => false,
    };
    HttpResult::new(status, fields, body, is_base64)
}

/// Returns a text; `None` where it has halves of surrogate pairs.
fn text_of(text: &Bound<'_, PyString>) -> Option<String> {
    text.to_str().ok().map(str::to_owned)
}

/// Returns headers as [`HttpResult::new`] takes them.
fn fields(headers: &Bound<'_, PyDict>) -> Option<String> {
    let mut fields = String::with_capacity(64 * headers.len());
    for (name, value) in headers.iter() {
        for text in [name, value] {
            let text = text.cast_exact::<PyString>().ok()?;
            let text = text.to_str().ok()?;
            if text.contains('\n') {
                return None;
            }
            fields.push_str(text);
            fields.push('\n');
        }
    }
    Some(fields)
}
