//! From the text of a YAML or JSON file to nodes. Aliases are shared, not copied, so that a small file stays small.

use crate::{
    error::{Fault, Place},
    node::{DEEPEST, Entry, Map, Node, Value, too_deep},
};
use granit_parser::{Event, Options, Parser, ScalarStyle, Span, Tag};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    rc::Rc,
};

/// The most keys that merges (`<<`) may bring into the tables of a file.
const MOST_MERGED: usize = 1_000_000;

/// The key whose tables are merged into the table around them.
const MERGE: &str = "<<";

/// A list or a table whose end has not come.
struct Open {
    place: Place,
    tag: Option<Box<str>>,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Rc<Node>>),
    Map { entries: Vec<Entry>, lines: HashMap<Box<str>, u32>, key: Option<(Box<str>, Place)> },
}

/// The state between two events.
struct Builder {
    file: u16,
    open: Vec<Open>,
    /// What anchors name; `None` as long as it has no end.
    anchors: HashMap<usize, Option<Rc<Node>>>,
    root: Option<Rc<Node>>,
    merged: usize,
}

/// Reads a file of one document. `file` is its number in places.
pub(crate) fn read(text: &str, file: u16) -> Result<Rc<Node>, Fault> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.flow_nesting_limit = DEEPEST - 1;
    options.block_nesting_limit = DEEPEST - 1;
    let mut builder =
        Builder { file, open: Vec::new(), anchors: HashMap::new(), root: None, merged: 0 };
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => builder.take(event, &span)?,
            Err(error) => {
                let mark = error.marker();
                let mut message = error.info();
                if message.contains("recursion limit") {
                    message = too_deep();
                } else if message.contains("tabs disallowed") {
                    message = "a tab indents this line: use spaces".to_owned();
                }
                return Err(Fault::at(place(file, mark.line(), mark.col()), message));
            }
        }
    }
    builder.root.ok_or_else(|| Fault::at(place(file, 1, 0), "the file is empty"))
}

/// Returns a place; `column` is counted from 0.
fn place(file: u16, line: usize, column: usize) -> Place {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    Place { file, line: number(line.max(1)), column: number(column.saturating_add(1)) }
}

/// Returns a tag of an application; those of YAML itself say nothing new.
fn tag_of(tag: Option<Cow<'_, Tag>>) -> Option<Box<str>> {
    let written = tag?.to_string();
    let name = written.strip_prefix('!')?;
    (!name.is_empty() && !name.starts_with('!')).then(|| name.into())
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Fault> {
        let start = span.tag_start().unwrap_or(span.start);
        let at = place(self.file, start.line(), start.col());
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                Err(Fault::at(at, "a second document begins here: keep one in the file"))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain;
                if let Some(Open { content: Content::Map { key: key @ None, lines, .. }, .. }) =
                    self.open.last_mut()
                {
                    let name: Box<str> = text.as_ref().into();
                    let first = lines.insert(name.clone(), at.line);
                    if let Some(line) = first.filter(|_| &*name != MERGE) {
                        let message = format!(
                            "the key '{name}' stands twice in one table, first in line {line}"
                        );
                        return Err(Fault::at(at, message));
                    }
                    if anchor != 0 {
                        self.anchors.insert(anchor, Some(Node::scalar(at, text)));
                    }
                    *key = Some((name, at));
                    return Ok(());
                }
                let value = Value::Scalar { text: text.into_owned(), quoted };
                let node = Node::new(at, tag_of(tag), value)?;
                self.put(node, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.begin(at, tag_of(tag), anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                let (entries, lines, key) = (Vec::new(), HashMap::new(), None);
                self.begin(at, tag_of(tag), anchor, Content::Map { entries, lines, key })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => match self.anchors.get(&anchor) {
                Some(Some(node)) => {
                    let node = Rc::clone(node);
                    if self.open.len() + node.height() > DEEPEST {
                        return Err(Fault::at(at, too_deep()));
                    }
                    self.put(node, 0)
                }
                _ => Err(Fault::at(at, "an alias stands inside of what it names")),
            },
            _ => Ok(()),
        }
    }

    fn begin(
        &mut self,
        place: Place,
        tag: Option<Box<str>>,
        anchor: usize,
        content: Content,
    ) -> Result<(), Fault> {
        if let Some(Open { content: Content::Map { key: None, .. }, .. }) = self.open.last() {
            return Err(Fault::at(place, "a key is a list or a table: use a text"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
        self.open.push(Open { place, tag, anchor, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let Some(Open { place, tag, anchor, content }) = self.open.pop() else { return Ok(()) };
        let value = match content {
            Content::List(items) => Value::List(items),
            Content::Map { entries, .. } => Value::Map(Map::new(self.merge(entries)?)),
        };
        let node = Node::new(place, tag, value)?;
        self.put(node, anchor)
    }

    fn put(&mut self, node: Rc<Node>, anchor: usize) -> Result<(), Fault> {
        if anchor != 0 {
            self.anchors.insert(anchor, Some(Rc::clone(&node)));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, lines, key }) => match key.take() {
                Some((key, place)) => entries.push(Entry { key, place, value: node }),
                // An alias is the key.
                None => {
                    let Some(text) = node.text() else {
                        let message = "a key is a list or a table: use a text";
                        return Err(Fault::at(node.place, message));
                    };
                    if lines.insert(text.into(), node.place.line).is_some() {
                        let message = format!("the key '{text}' stands twice in one table");
                        return Err(Fault::at(node.place, message));
                    }
                    *key = Some((text.into(), node.place));
                }
            },
        }
        Ok(())
    }

    /// Puts the entries of merged tables behind those that a table has itself.
    fn merge(&mut self, entries: Vec<Entry>) -> Result<Vec<Entry>, Fault> {
        if !entries.iter().any(|entry| &*entry.key == MERGE) {
            return Ok(entries);
        }
        let (merges, mut entries): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|entry| &*entry.key == MERGE);
        let mut known: HashSet<Box<str>> = entries.iter().map(|e| e.key.clone()).collect();
        for merge in &merges {
            let one = std::slice::from_ref(&merge.value);
            for source in merge.value.list().unwrap_or(one) {
                let Some(map) = source.map() else {
                    let message = format!("'<<' merges tables, and this is {}", source.kind());
                    return Err(Fault::at(merge.place, message));
                };
                for entry in map.entries() {
                    self.merged += 1;
                    if self.merged > MOST_MERGED {
                        let message = format!("more than {MOST_MERGED} keys are merged by '<<'");
                        return Err(Fault::at(merge.place, message));
                    }
                    if known.insert(entry.key.clone()) {
                        entries.push(entry.clone());
                    }
                }
            }
        }
        Ok(entries)
    }
}
