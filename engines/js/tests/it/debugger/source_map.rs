//! The reading of source maps as an editor does it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;

/// A map: for each mapping line and column of the code, then of the source.
pub(super) struct SourceMap {
    pub(super) json: Value,
    mappings: Vec<[i64; 4]>,
}

impl SourceMap {
    /// Reads the map that code brings along.
    pub(super) fn of(script: &Value) -> Self {
        let url = script["sourceMapURL"].as_str().unwrap();
        let data = url.strip_prefix("data:application/json;base64,").unwrap();
        let json: Value = serde_json::from_slice(&BASE64_STANDARD.decode(data).unwrap()).unwrap();
        let mut mappings = Vec::new();
        let (mut line, mut column) = (0, 0);
        for (code_line, text) in (0..).zip(json["mappings"].as_str().unwrap().split(';')) {
            let mut code_column = 0;
            for segment in text.split(',').filter(|segment| !segment.is_empty()) {
                let numbers = numbers(segment);
                code_column += numbers[0];
                line += numbers[2];
                column += numbers[3];
                mappings.push([code_line, code_column, line, column]);
            }
        }
        Self { json, mappings }
    }

    /// Returns where the code of a line of the source begins.
    pub(super) fn code_of(&self, line: i64) -> (i64, i64) {
        let found = self.mappings.iter().filter(|mapping| mapping[2] == line).min().unwrap();
        (found[0], found[1])
    }

    /// Returns the line of the source to which a place in the code belongs.
    pub(super) fn line_of(&self, frame: &Value) -> i64 {
        let number = |name: &str| frame["location"][name].as_i64().unwrap();
        let place = [number("lineNumber"), number("columnNumber")];
        let before = self.mappings.iter().filter(|mapping| mapping[..2] <= place[..]);
        before.max().unwrap()[2]
    }
}

fn numbers(segment: &str) -> Vec<i64> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut numbers, mut value, mut shift) = (Vec::new(), 0i64, 0);
    for character in segment.chars() {
        let digit = DIGITS.find(character).unwrap() as i64;
        value |= (digit & 31) << shift;
        shift += 5;
        if digit & 32 == 0 {
            numbers.push(if value & 1 == 1 { -(value >> 1) } else { value >> 1 });
            (value, shift) = (0, 0);
        }
    }
    numbers
}
