//! The messages of one WebSocket between an application and its client.

use super::{
    messages::{self, Ready},
    prelude,
    socket_messages::{Next, code, message, outgoing, text_member},
};
use crate::{error, event_loop::EventLoop, web::no_response};
use bytes::Bytes;
use pyo3::{exceptions::PyRuntimeError, intern, prelude::*, types::PyDict};
use std::{
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};
use trine_engine::{
    Error, FromSocket, Payload, ResponseHead, Result, SocketAnswer, SocketClose, WebResponse,
    WebSocket, Written,
};

/// The message of the error that `send()` raises when the client is gone.
const GONE: &str = "the client is gone: the WebSocket has ended";

/// The exchange of one WebSocket.
#[pyclass(frozen)]
pub(super) struct SocketExchange {
    socket: WebSocket,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    /// Whether the application was told that the client connects.
    told_connect: bool,
    /// The response with which it is refused.
    refusal: WebResponse,
    body: Vec<u8>,
    /// What came from the client and was not received yet.
    next: Option<FromSocket>,
    /// The end that the application has made itself.
    closed: Option<SocketClose>,
    receivers: Vec<Py<PyAny>>,
    senders: Vec<Py<PyAny>>,
    attendant: Option<Waker>,
    told_gone: bool,
}

/// What the application may send next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Connecting,
    Open,
    Refusing,
    Ended,
}

#[pymethods]
impl SocketExchange {
    fn receive<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let message = slf.get().next(py)?;
        match message {
            Some(message) => Ready::of(py, message.into_any()),
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
            Written::Gone => {
                slf.get().locked().told_gone = true;
                Err(super::disconnected(py, GONE))
            }
        }
    }

    /// Returns the next message; `None` where it is still to come, and the future will be resolved then.
    fn next_message<'py>(
        &self,
        py: Python<'py>,
        future: Py<PyAny>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let message = self.next(py)?;
        if message.is_none() {
            let mut state = self.locked();
            state.receivers.push(future);
            state.wake();
        }
        Ok(message)
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
        let mut ready = std::pin::pin!(self.socket.ready());
        let mut noop = Context::from_waker(Waker::noop());
        if ready.as_mut().poll(&mut noop) == Poll::Ready(true) {
            return true;
        }
        let mut state = self.locked();
        state.senders.push(future);
        state.wake();
        false
    }
}

impl SocketExchange {
    pub(super) fn new(socket: WebSocket) -> Self {
        let state = State {
            phase: Phase::Connecting,
            told_connect: false,
            refusal: WebResponse::default(),
            body: Vec::new(),
            next: None,
            closed: None,
            receivers: Vec::new(),
            senders: Vec::new(),
            attendant: None,
            told_gone: false,
        };
        Self { socket, state: Mutex::new(state) }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the next message, if it is there.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        // Made without the lock: Python's collector may run code of the guest's meanwhile.
        let next = self.locked().next(&self.socket);
        next.map(|next| message(py, next)).transpose()
    }

    /// Takes a message of the application's.
    fn take(&self, message: &Bound<'_, PyAny>) -> PyResult<Written> {
        let py = message.py();
        let kind = message.get_item(intern!(py, "type"))?;
        let kind = messages::text(&kind, "type")?;
        let refuse = |expected: &str| {
            Err(PyRuntimeError::new_err(format!(
                "Expected ASGI message {expected} but got '{kind}'."
            )))
        };
        let phase = self.locked().phase;
        match (phase, kind) {
            (Phase::Connecting, "websocket.accept") => {
                let subprotocol = text_member(message, intern!(py, "subprotocol"))?;
                let (headers, _) = messages::fields(message)?;
                self.answer(SocketAnswer::Accept { subprotocol, headers }, Phase::Open)
            }
            (Phase::Connecting, "websocket.close") => {
                let refusal = WebResponse {
                    head: ResponseHead { status: 403, ..ResponseHead::default() },
                    body: Bytes::new(),
                };
                let code = code(message)?;
                self.locked().closed = Some(SocketClose { code, reason: String::new() });
                self.answer(SocketAnswer::Refuse(refusal), Phase::Ended)
            }
            (Phase::Connecting, "websocket.http.response.start") => {
                let (head, _) = messages::head(message)?;
                let mut state = self.locked();
                state.refusal.head = head;
                state.phase = Phase::Refusing;
                Ok(Written::Room)
            }
            (Phase::Connecting, _) => {
                refuse("'websocket.accept', 'websocket.close' or 'websocket.http.response.start',")
            }
            (Phase::Open, "websocket.send") => {
                let sent = outgoing(message)?;
                Ok(self.socket.send(sent))
            }
            (Phase::Open, "websocket.close") => {
                let code = code(message)?;
                let reason = text_member(message, intern!(py, "reason"))?.unwrap_or_default();
                if reason.len() > 123 {
                    let message = "the reason of a WebSocket's end may have 123 bytes";
                    return Err(PyRuntimeError::new_err(message));
                }
                if self.socket.is_gone() {
                    return Ok(Written::Gone);
                }
                self.close(SocketClose { code, reason });
                Ok(Written::Room)
            }
            (Phase::Open, _) => refuse("'websocket.send' or 'websocket.close',"),
            (Phase::Refusing, "websocket.http.response.body") => {
                let chunk = messages::body(message)?;
                let more = messages::flag(message, intern!(py, "more_body"))?;
                let mut state = self.locked();
                state.body.extend_from_slice(&chunk);
                if more {
                    return Ok(Written::Room);
                }
                let body = std::mem::take(&mut state.body).into();
                let refusal = WebResponse { body, ..std::mem::take(&mut state.refusal) };
                state.closed = Some(SocketClose { code: 1006, reason: String::new() });
                drop(state);
                self.answer(SocketAnswer::Refuse(refusal), Phase::Ended)
            }
            (Phase::Refusing, _) => refuse("'websocket.http.response.body',"),
            (Phase::Ended, _) => Err(PyRuntimeError::new_err(format!(
                "Unexpected ASGI message '{kind}', after sending 'websocket.close' or response already completed."
            ))),
        }
    }

