//! A WebSocket between a client and an application, as both of its sides have it.
//!
//! The front door speaks the protocol; what goes through here are whole messages. The application first says whether it
//! accepts. Both ways have a buffer that says when it is full, as streams have.

use crate::{Error, Fields, Result, STREAM_CAPACITY, WebResponse, Written, stream::register};
use bytes::Bytes;
use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// What a message counts for beside its bytes.
const MESSAGE_COST: usize = 64;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketMessage {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

impl SocketMessage {
    fn cost(&self) -> usize {
        MESSAGE_COST
            + match self {
                Self::Text(text) => text.len(),
                Self::Binary(bytes) => bytes.len(),
            }
    }
}

/// The end of a WebSocket. Contract: RFC 6455 §7.4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketClose {
    /// The status code; 1005 where none was given, 1006 where the connection was lost.
    pub code: u16,
    /// The reason, at most 123 bytes.
    pub reason: String,
}

/// What comes from the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromSocket {
    /// A message.
    Message(SocketMessage),
    /// The end.
    Close(SocketClose),
}

/// What an application says to a client that asks for a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketAnswer {
    /// It is accepted, with this subprotocol and these header fields.
    Accept {
        /// The subprotocol, one of those that the client offers.
        subprotocol: Option<String>,
        /// More header fields of the response.
        headers: Fields,
    },
    /// It is refused with this response.
    Refuse(WebResponse),
}

/// The application's side of a WebSocket. They may be on different threads.
#[derive(Clone, Default)]
pub struct WebSocket(Arc<Mutex<State>>);

/// The front door's side of a WebSocket, of which there is one. When it is dropped, the application learns that the
/// connection is lost.
#[derive(Debug)]
pub struct SocketPeer(WebSocket);

#[derive(Default)]
struct State {
    answer: Option<SocketAnswer>,
    is_answered: bool,
    incoming: Way,
    outgoing: Way,
    wakers: Vec<Waker>,
}

/// One direction.
#[derive(Default)]
struct Way {
    messages: VecDeque<SocketMessage>,
    buffered: usize,
    close: Option<SocketClose>,
}

impl Way {
    fn push(&mut self, message: SocketMessage) {
        self.buffered += message.cost();
        self.messages.push_back(message);
    }

    /// Returns the next message; after the last one the end, again and again.
    fn next(&mut self) -> Option<FromSocket> {
        if let Some(message) = self.messages.pop_front() {
            self.buffered -= message.cost();
            return Some(FromSocket::Message(message));
        }
        self.close.clone().map(FromSocket::Close)
    }

    fn has_room(&self) -> bool {
        self.buffered < STREAM_CAPACITY
    }
}

impl State {
    fn wake(&mut self) {
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
    }

    fn wait<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        register(&mut self.wakers, cx.waker());
        Poll::Pending
    }
}

