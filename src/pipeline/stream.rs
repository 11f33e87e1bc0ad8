//! A handler's streamed answer among hooks: those that look at responses see its head before anything of it leaves, or,
//! where one of them asks for it, the whole.

use super::{Called, Run, named};
use crate::web::metadata_of;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::{Bytes, BytesMut};
use serde_json::{Map, Value, json};
use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
};
use trine_engine::{
    BYTE_CHUNKS, Error, ErrorKind, Form, Payload, ResponseStream, Result, StreamHead, WebResponse,
};

/// The member of a response object that is not part of a stream's head.
const BODY: &str = "body";

/// The outcome of hooks that have seen a head.
enum Seen {
    /// They have let it pass, perhaps changed.
    Head(StreamHead),
    /// One of them wants the whole; the first that has to see it is at this place on the way out.
    Whole(usize),
}

impl Run<'_> {
    /// Calls the handler. A streamed answer waits at its head for hooks that look at responses. Also returns the number of
    /// hooks on the way out that are not to see the result any more.
    pub(super) async fn handle(&self, event: Payload, form: Form) -> (Result<Payload>, usize) {
        let pipeline = self.pipeline;
        let call = self.call(Called::Handler, pipeline.handler, event, form);
        let buffers = self.invocation.exchange.buffers_response();
        if !buffers && !pipeline.members.iter().any(|member| member.after.is_some()) {
            return (call.await, 0);
        }
        let place = &self.invocation.stream;
        place.hold();
        let mut call = pin!(call);
        let result = poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => place.poll_begun(cx).map(|_| None),
        });
        let result = match result.await {
            Some(Ok(Payload::Streamed)) => Some(Ok(Payload::Streamed)),
            // It is no stream, or has failed before anything was sent.
            Some(other) => return (other, 0),
            None => None,
        };
        let stream = place.get();
        if result.is_some() {
            stream.finish(Ok(()));
        }
        let mut rest = pin!(async {
            match result {
                Some(result) => result,
                None => call.await,
            }
        });
        if buffers {
            return (whole(stream, rest).await, 0);
        }
        let seen = self.show_head(stream.head()).await;
        self.return_to_handler();
        match seen {
            Ok(Seen::Head(head)) => {
                stream.release(head);
                (rest.await, 0)
            }
            Ok(Seen::Whole(from)) => match whole(stream, rest).await {
                Ok(response) => (Ok(response), from),
                Err(error) => (Err(error), 0),
            },
            Err(error) => {
                // The handler learns that nobody reads, and ends in its own way.
                drop(stream.reader());
                let _ = rest.as_mut().await;
                (Err(error), 0)
            }
        }
    }

    /// Notes that the handler goes on after hooks have run.
    fn return_to_handler(&self) {
        self.invocation.exchange.enter(None);
        let heap = self.pipeline.handler.heap;
        self.pipeline.current.set(heap);
        self.watch.enter(heap);
    }

    /// Shows a head to the hooks on the way out.
    async fn show_head(&self, head: StreamHead) -> Result<Seen> {
        let first = described(&head);
        let mut response = Payload::Json(first.clone());
        let mut last = None;
        for (place, at) in self.way_out(self.pipeline.members.len()).enumerate() {
            let member = &self.pipeline.members[at];
            if member.after.is_none() {
                continue;
            }
            response = self.after(member, response).await?;
            if self.invocation.exchange.buffers_response() {
                return Ok(Seen::Whole(place));
            }
            last = Some(member);
        }
        let (text, _) = response.into_bytes()?;
        changed(head, &first, text).map(Seen::Head).map_err(|error| match last {
            Some(member) => named(error, &member.name),
            None => error,
        })
    }
}

/// Returns a head as the response object that hooks see: without a body.
fn described(head: &StreamHead) -> Bytes {
    match (&head.response, &head.metadata) {
        (Some(response), _) => metadata_of(response),
        (None, Some(metadata)) => metadata.clone(),
        (None, None) => Value::Object(object_of(head)).to_string().into(),
    }
}

/// Returns the head that hooks have left. One that they have not changed is the guest's own.
fn changed(head: StreamHead, before: &Bytes, after: Bytes) -> Result<StreamHead> {
    if *before == after {
        return Ok(head);
    }
    let parsed = |text: &Bytes| serde_json::from_slice::<Value>(text).ok();
    match parsed(&after) {
        same if same == parsed(before) => Ok(head),
        Some(Value::Object(members)) if !members.contains_key(BODY) => {
            Ok(StreamHead { metadata: Some(after), ..StreamHead::default() })
        }
        _ => {
            let message = "the response is streamed, and an after hook can change its statusCode, headers and cookies \
                           alone: to see or to replace the body, call context.bufferResponse() first";
            Err(Error::new(ErrorKind::Unsupported, message))
        }
    }
}

