//! A client of Lambda's Runtime API: one connection, kept alive, no timeout while it waits for an event.

use super::outgoing::{Outgoing, StreamedBody};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header,
};
use http_body_util::BodyExt;
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use socket2::{SockRef, Socket};
use std::{
    future::{Future, poll_fn},
    io,
    mem::MaybeUninit,
    pin::{Pin, pin},
    task::Poll,
};
use tokio::{net::TcpStream, task::AbortHandle};

/// The beginning of the paths of answers.
const INVOCATION: &str = "/2018-06-01/runtime/invocation/";
const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const INIT_ERROR: &str = "/2018-06-01/runtime/init/error";
const RESTORE_NEXT: &str = "/2018-06-01/runtime/restore/next";
const RESTORE_ERROR: &str = "/2018-06-01/runtime/restore/error";
/// The user agent, whose first word the platform takes for the runtime's release.
pub(super) const USER_AGENT: &str = concat!("trine/", env!("CARGO_PKG_VERSION"));
/// The header that names one attempt at an invocation; echoed when the platform sends it.
pub(super) const INVOCATION_ID: HeaderName =
    HeaderName::from_static("lambda-runtime-invocation-id");
pub(super) const ERROR_TYPE: HeaderName =
    HeaderName::from_static("lambda-runtime-function-error-type");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const RESPONSE_MODE: HeaderName = HeaderName::from_static("lambda-runtime-function-response-mode");
/// The names of the trailers that tell how a streamed response has failed.
const TRAILERS: &str = "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body";
const XRAY_CAUSE: HeaderName = HeaderName::from_static("lambda-runtime-function-xray-error-cause");

/// Largest head of a reply, in bytes: the platform's megabyte of headers, and what else is read along with it.
const LARGEST_HEAD: usize = (1 << 20) + (64 << 10);
/// Maximum number of headers in a large head: what a map of them can hold.
const MOST_HEADERS: usize = 16 * 1024;

/// The reason why the Runtime API could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// A connection that cannot be made.
    #[error("cannot connect to the Runtime API at {address}: {source}")]
    Connect {
        /// The value of `AWS_LAMBDA_RUNTIME_API`.
        address: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// A connection that broke during an exchange.
    #[error("the Runtime API broke off during {path}: {source}")]
    Broken {
        /// The path of the request.
        path: String,
        /// The HTTP library's error.
        source: hyper::Error,
    },
    /// A refusal that leaves nothing to do but to end.
    #[error("the Runtime API answered {path} with {status}: {body}")]
    Refused {
        /// The path of the request.
        path: String,
        /// Its answer.
        status: StatusCode,
        /// The answer's body, cut short.
        body: String,
    },
    /// An event without an id to answer it by.
    #[error("the Runtime API sent an event without a request id (Lambda-Runtime-Aws-Request-Id)")]
    NoRequestId,
    /// A value that cannot be sent, because it is not valid in HTTP.
    #[error("cannot ask the Runtime API: {0}")]
    Request(#[from] http::Error),
}

/// An event that was handed out.
#[derive(Debug)]
pub struct Next {
    /// Its identification when it is answered.
    pub delivery: Delivery,
    /// The headers that came with it.
    pub headers: HeaderMap,
    /// The event.
    pub body: Bytes,
}

/// The identification of an attempt at an invocation when it is answered.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub(super) request_id: HeaderValue,
    pub(super) attempt: Option<HeaderValue>,
}

/// The platform's verdict on an answer. None of these is a reason to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Passed on to the caller.
    Accepted,
    /// Too late, or for an attempt that is over.
    Stale,
    /// Too large; the caller has been told so already.
    TooLarge,
    /// Refused for another reason.
    Refused(String),
}

/// A connection to the Runtime API. Its methods are for tasks of a [`tokio::task::LocalSet`].
pub struct RuntimeApi {
    address: String,
    host: HeaderValue,
    next: Uri,
    connection: Option<Connection>,
    /// Whether connections take large heads. Those cost a megabyte of memory that is written for every reply, so that
    /// they are for a platform that is known to send them.
    takes_large_heads: bool,
}

