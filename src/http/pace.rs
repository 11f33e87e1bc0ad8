//! A request's body that has to keep coming.

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// A body of which a piece has to come within a time, again and again.
pub(super) struct Paced {
    body: Incoming,
    limit: Duration,
    /// The time that is left for the next piece, once it has to be waited for.
    left: Option<Pin<Box<Sleep>>>,
}

/// The end of a body of which no byte has come for too long.
#[derive(Debug, thiserror::Error)]
#[error("no byte of it has come for {} s", .0.as_secs_f64())]
pub(super) struct TooSlow(Duration);

impl Paced {
    pub(super) fn new(body: Incoming, limit: Duration) -> Self {
        Self { body, limit, left: None }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.left = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let limit = self.limit;
        let left = self.left.get_or_insert_with(|| Box::pin(sleep(limit)));
        left.as_mut().poll(cx).map(|()| Some(Err(TooSlow(limit).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
