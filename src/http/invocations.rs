//! Lambda's Invoke API, by which AWS's SDKs call functions without HTTP in between: every function that is served can be
//! reached by its name as well. Contract: AWS Lambda API reference, Invoke.

use super::{
    arrival::Arrival,
    body::StreamedBody,
    error::FUNCTION_ERROR,
    options::ErrorDetail,
    response::{Reply, finish},
    service::{REQUEST_ID, RETRY_AFTER, Service, only},
    site::ServedFunction,
    wire::Hold,
};
use crate::diagnostic::DOCUMENT_LIMIT;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde::de::IgnoredAny;
use serde_json::json;
use std::rc::Rc;
use trine_emulator::FunctionName;
use trine_engine::{Error, Payload, ResponseStream};

const FUNCTIONS: &str = "/2015-03-31/functions/";
const INVOCATIONS: &str = "/invocations";
/// The name that Lambda's own emulator has for its only function.
const ONLY: &str = "function";

const TYPE: &str = "x-amz-invocation-type";
const CLIENT_CONTEXT: &str = "x-amz-client-context";
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");

/// Returns the name of the function that a path of the Invoke API means, decoded.
pub(super) fn function_of(path: &str) -> Option<String> {
    let name = path.strip_prefix(FUNCTIONS)?;
    let name = name.strip_suffix(INVOCATIONS).or_else(|| name.strip_suffix("/invocations/"))?;
    (!name.is_empty() && !name.contains('/'))
        .then(|| percent_decode_str(name).decode_utf8_lossy().into_owned())
}

/// What a caller wants of an invocation.
enum Wish {
    /// Its result.
    Result,
    /// To go on at once.
    Event,
    /// To know whether it would be possible.
    Nothing,
}

impl Service {
    /// Answers a request of the Invoke API.
    pub(super) async fn answer_invocation(
        &self,
        arrival: &Arrival,
        hold: &Hold,
        parts: &Parts,
        body: Incoming,
        name: &str,
    ) -> Reply {
        if parts.method != Method::POST {
            return only(&parts.method, parts.uri.path(), "POST");
        }
        // A function that asks for a token asks everybody.
        if let Some((index, _)) = self.find(name)
            && let Err(refused) = self.let_in(index, parts).await
        {
            return refused;
        }
        let body = match self.read(&parts.method, body, usize::MAX).await {
            Ok(body) => body,
            Err(reply) => return reply,
        };
        hold.owe();
        let mut reply = match self.call_by_name(arrival, hold, parts, body, name).await {
            Ok(reply) => reply,
            Err(refusal) => refusal.reply(),
        };
        if let Ok(id) = HeaderValue::from_str(&arrival.id) {
            reply.headers_mut().insert(REQUEST_ID, id);
        }
        reply
    }

    async fn call_by_name(
        &self,
        arrival: &Arrival,
        hold: &Hold,
        parts: &Parts,
        body: Bytes,
        name: &str,
    ) -> Result<Reply, Refusal> {
        let (index, function) = self.find(name).ok_or_else(|| Refusal::unknown(name))?;
        arrival.is_for(index, self.shared.readiness.is_warm(index));
        let (id, (_, trace_id)) = (arrival.id.as_str(), arrival.begin(parts));
        let wish = match text(parts, TYPE) {
            None | Some("RequestResponse") => Wish::Result,
            Some("Event") => Wish::Event,
            Some("DryRun") => Wish::Nothing,
            Some(other) => return Err(Refusal::unknown_type(other)),
        };
        if !body.is_empty()
            && let Err(error) = serde_json::from_slice::<IgnoredAny>(&body)
        {
            return Err(Refusal::no_json(&error));
        }
        let event = if body.is_empty() { Payload::json("{}") } else { Payload::Json(body) };
        let mut invocation =
            self.options.invocation(function, id.to_owned(), trace_id.into_owned());
        invocation.client_context = match text(parts, CLIENT_CONTEXT) {
            None => None,
            Some(encoded) => Some(client_context(encoded)?),
        };
        match wish {
            Wish::Nothing => Ok(plain(StatusCode::NO_CONTENT)),
            Wish::Event => {
                let admission = self.take_place(index).map_err(|_| Refusal::busy())?;
                let span = arrival.trace_apart("other", &mut invocation);
                self.run_later(index, event, Rc::new(invocation), admission, span);
                Ok(plain(StatusCode::ACCEPTED))
            }
            Wish::Result => {
                let admission = self.take_place(index).map_err(|_| Refusal::busy())?;
                arrival.trace("other", &mut invocation);
                let invocation = Rc::new(invocation);
                let call = self.run(hold, &parts.method, index, event, &invocation, admission);
                let result = call.await;
                let mut reply = match result {
                    Ok(Payload::Streamed) => streamed(invocation.stream.get(), hold),
                    Ok(result) => match result.into_bytes() {
                        Ok((body, content_type)) => whole(body, content_type),
                        Err(error) => self.failed(function, &error, id),
                    },
                    Err(error) => self.failed(function, &error, id),
                };
                reply.headers_mut().insert(EXECUTED_VERSION, HeaderValue::from_static("$LATEST"));
                Ok(reply)
            }
        }
    }

