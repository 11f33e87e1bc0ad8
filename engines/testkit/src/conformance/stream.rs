//! Streamed answers of a case: read while the call goes on, then compared.

use super::{
    case::repeated,
    matcher::{ErrorMatcher, check_bytes, check_json},
    members::Members,
};
use bytes::Bytes;
use serde_json::Value;
use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
};
use trine_engine::{Error, Invocation, Payload, Result as EngineResult, StreamHead};

/// The expected stream of an invocation.
#[derive(Debug)]
pub(super) struct StreamExpectation {
    content_type: Option<String>,
    metadata: Option<Value>,
    /// The chunks, each as it was written; `None` where their borders do not matter.
    chunks: Option<Vec<String>>,
    /// All chunks in one.
    body: Option<Bytes>,
    /// The error with which it ends.
    failure: Option<ErrorMatcher>,
    /// The number of chunks after which nobody reads any more.
    pub(super) gone_after: Option<u64>,
}

impl StreamExpectation {
    pub(super) fn parse(value: Value) -> Result<Self, String> {
        let mut members = Members::of("a stream", value)?;
        let chunks = members.take_some("chunks").map(texts).transpose()?;
        let repeated = members.take_some("body_repeat").map(repeated).transpose()?;
        let parsed = Self {
            content_type: members.text("content_type")?,
            metadata: members.take_some("metadata"),
            chunks,
            body: members.text("body")?.map(Bytes::from).or(repeated),
            failure: members.take_some("error").map(ErrorMatcher::parse).transpose()?,
            gone_after: members.number("gone_after")?,
        };
        members.finish()?;
        if parsed.chunks.is_some() == parsed.body.is_some() {
            return Err("a stream has either chunks or a body".into());
        }
        Ok(parsed)
    }

    /// Compares what came with what is expected.
    pub(super) fn check(&self, called: Called, extension: &str) -> Result<(), String> {
        let Some(read) = called.read else {
            return match called.result {
                Ok(payload) => Err(format!("a value came instead of a stream: {payload:?}")),
                Err(error) => Err(format!("an error came instead of a stream: {error:#}")),
            };
        };
        if self.content_type != read.head.content_type {
            let (expected, found) = (&self.content_type, &read.head.content_type);
            return Err(format!("the content type is {found:?}, not {expected:?}"));
        }
        match (&self.metadata, &read.head.metadata) {
            (None, None) => {}
            (Some(expected), Some(found)) => {
                let found = serde_json::from_slice(found)
                    .map_err(|e| format!("the metadata are no JSON: {e}"))?;
                check_json(expected, &found).map_err(|e| format!("metadata: {e}"))?;
            }
            (expected, found) => {
                return Err(format!("the metadata are {found:?}, not {expected:?}"));
            }
        }
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let found: Vec<String> = read.chunks.iter().map(text).collect();
        if let Some(expected) = self.chunks.as_ref().filter(|expected| **expected != found) {
            return Err(format!("the chunks are {found:?}, not {expected:?}"));
        }
        if let Some(expected) = &self.body {
            check_bytes(expected, &read.chunks.concat()).map_err(|e| format!("body: {e}"))?;
        }
        match (&self.failure, called.result) {
            (None, Ok(_)) => Ok(()),
            (None, Err(error)) => Err(format!("the stream ended with an error: {error:#}")),
            (Some(matcher), Err(error)) => matcher.check(&error, extension),
            (Some(_), Ok(_)) => Err("the stream ended without an error".into()),
        }
    }
}

fn texts(value: Value) -> Result<Vec<String>, String> {
    serde_json::from_value(value).map_err(|e| format!("chunks must be a list of texts: {e}"))
}

/// The outcome of a call.
pub(super) struct Called {
    /// Its result; where the answer was streamed, how that ended.
    pub(super) result: EngineResult<Payload>,
    /// What was read of a streamed answer.
    pub(super) read: Option<Read>,
}

/// What was read of a streamed answer.
pub(super) struct Read {
    head: StreamHead,
    chunks: Vec<Bytes>,
}

impl Called {
    /// Returns the result of a call whose answer is not to be a stream.
    pub(super) fn whole(self) -> EngineResult<Payload> {
        match self.read {
            Some(read) => {
                Err(Error::internal(format!("the answer was streamed: {:?}", read.chunks)))
            }
            None => self.result,
        }
    }
}

/// Reads what a call streams, for at most this many chunks.
pub(super) async fn read_along(
    invocation: &Rc<Invocation>,
    most: Option<u64>,
    call: impl Future<Output = EngineResult<Payload>>,
) -> Called {
    let stream = invocation.stream.get().clone();
    let chunks = RefCell::new(Vec::new());
    let mut call = pin!(call);
    let mut reading = pin!(async {
        poll_fn(|cx| stream.poll_out(cx)).await;
        let mut reader = stream.reader();
        while most.is_none_or(|most| (chunks.borrow().len() as u64) < most)
            && let Some(chunk) = reader.chunk().await
        {
            chunks.borrow_mut().push(chunk);
        }
    });
    let (mut result, is_read) = tokio::select! {
        biased;
        result = &mut call => (result, false),
        () = &mut reading => (call.await, true),
    };
    if matches!(result, Ok(Payload::Streamed)) || stream.is_out() {
        // Where no pipeline has said how the call ended.
        stream.finish(Ok(()));
        if !is_read {
            reading.await;
        }
        if let Some(error) = stream.take_failure() {
            result = Err(error);
        }
        let read = Some(Read { head: stream.head(), chunks: chunks.take() });
        return Called { result, read };
    }
    Called { result, read: None }
}
