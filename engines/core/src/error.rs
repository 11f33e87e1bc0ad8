//! The one error type: what kind of thing went wrong, whose code it was, and where.

use std::fmt;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of thing that went wrong. Decides the default error type, the HTTP status and the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A handler string without a valid form.
    MalformedHandler,
    /// A handler string to which no file, export or function answers.
    HandlerNotFound,
    /// A handler string to which two files answer.
    AmbiguousHandler,
    /// A module, or one that it imports, that could not be found or loaded.
    ImportModule,
    /// A handler's module with the name of one that is built into the interpreter.
    BuiltInModuleConflict,
    /// A guest's source that does not parse.
    UserCodeSyntax,
    /// An error that the guest threw, raised or passed to `error`.
    Guest,
    /// An event that is not valid input for the handler's language.
    Unmarshal,
    /// A client context or identity that came with the event and does not parse.
    ContextUnmarshal,
    /// A handler's result without a JSON form.
    Marshal,
    /// A guest's request to end the process.
    Exit,
    /// A handler that waits for something that can no longer happen.
    NeverSettled,
    /// A rejected promise that nobody handled.
    UnhandledRejection,
    /// An exception from code outside the handler's call chain (a timer, an event listener).
    UncaughtException,
    /// An invocation that was stopped because its time was up.
    Timeout,
    /// A guest's heap that grew beyond its limit.
    OutOfMemory,
    /// A response that is larger than the front door can carry.
    ResponseTooLarge,
    /// A request that the engine cannot fulfil.
    Unsupported,
    /// A fault of ours or of the machine: never the guest's.
    Internal,
}

impl ErrorKind {
    /// Returns the error type that stands for this kind where the guest gave no name of its own. Lambda's own names
    /// where it has one.
    pub fn default_name(self) -> &'static str {
        match self {
            Self::MalformedHandler => "Runtime.MalformedHandlerName",
            Self::HandlerNotFound => "Runtime.HandlerNotFound",
            Self::AmbiguousHandler => "Runtime.AmbiguousHandler",
            Self::ImportModule => "Runtime.ImportModuleError",
            Self::BuiltInModuleConflict => "Runtime.BuiltInModuleConflict",
            Self::UserCodeSyntax => "Runtime.UserCodeSyntaxError",
            Self::Guest => "Error",
            Self::Unmarshal => "Runtime.UnmarshalError",
            Self::ContextUnmarshal => "Runtime.LambdaContextUnmarshalError",
            Self::Marshal => "Runtime.MarshalError",
            Self::Exit => "Runtime.ExitError",
            Self::NeverSettled => "Runtime.NodeJsExit",
            Self::UnhandledRejection => "Runtime.UnhandledPromiseRejection",
            Self::UncaughtException => "Runtime.UncaughtException",
            Self::Timeout => "Function.Timeout",
            Self::OutOfMemory => "Function.OutOfMemory",
            Self::ResponseTooLarge => "Function.ResponseSizeTooLarge",
            Self::Unsupported => "Runtime.Unsupported",
            Self::Internal => "Runtime.InternalError",
        }
    }
}

/// A place in a guest's source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// Name of the function; empty at a module's top level.
    pub function: String,
    /// Path of the file as the user knows it.
    pub file: String,
    /// Line, counted from 1; 0 when it is not known.
    pub line: u32,
    /// Column, counted from 1; 0 when it is not known.
    pub column: u32,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        if !self.function.is_empty() {
            write!(f, " in {}", self.function)?;
        }
        Ok(())
    }
}

/// Anything that can go wrong between an event and its answer.
///
/// `{}` gives one line with the guest's file and line where they are known, `{:#}` the whole: stack, context, causes.
#[derive(Debug)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    name: String,
    message: String,
    frames: Vec<Frame>,
    stack: Vec<String>,
    context: Vec<(&'static str, String)>,
    poisons: bool,
    returned: bool,
    log_document: Option<String>,
    cause: Option<Error>,
    hint: Option<&'static str>,
}

