//! The text of an event: what is taken off at its beginning, and where it is no JSON.

use bytes::Bytes;
use serde::de::IgnoredAny;
use std::fmt::Write;

/// The byte order mark that some editors write.
const MARK: &[u8] = b"\xEF\xBB\xBF";
/// Numbers that are no JSON, and that a language may take all the same.
const NUMBERS: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
/// Maximum length of a line in an excerpt, in letters.
const WIDTH: usize = 76;

/// Makes an event of what was read: without a byte order mark; empty text is an empty object, as on Lambda. What was
/// read is not copied.
pub(crate) fn event_of(read: Vec<u8>) -> Bytes {
    let mut event = Bytes::from(read);
    if event.starts_with(MARK) {
        event = event.slice(MARK.len()..);
    }
    if event.trim_ascii().is_empty() { Bytes::from_static(b"{}") } else { event }
}

/// The place in a text where it is no JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// What is wrong there.
    message: String,
    /// Line, counted from 1.
    line: usize,
    /// Column, counted from 1 in letters.
    column: usize,
    /// What the line says, around that column.
    excerpt: String,
    /// The number of letters in front of the place, in the excerpt.
    before: usize,
}

/// Looks at a text that should be JSON.
///
/// # Errors
/// Where it is none. Numbers that Python takes for numbers (`NaN`) are left to whoever reads the text.
pub(crate) fn check(text: &[u8]) -> Result<(), Fault> {
    if let Err(error) = std::str::from_utf8(text) {
        let message = match text {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it is UTF-16; save it as UTF-8",
            _ => "a byte is no UTF-8",
        };
        return Err(Fault::at(text, error.valid_up_to(), message.to_owned()));
    }
    let Err(error) = serde_json::from_slice::<IgnoredAny>(text) else { return Ok(()) };
    let mut start = 0;
    for _ in 1..error.line() {
        let rest = &text[start..];
        start += rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
    }
    // A column of 0 is the end of the line before.
    let mut at = (start + error.column()).saturating_sub(1).min(text.len());
    if error.is_eof() {
        at = text.trim_ascii_end().len();
    }
    // It is told of the byte in front of it.
    let is_control = error.to_string().starts_with("control character");
    if is_control && text.get(at).is_some_and(|byte| !byte.is_ascii_control()) {
        at = (at + 1).min(text.len());
    }
    let rest = &text[at..];
    // A minus sign may have been read already.
    let before = &text[at.saturating_sub(1)..];
    if NUMBERS.iter().any(|number| rest.starts_with(number) || before.starts_with(number)) {
        return Ok(());
    }
    Err(Fault::at(text, at, message(&error, text, at)))
}

/// Returns what is wrong, without the place.
fn message(error: &serde_json::Error, text: &[u8], at: usize) -> String {
    let told = error.to_string();
    let told = told.rsplit_once(" at line ").map_or(told.as_str(), |(told, _)| told);
    if let Some(inside) = told.strip_prefix("EOF while parsing ") {
        return format!("it ends inside of {inside}");
    }
    let after_comma = text[..at].trim_ascii_end().ends_with(b",");
    match (told, text.get(at)) {
        (_, Some(b'\'')) => "strings and names are written in double quotes".to_owned(),
        (_, Some(b']' | b'}')) if after_comma => "a comma stands before the end".to_owned(),
        ("key must be a string", _) => "a name in double quotes is missing".to_owned(),
        ("trailing characters", _) => "more follows behind its end".to_owned(),
        (_, Some(b'\n' | b'\r')) if told.starts_with("control character") => {
            "a string ends with its line; a line break in it is written \\n".to_owned()
        }
        _ if told.starts_with("control character") => {
            "a control character stands in a string, where it is written \\u00XX".to_owned()
        }
        ("expected value", _) => "a value is missing".to_owned(),
        ("expected ident", _) => "a value is no word but true, false and null".to_owned(),
        _ => told.to_owned(),
    }
}

