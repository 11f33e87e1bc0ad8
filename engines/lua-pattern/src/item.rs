//! Single items of a pattern: a character, a class, a set of them.

use crate::class::{self, Set};

/// Whether a byte is one of an item's.
#[inline]
pub(crate) fn belongs(byte: u8, item: &[u8]) -> bool {
    match *item {
        [b'.'] => true,
        [literal] => literal == byte,
        [b'%', name] => class::matches(byte, name),
        [b'[', ref members @ .., _] => in_set(byte, members),
        _ => false,
    }
}

/// Returns what stands between the brackets of a set, without its `^`, and whether there was none.
fn without_caret(members: &[u8]) -> (&[u8], bool) {
    match members {
        [b'^', rest @ ..] => (rest, false),
        _ => (members, true),
    }
}

/// Whether a byte is in the set that has these members between its brackets.
fn in_set(byte: u8, members: &[u8]) -> bool {
    let (mut members, found) = without_caret(members);
    loop {
        let (hit, rest) = match members {
            [b'%', name, rest @ ..] => (class::matches(byte, *name), rest),
            [first, b'-', last, rest @ ..] => ((*first..=*last).contains(&byte), rest),
            [member, rest @ ..] => (*member == byte, rest),
            [] => return !found,
        };
        if hit {
            return found;
        }
        members = rest;
    }
}

/// Makes the same set in one piece, for many bytes.
pub(crate) fn set_of(members: &[u8]) -> Set {
    let mut set = Set::default();
    let (mut members, found) = without_caret(members);
    loop {
        members = match members {
            [b'%', name, rest @ ..] => {
                set.add_class(*name);
                rest
            }
            [first, b'-', last, rest @ ..] => {
                set.add_range(*first, *last);
                rest
            }
            [member, rest @ ..] => {
                set.add(*member);
                rest
            }
            [] => break,
        };
    }
    if !found {
        set.invert();
    }
    set
}