/// A connection that is kept from one exchange to the next.
struct Connection {
    sender: SendRequest<Outgoing>,
    /// Its socket, to ask the system about it.
    socket: Socket,
    /// The task that reads and writes.
    task: AbortHandle,
}

impl Connection {
    /// Whether a request can be sent. The system itself is asked: what the runtime knows of the socket is as old as the
    /// last turn of its loop, and the other side may have closed it while the function ran or the process was stopped.
    fn is_open(&self) -> bool {
        let waits = self.socket.peek(&mut [MaybeUninit::uninit()]);
        let nothing_came = waits.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        nothing_came && !self.sender.is_closed()
    }
}

impl RuntimeApi {
    /// Makes a client of the API at `address`, `host:port` as `AWS_LAMBDA_RUNTIME_API` gives it. Connects at first use.
    ///
    /// # Errors
    /// When the address is not valid in a `Host` header.
    pub fn new(address: &str) -> Result<Self, ApiError> {
        let host = HeaderValue::from_str(address).map_err(http::Error::from)?;
        let next = Uri::from_static(NEXT);
        let address = address.to_owned();
        Ok(Self { address, host, next, connection: None, takes_large_heads: false })
    }

    /// Returns the address of the API: `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Waits for the next event, without limit; returns `None` if `stop` comes first. Once an event is on its way it is
    /// taken, because nobody else will get it. A connection that breaks is replaced once, and so is one that does not
    /// take so many headers: the platform hands out the same event again.
    ///
    /// # Errors
    /// When the API is gone or refuses; the process should end then.
    pub async fn next(&mut self, stop: impl Future<Output = ()>) -> Result<Option<Next>, ApiError> {
        let mut stop = pin!(stop);
        let mut broke = false;
        loop {
            match self.try_next(stop.as_mut()).await {
                Err(ApiError::Broken { source, .. })
                    if source.is_parse_too_large() && !self.takes_large_heads =>
                {
                    self.takes_large_heads = true;
                }
                Err(ApiError::Broken { .. }) if !broke => broke = true,
                other => return other,
            }
            self.connection = None;
        }
    }

