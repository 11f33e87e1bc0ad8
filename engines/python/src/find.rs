//! The search for a module as by an import statement: the interpreter's own finders decide. They are asked only where
//! something on the search path has the module's name, so that a function in another language starts no Python.

use crate::{interpreter, user_environment};
use pyo3::prelude::*;
use std::{
    env, fs,
    path::{Path, PathBuf},
    thread,
};
use trine_engine::{Lookup, Result, Search};
use trine_process::environment;

/// Finds what an import of the module would run, and the folders and archives in which it was looked for.
pub(crate) fn find(lookup: &Lookup<'_>) -> Result<Search> {
    let places = places(lookup);
    let mut search = Search { found: None, places: places.iter().map(shown).collect() };
    let Some(name) = dotted(lookup.name, &places) else { return Ok(search) };
    let parts: Vec<&str> = name.split('.').collect();
    if places.iter().any(|place| may_hold(place, &parts)) {
        search.found = ask(&name, lookup)?;
    }
    Ok(search)
}

/// Returns the folders and archives in which packages of a root are looked for, for messages.
pub(crate) fn shown_places(lookup: &Lookup<'_>) -> Vec<String> {
    places(lookup).iter().map(shown).collect()
}

/// Asks the interpreter.
fn ask(name: &str, lookup: &Lookup<'_>) -> Result<Option<PathBuf>> {
    // Before the interpreter reads the environment.
    environment::mark_children();
    // Where handlers are looked for, no worker has started an interpreter yet: the main thread gets it, as in workers.
    let python = interpreter::start(thread::current().name() == Some("main"))?;
    let found: PyResult<Option<PathBuf>> = Python::attach(|py| {
        let find = python.loader.bind(py).get_item("find")?.expect("the prelude defines it");
        let (root, layers) = (lookup.root.to_string_lossy(), lookup.layer_root.to_string_lossy());
        find.call1((root, name, layers))?.extract()
    });
    // A failing finder, or a failing `.pth` file, only means that nothing was found.
    Ok(found.unwrap_or_default())
}

/// A place where modules are found.
struct Place {
    path: PathBuf,
    /// Whether `.pth` files in it add others.
    path_files: bool,
}

fn shown(place: &Place) -> String {
    place.path.display().to_string()
}

/// Returns the search path without the standard library, as the prelude's `loader` and `site` build it.
fn places(lookup: &Lookup<'_>) -> Vec<Place> {
    let site = |path| Place { path, path_files: true };
    let plain = |path| Place { path, path_files: false };
    let version = interpreter::minor_version();
    let packages = |prefix: &Path| prefix.join("lib").join(&version).join("site-packages");
    let layer = lookup.layer_root.join("python");
    let mut places = vec![site(lookup.root.to_owned()), site(lookup.root.join("package"))];
    places.extend(user_environment::packages(lookup.root).map(site));
    places.extend([packages(&layer), layer].map(site));
    let variable = env::var_os("PYTHONPATH").unwrap_or_default();
    places
        .extend(env::split_paths(&variable).filter(|path| !path.as_os_str().is_empty()).map(plain));
    let prefixes = ["VIRTUAL_ENV", "PYTHONHOME"].into_iter().filter_map(env::var_os);
    let built =
        [env!("TRINE_PYTHON_PREFIX"), env!("TRINE_PYTHON_EXEC_PREFIX"), "/usr", "/usr/local"];
    for prefix in prefixes.map(PathBuf::from).chain(built.map(PathBuf::from)) {
        let library = prefix.join("lib");
        places.extend([packages(&prefix), library.join("python3/dist-packages")].map(site));
        places.push(site(library.join(&version).join("dist-packages")));
    }
    if let Some(home) = env::var_os("HOME") {
        places.push(site(packages(&Path::new(&home).join(".local"))));
    }
    let mut known: Vec<PathBuf> = Vec::new();
    places.retain(|place| {
        let is_new = place.path.exists() && !known.contains(&place.path);
        known.push(place.path.clone());
        is_new
    });
    places
}

/// Returns the module's name in an import statement. A path is relative to the nearest of the places that contain it.
fn dotted(name: &str, places: &[Place]) -> Option<String> {
    let path = Path::new(name);
    let inside = if path.is_absolute() {
        let below = places.iter().filter_map(|place| path.strip_prefix(&place.path).ok());
        below.min_by_key(|rest| rest.components().count())?.to_str()?
    } else {
        name.trim_start_matches("./")
    };
    (!inside.is_empty()).then(|| inside.replace('/', "."))
}

/// Whether something in a place has the name of the module: more cannot be known without the interpreter.
fn may_hold(place: &Place, parts: &[&str]) -> bool {
    if !place.path.is_dir() {
        // An archive.
        return true;
    }
    let names = names(&place.path);
    let has_path_file = || names.iter().any(|name| name.ends_with(".pth"));
    (place.path_files && has_path_file())
        || names.iter().any(|name| is_sign(&place.path, name, parts))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Whether an entry of a folder may be the module that `parts` name, or the package that contains it.
fn is_sign(folder: &Path, entry: &str, parts: &[&str]) -> bool {
    let Some((first, rest)) = parts.split_first() else { return false };
    // `__init__` of a package; a `sitecustomize` may bring finders of its own.
    let named = entry.split('.').next().unwrap_or_default();
    if named == "sitecustomize" || named == "usercustomize" {
        return true;
    }
    if named != *first {
        return false;
    }
    let path = folder.join(entry);
    if !path.is_dir() {
        let extension = entry.rsplit_once('.').map_or("", |(_, extension)| extension);
        return rest.is_empty() && matches!(extension, "py" | "pyc" | "so");
    }
    let inside = names(&path);
    let is_package = inside.iter().any(|name| name.starts_with("__init__."));
    is_package || inside.iter().any(|name| is_sign(&path, name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[&str]) -> Self {
            let path = env::temp_dir().join(format!("trine-find-{name}-{}", std::process::id()));
            for file in files {
                let file = path.join(file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, "").unwrap();
            }
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn only_what_may_be_the_module_is_a_sign() {
        let files = [
            "a.pyc",
            "b/c.py",
            "d/__init__.py",
            "e.cpython-311-x86_64-linux-gnu.so",
            "f.txt",
            "g/h.js",
        ];
        let folder = Folder::new("signs", &files);
        let place = Place { path: folder.0.clone(), path_files: true };
        let may = |name: &str| may_hold(&place, &name.split('.').collect::<Vec<_>>());
        for name in ["a", "b.c", "d", "d.made_at_import", "e"] {
            assert!(may(name), "{name}");
        }
        for name in ["b", "b.x", "f", "g.h", "x", "c"] {
            assert!(!may(name), "{name}");
        }
        fs::write(folder.0.join("x.pth"), "").unwrap();
        assert!(may("anything"));
    }

    #[test]
    fn a_path_counts_from_the_nearest_place() {
        let place = |path: &str| Place { path: path.into(), path_files: true };
        let places = [place("/opt/python"), place("/opt/python/lib/python3.11/site-packages")];
        let dotted = |name: &str| super::dotted(name, &places);
        assert_eq!(dotted("a/b").as_deref(), Some("a.b"));
        assert_eq!(dotted("/opt/python/a/b").as_deref(), Some("a.b"));
        assert_eq!(dotted("/opt/python/lib/python3.11/site-packages/a").as_deref(), Some("a"));
        assert_eq!(dotted("/elsewhere/a"), None);
    }
}
