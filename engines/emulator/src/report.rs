//! The platform's lines about an invocation, as they stand in a function's log: START, END and REPORT, or the JSON records in
//! their place.

use super::outcome::{Answer, Outcome};
use serde_json::{Value, json};
use std::{fmt::Write as _, time::Duration};

/// The form of the platform's lines. A function's log has one form for these and for what the function itself logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogForm {
    /// `START RequestId: …`.
    #[default]
    Text,
    /// `{"time":…,"type":"platform.start","record":{…}}`.
    Json,
}

/// What a report says beside the outcome.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// The function's memory, in MB.
    pub memory_mb: u32,
    /// The most that its process has used so far, in MB, where that is known.
    pub used_mb: Option<u64>,
    /// The time that the process took to start, where this was its first invocation.
    pub init: Option<Duration>,
}

/// Returns the most memory that a process has had, in MB, where the system tells.
pub fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes.div_ceil(1024))
}

/// How an invocation has ended, as its report tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// With an answer.
    Success,
    /// With an error of this type. `message` is the platform's own text, where it has ended the invocation.
    Error {
        /// As metrics count it.
        error_type: String,
        /// Empty where the function has told itself.
        message: String,
    },
    /// Not before its time was over.
    Timeout {
        /// The limit that was passed.
        after: Duration,
    },
}

impl Status {
    fn of(outcome: &Outcome) -> Self {
        match (&outcome.result, outcome.error_type()) {
            (Answer::Timeout { after }, _) => Self::Timeout { after: *after },
            (Answer::Platform { error_type, message }, _) => {
                Self::Error { error_type: (*error_type).to_owned(), message: message.clone() }
            }
            (_, Some(error_type)) => Self::Error { error_type, message: String::new() },
            (_, None) => Self::Success,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error { .. } => "error",
            Self::Timeout { .. } => "timeout",
        }
    }

    fn error_type(&self) -> Option<&str> {
        match self {
            Self::Error { error_type, .. } => Some(error_type),
            _ => None,
        }
    }
}

impl LogForm {
    /// Returns the line before an invocation, its newline included.
    pub fn start(self, request_id: &str, version: &str) -> String {
        match self {
            Self::Text => format!("START RequestId: {request_id} Version: {version}\n"),
            Self::Json => {
                record("platform.start", &json!({"requestId": request_id, "version": version}))
            }
        }
    }

    /// Returns the lines after an invocation that has taken so long.
    pub fn end(
        self,
        request_id: &str,
        duration: Duration,
        status: &Status,
        usage: &Usage,
    ) -> String {
        match self {
            Self::Text => end_in_text(request_id, duration, status, usage),
            Self::Json => end_in_json(request_id, duration, status, usage),
        }
    }

    /// Returns the lines after an invocation with this outcome.
    pub(super) fn end_of(self, outcome: &Outcome, usage: &Usage) -> String {
        self.end(&outcome.request_id, outcome.duration, &Status::of(outcome), usage)
    }

    /// Returns the line about a start that has failed after so long, so that there is no invocation.
    pub fn failed_init(self, duration: Duration, error_type: &str) -> String {
        let duration = milliseconds(duration);
        match self {
            Self::Text => format!(
                "INIT_REPORT Init Duration: {duration:.2} ms\tPhase: init\tStatus: error\tError Type: {error_type}\n"
            ),
            Self::Json => record(
                "platform.initReport",
                &json!({
                    "initializationType": "on-demand",
                    "phase": "init",
                    "status": "error",
                    "errorType": error_type,
                    "metrics": {"durationMs": hundredths(duration)},
                }),
            ),
        }
    }
}

