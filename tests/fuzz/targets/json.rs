//! The JSON reader compared with a well-known parser: the same texts, the same values, and messages for non-JSON.

#![no_main]

#[path = "../../../engines/json/src/tests/whole.rs"]
mod whole;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use trine_json::{Number, Peek, Reader, Refused, describe};

/// Maximum depth: a recursive parser runs out of stack; engines have limits of their own.
const DEEPEST: usize = 100;

fuzz_target!(|text: &[u8]| {
    let opens = text.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    if opens > DEEPEST {
        return;
    }
    let expected = serde_json::from_slice::<Value>(text).ok();
    let read = whole::read(text).ok();
    assert_eq!(read, expected);
    if read.is_none() {
        assert!(!describe(text).is_empty());
    }
});
