//! Web requests on their way to handlers that are web applications: what the prelude reads of them, and what it answers.

use crate::{
    call::{Current, Step},
    convert::{LoadedFunctions, bytes_to_v8, read_loaded},
    exchange::{slot, throw},
    facts::add_facts,
    host::{host_of, set_function, text_or_undefined},
    instance::{Function, Kind, Shared},
    isolate::Entered,
    sessions::Place,
    stream::{Turn, bytes_of},
};
use bytes::Bytes;
use deno_runtime::deno_core::v8;
use std::{
    cell::RefCell,
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};
use trine_engine::{
    Error, Fields, FunctionId, Interface, Invocation, Payload, RequestBody, ResponseHead, Result,
    StreamHead, StreamReader, WebRequest, WebResponse,
};

/// The requests of an isolate's invocations, in the places of these.
#[derive(Default)]
pub(crate) struct Webs(RefCell<Vec<Option<Web>>>);

/// A request. Its facts can be read until another one takes its place.
struct Web {
    request: Arc<WebRequest>,
    /// What still comes of its body.
    reader: Option<StreamReader>,
    /// Whether the guest waits for the next piece of it.
    is_wanted: bool,
    /// The waker of the handler's call. Another call's turn of the event loop may ask, too.
    waker: Option<Waker>,
    response: Option<Box<WebResponse>>,
    /// Whether its call is in flight.
    is_open: bool,
}

/// The call of a handler that is a web application. When it ends, nothing is read of the request's body any more.
struct Serving<'a> {
    webs: &'a Webs,
    slot: usize,
}

/// News of a request's body.
enum News {
    Chunk(Bytes),
    /// Its end, with what was wrong where it did not come whole, and what came after it.
    End(Option<Error>, Option<Fields>),
}

impl Webs {
    fn begin(&self, slot: usize, request: Arc<WebRequest>) -> Serving<'_> {
        let mut places = self.0.borrow_mut();
        if places.len() <= slot {
            places.resize_with(slot + 1, || None);
        }
        places[slot] = Some(Web {
            request,
            reader: None,
            is_wanted: false,
            waker: None,
            response: None,
            is_open: true,
        });
        Serving { webs: self, slot }
    }

    fn with<T>(&self, slot: usize, use_it: impl FnOnce(&mut Web) -> T) -> Option<T> {
        self.0.borrow_mut().get_mut(slot)?.as_mut().map(use_it)
    }

    fn request(&self, slot: usize) -> Option<Arc<WebRequest>> {
        self.with(slot, |web| web.request.clone())
    }

    fn poll_news(&self, slot: usize, cx: &mut Context<'_>) -> Poll<News> {
        self.with(slot, |web| web.poll_news(cx)).unwrap_or(Poll::Pending)
    }
}

impl Web {
    fn poll_news(&mut self, cx: &mut Context<'_>) -> Poll<News> {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => self.waker = Some(cx.waker().clone()),
        }
        let Some(reader) = self.reader.as_mut().filter(|_| self.is_wanted) else {
            return Poll::Pending;
        };
        let Poll::Ready(chunk) = reader.poll_chunk(cx) else { return Poll::Pending };
        self.is_wanted = false;
        Poll::Ready(match chunk {
            Some(chunk) => News::Chunk(chunk),
            None => {
                let failure = reader.stream().take_failure();
                let trailers = reader.take_trailers();
                self.reader = None;
                News::End(failure, trailers)
            }
        })
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        self.webs.with(self.slot, |web| {
            web.is_open = false;
            web.reader = None;
            web.waker = None;
            drop(web.request.take_body());
        });
    }
}