impl Error {
    /// Returns an error of `kind` under that kind's default name.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                name: kind.default_name().to_owned(),
                message: message.into(),
                frames: Vec::new(),
                stack: Vec::new(),
                context: Vec::new(),
                poisons: false,
                returned: false,
                log_document: None,
                cause: None,
                hint: None,
            }),
        }
    }

    /// Returns the error that a guest threw: `name` is the class or type by which the guest knows it.
    pub fn guest(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Guest, message).with_name(name)
    }

    /// Returns a fault of ours or of the machine.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// Replaces the name that callers see as `errorType`.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.inner.name = name.into();
        self.inner.log_document = None;
        self
    }

    /// Replaces the description of what went wrong.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.inner.message = message.into();
        self.inner.log_document = None;
        self
    }

    /// Sets the guest frames, innermost first, the runtime's own frames already removed.
    #[must_use]
    pub fn with_frames(mut self, frames: impl IntoIterator<Item = Frame>) -> Self {
        self.inner.frames = frames.into_iter().collect();
        self
    }

    /// Sets the stack as the language itself writes it, a line or an entry each.
    #[must_use]
    pub fn with_stack(mut self, stack: impl IntoIterator<Item = String>) -> Self {
        self.inner.stack = stack.into_iter().collect();
        self
    }

    /// Adds a fact for the reader of the full form: `("handler", "app.handler")`.
    #[must_use]
    pub fn with_context(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.inner.context.push((key, value.into()));
        self
    }

    /// Sets the error that led to this one.
    #[must_use]
    pub fn with_cause(mut self, cause: Error) -> Self {
        self.inner.cause = Some(cause);
        self
    }

    /// Sets what its reader can do about it, as the language that it is from knows ([`crate::EngineInfo::hint`]).
    #[must_use]
    pub fn with_hint(mut self, hint: Option<&'static str>) -> Self {
        self.inner.hint = hint;
        self
    }

    /// Sets the JSON object as which the language itself writes this error to a log of the form that is set, with more than
    /// is known here. Another name or message makes it void.
    #[must_use]
    pub fn with_log_document(mut self, document: String) -> Self {
        self.inner.log_document = Some(document);
        self
    }

    /// Marks the instance that raised this error as unfit for further calls.
    #[must_use]
    pub fn poisoning(mut self) -> Self {
        self.inner.poisons = true;
        self
    }

    /// Marks an error that a guest's `error` hook has returned instead of thrown: it takes the place of the one that
    /// the hook was given.
    #[must_use]
    pub fn returned(mut self) -> Self {
        self.inner.returned = true;
        self
    }

    /// Returns the kind of thing that went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Returns the name that callers see as `errorType`: the guest's class for what a guest threw, else `Runtime.…` or
    /// `Function.…`.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Returns what went wrong, without name and place.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// Returns the guest frames, innermost first.
    pub fn frames(&self) -> &[Frame] {
        &self.inner.frames
    }

    /// Returns the stack as the language itself writes it.
    pub fn stack(&self) -> &[String] {
        &self.inner.stack
    }

    /// Returns the facts that were added on the way: key and value.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.inner.context
    }

    /// Returns what its reader can do about it, where a language has said so.
    pub fn hint(&self) -> Option<&'static str> {
        self.inner.hint
    }

    /// Returns the error that led to this one.
    pub fn cause(&self) -> Option<&Error> {
        self.inner.cause.as_ref()
    }

    /// Returns the JSON object as which the language itself writes this error to the log, where it has told.
    pub fn log_document(&self) -> Option<&str> {
        self.inner.log_document.as_deref()
    }

    /// Whether an `error` hook has returned this error to replace the one it was given.
    pub fn is_returned(&self) -> bool {
        self.inner.returned
    }

    /// Whether the instance that raised this error must not be called again.
    pub fn poisons(&self) -> bool {
        self.inner.poisons
    }
}

impl Error {
    /// Returns the stack without the lines that repeat name and message, as V8's stacks begin.
    fn stack_without_header(&self) -> &[String] {
        let stack = self.stack();
        let mut message = self.message().split('\n');
        let lines = message.clone().count();
        if stack.len() >= lines
            && stack[0].ends_with(message.next().unwrap_or_default())
            && stack[1..lines].iter().map(String::as_str).eq(message)
        {
            return &stack[lines..];
        }
        let header = stack.iter().take_while(|line| !line.starts_with("    at ")).count();
        let repeats = header < stack.len() || stack.join("\n").ends_with(self.message());
        if repeats { &stack[header..] } else { stack }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.message())?;
        if !f.alternate() {
            if let Some(frame) = self.frames().first() {
                write!(f, " ({frame})")?;
            }
            return Ok(());
        }
        if self.stack().is_empty() {
            for frame in self.frames() {
                write!(f, "\n    at {frame}")?;
            }
        }
        for line in self.stack_without_header() {
            write!(f, "\n{}", line.trim_end())?;
        }
        for (key, value) in self.context() {
            write!(f, "\n  {key}: {value}")?;
        }
        if let Some(cause) = self.cause() {
            write!(f, "\ncaused by {cause:#}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.inner.cause.as_ref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_begins_with_the_message_does_not_repeat_it() {
        let stack = ["TypeError: a", "b", "    at f (x.mjs:1:2)"].map(str::to_owned);
        let error = Error::guest("TypeError", "a\nb").with_stack(stack);
        assert_eq!(format!("{error:#}"), "TypeError: a\nb\n    at f (x.mjs:1:2)");
        let frame_like = "a\n    at x (y.mjs:1:2)\nb";
        let stack = format!("TypeError: {frame_like}\n    at f (x.mjs:1:2)");
        let error =
            Error::guest("TypeError", frame_like).with_stack(stack.split('\n').map(str::to_owned));
        assert_eq!(format!("{error:#}"), stack);
        let error = Error::guest("TypeError", "a").with_stack(["TypeError: a".to_owned()]);
        assert_eq!(format!("{error:#}"), "TypeError: a");
    }

    #[test]
    fn one_line_names_the_place_and_the_full_form_the_stack() {
        let frame =
            Frame { function: "f".into(), file: "app.py".into(), line: 3, ..Frame::default() };
        let error = Error::guest("KeyError", "'a'")
            .with_frames([frame])
            .with_stack(["  File \"app.py\", line 3, in f\n".to_owned()])
            .with_context("handler", "app.f");
        assert_eq!(error.to_string(), "KeyError: 'a' (app.py:3 in f)");
        assert_eq!(
            format!("{error:#}"),
            "KeyError: 'a'\n  File \"app.py\", line 3, in f\n  handler: app.f"
        );
    }
}
