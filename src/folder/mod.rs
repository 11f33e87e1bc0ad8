//! A function's or a layer's folder as it is shipped: its files, what is left out and why, what must not be there.
//!
//! [`Survey::run`] walks a folder once. What comes out is sorted by name, so that the same files give the same package,
//! whatever the file system's order. What may stay behind is decided by `rules`: leftovers of tools that every project
//! has, what engines know to be of no use to them, and `.trineignore`.

mod code;
mod rules;
mod walk;

pub use code::machine_code;
pub(crate) use code::versions_of_library;
pub use rules::IGNORE_FILE;
pub(crate) use rules::PART_PREFIX;
pub use walk::Survey;

use std::{collections::BTreeMap, path::PathBuf};
use trine_engine::{PackedFile, PackedFolder};

/// Maximum number of files in a folder. Lambda takes 250 MB; a folder with more files is the wrong one.
pub const MOST_FILES: usize = 200_000;

/// The comment at the end of the zip files that this program writes, by which it knows them again.
pub(crate) const ZIP_COMMENT: &str = "Packaged by trine.";
/// The beginning of an image: the name of its first file.
pub(crate) const IMAGE_START: &str = "oci-layout\0";

/// The outcome of a survey.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// The folder, absolute.
    pub root: PathBuf,
    /// What is shipped, sorted by name.
    pub entries: Vec<Entry>,
    /// What is left out, by reason.
    pub left_out: LeftOut,
    /// What cannot be shipped as it is.
    pub problems: Vec<Problem>,
}

/// A file, link or empty folder that is shipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path below the folder, with slashes.
    pub name: String,
    /// The path at which it can be read.
    pub path: PathBuf,
    /// Its kind, with what matters of that kind.
    pub kind: Kind,
    /// Its permission bits on this machine.
    pub mode: u32,
}

/// The kind of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File {
        /// Its size in bytes.
        size: u64,
    },
    /// A folder without anything in it.
    Folder,
    /// A symbolic link to something in the same folder.
    Link {
        /// The path that it leads to, relative to its own folder.
        target: String,
    },
}

impl Entry {
    /// Returns its size when it is unpacked.
    pub fn size(&self) -> u64 {
        match &self.kind {
            Kind::File { size } => *size,
            Kind::Folder => 0,
            Kind::Link { target } => target.len() as u64,
        }
    }

    /// Whether its owner may execute it.
    pub fn is_executable(&self) -> bool {
        self.mode & 0o100 != 0
    }
}

/// Something that cannot be shipped as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What it is and where.
    pub what: String,
    /// What to do about it.
    pub advice: &'static str,
}

/// What is left out: by reason, how much of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut(BTreeMap<String, Amount>);

/// A number of files and their size.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amount {
    /// Number of files.
    pub files: usize,
    /// Bytes in them.
    pub bytes: u64,
    /// Name of the first of them, or of the folder that they are in.
    pub example: String,
}

impl LeftOut {
    fn add(&mut self, reason: &str, name: &str, files: usize, bytes: u64) {
        let amount = self.0.entry(reason.to_owned()).or_default();
        if amount.files == 0 && amount.example.is_empty() {
            name.clone_into(&mut amount.example);
        }
        amount.files += files;
        amount.bytes += bytes;
    }

    /// Returns the reasons in alphabetical order, each with its amount.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Amount)> {
        self.0.iter().map(|(reason, amount)| (reason.as_str(), amount))
    }
}

impl Contents {
    /// Returns the size of everything when it is unpacked.
    pub fn size(&self) -> u64 {
        self.entries.iter().map(Entry::size).sum()
    }

    /// Returns the number of files and links.
    pub fn files(&self) -> usize {
        self.entries.iter().filter(|entry| entry.kind != Kind::Folder).count()
    }

    /// Returns the files for engines to look at, with the facts about machine code in them.
    pub fn for_engines(&self) -> PackedFolder {
        let mut files: Vec<PackedFile> = Vec::new();
        for Entry { name, path, kind, .. } in &self.entries {
            let size = match kind {
                Kind::Folder => continue,
                Kind::File { size } => *size,
                Kind::Link { .. } => 0,
            };
            // A link has the code of what it leads to: libraries have several names.
            let code = machine_code(path);
            files.push(PackedFile { name: name.clone(), path: path.clone(), size, code });
        }
        PackedFolder { root: self.root.clone(), files }
    }
}

/// The reason why a folder cannot be surveyed at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It does not exist, or is something else.
    #[error("{0:?} is not a folder: name the folder that holds the function")]
    NotAFolder(PathBuf),
    /// It holds too many files.
    #[error(
        "{root:?} holds more than {MOST_FILES} files, most of them in {fullest:?}: is it the function's folder? what need \
         not be shipped can be named in {IGNORE_FILE}"
    )]
    TooMany {
        /// The folder.
        root: PathBuf,
        /// The part of it with the most files.
        fullest: String,
    },
    /// Layers that could not be put into one folder.
    #[error("cannot unpack the layers into one folder: {0}")]
    Merge(#[source] std::io::Error),
    /// A rule in the file of exceptions that makes no sense.
    #[error("{0}")]
    Rules(String),
}
