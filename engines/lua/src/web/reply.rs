//! The answer of a web application: kept until it is whole, or sent in pieces once somebody would have to wait for it.

use bytes::Bytes;
use std::{
    cell::{Cell, RefCell},
    mem,
    time::{Duration, Instant},
};
use trine_engine::{
    Error, Fields, Payload, ResponseHead, ResponseStream, Result, StreamHead, StreamPlace,
    WebResponse, Written,
};

/// The bytes of pieces that are put together while nothing is waited for.
const TOGETHER: usize = 16 * 1024;

/// The time that an application may take for a piece without being taken for one whose pieces are sent as they come.
const QUICK: Duration = Duration::from_millis(2);

/// The answer of one call.
pub(crate) struct Reply {
    head: RefCell<Option<ResponseHead>>,
    /// Whether the first piece names the media type.
    is_untyped: Cell<bool>,
    /// The pieces that have not been sent.
    pending: RefCell<Vec<u8>>,
    /// Whether the answer goes out in pieces.
    streams: Cell<bool>,
    /// Whether each piece is sent when it is made, because the application waits between them.
    is_slow: Cell<bool>,
    /// Whether the wait that comes next is for room for more.
    is_passing: Cell<bool>,
    /// The time at which the last piece was asked for.
    asked: Cell<Option<Instant>>,
    /// What went wrong while pieces were sent at a wait.
    fault: Cell<Option<Error>>,
}

impl Default for Reply {
    fn default() -> Self {
        Self {
            head: RefCell::new(None),
            is_untyped: Cell::new(false),
            pending: RefCell::default(),
            streams: Cell::new(false),
            is_slow: Cell::new(false),
            is_passing: Cell::new(false),
            asked: Cell::new(None),
            fault: Cell::new(None),
        }
    }
}

impl Reply {
    /// Sets the head. Where it is `untyped`, the first piece decides what the media type is.
    pub(super) fn set_head(&self, head: ResponseHead, untyped: bool) {
        let is_named = head.headers.contains("content-type");
        self.is_untyped.set(untyped && !is_named);
        self.head.replace(Some(head));
        self.asked.set(Some(Instant::now()));
    }

    /// Sets the whole body.
    pub(super) fn set_body(&self, body: Vec<u8>, media_type: &str) {
        if !body.is_empty() {
            self.name_type(media_type);
        }
        self.pending.replace(body);
    }

    fn name_type(&self, media_type: &str) {
        if self.is_untyped.replace(false)
            && let Some(head) = &mut *self.head.borrow_mut()
        {
            head.headers.push("content-type", media_type);
        }
    }

    /// Takes a piece. `None` where the next one may be made at once; else what became of it, and then there should be a wait.
    pub(super) fn put(
        &self,
        piece: &[u8],
        media_type: fn(&[u8]) -> &'static str,
        place: &StreamPlace,
    ) -> Result<Option<Written>> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if place.made().is_some_and(ResponseStream::is_gone) {
            return Ok(Some(Written::Gone));
        }
        if piece.is_empty() {
            return Ok(None);
        }
        if self.is_untyped.get() {
            self.name_type(media_type(piece));
        }
        let now = Instant::now();
        let took = self.asked.replace(Some(now)).map(|asked| now.duration_since(asked));
        if took.is_some_and(|took| took > QUICK) {
            self.is_slow.set(true);
        }
        self.pending.borrow_mut().extend_from_slice(piece);
        if !self.is_slow.get() && self.pending.borrow().len() < TOGETHER {
            return Ok(None);
        }
        let became = self.send(place.get())?;
        self.is_passing.set(became != Written::Gone);
        Ok(Some(became))
    }

    /// Notes that the call goes on after a wait.
    pub(crate) fn after_wait(&self) {
        self.asked.set(Some(Instant::now()));
    }

    /// Sends what has been kept, because the application waits for something of its own.
    pub(crate) fn before_wait(&self, place: &StreamPlace) {
        if self.is_passing.take() {
            return;
        }
        if self.head.borrow().is_none() && !self.streams.get() {
            return;
        }
        self.is_slow.set(true);
        if self.pending.borrow().is_empty() {
            return;
        }
        if let Err(error) = self.send(place.get()) {
            self.fault.set(Some(error));
        }
    }

    fn send(&self, stream: &ResponseStream) -> Result<Written> {
        if !self.streams.get() {
            let response = self.head.take().map(Box::new);
            stream.set_head(StreamHead { response, ..StreamHead::default() })?;
            self.streams.set(true);
        }
        stream.write(Bytes::from(mem::take(&mut *self.pending.borrow_mut())))
    }

    /// Ends the answer. `has_body` says that its length is that of its body, as of all but answers to HEAD and those that say that nothing is modified.
    pub(super) fn end(&self, place: &StreamPlace, has_body: bool) -> Result<Payload> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if !self.streams.get() {
            let mut head = self.head.take().unwrap_or_default();
            let body = Bytes::from(self.pending.take());
            if has_body
                && head.status != 304
                && let Some(fields) = without_wrong_length(&head.headers, body.len())
            {
                head.headers = fields;
            }
            return Ok(Payload::Response(Box::new(WebResponse { head, body })));
        }
        let stream = place.get();
        if !self.pending.borrow().is_empty() {
            self.send(stream)?;
        }
        stream.end();
        Ok(Payload::Streamed)
    }
}

/// Returns the fields without the length of a body, where that is another one: nobody could read such a response to its end.
fn without_wrong_length(fields: &Fields, length: usize) -> Option<Fields> {
    let is_length = |name: &[u8]| name.eq_ignore_ascii_case(b"content-length");
    let is_right = |value: &[u8]| value == length.to_string().as_bytes();
    if fields.all("content-length").all(is_right) {
        return None;
    }
    Some(fields.iter().filter(|(name, _)| !is_length(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_length_is_left_out() {
        let fields = Fields::from_iter([("a", "b"), ("Content-Length", "22")]);
        assert_eq!(without_wrong_length(&fields, 22), None);
        let left = without_wrong_length(&fields, 0).unwrap();
        assert_eq!(left, Fields::from_iter([("a", "b")]));
        assert_eq!(without_wrong_length(&left, 0), None);
    }
}
