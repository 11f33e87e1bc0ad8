//! Strings in expected answers that stand for many values: `"$uuid"`, `"$any"`.

use super::node::Node;
use chrono::{DateTime, NaiveDate};
use trine_engine::nearest;

/// What a string stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholder {
    Any,
    String,
    Number,
    Integer,
    Boolean,
    List,
    Object,
    Uuid,
    Date,
}

const ALL: [(&str, Placeholder, &str); 9] = [
    ("$any", Placeholder::Any, "anything"),
    ("$string", Placeholder::String, "a string"),
    ("$number", Placeholder::Number, "a number"),
    ("$integer", Placeholder::Integer, "a whole number"),
    ("$boolean", Placeholder::Boolean, "true or false"),
    ("$list", Placeholder::List, "a list"),
    ("$object", Placeholder::Object, "an object"),
    ("$uuid", Placeholder::Uuid, "a UUID"),
    ("$date", Placeholder::Date, "a date"),
];

/// The only member of an object that stands for a string with JSON in it.
pub(super) const JSON: &str = "$json";

impl Placeholder {
    /// Returns what a string of an expected answer stands for, if it is not meant as it is.
    pub(super) fn of(text: &str) -> Option<Self> {
        ALL.iter().find(|(name, ..)| *name == text).map(|(_, placeholder, _)| *placeholder)
    }

    /// Returns what it stands for, in words.
    pub(super) fn told(self) -> &'static str {
        ALL.iter().find(|(_, known, _)| *known == self).map_or("", |(.., told)| told)
    }

    /// Whether a value is what it stands for.
    pub(super) fn takes(self, found: &Node<'_>) -> bool {
        match (self, found) {
            (Self::Any, _)
            | (Self::String, Node::Text(_))
            | (Self::Number, Node::Number(_))
            | (Self::List, Node::Array(_))
            | (Self::Object, Node::Object(_))
            | (Self::Boolean, Node::Other("true" | "false")) => true,
            (Self::Integer, Node::Number(number)) => {
                !number.contains(['.', 'e', 'E']) || number.strip_suffix(".0").is_some()
            }
            (Self::String, Node::Other(text)) => text.starts_with('"'),
            (Self::Uuid, Node::Text(text)) => is_uuid(text),
            (Self::Date, Node::Text(text)) => {
                DateTime::parse_from_rfc3339(text).is_ok() || text.parse::<NaiveDate>().is_ok()
            }
            _ => false,
        }
    }
}

fn is_uuid(text: &str) -> bool {
    let mut lengths = [8, 4, 4, 4, 12].into_iter();
    let is_part = |part: &str| {
        lengths.next() == Some(part.len()) && part.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    text.split('-').all(is_part) && text.len() == 36
}

/// Returns the string that an expected one means: `$$any` means `$any`.
pub(super) fn meant(text: &str) -> &str {
    if is_escaped(text) { &text[1..] } else { text }
}

/// Returns the string by which an expected answer means this one.
pub(super) fn escaped(text: &str) -> String {
    match is_name(text) || is_escaped(text) {
        true => format!("${text}"),
        false => text.to_owned(),
    }
}

fn is_name(text: &str) -> bool {
    text == JSON || Placeholder::of(text).is_some()
}

/// Whether it is a name behind more dollars than one.
fn is_escaped(text: &str) -> bool {
    let name = text.trim_start_matches('$');
    text.len() > name.len() + 1 && is_name(&text[text.len() - name.len() - 1..])
}

/// Returns the placeholder that was probably meant by a string that is none.
pub(super) fn misspelt(text: &str) -> Option<&'static str> {
    let name = text.strip_prefix('$').filter(|name| !name.is_empty() && !name.starts_with('$'))?;
    let meant = nearest(name, ALL.iter().map(|(known, ..)| &known[1..]))?;
    ALL.iter().map(|(known, ..)| *known).find(|known| &known[1..] == meant && *known != text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::value::RawValue;

    fn takes(name: &str, found: &str) -> bool {
        let found: &RawValue = serde_json::from_str(found).unwrap();
        Placeholder::of(name).unwrap().takes(&Node::of(found))
    }

    #[test]
    fn each_takes_what_its_name_says() {
        let values = [
            "null",
            "true",
            "1",
            "1.5",
            "2.0",
            "\"x\"",
            "[]",
            "{}",
            "\"123e4567-e89b-42d3-a456-426614174000\"",
            "\"2026-01-31\"",
            "\"2026-01-31T10:00:00Z\"",
        ];
        for (name, taken) in [
            ("$any", "11111111111"),
            ("$string", "00000100111"),
            ("$number", "00111000000"),
            ("$integer", "00101000000"),
            ("$boolean", "01000000000"),
            ("$list", "00000010000"),
            ("$object", "00000001000"),
            ("$uuid", "00000000100"),
            ("$date", "00000000011"),
        ] {
            let found: String =
                values.iter().map(|value| if takes(name, value) { '1' } else { '0' }).collect();
            assert_eq!(found, taken, "{name}");
        }
        assert!(!takes("$uuid", "\"123e4567-e89b-42d3-a456-42661417400g\""));
        assert!(!takes("$date", "\"2026-13-31\""));
    }

    #[test]
    fn dollars_keep_their_meaning() {
        for (written, means) in [
            ("$$any", "$any"),
            ("$$$any", "$$any"),
            ("$$json", "$json"),
            ("$12.50", "$12.50"),
            ("$$", "$$"),
            ("$LATEST", "$LATEST"),
        ] {
            assert_eq!(meant(written), means);
            assert_eq!(escaped(means), written);
        }
        assert_eq!(Placeholder::of("$$any"), None);
        assert_eq!(misspelt("$nubmer"), Some("$number"));
        assert_eq!((misspelt("$LATEST"), misspelt("$12"), misspelt("number")), (None, None, None));
    }
}
