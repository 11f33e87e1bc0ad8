//! An answer that is not whole yet: its head, then chunks, then an end or an error.
//!
//! The function writes while its call is in flight, the front door reads. Between them lies a buffer that says when it is
//! full, so that a slow reader slows the function down. The answer is *begun* with its first chunk: until then the
//! function may still fail like any other. Somebody may hold it back at that point, as hooks do that want to see the head
//! first; it is *out* when nobody does, and then the front door sends it.

use crate::{Error, ErrorKind, Fields, ResponseHead, Result};
use bytes::{Bytes, BytesMut};
use std::{
    collections::VecDeque,
    fmt,
    future::{Future, poll_fn},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// The media type of a stream that begins with metadata: a JSON object, [`PRELUDE_END`], then the body. Contract: Lambda
/// function URLs and API Gateway, "response streaming".
pub const HTTP_INTEGRATION: &str = "application/vnd.awslambda.http-integration-response";

/// The bytes between metadata and body.
pub const PRELUDE_END: [u8; 8] = [0; 8];

/// The media types of answers that name none, whose first chunk is text, bytes, or another value.
pub const TEXT_CHUNKS: &str = "text/plain; charset=utf-8";
/// See [`TEXT_CHUNKS`].
pub const BYTE_CHUNKS: &str = "application/octet-stream";
/// See [`TEXT_CHUNKS`]. Each value is a line.
pub const JSON_LINES: &str = "application/x-ndjson";

/// The bytes, about, that may wait for the reader before the writer is asked to wait.
pub const STREAM_CAPACITY: usize = 64 * 1024;

/// What a chunk counts for beside its bytes: many small ones must not wait in numbers that take their time to send.
const CHUNK_COST: usize = 64;

/// Maximum number of turns that the thread's other tasks get so that the reader, who may be one of them, can take a chunk
/// before the next one is made.
const TURNS: u32 = 8;

/// The longest metadata that a guest may write itself, in bytes. API Gateway wants the end of it within its first 16 KB; a
/// browser's cookies alone may be longer.
const LONGEST_PRELUDE: usize = 256 * 1024;

/// What is known of a streamed answer before its first chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamHead {
    /// The media type of the chunks, where the guest has named one.
    pub content_type: Option<String>,
    /// An HTTP response's metadata, where the guest has given any: a JSON object with `statusCode`, `headers` and
    /// `cookies`.
    pub metadata: Option<Bytes>,
    /// The head of the response of a web application; the other members are not there then.
    pub response: Option<Box<ResponseHead>>,
}

/// What became of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It was taken, and there is room for more.
    Room,
    /// It was taken; the next one should wait for [`ResponseStream::ready`].
    Full,
    /// Nobody reads any more.
    Gone,
}

/// A streamed answer, as both of its sides have it. They may be on different threads.
#[derive(Clone, Default)]
pub struct ResponseStream(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    head: StreamHead,
    chunks: VecDeque<Bytes>,
    buffered: usize,
    /// Bytes written so far, and how many there may be.
    written: u64,
    limit: Option<u64>,
    /// Header fields that come after the body.
    trailers: Option<Fields>,
    /// What has been written of metadata that the guest writes itself.
    prelude: Option<BytesMut>,
    begun: bool,
    held: bool,
    /// Whether the guest has said that no more comes.
    ended: bool,
    /// How the call ended.
    finished: Option<Result<()>>,
    /// Whether it has failed, also once somebody has taken the error.
    failed: bool,
    gone: bool,
    readers: Vec<Waker>,
    writers: Vec<Waker>,
}

impl State {
    fn is_out(&self) -> bool {
        self.begun && !self.held
    }

    fn push(&mut self, chunk: Bytes) {
        self.begun = true;
        if !chunk.is_empty() {
            self.buffered += chunk.len() + CHUNK_COST;
            self.chunks.push_back(chunk);
        }
    }

    /// Takes what the guest writes of its own metadata, until that is whole.
    fn push_prelude(&mut self, mut prelude: BytesMut, chunk: &[u8]) {
        // What was there before has no end in it; one may have begun there.
        let seen = prelude.len().saturating_sub(PRELUDE_END.len() - 1);
        prelude.extend_from_slice(chunk);
        let mut places = prelude[seen..].windows(PRELUDE_END.len());
        let end = places.position(|bytes| bytes == PRELUDE_END).map(|place| seen + place);
        match end {
            Some(end) => {
                let body = prelude.split_off(end + PRELUDE_END.len()).freeze();
                prelude.truncate(end);
                self.head.metadata = Some(prelude.freeze());
                self.head.content_type = None;
                self.push(body);
            }
            None if prelude.len() > LONGEST_PRELUDE => self.push(prelude.freeze()),
            None => self.prelude = Some(prelude),
        }
    }

