//! The conversion of JavaScript's errors to ours: name, message, and stack and frames without our own.

use crate::{rules::Rules, stack::file_path};
use deno_runtime::deno_core::error::{CoreError, CoreErrorKind, JsError};
use serde_json::Value;
use trine_engine::{Error, ErrorKind, Frame};

/// The origin of an error, which decides which name stands for an import or a syntax error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum During {
    /// The top-level code of a module.
    Load,
    /// A call.
    Call,
}

/// Makes an error of what the prelude's `describe` wrote as JSON.
pub(crate) fn from_description(description: &str, during: During) -> Error {
    match serde_json::from_str::<Value>(description) {
        Ok(value) => from_value(&value, during),
        Err(error) => Error::internal(format!("an error could not be described: {error}")),
    }
}

fn from_value(value: &Value, during: During) -> Error {
    let text = |key: &str| value[key].as_str().unwrap_or_default();
    let (name, mut message) = (text("name"), text("message").to_owned());
    let kind = kind_of(value, during);
    let mut place = None;
    let name = match kind {
        ErrorKind::ImportModule => {
            message = plain_path(&message);
            place = import_place(&message);
            if text("code") == "MODULE_NOT_FOUND" {
                message = format!("{name}: {message}");
            }
            match is_passed_through(text("code")) {
                true => "Error",
                false => kind.default_name(),
            }
        }
        ErrorKind::UserCodeSyntax => {
            let (text, found) = split_place(&plain_path(&message));
            place = found;
            message = format!("SyntaxError: {text}");
            kind.default_name()
        }
        ErrorKind::Timeout | ErrorKind::Exit => kind.default_name(),
        _ => name,
    };
    if kind == ErrorKind::HandlerNotFound {
        message.push_str(&what_exists(value));
    }
    let mut stack = lines(text("stack"));
    let frames: Vec<Frame> = place.iter().cloned().chain(frames(&stack, text("message"))).collect();
    if let Some(place) = &place {
        stack = with_place_on_top(&message, place, stack);
    }
    let error = Error::new(kind, message).with_name(name).with_frames(frames).with_stack(stack);
    let error = match value["returned"] == true {
        true => error.returned(),
        false => error,
    };
    // What is not the guest's own error has another name here than it has there.
    let record = value["record"].as_str().filter(|_| kind == ErrorKind::Guest);
    let error = match record {
        Some(record) => error.with_log_document(record.to_owned()),
        None => error,
    };
    match value.get("cause") {
        Some(cause) if cause.is_object() => error.with_cause(from_value(cause, During::Call)),
        _ => error,
    }
}

/// Whether an import's error is a plain one, as in Lambda's own runtimes one from an ES module is.
fn is_passed_through(code: &str) -> bool {
    code == "ERR_MODULE_NOT_FOUND" && Rules::of_process() != Rules::Permissive
}

fn kind_of(value: &Value, during: During) -> ErrorKind {
    match (value["kind"].as_str().unwrap_or_default(), value["code"].as_str().unwrap_or_default()) {
        ("Unmarshal", _) => ErrorKind::Unmarshal,
        ("Marshal", _) => ErrorKind::Marshal,
        ("ContextUnmarshal", _) => ErrorKind::ContextUnmarshal,
        ("HandlerNotFound", _) => ErrorKind::HandlerNotFound,
        ("Exit", _) => ErrorKind::Exit,
        ("NeverSettled", _) => ErrorKind::NeverSettled,
        _ if value["warned"] == true => ErrorKind::Timeout,
        // Only parse errors have a place at the end of their message; a loader's error has lost its class on the way.
        _ if during == During::Load
            && split_place(&plain_path(value["message"].as_str().unwrap_or_default()))
                .1
                .is_some() =>
        {
            ErrorKind::UserCodeSyntax
        }
        (_, "MODULE_NOT_FOUND" | "ERR_MODULE_NOT_FOUND") if during == During::Load => {
            ErrorKind::ImportModule
        }
        _ if during == During::Load && value["syntax"] == true => ErrorKind::UserCodeSyntax,
        _ => ErrorKind::Guest,
    }
}

/// Describes which names a module does export, and which one is nearest to the requested one.
fn what_exists(value: &Value) -> String {
    let Some(names) = value["names"].as_array() else { return String::new() };
    let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
    if names.is_empty() {
        return "; the module exports no function".to_owned();
    }
    format!("; the module exports: {}", names.join(", "))
}

