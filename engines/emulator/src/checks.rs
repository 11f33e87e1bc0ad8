//! Checks of requests before they are answered: transport rules that the platform itself does not enforce.
//! Contract: HTTP/1.1, one kept-alive connection per poller, a `User-Agent` whose first word has up to 128 characters.

use super::{
    inject::Cut,
    outcome::is_error_type,
    server::Endpoint,
    shared::{Shared, lock},
    state::{Breach, Phase},
    violation::rule,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, Method, Request, Version, header};
use serde_json::Value;
use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::watch;

pub(super) const RESPONSE_MODE: &str = "lambda-runtime-function-response-mode";
pub(super) const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
pub(super) const ERROR_BODY: &str = "lambda-runtime-function-error-body";
pub(super) const XRAY_CAUSE: &str = "lambda-runtime-function-xray-error-cause";
pub(super) const ERROR_WITH_CAUSE: &str = "application/vnd.aws.lambda.error.cause+json";

const MAX_USER_AGENT: usize = 128;
const MAX_CAUSE_BYTES: usize = 1024 * 1024;

/// A TCP connection and what is known about it.
#[derive(Debug, Default)]
pub(super) struct Connection {
    is_counted: AtomicBool,
    cut: Mutex<Option<Cut>>,
    closing: watch::Sender<bool>,
}

impl Connection {
    /// Makes the connection end with `cut` once its request has been given up.
    pub(super) fn set_cut(&self, cut: Cut) {
        *lock(&self.cut) = Some(cut);
    }

    pub(super) fn take_cut(&self) -> Option<Cut> {
        lock(&self.cut).take()
    }

    /// Makes the connection close after the reply that is about to leave.
    pub(super) fn close_after_reply(&self) {
        self.closing.send_replace(true);
    }

    /// Whether what is being written now is the last reply.
    pub(super) fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Waits until the connection has to close.
    pub(super) async fn closes(&self) {
        // The sender is part of `self`, so waiting cannot fail.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }
}

/// Numbers of connections that the runtime has opened, and of those that it had to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    opened: usize,
    excused: usize,
}

/// Returns a header's text, if it has one.
pub(super) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
}

/// Looks at a request of the runtime and records what is wrong with it.
pub(super) fn inspect<B>(
    shared: &Shared,
    connection: &Connection,
    endpoint: Endpoint,
    request: &Request<B>,
) {
    let mut breaches = Vec::new();
    let path = request.uri().path();
    let headers = request.headers();
    if request.version() == Version::HTTP_10 {
        breaches.push((rule::HTTP_VERSION, format!("HTTP/1.0 for {endpoint:?}")));
    } else if !headers.contains_key(header::HOST) {
        breaches.push((rule::HOST_MISSING, format!("in {endpoint:?}")));
    }
    match headers.get(header::USER_AGENT).map(http::HeaderValue::as_bytes) {
        None | Some([]) => breaches.push((rule::USER_AGENT_MISSING, format!("in {endpoint:?}"))),
        Some(agent) => {
            let release = agent.split(|byte| *byte == b' ').next().map_or(0, <[u8]>::len);
            if release > MAX_USER_AGENT {
                let detail = format!("{release} characters in {endpoint:?}");
                breaches.push((rule::USER_AGENT_LONG, detail));
            }
        }
    }
    let has_length = headers.contains_key(header::CONTENT_LENGTH)
        || headers.contains_key(header::TRANSFER_ENCODING);
    if *request.method() == Method::POST && !has_length {
        breaches.push((rule::BODY_WITHOUT_LENGTH, format!("in {endpoint:?}")));
    }
    let (phase, fatal) = shared.with_state(|state| (state.phase, state.count_request()));
    // A second init/error is a rule of its own.
    if endpoint != Endpoint::InitError && phase == Phase::InitError {
        breaches.push((rule::CALL_AFTER_INIT_ERROR, format!("{} {path}", request.method())));
    }
    breaches.extend(fatal);
    breaches.extend(count(shared, connection, headers.contains_key(RESPONSE_MODE)));
    if !breaches.is_empty() {
        shared.record(breaches);
    }
}

