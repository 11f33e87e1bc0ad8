//! The platform's lines about an invocation, as they stand in a function's log: START, END and REPORT.

use super::outcome::{Answer, Outcome};
use std::{fmt::Write as _, time::Duration};

/// What the REPORT line says beside the outcome.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// The function's memory, in MB.
    pub(super) memory_mb: u32,
    /// The most that its process has used so far, in MB, where that is known.
    pub(super) used_mb: Option<u64>,
    /// The time that the process took to start, where this was its first invocation.
    pub(super) init: Option<Duration>,
}

/// Returns the line before an invocation.
pub(super) fn start(request_id: &str, version: &str) -> String {
    format!("START RequestId: {request_id} Version: {version}\n")
}

/// Returns the lines after an invocation.
pub(super) fn end(outcome: &Outcome, usage: &Usage) -> String {
    let Outcome { request_id, duration, result } = outcome;
    let mut lines = String::new();
    // Writing to a text cannot fail.
    let _ = match result {
        Answer::Timeout { after } => {
            writeln!(lines, "{request_id} Task timed out after {:.2} seconds", after.as_secs_f64())
        }
        Answer::Platform { error_type, message } if !message.is_empty() => {
            writeln!(lines, "{message}\n{error_type}")
        }
        _ => Ok(()),
    };
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let init = usage.init.unwrap_or_default();
    // Lambda bills the start as well, by the millisecond.
    let billed = milliseconds(*duration + init).ceil();
    let _ = write!(
        lines,
        "END RequestId: {request_id}\nREPORT RequestId: {request_id}\tDuration: {:.2} ms\tBilled Duration: {billed} \
         ms\tMemory Size: {} MB\t",
        milliseconds(*duration),
        usage.memory_mb,
    );
    if let Some(used) = usage.used_mb {
        let _ = write!(lines, "Max Memory Used: {used} MB\t");
    }
    if let Some(init) = usage.init {
        let _ = write!(lines, "Init Duration: {:.2} ms\t", milliseconds(init));
    }
    match (result, outcome.error_type()) {
        (Answer::Timeout { .. }, _) => lines.push_str("Status: timeout\t"),
        (_, Some(error_type)) => {
            let _ = write!(lines, "Status: error\tError Type: {error_type}\t");
        }
        (_, None) => {}
    }
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(result: Answer) -> Outcome {
        Outcome { request_id: "7".into(), duration: Duration::from_micros(12_345), result }
    }

    #[test]
    fn a_report_reads_as_lambda_writes_it() {
        assert_eq!(start("7", "$LATEST"), "START RequestId: 7 Version: $LATEST\n");
        let bytes = bytes::Bytes::new();
        let answer =
            Answer::Response { bytes, content_type: None, streamed: false, trailers: Vec::new() };
        let usage =
            Usage { memory_mb: 128, used_mb: Some(35), init: Some(Duration::from_millis(100)) };
        assert_eq!(
            end(&outcome(answer), &usage),
            "END RequestId: 7\nREPORT RequestId: 7\tDuration: 12.35 ms\tBilled Duration: 113 ms\tMemory Size: 128 \
             MB\tMax Memory Used: 35 MB\tInit Duration: 100.00 ms\t\n"
        );
    }

    #[test]
    fn what_failed_says_how() {
        let usage = Usage { memory_mb: 128, ..Usage::default() };
        let late = end(&outcome(Answer::Timeout { after: Duration::from_secs(3) }), &usage);
        assert!(
            late.starts_with("7 Task timed out after 3.00 seconds\nEND RequestId: 7\n"),
            "{late}"
        );
        assert!(late.ends_with("Memory Size: 128 MB\tStatus: timeout\t\n"), "{late}");
        let died = Answer::Platform { error_type: "Runtime.ExitError", message: "it died".into() };
        let died = end(&outcome(died), &usage);
        assert!(died.starts_with("it died\nRuntime.ExitError\nEND"), "{died}");
        assert!(died.ends_with("\tStatus: error\tError Type: Runtime.ExitError\t\n"), "{died}");
    }
}