impl WebSocket {
    /// Makes a WebSocket that is not accepted yet: the application's side and the front door's.
    pub fn pair() -> (Self, SocketPeer) {
        let socket = Self::default();
        (socket.clone(), SocketPeer(socket))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is kept here is valid after every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers the client, which can be done once.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Guest`] the second time. The guest is to see it as an exception of its own.
    pub fn answer(&self, answer: SocketAnswer) -> Result<()> {
        let mut state = self.state();
        if state.is_answered {
            let message = "the WebSocket was accepted or refused already";
            return Err(Error::guest("RuntimeError", message));
        }
        state.is_answered = true;
        state.answer = Some(answer);
        state.wake();
        Ok(())
    }

    /// Whether the client has its answer.
    pub fn is_answered(&self) -> bool {
        self.state().is_answered
    }

    /// Waits for the next message from the client; the end stays, once it is there.
    pub fn poll_receive(&self, cx: &mut Context<'_>) -> Poll<FromSocket> {
        let mut state = self.state();
        let was_full = !state.incoming.has_room();
        let Some(next) = state.incoming.next() else { return state.wait(cx) };
        if was_full {
            state.wake();
        }
        Poll::Ready(next)
    }

    /// As [`WebSocket::poll_receive`].
    pub fn receive(&self) -> impl Future<Output = FromSocket> + use<> {
        let socket = self.clone();
        poll_fn(move |cx| socket.poll_receive(cx))
    }

    /// Sends a message to the client. Nothing happens after the end.
    pub fn send(&self, message: SocketMessage) -> Written {
        let mut state = self.state();
        if state.incoming.close.is_some() || state.outgoing.close.is_some() {
            return Written::Gone;
        }
        state.outgoing.push(message);
        state.wake();
        if state.outgoing.has_room() { Written::Room } else { Written::Full }
    }

    /// Waits for room after [`Written::Full`]. Returns whether anybody still reads.
    pub fn ready(&self) -> impl Future<Output = bool> + use<> {
        let socket = self.clone();
        poll_fn(move |cx| {
            let mut state = socket.state();
            match state.incoming.close.is_some() {
                true => Poll::Ready(false),
                false if state.outgoing.has_room() => Poll::Ready(true),
                false => state.wait(cx),
            }
        })
    }

    /// Ends it, from the application's side.
    pub fn close(&self, close: SocketClose) {
        let mut state = self.state();
        state.outgoing.close.get_or_insert(close);
        state.wake();
    }

    /// Whether the client is gone, or has ended it.
    pub fn is_gone(&self) -> bool {
        self.state().incoming.close.is_some()
    }

    /// Waits until the client is gone, or has ended it.
    pub fn gone(&self) -> impl Future<Output = ()> + use<> {
        let socket = self.clone();
        poll_fn(move |cx| {
            let mut state = socket.state();
            if state.incoming.close.is_some() { Poll::Ready(()) } else { state.wait(cx) }
        })
    }
}

impl SocketPeer {
    /// Waits for the application's answer, which comes once.
    pub fn poll_answer(&self, cx: &mut Context<'_>) -> Poll<SocketAnswer> {
        let mut state = self.0.state();
        match state.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => state.wait(cx),
        }
    }

    /// Waits for the next message to the client; the end stays, once it is there.
    pub fn poll_outgoing(&self, cx: &mut Context<'_>) -> Poll<FromSocket> {
        let mut state = self.0.state();
        let was_full = !state.outgoing.has_room();
        let Some(next) = state.outgoing.next() else { return state.wait(cx) };
        if was_full {
            state.wake();
        }
        Poll::Ready(next)
    }

    /// Hands over a message from the client.
    pub fn deliver(&self, message: SocketMessage) -> Written {
        let mut state = self.0.state();
        state.incoming.push(message);
        state.wake();
        if state.incoming.has_room() { Written::Room } else { Written::Full }
    }

    /// Waits for room after [`Written::Full`].
    pub fn room(&self) -> impl Future<Output = ()> + use<> {
        let socket = self.0.clone();
        poll_fn(move |cx| {
            let mut state = socket.state();
            if state.incoming.has_room() { Poll::Ready(()) } else { state.wait(cx) }
        })
    }

    /// Ends the application's side in its place.
    pub fn end(&self, close: SocketClose) {
        self.0.close(close);
    }

    /// Tells the application of the end.
    pub fn close(&self, close: SocketClose) {
        let mut state = self.0.state();
        state.incoming.close.get_or_insert(close);
        state.wake();
    }
}

impl Drop for SocketPeer {
    fn drop(&mut self) {
        self.close(SocketClose { code: 1006, reason: String::new() });
    }
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("WebSocket")
            .field("is_answered", &state.is_answered)
            .field("incoming", &state.incoming.close)
            .field("outgoing", &state.outgoing.close)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;

    fn text(text: &str) -> SocketMessage {
        SocketMessage::Text(text.to_owned())
    }

    #[test]
    fn messages_go_both_ways_in_order_until_either_side_ends() {
        let (socket, peer) = WebSocket::pair();
        let accept = SocketAnswer::Accept { subprotocol: None, headers: Fields::default() };
        socket.answer(accept.clone()).unwrap();
        assert_eq!(block_on(poll_fn(|cx| peer.poll_answer(cx))), accept);
        assert_eq!(socket.answer(accept).unwrap_err().kind(), crate::ErrorKind::Guest);
        assert_eq!(peer.deliver(text("a")), Written::Room);
        peer.deliver(text("b"));
        assert_eq!(block_on(socket.receive()), FromSocket::Message(text("a")));
        assert_eq!(socket.send(text("c")), Written::Room);
        socket.close(SocketClose { code: 1000, reason: "done".into() });
        assert_eq!(socket.send(text("d")), Written::Gone);
        let outgoing = || block_on(poll_fn(|cx| peer.poll_outgoing(cx)));
        assert_eq!(outgoing(), FromSocket::Message(text("c")));
        assert!(matches!(outgoing(), FromSocket::Close(close) if close.reason == "done"));
        drop(peer);
        assert_eq!(block_on(socket.receive()), FromSocket::Message(text("b")));
        assert!(matches!(block_on(socket.receive()), FromSocket::Close(end) if end.code == 1006));
        assert!(socket.is_gone() && !block_on(socket.ready()));
    }

    #[test]
    fn a_full_way_makes_its_writer_wait_until_something_is_taken() {
        let (socket, peer) = WebSocket::pair();
        let large = SocketMessage::Binary(vec![0; STREAM_CAPACITY].into());
        assert_eq!(peer.deliver(large.clone()), Written::Full);
        block_on(socket.receive());
        block_on(peer.room());
        assert_eq!(socket.send(large), Written::Full);
        block_on(poll_fn(|cx| peer.poll_outgoing(cx)));
        assert!(block_on(socket.ready()));
    }
}
