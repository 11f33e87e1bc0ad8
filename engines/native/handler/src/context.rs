//! What a handler is told about its invocation.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The context of an invocation: an object of JSON.
///
/// It has what is known of `awsRequestId`, `invokedFunctionArn`, `deadlineMs`, `remainingTimeMs`, `functionName`,
/// `functionVersion`, `memoryLimitInMB`, `logGroupName`, `logStreamName`, `traceId`, `clientContext`, `identity`,
/// `tenantId`, `w3c`, `eventIsJson` and `hook`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    bytes: &'a [u8],
}

impl<'a> Context<'a> {
    /// Makes a context of its JSON text, for tests of handlers.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Returns the JSON text.
    pub fn json(&self) -> &'a str {
        std::str::from_utf8(self.bytes).unwrap_or("{}")
    }

    /// Returns the identifier of the invocation.
    pub fn request_id(&self) -> &'a str {
        let text = self.member("awsRequestId").and_then(|text| text.strip_prefix('"'));
        text.and_then(|text| text.split_once('"')).map_or("", |(id, _)| id)
    }

    /// Returns the time at which the platform gives up, in milliseconds since the epoch.
    pub fn deadline_ms(&self) -> u64 {
        let digits = self.member("deadlineMs").unwrap_or_default();
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse().unwrap_or(u64::MAX)
    }

    /// Returns the time that is left until then.
    pub fn remaining(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Duration::from_millis(self.deadline_ms()).saturating_sub(now)
    }

    /// Returns the text behind a member that comes before any value with members of its own.
    fn member(&self, name: &str) -> Option<&'a str> {
        let (_, rest) = self.json().split_once(&format!("\"{name}\":"))?;
        Some(rest.trim_start())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_deadline_are_found() {
        let context = Context::new(br#"{"awsRequestId":"id-1","deadlineMs":12345,"a":1}"#);
        assert_eq!((context.request_id(), context.deadline_ms()), ("id-1", 12345));
        assert_eq!(context.remaining(), Duration::ZERO);
        let empty = Context::new(b"{}");
        assert_eq!((empty.request_id(), empty.deadline_ms()), ("", u64::MAX));
        assert_eq!(Context::new(b"\xff").json(), "{}");
    }
}
