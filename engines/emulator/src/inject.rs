//! Carrying faults out: in place of an answer, or on top of it.

use super::{
    body::{self, Drip, ReplyBody},
    checks::{self, Connection, header_text},
    fault::{Fault, Moment},
    outcome::Answer,
    server::{self, Endpoint, json_reply},
    shared::Shared,
    state::{Claim, Ending, PostKind},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::json;
use std::{fmt, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// Time a client has to read what was sent before its connection is reset.
const BEFORE_RESET: Duration = Duration::from_millis(20);
/// Longest time the first bytes of a body may lag behind the head and still count as sent with it.
const ALONG_WITH_HEAD: Duration = Duration::from_millis(5);
const OVERLONG: usize = 64 * 1024;

/// The end of a connection in place of an HTTP answer.
#[derive(Debug)]
pub(super) struct Cut {
    /// The bytes that are sent first.
    bytes: Vec<u8>,
    /// Whether it ends in a reset rather than an orderly close.
    is_reset: bool,
}

impl Cut {
    fn close(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), is_reset: false }
    }

    pub(super) fn reset(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), is_reset: true }
    }

    /// Ends the connection.
    pub(super) async fn perform(self, mut stream: TcpStream) {
        // A client that has gone away meanwhile is not worse off.
        if !self.bytes.is_empty() {
            let _ = stream.write_all(&self.bytes).await;
        }
        if self.is_reset {
            if !self.bytes.is_empty() {
                tokio::time::sleep(BEFORE_RESET).await;
            }
            let _ = stream.set_zero_linger();
        } else {
            let _ = stream.shutdown().await;
        }
    }
}

/// The mark that tells hyper that the connection is no longer its own.
#[derive(Debug)]
pub(super) struct Disconnected;

impl fmt::Display for Disconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault has ended the connection")
    }
}

impl std::error::Error for Disconnected {}

/// A request that meets a fault.
pub(super) struct Affected<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) connection: &'a Connection,
    pub(super) endpoint: Endpoint,
    /// The id in the path, still percent-encoded.
    pub(super) subject: &'a str,
    pub(super) request: Request<Incoming>,
}

