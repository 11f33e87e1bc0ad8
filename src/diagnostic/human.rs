//! An error for a person: what, where, what to do; and the exit code that stands for it.

use std::fmt::Write;
use trine_engine::{Error, ErrorKind};

/// What to do about an error of this kind, where that can be said.
pub fn hint(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::MalformedHandler => {
            "write a handler as file.export (src/app.handler) or as file:export (src/app.py:handler)"
        }
        ErrorKind::AmbiguousHandler => "name the file with its extension, as in app.py:handler",
        ErrorKind::ImportModule => {
            "is the dependency vendored beside the handler? JavaScript looks into node_modules, Python into the \
             function's folder and package/, Lua into the function's folder; layers are searched as well"
        }
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

/// The error in full, then what to do about it.
pub fn explain(error: &Error) -> String {
    let mut text = format!("error: {error:#}");
    // An error that tells its own facts tells what to do as well.
    if let Some(hint) = hint(error.kind()).filter(|_| error.context().is_empty()) {
        // Writing to a string does not fail.
        let _ = write!(text, "\n\nhint: {hint}");
    }
    text
}

/// The exit code of a command that ends with an error of this kind. 0 is success and 2 a wrong command line.
///
/// | code | meaning |
/// | --- | --- |
/// | 1 | the handler failed |
/// | 3 | the handler could not be found or loaded |
/// | 4 | the event is no valid input |
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
}
