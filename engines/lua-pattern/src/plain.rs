//! Text without special characters, and the search for it.

use crate::{Fault, byte};
use memchr::memmem::Finder;

/// Minimum size, in bytes, of a piece that is searched in one go.
const PIECE: usize = 1 << 20;

/// Whether a pattern has no special character, so that it matches itself only.
#[inline]
pub fn is_plain(pattern: &[u8]) -> bool {
    static SPECIAL: [bool; 256] = {
        let mut table = [false; 256];
        let mut specials = b"^$*+?.([%-".as_slice();
        while let [first, rest @ ..] = specials {
            table[*first as usize] = true;
            specials = rest;
        }
        table
    };
    !pattern.iter().any(|&byte| SPECIAL[usize::from(byte)])
}

/// Finds the first place of `part` in `text`. Takes time in proportion to the text, whatever the part; during a long
/// search `stop` is asked now and then whether to end it.
///
/// # Errors
/// [`Fault::Stopped`] when `stop` has returned true.
pub fn find_plain(
    text: &[u8],
    part: &[u8],
    stop: impl FnMut() -> bool,
) -> Result<Option<usize>, Fault> {
    let Some((&first, others)) = part.split_first() else { return Ok(Some(0)) };
    if part.len() > text.len() {
        return Ok(None);
    }
    // The first byte is rare in most texts. Where it is not, comparing at each occurrence may take the product of both
    // lengths, so this method is abandoned after some attempts: as many as cost what preparing the other one does.
    let mut attempts = 8;
    let mut from = 0;
    let last = text.len() - part.len();
    while from <= last {
        let Some(skipped) = byte::position(first, &text[from..=last]) else { return Ok(None) };
        let at = from + skipped;
        if text[at + 1..].starts_with(others) {
            return Ok(Some(at));
        }
        from = at + 1;
        let cost = 1 + others.len() / 64;
        if attempts < cost {
            return find_in_pieces(text, from, part, stop);
        }
        attempts -= cost;
    }
    Ok(None)
}

/// Does the same from `from` on, by an algorithm that never looks back.
fn find_in_pieces(
    text: &[u8],
    mut from: usize,
    part: &[u8],
    mut stop: impl FnMut() -> bool,
) -> Result<Option<usize>, Fault> {
    let finder = Finder::new(part);
    // Pieces overlap by the part's length, so they are larger than it.
    let size = PIECE.max(4 * part.len());
    while text.len() - from >= part.len() {
        if stop() {
            return Err(Fault::Stopped);
        }
        let piece = &text[from..text.len().min(from + size)];
        if let Some(found) = finder.find(piece) {
            return Ok(Some(from + found));
        }
        if from + piece.len() == text.len() {
            break;
        }
        from += piece.len() - (part.len() - 1);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::{PIECE, find_plain};
    use crate::Fault;
    use proptest::{collection::vec, prelude::*, test_runner::RngSeed};

    fn naive(text: &[u8], part: &[u8]) -> Option<usize> {
        (0..=text.len()).find(|&at| text[at..].starts_with(part))
    }

    /// Returns a configuration with the same cases in every run.
    fn config() -> ProptestConfig {
        let rng_seed = RngSeed::Fixed(2026);
        ProptestConfig { rng_seed, failure_persistence: None, ..ProptestConfig::with_cases(2000) }
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn a_part_is_found_wherever_it_is(
            text in vec(prop::sample::select(&b"aaaab"[..]), 0..300),
            part in vec(prop::sample::select(&b"aab"[..]), 0..12),
        ) {
            prop_assert_eq!(find_plain(&text, &part, || false), Ok(naive(&text, &part)));
        }

        #[test]
        fn a_piece_of_the_text_is_found(text in vec(any::<u8>(), 1..300), at: usize, length: usize) {
            let at = at % text.len();
            let part = &text[at..at + length % (text.len() - at + 1)];
            prop_assert_eq!(find_plain(&text, part, || false), Ok(naive(&text, part)));
        }
    }

    /// Returns several pieces, and a part that defeats comparing at every first byte.
    fn long() -> (Vec<u8>, Vec<u8>) {
        let mut part = vec![b'a'; 300_000];
        part.push(b'b');
        (vec![b'a'; 5 * PIECE], part)
    }

    #[test]
    fn a_long_search_takes_several_pieces() {
        let (mut text, part) = long();
        assert_eq!(find_plain(&text, &part, || false), Ok(None));
        let at = text.len() - 1;
        text[at] = b'b';
        assert_eq!(find_plain(&text, &part, || false), Ok(Some(at - 300_000)));
    }

    #[test]
    fn a_long_search_ends_when_its_caller_says_so() {
        let (text, part) = long();
        let mut asked = 0;
        let stop = || {
            asked += 1;
            asked == 2
        };
        assert_eq!(find_plain(&text, &part, stop), Err(Fault::Stopped));
    }
}
