//! The way of a request to a web application, which gets it as it is: no event is made, and the body is read when the
//! application reads it.
//!
//! The first request to a function goes this way as well, because it is not known before its function is loaded whether
//! that is an application: where it is none, its event is made then.

use super::{
    arrival::{Arrival, trace_context},
    body::{ReplyBody, StreamedBody},
    error::{failure, refusal},
    event::{self, EventContext},
    format::EventFormat,
    pace::{Paced, TooSlow},
    queue::Full,
    response::{self, Malformed, Reply},
    route::Route,
    service::{REQUEST_ID, Service, closing},
    target::version_of,
    upgrade::{asks_for_socket, asks_for_upgrade},
    wire::Hold,
};
use crate::{
    pipeline::BODY_TOO_LARGE,
    web::{is_its_own, response_of_failure},
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::BodyExt;
use hyper::{
    body::{Body, Incoming},
    ext::ReasonPhrase,
    upgrade::OnUpgrade,
};
use serde_json::Value;
use std::{
    future::{Future, pending, poll_fn},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::Poll,
};
use tokio::sync::oneshot;
use trine_engine::{
    Error, ErrorKind, Fields, Interface, Level, Payload, RequestBody, ResponseHead, ResponseStream,
    StreamHead, WebRequest, WebResponse,
};

/// The largest body that is looked for before an application is called, in bytes.
const SMALL_BODY: u64 = 64 * 1024;
/// Maximum number of turns that the connection gets to read it.
const TURNS_FOR_BODY: u32 = 2;

/// Names of the errors of bodies that do not come whole.
const BODY_TOO_SLOW: &str = "Request.BodyTooSlow";
const BODY_BROKEN: &str = "Request.BodyBroken";
/// The name of the error of an application that has ended the connection in the place of an answer.
const CONNECTION_DESTROYED: &str = "Runtime.ConnectionDestroyed";

/// What is known of the interfaces of a site's functions: that of each function, once some worker has loaded it.
#[derive(Debug)]
pub(super) struct Interfaces(Box<[AtomicU8]>);

impl Interfaces {
    /// Notes nothing about so many functions.
    pub(super) fn unknown(functions: usize) -> Self {
        Self((0..functions).map(|_| AtomicU8::new(0)).collect())
    }

    /// Returns the interface of a function, if it is known.
    pub(super) fn of(&self, function: usize) -> Option<Interface> {
        let known = usize::from(self.0.get(function)?.load(Ordering::Relaxed));
        Interface::ALL.get(known.checked_sub(1)?).copied()
    }

    /// Notes what a function has turned out to be. Returns whether it is news that it is an application.
    pub(super) fn note(&self, function: usize, interface: Option<Interface>) -> bool {
        let at = interface.and_then(|it| Interface::ALL.iter().position(|known| *known == it));
        let known = at.map_or(0, |at| at as u8 + 1);
        let Some(place) = self.0.get(function) else { return false };
        // Read first: nearly always it is known.
        place.load(Ordering::Relaxed) != known
            && place.swap(known, Ordering::Relaxed) != known
            && interface.is_some_and(Interface::is_web)
    }
}

impl Service {
    /// Whether a request to a function goes the way of requests to web applications.
    pub(super) fn may_be_application(&self, function: usize) -> bool {
        let as_sent =
            matches!(self.format(function), EventFormat::AwsV2 | EventFormat::FunctionUrl);
        let can_be = || {
            let function = self.site.functions().get(function);
            function.is_some_and(|it| !it.located.engine.info().interfaces.is_empty())
        };
        as_sent && self.shared.interfaces.of(function).map_or_else(can_be, Interface::is_web)
    }

    /// Answers a request with a web application.
    #[allow(clippy::too_many_arguments, reason = "a request, taken apart on its way here")]
    pub(super) async fn answer_application(
        &self,
        arrival: &Arrival,
        hold: &Hold,
        mut parts: Parts,
        body: Incoming,
        route: &Route,
        path_parameters: Vec<(String, String)>,
        authorizer: Option<Value>,
    ) -> Reply {
        let (index, method) = (route.function, parts.method.clone());
        let Some(function) = self.site.functions().get(index) else {
            return self.nowhere(&method, parts.uri.path());
        };
        let limit = self.options.application_body_limit;
        if body.size_hint().lower() > limit as u64 {
            let message = format!("the request's body is larger than {limit} bytes");
            return refusal(&method, StatusCode::PAYLOAD_TOO_LARGE, &message);
        }
        let admission = match self.take_place(index) {
            Ok(admission) => admission,
            Err(Full) => return self.busy(&method, function),
        };
        let trace_id = arrival.begin(&parts).1.into_owned();
        let mut invocation = self.options.invocation(function, arrival.id.clone(), trace_id);
        invocation.w3c = trace_context(&parts.headers);
        arrival.trace("http", &mut invocation);
        let invocation = Rc::new(invocation);
        let mut request = self.web_request(arrival, &parts, route);
        let interfaces = function.located.engine.info().interfaces;
        let upgrades = asks_for_upgrade(&parts);
        if upgrades && self.shared.interfaces.of(index).is_none() {
            // What it asks for depends on that. A failure shows below.
            let _ = self.functions.load(index).await;
        }
        let known = self.shared.interfaces.of(index);
        let can_be =
            |interface| known.map_or(interfaces.contains(&interface), |it| it == interface);
        if upgrades && can_be(Interface::Asgi) && asks_for_socket(&parts) {
            hold.owe();
            let (functions, of) = (self.functions.clone(), invocation.clone());
            let call = |request| -> Pin<Box<dyn Future<Output = _>>> {
                Box::pin(async move { functions.call(index, request, of, None, admission).await })
            };
            return self.answer_socket(hold, parts, index, &invocation, request, call).await;
        }
        let mut failed = None;
        let mut raw = None;
        if upgrades && can_be(Interface::Node) {
            hold.owe();
            let incoming = ResponseStream::default();
            request.upgrades = true;
            request = request.with_body(RequestBody::Arriving(incoming.reader()));
            raw = Some((parts.extensions.remove::<OnUpgrade>(), incoming));
        } else if body.is_end_stream() {
            hold.owe();
        } else {
            let mut body = body;
            let (come, is_whole) = match at_hand(&parts, &mut body).await {
                Ok(come) => come,
                Err(e) => {
                    let message = format!("the request's body is not whole: {e}");
                    return closing(refusal(&method, StatusCode::BAD_REQUEST, &message));
                }
            };
            if is_whole {
                hold.owe();
                request = request.with_body(RequestBody::Whole(come));
            } else {
                let (arriving, (tell, told)) = (ResponseStream::default(), oneshot::channel());
                request = request.with_body(RequestBody::Arriving(arriving.reader()));
                let read = come.len();
                // There is room for it.
                let _ = arriving.write(come);
                let body = Paced::new(body, self.options.limits.body_timeout);
                tokio::task::spawn_local(pump(body, arriving, (read, limit), hold.clone(), tell));
                failed = Some(told);
            }
        }
        // Somebody else may find out meanwhile that it is none.
        let is_known = self.shared.interfaces.of(index).is_some_and(Interface::is_web);
        if !is_known || !function.middlewares.is_empty() {
            let write = self.event_writer(arrival, &parts, route, path_parameters, authorizer);
            request = request.with_event_writer(self.options.body_limit, write);
        }
        // Dropped when the client is gone, or has its answer: the application is told.
        let reader = invocation.stream.get().reader();
        let request = Payload::Request(Arc::new(request));
        let call = self.run(hold, &method, index, request, &invocation, admission);
        let result = tokio::select! {
            biased;
            Some(error) = came_to_nothing(failed) => Err(error),
            result = call => result,
        };
        let mut head = match &result {
            Ok(Payload::Streamed) => invocation.stream.get().head(),
            _ => StreamHead::default(),
        };
        let is_application = match &result {
            Ok(Payload::Response(_)) => true,
            Ok(Payload::Streamed) => head.response.is_some(),
            _ => self.shared.interfaces.of(index).is_some_and(Interface::is_web),
        };
        let mut reply = match result {
            Ok(Payload::Response(response)) => self.whole(&method, *response),
            Ok(Payload::Streamed) => match (head.response.take(), raw) {
                (Some(head), Some((upgrades, incoming))) if head.status == 101 => {
                    self.hand_over(hold, upgrades, incoming, reader);
                    switching(*head)
                }
                (response, _) => {
                    let body = StreamedBody::new(reader, hold.clone());
                    match response {
                        Some(head) => streamed(&method, *head, body),
                        None => response::streamed(&method, &head, body),
                    }
                }
            },
            Ok(result) => response::to(&parts, self.format(index), result),
            Err(error) if error.name() == CONNECTION_DESTROYED => {
                // The answer reaches nobody then.
                hold.destroy();
                reply_with(response_of_failure())
            }
            Err(error) => {
                let id = &invocation.request_id;
                self.application_failure(&method, index, &error, is_application, id)
            }
        }
        .unwrap_or_else(|malformed| {
            self.malformed(&method, index, &malformed, &invocation.request_id)
        });
        if !is_application && let Ok(id) = HeaderValue::from_str(&invocation.request_id) {
            reply.headers_mut().entry(REQUEST_ID).or_insert(id);
        }
        reply
    }

    /// Takes a request apart for an application.
    fn web_request(&self, arrival: &Arrival, parts: &Parts, route: &Route) -> WebRequest {
        let mount = match self.options.keep_base_path {
            true => None,
            false => route.mount(parts.uri.path()),
        };
        let server = (self.options.address.ip().to_string(), self.port);
        let mut request = WebRequest::new(parts.method.as_str(), "", server);
        match mount {
            // However the client has spelt it.
            Some(mount) => {
                request.path = format!("{}{}", mount.base_path, mount.path);
                request.mount = mount.base_path.to_owned();
            }
            None => request.path = parts.uri.path().to_owned(),
        }
        request.query = parts.uri.query().map(str::to_owned);
        request.scheme = arrival.origin.scheme.to_owned();
        request.version = version_of(parts).to_owned();
        request.client = Some(arrival.origin.client);
        request.headers = fields(parts);
        request
    }

    /// Returns what makes an event of a request, for hooks, and for functions that are no applications.
    fn event_writer(
        &self,
        arrival: &Arrival,
        parts: &Parts,
        route: &Route,
        path_parameters: Vec<(String, String)>,
        authorizer: Option<Value>,
    ) -> impl FnOnce(Bytes) -> Payload + Send + 'static + use<> {
        let (time, trace_id) = arrival.begin(parts);
        let (parts, route, trace_id) = (parts.clone(), route.clone(), trace_id.into_owned());
        let (origin, request_id, port) = (arrival.origin, arrival.id.clone(), self.port);
        let (keeps_base_path, format) = (self.options.keep_base_path, self.format(route.function));
        move |body| {
            let around = EventContext {
                client: origin.client,
                scheme: origin.scheme,
                port,
                request_id: &request_id,
                trace_id: &trace_id,
                route_key: &route.key,
                path_parameters: &path_parameters,
                mount: match keeps_base_path {
                    true => None,
                    false => route.mount(parts.uri.path()),
                },
                authorizer: authorizer.as_ref(),
                time,
            };
            // In these forms every request is an event.
            event::write(format, &parts, &body, &around).unwrap_or(Payload::Nothing)
        }
    }

    /// Makes the response of an application's that is whole.
    fn whole(&self, method: &Method, response: WebResponse) -> Result<Reply, Malformed> {
        let WebResponse { head, body } = response;
        let mut reply = reply_of(head)?;
        let declared = reply.headers().get(header::CONTENT_LENGTH);
        if method != Method::HEAD && !has_no_body(reply.status()) {
            let declared = declared.and_then(|value| value.to_str().ok()?.parse().ok());
            if let Some(declared) = declared.filter(|length: &usize| *length != body.len()) {
                let message = format!(
                    "the application declares {declared} bytes with content-length and sends {}",
                    body.len()
                );
                self.log.line(Level::Warn, &message, &[]);
            }
            // What is sent counts.
            reply.headers_mut().remove(header::CONTENT_LENGTH);
            *reply.body_mut() = body.into();
        } else if method == Method::HEAD && declared.is_none() && !has_no_body(reply.status()) {
            match body.len() {
                // Whoever leaves out the body tells nothing of its length.
                0 => *reply.body_mut() = ReplyBody::Unknown,
                length => {
                    reply.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
                }
            }
        }
        Ok(reply)
    }

    /// Returns the answer to a request that an application has failed at.
    pub(super) fn application_failure(
        &self,
        method: &Method,
        index: usize,
        error: &Error,
        is_application: bool,
        request_id: &str,
    ) -> Result<Reply, Malformed> {
        if let Some(status) = status_of_body(error) {
            return Ok(closing(refusal(method, status, error.message())));
        }
        if is_application && (is_its_own(error.kind()) || error.kind() == ErrorKind::Exit) {
            return reply_with(response_of_failure());
        }
        let dialect = self.site.functions()[index].located.engine.info().error_dialect;
        let detail = self.options.error_detail;
        Ok(failure(self.format(index), method, error, dialect, request_id, detail))
    }
}

