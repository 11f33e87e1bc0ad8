//! The options of sample events: what each takes, and what was given, read into the type that its builder wants.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// An option of a sample event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    /// Its name, without dashes.
    pub(crate) name: &'static str,
    /// What it takes.
    pub(crate) kind: Kind,
    /// Its values unless others are given.
    pub(crate) default: &'static [&'static str],
    /// What it stands for, in a few words.
    pub(crate) about: &'static str,
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text; without a default, none is possible.
    Text,
    /// Several texts.
    Texts,
    /// Names with values: `name=value`, several of them.
    Pairs,
    /// A whole number within these bounds, both included.
    Number(i64, i64),
    /// Any JSON value.
    Json,
    /// A JSON object.
    Object,
    /// A time with its zone, or `now`.
    Time,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Nothing, `true` or `false`.
    Flag,
}

impl Kind {
    /// Returns what stands for its value in a help text.
    pub(crate) fn placeholder(self) -> &'static str {
        match self {
            Self::Text | Self::Texts => "TEXT",
            Self::Pairs => "NAME=VALUE",
            Self::Number(..) => "NUMBER",
            Self::Json | Self::Object => "JSON",
            Self::Time => "TIME",
            Self::Choice(_) => "WORD",
            Self::Flag => "",
        }
    }

    /// Whether it may be given several times.
    pub(crate) fn repeats(self) -> bool {
        matches!(self, Self::Texts | Self::Pairs)
    }
}

impl Field {
    pub(super) const fn new(
        name: &'static str,
        kind: Kind,
        default: &'static [&'static str],
        about: &'static str,
    ) -> Self {
        Self { name, kind, default, about }
    }

    /// Reads what was given for it, or the default.
    fn read(&self, given: &[&str]) -> Result<Read, String> {
        let texts = if given.is_empty() { self.default } else { given };
        let last = texts.last().copied();
        let wrong = |expected: &str| {
            format!("--{} takes {expected}, not {:?}", self.name, last.unwrap_or_default())
        };
        let Some(text) = last else {
            return Ok(match self.kind {
                Kind::Texts => Read::Texts(Vec::new()),
                Kind::Pairs => Read::Pairs(Vec::new()),
                Kind::Flag => Read::Flag(false),
                _ => Read::Absent,
            });
        };
        Ok(match self.kind {
            Kind::Text => Read::Text(text.to_owned()),
            Kind::Texts => Read::Texts(texts.iter().map(|text| (*text).to_owned()).collect()),
            Kind::Pairs => Read::Pairs(
                texts
                    .iter()
                    .map(|text| pair(text))
                    .collect::<Option<_>>()
                    .ok_or_else(|| wrong("a name and a value (name=value)"))?,
            ),
            Kind::Number(least, most) => {
                let number = text.parse().ok().filter(|number| (least..=most).contains(number));
                let expected = || wrong(&format!("a whole number from {least} to {most}"));
                Read::Number(number.ok_or_else(expected)?)
            }
            Kind::Json | Kind::Object => {
                let value: Value = serde_json::from_str(text)
                    .map_err(|error| format!("--{} is no JSON: {error}: {text}", self.name))?;
                if self.kind == Kind::Object && !value.is_object() {
                    return Err(wrong("a JSON object"));
                }
                Read::Json(value)
            }
            Kind::Time if text == "now" => Read::Time(Utc::now()),
            Kind::Time => {
                let time = DateTime::parse_from_rfc3339(text);
                let expected = "a time such as 2026-01-31T09:30:00Z, or now";
                Read::Time(time.map_err(|_| wrong(expected))?.into())
            }
            Kind::Choice(words) => match words.iter().find(|word| **word == text) {
                Some(word) => Read::Choice(word),
                None => return Err(wrong(&format!("one of {}", words.join(", ")))),
            },
            Kind::Flag => match text {
                "" | "true" => Read::Flag(true),
                "false" => Read::Flag(false),
                _ => return Err(wrong("true or false, or nothing")),
            },
        })
    }
}

