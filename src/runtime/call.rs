//! An event for a function, and what the function answers.

use bytes::{Bytes, BytesMut};
use serde::de::DeserializeOwned;
use std::{collections::BTreeMap, time::Duration};
use trine_engine::{Error, ErrorKind, Result, StreamHead, StreamReader};

/// An event, with what its function learns of it beside.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Call {
    /// The event.
    pub event: Bytes,
    /// Whether the event is JSON. Else Python and Lua get its bytes as they are, and JavaScript an error.
    pub is_json: bool,
    /// The identifier of the invocation; a random one if there is none.
    pub request_id: Option<String>,
    /// The time that it may take, from its turn to its answer; `None` for the runtime's.
    pub timeout: Option<Duration>,
    /// X-Ray trace header.
    pub trace_id: Option<String>,
    /// Client context, as JSON text.
    pub client_context: Option<String>,
    /// Tenant.
    pub tenant_id: Option<String>,
    /// W3C trace context: `traceparent`, `tracestate`, `baggage`.
    pub w3c: Option<BTreeMap<String, String>>,
}

impl Call {
    /// Makes a call with JSON text as its event.
    pub fn json(event: impl Into<Bytes>) -> Self {
        Self { event: event.into(), is_json: true, ..Self::default() }
    }

    /// Makes a call with an event that is no JSON.
    pub fn raw(event: impl Into<Bytes>) -> Self {
        Self { event: event.into(), ..Self::default() }
    }

    /// Sets the identifier of the invocation.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }

    /// Sets the time that it may take.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl From<&serde_json::Value> for Call {
    fn from(event: &serde_json::Value) -> Self {
        Self::json(event.to_string())
    }
}

/// A function's whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The answer's bytes: JSON text, unless its media type says something else.
    pub body: Bytes,
    /// Its media type: `application/json` for values.
    pub content_type: String,
    /// Status, headers and cookies, as a JSON object, where the function has given any to an answer that it streamed.
    pub metadata: Option<Bytes>,
}

impl Answer {
    pub(super) fn whole(body: Bytes, content_type: &str) -> Self {
        Self { body, content_type: content_type.to_owned(), metadata: None }
    }

    /// Returns the answer as a value.
    ///
    /// # Errors
    /// [`ErrorKind::Marshal`] when it is no JSON, or JSON of another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("the answer is not what its caller expects: {error}");
            Error::new(ErrorKind::Marshal, message)
        })
    }
}

/// A function's answer, piece by piece. Dropped before its end, the function learns that nobody reads any more.
#[derive(Debug)]
pub struct AnswerStream {
    head: StreamHead,
    /// What there is of an answer that was not streamed.
    whole: Option<Bytes>,
    reader: Option<StreamReader>,
}

impl AnswerStream {
    pub(super) fn of_whole(body: Bytes, content_type: String) -> Self {
        let head = StreamHead { content_type: Some(content_type), ..StreamHead::default() };
        Self { head, whole: Some(body), reader: None }
    }

    pub(super) fn streamed(head: StreamHead, reader: StreamReader) -> Self {
        Self { head, whole: None, reader: Some(reader) }
    }

    /// Returns the media type and the metadata.
    pub fn head(&self) -> &StreamHead {
        &self.head
    }

    /// Waits for the next piece; `None` after the last one. An answer that the function did not stream is one piece.
    ///
    /// # Errors
    /// What the function failed at after its first piece. Nothing follows.
    pub async fn chunk(&mut self) -> Option<Result<Bytes>> {
        if let Some(whole) = self.whole.take() {
            return Some(Ok(whole));
        }
        let reader = self.reader.as_mut()?;
        if let Some(chunk) = reader.chunk().await {
            return Some(Ok(chunk));
        }
        let reader = self.reader.take()?;
        reader.stream().take_failure().map(Err)
    }

    /// Waits for all of it.
    ///
    /// # Errors
    /// As [`AnswerStream::chunk`].
    pub async fn collect(mut self) -> Result<Answer> {
        let mut body = BytesMut::new();
        while let Some(chunk) = self.chunk().await {
            body.extend_from_slice(&chunk?);
        }
        let StreamHead { content_type, metadata, .. } = self.head;
        let content_type = content_type.unwrap_or_else(|| trine_engine::BYTE_CHUNKS.to_owned());
        Ok(Answer { body: body.freeze(), content_type, metadata })
    }
}
