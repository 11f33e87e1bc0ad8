//! JSON text as people read it. What it says stays as it is, to the last digit: numbers are not read.

use std::{iter, str::CharIndices};

/// Returns JSON text with a line for each member and item, indented by two spaces, and letters instead of escapes.
pub(super) fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth: usize = 0;
    let mut letters = json.char_indices();
    let mut is_empty = false;
    while let Some((at, letter)) = letters.next() {
        match letter {
            '{' | '[' => {
                depth += 1;
                out.push(letter);
                is_empty = json[at + 1..].trim_ascii_start().starts_with(['}', ']']);
                if !is_empty {
                    begin_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !std::mem::take(&mut is_empty) {
                    begin_line(&mut out, depth);
                }
                out.push(letter);
            }
            ',' => {
                out.push(letter);
                begin_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            '"' => out.push_str(&readable(string(json, at, &mut letters))),
            letter if letter.is_ascii_whitespace() => {}
            letter => out.push(letter),
        }
    }
    out
}

fn begin_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(iter::repeat_n("  ", depth));
}

/// Returns the string that begins at this place, quotes included, and goes on to its end.
fn string<'j>(json: &'j str, begin: usize, letters: &mut CharIndices<'_>) -> &'j str {
    let mut escaped = false;
    for (at, letter) in letters {
        if !escaped && letter == '"' {
            return &json[begin..=at];
        }
        escaped = !escaped && letter == '\\';
    }
    &json[begin..]
}

/// Returns a string with the letters that escapes stand for; one that no text can hold (half of a surrogate pair) stays.
fn readable(string: &str) -> String {
    let text = serde_json::from_str::<String>(string);
    text.map_or_else(|_| string.to_owned(), |text| trine_engine::json_string(&text))
}

#[cfg(test)]
mod tests {
    use super::indented;
    use serde_json::Value;

    #[test]
    fn text_is_laid_out_as_serde_does_it() {
        for text in [
            r#"{"a":[1,{"b":null},[]],"c":{},"d: \"{,":"x\\"}"#,
            " [ ] ",
            "[{ }, [ [ 1 ] ]]",
            r#"["\u00e9\ud83d\ude42\n", "é"]"#,
            "\"a, b\"",
            "true",
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(indented(text), format!("{value:#}"), "{text}");
        }
    }

    #[test]
    fn what_no_other_form_can_hold_stays() {
        let text = "[\n  18446744073709551616,\n  1.50,\n  -9223372036854775808,\n  1E400\n]";
        assert_eq!(indented("[18446744073709551616,1.50,-9223372036854775808,1E400]"), text);
        assert_eq!(indented(r#""\ud83d\"x""#), r#""\ud83d\"x""#);
    }
}
