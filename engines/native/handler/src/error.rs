//! What a caller sees of a handler that fails.

use std::fmt::{Display, Write as _};

/// The error of a handler: a type, a message, and where it comes from. Anything that implements [`std::error::Error`]
/// becomes one with `?`, whose type is the Rust type's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    name: String,
    message: String,
    stack: Vec<String>,
}

impl Error {
    /// Makes an error by the type and the message that callers see.
    pub fn new(name: impl Into<String>, message: impl Display) -> Self {
        Self { name: name.into(), message: message.to_string(), stack: Vec::new() }
    }

    /// Adds a line to the stack that callers see, innermost first.
    #[must_use]
    pub fn with_place(mut self, place: impl Into<String>) -> Self {
        self.stack.push(place.into());
        self
    }

    /// Returns the type.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the error as an object of JSON.
    pub fn to_json(&self) -> String {
        let stack: Vec<String> = self.stack.iter().map(|line| quoted(line)).collect();
        format!(
            r#"{{"errorType":{},"errorMessage":{},"stackTrace":[{}]}}"#,
            quoted(&self.name),
            quoted(&self.message),
            stack.join(",")
        )
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let name = std::any::type_name::<E>();
        let name = name.split('<').next().unwrap_or(name);
        let mut made = Self::new(name.rsplit("::").next().unwrap_or(name), &error);
        let mut cause = error.source();
        while let Some(error) = cause {
            made = made.with_place(format!("caused by: {error}"));
            cause = error.source();
        }
        made
    }
}

/// Returns a text as a string of JSON.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_an_object_whatever_is_in_it() {
        let error =
            Error::new("BadRequest", "a \"name\"\n\\ is\u{1} missing").with_place("app.rs:3");
        assert_eq!(
            error.to_json(),
            r#"{"errorType":"BadRequest","errorMessage":"a \"name\"\n\\ is\u0001 missing","stackTrace":["app.rs:3"]}"#
        );
    }

    #[test]
    fn other_errors_keep_their_types() {
        let error = Error::from("x".parse::<u8>().unwrap_err());
        assert_eq!(
            (error.name(), error.message()),
            ("ParseIntError", "invalid digit found in string")
        );
    }
}