/// Waits for the failure of a request's body, where there is one and it fails; else for ever.
async fn came_to_nothing(failed: Option<oneshot::Receiver<Error>>) -> Option<Error> {
    let told = match failed {
        Some(failed) => failed.await.ok(),
        None => None,
    };
    match told {
        Some(error) => Some(error),
        None => pending().await,
    }
}

/// Returns what has come of a small body with its head, and whether that is all: an application that finds it there need not
/// wait for it. A client that waits to be asked for it is not asked before the application does.
async fn at_hand(parts: &Parts, body: &mut Incoming) -> hyper::Result<(Bytes, bool)> {
    let is_small = body.size_hint().exact().is_some_and(|length| length <= SMALL_BODY);
    if !is_small || parts.headers.contains_key(header::EXPECT) {
        return Ok((Bytes::new(), false));
    }
    let (mut come, mut turns) = (Bytes::new(), 0);
    let is_whole = poll_fn(|cx| {
        loop {
            match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let chunk = frame.into_data().unwrap_or_default();
                    come = if come.is_empty() {
                        chunk
                    } else {
                        [come.as_ref(), &chunk].concat().into()
                    };
                    if body.is_end_stream() {
                        return Poll::Ready(Ok(true));
                    }
                }
                Poll::Ready(None) => return Poll::Ready(Ok(true)),
                Poll::Ready(Some(Err(e))) => return Poll::Ready(Err(e)),
                Poll::Pending if turns < TURNS_FOR_BODY => {
                    turns += 1;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Pending => return Poll::Ready(Ok(false)),
            }
        }
    });
    let is_whole = is_whole.await?;
    Ok((come, is_whole))
}

