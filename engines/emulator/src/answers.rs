//! The two posts that answer an invocation: response, buffered or streamed, and error.

use super::{
    body::{self, Collected, PassedOn, ReplyBody},
    checks::{self, ERROR_TYPE, ERROR_WITH_CAUSE, RESPONSE_MODE, XRAY_CAUSE, header_text},
    options::{MAX_ERROR_BYTES, MAX_RESPONSE_BYTES, MAX_STREAMED_BYTES},
    outcome::{Answer, InitFailure},
    prelude::Beginning,
    refusal::Refusal,
    server::{accepted, cut_off, refused},
    shared::Shared,
    state::{Claim, Ending, PostKind, StreamPart},
    violation::rule,
};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use serde_json::Value;
use std::sync::Arc;

/// Answers a post for the invocation whose id is `subject`, still percent-encoded.
pub(super) async fn post(
    shared: &Arc<Shared>,
    subject: &str,
    kind: PostKind,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let request_id = percent_decoded(subject);
    let invocation_id = header_text(request.headers(), "lambda-runtime-invocation-id");
    let mut breaches = Vec::new();
    let claim =
        shared.with_state(|state| state.claim(&request_id, invocation_id, kind, &mut breaches));
    if !breaches.is_empty() {
        shared.record(breaches);
    }
    let claim = match claim {
        Ok(claim) => claim,
        Err(refusal) => {
            body::drain(request.into_body()).await;
            return refused(&refusal);
        }
    };
    let mut open = Open { shared, claim, is_over: false };
    let taken = match kind {
        PostKind::Response => take_response(&open, request).await,
        PostKind::Error => take_error(shared, request).await,
    };
    let is_error = kind == PostKind::Error;
    let (answer, how, reply) = match taken {
        Taken::Answer(answer) => (answer, Ending::Accepted { is_error }, accepted()),
        Taken::Refused(answer, refusal) => (answer, Ending::Refused, refused(&refusal)),
        Taken::TooMuch(answer, rest) => {
            let is_first = open.end(answer, Ending::Refused);
            // What is on its way is still read, or the refusal might not be.
            body::drain(rest).await;
            let refusal = Refusal::too_large(MAX_STREAMED_BYTES);
            return refused(&if is_first { refusal } else { Refusal::too_late() });
        }
        Taken::Unwanted => (Answer::Abandoned, Ending::Abandoned, cut_off()),
    };
    match open.end(answer, how) {
        true => reply,
        false => refused(&Refusal::too_late()),
    }
}

/// What a post amounts to.
enum Taken {
    /// An answer.
    Answer(Answer),
    /// Nothing that can be used; what the caller gets instead, and what the runtime is told.
    Refused(Answer, Refusal),
    /// A stream that has passed the limit; what the caller gets, and what is still to be read.
    TooMuch(Answer, Incoming),
    /// A stream whose caller has gone away.
    Unwanted,
}

/// A post under way. If its connection breaks, the caller gets a truncated response.
struct Open<'a> {
    shared: &'a Shared,
    claim: Claim,
    is_over: bool,
}

impl Open<'_> {
    /// Ends the invocation; returns `false` when the clock was faster.
    fn end(&mut self, answer: Answer, how: Ending) -> bool {
        self.is_over = true;
        self.claim.parts = None;
        self.shared.with_state(|state| {
            let is_first = state.end(self.claim.attempt, answer, how);
            if !is_first {
                state.ledger.refused(&self.claim.request_id);
            }
            is_first
        })
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            record_truncation(self.shared);
            self.end(truncated(), Ending::Refused);
        }
    }
}

fn truncated() -> Answer {
    platform("Runtime.TruncatedResponse", "The response ended before its end.")
}

fn platform(error_type: &'static str, message: impl Into<String>) -> Answer {
    Answer::Platform { error_type, message: message.into() }
}

fn record_truncation(shared: &Shared) {
    shared.record(vec![(rule::TRUNCATED_BODY, "of a post".into())]);
    checks::excuse(shared);
}

fn too_large(size: usize, limit: usize) -> Answer {
    let text = format!(
        "Response payload size ({size} bytes) exceeded maximum allowed payload size ({limit} bytes)."
    );
    platform("Function.ResponseSizeTooLarge", text)
}

fn cut_short(shared: &Shared) -> Taken {
    record_truncation(shared);
    Taken::Refused(truncated(), Refusal::truncated())
}

