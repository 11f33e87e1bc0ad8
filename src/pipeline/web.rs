//! A web application's invocation: it gets a request, whatever its front door had; hooks around it see an event and a result
//! all the same.

use super::{Called, Run};
use crate::web::{WebForm, request_of};
use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use trine_engine::{
    Error, ErrorKind, Form, Payload, RequestBody, Result, StreamHead, WebRequest, WebResponse,
};

/// The name of the error of a request whose body is larger than it may be.
pub(crate) const BODY_TOO_LARGE: &str = "Request.BodyTooLarge";

impl Run<'_> {
    /// Runs an application's invocation to its answer: a response where a request came, else the result that goes with the
    /// event. On its way out as a stream where [`trine_engine::Invocation::takes_stream`] allows for that.
    pub(super) async fn serve(&self, event: Payload) -> Result<Payload> {
        let (request, form) = match event {
            Payload::Request(request) => (request, None),
            other => {
                let (request, form) = request_of(other.into_bytes()?.0)?;
                self.form.set(form);
                (Arc::new(request), Some(form))
            }
        };
        let invocation = self.invocation;
        let streams = form.is_none() || invocation.takes_stream;
        if !streams {
            invocation.exchange.buffer();
        }
        let request = Payload::Request(request);
        let result = match self.pipeline.members.is_empty() && streams {
            true => self.call(Called::Handler, self.pipeline.handler, request, Form::Json).await?,
            false => self.chain(request).await?,
        };
        match (result, form) {
            (Payload::Response(response), Some(_)) if streams => self.stream(*response),
            (Payload::Response(response), Some(form)) => Ok(form.result(*response)),
            (other, _) => Ok(other),
        }
    }

    /// Sends a whole response as a stream: what comes before the first chunk says what it is.
    fn stream(&self, response: WebResponse) -> Result<Payload> {
        let stream = self.invocation.stream.get();
        let WebResponse { head, body } = response;
        stream.set_head(StreamHead { response: Some(Box::new(head)), ..StreamHead::default() })?;
        // Nobody may read any more.
        let _ = stream.write(body)?;
        stream.end();
        Ok(Payload::Streamed)
    }

    /// Returns the event that hooks see in a request's place.
    pub(super) async fn event_of(&self, request: &WebRequest) -> Result<Payload> {
        if let Some(event) = &request.event {
            return Ok(Payload::Json(event.clone()));
        }
        let body = whole_body(request).await?;
        request.put_body(RequestBody::Whole(body.clone()));
        let event = request.write_event(body).map(Payload::whole);
        event.ok_or_else(|| Error::internal("a web request cannot be made an event here"))
    }

    /// Returns the request that the handler gets once hooks have seen its event: the very same unless they changed it.
    pub(super) fn request_again(
        &self,
        request: Arc<WebRequest>,
        shown: &Bytes,
        event: Payload,
    ) -> Result<Payload> {
        let (text, _) = event.into_bytes()?;
        if text == *shown || is_same(&text, shown) {
            return Ok(Payload::Request(request));
        }
        let (changed, _) = request_of(text)?;
        Ok(Payload::Request(Arc::new(changed)))
    }
}

/// Returns the response as hooks see it, and as the sender of such an event gets it.
pub(super) fn result_for_hooks(form: WebForm, result: Payload) -> Payload {
    match result {
        Payload::Response(response) => form.result(*response),
        other => other,
    }
}

/// Whether two texts of JSON stand for the same value: languages write spaces in their own ways.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let parsed = |text| serde_json::from_slice::<serde_json::Value>(text).ok();
    parsed(one).is_some_and(|one| Some(one) == parsed(other))
}

/// Reads the whole of a request's body.
///
/// # Errors
/// Why it did not come whole; [`BODY_TOO_LARGE`] where it is more than an event may have.
async fn whole_body(request: &WebRequest) -> Result<Bytes> {
    let mut reader = match request.take_body() {
        RequestBody::Whole(body) => return Ok(body),
        RequestBody::Arriving(reader) => reader,
    };
    let limit = request.event_body_limit();
    let mut body = BytesMut::new();
    while let Some(chunk) = reader.chunk().await {
        if body.len() + chunk.len() > limit {
            let message = format!("the request's body is larger than {limit} bytes");
            return Err(Error::new(ErrorKind::Unmarshal, message).with_name(BODY_TOO_LARGE));
        }
        body.extend_from_slice(&chunk);
    }
    match reader.stream().take_failure() {
        Some(error) => Err(error),
        None => Ok(body.freeze()),
    }
}