/// Counts connections. Twice as many as pollers are fine, because a client's pool may get a connection back a moment
/// too late, and one more for the time before the first `/next`. A streamed response may cost its connection.
fn count(shared: &Shared, connection: &Connection, is_stream: bool) -> Option<Breach> {
    let is_new = !connection.is_counted.swap(true, Ordering::Relaxed);
    if !is_new && !is_stream {
        return None;
    }
    let mut tally = lock(&shared.connections);
    tally.opened += usize::from(is_new);
    tally.excused += usize::from(is_stream);
    let pollers = shared.options.concurrency.max(1);
    (tally.opened > 2 * pollers + 1 + tally.excused).then(|| {
        let detail = format!("over {} connections for {pollers} in flight", 2 * pollers + 1);
        (rule::NO_KEEP_ALIVE, detail)
    })
}

/// Excuses one more lost connection, which is not a failure to keep alive.
pub(super) fn excuse(shared: &Shared) {
    lock(&shared.connections).excused += 1;
}

/// Starts counting from zero for a new process.
pub(super) fn forget_connections(shared: &Shared) {
    *lock(&shared.connections) = Tally::default();
}

/// Returns what is wrong with an error post.
pub(super) fn error_post(headers: &HeaderMap, body: &[u8]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    if let Some(error_type) = header_text(headers, ERROR_TYPE)
        && !is_error_type(error_type)
    {
        breaches.push((rule::ERROR_TYPE_HEADER, format!("{error_type:?}")));
    }
    let media_type = header_text(headers, "content-type").unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if essence != "application/json" && essence != ERROR_WITH_CAUSE {
        breaches.push((rule::ERROR_CONTENT_TYPE, format!("{media_type:?}")));
    }
    if let Some(detail) = bad_document(body) {
        breaches.push((rule::ERROR_BODY, detail));
    }
    if let Some(cause) = headers.get(XRAY_CAUSE).map(http::HeaderValue::as_bytes) {
        let is_object = serde_json::from_slice::<Value>(cause).is_ok_and(|value| value.is_object());
        if !is_object || cause.len() >= MAX_CAUSE_BYTES {
            let detail = format!("{} bytes, a JSON object: {is_object}", cause.len());
            breaches.push((rule::XRAY_CAUSE, detail));
        }
    }
    breaches
}

fn bad_document(body: &[u8]) -> Option<String> {
    let document: Value = match serde_json::from_slice(body) {
        Ok(document) => document,
        Err(error) => return Some(format!("is no JSON: {error}")),
    };
    ["errorMessage", "errorType"]
        .into_iter()
        .find(|member| !document.get(member).is_some_and(Value::is_string))
        .map(|member| format!("has no text {member}: {document}"))
}

/// Returns what is wrong with a response in streaming mode, judging by its headers and trailers.
pub(super) fn streamed_post(headers: &HeaderMap, trailers: &[(String, String)]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let is_chunked = header_text(headers, "transfer-encoding")
        .is_some_and(|coding| coding.to_ascii_lowercase().contains("chunked"));
    if header_text(headers, RESPONSE_MODE).is_some() && !is_chunked {
        breaches.push((rule::STREAM_NOT_CHUNKED, "Content-Length in streaming mode".into()));
    }
    // They may be announced in one line or in several.
    let announced = headers.get_all(header::TRAILER).iter();
    let announced: Vec<String> = announced
        .filter_map(|names| names.to_str().ok())
        .flat_map(|names| names.split(',').map(|name| name.trim().to_ascii_lowercase()))
        .collect();
    for (name, value) in trailers {
        if !announced.contains(name) {
            breaches.push((rule::TRAILERS, format!("{name} is not in the Trailer header")));
        }
        let decoded = || STANDARD.decode(value).unwrap_or_default();
        if name == ERROR_BODY
            && let Some(detail) = bad_document(&decoded())
        {
            breaches.push((rule::TRAILERS, format!("{name} {detail}")));
        }
        if name == ERROR_TYPE && value.is_empty() {
            breaches.push((rule::TRAILERS, format!("{name} is empty")));
        }
    }
    breaches
}
