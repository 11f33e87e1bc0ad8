//! The description of what is wrong with a text that is not JSON.

use serde::de::IgnoredAny;

/// Says why the reader refuses a text, and where: `expected value at line 1 column 8`.
pub fn describe(text: &[u8]) -> String {
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(text) {
        return error.to_string();
    }
    // What is skipped is not looked into: these faults lie within strings.
    match std::str::from_utf8(text) {
        Err(error) => {
            format!("invalid unicode code point at {}", Place::of(text, error.valid_up_to()))
        }
        Ok(text) => match serde_json::from_str::<serde_json::Value>(text) {
            Err(error) => error.to_string(),
            Ok(_) => "not JSON that can be read".to_owned(),
        },
    }
}

/// A place in a text: line and column, both counted from 1, the column in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// Returns the place of a byte, counted from 0; one behind the text is its end.
    pub fn of(text: &[u8], at: usize) -> Self {
        let at = at.min(text.len());
        let before = &text[..at];
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Self { line, column: at - start + 1 }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn faults_are_named_with_their_places() {
        for (text, expected) in [
            (&b""[..], "EOF while parsing a value at line 1 column 0"),
            (b"{\"a\": tru}", "expected ident at line 1 column 10"),
            (b"[1,\n 2,\n]", "expected value at line 3 column 1"),
            (b"{\"a\" 1}", "expected `:` at line 1 column 6"),
            (b"[1] 2", "trailing characters at line 1 column 5"),
            (b"NaN", "expected value at line 1 column 1"),
            (b"[\n\"\xff\"]", "invalid unicode code point at line 2 column 2"),
            (b"\"\\ud800\"", "unexpected end of hex escape at line 1 column 8"),
        ] {
            assert_eq!(describe(text), expected, "{}", String::from_utf8_lossy(text));
        }
    }
}
