//! Answers in the form of the records: without what differs from machine to machine, and of stacks the function's own frames.

use super::folder;
use crate::support::timeless;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use trine_emulator::{Answer, InitFailure, Outcome};

/// How cases tell in the log that their lines follow.
const MARK: &str = "-- ";

/// Returns the answer that an outcome holds.
pub(super) fn answer(outcome: &Outcome) -> Value {
    match &outcome.result {
        Answer::Response { bytes, content_type, streamed, trailers } => {
            let kind = if *streamed { "stream" } else { "body" };
            let mut answer = match str::from_utf8(bytes) {
                Ok(text) => json!({kind: plain(text)}),
                Err(_) => json!({"base64": BASE64_STANDARD.encode(bytes)}),
            };
            if content_type.as_deref() != Some("application/json") {
                answer["type"] = json!(content_type);
            }
            for (name, value) in trailers {
                match &**name {
                    "lambda-runtime-function-error-type" => answer["trailer"] = json!(value),
                    "lambda-runtime-function-error-body" => {
                        let document = BASE64_STANDARD.decode(value).unwrap();
                        answer["error"] = document_of(&document);
                    }
                    _ => {}
                }
            }
            answer
        }
        Answer::Error { type_header, xray_cause, body } => {
            failure("error", type_header.as_deref(), xray_cause.as_deref(), body)
        }
        Answer::InitError(InitFailure { type_header, xray_cause, body }) => {
            failure("init", type_header.as_deref(), xray_cause.as_deref(), body)
        }
        other => json!({"other": plain(&format!("{other:?}"))}),
    }
}

fn failure(kind: &str, header: Option<&str>, cause: Option<&str>, document: &[u8]) -> Value {
    let mut document = document_of(document);
    // Where Trine has looked for a module differs from machine to machine.
    let cut = |text: &str| text.split("\nlooked for").next().unwrap_or_default().to_owned();
    if let Some(message) = document["errorMessage"].as_str() {
        document["errorMessage"] = json!(cut(message));
    }
    let lines = document["trace"].as_array().unwrap().iter().filter_map(Value::as_str);
    document["trace"] =
        lines.filter(|line| !line.starts_with("looked for")).map(cut).collect::<Vec<_>>().into();
    let mut answer = json!({kind: document});
    if let Some(header) = header {
        answer["header"] = json!(header);
    }
    if let Some(cause) = cause {
        let cause: Value = serde_json::from_str(&plain(cause)).unwrap();
        let exceptions = cause["exceptions"].as_array().unwrap();
        let frame = |frame: &Value| {
            let [label, path] = ["label", "path"].map(|name| frame[name].as_str().unwrap());
            format!("{label} {path}:{}", frame["line"])
        };
        let frames = exceptions[0]["stack"].as_array().unwrap().iter().map(frame);
        let frames: Vec<String> = frames.filter(|frame| frame.contains("/var/task")).collect();
        let types = exceptions.iter().map(|exception| exception["type"].clone());
        // The innermost frame tells of the others.
        let first = frames.first().map(|frame| json!(frame));
        answer["xray"] = types.chain(first).chain([json!(frames.len())]).collect();
    }
    answer
}

fn document_of(document: &[u8]) -> Value {
    stackless(serde_json::from_str(&plain(str::from_utf8(document).unwrap())).unwrap())
}

/// Returns text without what differs from machine to machine and from run to run.
fn plain(text: &str) -> String {
    let text = text
        .replace(folder("task").to_str().unwrap(), "/var/task")
        .replace(folder("layer").to_str().unwrap(), "/opt");
    let text =
        numberless(&numberless(&timeless(&text), "id-", "", "ID"), "(node:", ")", "(node:PID)");
    let text = numberless(&text, "\"pid\":", "", "\"pid\":0");
    squeezed(&whole(&text))
}