fn end_in_text(request_id: &str, duration: Duration, status: &Status, usage: &Usage) -> String {
    let mut lines = String::new();
    // Writing to a text cannot fail.
    let _ = match status {
        Status::Timeout { after } => {
            writeln!(lines, "{request_id} Task timed out after {:.2} seconds", after.as_secs_f64())
        }
        Status::Error { error_type, message } if !message.is_empty() => {
            writeln!(lines, "{message}\n{error_type}")
        }
        _ => Ok(()),
    };
    let _ = write!(
        lines,
        "END RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration: {:.2} ms\tBilled Duration: {} \
         ms\tMemory Size: {} MB\t",
        milliseconds(duration),
        billed(duration, usage),
        usage.memory_mb,
    );
    if let Some(used) = usage.used_mb {
        let _ = write!(lines, "Max Memory Used: {used} MB\t");
    }
    if let Some(init) = usage.init {
        let _ = write!(lines, "Init Duration: {:.2} ms\t", milliseconds(init));
    }
    match status {
        Status::Success => {}
        Status::Timeout { .. } => lines.push_str("Status: timeout\t"),
        Status::Error { error_type, .. } => {
            let _ = write!(lines, "Status: error\tError Type: {error_type}\t");
        }
    }
    lines.push('\n');
    lines
}

fn end_in_json(request_id: &str, duration: Duration, status: &Status, usage: &Usage) -> String {
    let duration_ms = hundredths(milliseconds(duration));
    let mut how = vec![("status", Value::from(status.name()))];
    how.extend(status.error_type().map(|error_type| ("errorType", error_type.into())));
    let mut lines = String::new();
    if *status != Status::Success {
        // Of the others Lambda tells only those who ask for details.
        let metrics = ("metrics", json!({"durationMs": duration_ms}));
        let facts = [("requestId", request_id.into())].into_iter().chain(how.clone());
        lines.push_str(&record("platform.runtimeDone", &object(facts.chain([metrics]))));
    }
    let mut metrics = json!({
        "durationMs": duration_ms,
        "billedDurationMs": billed(duration, usage),
        "memorySizeMB": usage.memory_mb,
    });
    if let Some(used) = usage.used_mb {
        metrics["maxMemoryUsedMB"] = used.into();
    }
    if let Some(init) = usage.init {
        metrics["initDurationMs"] = hundredths(milliseconds(init)).into();
    }
    let facts = [("requestId", request_id.into()), ("metrics", metrics)].into_iter().chain(how);
    lines + &record("platform.report", &object(facts))
}

