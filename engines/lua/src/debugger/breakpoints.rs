//! Breakpoints: where guests stop, as clients set them.

use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

/// Maximum size of a source in which lines are counted.
const LARGEST_SOURCE: u64 = 16 << 20;

/// A breakpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Breakpoint {
    pub(super) id: u64,
    pub(super) line: u32,
    /// An expression that has to be true.
    pub(super) condition: Option<String>,
    /// What is logged there, instead of a stop.
    pub(super) message: Option<String>,
}

/// The breakpoints of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct InFile {
    /// The path as the client writes it.
    path: String,
    breakpoints: Vec<Breakpoint>,
}

/// All breakpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Breakpoints {
    files: HashMap<PathBuf, InFile>,
    /// The lines that have one, in any file.
    lines: HashSet<u32>,
    last_id: u64,
}

impl Breakpoints {
    pub(super) fn are_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether a line has one in some file.
    pub(super) fn may_be_at(&self, line: u32) -> bool {
        self.lines.contains(&line)
    }

    /// Returns those of a line.
    pub(super) fn at(&self, file: &Path, line: u32) -> impl Iterator<Item = &Breakpoint> {
        let in_file = self.files.get(file).into_iter();
        in_file.flat_map(|found| &found.breakpoints).filter(move |found| found.line == line)
    }

    /// Returns the path by which the client knows a file.
    pub(super) fn path(&self, file: &Path) -> Option<&str> {
        self.files.get(file).map(|found| found.path.as_str())
    }

    /// Replaces those of a file by the ones that a client's request lists. Returns what is answered.
    pub(super) fn set(&mut self, arguments: &Value) -> Result<Value, String> {
        let Some(path) = arguments["source"]["path"].as_str() else {
            return Err("breakpoints need the path of a source".to_owned());
        };
        let file = resolved(Path::new(path));
        let code = code_lines(&file);
        let none = Vec::new();
        let wanted = arguments["breakpoints"].as_array().unwrap_or(&none);
        let mut breakpoints = Vec::new();
        let mut answers = Vec::new();
        for wanted in wanted {
            self.last_id += 1;
            let text = |name: &str| {
                let text = wanted[name].as_str().map(str::trim);
                text.filter(|text| !text.is_empty()).map(str::to_owned)
            };
            let line = wanted["line"].as_u64().and_then(|line| u32::try_from(line).ok());
            let place = line.ok_or_else(|| "a breakpoint needs a line".to_owned());
            match place.and_then(|line| code.as_ref().map_err(Clone::clone).and_then(|code| code.from(line))) {
                Ok(line) => {
                    answers.push(json!({"id": self.last_id, "verified": true, "line": line}));
                    let (condition, message) = (text("condition"), text("logMessage"));
                    breakpoints.push(Breakpoint { id: self.last_id, line, condition, message });
                }
                Err(message) => answers.push(
                    json!({"id": self.last_id, "verified": false, "line": line, "message": message}),
                ),
            }
        }
        self.files.remove(&file);
        if !breakpoints.is_empty() {
            self.files.insert(file, InFile { path: path.to_owned(), breakpoints });
        }
        self.lines = self
            .files
            .values()
            .flat_map(|file| &file.breakpoints)
            .map(|found| found.line)
            .collect();
        Ok(json!({"breakpoints": answers}))
    }
}

/// Returns the path of a file without links, or as it is where there is no such file.
pub(super) fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// The lines of a source that hold more than space and comments.
#[derive(Debug)]
struct CodeLines(Vec<u32>);

impl CodeLines {
    /// Returns the first of them from a line on.
    fn from(&self, line: u32) -> Result<u32, String> {
        let index = self.0.partition_point(|known| *known < line);
        self.0.get(index).copied().ok_or_else(|| format!("there is no code from line {line} on"))
    }
}

/// Reads which lines of a file hold code. Comments of several lines count as code.
fn code_lines(file: &Path) -> Result<CodeLines, String> {
    let failed = |error| format!("{}: {error}", file.display());
    let opened = File::open(file).map_err(failed)?;
    if !opened.metadata().map_err(failed)?.is_file() {
        return Err(format!("{} is no file", file.display()));
    }
    let mut source = BufReader::new(opened.take(LARGEST_SOURCE));
    let (mut lines, mut number, mut line) = (Vec::new(), 0, Vec::new());
    while source.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        number += 1;
        let text = line.trim_ascii();
        let is_comment = text.starts_with(b"--") && !text.starts_with(b"--[");
        let is_for_the_shell = number == 1 && text.starts_with(b"#");
        if !(text.is_empty() || is_comment || is_for_the_shell) {
            lines.push(number);
        }
        line.clear();
    }
    Ok(CodeLines(lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breakpoint_moves_to_the_next_line_with_code() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("app.lua");
        std::fs::write(&file, "#!lua\n\n-- why\nlocal a = 1\n\n").unwrap();
        let mut breakpoints = Breakpoints::default();
        let lines = json!([{"line": 1}, {"line": 4, "condition": " "}, {"line": 5}, {"line": "x"}]);
        let path = file.to_str().unwrap();
        let set = json!({"source": {"path": path}, "breakpoints": lines});
        let answer = breakpoints.set(&set).unwrap();
        let told: Vec<_> = answer["breakpoints"].as_array().unwrap().iter().collect();
        assert_eq!(
            (told[0]["line"].as_u64(), told[0]["verified"].as_bool()),
            (Some(4), Some(true))
        );
        assert_eq!(told[2]["message"], "there is no code from line 5 on");
        assert_eq!(told[3]["verified"], false);
        let file = resolved(&file);
        assert_eq!(breakpoints.at(&file, 4).filter(|found| found.condition.is_none()).count(), 2);
        assert_eq!(breakpoints.path(&file), Some(path));
        breakpoints.set(&json!({"source": {"path": path}, "breakpoints": []})).unwrap();
        assert!(breakpoints.are_empty() && !breakpoints.may_be_at(4));
    }

    #[test]
    fn a_file_that_is_not_there_has_no_breakpoints() {
        let mut breakpoints = Breakpoints::default();
        let set = json!({"source": {"path": "/nowhere.lua"}, "breakpoints": [{"line": 1}]});
        assert_eq!(breakpoints.set(&set).unwrap()["breakpoints"][0]["verified"], false);
        assert!(breakpoints.are_empty());
        assert!(breakpoints.set(&json!(null)).is_err());
    }
}
