//! The task root of one combination: the case's folder, without the files of the languages that have no part in it.

use super::combine::Combination;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};
use trine_engine::EngineInfo;

/// A folder that is removed when the value is dropped.
#[derive(Debug)]
pub(super) struct TaskRoot {
    path: PathBuf,
}

impl TaskRoot {
    /// Copies a case's folder, with the files of `combination` only.
    pub(super) fn new(
        case: &Path,
        combination: &Combination,
        languages: &[EngineInfo],
    ) -> Result<Self, String> {
        let root = Self::empty().map_err(|e| format!("cannot make a task root: {e}"))?;
        let has_part = |path: &Path| has_part(path, combination, languages);
        copy(case, Path::new(""), &root.path, &has_part)
            .map_err(|e| format!("cannot copy the case to {}: {e}", root.path.display()))?;
        Ok(root)
    }

    fn empty() -> io::Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("trine-conformance-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path)?;
        // Guests see absolute paths without links.
        Ok(Self { path: path.canonicalize()? })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TaskRoot {
    fn drop(&mut self) {
        // What is left in the system's folder for temporary files is up to the system to remove.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn copy(from: &Path, below: &Path, to: &Path, has_part: &dyn Fn(&Path) -> bool) -> io::Result<()> {
    for entry in from.join(below).read_dir()? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if !has_part(&path) {
            continue;
        }
        if entry.path().is_dir() {
            fs::create_dir_all(to.join(&path))?;
            copy(from, &path, to, has_part)?;
        } else {
            fs::copy(entry.path(), to.join(&path))?;
        }
    }
    Ok(())
}

/// Whether a path of the case's folder belongs to the combination: files that do not depend on a language always do.
fn has_part(path: &Path, combination: &Combination, languages: &[EngineInfo]) -> bool {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    let is_language = |extension: &str| languages.iter().any(|l| l.extensions.contains(&extension));
    let chosen = |name: &str| combination.hooks.iter().find(|(known, _)| known == name);
    match parts.as_slice() {
        ["case.json"] => false,
        [file] => match file.split_once('.') {
            Some(("handler", extension)) if is_language(extension) => {
                extension == combination.handler.extension
            }
            _ => true,
        },
        ["middlewares", file] => match file.split_once('.') {
            Some((name, extension)) if is_language(extension) => {
                chosen(name).is_none_or(|(_, file)| file.extension == extension)
            }
            _ => true,
        },
        ["middlewares", name, file] => match (file.split_once('.'), chosen(name)) {
            (Some(("index", extension)), Some((_, chosen))) => chosen.extension == extension,
            _ => true,
        },
        _ => true,
    }
}