    /// Finds a function by what a caller names: the name under which it is served, or that its invocations carry.
    fn find(&self, text: &str) -> Option<(usize, &ServedFunction)> {
        let functions = self.site.functions();
        let find = |name: &str| {
            functions.iter().position(|function| {
                function.name == name || function.function_name.as_deref() == Some(name)
            })
        };
        // A name that is none of Lambda's may be one of a folder within the folder.
        let name = FunctionName::parse(text, None).map_or(text, |named| named.name);
        let only = (functions.len() == 1 && name == ONLY).then_some(0);
        let index = find(text).or_else(|| find(name)).or(only)?;
        Some((index, &functions[index]))
    }

    fn failed(&self, function: &ServedFunction, error: &Error, id: &str) -> Reply {
        let document = match self.options.error_detail {
            ErrorDetail::Full => {
                let dialect = function.located.engine.info().error_dialect;
                dialect.document(error, Some(id), DOCUMENT_LIMIT)
            }
            ErrorDetail::Hidden => {
                json!({"errorType": "Error", "errorMessage": "Internal Server Error"}).to_string()
            }
        };
        let mut reply = whole(Bytes::from(document), "application/json");
        reply.headers_mut().insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
        reply
    }
}

fn whole(body: Bytes, content_type: &'static str) -> Reply {
    finish(&Method::POST, StatusCode::OK, HeaderMap::new(), body, content_type)
}

/// Returns an answer without a body.
fn plain(status: StatusCode) -> Reply {
    finish(&Method::POST, status, HeaderMap::new(), Bytes::new(), "application/json")
}

/// Returns a streamed result, in pieces as they come.
pub(super) fn streamed(stream: &ResponseStream, hold: &Hold) -> Reply {
    let mut reply = Reply::new(StreamedBody::new(stream.reader(), hold.clone()).into());
    let content_type = HeaderValue::from_static("application/octet-stream");
    reply.headers_mut().insert(header::CONTENT_TYPE, content_type);
    reply
}

fn text<'p>(parts: &'p Parts, name: &str) -> Option<&'p str> {
    parts.headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

/// Returns the JSON text of a client context, which callers send in base64.
fn client_context(encoded: &str) -> Result<String, Refusal> {
    let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.filter(|text| serde_json::from_str::<IgnoredAny>(text).is_ok()).ok_or_else(|| {
        Refusal::invalid("Client context must be a valid Base64-encoded JSON object.")
    })
}

/// A request that was turned away, as one of Lambda's exceptions.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    kind: &'static str,
    /// The member that has the message: the services' models are not of one mind about it.
    member: &'static str,
    message: String,
}

impl Refusal {
    fn unknown(name: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            kind: "ResourceNotFoundException",
            member: "Message",
            message: format!("Function not found: {name}"),
        }
    }

    fn bad(kind: &'static str, message: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind, member: "message", message }
    }

    fn invalid(message: &str) -> Self {
        Self::bad("InvalidParameterValueException", message.to_owned())
    }

    /// Returns what Lambda says when more is asked for than it runs at a time; SDKs try again.
    fn busy() -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            kind: "TooManyRequestsException",
            member: "message",
            message: "Rate Exceeded.".to_owned(),
        }
    }

    fn unknown_type(name: &str) -> Self {
        Self::invalid(&format!(
            "'{name}' is no invocation type: use RequestResponse, Event or DryRun"
        ))
    }

    fn no_json(error: &serde_json::Error) -> Self {
        let message = format!("Could not parse request body into json: {error}");
        Self::bad("InvalidRequestContentException", message)
    }

    fn reply(&self) -> Reply {
        let body = json!({"Type": "User", self.member: self.message}).to_string();
        let body = Bytes::from(body);
        let mut reply =
            finish(&Method::POST, self.status, HeaderMap::new(), body, "application/json");
        reply.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(self.kind));
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            reply.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_function() {
        for (path, name) in [
            ("/2015-03-31/functions/hello/invocations", Some("hello")),
            ("/2015-03-31/functions/pets%2Fjs/invocations", Some("pets/js")),
            ("/2015-03-31/functions/a%3Ab/invocations", Some("a:b")),
            ("/2015-03-31/functions//invocations", None),
            ("/2015-03-31/functions/a/b/invocations", None),
            ("/2015-03-31/functions/hello", None),
            ("/hello", None),
        ] {
            assert_eq!(function_of(path).as_deref(), name, "{path}");
        }
    }
}
