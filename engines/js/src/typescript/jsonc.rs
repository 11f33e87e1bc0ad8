//! JSON as in `tsconfig.json`: with comments and with commas before a closing bracket.

use serde_json::Value;

/// Parses JSON with comments and trailing commas. Positions in an error are those of `text`.
///
/// # Errors
/// Serde's message, in the form `problem at line 3 column 5`.
pub(super) fn parse(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(&plain(text))
}

/// Replaces by blanks what is not JSON, so that lines and columns stay what they are.
fn plain(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.starts_with("\u{feff}".as_bytes()) {
        bytes[..3].fill(b' ');
    }
    let mut comma = None;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at = end_of_string(&bytes, at);
                comma = None;
                continue;
            }
            b'/' if matches!(bytes.get(at + 1), Some(b'/' | b'*')) => {
                let end = end_of_comment(&bytes, at);
                blank(&mut bytes[at..end]);
                at = end;
                continue;
            }
            b',' => comma = Some(at),
            b'}' | b']' => {
                if let Some(comma) = comma.take() {
                    bytes[comma] = b' ';
                }
            }
            byte if byte.is_ascii_whitespace() => {}
            _ => comma = None,
        }
        at += 1;
    }
    String::from_utf8(bytes).unwrap_or_else(|error| {
        // Only whole comments and single commas were replaced.
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    })
}

/// Returns the end of a string that begins at `start`.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// Returns the end of a comment that begins at `start`.
fn end_of_comment(bytes: &[u8], start: usize) -> usize {
    let rest = &bytes[start..];
    let length = match rest[1] {
        b'/' => rest.iter().position(|byte| *byte == b'\n'),
        _ => rest.windows(2).skip(2).position(|two| two == b"*/").map(|found| found + 4),
    };
    start + length.unwrap_or(rest.len())
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes {
        if !byte.is_ascii_whitespace() {
            *byte = b' ';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn comments_and_trailing_commas_are_none_of_the_value() {
        let text = "\u{feff}// first, }\n{ /* , */ \"a//b\": [1, 2, /* 3 */ ], // end\n \"c\": \"/*\\\"*/,]\",\n}";
        assert_eq!(parse(text).ok(), Some(json!({"a//b": [1, 2], "c": "/*\"*/,]"})));
        assert_eq!(parse("{/**/}").ok(), Some(json!({})));
        assert_eq!(parse("{\"é\": 1, /* ü */ }").ok(), Some(json!({"é": 1})));
    }

    #[test]
    fn problems_keep_their_places() {
        let error = parse("{\n  // one\n  \"a\": oops\n}").expect_err("no JSON");
        assert_eq!((error.line(), error.column()), (3, 8));
        for text in ["", "[1 2]", "{\"a\": 1,, }", "/*", "\"", "\"\\", "{\"a\" 1}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
