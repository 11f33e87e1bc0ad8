//! The walk through a folder.

use super::{
    Contents, Entry, FolderError, IMAGE_START, Kind, MOST_FILES, Problem, ZIP_COMMENT,
    rules::{IGNORE_FILE, PART_PREFIX, Rules},
};
use crate::engines::Registry;
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs::{self, File, FileType, Metadata},
    io::{Read, Seek, SeekFrom},
    os::unix::fs::PermissionsExt,
    path::{Component, Path, PathBuf},
};
use trine_engine::Candidate;

const PACKAGES: &str = "earlier packages";
const SPECIAL: &str = "sockets, pipes and devices";
const DANGLING: &str = "links to what is missing or left out";

/// A folder that is to be surveyed.
pub struct Survey<'s> {
    /// The folder.
    pub root: &'s Path,
    /// Files that belong to the packaging itself: what is being written.
    pub except: &'s [PathBuf],
    /// Whether what links out of the folder lead to is taken in their place.
    pub follow: bool,
    /// The engines that know what is of no use to them.
    pub registry: &'s Registry,
    /// The listener that hears, now and then, how many files were found so far.
    pub progress: &'s dyn Fn(usize),
}

impl Survey<'_> {
    /// Walks the folder.
    ///
    /// # Errors
    /// As [`FolderError`]. What is wrong with single files is in [`Contents::problems`].
    pub fn run(&self) -> Result<Contents, FolderError> {
        let absolute = std::path::absolute(self.root).unwrap_or_else(|_| self.root.to_owned());
        let real = fs::canonicalize(&absolute)
            .ok()
            .filter(|path| path.is_dir())
            .ok_or_else(|| FolderError::NotAFolder(self.root.to_owned()))?;
        let rules = Rules::of(&absolute, self.registry)?;
        let real_of = |path: &PathBuf| fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        let mut walk = Walk {
            survey: self,
            except: self.except.iter().map(real_of).collect(),
            above: vec![real.clone()],
            real,
            rules,
            contents: Contents { root: absolute.clone(), ..Contents::default() },
            real_names: BTreeMap::new(),
        };
        walk.folder(&absolute, "")?;
        Ok(walk.finish())
    }
}

/// A walk in progress.
struct Walk<'s> {
    survey: &'s Survey<'s>,
    except: Vec<PathBuf>,
    /// The folder without links in its path.
    real: PathBuf,
    /// The real paths of the folders that are being walked, from the outside in.
    above: Vec<PathBuf>,
    rules: Rules<'s>,
    contents: Contents,
    /// Names of links, with the names of what they really lead to.
    real_names: BTreeMap<String, String>,
}

