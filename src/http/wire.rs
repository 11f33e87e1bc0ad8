//! A connection as two sides see it: its worker, which reads and writes, and whoever answers in the worker's place
//! while guest code holds the worker's thread.
//!
//! ```text
//!          bytes come           the request is whole         the worker answers           all has left
//!   Idle ──────────────▶ Begun ───────────────────────▶ Owed ───────────────────▶ Sending ──────────────▶ Idle, or
//!                          └────────────────────────────────────────────────────────┘           Begun where more has come
//! ```
//!
//! An answer that is streamed is `Streaming` first, until its last chunk. In every state but these two somebody else may
//! take the connection over, once; it is `Taken` from then on, and the worker can do nothing more with it.

use super::socket::Stream;
use hyper::rt::{Read, ReadBufCursor, Write};
use std::{
    cell::RefCell,
    collections::HashMap,
    future::poll_fn,
    io::{self, IoSlice},
    mem::MaybeUninit,
    net::Shutdown,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The answer to a client for whose request there is no time left. It fits every method.
const TURNED_AWAY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
/// The answer to a client that has not sent a request's head in time.
const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\
    content-type: application/json\r\ncontent-length: 55\r\n\r\n\
    {\"message\":\"the request's head has not come in time\"}\r\n";
/// Maximum time that an answer from outside waits for room in the socket's buffer.
const SEND_TIMEOUT: Duration = Duration::from_millis(200);
/// Maximum number of reads, of [`PIECE`] bytes each, of what a client still sends before its connection is closed: what
/// is left unread resets the connection, and the client may lose the answer.
const PIECES: usize = 64;
const PIECE: usize = 4096;
/// What a client sends first that speaks HTTP/2 without having asked. Contract: RFC 9113 §3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The largest read from a connection.
const ARRIVING_SIZE: usize = 64 * 1024;

/// The worker's side of a connection.
pub(super) struct Wire(Hold);

/// The other side's hold on a connection.
#[derive(Debug, Clone)]
pub(super) struct Hold(Arc<Mutex<Ends>>);

#[derive(Debug)]
struct Ends {
    stream: Stream,
    state: State,
    /// What was read to see which protocol it is.
    lead: Vec<u8>,
    /// Number of requests that are being answered, where the protocol is HTTP/2: it has no one state.
    http2: Option<usize>,
    /// The time since which nothing, or the head of a request, is waited for.
    since: Instant,
    /// Whether a head has begun that is not whole yet.
    is_in_head: bool,
    /// Whether the last look for more bytes found none. The HTTP library looks again, once it has read a request, only
    /// when nothing is left in its own buffer: so this tells, during a request, that none has come after it.
    exhausted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Begun,
    Owed,
    Sending {
        /// Whether the request was read to its end. If it was not, its rest is not the beginning of another.
        whole: bool,
    },
    /// As `Sending`, but what has left so far is not all.
    Streaming {
        whole: bool,
    },
    Taken,
    /// The protocol is no longer HTTP, and the connection its own affair.
    Left,
}

/// What a connection waits for, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// For a request to begin.
    Request(Instant),
    /// For the rest of a request's head.
    Head(Instant),
}

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        let (state, since) = (State::Idle, Instant::now());
        let ends = Ends {
            stream,
            state,
            lead: Vec::new(),
            http2: None,
            since,
            is_in_head: false,
            exhausted: true,
        };
        Self(Hold(Arc::new(Mutex::new(ends))))
    }

    /// Waits until it shows whether the client begins to speak HTTP/2.
    ///
    /// # Errors
    /// When the connection cannot be read from.
    pub(super) async fn is_http2(&self) -> io::Result<bool> {
        poll_fn(|cx| self.0.ends().poll_is_http2(cx)).await
    }

    pub(super) fn hold(&self) -> Hold {
        self.0.clone()
    }
}

impl Hold {
    fn ends(&self) -> MutexGuard<'_, Ends> {
        // What is kept here is valid after every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the client speaks HTTP/2. What belongs to the states of HTTP/1.1 has no meaning from then on.
    pub(super) fn speak_http2(&self) {
        let mut ends = self.ends();
        ends.http2 = Some(0);
        ends.since = Instant::now();
    }

