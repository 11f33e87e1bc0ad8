//! As much of the Extensions API as an internal extension without events needs: it registers and waits forever, which
//! is how a runtime gets a SIGTERM before its end.

use super::{
    body::{self, Collected, ReplyBody},
    checks::header_text,
    refusal::Refusal,
    server::{json_reply, refused},
    shared::{Shared, lock},
    state::Phase,
    violation::rule,
};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::sync::Arc;

const MAX_EXTENSIONS: usize = 10;
const IDENTIFIER: HeaderName = HeaderName::from_static("lambda-extension-identifier");

/// A registered extension.
#[derive(Debug)]
pub(super) struct Extension {
    name: String,
    identifier: String,
}

/// Registers an extension: only before the first `/next`, only without events.
pub(super) async fn register(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let (head, incoming) = request.into_parts();
    let name = header_text(&head.headers, "lambda-extension-name").unwrap_or_default().to_owned();
    let Collected::Whole { bytes, .. } = body::collect(incoming, 64 * 1024).await else {
        return refused(&Refusal::truncated());
    };
    match check(shared, &name, &bytes) {
        Ok(()) => {}
        Err((error_type, message)) => {
            shared.record(vec![(rule::EXTENSION, message.clone())]);
            return refused(&Refusal::new(StatusCode::FORBIDDEN, error_type, message));
        }
    }
    let identifier = uuid::Uuid::new_v4().to_string();
    let options = &shared.options;
    let text = json!({
        "functionName": options.function_name,
        "functionVersion": options.function_version,
        "handler": options.handler,
    });
    let mut reply = json_reply(StatusCode::OK, text.to_string());
    if let Ok(value) = HeaderValue::from_str(&identifier) {
        reply.headers_mut().insert(IDENTIFIER, value);
    }
    lock(&shared.extensions).push(Extension { name, identifier });
    reply
}

fn check(shared: &Shared, name: &str, body: &[u8]) -> Result<(), (&'static str, String)> {
    if name.is_empty() {
        return Err(("Extension.InvalidExtensionName", "no Lambda-Extension-Name".into()));
    }
    let registered = lock(&shared.extensions);
    if registered.iter().any(|extension| extension.name == name) {
        return Err(("Extension.AlreadyRegistered", format!("{name} is registered already")));
    }
    if registered.len() >= MAX_EXTENSIONS {
        return Err(("Extension.TooManyExtensions", format!("more than {MAX_EXTENSIONS}")));
    }
    let phase = shared.with_state(|state| state.phase);
    if !matches!(phase, Phase::Started | Phase::RestoreReady) {
        let message = format!("{name} registers in state {}", phase.name());
        return Err(("Extension.RegistrationClosed", message));
    }
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| ("InvalidRequestFormat", format!("{name} sends no JSON: {error}")))?;
    match body.get("events").and_then(Value::as_array) {
        Some(events) if !events.is_empty() => {
            let message = format!("the emulator has no events for {name}: {}", json!(events));
            Err(("Extension.InvalidEventType", message))
        }
        _ => Ok(()),
    }
}

/// Waits forever: an internal extension without events never receives any.
pub(super) async fn next(shared: &Arc<Shared>, request: &Request<Incoming>) -> Response<ReplyBody> {
    let identifier = header_text(request.headers(), IDENTIFIER.as_str()).unwrap_or_default();
    let is_known = lock(&shared.extensions).iter().any(|known| known.identifier == identifier);
    if is_known {
        std::future::pending::<()>().await;
    }
    let detail = format!("{identifier:?} is no extension's identifier");
    shared.record(vec![(rule::EXTENSION, detail.clone())]);
    refused(&Refusal::new(StatusCode::FORBIDDEN, "Extension.UnknownExtensionIdentifier", detail))
}