/// Returns text with a replacement character in the place of each half of a surrogate pair that JSON has escaped: not every
/// reader takes it.
fn whole(text: &str) -> String {
    let is_half = |at: usize, second: &[char]| {
        let escape = text.as_bytes().get(at..at + 6);
        escape.is_some_and(|it| {
            it.starts_with(b"\\u")
                && it[2].eq_ignore_ascii_case(&b'd')
                && second.contains(&char::from(it[3].to_ascii_lowercase()))
        })
    };
    let (first, second) = (['8', '9', 'a', 'b'], ['c', 'd', 'e', 'f']);
    let mut whole = String::new();
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        let length = if is_half(at, &first) && is_half(at + 6, &second) {
            12
        } else if is_half(at, &first) || is_half(at, &second) {
            whole.push_str("\\ufffd");
            at += 6;
            continue;
        } else {
            next.len_utf8()
        };
        whole.push_str(&text[at..at + length]);
        at += length;
    }
    whole
}

/// Returns text in which many times the same character are told by their number.
fn squeezed(text: &str) -> String {
    let mut squeezed = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = rest.trim_start_matches(first);
        let run = &rest[..rest.len() - after.len()];
        let count = run.chars().count();
        if count < 100 || matches!(first, ' ' | '\\') {
            squeezed.push_str(run);
        } else {
            squeezed.push_str(&format!("{first}{{{count}}}"));
        }
        rest = after;
    }
    squeezed
}

/// Returns text with `name` in the place of each number between `before` and `after` that is no part of a longer word.
fn numberless(text: &str, before: &str, after: &str, name: &str) -> String {
    let is_word = |it: char| it.is_alphanumeric() || it == '_';
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(before) {
        let (head, tail) = rest.split_at(at);
        let number = &tail[before.len()..];
        let end = number.trim_start_matches(|it: char| it.is_ascii_digit());
        plain.push_str(head);
        let is_number = end.len() < number.len() && !head.ends_with(is_word);
        match end.strip_prefix(after) {
            Some(end) if is_number && !end.starts_with(is_word) => {
                plain.push_str(name);
                rest = end;
            }
            _ => {
                plain.push_str(before);
                rest = number;
            }
        }
    }
    plain + rest
}

/// Whether a line of a stack, or of the modules that led to another one, is the function's own.
fn is_kept(line: &str) -> bool {
    !is_place(line.trim_start_matches(['\r', '\n']))
        || line.contains("/var/task")
        || line.contains("/opt/")
}

fn is_place(line: &str) -> bool {
    let indented = line.trim_start_matches(' ');
    line.starts_with("- /")
        || line.starts_with(' ')
            && (indented.starts_with("at ")
                || indented.starts_with("... ") && indented.contains(" lines match"))
}

/// Returns a value without the frames of stacks in it that are not the function's.
fn stackless(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (name, stackless(member))).collect()
        }
        Value::Array(items) => {
            let is_one = |item: &Value| item.as_str().is_none_or(is_kept);
            items.into_iter().filter(is_one).map(stackless).collect()
        }
        Value::String(text) => json!(frameless(&text)),
        other => other,
    }
}

/// Returns text without the lines that are frames of others. What follows a frame in a printed error stays.
fn frameless(text: &str) -> String {
    let mut kept = String::new();
    let mut ends = "";
    let mut rest = text;
    loop {
        let line = &rest[..rest.find(['\r', '\n']).unwrap_or(rest.len())];
        if ends.is_empty() || is_kept(line) {
            kept.push_str(ends);
            kept.push_str(line);
        } else if line.ends_with(" {") {
            kept.push_str(" {");
        }
        rest = &rest[line.len()..];
        if rest.is_empty() {
            return kept;
        }
        let line = rest.trim_start_matches(['\r', '\n']);
        (ends, rest) = rest.split_at(rest.len() - line.len());
    }
}

/// Returns a value of a log in which stacks that are those of the answer are not told again.
pub(super) fn without(value: Value, trace: &Value) -> Value {
    match value {
        value if value == *trace && value.is_array() => json!("as answered"),
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (name, without(member, trace))).collect()
        }
        Value::Array(items) => items.into_iter().map(|item| without(item, trace)).collect(),
        other => other,
    }
}