    /// Counts one more request that is being answered, where several can be.
    pub(super) fn count(&self) -> Option<Counted> {
        let mut ends = self.ends();
        let count = ends.http2.as_mut()?;
        *count += 1;
        drop(ends);
        Some(Counted(self.clone()))
    }

    /// Notes that the head of a request has come.
    pub(super) fn end_head(&self) {
        self.ends().is_in_head = false;
    }

    /// Returns what is waited for; `None` while a request is being answered.
    pub(super) fn wait(&self) -> Option<Wait> {
        let ends = self.ends();
        match ends.state {
            _ if ends.http2.is_some() => {
                (ends.http2 == Some(0)).then_some(Wait::Request(ends.since))
            }
            State::Idle => Some(Wait::Request(ends.since)),
            State::Begun if ends.is_in_head => Some(Wait::Head(ends.since)),
            _ => None,
        }
    }

    /// Gives up waiting; a client that has begun a request is told so. Returns false if something has come meanwhile.
    pub(super) fn give_up(&self) -> bool {
        let mut ends = self.ends();
        match ends.state {
            _ if ends.http2.is_some() => ends.http2 == Some(0),
            State::Begun if ends.is_in_head => {
                ends.state = State::Taken;
                // It is the client's loss if it no longer listens.
                let _ = ends.end_with(TOO_SLOW);
                true
            }
            State::Idle => !ends.has_more(),
            _ => false,
        }
    }

    /// Notes that a request has been read to its end.
    pub(super) fn owe(&self) {
        let mut ends = self.ends();
        if ends.state != State::Taken {
            ends.state = State::Owed;
        }
    }

    /// Notes that a request has been read to its end, also where its answer has begun before.
    pub(super) fn end_request(&self) {
        let mut ends = self.ends();
        ends.state = match ends.state {
            State::Idle | State::Begun | State::Owed => State::Owed,
            State::Sending { .. } => State::Sending { whole: true },
            State::Streaming { .. } => State::Streaming { whole: true },
            State::Taken | State::Left => ends.state,
        };
    }

    /// Notes that the answer that leaves now is the last of this protocol.
    pub(super) fn leave_http(&self) {
        let mut ends = self.ends();
        if ends.state != State::Taken {
            ends.state = State::Left;
        }
    }

    /// Notes that the worker's answer leaves now. Where somebody else has answered, it finds the connection closed.
    pub(super) fn answer(&self) {
        let mut ends = self.ends();
        if !matches!(ends.state, State::Taken | State::Left) {
            ends.state = State::Sending { whole: ends.state == State::Owed };
        }
    }

    /// Notes that an answer leaves from now on that the function is still making. Where nothing but the connection's end
    /// marks the answer's (`is_delimited` is false), that is a reset until the last chunk leaves: the client can tell that
    /// something is missing.
    pub(super) fn begin_stream(&self, is_delimited: bool) {
        let mut ends = self.ends();
        if let State::Sending { whole } = ends.state {
            ends.state = State::Streaming { whole };
            if !is_delimited {
                ends.end_by_reset(true);
            }
        }
    }

    /// Notes that the last chunk of such an answer leaves now.
    pub(super) fn end_stream(&self) {
        let mut ends = self.ends();
        if let State::Streaming { whole } = ends.state {
            ends.state = State::Sending { whole };
            ends.end_by_reset(false);
        }
    }

    /// Whether nothing has come after the request that is being answered.
    pub(super) fn is_last(&self) -> bool {
        let ends = self.ends();
        ends.http2.is_none() && ends.exhausted && !ends.has_more()
    }

    /// Whether nothing is owed, and nothing is on its way in.
    pub(super) fn is_quiet(&self) -> bool {
        let ends = self.ends();
        let is_idle = match ends.http2 {
            Some(count) => count == 0,
            None => ends.state == State::Idle,
        };
        is_idle && !ends.has_more()
    }