/// Returns the members of a response object that a head stands for.
fn object_of(head: &StreamHead) -> Map<String, Value> {
    let written = head.metadata.as_ref().and_then(|text| serde_json::from_slice(text).ok());
    let mut members = match written {
        Some(Value::Object(members)) => members,
        _ => Map::from_iter([("statusCode".to_owned(), json!(200))]),
    };
    if let Some(content_type) = &head.content_type {
        let headers = members.entry("headers").or_insert_with(|| json!({}));
        if let Value::Object(headers) = headers {
            headers.entry("content-type").or_insert_with(|| json!(content_type));
        }
    }
    members
}

/// Waits for all of a stream, and returns it as a response object.
async fn whole(
    stream: &ResponseStream,
    mut rest: Pin<&mut impl Future<Output = Result<Payload>>>,
) -> Result<Payload> {
    let mut reader = stream.reader();
    let mut body = BytesMut::new();
    let mut is_over = false;
    let result = poll_fn(|cx| {
        while !is_over {
            match reader.poll_chunk(cx) {
                Poll::Ready(Some(chunk)) => body.extend_from_slice(&chunk),
                Poll::Ready(None) => is_over = true,
                Poll::Pending => break,
            }
        }
        rest.as_mut().poll(cx)
    });
    result.await?;
    stream.finish(Ok(()));
    while let Some(chunk) = reader.chunk().await {
        body.extend_from_slice(&chunk);
    }
    let head = stream.head();
    if let Some(head) = head.response {
        return Ok(Payload::Response(Box::new(WebResponse { head: *head, body: body.freeze() })));
    }
    let mut members = object_of(&head);
    // As of a stream that names none: that of a response object would be JSON.
    let headers = members.entry("headers").or_insert_with(|| json!({}));
    if let Value::Object(headers) = headers
        && !headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"))
    {
        headers.insert("content-type".to_owned(), json!(BYTE_CHUNKS));
    }
    let text = String::from_utf8(body.into());
    members.insert("isBase64Encoded".to_owned(), text.is_err().into());
    let body = text.unwrap_or_else(|bytes| BASE64.encode(bytes.as_bytes()));
    members.insert(BODY.to_owned(), body.into());
    Ok(Payload::from(&Value::Object(members)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(content_type: Option<&str>, metadata: Option<&'static str>) -> StreamHead {
        let content_type = content_type.map(str::to_owned);
        StreamHead { content_type, metadata: metadata.map(Bytes::from), ..StreamHead::default() }
    }

    #[test]
    fn a_head_that_hooks_leave_alone_stays_the_guests_own() {
        let plain = head(Some("text/plain"), None);
        let shown = described(&plain);
        assert_eq!(shown, r#"{"statusCode":200,"headers":{"content-type":"text/plain"}}"#);
        let spaced = r#"{"headers": {"content-type": "text/plain"}, "statusCode": 200}"#;
        assert_eq!(changed(plain.clone(), &shown, spaced.into()).unwrap(), plain);
        let other = changed(plain.clone(), &shown, r#"{"statusCode":201}"#.into()).unwrap();
        assert_eq!(other, head(None, Some(r#"{"statusCode":201}"#)));
        for wrong in ["[]", "7", r#"{"statusCode":200,"body":"x"}"#, "{"] {
            let error = changed(plain.clone(), &shown, wrong.into()).unwrap_err();
            assert!(error.message().contains("context.bufferResponse()"), "{error}");
        }
    }

    #[tokio::test]
    async fn the_whole_of_a_stream_is_a_response_object() {
        let of = async |head: StreamHead, chunks: &[&'static [u8]]| {
            let stream = ResponseStream::new(None);
            stream.set_head(head).unwrap();
            let write = async {
                for chunk in chunks {
                    stream.send(Bytes::from_static(chunk)).await?;
                }
                Ok(Payload::Streamed)
            };
            let response = whole(&stream, pin!(write)).await.unwrap();
            String::from_utf8(response.into_bytes().unwrap().0.to_vec()).unwrap()
        };
        let metadata = r#"{"statusCode":201,"cookies":["a=b"]}"#;
        assert_eq!(
            of(head(None, Some(metadata)), &["é".as_bytes(), b"x"]).await,
            r#"{"statusCode":201,"cookies":["a=b"],"headers":{"content-type":"application/octet-stream"},"isBase64Encoded":false,"body":"éx"}"#
        );
        assert_eq!(
            of(head(Some("image/png"), None), &[b"\xff"]).await,
            r#"{"statusCode":200,"headers":{"content-type":"image/png"},"isBase64Encoded":true,"body":"/w=="}"#
        );
        // More than the buffer holds.
        let large = [&[b'x'; 50_000][..]; 5];
        let around = r#"{"statusCode":200,"headers":{"content-type":"application/octet-stream"},"isBase64Encoded":false,"body":""}"#;
        assert_eq!(of(head(None, None), &large).await.len(), 250_000 + around.len());
    }
}
