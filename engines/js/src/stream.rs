//! An answer in pieces: what JavaScript writes of it, and what it is told of who reads it.

use crate::{
    call::Current,
    exchange::{session, slot, throw},
    host::{host_of, set_function},
    instance::Shared,
    isolate::Entered,
};
use bytes::Bytes;
use deno_runtime::deno_core::v8;
use std::{
    cell::RefCell,
    future::Future as _,
    pin::pin,
    task::{Context, Poll, Waker},
};
use trine_engine::{Error, ResponseStream, Result, StreamHead, Written};

/// The variable that takes the global `awslambda` away, if it is `1` or `true`.
const HIDES_GLOBAL: &str = "AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA";

/// The streamed answers of an isolate's invocations in flight.
#[derive(Default)]
pub(crate) struct Streams(RefCell<Vec<Entry>>);

/// One of them.
struct Entry {
    slot: usize,
    stream: ResponseStream,
    wait: Wait,
    /// Whether the guest knows that nobody reads any more.
    is_gone: bool,
    /// The waker of the handler's call. Another call's turn of the event loop may write, too.
    waker: Option<Waker>,
}

/// Whether the guest waits for room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    No,
    /// It has asked; whoever reads has not had its turn since.
    Asked,
    Yes,
}

/// The part of a call's turn on its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Begins,
    Ends,
}

/// What the guest is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    Room,
    Gone,
}

/// A handler's call, in which an answer may be streamed.
pub(crate) struct Streaming<'a> {
    streams: &'a Streams,
    slot: usize,
}

impl Streams {
    /// Begins a handler's call. What it leaves behind can write no more when this is dropped.
    pub(crate) fn begin(&self, slot: usize) -> Streaming<'_> {
        Streaming { streams: self, slot }
    }

    fn with<T>(&self, slot: usize, use_it: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.0.borrow_mut().iter_mut().find(|entry| entry.slot == slot).map(use_it)
    }

    pub(crate) fn open(&self, slot: usize, stream: &ResponseStream) {
        if self.with(slot, |_| ()).is_none() {
            let stream = stream.clone();
            let entry = Entry { slot, stream, wait: Wait::No, is_gone: false, waker: None };
            self.0.borrow_mut().push(entry);
        }
    }

    fn poll_news(&self, slot: usize, turn: Turn, cx: &mut Context<'_>) -> Poll<News> {
        self.with(slot, |entry| entry.poll_news(turn, cx)).unwrap_or(Poll::Pending)
    }

    fn is_awaited(&self, slot: usize) -> bool {
        self.with(slot, |entry| entry.wait != Wait::No).unwrap_or(false)
    }
}

impl Entry {
    fn poll_news(&mut self, turn: Turn, cx: &mut Context<'_>) -> Poll<News> {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => self.waker = Some(cx.waker().clone()),
        }
        if !self.is_gone && pin!(self.stream.gone()).poll(cx).is_ready() {
            self.is_gone = true;
            self.wait = Wait::No;
            return Poll::Ready(News::Gone);
        }
        match (self.wait, turn) {
            (Wait::No, _) => Poll::Pending,
            (Wait::Yes, Turn::Begins) => self.stream.poll_ready(cx).map(|_| {
                self.wait = Wait::No;
                News::Room
            }),
            (Wait::Asked | Wait::Yes, _) => {
                self.wait = Wait::Yes;
                if self.stream.poll_ready(cx).is_ready() {
                    // Not before the thread has turned to others: a chunk leaves before the next one is made.
                    cx.waker().wake_by_ref();
                }
                Poll::Pending
            }
        }
    }
}

impl Drop for Streaming<'_> {
    fn drop(&mut self) {
        self.streams.0.borrow_mut().retain(|entry| entry.slot != self.slot);
    }
}

