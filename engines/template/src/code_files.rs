//! Files of code in a folder, for the tools that take each file for a function.

use std::path::Path;

/// Suffixes of files that are functions.
const SUFFIXES: [&str; 7] = [".mjs", ".cjs", ".js", ".mts", ".cts", ".ts", ".py"];

/// The most files that are looked at, and the most folders within each other.
const MOST: usize = 10_000;
const DEEPEST: usize = 16;

/// A file of code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CodeFile {
    /// Its path from the folder, with slashes and without its suffix.
    pub(crate) stem: String,
    /// Its path from the folder.
    pub(crate) path: String,
}

/// Returns the files of code in a folder and below it, in order. Names that begin with a dot or an underscore are left out, and so
/// are packages and declarations of types.
pub(crate) fn below(folder: &Path) -> Vec<CodeFile> {
    let mut files = Vec::new();
    let mut seen = 0;
    look(folder, "", DEEPEST, &mut seen, &mut files);
    files.sort();
    files
}

fn look(folder: &Path, prefix: &str, depth: usize, seen: &mut usize, files: &mut Vec<CodeFile>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        *seen += 1;
        if *seen > MOST {
            return;
        }
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with(['.', '_']) || name == "node_modules" {
            continue;
        }
        let path = format!("{prefix}{name}");
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth > 0 {
            look(&entry.path(), &format!("{path}/"), depth - 1, seen, files);
        }
        let stem = SUFFIXES.iter().find_map(|suffix| path.strip_suffix(suffix));
        if let Some(stem) = stem.filter(|stem| kind.is_file() && !stem.ends_with(".d")) {
            files.push(CodeFile { stem: stem.to_owned(), path });
        }
    }
}

/// Returns the text of a file, if it can be had and is not very long.
pub(crate) fn text(file: &Path) -> Option<String> {
    let is_small = file.metadata().is_ok_and(|data| data.is_file() && data.len() < 1024 * 1024);
    is_small.then(|| std::fs::read_to_string(file).ok()).flatten()
}
