//! A result that is plainly the response to an HTTP request.

use crate::json_string;
use bytes::Bytes;
use std::fmt::Write;

/// The result `{ statusCode, headers, body, isBase64Encoded }` of API Gateway's payload format 2.0, taken apart where it
/// is made, so that no text has to be written and read in between; or a text by itself, which is the body of a 200.
///
/// Only results that leave nothing to interpret take this form: the status is a number from 200 to 999, the headers are
/// texts without line breaks, the body is a text. Everything else stays JSON, for the front door to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResult {
    status: Option<u16>,
    /// Names and values by turns, each with a line break after it.
    fields: String,
    body: String,
    is_base64: bool,
}

impl HttpResult {
    /// Makes the result of a status, headers, and a body. `fields` are the names and the values of the headers by turns,
    /// each with a line break after it.
    ///
    /// Returns `None` where the status or the headers are not as they have to be.
    pub fn new(status: u16, fields: String, body: String, is_base64: bool) -> Option<Self> {
        let lines = fields.bytes().filter(|byte| *byte == b'\n').count();
        let are_whole = fields.is_empty() || fields.ends_with('\n');
        let fits = (200..=999).contains(&status) && lines.is_multiple_of(2) && are_whole;
        fits.then_some(Self { status: Some(status), fields, body, is_base64 })
    }

    /// Makes the result that is a text alone.
    pub fn text(body: String) -> Self {
        Self { status: None, fields: String::new(), body, is_base64: false }
    }

    /// Returns the status; `None` for a result that is a text alone.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Returns the headers, names with their values.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut lines = self.fields.split_terminator('\n');
        std::iter::from_fn(move || Some((lines.next()?, lines.next()?)))
    }

    /// Returns the body, as the handler gave it.
    pub fn into_body(self) -> String {
        self.body
    }

    /// Whether the body is base64.
    pub fn is_base64(&self) -> bool {
        self.is_base64
    }

    /// Returns the result as JSON text.
    pub fn to_json(&self) -> Bytes {
        let body = json_string(&self.body);
        let Some(status) = self.status else { return Bytes::from(body) };
        let mut out = format!("{{\"statusCode\":{status},\"headers\":{{");
        for (at, (name, value)) in self.headers().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(out, "{comma}{}:{}", json_string(name), json_string(value));
        }
        let _ = write!(out, "}},\"body\":{body},\"isBase64Encoded\":{}}}", self.is_base64);
        Bytes::from(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_the_same_as_json_text() {
        let fields = "content-type\ntext/plain\nx-a\n\"é\"\n".to_owned();
        let result = HttpResult::new(201, fields, "a\nb".to_owned(), false).unwrap();
        let json = r#"{"statusCode":201,"headers":{"content-type":"text/plain","x-a":"\"é\""},"body":"a\nb","isBase64Encoded":false}"#;
        assert_eq!(result.to_json(), json);
        let text = HttpResult::text("\"".to_owned());
        assert_eq!((text.status(), text.to_json().as_ref()), (None, br#""\"""#.as_slice()));
    }

    #[test]
    fn what_leaves_something_to_interpret_is_refused() {
        let make =
            |status, fields: &str| HttpResult::new(status, fields.to_owned(), String::new(), false);
        assert!(make(200, "").is_some() && make(999, "a\nb\n").is_some());
        for (status, fields) in [(199, ""), (1000, ""), (200, "a\n"), (200, "a\nb")] {
            assert_eq!(make(status, fields), None, "{fields:?}");
        }
    }
}
