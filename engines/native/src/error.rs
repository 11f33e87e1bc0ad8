//! What a library puts into `out` when it fails, as an error.

use crate::library::Library;
use serde::Deserialize;
use trine_engine::{Error, ErrorKind, Frame};

/// Levels of causes that are looked into.
const DEPTH: usize = 8;

/// An error as a library writes it in JSON.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "errorType")]
    name: Option<String>,
    #[serde(rename = "errorMessage")]
    message: Option<String>,
    #[serde(rename = "stackTrace", default)]
    stack: Option<Vec<Entry>>,
    #[serde(default)]
    cause: Option<Box<Document>>,
}

/// An entry of a stack, as languages write it, or as AWS's client for Go does.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Text(String),
    Place {
        path: String,
        #[serde(default)]
        line: u32,
        #[serde(default)]
        label: String,
    },
}

/// Makes the error of a function of a library that has returned `status` and put these bytes into `out`.
pub(crate) fn of(library: &Library, symbol: &str, status: i32, out: &[u8]) -> Error {
    let error = document(out).map(|document| of_document(document, DEPTH)).unwrap_or_else(|| {
        let text = String::from_utf8_lossy(out);
        let text = text.trim_end_matches(['\n', '\0']);
        match text.is_empty() {
            true => Error::guest(
                ErrorKind::Guest.default_name(),
                format!("{symbol} of {} returned {status} without a message", library.label()),
            ),
            false => Error::guest(ErrorKind::Guest.default_name(), text),
        }
    });
    error.with_context("library", library.label())
}

/// Reads an error's object; `None` where the bytes are none.
fn document(out: &[u8]) -> Option<Document> {
    if !out.trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let document: Document = serde_json::from_slice(out).ok()?;
    (document.name.is_some() || document.message.is_some()).then_some(document)
}

fn of_document(document: Document, depth: usize) -> Error {
    let name = document.name.filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| ErrorKind::Guest.default_name().to_owned());
    let message = document.message.unwrap_or_default();
    let timeout = ErrorKind::Timeout.default_name();
    let mut error = match name == timeout {
        true => Error::new(ErrorKind::Timeout, message),
        false => Error::guest(name, message),
    };
    let (mut frames, mut stack) = (Vec::new(), Vec::new());
    for entry in document.stack.unwrap_or_default() {
        match entry {
            Entry::Text(text) => stack.push(text),
            Entry::Place { path, line, label } => {
                let frame = Frame { function: label, file: path, line, column: 0 };
                stack.push(format!("    at {frame}"));
                frames.push(frame);
            }
        }
    }
    error = error.with_frames(frames).with_stack(stack);
    match document.cause {
        Some(cause) if depth > 0 => error.with_cause(of_document(*cause, depth - 1)),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Error {
        of_document(document(text.as_bytes()).unwrap(), DEPTH)
    }

    #[test]
    fn an_object_has_name_message_stack_and_cause() {
        let error = read(
            r#"{"errorType":"OutOfStock","errorMessage":"no anvil","stackTrace":
                [{"path":"app.go","line":7,"label":"main.order"},"more"],
                "cause":{"errorMessage":"inner"}}"#,
        );
        assert_eq!(error.to_string(), "OutOfStock: no anvil (app.go:7 in main.order)");
        assert_eq!(error.stack(), ["    at app.go:7 in main.order", "more"]);
        assert_eq!(error.cause().unwrap().message(), "inner");
        assert_eq!(read(r#"{"errorType":"Function.Timeout"}"#).kind(), ErrorKind::Timeout);
    }

    #[test]
    fn other_texts_are_messages() {
        for text in ["{\"a\":1}", "{broken", "[1]", "plain", ""] {
            assert!(document(text.as_bytes()).is_none(), "{text}");
        }
    }
}