/// Passes a request's body on to whoever reads it, as fast as that is read.
async fn pump(
    mut body: Paced,
    arriving: ResponseStream,
    (mut read, limit): (usize, usize),
    hold: Hold,
    failed: oneshot::Sender<Error>,
) {
    let (name, message) = loop {
        let frame = tokio::select! {
            biased;
            // What is left of it is the connection's affair.
            () = arriving.gone() => return,
            frame = body.frame() => frame,
        };
        match frame {
            None => {
                hold.end_request();
                arriving.finish(Ok(()));
                return;
            }
            Some(Ok(frame)) => {
                let chunk = match frame.into_data() {
                    Ok(chunk) => chunk,
                    Err(frame) => {
                        if let Ok(trailers) = frame.into_trailers() {
                            let fields = trailers.iter();
                            arriving.set_trailers(fields.map(|(n, v)| (n.as_str(), v)).collect());
                        }
                        continue;
                    }
                };
                read += chunk.len();
                if read > limit {
                    let message = format!("the request's body is larger than {limit} bytes");
                    break (BODY_TOO_LARGE, message);
                }
                if body.is_end_stream() {
                    hold.end_request();
                }
                if !matches!(arriving.send(chunk).await, Ok(true)) {
                    return;
                }
            }
            Some(Err(e)) => {
                let name = if e.is::<TooSlow>() { BODY_TOO_SLOW } else { BODY_BROKEN };
                let message = format!("the request's body is not whole: {e}");
                break (name, message);
            }
        }
    };
    // First the server, then the application, which may make something else of it.
    let error = || Error::new(ErrorKind::Unmarshal, &*message).with_name(name);
    let _ = failed.send(error());
    arriving.finish(Err(error()));
}

