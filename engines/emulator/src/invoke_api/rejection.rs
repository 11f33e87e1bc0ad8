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
pub(crate) struct Rejection {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl Rejection {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into() }
    }

    pub(crate) fn reply(&self) -> Response<ReplyBody> {
        // The services' models are not of one mind about the member's name.
        let member = match self.kind {
            NOT_FOUND | ALREADY_STARTED | CALLBACK_TIMEOUT => "Message",
            _ => "message",
        };
        let text = json!({"Type": "User", member: self.message}).to_string();
        let mut reply = json_reply(self.status, text);
        reply.headers_mut().insert(ERROR_KIND, HeaderValue::from_static(self.kind));
        reply
    }

    pub(crate) fn unknown_function(arn: &str) -> Self {
        Self::not_found(format!("Function not found: {arn}"))
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, NOT_FOUND, message)
    }

    /// A durable execution of this name was started with another event.
    pub(crate) fn already_started(name: &str) -> Self {
        let message = format!(
            "A durable execution with the name {name} was already started, with another payload: choose another name"
        );
        Self::new(StatusCode::CONFLICT, ALREADY_STARTED, message)
    }

    pub(crate) fn callback_timeout(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, CALLBACK_TIMEOUT, message)
    }

    pub(crate) fn body_too_large(size: usize, limit: usize) -> Self {
        let message = format!("The request's body has {size} bytes (limit {limit} bytes)");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", message)
    }

    pub(crate) fn unknown_path(path: &str) -> Self {
        let message = format!(
            "{path} is no path to invoke a function: use /2015-03-31/functions/{{name}}/invocations or \
             /2021-11-15/functions/{{name}}/response-streaming-invocations; durable executions are under \
             /2025-12-01/durable-executions/ and /2025-12-01/durable-execution-callbacks/"
        );
        Self::new(StatusCode::NOT_FOUND, NOT_FOUND, message)
    }

    pub(crate) fn wrong_method(method: &Method, expected: &Method) -> Self {
        match *expected {
            Method::POST => Self::method_not_allowed(format!(
                "a function is invoked with POST, not {method}: send the event as the body"
            )),
            _ => Self::asked_wrongly(method, expected),
        }
    }

    pub(crate) fn asked_wrongly(method: &Method, expected: &Method) -> Self {
        Self::method_not_allowed(format!("this is asked for with {expected}, not {method}"))
    }

    fn method_not_allowed(message: String) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowedException", message)
    }

    pub(crate) fn bad_name(text: &str, bad: &BadName) -> Self {
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

    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID_PARAMETER, message)
    }

    pub(crate) fn invalid_content(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
    }

    pub(crate) fn too_large(size: usize, limit: usize, invocation_type: &str) -> Self {
        let message = format!(
            "{size} byte payload is too large for the {invocation_type} invocation type (limit {limit} bytes)"
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", message)
    }
}

/// What the service says where a durable function is named without a version or an alias.
pub(crate) const UNQUALIFIED: &str =
    "You cannot invoke a durable function using an unqualified ARN.";
const NOT_FOUND: &str = "ResourceNotFoundException";
const ALREADY_STARTED: &str = "DurableExecutionAlreadyStartedException";
const CALLBACK_TIMEOUT: &str = "CallbackTimeoutException";
const INVALID_PARAMETER: &str = "InvalidParameterValueException";