impl Shared {
    /// Tells the guest the news of its call's reader, if there are any. Returns whether there were.
    pub(crate) fn tell_of_reader(
        &self,
        isolate: &mut Entered<'_>,
        current: &Current<'_>,
        turn: Turn,
        cx: &mut Context<'_>,
    ) -> bool {
        let Some(slot) = current.slot() else { return false };
        let Poll::Ready(news) = self.host.streams.poll_news(slot, turn, cx) else { return false };
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let undefined = v8::undefined(scope).into();
        let arguments = [
            v8::Integer::new(scope, slot as i32).into(),
            v8::Boolean::new(scope, news == News::Gone).into(),
        ];
        let hear = v8::Local::new(scope, &prelude.hear_of_reader);
        hear.call(scope, undefined, &arguments);
        scope.perform_microtask_checkpoint();
        true
    }

    /// Whether a call goes on when its reader takes more.
    pub(crate) fn waits_for_reader(&self, current: &Current<'_>) -> bool {
        current.slot().is_some_and(|slot| self.host.streams.is_awaited(slot))
    }
}

/// Whether the global `awslambda` is not wanted.
pub(crate) fn hides_global() -> bool {
    std::env::var(HIDES_GLOBAL).is_ok_and(|value| matches!(&*value, "1" | "true"))
}

/// Adds the functions that the prelude calls. Each takes the slot of its invocation first.
pub(crate) fn add_functions(scope: &mut v8::PinScope<'_, '_>, object: v8::Local<'_, v8::Object>) {
    set_function(scope, object, "streamOpen", open);
    set_function(scope, object, "streamHead", head);
    set_function(scope, object, "streamWrite", write);
    set_function(scope, object, "streamWait", wait);
    set_function(scope, object, "streamEnd", end);
}

/// Calls a function with the stream of a call in flight; throws where there is none, or the function fails.
fn with_stream<T>(
    scope: &mut v8::PinScope<'_, '_>,
    args: &v8::FunctionCallbackArguments<'_>,
    use_it: impl FnOnce(&mut Entry) -> Result<T>,
) -> Option<T> {
    let host = host_of(scope);
    let outcome = slot(scope, args).and_then(|slot| host.streams.with(slot, use_it));
    let outcome = outcome.unwrap_or_else(|| {
        let message = "the invocation of this stream has ended: nothing can be written any more";
        Err(Error::guest("Runtime.InvalidStreamingOperation", message))
    });
    outcome.map_err(|error| throw(scope, &error)).ok()
}

/// Implements `streamOpen(slot)`.
fn open(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let Some((host, invocation)) = session(scope, &args) else { return };
    if let Some(slot) = slot(scope, &args) {
        host.streams.open(slot, invocation.stream.get());
    }
}

/// Implements `streamHead(slot, contentType, metadata)`, each of them a text or undefined.
fn head(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let text = |scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>| {
        (!value.is_undefined()).then(|| value.to_rust_string_lossy(scope))
    };
    let content_type = text(scope, args.get(1));
    let metadata = text(scope, args.get(2)).map(Bytes::from);
    let head = StreamHead { content_type, metadata, ..StreamHead::default() };
    with_stream(scope, &args, |entry| entry.stream.set_head(head));
}

/// Implements `streamWrite(slot, chunk)` of a text or bytes: a number that says what became of it.
fn write(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let chunk = bytes_of(scope, args.get(1));
    let written = with_stream(scope, &args, |entry| entry.stream.write(chunk));
    result.set_int32(match written {
        Some(Written::Room) => 0,
        Some(Written::Full) => 1,
        Some(Written::Gone) => 2,
        // It has thrown.
        None => return,
    });
}

/// Returns the bytes of a text or of a view of some.
pub(crate) fn bytes_of(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Bytes {
    let Ok(view) = v8::Local::<'_, v8::ArrayBufferView>::try_from(value) else {
        return Bytes::from(value.to_rust_string_lossy(scope));
    };
    let mut bytes = vec![0; view.byte_length()];
    let written = view.copy_contents(&mut bytes);
    bytes.truncate(written);
    Bytes::from(bytes)
}

/// Implements `streamWait(slot)`: the prelude hears when there is room.
fn wait(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    with_stream(scope, &args, |entry| {
        entry.wait = Wait::Asked;
        if let Some(waker) = &entry.waker {
            waker.wake_by_ref();
        }
        Ok(())
    });
}

/// Implements `streamEnd(slot)`.
fn end(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    with_stream(scope, &args, |entry| {
        entry.stream.end();
        Ok(())
    });
}
