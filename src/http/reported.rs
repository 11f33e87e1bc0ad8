//! The errors already reported about functions that cannot be loaded. A server meets the same error in each of its
//! workers, and again with every request; it is printed in full once.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};
use trine_engine::{Error, ErrorKind};

/// Errors that were printed in full.
#[derive(Debug, Default)]
pub(super) struct Reported(Mutex<HashSet<Key>>);

/// An error of a function: its place, or, where that is not known, its message.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Key {
    At(String, ErrorKind, String, u32),
    Says(String, String),
}

impl Reported {
    /// Notes an error of a function that was being loaded. Returns whether it is new.
    pub(super) fn note(&self, function: &str, error: &Error) -> bool {
        self.known().insert(Key::of(function, error))
    }

    /// Whether an error of an invocation was reported when its function was loaded, or looked at. One that can only
    /// come from loading is noted.
    pub(super) fn knows(&self, function: &str, error: &Error) -> bool {
        match error.kind() {
            ErrorKind::UserCodeSyntax | ErrorKind::ImportModule | ErrorKind::HandlerNotFound => {
                !self.note(function, error)
            }
            _ => self.known().contains(&Key::of(function, error)),
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashSet<Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    fn of(function: &str, error: &Error) -> Self {
        match (error.kind(), error.frames().first()) {
            // A look at a file may use other words than an interpreter does.
            (kind @ ErrorKind::UserCodeSyntax, Some(place)) => {
                Self::At(function.to_owned(), kind, place.file.clone(), place.line)
            }
            (kind @ ErrorKind::HandlerNotFound, _) => {
                Self::At(function.to_owned(), kind, String::new(), 0)
            }
            _ => Self::Says(function.to_owned(), format!("{error:#}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trine_engine::Frame;

    fn syntax(line: u32, message: &str) -> Error {
        let frame = Frame { file: "/a.mjs".into(), line, ..Frame::default() };
        Error::new(ErrorKind::UserCodeSyntax, message).with_frames([frame])
    }

    #[test]
    fn an_error_of_loading_is_told_once_in_whichever_words() {
        let reported = Reported::default();
        assert!(reported.note("a", &syntax(1, "expected")));
        assert!(reported.knows("a", &syntax(1, "unexpected")));
        assert!(!reported.knows("b", &syntax(1, "expected")));
        assert!(!reported.knows("a", &syntax(2, "expected")));
        assert!(reported.knows("a", &syntax(2, "expected")));
    }

    #[test]
    fn an_error_of_an_invocation_is_told_every_time_unless_loading_has_told_it() {
        let reported = Reported::default();
        let error = Error::guest("ValueError", "no database");
        assert!(!reported.knows("a", &error) && !reported.knows("a", &error));
        assert!(reported.note("a", &error) && !reported.note("a", &error));
        assert!(reported.knows("a", &error));
    }
}
