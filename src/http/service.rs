//! The way of one request: to its function and back, or to an answer of the server's own.

use super::{
    arrival::{Arrival, trace_context},
    body::{ReplyBody, StreamedBody},
    closing::Closing,
    console, cors,
    error::{failure, hidden, hidden_failure, refusal},
    event::{self, EventContext},
    format::EventFormat,
    forwarded::Origin,
    functions::{Functions, end_unread},
    handover::Inbox,
    invocations,
    lifeline::{Lifeline, LostThread},
    options::{ErrorDetail, ServeOptions},
    own::is_own,
    pace::{Paced, TooSlow},
    queue::{Admission, Full},
    reported::Reported,
    request_id::{self, RequestIds},
    response::{self, Malformed, Reply, finish},
    route::{Destination, Route},
    scaleway,
    shared::Shared,
    site::{ServedFunction, Site},
    target,
    wire::Hold,
};
use crate::telemetry::{Log, Root};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Version, header,
    request::Parts,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use serde_json::{Value, json};
use std::{
    borrow::Cow,
    future::{Future, pending, poll_fn},
    net::SocketAddr,
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::Poll,
};
use tokio::sync::{mpsc, watch};
use trine_engine::{Error, Invocation, Level, Payload};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// The seconds after which a client that was turned away may try again.
pub(super) const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// The service that answers the requests of one worker.
pub(super) struct Service {
    pub(super) site: Arc<Site>,
    pub(super) functions: Rc<Functions>,
    pub(super) options: Arc<ServeOptions>,
    pub(super) log: Log,
    /// The channel that tells the server that a worker is lost to guest code.
    pub(super) stuck: mpsc::UnboundedSender<LostThread>,
    /// The port that the server listens on.
    pub(super) port: u16,
    pub(super) ids: RequestIds,
    /// Whether the server has been asked to stop.
    pub(super) stopped: watch::Receiver<bool>,
    pub(super) closing: Arc<Closing>,
    pub(super) reported: Arc<Reported>,
    pub(super) shared: Arc<Shared>,
    /// The runs of the server's triggers, where this worker takes them.
    pub(super) triggers: Option<Inbox>,
    /// Whether the grace is over: what has no answer then is answered with 503.
    pub(super) no_time: watch::Sender<bool>,
}

impl Service {
    /// Answers a request. Whatever goes wrong becomes a response.
    pub(super) async fn answer(
        &self,
        client: SocketAddr,
        hold: &Hold,
        request: Request<Incoming>,
    ) -> Reply {
        hold.end_head();
        let begin = self.account_begins();
        let (mut parts, body) = request.into_parts();
        let origin =
            self.options.proxies.origin(&mut parts, Origin { client, scheme: self.scheme() });
        let mut arrival = Arrival::new(origin, &parts, &self.ids);
        arrival.span = self.open_span(&parts, &arrival);
        let account = self.open_account(begin, &parts, &arrival);
        let caller = self.options.cors.then(|| cors::Caller::of(&parts)).flatten();
        let (method, version) = (parts.method.clone(), parts.version);
        let mut dispatch = pin!(self.dispatch(&arrival, hold, parts, body));
        let mut over = pin!(self.end_of_grace(version));
        let in_time = poll_fn(|cx| match dispatch.as_mut().poll(cx) {
            Poll::Ready(reply) => Poll::Ready(Some(reply)),
            Poll::Pending if self.is_over() => Poll::Ready(None),
            Poll::Pending => over.as_mut().poll(cx).map(|()| None),
        });
        let mut reply = in_time.await.unwrap_or_else(|| {
            let message = "the server is stopping, and there is no time left for the request";
            closing(refusal(&method, StatusCode::SERVICE_UNAVAILABLE, message))
        });
        hold.answer();
        match reply.body_mut() {
            ReplyBody::Streamed(streamed) => {
                hold.begin_stream(version >= Version::HTTP_11);
                streamed.keep(hold.count());
            }
            ReplyBody::File(_) => hold.begin_stream(true),
            ReplyBody::Whole(_) | ReplyBody::Unknown => {}
        }
        if self.is_draining() && hold.is_last() {
            reply = closing(reply);
        }
        if self.options.event_format == EventFormat::Scaleway {
            scaleway::open_to_all(&mut reply);
        }
        if let Ok(id) = HeaderValue::from_str(&arrival.id) {
            reply.headers_mut().entry(request_id::NAME).or_insert(id);
        }
        if let Some(caller) = caller {
            caller.allow(reply.headers_mut());
        }
        if let Some(account) = account {
            self.close_account(account, &arrival, &mut reply);
        }
        reply
    }

