//! From a function's folder to what is uploaded: a zip file for Lambda, a container image, a project that deploys either.
//!
//! What goes in is a survey of the folder ([`crate::folder`]). It is copied to an empty place and started there once
//! ([`Stage`]), by the runtime that will run it: so the handler is known to load from what is shipped alone, and what
//! makes later starts faster is shipped too. Packages are reproducible: names are sorted, times and modes are the same
//! wherever they are made; what runs leave behind is as reproducible as an engine makes it. A package appears under its name when it is whole, or not at all ([`Target`]).

mod archive;
mod image;
mod stage;
mod target;
mod template;
mod time;

pub use archive::write_zip;
pub use image::{Base, Image};
pub use stage::Stage;
pub use target::{Target, write_new};
pub use template::{Project, Template};
pub use time::Time;

use std::{io, path::PathBuf};

/// The reason why nothing was packaged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// A file of that name exists already.
    #[error("{0:?} exists already: choose another name, or replace it with --force")]
    Exists(PathBuf),
    /// The name cannot be that of a file.
    #[error("cannot write {path:?}: {why}")]
    NoTarget {
        /// The name.
        path: PathBuf,
        /// The reason.
        why: &'static str,
    },
    /// The package could not be written. Nothing is left of it.
    #[error("cannot write {path:?}: {error}; nothing was left there")]
    Write {
        /// Its name.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// A file of the function could not be read.
    #[error("cannot read {path:?}: {error}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// A file that was written to while it was packaged.
    #[error("{0:?} changed while it was read: try again when nothing writes to it")]
    Changed(PathBuf),
    /// The copy on which the function is tried could not be made.
    #[error(
        "cannot copy the function to a temporary folder to try it: {0}; set TMPDIR to a folder that can be written, or pass \
         --no-check and --no-cache"
    )]
    Stage(#[source] io::Error),
    /// The base of an image that is none.
    #[error("the base {path:?} {why}")]
    Base {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A time that archives cannot hold.
    #[error("{0}")]
    Time(String),
}

/// The listener that hears what is being done and how far it has come.
pub type Progress<'p> = &'p dyn Fn(&str);
