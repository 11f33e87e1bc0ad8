//! An invocation while it goes on: what is known of it, its parts, its log; and what it looks like when it has ended.

use super::problem::Problem;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};
use trine_engine::{Fields, Payload};

/// Maximum size of an event or a result that is remembered, in bytes.
const TEXT: usize = 256 * 1024;
/// Maximum numbers of parts, of lines of the log, and of bytes of these.
const PARTS: usize = 500;
const LINES: usize = 500;
const LOG: usize = 128 * 1024;
/// Milliseconds below which what lies between the parts is not worth telling.
const LEAST: f64 = 0.005;

/// A part of an invocation that has ended.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) begun: SystemTime,
    pub(super) ended: SystemTime,
    pub(super) error: Option<String>,
}

/// An invocation that goes on, or a request that may turn into one.
#[derive(Debug)]
pub(super) struct Gathering {
    pub(super) begun: SystemTime,
    /// What its span tells of it.
    pub(super) facts: Vec<(&'static str, Value)>,
    pub(super) parts: Vec<Part>,
    pub(super) problem: Option<Problem>,
    pub(super) has_failed: bool,
    /// The name of its function, once it is known.
    pub(super) function: Option<String>,
    event: Value,
    result: Value,
    logs: Vec<Value>,
    log_size: usize,
    dropped_lines: usize,
}

impl Gathering {
    pub(super) fn new(begun: SystemTime, facts: Vec<(&'static str, Value)>) -> Self {
        Self {
            begun,
            facts,
            parts: Vec::new(),
            problem: None,
            has_failed: false,
            function: None,
            event: Value::Null,
            result: Value::Null,
            logs: Vec::new(),
            log_size: 0,
            dropped_lines: 0,
        }
    }

    pub(super) fn set(&mut self, name: &'static str, value: Value) {
        match self.facts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.facts.push((name, value)),
        }
    }

    pub(super) fn fact(&self, name: &str) -> Option<&Value> {
        self.facts.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Returns the id of the invocation; `None` for a request that has not turned into one.
    pub(super) fn id(&self) -> Option<&str> {
        self.fact("faas.invocation_id")?.as_str()
    }

    pub(super) fn add(&mut self, part: Part) {
        if self.parts.len() < PARTS {
            self.parts.push(part);
        }
    }

    pub(super) fn note_event(&mut self, event: Value) {
        self.event = event;
    }

    pub(super) fn note_result(&mut self, result: Value) {
        self.result = result;
    }

    /// Notes a line of the log.
    pub(super) fn log(&mut self, line: &Value, size: usize) {
        if self.logs.len() < LINES && self.log_size + size <= LOG {
            self.log_size += size;
            self.logs.push(line.clone());
        } else {
            self.dropped_lines += 1;
        }
    }

    /// Returns what is known when it begins.
    pub(super) fn beginning(&self) -> Value {
        json!({
            "id": self.id(),
            "function": self.function,
            "method": self.fact("http.request.method"),
            "path": self.fact("url.path"),
            "trigger": self.fact("faas.trigger"),
            "started": milliseconds(self.begun),
        })
    }

    /// Whether its function was loaded for it, or before; `None` where it could not be, or nobody has tried.
    pub(super) fn is_cold(&self) -> Option<bool> {
        self.fact("faas.coldstart").and_then(Value::as_bool)
    }

    pub(super) fn status(&self) -> Option<u64> {
        self.fact("http.response.status_code").and_then(Value::as_u64)
    }

    /// Whether it has gone well, as far as whoever waits for it can see.
    pub(super) fn is_ok(&self) -> bool {
        self.problem.is_none()
            && !self.has_failed
            && self.status().is_none_or(|status| status < 500)
    }

    /// Returns all of it, once it has ended. Files in these folders may be shown.
    pub(super) fn ended(mut self, at: SystemTime, folders: &[PathBuf]) -> Value {
        // What was loaded before the request came is no part of its time.
        let begun = self.begun;
        let was_ready = |part: &Part| part.name == "load" && part.ended <= begun;
        let ahead = self.parts.iter().any(was_ready);
        self.parts.retain(|part| !was_ready(part));
        let mut told = self.beginning();
        let rest = json!({
            "status": self.status(),
            "ok": self.is_ok(),
            "ms": between(self.begun, at),
            "cold": self.is_cold().unwrap_or_default() && !ahead,
            "spans": self.spans(at),
            "problem": self.problem.as_ref().map(|problem| problem.to_json(folders)),
            "logs": self.logs,
            "droppedLines": self.dropped_lines,
            "event": self.event,
            "result": self.result,
        });
        if let (Value::Object(told), Value::Object(rest)) = (&mut told, rest) {
            told.extend(rest);
        }
        told
    }

    /// Returns the parts with their places in time, and what lies before the first and after the last.
    fn spans(&mut self, end: SystemTime) -> Vec<Value> {
        self.parts.sort_by_key(|part| part.begun);
        let mut spans = Vec::with_capacity(self.parts.len() + 2);
        let span =
            |kind: &str, name: &str, begun: SystemTime, ended: SystemTime, error: Option<&str>| {
                let begun = begun.max(self.begun);
                json!({
                    "kind": kind,
                    "name": name,
                    "start": between(self.begun, begun),
                    "ms": between(begun, ended),
                    "error": error,
                })
            };
        if let Some(first) = self.parts.first()
            && between(self.begun, first.begun) >= LEAST
        {
            spans.push(span("receive", "receive", self.begun, first.begun, None));
        }
        for part in &self.parts {
            let kind = match part.name.as_str() {
                name @ ("queue" | "load" | "handler" | "record") => name,
                _ => "hook",
            };
            spans.push(span(kind, &part.name, part.begun, part.ended, part.error.as_deref()));
        }
        if let Some(last) = self.parts.iter().map(|part| part.ended).max()
            && between(last, end) >= LEAST
        {
            spans.push(span("answer", "answer", last, end, None));
        }
        spans
    }
}

/// Returns an event or a result as it is remembered: `{kind, text, cut}`, where the kind is `json`, `text`, `base64` or
/// `stream`.
pub(super) fn remembered(payload: &Payload) -> Value {
    match payload {
        Payload::Json(text) => shortened("json", text),
        Payload::Shaped(value) => shortened("json", &value.to_json()),
        Payload::Http(result) => shortened("json", &result.to_json()),
        Payload::Raw(raw) => bytes_of(&raw.bytes, raw.content_type),
        Payload::Streamed => json!({"kind": "stream", "text": "", "cut": false}),
        Payload::Request(request) => {
            let head = json!({
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "headers": headers(&request.headers),
            });
            shortened("json", head.to_string().as_bytes())
        }
        Payload::Response(response) => {
            let body = bytes_of(&response.body, "application/octet-stream");
            let (status, fields) = (response.head.status, headers(&response.head.headers));
            let whole = json!({"statusCode": status, "headers": fields, "body": body["text"]});
            shortened("json", whole.to_string().as_bytes())
        }
        _ => json!({"kind": "json", "text": "null", "cut": false}),
    }
}

/// Returns header fields as pairs.
fn headers(fields: &Fields) -> Value {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    fields.iter().map(|(name, value)| json!([text(name), text(value)])).collect()
}

/// Returns what a caller gets, whole.
pub(super) fn whole(bytes: &Bytes, content_type: &str) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) if content_type == "application/json" => {
            json!({"kind": "json", "text": text, "cut": false})
        }
        Ok(text) => json!({"kind": "text", "text": text, "type": content_type, "cut": false}),
        Err(_) => {
            json!({"kind": "base64", "text": STANDARD.encode(bytes), "type": content_type, "cut": false})
        }
    }
}

