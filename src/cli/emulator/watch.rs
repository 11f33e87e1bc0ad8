//! Changes of functions' files, found by looking at them every now and then.

use std::{
    ffi::OsStr,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    time::Duration,
};

/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(400);
/// Folders that hold what nobody edits.
const PASSED_OVER: [&str; 4] = ["node_modules", "__pycache__", "target", "venv"];
/// Levels of folders that are looked into; links might lead in circles.
const LEVELS: usize = 16;

/// A watch over the folders of functions.
pub(super) struct Watch {
    folders: Vec<PathBuf>,
    extensions: Vec<&'static OsStr>,
    seen: Vec<u64>,
}

impl Watch {
    /// Begins to watch the files with these extensions in the folders.
    pub(super) fn new(folders: Vec<PathBuf>, extensions: Vec<&'static OsStr>) -> Self {
        let seen = folders.iter().map(|folder| fingerprint(folder, &extensions, LEVELS)).collect();
        Self { folders, extensions, seen }
    }

    /// Waits until files have changed; returns the places of their folders.
    pub(super) async fn changed(&mut self) -> Vec<usize> {
        loop {
            tokio::time::sleep(PAUSE).await;
            let now: Vec<u64> = self
                .folders
                .iter()
                .map(|folder| fingerprint(folder, &self.extensions, LEVELS))
                .collect();
            let changed: Vec<usize> =
                (0..now.len()).filter(|place| now[*place] != self.seen[*place]).collect();
            if !changed.is_empty() {
                self.seen = now;
                return changed;
            }
        }
    }
}

/// Sums up names, sizes and times of a folder's files. What cannot be read counts as absent.
fn fingerprint(folder: &Path, extensions: &[&'static OsStr], levels: usize) -> u64 {
    let mut sum: u64 = 0;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy();
        if name.starts_with('.') || PASSED_OVER.contains(&&*name) {
            continue;
        }
        let Ok(facts) = fs::metadata(&path) else { continue };
        if facts.is_dir() {
            if levels > 0 {
                sum = sum.wrapping_add(fingerprint(&path, extensions, levels - 1));
            }
        } else if path.extension().is_some_and(|extension| extensions.contains(&extension)) {
            let mut hasher = DefaultHasher::new();
            (path, facts.len(), facts.modified().ok()).hash(&mut hasher);
            sum = sum.wrapping_add(hasher.finish());
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_counts_wherever_it_lies_and_what_nobody_edits_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let look = || fingerprint(folder.path(), &[OsStr::new("py")], LEVELS);
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let empty = look();
        write("app.py", "1");
        let one = look();
        assert_ne!(one, empty);
        for other in
            ["notes.txt", ".hidden.py", "node_modules/a.py", "__pycache__/a.py", "a/.git/x.py"]
        {
            write(other, "1");
            assert_eq!(look(), one, "{other}");
        }
        write("lib/deep/part.py", "1");
        let two = look();
        assert_ne!(two, one);
        write("lib/deep/part.py", "12");
        assert_ne!(look(), two);
        fs::remove_dir_all(folder.path().join("lib")).unwrap();
        assert_eq!(look(), one);
    }
}
