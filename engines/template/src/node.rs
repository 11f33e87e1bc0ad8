//! What a file says, whatever its syntax: texts, lists and tables, each with its place and its YAML tag.

use crate::error::{Fault, Place};
use std::{collections::HashMap, rc::Rc};

/// The deepest nesting that is read. Recursion over nodes is bounded by it.
pub(crate) const DEEPEST: usize = 256;

/// The most values that a file may stand for, those counted again that aliases repeat.
const HEAVIEST: u32 = 1_000_000;

/// Tables from this size on are searched by hash.
const INDEXED: usize = 16;

/// A value with its place.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    /// The YAML tag without its exclamation mark: `Sub` of `!Sub`.
    pub(crate) tag: Option<Box<str>>,
    pub(crate) value: Value,
    height: usize,
    weight: u32,
}

#[derive(Debug)]
pub(crate) enum Value {
    Scalar {
        text: String,
        /// Whether it can only be a text, because it is in quotes.
        quoted: bool,
    },
    List(Vec<Rc<Node>>),
    Map(Map),
}

/// A table whose keys are texts, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct Map {
    entries: Vec<Entry>,
    index: HashMap<Box<str>, usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Box<str>,
    pub(crate) place: Place,
    pub(crate) value: Rc<Node>,
}

impl Map {
    /// Makes a table of entries whose keys differ.
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        let mut index = HashMap::new();
        if entries.len() >= INDEXED {
            index = entries.iter().enumerate().map(|(at, e)| (e.key.clone(), at)).collect();
        }
        Self { entries, index }
    }

    /// Returns the entry of a key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        if self.entries.len() >= INDEXED {
            return self.index.get(key).map(|at| &self.entries[*at]);
        }
        self.entries.iter().find(|entry| &*entry.key == key)
    }

    /// Returns the value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Rc<Node>> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Returns all entries.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl Node {
    /// Makes a node.
    ///
    /// # Errors
    /// It is nested too deeply, or stands for too many values.
    pub(crate) fn new(
        place: Place,
        tag: Option<Box<str>>,
        value: Value,
    ) -> Result<Rc<Self>, Fault> {
        let (mut height, mut weight) = (0, 1_u32);
        let mut add = |node: &Self| {
            height = height.max(node.height + 1);
            weight = weight.saturating_add(node.weight);
        };
        match &value {
            Value::Scalar { .. } => {}
            Value::List(items) => items.iter().for_each(|item| add(item)),
            Value::Map(map) => map.entries.iter().for_each(|entry| add(&entry.value)),
        }
        if height > DEEPEST {
            return Err(Fault::at(place, too_deep()));
        }
        if weight > HEAVIEST {
            return Err(Fault::at(
                place,
                format!("with its aliases it stands for more than {HEAVIEST} values"),
            ));
        }
        Ok(Rc::new(Self { place, tag, value, height, weight }))
    }

    /// Makes a text.
    pub(crate) fn scalar(place: Place, text: impl Into<String>) -> Rc<Self> {
        let value = Value::Scalar { text: text.into(), quoted: true };
        Rc::new(Self { place, tag: None, value, height: 0, weight: 1 })
    }

    /// Returns how many levels there are below it.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// Returns its text, as it is written, if it is neither a list nor a table.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Returns its items, if it is a list.
    pub(crate) fn list(&self) -> Option<&[Rc<Self>]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns its entries, if it is a table.
    pub(crate) fn map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Returns the value of a key, if it is a table that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Rc<Self>> {
        self.map()?.get(key)
    }

    /// Returns the text of a key, if it is a table that has such a text.
    pub(crate) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// Whether it is null or nothing.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, quoted: false }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Returns what it says as a truth value.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// Returns its text as an environment variable has it: truth values in small letters, null empty.
    pub(crate) fn variable(&self) -> Option<String> {
        let Value::Scalar { text, quoted } = &self.value else { return None };
        if self.is_null() {
            return Some(String::new());
        }
        let is_truth = !quoted && matches!(text.as_str(), "True" | "TRUE" | "False" | "FALSE");
        Some(if is_truth { text.to_ascii_lowercase() } else { text.clone() })
    }

    /// Returns what it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar { .. } if self.is_null() => "nothing",
            Value::Scalar { .. } => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a table",
        }
    }
}

/// Returns what is said of nesting that is too deep.
pub(crate) fn too_deep() -> String {
    format!("nested more than {DEEPEST} levels deep")
}
