//! The text of a SQL file: where its statements lie, in bytes, lines and columns.
//!
//! SQLite itself says where a statement ends. What lies between statements (blanks, comments, lone semicolons) is told apart
//! here.

use std::{ffi::CString, ops::Range};
use trine_engine::{Error, ErrorKind, Frame, Module, Result};

/// Maximum number of characters of a line that messages show.
const SHOWN: usize = 160;

/// The text of a SQL file.
pub(crate) struct Source {
    /// The text, which has no NUL byte but the one behind its end.
    text: CString,
    /// The path of the file, as frames have it.
    file: String,
    /// The end of the last statement, its semicolon not included.
    end: usize,
}

impl Source {
    /// Reads a module's file.
    ///
    /// # Errors
    /// [`ErrorKind::ImportModule`] when it cannot be read, [`ErrorKind::UserCodeSyntax`] when it is no text, or a text
    /// without a statement.
    pub(crate) fn read(module: &Module) -> Result<Self> {
        let file = module.path.display().to_string();
        let bytes = std::fs::read(&module.path).map_err(|error| {
            let message = format!("Unable to import module '{}': {file}: {error}", module.name);
            Error::new(ErrorKind::ImportModule, message)
        })?;
        Self::new(bytes, file).map_err(|(reason, frame)| {
            let message = format!("Syntax error in module '{}': {reason}", module.name);
            Error::new(ErrorKind::UserCodeSyntax, message).with_frames([frame])
        })
    }

    fn new(mut bytes: Vec<u8>, file: String) -> Result<Self, (String, Frame)> {
        if bytes.starts_with(b"\xEF\xBB\xBF") {
            bytes.drain(..3);
        }
        let wrong = |bytes: &[u8], at: usize, reason: String| {
            let (line, column) = position(bytes, at);
            (reason, Frame { file: file.clone(), line, column, ..Frame::default() })
        };
        if let Err(error) = std::str::from_utf8(&bytes) {
            let at = error.valid_up_to();
            let reason = format!("byte {:#04x} is no UTF-8: save the file as UTF-8", bytes[at]);
            return Err(wrong(&bytes, at, reason));
        }
        let text = CString::new(bytes).map_err(|error| {
            let at = error.nul_position();
            let reason = "a NUL byte, where SQL would end: remove it".to_owned();
            wrong(&error.into_vec(), at, reason)
        })?;
        let end = content_end(text.as_bytes());
        if end == 0 {
            let reason = "the file has no statement: its last one gives the answer".to_owned();
            return Err(wrong(text.as_bytes(), 0, reason));
        }
        Ok(Self { text, file, end })
    }

    /// Returns the text, for SQLite.
    pub(crate) fn text(&self) -> &CString {
        &self.text
    }

    /// Whether no statement begins at this place or later.
    pub(crate) fn is_over(&self, at: usize) -> bool {
        at >= self.end
    }

    /// Returns the place at which the next statement begins.
    pub(crate) fn next(&self, at: usize) -> usize {
        let text = self.text.as_bytes();
        let content = tokens(text, at).find(|(_, is_content)| *is_content);
        content.map_or(self.end, |(range, _)| range.start)
    }

    /// Returns the frame of a place.
    pub(crate) fn frame(&self, at: usize) -> Frame {
        let (line, column) = position(self.text.as_bytes(), at);
        Frame { file: self.file.clone(), line, column, ..Frame::default() }
    }

    /// Returns the line of a place, and below it a mark at its column, for people to look at.
    pub(crate) fn excerpt(&self, at: usize) -> [String; 2] {
        let text = self.text.to_str().unwrap_or_default();
        let at = at.min(text.len());
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let before: Vec<char> = text[start..at].chars().collect();
        let cut = before.len().saturating_sub(SHOWN / 2);
        let line: String = text[start..]
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .skip(cut)
            .take(SHOWN)
            .collect();
        let blank = |c: &char| if *c == '\t' { '\t' } else { ' ' };
        let mark: String = before[cut..].iter().map(blank).chain(['^']).collect();
        [format!("  {}", line.trim_end()), format!("  {mark}")]
    }
}

