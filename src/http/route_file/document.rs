//! From the text of `trine.toml` to tables whose keys are known and whose values have the kinds that these keys take. What
//! is wrong is noted with its line, and the rest is read all the same.

use super::keys::{AUTH, Key, Kind, METHODS, TABLES, Table};
use crate::http::EventFormat;
use std::{borrow::Cow, collections::BTreeMap, time::Duration};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use trine_engine::{Access, Error, Extent, Interface, Permissions, nearest};

/// What is wrong in the file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Fault {
    /// The line, counted from 1.
    pub(in crate::http) line: usize,
    pub(in crate::http) message: String,
}

/// A value and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Placed<T> {
    pub(in crate::http) value: T,
    pub(in crate::http) line: usize,
}

/// The key that says of which kind a table is.
const KIND: &str = "kind";

/// Environment variables, by name and value.
pub(super) type Variables = Vec<Placed<(String, String)>>;

/// The value of a key, as its kind reads it.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    Format(EventFormat),
    Interface(Interface),
    Texts(Vec<Placed<String>>),
    Truth(bool),
    Count(u64),
    Time(Duration),
    Size(u64),
    Variables(Variables),
    Flag(bool),
    Extent(Extent),
    Anything(serde_json::Value),
}

/// One table of a list: a function, a route.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) line: usize,
    values: BTreeMap<&'static str, Placed<Value>>,
    /// Whether it has keys that nobody knows: what seems to be missing may be one of them.
    pub(super) doubtful: bool,
}

/// The tables of a file.
#[derive(Debug, Default)]
pub(super) struct Document {
    entries: BTreeMap<&'static str, Vec<Entry>>,
    /// `[auth]`, for all functions, in its JSON form.
    pub(super) auth: Option<Placed<serde_json::Value>>,
}

