//! Layers: the folder that they make together, and what of one lies where nobody looks.

use crate::{
    engines::Registry,
    folder::{Contents, FolderError},
};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use trine_engine::Finding;

/// Folders of a layer that Lambda or this runtime looks at, whatever the language.
const PLACES: [(&str, &str); 5] = [
    ("bin", "programs, on PATH"),
    ("lib", "libraries, on LD_LIBRARY_PATH"),
    ("extensions", "extensions of Lambda"),
    ("middlewares", "middlewares"),
    ("share", "data of the runtime"),
];

/// The folder that layers make when they are unpacked.
#[derive(Debug)]
pub struct Layers {
    root: PathBuf,
    /// The folder that was made of several.
    _merged: Option<TempDir>,
}

impl Layers {
    /// Puts layers into one folder, in their order, as Lambda does: later ones replace files of earlier ones. Without
    /// any, it is `usual`.
    ///
    /// # Errors
    /// When files cannot be copied.
    pub fn of(layers: &[PathBuf], usual: &Path) -> Result<Self, FolderError> {
        match layers {
            [] => Ok(Self { root: usual.to_owned(), _merged: None }),
            [only] => {
                let root = std::path::absolute(only).unwrap_or_else(|_| only.clone());
                Ok(Self { root, _merged: None })
            }
            several => {
                let merge = || -> io::Result<Self> {
                    let merged = TempDir::new()?;
                    for layer in several {
                        copy_folder(layer, merged.path())?;
                    }
                    Ok(Self { root: merged.path().to_owned(), _merged: Some(merged) })
                };
                merge().map_err(FolderError::Merge)
            }
        }
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &target)?;
            continue;
        }
        let _ = fs::remove_file(&target);
        if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Returns what is found in a layer and where it is not.
pub fn strays(contents: &Contents, registry: &Registry) -> Vec<Finding> {
    let mut places: Vec<(String, &str)> =
        PLACES.iter().map(|(folder, holds)| ((*folder).to_owned(), *holds)).collect();
    for engine in registry.iter() {
        places.extend(engine.layer_places().into_iter().map(|place| (place.folder, place.holds)));
    }
    let is_in = |name: &str, folder: &str| {
        name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    };
    let (mut found, mut strays): (BTreeMap<&str, usize>, BTreeMap<&str, usize>) =
        Default::default();
    let mut handlers = 0;
    for entry in &contents.entries {
        let name = entry.name.as_str();
        match places.iter().find(|(folder, _)| is_in(name, folder)) {
            Some((_, holds)) => *found.entry(holds).or_default() += 1,
            None if name == "bootstrap" => *found.entry("a runtime").or_default() += 1,
            None if is_source(name, registry) => handlers += 1,
            None => *strays.entry(top(name)).or_default() += 1,
        }
    }
    let mut findings = Vec::new();
    let mut parts: Vec<String> =
        found.iter().map(|(holds, count)| format!("{holds} ({count})")).collect();
    if handlers > 0 {
        parts.push(format!("files that handlers may name ({handlers})"));
    }
    if !parts.is_empty() {
        let layer = contents.root.display();
        findings.push(Finding::ok("layer", format!("{layer} holds {}", parts.join(", "))));
    }
    let known: Vec<&str> = places.iter().map(|(folder, _)| folder.as_str()).collect();
    findings.extend(strays.into_iter().map(|(name, count)| {
        let files = if count == 1 { "file" } else { "files" };
        let what = format!("{name} of the layer ({count} {files}) lies where nothing looks for it");
        let advice = format!("move it into one of {}", known.join(", "));
        Finding::warn("layer", what, advice)
    }));
    findings
}

/// Whether a file is one that a handler may name: layers are searched for those too.
fn is_source(name: &str, registry: &Registry) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    !name.contains('/') && extension.is_some_and(|known| registry.by_extension(known).is_some())
}

fn top(name: &str) -> &str {
    name.split_once('/').map_or(name, |(first, _)| first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_layers_replace_files_of_earlier_ones() {
        let parent = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = parent.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("one/python/a.py", "one");
        write("one/python/b.py", "one");
        write("two/python/b.py", "two");
        let layers = ["one", "two"].map(|name| parent.path().join(name));
        let merged = Layers::of(&layers, Path::new("/opt")).unwrap();
        let read = |name: &str| fs::read_to_string(merged.root().join(name)).unwrap();
        assert_eq!((read("python/a.py").as_str(), read("python/b.py").as_str()), ("one", "two"));
        assert_eq!(Layers::of(&[], Path::new("/opt")).unwrap().root(), Path::new("/opt"));
    }
}
