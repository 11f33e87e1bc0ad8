//! The shapes that a thread knows.

use super::{Part, Shape};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Number of values of a shape after which it is worth knowing: an engine makes code for it.
const WORTH: u32 = 4;

/// Number of shapes that a thread knows. Names of members may come from clients, who could make up new ones for ever.
const MOST: usize = 64;

/// Number of leaves of the largest shape that is known: an engine may make a function that takes each as an argument.
const MOST_LEAVES: usize = 250;

/// Depth of the deepest shape that is known.
const DEEPEST: usize = 16;

/// Number of shapes that may be waiting to be worth it.
const WAITING: usize = 256;

/// Number of shapes that are looked at before one is searched for.
const LATEST: usize = 4;

/// The bytes that stand for the parts of a shape, for comparison. A name is followed by its length.
pub(super) mod code {
    pub(in super::super) const OBJECT: u8 = b'{';
    pub(in super::super) const LIST: u8 = b'[';
    pub(in super::super) const END: u8 = b'}';
    pub(in super::super) const LEAF: u8 = b'.';
    pub(in super::super) const NAME: u8 = b'n';
}

/// The number of the next shape of this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The shapes of one thread.
#[derive(Default)]
pub(super) struct Shapes {
    /// Those that values had last, the last one first.
    latest: Vec<(Box<[u8]>, Arc<Shape>)>,
    known: HashMap<Box<[u8]>, Arc<Shape>>,
    /// Those that were met too few times, with the number of times.
    waiting: HashMap<Box<[u8]>, u32>,
}

impl Shapes {
    /// Returns the shape that is written so, and whether it is known.
    pub(super) fn find(&mut self, written: &[u8]) -> (Arc<Shape>, bool) {
        if let Some(at) = self.latest.iter().position(|(other, _)| **other == *written) {
            self.latest[..=at].rotate_right(1);
            return (self.latest[0].1.clone(), true);
        }
        let shape = match self.known.get(written) {
            Some(shape) => shape.clone(),
            None => {
                let shape = Arc::new(Shape::read(written));
                if !shape.is_small() || !self.is_worth(written) {
                    return (shape, false);
                }
                self.known.insert(written.into(), shape.clone());
                shape
            }
        };
        self.latest.truncate(LATEST - 1);
        self.latest.insert(0, (written.into(), shape.clone()));
        (shape, true)
    }

    /// Counts a value of a shape that is not known. Returns whether there were enough.
    fn is_worth(&mut self, written: &[u8]) -> bool {
        if self.known.len() >= MOST {
            return false;
        }
        if self.waiting.len() >= WAITING {
            self.waiting.clear();
        }
        let times = self.waiting.entry(written.into()).or_default();
        *times += 1;
        let is_worth = *times >= WORTH;
        if is_worth {
            self.waiting.remove(written);
        }
        is_worth
    }
}

impl Shape {
    fn read(written: &[u8]) -> Self {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        // What was written here can be read.
        Self { id, parts: parts(written).unwrap_or_default() }
    }

    fn is_small(&self) -> bool {
        let mut leaves = 0;
        let (mut depth, mut deepest) = (0_usize, 0);
        for part in &self.parts {
            match part {
                Part::Object(_) | Part::List(_) => depth += 1,
                Part::End => depth -= 1,
                Part::Leaf => leaves += 1,
                Part::Name(_) => {}
            }
            deepest = deepest.max(depth);
        }
        leaves <= MOST_LEAVES && deepest <= DEEPEST
    }
}

/// Reads the parts of a shape.
fn parts(written: &[u8]) -> Option<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    // The places of the beginnings that have no end yet.
    let mut open: Vec<usize> = Vec::new();
    let mut rest = written;
    while let Some((code, after)) = rest.split_first() {
        rest = after;
        // A value inside of a list is an item of it.
        if matches!(*code, code::OBJECT | code::LIST | code::LEAF)
            && let Some(Part::List(count)) = open.last().and_then(|at| parts.get_mut(*at))
        {
            *count += 1;
        }
        let part = match *code {
            code::OBJECT => Part::Object(0),
            code::LIST => Part::List(0),
            code::END => Part::End,
            code::LEAF => Part::Leaf,
            _ => {
                let (length, after) = rest.split_first_chunk()?;
                let (name, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                rest = after;
                if let Some(Part::Object(count)) = open.last().and_then(|at| parts.get_mut(*at)) {
                    *count += 1;
                }
                Part::Name(std::str::from_utf8(name).ok()?.into())
            }
        };
        match part {
            Part::Object(_) | Part::List(_) => open.push(parts.len()),
            Part::End => {
                open.pop();
            }
            _ => {}
        }
        parts.push(part);
    }
    Some(parts)
}