    async fn try_next(
        &mut self,
        mut stop: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Option<Next>, ApiError> {
        let request = self.request(Method::GET, self.next.clone(), Outgoing::default());
        if poll_fn(|cx| Poll::Ready(stop.as_mut().poll(cx).is_ready())).await {
            return Ok(None);
        }
        let response = tokio::select! {
            biased;
            response = self.exchange(NEXT, request) => response?,
            () = stop => return Ok(None),
        };
        let (head, body) = response.into_parts();
        let body = read(NEXT, body).await?;
        if head.status != StatusCode::OK {
            return Err(refused(NEXT, head.status, &body));
        }
        // Without an id the event could never be answered, and would be handed out again and again.
        let request_id = head
            .headers
            .get(REQUEST_ID)
            .filter(|id| !id.is_empty())
            .ok_or(ApiError::NoRequestId)?
            .clone();
        let attempt = head.headers.get(INVOCATION_ID).cloned();
        let delivery = Delivery { request_id, attempt };
        Ok(Some(Next { delivery, headers: head.headers, body }))
    }

    /// Posts a result.
    ///
    /// # Errors
    /// When the API is gone or broken; a mere refusal is a [`Verdict`].
    pub async fn respond(
        &mut self,
        delivery: &Delivery,
        body: Bytes,
        content_type: &'static str,
    ) -> Result<Verdict, ApiError> {
        let path = answer_path(delivery, "response");
        let content_type = HeaderValue::from_static(content_type);
        let request = self.answer(&path, body.into(), content_type, delivery.attempt.as_ref())?;
        self.post(&path, request).await
    }

    /// Posts a result while it is made. The connection ends with it.
    ///
    /// # Errors
    /// As [`RuntimeApi::respond`]. A caller who hangs up breaks the connection too.
    pub(super) async fn stream(
        &mut self,
        delivery: &Delivery,
        body: StreamedBody,
        content_type: HeaderValue,
    ) -> Result<Verdict, ApiError> {
        let path = answer_path(delivery, "response");
        let body = Outgoing::Streamed(body);
        let mut request = self.answer(&path, body, content_type, delivery.attempt.as_ref())?;
        let headers = request.headers_mut();
        headers.insert(RESPONSE_MODE, HeaderValue::from_static("streaming"));
        headers.insert(header::TRAILER, HeaderValue::from_static(TRAILERS));
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        let verdict = self.post(&path, request).await;
        // Where the platform has answered before the end, nobody reads the rest.
        self.disconnect();
        verdict
    }

    /// Posts a failure: its document, its type for the platform's metrics, its cause for X-Ray.
    ///
    /// # Errors
    /// As [`RuntimeApi::respond`].
    pub async fn fail(
        &mut self,
        delivery: &Delivery,
        document: String,
        error_type: &str,
        xray_cause: Option<&str>,
    ) -> Result<Verdict, ApiError> {
        let (path, attempt) = (answer_path(delivery, "error"), delivery.attempt.as_ref());
        self.fail_at(&path, attempt, document, error_type, xray_cause).await
    }

    /// Reports that the function could not be loaded. The process must end afterwards, whatever the answer.
    ///
    /// # Errors
    /// As [`RuntimeApi::respond`].
    pub async fn fail_init(
        &mut self,
        document: String,
        error_type: &str,
        xray_cause: Option<&str>,
    ) -> Result<Verdict, ApiError> {
        self.fail_at(INIT_ERROR, None, document, error_type, xray_cause).await
    }

    /// Reports that the function could not go on after a restore. The process must end afterwards, whatever the answer.
    ///
    /// # Errors
    /// As [`RuntimeApi::respond`].
    pub(super) async fn fail_restore(
        &mut self,
        document: String,
        error_type: &str,
        xray_cause: Option<&str>,
    ) -> Result<Verdict, ApiError> {
        self.fail_at(RESTORE_ERROR, None, document, error_type, xray_cause).await
    }

    async fn fail_at(
        &mut self,
        path: &str,
        attempt: Option<&HeaderValue>,
        document: String,
        error_type: &str,
        xray_cause: Option<&str>,
    ) -> Result<Verdict, ApiError> {
        let value = |text: &str| HeaderValue::from_str(text).map_err(http::Error::from);
        let mut request = self.answer(path, Bytes::from(document).into(), JSON, attempt)?;
        let headers = request.headers_mut();
        headers.insert(ERROR_TYPE, value(error_type)?);
        if let Some(cause) = xray_cause {
            headers.insert(XRAY_CAUSE, value(cause)?);
        }
        self.post(path, request).await
    }

    /// Waits for the restore of a snapshot, which is taken meanwhile; returns whether it has come before `stop`. The
    /// connection on which it is waited for is the only one then, and is not used again.
    ///
    /// # Errors
    /// When the API is gone or refuses.
    pub(super) async fn restore_next(
        &mut self,
        stop: impl Future<Output = ()>,
    ) -> Result<bool, ApiError> {
        self.disconnect();
        let request =
            self.request(Method::GET, Uri::from_static(RESTORE_NEXT), Outgoing::default());
        let response = tokio::select! {
            biased;
            response = self.exchange(RESTORE_NEXT, request) => response?,
            () = stop => return Ok(false),
        };
        let (head, body) = response.into_parts();
        let body = read(RESTORE_NEXT, body).await?;
        self.disconnect();
        match head.status {
            StatusCode::OK => Ok(true),
            status => Err(refused(RESTORE_NEXT, status, &body)),
        }
    }

    /// Ends the connection that is kept.
    fn disconnect(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.task.abort();
        }
    }

