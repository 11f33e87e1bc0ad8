//! An error for a person: what, where, what to do; and the exit code that stands for it.

use std::fmt::Write;
use trine_engine::{Error, ErrorKind};

/// Returns what to do about an error, where that is known: by the language that it is from, or for its kind.
pub fn hint(error: &Error) -> Option<&'static str> {
    if let Some(hint) = error.hint() {
        return Some(hint);
    }
    Some(match error.kind() {
        ErrorKind::MalformedHandler => {
            "write a handler as file.export (src/app.handler) or as file:export (src/app.py:handler)"
        }
        ErrorKind::AmbiguousHandler => "name the file with its extension, as in app.py:handler",
        ErrorKind::NeverSettled => {
            "resolve or reject every promise that the handler waits for, or await what it started"
        }
        ErrorKind::Exit => "return or throw instead: the process serves other invocations",
        ErrorKind::UnhandledRejection => "await the promise, or add a catch to it",
        ErrorKind::ResponseTooLarge => {
            "Lambda takes 6 MB; put the data into storage and return its address"
        }
        _ => return None,
    })
}

/// Returns the error in full, then what to do about it.
pub fn explain(error: &Error) -> String {
    let mut text = format!("error: {error:#}");
    if let Some(hint) = fitting_hint(error) {
        // Writing to a string does not fail.
        let _ = write!(text, "\n\nhint: {hint}");
    }
    text
}

/// Returns what a person wants to know beyond the record that an error leaves in the log ([`super::log_failure`]),
/// which has its message and its stack: places where there is no stack, facts, causes, what to do. Empty where there is
/// nothing.
pub fn beyond_record(error: &Error) -> String {
    let mut lines = Vec::new();
    if error.stack().is_empty() {
        lines.extend(error.frames().iter().map(|frame| format!("    at {frame}")));
    }
    lines.extend(error.context().iter().map(|(key, value)| format!("  {key}: {value}")));
    lines.extend(error.cause().map(|cause| format!("caused by {cause:#}")));
    lines.extend(fitting_hint(error).map(|hint| format!("hint: {hint}")));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Returns the hint for an error, unless it has facts of its own, which tell what to do as well.
fn fitting_hint(error: &Error) -> Option<&'static str> {
    hint(error).filter(|_| error.context().is_empty())
}

/// Returns the exit code of a command that ends with an error of this kind. 0 is success and 2 a wrong command line.
///
/// | code | meaning |
/// | --- | --- |
/// | 1 | the handler failed |
/// | 3 | the handler could not be found or loaded |
/// | 4 | the event is not valid input |
/// | 5 | the result cannot be sent |
/// | 6 | the handler was stopped: time, memory |
/// | 70 | a fault of the runtime |
pub fn exit_code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::MalformedHandler
        | ErrorKind::HandlerNotFound
        | ErrorKind::AmbiguousHandler
        | ErrorKind::ImportModule
        | ErrorKind::BuiltInModuleConflict
        | ErrorKind::UserCodeSyntax => 3,
        ErrorKind::Unmarshal | ErrorKind::ContextUnmarshal => 4,
        ErrorKind::Marshal | ErrorKind::ResponseTooLarge => 5,
        ErrorKind::Timeout | ErrorKind::OutOfMemory => 6,
        ErrorKind::Internal | ErrorKind::Unsupported => 70,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_ends_with_what_to_do() {
        let text = explain(&Error::new(ErrorKind::Exit, "asked to exit"));
        assert!(text.starts_with("error: Runtime.ExitError: asked to exit"), "{text}");
        assert!(text.contains("\nhint: return or throw"), "{text}");
        assert_eq!(exit_code(ErrorKind::Guest), 1);
    }

    #[test]
    fn beyond_a_record_nothing_is_told_twice() {
        let error = Error::new(ErrorKind::ImportModule, "No module named 'x'").with_hint(Some("y"));
        assert_eq!(beyond_record(&error), "hint: y\n");
        let frame = trine_engine::Frame { file: "a.mjs".into(), line: 3, ..Default::default() };
        let error = Error::guest("E", "m").with_frames([frame]).with_context("handler", "a.f");
        assert_eq!(beyond_record(&error), "    at a.mjs:3\n  handler: a.f\n");
        let error = error.with_stack(["    at a.mjs:3".to_owned()]);
        assert_eq!(beyond_record(&error), "  handler: a.f\n");
        assert_eq!(beyond_record(&Error::guest("E", "m")), "");
    }
}
