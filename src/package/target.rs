//! A file that appears under its name when it is whole, or not at all.

use super::PackageError;
use crate::folder::PART_PREFIX;
use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// A file that is being written, beside where it will be.
pub struct Target {
    part: NamedTempFile,
    path: PathBuf,
    force: bool,
}

impl Target {
    /// Begins a file. `force` says whether it may replace another one.
    ///
    /// # Errors
    /// When there is one already, or nothing can be written there.
    pub fn create(path: &Path, force: bool) -> Result<Self, PackageError> {
        check(path, force)?;
        let part = tempfile::Builder::new()
            .prefix(PART_PREFIX)
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder_of(path))
            .map_err(|error| PackageError::Write { path: path.to_owned(), error })?;
        Ok(Self { part, path: path.to_owned(), force })
    }

    /// Returns the file that is being written.
    pub fn file(&mut self) -> &mut File {
        self.part.as_file_mut()
    }

    /// Returns the name that it will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the error for what the system said as it was written.
    pub fn failed(&self, error: io::Error) -> PackageError {
        PackageError::Write { path: self.path.clone(), error }
    }

    /// Returns a file without a name, on the same disk, that is gone when it is closed.
    ///
    /// # Errors
    /// When there can be none.
    pub fn scratch(&self) -> Result<File, PackageError> {
        tempfile::tempfile_in(folder_of(&self.path)).map_err(|error| self.failed(error))
    }

    /// Gives the file its name, once all of it is on the disk. Returns its size.
    ///
    /// # Errors
    /// When the disk is full or broken, or somebody else has made a file of that name meanwhile.
    pub fn finish(self) -> Result<u64, PackageError> {
        let Self { part, path, force } = self;
        let failed = |error| PackageError::Write { path: path.clone(), error };
        part.as_file().sync_all().map_err(failed)?;
        let size = part.as_file().metadata().map_err(failed)?.len();
        let named = match force {
            true => part.persist(&path),
            false => part.persist_noclobber(&path),
        };
        named.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => PackageError::Exists(path.clone()),
            _ => failed(error.error),
        })?;
        // The name is on the disk, too, where the system can promise that.
        let _ = File::open(folder_of(&path)).and_then(|folder| folder.sync_all());
        Ok(size)
    }
}

/// Writes a small file, whole or not at all.
///
/// # Errors
/// As [`Target`].
pub fn write_new(path: &Path, text: &str, force: bool) -> Result<(), PackageError> {
    let mut target = Target::create(path, force)?;
    let written = target.file().write_all(text.as_bytes());
    written.map_err(|error| target.failed(error))?;
    target.finish().map(drop)
}

/// Says early whether a file can be made, before any work is done for it.
fn check(path: &Path, force: bool) -> Result<(), PackageError> {
    let refused = |why| Err(PackageError::NoTarget { path: path.to_owned(), why });
    match fs::symlink_metadata(path) {
        Ok(facts) if facts.is_dir() => refused("it is a folder: name a file in it"),
        _ if path.file_name().is_none() => refused("it names no file"),
        Ok(_) if !force => Err(PackageError::Exists(path.to_owned())),
        Ok(facts) if !facts.is_file() && !facts.is_symlink() => refused("it is no file"),
        Ok(_) => Ok(()),
        Err(_) if !folder_of(path).is_dir() => refused("its folder does not exist"),
        Err(_) => Ok(()),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_appears_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        let mut target = Target::create(&path, false).unwrap();
        target.file().write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(target);
        assert_eq!(names(folder.path()), Vec::<String>::new());
        let mut target = Target::create(&path, false).unwrap();
        target.file().write_all(b"whole").unwrap();
        assert_eq!(target.finish().unwrap(), 5);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert!(mode & 0o600 == 0o600 && mode & 0o111 == 0, "{mode:o}");
    }

    #[test]
    fn what_exists_is_replaced_only_where_that_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        let target = Target::create(&path, false).unwrap();
        // Somebody else is faster.
        fs::write(&path, "theirs").unwrap();
        assert!(matches!(target.finish(), Err(PackageError::Exists(_))));
        assert!(matches!(Target::create(&path, false), Err(PackageError::Exists(_))));
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        write_new(&path, "ours", true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ours");
        assert_eq!(names(folder.path()), ["a.zip"]);
    }

    #[test]
    fn what_cannot_be_a_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for (name, why) in [("", "it is a folder"), ("no/such/a.zip", "its folder does not exist")]
        {
            let Err(error) = Target::create(&folder.path().join(name), true) else {
                panic!("{name:?} was taken")
            };
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