async fn take_response(open: &Open<'_>, request: Request<Incoming>) -> Taken {
    let shared = open.shared;
    let (head, incoming) = request.into_parts();
    let streamed = match head.headers.get(RESPONSE_MODE).map(http::HeaderValue::as_bytes) {
        None => false,
        Some(b"streaming") => true,
        Some(other) => {
            let detail = format!("{:?}", String::from_utf8_lossy(other));
            shared.record(vec![(rule::RESPONSE_MODE, detail)]);
            body::drain(incoming).await;
            let answer = platform("Runtime.InvalidResponseModeHeader", "");
            return Taken::Refused(answer, Refusal::response_mode());
        }
    };
    let content_type = header_text(&head.headers, "content-type").map(str::to_owned);
    let mut beginning = Beginning::of(content_type.as_deref());
    let (bytes, trailers) = match open.claim.parts.as_ref() {
        Some(parts) if streamed => {
            let head = StreamPart::Head { content_type: content_type.clone() };
            if parts.send(head).await.is_err() {
                return Taken::Unwanted;
            }
            let look = |piece: &Bytes| beginning.see(piece);
            match body::pass_on(incoming, MAX_STREAMED_BYTES, parts, look).await {
                PassedOn::Whole { trailers } => (Bytes::new(), trailers),
                PassedOn::TooLarge { size, rest } => {
                    return Taken::TooMuch(too_large(size, MAX_STREAMED_BYTES), rest);
                }
                PassedOn::Truncated => return cut_short(shared),
                PassedOn::Unwanted => {
                    checks::excuse(shared);
                    return Taken::Unwanted;
                }
            }
        }
        // The platform buffers a stream for whoever does not read one.
        _ => match body::collect(incoming, MAX_RESPONSE_BYTES).await {
            Collected::Whole { bytes, trailers } => {
                beginning.see(&bytes);
                (bytes, trailers)
            }
            Collected::TooLarge { size } => {
                let refusal = Refusal::too_large(MAX_RESPONSE_BYTES);
                return Taken::Refused(too_large(size, MAX_RESPONSE_BYTES), refusal);
            }
            Collected::Truncated => return cut_short(shared),
        },
    };
    let mut breaches = checks::streamed_post(&head.headers, &trailers);
    breaches.extend(beginning.breach());
    if !breaches.is_empty() {
        shared.record(breaches);
    }
    Taken::Answer(Answer::Response { bytes, content_type, streamed, trailers })
}

async fn take_error(shared: &Shared, request: Request<Incoming>) -> Taken {
    match ErrorPost::read(shared, request).await {
        Ok(ErrorPost { type_header, xray_cause, body }) => {
            Taken::Answer(Answer::Error { type_header, xray_cause, body })
        }
        Err(refusal) if refusal == Refusal::truncated() => Taken::Refused(truncated(), refusal),
        Err(refusal) => {
            let answer = platform("Function.ResponseSizeTooLarge", refusal.message.clone());
            Taken::Refused(answer, refusal)
        }
    }
}

/// An error document and what its headers say about it.
#[derive(Debug)]
pub(super) struct ErrorPost {
    type_header: Option<String>,
    xray_cause: Option<String>,
    body: Bytes,
}

impl ErrorPost {
    /// Reads an error post and records what is wrong with it.
    pub(super) async fn read(shared: &Shared, request: Request<Incoming>) -> Result<Self, Refusal> {
        let (head, incoming) = request.into_parts();
        let limit =
            if shared.options.is_concurrent() { MAX_ERROR_BYTES } else { MAX_RESPONSE_BYTES };
        let body = match body::collect(incoming, limit).await {
            Collected::Whole { bytes, .. } => bytes,
            Collected::TooLarge { .. } => return Err(Refusal::too_large(limit)),
            Collected::Truncated => {
                record_truncation(shared);
                return Err(Refusal::truncated());
            }
        };
        let breaches = checks::error_post(&head.headers, &body);
        if !breaches.is_empty() {
            shared.record(breaches);
        }
        Ok(Self::split(&head.headers, body))
    }

    /// Takes the X-Ray cause out of the document in the single-request form; callers do not see it.
    fn split(headers: &HeaderMap, body: Bytes) -> Self {
        let type_header = header_text(headers, ERROR_TYPE).map(str::to_owned);
        let xray_cause = header_text(headers, XRAY_CAUSE).map(str::to_owned);
        if header_text(headers, "content-type") == Some(ERROR_WITH_CAUSE)
            && let Ok(Value::Object(mut document)) = serde_json::from_slice(&body)
        {
            let cause = document.shift_remove("errorCause").map(|cause| cause.to_string());
            let body = Value::Object(document).to_string().into();
            return Self { type_header, xray_cause: xray_cause.or(cause), body };
        }
        Self { type_header, xray_cause, body }
    }

    pub(super) fn into_failure(self) -> InitFailure {
        let Self { type_header, xray_cause, body } = self;
        InitFailure { type_header, xray_cause, body }
    }
}

/// Turns `%41` into `A`; anything that is not an escape stays.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match tail {
            [high, low, ..] if *first == b'%' => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 16).ok()),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