impl Walk<'_> {
    /// Walks a folder. Returns whether there was anything in it.
    fn folder(&mut self, path: &Path, name: &str) -> Result<bool, FolderError> {
        let names = match read_folder(path) {
            Ok(names) => names,
            Err(error) => {
                self.problem(format!("cannot read the folder {path:?}: {error}"), READABLE);
                return Ok(true);
            }
        };
        let is_empty = names.is_empty();
        for own in names {
            let path = path.join(&own);
            let Some(own) = own.to_str() else {
                let what = format!("the name {own:?} in the folder {:?} is not UTF-8", shown(name));
                self.problem(what, "rename it: zip files and layers have names in UTF-8 only");
                continue;
            };
            let name = if name.is_empty() { own.to_owned() } else { format!("{name}/{own}") };
            self.entry(path, name)?;
        }
        Ok(!is_empty)
    }

    fn entry(&mut self, path: PathBuf, name: String) -> Result<(), FolderError> {
        let facts = match fs::symlink_metadata(&path) {
            Ok(facts) => facts,
            Err(error) => {
                self.problem(format!("cannot look at {path:?}: {error}"), READABLE);
                return Ok(());
            }
        };
        if name == IGNORE_FILE || is_part(&name) {
            return Ok(());
        }
        if self.except.contains(&path) || self.except.iter().any(|own| is_same(own, &path)) {
            return Ok(());
        }
        let kind = facts.file_type();
        let candidate = Candidate { path: &path, name: &name, is_folder: kind.is_dir() };
        if let Some(reason) = self.rules.reason(&candidate) {
            let (files, bytes) = if kind.is_dir() { amount(&path) } else { (1, facts.len()) };
            self.contents.left_out.add(&reason, &name, files, bytes);
            return Ok(());
        }
        if kind.is_symlink() { self.link(path, name) } else { self.plain(path, name, &facts, kind) }
    }

    /// Takes what is no link.
    fn plain(
        &mut self,
        path: PathBuf,
        name: String,
        facts: &Metadata,
        kind: FileType,
    ) -> Result<(), FolderError> {
        let mode = facts.permissions().mode() & 0o7777;
        if kind.is_dir() {
            let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
            if self.above.contains(&real) {
                let what = format!("the link {name:?} leads to a folder that it is in");
                self.problem(what, "remove it, or name it in .trineignore");
                return Ok(());
            }
            self.above.push(real);
            let walked = self.folder(&path, &name);
            self.above.pop();
            if !walked? {
                self.add(Entry { name, path, kind: Kind::Folder, mode })?;
            }
            return Ok(());
        }
        if !kind.is_file() {
            self.contents.left_out.add(SPECIAL, &name, 1, 0);
            return Ok(());
        }
        if !name.contains('/') && is_package(&path) {
            self.contents.left_out.add(PACKAGES, &name, 1, facts.len());
            return Ok(());
        }
        self.add(Entry { name, path, kind: Kind::File { size: facts.len() }, mode })
    }

    fn link(&mut self, path: PathBuf, name: String) -> Result<(), FolderError> {
        let Ok(written) = fs::read_link(&path) else {
            self.problem(format!("cannot read the link {name:?}"), READABLE);
            return Ok(());
        };
        let real = fs::canonicalize(&path).ok();
        let target = self.inside(&name, &written);
        let leaves =
            target.is_none() || real.as_ref().is_some_and(|real| !real.starts_with(&self.real));
        if leaves {
            if self.survey.follow
                && let Some(real) = real
                && let Ok(facts) = fs::metadata(&real)
            {
                return self.plain(real, name, &facts, facts.file_type());
            }
            let what = format!("the link {name:?} leads out of the folder, to {written:?}");
            self.problem(
                what,
                "replace it with what it leads to, or take that with --follow-links",
            );
            return Ok(());
        }
        let Some(target) = target.as_deref().and_then(Path::to_str) else {
            let what = format!("the target of the link {name:?}, {written:?}, is not UTF-8");
            self.problem(what, "rename it: zip files and layers have names in UTF-8 only");
            return Ok(());
        };
        let end = real.as_ref().and_then(|real| real.strip_prefix(&self.real).ok()?.to_str());
        self.real_names.insert(name.clone(), end.unwrap_or("?").to_owned());
        let kind = Kind::Link { target: target.to_owned() };
        self.add(Entry { name, path, kind, mode: 0o777 })
    }

    /// Returns the target of a link relative to the link's folder, if it stays in the folder as far as its text tells.
    fn inside(&self, name: &str, written: &Path) -> Option<PathBuf> {
        let depth = name.matches('/').count();
        if !written.is_absolute() {
            let mut level = depth as isize;
            for part in written.components() {
                level += match part {
                    Component::ParentDir => -1,
                    Component::Normal(_) => 1,
                    _ => 0,
                };
                if level < 0 {
                    return None;
                }
            }
            return Some(written.to_owned());
        }
        // Where it is unpacked, the folder has another path.
        let roots = [&self.contents.root, &self.real];
        let below = roots.iter().find_map(|root| written.strip_prefix(root).ok())?;
        let mut relative: PathBuf = std::iter::repeat_n("..", depth).collect();
        relative.push(below);
        let is_root = relative.as_os_str().is_empty();
        Some(if is_root { PathBuf::from(".") } else { relative })
    }

    fn add(&mut self, entry: Entry) -> Result<(), FolderError> {
        self.contents.entries.push(entry);
        let found = self.contents.entries.len();
        if found.is_multiple_of(500) {
            (self.survey.progress)(found);
        }
        if found > MOST_FILES {
            return Err(FolderError::TooMany {
                root: self.survey.root.to_owned(),
                fullest: self.fullest(),
            });
        }
        Ok(())
    }

    /// Returns the name of the sub-folder with the most files so far.
    fn fullest(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in &self.contents.entries {
            let first = entry.name.split_once('/').map_or(".", |(first, _)| first);
            *counts.entry(first).or_default() += 1;
        }
        let fullest = counts.into_iter().max_by_key(|(_, count)| *count);
        fullest.map_or_else(String::new, |(name, _)| name.to_owned())
    }

    fn problem(&mut self, what: String, advice: &'static str) {
        self.contents.problems.push(Problem { what, advice });
    }

    fn finish(self) -> Contents {
        let Self { mut contents, real_names, .. } = self;
        contents.entries.sort_by(|a, b| a.name.cmp(&b.name));
        let is_there = |contents: &Contents, name: &str| {
            let at = contents.entries.partition_point(|entry| entry.name.as_str() < name);
            let below = format!("{name}/");
            // Between a folder's name and what is in it come names such as `folder-x`.
            let after = contents.entries.partition_point(|entry| entry.name < below);
            name.is_empty()
                || contents.entries.get(at).is_some_and(|entry| entry.name == name)
                || contents.entries.get(after).is_some_and(|entry| entry.name.starts_with(&below))
        };
        let lost: Vec<String> = real_names
            .into_iter()
            .filter(|(_, end)| !is_there(&contents, end))
            .map(|(name, _)| name)
            .collect();
        for name in &lost {
            contents.left_out.add(DANGLING, name, 1, 0);
        }
        contents.entries.retain(|entry| lost.binary_search(&entry.name).is_err());
        contents
    }
}