/// Makes a method of an [`Entry`] that takes a key's value out of it.
macro_rules! takes {
    ($($(#[$note:meta])* $name:ident: $variant:ident => $type:ty;)*) => {$(
        $(#[$note])*
        pub(super) fn $name(&mut self, key: &str) -> Option<Placed<$type>> {
            match self.values.remove(key)? {
                Placed { value: Value::$variant(value), line } => Some(Placed { value, line }),
                other => unreachable!("the key '{key}' is of another kind: {other:?}"),
            }
        }
    )*};
}

impl Entry {
    takes! {
        /// Takes a text.
        text: Text => String;
        /// Takes a form of events.
        format: Format => EventFormat;
        /// Takes an interface.
        interface: Interface => Interface;
        /// Takes a list of texts.
        texts: Texts => Vec<Placed<String>>;
        /// Takes a truth value.
        truth: Truth => bool;
        /// Takes a whole number.
        count: Count => u64;
        /// Takes a length of time.
        time: Time => Duration;
        /// Takes a size.
        size: Size => u64;
        /// Takes environment variables.
        variables: Variables => Variables;
        /// Takes a truth value.
        flag: Flag => bool;
        /// Takes how much of a kind of access there is.
        extent: Extent => Extent;
        /// Takes anything, in its JSON form.
        anything: Anything => serde_json::Value;
    }

    /// Returns the line of a key that has not been taken.
    pub(super) fn line_of(&self, key: &str) -> Option<usize> {
        self.values.get(key).map(|placed| placed.line)
    }

    /// Ends its reading: every key has been asked for by then, or nobody heeds it.
    pub(super) fn end(self) {
        debug_assert!(self.values.is_empty(), "nobody reads {:?}", self.values);
    }
}

impl Document {
    /// Reads a file.
    pub(super) fn read(text: &str, faults: &mut Vec<Fault>) -> Self {
        let lines = Lines(text);
        let mut document = Self::default();
        let tables = match DeTable::parse(text) {
            Ok(tables) => tables,
            Err(error) => {
                let line = error.span().map_or(1, |span| lines.at(span.start));
                faults.push(Fault { line, message: error.message().to_owned() });
                return document;
            }
        };
        for (name, value) in tables.get_ref() {
            let line = lines.at(name.span().start);
            if name.get_ref() == AUTH.name {
                match json(value.get_ref()) {
                    Ok(value) => document.auth = Some(Placed { value, line }),
                    Err(message) => faults.push(Fault { line, message }),
                }
                continue;
            }
            let Some(table) = TABLES.iter().find(|table| table.name == name.get_ref()) else {
                faults.push(Fault { line, message: unknown_table(name.get_ref()) });
                continue;
            };
            let entries = match value.get_ref() {
                DeValue::Array(entries) => entries,
                other => {
                    let name = table.name;
                    let message = match other {
                        DeValue::Table(_) => {
                            format!(
                                "there may be several: write [[{name}]] in the place of [{name}]"
                            )
                        }
                        _ => format!(
                            "'{name}' is a list of tables: write [[{name}]] on a line alone"
                        ),
                    };
                    faults.push(Fault { line, message });
                    continue;
                }
            };
            for entry in entries.iter() {
                let line = lines.at(entry.span().start);
                match entry.get_ref() {
                    DeValue::Table(keys) => {
                        let entry = read_entry(table, keys, line, lines, faults);
                        document.entries.entry(table.name).or_default().push(entry);
                    }
                    other => {
                        let found = other.type_str();
                        let message = format!(
                            "'{}' is a list of tables, and this is a value of type {found}: write [[{}]]",
                            table.name, table.name
                        );
                        faults.push(Fault { line, message });
                    }
                }
            }
        }
        document
    }

    /// Takes the tables of a list, in the order of the file.
    pub(super) fn take(&mut self, table: &Table) -> Vec<Entry> {
        self.entries.remove(table.name).unwrap_or_default()
    }
}

fn read_entry(
    table: &Table,
    keys: &DeTable<'_>,
    line: usize,
    lines: Lines<'_>,
    faults: &mut Vec<Fault>,
) -> Entry {
    let mut entry = Entry { line, values: BTreeMap::new(), doubtful: false };
    let kind = kind_of(table, keys);
    for (name, value) in keys {
        let at = lines.at(name.span().start);
        let written = name.get_ref().as_ref();
        let known = table.keys.iter().find(|key| key.names().any(|name| name == written));
        let Some(key) = known.filter(|key| key.is_of(kind)) else {
            faults.push(Fault { line: at, message: unknown_key(table, kind, written) });
            entry.doubtful |= known.is_none();
            continue;
        };
        match read_value(key, value, lines) {
            Ok(value) => {
                if entry.values.insert(key.name, Placed { value, line: at }).is_some() {
                    let other = key.names().find(|name| *name != written).unwrap_or_default();
                    let message = format!("'{written}' and '{other}' are the same key: keep one");
                    faults.push(Fault { line: at, message });
                }
            }
            Err(fault) => faults.push(fault),
        }
    }
    let is_needed = |key: &&Key| key.required && (key.kinds.is_empty() || kind.is_some());
    for key in table.keys.iter().filter(|key| key.is_of(kind)).filter(is_needed) {
        // What stands there and is wrong has been told.
        let stands = || keys.iter().any(|(name, _)| name.get_ref() == key.name);
        if !entry.doubtful && !entry.values.contains_key(key.name) && !stands() {
            let message = format!("the {} has no '{}'", table.name, key.name);
            faults.push(Fault { line, message });
        }
    }
    entry
}

/// Returns the kind of a table, where its list has several and it names one of them.
fn kind_of(table: &Table, keys: &DeTable<'_>) -> Option<&'static str> {
    let Kind::Choice(kinds) = table.keys.iter().find(|key| key.name == KIND)?.kind else {
        return None;
    };
    let (_, written) = keys.iter().find(|(name, _)| name.get_ref() == KIND)?;
    let written = written.get_ref().as_str()?;
    kinds.iter().copied().find(|kind| *kind == written)
}

fn read_value(key: &Key, value: &Spanned<DeValue<'_>>, lines: Lines<'_>) -> Result<Value, Fault> {
    let line = lines.at(value.span().start);
    let name = key.name;
    let found = &lines.0[value.span()];
    let wrong = |why: &str| Fault { line, message: format!("{name} = {found}: {why}") };
    match (key.kind, value.get_ref()) {
        (Kind::Text, DeValue::String(text)) => Ok(Value::Text(text.clone().into_owned())),
        (Kind::Text, _) => Err(wrong("use a text, in quotes")),
        (Kind::Format, DeValue::String(text)) => {
            text.parse().map(Value::Format).map_err(|why: String| wrong(&why))
        }
        (Kind::Interface, DeValue::String(text)) => {
            text.parse().map(Value::Interface).map_err(|error: Error| wrong(error.message()))
        }
        (Kind::Format | Kind::Interface, _) => Err(wrong("use a text, in quotes")),
        (Kind::Choice(choices), DeValue::String(text)) => {
            chosen(text, choices).map(Value::Text).map_err(|why| wrong(&why))
        }
        (Kind::Choice(_), _) => Err(wrong("use a text, in quotes")),
        (Kind::Methods, DeValue::String(text)) => {
            let value = method(text).map_err(|why| told(line, name, &why))?;
            Ok(Value::Texts(vec![Placed { value, line }]))
        }
        (Kind::OneOrMore, DeValue::String(text)) => {
            Ok(Value::Texts(vec![Placed { value: text.clone().into_owned(), line }]))
        }
        (Kind::OneOrMore, DeValue::Array(items)) if items.is_empty() => {
            Err(wrong("use at least one text"))
        }
        (Kind::Texts | Kind::Methods | Kind::OneOrMore, DeValue::Array(items)) => {
            let text = |item: &Spanned<DeValue<'_>>| {
                let line = lines.at(item.span().start);
                let value = match (key.kind, item.get_ref()) {
                    (Kind::Methods, DeValue::String(text)) => {
                        method(text).map_err(|why| told(line, name, &why))?
                    }
                    (_, DeValue::String(text)) => text.clone().into_owned(),
                    _ => return Err(wrong("use texts, each in quotes")),
                };
                Ok(Placed { value, line })
            };
            Ok(Value::Texts(items.iter().map(text).collect::<Result<_, _>>()?))
        }
        (Kind::Texts, _) => Err(wrong("use a list of texts, such as [\"one\", \"two\"]")),
        (Kind::Methods | Kind::OneOrMore, _) => {
            Err(wrong("use a text, in quotes, or a list of them"))
        }
        (Kind::Truth, DeValue::Boolean(truth)) => Ok(Value::Truth(*truth)),
        (Kind::Truth, _) => Err(wrong("use true or false, without quotes")),
        (Kind::Count(form), DeValue::Integer(number)) => {
            let count = i64::from_str_radix(number.as_str(), number.radix());
            let count = count.ok().and_then(|count| u64::try_from(count).ok());
            let count = count.filter(|count| (form.least..=form.most).contains(count));
            count.map(Value::Count).ok_or_else(|| wrong(&whole(form.least, form.most)))
        }
        (Kind::Count(form), _) => Err(wrong(&whole(form.least, form.most))),
        (Kind::Time(form), DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_)) => {
            form.parse(text_of(value, found)).map(Value::Time).map_err(|why| told(line, name, &why))
        }
        (Kind::Time(_), _) => Err(wrong("use a length of time, such as \"30s\" or \"500ms\"")),
        (Kind::Size(form), DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_)) => {
            form.parse(text_of(value, found)).map(Value::Size).map_err(|why| told(line, name, &why))
        }
        (Kind::Size(_), _) => Err(wrong("use a size, such as \"512MiB\"")),
        (Kind::Variables, DeValue::Table(variables)) => {
            let variables = variables.iter().map(|(name, value)| variable(name, value, lines));
            Ok(Value::Variables(variables.collect::<Result<_, _>>()?))
        }
        (Kind::Variables, _) => {
            Err(wrong("use a table of variables, such as { STAGE = \"test\", LIMIT = 5 }"))
        }
        (Kind::Flag, DeValue::Boolean(truth)) => Ok(Value::Flag(*truth)),
        (Kind::Flag, _) => Err(wrong("use true or false")),
        (Kind::Extent(_), DeValue::Boolean(true)) => Ok(Value::Extent(Extent::Everything)),
        (Kind::Extent(_), DeValue::Boolean(false)) => Ok(Value::Extent(Extent::Only(Vec::new()))),
        (Kind::Extent(access), DeValue::String(text)) => {
            let texts = named(access, text).map_err(|why| told(line, name, &why))?;
            Ok(Value::Extent(texts))
        }
        (Kind::Extent(access), DeValue::Array(items)) => {
            let mut texts = Vec::new();
            for item in items.iter() {
                let line = lines.at(item.span().start);
                let Some(text) = item.get_ref().as_str() else {
                    return Err(wrong("use texts, each in quotes"));
                };
                match named(access, text).map_err(|why| told(line, name, &why))? {
                    Extent::Everything => return Ok(Value::Extent(Extent::Everything)),
                    Extent::Only(more) => texts.extend(more),
                }
            }
            Ok(Value::Extent(Extent::Only(texts)))
        }
        (Kind::Extent(_), _) => Err(wrong("use true, false, or a list of texts")),
        (Kind::Anything | Kind::Auth, value) => {
            json(value).map(Value::Anything).map_err(|why| wrong(&why))
        }
    }
}

