//! Requests that are CloudEvents: the event is the object of the JSON format, whichever mode it came in, with data that is
//! JSON as a value, data that is text as a text, and anything else as `data_base64`.

use super::NoEvent;
use crate::http::cloudevents::{
    BATCH, CONTENT_TYPE, DATA, DATA_BASE64, PREFIX, REQUIRED, STRUCTURED, check, decoded, essence,
    is_json, is_text,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{StatusCode, header, request::Parts};
use serde_json::{Map, Value};
use trine_engine::Payload;

/// What the media types of events begin with, whatever their format.
const ANY: &str = "application/cloudevents";

/// Reads the event that a request is.
///
/// # Errors
/// Where it is none: 415 for a format that is not known, 400 for anything else.
pub(super) fn read(parts: &Parts, body: &Bytes) -> Result<Payload, NoEvent> {
    let content_type = content_type(parts);
    let kind = content_type.as_deref().map(essence).unwrap_or_default();
    let event = match kind.as_str() {
        STRUCTURED => structured(json(body)?)?,
        other if other.starts_with(ANY) => return Err(unknown(other)),
        _ => binary(parts, body, content_type)?,
    };
    Ok(payload(event))
}

/// Whether a request is a list of events.
pub(in crate::http) fn is_batch(parts: &Parts) -> bool {
    content_type(parts).is_some_and(|content_type| essence(&content_type) == BATCH)
}

/// Reads the events of a list.
///
/// # Errors
/// Where one of them is none: then none of them counts.
pub(in crate::http) fn read_batch(body: &Bytes) -> Result<Vec<Payload>, NoEvent> {
    let Value::Array(events) = json(body)? else {
        return Err(NoEvent::malformed("a batch of CloudEvents is a list"));
    };
    let numbered = events.into_iter().enumerate();
    numbered
        .map(|(number, event)| match structured(event) {
            Ok(event) => Ok(payload(event)),
            Err(none) => Err(NoEvent::malformed(format!("event {number} of the batch: {none}"))),
        })
        .collect()
}

fn payload(event: Map<String, Value>) -> Payload {
    Payload::json(Value::Object(event).to_string())
}

fn unknown(kind: &str) -> NoEvent {
    let message =
        format!("events in the format {kind} are not understood: {STRUCTURED} and {BATCH} are");
    NoEvent { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, message }
}

fn content_type(parts: &Parts) -> Option<String> {
    parts.headers.get(header::CONTENT_TYPE).map(|value| super::text(value).into_owned())
}

fn json(body: &Bytes) -> Result<Value, NoEvent> {
    serde_json::from_slice(body)
        .map_err(|error| NoEvent::malformed(format!("the request's body is no JSON: {error}")))
}

/// Reads an event that is a JSON object.
fn structured(event: Value) -> Result<Map<String, Value>, NoEvent> {
    let Value::Object(mut event) = event else {
        return Err(NoEvent::malformed("a CloudEvent is an object"));
    };
    check(&mut event).map_err(no_event)?;
    if let Some(data) = event.get(DATA_BASE64) {
        let text = data.as_str().and_then(|text| STANDARD.decode(text).ok());
        let bytes = text.ok_or_else(|| no_event(format!("'{DATA_BASE64}' is no base64")))?;
        let declared = event.get(CONTENT_TYPE).and_then(Value::as_str).unwrap_or("").to_owned();
        if is_json(&declared) || is_text(&declared) {
            event.remove(DATA_BASE64);
            put_data(&mut event, &Bytes::from(bytes), &declared)?;
        }
    }
    Ok(event)
}

/// Reads an event whose attributes are headers and whose data is the body.
fn binary(
    parts: &Parts,
    body: &Bytes,
    content_type: Option<String>,
) -> Result<Map<String, Value>, NoEvent> {
    let mut event = Map::new();
    for (name, value) in &parts.headers {
        let Some(attribute) = name.as_str().strip_prefix(PREFIX) else { continue };
        let text = decoded(value.as_bytes())
            .ok_or_else(|| no_event(format!("the header '{name}' is not UTF-8")))?;
        event.insert(attribute.to_owned(), Value::String(text));
    }
    if event.is_empty() {
        let needed = REQUIRED.map(|name| format!("{PREFIX}{name}")).join(", ");
        return Err(NoEvent::malformed(format!(
            "the request is no CloudEvent: it has neither the headers {needed} nor the type {STRUCTURED}"
        )));
    }
    event.remove(CONTENT_TYPE);
    check(&mut event).map_err(no_event)?;
    let declared = content_type.unwrap_or_default();
    if !body.is_empty() {
        put_data(&mut event, body, &declared)?;
    }
    if !declared.is_empty() {
        event.insert(CONTENT_TYPE.to_owned(), Value::String(declared));
    }
    Ok(event)
}

/// Gives an event its data in the form that its type asks for.
fn put_data(event: &mut Map<String, Value>, body: &Bytes, declared: &str) -> Result<(), NoEvent> {
    let (name, value) = if is_json(declared) {
        let value = serde_json::from_slice(body)
            .map_err(|error| no_event(format!("its data is no JSON: {error}")))?;
        (DATA, value)
    } else {
        let may_be_text = is_text(declared) || declared.is_empty();
        match std::str::from_utf8(body) {
            Ok(text) if may_be_text => (DATA, Value::String(text.to_owned())),
            _ => (DATA_BASE64, Value::String(STANDARD.encode(body))),
        }
    };
    event.insert(name.to_owned(), value);
    Ok(())
}

fn no_event(why: impl std::fmt::Display) -> NoEvent {
    NoEvent::malformed(format!("the request is no CloudEvent: {why}"))
}
