//! The line that an error leaves in the log, in the form that the official runtime of its language gives it.

use serde_json::{Map, Value, json};
use trine_engine::{Error, ErrorDialect, ErrorKind, ErrorRecord, Invocation, LogFormat, timestamp};

/// Returns the log record of a failed invocation, or of a failed start where there is none. A traceback has several
/// lines.
pub fn invoke_record(
    error: &Error,
    dialect: ErrorDialect,
    format: LogFormat,
    invocation: Option<&Invocation>,
) -> String {
    match (format, dialect.record) {
        (LogFormat::Json, _) => json_record(error, dialect, invocation),
        (LogFormat::Text, ErrorRecord::Document) => {
            let title = match error.kind() {
                ErrorKind::UnhandledRejection => "Unhandled Promise Rejection",
                ErrorKind::UncaughtException => "Uncaught Exception",
                _ if invocation.is_some() => "Invoke Error",
                _ => "Init Error",
            };
            let document = json!({
                "errorType": error.name(),
                "errorMessage": error.message(),
                "stack": error.stack(),
            });
            let id = invocation.map_or("undefined", |invocation| invocation.request_id.as_str());
            format!("{}\t{id}\tERROR\t{title} \t{document}\n", timestamp())
        }
        (LogFormat::Text, ErrorRecord::Traceback) => {
            let mut record = format!("[ERROR] {}: {}", error.name(), error.message());
            if !error.stack().is_empty() {
                record.push_str("\nTraceback (most recent call last):");
                for line in error.stack().iter().flat_map(|entry| entry.lines()) {
                    // Log viewers cut leading spaces, but not these.
                    let indent = line.len() - line.trim_start().len();
                    record.push('\n');
                    record.push_str(&"\u{a0}".repeat(indent));
                    record.push_str(line.trim_start());
                }
            }
            record + "\n"
        }
    }
}

fn json_record(error: &Error, dialect: ErrorDialect, invocation: Option<&Invocation>) -> String {
    let stack: Vec<&str> = error.stack().iter().map(|line| line.trim_end()).collect();
    let mut record = Map::new();
    record.insert("timestamp".to_owned(), timestamp().into());
    record.insert("level".to_owned(), "ERROR".into());
    if let Some(invocation) = invocation {
        record.insert("requestId".to_owned(), invocation.request_id.as_str().into());
        if let Some(tenant) = &invocation.tenant_id {
            record.insert("tenantId".to_owned(), tenant.as_str().into());
        }
    }
    let facts = [
        ("errorType", error.name().into()),
        ("errorMessage", error.message().into()),
        ("stackTrace", stack.into()),
    ];
    let facts = facts.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value));
    match dialect.record {
        ErrorRecord::Document => {
            record.insert("message".to_owned(), facts.collect::<Map<_, _>>().into());
        }
        ErrorRecord::Traceback => record.extend(facts),
    }
    Value::Object(record).to_string() + "\n"
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

    #[test]
    fn each_language_has_its_own_text_record() {
        let error = Error::guest("KeyError", "'a'\nb")
            .with_stack(["  File \"x\", line 1\n    f()\n".to_owned()]);
        let python = invoke_record(&error, PYTHON, LogFormat::Text, Some(&invocation(Some("t"))));
        assert_eq!(
            python,
            "[ERROR] KeyError: 'a'\nb\nTraceback (most recent call last):\n\u{a0}\u{a0}File \"x\", line 1\n\u{a0}\u{a0}\u{a0}\u{a0}f()\n"
        );
        let node = invoke_record(
            &error,
            ErrorDialect::PLAIN,
            LogFormat::Text,
            Some(&invocation(Some("t"))),
        );
        assert!(node.contains("\tid\tERROR\tInvoke Error \t{\"errorType\":\"KeyError\""), "{node}");
        assert_eq!(node.matches('\n').count(), 1);
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
    fn a_json_record_is_one_object_with_level_and_time() {
        let error = Error::guest("E", "m");
        for dialect in [PYTHON, ErrorDialect::PLAIN] {
            for tenant in [None, Some("t")] {
                let of = invocation(tenant);
                let record = invoke_record(&error, dialect, LogFormat::Json, Some(&of));
                let value: Value = serde_json::from_str(&record).expect("JSON");
                assert_eq!(value["level"], "ERROR");
                assert_eq!(value["requestId"], "id");
                assert_eq!(value.get("tenantId").and_then(Value::as_str), tenant);
            }
        }
    }
}