fn bytes_of(bytes: &Bytes, content_type: &str) -> Value {
    let cut = bytes.len() > TEXT;
    let mut part = whole(&bytes.slice(..bytes.len().min(TEXT)), content_type);
    part["cut"] = cut.into();
    part
}

fn shortened(kind: &str, text: &[u8]) -> Value {
    let part = &text[..text.len().min(TEXT)];
    // A letter may be cut in two.
    let text_of = String::from_utf8_lossy(part);
    let shown =
        if part.len() < text.len() { text_of.trim_end_matches('\u{fffd}') } else { &*text_of };
    json!({"kind": kind, "text": shown, "cut": part.len() < text.len()})
}

/// Returns a time in milliseconds since the epoch.
pub(super) fn milliseconds(time: SystemTime) -> f64 {
    rounded(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0)
}

/// Returns the milliseconds between two times; none where the second was before the first.
pub(super) fn between(from: SystemTime, to: SystemTime) -> f64 {
    rounded(to.duration_since(from).unwrap_or_default().as_secs_f64() * 1000.0)
}

fn rounded(milliseconds: f64) -> f64 {
    (milliseconds * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn part(name: &str, begun: SystemTime, ended: SystemTime) -> Part {
        Part { name: name.to_owned(), begun, ended, error: None }
    }

    #[test]
    fn parts_fill_the_time_of_their_invocation() {
        let at = |ms| UNIX_EPOCH + Duration::from_millis(ms);
        let mut gathering = Gathering::new(at(100), vec![("faas.invocation_id", "id".into())]);
        gathering.add(part("handler", at(130), at(150)));
        gathering.add(part("before auth", at(110), at(130)));
        gathering.add(part("load", at(20), at(90)));
        gathering.set("faas.coldstart", true.into());
        let told = gathering.ended(at(160), &[]);
        let spans: Vec<String> = told["spans"]
            .as_array()
            .unwrap()
            .iter()
            .map(|span| {
                format!("{} {} {} {}", span["kind"], span["name"], span["start"], span["ms"])
            })
            .collect();
        assert_eq!(
            spans,
            [
                r#""receive" "receive" 0.0 10.0"#,
                r#""hook" "before auth" 10.0 20.0"#,
                r#""handler" "handler" 30.0 20.0"#,
                r#""answer" "answer" 50.0 10.0"#,
            ]
        );
        assert_eq!(
            (&told["ms"], &told["cold"], &told["ok"]),
            (&json!(60.0), &json!(false), &json!(true))
        );
    }

    #[test]
    fn large_events_are_cut_between_letters() {
        let text = format!("\"{}\"", "é".repeat(TEXT));
        let told = remembered(&Payload::json(text.clone()));
        let shown = told["text"].as_str().unwrap();
        assert!(text.starts_with(shown) && shown.len() >= TEXT - 2 && told["cut"] == json!(true));
        let small = remembered(&Payload::json("1"));
        assert_eq!(small, json!({"kind": "json", "text": "1", "cut": false}));
    }
}
