//! Paths as the system will find them: links followed, `..` resolved.

use std::{
    ffi::OsStr,
    io,
    path::{Component, Path, PathBuf},
};

/// Returns an absolute path: relative ones are as seen from the working directory.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| Path::new("/").join(path))
}

/// Returns the path at which the system will find what a path names: links are followed, as far as there is anything.
pub(super) fn real(path: &Path) -> PathBuf {
    let path = absolute(path);
    match path.canonicalize() {
        Ok(real) => real,
        // Whoever opens it gets this error, too.
        Err(error) if !is_missing(&error) => without_dots(&path),
        Err(_) => match (path.parent(), path.components().next_back()) {
            (Some(folder), Some(Component::Normal(name))) => {
                let folder = real(folder);
                match folder.join(name).read_link() {
                    // A link to what does not exist, which writing creates.
                    Ok(target) => real_target(&folder, &target),
                    Err(_) => folder.join(name),
                }
            }
            (Some(folder), Some(Component::ParentDir)) => {
                let folder = real(folder);
                folder.parent().map_or(folder.clone(), Path::to_owned)
            }
            (Some(folder), _) => real(folder),
            (None, _) => path,
        },
    }
}

/// Returns the path of what a link leads to that does not exist. One that leads to another such link, and so on, is not
/// followed for ever.
fn real_target(folder: &Path, target: &Path) -> PathBuf {
    let mut path = folder.join(target);
    for _ in 0..40 {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { break };
        let parent = parent.canonicalize().unwrap_or_else(|_| without_dots(parent));
        path = parent.join(name);
        match path.read_link() {
            Ok(target) => path = parent.join(target),
            Err(_) => break,
        }
    }
    without_dots(&path)
}

/// Returns the path of an entry of a folder: the folder's links are followed, the entry may be one itself.
pub(super) fn entry(path: &Path) -> PathBuf {
    let path = absolute(path);
    match (path.parent(), path.components().next_back()) {
        (Some(folder), Some(Component::Normal(name))) => real(folder).join(name),
        _ => real(&path),
    }
}

/// Returns a path without `.` and `..`, as its text says.
pub(super) fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound)
}

/// The devices that are no more than numbers.
const HARMLESS: [&str; 4] = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];

/// Whether a file is one of the devices that anybody may open.
pub(super) fn is_harmless(path: &Path) -> bool {
    HARMLESS.iter().any(|known| path == Path::new(known))
}

/// Whether a file is a door to the process or the machine itself.
pub(super) fn is_special(path: &Path) -> bool {
    ["/proc", "/sys", "/dev"].iter().any(|folder| path.starts_with(folder))
}

/// Finds a program by its name along a list of folders, as a shell does.
pub(super) fn which(name: &str, folders: &OsStr) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let runs = |path: &Path| {
        path.metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    std::env::split_paths(folders)
        .map(|folder| absolute(&folder.join(name)))
        .find(|path| runs(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn links_and_dots_lead_where_the_system_goes() {
        let folder = std::env::temp_dir().canonicalize().unwrap();
        let folder = folder.join(format!("trine-paths-{}", std::process::id()));
        fs::create_dir_all(folder.join("in/deep")).unwrap();
        fs::create_dir_all(folder.join("out")).unwrap();
        fs::write(folder.join("out/secret"), "").unwrap();
        let _ = symlink(folder.join("out"), folder.join("in/link"));
        let _ = symlink("../out/new", folder.join("in/dangling"));
        let is = |path: &str, expected: &str| {
            assert_eq!(real(&folder.join(path)), folder.join(expected), "{path}");
        };
        is("in/link/secret", "out/secret");
        is("in/link/../in/deep", "in/deep");
        is("in/link/missing", "out/missing");
        is("in/link/missing/../x", "out/x");
        is("in/dangling", "out/new");
        is("in/deep/new", "in/deep/new");
        is("in/./deep/../../out/secret", "out/secret");
        assert_eq!(entry(&folder.join("in/link")), folder.join("in/link"));
        assert_eq!(entry(&folder.join("in/link/x")), folder.join("out/x"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