    /// Makes the request that posts an answer to `path`.
    fn answer(
        &self,
        path: &str,
        body: Outgoing,
        content_type: HeaderValue,
        attempt: Option<&HeaderValue>,
    ) -> Result<Request<Outgoing>, ApiError> {
        let uri = Uri::try_from(path).map_err(http::Error::from)?;
        let mut request = self.request(Method::POST, uri, body);
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, content_type);
        if let Some(attempt) = attempt {
            headers.insert(INVOCATION_ID, attempt.clone());
        }
        Ok(request)
    }

    /// Makes a request in place: the builder of requests moves the whole request for each header.
    fn request(&self, method: Method, uri: Uri, body: Outgoing) -> Request<Outgoing> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.clone());
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        request
    }

    async fn post(&mut self, path: &str, request: Request<Outgoing>) -> Result<Verdict, ApiError> {
        let (head, body) = self.exchange(path, request).await?.into_parts();
        let body = read(path, body).await?;
        match head.status {
            status if status.is_success() => Ok(Verdict::Accepted),
            StatusCode::GONE => Ok(Verdict::Stale),
            StatusCode::PAYLOAD_TOO_LARGE => Ok(Verdict::TooLarge),
            status if status.is_server_error() => Err(refused(path, status, &body)),
            status => Ok(Verdict::Refused(refused(path, status, &body).to_string())),
        }
    }

    /// Sends a request on the kept connection. A connection that turns out to be dead before any byte was sent (the
    /// environment was frozen meanwhile) is replaced, once. An answer must not go into a dead one: nobody could tell
    /// whether it has arrived, so it would not be sent again.
    async fn exchange(
        &mut self,
        path: &str,
        request: Request<Outgoing>,
    ) -> Result<Response<Incoming>, ApiError> {
        let mut connection = match self.connection.take() {
            Some(connection) if connection.is_open() => connection,
            _ => self.connect().await?,
        };
        let broken = |source| ApiError::Broken { path: path.to_owned(), source };
        let response = match connection.sender.try_send_request(request).await {
            Ok(response) => response,
            Err(mut error) => match error.take_message() {
                Some(request) => {
                    connection = self.connect().await?;
                    connection.sender.send_request(request).await.map_err(broken)?
                }
                None => return Err(broken(error.into_error())),
            },
        };
        self.connection = Some(connection);
        Ok(response)
    }

    async fn connect(&self) -> Result<Connection, ApiError> {
        let connect_error = |source| ApiError::Connect { address: self.address.clone(), source };
        let stream = TcpStream::connect(&self.address).await.map_err(connect_error)?;
        stream.set_nodelay(true).map_err(connect_error)?;
        let socket = SockRef::from(&stream).try_clone().map_err(connect_error)?;
        let mut builder = http1::Builder::new();
        if self.takes_large_heads {
            builder.max_headers(MOST_HEADERS).max_buf_size(LARGEST_HEAD);
        }
        let (mut sender, connection) = builder
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|source| ApiError::Broken { path: self.address.clone(), source })?;
        // Its errors reach the requests that they concern.
        let task = tokio::task::spawn_local(connection).abort_handle();
        sender
            .ready()
            .await
            .map_err(|source| ApiError::Broken { path: self.address.clone(), source })?;
        Ok(Connection { sender, socket, task })
    }
}

pub(super) fn answer_path(delivery: &Delivery, kind: &str) -> String {
    let id = delivery.request_id.as_bytes();
    let mut path = String::with_capacity(INVOCATION.len() + id.len() + 16);
    path.push_str(INVOCATION);
    match std::str::from_utf8(id) {
        // Identifiers are UUIDs in practice.
        Ok(id) if id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
            path.push_str(id);
        }
        // Anything else must not change the path.
        _ => path.extend(percent_encode(id, PATH_SEGMENT)),
    }
    path.push('/');
    path.push_str(kind);
    path
}

const PATH_SEGMENT: &percent_encoding::AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

async fn read(path: &str, body: Incoming) -> Result<Bytes, ApiError> {
    match body.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(source) => Err(ApiError::Broken { path: path.to_owned(), source }),
    }
}

fn refused(path: &str, status: StatusCode, body: &[u8]) -> ApiError {
    let body = String::from_utf8_lossy(&body[..body.len().min(1000)]).into_owned();
    ApiError::Refused { path: path.to_owned(), status, body }
}
