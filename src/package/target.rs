//! A file that appears under its name when it is whole, or not at all.

use super::PackageError;
use crate::folder::PART_PREFIX;
use nix::{
    fcntl::{AT_FDCWD, AtFlags, OFlag},
    unistd::linkat,
};
use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Seek, Write},
    os::{
        fd::AsRawFd,
        unix::fs::{OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// A file that is being written, on the disk on which it will be.
pub struct Target {
    part: Part,
    path: PathBuf,
    force: bool,
}

/// The file before it has its name.
enum Part {
    /// One without any, which is gone with this process, however that ends.
    Unnamed(File),
    /// One with a name of its own, where the file system knows no others. Removed when dropped.
    Named(NamedTempFile),
}

impl Target {
    /// Begins a file. `force` says whether it may replace another one.
    ///
    /// # Errors
    /// When there is one already, or nothing can be written there.
    pub fn create(path: &Path, force: bool) -> Result<Self, PackageError> {
        check(path, force)?;
        let unnamed = OpenOptions::new()
            .read(true)
            .write(true)
            .mode(0o666)
            .custom_flags(OFlag::O_TMPFILE.bits())
            .open(folder_of(path));
        let part = unnamed.map(Part::Unnamed).or_else(|_| named(path).map(Part::Named));
        let part = part.map_err(|error| PackageError::Write { path: path.to_owned(), error })?;
        Ok(Self { part, path: path.to_owned(), force })
    }

    /// Returns the file that is being written.
    pub fn file(&mut self) -> &mut File {
        match &mut self.part {
            Part::Unnamed(file) => file,
            Part::Named(file) => file.as_file_mut(),
        }
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
    pub fn finish(mut self) -> Result<u64, PackageError> {
        let synced = self.file().sync_all().and_then(|()| self.file().metadata());
        let size = synced.map_err(|error| self.failed(error))?.len();
        let Self { part, path, force } = self;
        let named = match part {
            Part::Unnamed(file) => name(file, &path, force),
            Part::Named(file) => persist(file, &path, force),
        };
        named.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => PackageError::Exists(path.clone()),
            _ => PackageError::Write { path: path.clone(), error },
        })?;
        // The name is on the disk, too, where the system can promise that.
        let _ = File::open(folder_of(&path)).and_then(|folder| folder.sync_all());
        Ok(size)
    }
}

/// Makes a file with a name of its own beside another one.
fn named(path: &Path) -> io::Result<NamedTempFile> {
    let mode = Permissions::from_mode(0o666);
    tempfile::Builder::new().prefix(PART_PREFIX).permissions(mode).tempfile_in(folder_of(path))
}

/// Gives a file another name.
fn persist(file: NamedTempFile, path: &Path, force: bool) -> io::Result<()> {
    let named = if force { file.persist(path) } else { file.persist_noclobber(path) };
    named.map(drop).map_err(|error| error.error)
}

/// Gives a file without a name one. An existing file is replaced in one step, by a name of the same folder.
fn name(mut file: File, path: &Path, force: bool) -> io::Result<()> {
    let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
    let link = |name: &Path| {
        let flags = AtFlags::AT_SYMLINK_FOLLOW;
        linkat(AT_FDCWD, descriptor.as_str(), AT_FDCWD, name, flags).map_err(io::Error::from)
    };
    let linked = match force {
        false => link(path),
        true => {
            let own = folder_of(path).join(format!("{PART_PREFIX}{}", std::process::id()));
            let renamed = link(&own).and_then(|()| fs::rename(&own, path));
            renamed.inspect_err(|_| drop(fs::remove_file(&own)))
        }
    };
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            // Without /proc there is no such way: once more, with a name from the start.
            let mut copy = named(path)?;
            file.rewind()?;
            io::copy(&mut file, &mut copy)?;
            copy.as_file().sync_all()?;
            persist(copy, path, force)
        }
        linked => linked,
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
