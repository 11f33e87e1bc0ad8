//! Bodies: collecting what the runtime sends, within limits, and sending what callers get, whole or as it arrives.

use super::{function_url::Pieces, invoke_api::Messages, state::StreamPart};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{sync::mpsc, time::Sleep};

/// Number of bytes of a refused body that are read and dropped, so that the connection can be used again.
const DRAIN_BYTES: usize = 64 * 1024 * 1024;

/// An incoming body.
#[derive(Debug)]
pub(super) enum Collected {
    Whole { bytes: Bytes, trailers: Vec<(String, String)> },
    TooLarge { size: usize },
    Truncated,
}

/// Reads a body of up to `limit` bytes. A larger one is only measured.
pub(super) async fn collect(mut body: Incoming, limit: usize) -> Collected {
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
    let _ = collect(body, 0).await;
}

/// The end of a body that was passed on.
#[derive(Debug)]
pub(super) enum PassedOn {
    Whole {
        trailers: Vec<(String, String)>,
    },
    /// More than the limit, with what has not been read yet.
    TooLarge {
        size: usize,
        rest: Incoming,
    },
    Truncated,
    /// Whoever was reading it has gone away.
    Unwanted,
}

/// Passes a body of up to `limit` bytes on, piece by piece, as it arrives and no faster than it is taken. `look` sees
/// every piece first.
pub(super) async fn pass_on(
    mut body: Incoming,
    limit: usize,
    parts: &mpsc::Sender<StreamPart>,
    mut look: impl FnMut(&Bytes),
) -> PassedOn {
    let mut trailers = Vec::new();
    let mut size = 0;
    loop {
        let frame = tokio::select! {
            biased;
            frame = body.frame() => frame,
            // A runtime that has nothing to send yet learns of it too.
            () = parts.closed() => return PassedOn::Unwanted,
        };
        let frame = match frame {
            None => return PassedOn::Whole { trailers },
            Some(Err(_)) => return PassedOn::Truncated,
            Some(Ok(frame)) => frame,
        };
        match frame.into_data() {
            Ok(data) => {
                size += data.len();
                if size > limit {
                    return PassedOn::TooLarge { size, rest: body };
                }
                look(&data);
                if parts.send(StreamPart::Chunk(data)).await.is_err() {
                    return PassedOn::Unwanted;
                }
            }
            Err(frame) => {
                if let Ok(map) = frame.into_trailers() {
                    trailers.extend(pairs(&map));
                }
            }
        }
    }
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
    /// Sent as it arrives, in the framing of the Invoke API.
    Messages(Box<Messages>),
    /// Sent as it arrives, as it is.
    Pieces(Box<Pieces>),
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
            Self::Pieces(pieces) => {
                pieces.poll_next(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
            }
            Self::Messages(messages) => {
                messages.poll_next(cx).map(|message| message.map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::Drip(drip) => drip.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Self::Messages(messages) => messages.is_over(),
            Self::Pieces(pieces) => pieces.is_over(),
            Self::Drip(drip) => drip.left.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Messages(_) | Self::Pieces(_) => SizeHint::default(),
            Self::Drip(drip) => SizeHint::with_exact(drip.left.len() as u64),
        }
    }
}