/// Returns what a text names of a kind of access: one thing, or everything as `*`.
fn named(access: Access, text: &str) -> Result<Extent, String> {
    if text == "*" {
        return Ok(Extent::Everything);
    }
    let extent = Extent::Only(vec![text.to_owned()]);
    Permissions::default().allow(access, extent.clone())?;
    Ok(extent)
}

fn told(line: usize, name: &str, why: &str) -> Fault {
    Fault { line, message: format!("{name}: {why}") }
}

/// Returns the text that a length of time or a size is read from: that of a string, or a number as it is written.
fn text_of<'t>(value: &'t Spanned<DeValue<'_>>, written: &'t str) -> &'t str {
    value.get_ref().as_str().unwrap_or(written)
}

fn whole(least: u64, most: u64) -> String {
    format!("use a whole number from {least} to {most}")
}

/// Returns the choice that a text names.
fn chosen(text: &str, choices: &[&str]) -> Result<String, String> {
    if choices.contains(&text) {
        return Ok(text.to_owned());
    }
    let near = nearest(text, choices).map(|near| format!("; did you mean '{near}'?"));
    Err(format!("use {}{}", choices.join(" or "), near.unwrap_or_default()))
}

/// Returns the method that a text names.
fn method(text: &str) -> Result<String, String> {
    if METHODS.contains(&text) {
        return Ok(text.to_owned());
    }
    let capitals = text.to_ascii_uppercase();
    // A short word whose letters stand in another order is not like it to a measure of likeness.
    let sorted = |text: &str| {
        let mut letters = text.as_bytes().to_vec();
        letters.sort_unstable();
        letters
    };
    let letters = sorted(&capitals);
    let same = METHODS.iter().copied().find(|method| sorted(method) == letters);
    let near = same.or_else(|| nearest(&capitals, METHODS));
    let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    Err(format!(
        "{text:?} is no method: write one in capitals, as GET or POST, or ANY for all{near}"
    ))
}

