//! The event of a call: its text, and what paths find in it.

use bytes::Bytes;
use serde::de::IgnoredAny;
use std::{cell::OnceCell, panic::catch_unwind};

/// Maximum length of a path, in bytes, and of the modifiers in it: each may copy the event.
const LONGEST_PATH: usize = 4096;
const MOST_MODIFIERS: usize = 16;

/// Maximum depth of an event that modifiers walk through, as they do recursively.
const DEEPEST: usize = 1000;

/// The event of a call.
pub(crate) struct Event {
    /// The text, in UTF-8.
    text: Bytes,
    /// How deep it is nested; `None` where it is not JSON.
    depth: OnceCell<Option<usize>>,
}

impl Event {
    /// Makes the event of any bytes; what is no UTF-8 in them is replaced.
    pub(crate) fn new(bytes: Bytes) -> Self {
        let text = match std::str::from_utf8(&bytes) {
            Ok(_) => bytes,
            Err(_) => String::from_utf8_lossy(&bytes).into_owned().into(),
        };
        Self { text, depth: OnceCell::new() }
    }

    /// Returns the whole text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// Returns what a path of gjson's finds, as text: nothing where there is nothing, or `null`, or where the event is not
    /// JSON.
    ///
    /// # Errors
    /// The reason why the path cannot be followed.
    pub(crate) fn find(&self, path: &str) -> Result<String, String> {
        let text = self.text();
        let Some(depth) = *self.depth.get_or_init(|| depth(text)) else {
            return Ok(String::new());
        };
        let modifiers = path.bytes().filter(|byte| *byte == b'@').count();
        if path.len() > LONGEST_PATH || modifiers > MOST_MODIFIERS {
            let limits = format!("{LONGEST_PATH} bytes and {MOST_MODIFIERS} modifiers");
            return Err(format!("the path is too long: {limits} are the most"));
        }
        if modifiers > 0 && depth > DEEPEST {
            return Err(format!(
                "the event is nested deeper than modifiers follow: {depth} levels"
            ));
        }
        // Paths are the guest's, and gjson does not look at all of them twice.
        catch_unwind(|| {
            let found = gjson::get(text, path);
            match found.kind() {
                gjson::Kind::Number => number(found.json()),
                _ => found.str().to_owned(),
            }
        })
        .map_err(|_| format!("{path:?} is no path"))
    }
}

/// Returns a number as the earlier runtime gave it: integers as they are written, others with all digits that count and no
/// exponent.
fn number(text: &str) -> String {
    let digits = text.strip_prefix('-').unwrap_or(text);
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && !digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            number.to_string()
        }
        _ => text.to_owned(),
    }
}

/// Returns how deep a JSON text is nested; `None` where it is none.
fn depth(text: &str) -> Option<usize> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let (mut depth, mut deepest, mut in_string) = (0_usize, 0, false);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if in_string => {
                bytes.next();
            }
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Some(deepest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(event: &str, path: &str) -> String {
        Event::new(event.to_owned().into()).find(path).unwrap()
    }

    #[test]
    fn texts_numbers_and_booleans_come_as_they_are() {
        let event = r#"{"a":{"b":[1,"zwei",3.50,true,null,{"x":1}]},"big":12345678901234567890,"t":"\u00e9\n","e":-1.5e3,"far":1e400}"#;
        for (path, expected) in [
            ("a.b.0", "1"),
            ("a.b.1", "zwei"),
            ("a.b.2", "3.5"),
            ("a.b.3", "true"),
            ("a.b.4", ""),
            ("a.b.5", r#"{"x":1}"#),
            ("a.b.6", ""),
            ("a.b.#", "6"),
            ("nothing", ""),
            ("big", "12345678901234567890"),
            ("t", "é\n"),
            ("e", "-1500"),
            ("far", "1e400"),
            ("a.*.1", "zwei"),
            ("?.b.1", "zwei"),
        ] {
            assert_eq!(find(event, path), expected, "{path}");
        }
    }

    #[test]
    fn events_that_are_not_json_have_their_text_and_nothing_in_it() {
        for event in ["", "{\"a\":", "nul", "[1,]", "a=b&c=d"] {
            assert_eq!(find(event, "a"), "");
            assert_eq!(Event::new(event.to_owned().into()).text(), event);
        }
        assert_eq!(Event::new(Bytes::from_static(b"\"\xff\"")).text(), "\"\u{fffd}\"");
        assert_eq!(find("\"a\"", "a"), "");
        assert_eq!(find("17", "a"), "");
    }

    #[test]
    fn paths_that_would_take_long_are_refused() {
        let event = Event::new("{}".into());
        event.find(&"a".repeat(LONGEST_PATH + 1)).expect_err("a long path");
        event.find(&"@this|".repeat(17)).expect_err("many modifiers");
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let event = Event::new(deep.into());
        event.find("@flatten:{\"deep\":true}").expect_err("a deep event");
        assert_eq!(event.find("#").unwrap(), "1");
    }
}
