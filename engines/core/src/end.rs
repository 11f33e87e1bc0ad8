//! Lambda's words for an invocation or a process that ended before it had an answer.

use crate::{Error, ErrorKind};
use std::{fmt, time::Duration};

/// The end of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End<'a> {
    /// An exit status.
    Status(i64),
    /// A signal, in the platform's words: `segmentation fault`.
    Signal(&'a str),
}

impl fmt::Display for End<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(0) => f.write_str("Runtime exited without providing a reason"),
            Self::Status(status) => {
                write!(f, "Runtime exited with error: exit status {status}")
            }
            Self::Signal(signal) => write!(f, "Runtime exited with error: signal: {signal}"),
        }
    }
}

impl Error {
    /// Message of [`Error::stopped`], for a language in which it has to be raised.
    pub const STOPPED: &str = "the invocation was stopped because its time was up";

    /// Returns the error of a call that was interrupted.
    pub fn stopped() -> Self {
        Self::new(ErrorKind::Timeout, Self::STOPPED).poisoning()
    }

    /// Returns the error of a guest that asked for the process's end, in the invocation of this id if there is one.
    pub fn exited(end: End<'_>, request_id: Option<&str>) -> Self {
        let message = match request_id {
            Some(id) => format!("RequestId: {id} Error: {end}"),
            None => end.to_string(),
        };
        Self::new(ErrorKind::Exit, message).poisoning()
    }
}

/// Returns what the platform says of an invocation that took longer than the time it was given.
pub fn timed_out(request_id: &str, given: Duration) -> String {
    let seconds = given.as_secs_f64();
    format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_as_the_platform_does() {
        let told = |end, id| Error::exited(end, id).message().to_owned();
        assert_eq!(told(End::Status(0), None), "Runtime exited without providing a reason");
        assert_eq!(
            told(End::Status(3), Some("a")),
            "RequestId: a Error: Runtime exited with error: exit status 3"
        );
        assert_eq!(
            told(End::Signal("aborted"), None),
            "Runtime exited with error: signal: aborted"
        );
        assert_eq!(
            timed_out("a", Duration::from_millis(3004)),
            "RequestId: a Error: Task timed out after 3.00 seconds"
        );
        assert!(Error::stopped().poisons());
    }
}