    fn wake_writers(&mut self) {
        for writer in self.writers.drain(..) {
            writer.wake();
        }
    }

    fn wake_readers(&mut self) {
        for reader in self.readers.drain(..) {
            reader.wake();
        }
    }
}

impl ResponseStream {
    /// Makes a stream for at most `limit` bytes.
    pub fn new(limit: Option<u64>) -> Self {
        Self(Arc::new(Mutex::new(State { limit, ..State::default() })))
    }

    /// Makes one that is held back, or not, with those who wait for its first chunk.
    pub(crate) fn awaited(limit: Option<u64>, held: bool, readers: Vec<Waker>) -> Self {
        Self(Arc::new(Mutex::new(State { limit, held, readers, ..State::default() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What is kept here is valid after every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the head.
    pub fn head(&self) -> StreamHead {
        self.state().head.clone()
    }

    /// Replaces the head.
    ///
    /// # Errors
    /// [`ErrorKind::Guest`] after the first chunk. The guest is to see it as an exception of its own.
    pub fn set_head(&self, head: StreamHead) -> Result<()> {
        let mut state = self.state();
        if state.begun || state.prelude.is_some() {
            let message =
                "status, headers and content type cannot be set any more: the response has begun";
            return Err(Error::guest("Runtime.InvalidStreamingOperation", message));
        }
        state.head = head;
        Ok(())
    }

    /// Sets the header fields that come after the body. Before the end; where the protocol has no room for any, nobody sees
    /// them.
    pub fn set_trailers(&self, trailers: Fields) {
        self.state().trailers = Some(trailers);
    }

    /// Writes a chunk. An empty one does nothing.
    ///
    /// # Errors
    /// [`ErrorKind::ResponseTooLarge`] beyond the stream's limit, [`ErrorKind::Guest`] after the end. The guest is to see
    /// them as exceptions of its own.
    pub fn write(&self, chunk: Bytes) -> Result<Written> {
        let mut state = self.state();
        if state.gone {
            return Ok(Written::Gone);
        }
        if state.ended || state.finished.is_some() {
            let message = "the response has ended: nothing can be written any more";
            return Err(Error::guest("Runtime.InvalidStreamingOperation", message));
        }
        if chunk.is_empty() {
            return Ok(room(&state));
        }
        let written = state.written + chunk.len() as u64;
        if let Some(limit) = state.limit.filter(|limit| written > *limit) {
            return Err(Error::new(
                ErrorKind::ResponseTooLarge,
                format!(
                    "Response payload size ({written} bytes so far) exceeded maximum allowed payload size ({limit} bytes)."
                ),
            ));
        }
        state.written = written;
        let writes_prelude = !state.begun
            && state.head.metadata.is_none()
            && state.head.content_type.as_deref() == Some(HTTP_INTEGRATION);
        match state.prelude.take() {
            Some(prelude) => state.push_prelude(prelude, &chunk),
            None if writes_prelude => state.push_prelude(BytesMut::new(), &chunk),
            None => state.push(chunk),
        }
        state.wake_readers();
        Ok(room(&state))
    }

    /// Writes a chunk and waits for room. Returns whether anybody still reads.
    ///
    /// # Errors
    /// As [`ResponseStream::write`].
    pub async fn send(&self, chunk: Bytes) -> Result<bool> {
        match self.write(chunk)? {
            Written::Room => Ok(true),
            Written::Full => Ok(self.ready().await),
            Written::Gone => Ok(false),
        }
    }

    /// Waits for room. Returns whether anybody still reads.
    pub fn ready(&self) -> impl Future<Output = bool> + use<> {
        let stream = self.clone();
        poll_fn(move |cx| stream.poll_ready(cx))
    }

    /// As [`ResponseStream::ready`].
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.state();
        match room(&state) {
            Written::Room => Poll::Ready(true),
            Written::Gone => Poll::Ready(false),
            Written::Full => {
                register(&mut state.writers, cx.waker());
                Poll::Pending
            }
        }
    }

    /// Waits until what was written is on its way and there is room for more. Returns whether anybody still reads.
    pub fn passed_on(&self) -> impl Future<Output = bool> + use<> {
        let stream = self.clone();
        let mut turns = 0;
        poll_fn(move |cx| {
            if turns == 0 || (turns < TURNS && stream.buffered() > 0) {
                turns += 1;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            stream.poll_ready(cx)
        })
    }

    /// Waits until nobody reads any more.
    pub fn gone(&self) -> impl Future<Output = ()> + use<> {
        let stream = self.clone();
        poll_fn(move |cx| {
            let mut state = stream.state();
            if state.gone {
                return Poll::Ready(());
            }
            register(&mut state.writers, cx.waker());
            Poll::Pending
        })
    }

    /// Whether nobody reads any more.
    pub fn is_gone(&self) -> bool {
        self.state().gone
    }

    /// Returns how much waits for the reader, in bytes; each chunk counts for a little more than its own.
    pub fn buffered(&self) -> usize {
        self.state().buffered
    }

    /// Lets the answer begin with its head alone: the first chunk may be long in coming.
    pub fn begin(&self) {
        let mut state = self.state();
        state.begun = true;
        state.wake_readers();
    }

    /// Says that no more comes, though the function may go on.
    pub fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        begin_at_the_end(&mut state);
        state.wake_readers();
    }

    /// Whether the function has said that no more comes.
    pub fn is_ended(&self) -> bool {
        self.state().ended
    }

    /// Whether a chunk was written, or the end was said.
    pub fn is_begun(&self) -> bool {
        self.state().begun
    }

    /// Whether it is begun, and nobody holds it back.
    pub fn is_out(&self) -> bool {
        self.state().is_out()
    }

    /// Waits until it is out.
    pub fn poll_out(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.is_out() {
            return Poll::Ready(());
        }
        register(&mut state.readers, cx.waker());
        Poll::Pending
    }

    /// Waits until it is begun, for whoever holds it back.
    pub fn poll_begun(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.begun {
            return Poll::Ready(());
        }
        register(&mut state.readers, cx.waker());
        Poll::Pending
    }

    /// Holds it back from the front door.
    pub fn hold(&self) {
        self.state().held = true;
    }

    /// Lets the front door have it, with this head.
    pub fn release(&self, head: StreamHead) {
        let mut state = self.state();
        state.head = head;
        state.held = false;
        state.wake_readers();
    }

    /// Says how the call ended. What was written before is still read.
    pub fn finish(&self, outcome: Result<()>) {
        let mut state = self.state();
        if state.finished.is_none() {
            state.failed = outcome.is_err();
            state.finished = Some(outcome);
        }
        begin_at_the_end(&mut state);
        state.wake_readers();
    }

    /// Whether the call has ended with an error.
    pub fn has_failed(&self) -> bool {
        self.state().failed
    }

    /// Takes the error with which the call has ended, if it has.
    pub fn take_failure(&self) -> Option<Error> {
        let mut state = self.state();
        match state.finished.replace(Ok(())) {
            Some(Err(error)) => Some(error),
            other => {
                state.finished = other;
                None
            }
        }
    }

    /// Returns the reader's side, of which there is one. When it is dropped, the writer learns that nobody reads any more.
    pub fn reader(&self) -> StreamReader {
        StreamReader(self.clone())
    }
}

fn room(state: &State) -> Written {
    match state.buffered {
        _ if state.gone => Written::Gone,
        0..STREAM_CAPACITY => Written::Room,
        _ => Written::Full,
    }
}

/// A stream without chunks begins when it ends; metadata of the guest's own without an end are its chunk.
fn begin_at_the_end(state: &mut State) {
    let rest = state.prelude.take().unwrap_or_default();
    state.push(rest.freeze());
}

/// Notes who is to be woken, once.
pub(crate) fn register(wakers: &mut Vec<Waker>, waker: &Waker) {
    if !wakers.iter().any(|known| known.will_wake(waker)) {
        wakers.push(waker.clone());
    }
}

impl fmt::Debug for ResponseStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("ResponseStream")
            .field("written", &state.written)
            .field("begun", &state.begun)
            .finish_non_exhaustive()
    }
}

/// The reader's side of a streamed answer.
#[derive(Debug)]
pub struct StreamReader(ResponseStream);

impl StreamReader {
    /// Waits for the next chunk; `None` after the last one, when the call has ended or has said that no more comes.
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.0.state();
        if let Some(chunk) = state.chunks.pop_front() {
            let was_full = state.buffered >= STREAM_CAPACITY;
            state.buffered -= chunk.len() + CHUNK_COST;
            if was_full && state.buffered < STREAM_CAPACITY {
                state.wake_writers();
            }
            return Poll::Ready(Some(chunk));
        }
        if state.ended || state.finished.is_some() {
            return Poll::Ready(None);
        }
        register(&mut state.readers, cx.waker());
        Poll::Pending
    }

    /// As [`StreamReader::poll_chunk`].
    pub async fn chunk(&mut self) -> Option<Bytes> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// Takes the header fields that come after the last chunk.
    pub fn take_trailers(&mut self) -> Option<Fields> {
        self.0.state().trailers.take()
    }

    /// Returns the writer's side.
    pub fn stream(&self) -> &ResponseStream {
        &self.0
    }
}

impl Drop for StreamReader {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.gone = true;
        state.chunks.clear();
        state.buffered = 0;
        state.wake_writers();
    }
}

#[cfg(test)]
mod tests;
