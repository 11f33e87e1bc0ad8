//! The output of a guest, which is what it prints, in the form that the log settings ask for.

use serde::Serialize;
use trine_engine::{Invocation, Level, LogFormat, LogSettings, Stream, json_line};

/// The members of a log line in JSON form, besides its time and its level.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant_id: Option<&'a str>,
    message: &'a str,
}

/// The output of one function.
pub(crate) struct Output(LogSettings);

impl Output {
    pub(crate) fn new(log: LogSettings) -> Self {
        Self(log)
    }

    /// Writes one line, which has no newline at its end yet.
    pub(crate) fn print(&self, line: &[u8], invocation: &Invocation) {
        if self.0.format == LogFormat::Text {
            return self.0.sink.write(Stream::Stderr, &[line, b"\n"].concat());
        }
        let message = String::from_utf8_lossy(line);
        let record = Record {
            request_id: &invocation.request_id,
            tenant_id: invocation.tenant_id.as_deref(),
            message: &message,
        };
        self.0.send(Stream::Stderr, Level::Info, &json_line(Level::Info, &record));
    }
}
