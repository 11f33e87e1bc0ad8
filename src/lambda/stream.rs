//! An answer that is posted while the function makes it. Contract: AWS's "response streaming for custom runtimes".

use super::{ApiError, Next, Verdict, client::ERROR_TYPE, outgoing::StreamedBody, poller::Poller};
use crate::{
    diagnostic::{DOCUMENT_LIMIT, error_type_header, log_failure},
    telemetry::Log,
    web::metadata_of,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::{future::Future, rc::Rc};
use trine_engine::{Error, ErrorDialect, HTTP_INTEGRATION, Invocation, PRELUDE_END, StreamHead};

const ERROR_BODY: HeaderName = HeaderName::from_static("lambda-runtime-function-error-body");

/// The longest error document in a trailer, in bytes before it is encoded: headers have room for little.
const TRAILER_LIMIT: usize = DOCUMENT_LIMIT / 4;

/// What is needed to tell of a failure.
#[derive(Clone)]
struct Failures {
    log: Log,
    dialect: ErrorDialect,
    invocation: Rc<Invocation>,
}

impl Failures {
    /// Logs the error with which a response ends.
    fn record(&self, error: &Error) {
        log_failure(&self.log, error, self.dialect, Some(&self.invocation));
    }

    /// Logs the error with which a response ends, and returns the trailers that tell the caller.
    fn trailers(&self, error: &Error) -> HeaderMap {
        self.record(error);
        let id = Some(self.invocation.request_id.as_str());
        let document = BASE64.encode(self.dialect.document(error, id, TRAILER_LIMIT));
        let mut trailers = HeaderMap::new();
        for (name, value) in [(ERROR_TYPE, error_type_header(error)), (ERROR_BODY, document)] {
            // Both are ASCII.
            trailers.extend(HeaderValue::from_str(&value).ok().map(|value| (name, value)));
        }
        trailers
    }
}

impl Poller {
    /// Posts an answer that is out while the rest of the call runs, which ends with whether nobody has answered in its
    /// place.
    pub(super) async fn stream(
        &mut self,
        next: &Next,
        invocation: &Rc<Invocation>,
        rest: impl Future<Output = bool>,
    ) -> Result<(), ApiError> {
        let (stream, rescuer) = (invocation.stream.get(), self.rescuer.clone());
        if !rescuer.begins() {
            return rescuer.answered().await;
        }
        let failures = Failures {
            log: self.log.clone(),
            dialect: rescuer.dialect,
            invocation: invocation.clone(),
        };
        let (prelude, content_type) = opening(&stream.head());
        let trailing = failures.clone();
        let body = StreamedBody::new(prelude, stream.reader(), move |e| trailing.trailers(e));
        let post = self.api.stream(&next.delivery, body, content_type);
        let (is_ours, posted) = futures::future::join(rest, post).await;
        if !is_ours {
            return rescuer.answered().await;
        }
        if let Some(error) = stream.take_failure() {
            // It came when the response had ended already.
            failures.record(&error);
        }
        let verdict = match posted {
            // Whether the API itself is gone is found out with the next event.
            Err(ApiError::Broken { .. }) => {
                Verdict::Refused("the caller was gone before the response had ended".to_owned())
            }
            other => other?,
        };
        self.complain(&invocation.request_id, verdict);
        Ok(())
    }
}

/// Returns what is sent before the first chunk, and the media type of the whole.
fn opening(head: &StreamHead) -> (Option<Bytes>, HeaderValue) {
    let of_application = head.response.as_deref().map(metadata_of);
    let Some(metadata) = of_application.as_ref().or(head.metadata.as_ref()) else {
        let named =
            head.content_type.as_deref().and_then(|named| HeaderValue::from_str(named).ok());
        return (None, named.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    };
    let mut prelude = BytesMut::with_capacity(metadata.len() + PRELUDE_END.len());
    prelude.put_slice(metadata);
    prelude.put_slice(&PRELUDE_END);
    (Some(prelude.freeze()), HeaderValue::from_static(HTTP_INTEGRATION))
}
