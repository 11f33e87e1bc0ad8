//! The folder of a new project: empty before, whole afterwards. Nothing that exists is written over, and what was begun is
//! taken away where it cannot be finished.

use super::{NewError, ProjectFile};
use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

/// What may be in a folder that counts as empty.
const ALLOWED: &str = ".git";

/// Most entries of a folder that a message names.
const NAMED: usize = 4;

/// Makes a project's files in a folder, which is made where it is missing.
///
/// # Errors
/// [`NewError::Occupied`] and [`NewError::NoFolder`] where there is something else, [`NewError::Io`] where the system
/// refuses.
pub(crate) fn make(folder: &Path, files: &[ProjectFile]) -> Result<(), NewError> {
    check(folder)?;
    let mut made = Made(Vec::new());
    made.folders(folder)?;
    for file in files {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            made.folders(parent)?;
        }
        made.file(&path, &file.text)?;
    }
    made.0.clear();
    Ok(())
}

/// Checks that a folder is missing or empty, but for version control.
fn check(folder: &Path) -> Result<(), NewError> {
    // A link that leads nowhere exists, too.
    if folder.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(());
    }
    if !folder.is_dir() {
        return Err(NewError::NoFolder(folder.to_owned()));
    }
    let failed = |source| NewError::Io { what: "read", path: folder.to_owned(), source };
    let entries: io::Result<Vec<_>> = fs::read_dir(folder).map_err(failed)?.collect();
    let mut names: Vec<String> = entries
        .map_err(failed)?
        .iter()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != ALLOWED)
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    names.sort();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let mut contents = names.join(", ");
    if more > 0 {
        contents += &format!(" and {more} more");
    }
    Err(NewError::Occupied { folder: folder.to_owned(), contents })
}

/// What was made so far, in order. Taken away when dropped.
struct Made(Vec<PathBuf>);

impl Made {
    /// Makes a folder and those above it that are missing.
    fn folders(&mut self, folder: &Path) -> Result<(), NewError> {
        let missing: Vec<&Path> = folder
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
            .collect();
        for path in missing.into_iter().rev() {
            fs::create_dir(path).map_err(|source| failed(path, source))?;
            self.0.push(path.to_owned());
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, text: &str) -> Result<(), NewError> {
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        let mut file = file.map_err(|source| failed(path, source))?;
        self.0.push(path.to_owned());
        file.write_all(text.as_bytes()).map_err(|source| failed(path, source))
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for path in self.0.iter().rev() {
            // What cannot be taken away stays; the reason why nothing was made is told.
            let _ = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
        }
    }
}

fn failed(path: &Path, source: io::Error) -> NewError {
    NewError::Io { what: "make", path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> ProjectFile {
        ProjectFile { path: path.to_owned(), text: "text\n".to_owned() }
    }

    #[test]
    fn a_folder_is_made_or_taken_where_it_is_empty() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("hello");
        make(&folder, &[file("a.py"), file("events/a.json")]).unwrap();
        assert_eq!(fs::read_to_string(folder.join("events/a.json")).unwrap(), "text\n");
        let empty = parent.path().join("empty");
        fs::create_dir_all(empty.join(".git")).unwrap();
        make(&empty, &[file("a.py")]).unwrap();
        assert!(empty.join("a.py").is_file());
    }

    #[test]
    fn what_exists_stays_and_is_named() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c", "d", "e", "f"] {
            fs::write(parent.path().join(name), "mine").unwrap();
        }
        let told = make(parent.path(), &[file("g")]).unwrap_err().to_string();
        assert!(told.contains("is not empty: it has a, b, c, d and 2 more"), "{told}");
        assert!(!parent.path().join("g").exists());
        let told = make(&parent.path().join("a"), &[file("g")]).unwrap_err().to_string();
        assert!(told.ends_with("a exists and is no folder; choose another name"), "{told}");
        let nowhere = parent.path().join("nowhere");
        std::os::unix::fs::symlink("gone", &nowhere).unwrap();
        assert!(matches!(make(&nowhere, &[file("g")]), Err(NewError::NoFolder(_))));
    }

    #[test]
    fn what_cannot_be_finished_is_taken_away() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("hello");
        // The second file's folder is a file.
        let told = make(&folder, &[file("events"), file("events/a.json")]).unwrap_err();
        assert!(told.to_string().starts_with("cannot make "), "{told}");
        assert!(!folder.exists());
        assert!(parent.path().is_dir());
    }
}
