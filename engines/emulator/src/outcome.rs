//! What goes in and what comes out of an emulated invocation: the event with the facts that travel in headers, and
//! everything that its caller may get back.

use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

/// An event and the facts that arrive with it. `Event::from(json!(…))` makes one with just a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The event's bytes, passed on untouched.
    pub body: Bytes,
    /// Its media type; `application/json` when `None`.
    pub content_type: Option<String>,
    /// Client context, as JSON text.
    pub client_context: Option<String>,
    /// Cognito identity, as JSON text.
    pub identity: Option<String>,
    /// X-Ray trace header.
    pub trace_id: Option<String>,
    /// Tenant of the caller.
    pub tenant_id: Option<String>,
    /// The ARN as invoked, where it differs from the function's own.
    pub invoked_function_arn: Option<String>,
    /// Request id; a new one when `None`. Using the same one twice makes a second attempt.
    pub request_id: Option<String>,
    /// Further headers, by their names in lower case, in the place of the platform's own of the same name. One without
    /// a value is left out.
    pub headers: Vec<(String, String)>,
}

impl Event {
    /// Makes an event of these bytes, with no further facts.
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }
}

impl From<Value> for Event {
    fn from(value: Value) -> Self {
        Self::new(value.to_string())
    }
}

/// The outcome of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The invocation's request id.
    pub request_id: String,
    /// Time between handing the event out and the end of the answer; zero when it was never handed out.
    pub duration: Duration,
    /// The answer to the caller.
    pub result: Answer,
}

/// The answer that a caller gets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// A response that the runtime posted.
    Response {
        /// Its body. Empty where a streaming caller has read it chunk by chunk.
        bytes: Bytes,
        /// Its media type, if it had one.
        content_type: Option<String>,
        /// Whether it came in streaming mode.
        streamed: bool,
        /// Names (in lower case) and values of the trailers after it.
        trailers: Vec<(String, String)>,
    },
    /// An error that the runtime posted.
    Error {
        /// `Lambda-Runtime-Function-Error-Type`, as it was sent.
        type_header: Option<String>,
        /// `Lambda-Runtime-Function-XRay-Error-Cause`, as it was sent.
        xray_cause: Option<String>,
        /// The error document, as it was sent.
        body: Bytes,
    },
    /// An init error that the runtime posted before it asked for any event, or a restore error.
    InitError(InitFailure),
    /// The platform's own answer: the response was too large or cut short, or the runtime's process ended.
    Platform {
        /// For example `Function.ResponseSizeTooLarge`.
        error_type: &'static str,
        /// The platform's text; empty where it sends no payload.
        message: String,
    },
    /// No answer in time.
    Timeout {
        /// The limit that was passed.
        after: Duration,
    },
    /// A refusal, because too many events are waiting already.
    Throttled,
    /// None, because the caller went away while the answer was streamed to it: the runtime's upload was cut off.
    Abandoned,
}

/// The report of a runtime that could not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitFailure {
    /// `Lambda-Runtime-Function-Error-Type`, as it was sent.
    pub type_header: Option<String>,
    /// `Lambda-Runtime-Function-XRay-Error-Cause`, as it was sent.
    pub xray_cause: Option<String>,
    /// The error document.
    pub body: Bytes,
}

impl Outcome {
    /// Whether the runtime posted a response.
    pub fn is_response(&self) -> bool {
        matches!(self.result, Answer::Response { .. })
    }

    /// Returns the body that the caller reads: the response, or an error document.
    pub fn body(&self) -> Bytes {
        match &self.result {
            Answer::Response { bytes, .. } => bytes.clone(),
            Answer::Error { body, .. } | Answer::InitError(InitFailure { body, .. }) => {
                body.clone()
            }
            Answer::Platform { message, .. } if message.is_empty() => Bytes::new(),
            Answer::Abandoned => Bytes::new(),
            Answer::Platform { error_type, message } => {
                json!({"errorType": error_type, "errorMessage": message}).to_string().into()
            }
            Answer::Timeout { after } => {
                let seconds = after.as_secs_f64();
                let text = format!(
                    "RequestId: {} Error: Task timed out after {seconds:.2} seconds",
                    self.request_id
                );
                json!({"errorType": "Sandbox.Timedout", "errorMessage": text}).to_string().into()
            }
            Answer::Throttled => json!({
                "Reason": "ConcurrentInvocationLimitExceeded",
                "Type": "User",
                "message": "Rate Exceeded.",
            })
            .to_string()
            .into(),
        }
    }

    /// Returns the body as JSON; `null` when it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body()).unwrap_or_default()
    }

    /// Returns the error type that the platform counts this outcome under; `None` for a response without one.
    /// A runtime's header is kept, replaced by `Function.Unknown` or by `Runtime.Unknown` as Lambda does.
    pub fn error_type(&self) -> Option<String> {
        match &self.result {
            Answer::Response { trailers, .. } => trailers
                .iter()
                .find(|(name, _)| name == "lambda-runtime-function-error-type")
                .map(|(_, value)| value.clone()),
            Answer::Error { type_header, .. }
            | Answer::InitError(InitFailure { type_header, .. }) => {
                Some(counted_type(type_header.as_deref()).to_owned())
            }
            Answer::Platform { error_type, .. } => Some((*error_type).to_owned()),
            Answer::Timeout { .. } => Some("Sandbox.Timedout".into()),
            Answer::Throttled => Some("TooManyRequestsException".into()),
            Answer::Abandoned => None,
        }
    }
}

/// Returns what the platform makes of an error-type header.
fn counted_type(header: Option<&str>) -> &str {
    match header {
        Some(header) if is_error_type(header) => header,
        Some(header) if header.starts_with("Function.") => "Function.Unknown",
        _ => "Runtime.Unknown",
    }
}

/// Whether `text` holds `(Runtime|Function)\.[A-Z][a-zA-Z]+`, anywhere, as the platform demands.
pub(super) fn is_error_type(text: &str) -> bool {
    ["Runtime.", "Function."].iter().any(|prefix| {
        text.match_indices(prefix).any(|(at, _)| {
            let mut rest = text[at + prefix.len()..].chars();
            rest.next().is_some_and(|c| c.is_ascii_uppercase())
                && rest.next().is_some_and(|c| c.is_ascii_alphabetic())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_types_are_counted_as_the_platform_does() {
        assert_eq!(counted_type(Some("Function.TypeError")), "Function.TypeError");
        assert_eq!(counted_type(Some("Runtime.X")), "Runtime.Unknown");
        assert_eq!(counted_type(Some("Function.404")), "Function.Unknown");
        assert_eq!(counted_type(Some("TypeError")), "Runtime.Unknown");
        assert_eq!(counted_type(None), "Runtime.Unknown");
    }

    #[test]
    fn a_timeout_reads_as_lambda_writes_it() {
        let outcome = Outcome {
            request_id: "id".into(),
            duration: Duration::ZERO,
            result: Answer::Timeout { after: Duration::from_secs(3) },
        };
        assert_eq!(
            outcome.body(),
            r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: id Error: Task timed out after 3.00 seconds"}"#
        );
    }
}
