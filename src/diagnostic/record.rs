//! The line that an error leaves in the log, in the form that the official client of its language gives it.

use crate::telemetry::Log;
use serde::Serialize;
use serde_json::{
    Map, Value, json,
    ser::{Formatter, Serializer},
};
use std::io;
use trine_engine::{
    Error, ErrorDialect, ErrorKind, ErrorRecord, Invocation, Level, LogFormat, json_string,
    timestamp,
};

/// Logs a failed invocation, or a failed start where there is none.
pub fn log_failure(
    log: &Log,
    error: &Error,
    dialect: ErrorDialect,
    invocation: Option<&Invocation>,
) {
    // Where the record is a line like others. A traceback is told in any case.
    if dialect.record == ErrorRecord::Document && !log.wants(Level::Error) {
        return;
    }
    let mut record = invoke_record(error, dialect, log.format(), invocation);
    if dialect.record == ErrorRecord::Traceback && log.keeps_messages_apart() {
        record.pop();
    }
    log.verbatim(Level::Error, &record);
}

/// Returns the log record of a failure, its newline included. A traceback has several lines.
fn invoke_record(
    error: &Error,
    dialect: ErrorDialect,
    format: LogFormat,
    invocation: Option<&Invocation>,
) -> String {
    match (format, dialect.record) {
        (LogFormat::Json, ErrorRecord::Document) => document_in_json(error, invocation),
        (LogFormat::Json, ErrorRecord::Traceback) => traceback_in_json(error, invocation),
        (LogFormat::Text, ErrorRecord::Document) => {
            let title = match error.kind() {
                ErrorKind::UnhandledRejection => "Unhandled Promise Rejection",
                ErrorKind::UncaughtException => "Uncaught Exception",
                _ if invocation.is_some() => "Invoke Error",
                _ => "Init Error",
            };
            let id = invocation.map_or("undefined", |invocation| invocation.request_id.as_str());
            let document = document(error, "stack");
            format!("{}\t{id}\tERROR\t{title} \t{document}\n", timestamp())
        }
        (LogFormat::Text, ErrorRecord::Traceback) => traceback(error),
    }
}

/// Returns an error as a JSON object: as its language has written it, else of its facts, with stacks under this name.
fn document(error: &Error, stack: &str) -> String {
    if let Some(document) = error.log_document() {
        return document.to_owned();
    }
    let (name, message) = (error.name(), error.message());
    let document = match (error.kind(), thrown(error)) {
        // It is not wrapped, as a rejection is.
        (ErrorKind::UncaughtException, Some((name, message))) => {
            facts(name, message, stack, error.stack().to_vec())
        }
        (ErrorKind::UnhandledRejection, thrown) => {
            let frames = error.stack().iter().filter(|line| line.starts_with("    at "));
            let own = [format!("{name}: {message}")].into_iter().chain(frames.cloned()).collect();
            let mut document = facts(name, message, stack, own);
            let reason = match thrown {
                Some((name, text)) => facts(name, text, stack, error.stack().to_vec()).into(),
                None => Value::from(message),
            };
            // In text form an error's own members stand before its stack.
            let lines = if stack == "stack" { document.remove(stack) } else { None };
            document.insert("reason".to_owned(), reason);
            document.insert("promise".to_owned(), json!({}));
            document.extend(lines.map(|lines| (stack.to_owned(), lines)));
            document
        }
        _ => facts(name, message, stack, error.stack().to_vec()),
    };
    Value::Object(document).to_string()
}

/// Returns name and message of the error that nobody has handled, where it was an error.
fn thrown(error: &Error) -> Option<(&str, &str)> {
    error.message().split_once(": ").filter(|_| !error.stack().is_empty())
}

fn facts(name: &str, message: &str, stack: &str, lines: Vec<String>) -> Map<String, Value> {
    let members =
        [("errorType", name.into()), ("errorMessage", message.into()), (stack, lines.into())];
    members.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect()
}

