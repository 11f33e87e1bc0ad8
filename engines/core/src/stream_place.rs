//! An invocation's place for a streamed answer.

use crate::stream::{ResponseStream, register};
use std::{
    cell::{Cell, OnceCell, RefCell},
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, Waker},
};

/// An invocation's place for a streamed answer, which most never use.
#[derive(Default)]
pub struct StreamPlace {
    stream: OnceCell<ResponseStream>,
    limit: Option<u64>,
    held: Cell<bool>,
    waits: RefCell<Vec<Waker>>,
}

impl StreamPlace {
    /// Makes a place for a stream of at most `limit` bytes.
    pub fn limited(limit: u64) -> Self {
        Self { limit: Some(limit), ..Self::default() }
    }

    /// Makes a place with a stream in it, whose other side may be on another thread.
    pub fn of(stream: ResponseStream) -> Self {
        Self { stream: OnceCell::from(stream), ..Self::default() }
    }

    /// Returns the stream, made if need be.
    pub fn get(&self) -> &ResponseStream {
        self.stream
            .get_or_init(|| ResponseStream::awaited(self.limit, self.held.get(), self.waits.take()))
    }

    /// Returns the stream, if there is one.
    pub fn made(&self) -> Option<&ResponseStream> {
        self.stream.get()
    }

    /// Returns the stream, if it is out.
    pub fn out(&self) -> Option<&ResponseStream> {
        self.made().filter(|stream| stream.is_out())
    }

    /// Holds back what may be written from now on; see [`ResponseStream::hold`].
    pub fn hold(&self) {
        self.held.set(true);
        if let Some(stream) = self.made() {
            stream.hold();
        }
    }

    /// Waits until there is a stream that is out.
    pub fn poll_out(&self, cx: &mut Context<'_>) -> Poll<&ResponseStream> {
        match self.made() {
            Some(stream) => stream.poll_out(cx).map(|()| stream),
            None => self.wait(cx),
        }
    }

    /// Runs a call until it has ended, or its answer is out as a stream. Returns the outcome where it has ended.
    pub async fn until_out<F: Future>(&self, mut call: Pin<&mut F>) -> Option<F::Output> {
        poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending => self.poll_out(cx).map(|_| None),
        })
        .await
    }

    /// Waits until there is a stream that is begun.
    pub fn poll_begun(&self, cx: &mut Context<'_>) -> Poll<&ResponseStream> {
        match self.made() {
            Some(stream) => stream.poll_begun(cx).map(|()| stream),
            None => self.wait(cx),
        }
    }

    fn wait<T>(&self, cx: &Context<'_>) -> Poll<T> {
        register(&mut self.waits.borrow_mut(), cx.waker());
        Poll::Pending
    }
}

impl fmt::Debug for StreamPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stream.get().fmt(f)
    }
}