/// Returns the status for a body that did not come whole, if that is what an error tells.
fn status_of_body(error: &Error) -> Option<StatusCode> {
    match error.name() {
        BODY_TOO_LARGE => Some(StatusCode::PAYLOAD_TOO_LARGE),
        BODY_TOO_SLOW => Some(StatusCode::REQUEST_TIMEOUT),
        BODY_BROKEN => Some(StatusCode::BAD_REQUEST),
        _ => None,
    }
}

/// Returns the header fields of a request as it was sent; its host is that of its target, where that names one.
fn fields(parts: &Parts) -> Fields {
    let mut fields = Fields::with_capacity(parts.headers.len() + 1, 1024);
    let named = parts.uri.authority().map(http::uri::Authority::as_str);
    if let Some(host) = named {
        fields.push(header::HOST.as_str(), host);
    }
    for (name, value) in &parts.headers {
        if named.is_none() || name != header::HOST {
            fields.push(name.as_str(), value.as_bytes());
        }
    }
    fields
}

/// Makes the response of an application's that is sent while it is made.
fn streamed(method: &Method, head: ResponseHead, body: StreamedBody) -> Result<Reply, Malformed> {
    let mut reply = reply_of(head)?;
    if method == Method::HEAD || has_no_body(reply.status()) {
        // The application writes it all the same, and nobody is told.
        tokio::task::spawn_local(body.discard());
        if !has_no_body(reply.status()) && !reply.headers().contains_key(header::CONTENT_LENGTH) {
            *reply.body_mut() = ReplyBody::Unknown;
        }
        return Ok(reply);
    }
    *reply.body_mut() = body.into();
    Ok(reply)
}

