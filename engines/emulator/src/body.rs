//! Bodies: collecting what the runtime sends, within limits, and sending what callers get, whole or as it arrives.

use super::{
    outcome::{Answer, Outcome},
    state::StreamPart,
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::Sleep,
};

/// Number of bytes of a refused body that are read and dropped, so that the connection can be used again.
const DRAIN_BYTES: usize = 64 * 1024 * 1024;

/// An incoming body.
#[derive(Debug)]
pub(super) enum Collected {
    Whole { bytes: Bytes, trailers: Vec<(String, String)> },
    TooLarge { size: usize },
    Truncated,
}

/// Reads a body of up to `limit` bytes. A larger one is only measured. Where `parts` is given, the bytes
/// go there instead.
pub(super) async fn collect(
    mut body: Incoming,
    limit: usize,
    parts: Option<&mpsc::Sender<StreamPart>>,
) -> Collected {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut trailers = Vec::new();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Collected::Truncated };
        match frame.into_data() {
            Ok(data) => {
                size += data.len();
                if size > limit {
                    if size > limit.max(DRAIN_BYTES) {
                        break;
                    }
                } else if let Some(parts) = parts {
                    // A caller that has gone away does not miss anything.
                    let _ = parts.send(StreamPart::Chunk(data)).await;
                } else if first.is_empty() {
                    first = data;
                } else {
                    if rest.is_empty() {
                        let expected = body.size_hint().lower() as usize + size;
                        rest.reserve(expected.min(limit));
                        rest.extend_from_slice(&first);
                    }
                    rest.extend_from_slice(&data);
                }
            }
            Err(frame) => {
                if let Ok(map) = frame.into_trailers() {
                    trailers.extend(pairs(&map));
                }
            }
        }
    }
    if size > limit {
        return Collected::TooLarge { size };
    }
    let bytes = if rest.is_empty() { first } else { rest.freeze() };
    Collected::Whole { bytes, trailers }
}

/// Reads and drops an unwanted body.
pub(super) async fn drain(body: Incoming) {
    let _ = collect(body, 0, None).await;
}

fn pairs(map: &HeaderMap) -> impl Iterator<Item = (String, String)> {
    map.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    })
}

/// An outgoing body.
pub(super) enum ReplyBody {
    /// Known as a whole: head and body leave in one write.
    Full(Option<Bytes>),
    /// Sent as it arrives.
    Live(Live),
    /// Known as a whole, and sent in small pieces with pauses.
    Drip(Drip),
}

/// A body that is sent slowly.
pub(super) struct Drip {
    left: Bytes,
    piece: usize,
    pause: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Drip {
    /// Splits `bytes` into at most this many pieces, the last of which leaves after `over`.
    pub(super) fn new(bytes: Bytes, pieces: usize, over: Duration) -> Self {
        let piece = bytes.len().div_ceil(pieces.max(1)).max(1);
        let pauses = bytes.len().div_ceil(piece).saturating_sub(1).max(1);
        let pause = over / u32::try_from(pauses).unwrap_or(u32::MAX);
        Self { left: bytes, piece, pause, sleep: None }
    }

    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(sleep) = &mut self.sleep {
            ready!(sleep.as_mut().poll(cx));
        }
        self.sleep = Some(Box::pin(tokio::time::sleep(self.pause)));
        let piece = self.left.split_to(self.piece.min(self.left.len()));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

/// An answer that is passed on while it arrives.
pub(super) struct Live {
    pub(super) parts: mpsc::Receiver<StreamPart>,
    pub(super) done: Option<oneshot::Receiver<Outcome>>,
}

impl ReplyBody {
    pub(super) fn full(bytes: impl Into<Bytes>) -> Self {
        Self::Full(Some(bytes.into()))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Live(live) => live.poll_frame(cx),
            Self::Drip(drip) => drip.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Live(live) => live.done.is_none(),
            Self::Drip(drip) => drip.left.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Live(_) => SizeHint::default(),
            Self::Drip(drip) => SizeHint::with_exact(drip.left.len() as u64),
        }
    }
}

impl Live {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            match self.parts.poll_recv(cx) {
                Poll::Ready(Some(StreamPart::Chunk(bytes))) => {
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Poll::Ready(Some(StreamPart::Head { .. })) => {}
                Poll::Ready(None) | Poll::Pending => break,
            }
        }
        let Some(done) = &mut self.done else { return Poll::Ready(None) };
        let outcome = ready!(Pin::new(done).poll(cx));
        // The end may have been announced after the last piece was sent, perhaps since the look above.
        if let Ok(StreamPart::Chunk(bytes)) = self.parts.try_recv() {
            let (again, done) = oneshot::channel();
            self.done = Some(done);
            if let Ok(outcome) = outcome {
                let _ = again.send(outcome);
            }
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        self.done = None;
        Poll::Ready(match outcome.map(|outcome| outcome.result) {
            Ok(Answer::Response { trailers, .. }) if trailers.is_empty() => None,
            Ok(Answer::Response { trailers, .. }) => Some(Ok(Frame::trailers(headers(&trailers)))),
            // The status line is long gone: all that is left is to break off the response.
            _ => Some(Err(io::Error::other("the response broke off"))),
        })
    }
}

fn headers(pairs: &[(String, String)]) -> HeaderMap {
    let pairs = pairs.iter().filter_map(|(name, value)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    });
    pairs.collect()
}
