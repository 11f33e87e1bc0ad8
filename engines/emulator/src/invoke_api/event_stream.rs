//! The framing of a streamed answer: messages of `application/vnd.amazon.eventstream`.
//! Contract: a message is its length and that of its headers, a CRC of these eight bytes, the headers, the payload, and
//! a CRC of all of it, numbers in network byte order. Lambda's are `PayloadChunk`, bytes as they came, and at the end
//! `InvokeComplete`, a JSON object with `ErrorCode`, `ErrorDetails` and `LogResult`.

use super::{
    super::{
        checks::ERROR_BODY,
        directory::{Finished, Pending},
        outcome::{Answer, Outcome},
        parts::Parts,
        state::StreamPart,
    },
    log_result,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{BufMut, Bytes, BytesMut};
use serde_json::{Map, Value};
use std::task::{Context, Poll, ready};

/// The media type of the framing.
pub(super) const CONTENT_TYPE: &str = "application/vnd.amazon.eventstream";
/// Length of a message without headers and payload.
const FRAME: usize = 4 + 4 + 4 + 4;
/// The type of a header's value that is a text.
const TEXT: u8 = 7;

/// A streamed answer on its way to a caller of the Invoke API.
pub(crate) struct Messages {
    parts: Parts<Pending>,
    with_log: bool,
    is_over: bool,
}

impl Messages {
    /// Makes the messages of an answer. One that was not streamed is one chunk.
    pub(super) fn new(parts: Parts<Pending>, with_log: bool) -> Self {
        Self { parts, with_log, is_over: false }
    }

    /// Whether the last message is made.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Makes the next message.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        while let Some(part) = ready!(self.parts.poll_next(cx)) {
            if let StreamPart::Chunk(bytes) = part {
                return Poll::Ready(Some(payload_chunk(&bytes)));
            }
        }
        let mut finished = self.parts.finished().and_then(Option::as_mut);
        if let Some(Finished { outcome, .. }) = finished.as_deref_mut()
            && let Answer::Response { bytes, .. } = &mut outcome.result
            && !bytes.is_empty()
        {
            return Poll::Ready(Some(payload_chunk(&std::mem::take(bytes))));
        }
        self.is_over = true;
        Poll::Ready(Some(invoke_complete(finished.as_deref(), self.with_log)))
    }
}

fn payload_chunk(bytes: &[u8]) -> Bytes {
    message("PayloadChunk", "application/octet-stream", bytes)
}

fn invoke_complete(finished: Option<&Finished>, with_log: bool) -> Bytes {
    let mut members = Map::new();
    let failure = match finished {
        Some(finished) => failure(&finished.outcome),
        None => Some("the emulator has stopped".to_owned()),
    };
    if let Some(details) = failure {
        members.insert("ErrorCode".to_owned(), "Unhandled".into());
        members.insert("ErrorDetails".to_owned(), details.into());
    }
    if let Some(finished) = finished.filter(|_| with_log) {
        members.insert("LogResult".to_owned(), log_result(&finished.log).into());
    }
    message("InvokeComplete", "application/json", Value::Object(members).to_string().as_bytes())
}

/// Returns the error document of an invocation that failed.
fn failure(outcome: &Outcome) -> Option<String> {
    let error_type = outcome.error_type()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let Answer::Response { trailers, .. } = &outcome.result else {
        let body = outcome.body();
        return Some(if body.is_empty() { error_type } else { text(&body) });
    };
    // A stream that broke off has its error in its trailers.
    let body = trailers.iter().find(|(name, _)| name == ERROR_BODY);
    let document = body.and_then(|(_, encoded)| STANDARD.decode(encoded).ok());
    Some(document.map_or(error_type, |document| text(&document)))
}

/// Frames an event.
fn message(event_type: &str, content_type: &str, payload: &[u8]) -> Bytes {
    let mut headers = BytesMut::with_capacity(128);
    let fields =
        [(":event-type", event_type), (":content-type", content_type), (":message-type", "event")];
    for (name, value) in fields {
        // Both are short constants.
        headers.put_u8(name.len() as u8);
        headers.put_slice(name.as_bytes());
        headers.put_u8(TEXT);
        headers.put_u16(value.len() as u16);
        headers.put_slice(value.as_bytes());
    }
    let length = FRAME + headers.len() + payload.len();
    let mut message = BytesMut::with_capacity(length);
    // A payload is one read of a connection or a buffered answer: far from 4 GiB.
    message.put_u32(length as u32);
    message.put_u32(headers.len() as u32);
    message.put_u32(crc32fast::hash(&message));
    message.put_slice(&headers);
    message.put_slice(payload);
    message.put_u32(crc32fast::hash(&message));
    message.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_framed_as_the_format_says() {
        let message = message("E", "t", b"payload");
        assert_eq!(message[..8], [0, 0, 0, 79, 0, 0, 0, 56]);
        assert_eq!(message[8..12], crc32fast::hash(&message[..8]).to_be_bytes());
        assert_eq!(message[12..28], *b"\x0b:event-type\x07\x00\x01E");
        assert_eq!(message[68..75], *b"payload");
        assert_eq!(message[75..], crc32fast::hash(&message[..75]).to_be_bytes());
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
    }
}
