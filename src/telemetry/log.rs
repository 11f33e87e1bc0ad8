//! The runtime's own lines, through the sink that guests write to as well.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;
use trine_engine::{Error, Level, LogFormat, LogSettings, Stream, json_line, timestamp};

/// The writer of the runtime's own lines, in the form that is set for logs.
#[derive(Debug, Clone)]
pub struct Log(LogSettings);

/// The members of a line in JSON form, besides its time and its level.
struct Members<'a> {
    message: &'a str,
    facts: &'a [(&'a str, Value)],
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(1 + self.facts.len()))?;
        members.serialize_entry("message", self.message)?;
        for (name, fact) in self.facts {
            members.serialize_entry(name, fact)?;
        }
        members.end()
    }
}

impl Log {
    /// Makes a log with these settings.
    pub fn new(settings: LogSettings) -> Self {
        Self(settings)
    }

    /// Writes a line, with facts that belong to it, by name. In text form the facts are left out.
    pub fn line(&self, level: Level, message: &str, facts: &[(&str, Value)]) {
        if !self.wants(level) {
            return;
        }
        let line = match self.0.format {
            LogFormat::Text => format!("{} {} {message}\n", timestamp(), level.name()),
            LogFormat::Json => json_line(level, &Members { message, facts }),
        };
        self.write(level, &line);
    }

    /// Writes a function's failure, in full.
    pub fn failure(&self, function: &str, request_id: &str, error: &Error) {
        let message = match self.0.format {
            LogFormat::Text => {
                format!("RequestId: {request_id} function '{function}' failed: {error:#}")
            }
            LogFormat::Json => error.message().to_owned(),
        };
        self.line(
            Level::Error,
            &message,
            &[
                ("requestId", request_id.into()),
                ("function", function.into()),
                ("errorType", error.name().into()),
                ("stackTrace", error.stack().into()),
            ],
        );
    }

    /// Writes a function's failure that was reported in full before.
    pub fn failure_again(&self, function: &str, request_id: &str, error: &Error) {
        let (id, name) = (request_id, error.name());
        let message = match self.0.format {
            LogFormat::Text => {
                format!("RequestId: {id} function '{function}' failed: {name}, as told before")
            }
            LogFormat::Json => format!("{name}, as told before"),
        };
        let facts =
            [("requestId", id.into()), ("function", function.into()), ("errorType", name.into())];
        self.line(Level::Error, &message, &facts);
    }

    /// Writes a complete message in a language's own form, its newline included.
    pub fn verbatim(&self, level: Level, message: &str) {
        self.write(level, message);
    }

    fn write(&self, level: Level, text: &str) {
        let stream = if level >= Level::Warn { Stream::Stderr } else { Stream::Stdout };
        match text.strip_suffix('\n') {
            Some(lines) if self.0.sink.joins_lines() && lines.contains('\n') => {
                self.0.send(stream, level, &(lines.replace('\n', "\r") + "\n"));
            }
            _ => self.0.send(stream, level, text),
        }
    }

    /// Whether lines of this level are written.
    pub fn wants(&self, level: Level) -> bool {
        self.0.level.is_none_or(|least| level >= least)
    }

    /// Whether messages need no newline at their ends.
    pub fn keeps_messages_apart(&self) -> bool {
        self.0.sink.keeps_messages_apart()
    }

    /// Returns the form of this log's lines.
    pub fn format(&self) -> LogFormat {
        self.0.format
    }
}
