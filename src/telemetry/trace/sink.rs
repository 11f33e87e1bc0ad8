//! Messages of the log with the traces that they belong to, on their way to where they were going anyway.
//!
//! What a message belongs to shows in its request id, which every language writes, whatever its tasks and threads. One
//! without belongs to the invocation under way, where there is only one.

use super::{Record, Shared, TraceContext};
use serde_json::{Map, Value};
use std::{fmt, sync::Arc, time::SystemTime};
use trine_engine::{Level, LogFormat, LogSink, Message, Stream};

/// A sink that tells of traces what goes to another one.
pub(super) struct TracingSink {
    inner: Arc<dyn LogSink>,
    shared: Arc<Shared>,
}

impl TracingSink {
    pub(super) fn new(inner: Arc<dyn LogSink>, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }

    /// Returns the place of the invocation that a message belongs to.
    fn context_of(&self, request_id: Option<&str>) -> Option<TraceContext> {
        let active = self.shared.active();
        request_id.and_then(|id| active.of_request(id)).or_else(|| active.only())
    }
}

impl LogSink for TracingSink {
    fn write(&self, stream: Stream, line: &[u8]) {
        self.inner.write(stream, line);
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\r', '\n']);
        if !self.shared.takes_records() || text.is_empty() {
            return;
        }
        let stream = match stream {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        };
        let context = self.context_of(None);
        self.shared.record(Record {
            time: None,
            level: None,
            body: text.into(),
            facts: vec![("log.iostream".to_owned(), stream.into())],
            context: context.as_ref(),
        });
    }

    fn message(&self, message: Message<'_>) {
        let Ok(text) = std::str::from_utf8(message.text) else {
            return self.inner.message(message);
        };
        let is_json = message.format == LogFormat::Json;
        let context = self.context_of(match is_json {
            true => id_in_json(text),
            false => Line::of(text).request_id,
        });
        let is_marked = is_json && self.shared.is_told;
        let marked = context.as_ref().filter(|_| is_marked).and_then(|of| marked(text, of));
        let shown = marked.as_ref().map_or(message.text, |marked| marked.as_bytes());
        self.inner.message(Message { text: shown, ..message });
        if !self.shared.takes_records() {
            return;
        }
        let mut record = Record {
            time: None,
            level: message.level,
            body: Value::Null,
            facts: Vec::new(),
            context: context.as_ref(),
        };
        match members(text).filter(|_| is_json) {
            Some(members) => read(members, text, &mut record),
            None => {
                let line = Line::of(text);
                record.body = line.message.replace('\r', "\n").into();
                let id = line.request_id.map(|id| ("requestId".to_owned(), id.into()));
                record.facts.extend(id);
                record.level = record.level.or(line.level);
            }
        }
        self.shared.record(record);
    }

    fn joins_lines(&self) -> bool {
        self.inner.joins_lines()
    }

    fn keeps_messages_apart(&self) -> bool {
        self.inner.keeps_messages_apart()
    }
}

impl fmt::Debug for TracingSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracingSink").finish_non_exhaustive()
    }
}

/// Returns the request id of a message in JSON form: as an object's first member of this name, however it is spaced.
fn id_in_json(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("\"requestId\":")?;
    let (id, _) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
    // With an escape in it, it is none of ours.
    (!id.is_empty() && !id.contains('\\')).then_some(id)
}

/// Returns an object with the trace as its last members, unless it names one.
fn marked(text: &str, context: &TraceContext) -> Option<String> {
    let line = text.trim_end();
    let inner = line.strip_suffix('}')?;
    if text.contains("\"trace_id\"") {
        return None;
    }
    let rest = &text[line.len()..];
    // Python has spaces behind commas and colons.
    let space = if inner.starts_with("{\"timestamp\": ") { " " } else { "" };
    let (trace, span) = (context.trace_id, context.span_id);
    Some(format!(
        "{inner},{space}\"trace_id\":{space}\"{trace:032x}\",{space}\"span_id\":{space}\"{span:016x}\"}}{rest}"
    ))
}

fn members(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// Makes a record of an object's members. One without a message, as of the access log, says what it says as a whole.
fn read(mut members: Map<String, Value>, text: &str, record: &mut Record<'_>) {
    let time = members.remove("timestamp");
    record.time = time.as_ref().and_then(Value::as_str).and_then(instant);
    members.remove("level");
    record.body = members.remove("message").unwrap_or_else(|| text.trim_end().into());
    record.facts.extend(members);
}

/// Reads a time of a log: RFC 3339.
fn instant(text: &str) -> Option<SystemTime> {
    chrono::DateTime::parse_from_rfc3339(text).ok().map(SystemTime::from)
}

/// A message in text form, taken apart: its request id, its level, and what it says.
#[derive(Debug, PartialEq, Eq)]
struct Line<'t> {
    request_id: Option<&'t str>,
    level: Option<Level>,
    message: &'t str,
}