/// Returns line and column of a place, counted from 1.
fn position(text: &[u8], at: usize) -> (u32, u32) {
    let before = &text[..at.min(text.len())];
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// Returns where the last token ends that belongs to a statement; 0 where there is none.
fn content_end(text: &[u8]) -> usize {
    let content = tokens(text, 0).filter(|(_, is_content)| *is_content);
    content.last().map_or(0, |(range, _)| range.end)
}

/// Cuts a text into tokens as far as telling statements from what lies between them needs it; each with whether it belongs
/// to a statement.
fn tokens(text: &[u8], from: usize) -> impl Iterator<Item = (Range<usize>, bool)> {
    let mut at = from;
    std::iter::from_fn(move || {
        let start = at;
        let first = *text.get(start)?;
        let until = |from: usize, end: &[u8]| {
            let rest = text.get(from..).unwrap_or_default();
            let found = rest.windows(end.len()).position(|window| window == end);
            found.map_or(text.len(), |found| from + found + end.len())
        };
        let next = text.get(start + 1).copied();
        let is_content = match first {
            b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b';' => {
                at += 1;
                false
            }
            b'-' if next == Some(b'-') => {
                at = until(start, b"\n");
                false
            }
            b'/' if next == Some(b'*') => {
                at = until(start + 2, b"*/");
                false
            }
            quote @ (b'\'' | b'"' | b'`') => {
                at = until(start + 1, &[quote]);
                true
            }
            b'[' => {
                at = until(start, b"]");
                true
            }
            _ => {
                at += 1;
                true
            }
        };
        Some((start..at, is_content))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new(text.into(), "app.sql".into()).unwrap()
    }

    fn content(text: &str) -> &str {
        &text[..content_end(text.as_bytes())]
    }

    #[test]
    fn what_follows_the_last_statement_does_not_belong_to_it() {
        assert_eq!(content("SELECT 1; -- done"), "SELECT 1");
        assert_eq!(content("SELECT 1 /* ; */ ;; \n\t;"), "SELECT 1");
        assert_eq!(content("SELECT ';--' ; /* open"), "SELECT ';--'");
        assert_eq!(content("SELECT \"/*\" -- x"), "SELECT \"/*\"");
        assert_eq!(content("SELECT [--] , `;`--"), "SELECT [--] , `;`");
        assert_eq!(content("SELECT 'it''s' --"), "SELECT 'it''s'");
        assert_eq!(content("SELECT 'open -- ;"), "SELECT 'open -- ;");
        assert_eq!(content("SELECT 1 - -1"), "SELECT 1 - -1");
        assert_eq!(content("SELECT 4 / 2"), "SELECT 4 / 2");
        for empty in ["", " ", ";", "-- x", "/* x", "/**/ ; --", "/*/"] {
            assert_eq!(content(empty), "", "{empty}");
        }
    }

    #[test]
    fn the_next_statement_begins_behind_comments() {
        let text = "-- a ;\n; /* b */ SELECT 1; SELECT 2";
        assert_eq!(source(text).next(0), text.find("SELECT 1").unwrap());
        assert_eq!(source(text).next(26), text.find("SELECT 2").unwrap());
        assert_eq!(source("SELECT 1;").next(9), 8);
    }

    #[test]
    fn places_have_lines_and_columns_in_characters() {
        let source = source("SELECT 'é',\r\n\t'ü' x y");
        let frame = source.frame("SELECT 'é',\r\n\t'ü' x ".len());
        assert_eq!((frame.line, frame.column), (2, 8));
        assert_eq!(source.excerpt(20), ["  \t'ü' x y", "  \t    ^"]);
        assert_eq!(source.excerpt(0), ["  SELECT 'é',", "  ^"]);
        let long = format!("SELECT {}", "x".repeat(1000));
        let [line, mark] = Source::new(long.into(), String::new()).unwrap().excerpt(500);
        assert!(line.len() <= SHOWN + 2 && mark.len() <= SHOWN);
    }

    #[test]
    fn what_is_no_text_is_told_with_its_place() {
        let fault = |bytes: &[u8]| Source::new(bytes.into(), "app.sql".into()).err().unwrap();
        let (reason, frame) = fault(b"SELECT 1;\n\xff");
        assert!(reason.contains("0xff is no UTF-8"), "{reason}");
        assert_eq!((frame.line, frame.column), (2, 1));
        let (reason, frame) = fault(b"SELECT\0 1");
        assert!(reason.contains("NUL"), "{reason}");
        assert_eq!((frame.line, frame.column), (1, 7));
        assert!(fault(b"\xEF\xBB\xBF -- nothing").0.contains("no statement"));
        assert_eq!(source("\u{feff}SELECT 1").frame(0).column, 1);
    }
}