impl Fault {
    fn at(text: &[u8], at: usize, message: String) -> Self {
        let begin = text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let line = 1 + text[..begin].iter().filter(|byte| **byte == b'\n').count();
        let end = text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |n| at + n);
        let letters = |bytes: &[u8]| -> Vec<char> {
            String::from_utf8_lossy(bytes)
                .chars()
                .map(|letter| if letter.is_control() { ' ' } else { letter })
                .collect()
        };
        let column = 1 + letters(&text[begin..at]).len();
        // Of a long line the part around the place, which no letter of four bytes makes too short.
        let from = begin.max(at.saturating_sub(4 * WIDTH));
        let to = end.min(at + 4 * WIDTH);
        let (mut ahead, mut behind) = (letters(&text[from..at]), letters(&text[at..to]));
        if ahead.len() > WIDTH / 2 {
            ahead.drain(..ahead.len() - WIDTH / 2);
            ahead[0] = '…';
        }
        let room = WIDTH - ahead.len();
        if behind.len() > room {
            behind.truncate(room);
            behind[room - 1] = '…';
        }
        let before = ahead.len();
        let excerpt: String = ahead.into_iter().chain(behind).collect();
        Self { message, line, column, excerpt: excerpt.trim_end().to_owned(), before }
    }

    /// Returns what is wrong and where, on one line.
    pub(crate) fn told(&self, what: &str) -> String {
        format!("{what} is no JSON at line {}, column {}: {}", self.line, self.column, self.message)
    }

    /// Returns the line that is wrong, and a mark below the place.
    pub(crate) fn shown(&self) -> String {
        let number = self.line.to_string();
        let mut shown = format!("  {number} | {}\n", self.excerpt);
        // Writing to a string does not fail.
        let _ = write!(
            shown,
            "  {:width$} | {:before$}^",
            "",
            "",
            width = number.len(),
            before = self.before
        );
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> (String, String) {
        let fault = check(text.as_bytes()).unwrap_err();
        (fault.told("it"), fault.shown())
    }

    #[test]
    fn marks_and_nothing_are_read_as_editors_leave_them() {
        assert_eq!(event_of(b"\xEF\xBB\xBF[1]".to_vec()), "[1]");
        assert_eq!(event_of(b"\xEF\xBB\xBF \r\n".to_vec()), "{}");
        assert_eq!(event_of(Vec::new()), "{}");
        let whole = vec![b'1'; 100];
        let at = whole.as_ptr();
        assert_eq!(event_of(whole).as_ptr(), at, "it is not copied");
    }

    #[test]
    fn a_fault_is_told_with_line_column_and_a_mark() {
        for (text, told, shown) in [
            (
                "{\n  \"a\": 1\n  \"b\": 2\n}",
                "it is no JSON at line 3, column 3: expected `,` or `}`",
                "  3 |   \"b\": 2\n    |   ^",
            ),
            (
                "{\"é\": 'x'}",
                "it is no JSON at line 1, column 7: strings and names are written in double quotes",
                "  1 | {\"é\": 'x'}\n    |       ^",
            ),
            (
                "[1,]",
                "it is no JSON at line 1, column 4: a comma stands before the end",
                "  1 | [1,]\n    |    ^",
            ),
            (
                "{oops",
                "it is no JSON at line 1, column 2: a name in double quotes is missing",
                "  1 | {oops\n    |  ^",
            ),
            (
                "{\"a\": ",
                "it is no JSON at line 1, column 6: it ends inside of a value",
                "  1 | {\"a\":\n    |      ^",
            ),
            (
                "[1\n\n",
                "it is no JSON at line 1, column 3: it ends inside of a list",
                "  1 | [1\n    |   ^",
            ),
            (
                "{\"a\":1,}",
                "it is no JSON at line 1, column 8: a comma stands before the end",
                "  1 | {\"a\":1,}\n    |        ^",
            ),
            (
                "{} x",
                "it is no JSON at line 1, column 4: more follows behind its end",
                "  1 | {} x\n    |    ^",
            ),
            (
                "[tru]",
                "it is no JSON at line 1, column 5: a value is no word but true, false and null",
                "  1 | [tru]\n    |     ^",
            ),
        ] {
            assert_eq!(fault(text), (told.to_owned(), shown.to_owned()), "{text}");
        }
        let (told, shown) = fault("{\"a\": \"x\ny\"}");
        assert!(
            told.starts_with("it is no JSON at line 1, column 9: a string ends with"),
            "{told}"
        );
        assert_eq!(shown, "  1 | {\"a\": \"x\n    |         ^");
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let text = format!("[{}x{}]", "1,".repeat(5000), ",2".repeat(5000));
        let (told, shown) = fault(&text);
        assert!(told.starts_with("it is no JSON at line 1, column 10002: "), "{told}");
        let (line, mark) = shown.split_once('\n').unwrap();
        assert_eq!(line.chars().count(), WIDTH + 6, "{line}");
        assert!(line.starts_with("  1 | …,1,1,") && line.ends_with('…'), "{line}");
        let at = mark.chars().position(|letter| letter == '^').unwrap();
        assert_eq!(line.chars().nth(at), Some('x'));
    }

    #[test]
    fn what_some_languages_read_is_left_to_them() {
        for text in ["NaN", "[-Infinity, NaN]", "{\"a\": Infinity}", "\"\\ud83d\"", "1E400"] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
        assert!(check("[".repeat(100_000).as_bytes()).is_err());
        let told = |text: &[u8]| check(text).unwrap_err().told("it");
        assert_eq!(
            told(b"[1,\n \"\xff\"]"),
            "it is no JSON at line 2, column 3: a byte is no UTF-8"
        );
        assert!(told(b"\xff\xfe{\0}\0").ends_with(": it is UTF-16; save it as UTF-8"));
    }
}
