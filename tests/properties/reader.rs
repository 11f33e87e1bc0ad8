//! The JSON reader: it accepts exactly what a well-known parser accepts, as the same value; what it does not accept is
//! described.

#[path = "../../engines/json/src/tests/whole.rs"]
mod whole;

use crate::support::runner;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::Value;
use trine_json::{Number, Peek, Reader, Refused, describe};
use whole::read;

/// Pieces that texts are composed of: all of JSON's tokens, and what looks like them.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"a\"",
    "\"\"",
    "1",
    "-7",
    "01",
    "1.5e3",
    "2.",
    "true",
    "nul",
    "null",
    " ",
    "\n",
    "\"a\\u00e9\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"é and more than eight\"",
    "\"\\x\"",
    "\"tab\there\"",
    "{\"k\":",
    "[1,",
    "\"",
    "\\",
    "12345678901234567890",
    "1e400",
];

fn agrees(text: &[u8]) -> Result<(), TestCaseError> {
    let expected = serde_json::from_slice::<Value>(text).ok();
    prop_assert_eq!(read(text).ok(), expected, "{}", String::from_utf8_lossy(text));
    if read(text).is_err() {
        let described = describe(text);
        prop_assert!(described.contains(" at line "), "{described}");
    }
    Ok(())
}

#[test]
fn tokens_in_any_order_are_read_as_everybody_reads_them() {
    let texts = vec(select(PIECES), 0..12).prop_map(|pieces| pieces.concat());
    runner(3000).run(&texts, |text| agrees(text.as_bytes())).unwrap();
}

#[test]
fn a_byte_that_changes_makes_no_difference_between_readers() {
    const TEXT: &str = r#"{"id":7,"tags":["a","b"],"items":[{"n":-1.5e3,"k\n":null},{"é":[true,false]}],"t":"x\u0041"}"#;
    let changes = (0..TEXT.len(), any::<u8>());
    let outcome = runner(3000).run(&changes, |(at, byte)| {
        let mut text = TEXT.as_bytes().to_vec();
        text[at] = byte;
        agrees(&text)
    });
    outcome.unwrap();
}
