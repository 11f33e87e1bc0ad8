//! The way of one request: to its function and back, or to an answer of the server's own.

use super::{
    body::{ReplyBody, StreamedBody},
    closing::Closing,
    error::{failure, hidden, hidden_failure, refusal},
    event::{self, EventContext},
    format::EventFormat,
    functions::Functions,
    handover::Inbox,
    invocations,
    lifeline::{Lifeline, LostThread},
    options::{ErrorDetail, ServeOptions},
    reported::Reported,
    request_id::RequestIds,
    response::{self, Malformed, Reply, finish},
    route::{Destination, OWN, Route},
    site::{ServedFunction, Site},
    target,
    wire::Hold,
};
use crate::telemetry::Log;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Version, header,
    request::Parts,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use serde_json::{Value, json};
use std::{
    borrow::Cow,
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::Poll,
    time::Instant,
};
use tokio::sync::{mpsc, watch};
use trine_engine::{Error, Invocation, Level, Payload};
use uuid::Uuid;

/// The path that tells whether the server answers at all; every path below `/.trine` is the server's own.
const HEALTH: &str = "/.trine/health";
/// The path that tells whether it takes further requests.
const READY: &str = "/.trine/ready";
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

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
        let log = self
            .options
            .log_requests
            .then(|| (Instant::now(), request.method().clone(), request.uri().path().to_owned()));
        let (method, version) = (request.method().clone(), request.version());
        let mut dispatch = pin!(self.dispatch(client, hold, request));
        // Whoever looks after the connection makes sure that this is polled when the time is over.
        let in_time = poll_fn(|cx| match dispatch.as_mut().poll(cx) {
            Poll::Ready(reply) => Poll::Ready(Some(reply)),
            Poll::Pending if self.is_over() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        let mut reply = in_time.await.unwrap_or_else(|| {
            let message = "the server is stopping, and there is no time left for the request";
            closing(refusal(&method, StatusCode::SERVICE_UNAVAILABLE, message))
        });
        hold.answer();
        match reply.body() {
            ReplyBody::Streamed(_) => hold.begin_stream(version >= Version::HTTP_11),
            ReplyBody::File(_) => hold.begin_stream(true),
            ReplyBody::Whole(_) => {}
        }
        if self.is_draining() && hold.is_last() {
            reply = closing(reply);
        }
        if let Some((begin, method, path)) = log {
            self.log_request(begin, &method, &path, &reply);
        }
        reply
    }

    fn log_request(&self, begin: Instant, method: &Method, path: &str, reply: &Reply) {
        let milliseconds = begin.elapsed().as_secs_f64() * 1000.0;
        let status = reply.status().as_u16();
        let message = format!("{method} {path} {status} {milliseconds:.2} ms");
        let thousandth = (milliseconds * 1000.0).round() / 1000.0;
        let facts = [("status", status.into()), ("durationMs", thousandth.into())];
        self.log.line(Level::Info, &message, &facts);
    }

    fn is_over(&self) -> bool {
        *self.no_time.borrow()
    }

    fn is_draining(&self) -> bool {
        *self.stopped.borrow()
    }

    async fn dispatch(&self, client: SocketAddr, hold: &Hold, request: Request<Incoming>) -> Reply {
        let (parts, body) = request.into_parts();
        if body.is_end_stream() {
            hold.owe();
        }
        if let Err((status, why)) = target::check(&parts) {
            return closing(refusal(&parts.method, status, why));
        }
        if let Some(reply) = self.own(&parts) {
            return reply;
        }
        if let Some(name) = invocations::function_of(parts.uri.path()) {
            return self.answer_invocation(hold, &parts, body, &name).await;
        }
        let method = &parts.method;
        let destination = self.site.table().find(method, parts.uri.path());
        if let Some(folder) = self.site.folder_for(method, parts.uri.path(), &destination) {
            return folder.answer(hold, &parts).await;
        }
        match destination {
            Destination::Route(route, parameters) => {
                let limit = match self.format(route.function) {
                    EventFormat::Alb | EventFormat::AlbMultiValue => response::ALB_LIMIT,
                    _ => usize::MAX,
                };
                let body = match self.read(method, body, limit).await {
                    Ok(body) => body,
                    Err(reply) => return reply,
                };
                hold.owe();
                self.invoke(client, hold, &parts, body, route, &parameters).await
            }
            Destination::OtherMethods(methods) => {
                only(method, parts.uri.path(), &methods.join(", "))
            }
            Destination::Nowhere => self.nowhere(method, parts.uri.path()),
        }
    }

    /// Returns the server's own answers: to `OPTIONS *`, to questions about its health, and the list of functions.
    fn own(&self, parts: &Parts) -> Option<Reply> {
        let (method, path) = (&parts.method, parts.uri.path());
        if target::is_for_the_server(parts) {
            return Some(no_content());
        }
        let is_own = path.strip_prefix('/').and_then(|inner| inner.strip_prefix(OWN));
        if is_own.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Some(self.about_itself(method, path));
        }
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if reads && path == "/" {
            let destination = self.site.table().find(method, path);
            let is_free = destination == Destination::Nowhere
                && self.site.folder_for(method, path, &destination).is_none();
            return is_free.then(|| self.index(parts));
        }
        None
    }

    fn about_itself(&self, method: &Method, path: &str) -> Reply {
        let (status, text) = match path {
            HEALTH => (StatusCode::OK, "ok"),
            READY if self.is_draining() => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
            READY => (StatusCode::OK, "ready"),
            _ => {
                let message = format!("the server's own paths are {HEALTH} and {READY}");
                return refusal(method, StatusCode::NOT_FOUND, &message);
            }
        };
        if !matches!(*method, Method::GET | Method::HEAD) {
            return only(method, path, "GET, HEAD");
        }
        let body = Bytes::from_static(text.as_bytes());
        let mut headers = HeaderMap::new();
        // An earlier answer would tell nothing.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        finish(method, status, headers, body, "text/plain")
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
        match Limited::new(body, limit).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(e) if e.is::<LengthLimitError>() => Err(too_large()),
            Err(e) => {
                let message = format!("the request's body cannot be read: {e}");
                Err(refusal(method, StatusCode::BAD_REQUEST, &message))
            }
        }
    }

    /// Returns the form of a function's events.
    fn format(&self, function: usize) -> EventFormat {
        let own = self.site.functions().get(function).and_then(|function| function.event_format);
        own.unwrap_or(self.options.event_format)
    }

    async fn invoke(
        &self,
        client: SocketAddr,
        hold: &Hold,
        parts: &Parts,
        body: Bytes,
        route: &Route,
        path_parameters: &[(String, String)],
    ) -> Reply {
        let (index, method) = (route.function, &parts.method);
        let Some(function) = self.site.functions().get(index) else {
            return self.nowhere(method, parts.uri.path());
        };
        let (time, id, trace_id) = self.begin(parts);
        let request_id = id.to_string();
        let around = EventContext {
            client,
            port: self.port,
            request_id: &request_id,
            trace_id: &trace_id,
            route_key: &route.key,
            path_parameters,
            mount: match self.options.keep_base_path {
                true => None,
                false => route.mount(parts.uri.path()),
            },
            time,
        };
        let format = self.format(index);
        if format == EventFormat::CloudEvents && event::cloudevents::is_batch(parts) {
            return self.invoke_batch(hold, parts, &body, index).await;
        }
        let event = match event::write(format, parts, &body, &around) {
            Ok(event) => event,
            Err(none) => return refusal(method, none.status, &none.message),
        };
        let trace_id = trace_id.into_owned();
        let invocation = Rc::new(self.invocation(function, request_id, trace_id));
        let detail = self.options.error_detail;
        let malformed = |malformed: Malformed| {
            let (id, message) = (invocation.request_id.as_str(), malformed.to_string());
            let line = format!("RequestId: {id} function '{}': {message}", function.name);
            self.log.line(Level::Error, &line, &[("requestId", id.into())]);
            match detail {
                ErrorDetail::Full => refusal(method, StatusCode::BAD_GATEWAY, &message),
                ErrorDetail::Hidden => hidden_failure(format, method, StatusCode::BAD_GATEWAY),
            }
        };
        let mut reply = match self.run(hold, method, index, event, &invocation).await {
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

    /// Invokes a function with each event of a batch, in order, until one fails: then the sender has to know.
    async fn invoke_batch(&self, hold: &Hold, parts: &Parts, body: &Bytes, index: usize) -> Reply {
        let method = &parts.method;
        let events = match event::cloudevents::read_batch(body) {
            Ok(events) => events,
            Err(none) => return refusal(method, none.status, &none.message),
        };
        let function = &self.site.functions()[index];
        for event in events {
            let (_, id, trace_id) = self.begin(parts);
            let invocation = self.invocation(function, id.to_string(), trace_id.into_owned());
            let invocation = Rc::new(invocation);
            if let Err(error) = self.run(hold, method, index, event, &invocation).await {
                let dialect = function.located.engine.info().error_dialect;
                let (id, detail) = (&invocation.request_id, self.options.error_detail);
                return failure(EventFormat::CloudEvents, method, &error, dialect, id, detail);
            }
        }
        finish(method, StatusCode::NO_CONTENT, HeaderMap::new(), Bytes::new(), "")
    }

    /// Returns the time of a request's arrival, the id of its invocation, and its X-Ray header: the client's, or a new one.
    pub(super) fn begin<'p>(&self, parts: &'p Parts) -> (DateTime<Utc>, Uuid, Cow<'p, str>) {
        let (time, id) = (Utc::now(), self.ids.make());
        let trace_id = match parts.headers.get("x-amzn-trace-id") {
            Some(value) => event::text(value),
            None => Cow::Owned(event::new_trace_id(time, &id)),
        };
        (time, id, trace_id)
    }

    /// Makes a function's invocation, whose time begins now.
    pub(super) fn invocation(
        &self,
        function: &ServedFunction,
        request_id: String,
        trace_id: String,
    ) -> Invocation {
        Invocation {
            request_id,
            deadline_ms: self.options.deadline_from_now(function.timeout),
            trace_id: Some(trace_id),
            invoked_function_arn: function.arn.clone(),
            function_name: function.function_name.as_ref().or(Some(&function.name)).cloned(),
            event_is_json: true,
            ..Invocation::default()
        }
    }

    /// Runs an invocation whose caller does not wait for its result. What goes wrong is logged.
    pub(super) fn run_later(&self, index: usize, event: Payload, invocation: Rc<Invocation>) {
        let (functions, log) = (self.functions.clone(), self.log.clone());
        let (name, id) = (self.site.functions()[index].name.clone(), invocation.request_id.clone());
        tokio::task::spawn_local(async move {
            let call = functions.call(index, event, invocation.clone(), None);
            let mut call = pin!(call);
            let failed = match invocation.stream.until_out(call.as_mut()).await {
                Some(result) => result.err(),
                None => {
                    // Nobody reads it.
                    drop(invocation.stream.get().reader());
                    call.await.err()
                }
            };
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
    ) -> Result<Payload, Error> {
        let function = &self.site.functions()[index];
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
        let mut call = Box::pin(async move { functions.call(index, event, of, lifeline).await });
        let result = invocation.stream.until_out(call.as_mut()).await;
        let is_over = result.is_some();
        let result = result.unwrap_or(Ok(Payload::Streamed));
        match &result {
            Ok(Payload::Streamed) => {
                let (log, name) = (self.log.clone(), function.name.clone());
                let (id, stream) = (invocation.request_id.clone(), invocation.stream.get().clone());
                tokio::task::spawn_local(async move {
                    if !is_over && let Err(error) = call.await {
                        // It cannot go on: its thread is lost.
                        stream.finish(Err(error));
                    }
                    if let Some(error) = stream.take_failure() {
                        log.failure(&name, &id, &error);
                    }
                });
            }
            Ok(_) => {}
            Err(error) if self.reported.knows(&function.name, error) => {
                self.log.failure_again(&function.name, &invocation.request_id, error);
            }
            Err(error) => self.log.failure(&function.name, &invocation.request_id, error),
        }
        result
    }

    fn nowhere(&self, method: &Method, path: &str) -> Reply {
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
    fn index(&self, parts: &Parts) -> Reply {
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

/// Returns the answer to `OPTIONS *`.
fn no_content() -> Reply {
    let mut headers = HeaderMap::new();
    let methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    headers.insert(header::ALLOW, HeaderValue::from_static(methods));
    finish(&Method::OPTIONS, StatusCode::NO_CONTENT, headers, Bytes::new(), "")
}

/// Makes an answer end its connection: the sender of an invalid request may see the next one begin elsewhere.
fn closing(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    reply
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