    /// Answers in the worker's place, whatever it has read, and closes the connection.
    ///
    /// # Errors
    /// When the answer could not be sent; [`io::ErrorKind::AlreadyExists`] when somebody has answered. In HTTP/2 only the
    /// worker knows what the client can read next: the connection is closed.
    pub(super) fn answer_instead(&self, answer: &[u8]) -> io::Result<()> {
        let mut ends = self.ends();
        if ends.http2.is_some() {
            ends.state = State::Taken;
            ends.stream.socket().shutdown(Shutdown::Both)?;
            return Err(io::Error::other("over HTTP/2 the connection can only be closed"));
        }
        let (State::Idle | State::Begun | State::Owed) = ends.state else {
            return Err(io::ErrorKind::AlreadyExists.into());
        };
        ends.state = State::Taken;
        ends.end_with(answer)
    }

    /// Closes the connection of a client that does not read what is streamed to it; not one with other requests on it.
    pub(super) fn cut_stream(&self) {
        let mut ends = self.ends();
        if ends.http2.is_none() && matches!(ends.state, State::Streaming { .. }) {
            ends.state = State::Taken;
            // It is gone already if this fails.
            let _ = ends.stream.socket().shutdown(Shutdown::Both);
        }
    }

    /// Closes the connection, on which nothing is answered any more; not one with other requests on it.
    pub(super) fn destroy(&self) {
        let mut ends = self.ends();
        if ends.http2.is_none() {
            ends.state = State::Taken;
            // It is gone already if this fails.
            let _ = ends.stream.socket().shutdown(Shutdown::Both);
        }
    }

    /// Turns away a request, or a part of one, that nobody has answered. Returns whether there was one.
    pub(super) fn turn_away(&self) -> bool {
        let mut ends = self.ends();
        if let Some(count) = ends.http2 {
            ends.state = State::Taken;
            // It is gone already if this fails.
            let _ = ends.stream.socket().shutdown(Shutdown::Both);
            return count > 0;
        }
        let waits = match ends.state {
            State::Begun | State::Owed => true,
            State::Idle => ends.has_more(),
            State::Sending { .. } | State::Streaming { .. } | State::Taken | State::Left => false,
        };
        if waits {
            ends.state = State::Taken;
            // It is the client's loss if it no longer listens.
            let _ = ends.end_with(TURNED_AWAY);
        }
        waits
    }
}

/// A request of a connection with several; dropped when it is answered.
#[derive(Debug)]
pub(super) struct Counted(Hold);

impl Drop for Counted {
    fn drop(&mut self) {
        let mut ends = self.0.ends();
        ends.since = Instant::now();
        if let Some(count) = &mut ends.http2 {
            *count -= 1;
        }
    }
}

impl Ends {
    fn poll_is_http2(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            let common = self.lead.iter().zip(PREFACE).take_while(|(a, b)| a == b).count();
            if common == PREFACE.len() || common < self.lead.len() {
                return Poll::Ready(Ok(common == PREFACE.len()));
            }
            self.check()?;
            let Self { stream, state, lead, since, is_in_head, .. } = self;
            let length = ARRIVING.with_borrow_mut(|arriving| {
                let mut arrived = ReadBuf::new(arriving);
                ready!(Pin::new(stream).poll_read(cx, &mut arrived))?;
                lead.extend_from_slice(arrived.filled());
                Poll::Ready(io::Result::Ok(arrived.filled().len()))
            });
            if ready!(length)? == 0 {
                return Poll::Ready(Ok(false));
            }
            if *state == State::Idle {
                (*state, *since, *is_in_head) = (State::Begun, Instant::now(), true);
            }
        }
    }

    /// Whether bytes wait to be read. The system itself is asked: what the runtime knows of the socket may be outdated
    /// where guest code has held the thread.
    fn has_more(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        !self.lead.is_empty() || matches!(self.stream.socket().peek(&mut byte), Ok(1..))
    }

    /// Sets whether the end of the connection is a reset.
    fn end_by_reset(&self, resets: bool) {
        // Where the system refuses, the connection just ends.
        let _ = self.stream.socket().set_linger(resets.then_some(Duration::ZERO));
    }

    fn end_with(&mut self, answer: &[u8]) -> io::Result<()> {
        self.stream.send_now(answer, Instant::now() + SEND_TIMEOUT)?;
        self.discard();
        self.stream.socket().shutdown(Shutdown::Both)
    }

    /// Reads and drops what has come, without waiting for more.
    fn discard(&self) {
        let socket = self.stream.socket();
        let mut piece = [MaybeUninit::uninit(); PIECE];
        for _ in 0..PIECES {
            if !matches!(socket.recv(&mut piece), Ok(1..)) {
                return;
            }
        }
    }

    fn check(&self) -> io::Result<()> {
        match self.state {
            State::Taken => Err(io::ErrorKind::BrokenPipe.into()),
            _ => Ok(()),
        }
    }
}