/// Makes a response of an application's as it is.
pub(super) fn reply_with(response: WebResponse) -> Result<Reply, Malformed> {
    let mut reply = reply_of(response.head)?;
    *reply.body_mut() = response.body.into();
    Ok(reply)
}

/// Makes a response of an application's head, without a body.
fn reply_of(head: ResponseHead) -> Result<Reply, Malformed> {
    let status = head.status;
    let mut reply = described(head)?;
    *reply.status_mut() =
        StatusCode::from_u16(status).ok().filter(|status| !status.is_informational()).ok_or_else(
            || Malformed(format!("its status is {status}, not a number from 200 to 999")),
        )?;
    if reply.status().canonical_reason().is_none()
        && reply.extensions().get::<ReasonPhrase>().is_none()
    {
        // The library would write a word of its own.
        reply.extensions_mut().insert(ReasonPhrase::from_static(b""));
    }
    Ok(reply)
}

/// Makes the response with which an application agrees to another protocol.
fn switching(head: ResponseHead) -> Result<Reply, Malformed> {
    let upgrade = head.headers.get("upgrade").and_then(|name| HeaderValue::from_bytes(name).ok());
    let mut reply = described(head)?;
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let all = reply.headers_mut();
    all.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    all.extend(upgrade.map(|name| (header::UPGRADE, name)));
    Ok(reply)
}

/// Makes a response with the headers and the reason of an application's head.
fn described(head: ResponseHead) -> Result<Reply, Malformed> {
    let ResponseHead { reason, headers, .. } = head;
    let mut reply = Reply::default();
    let all = reply.headers_mut();
    for (name, value) in headers.iter() {
        let shown = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let parsed = HeaderName::from_bytes(name)
            .map_err(|_| Malformed(format!("{:?} is no valid header name", shown(name))))?;
        if response::OF_THE_CONNECTION.contains(&parsed.as_str())
            && !ends_connection(&parsed, value)
        {
            continue;
        }
        let value = HeaderValue::from_bytes(value).map_err(|_| {
            Malformed(format!("{:?} is no valid value for the header '{parsed}'", shown(value)))
        })?;
        all.try_append(parsed, value)
            .map_err(|_| Malformed("it has more headers than a response can carry".into()))?;
    }
    if let Some(reason) = reason.and_then(|reason| ReasonPhrase::try_from(reason.into_bytes()).ok())
    {
        reply.extensions_mut().insert(reason);
    }
    Ok(reply)
}

/// Whether a header says that the connection is to end with the response, or names trailers, which only the application
/// knows.
fn ends_connection(name: &HeaderName, value: &[u8]) -> bool {
    name == header::TRAILER || name == header::CONNECTION && value.eq_ignore_ascii_case(b"close")
}

fn has_no_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}