fn document_in_json(error: &Error, invocation: Option<&Invocation>) -> String {
    let mut record = format!("{{\"timestamp\":\"{}\",\"level\":\"ERROR\"", timestamp());
    if let Some(invocation) = invocation {
        let ids = [
            ("requestId", Some(&invocation.request_id)),
            ("tenantId", invocation.tenant_id.as_ref()),
        ];
        for (name, id) in ids {
            if let Some(id) = id {
                record.push_str(&format!(",\"{name}\":{}", json_string(id)));
            }
        }
    }
    format!("{record},\"message\":{}}}\n", document(error, "stackTrace"))
}

fn traceback(error: &Error) -> String {
    let mut record = format!("[ERROR] {}", error.name());
    if !error.message().is_empty() {
        record.push_str(": ");
        record.push_str(error.message());
    }
    record.push_str("\nTraceback (most recent call last):");
    for line in error.stack().iter().flat_map(|entry| entry.lines()) {
        // Log viewers cut leading spaces, but not these.
        let indent = line.len() - line.trim_start_matches(' ').len();
        record.push('\n');
        record.push_str(&"\u{a0}".repeat(indent));
        record.push_str(&line[indent..]);
    }
    record + "\n"
}

fn traceback_in_json(error: &Error, invocation: Option<&Invocation>) -> String {
    let mut record = json!({
        "timestamp": timestamp(),
        "level": "ERROR",
        "errorMessage": error.message(),
        "errorType": error.name(),
        "requestId": invocation.map_or("", |invocation| invocation.request_id.as_str()),
        "stackTrace": error.stack(),
    });
    if let Some(tenant) = invocation.and_then(|invocation| invocation.tenant_id.as_deref()) {
        record["tenantId"] = tenant.into();
    }
    let mut line = Vec::new();
    let written = record.serialize(&mut Serializer::with_formatter(&mut line, Spaced));
    debug_assert!(written.is_ok(), "a vector takes everything");
    line.push(b'\n');
    String::from_utf8(line).unwrap_or_default()
}