/// Whether a file is a package that this program has written: a zip file that ends with its comment, or an image.
fn is_package(path: &Path) -> bool {
    let read = || -> std::io::Result<bool> {
        let mut file = File::open(path)?;
        match path.extension().and_then(OsStr::to_str) {
            Some("zip") => {
                let mut end = [0; ZIP_COMMENT.len()];
                file.seek(SeekFrom::End(-(ZIP_COMMENT.len() as i64)))?;
                file.read_exact(&mut end)?;
                Ok(end == ZIP_COMMENT.as_bytes())
            }
            Some("tar") => {
                let mut name = [0; IMAGE_START.len()];
                file.read_exact(&mut name)?;
                Ok(name == IMAGE_START.as_bytes())
            }
            _ => Ok(false),
        }
    };
    read().unwrap_or(false)
}

/// Whether this is a package that is being written.
fn is_part(name: &str) -> bool {
    name.rsplit('/').next().unwrap_or(name).starts_with(PART_PREFIX)
}

const READABLE: &str = "make it readable, or name it in .trineignore";

fn shown(name: &str) -> &str {
    if name.is_empty() { "." } else { name }
}

/// Whether two paths mean one file. Both are told apart by their names first, because most are.
fn is_same(own: &Path, path: &Path) -> bool {
    own.file_name() == path.file_name() && fs::canonicalize(path).is_ok_and(|path| path == *own)
}

/// Returns the names in a folder, sorted.
fn read_folder(path: &Path) -> std::io::Result<Vec<OsString>> {
    let mut names: Vec<OsString> = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name());
    }
    names.sort();
    Ok(names)
}

