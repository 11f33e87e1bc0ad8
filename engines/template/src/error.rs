//! What is wrong with a file, and where.

use std::{error::Error, fmt, path::PathBuf};

/// The reason for which a file cannot be read as a project, with its place: `template.yaml:7:5: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadError {
    /// The file, as it was given or as another file names it.
    pub file: PathBuf,
    /// The line, counted from 1; `None` where the file as a whole is meant.
    pub line: Option<usize>,
    /// The column in characters, counted from 1; `None` where the file as a whole is meant.
    pub column: Option<usize>,
    /// What is wrong, in lower case and without the place.
    pub message: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " {}", self.message)
    }
}

impl Error for ReadError {}

/// A place in one of the files of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// The file's number in the order of reading.
    pub(crate) file: u16,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A [`ReadError`] whose file is still a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: Place,
    pub(crate) message: String,
}

impl Fault {
    /// Makes a fault at a place.
    pub(crate) fn at(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into() }
    }
}
