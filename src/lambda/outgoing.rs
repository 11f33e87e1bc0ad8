//! Bodies of requests to the Runtime API: whole, or streamed while the function makes them.

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
};
use trine_engine::{Error, StreamReader};

/// The body of a request.
pub(super) enum Outgoing {
    /// All of it.
    Whole(Full<Bytes>),
    /// A response that is not whole yet.
    Streamed(StreamedBody),
}

type MakeTrailers = Box<dyn FnOnce(&Error) -> HeaderMap>;

/// A response that is sent while it is made.
pub(super) struct StreamedBody {
    /// What is sent before the first chunk.
    prelude: Option<Bytes>,
    reader: StreamReader,
    /// Makes the trailers of the error with which it ends, if it does.
    trailers: Option<MakeTrailers>,
}

impl StreamedBody {
    pub(super) fn new(
        prelude: Option<Bytes>,
        reader: StreamReader,
        trailers: impl FnOnce(&Error) -> HeaderMap + 'static,
    ) -> Self {
        Self { prelude, reader, trailers: Some(Box::new(trailers)) }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Frame<Bytes>>> {
        if let Some(prelude) = self.prelude.take() {
            return Poll::Ready(Some(Frame::data(prelude)));
        }
        if let Some(chunk) = ready!(self.reader.poll_chunk(cx)) {
            return Poll::Ready(Some(Frame::data(chunk)));
        }
        let trailers = self.trailers.take();
        let failure =
            trailers.and_then(|trailers| Some((trailers, self.reader.stream().take_failure()?)));
        Poll::Ready(failure.map(|(trailers, failure)| Frame::trailers(trailers(&failure))))
    }
}

impl Default for Outgoing {
    fn default() -> Self {
        Self::Whole(Full::default())
    }
}

impl From<Bytes> for Outgoing {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(Full::new(bytes))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(whole) => Pin::new(whole).poll_frame(cx),
            Self::Streamed(streamed) => streamed.poll_frame(cx).map(|frame| frame.map(Ok)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Streamed(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Streamed(_) => SizeHint::default(),
        }
    }
}
