//! Things that a correct client never does, by name. The platform lets most of them pass, often at the price of a lost
//! or doubled invocation; the emulator also lets them pass, but remembers them.

use std::fmt;

/// One thing that a correct client would not have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule's name, one of those in [`rule`].
    pub rule: &'static str,
    /// What was observed.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.detail)
    }
}

/// Names of the rules.
pub mod rule {
    /// `/next` before the invocation in flight was answered: the platform hands out the same event again.
    pub const NEXT_WHILE_RUNNING: &str = "next-while-running";
    /// More `/next` requests side by side than invocations may be in flight.
    pub const TOO_MANY_POLLERS: &str = "too-many-pollers";
    /// A post for a request id that was never handed out.
    pub const UNKNOWN_REQUEST_ID: &str = "unknown-request-id";
    /// A second answer to the same invocation.
    pub const ANSWERED_TWICE: &str = "answered-twice";
    /// A post without the `Lambda-Runtime-Invocation-Id` that `/next` gave.
    pub const INVOCATION_ID_MISSING: &str = "invocation-id-missing";
    /// A post with a `Lambda-Runtime-Invocation-Id` that `/next` never gave.
    pub const INVOCATION_ID_INVENTED: &str = "invocation-id-invented";
    /// An error-type header that does not match `(Runtime|Function)\.[A-Z][a-zA-Z]+`.
    pub const ERROR_TYPE_HEADER: &str = "error-type-header";
    /// An error document that is not a JSON object with the texts `errorMessage` and `errorType`.
    pub const ERROR_BODY: &str = "error-body";
    /// An error post whose media type is not `application/json`.
    pub const ERROR_CONTENT_TYPE: &str = "error-content-type";
    /// An X-Ray cause header that is not a JSON object or not under 1 MiB.
    pub const XRAY_CAUSE: &str = "xray-cause";
    /// `init/error` after the first `/next`.
    pub const INIT_ERROR_LATE: &str = "init-error-late";
    /// A second `init/error`.
    pub const INIT_ERROR_TWICE: &str = "init-error-twice";
    /// Any further call after `init/error`: the process should have ended.
    pub const CALL_AFTER_INIT_ERROR: &str = "call-after-init-error";
    /// Any further call after an answer that ends the process by contract: a 5xx, a `/next` that was refused, a
    /// connection that broke when part of a body had been sent, or broke twice in a row.
    pub const CALL_AFTER_FATAL: &str = "call-after-fatal";
    /// `/restore/next` or `/restore/error` at a moment when it does not make sense.
    pub const RESTORE_STATE: &str = "restore-state";
    /// A response-mode header that is not exactly `streaming`.
    pub const RESPONSE_MODE: &str = "response-mode";
    /// A response in streaming mode that is not chunked.
    pub const STREAM_NOT_CHUNKED: &str = "stream-not-chunked";
    /// Trailers that no `Trailer` header announced, or whose error body is not JSON in base64.
    pub const TRAILERS: &str = "trailers";
    /// A response of the media type `application/vnd.awslambda.http-integration-response` that does not begin with a JSON
    /// object and eight NUL bytes.
    pub const PRELUDE: &str = "prelude";
    /// A post with neither `Content-Length` nor chunks.
    pub const BODY_WITHOUT_LENGTH: &str = "body-without-length";
    /// A body that ended before its end.
    pub const TRUNCATED_BODY: &str = "truncated-body";
    /// A request without `User-Agent`.
    pub const USER_AGENT_MISSING: &str = "user-agent-missing";
    /// A `User-Agent` whose first word is longer than 128 characters.
    pub const USER_AGENT_LONG: &str = "user-agent-long";
    /// A request without `Host`.
    pub const HOST_MISSING: &str = "host-missing";
    /// An HTTP/1.0 request.
    pub const HTTP_VERSION: &str = "http-version";
    /// New connections where the old ones were still good.
    pub const NO_KEEP_ALIVE: &str = "no-keep-alive";
    /// A path that the Runtime API does not have.
    pub const UNKNOWN_PATH: &str = "unknown-path";
    /// A method that the path does not accept. Callers of the function may do so.
    pub const WRONG_METHOD: &str = "wrong-method";
    /// An extension that registers badly: without a name, after the first `/next`, for events it cannot have.
    pub const EXTENSION: &str = "extension";
}
