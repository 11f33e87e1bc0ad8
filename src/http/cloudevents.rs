//! CloudEvents 1.0: what is common to events that come in and events that go out.
//! Contracts: "CloudEvents" 1.0, its JSON format and its HTTP protocol binding.

use chrono::DateTime;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The media type of an event as one JSON object.
pub(super) const STRUCTURED: &str = "application/cloudevents+json";
/// The media type of a list of such objects.
pub(super) const BATCH: &str = "application/cloudevents-batch+json";
/// The beginning of the names of headers that are attributes.
pub(super) const PREFIX: &str = "ce-";
/// The attribute whose header is `Content-Type`.
pub(super) const CONTENT_TYPE: &str = "datacontenttype";
/// The members of a structured event that are its data.
pub(super) const DATA: &str = "data";
pub(super) const DATA_BASE64: &str = "data_base64";
/// The attributes that every event has.
pub(super) const REQUIRED: [&str; 4] = ["specversion", "id", "source", "type"];

/// The characters of attributes that headers have encoded, besides all beyond ASCII.
const IN_HEADERS: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// Returns an attribute's value as a header has it.
pub(super) fn encoded(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, IN_HEADERS).into()
}

/// Returns the value of an attribute's header; `None` where what it has encoded is not UTF-8. What should be encoded and is
/// not counts as well, in UTF-8 or else Latin-1: the SDK for JavaScript leaves it to its HTTP client.
pub(super) fn decoded(header: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(header) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => header.iter().copied().map(char::from).collect(),
    };
    let text = text.trim();
    let text = match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => Cow::Owned(unquoted(quoted)),
        None => Cow::Borrowed(text),
    };
    percent_decode_str(&text).decode_utf8().ok().map(Cow::into_owned)
}

/// Returns the inside of a quoted string without its backslashes.
fn unquoted(quoted: &str) -> String {
    let mut text = String::with_capacity(quoted.len());
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        text.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    text
}

/// Whether values of this media type are JSON values, and not texts or bytes.
pub(super) fn is_json(content_type: &str) -> bool {
    let essence = essence(content_type);
    essence.split_once('/').is_some_and(|(_, kind)| kind == "json" || kind.ends_with("+json"))
}

/// Whether values of this media type are texts.
pub(super) fn is_text(content_type: &str) -> bool {
    let essence = essence(content_type);
    essence.starts_with("text/") || essence.ends_with("/xml") || essence.ends_with("+xml")
}

/// Returns a media type without its parameters, in lower case.
pub(super) fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

/// Checks an event's attributes, and removes those that are null, which are absent.
///
/// # Errors
/// What is wrong with one of them, in words.
pub(super) fn check(event: &mut Map<String, Value>) -> Result<(), String> {
    event.retain(|name, value| name == DATA || !value.is_null());
    for name in REQUIRED {
        match event.get(name) {
            None => return Err(format!("the attribute '{name}' is missing")),
            Some(Value::String(text)) if !text.is_empty() => {}
            Some(Value::String(_)) => return Err(format!("the attribute '{name}' is empty")),
            Some(other) => return Err(format!("the attribute '{name}' is {other}, not a text")),
        }
    }
    let version = event["specversion"].as_str().unwrap_or_default();
    if !version.starts_with("1.") {
        return Err(format!("the specversion is {version:?}; 1.0 is known"));
    }
    if event.contains_key(DATA) && event.contains_key(DATA_BASE64) {
        return Err(format!("it has both '{DATA}' and '{DATA_BASE64}'"));
    }
    for (name, value) in event.iter().filter(|(name, _)| *name != DATA && *name != DATA_BASE64) {
        if name.is_empty()
            || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        {
            return Err(format!("{name:?} is no name of an attribute: use a to z and 0 to 9"));
        }
        match value {
            Value::String(_) | Value::Bool(_) => {}
            Value::Number(number) if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {}
            _ => {
                return Err(format!("the attribute '{name}' is {value}, and can be no such value"));
            }
        }
    }
    for name in ["subject", "dataschema", CONTENT_TYPE] {
        if event.get(name).is_some_and(|value| value.as_str().is_none_or(str::is_empty)) {
            return Err(format!("the attribute '{name}' is no text, or empty"));
        }
    }
    match event.get("time") {
        None => Ok(()),
        Some(Value::String(time)) if DateTime::parse_from_rfc3339(time).is_ok() => Ok(()),
        Some(other) => Err(format!("the attribute 'time' is {other}, no time as RFC 3339 has it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(event: Value) -> Result<Value, String> {
        let Value::Object(mut event) = event else { panic!("it is an object") };
        check(&mut event)?;
        Ok(Value::Object(event))
    }

    #[test]
    fn headers_encode_what_they_cannot_carry() {
        for (text, header) in [
            ("plain/~!'", "plain/~!'"),
            ("Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"),
            ("\"50%\"", "%2250%25%22"),
        ] {
            assert_eq!(encoded(text), header);
            assert_eq!(decoded(header.as_bytes()).as_deref(), Some(text));
        }
        for (header, text) in
            [("%e2%82%ac", "€"), ("%41", "A"), ("\"a \\\"b\\\" %20\"", "a \"b\"  "), ("%zz", "%zz")]
        {
            assert_eq!(decoded(header.as_bytes()).as_deref(), Some(text), "{header}");
        }
        assert_eq!(decoded(b"gr\xf6\xdfe 50%").as_deref(), Some("größe 50%"));
        assert_eq!(decoded("größe".as_bytes()).as_deref(), Some("größe"));
        assert_eq!(decoded(b"%ff"), None);
    }

    #[test]
    fn attributes_have_names_and_values_of_their_kinds() {
        let event = |more: Value| {
            let mut event = json!({"specversion": "1.0", "id": "1", "source": "/a", "type": "t"});
            let more = more.as_object().unwrap().clone();
            event.as_object_mut().unwrap().extend(more);
            checked(event)
        };
        let fine = event(json!({
            "subject": "s", "time": "2026-01-31T10:00:00.5+01:00", "flag": true, "number": -7, "none": null,
            "data": null,
        }));
        assert!(fine.as_ref().is_ok_and(|fine| fine.get("none").is_none()), "{fine:?}");
        for (more, why) in [
            (json!({"id": null}), "'id' is missing"),
            (json!({"type": ""}), "'type' is empty"),
            (json!({"source": 1}), "'source' is 1, not a text"),
            (json!({"specversion": "0.3"}), "\"0.3\"; 1.0 is known"),
            (json!({"data": 1, "data_base64": ""}), "both 'data' and 'data_base64'"),
            (json!({"trace_id": "x"}), "\"trace_id\" is no name"),
            (json!({"Upper": "x"}), "\"Upper\" is no name"),
            (json!({"list": []}), "'list' is []"),
            (json!({"float": 1.5}), "'float' is 1.5"),
            (json!({"large": 3_000_000_000_u32}), "'large' is 3000000000"),
            (json!({"subject": ""}), "'subject' is no text, or empty"),
            (json!({"time": "yesterday"}), "'time' is \"yesterday\""),
        ] {
            let told = event(more).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn kinds_of_data_follow_the_media_type() {
        for json in ["application/json", "Application/JSON; charset=utf-8", "text/json", "a/b+json"]
        {
            assert!(is_json(json), "{json}");
        }
        for other in ["json", "application/jsonx", "text/plain", ""] {
            assert!(!is_json(other), "{other}");
        }
        assert!(is_text("text/plain; charset=utf-8") && is_text("image/svg+xml"));
        assert!(!is_text("application/octet-stream"));
    }
}
