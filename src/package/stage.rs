//! The place at which a function is tried before it is shipped: a copy of what will be in the package, and nothing else.

use super::PackageError;
use crate::{
    doctor::{Outcome, Trial},
    engines::Registry,
    folder::{Contents, Entry, Kind},
};
use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};
use tempfile::TempDir;

/// A copy of what will be in the package.
pub struct Stage {
    folder: TempDir,
    /// Folders for what makes later starts faster.
    caches: Vec<&'static str>,
}

impl Stage {
    /// Copies what is shipped to an empty folder. `with_cache` says whether a run leaves there what makes later starts
    /// faster; what came with the function counts otherwise.
    ///
    /// # Errors
    /// [`PackageError::Stage`], [`PackageError::Read`].
    pub fn new(
        contents: &Contents,
        registry: &Registry,
        with_cache: bool,
    ) -> Result<Self, PackageError> {
        let folder = tempfile::Builder::new()
            .prefix("trine-stage-")
            .tempdir()
            .map_err(PackageError::Stage)?;
        for entry in &contents.entries {
            copy(entry, folder.path())?;
        }
        let mut caches = Vec::new();
        for name in registry.iter().filter_map(|engine| engine.cache_folder()) {
            if with_cache {
                fs::create_dir_all(folder.path().join(name)).map_err(PackageError::Stage)?;
                caches.push(name);
            }
        }
        Ok(Self { folder, caches })
    }

    /// Returns the folder of the copy.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the function here once.
    pub fn run(&self, runtime: &Path, handler: &str, layer_root: &Path) -> Outcome {
        let trial = Trial {
            runtime,
            root: self.folder.path(),
            handler: Some(handler),
            layer_root,
            keeps_cache: !self.caches.is_empty(),
        };
        trial.run()
    }

    /// Returns what the run has left for later starts, sorted by name. It lasts as long as the stage.
    ///
    /// # Errors
    /// [`PackageError::Stage`].
    pub fn left_behind(&self) -> Result<Vec<Entry>, PackageError> {
        let mut entries = Vec::new();
        for name in &self.caches {
            let folder = self.folder.path().join(name);
            for file in fs::read_dir(&folder).map_err(PackageError::Stage)? {
                let file = file.map_err(PackageError::Stage)?;
                let facts = file.metadata().map_err(PackageError::Stage)?;
                let Ok(base) = file.file_name().into_string() else { continue };
                if facts.is_file() {
                    entries.push(Entry {
                        name: format!("{name}/{base}"),
                        path: file.path(),
                        kind: Kind::File { size: facts.len() },
                        mode: 0o644,
                    });
                }
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}

fn copy(entry: &Entry, root: &Path) -> Result<(), PackageError> {
    let place = root.join(&entry.name);
    let made = |result: io::Result<()>| result.map_err(PackageError::Stage);
    if let Some(folder) = place.parent() {
        made(fs::create_dir_all(folder))?;
    }
    match &entry.kind {
        Kind::Folder => made(fs::create_dir_all(&place)),
        Kind::Link { target } => made(symlink(target, &place)),
        Kind::File { .. } => {
            // What cannot be read is told as such; the rest is the copy's fault.
            fs::File::open(&entry.path)
                .map_err(|error| PackageError::Read { path: entry.path.clone(), error })?;
            made(fs::copy(&entry.path, &place).map(drop))?;
            let mode = if entry.is_executable() { 0o755 } else { 0o644 };
            made(fs::set_permissions(&place, Permissions::from_mode(mode)))
        }
    }
}
