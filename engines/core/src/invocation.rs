//! One event's context: the facts that arrive with it, and those about the function that hold for all of them.

use crate::{Conventions, Exchange, StreamPlace};
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// The facts about the function that are known before any event arrives. Values are the texts of the environment
/// variables that Lambda sets, because languages hand them to users as texts; `None` where a variable is not set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FunctionInfo {
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub name: Option<String>,
    /// `AWS_LAMBDA_FUNCTION_VERSION`.
    pub version: Option<String>,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, in MB.
    pub memory_mb: Option<String>,
    /// `AWS_LAMBDA_LOG_GROUP_NAME`.
    pub log_group: Option<String>,
    /// `AWS_LAMBDA_LOG_STREAM_NAME`.
    pub log_stream: Option<String>,
}

/// The remaining time that handlers are told where nothing limits it, in milliseconds: Lambda's longest time limit, the
/// largest value that code written for it can have seen.
pub const UNLIMITED_MS: u64 = 900_000;

/// One event's context. Contract: the headers of Lambda's `GET /runtime/invocation/next`; other front doors fill in
/// what they know.
///
/// It may get more members: name those that matter, and take the others from [`Invocation::json`] or the default.
///
/// ```
/// use trine_engine::Invocation;
///
/// let invocation = Invocation { tenant_id: Some("blue".into()), ..Invocation::json("id-1") };
/// assert!(invocation.event_is_json && invocation.deadline_ms.is_none());
/// ```
#[derive(Debug, Default)]
pub struct Invocation {
    /// The identifier of the invocation; the same at every attempt.
    pub request_id: String,
    /// The time at which the platform gives up, in milliseconds since the epoch; `None` when there is no limit.
    pub deadline_ms: Option<u64>,
    /// The ARN that was invoked; may carry an alias or a version.
    pub invoked_function_arn: Option<String>,
    /// X-Ray trace header: `Root=1-…;Parent=…;Sampled=1`.
    pub trace_id: Option<String>,
    /// Client context, as JSON text, the member `w3c` already taken out into [`Invocation::w3c`].
    pub client_context: Option<String>,
    /// Cognito identity, as JSON text.
    pub identity: Option<String>,
    /// Tenant, where the function isolates tenants.
    pub tenant_id: Option<String>,
    /// W3C trace context, where the platform passes it on: `traceparent`, `tracestate`, `baggage` and nothing else.
    pub w3c: Option<BTreeMap<String, String>>,
    /// Name of the function that is invoked, where a front door serves several; else [`FunctionInfo::name`] holds.
    pub function_name: Option<String>,
    /// What the handler expects, where it was written for another platform than Lambda.
    pub conventions: Option<Arc<Conventions>>,
    /// Whether the event is JSON. Python's contract gives a handler the raw body of any other event.
    pub event_is_json: bool,
    /// Whether the handler's result may be [`crate::Payload::Http`].
    pub takes_http_result: bool,
    /// Whether the answer of a web application to an event may be a stream; else it is made whole.
    pub takes_stream: bool,
    /// The values that the functions of this invocation share.
    pub exchange: Exchange,
    /// The place of an answer that is streamed.
    pub stream: StreamPlace,
}

impl Invocation {
    /// Makes the invocation of an event that is JSON, without a deadline.
    pub fn json(request_id: impl Into<String>) -> Self {
        Self { request_id: request_id.into(), event_is_json: true, ..Self::default() }
    }

    /// Returns an invocation for a part of this one's event: the same facts, and nothing shared with it.
    pub fn part(&self) -> Self {
        Self {
            request_id: self.request_id.clone(),
            deadline_ms: self.deadline_ms,
            invoked_function_arn: self.invoked_function_arn.clone(),
            trace_id: self.trace_id.clone(),
            client_context: self.client_context.clone(),
            identity: self.identity.clone(),
            tenant_id: self.tenant_id.clone(),
            w3c: self.w3c.clone(),
            function_name: self.function_name.clone(),
            event_is_json: self.event_is_json,
            takes_stream: self.takes_stream,
            ..Self::default()
        }
    }

    /// Returns the milliseconds until the deadline; negative when it has passed, `None` when there is none.
    pub fn remaining_ms(&self) -> Option<i64> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let left = self.deadline_ms.map(|deadline| i128::from(deadline) - now as i128);
        left.map(|left| left.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }
}