/// Counts the files in a folder that is left out. A huge one is counted in part.
fn amount(path: &Path) -> (usize, u64) {
    let (mut files, mut bytes) = (0, 0);
    let mut left = vec![path.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(facts) if facts.is_dir() => left.push(entry.path()),
                facts => {
                    files += 1;
                    bytes += facts.map_or(0, |facts| facts.len());
                }
            }
            if files > MOST_FILES {
                return (files, bytes);
            }
        }
    }
    (files, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::{ffi::OsStrExt, fs::symlink};

    fn survey(root: &Path, follow: bool) -> Contents {
        let registry = Registry::new(Vec::new());
        let progress = |_| ();
        Survey { root, except: &[], follow, registry: &registry, progress: &progress }
            .run()
            .unwrap()
    }

    fn names(contents: &Contents) -> Vec<String> {
        let shown = |entry: &Entry| match &entry.kind {
            Kind::File { .. } => entry.name.clone(),
            Kind::Folder => format!("{}/", entry.name),
            Kind::Link { target } => format!("{} -> {target}", entry.name),
        };
        contents.entries.iter().map(shown).collect()
    }

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        folder
    }

    #[test]
    fn entries_are_sorted_by_their_whole_names() {
        let folder = tree(&["b.py", "a/z.py", "a-b/y.py", "a.py"]);
        fs::create_dir(folder.path().join("empty")).unwrap();
        let expected = ["a-b/y.py", "a.py", "a/z.py", "b.py", "empty/"];
        assert_eq!(names(&survey(folder.path(), false)), expected);
    }

    #[test]
    fn links_inside_stay_links_and_others_are_told() {
        let folder = tree(&["task/lib/a.so.1", "task/.git/x", "elsewhere/pkg/b.py"]);
        let task = folder.path().join("task");
        let link = |target: &str, name: &str| symlink(target, task.join(name)).unwrap();
        link("a.so.1", "lib/a.so");
        link(task.join("lib").to_str().unwrap(), "whole");
        link("../elsewhere/pkg", "pkg");
        link("missing", "lost");
        link(".git/x", "left");
        link("lib/../../task/lib", "detour");
        let contents = survey(&task, false);
        let kept = ["lib/a.so -> a.so.1", "lib/a.so.1", "whole -> lib"];
        assert_eq!(names(&contents), kept);
        let told: Vec<&str> = contents.problems.iter().map(|p| p.what.as_str()).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("\"detour\" leads out"), "{told:?}");
        assert!(told[1].contains("\"pkg\" leads out of the folder, to \"../elsewhere/pkg\""));
        let left: Vec<_> =
            contents.left_out.iter().map(|(why, amount)| (why, amount.files)).collect();
        assert_eq!(left, [(DANGLING, 2), ("version control", 1)]);
        let followed = names(&survey(&task, true));
        assert!(followed.contains(&"pkg/b.py".to_owned()), "{followed:?}");
    }

    #[test]
    fn a_folder_that_links_to_itself_from_outside_ends() {
        let folder = tree(&["task/a.py", "other/b.py"]);
        symlink("../other", folder.path().join("task/other")).unwrap();
        symlink("../other", folder.path().join("other/again")).unwrap();
        let contents = survey(&folder.path().join("task"), true);
        assert_eq!(names(&contents), ["a.py", "other/b.py"]);
        assert!(contents.problems[0].what.contains("leads to a folder that it is in"));
    }

    #[test]
    fn names_that_are_not_utf8_are_told_escaped() {
        let folder = tree(&["sub/a.py"]);
        fs::write(folder.path().join("sub").join(std::ffi::OsStr::from_bytes(b"b\xff.py")), "")
            .unwrap();
        let contents = survey(folder.path(), false);
        assert_eq!(names(&contents), ["sub/a.py"]);
        assert_eq!(
            contents.problems[0].what,
            r#"the name "b\xFF.py" in the folder "sub" is not UTF-8"#
        );
    }

    #[test]
    fn what_is_no_folder_is_told() {
        let folder = tree(&["a.py"]);
        let registry = Registry::new(Vec::new());
        let progress = |_| ();
        let root = folder.path().join("a.py");
        let survey = Survey {
            root: &root,
            except: &[],
            follow: false,
            registry: &registry,
            progress: &progress,
        };
        assert!(matches!(survey.run(), Err(FolderError::NotAFolder(_))));
    }

    #[test]
    fn the_rules_file_is_not_shipped() {
        let folder = tree(&["a.py", IGNORE_FILE]);
        fs::write(folder.path().join(IGNORE_FILE), "").unwrap();
        assert_eq!(names(&survey(folder.path(), false)), ["a.py"]);
    }
}
