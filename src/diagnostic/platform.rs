//! The facts about an error that Lambda's platform wants beside its document: a type for metrics, a cause for X-Ray.

use serde_json::json;
use std::{collections::BTreeSet, env};
use trine_engine::{Error, ErrorDialect, ErrorKind, Frame};

/// Returns the value of the header `Lambda-Runtime-Function-Error-Type`. The platform keeps what matches
/// `(Runtime|Function)\.[A-Z][a-zA-Z]+` and replaces the rest, so a guest's class name is cut down to its letters.
pub fn error_type_header(error: &Error) -> String {
    let name = error.name();
    if let Some((prefix @ ("Runtime" | "Function"), rest)) = name.split_once('.')
        && rest.len() > 1
        && rest.starts_with(|c: char| c.is_ascii_uppercase())
        && rest.bytes().all(|byte| byte.is_ascii_alphabetic())
    {
        return format!("{prefix}.{rest}");
    }
    let prefix = if error.kind() == ErrorKind::Guest { "Function" } else { "Runtime" };
    let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    let mut chars = letters.chars();
    match chars.next() {
        Some(first) if letters.len() > 1 => {
            format!("{prefix}.{}{}", first.to_ascii_uppercase(), chars.as_str())
        }
        _ => format!("{prefix}.Error"),
    }
}

/// Returns the value of the header `Lambda-Runtime-Function-XRay-Error-Cause`: one line of JSON, ASCII only. A stack that
/// would make it too large for a header loses its outer frames; `None` when it is too large without any.
pub fn xray_cause(error: &Error, dialect: ErrorDialect) -> Option<String> {
    const LIMIT: usize = 60 * 1024;
    let mut frames = error.frames();
    loop {
        let cause = cause_with(error, dialect, frames);
        if cause.len() <= LIMIT {
            return Some(cause);
        }
        if frames.is_empty() {
            return None;
        }
        frames = &frames[..frames.len() / 2];
    }
}

fn cause_with(error: &Error, dialect: ErrorDialect, frames: &[Frame]) -> String {
    let paths: BTreeSet<&str> = frames.iter().map(|frame| frame.file.as_str()).collect();
    let stack: Vec<_> = frames
        .iter()
        .map(|frame| json!({"path": frame.file, "line": frame.line, "label": frame.function}))
        .collect();
    let fault = match error.kind() {
        ErrorKind::Unmarshal | ErrorKind::ContextUnmarshal | ErrorKind::Marshal => dialect.fault,
        _ => None,
    };
    let directory = env::current_dir().unwrap_or_default();
    let cause = json!({
        "working_directory": directory.to_string_lossy(),
        "exceptions": [{"type": fault.unwrap_or(error.name()), "message": error.message(), "stack": stack}],
        "paths": paths,
    });
    ascii(&cause.to_string())
}

/// Escapes everything outside ASCII in JSON text, as a header's value requires.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            out.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_header_always_has_the_form_that_the_platform_keeps() {
        for (error, header) in [
            (Error::guest("TypeError", ""), "Function.TypeError"),
            (Error::guest("my_error2", ""), "Function.Myerror"),
            (Error::guest("é", ""), "Function.Error"),
            (Error::guest("Runtime.x", ""), "Function.Runtimex"),
            (Error::guest("Function.Custom", ""), "Function.Custom"),
            (Error::new(ErrorKind::ImportModule, ""), "Runtime.ImportModuleError"),
            (Error::new(ErrorKind::Unmarshal, "").with_name("SyntaxError"), "Runtime.SyntaxError"),
        ] {
            assert_eq!(error_type_header(&error), header);
        }
    }

    #[test]
    fn a_cause_is_ascii_and_names_each_file_once() {
        let frame = |line| Frame { file: "/é.py".into(), line, function: "f".into(), column: 0 };
        let error = Error::guest("E", "naïve 🙂").with_frames([frame(1), frame(2)]);
        let cause = xray_cause(&error, ErrorDialect::PLAIN).expect("small enough");
        assert!(cause.is_ascii(), "{cause}");
        let cause: serde_json::Value = serde_json::from_str(&cause).expect("JSON");
        assert_eq!(cause["exceptions"][0]["message"], "naïve 🙂");
        assert_eq!(cause["exceptions"][0]["stack"][1]["line"], 2);
        assert_eq!(cause["paths"], json!(["/é.py"]));
        assert!(xray_cause(&Error::guest("E", "x".repeat(100_000)), ErrorDialect::PLAIN).is_none());
    }

    #[test]
    fn a_cause_keeps_as_many_inner_frames_as_fit() {
        let frame = |line| Frame { file: "/app.py".into(), line, function: "f".into(), column: 0 };
        let error = Error::guest("RecursionError", "deep").with_frames((1..=5000).map(frame));
        let cause = xray_cause(&error, ErrorDialect::PLAIN).expect("without some frames it fits");
        let cause: serde_json::Value = serde_json::from_str(&cause).expect("JSON");
        let stack = cause["exceptions"][0]["stack"].as_array().expect("a stack");
        assert!((500..5000).contains(&stack.len()), "{}", stack.len());
        assert_eq!(stack[0]["line"], 1);
        assert_eq!(cause["exceptions"][0]["type"], "RecursionError");
    }

    #[test]
    fn what_a_value_lacks_is_called_a_fault_where_the_language_does_so() {
        let dialect = ErrorDialect { fault: Some("Fault"), ..ErrorDialect::PLAIN };
        for (kind, told) in [
            (ErrorKind::Unmarshal, "Fault"),
            (ErrorKind::ContextUnmarshal, "Fault"),
            (ErrorKind::Marshal, "Fault"),
            (ErrorKind::Timeout, "Function.Timeout"),
        ] {
            let cause = xray_cause(&Error::new(kind, ""), dialect).expect("small enough");
            let cause: serde_json::Value = serde_json::from_str(&cause).expect("JSON");
            assert_eq!(cause["exceptions"][0]["type"], told);
        }
    }
}
