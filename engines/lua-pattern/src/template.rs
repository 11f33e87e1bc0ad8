//! The replacement strings of `gsub`.

use crate::{Fault, byte};

/// A piece of a replacement string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Text as it stands.
    Text(&'t [u8]),
    /// The whole match, for `%0`.
    Match,
    /// A capture, counted from 0 as in [`crate::Matcher::capture`]: 0 for `%1`.
    Capture(usize),
}

/// The pieces of a replacement string, in which `%0` to `%9` stand for captures and `%%` for `%`.
#[derive(Debug, Clone)]
pub struct Template<'t> {
    rest: &'t [u8],
}

impl<'t> Template<'t> {
    /// Makes an iterator over the pieces of `text`.
    #[inline]
    pub fn new(text: &'t [u8]) -> Self {
        Self { rest: text }
    }
}

impl<'t> Iterator for Template<'t> {
    type Item = Result<Piece<'t>, Fault>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest;
        let (piece, length) = match *rest {
            [] => return None,
            [b'%', b'%', ..] => (Piece::Text(b"%"), 2),
            [b'%', b'0', ..] => (Piece::Match, 2),
            [b'%', digit @ b'1'..=b'9', ..] => (Piece::Capture(usize::from(digit - b'1')), 2),
            [b'%', ..] => {
                self.rest = &[];
                return Some(Err(Fault::InvalidEscape));
            }
            _ => {
                let length = byte::position(b'%', rest).unwrap_or(rest.len());
                (Piece::Text(&rest[..length]), length)
            }
        };
        self.rest = &rest[length..];
        Some(Ok(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, Template};
    use crate::Fault;

    #[test]
    fn pieces_are_text_and_captures() {
        let pieces: Result<Vec<_>, _> = Template::new(b"<%0>%1%9%%x").collect();
        let expected = vec![
            Piece::Text(b"<"),
            Piece::Match,
            Piece::Text(b">"),
            Piece::Capture(0),
            Piece::Capture(8),
            Piece::Text(b"%"),
            Piece::Text(b"x"),
        ];
        assert_eq!(pieces, Ok(expected));
        assert_eq!(Template::new(b"").next(), None);
    }

    #[test]
    fn what_stands_for_nothing_is_a_fault_that_ends_the_template() {
        for text in [&b"%"[..], b"%x", b"%\xff1", b"% "] {
            let mut template = Template::new(text);
            assert_eq!(template.next(), Some(Err(Fault::InvalidEscape)), "{text:?}");
            assert_eq!(template.next(), None);
        }
    }
}
