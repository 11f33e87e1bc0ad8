//! The platform's refusals: status, error type and text, as the platform writes them.

use super::state::Phase;
use http::StatusCode;

/// An answer to the runtime other than success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) error_type: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        error_type: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self { status, error_type, message: message.into() }
    }

    /// Refuses a transition that the state machine does not have.
    pub(super) fn transition(from: Phase, to: Phase) -> Self {
        let (from, to) = (from.name(), to.name());
        Self::new(
            StatusCode::FORBIDDEN,
            "InvalidStateTransition",
            format!(
                "State transition from {from} to {to} failed for runtime. Error: State transition is not allowed"
            ),
        )
    }

    pub(super) fn invalid_request_id() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
    }

    /// Refuses the answer to an attempt that has already timed out.
    pub(super) fn too_late() -> Self {
        Self::new(StatusCode::GONE, "InvokeTimeout", "The invocation has timed out")
    }

    pub(super) fn stale_invocation_id() -> Self {
        Self::new(
            StatusCode::GONE,
            "InvalidInvocationID",
            "The invocation id is not the current one",
        )
    }

    pub(super) fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            format!("Exceeded maximum allowed payload size ({limit} bytes)."),
        )
    }

    pub(super) fn truncated() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "TruncatedHTTPRequest",
            "HTTP request detected as truncated",
        )
    }

    pub(super) fn response_mode() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "InvalidFunctionResponseMode",
            "Invalid Lambda-Runtime-Function-Response-Mode header",
        )
    }

    pub(super) fn not_found(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", format!("the Runtime API has no {path}"))
    }
}
