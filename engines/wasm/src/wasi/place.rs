//! The way from a folder to what a path names, without leaving that folder: each part is opened by itself, links are
//! followed here and not by the system, and nothing leads above the folder that the way began in.

use super::errno::{Errno, Result};
use rustix::{
    fs::{Mode, OFlags, openat, readlinkat},
    io::Errno as System,
};
use std::{
    ffi::OsStr,
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::{Path, PathBuf},
    rc::Rc,
};

/// Maximum number of links on the way.
const MOST_LINKS: u32 = 40;

/// A folder that a guest may reach.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(super) handle: Rc<OwnedFd>,
    /// Its path without links.
    pub(super) path: PathBuf,
    /// The name by which the guest knows it, where it was open from the start.
    pub(super) name: Vec<u8>,
    pub(super) is_writable: bool,
}

impl Folder {
    /// Opens a folder that a guest is given under a name.
    pub(crate) fn open(path: &Path, name: &str, is_writable: bool) -> std::io::Result<Self> {
        let path = path.canonicalize()?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = Rc::new(rustix::fs::open(&path, flags, Mode::empty())?);
        Ok(Self { handle, path, name: name.as_bytes().to_vec(), is_writable })
    }
}

/// What a path names: an entry of a folder, which need not exist.
pub(super) struct Found {
    pub(super) folder: Rc<OwnedFd>,
    /// The name in that folder; `.` for the folder itself.
    pub(super) name: Vec<u8>,
    /// Its path; the folders on the way are no links.
    pub(super) path: PathBuf,
    /// Whether the path ends as only a folder's may.
    pub(super) must_be_folder: bool,
}

impl Found {
    pub(super) fn name(&self) -> &OsStr {
        OsStr::from_bytes(&self.name)
    }
}

/// Finds what a path names, from a folder. The last part is followed if it is a link and `follows` says so.
pub(super) fn find(from: &Folder, path: &[u8], follows: bool) -> Result<Found> {
    if path.is_empty() {
        return Err(Errno::NoEntry);
    }
    let mut steps = vec![(from.handle.clone(), from.path.clone())];
    let mut left = Vec::new();
    push(&mut left, path)?;
    let mut links = 0;
    while let Some(part) = left.pop() {
        match &part[..] {
            b"" | b"." => continue,
            b".." if steps.len() == 1 => return Err(Errno::NotCapable),
            b".." => {
                steps.pop();
                continue;
            }
            _ => {}
        }
        let (folder, at) = steps.last().ok_or(Errno::NotCapable)?;
        let name = OsStr::from_bytes(&part);
        let is_last = left.iter().all(|part| matches!(&part[..], b"" | b"."));
        let must_be_folder = is_last && !left.is_empty();
        if is_last {
            let target = if follows || must_be_folder { link(folder, name)? } else { None };
            let Some(target) = target else {
                let (folder, path) = (folder.clone(), at.join(name));
                return Ok(Found { folder, name: part, path, must_be_folder });
            };
            follow(&mut left, &target, &mut links)?;
            continue;
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(folder, name, flags, Mode::empty()) {
            Ok(next) => {
                let path = at.join(name);
                steps.push((Rc::new(next), path));
            }
            Err(System::NOTDIR | System::LOOP) => match link(folder, name)? {
                Some(target) => follow(&mut left, &target, &mut links)?,
                None => return Err(Errno::NotDirectory),
            },
            Err(error) => return Err(error.into()),
        }
    }
    let (folder, path) = steps.pop().ok_or(Errno::NotCapable)?;
    Ok(Found { folder, name: b".".to_vec(), path, must_be_folder: true })
}

/// Puts the parts of a path in front of what is left of the way, which is kept back to front.
fn push(left: &mut Vec<Vec<u8>>, path: &[u8]) -> Result<()> {
    if path.starts_with(b"/") {
        return Err(Errno::NotCapable);
    }
    left.extend(path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec));
    Ok(())
}

fn follow(left: &mut Vec<Vec<u8>>, target: &[u8], links: &mut u32) -> Result<()> {
    *links += 1;
    if *links > MOST_LINKS {
        return Err(Errno::Loop);
    }
    push(left, target)
}

/// Returns where a link leads; `None` for what is no link, or not there.
fn link(folder: &OwnedFd, name: &OsStr) -> Result<Option<Vec<u8>>> {
    match readlinkat(folder, name, Vec::new()) {
        Ok(target) => Ok(Some(target.into_bytes())),
        Err(System::INVAL | System::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    fn found(from: &Folder, path: &str) -> Result<PathBuf> {
        find(from, path.as_bytes(), true).map(|found| match &found.name[..] {
            b"." => found.path.join("."),
            _ => found.path,
        })
    }

    #[test]
    fn no_path_and_no_link_leads_out() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().canonicalize().unwrap().join("task");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(parent.path().join("secret"), "").unwrap();
        symlink("../../secret", root.join("a/out")).unwrap();
        symlink("/etc", root.join("etc")).unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink("b", root.join("a/in")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let folder = Folder::open(&root, ".", false).unwrap();
        for path in [
            "..",
            "../secret",
            "a/../../secret",
            "a/out",
            "etc/passwd",
            "etc",
            "up/secret",
            "/etc/passwd",
            "a/in/../../..",
        ] {
            assert_eq!(found(&folder, path), Err(Errno::NotCapable), "{path}");
        }
        assert_eq!(found(&folder, "a/in/x"), Ok(root.join("a/b/x")));
        assert_eq!(found(&folder, "a/in/"), Ok(root.join("a/b")));
        assert_eq!(found(&folder, "a/in/../b/./x"), Ok(root.join("a/b/x")));
        assert_eq!(found(&folder, "a/.."), Ok(root.join(".")));
        assert_eq!(found(&folder, "loop"), Err(Errno::Loop));
        assert_eq!(found(&folder, "loop/x"), Err(Errno::Loop));
        assert_eq!(found(&folder, "none/x"), Err(Errno::NoEntry));
        assert_eq!(found(&folder, "none"), Ok(root.join("none")));
        assert_eq!(found(&folder, ""), Err(Errno::NoEntry));
        let own = find(&folder, b"a/out", false).unwrap();
        assert_eq!(own.path, root.join("a/out"), "the link itself");
    }
}
