//! Results as replies to CloudEvents: an event goes out as one, in the binary mode unless the sender asks for the
//! structured one; nothing is 204; any other result is answered as with payload format 2.0.

use super::{Malformed, Reply, append, finish, lenient};
use crate::http::{
    cloudevents::{
        CONTENT_TYPE, DATA, DATA_BASE64, PREFIX, REQUIRED, STRUCTURED, check, encoded, is_json,
    },
    event::text,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Map, Value};
use trine_engine::Payload;

/// Whether a sender wants events as JSON objects.
pub(super) fn is_wanted_structured(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter();
    accepted.any(|value| text(value).to_ascii_lowercase().contains(STRUCTURED))
}

/// Makes the reply for a result.
///
/// # Errors
/// [`Malformed`] when the result is meant as an event or a response and cannot be one.
pub(super) fn of(method: &Method, result: Payload, structured: bool) -> Result<Reply, Malformed> {
    if let Payload::Raw(_) = result {
        return lenient(method, result);
    }
    let (json, _) = result.into_bytes().map_err(|e| Malformed(e.to_string()))?;
    match serde_json::from_slice(&json) {
        Ok(Value::Null) => {
            Ok(finish(method, StatusCode::NO_CONTENT, HeaderMap::new(), Bytes::new(), ""))
        }
        Ok(Value::Object(event)) if REQUIRED.iter().all(|name| event.contains_key(*name)) => {
            event_reply(method, event, structured)
        }
        _ => lenient(method, Payload::Json(json)),
    }
}

fn event_reply(
    method: &Method,
    mut event: Map<String, Value>,
    structured: bool,
) -> Result<Reply, Malformed> {
    check(&mut event).map_err(|why| Malformed(format!("it is no CloudEvent: {why}")))?;
    let mut headers = HeaderMap::new();
    if structured {
        let content_type = HeaderValue::from_static("application/cloudevents+json; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, content_type);
        let body = Bytes::from(Value::Object(event).to_string());
        return Ok(finish(method, StatusCode::OK, headers, body, STRUCTURED));
    }
    let declared = event.remove(CONTENT_TYPE).and_then(|value| value.as_str().map(str::to_owned));
    let body = data(&mut event, declared.as_deref())?;
    let is_implied = declared.is_none() && body.as_ref().is_some_and(|(_, is_json)| *is_json);
    let content_type = declared.or_else(|| is_implied.then(|| "application/json".to_owned()));
    for (name, value) in &event {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let name = HeaderName::from_bytes(format!("{PREFIX}{name}").as_bytes())
            .map_err(|_| Malformed(format!("{name:?} is no valid header name")))?;
        append(&mut headers, name, &encoded(&text))?;
    }
    if let Some(content_type) = content_type {
        append(&mut headers, header::CONTENT_TYPE, &content_type)?;
    }
    let body = body.map(|(bytes, _)| bytes).unwrap_or_default();
    Ok(finish(method, StatusCode::OK, headers, body, "application/octet-stream"))
}

/// Takes an event's data as it is sent, and whether it is JSON.
fn data(
    event: &mut Map<String, Value>,
    declared: Option<&str>,
) -> Result<Option<(Bytes, bool)>, Malformed> {
    if let Some(encoded) = event.remove(DATA_BASE64) {
        let bytes = encoded.as_str().and_then(|text| STANDARD.decode(text).ok());
        let bytes = bytes.ok_or_else(|| {
            Malformed(format!("it is no CloudEvent: its '{DATA_BASE64}' is no base64"))
        })?;
        return Ok(Some((Bytes::from(bytes), false)));
    }
    match event.remove(DATA) {
        None => Ok(None),
        Some(value) if declared.is_none_or(is_json) => {
            Ok(Some((Bytes::from(value.to_string()), true)))
        }
        Some(Value::String(text)) => Ok(Some((Bytes::from(text), false))),
        Some(_) => Err(Malformed(format!(
            "it is no CloudEvent: its data is of the type {}, and no text",
            declared.unwrap_or_default()
        ))),
    }
}