impl Affected<'_> {
    /// Answers the request as the fault demands.
    pub(super) async fn answer(self, fault: Fault) -> Result<Response<ReplyBody>, Disconnected> {
        match fault {
            Fault::Status(status) => Ok(self.refuse(status).await),
            Fault::Reset(Moment::RequestHead) => Err(self.cut_at_head().await),
            Fault::Reset(Moment::RequestBody) => Err(self.swallow(None).await),
            Fault::Silence { at_most } => Err(self.swallow(Some(at_most)).await),
            Fault::Reset(Moment::Processed) => {
                Err(self.carry_out_and_cut(|_, _| Cut::reset(Vec::new())).await)
            }
            Fault::Reset(Moment::ReplyBody) => Err(self
                .carry_out_and_cut(|mut head, body| {
                    head.extend_from_slice(&body[..body.len() / 2]);
                    Cut::reset(head)
                })
                .await),
            Fault::Truncate => Err(self
                .carry_out_and_cut(|mut head, body| {
                    head.extend_from_slice(&body[..body.len() / 2]);
                    Cut::close(head)
                })
                .await),
            Fault::MalformedHead => Err(self
                .carry_out_and_cut(|_, body| {
                    Cut::close([b"HTTP/1.1 2OO \x00fine\r\n: \r\n\r\n", body].concat())
                })
                .await),
            Fault::Drip { pieces, over } => {
                let mut reply = self.carry_out().await;
                let bytes = whole(reply.body_mut());
                *reply.body_mut() = ReplyBody::Drip(Drip::new(bytes, pieces, over));
                Ok(reply)
            }
            Fault::GarbageHeaders => {
                let mut reply = self.carry_out().await;
                spoil(reply.headers_mut());
                Ok(reply)
            }
            Fault::CloseAfter => {
                checks::excuse(self.shared);
                let connection = self.connection;
                let reply = self.carry_out().await;
                connection.close_after_reply();
                Ok(reply)
            }
            Fault::Repeat { new_attempt } => {
                self.carry_out_and(|state, id| state.repeat_later(id, new_attempt)).await
            }
            Fault::Forget { status } => {
                self.carry_out_and(|state, id| state.forget(id, status)).await
            }
        }
    }

    /// Returns the request's name in messages.
    fn what(&self) -> String {
        format!("{} {}", self.request.method(), self.request.uri().path())
    }

    async fn carry_out(self) -> Response<ReplyBody> {
        server::answer(self.shared, self.endpoint, self.subject, self.request).await
    }

    /// Carries the request out and changes what is known about the invocation that it hands out.
    async fn carry_out_and(
        self,
        change: impl FnOnce(&mut super::state::State, &str),
    ) -> Result<Response<ReplyBody>, Disconnected> {
        let shared = Arc::clone(self.shared);
        let reply = self.carry_out().await;
        if let Some(id) = handed_out(&reply) {
            shared.with_state(|state| change(state, id));
        }
        Ok(reply)
    }

    /// Carries the request out and sends its client what `cut` makes of the reply's head and body instead of the reply.
    async fn carry_out_and_cut(self, cut: impl FnOnce(Vec<u8>, &[u8]) -> Cut) -> Disconnected {
        let (shared, connection) = (Arc::clone(self.shared), self.connection);
        let (endpoint, what) = (self.endpoint, self.what());
        let mut reply = self.carry_out().await;
        let body = whole(reply.body_mut());
        let cut = cut(head_of(&reply, body.len().max(1)), &body);
        let is_post = what.starts_with("POST");
        // A client that has the status of a post knows what became of it.
        let is_known = is_post && cut.bytes.starts_with(b"HTTP/1.1 20");
        shared.with_state(|state| {
            if let Some(id) = handed_out(&reply) {
                state.undelivered(id);
            }
            if endpoint.is_runtime() && !is_known {
                state.connection_broke(&what, is_post);
            }
        });
        break_off(&shared, connection, cut)
    }

    /// Resets the connection when the head has arrived.
    async fn cut_at_head(self) -> Disconnected {
        let what = self.what();
        let claim = self.look_at_post();
        let Self { shared, connection, endpoint, request, .. } = self;
        let mut body = request.into_body();
        // What arrives along with the head was sent before the connection broke.
        let first = tokio::time::timeout(ALONG_WITH_HEAD, body.frame()).await;
        let body_was_sent = matches!(first, Ok(Some(_)));
        shared.with_state(|state| {
            if let Some(claim) = claim {
                state.release(claim);
            }
            if endpoint.is_runtime() {
                state.connection_broke(&what, body_was_sent);
            }
        });
        break_off(shared, connection, Cut::reset(Vec::new()))
    }

    /// Reads the request without carrying it out: the connection is closed after a time, or reset at once.
    async fn swallow(self, closed_after: Option<Duration>) -> Disconnected {
        let what = self.what();
        let claim = self.look_at_post();
        let Self { shared, connection, endpoint, request, .. } = self;
        let is_post = request.method() == http::Method::POST;
        body::drain(request.into_body()).await;
        shared.with_state(|state| {
            if let Some(claim) = claim {
                state.release(claim);
            }
            if endpoint.is_runtime() {
                state.connection_broke(&what, is_post);
            }
        });
        let cut = match closed_after {
            None => Cut::reset(Vec::new()),
            Some(limit) => {
                tokio::time::sleep(limit).await;
                Cut::close(Vec::new())
            }
        };
        break_off(shared, connection, cut)
    }

    /// Answers with a status instead of carrying the request out.
    async fn refuse(self, status: u16) -> Response<ReplyBody> {
        let what = self.what();
        let claim = self.look_at_post();
        let Self { shared, endpoint, request, .. } = self;
        body::drain(request.into_body()).await;
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        shared.with_state(|state| {
            match claim {
                Some(claim) if status.is_server_error() => {
                    state.ledger.refused(&claim.request_id);
                    state.release(claim);
                }
                Some(claim) => {
                    let answer = refused_answer(&claim.request_id, status);
                    state.end(claim.attempt, answer, Ending::Refused);
                }
                None => {}
            }
            let ends = match endpoint {
                Endpoint::Next | Endpoint::InitError | Endpoint::RestoreError => true,
                Endpoint::Response | Endpoint::Error => status.is_server_error(),
                _ => false,
            };
            if ends {
                state.must_end(format!("{what} was answered with {}", status.as_u16()));
            }
        });
        let error_type = match status.as_u16() {
            400 => "InvalidRequestID",
            403 => "InvalidStateTransition",
            410 => "InvokeTimeout",
            413 => "RequestEntityTooLarge",
            500.. => "InternalServerError",
            _ => "InjectedFault",
        };
        let text = json!({"errorMessage": "an injected fault", "errorType": error_type});
        json_reply(status, text.to_string())
    }

    /// Checks a post and records breaches as usual, even where a fault keeps the post from taking effect.
    fn look_at_post(&self) -> Option<Claim> {
        let kind = match self.endpoint {
            Endpoint::Response => PostKind::Response,
            Endpoint::Error => PostKind::Error,
            _ => return None,
        };
        let request_id = super::answers::percent_decoded(self.subject);
        let invocation_id = header_text(self.request.headers(), "lambda-runtime-invocation-id");
        let mut breaches = Vec::new();
        let claim = self
            .shared
            .with_state(|state| state.claim(&request_id, invocation_id, kind, &mut breaches));
        if !breaches.is_empty() {
            self.shared.record(breaches);
        }
        claim.ok()
    }
}

