//! Connections and requests: accepts them, finds out what is asked for, calls the one function that answers it.

use super::{
    answers,
    body::{self, ReplyBody},
    checks::{self, Connection},
    directory::Directory,
    durable, extension_api,
    inject::{Affected, Cut, Disconnected},
    invoke_api,
    refusal::Refusal,
    runtime_api,
    shared::{LogEntry, Shared},
    socket::Socket,
    state::PostKind,
    violation::rule,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use std::{pin::Pin, sync::Arc};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Everything that the emulator answers. One variant is one place in which an answer is made, and so also the place
/// in which a [`Fault`](super::Fault) is substituted for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `GET /2018-06-01/runtime/invocation/next`
    Next,
    /// `POST /2018-06-01/runtime/invocation/{id}/response`
    Response,
    /// `POST /2018-06-01/runtime/invocation/{id}/error`
    Error,
    /// `POST /2018-06-01/runtime/init/error`
    InitError,
    /// `GET /2018-06-01/runtime/restore/next`
    RestoreNext,
    /// `POST /2018-06-01/runtime/restore/error`
    RestoreError,
    /// `GET /2018-06-01/ping`
    Ping,
    /// `POST /2020-01-01/extension/register`
    ExtensionRegister,
    /// `GET /2020-01-01/extension/event/next`
    ExtensionNext,
    /// `POST /2015-03-31/functions/{name}/invocations`
    Invoke,
    /// `POST /2021-11-15/functions/{name}/response-streaming-invocations`
    InvokeStreaming,
    /// `GET /2015-03-31/functions/{name}`
    GetFunction,
    /// `GET /2015-03-31/functions/{name}/configuration`
    GetFunctionConfiguration,
    /// `GET /2015-03-31/functions`
    ListFunctions,
    /// `/2025-12-01/…`: durable executions and their callbacks
    Durable,
    /// Any other path.
    Unknown,
}

impl Endpoint {
    /// Returns the endpoint of a path, and the id or name in it.
    pub(super) fn of(path: &str) -> (Self, &str) {
        // The SDKs put a slash at the end of this one.
        let path = if path == "/2015-03-31/functions/" { "/2015-03-31/functions" } else { path };
        if path.starts_with(durable::API) {
            return (Self::Durable, "");
        }
        let mut parts = path.split('/').skip(1);
        let mut part = || parts.next().unwrap_or_default();
        let found = match (part(), part(), part(), part(), part()) {
            ("2018-06-01", "runtime", "invocation", "next", "") => (Self::Next, ""),
            ("2018-06-01", "runtime", "invocation", id, "response") => (Self::Response, id),
            ("2018-06-01", "runtime", "invocation", id, "error") => (Self::Error, id),
            ("2018-06-01", "runtime", "init", "error", "") => (Self::InitError, ""),
            ("2018-06-01", "runtime", "restore", "next", "") => (Self::RestoreNext, ""),
            ("2018-06-01", "runtime", "restore", "error", "") => (Self::RestoreError, ""),
            ("2018-06-01", "ping", "", "", "") => (Self::Ping, ""),
            ("2020-01-01", "extension", "register", "", "") => (Self::ExtensionRegister, ""),
            ("2020-01-01", "extension", "event", "next", "") => (Self::ExtensionNext, ""),
            ("2015-03-31", "functions", name, "invocations", "") => (Self::Invoke, name),
            ("2015-03-31", "functions", "", "", "") => (Self::ListFunctions, ""),
            ("2015-03-31", "functions", name, "", "") => (Self::GetFunction, name),
            ("2015-03-31", "functions", name, "configuration", "") => {
                (Self::GetFunctionConfiguration, name)
            }
            ("2021-11-15", "functions", name, "response-streaming-invocations", "") => {
                (Self::InvokeStreaming, name)
            }
            _ => return (Self::Unknown, ""),
        };
        // Nothing may follow, not even a slash.
        let canonical = parts.next().is_none() && !path.ends_with('/');
        if canonical { found } else { (Self::Unknown, "") }
    }

    pub(super) fn method(self) -> Option<Method> {
        match self {
            Self::Next | Self::RestoreNext | Self::Ping | Self::ExtensionNext => Some(Method::GET),
            Self::GetFunction | Self::GetFunctionConfiguration | Self::ListFunctions => {
                Some(Method::GET)
            }
            Self::Durable | Self::Unknown => None,
            _ => Some(Method::POST),
        }
    }

    /// Whether callers of the function use it: what they do wrong is not the runtime's fault.
    pub(super) fn is_callers(self) -> bool {
        matches!(
            self,
            Self::Invoke
                | Self::InvokeStreaming
                | Self::GetFunction
                | Self::GetFunctionConfiguration
                | Self::ListFunctions
                | Self::Durable
        )
    }

    /// Whether the runtime uses it, rather than an extension or a caller.
    pub(super) fn is_runtime(self) -> bool {
        matches!(
            self,
            Self::Next
                | Self::Response
                | Self::Error
                | Self::InitError
                | Self::RestoreNext
                | Self::RestoreError
        )
    }
}

