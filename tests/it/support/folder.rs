//! Folders of functions: temporary ones, and the languages that the tests cover.

use super::process::binary;
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A kind of handler file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Language {
    /// Its engine's id.
    pub(crate) engine: &'static str,
    /// Its file extension.
    pub(crate) extension: &'static str,
    /// A handler that does what its event asks for; see `functions/`.
    pub(crate) probe: &'static str,
}

macro_rules! language {
    ($engine:literal, $extension:literal) => {
        Language {
            engine: $engine,
            extension: $extension,
            probe: include_str!(concat!("../functions/probe.", $extension)),
        }
    };
}

/// Every kind of handler file.
pub(crate) const LANGUAGES: [Language; 5] = [
    language!("js", "mjs"),
    language!("js", "cjs"),
    language!("js", "ts"),
    language!("python", "py"),
    language!("lua", "lua"),
];

/// One kind of file for each engine.
pub(crate) const PROBE_LANGUAGES: [Language; 3] = [LANGUAGES[0], LANGUAGES[3], LANGUAGES[4]];

/// A folder for one test, removed when dropped: `task` with the function's files, an empty `opt`, and
/// `bootstrap`.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// Makes a folder with these files in its task root.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(TempDir::new().unwrap());
        fs::create_dir(folder.layers()).unwrap();
        fs::create_dir(folder.task()).unwrap();
        symlink(binary(), folder.bootstrap()).unwrap();
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    /// Makes a folder with the probe of `language` as `probe.<extension>`.
    pub(crate) fn probe(language: Language) -> Self {
        Self::new(&[(&format!("probe.{}", language.extension), language.probe)])
    }

    /// Writes a file below the task root.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.task().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Returns the function's folder.
    pub(crate) fn task(&self) -> PathBuf {
        self.0.path().join("task")
    }

    /// Returns the path of a file below the task root.
    pub(crate) fn file(&self, name: &str) -> String {
        self.task().join(name).to_str().unwrap().to_owned()
    }

    /// Returns the folder that layers are unpacked into.
    pub(crate) fn layers(&self) -> PathBuf {
        self.0.path().join("opt")
    }

    /// Returns the binary under the name by which Lambda starts it.
    pub(crate) fn bootstrap(&self) -> PathBuf {
        self.0.path().join("bootstrap")
    }
}

/// Returns the repository's root.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the number of the line of `source` that contains `text`.
#[track_caller]
pub(crate) fn line_of(source: &str, text: &str) -> usize {
    1 + source.lines().position(|line| line.contains(text)).expect("the text stands in the source")
}
