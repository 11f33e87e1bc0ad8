//! The conversion of guest exceptions to our errors: name, message, the frames of the user's files, causes.

use crate::{exits, interpreter};
use pyo3::{
    exceptions::{PyImportError, PyMemoryError, PySyntaxError, PySystemExit},
    prelude::*,
    types::{PyString, PyTraceback, PyType},
};
use std::collections::HashMap;
use trine_engine::{Error, ErrorKind, Frame};

/// The prefix of our own files in tracebacks.
const OURS: &str = "<trine>/";

/// The prefix of Python's import machinery, which Python omits from tracebacks where an import statement starts it.
const IMPORTS: &str = "<frozen importlib";

/// Number of equal frames in a row that are shown before the rest is summed up, as in `traceback`.
const REPEATS: usize = 3;

/// Maximum length of a chain of causes.
const CAUSES: usize = 5;

/// Makes the error of an exception that a handler or hook raised.
pub(crate) fn raised(py: Python<'_>, error: &PyErr, request_id: &str) -> Error {
    if error.is_instance_of::<PySystemExit>(py) {
        return exits::exit(py, error, request_id);
    }
    if is_warning(py, error) {
        let near = "the invocation did not finish before its deadline";
        return with_causes(py, Error::new(ErrorKind::Timeout, near), error, CAUSES);
    }
    if let Some(foreign) = foreign(py, error) {
        return foreign;
    }
    if let Some(refused) = refused(py, error) {
        return with_causes(py, refused, error, CAUSES);
    }
    let kind = if error.is_instance_of::<PyMemoryError>(py) {
        ErrorKind::OutOfMemory
    } else {
        ErrorKind::Guest
    };
    let raised = Error::new(kind, message(py, error)).with_name(class_name(py, error));
    with_causes(py, raised, error, CAUSES)
}

/// Whether this is the warning that a deadline is near, which nobody caught.
pub(crate) fn is_warning(py: Python<'_>, error: &PyErr) -> bool {
    interpreter::get()
        .is_some_and(|python| error.matches(py, &python.deadline_exceeded).unwrap_or(false))
}

/// Returns another language's error, where an `error` hook has raised or returned the exception that stood for it.
fn foreign(py: Python<'_>, error: &PyErr) -> Option<Error> {
    let python = interpreter::get()?;
    if !error.get_type(py).is(&python.foreign_error) {
        return None;
    }
    let value = error.value(py);
    let text = |name: &str| Some(value.getattr(name).ok()?.str().ok()?.to_string());
    let stack: Vec<String> = value.getattr("stack_trace").ok()?.extract().unwrap_or_default();
    Some(Error::guest(text("error_type")?, text("error_message")?).with_stack(stack))
}

/// Makes the exception that a guest gets where it yields what cannot be sent.
pub(crate) fn streaming(py: Python<'_>, error: &Error) -> PyErr {
    let Some(python) = interpreter::get() else {
        return pyo3::exceptions::PyRuntimeError::new_err(error.message().to_owned());
    };
    match python.streaming_error.bind(py).call1((error.message(), error.name())) {
        Ok(made) => PyErr::from_value(made),
        Err(raised) => raised,
    }
}

/// Returns the error for such an exception, where nobody has caught it.
fn refused(py: Python<'_>, error: &PyErr) -> Option<Error> {
    if !error.get_type(py).is(&interpreter::get()?.streaming_error) {
        return None;
    }
    let name = error.value(py).getattr("error_type").ok()?.str().ok()?.to_string();
    let kinds = [ErrorKind::Marshal, ErrorKind::ResponseTooLarge];
    let kind = kinds.into_iter().find(|kind| kind.default_name() == name);
    Some(Error::new(kind.unwrap_or(ErrorKind::Guest), message(py, error)).with_name(name))
}

/// Makes the error of a call that an interrupt stopped, with the place where it was.
pub(crate) fn interrupted(py: Python<'_>, error: Option<&PyErr>) -> Error {
    match error {
        Some(error) => with_causes(py, Error::stopped(), error, 0),
        None => Error::stopped(),
    }
}

/// Makes the error of a failed import. `name` is the module's as the user wrote it.
pub(crate) fn import_failed(py: Python<'_>, error: &PyErr, name: &str) -> Error {
    if error.is_instance_of::<PySyntaxError>(py) {
        return syntax(py, error, name);
    }
    if error.is_instance_of::<PyImportError>(py) {
        let text = format!("Unable to import module '{name}': {}", message(py, error));
        return with_causes(py, Error::new(ErrorKind::ImportModule, text), error, CAUSES);
    }
    raised(py, error, "")
}

/// Formats an exception as `ValueError: message`, for faults of our own.
pub(crate) fn one_line(py: Python<'_>, error: &PyErr) -> String {
    format!("{}: {}", class_name(py, error), message(py, error))
}

/// Makes the error of a fault in the runtime's Python side.
pub(crate) fn internal(py: Python<'_>, error: &PyErr) -> Error {
    with_causes(py, Error::internal(one_line(py, error)), error, CAUSES)
}

