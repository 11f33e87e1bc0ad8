//! The response of an application on its way out: kept as long as it may be whole when the call ends, in the stream as
//! soon as somebody has to wait for more of it.

use bytes::Bytes;
use trine_engine::{
    Fields, Payload, ResponseHead, ResponseStream, Result, STREAM_CAPACITY, StreamHead,
    WebResponse, Written,
};

/// A response, of which the head comes first.
pub(super) struct Response {
    stream: ResponseStream,
    /// The head, until it is in the stream.
    head: Option<ResponseHead>,
    /// The body so far, until it is in the stream.
    kept: Vec<Bytes>,
    kept_bytes: usize,
    trailers: Option<Fields>,
    /// Whether a piece of its body was given, even an empty one.
    has_body: bool,
    is_streaming: bool,
    is_complete: bool,
    /// Whether the request asks for the head alone.
    head_only: bool,
}

impl Response {
    pub(super) fn new(stream: ResponseStream, head_only: bool) -> Self {
        Self {
            stream,
            head: None,
            kept: Vec::new(),
            kept_bytes: 0,
            trailers: None,
            has_body: false,
            is_streaming: false,
            is_complete: false,
            head_only,
        }
    }

    pub(super) fn stream(&self) -> &ResponseStream {
        &self.stream
    }

    pub(super) fn set_head(&mut self, head: ResponseHead) {
        self.head_only |= matches!(head.status, 204 | 304);
        self.head = Some(head);
    }

    pub(super) fn head(&mut self) -> Option<&mut ResponseHead> {
        self.head.as_mut()
    }

    pub(super) fn add_trailers(&mut self, trailers: &Fields) {
        self.trailers.get_or_insert_default().extend(trailers.iter());
    }

    /// Whether all of it is there.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Whether a part of its body is there, or all of it.
    pub(super) fn is_begun(&self) -> bool {
        self.has_body || self.is_complete
    }

    /// Whether what is given goes into the stream.
    pub(super) fn is_streaming(&self) -> bool {
        self.is_streaming
    }

    /// Adds a piece of the body.
    ///
    /// # Errors
    /// As [`ResponseStream::write`].
    pub(super) fn write(&mut self, chunk: Bytes) -> Result<Written> {
        self.has_body = true;
        if self.head_only || chunk.is_empty() {
            return Ok(Written::Room);
        }
        if self.is_streaming {
            return self.stream.write(chunk);
        }
        self.kept_bytes += chunk.len();
        self.kept.push(chunk);
        Ok(Written::Room)
    }

    /// Whether so much of it is kept that it should leave.
    pub(super) fn is_large(&self) -> bool {
        !self.is_streaming && !self.is_complete && self.kept_bytes >= STREAM_CAPACITY
    }

    /// Says that it is complete.
    pub(super) fn complete(&mut self) {
        self.is_complete = true;
        if self.is_streaming {
            self.end();
        }
    }

    fn end(&mut self) {
        if let Some(trailers) = self.trailers.take() {
            self.stream.set_trailers(trailers);
        }
        self.stream.end();
    }

    /// Puts what is kept into the stream, into which the rest will go. Does nothing before the first piece of the body.
    ///
    /// # Errors
    /// As [`ResponseStream::write`].
    pub(super) fn flush(&mut self) -> Result<Written> {
        if !self.is_begun() || self.is_streaming {
            return Ok(Written::Room);
        }
        self.begin()
    }

    /// Puts the head and what is kept into the stream, into which the rest will go.
    ///
    /// # Errors
    /// As [`ResponseStream::write`].
    pub(super) fn begin(&mut self) -> Result<Written> {
        let Some(head) = self.head.take() else { return Ok(Written::Room) };
        self.is_streaming = true;
        let head = StreamHead { response: Some(Box::new(head)), ..StreamHead::default() };
        self.stream.set_head(head)?;
        if self.kept.is_empty() {
            self.stream.begin();
        }
        let mut written = Written::Room;
        for chunk in self.kept.drain(..) {
            written = self.stream.write(chunk)?;
        }
        if self.is_complete {
            self.end();
        }
        Ok(written)
    }

    /// Returns the result of the call: the response itself where it is still here, trailers having no room there.
    ///
    /// # Errors
    /// As [`Response::flush`].
    pub(super) fn take(&mut self) -> Result<Payload> {
        if self.trailers.is_some() {
            self.flush()?;
        }
        let Some(head) = self.head.take() else { return Ok(Payload::Streamed) };
        let body = match &mut self.kept[..] {
            [] => Bytes::new(),
            [one] => std::mem::take(one),
            several => several.concat().into(),
        };
        Ok(Payload::Response(Box::new(WebResponse { head, body })))
    }
}
