//! What a process that was started as Node prints about the error that ends it: the place, its line, and the prelude's
//! description of the value.

use crate::loader::Loader;
use deno_runtime::{
    deno_core::{
        ModuleSpecifier,
        error::{CoreError, CoreErrorKind, JsError},
        scope, v8,
    },
    worker::MainWorker,
};
use std::fmt::Write as _;

/// The reason why the process ends.
pub(crate) struct Fatal {
    pub(crate) error: CoreError,
    /// The value that the main script has thrown, unless another one has been noted.
    pub(crate) thrown: Option<v8::Global<v8::Value>>,
}

impl From<CoreError> for Fatal {
    fn from(error: CoreError) -> Self {
        Self { error, thrown: None }
    }
}

/// The prelude's account of the end.
#[derive(Default)]
pub(crate) struct FatalReport {
    /// The version of Node that messages name.
    version: String,
    /// The value, as Node shows it.
    text: Option<String>,
    is_error: bool,
    /// Its origin, where that is not in users' code.
    place: Option<String>,
}

impl FatalReport {
    /// Calls the prelude's `fail`, which sets the exit status, for `exit` listeners to see.
    pub(crate) fn ask(
        worker: &mut MainWorker,
        fail: &v8::Global<v8::Function>,
        status: i32,
        thrown: Option<&v8::Global<v8::Value>>,
    ) -> Self {
        scope!(scope, &mut worker.js_runtime);
        v8::tc_scope!(let scope, scope);
        let undefined = v8::undefined(scope).into();
        let arguments = [
            v8::Integer::new(scope, status).into(),
            v8::Boolean::new(scope, thrown.is_some()).into(),
            thrown.map_or(undefined, |thrown| v8::Local::new(scope, thrown)),
        ];
        let fail = v8::Local::new(scope, fail);
        let told = fail.call(scope, undefined, &arguments);
        let Some(told) = told.and_then(|told| told.to_object(scope)) else {
            return Self::default();
        };
        let member = |name: &str| {
            let key = v8::String::new(scope, name)?;
            told.get(scope, key.into()).filter(|member| !member.is_undefined())
        };
        let (version, text) = (member("version"), member("text"));
        let (is_error, place) = (member("isError"), member("place"));
        let text_of = |value: v8::Local<'_, v8::Value>| value.to_rust_string_lossy(scope);
        Self {
            version: version.map(text_of).unwrap_or_default(),
            text: text.map(text_of),
            is_error: is_error.is_some_and(|is_error| is_error.is_true()),
            place: place.map(text_of),
        }
    }

    /// Makes the whole message, with the place of a syntax error, which V8 does not report for CommonJS.
    pub(crate) fn explain(&self, loader: &Loader, error: &CoreError) -> String {
        let text = self.describe(error);
        let is_syntax = matches!(error.as_kind(), CoreErrorKind::Js(error)
            if error.name.as_deref() == Some("SyntaxError"));
        let problem = is_syntax.then(|| loader.problem_of_last_required()).flatten();
        match problem.as_deref().and_then(|problem| problem.rsplit_once(" at ")) {
            Some((_, place)) => format!("{}\n\n{text}", path_of(place)),
            None => text,
        }
    }

    /// Describes an error that nobody has caught, as Node prints it.
    pub(crate) fn describe(&self, error: &CoreError) -> String {
        let CoreErrorKind::Js(error) = error.as_kind() else {
            return format!("{error}{}", self.end());
        };
        let Some(text) = self.text.as_deref().map(own_stack) else {
            return format!("{}{}", describe(error), self.end());
        };
        let place = match &self.place {
            Some(place) => place.clone(),
            None => place_of(error).unwrap_or_default(),
        };
        match (self.is_error, place.strip_suffix('\n')) {
            (true, _) => format!("{place}{text}{}", self.end()),
            // Node's frame around a value that is not an error.
            (false, Some(place)) => format!("\n{place}{text}{}", self.end()),
            (false, None) => format!("Uncaught:\n{text}{}", self.end()),
        }
    }

    fn end(&self) -> String {
        match self.version.as_str() {
            "" => String::new(),
            version => format!("\n\nNode.js {version}"),
        }
    }
}

/// Describes an error without asking the prelude.
pub(crate) fn describe(error: &JsError) -> String {
    let mut text = place_of(error).unwrap_or_default();
    text.push_str(&stack_of(error));
    let mut cause = error.cause.as_deref();
    while let Some(error) = cause {
        let _ = write!(text, "\n  [cause]: {}", stack_of(error).replace('\n', "\n  "));
        cause = error.cause.as_deref();
    }
    text
}

/// Finds path and line of the user's first frame; returns them with the text of that line and a mark under the column.
fn place_of(error: &JsError) -> Option<String> {
    let frame = error.frames.iter().find(|frame| {
        let name = frame.file_name.as_deref().unwrap_or("ext:");
        !name.starts_with("ext:") && !name.starts_with("node:")
    })?;
    let path = path_of(frame.file_name.as_deref()?);
    let number = frame.line_number?;
    let line = match &error.source_line {
        Some(line) => line.clone(),
        None => {
            let text = std::fs::read_to_string(&path).ok()?;
            text.lines().nth(usize::try_from(number).ok()?.checked_sub(1)?)?.to_owned()
        }
    };
    let indent = usize::try_from(frame.column_number.unwrap_or(1)).unwrap_or(1).saturating_sub(1);
    // A minified file has one line, which helps nobody.
    let excerpt = match line.len() {
        0..=400 => format!("{line}\n{}^\n", " ".repeat(indent)),
        _ => String::new(),
    };
    Some(format!("{path}:{number}\n{excerpt}\n"))
}

fn stack_of(error: &JsError) -> String {
    match &error.stack {
        Some(stack) if !stack.is_empty() => own_stack(stack),
        // A value that is not an error has no stack.
        _ => error.exception_message.clone(),
    }
}

/// Removes from a stack the frames of this runtime's own code. Text after such a frame, such as the brace before an
/// error's members, stays.
fn own_stack(text: &str) -> String {
    // `node:vm` puts the place before a stack that it lets pass, even where the place is one of ours.
    let text = match text.split_once("\n\n") {
        Some((place, stack)) if place.starts_with("ext:") => stack,
        _ => text,
    };
    let mut own = String::with_capacity(text.len());
    for line in text.lines() {
        let frame = line.trim_start();
        let is_ours =
            frame.starts_with("at ") && (frame.contains("(ext:") || frame.starts_with("at ext:"));
        if !is_ours {
            if !own.is_empty() {
                own.push('\n');
            }
            own.push_str(line);
        } else if let Some(end) = frame.rfind(|letter: char| letter.is_ascii_digit()) {
            let rest = &frame[end + 1..];
            own.push_str(rest.strip_prefix(')').unwrap_or(rest));
        }
    }
    own
}

fn path_of(name: &str) -> String {
    ModuleSpecifier::parse(name)
        .ok()
        .and_then(|url| url.to_file_path().ok())
        .map_or_else(|| name.to_owned(), |path| path.to_string_lossy().into_owned())
}
