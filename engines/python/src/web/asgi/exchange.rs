//! The messages of one request between an application and its client: `receive` and `send`.
//!
//! What can be had at once is, without a word to the event loop. For anything else the application waits on a future of
//! its loop, which the call resolves that attends the exchange.

use super::{
    messages::{self, Body, Next, Ready},
    prelude,
};
use crate::{error, event_loop::EventLoop, web::response::Response};
use bytes::Bytes;
use pyo3::{exceptions::PyRuntimeError, intern, prelude::*, types::PyDict};
use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};
use trine_engine::{Error, Payload, ResponseStream, Result, WebRequest, Written};

/// The message of the error that `send()` raises when nobody reads any more.
const GONE: &str = "the client is gone: nobody reads the response any more";

/// The exchange of one request.
#[pyclass(frozen)]
pub(super) struct Exchange {
    state: Mutex<State>,
}

struct State {
    request: Arc<WebRequest>,
    body: Body,
    stream: ResponseStream,
    response: Response,
    phase: Phase,
    /// The bytes that the response may still have, where it has said how many it has in all.
    expected: Option<u64>,
    /// Futures of those who wait for a message.
    receivers: Vec<Py<PyAny>>,
    /// Futures of those who wait for room.
    senders: Vec<Py<PyAny>>,
    /// Whoever attends.
    attendant: Option<Waker>,
    /// Whether it was told that the client is gone.
    told_gone: bool,
}

/// What the application may send next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Start,
    Body { trailers: bool },
    Trailers,
    Complete,
}

#[pymethods]
impl Exchange {
    fn receive<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        // Made without the lock: Python's collector may run code of the guest's meanwhile.
        let next = slf.get().locked().next();
        match next {
            Some(next) => Ready::of(py, next.message(py)?.into_any()),
            None => prelude(py)?.receive.bind(py).call1((slf,)),
        }
    }

    fn send<'py>(
        slf: &Bound<'py, Self>,
        message: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        match slf.get().take(message)? {
            Written::Room => Ready::done(py),
            Written::Full => prelude(py)?.send.bind(py).call1((slf, GONE)),
            Written::Gone => Err(super::disconnected(py, GONE)),
        }
    }

    /// Returns the next message; `None` where it is still to come, and the future will be resolved then.
    fn next_message<'py>(
        &self,
        py: Python<'py>,
        future: Py<PyAny>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let next = {
            let mut state = self.locked();
            let next = state.next();
            if next.is_none() {
                state.receivers.push(future);
                state.wake();
            }
            next
        };
        next.map(|next| next.message(py)).transpose()
    }

    /// Forgets a future for which nobody waits any more.
    fn forget(&self, future: &Bound<'_, PyAny>) {
        let mut state = self.locked();
        let mut forgotten = messages::without(&mut state.receivers, future);
        forgotten.extend(messages::without(&mut state.senders, future));
        drop(state);
        drop(forgotten);
    }

    /// Whether there is room for more; where there is none, the future will be resolved with whether anybody reads.
    fn has_room(&self, future: Py<PyAny>) -> bool {
        let mut state = self.locked();
        let mut noop = Context::from_waker(Waker::noop());
        if state.stream.poll_ready(&mut noop) == Poll::Ready(true) {
            return true;
        }
        state.senders.push(future);
        state.wake();
        false
    }
}

impl Exchange {
    pub(super) fn new(request: Arc<WebRequest>, stream: ResponseStream) -> Self {
        let head_only = request.method == "HEAD";
        let response = Response::new(stream.clone(), head_only);
        let state = State {
            request,
            body: Body::Untaken,
            stream,
            response,
            phase: Phase::Start,
            expected: None,
            receivers: Vec::new(),
            senders: Vec::new(),
            attendant: None,
            told_gone: false,
        };
        Self { state: Mutex::new(state) }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message of the application's.
    fn take(&self, message: &Bound<'_, PyAny>) -> PyResult<Written> {
        let py = message.py();
        let kind = message.get_item(intern!(py, "type"))?;
        let kind = messages::text(&kind, "type")?;
        // What follows reads the message, whose parts may be objects of the guest's: the lock is taken after that.
        let phase = self.locked().phase;
        let refuse = |expected: &str| {
            let message = format!("Expected ASGI message '{expected}', but got '{kind}'.");
            Err(PyRuntimeError::new_err(message))
        };
        match phase {
            Phase::Start if kind != "http.response.start" => refuse("http.response.start"),
            Phase::Start => {
                let (head, length) = messages::head(message)?;
                let trailers = messages::flag(message, intern!(py, "trailers"))?;
                let mut state = self.locked();
                if state.stream.is_gone() {
                    state.told_gone = true;
                    return Ok(Written::Gone);
                }
                state.expected = match head.status {
                    // What there is of a body is dropped.
                    204 | 304 => None,
                    _ if state.request.method == "HEAD" => None,
                    _ => length,
                };
                state.response.set_head(head);
                state.phase = Phase::Body { trailers };
                Ok(Written::Room)
            }
            Phase::Body { .. } if kind != "http.response.body" => refuse("http.response.body"),
            Phase::Body { trailers } => {
                let chunk = messages::body(message)?;
                let more = messages::flag(message, intern!(py, "more_body"))?;
                self.take_body(py, chunk, more, trailers)
            }
            Phase::Trailers if kind != "http.response.trailers" => refuse("http.response.trailers"),
            Phase::Trailers => {
                let (fields, _) = messages::fields(message)?;
                let more = messages::flag(message, intern!(py, "more_trailers"))?;
                let mut state = self.locked();
                state.response.add_trailers(&fields);
                if !more {
                    state.complete();
                }
                Ok(Written::Room)
            }
            Phase::Complete => Err(PyRuntimeError::new_err(format!(
                "Unexpected ASGI message '{kind}' sent, after response already completed."
            ))),
        }
    }

    fn take_body(
        &self,
        py: Python<'_>,
        chunk: Bytes,
        more: bool,
        trailers: bool,
    ) -> PyResult<Written> {
        let taken = self.locked().take_body(chunk, more, trailers);
        taken.map_err(|refused| match refused {
            Refused::Length(message) => PyRuntimeError::new_err(message),
            Refused::Stream(error) => error::streaming(py, &error),
        })
    }

    /// Does what the application waits for, and puts what it has sent on its way, again and again. Ends when something
    /// fails that never should.
    pub(super) fn poll_attend(
        &self,
        cx: &mut Context<'_>,
        gone: Pin<&mut impl Future<Output = ()>>,
        event_loop: &EventLoop,
    ) -> Poll<Error> {
        let mut state = self.locked();
        if !state.attendant.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            state.attendant = Some(cx.waker().clone());
        }
        if let Err(error) = state.response.flush() {
            return Poll::Ready(error);
        }
        if state.receivers.is_empty() && state.senders.is_empty() {
            return Poll::Pending;
        }
        let is_gone = state.stream.is_gone() || gone.poll(cx).is_ready();
        let is_complete = state.phase == Phase::Complete;
        let mut due = Vec::new();
        if !state.receivers.is_empty() && (is_gone || is_complete || state.body.poll(cx).is_ready())
        {
            due.extend(state.receivers.drain(..).map(|future| (future, true)));
        }
        if !state.senders.is_empty()
            && let Poll::Ready(reads) = state.stream.poll_ready(cx)
        {
            state.told_gone |= !reads;
            due.extend(state.senders.drain(..).map(|future| (future, reads)));
        }
        // Python's code runs from here on.
        drop(state);
        if due.is_empty() {
            return Poll::Pending;
        }
        match Python::attach(|py| messages::resolve(py, due)) {
            Ok(()) => {
                event_loop.nudge();
                Poll::Pending
            }
            Err(raised) => Poll::Ready(Python::attach(|py| error::internal(py, &raised))),
        }
    }

