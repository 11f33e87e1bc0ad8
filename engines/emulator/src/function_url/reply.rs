//! From a function's answer to an HTTP response: the members of a result of payload format 2.0, or a stream with or
//! without a prelude.

use super::super::{
    body::ReplyBody,
    directory::Pending,
    outcome::{Answer, Outcome},
    parts::Parts,
    prelude::Prelude,
    server::status,
    state::StreamPart,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::Value;
use std::{
    io,
    task::{Context, Poll, ready},
};

/// Headers of a function that the connection decides about.
const NOT_TAKEN: [HeaderName; 4] =
    [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION, header::UPGRADE];

/// Makes the response of an answer that was not streamed.
pub(super) fn of_outcome(outcome: &Outcome) -> Response<ReplyBody> {
    let Answer::Response { bytes, .. } = &outcome.result else {
        return match &outcome.result {
            Answer::Throttled => text(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests"),
            _ => failed(),
        };
    };
    if outcome.error_type().is_some() {
        return failed();
    }
    of_result(bytes)
}

/// Makes the response of a result: its members where it has a status, else the whole of it as JSON.
fn of_result(bytes: &Bytes) -> Response<ReplyBody> {
    let result: Value = match serde_json::from_slice(bytes) {
        Ok(result) => result,
        Err(_) if bytes.is_empty() => return with_body(StatusCode::OK, Bytes::new()),
        Err(_) => return failed(),
    };
    let Some(code) = result.get("statusCode") else {
        let body = match result {
            Value::String(text) => text.into(),
            _ => bytes.clone(),
        };
        return with_body(StatusCode::OK, body);
    };
    let code = match code {
        Value::String(digits) => digits.parse().ok(),
        code => code.as_u64(),
    };
    let code = code.and_then(|code| u16::try_from(code).ok());
    let Some(code) = code.and_then(|code| StatusCode::from_u16(code).ok()) else { return failed() };
    let body = match result.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) if result["isBase64Encoded"] == Value::Bool(true) => {
            match STANDARD.decode(text) {
                Ok(decoded) => decoded.into(),
                Err(_) => return failed(),
            }
        }
        Some(Value::String(text)) => text.clone().into(),
        Some(other) => other.to_string().into(),
    };
    let mut reply = with_body(code, body);
    for (name, value) in result["headers"].as_object().into_iter().flatten() {
        match value {
            Value::String(text) => set(reply.headers_mut(), name, text),
            Value::Number(_) | Value::Bool(_) => set(reply.headers_mut(), name, &value.to_string()),
            _ => {}
        }
    }
    for cookie in result["cookies"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        add_cookie(reply.headers_mut(), cookie);
    }
    reply
}

/// Makes the response of a stream: what its prelude says, else success and the stream's own media type.
pub(super) fn of_stream(
    prelude: Option<&Prelude>,
    content_type: Option<&str>,
    pieces: Pieces,
) -> Response<ReplyBody> {
    let mut reply = Response::new(ReplyBody::Pieces(Box::new(pieces)));
    let Some(prelude) = prelude else {
        let kind = content_type.unwrap_or("application/octet-stream");
        set(reply.headers_mut(), header::CONTENT_TYPE.as_str(), kind);
        return reply;
    };
    let Ok(code) = StatusCode::from_u16(prelude.status) else { return failed() };
    *reply.status_mut() = code;
    for (name, value) in &prelude.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value))
            && !NOT_TAKEN.contains(&name)
        {
            reply.headers_mut().append(name, value);
        }
    }
    for cookie in &prelude.cookies {
        add_cookie(reply.headers_mut(), cookie);
    }
    if !reply.headers().contains_key(header::CONTENT_TYPE) {
        set(reply.headers_mut(), header::CONTENT_TYPE.as_str(), "application/octet-stream");
    }
    reply
}

/// Makes the response of a function that has failed.
pub(super) fn failed() -> Response<ReplyBody> {
    text(StatusCode::BAD_GATEWAY, "Internal Server Error")
}

/// Makes a response of a few words.
pub(super) fn text(code: StatusCode, words: &str) -> Response<ReplyBody> {
    let mut reply = with_body(code, words.to_owned().into());
    set(reply.headers_mut(), header::CONTENT_TYPE.as_str(), "text/plain");
    reply
}

fn with_body(code: StatusCode, body: Bytes) -> Response<ReplyBody> {
    let has_none = matches!(code, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
        || code.is_informational();
    let mut reply = status(code);
    if !has_none {
        *reply.body_mut() = ReplyBody::full(body);
        set(reply.headers_mut(), header::CONTENT_TYPE.as_str(), "application/json");
    }
    reply
}

fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value))
        && !NOT_TAKEN.contains(&name)
    {
        headers.insert(name, value);
    }
}

fn add_cookie(headers: &mut HeaderMap, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        headers.append(header::SET_COOKIE, value);
    }
}

/// The body of a stream, passed on as it arrives.
pub(crate) struct Pieces {
    /// What came along with the prelude.
    first: Bytes,
    parts: Parts<Pending>,
    is_over: bool,
}

impl Pieces {
    pub(super) fn new(first: Bytes, parts: Parts<Pending>) -> Self {
        Self { first, parts, is_over: false }
    }

    /// Whether everything was passed on.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Returns the next piece, or an error where the rest will not come: all that is left then is to break off.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if !self.first.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.first))));
        }
        if self.is_over {
            return Poll::Ready(None);
        }
        while let Some(part) = ready!(self.parts.poll_next(cx)) {
            if let StreamPart::Chunk(bytes) = part {
                return Poll::Ready(Some(Ok(bytes)));
            }
        }
        self.is_over = true;
        let ended_well = self
            .parts
            .finished()
            .and_then(Option::as_mut)
            .is_some_and(|end| end.outcome.error_type().is_none());
        let broke_off = || Err(io::Error::other("the function's stream broke off"));
        Poll::Ready((!ended_well).then(broke_off))
    }
}
