//! An error as the page shows it: what, where, the lines around that place, and what to do.

use crate::diagnostic;
use serde_json::{Value, json};
use std::{
    fs,
    io::Read as _,
    path::{Component, Path, PathBuf},
};
use trine_engine::{Error, Frame};

/// Number of lines that are shown before and after the one that matters.
const AROUND: usize = 3;
/// The longest line that is shown, in letters.
const LONGEST_LINE: usize = 300;
/// The largest file that is looked into, in bytes.
const LARGEST_FILE: u64 = 2 << 20;
/// Maximum numbers of frames, of lines of a stack, and of letters of a message.
const FRAMES: usize = 30;
const STACK: usize = 60;
const LONGEST_MESSAGE: usize = 8192;

/// What is known of an error.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    name: String,
    message: String,
    frames: Vec<Frame>,
    stack: Vec<String>,
    facts: Vec<(&'static str, String)>,
    cause: Option<String>,
    hint: Option<&'static str>,
}

impl Problem {
    pub(super) fn of(error: &Error) -> Self {
        Self {
            name: error.name().to_owned(),
            message: cut(error.message(), LONGEST_MESSAGE),
            frames: error.frames().iter().take(FRAMES).cloned().collect(),
            stack: error.stack().iter().take(STACK).cloned().collect(),
            facts: error.context().to_vec(),
            cause: error.cause().map(|cause| cut(&format!("{cause:#}"), LONGEST_MESSAGE)),
            hint: diagnostic::hint(error),
        }
    }

    /// Returns one line about it.
    pub(super) fn short(&self) -> String {
        format!("{}: {}", self.name, self.message.lines().next().unwrap_or_default())
    }

    /// Returns all of it. Of files only such are shown as lie in one of these folders: the places of an error are what the
    /// function says.
    pub(super) fn to_json(&self, folders: &[PathBuf]) -> Value {
        let shown = |file: &str| {
            let within =
                folders.iter().find_map(|folder| Path::new(file).strip_prefix(folder).ok());
            within.map_or_else(|| file.to_owned(), |path| path.display().to_string())
        };
        let place = self.place(folders);
        let frame = |frame: &Frame| {
            json!({
                "function": frame.function,
                "file": shown(&frame.file),
                "line": frame.line,
                "column": frame.column,
            })
        };
        let at = place.as_ref().map(|(frame, _)| *frame).or(self.frames.first());
        json!({
            "type": self.name,
            "message": self.message,
            "file": at.map(|frame| shown(&frame.file)),
            "line": at.map(|frame| frame.line).filter(|line| *line > 0),
            "column": at.map(|frame| frame.column).filter(|column| *column > 0),
            "excerpt": place.map(|(frame, path)| excerpt(&path, frame.line)),
            "frames": self.frames.iter().map(frame).collect::<Vec<_>>(),
            "stack": self.stack,
            "facts": self.facts.iter().map(|(name, text)| json!([name, text])).collect::<Vec<_>>(),
            "cause": self.cause,
            "hint": self.hint,
        })
    }

    /// Returns the first frame of the author's own code, else the first whose file is there.
    fn place(&self, folders: &[PathBuf]) -> Option<(&Frame, PathBuf)> {
        let known = |frame: &&Frame| frame.line > 0;
        let mut found = self
            .frames
            .iter()
            .filter(known)
            .filter_map(|frame| Some((frame, within(&frame.file, folders)?)));
        let first = found.next()?;
        let is_own = |path: &Path| {
            let mut parts = path.components().map(Component::as_os_str);
            !parts.any(|part| part == "node_modules" || part == "site-packages")
        };
        match is_own(&first.1) {
            true => Some(first),
            false => found.find(|(_, path)| is_own(path)).or(Some(first)),
        }
    }
}

/// Returns the path of a file if it is in one of these folders.
fn within(file: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let file = Path::new(file.strip_prefix("file://").unwrap_or(file));
    folders.iter().find_map(|folder| {
        let path = fs::canonicalize(folder.join(file)).ok()?;
        let folder = fs::canonicalize(folder).ok()?;
        (path.starts_with(&folder) && path.is_file()).then_some(path)
    })
}

/// Returns the lines around one, each with its number.
fn excerpt(path: &Path, line: u32) -> Option<Value> {
    let mut text = Vec::new();
    fs::File::open(path).ok()?.take(LARGEST_FILE).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let (line, first) = (line as usize, (line as usize).saturating_sub(AROUND).max(1));
    let lines = text.lines().enumerate().skip(first - 1).take(line + AROUND + 1 - first);
    let lines: Vec<Value> = lines
        .map(|(index, text)| {
            json!({"line": index + 1, "text": cut(text, LONGEST_LINE), "marked": index + 1 == line})
        })
        .collect();
    (!lines.is_empty()).then(|| lines.into())
}

fn cut(text: &str, letters: usize) -> String {
    match text.char_indices().nth(letters) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_around_the_place_are_shown_and_no_file_from_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.mjs");
        fs::write(&path, "1\n2\n3\n4\n5\n6\n7\n8\n9\n").unwrap();
        let frame = |file: &str, line| Frame { file: file.into(), line, ..Frame::default() };
        let frames = [frame("/etc/hostname", 1), frame(path.to_str().unwrap(), 2)];
        let error = Error::guest("TypeError", "no").with_frames(frames);
        let shown = Problem::of(&error).to_json(&[folder.path().to_owned()]);
        assert_eq!((&shown["file"], &shown["line"]), (&json!("app.mjs"), &json!(2)));
        let lines: Vec<u64> = shown["excerpt"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["line"].as_u64().unwrap())
            .collect();
        assert_eq!(lines, [1, 2, 3, 4, 5]);
        assert_eq!(shown["excerpt"][1], json!({"line": 2, "text": "2", "marked": true}));
        let outside = Error::guest("TypeError", "no").with_frames([frame("../../etc/hostname", 1)]);
        let shown = Problem::of(&outside).to_json(&[folder.path().to_owned()]);
        assert_eq!(
            (&shown["excerpt"], &shown["file"]),
            (&Value::Null, &json!("../../etc/hostname"))
        );
    }
}