thread_local! {
    /// The buffer in which bytes arrive before the HTTP library gets them: only this shows how many there are.
    static ARRIVING: RefCell<Vec<u8>> = RefCell::new(vec![0; ARRIVING_SIZE]);
}

impl Read for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut ends = self.0.ends();
        ends.check()?;
        let Ends { stream, state, lead, since, is_in_head, exhausted, .. } = &mut *ends;
        if !lead.is_empty() {
            let length = buffer.remaining().min(lead.len());
            buffer.put_slice(&lead[..length]);
            lead.drain(..length);
            *exhausted = false;
            return Poll::Ready(Ok(()));
        }
        ARRIVING.with_borrow_mut(|arriving| {
            let size = buffer.remaining().min(arriving.len());
            let mut arrived = ReadBuf::new(&mut arriving[..size]);
            let polled = Pin::new(stream).poll_read(cx, &mut arrived);
            *exhausted = polled.is_pending();
            ready!(polled)?;
            let bytes = arrived.filled();
            buffer.put_slice(bytes);
            if *state == State::Idle && !bytes.is_empty() {
                (*state, *since, *is_in_head) = (State::Begun, Instant::now(), true);
            }
            Poll::Ready(Ok(()))
        })
    }
}

impl Write for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut ends = self.0.ends();
        ends.check()?;
        Pin::new(&mut ends.stream).poll_write(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut ends = self.0.ends();
        ends.check()?;
        Pin::new(&mut ends.stream).poll_write_vectored(cx, slices)
    }

    /// Enters the state after an answer; called when everything has been written.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut ends = self.0.ends();
        ready!(Pin::new(&mut ends.stream).poll_flush(cx))?;
        if let State::Sending { whole } = ends.state {
            ends.is_in_head = whole && !ends.exhausted;
            ends.state = if ends.is_in_head { State::Begun } else { State::Idle };
            ends.since = Instant::now();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut ends = self.0.ends();
        ends.check()?;
        ends.discard();
        Pin::new(&mut ends.stream).poll_shutdown(cx)
    }
}

/// The open connections of a server, whichever worker they belong to.
#[derive(Debug, Default)]
pub(super) struct Connections {
    open: Mutex<HashMap<u64, Hold>>,
    entered: AtomicU64,
}

/// A connection's place among the open ones; dropping it leaves the place.
pub(super) struct Entry {
    connections: Arc<Connections>,
    number: u64,
}

impl Connections {
    pub(super) fn enter(self: &Arc<Self>, hold: Hold) -> Entry {
        let number = self.entered.fetch_add(1, Ordering::Relaxed);
        self.open().insert(number, hold);
        Entry { connections: self.clone(), number }
    }

    /// Returns the number of them.
    pub(super) fn count(&self) -> usize {
        self.open().len()
    }

    /// Turns away whatever waits for an answer on any of them.
    pub(super) fn turn_away(&self) {
        let all: Vec<Hold> = self.open().values().cloned().collect();
        for hold in all {
            hold.turn_away();
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Hold>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.connections.open().remove(&self.number);
    }
}

#[cfg(test)]
mod tests;
