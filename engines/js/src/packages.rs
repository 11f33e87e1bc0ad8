//! The `package.json` files that are remembered during a load: dozens of modules ask for the same few, and for many
//! that do not exist in the folders in between.

use deno_package_json::{PackageJsonCache, PackageJsonCacheResult, PackageJsonRc};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The `package.json` files that were looked for since the current load began. Between loads nothing is remembered, so
/// that a function, or its next load, sees changes.
#[derive(Debug, Default)]
pub(crate) struct Packages(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    loads: usize,
    files: HashMap<PathBuf, Option<PackageJsonRc>>,
}

/// A load in progress.
pub(crate) struct Remembering(Arc<Packages>);

impl Packages {
    /// Remembers what is read, until the result is dropped.
    pub(crate) fn remember(self: &Arc<Self>) -> Remembering {
        self.known().loads += 1;
        Remembering(Arc::clone(self))
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
            known.files = HashMap::new();
        }
    }
}

impl PackageJsonCache for Packages {
    fn get(&self, path: &Path) -> PackageJsonCacheResult {
        match self.known().files.get(path) {
            Some(file) => PackageJsonCacheResult::Hit(file.clone()),
            None => PackageJsonCacheResult::NotCached,
        }
    }

    fn set(&self, path: PathBuf, file: Option<PackageJsonRc>) {
        // A package that is missing altogether may be created by the very code that is being loaded.
        let lasting = file.is_some() || path.parent().is_some_and(Path::is_dir);
        let mut known = self.known();
        if lasting && known.loads > 0 {
            known.files.insert(path, file);
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
}
