//! The folders that are watched: each by itself, so that junk costs nothing and links are followed.

use super::relevance::Relevance;
use notify::{RecursiveMode, Watcher};
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

/// The most folders that are watched; the system keeps something for each.
const MOST: usize = 100_000;

/// The folders that are watched.
pub(super) struct Tree {
    watcher: Box<dyn Watcher + Send>,
    /// Real paths of the folders, so that none is watched twice where links lead in circles.
    folders: HashSet<PathBuf>,
    /// What kept a folder from being watched, until it has been told.
    problem: Option<String>,
    is_told: bool,
}

impl Tree {
    pub(super) fn new(watcher: Box<dyn Watcher + Send>) -> Self {
        Self { watcher, folders: HashSet::new(), problem: None, is_told: false }
    }

    /// Watches a folder and those in it. Returns the files in those that were not watched before.
    pub(super) fn add(&mut self, folder: &Path, relevance: &Relevance) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut waiting = vec![folder.to_owned()];
        while let Some(folder) = waiting.pop() {
            if !relevance.enters(&folder) {
                continue;
            }
            let Ok(real) = fs::canonicalize(&folder) else { continue };
            if self.folders.contains(&real) {
                continue;
            }
            if self.folders.len() >= MOST {
                self.note(format!(
                    "there are more than {MOST} folders, and changes in some of them are not seen: --ignore leaves folders out"
                ));
                break;
            }
            // Watched first: what comes while it is read is told.
            if let Err(error) = self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                self.note_failure(&folder, &error);
                if matches!(error.kind, notify::ErrorKind::MaxFilesWatch) {
                    break;
                }
            }
            self.folders.insert(real);
            // One that may not be read has nothing in it that functions could be made of.
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                let path = entry.path();
                // Links are followed: packages are linked into place.
                match fs::metadata(&path) {
                    Ok(about) if about.is_dir() => waiting.push(path),
                    Ok(_) if relevance.counts(&path) => found.push(path),
                    _ => {}
                }
            }
        }
        found
    }

    /// Watches the folder of a file.
    pub(super) fn add_file(&mut self, file: &Path) {
        let Some(folder) = file.parent() else { return };
        if let Ok(real) = fs::canonicalize(folder)
            && !self.folders.contains(&real)
            && self.watcher.watch(folder, RecursiveMode::NonRecursive).is_ok()
        {
            self.folders.insert(real);
        }
    }

    /// Forgets a folder that is gone, and those in it: one of the same name would be another. Returns whether it was
    /// watched.
    pub(super) fn forget(&mut self, folder: &Path) -> bool {
        let real = folder.parent().and_then(|parent| fs::canonicalize(parent).ok());
        let real = real.zip(folder.file_name()).map(|(parent, name)| parent.join(name));
        let real = real.as_deref().unwrap_or(folder);
        let gone: Vec<PathBuf> =
            self.folders.iter().filter(|known| known.starts_with(real)).cloned().collect();
        let was_watched = !gone.is_empty();
        for folder in gone {
            // The system has forgotten it already, as a rule.
            let _ = self.watcher.unwatch(&folder);
            self.folders.remove(&folder);
        }
        was_watched
    }

    /// Returns what keeps folders from being watched, once.
    pub(super) fn take_problem(&mut self) -> Option<String> {
        self.problem.take()
    }

    fn note_failure(&mut self, folder: &Path, error: &notify::Error) {
        let message = match error.kind {
            notify::ErrorKind::MaxFilesWatch => {
                "the system watches no more folders, so changes in some are not seen: raise \
                 fs.inotify.max_user_watches, leave folders out with --ignore, or have files looked at with --poll"
                    .to_owned()
            }
            _ => format!("changes in {} are not seen: {error}", folder.display()),
        };
        self.note(message);
    }

    fn note(&mut self, problem: String) {
        if !self.is_told {
            self.is_told = true;
            self.problem = Some(problem);
        }
    }
}
