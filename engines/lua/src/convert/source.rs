//! What the reader of values reads from: the quick reader, or the careful parser that knows rare JSON and says what is wrong.

use jiter::{Jiter, JiterError, Peek};
use trine_engine::{JsonNumber, JsonPeek, JsonReader, OddJson};

/// A pull parser. After [`Source::peek`], which reads words, the method of what comes is to follow.
pub(super) trait Source {
    type Error;
    fn peek(&mut self) -> Result<JsonPeek, Self::Error>;
    fn string(&mut self) -> Result<&str, Self::Error>;
    fn number(&mut self) -> Result<JsonNumber<'_>, Self::Error>;
    fn array(&mut self) -> Result<Option<JsonPeek>, Self::Error>;
    fn next_item(&mut self) -> Result<Option<JsonPeek>, Self::Error>;
    fn object(&mut self) -> Result<Option<&str>, Self::Error>;
    fn next_key(&mut self) -> Result<Option<&str>, Self::Error>;
    fn finish(&mut self) -> Result<(), Self::Error>;
}

impl Source for JsonReader<'_> {
    type Error = OddJson;

    #[inline]
    fn peek(&mut self) -> Result<JsonPeek, OddJson> {
        self.peek()
    }

    #[inline]
    fn string(&mut self) -> Result<&str, OddJson> {
        self.string().map(|string| string.text)
    }

    #[inline]
    fn number(&mut self) -> Result<JsonNumber<'_>, OddJson> {
        self.number()
    }

    #[inline]
    fn array(&mut self) -> Result<Option<JsonPeek>, OddJson> {
        self.array()
    }

    #[inline]
    fn next_item(&mut self) -> Result<Option<JsonPeek>, OddJson> {
        self.next_item()
    }

    #[inline]
    fn object(&mut self) -> Result<Option<&str>, OddJson> {
        self.object()
    }

    #[inline]
    fn next_key(&mut self) -> Result<Option<&str>, OddJson> {
        self.next_key()
    }

    fn finish(&mut self) -> Result<(), OddJson> {
        self.finish()
    }
}

/// The parser for what the quick reader does not take.
pub(super) struct Careful<'j> {
    parser: Jiter<'j>,
    /// What a number begins with.
    number: Peek,
}

impl<'j> Careful<'j> {
    pub(super) fn new(text: &'j [u8]) -> Self {
        Self { parser: Jiter::new(text), number: Peek::Minus }
    }

    /// What is wrong, and where.
    pub(super) fn description(&self, error: &JiterError) -> String {
        error.description(&self.parser)
    }

    pub(super) fn position(&self) -> impl std::fmt::Display {
        self.parser.current_position()
    }

    fn read_words(&mut self, peek: Peek) -> Result<JsonPeek, JiterError> {
        Ok(match peek {
            Peek::String => JsonPeek::String,
            Peek::Object => JsonPeek::Object,
            Peek::Array => JsonPeek::Array,
            Peek::True | Peek::False => match self.parser.known_bool(peek)? {
                true => JsonPeek::True,
                false => JsonPeek::False,
            },
            _ if peek.is_num() => {
                self.number = peek;
                JsonPeek::Number
            }
            Peek::Null => {
                self.parser.known_null()?;
                JsonPeek::Null
            }
            _ => {
                // Nothing begins like this: skipping it gives the right error.
                self.parser.known_skip(peek)?;
                JsonPeek::Null
            }
        })
    }
}