/// Converts an error that the event loop raised: a rejection that nobody handled, or a throw outside any call chain.
pub(crate) fn from_core(error: CoreError) -> Error {
    match error.into_kind() {
        CoreErrorKind::Js(error) => from_js(&error),
        other => Error::new(ErrorKind::UncaughtException, other.to_string()),
    }
}

fn from_js(error: &JsError) -> Error {
    if error.exception_message.contains("Top-level await promise never resolved") {
        let message = "the module's top-level await can no longer settle: nothing is left in the event loop that it \
                       could wait for";
        return Error::new(ErrorKind::NeverSettled, message);
    }
    let rejected = error.exception_message.starts_with("Uncaught (in promise)");
    let kind = match rejected {
        true => ErrorKind::UnhandledRejection,
        false => ErrorKind::UncaughtException,
    };
    let (name, message) = match (&error.name, &error.message) {
        (None, None) => return Error::new(kind, thrown_text(&error.exception_message)),
        (name, message) => (
            name.clone().unwrap_or_else(|| "Error".to_owned()),
            message.clone().unwrap_or_default(),
        ),
    };
    let text = format!("{name}: {message}");
    let stack = lines(error.stack.as_deref().unwrap_or_default());
    let mut frames = frames(&stack, &message);
    // V8 reports the place of a parse error beside the stack.
    if frames.is_empty() && name == "SyntaxError" {
        let frame = error.frames.first().and_then(|frame| {
            let file = frame.file_name.as_deref()?;
            Some(Frame {
                function: String::new(),
                file: file_path(file).unwrap_or_else(|| file.to_owned()),
                line: frame.line_number? as u32,
                column: frame.column_number? as u32,
            })
        });
        frames.extend(frame.filter(|frame| !frame.file.starts_with("ext:")));
    }
    let error = match (kind, Rules::of_process()) {
        // As that of a handler.
        (ErrorKind::UncaughtException, Rules::Node22) => {
            Error::new(kind, message).with_name(&*name)
        }
        _ => Error::new(kind, text),
    };
    error.with_frames(frames).with_stack(stack)
}

/// Extracts a thrown value that is not an error from V8's message about it.
fn thrown_text(message: &str) -> String {
    let text = message.strip_prefix("Uncaught ").unwrap_or(message);
    let text = text.strip_prefix("(in promise) ").unwrap_or(text);
    // A text is quoted with a character that it does not contain, if possible.
    let inner = ['"', '\'', '`']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)));
    let Some(inner) = inner else { return text.to_owned() };
    let inner = inner.replace("\\'", "'").replace("\\\"", "\"").replace('"', "\\\"");
    serde_json::from_str(&format!("\"{inner}\"")).unwrap_or(inner)
}

/// Splits a stack into lines, as `stack.split("\n")` does.
fn lines(stack: &str) -> Vec<String> {
    match stack {
        "" => Vec::new(),
        stack => stack.split('\n').map(str::to_owned).collect(),
    }
}

/// Finds the frames of a stack. Lines in the message above them that look like frames are not.
fn frames(stack: &[String], message: &str) -> Vec<Frame> {
    let mut above = message.split('\n');
    let count = above.clone().count();
    let is_message = stack.len() >= count
        && stack[0].ends_with(above.next().unwrap_or_default())
        && stack[1..count].iter().map(String::as_str).eq(above);
    let after = match is_message {
        true => count,
        // The message was changed after the stack had been read: only the block at the end counts.
        false => {
            let block = stack.iter().rev().take_while(|line| line.starts_with("    at "));
            stack.len() - block.count()
        }
    };
    stack[after..].iter().filter_map(|line| frame(line)).collect()
}

/// Makes an error of a source that does not parse, as the loader found out before V8 saw it.
pub(crate) fn syntax(message: &str) -> Error {
    let (text, place) = split_place(&plain_path(message));
    let message = format!("SyntaxError: {text}");
    let stack = match &place {
        Some(place) => with_place_on_top(&message, place, Vec::new()),
        None => vec![message.clone()],
    };
    Error::new(ErrorKind::UserCodeSyntax, message).with_frames(place).with_stack(stack)
}

