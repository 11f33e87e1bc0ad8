//! The destination of a guest's output. Each language renders its own lines, because their form is part of its contract
//! with users; this module holds what they share.

use serde::Serialize;
use std::{fmt, str::FromStr, sync::Arc};

/// The severity of a line, in Lambda's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Finest detail.
    Trace,
    /// Details for developers.
    Debug,
    /// Ordinary events.
    Info,
    /// Something odd that is not a failure.
    Warn,
    /// A failure of one invocation.
    Error,
    /// A failure of the whole process.
    Fatal,
}

impl Level {
    /// Returns the upper-case name, as used in log lines and in `AWS_LAMBDA_LOG_LEVEL`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = match text.trim() {
            // Python's names.
            name if name.eq_ignore_ascii_case("WARNING") => Self::Warn.name(),
            name if name.eq_ignore_ascii_case("CRITICAL") => Self::Fatal.name(),
            name => name,
        };
        [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal]
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                format!("{text:?} is no log level: use TRACE, DEBUG, INFO, WARN, ERROR or FATAL")
            })
    }
}

/// Form of log lines, as `AWS_LAMBDA_LOG_FORMAT` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Each language's own text line.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The process's output that the guest wrote to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One message of a log, in its final form.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The output for it where logs have no channel of their own.
    pub stream: Stream,
    /// Its severity; `None` where it has none, or none that is of interest.
    pub level: Option<Level>,
    /// Its form.
    pub format: LogFormat,
    /// Its text, with a newline at the end unless [`LogSink::keeps_messages_apart`].
    pub text: &'a [u8],
}

/// The destination of a guest's output. Called from any thread; a line arrives whole, its newline included.
pub trait LogSink: Send + Sync {
    /// Takes one piece of output. Must not fail: output that cannot be written is dropped.
    fn write(&self, stream: Stream, line: &[u8]);

    /// Takes one message of a log, as opposed to what a guest prints. Must not fail either.
    fn message(&self, message: Message<'_>) {
        self.write(message.stream, message.text);
    }

    /// Whether a message has to be one line, because whoever reads takes each line for a message of its own: Lambda's
    /// log stream does. Line breaks inside a message are written as `\r` then.
    fn joins_lines(&self) -> bool {
        true
    }

    /// Whether a message arrives as one, whatever it contains, so that it needs no newline at its end.
    fn keeps_messages_apart(&self) -> bool {
        false
    }
}

/// A sink that drops everything.
#[derive(Debug, Clone, Copy)]
pub struct NullSink;

impl LogSink for NullSink {
    fn write(&self, _stream: Stream, _line: &[u8]) {}
}

/// The destination of guest output, and its form.
#[derive(Clone)]
pub struct LogSettings {
    /// The receiver of the lines.
    pub sink: Arc<dyn LogSink>,
    /// Their form.
    pub format: LogFormat,
    /// The lowest level that is written; `None` leaves the language's own default.
    pub level: Option<Level>,
}

impl LogSettings {
    /// Writes one message in its final form, its newline included; a sink that keeps messages apart gets JSON without it.
    pub fn send(&self, stream: Stream, level: Level, text: &str) {
        let text = match text.strip_suffix('\n') {
            Some(object) if self.format == LogFormat::Json && self.sink.keeps_messages_apart() => {
                object
            }
            _ => text,
        };
        let (level, format, text) = (Some(level), self.format, text.as_bytes());
        self.sink.message(Message { stream, level, format, text });
    }
}

impl Default for LogSettings {
    /// Returns the settings under which nothing is written.
    fn default() -> Self {
        Self { sink: Arc::new(NullSink), format: LogFormat::Text, level: None }
    }
}

impl fmt::Debug for LogSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSettings")
            .field("format", &self.format)
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

/// Returns the present time as RFC 3339 in UTC with milliseconds: `2026-01-31T23:59:59.999Z`.
pub fn timestamp() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// Returns a line of a log in JSON form: an object with the present time, the level and these members, and a newline.
///
/// ```
/// use trine_engine::{Level, json_line};
///
/// let line = json_line(Level::Warn, &serde_json::json!({"message": "low on disk"}));
/// assert!(line.trim_end().ends_with(r#"","level":"WARN","message":"low on disk"}"#));
/// ```
///
/// # Panics
/// When the members are no structure and no map with texts as keys.
pub fn json_line(level: Level, members: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Line<'a, M> {
        timestamp: String,
        level: &'static str,
        #[serde(flatten)]
        members: &'a M,
    }
    let line = Line { timestamp: timestamp(), level: level.name(), members };
    let mut text = serde_json::to_string(&line).expect("members of an object have a JSON form");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_parse_in_any_case_and_order_by_severity() {
        assert_eq!("warn".parse::<Level>(), Ok(Level::Warn));
        assert_eq!("Warning".parse::<Level>(), Ok(Level::Warn));
        assert_eq!(" CRITICAL ".parse::<Level>(), Ok(Level::Fatal));
        assert!("loud".parse::<Level>().is_err_and(|message| message.contains("TRACE")));
        assert!(Level::Error > Level::Info);
    }

    #[test]
    fn a_line_in_json_keeps_the_order_of_its_members_and_the_text_of_values() {
        let price = serde_json::value::RawValue::from_string("{\"b\": 1.50, \"a\": 1e2}".into());
        let members = [("message", serde_json::value::to_raw_value("a\n\"b\"")), ("price", price)];
        let members = members.map(|(name, value)| (name, value.unwrap()));
        let line = json_line(Level::Error, &Members(&members));
        let (time, rest) = line.split_at(r#"{"timestamp":"2026-01-31T23:59:59.999Z"#.len());
        assert!(time.starts_with("{\"timestamp\":\"") && time.ends_with('Z'), "{line}");
        let expected = r#"","level":"ERROR","message":"a\n\"b\"","price":{"b": 1.50, "a": 1e2}}"#;
        assert_eq!(rest, expected.to_owned() + "\n");
    }

    struct Members<'a>(&'a [(&'a str, Box<serde_json::value::RawValue>)]);

    impl Serialize for Members<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
        }
    }

    #[test]
    fn a_timestamp_has_milliseconds_and_ends_in_z() {
        let now = timestamp();
        assert_eq!(now.len(), "2026-01-31T23:59:59.999Z".len(), "{now}");
        assert!(now.ends_with('Z'));
    }
}
