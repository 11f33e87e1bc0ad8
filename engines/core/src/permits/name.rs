//! Environment variables and programs, as permissions name them.

use super::path::{entry, which};
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    str::FromStr,
};

/// An environment variable, or all whose names begin so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    name: String,
    is_prefix: bool,
}

impl Variable {
    pub(super) fn covers(&self, name: &str) -> bool {
        if self.is_prefix { name.starts_with(&self.name) } else { name == self.name }
    }
}

impl FromStr for Variable {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((name, _)) = text.split_once('=') {
            return Err(format!("{text:?}: write the name alone: {name:?}"));
        }
        let (name, is_prefix) = match text.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (text, false),
        };
        if name.contains('*') {
            return Err(format!(
                "{text:?}: a * stands at the end of a name, for all that begin so: AWS_*"
            ));
        }
        if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(format!("{text:?} is no name of a variable"));
        }
        Ok(Self { name: name.to_owned(), is_prefix })
    }
}

/// A program, by its name or its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Program {
    Name(String),
    Path(PathBuf),
}

impl Program {
    /// Returns the place of the program, as far as there is one now; paths are as seen from `root`.
    pub(super) fn place(&self, root: &Path) -> Option<PathBuf> {
        match self {
            Self::Name(name) => {
                let folders = env::var_os("PATH").unwrap_or_default();
                which(name, &folders).map(|path| entry(&path))
            }
            Self::Path(path) => Some(entry(&root.join(path))),
        }
    }

    /// Whether this denies what lies at a place: a name denies it wherever it lies.
    pub(super) fn denies(&self, place: &Path, root: &Path) -> bool {
        match self {
            Self::Name(name) => place.file_name() == Some(OsStr::new(name)),
            Self::Path(path) => entry(&root.join(path)) == place,
        }
    }
}

impl FromStr for Program {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            return Ok(Self::Path(PathBuf::from(text)));
        }
        if let Some((name, _)) = text.split_once(char::is_whitespace) {
            return Err(format!(
                "{text:?}: a permission names a program without its arguments: {name:?}"
            ));
        }
        Ok(Self::Name(text.to_owned()))
    }
}