/// Returns the exception's own text; that may run the guest's code and fail.
pub(crate) fn message(py: Python<'_>, error: &PyErr) -> String {
    match error.value(py).str() {
        Ok(text) => text.to_string_lossy().into_owned(),
        Err(_) => format!("<unprintable {} object>", class_name(py, error)),
    }
}

fn class_name(py: Python<'_>, error: &PyErr) -> String {
    type_name(&error.get_type(py))
}

/// Returns the `__name__` of a class.
pub(crate) fn type_name(class: &Bound<'_, PyType>) -> String {
    class.name().map_or_else(|_| "object".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn syntax(py: Python<'_>, error: &PyErr, name: &str) -> Error {
    let value = error.value(py);
    let text = |name: &str| {
        let value = value.getattr(name).ok()?;
        value.cast::<PyString>().ok().map(|text| text.to_string_lossy().into_owned())
    };
    let number = |name: &str| value.getattr(name).ok()?.extract::<u32>().ok();
    let file = text("filename").unwrap_or_default();
    let line = number("lineno").unwrap_or(0);
    let item = format!("  File \"{file}\" Line {line}\n    {}", text("text").unwrap_or_default());
    let frame =
        Frame { function: String::new(), file, line, column: number("offset").unwrap_or(0) };
    Error::new(
        ErrorKind::UserCodeSyntax,
        format!("Syntax error in module '{name}': {}", message(py, error)),
    )
    .with_frames([frame])
    .with_stack([item])
}

/// Returns `error` with the place where `raised` came from, its notes, and no causes.
pub(crate) fn with_place(py: Python<'_>, error: Error, raised: &PyErr) -> Error {
    with_causes(py, error, raised, 0)
}

/// Adds frames, stack, notes and causes.
fn with_causes(py: Python<'_>, error: Error, raised: &PyErr, causes: usize) -> Error {
    let frames = raised.traceback(py).map_or_else(Vec::new, |trace| frames(&trace));
    let mut error = error
        .with_stack(stack(&frames))
        .with_frames(frames.into_iter().rev().map(|(frame, _)| frame));
    if let Ok(notes) = raised.value(py).getattr("__notes__").and_then(|n| n.try_iter()) {
        for note in notes.flatten() {
            error = error.with_context("note", note.to_string());
        }
    }
    if causes > 0
        && let Some(cause) = cause(py, raised)
    {
        let text = Error::guest(class_name(py, &cause), message(py, &cause));
        error = error.with_cause(with_causes(py, text, &cause, causes - 1));
    }
    error
}

fn cause(py: Python<'_>, error: &PyErr) -> Option<PyErr> {
    if let Some(cause) = error.cause(py) {
        return Some(cause);
    }
    let value = error.value(py);
    if value.getattr("__suppress_context__").ok()?.is_truthy().ok()? {
        return None;
    }
    let context = value.getattr("__context__").ok()?;
    (!context.is_none()).then(|| PyErr::from_value(context))
}

/// Lists the frames outside our own files with their function's name as Python writes it, outermost first.
fn frames(trace: &Bound<'_, PyTraceback>) -> Vec<(Frame, String)> {
    let mut found = Vec::new();
    let mut next = Some(trace.clone().into_any());
    while let Some(entry) = next {
        if let Some(frame) = frame(&entry) {
            found.push(frame);
        }
        next = entry.getattr("tb_next").ok().filter(|next| !next.is_none());
    }
    found
}

fn frame(entry: &Bound<'_, PyAny>) -> Option<(Frame, String)> {
    let code = entry.getattr("tb_frame").ok()?.getattr("f_code").ok()?;
    let file = code.getattr("co_filename").ok()?.to_string();
    if file.starts_with(OURS) || file.starts_with(IMPORTS) {
        return None;
    }
    let name = code.getattr("co_name").ok()?.to_string();
    let line = entry.getattr("tb_lineno").ok()?.extract().unwrap_or(0);
    let function = if name == "<module>" { String::new() } else { name.clone() };
    Some((Frame { function, file, line, column: 0 }, name))
}

/// Formats frames as `traceback.format_list` would, without importing `traceback` and its dependencies.
fn stack(frames: &[(Frame, String)]) -> Vec<String> {
    let mut sources = HashMap::new();
    let mut items = Vec::new();
    let mut at = 0;
    while at < frames.len() {
        let (frame, name) = &frames[at];
        let same = frames[at..].iter().take_while(|other| **other == frames[at]).count();
        let source = sources
            .entry(frame.file.as_str())
            .or_insert_with(|| std::fs::read(&frame.file).unwrap_or_default());
        let mut item = format!("  File \"{}\", line {}, in {name}\n", frame.file, frame.line);
        if let Some(line) = source_line(source, frame.line) {
            item.push_str(&format!("    {line}\n"));
        }
        items.extend(std::iter::repeat_n(item, same.min(REPEATS)));
        if same > REPEATS {
            let more = same - REPEATS;
            let plural = if more == 1 { "" } else { "s" };
            items.push(format!("  [Previous line repeated {more} more time{plural}]\n"));
        }
        at += same;
    }
    items
}

fn source_line(source: &[u8], number: u32) -> Option<String> {
    let line = source.split(|&byte| byte == b'\n').nth(number.checked_sub(1)? as usize)?;
    let line = String::from_utf8_lossy(line);
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}
