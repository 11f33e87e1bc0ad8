//! A value taken apart into its shape and its leaves, so that an engine can build it without a text in between.

mod shapes;
mod taker;

use crate::json_string;
use bytes::Bytes;
use serde::{Serialize, Serializer};
use std::{fmt::Write, sync::Arc};
use taker::Taken;

/// A value taken apart: what values of its kind have in common ([`Shape`]), and its leaves.
///
/// The requests of one client differ in a few texts, and not in the names of their members. An engine that has met the
/// shape before knows how to make such a value of nothing but the leaves.
#[derive(Debug, Clone)]
pub struct Shaped {
    shape: Arc<Shape>,
    leaves: Vec<Place>,
    /// The texts of the leaves, one after another.
    text: String,
    /// The text that [`Beside`] stands for.
    beside: Bytes,
    is_known: bool,
}

/// The structure of a value: its objects with the names of their members, its lists, and the places of its leaves.
#[derive(Debug)]
pub struct Shape {
    id: u64,
    parts: Vec<Part>,
}

/// A part of a shape, in the order in which the parts of JSON text come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The beginning of an object with so many members.
    Object(u32),
    /// The name of the member whose value follows.
    Name(Box<str>),
    /// The beginning of a list of so many items.
    List(u32),
    /// The end of an object or a list.
    End,
    /// A value that is neither: the next of the leaves.
    Leaf,
}

/// A value without parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Leaf<'a> {
    /// A text.
    Text(&'a str),
    /// A number without a fraction.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A truth value.
    Truth(bool),
    /// Nothing: `null`.
    Null,
}

/// A leaf, as it is kept.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// The place of a text among those of the value.
    Text {
        start: u32,
        end: u32,
    },
    Beside,
    Integer(i64),
    Float(f64),
    Truth(bool),
    Null,
}

/// The place of a text that is kept beside its value. Without [`Shaped`] it is an empty text.
#[derive(Debug, Clone, Copy)]
pub struct Beside;

impl Beside {
    const NAME: &str = "trine::Beside";
}

impl Serialize for Beside {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(Self::NAME, "")
    }
}

impl Shape {
    /// Returns the number by which this process knows the shape.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Returns the parts, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }
}

impl Shaped {
    /// Takes a value apart. `beside` is the text for [`Beside`], in UTF-8.
    ///
    /// It has to be one that JSON text could stand for, without bytes and without variants that have parts.
    pub fn of(value: &impl Serialize, beside: &Bytes) -> Self {
        let beside = match std::str::from_utf8(beside) {
            Ok(_) => beside.clone(),
            Err(_) => Bytes::from(String::from_utf8_lossy(beside).into_owned()),
        };
        let Taken { shape, is_known, leaves, text } = taker::take(value);
        Self { shape, leaves, text, beside, is_known }
    }

    /// Whether this thread has met the shape several times before, so that it is worth the while to prepare for it.
    /// It does not know too many of them, nor any that is very large or deep.
    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// Returns the value's shape.
    pub fn shape(&self) -> &Arc<Shape> {
        &self.shape
    }

    /// Returns the number of leaves.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there is no leaf.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Returns the leaves, in the order in which the shape has them.
    pub fn leaves(&self) -> impl Iterator<Item = Leaf<'_>> {
        self.leaves.iter().map(|place| match *place {
            Place::Text { start, end } => {
                Leaf::Text(self.text.get(start as usize..end as usize).unwrap_or_default())
            }
            // Looked at when the value was taken apart.
            Place::Beside => Leaf::Text(std::str::from_utf8(&self.beside).unwrap_or_default()),
            Place::Integer(number) => Leaf::Integer(number),
            Place::Float(number) => Leaf::Float(number),
            Place::Truth(truth) => Leaf::Truth(truth),
            Place::Null => Leaf::Null,
        })
    }

    /// Returns the value as JSON text.
    pub fn to_json(&self) -> Bytes {
        let mut out = String::with_capacity(self.text.len() + self.beside.len() + 1024);
        let mut leaves = self.leaves();
        let mut open = Vec::new();
        let mut is_first = true;
        for part in &self.shape.parts {
            // Only a name ends so: a text ends with a quotation mark.
            let follows_name = out.ends_with(':');
            if !is_first && !follows_name && *part != Part::End {
                out.push(',');
            }
            is_first = false;
            // Writing to a string cannot fail.
            let _ = match part {
                Part::Object(_) => {
                    open.push('}');
                    is_first = true;
                    out.write_char('{')
                }
                Part::List(_) => {
                    open.push(']');
                    is_first = true;
                    out.write_char('[')
                }
                Part::End => out.write_char(open.pop().unwrap_or('}')),
                Part::Name(name) => write!(out, "{}:", json_string(name)),
                Part::Leaf => match leaves.next().unwrap_or(Leaf::Null) {
                    Leaf::Text(text) => out.write_str(&json_string(text)),
                    Leaf::Integer(number) => write!(out, "{number}"),
                    Leaf::Float(number) => match serde_json::Number::from_f64(number) {
                        Some(number) => write!(out, "{number}"),
                        None => out.write_str("null"),
                    },
                    Leaf::Truth(truth) => write!(out, "{truth}"),
                    Leaf::Null => out.write_str("null"),
                },
            };
        }
        Bytes::from(out)
    }
}

impl PartialEq for Shaped {
    fn eq(&self, other: &Self) -> bool {
        self.shape.parts == other.shape.parts && self.leaves().eq(other.leaves())
    }
}

#[cfg(test)]
mod tests;