/// Returns a value in its JSON form. Dates and times are texts there.
fn json(value: &DeValue<'_>) -> Result<serde_json::Value, String> {
    use serde_json::Value as Json;
    Ok(match value {
        DeValue::String(text) => Json::String(text.clone().into_owned()),
        DeValue::Integer(number) => {
            let whole = i64::from_str_radix(number.as_str(), number.radix());
            Json::from(whole.map_err(|_| format!("{number} is too large for an event"))?)
        }
        DeValue::Float(number) => {
            let number = number.as_str();
            let parsed = number.parse().ok().and_then(serde_json::Number::from_f64);
            Json::Number(parsed.ok_or_else(|| format!("{number} has no form in JSON"))?)
        }
        DeValue::Boolean(truth) => Json::Bool(*truth),
        DeValue::Datetime(time) => Json::String(time.to_string()),
        DeValue::Array(items) => {
            Json::Array(items.iter().map(|item| json(item.get_ref())).collect::<Result<_, _>>()?)
        }
        DeValue::Table(members) => {
            let member = |(name, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                Ok((name.get_ref().clone().into_owned(), json(value.get_ref())?))
            };
            Json::Object(members.iter().map(member).collect::<Result<_, String>>()?)
        }
    })
}

/// Reads an environment variable.
fn variable(
    name: &Spanned<Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    lines: Lines<'_>,
) -> Result<Placed<(String, String)>, Fault> {
    let line = lines.at(name.span().start);
    let name = name.get_ref().as_ref();
    let wrong = |why: &str| Err(Fault { line, message: format!("the variable '{name}' {why}") });
    let fits = |(at, byte): (usize, u8)| match byte {
        b'0'..=b'9' => at > 0,
        byte => byte == b'_' || byte.is_ascii_alphabetic(),
    };
    if name.is_empty() || !name.bytes().enumerate().all(fits) {
        return wrong("has a name that shells do not know: use letters, digits and underscores");
    }
    if name == "TZ" {
        return wrong("is the time zone, which is the process's: set it where that is started");
    }
    let written = &lines.0[value.span()];
    let value = match value.get_ref() {
        DeValue::String(text) => text.clone().into_owned(),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) => written.to_owned(),
        other => {
            let found = other.type_str();
            return wrong(&format!(
                "has a value of type {found}: use a text, a number, true or false"
            ));
        }
    };
    if value.contains('\0') {
        return wrong("has a value with a NUL character, which no environment can hold");
    }
    Ok(Placed { value: (name.to_owned(), value), line })
}

