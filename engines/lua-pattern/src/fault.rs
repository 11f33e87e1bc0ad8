//! The reasons why matching has ended without a result.

use std::fmt;

/// The reason why matching has ended without a result. Displays as Lua's own message for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// `%` at the end of a pattern.
    EndsWithEscape,
    /// `[` without its `]`.
    MissingBracket,
    /// `%b` without its two characters.
    MissingBalance,
    /// `%f` without a set.
    MissingFrontier,
    /// `)` without its `(`.
    InvalidCapture,
    /// A capture's number, from 1, that names no finished capture.
    InvalidIndex(i32),
    /// `(` without its `)`.
    UnfinishedCapture,
    /// More captures than Lua allows.
    TooManyCaptures,
    /// Items that need an alternative of their own, nested too deeply.
    TooComplex,
    /// `%` before anything but a digit or another `%` in a replacement string.
    InvalidEscape,
    /// A stop at the caller's request.
    Stopped,
}

impl Fault {
    /// Returns the message, without the number of [`Fault::InvalidIndex`], which comes last in it.
    pub const fn message(self) -> &'static str {
        match self {
            Self::EndsWithEscape => "malformed pattern (ends with '%')",
            Self::MissingBracket => "malformed pattern (missing ']')",
            Self::MissingBalance => "malformed pattern (missing arguments to '%b')",
            Self::MissingFrontier => "missing '[' after '%f' in pattern",
            Self::InvalidCapture => "invalid pattern capture",
            Self::InvalidIndex(_) => "invalid capture index %",
            Self::UnfinishedCapture => "unfinished capture",
            Self::TooManyCaptures => "too many captures",
            Self::TooComplex => "pattern too complex",
            Self::InvalidEscape => "invalid use of '%' in replacement string",
            Self::Stopped => "matching was stopped",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())?;
        match self {
            Self::InvalidIndex(index) => write!(f, "{index}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
