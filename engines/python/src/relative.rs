//! The reach of a file's relative imports, read from its source before anything of it runs.

use std::path::PathBuf;

use pyo3::pyfunction;

/// Implements `relative_levels(path)`: the most dots that a `from` of the file begins with; 0 where it has no relative
/// import, and for an unreadable file.
#[pyfunction]
pub(crate) fn relative_levels(path: PathBuf) -> usize {
    let Ok(source) = std::fs::read(path) else { return 0 };
    levels(&source)
}

fn levels(source: &[u8]) -> usize {
    let mut most = 0;
    let mut rest = source;
    // Whether a statement may begin here.
    let mut begins = true;
    while let [first, tail @ ..] = rest {
        (begins, rest) = match first {
            b'#' => (begins, skip_line(tail)),
            b'"' | b'\'' => (false, skip_string(rest)),
            b'\n' | b';' | b':' => (true, tail),
            b' ' | b'\t' | b'\r' | b'\x0c' => (begins, tail),
            b'\\' => (false, tail.get(1..).unwrap_or_default()),
            byte if is_word(*byte) => {
                let end = rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                if begins && word == b"from" {
                    most = most.max(dots(after));
                }
                (false, after)
            }
            _ => (false, tail),
        };
    }
    most
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Counts the dots after a `from`; blanks may stand between them.
fn dots(after: &[u8]) -> usize {
    let relevant =
        after.iter().filter(|byte| !matches!(byte, b' ' | b'\t' | b'\\' | b'\n' | b'\r'));
    relevant.take_while(|byte| **byte == b'.').count()
}

fn skip_line(text: &[u8]) -> &[u8] {
    text.iter().position(|byte| *byte == b'\n').map_or(&[], |end| &text[end..])
}

/// Returns the rest after a string that `text` begins with.
fn skip_string(text: &[u8]) -> &[u8] {
    let quote = text[0];
    let triple = [quote; 3];
    let (closing, mut rest): (&[u8], _) = match text.starts_with(&triple) {
        true => (&triple, &text[3..]),
        false => (&triple[..1], &text[1..]),
    };
    while let [first, tail @ ..] = rest {
        if rest.starts_with(closing) {
            return &rest[closing.len()..];
        }
        rest = match first {
            b'\\' => tail.get(1..).unwrap_or_default(),
            // A string that never ends does not parse; the rest may be read all the same.
            b'\n' if closing.len() == 1 => return rest,
            _ => tail,
        };
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::levels;

    #[test]
    fn the_most_dots_count() {
        for (source, expected) in [
            ("import os\nfrom os import path\n", 0),
            ("from . import parts\n", 1),
            ("from .parts import a\nfrom ..pkg import b\n", 2),
            ("    from ... import c", 3),
            ("from . . import a", 2),
            ("from \\\n  .. import a", 2),
            ("try: from .parts import a\nexcept ImportError: from parts import a\n", 1),
            ("x = 1; from .y import z", 1),
            ("from.y import z", 1),
            ("def f():\n\tfrom .y import z\n", 1),
        ] {
            assert_eq!(levels(source.as_bytes()), expected, "{source}");
        }
    }

    #[test]
    fn what_is_no_statement_does_not_count() {
        for source in [
            "# from . import a\n",
            "\"\"\"\nfrom . import a\n\"\"\"\n",
            "'''from . import \\''' a\nfrom . import b'''\n",
            "x = 'from . import a'\n",
            "x = 'it\\'s'\ny = \"from . import a\"",
            "def f():\n    yield from .5,\n",
            "xfrom = 1\n",
            "",
        ] {
            assert_eq!(levels(source.as_bytes()), 0, "{source}");
        }
        assert_eq!(levels(b"x = 'never ends\nfrom . import a\n"), 1);
        assert_eq!(levels(b"'''never ends\nfrom . import a\n"), 0);
    }
}