impl Source for Careful<'_> {
    type Error = JiterError;

    fn peek(&mut self) -> Result<JsonPeek, JiterError> {
        let peek = self.parser.peek()?;
        self.read_words(peek)
    }

    fn string(&mut self) -> Result<&str, JiterError> {
        self.parser.known_str()
    }

    fn number(&mut self) -> Result<JsonNumber<'_>, JiterError> {
        let text = self.parser.known_number_bytes(self.number)?;
        let text = std::str::from_utf8(text).unwrap_or_default();
        Ok(JsonNumber::Long(text))
    }

    fn array(&mut self) -> Result<Option<JsonPeek>, JiterError> {
        let next = self.parser.known_array()?;
        next.map(|peek| self.read_words(peek)).transpose()
    }

    fn next_item(&mut self) -> Result<Option<JsonPeek>, JiterError> {
        let next = self.parser.array_step()?;
        next.map(|peek| self.read_words(peek)).transpose()
    }

    fn object(&mut self) -> Result<Option<&str>, JiterError> {
        self.parser.known_object()
    }

    fn next_key(&mut self) -> Result<Option<&str>, JiterError> {
        self.parser.next_key()
    }

    fn finish(&mut self) -> Result<(), JiterError> {
        self.parser.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Careful, Source};
    use trine_engine::{JsonNumber, JsonPeek, JsonReader};

    /// What the reader would see.
    fn events<S: Source>(source: &mut S) -> Result<String, S::Error> {
        let mut seen = String::new();
        let peek = source.peek()?;
        value(source, peek, &mut seen)?;
        source.finish()?;
        Ok(seen)
    }

    fn value<S: Source>(source: &mut S, peek: JsonPeek, seen: &mut String) -> Result<(), S::Error> {
        match peek {
            JsonPeek::String => seen.push_str(&format!("{:?} ", source.string()?)),
            JsonPeek::Number => match source.number()? {
                JsonNumber::Integer(number) => seen.push_str(&format!("{number} ")),
                JsonNumber::Float(number) => seen.push_str(&format!("{number:?} ")),
                JsonNumber::Long(text) => match text.parse::<i64>() {
                    Ok(number) => seen.push_str(&format!("{number} ")),
                    Err(_) => seen.push_str(&format!("{:?} ", text.parse::<f64>().unwrap())),
                },
            },
            JsonPeek::Array => {
                seen.push('[');
                let mut next = source.array()?;
                while let Some(peek) = next {
                    value(source, peek, seen)?;
                    next = source.next_item()?;
                }
                seen.push(']');
            }
            JsonPeek::Object => {
                seen.push('{');
                let mut key = source.object()?.map(str::to_owned);
                while let Some(name) = key {
                    seen.push_str(&format!("{name:?}: "));
                    let peek = source.peek()?;
                    value(source, peek, seen)?;
                    key = source.next_key()?.map(str::to_owned);
                }
                seen.push('}');
            }
            word => seen.push_str(&format!("{word:?} ")),
        }
        Ok(())
    }

    #[test]
    fn what_the_quick_reader_takes_the_careful_one_takes_too() {
        let [long, longer] =
            [900, 5000].map(|length| format!("[{0}, -{0}, 0.{0}, {0}e-9]", "7".repeat(length)));
        let texts = [
            "0",
            "-0",
            "-0.0",
            "-",
            "01",
            "-01",
            "1.",
            ".5",
            "1e",
            "1e5",
            "1E+5",
            "1e-5",
            "1e999",
            "1e-999",
            "123456789012345678",
            "1234567890123456789",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "-9223372036854775809",
            "18446744073709551616",
            "NaN",
            "Infinity",
            "-Infinity",
            "nul",
            "nulll",
            "true",
            "false",
            " null ",
            "True",
            "",
            " ",
            "[",
            "]",
            "[]",
            "[ ]",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1, 2.5, \"x\", null, true, {}]",
            "{}",
            "{ }",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\" : 1 , \"b\" : [ { } ] }",
            "{a: 1}",
            "{1: 2}",
            "[[[[1]]]]",
            "\"\"",
            "\"a",
            "\"\\\"",
            "\"\\n\\t\\r\\b\\f\\/\\\\\\\"\"",
            "\"\\x\"",
            "\"\\u00e9\"",
            "\"\\u00E9\"",
            "\"\\u+0e9\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "\"\\ude00\"",
            "\"\\ud83dx\"",
            "\"\\ud83d\\u0041\"",
            "\"\\u0000\"",
            "\"\u{1f}\"",
            "\"\u{7f}\"",
            "\"\u{0}\"",
            "\"Füller 😀\"",
            "\"line\nbreak\"",
            "1 1",
            "{} x",
            "\u{feff}1",
            "\u{b}1",
            "// no\n1",
            "{\"k\\u0041\": \"long \\n text that has an escape\"}",
            &long,
            &longer,
        ];
        for text in texts {
            let careful = events(&mut Careful::new(text.as_bytes()));
            let quick = JsonReader::new(text.as_bytes(), String::new());
            match quick.and_then(|mut quick| events(&mut quick)) {
                Ok(seen) => assert_eq!(careful.ok(), Some(seen), "{text}"),
                Err(_) => assert!(
                    careful.is_err() || text.contains("\\u"),
                    "{text} is for the careful parser only"
                ),
            }
        }
    }
}