fn object(members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn record(kind: &str, record: &Value) -> String {
    let time = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    json!({"time": time, "type": kind, "record": record}).to_string() + "\n"
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Rounds to the two digits with which durations are told.
fn hundredths(milliseconds: f64) -> f64 {
    (milliseconds * 100.0).round() / 100.0
}

/// Lambda bills the start as well, by the millisecond.
fn billed(duration: Duration, usage: &Usage) -> u64 {
    milliseconds(duration + usage.init.unwrap_or_default()).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(result: Answer) -> Outcome {
        Outcome { request_id: "7".into(), duration: Duration::from_micros(12_345), result }
    }

    fn answered() -> Outcome {
        let bytes = bytes::Bytes::new();
        outcome(Answer::Response {
            bytes,
            content_type: None,
            streamed: false,
            trailers: Vec::new(),
        })
    }

    /// Replaces the times of records.
    fn timeless(lines: &str) -> String {
        let lines = lines.lines().map(|line| {
            let (head, rest) = line.split_at(r#"{"time":""#.len());
            let (time, rest) = rest.split_at("2026-01-31T23:59:59.999Z".len());
            assert!(time.starts_with("20") && time.ends_with('Z'), "{line}");
            format!("{head}TIME{rest}\n")
        });
        lines.collect()
    }

    #[test]
    fn a_report_reads_as_lambda_writes_it() {
        assert_eq!(LogForm::Text.start("7", "$LATEST"), "START RequestId: 7 Version: $LATEST\n");
        let usage =
            Usage { memory_mb: 128, used_mb: Some(35), init: Some(Duration::from_millis(100)) };
        assert_eq!(
            LogForm::Text.end_of(&answered(), &usage),
            "END RequestId: 7\nREPORT RequestId: 7\tDuration: 12.35 ms\tBilled Duration: 113 ms\tMemory Size: 128 \
             MB\tMax Memory Used: 35 MB\tInit Duration: 100.00 ms\t\n"
        );
    }

    #[test]
    fn what_failed_says_how() {
        let usage = Usage { memory_mb: 128, ..Usage::default() };
        let end = |result| LogForm::Text.end_of(&outcome(result), &usage);
        let late = end(Answer::Timeout { after: Duration::from_secs(3) });
        assert!(
            late.starts_with("7 Task timed out after 3.00 seconds\nEND RequestId: 7\n"),
            "{late}"
        );
        assert!(late.ends_with("Memory Size: 128 MB\tStatus: timeout\t\n"), "{late}");
        let died =
            end(Answer::Platform { error_type: "Runtime.ExitError", message: "it died".into() });
        assert!(died.starts_with("it died\nRuntime.ExitError\nEND"), "{died}");
        assert!(died.ends_with("\tStatus: error\tError Type: Runtime.ExitError\t\n"), "{died}");
        assert_eq!(
            LogForm::Text.failed_init(Duration::from_micros(1_234), "Runtime.X"),
            "INIT_REPORT Init Duration: 1.23 ms\tPhase: init\tStatus: error\tError Type: Runtime.X\n"
        );
    }

    #[test]
    fn in_json_there_is_a_record_for_the_start_and_one_for_the_report() {
        assert_eq!(
            timeless(&LogForm::Json.start("7", "$LATEST")),
            "{\"time\":\"TIME\",\"type\":\"platform.start\",\"record\":{\"requestId\":\"7\",\"version\":\"$LATEST\"}}\n"
        );
        let usage =
            Usage { memory_mb: 128, used_mb: Some(35), init: Some(Duration::from_millis(100)) };
        assert_eq!(
            timeless(&LogForm::Json.end_of(&answered(), &usage)),
            "{\"time\":\"TIME\",\"type\":\"platform.report\",\"record\":{\"requestId\":\"7\",\"metrics\":{\"durationMs\":12.35,\
             \"billedDurationMs\":113,\"memorySizeMB\":128,\"maxMemoryUsedMB\":35,\"initDurationMs\":100.0},\
             \"status\":\"success\"}}\n"
        );
    }

    #[test]
    fn in_json_what_failed_has_a_record_of_its_own() {
        let usage = Usage { memory_mb: 128, ..Usage::default() };
        let end = |result| timeless(&LogForm::Json.end_of(&outcome(result), &usage));
        let done = |rest: &str| {
            format!(
                "{{\"time\":\"TIME\",\"type\":\"platform.runtimeDone\",\"record\":{{\"requestId\":\"7\",{rest},\"metrics\":{{\"durationMs\":12.35}}}}}}\n"
            )
        };
        let report = |rest: &str| {
            format!(
                "{{\"time\":\"TIME\",\"type\":\"platform.report\",\"record\":{{\"requestId\":\"7\",\"metrics\":{{\"durationMs\":12.35,\"billedDurationMs\":13,\"memorySizeMB\":128}},{rest}}}}}\n"
            )
        };
        let late = r#""status":"timeout""#;
        assert_eq!(
            end(Answer::Timeout { after: Duration::from_secs(3) }),
            done(late) + &report(late)
        );
        let died = r#""status":"error","errorType":"Runtime.ExitError""#;
        assert_eq!(
            end(Answer::Platform { error_type: "Runtime.ExitError", message: "it died".into() }),
            done(died) + &report(died)
        );
        let init = timeless(&LogForm::Json.failed_init(Duration::from_micros(1_234), "Runtime.X"));
        assert_eq!(
            init,
            "{\"time\":\"TIME\",\"type\":\"platform.initReport\",\"record\":{\"initializationType\":\"on-demand\",\"phase\":\"init\",\
             \"status\":\"error\",\"errorType\":\"Runtime.X\",\"metrics\":{\"durationMs\":1.23}}}\n"
        );
    }
}
