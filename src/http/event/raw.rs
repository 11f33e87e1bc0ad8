//! The body itself, for functions that answer no web requests.

use super::NoEvent;
use bytes::Bytes;
use serde::de::IgnoredAny;
use trine_engine::Payload;

/// Returns the body as the event; no body is an empty object, as in Lambda's Invoke API.
///
/// # Errors
/// Where it is no JSON.
pub(super) fn read(body: &Bytes) -> Result<Payload, NoEvent> {
    if body.is_empty() {
        return Ok(Payload::json("{}"));
    }
    match serde_json::from_slice::<IgnoredAny>(body) {
        Ok(_) => Ok(Payload::Json(body.clone())),
        Err(error) => Err(NoEvent::malformed(format!("the request's body is no JSON: {error}"))),
    }
}
