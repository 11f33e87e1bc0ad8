//! Tests of the reader against a parser that everybody knows.

mod whole;

use super::*;
use serde_json::Value;
use whole::read;

#[test]
fn what_is_json_is_read_as_everybody_reads_it() {
    for text in [
        "null",
        " true ",
        "[false]",
        "\"\"",
        r#""plain and some more than eight bytes""#,
        r#""é€😀 quoted \" \\ \/ \b\f\n\r\t \u00e9 \ud83d\ude00 end""#,
        r#""short\n""#,
        "[]",
        "{}",
        "[ ]",
        "{ }",
        "[1, -2 ,3.5,-0.25,1e3,1E-3,2.5e+2, 0, 123456789012345678, -123456789012345678]",
        "[9223372036854775807,-9223372036854775808]",
        r#"{"a":1,"b":{"c":[{"d":null}]},"a":2,"k\u0065y":3}"#,
        "\r\n\t{ \"a\" :\t[ 1 , { } ] }\n",
    ] {
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(read(text.as_bytes()).ok(), Some(expected), "{text}");
    }
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "nul",
        "True",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\":1",
        "{\"a\" 1}",
        "01",
        "-",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "NaN",
        "\"",
        "\"abc",
        "\"abcdefgh\n\"",
        "\"a\tb\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u+123\"",
        "\"\\",
        "1 2",
        "[]]",
    ] {
        assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        assert_eq!(read(text.as_bytes()).ok(), None, "{text}");
    }
    assert_eq!(read(b"\"\xff\"").ok(), None);
    // Half of a surrogate pair is JSON, but not text.
    for text in [r#""\ud800""#, r#""\ud800x""#, r#""\ud800\n""#, r#""\ud800\u0041""#, r#""\udc00""#]
    {
        assert_eq!(read(text.as_bytes()).ok(), None, "{text}");
    }
}

/// Checks every place of a run's end within a word, before and after other bytes.
#[test]
fn runs_end_where_they_end() {
    for length in 0..40 {
        for character in ["x", "é", "\u{7f}", "!", "#", "[", "]", "\u{80}"] {
            let content = character.repeat(length);
            for ending in ["\"", "\\n\"", "\\\"x\""] {
                let text = format!("\"{content}{ending}");
                assert_eq!(read(text.as_bytes()).ok(), serde_json::from_str(&text).ok(), "{text}");
            }
            assert_eq!(read(format!("\"{content}\u{1f}\"").as_bytes()).ok(), None);
        }
    }
}

#[test]
fn room_is_handed_on() {
    let mut reader = Reader::new(br#""a\n""#, "old".to_owned()).unwrap();
    assert_eq!(reader.peek(), Ok(Peek::String));
    assert_eq!(reader.string(), Ok(Text { text: "a\n", is_ascii: true }));
    assert!(reader.into_room().capacity() >= 3);
}

#[test]
fn what_is_ascii_is_known_as_such() {
    for length in 0..20 {
        for place in 0..=length {
            for (other, neighbour) in [("é", "\u{80}"), ("x", "é"), ("\\u00e9", ""), ("\\n", "é")]
            {
                let mut content = "x".repeat(length);
                content.insert_str(place, other);
                // What follows the string is not part of it.
                let text = format!("[\"{content}\",\"{neighbour}\"]");
                let mut reader = Reader::new(text.as_bytes(), String::new()).unwrap();
                assert_eq!(reader.peek(), Ok(Peek::Array));
                assert_eq!(reader.array(), Ok(Some(Peek::String)));
                let read = reader.string().unwrap();
                assert_eq!(read.is_ascii, read.text.is_ascii(), "{text}");
            }
        }
    }
}

#[test]
fn numbers_are_the_nearest_doubles() {
    let digits = "1234567890123456789";
    for sign in ["", "-"] {
        for whole in 1..=digits.len() {
            for fraction in 1..=digits.len() {
                let plain = format!("{sign}{}.{}", &digits[..whole], &digits[..fraction]);
                for text in [
                    plain.clone(),
                    format!("{plain}e-7"),
                    format!("{sign}0.{}", &digits[..fraction]),
                ] {
                    let mut reader = Reader::new(text.as_bytes(), String::new()).unwrap();
                    assert_eq!(reader.peek(), Ok(Peek::Number));
                    assert_eq!(reader.number(), Ok(Number::Float(text.parse().unwrap())));
                    assert_eq!(reader.finish(), Ok(()));
                }
            }
        }
    }
    for (text, expected) in [("-0.0", -0.0_f64), ("1e400", f64::INFINITY), ("-1e-400", -0.0)] {
        let mut reader = Reader::new(text.as_bytes(), String::new()).unwrap();
        assert_eq!(reader.peek(), Ok(Peek::Number));
        let Ok(Number::Float(number)) = reader.number() else { panic!("{text}") };
        assert_eq!(number.to_bits(), expected.to_bits(), "{text}");
    }
    for (text, expected) in [
        (format!("1{}", "0".repeat(5000)), None),
        (format!("0.{}", "1".repeat(5000)), Some(1.0 / 9.0)),
    ] {
        let mut reader = Reader::new(text.as_bytes(), String::new()).unwrap();
        assert_eq!(reader.peek(), Ok(Peek::Number));
        let number = expected.map_or(Number::Long(&text), Number::Float);
        assert_eq!(reader.number(), Ok(number));
    }
}