    /// Returns the result of the call, whose application has ended. Whatever of it goes on is told that its client is gone.
    pub(super) fn ended(&self, outcome: Result<()>) -> Result<Payload> {
        let mut state = self.locked();
        let result = state.ended(outcome);
        state.phase = Phase::Complete;
        state.attendant = None;
        let receivers = state.receivers.drain(..).map(|future| (future, true));
        let due: Vec<_> = receivers.collect();
        let senders: Vec<_> = state.senders.drain(..).map(|future| (future, false)).collect();
        drop(state);
        messages::release(due.into_iter().chain(senders).collect());
        result
    }
}

impl State {
    fn ended(&mut self, outcome: Result<()>) -> Result<Payload> {
        // Nobody reads the rest.
        if matches!(self.body, Body::Untaken) {
            drop(self.request.take_body());
        }
        self.body = Body::Ended { complete: true };
        let is_gone = self.stream.is_gone();
        match outcome {
            // It has noticed that its client is gone, which is no failure of its own.
            Err(failed) if self.told_gone && is_gone && super::is_disconnect(&failed) => {
                Ok(Payload::Streamed)
            }
            Err(failed) => {
                // What it has said stays said.
                self.response.flush()?;
                Err(failed)
            }
            Ok(()) if self.phase == Phase::Complete => self.response.take(),
            Ok(()) if is_gone => Ok(Payload::Streamed),
            Ok(()) if self.phase == Phase::Start => {
                Err(super::no_response("ASGI callable returned without starting response."))
            }
            Ok(()) => {
                self.response.flush()?;
                let message = "ASGI callable returned without completing response.";
                Err(super::no_response(message))
            }
        }
    }
}

/// Why a piece of the body was not taken.
enum Refused {
    /// It does not fit the length that was promised.
    Length(&'static str),
    Stream(Error),
}

impl State {
    /// Returns the next message, if it is there.
    fn next(&mut self) -> Option<Next> {
        if self.phase == Phase::Complete || self.stream.is_gone() {
            return Some(Next::Disconnect);
        }
        if matches!(self.body, Body::Untaken) {
            self.body = Body::of(self.request.take_body());
        }
        match self.body.next() {
            Poll::Ready(next) => Some(next),
            Poll::Pending => None,
        }
    }

    fn take_body(
        &mut self,
        chunk: Bytes,
        more: bool,
        trailers: bool,
    ) -> std::result::Result<Written, Refused> {
        if self.stream.is_gone() {
            self.told_gone = true;
            return Ok(Written::Gone);
        }
        if let Some(expected) = &mut self.expected {
            let longer = Refused::Length("Response content longer than Content-Length");
            *expected = expected.checked_sub(chunk.len() as u64).ok_or(longer)?;
            if !more && *expected > 0 {
                return Err(Refused::Length("Response content shorter than Content-Length"));
            }
        }
        let mut written = self.response.write(chunk).map_err(Refused::Stream)?;
        if !more {
            match trailers {
                true => self.phase = Phase::Trailers,
                false => self.complete(),
            }
            return Ok(Written::Room);
        }
        if self.response.is_large() {
            written = self.response.flush().map_err(Refused::Stream)?;
        } else if !self.response.is_streaming() {
            // What is kept leaves as soon as the application waits.
            self.wake();
        }
        Ok(written)
    }

    fn complete(&mut self) {
        self.phase = Phase::Complete;
        self.response.complete();
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(attendant) = self.attendant.take() {
            attendant.wake();
        }
    }
}
