//! Which files functions are made of, and which merely lie beside them.

use super::super::Usage;
use ignore::{
    Match,
    gitignore::{Gitignore, GitignoreBuilder},
};
use std::path::{Path, PathBuf};

/// Folders in which nothing is of interest: of version control, of caches, of editors.
const JUNK_FOLDERS: [&str; 16] = [
    ".git",
    ".hg",
    ".svn",
    ".jj",
    "__pycache__",
    ".trine-cache",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".cache",
    ".idea",
    ".vscode",
    ".DS_Store",
    ".nyc_output",
    "coverage",
    "target",
];

/// Files beside code on which it depends when it is loaded: settings, lists of packages, templates.
const EXTENSIONS: [&str; 22] = [
    "json", "json5", "jsonc", "toml", "yaml", "yml", "env", "ini", "cfg", "conf", "pth", "html",
    "htm", "tmpl", "jinja", "jinja2", "j2", "mustache", "hbs", "ejs", "graphql", "proto",
];

/// What is watched of a folder's files.
#[derive(Debug, Clone)]
pub(super) struct Relevance {
    root: PathBuf,
    /// Extensions of the languages at hand.
    extensions: Vec<String>,
    /// Files and folders that the user has named: everything in them counts.
    named: Vec<PathBuf>,
    ignored: Gitignore,
}

impl Relevance {
    /// Makes the choice for a folder: files with these extensions, these files and folders, but nothing that a pattern fits.
    ///
    /// # Errors
    /// [`Usage`] for a pattern that is none.
    pub(super) fn new(
        root: PathBuf,
        extensions: Vec<String>,
        named: Vec<PathBuf>,
        patterns: &[String],
    ) -> Result<Self, Usage> {
        let mut ignored = GitignoreBuilder::new(&root);
        for pattern in patterns {
            let wrong = |why| Usage(format!("--ignore {pattern:?} is no pattern: {why}"));
            ignored.add_line(None, pattern).map_err(wrong)?;
        }
        let ignored = ignored.build().map_err(|why| Usage(format!("--ignore: {why}")))?;
        Ok(Self { root, extensions, named, ignored })
    }

    /// Returns what the user has named beside the folder.
    pub(super) fn named(&self) -> &[PathBuf] {
        &self.named
    }

    /// Returns the folder.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether a folder is looked into.
    pub(super) fn enters(&self, folder: &Path) -> bool {
        let is_junk =
            folder.file_name().is_some_and(|name| JUNK_FOLDERS.iter().any(|junk| name == *junk));
        self.is_named(folder) || (!is_junk && !self.is_ignored(folder, true))
    }

    /// Whether functions may be made of a file.
    pub(super) fn counts(&self, file: &Path) -> bool {
        if self.is_ignored(file, false) {
            return false;
        }
        if self.is_named(file) {
            return true;
        }
        let below = file.strip_prefix(&self.root).unwrap_or(file);
        let mut folders = below.parent().into_iter().flat_map(Path::components);
        if folders.any(|folder| JUNK_FOLDERS.iter().any(|junk| folder.as_os_str() == *junk)) {
            return false;
        }
        let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return false };
        // What editors write before they rename it, and beside it.
        if name.ends_with('~') || name.starts_with(".#") || name.starts_with('#') {
            return false;
        }
        if name.starts_with(".env") {
            return true;
        }
        let extension =
            file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        self.extensions.iter().any(|own| own == extension) || EXTENSIONS.contains(&extension)
    }

    fn is_named(&self, path: &Path) -> bool {
        self.named.iter().any(|named| path.starts_with(named))
    }

    fn is_ignored(&self, path: &Path, is_folder: bool) -> bool {
        // The matcher takes paths of its own folder only.
        let Ok(below) = path.strip_prefix(&self.root) else { return false };
        matches!(self.ignored.matched_path_or_any_parents(below, is_folder), Match::Ignore(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relevance(named: &[&str], patterns: &[&str]) -> Relevance {
        let extensions = ["py", "mjs", "lua"].map(str::to_owned).into();
        let named = named.iter().map(PathBuf::from).collect();
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        Relevance::new("/task".into(), extensions, named, &patterns).unwrap()
    }

    #[test]
    fn code_and_what_it_is_set_up_by_counts() {
        let relevance = relevance(&[], &[]);
        for file in [
            "a.py",
            "lib/b.mjs",
            "trine.toml",
            ".env",
            ".env.local",
            "package.json",
            "node_modules/x/i.mjs",
        ] {
            assert!(relevance.counts(&Path::new("/task").join(file)), "{file}");
        }
        for file in [
            "notes",
            "data.db",
            "a.py~",
            ".#a.py",
            "#a.py#",
            ".a.py.swp",
            "__pycache__/a.py",
            ".git/x.json",
            "4913",
        ] {
            assert!(!relevance.counts(&Path::new("/task").join(file)), "{file}");
        }
        assert!(
            relevance.enters(Path::new("/task/lib")) && !relevance.enters(Path::new("/task/.git"))
        );
    }

    #[test]
    fn users_add_files_and_take_some_out() {
        let relevance = relevance(
            &["/task/data", "/other"],
            &["out/", "*.gen.py", "!keep.gen.py", "/seen.json"],
        );
        for (file, counts) in [
            ("/task/data/x.db", true),
            ("/other/anything", true),
            ("/task/out/a.py", false),
            ("/task/deep/out/a.py", false),
            ("/task/a.gen.py", false),
            ("/task/keep.gen.py", true),
            ("/task/seen.json", false),
            ("/task/deep/seen.json", true),
        ] {
            assert_eq!(relevance.counts(Path::new(file)), counts, "{file}");
        }
        assert!(
            !relevance.enters(Path::new("/task/out")) && relevance.enters(Path::new("/other/.git"))
        );
    }

    #[test]
    fn a_pattern_that_is_none_is_told() {
        let why =
            Relevance::new("/task".into(), Vec::new(), Vec::new(), &["{a".to_owned()]).unwrap_err();
        assert!(why.to_string().contains("--ignore \"{a\" is no pattern"), "{why}");
    }
}