/// Serves until the future is dropped, and every connection with it.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let Some(mut background) = shared.background.take() else { return };
    loop {
        tokio::select! {
            Some(task) = background.recv() => {
                connections.spawn(task);
            }
            accepted = listener.accept() => {
                // A connection that fails while it is accepted is only its client's loss.
                let Ok((stream, _)) = accepted else { continue };
                let _ = stream.set_nodelay(true);
                let shared = Arc::clone(&shared);
                connections.spawn(serve(stream, shared));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection until its client or a fault ends it.
async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let connection = Arc::new(Connection::default());
    let own = Arc::clone(&connection);
    let socket = Socket::new(stream, Arc::clone(&connection));
    let service =
        service_fn(move |request| handle(Arc::clone(&shared), Arc::clone(&connection), request));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(None).title_case_headers(true);
    let mut served = builder.serve_connection(TokioIo::new(socket), service);
    let must_close = tokio::select! {
        biased;
        _ = &mut served => false,
        () = own.closes() => true,
    };
    if must_close {
        // The reply has left or is leaving with the promise that the connection stays open.
        Pin::new(&mut served).graceful_shutdown();
        let _ = (&mut served).await;
    }
    if let Some(cut) = own.take_cut() {
        cut.perform(served.into_parts().io.into_inner().into_inner()).await;
    }
}

async fn handle(
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Disconnected> {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let (endpoint, subject) = Endpoint::of(&path);
    if endpoint.is_runtime() {
        checks::inspect(&shared, &connection, endpoint, &request);
    }
    let reply = match endpoint.method() {
        Some(expected) if expected != method => {
            body::drain(request.into_body()).await;
            let mut reply = if endpoint.is_callers() {
                invoke_api::wrong_method(&method, &expected)
            } else {
                let detail = format!("{method} {path}, which takes {expected}");
                shared.record(vec![(rule::WRONG_METHOD, detail)]);
                status(StatusCode::METHOD_NOT_ALLOWED)
            };
            if let Ok(value) = HeaderValue::from_str(expected.as_str()) {
                reply.headers_mut().insert(header::ALLOW, value);
            }
            reply
        }
        _ => match shared.faults.take(endpoint) {
            None => answer(&shared, endpoint, subject, request).await,
            Some(fault) => {
                let (shared, connection) = (&shared, &*connection);
                let affected = Affected { shared, connection, endpoint, subject, request };
                match affected.answer(fault).await {
                    Ok(reply) => reply,
                    Err(cut) => {
                        shared.remember(|| LogEntry { endpoint, method, path, status: 0 });
                        return Err(cut);
                    }
                }
            }
        },
    };
    if reply.extensions().get::<CutOff>().is_some() {
        shared.remember(|| LogEntry { endpoint, method, path, status: 0 });
        connection.set_cut(Cut::reset(Vec::new()));
        return Err(Disconnected);
    }
    let status = reply.status().as_u16();
    shared.remember(|| LogEntry { endpoint, method, path, status });
    Ok(reply)
}

/// Calls the one function that answers an endpoint.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    endpoint: Endpoint,
    subject: &str,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    match endpoint {
        Endpoint::Next => runtime_api::next(shared).await,
        Endpoint::Response => answers::post(shared, subject, PostKind::Response, request).await,
        Endpoint::Error => answers::post(shared, subject, PostKind::Error, request).await,
        Endpoint::InitError => runtime_api::init_error(shared, request).await,
        Endpoint::RestoreNext => runtime_api::restore_next(shared).await,
        Endpoint::RestoreError => runtime_api::restore_error(shared, request).await,
        Endpoint::Ping => Response::new(ReplyBody::full("pong")),
        Endpoint::ExtensionRegister => extension_api::register(shared, request).await,
        Endpoint::ExtensionNext => extension_api::next(shared, &request).await,
        Endpoint::Unknown => {
            let path = request.uri().path().to_owned();
            let method = request.method().clone();
            body::drain(request.into_body()).await;
            if is_meant_for_runtimes(&path) {
                shared.record(vec![(rule::UNKNOWN_PATH, format!("{method} {path}"))]);
                return refused(&Refusal::not_found(&path));
            }
            invoke_api::not_found(&path)
        }
        _ => {
            let directory = Directory::One(Arc::clone(shared));
            invoke_api::answer(&directory, endpoint, subject, request).await
        }
    }
}

/// Whether a path that nothing answers was meant for the Runtime API, or one of the APIs beside it: it has a version
/// that is not the Invoke API's, or one of their words. Any other is a browser's or a caller's.
fn is_meant_for_runtimes(path: &str) -> bool {
    let version = path.split('/').nth(1).unwrap_or_default();
    let is_version = version.len() == 10
        && version.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let words = ["runtime", "extension"];
    is_version && !invoke_api::has(path) || path.split('/').any(|part| words.contains(&part))
}

/// Makes a reply that is just a status.
pub(super) fn status(status: StatusCode) -> Response<ReplyBody> {
    let mut reply = Response::new(ReplyBody::Full(None));
    *reply.status_mut() = status;
    reply
}

/// Makes a reply with a JSON text.
pub(super) fn json_reply(status: StatusCode, text: impl Into<bytes::Bytes>) -> Response<ReplyBody> {
    let mut reply = Response::new(ReplyBody::full(text));
    *reply.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(header::CONTENT_TYPE, json);
    reply
}

/// The mark of a reply that is no reply: the connection is reset instead.
#[derive(Debug, Clone, Copy)]
struct CutOff;

/// Makes what stands for a reset of the connection in the place of a reply.
pub(super) fn cut_off() -> Response<ReplyBody> {
    let mut reply = status(StatusCode::INTERNAL_SERVER_ERROR);
    reply.extensions_mut().insert(CutOff);
    reply
}

/// Makes the reply to an accepted post.
pub(super) fn accepted() -> Response<ReplyBody> {
    json_reply(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)
}

/// Makes the reply to a refused request.
pub(super) fn refused(refusal: &Refusal) -> Response<ReplyBody> {
    let text = json!({"errorMessage": refusal.message, "errorType": refusal.error_type});
    json_reply(refusal.status, text.to_string())
}