/// JSON with the spaces that Python puts into it.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PYTHON: ErrorDialect =
        ErrorDialect { record: ErrorRecord::Traceback, ..ErrorDialect::PLAIN };

    fn invocation(tenant: Option<&str>) -> Invocation {
        let tenant_id = tenant.map(str::to_owned);
        Invocation { request_id: "id".to_owned(), tenant_id, ..Invocation::default() }
    }

    /// Replaces the time in a record.
    fn timeless(record: &str) -> String {
        let length = "2026-01-31T23:59:59.999Z".len();
        let at = record.find("20").expect("a record has a time");
        assert_eq!(&record[at + length - 1..at + length], "Z", "{record}");
        format!("{}TIME{}", &record[..at], &record[at + length..])
    }

    #[test]
    fn a_traceback_is_a_text_of_lines() {
        let stack = ["  File \"x\", line 1, in f\n    g()\n".to_owned()];
        let error = Error::guest("KeyError", "'a'\nb").with_stack(stack);
        let of = invocation(Some("t"));
        assert_eq!(
            invoke_record(&error, PYTHON, LogFormat::Text, Some(&of)),
            "[ERROR] KeyError: 'a'\nb\nTraceback (most recent call last):\n\u{a0}\u{a0}File \"x\", line 1, in f\n\u{a0}\u{a0}\u{a0}\u{a0}g()\n"
        );
        assert_eq!(
            invoke_record(&Error::guest("ValueError", ""), PYTHON, LogFormat::Text, None),
            "[ERROR] ValueError\nTraceback (most recent call last):\n"
        );
    }

    #[test]
    fn a_traceback_in_json_has_pythons_members_in_their_order() {
        let stack = ["  File \"x\", line 1, in f\n    g()\n".to_owned(), "  y\n".to_owned()];
        let error = Error::guest("KeyError", "'é'").with_stack(stack);
        let record =
            |of: Option<&Invocation>| timeless(&invoke_record(&error, PYTHON, LogFormat::Json, of));
        let stack = r#"["  File \"x\", line 1, in f\n    g()\n", "  y\n"]"#;
        let head = r#"{"timestamp": "TIME", "level": "ERROR", "errorMessage": "'é'", "errorType": "KeyError", "requestId": "#;
        assert_eq!(
            record(Some(&invocation(Some("blue")))),
            format!("{head}\"id\", \"stackTrace\": {stack}, \"tenantId\": \"blue\"}}\n")
        );
        assert_eq!(
            record(Some(&invocation(None))),
            format!("{head}\"id\", \"stackTrace\": {stack}}}\n")
        );
        assert_eq!(record(None), format!("{head}\"\", \"stackTrace\": {stack}}}\n"));
    }

    #[test]
    fn a_document_stands_behind_a_title_or_is_the_message() {
        let error = Error::guest("E", "m\n2").with_stack(["E: m".to_owned(), "  at f".to_owned()]);
        let record = |format, of: Option<&Invocation>| {
            timeless(&invoke_record(&error, ErrorDialect::PLAIN, format, of))
        };
        let of = invocation(Some("blue"));
        assert_eq!(
            record(LogFormat::Text, Some(&of)),
            "TIME\tid\tERROR\tInvoke Error \t{\"errorType\":\"E\",\"errorMessage\":\"m\\n2\",\"stack\":[\"E: m\",\"  at f\"]}\n"
        );
        let message =
            r#""message":{"errorType":"E","errorMessage":"m\n2","stackTrace":["E: m","  at f"]}}"#;
        assert_eq!(
            record(LogFormat::Json, Some(&of)),
            format!(
                "{{\"timestamp\":\"TIME\",\"level\":\"ERROR\",\"requestId\":\"id\",\"tenantId\":\"blue\",{message}\n"
            )
        );
        assert_eq!(
            record(LogFormat::Json, None),
            format!("{{\"timestamp\":\"TIME\",\"level\":\"ERROR\",{message}\n")
        );
        let written = Error::guest("E", "m").with_log_document(r#"{"a":1e2}"#.to_owned());
        let record = invoke_record(&written, ErrorDialect::PLAIN, LogFormat::Json, None);
        assert!(record.ends_with("\"message\":{\"a\":1e2}}\n"), "{record}");
    }

    #[test]
    fn what_nobody_handled_has_a_title_of_its_own() {
        let id = &invocation(None);
        for (kind, id, title) in [
            (ErrorKind::Guest, Some(id), "id\tERROR\tInvoke Error \t{"),
            (ErrorKind::Guest, None, "undefined\tERROR\tInit Error \t{"),
            (ErrorKind::UnhandledRejection, Some(id), "id\tERROR\tUnhandled Promise Rejection \t{"),
            (ErrorKind::UncaughtException, None, "undefined\tERROR\tUncaught Exception \t{"),
        ] {
            let error = Error::new(kind, "x");
            let record = invoke_record(&error, ErrorDialect::PLAIN, LogFormat::Text, id);
            assert!(record.contains(title), "{record}");
        }
    }

    #[test]
    fn what_was_thrown_is_told_as_it_was_where_nobody_handled_it() {
        let stack = || ["TypeError: odd".to_owned(), "    at f (a.mjs:1:2)".to_owned()];
        let record = |kind| {
            let error = Error::new(kind, "TypeError: odd").with_stack(stack());
            let record = invoke_record(&error, ErrorDialect::PLAIN, LogFormat::Text, None);
            record[record.find('{').expect("a document")..].trim_end().to_owned()
        };
        let thrown = r#"{"errorType":"TypeError","errorMessage":"odd","stack":["TypeError: odd","    at f (a.mjs:1:2)"]}"#;
        assert_eq!(record(ErrorKind::UncaughtException), thrown);
        assert_eq!(
            record(ErrorKind::UnhandledRejection),
            format!(
                "{{\"errorType\":\"Runtime.UnhandledPromiseRejection\",\"errorMessage\":\"TypeError: odd\",\"reason\":{thrown},\
                 \"promise\":{{}},\"stack\":[\"Runtime.UnhandledPromiseRejection: TypeError: odd\",\"    at f (a.mjs:1:2)\"]}}"
            )
        );
        let text = Error::new(ErrorKind::UnhandledRejection, "no: error");
        let record = invoke_record(&text, ErrorDialect::PLAIN, LogFormat::Json, None);
        assert!(record.ends_with(",\"reason\":\"no: error\",\"promise\":{}}}\n"), "{record}");
    }
}
