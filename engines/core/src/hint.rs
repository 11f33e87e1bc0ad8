//! What a language knows about its errors.

use crate::{Error, ErrorKind};

/// What a language's users do about an error: the command that installs what is missing, the place where it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// Parts of messages, one of which the error's message has; empty where any message will do.
    pub words: &'static [&'static str],
    /// What to do.
    pub text: &'static str,
}

impl Hint {
    pub(crate) fn fits(&self, error: &Error) -> bool {
        let has_words = || self.words.iter().any(|words| error.message().contains(words));
        self.kind == error.kind() && (self.words.is_empty() || has_words())
    }
}