impl<'t> Line<'t> {
    /// Takes a message apart as the languages write theirs and the runtime its own; what has none of these forms is a message as
    /// a whole.
    fn of(text: &'t str) -> Self {
        let text = text.trim_end_matches(['\r', '\n']);
        let mut fields = text.splitn(4, '\t');
        let fields = (fields.next(), fields.next(), fields.next(), fields.next());
        if let (Some(first), Some(second), Some(third), Some(message)) = fields {
            // JavaScript and Lua: time, id, level; Python: level, time, id.
            let found = match (is_time(first), first.starts_with('[') && is_time(second)) {
                (true, _) => Some((second, third)),
                (_, true) => Some((third, first.trim_matches(['[', ']']))),
                _ => None,
            };
            if let Some((id, level)) = found {
                let request_id = (!matches!(id, "" | "undefined")).then_some(id);
                return Self { request_id, level: level.parse().ok(), message };
            }
        }
        let own = text.split_once(' ').filter(|(time, _)| is_time(time));
        let message = own.and_then(|(_, rest)| rest.split_once(' ')).map_or(text, |(_, rest)| rest);
        let named = message.strip_prefix("RequestId: ");
        let request_id = named.map(|rest| rest.split(' ').next().unwrap_or(rest));
        Self { request_id, level: None, message }
    }
}

/// Whether a text is a time of a log: `2026-01-31T23:59:59.999Z`.
fn is_time(text: &str) -> bool {
    text.len() == 24 && text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_as_its_writer_made_it() {
        let time = "2026-01-31T23:59:59.999Z";
        let (warn, error, info) = (Some(Level::Warn), Some(Level::Error), Some(Level::Info));
        let failed = "RequestId: id-3 it failed";
        for (text, request_id, level, message) in [
            (format!("{time}\tid-1\tINFO\ta\tb\n"), Some("id-1"), info, "a\tb"),
            (format!("{time}\tundefined\tERROR\ta"), None, error, "a"),
            (format!("[WARNING]\t{time}\tid-2\ta\n"), Some("id-2"), warn, "a"),
            (format!("[ODD]\t{time}\t\ta\n"), None, None, "a"),
            (format!("{time} ERROR {failed}\n"), Some("id-3"), None, failed),
            (format!("{time} INFO asked to stop\n"), None, None, "asked to stop"),
            ("a\tb\tc\td".to_owned(), None, None, "a\tb\tc\td"),
            ("[ERROR] E: 'a'\nTraceback\n".to_owned(), None, None, "[ERROR] E: 'a'\nTraceback"),
            (String::new(), None, None, ""),
        ] {
            assert_eq!(Line::of(&text), Line { request_id, level, message }, "{text:?}");
        }
    }

    #[test]
    fn an_object_gets_its_trace_in_its_own_style_and_once() {
        let context = TraceContext { trace_id: 1, span_id: 2, flags: 1, state: None };
        let of = |text| marked(text, &context);
        let ids = ["00000000000000000000000000000001", "0000000000000002"];
        assert_eq!(
            of("{\"timestamp\":\"t\",\"message\":\"a\"}\n"),
            Some(format!(
                "{{\"timestamp\":\"t\",\"message\":\"a\",\"trace_id\":\"{}\",\"span_id\":\"{}\"}}\n",
                ids[0], ids[1]
            ))
        );
        assert_eq!(
            of("{\"timestamp\": \"t\"}"),
            Some(format!(
                "{{\"timestamp\": \"t\", \"trace_id\": \"{}\", \"span_id\": \"{}\"}}",
                ids[0], ids[1]
            ))
        );
        assert_eq!(of("{\"trace_id\":\"mine\"}"), None);
        assert_eq!(of("no object"), None);
    }

    #[test]
    fn a_request_id_is_found_in_objects() {
        assert_eq!(id_in_json(r#"{"a":1,"requestId":"x-1"}"#), Some("x-1"));
        assert_eq!(id_in_json(r#"{"a": 1, "requestId": "x-1", "b": 2}"#), Some("x-1"));
        for none in [
            r#"{"a":1}"#,
            r#"{"requestId":null}"#,
            r#"{"requestId":""}"#,
            r#"{"requestId":"a\"b"}"#,
        ] {
            assert_eq!(id_in_json(none), None, "{none}");
        }
    }
}
