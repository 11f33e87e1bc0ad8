//! A streamed answer on its way to its caller: its parts, then the end of its invocation.

use super::{
    directory::{Finished, Pending},
    state::StreamPart,
};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::sync::mpsc;

/// Number of parts that may wait for a slow caller before the runtime has to wait.
pub(super) const PARTS_IN_FLIGHT: usize = 16;

/// The parts of an answer. One that is not streamed has none.
pub(crate) struct Parts {
    parts: mpsc::Receiver<StreamPart>,
    pending: Pending,
    /// The end, once it is known; `None` inside of it where it will never be.
    finished: Option<Option<Finished>>,
}

impl Parts {
    pub(super) fn new(parts: mpsc::Receiver<StreamPart>, pending: Pending) -> Self {
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

    /// Returns the end of the invocation, once nothing more will come; `None` also where it will never end.
    pub(super) fn finished(&mut self) -> Option<&mut Finished> {
        self.finished.as_mut()?.as_mut()
    }
}
