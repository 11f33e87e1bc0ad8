//! Answers that are given out in pieces, and what their handlers learn of who reads them.

mod official;
mod reading;
mod values;

use crate::support::{Guest, invocation, run};
use std::{
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
    task::Poll,
};
use trine_engine::{Error, Form, FunctionId, Invocation, Payload, Result, StreamHead};

/// What a reader saw of a call.
#[derive(Debug)]
struct Seen {
    head: StreamHead,
    chunks: Vec<String>,
    result: Result<Payload>,
}

impl Seen {
    fn body(&self) -> String {
        self.chunks.concat()
    }

    fn metadata(&self) -> &str {
        std::str::from_utf8(self.head.metadata.as_deref().unwrap_or_default()).unwrap()
    }

    /// Returns the body of a stream that has ended well.
    #[track_caller]
    fn whole(&self) -> String {
        assert!(matches!(self.result, Ok(Payload::Streamed)), "{self:?}");
        self.body()
    }

    /// Returns the error with which a call has ended.
    #[track_caller]
    fn error(&self) -> &Error {
        self.result.as_ref().expect_err("the call fails")
    }
}

/// Calls a function, and reads at most `most` chunks of its answer.
async fn read(
    guest: &Guest,
    function: FunctionId,
    event: &str,
    invocation: &Rc<Invocation>,
    most: usize,
) -> Seen {
    let input = Payload::json(event.to_owned());
    let mut call = pin!(guest.instance.call(function, input, Form::Json, invocation));
    let stream = invocation.stream.get().clone();
    let mut reader = Some(stream.reader());
    let mut chunks = Vec::new();
    let mut result = None;
    poll_fn(|cx| {
        if result.is_none()
            && let Poll::Ready(done) = call.as_mut().poll(cx)
        {
            stream.finish(Ok(()));
            result = Some(done);
        }
        while chunks.len() < most
            && let Some(reader) = &mut reader
            && let Poll::Ready(Some(chunk)) = reader.poll_chunk(cx)
        {
            chunks.push(String::from_utf8_lossy(&chunk).into_owned());
        }
        if chunks.len() == most && reader.take().is_some() {
            cx.waker().wake_by_ref();
        }
        if result.is_some() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    Seen { head: stream.head(), chunks, result: result.unwrap() }
}

/// Runs the handler of a module for `null`.
fn answer(source: &str) -> Seen {
    let guest = Guest::new(source);
    run(async {
        let handler = guest.handler().await;
        read(&guest, handler, "null", &invocation(), usize::MAX).await
    })
}