/// Splits `name=value`, or `Name: value` as headers are written.
fn pair(text: &str) -> Option<(String, String)> {
    let at = text.find(['=', ':'])?;
    let (name, value) = (text[..at].trim(), &text[at + 1..]);
    let value = if text[at..].starts_with(':') { value.trim() } else { value };
    (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
}

/// A value that was read.
#[derive(Debug)]
enum Read {
    Text(String),
    Texts(Vec<String>),
    Pairs(Vec<(String, String)>),
    Number(i64),
    Json(Value),
    Time(DateTime<Utc>),
    Choice(&'static str),
    Flag(bool),
    Absent,
}

/// What a builder goes by: a value for each of its sample's options.
pub(super) struct Values {
    fields: &'static [Field],
    read: Vec<Read>,
}

/// A builder asks for the options of its own sample, each by its kind; a test builds all of them.
const OWN: &str = "a builder asks for its own sample's options";

impl Values {
    /// Reads what was given: names and values, of which several may have one name.
    pub(super) fn read(
        fields: &'static [Field],
        given: &[(String, String)],
    ) -> Result<Self, String> {
        let of = |field: &Field| -> Vec<&str> {
            let own = given.iter().filter(|(name, _)| name == field.name);
            own.map(|(_, value)| value.as_str()).collect()
        };
        let read = fields.iter().map(|field| field.read(&of(field))).collect::<Result<_, _>>()?;
        Ok(Self { fields, read })
    }

    fn at(&self, name: &str) -> usize {
        self.fields.iter().position(|field| field.name == name).expect(OWN)
    }

    /// Returns the names of the options that there are.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name)
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.optional(name).expect(OWN)
    }

    /// Returns the text of an option without a default, where there is one.
    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        match &self.read[self.at(name)] {
            Read::Text(text) => Some(text),
            Read::Choice(word) => Some(word),
            _ => None,
        }
    }

    pub(super) fn texts(&self, name: &str) -> &[String] {
        match &self.read[self.at(name)] {
            Read::Texts(texts) => texts,
            _ => panic!("{OWN}"),
        }
    }

    pub(super) fn pairs(&self, name: &str) -> &[(String, String)] {
        match &self.read[self.at(name)] {
            Read::Pairs(pairs) => pairs,
            _ => panic!("{OWN}"),
        }
    }

    pub(super) fn number(&self, name: &str) -> i64 {
        match &self.read[self.at(name)] {
            Read::Number(number) => *number,
            _ => panic!("{OWN}"),
        }
    }

    pub(super) fn json(&self, name: &str) -> Value {
        match &self.read[self.at(name)] {
            Read::Json(value) => value.clone(),
            _ => panic!("{OWN}"),
        }
    }

    pub(super) fn time(&self, name: &str) -> DateTime<Utc> {
        match &self.read[self.at(name)] {
            Read::Time(time) => *time,
            _ => panic!("{OWN}"),
        }
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.read[self.at(name)], Read::Flag(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[Field] = &[
        Field::new("text", Kind::Text, &["a"], ""),
        Field::new("none", Kind::Text, &[], ""),
        Field::new("count", Kind::Number(1, 9), &["1"], ""),
        Field::new("header", Kind::Pairs, &[], ""),
        Field::new("detail", Kind::Object, &["{}"], ""),
        Field::new("time", Kind::Time, &["2026-01-01T00:00:00Z"], ""),
        Field::new("action", Kind::Choice(&["put", "delete"]), &["put"], ""),
        Field::new("list", Kind::Flag, &[], ""),
    ];

    fn read(given: &[(&str, &str)]) -> Result<Values, String> {
        let given: Vec<_> =
            given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Values::read(FIELDS, &given)
    }

    #[test]
    fn what_is_not_given_has_its_default() {
        let values = read(&[]).unwrap();
        assert_eq!((values.text("text"), values.optional("none")), ("a", None));
        assert_eq!((values.number("count"), values.flag("list")), (1, false));
        assert_eq!(values.time("time").timestamp(), 1_767_225_600);
    }

    #[test]
    fn what_is_given_is_read_as_its_kind() {
        let values = read(&[
            ("header", "A: b=c"),
            ("header", "d=e: f"),
            ("text", "x"),
            ("text", "y"),
            ("list", ""),
        ]);
        let values = values.unwrap();
        let pairs: Vec<String> =
            values.pairs("header").iter().map(|(n, v)| format!("{n}|{v}")).collect();
        assert_eq!(pairs, ["A|b=c", "d|e: f"]);
        assert_eq!((values.text("text"), values.flag("list")), ("y", true));
    }

    #[test]
    fn a_value_without_sense_is_told_with_its_option() {
        for (name, value, told) in [
            ("count", "10", "--count takes a whole number from 1 to 9, not \"10\""),
            ("header", "x", "--header takes a name and a value (name=value), not \"x\""),
            ("detail", "[]", "--detail takes a JSON object, not \"[]\""),
            ("detail", "{a}", "--detail is no JSON: key must be a string at line 1 column 2: {a}"),
            (
                "time",
                "today",
                "--time takes a time such as 2026-01-31T09:30:00Z, or now, not \"today\"",
            ),
            ("action", "move", "--action takes one of put, delete, not \"move\""),
            ("list", "yes", "--list takes true or false, or nothing, not \"yes\""),
        ] {
            assert_eq!(read(&[(name, value)]).err().as_deref(), Some(told));
        }
    }
}
