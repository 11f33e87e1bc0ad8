//! Comparison of results with expectations, in words that help: where two values differ, what an error was instead.

use super::members::Members;
use serde_json::{Map, Value};
use trine_engine::Error;

/// Maximum number of differences that are listed.
const LISTED: usize = 10;

/// The expected properties of an error. Absent members are not checked.
#[derive(Debug)]
pub(super) struct ErrorMatcher {
    /// The name that callers see as `errorType`.
    name: Option<String>,
    /// The error's kind, by the name of its variant.
    kind: Option<String>,
    message: Option<String>,
    message_contains: Vec<String>,
    /// The file of the innermost guest frame, without folder and extension.
    file: Option<String>,
    line: Option<Line>,
}

#[derive(Debug)]
enum Line {
    Everywhere(u64),
    ByExtension(Map<String, Value>),
}

impl ErrorMatcher {
    pub(super) fn parse(value: Value) -> Result<Self, String> {
        let mut members = Members::of("an error", value)?;
        let line = match members.take_some("line") {
            None => None,
            Some(Value::Object(lines)) => Some(Line::ByExtension(lines)),
            Some(value) => {
                let line = value.as_u64().ok_or_else(|| format!("{value} is no line"))?;
                Some(Line::Everywhere(line))
            }
        };
        let parsed = Self {
            name: members.text("type")?,
            kind: members.text("kind")?,
            message: members.text("message")?,
            message_contains: members.texts("message_contains")?,
            file: members.text("file")?,
            line,
        };
        members.finish()?;
        Ok(parsed)
    }

    /// Fails with the differences of `error`, raised by a handler file with this extension.
    pub(super) fn check(&self, error: &Error, extension: &str) -> Result<(), String> {
        let mut wrong = Vec::new();
        let mut compare = |what: &str, expected: &Option<String>, found: &str| {
            if let Some(expected) = expected
                && expected != found
            {
                wrong.push(format!("{what}: expected {expected:?}, got {found:?}"));
            }
        };
        compare("type", &self.name, error.name());
        compare("kind", &self.kind, &format!("{:?}", error.kind()));
        compare("message", &self.message, error.message());
        let frame = error.frames().first();
        let file = frame.map_or("", |frame| stem(&frame.file));
        compare("file", &self.file, file);
        for part in &self.message_contains {
            if !error.message().contains(part) {
                wrong.push(format!("message: expected it to contain {part:?}"));
            }
        }
        let line = frame.map_or(0, |frame| u64::from(frame.line));
        match self.line_for(extension) {
            Ok(Some(expected)) if expected != line => {
                wrong.push(format!("line: expected {expected}, got {line}"));
            }
            Ok(_) => {}
            Err(message) => wrong.push(message),
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!(
            "the error is not the expected one:\n  {}\nit is a {:?}, {error:#}",
            wrong.join("\n  "),
            error.kind()
        ))
    }

    fn line_for(&self, extension: &str) -> Result<Option<u64>, String> {
        match &self.line {
            None => Ok(None),
            Some(Line::Everywhere(line)) => Ok(Some(*line)),
            Some(Line::ByExtension(lines)) => lines
                .get(extension)
                .and_then(Value::as_u64)
                .map(Some)
                .ok_or_else(|| format!("line: the case names none for .{extension}")),
        }
    }
}

fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.split_once('.').map_or(name, |(stem, _)| stem)
}

/// Fails with the places in which two JSON values differ. The order of members does not matter; `1` and `1.0` differ.
pub(super) fn check_json(expected: &Value, found: &Value) -> Result<(), String> {
    let mut differences = Vec::new();
    compare("$", expected, found, &mut differences);
    if differences.is_empty() {
        return Ok(());
    }
    let more = differences.len().saturating_sub(LISTED);
    differences.truncate(LISTED);
    if more > 0 {
        differences.push(format!("and {more} more"));
    }
    Err(format!(
        "the result is not the expected one:\n  {}\nit is {}",
        differences.join("\n  "),
        shortened(&found.to_string())
    ))
}