/// Returns the lines of a log, by the cases that have marked where theirs begin.
pub(super) fn logs_of(text: &str) -> Vec<(Option<String>, Vec<Value>)> {
    let mut logs: Vec<(Option<String>, Vec<Value>)> = vec![(None, Vec::new())];
    for line in plain(text).split('\n') {
        if let Some(mark) = line.strip_prefix(MARK) {
            logs.push((Some(mark.to_owned()), Vec::new()));
        } else if !(line.is_empty()
            || line.starts_with("hint: ")
            || line.contains("\tInit Error \t"))
        {
            // The record of a failed start tells what the answer tells; hints are Trine's own.
            logs.last_mut().unwrap().1.push(log_line(line));
        }
    }
    logs
}

/// Returns a line of a log: with what is JSON at its end as a value.
fn log_line(line: &str) -> Value {
    if let Some(start) = line.find('{')
        && let Ok(value) = serde_json::from_str::<Value>(&line[start..])
    {
        let value = stackless(value);
        return if start == 0 { value } else { json!([&line[..start], value]) };
    }
    stackless(json!(line))
}

/// Whether a value is the one on record, where objects may have more members: these, or any (`None`).
fn tells(given: &Value, recorded: &Value, more: Option<&[&str]>) -> bool {
    match (given, recorded) {
        (Value::Object(given), Value::Object(recorded)) => {
            let is_one = |name: &String| recorded.contains_key(name);
            let may_be = |name: &String| more.is_none_or(|more| more.contains(&&**name));
            given.keys().all(|name| is_one(name) || may_be(name))
                && recorded.iter().all(|(name, value)| {
                    given.get(name).is_some_and(|given| tells(given, value, more))
                })
        }
        (Value::Array(given), Value::Array(recorded)) => {
            let mut pairs = given.iter().zip(recorded);
            given.len() == recorded.len() && pairs.all(|(given, it)| tells(given, it, more))
        }
        _ => given == recorded,
    }
}

/// Whether an answer is the one on record; `.ci/record-node` has the same rules.
pub(super) fn is_as(given: &Value, recorded: &Value) -> bool {
    match (given, recorded) {
        (Value::Array(given), Value::Array(recorded)) => {
            given.len() == recorded.len()
                && given.iter().zip(recorded).all(|(given, recorded)| is_as(given, recorded))
        }
        (Value::Object(given), Value::Object(recorded)) => {
            // An error before a stream's first piece may come without the stream.
            let is_early = recorded.get("stream") == Some(&json!(""))
                && recorded.contains_key("error")
                && !given.contains_key("stream");
            let names = given.keys().chain(recorded.keys());
            let mut names =
                names.filter(|name| !is_early || !["stream", "type"].contains(&&***name));
            names.all(|name| is_same(name, given.get(name), recorded.get(name)))
        }
        _ => false,
    }
}

fn is_same(name: &str, here: Option<&Value>, there: Option<&Value>) -> bool {
    // The platform may be told more, or in words of its own.
    if matches!(name, "header" | "trailer") || name == "xray" && there.is_none() {
        return true;
    }
    let (Some(here), Some(there)) = (here, there) else { return false };
    match name {
        // The frames for X-Ray are those of the trace.
        "xray" => there[0].is_null() || here[0] == there[0],
        // What keeps a function from being loaded may be told at greater length, and with its place.
        "init" if begins(&here["errorMessage"], &there["errorMessage"]) => {
            let frames = frames_of(here);
            here["errorType"] == there["errorType"]
                && frames_of(there).iter().all(|frame| frames.contains(frame))
        }
        // Documents may have more members, and records of errors may tell what led to them.
        "init" | "error" => tells(here, there, None),
        _ => tells(here, there, Some(&["cause", "errors"])),
    }
}

fn begins(given: &Value, recorded: &Value) -> bool {
    given.as_str().zip(recorded.as_str()).is_some_and(|(given, it)| given.starts_with(it))
}

fn frames_of(document: &Value) -> Vec<&str> {
    let lines = document["trace"].as_array().into_iter().flatten().filter_map(Value::as_str);
    lines.filter(|line| line.starts_with("    at ")).collect()
}
