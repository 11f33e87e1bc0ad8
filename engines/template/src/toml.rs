//! From the text of a TOML file to nodes.

use crate::{
    error::{Fault, Place},
    node::{Entry, Map, Node, Value},
};
use ::toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use std::rc::Rc;

/// The most parts that a dotted key may have: each is a table, and tables within tables are recursion.
const LONGEST_KEY: usize = 32;

/// Finds lines and columns by offsets.
struct Places<'t> {
    file: u16,
    text: &'t str,
    /// The offset at which each line begins.
    lines: Vec<usize>,
}

impl Places<'_> {
    fn at(&self, offset: usize) -> Place {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let before = self.text.get(self.lines[line - 1]..offset).unwrap_or_default();
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Place {
            file: self.file,
            line: number(line),
            column: number(before.chars().count().saturating_add(1)),
        }
    }
}

/// Reads a file. `file` is its number in places.
pub(crate) fn read(text: &str, file: u16) -> Result<Rc<Node>, Fault> {
    let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
    let places = Places { file, text, lines: std::iter::once(0).chain(breaks).collect() };
    if let Some(offset) = long_key(text) {
        let message = format!("a key has more than {LONGEST_KEY} parts");
        return Err(Fault::at(places.at(offset), message));
    }
    let table = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        Fault::at(places.at(offset), error.message().replace('\n', ", "))
    })?;
    map(table.get_ref(), places.at(table.span().start), &places)
}

/// Returns where a run of words and dots, as a dotted key is one, has too many dots.
fn long_key(text: &str) -> Option<usize> {
    let mut dots = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'.' => dots += 1,
            b'"' | b'\'' | b' ' | b'\t' | b'_' | b'-' => {}
            byte if byte.is_ascii_alphanumeric() => {}
            _ => dots = 0,
        }
        if dots >= LONGEST_KEY {
            return Some(at);
        }
    }
    None
}

fn map(table: &DeTable<'_>, place: Place, places: &Places<'_>) -> Result<Rc<Node>, Fault> {
    let mut entries = Vec::new();
    for (name, value) in table {
        let value = node(value, places)?;
        let key = name.get_ref().as_ref().into();
        entries.push(Entry { key, place: places.at(name.span().start), value });
    }
    // The parser orders tables by name; people know them in the order of the file.
    entries.sort_by_key(|entry| (entry.place.line, entry.place.column));
    Node::new(place, None, Value::Map(Map::new(entries)))
}

fn node(value: &Spanned<DeValue<'_>>, places: &Places<'_>) -> Result<Rc<Node>, Fault> {
    let place = places.at(value.span().start);
    let value = match value.get_ref() {
        DeValue::Table(table) => return map(table, place, places),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| node(item, places)).collect::<Result<_, _>>()?)
        }
        DeValue::String(text) => Value::Scalar { text: text.clone().into_owned(), quoted: true },
        _ => {
            let text = places.text.get(value.span()).unwrap_or_default().to_owned();
            Value::Scalar { text, quoted: false }
        }
    };
    Node::new(place, None, value)
}
