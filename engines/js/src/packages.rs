//! What is remembered of the file system during a load: dozens of modules ask for the same few `package.json` files and
//! folders, and for many that do not exist in the folders in between.

use deno_package_json::{PackageJsonCache, PackageJsonCacheResult, PackageJsonRc};
use std::{
    collections::HashMap,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The `package.json` files, kinds and real paths that were looked for since the current load began. Between loads nothing
/// is remembered, so that a function, or its next load, sees changes.
#[derive(Debug, Default)]
pub(crate) struct Packages(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    loads: usize,
    files: HashMap<OsString, Option<PackageJsonRc>>,
    kinds: HashMap<OsString, Kind>,
    real_paths: HashMap<OsString, PathBuf>,
}

/// What there is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nothing,
    File,
    Other,
}

/// A load in progress.
pub(crate) struct Remembering(Arc<Packages>);

impl Packages {
    /// Remembers what is read, until the result is dropped.
    pub(crate) fn remember(self: &Arc<Self>) -> Remembering {
        self.known().loads += 1;
        Remembering(Arc::clone(self))
    }

    /// Looks what there is at a path.
    pub(crate) fn kind(&self, path: &Path) -> Kind {
        if let Some(kind) = self.known().kinds.get(path.as_os_str()) {
            return *kind;
        }
        let kind = match fs::metadata(path) {
            Ok(facts) if facts.is_file() => Kind::File,
            Ok(_) => Kind::Other,
            Err(_) => Kind::Nothing,
        };
        // What is missing may be made by the very code that is being loaded, but for folders of packages.
        let lasting = kind != Kind::Nothing || path.ends_with("node_modules");
        let mut known = self.known();
        if lasting && known.loads > 0 {
            known.kinds.insert(path.into(), kind);
        }
        kind
    }

    /// Resolves the symbolic links in a path. Node's module system asks three times for each file, and the system looks at
    /// every folder above it.
    pub(crate) fn real_path(&self, path: &Path) -> io::Result<PathBuf> {
        if let Some(real) = self.known().real_paths.get(path.as_os_str()) {
            return Ok(real.clone());
        }
        let real = self.look_up(path)?;
        let mut known = self.known();
        if known.loads > 0 {
            known.real_paths.insert(path.into(), real.clone());
        }
        Ok(real)
    }

    fn look_up(&self, path: &Path) -> io::Result<PathBuf> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return fs::canonicalize(path);
        };
        if self.known().loads == 0 || !path.is_absolute() {
            return fs::canonicalize(path);
        }
        let real = self.real_path(folder)?.join(name);
        if fs::symlink_metadata(&real)?.is_symlink() { fs::canonicalize(&real) } else { Ok(real) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Remembering {
    fn drop(&mut self) {
        let mut known = self.0.known();
        known.loads -= 1;
        if known.loads == 0 {
            *known = Known::default();
        }
    }
}

impl PackageJsonCache for Packages {
    fn get(&self, path: &Path) -> PackageJsonCacheResult {
        match self.known().files.get(path.as_os_str()) {
            Some(file) => PackageJsonCacheResult::Hit(file.clone()),
            None => PackageJsonCacheResult::NotCached,
        }
    }

    fn set(&self, path: PathBuf, file: Option<PackageJsonRc>) {
        // A package that is missing altogether may be created by the very code that is being loaded.
        let lasting = file.is_some() || path.parent().is_some_and(Path::is_dir);
        let mut known = self.known();
        if lasting && known.loads > 0 {
            known.files.insert(path.into_os_string(), file);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_while_a_load_is_under_way() {
        let packages = Arc::new(Packages::default());
        let is_known = |path: &Path| {
            packages.set(path.to_owned(), None);
            matches!(packages.get(path), PackageJsonCacheResult::Hit(None))
        };
        let missing = std::env::temp_dir().join("package.json");
        assert!(!is_known(&missing));
        let first = packages.remember();
        assert!(is_known(&missing));
        let second = packages.remember();
        drop(first);
        assert!(matches!(packages.get(&missing), PackageJsonCacheResult::Hit(None)));
        assert!(!is_known(&std::env::temp_dir().join("no-such-folder-of-trine/package.json")));
        drop(second);
        assert!(matches!(packages.get(&missing), PackageJsonCacheResult::NotCached));
    }

    #[test]
    fn paths_are_what_the_system_says() {
        let folder = std::env::temp_dir().join(format!("trine-js-real-{}", std::process::id()));
        fs::create_dir_all(folder.join("a/b")).expect("the folder is writable");
        fs::write(folder.join("a/b/file"), "").expect("the folder is writable");
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(to, folder.join(name)).expect("the folder is writable");
        };
        link("a/b", "inner");
        link("inner/file", "chain");
        link("nowhere", "broken");
        let packages = Arc::new(Packages::default());
        let check = || {
            for name in ["a/b/file", "inner/file", "chain", "inner", "a/../inner/file", "."] {
                let path = folder.join(name);
                let expected = fs::canonicalize(&path).expect("it exists");
                for _ in 0..2 {
                    assert_eq!(packages.real_path(&path).ok(), Some(expected.clone()), "{name}");
                }
            }
            for name in ["broken", "absent", "a/b/file/below"] {
                assert!(packages.real_path(&folder.join(name)).is_err(), "{name}");
            }
        };
        check();
        let loading = packages.remember();
        check();
        drop(loading);
        assert!(packages.known().real_paths.is_empty());
        let loading = packages.remember();
        for (name, kind) in
            [("a/b/file", Kind::File), ("inner", Kind::Other), ("new", Kind::Nothing)]
        {
            for _ in 0..2 {
                assert_eq!(packages.kind(&folder.join(name)), kind, "{name}");
            }
        }
        fs::write(folder.join("new"), "").expect("the folder is writable");
        assert_eq!(packages.kind(&folder.join("new")), Kind::File);
        drop(loading);
        fs::remove_dir_all(folder).expect("it exists");
    }
}