/// Gives up the request: the connection ends with `cut`.
fn break_off(shared: &Shared, connection: &Connection, cut: Cut) -> Disconnected {
    checks::excuse(shared);
    connection.set_cut(cut);
    Disconnected
}

/// Returns the request id of the event in a reply of `/next`.
fn handed_out(reply: &Response<ReplyBody>) -> Option<&str> {
    header_text(reply.headers(), "lambda-runtime-aws-request-id")
}

/// Returns what a caller gets when the answer was refused.
fn refused_answer(request_id: &str, status: StatusCode) -> Answer {
    let error_type = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Function.ResponseSizeTooLarge",
        _ => "Sandbox.Failure",
    };
    let message =
        format!("RequestId: {request_id} Error: the answer was refused with {}", status.as_u16());
    Answer::Platform { error_type, message }
}

/// Returns the bytes of a reply that is known as a whole; none of one that is passed on.
fn whole(body: &mut ReplyBody) -> Bytes {
    match body {
        ReplyBody::Full(bytes) => bytes.take().unwrap_or_default(),
        ReplyBody::Messages(_) | ReplyBody::Pieces(_) | ReplyBody::Drip(_) => Bytes::new(),
    }
}

/// Returns a reply's head as it goes over the wire.
fn head_of(reply: &Response<ReplyBody>, length: usize) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {}\r\n", reply.status()).into_bytes();
    for (name, value) in reply.headers() {
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(format!("content-length: {length}\r\n\r\n").as_bytes());
    head
}

/// Puts nonsense into every header that a runtime can do without, and adds more.
fn spoil(headers: &mut HeaderMap) {
    let not_ascii = || HeaderValue::from_bytes(b"\xff\xfe\x80 caf\xc3\xa9").ok();
    let overlong = || HeaderValue::from_bytes(&[b'x'; OVERLONG]).ok();
    let mut set = |name: &'static str, value: Option<HeaderValue>| {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    };
    set("lambda-runtime-deadline-ms", Some(HeaderValue::from_static("soon")));
    set("lambda-runtime-trace-id", not_ascii());
    set("lambda-runtime-cognito-identity", not_ascii());
    set("lambda-runtime-client-context", overlong());
    set("lambda-runtime-invoked-function-arn", overlong());
    set("lambda-runtime-aws-tenant-id", not_ascii());
    set("lambda-runtime-unheard-of", overlong());
}