impl Shared {
    /// Calls a handler that is a web application with a request.
    pub(crate) async fn serve(
        self: &Rc<Self>,
        function: FunctionId,
        input: &Payload,
        invocation: &Rc<Invocation>,
    ) -> Result<Payload> {
        let Payload::Request(request) = input else {
            let message = "this function is a web application, which takes requests and no events";
            return Err(Error::internal(message));
        };
        let (step, current, _streaming, serving) = {
            let function = self.function(function)?;
            let mut isolate = self.isolate()?;
            let mut isolate = isolate.enter();
            if let Some(memory) = &self.memory {
                memory.begin(isolate.runtime().v8_isolate())?;
            }
            let interrupts = self.forget_old_interrupts(&mut isolate);
            let place = self.host.sessions.enter(invocation);
            let current = Current::of_web(interrupts, invocation, place.slot());
            let streaming = self.host.streams.begin(place.slot());
            let serving = self.host.webs.begin(place.slot(), request.clone());
            let step =
                self.begin_request(&mut isolate, &function, request, place, invocation, &current)?;
            if matches!(step, Step::Pending(_)) {
                // From now on the application may find out that its client is gone.
                self.host.streams.open(place.slot(), invocation.stream.get());
            }
            self.turn_for_work(&mut isolate, &step, current.slot())?;
            (step, current, streaming, serving)
        };
        self.finish(step, &current, read_nothing).await?;
        let response = serving.webs.with(serving.slot, |web| web.response.take()).flatten();
        match response {
            Some(response) => Ok(Payload::Response(response)),
            None if invocation.stream.made().is_some() => Ok(Payload::Streamed),
            None => Err(Error::internal("the prelude has given no response")),
        }
    }

    fn begin_request(
        &self,
        isolate: &mut Entered<'_>,
        function: &Function,
        request: &WebRequest,
        place: Place,
        invocation: &Rc<Invocation>,
        current: &Current<'_>,
    ) -> Result<Step<()>> {
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let undefined = v8::undefined(scope).into();
        let target = match function.kind {
            Kind::Fetch => url(request),
            _ => request.target_in_mount(),
        };
        let is_new = matches!(place, Place::New(_));
        let mut arguments = [undefined; 18];
        arguments[0] = v8::Integer::new(scope, function.kind as i32).into();
        arguments[1] = v8::Local::new(scope, &function.function).into();
        arguments[2] = name_to_v8(scope, request.method.as_bytes());
        arguments[3] = latin1_to_v8(scope, target.as_bytes());
        arguments[4] = name_to_v8(scope, request.version.as_bytes());
        let flags = i32::from(request.event.is_some()) | i32::from(request.upgrades) << 1;
        arguments[5] = v8::Integer::new(scope, flags).into();
        arguments[6] = v8::Integer::new(scope, place.slot() as i32).into();
        let mut count = 7;
        if is_new {
            self.note_trace(invocation);
            count += add_facts(scope, invocation, &mut arguments[7..]);
        }
        let serve = v8::Local::new(scope, &prelude.serve);
        let result = serve.call(scope, undefined, &arguments[..count]);
        self.step(scope, prelude, result, current, read_nothing)
    }

    /// Tells the guest the news of its request's body, if there are any. Returns whether there were.
    pub(crate) fn tell_of_body(
        &self,
        isolate: &mut Entered<'_>,
        current: &Current<'_>,
        cx: &mut Context<'_>,
    ) -> bool {
        let Some(slot) = current.slot().filter(|_| current.is_web()) else { return false };
        let Poll::Ready(news) = self.host.webs.poll_news(slot, cx) else { return false };
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let undefined = v8::undefined(scope).into();
        let mut arguments = [
            v8::Integer::new(scope, slot as i32).into(),
            v8::null(scope).into(),
            undefined,
            undefined,
        ];
        match news {
            News::Chunk(chunk) => match bytes_to_v8(scope, &chunk) {
                Ok(chunk) => arguments[1] = chunk,
                Err(error) => arguments[2] = text_or_undefined(scope, Some(error.message())),
            },
            News::End(failure, trailers) => {
                arguments[2] = text_or_undefined(scope, failure.as_ref().map(Error::message));
                if let Some(trailers) = trailers {
                    arguments[3] = fields_to_v8(scope, &trailers);
                }
            }
        }
        let hear = v8::Local::new(scope, &prelude.hear_of_body);
        hear.call(scope, undefined, &arguments);
        scope.perform_microtask_checkpoint();
        true
    }

