//! The way of a request to a function that was written for Scaleway: what their core runtime does before and after it.
//! Contract: the core runtime of Scaleway's functions, in the order of its steps.
//!
//! 1. Every response allows other origins to read it, unless the handler says otherwise. Where Trine stands in for the core
//!    runtime, the log tells of the request.
//! 2. `/robots.txt` and `/favicon.ico` do not exist.
//! 3. A private function asks for a token ([`access`]).
//! 4. A body has a largest size; what calls a function is one of a few triggers.
//! 5. The handler is called; its result becomes a response in `response/scaleway.rs`.

mod access;
mod service;
mod settings;
mod sub_runtime;

pub(super) use access::Denied;
pub use access::{Access, TokenCheck};
pub use settings::Scaleway;
pub use sub_runtime::SubRuntime;

use super::response::{Reply, finish};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::borrow::Cow;
use trine_engine::{Error, ErrorDialect, ErrorKind, ErrorRecord};

const TRIGGER_TYPE: &str = "scw_trigger_type";
/// How a text begins that tells of a failure of the handler, as the core runtime spells it.
const FAILED: &str = "An error occured during handler execution: ";
const NO_MODULE: &str = "Function Handler does not exist, check that you provided the right HANDLER parameter (path to \
                         your module with exported function to use)";
/// How that ends where the handler is in Python.
const SEE_LOGS: &str = ", check your function logs";
const NO_FUNCTION: &str = "Provided Handler does not exist, or does not export methods properly.";

/// What has a function called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// A client, who gets the function's response.
    Http,
    /// A message of MQTT, whose text is the event.
    Mqtt,
    /// A schedule or a queue: its message is the body of an event.
    Queue,
}

impl Trigger {
    /// Returns what has sent a request; `None` where that is not known here.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        match headers.get(TRIGGER_TYPE).map_or(&b""[..], HeaderValue::as_bytes) {
            b"" | b"http" => Some(Self::Http),
            b"mqtt" => Some(Self::Mqtt),
            b"cron" | b"nats" | b"sqs" | b"queue" => Some(Self::Queue),
            _ => None,
        }
    }
}

/// Returns the response to a request that a function did not get to see, or that it failed at: a line of text.
pub(super) fn told(method: &Method, status: StatusCode, text: &str) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let body = Bytes::from(format!("{text}\n"));
    finish(method, status, headers, body, "text/plain; charset=utf-8")
}

/// Returns the response for a function's error; `None` is one that is not to be shown.
pub(super) fn failure(
    method: &Method,
    kind: ErrorKind,
    error: Option<&Error>,
    dialect: ErrorDialect,
) -> Reply {
    let status = match kind {
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let reason = match error {
        Some(error) => reason(error, dialect),
        None => status.canonical_reason().unwrap_or("Error").into(),
    };
    failed(method, status, &reason)
}

/// Returns the response for a result that is none; `None` is a reason that is not to be shown.
pub(super) fn malformed(method: &Method, reason: Option<&str>) -> Reply {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    failed(method, status, reason.unwrap_or("Internal Server Error"))
}

fn failed(method: &Method, status: StatusCode, reason: &str) -> Reply {
    let mut reply = told(method, status, &format!("{FAILED}{reason}"));
    open_to_all(&mut reply);
    reply
}

/// Returns what callers are told of an error. That there is no such function is told as it always was.
fn reason(error: &Error, dialect: ErrorDialect) -> Cow<'_, str> {
    match error.kind() {
        ErrorKind::ImportModule | ErrorKind::UserCodeSyntax => match dialect.record {
            ErrorRecord::Traceback => format!("{NO_MODULE}{SEE_LOGS}").into(),
            ErrorRecord::Document => NO_MODULE.into(),
        },
        ErrorKind::HandlerNotFound => NO_FUNCTION.into(),
        _ => error.message().into(),
    }
}

/// Allows other origins to read a response, as far as its handler has not decided about that.
pub(super) fn open_to_all(reply: &mut Reply) {
    let headers = reply.headers_mut();
    headers.entry(header::ACCESS_CONTROL_ALLOW_ORIGIN).or_insert(HeaderValue::from_static("*"));
    headers
        .entry(header::ACCESS_CONTROL_ALLOW_HEADERS)
        .or_insert(HeaderValue::from_static("Content-Type"));
}
