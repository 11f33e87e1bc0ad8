//! Requests that are turned away before they become invocations, in the words and the shape of Lambda's exceptions.

use super::{
    super::{body::ReplyBody, server::json_reply},
    ERROR_KIND,
    names::BadName,
};
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::json;

/// A request that was turned away.
#[derive(Debug)]
pub(super) struct Rejection {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl Rejection {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into() }
    }

    pub(super) fn reply(&self) -> Response<ReplyBody> {
        // The services' models are not of one mind about the member's name.
        let member = match self.kind {
            NOT_FOUND => "Message",
            _ => "message",
        };
        let text = json!({"Type": "User", member: self.message}).to_string();
        let mut reply = json_reply(self.status, text);
        reply.headers_mut().insert(ERROR_KIND, HeaderValue::from_static(self.kind));
        reply
    }

    pub(super) fn unknown_function(arn: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, NOT_FOUND, format!("Function not found: {arn}"))
    }

    pub(super) fn unknown_path(path: &str) -> Self {
        let message = format!(
            "{path} is no path to invoke a function: use /2015-03-31/functions/{{name}}/invocations or \
             /2021-11-15/functions/{{name}}/response-streaming-invocations"
        );
        Self::new(StatusCode::NOT_FOUND, NOT_FOUND, message)
    }

    pub(super) fn wrong_method(method: &Method, expected: &Method) -> Self {
        let message = match *expected {
            Method::POST => {
                format!("a function is invoked with POST, not {method}: send the event as the body")
            }
            _ => format!("this is asked for with {expected}, not {method}"),
        };
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowedException", message)
    }

    pub(super) fn bad_name(text: &str, bad: &BadName) -> Self {
        let (kind, message) = match bad {
            BadName::Form => (
                "ValidationException",
                format!(
                    "1 validation error detected: Value '{text}' at 'functionName' is no name, partial ARN or ARN of \
                     a function, with or without a qualifier"
                ),
            ),
            BadName::TwoQualifiers => (
                INVALID_PARAMETER,
                "The derived qualifier from the function name does not match the specified qualifier."
                    .to_owned(),
            ),
        };
        Self::new(StatusCode::BAD_REQUEST, kind, message)
    }

    pub(super) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID_PARAMETER, message)
    }

    pub(super) fn invalid_content(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
    }

    pub(super) fn too_large(size: usize, limit: usize, invocation_type: &str) -> Self {
        let message = format!(
            "{size} byte payload is too large for the {invocation_type} invocation type (limit {limit} bytes)"
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", message)
    }
}

const NOT_FOUND: &str = "ResourceNotFoundException";
const INVALID_PARAMETER: &str = "InvalidParameterValueException";
