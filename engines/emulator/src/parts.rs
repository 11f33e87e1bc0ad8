//! A streamed answer on its way to its caller: its parts, then the end of its invocation.

use super::state::StreamPart;
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::sync::mpsc;

/// Number of parts that may wait for a slow caller before the runtime has to wait.
pub(super) const PARTS_IN_FLIGHT: usize = 16;

/// The parts of an answer, and the future of the invocation's end. One that is not streamed has no parts.
pub(crate) struct Parts<P: Future> {
    parts: mpsc::Receiver<StreamPart>,
    pending: P,
    /// The end, once it is known.
    finished: Option<P::Output>,
}

impl<P: Future + Unpin> Parts<P> {
    pub(super) fn new(parts: mpsc::Receiver<StreamPart>, pending: P) -> Self {
        Self { parts, pending, finished: None }
    }

    /// Returns the next part; `None` when nothing more will come.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<StreamPart>> {
        loop {
            if let Poll::Ready(Some(part)) = self.parts.poll_recv(cx) {
                return Poll::Ready(Some(part));
            }
            if self.finished.is_some() {
                return Poll::Ready(None);
            }
            // The end may have been announced after the last part was sent: look for parts once more.
            self.finished = Some(ready!(Pin::new(&mut self.pending).poll(cx)));
        }
    }

    /// As [`Parts::poll_next`].
    pub(super) async fn next(&mut self) -> Option<StreamPart> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Returns the end of the invocation, once nothing more will come.
    pub(super) fn finished(&mut self) -> Option<&mut P::Output> {
        self.finished.as_mut()
    }

    /// Drops what still comes, and waits for the end.
    pub(super) async fn finish(mut self) -> P::Output {
        while self.next().await.is_some() {}
        match self.finished {
            Some(finished) => finished,
            None => self.pending.await,
        }
    }
}
