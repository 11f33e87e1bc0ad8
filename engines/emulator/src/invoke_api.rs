//! The caller's side over HTTP: Lambda's Invoke and InvokeWithResponseStream operations.
//! Contract: AWS Lambda API reference, Invoke (2015-03-31) and InvokeWithResponseStream (2021-11-15).

use super::{
    answers::percent_decoded,
    body::{self, Collected, Live, ReplyBody},
    checks::header_text,
    options::{MAX_ASYNC_EVENT_BYTES, MAX_EVENT_BYTES},
    outcome::{Answer, Event, Outcome},
    server::{json_reply, status},
    shared::Shared,
    state::StreamPart,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::mpsc;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const ERROR_KIND: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Number of pieces of a streamed response that may wait for a slow caller before the runtime has to wait.
pub(super) const PARTS_IN_FLIGHT: usize = 16;

/// A request that was turned away before it became an invocation.
struct Rejection {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl Rejection {
    fn reply(&self) -> Response<ReplyBody> {
        let text = json!({"Type": "User", "message": self.message}).to_string();
        let mut reply = json_reply(self.status, text);
        reply.headers_mut().insert(ERROR_KIND, HeaderValue::from_static(self.kind));
        reply
    }
}

/// Whether a path belongs to the callers' API rather than the runtime's.
pub(super) fn has(path: &str) -> bool {
    path.starts_with("/2015-03-31/") || path.starts_with("/2021-11-15/")
}

/// Returns the reply for a path of the API that the emulator does not have.
pub(super) fn not_found(path: &str) -> Response<ReplyBody> {
    let message = format!(
        "{path} is no path to invoke a function: use /2015-03-31/functions/{{name}}/invocations or \
         /2021-11-15/functions/{{name}}/response-streaming-invocations"
    );
    let status = StatusCode::NOT_FOUND;
    Rejection { status, kind: "ResourceNotFoundException", message }.reply()
}

/// Returns the reply for a request that is not a POST.
pub(super) fn wrong_method(method: &Method) -> Response<ReplyBody> {
    let message =
        format!("a function is invoked with POST, not {method}: send the event as the body");
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Rejection { status, kind: "MethodNotAllowedException", message }.reply()
}

/// Carries out Invoke: waits for the answer, queues the event (`Event`), or does nothing (`DryRun`).
pub(super) async fn invoke(
    shared: &Arc<Shared>,
    name: &str,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let invocation_type = header_text(request.headers(), "x-amz-invocation-type");
    let invocation_type = invocation_type.unwrap_or("RequestResponse").to_owned();
    let limit = match invocation_type.as_str() {
        "RequestResponse" | "DryRun" => MAX_EVENT_BYTES,
        "Event" => MAX_ASYNC_EVENT_BYTES,
        other => {
            let message = format!("{other:?} is none of RequestResponse, Event, DryRun");
            body::drain(request.into_body()).await;
            let status = StatusCode::BAD_REQUEST;
            return Rejection { status, kind: "InvalidParameterValueException", message }.reply();
        }
    };
    let event = match read(shared, name, request, limit, &invocation_type).await {
        Ok(event) => event,
        Err(rejection) => return rejection.reply(),
    };
    if invocation_type == "DryRun" {
        return status(StatusCode::NO_CONTENT);
    }
    let (request_id, done) = shared.submit(event, None);
    if invocation_type == "Event" {
        let mut reply = status(StatusCode::ACCEPTED);
        set_text(reply.headers_mut(), REQUEST_ID, &request_id);
        return reply;
    }
    match done.await {
        Ok(outcome) => render(shared, &outcome),
        Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Carries out Invoke with a streamed answer: passes the bytes on as the runtime sends them, without the event-stream
/// framing of the real operation. An answer that is not streamed is returned as Invoke does.
pub(super) async fn invoke_streaming(
    shared: &Arc<Shared>,
    name: &str,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let event = match read(shared, name, request, MAX_EVENT_BYTES, "RequestResponse").await {
        Ok(event) => event,
        Err(rejection) => return rejection.reply(),
    };
    let (sender, mut parts) = mpsc::channel(PARTS_IN_FLIGHT);
    let (request_id, mut done) = shared.submit(event, Some(sender));
    let content_type = tokio::select! {
        biased;
        Some(StreamPart::Head { content_type }) = parts.recv() => content_type,
        outcome = &mut done => return match outcome {
            Ok(outcome) => render(shared, &outcome),
            Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR),
        },
    };
    let mut reply = Response::new(ReplyBody::Live(Live { parts, done: Some(done) }));
    let headers = reply.headers_mut();
    let content_type = content_type.as_deref().unwrap_or("application/octet-stream");
    set_text(headers, header::CONTENT_TYPE, content_type);
    set_text(headers, REQUEST_ID, &request_id);
    set_text(headers, EXECUTED_VERSION, &shared.options.function_version);
    let trailers = "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body";
    set_text(headers, header::TRAILER, trailers);
    reply
}

/// Reads an event and its facts from a request.
async fn read(
    shared: &Shared,
    name: &str,
    request: Request<Incoming>,
    limit: usize,
    invocation_type: &str,
) -> Result<Event, Rejection> {
    let (head, incoming) = request.into_parts();
    let body = match body::collect(incoming, limit, None).await {
        Collected::Whole { bytes, .. } => bytes,
        Collected::TooLarge { size } => {
            return Err(Rejection {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                kind: "RequestEntityTooLargeException",
                message: format!(
                    "{size} byte payload is too large for the {invocation_type} invocation type (limit {limit} bytes)"
                ),
            });
        }
        Collected::Truncated => {
            return Err(invalid_content("The request ended before its end"));
        }
    };
    let text = |name| header_text(&head.headers, name).map(str::to_owned);
    // A caller that sends nothing sends an empty object, whatever its type.
    let empty = body.is_empty();
    Ok(Event {
        body: if empty { Bytes::from_static(b"{}") } else { body },
        // curl's own type for `-d` says nothing about the event.
        content_type: text("content-type")
            .filter(|kind| !empty && kind != "application/x-www-form-urlencoded"),
        client_context: client_context(&head.headers)?,
        identity: None,
        trace_id: text("x-amzn-trace-id"),
        tenant_id: text("x-amz-tenant-id"),
        invoked_function_arn: Some(invoked_arn(shared, &percent_decoded(name))),
        request_id: None,
        headers: Vec::new(),
    })
}

fn client_context(headers: &HeaderMap) -> Result<Option<String>, Rejection> {
    let Some(encoded) = headers.get("x-amz-client-context") else { return Ok(None) };
    let decoded = STANDARD.decode(encoded.as_bytes()).ok().and_then(|b| String::from_utf8(b).ok());
    match decoded {
        Some(text) => Ok(Some(text)),
        None => Err(invalid_content("Client context must be a valid Base64-encoded JSON object.")),
    }
}

fn invalid_content(message: &str) -> Rejection {
    Rejection {
        status: StatusCode::BAD_REQUEST,
        kind: "InvalidRequestContentException",
        message: message.to_owned(),
    }
}

/// Returns the invoked ARN. A name in the path may be a whole ARN, or carry an alias or a version.
fn invoked_arn(shared: &Shared, name: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    let own = shared.options.function_arn();
    match name.rsplit_once(':') {
        Some((_, qualifier)) => format!("{own}:{qualifier}"),
        None => own,
    }
}

fn render(shared: &Shared, outcome: &Outcome) -> Response<ReplyBody> {
    let mut reply = json_reply(StatusCode::OK, outcome.body());
    let headers = reply.headers_mut();
    set_text(headers, REQUEST_ID, &outcome.request_id);
    set_text(headers, EXECUTED_VERSION, &shared.options.function_version);
    match &outcome.result {
        Answer::Response { content_type, .. } => {
            if let Some(content_type) = content_type {
                set_text(headers, header::CONTENT_TYPE, content_type);
            }
            if outcome.error_type().is_some() {
                headers.insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
            }
        }
        Answer::Throttled => {
            headers.insert(ERROR_KIND, HeaderValue::from_static("TooManyRequestsException"));
            *reply.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        }
        _ => {
            headers.insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
        }
    }
    reply
}

fn set_text(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(name, value);
    }
}