    /// Tells the guest what there is to tell of its client. Returns whether there was anything.
    pub(crate) fn tell_news(
        &self,
        isolate: &mut Entered<'_>,
        current: &Current<'_>,
        turn: Turn,
        cx: &mut Context<'_>,
    ) -> bool {
        let of_reader = self.tell_of_reader(isolate, current, turn, cx);
        self.tell_of_body(isolate, current, cx) || of_reader
    }

    /// Returns what a module has that has started no server; `None` where its load waits for something else.
    pub(crate) fn without_server(
        &self,
        current: &Current<'_>,
    ) -> Result<Option<(LoadedFunctions, Interface)>> {
        let mut isolate = self.isolate()?;
        let mut isolate = isolate.enter();
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let undefined = v8::undefined(scope).into();
        let no_server = v8::Local::new(scope, &prelude.no_server);
        match no_server.call(scope, undefined, &[]) {
            Some(found) => Ok(read_loaded(scope, found)),
            None => Err(self.stopped(scope, current.slot())),
        }
    }

    /// Whether a call of a web application goes on though the event loop is empty: what it waits for may come from its
    /// client, or from another request's code.
    pub(crate) fn waits_for_client(&self, current: &Current<'_>) -> bool {
        let Some((invocation, slot)) = current.session().filter(|_| current.is_web()) else {
            return false;
        };
        if self.host.webs.with(slot, |web| web.is_wanted).unwrap_or(false) {
            return true;
        }
        let Some(stream) = invocation.stream.made().filter(|stream| !stream.is_gone()) else {
            return false;
        };
        (stream.is_begun() || invocation.deadline_ms.is_none()) && !stream.is_ended()
    }
}

