//! Bodies of responses: whole, streamed while the function makes them, or read from a file.

use super::wire::{Counted, Hold};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_http::services::fs::ServeFileSystemResponseBody;
use trine_engine::StreamReader;

/// The body of a response.
#[derive(Debug)]
pub enum ReplyBody {
    /// All of it.
    Whole(Full<Bytes>),
    /// What is not whole yet.
    Streamed(StreamedBody),
    /// What is read from a file while it is sent.
    File(FileBody),
    /// The body that an answer to `HEAD` does not have, of a length that nobody knows.
    Unknown,
}

/// A file, or a part of one, that is read while it is sent.
pub struct FileBody {
    file: ServeFileSystemResponseBody,
    /// Bytes that are still to come.
    left: u64,
    hold: Hold,
}

impl FileBody {
    /// Makes the body of what has this many bytes.
    pub(super) fn new(file: ServeFileSystemResponseBody, length: u64, hold: Hold) -> Self {
        Self { file, left: length, hold }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let frame = ready!(Pin::new(&mut self.file).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            let length = frame.data_ref().map_or(0, Bytes::len);
            self.left = self.left.saturating_sub(length as u64);
        }
        // Nobody asks for more once the last byte is there.
        if self.left == 0 || frame.is_none() {
            self.hold.end_stream();
        }
        Poll::Ready(frame)
    }
}

impl fmt::Debug for FileBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileBody").field("left", &self.left).finish_non_exhaustive()
    }
}

/// A body that is sent while it is made.
#[derive(Debug)]
pub struct StreamedBody {
    reader: StreamReader,
    hold: Hold,
    /// Whether it is about to end with an error.
    fails: bool,
    /// Bytes that have left.
    sent: u64,
    /// Whether it has left to its end.
    is_whole: bool,
    at_end: Option<AtEnd>,
    /// Its place among the requests of its connection.
    counted: Option<Counted>,
}

/// What is called once at the end of a body, with the bytes that have left, and whether that was all.
struct AtEnd(Box<dyn FnOnce(u64, bool)>);

impl fmt::Debug for AtEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AtEnd")
    }
}

impl StreamedBody {
    pub(super) fn new(reader: StreamReader, hold: Hold) -> Self {
        Self { reader, hold, fails: false, sent: 0, is_whole: false, at_end: None, counted: None }
    }

    /// Keeps its request one that is being answered.
    pub(super) fn keep(&mut self, counted: Option<Counted>) {
        self.counted = counted;
    }

    /// Reads it to its end for nobody.
    pub(super) async fn discard(mut self) {
        while self.reader.chunk().await.is_some() {}
        self.is_whole = true;
    }

    /// Has the end of it told, however it comes.
    pub(super) fn at_end(&mut self, tell: Box<dyn FnOnce(u64, bool)>) {
        self.at_end = Some(AtEnd(tell));
    }

    /// Returns the next chunk. One that does not come because the function has failed is an error, which ends the
    /// connection: so the client can tell that the body is not whole.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(chunk) = ready!(self.reader.poll_chunk(cx)) {
            self.sent += chunk.len() as u64;
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        if self.reader.stream().has_failed() {
            if !std::mem::replace(&mut self.fails, true) {
                // An error takes with it what has not been sent yet; a turn of the connection's sends that.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let error = io::Error::other("the function failed in the middle of its response");
            return Poll::Ready(Some(Err(error)));
        }
        if let Some(trailers) = self.reader.take_trailers() {
            let named = trailers.iter().filter_map(|(name, value)| {
                Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
            });
            return Poll::Ready(Some(Ok(Frame::trailers(named.collect()))));
        }
        self.hold.end_stream();
        self.is_whole = true;
        Poll::Ready(None)
    }
}

impl Drop for StreamedBody {
    fn drop(&mut self) {
        if let Some(AtEnd(tell)) = self.at_end.take() {
            tell(self.sent, self.is_whole);
        }
    }
}

impl Default for ReplyBody {
    fn default() -> Self {
        Self::Whole(Full::default())
    }
}

impl From<StreamedBody> for ReplyBody {
    fn from(body: StreamedBody) -> Self {
        Self::Streamed(body)
    }
}

impl From<FileBody> for ReplyBody {
    fn from(body: FileBody) -> Self {
        Self::File(body)
    }
}

impl From<Bytes> for ReplyBody {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(Full::new(bytes))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(whole) => Pin::new(whole).poll_frame(cx).map_err(|never| match never {}),
            Self::Streamed(streamed) => streamed.poll_frame(cx),
            Self::File(file) => file.poll_frame(cx),
            Self::Unknown => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Streamed(_) | Self::Unknown => false,
            Self::File(file) => file.left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Streamed(_) | Self::Unknown => SizeHint::default(),
            Self::File(file) => SizeHint::with_exact(file.left),
        }
    }
}