    fn answer(&self, answer: SocketAnswer, then: Phase) -> PyResult<Written> {
        self.socket
            .answer(answer)
            .map_err(|error| PyRuntimeError::new_err(error.message().to_owned()))?;
        let mut state = self.locked();
        state.phase = then;
        state.wake();
        Ok(if self.socket.is_gone() && then == Phase::Open { Written::Gone } else { Written::Room })
    }

    fn close(&self, close: SocketClose) {
        self.socket.close(close.clone());
        let mut state = self.locked();
        state.phase = Phase::Ended;
        state.closed = Some(close);
        state.wake();
    }

    /// Does what the application waits for, again and again. Ends when something fails that never should.
    pub(super) fn poll_attend(
        &self,
        cx: &mut Context<'_>,
        mut ready: Pin<&mut impl Future<Output = bool>>,
        event_loop: &EventLoop,
    ) -> Poll<Error> {
        let mut state = self.locked();
        if !state.attendant.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            state.attendant = Some(cx.waker().clone());
        }
        let mut due = Vec::new();
        if !state.receivers.is_empty() && state.poll(&self.socket, cx).is_ready() {
            due.extend(state.receivers.drain(..).map(|future| (future, true)));
        }
        if !state.senders.is_empty()
            && let Poll::Ready(reads) = ready.as_mut().poll(cx)
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

    /// Returns the result of the call, whose application has ended.
    pub(super) fn ended(&self, outcome: Result<()>) -> Result<Payload> {
        let (phase, told_gone) = {
            let state = self.locked();
            (state.phase, state.told_gone)
        };
        let is_gone = self.socket.is_gone();
        let end = |code: u16| self.socket.close(SocketClose { code, reason: String::new() });
        let outcome = match outcome {
            Err(failed) if told_gone && is_gone && super::is_disconnect(&failed) => Ok(()),
            Ok(()) if matches!(phase, Phase::Connecting | Phase::Refusing) && !is_gone => {
                Err(no_response("ASGI callable returned without sending handshake."))
            }
            other => other,
        };
        match (&outcome, self.socket.is_answered()) {
            (Err(_), false) => {
                let refusal = WebResponse::text(500, "Internal Server Error");
                // It has no answer, so that it can be given one.
                let _ = self.socket.answer(SocketAnswer::Refuse(refusal));
            }
            (Err(_), true) => end(1011),
            (Ok(()), _) => end(1000),
        }
        let mut state = self.locked();
        state.phase = Phase::Ended;
        state.closed.get_or_insert(SocketClose { code: 1006, reason: String::new() });
        state.attendant = None;
        let due: Vec<_> = state.receivers.drain(..).map(|future| (future, true)).collect();
        let senders: Vec<_> = state.senders.drain(..).map(|future| (future, false)).collect();
        drop(state);
        messages::release(due.into_iter().chain(senders).collect());
        outcome.map(|()| Payload::Nothing)
    }
}

impl State {
    /// Returns what the application is told next, if it is there.
    fn next(&mut self, socket: &WebSocket) -> Option<Next> {
        if !std::mem::replace(&mut self.told_connect, true) {
            return Some(Next::Connect);
        }
        if self.poll(socket, &mut Context::from_waker(Waker::noop())).is_pending() {
            return None;
        }
        match (self.next.take(), &self.closed) {
            (_, Some(close)) => Some(Next::Ended(close.clone())),
            (Some(FromSocket::Message(received)), None) => Some(Next::Received(received)),
            (Some(FromSocket::Close(close)), None) => Some(Next::Ended(close)),
            (None, None) => None,
        }
    }

    /// Waits until there is something to receive.
    fn poll(&mut self, socket: &WebSocket, cx: &mut Context<'_>) -> Poll<()> {
        if self.next.is_some() || self.closed.is_some() {
            return Poll::Ready(());
        }
        socket.poll_receive(cx).map(|next| self.next = Some(next))
    }

    fn wake(&mut self) {
        if let Some(attendant) = self.attendant.take() {
            attendant.wake();
        }
    }
}