    /// Returns the scheme of the URLs at which clients reach this server itself.
    pub(super) fn scheme(&self) -> &'static str {
        if self.shared.tls.is_some() { "https" } else { "http" }
    }

    /// Waits for the end of the grace where nobody else sees to it that the request is polled then, as whoever looks after a
    /// connection of HTTP/1.1 does.
    async fn end_of_grace(&self, version: Version) {
        if version != Version::HTTP_2 || self.no_time.subscribe().wait_for(|is| *is).await.is_err()
        {
            pending::<()>().await;
        }
    }

    fn is_over(&self) -> bool {
        *self.no_time.borrow()
    }

    pub(super) fn is_draining(&self) -> bool {
        *self.stopped.borrow()
    }

    async fn dispatch(
        &self,
        arrival: &Arrival,
        hold: &Hold,
        parts: Parts,
        body: Incoming,
    ) -> Reply {
        if body.is_end_stream() {
            hold.owe();
        }
        if let Err((status, why)) = target::check(&parts) {
            return closing(refusal(&parts.method, status, why));
        }
        if let Some(console) = &self.shared.console
            && console::is_its(parts.uri.path())
        {
            return self.answer_console(console, arrival, hold, &parts, body).await;
        }
        if let Some(fault) = self.options.fault.as_deref().filter(|_| !is_own(parts.uri.path())) {
            return refusal(&parts.method, StatusCode::INTERNAL_SERVER_ERROR, fault);
        }
        if let Some(reply) = self.cross_origin(&parts).or_else(|| self.own(&parts)) {
            return reply;
        }
        if let Some(name) = invocations::function_of(parts.uri.path()) {
            return self.answer_invocation(arrival, hold, &parts, body, &name).await;
        }
        let method = &parts.method;
        let destination = self.site.table().find(method, parts.uri.path());
        if let Some(folder) = self.site.folder_for(method, parts.uri.path(), &destination) {
            return folder.answer(hold, &parts).await;
        }
        if let Destination::Route(route, _) = &destination {
            arrival.trace_route(method, route);
        }
        match destination {
            Destination::Route(route, parameters)
                if self.format(route.function) == EventFormat::Scaleway =>
            {
                self.answer_scaleway(arrival, hold, parts, body, route, &parameters).await
            }
            Destination::Route(route, parameters) => {
                arrival.is_for(route.function, self.shared.readiness.is_warm(route.function));
                let caller = match self.let_in(route.function, &parts).await {
                    Ok(caller) => caller,
                    Err(reply) => return reply,
                };
                let index = route.function;
                if self.shared.console.is_some()
                    && self.shared.interfaces.of(index).is_none()
                    && self.shared.readiness.can_be(index)
                {
                    // It shows events, and would see none where it turns out late that one is needed.
                    let _ = self.functions.load(index).await;
                }
                if self.may_be_application(route.function) {
                    return self
                        .answer_application(arrival, hold, parts, body, route, parameters, caller)
                        .await;
                }
                let limit = match self.format(route.function) {
                    EventFormat::Alb | EventFormat::AlbMultiValue => response::ALB_LIMIT,
                    _ => usize::MAX,
                };
                let body = match self.read(method, body, limit).await {
                    Ok(body) => body,
                    Err(reply) => return reply,
                };
                hold.owe();
                let caller = caller.as_ref();
                self.invoke(arrival, hold, &parts, body, route, &parameters, caller).await
            }
            Destination::OtherMethods(methods) => {
                only(method, parts.uri.path(), &methods.join(", "))
            }
            Destination::Nowhere => self.nowhere(method, parts.uri.path()),
        }
    }

    /// Reads a body, which may have no more than `limit` bytes, nor more than any may.
    pub(super) async fn read(
        &self,
        method: &Method,
        body: Incoming,
        limit: usize,
    ) -> Result<Bytes, Reply> {
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        let limit = self.options.body_limit.min(limit);
        let too_large = || {
            let message = format!("the request's body is larger than {limit} bytes");
            refusal(method, StatusCode::PAYLOAD_TOO_LARGE, &message)
        };
        if body.size_hint().lower() > limit as u64 {
            return Err(too_large());
        }
        let body = Paced::new(body, self.options.limits.body_timeout);
        match Limited::new(body, limit).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(e) if e.is::<LengthLimitError>() => Err(too_large()),
            Err(e) if e.is::<TooSlow>() => {
                let message = format!("the request's body is not whole: {e}");
                Err(closing(refusal(method, StatusCode::REQUEST_TIMEOUT, &message)))
            }
            Err(e) => {
                let message = format!("the request's body cannot be read: {e}");
                Err(refusal(method, StatusCode::BAD_REQUEST, &message))
            }
        }
    }

    /// Returns the form of a function's events.
    pub(super) fn format(&self, function: usize) -> EventFormat {
        let function = self.site.functions().get(function);
        function.map_or(self.options.event_format, |function| self.options.format_of(function))
    }

    #[allow(clippy::too_many_arguments, reason = "a request, taken apart on its way here")]
    pub(super) async fn invoke(
        &self,
        arrival: &Arrival,
        hold: &Hold,
        parts: &Parts,
        body: Bytes,
        route: &Route,
        path_parameters: &[(String, String)],
        authorizer: Option<&Value>,
    ) -> Reply {
        let (index, method) = (route.function, &parts.method);
        let Some(function) = self.site.functions().get(index) else {
            return self.nowhere(method, parts.uri.path());
        };
        let (time, trace_id) = arrival.begin(parts);
        let around = EventContext {
            client: arrival.origin.client,
            scheme: arrival.origin.scheme,
            port: self.port,
            request_id: &arrival.id,
            trace_id: &trace_id,
            route_key: &route.key,
            path_parameters,
            mount: match self.options.keep_base_path {
                true => None,
                false => route.mount(parts.uri.path()),
            },
            authorizer,
            time,
        };
        let format = self.format(index);
        if format == EventFormat::CloudEvents && event::cloudevents::is_batch(parts) {
            return self.invoke_batch(arrival, hold, parts, &body, index).await;
        }
        let admission = match self.take_place(index) {
            Ok(admission) => admission,
            Err(Full) => return self.busy(method, function),
        };
        let event = match event::write(format, parts, &body, &around) {
            Ok(event) => event,
            Err(none) => return refusal(method, none.status, &none.message),
        };
        let trace_id = trace_id.into_owned();
        let mut invocation = self.options.invocation(function, arrival.id.clone(), trace_id);
        invocation.w3c = trace_context(&parts.headers);
        invocation.takes_http_result = response::takes_http_result(format);
        arrival.trace("http", &mut invocation);
        arrival.trace_event(format, parts, &body);
        let invocation = Rc::new(invocation);
        let detail = self.options.error_detail;
        let malformed = |malformed: Malformed| {
            self.malformed(method, index, &malformed, &invocation.request_id)
        };
        let call = self.run(hold, method, index, event, &invocation, admission);
        let mut reply = match call.await {
            Ok(Payload::Streamed) => {
                let stream = invocation.stream.get();
                let body = StreamedBody::new(stream.reader(), hold.clone());
                response::streamed(method, &stream.head(), body).unwrap_or_else(malformed)
            }
            Ok(result) => response::to(parts, format, result).unwrap_or_else(malformed),
            Err(error) => {
                let dialect = function.located.engine.info().error_dialect;
                failure(format, method, &error, dialect, &invocation.request_id, detail)
            }
        };
        if let Ok(id) = HeaderValue::from_str(&invocation.request_id) {
            reply.headers_mut().entry(REQUEST_ID).or_insert(id);
        }
        reply
    }

    /// Returns the answer where a result is no response, and logs why.
    pub(super) fn malformed(
        &self,
        method: &Method,
        index: usize,
        malformed: &Malformed,
        id: &str,
    ) -> Reply {
        let (format, detail) = (self.format(index), self.options.error_detail);
        let message = malformed.to_string();
        let name = &self.site.functions()[index].name;
        let line = format!("RequestId: {id} function '{name}': {message}");
        self.log.line(Level::Error, &line, &[("requestId", id.into())]);
        if format == EventFormat::Scaleway {
            let shown = (detail == ErrorDetail::Full).then_some(message.as_str());
            return scaleway::malformed(method, shown);
        }
        match detail {
            ErrorDetail::Full => refusal(method, StatusCode::BAD_GATEWAY, &message),
            ErrorDetail::Hidden => hidden_failure(format, method, StatusCode::BAD_GATEWAY),
        }
    }

    /// Invokes a function with each event of a batch, in order, until one fails: then the sender has to know.
    async fn invoke_batch(
        &self,
        arrival: &Arrival,
        hold: &Hold,
        parts: &Parts,
        body: &Bytes,
        index: usize,
    ) -> Reply {
        let method = &parts.method;
        let events = match event::cloudevents::read_batch(body) {
            Ok(events) => events,
            Err(none) => return refusal(method, none.status, &none.message),
        };
        let function = &self.site.functions()[index];
        for event in events {
            let Ok(admission) = self.take_place(index) else {
                return self.busy(method, function);
            };
            let (id, (_, trace_id)) = (self.ids.make().to_string(), arrival.begin(parts));
            let mut invocation = self.options.invocation(function, id, trace_id.into_owned());
            let _span = arrival.trace_apart("http", &mut invocation);
            let invocation = Rc::new(invocation);
            let call = self.run(hold, method, index, event, &invocation, admission);
            if let Err(error) = call.await {
                let dialect = function.located.engine.info().error_dialect;
                let (id, detail) = (&invocation.request_id, self.options.error_detail);
                return failure(EventFormat::CloudEvents, method, &error, dialect, id, detail);
            }
        }
        finish(method, StatusCode::NO_CONTENT, HeaderMap::new(), Bytes::new(), "")
    }

    /// Runs an invocation whose caller does not wait for its result. What goes wrong is logged.
    pub(super) fn run_later(
        &self,
        index: usize,
        event: Payload,
        invocation: Rc<Invocation>,
        admission: Admission,
        span: Option<Root>,
    ) {
        let (functions, log) = (self.functions.clone(), self.log.clone());
        let (name, id) = (self.site.functions()[index].name.clone(), invocation.request_id.clone());
        tokio::task::spawn_local(async move {
            let _span = span;
            let call = functions.call(index, event, invocation.clone(), None, admission);
            let failed = end_unread(call, &invocation).await;
            if let Some(error) = failed {
                log.failure(&name, &id, &error);
            }
        });
    }

    /// Runs an invocation until it has a result, or the first part of one. What goes wrong is logged, also later.
    pub(super) async fn run(
        &self,
        hold: &Hold,
        method: &Method,
        index: usize,
        event: Payload,
        invocation: &Rc<Invocation>,
        admission: Admission,
    ) -> Result<Payload, Error> {
        let function = &self.site.functions()[index];
        let metrics = self.shared.metrics.as_ref();
        let in_flight = metrics.map(|metrics| metrics.begin(index));
        // Only a request with a deadline can be answered by anybody else before the server ends.
        let lifeline = invocation.deadline_ms.map(|_| Lifeline {
            thread: LostThread::Worker,
            hold: Some(hold.clone()),
            stuck: self.stuck.clone(),
            method: method.clone(),
            format: self.format(index),
            request_id: invocation.request_id.clone(),
            function: function.name.clone(),
            dialect: function.located.engine.info().error_dialect,
            detail: self.options.error_detail,
            log: self.log.clone(),
        });
        let (functions, of) = (self.functions.clone(), invocation.clone());
        let mut call =
            Box::pin(async move { functions.call(index, event, of, lifeline, admission).await });
        let result = invocation.stream.until_out(call.as_mut()).await;
        let is_over = result.is_some();
        if !matches!(result, Some(Err(_))) {
            self.shared.readiness.note(index, true);
        }
        let result = result.unwrap_or(Ok(Payload::Streamed));
        match &result {
            Ok(Payload::Streamed) => {
                let (log, name) = (self.log.clone(), function.name.clone());
                let (id, stream) = (invocation.request_id.clone(), invocation.stream.get().clone());
                let shared = self.shared.clone();
                tokio::task::spawn_local(async move {
                    let _in_flight = in_flight;
                    if !is_over && let Err(error) = call.await {
                        // It cannot go on: its thread is lost.
                        stream.finish(Err(error));
                    }
                    if let Some(error) = stream.take_failure() {
                        shared.count_failure(index, error.kind());
                        log.failure(&name, &id, &error);
                    }
                });
            }
            Ok(_) => {}
            Err(error) => self.note_failure(index, &invocation.request_id, error),
        }
        result
    }

    pub(super) fn nowhere(&self, method: &Method, path: &str) -> Reply {
        if self.options.error_detail == ErrorDetail::Hidden {
            return hidden(method, StatusCode::NOT_FOUND);
        }
        let mut message = format!("no function is served at {path}");
        let known = self.site.routes().map(|(route, _)| route.path.as_str());
        if let Some(near) = trine_engine::nearest(path, known) {
            message.push_str(&format!("; did you mean {near}?"));
        }
        let paths: Vec<&str> = self.site.routes().map(|(route, _)| route.path.as_str()).collect();
        let body = Bytes::from(json!({ "message": message, "functions": paths }).to_string());
        finish(method, StatusCode::NOT_FOUND, HeaderMap::new(), body, "application/json")
    }

    /// Returns the list of functions, as a page for browsers and as JSON for anything else.
    pub(super) fn index(&self, parts: &Parts) -> Reply {
        let accept = parts.headers.get(header::ACCEPT).map_or(Cow::Borrowed(""), event::text);
        let (body, content_type) = if accept.contains("text/html") {
            let item = |(route, function): (&Route, &ServedFunction)| {
                let method = route.method.as_ref().map_or("ANY", Method::as_str);
                let path = escaped(&route.path);
                let engine = function.located.engine.info().name;
                format!("<li>{method} <a href=\"{path}\">{path}</a> ({engine})</li>\n")
            };
            let list: String = self.site.routes().map(item).collect();
            let page = format!(
                "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Functions</title>\n\
                 <h1>Functions</h1>\n<ul>\n{list}</ul>\n"
            );
            (page, "text/html; charset=utf-8")
        } else {
            let item = |(route, function): (&Route, &ServedFunction)| {
                json!({
                    "method": route.method.as_ref().map_or("ANY", Method::as_str),
                    "path": route.path,
                    "function": function.name,
                    "engine": function.located.engine.info().id,
                })
            };
            let functions: Vec<Value> = self.site.routes().map(item).collect();
            (json!({ "functions": functions }).to_string(), "application/json")
        };
        let body = Bytes::from(body);
        finish(&parts.method, StatusCode::OK, HeaderMap::new(), body, content_type)
    }
}

/// Returns the answer to a method that a path does not have.
pub(super) fn only(method: &Method, path: &str, methods: &str) -> Reply {
    let message = format!("{path} has routes for {methods} only");
    let mut reply = refusal(method, StatusCode::METHOD_NOT_ALLOWED, &message);
    if let Ok(allow) = HeaderValue::from_str(methods) {
        reply.headers_mut().insert(header::ALLOW, allow);
    }
    reply
}

/// Makes an answer end its connection: the sender of an invalid request may see the next one begin elsewhere.
pub(super) fn closing(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    reply
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