/// Adds to a syntax error that V8 did not locate the place that was found for it.
pub(crate) fn placed(error: Error, problem: &str) -> Error {
    let (_, Some(place)) = split_place(&plain_path(problem)) else { return error };
    if error.frames().first() == Some(&place) {
        return error;
    }
    let stack = with_place_on_top(error.message(), &place, error.stack().to_vec());
    let frames: Vec<Frame> = [place].into_iter().chain(error.frames().to_vec()).collect();
    error.with_frames(frames).with_stack(stack)
}

/// Makes a stack that begins with a message and a place, followed by the frames of another.
fn with_place_on_top(message: &str, place: &Frame, stack: Vec<String>) -> Vec<String> {
    let line = match (place.line, place.column) {
        (0, _) => format!("    at {}", place.file),
        (line, 0) => format!("    at {}:{line}", place.file),
        (line, column) => format!("    at {}:{line}:{column}", place.file),
    };
    let frames = stack.into_iter().filter(|line| line.starts_with("    at "));
    [message.to_owned(), line].into_iter().chain(frames).collect()
}

/// Splits `text at /path/file.mjs:2:11` into text and place.
fn split_place(message: &str) -> (String, Option<Frame>) {
    if let Some((text, place)) = message.rsplit_once(" at ")
        && let Some(frame) = frame(&format!("at {place}"))
    {
        return (text.to_owned(), Some(frame));
    }
    (message.to_owned(), None)
}

/// Finds the place of the import that a missing module's message is about: `… 'name' … from (referrer) 'file' …`.
fn import_place(message: &str) -> Option<Frame> {
    let mut quoted = message.split('\'').skip(1).step_by(2);
    let wanted = quoted.next()?;
    let referrer = message.split_once(" imported from ").map(|(_, rest)| rest);
    let file = referrer.and_then(|rest| rest.lines().next()).or_else(|| quoted.next())?;
    let name = wanted.rsplit('/').next()?;
    let source = std::fs::read_to_string(file).ok()?;
    let line = source
        .lines()
        .position(|line| line.contains(name) && (line.contains("import") || line.contains("from")))
        .map_or(0, |index| index as u32 + 1);
    Some(Frame { file: file.to_owned(), line, ..Frame::default() })
}

fn plain_path(text: &str) -> String {
    text.replace("file://", "")
}

/// Parses a frame from a line like `    at name (/path/file.mjs:3:9)` or `    at /path/file.mjs:3:9`.
fn frame(line: &str) -> Option<Frame> {
    let rest = line.trim_start().strip_prefix("at ")?;
    let (function, place) = match rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")) {
        Some((function, place)) => (function, place),
        None => ("", rest.strip_prefix("async ").unwrap_or(rest)),
    };
    let (rest, column) = place.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    if file.starts_with("node:") {
        return None;
    }
    Some(Frame {
        function: function.strip_prefix("async ").unwrap_or(function).to_owned(),
        file: file_path(file).unwrap_or_else(|| file.to_owned()),
        line: line.parse().ok()?,
        column: column.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_from_both_forms_of_a_line() {
        let named = frame("    at async handler (/app/a b.mjs:3:9)").expect("a frame");
        assert_eq!(
            (named.function.as_str(), named.file.as_str(), named.line, named.column),
            ("handler", "/app/a b.mjs", 3, 9)
        );
        let plain = frame("    at /app/a.mjs:1:2").expect("a frame");
        assert_eq!((plain.function.as_str(), plain.line), ("", 1));
        assert_eq!(frame("Error: x"), None);
    }

    #[test]
    fn a_frame_of_an_es_module_has_its_path() {
        let frame = frame("    at f (file:///app/a%20b.mjs:3:9)").expect("a frame");
        assert_eq!(frame.file, "/app/a b.mjs");
    }

    #[test]
    fn what_looks_like_a_frame_in_a_message_is_none() {
        let files = |stack: &str, message: &str| {
            let frames = frames(&lines(stack), message);
            frames.into_iter().map(|frame| frame.file).collect::<Vec<_>>()
        };
        let message = "first\n    at no (/frame.mjs:1:1)\n";
        let stack = format!("Error: {message}\n    at f (file:///a.mjs:1:1)");
        assert_eq!(files(&stack, message), ["/a.mjs"]);
        assert_eq!(files(&stack, "changed"), ["/a.mjs"]);
        assert_eq!(files("Error\n    at f (/a.cjs:1:1)", ""), ["/a.cjs"]);
        assert_eq!(files("", "gone"), [""; 0]);
        assert_eq!(files("Error: x", "x"), [""; 0]);
    }
}
