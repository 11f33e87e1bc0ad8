//! The reasons why a plug-in is not taken: what was looked for, and what was found instead.

use crate::abi;
use std::{io, path::PathBuf};
use thiserror::Error;
use trine_engine::{Error as EngineError, ErrorKind};

/// The reason why a plug-in is not taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file that is not there.
    #[error("there is no plug-in {}{}", path.display(), hint(nearest.as_ref()))]
    Missing {
        /// The file.
        path: PathBuf,
        /// The library beside it that has the most similar name.
        nearest: Option<PathBuf>,
    },
    /// A file that cannot be read.
    #[error("the plug-in {} cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        reason: io::Error,
    },
    /// A file that is no shared library of this system's.
    #[error("the plug-in {} {found}; a shared library was looked for, as `cc -shared -fPIC` makes it", path.display())]
    NoLibrary {
        /// The file.
        path: PathBuf,
        /// What it is instead, as in "is a folder".
        found: String,
    },
    /// A shared library for another machine.
    #[error("the plug-in {} is for {found}, and this process runs on {}: build it for that", path.display(), std::env::consts::ARCH)]
    OtherMachine {
        /// The file.
        path: PathBuf,
        /// The machine that it is for.
        found: String,
    },
    /// A shared library that the system does not load: something that it needs is missing.
    #[error("the plug-in {} cannot be loaded: {reason}", path.display())]
    Unloadable {
        /// The file.
        path: PathBuf,
        /// The reason, in the words of the system's loader.
        reason: String,
    },
    /// A shared library that is no plug-in.
    #[error(
        "{} is no plug-in: it exports no function `trine_engine_v{}` (in C++ it has to be `extern \"C\"`)",
        path.display(), abi::VERSION
    )]
    NoEntry {
        /// The file.
        path: PathBuf,
    },
    /// A plug-in for another version of the interface.
    #[error(
        "the plug-in {} speaks version {found} of the plug-in interface, and this build speaks version {}: {}",
        path.display(), abi::VERSION, advice(*found)
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// The version that it speaks.
        found: u32,
    },
    /// A plug-in whose table of functions is not as it has to be.
    #[error("the plug-in {} has no usable table of functions: {reason}", path.display())]
    InvalidTable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A plug-in that says of itself what cannot be.
    #[error("the plug-in {} does not say what it is: {reason}", path.display())]
    InvalidInfo {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A plug-in that wants what somebody else has already.
    #[error("the plug-in {} is {what}, and so is {other}: take one of them", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
        /// What both are, as in "for files that end in .upper".
        what: String,
        /// Who has it.
        other: String,
    },
    /// A list of plug-ins with a gap.
    #[error("a file is missing between commas in the list of plug-ins {list:?}")]
    Gap {
        /// The list.
        list: String,
    },
}

impl From<LoadError> for EngineError {
    fn from(error: LoadError) -> Self {
        Self::new(ErrorKind::Internal, error.to_string())
    }
}

fn hint(nearest: Option<&PathBuf>) -> String {
    nearest.map_or_else(String::new, |nearest| format!("; did you mean {}?", nearest.display()))
}

fn advice(found: u32) -> &'static str {
    match found > abi::VERSION {
        true => "take a newer build of Trine, or an older one of the plug-in",
        false => "build the plug-in with the header of this version",
    }
}
