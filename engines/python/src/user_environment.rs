//! Virtual environments that users keep beside their functions: a folder `.venv` or `venv` of the task root, or the one that
//! is active.

use crate::interpreter;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The usual names of their folders.
const FOLDERS: [&str; 2] = [".venv", "venv"];

/// Returns the folders of packages for this version of Python that a task root's virtual environments have.
pub(crate) fn packages(root: &Path) -> impl Iterator<Item = PathBuf> + use<'_> {
    let version = interpreter::minor_version();
    FOLDERS
        .into_iter()
        .map(move |folder| root.join(folder).join("lib").join(&version).join("site-packages"))
}

/// Says what is wrong where there is a virtual environment, and none of this version of Python.
pub(crate) fn mismatch(root: &Path) -> Option<String> {
    let active = env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    let all = active.into_iter().chain(FOLDERS.map(|folder| root.join(folder)));
    let own = interpreter::minor_version();
    let mut other = None;
    for environment in all.filter(|folder| folder.join("pyvenv.cfg").is_file()) {
        let versions = versions(&environment);
        if versions.contains(&own) {
            return None;
        }
        other = other.or(versions.into_iter().next().map(|version| (environment, version)));
    }
    let (environment, version) = other?;
    let number = |name: &str| name.trim_start_matches("python").to_owned();
    let (environment, theirs, ours) = (environment.display(), number(&version), number(&own));
    Some(format!(
        "the virtual environment {environment} is of Python {theirs}, and this is Python {ours}: make it anew with \
         'python{ours} -m venv --clear {environment}' and install the packages again"
    ))
}

/// Lists the versions of Python that a virtual environment has packages for: `python3.11`.
fn versions(environment: &Path) -> Vec<String> {
    let entries = fs::read_dir(environment.join("lib")).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with("python"))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_of_another_version_is_told_and_one_that_fits_is_not() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(mismatch(root.path()), None);
        let environment = root.path().join(".venv");
        fs::create_dir_all(environment.join("lib/python3.5/site-packages")).unwrap();
        // A folder that merely has the name.
        assert_eq!(mismatch(root.path()), None);
        fs::write(environment.join("pyvenv.cfg"), "version = 3.5.0\n").unwrap();
        let told = mismatch(root.path()).unwrap();
        assert!(told.contains("/.venv is of Python 3.5, and this is Python 3."), "{told}");
        fs::create_dir_all(environment.join("lib").join(interpreter::minor_version())).unwrap();
        assert_eq!(mismatch(root.path()), None);
    }
}