fn compare(path: &str, expected: &Value, found: &Value, differences: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (name, value) in expected {
                let path = format!("{path}.{name}");
                match found.get(name) {
                    Some(found) => compare(&path, value, found, differences),
                    None => differences.push(format!("{path}: expected {value}, got nothing")),
                }
            }
            for (name, value) in found.iter().filter(|(name, _)| !expected.contains_key(*name)) {
                differences.push(format!("{path}.{name}: expected nothing, got {value}"));
            }
        }
        (Value::Array(expected), Value::Array(found)) => {
            if expected.len() != found.len() {
                let (expected, found) = (expected.len(), found.len());
                differences.push(format!("{path}: expected {expected} items, got {found}"));
            }
            for (at, (expected, found)) in expected.iter().zip(found).enumerate() {
                compare(&format!("{path}[{at}]"), expected, found, differences);
            }
        }
        (expected, found) if expected == found => {}
        (expected, found) => {
            let (expected, found) =
                (shortened(&expected.to_string()), shortened(&found.to_string()));
            differences.push(format!("{path}: expected {expected}, got {found}"));
        }
    }
}

/// Fails with the place at which two byte strings begin to differ.
pub(super) fn check_bytes(expected: &[u8], found: &[u8]) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let at = expected.iter().zip(found).take_while(|(a, b)| a == b).count();
    let show = |bytes: &[u8]| {
        let from = at.saturating_sub(20).min(bytes.len());
        let part = &bytes[from..bytes.len().min(at + 60)];
        format!("{:?}", String::from_utf8_lossy(part))
    };
    Err(format!(
        "the result differs at byte {at} of {}:\n  expected {}\n  got      {}",
        found.len(),
        show(expected),
        show(found)
    ))
}

/// Shortens a text so that it fits into a message.
pub(super) fn shortened(text: &str) -> String {
    const LIMIT: usize = 2000;
    match text.char_indices().nth(LIMIT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use trine_engine::Frame;

    #[test]
    fn values_are_compared_place_by_place() {
        let message = check_json(
            &json!({"a": [1, {"b": 2}], "c": 1, "d": 1}),
            &json!({"a": [1, {"b": 3}, 4], "d": 1.0, "e": null}),
        )
        .unwrap_err();
        for part in [
            "$.a: expected 2 items, got 3",
            "$.a[1].b: expected 2, got 3",
            "$.c: expected 1, got nothing",
            "$.d: expected 1, got 1.0",
            "$.e: expected nothing, got null",
        ] {
            assert!(message.contains(part), "{part} in {message}");
        }
        assert!(check_json(&json!({"a": 1, "b": 2}), &json!({"b": 2, "a": 1})).is_ok());
    }

    #[test]
    fn bytes_are_compared_up_to_the_first_difference() {
        assert!(check_bytes(b"abc", b"abc").is_ok());
        let message = check_bytes(b"abc", b"abd").unwrap_err();
        assert!(message.starts_with("the result differs at byte 2"), "{message}");
    }

    #[test]
    fn an_error_is_compared_in_what_the_matcher_names() {
        let frame = Frame { file: "/t/handler.test.mjs".into(), line: 3, ..Frame::default() };
        let error = Error::guest("TypeError", "x is odd").with_frames([frame]);
        let check = |matcher: Value| ErrorMatcher::parse(matcher).unwrap().check(&error, "mjs");
        assert!(check(json!({})).is_ok());
        assert!(
            check(json!({"type": "TypeError", "kind": "Guest", "message_contains": ["odd"],
                "file": "handler", "line": {"mjs": 3, "py": 1}}))
            .is_ok()
        );
        assert!(check(json!({"kind": "Timeout"})).unwrap_err().contains("got \"Guest\""));
        assert!(check(json!({"message": "x"})).unwrap_err().contains("got \"x is odd\""));
        assert!(check(json!({"line": 4})).unwrap_err().contains("expected 4, got 3"));
        assert!(check(json!({"line": {"py": 1}})).unwrap_err().contains("none for .mjs"));
        assert!(ErrorMatcher::parse(json!({"typ": 1})).is_err());
    }
}