fn unknown_table(name: &str) -> String {
    let tables: Vec<String> = TABLES.iter().map(|table| format!("[[{}]]", table.name)).collect();
    let names = TABLES.iter().map(|table| table.name).chain([AUTH.name]);
    let near = nearest(name, names).map(|near| match near == AUTH.name {
        true => format!("; did you mean [{near}]?"),
        false => format!("; did you mean [[{near}]]?"),
    });
    let near = near.unwrap_or_default();
    format!("unknown key '{name}': the file has {}, [{}]{near}", tables.join(", "), AUTH.name)
}

fn unknown_key(table: &Table, kind: Option<&str>, name: &str) -> String {
    let keys = table.keys.iter().filter(|key| key.is_of(kind));
    let names: Vec<&str> = keys.map(|key| key.name).collect();
    let near = nearest(name, &names).map(|near| format!("; did you mean '{near}'?"));
    let of_kind = match kind {
        Some(kind) => format!(" of the kind '{kind}'"),
        None => String::new(),
    };
    format!(
        "unknown key '{name}': a {}{of_kind} has {}{}",
        table.name,
        names.join(", "),
        near.unwrap_or_default()
    )
}

/// A text whose lines are counted.
#[derive(Clone, Copy)]
struct Lines<'t>(&'t str);

impl Lines<'_> {
    /// Returns the line of an offset, counted from 1.
    fn at(self, offset: usize) -> usize {
        1 + self.0.as_bytes()[..offset.min(self.0.len())].iter().filter(|b| **b == b'\n').count()
    }
}