fn read_nothing(_scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Option<()> {
    value.is_undefined().then_some(())
}

/// Returns the address of a request, below its mount.
fn url(request: &WebRequest) -> String {
    let host = request.headers.get("host").filter(|host| {
        let is_part = |byte: &u8| byte.is_ascii_graphic() && !b"/?#@\\<>^|%\"".contains(byte);
        !host.is_empty() && host.iter().all(is_part)
    });
    let mut target = request.target_in_mount();
    if !target.is_ascii() {
        let encoded = |byte: u8| match byte {
            0x80.. => format!("%{byte:02X}"),
            _ => char::from(byte).to_string(),
        };
        target = target.bytes().map(encoded).collect();
    }
    match host.and_then(|host| std::str::from_utf8(host).ok()) {
        Some(host) => [&request.scheme, "://", host, &target].concat(),
        None => {
            let (host, port) = &request.server;
            let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
            format!("{}://{host}:{port}{target}", request.scheme)
        }
    }
}

/// Makes a string of bytes that are a character each.
fn latin1_to_v8<'s>(scope: &mut v8::PinScope<'s, '_>, bytes: &[u8]) -> v8::Local<'s, v8::Value> {
    match v8::String::new_from_one_byte(scope, bytes, v8::NewStringType::Normal) {
        Some(text) => text.into(),
        None => v8::undefined(scope).into(),
    }
}

/// Makes a string of which there is one for all who make it.
fn name_to_v8<'s>(scope: &mut v8::PinScope<'s, '_>, bytes: &[u8]) -> v8::Local<'s, v8::Value> {
    match v8::String::new_from_one_byte(scope, bytes, v8::NewStringType::Internalized) {
        Some(text) => text.into(),
        None => v8::undefined(scope).into(),
    }
}

/// Returns a text of headers as bytes: a character each, where they all have one.
fn header_bytes(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Vec<u8> {
    let Some(text) = value.to_string(scope) else { return Vec::new() };
    let view = v8::ValueView::new(scope, text);
    match view.data() {
        v8::ValueViewData::OneByte(bytes) => bytes.to_vec(),
        v8::ValueViewData::TwoByte(units) => String::from_utf16_lossy(units).into_bytes(),
    }
}

/// Reads names and values of headers by turns, each with a line break after it.
fn fields_of(text: &[u8]) -> Fields {
    let mut fields = Fields::with_capacity(8, text.len());
    let mut lines = text.split(|byte| *byte == b'\n');
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        fields.push(name, value);
    }
    fields
}

/// Adds the functions that the prelude calls. Each takes the slot of its invocation first.
pub(crate) fn add_functions(scope: &mut v8::PinScope<'_, '_>, object: v8::Local<'_, v8::Object>) {
    set_function(scope, object, "webHeaders", headers);
    set_function(scope, object, "webHeader", header);
    set_function(scope, object, "webPeers", peers);
    set_function(scope, object, "webEvent", event);
    set_function(scope, object, "webBody", body);
    set_function(scope, object, "webRead", read);
    set_function(scope, object, "webDrop", drop_body);
    set_function(scope, object, "webRespond", respond);
    set_function(scope, object, "webHead", head);
    set_function(scope, object, "webTrailers", trailers);
}

/// Returns the request that a function was called for.
fn request_of(
    scope: &mut v8::PinScope<'_, '_>,
    args: &v8::FunctionCallbackArguments<'_>,
) -> Option<Arc<WebRequest>> {
    let slot = slot(scope, args)?;
    host_of(scope).webs.request(slot)
}

/// Makes an array of names and values by turns.
fn fields_to_v8<'s>(scope: &mut v8::PinScope<'s, '_>, fields: &Fields) -> v8::Local<'s, v8::Value> {
    let mut texts = Vec::with_capacity(fields.len() * 2);
    for (name, value) in fields.iter() {
        texts.push(name_to_v8(scope, name));
        texts.push(latin1_to_v8(scope, value));
    }
    v8::Array::new_with_elements(scope, &texts).into()
}

/// Implements `webHeaders(slot)`: names and values by turns.
fn headers(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let Some(request) = request_of(scope, &args) else { return };
    result.set(fields_to_v8(scope, &request.headers));
}

/// Implements `webHeader(slot, name)`: its values together; null where there are none.
fn header(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    result.set_null();
    let Some(request) = request_of(scope, &args) else { return };
    let name = args.get(1).to_rust_string_lossy(scope);
    let mut values = request.headers.all(&name);
    let Some(first) = values.next() else { return };
    let text = match values.next() {
        None => latin1_to_v8(scope, first),
        Some(second) => {
            let between: &[u8] = if name.eq_ignore_ascii_case("cookie") { b"; " } else { b", " };
            let mut all = [first, between, second].concat();
            values.for_each(|value| all.extend([between, value].concat()));
            latin1_to_v8(scope, &all)
        }
    };
    result.set(text);
}

/// Implements `webPeers(slot)`: scheme, the client's address and port, the server's host and port.
fn peers(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let Some(request) = request_of(scope, &args) else { return };
    let client = request.client.map(|client| client.ip().to_string());
    let client_port = request.client.as_ref().map_or(0, SocketAddr::port);
    let parts = [
        text_or_undefined(scope, Some(&request.scheme)),
        text_or_undefined(scope, client.as_deref()),
        v8::Integer::new_from_unsigned(scope, client_port.into()).into(),
        text_or_undefined(scope, Some(&request.server.0)),
        v8::Integer::new_from_unsigned(scope, request.server.1.into()).into(),
    ];
    result.set(v8::Array::new_with_elements(scope, &parts).into());
}

/// Implements `webEvent(slot)`: the text of the event that the request was made of.
fn event(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let Some(request) = request_of(scope, &args) else { return };
    let event = request.event.as_deref().map(String::from_utf8_lossy);
    result.set(text_or_undefined(scope, event.as_deref()));
}

/// Implements `webBody(slot)`, once: the body; undefined where it is empty, and true where it is to be read.
fn body(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let host = host_of(scope);
    let taken = slot(scope, &args)
        .and_then(|slot| host.webs.with(slot, |web| web.is_open.then(|| web.request.take_body())));
    match taken.flatten() {
        Some(RequestBody::Whole(bytes)) if !bytes.is_empty() => match bytes_to_v8(scope, &bytes) {
            Ok(bytes) => result.set(bytes),
            Err(error) => throw(scope, &error),
        },
        Some(RequestBody::Arriving(reader)) => {
            let slot = slot(scope, &args).unwrap_or_default();
            host.webs.with(slot, |web| web.reader = Some(reader));
            result.set_bool(true);
        }
        Some(RequestBody::Whole(_)) | None => {}
    }
}

/// Implements `webRead(slot)`: the prelude hears of the next piece of the body. Returns whether there can be one.
fn read(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let host = host_of(scope);
    let can = slot(scope, &args).and_then(|slot| {
        host.webs.with(slot, |web| {
            web.is_wanted = web.reader.is_some();
            if let Some(waker) = &web.waker {
                waker.wake_by_ref();
            }
            web.is_wanted
        })
    });
    result.set_bool(can.unwrap_or(false));
}

/// Implements `webDrop(slot)`: nobody reads the rest of the body.
fn drop_body(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let host = host_of(scope);
    let reader = slot(scope, &args).and_then(|slot| {
        host.webs.with(slot, |web| {
            web.is_wanted = false;
            web.reader.take()
        })
    });
    drop(reader);
}

/// Reads `(slot, status, reason, headers)`.
fn head_of(
    scope: &mut v8::PinScope<'_, '_>,
    args: &v8::FunctionCallbackArguments<'_>,
) -> ResponseHead {
    let status = args.get(1).uint32_value(scope).unwrap_or(500).clamp(100, 999) as u16;
    let reason = args.get(2);
    let reason = (!reason.is_undefined()).then(|| reason.to_rust_string_lossy(scope));
    let headers = fields_of(&header_bytes(scope, args.get(3)));
    ResponseHead { status, reason, headers }
}

/// Implements `webRespond(slot, status, reason, headers, body)`: the whole response. The reason may be undefined, the body a
/// text, bytes or undefined.
fn respond(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let head = head_of(scope, &args);
    let body = args.get(4);
    let body = if body.is_undefined() { Bytes::new() } else { bytes_of(scope, body) };
    let host = host_of(scope);
    if let Some(slot) = slot(scope, &args) {
        host.webs.with(slot, |web| web.response = Some(Box::new(WebResponse { head, body })));
    }
}

/// Implements `webHead(slot, status, reason, headers)`: the head of a response that is streamed.
fn head(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let head = head_of(scope, &args);
    let head = StreamHead { response: Some(Box::new(head)), ..StreamHead::default() };
    with_stream(scope, &args, |invocation| {
        let stream = invocation.stream.get();
        stream.set_head(head)?;
        stream.begin();
        Ok(())
    });
}

/// Implements `webTrailers(slot, headers)`.
fn trailers(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let trailers = fields_of(&header_bytes(scope, args.get(1)));
    with_stream(scope, &args, |invocation| {
        invocation.stream.get().set_trailers(trailers);
        Ok(())
    });
}

fn with_stream(
    scope: &mut v8::PinScope<'_, '_>,
    args: &v8::FunctionCallbackArguments<'_>,
    use_it: impl FnOnce(&Invocation) -> Result<()>,
) {
    let host = host_of(scope);
    let invocation = slot(scope, args).and_then(|slot| host.sessions.get(slot));
    let outcome = match invocation {
        Some(invocation) => use_it(&invocation),
        None => Err(Error::guest("Error", "the request has ended")),
    };
    if let Err(error) = outcome {
        throw(scope, &error);
    }
}
