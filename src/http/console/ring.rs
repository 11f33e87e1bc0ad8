//! What the console remembers, and what its readers have not seen yet: messages in order, no more than so many.
//!
//! Readers share it, and each knows how far it has come. So one that is slow costs nothing: what it has missed is gone.

use bytes::Bytes;
use std::collections::VecDeque;

/// Maximum number of invocations that are remembered.
const INVOCATIONS: usize = 200;
/// Maximum number of messages.
const MESSAGES: usize = 2000;
/// Maximum size of all of them, in bytes.
const SIZE: usize = 8 << 20;
/// What a message counts for beside its text.
const COST: usize = 64;

/// The kind of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An invocation has begun.
    Begun,
    /// An invocation has ended.
    Invocation,
    /// A line of the log.
    Log,
}

impl Kind {
    /// Returns its name as an event of a stream.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Invocation => "invocation",
            Self::Log => "log",
        }
    }
}

/// The messages.
#[derive(Debug, Default)]
pub(super) struct Ring {
    messages: VecDeque<(Kind, Bytes)>,
    /// The number of the first of them.
    first: u64,
    size: usize,
    invocations: usize,
}

/// What a reader gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    /// The messages, as a part of a stream.
    pub(super) text: Bytes,
    /// How far the reader has come with them.
    pub(super) next: u64,
    /// Number of messages that it has missed.
    pub(super) missed: u64,
}

impl Ring {
    /// Returns the number of the message that comes next.
    pub(super) fn next(&self) -> u64 {
        self.first + self.messages.len() as u64
    }

    /// Adds a message, an object of JSON in one line.
    pub(super) fn push(&mut self, kind: Kind, json: &str) {
        let (number, name) = (self.next(), kind.name());
        let text = Bytes::from(format!("id: {number}\nevent: {name}\ndata: {json}\n\n"));
        self.size += text.len() + COST;
        self.invocations += usize::from(kind == Kind::Invocation);
        self.messages.push_back((kind, text));
        while self.messages.len() > MESSAGES || self.invocations > INVOCATIONS || self.size > SIZE {
            let Some((kind, text)) = self.messages.pop_front() else { break };
            self.first += 1;
            self.size -= text.len() + COST;
            self.invocations -= usize::from(kind == Kind::Invocation);
        }
    }

    /// Returns what a reader gets who has come so far, about this many bytes at least where there are so many; `None` where
    /// nothing is new.
    pub(super) fn after(&self, next: u64, most: usize) -> Option<Batch> {
        let from = next.max(self.first);
        let missed = from - next;
        let skipped = usize::try_from(from - self.first).unwrap_or(usize::MAX);
        let mut text = Vec::new();
        let mut count = 0;
        for (_, message) in self.messages.iter().skip(skipped) {
            text.extend_from_slice(message);
            count += 1;
            if text.len() >= most {
                break;
            }
        }
        (count > 0).then(|| Batch { text: text.into(), next: from + count, missed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_get_what_is_new_and_miss_what_is_gone() {
        let mut ring = Ring::default();
        assert_eq!(ring.after(0, 1), None);
        for number in 0..3 {
            ring.push(Kind::Log, &number.to_string());
        }
        let all = ring.after(0, usize::MAX).unwrap();
        assert_eq!((all.next, all.missed), (3, 0));
        assert!(all.text.starts_with(b"id: 0\nevent: log\ndata: 0\n\nid: 1\n"));
        assert_eq!(ring.after(0, 1).unwrap().next, 1);
        assert_eq!(ring.after(3, 1), None);
        for _ in 0..MESSAGES {
            ring.push(Kind::Log, "x");
        }
        let rest = ring.after(1, usize::MAX).unwrap();
        assert_eq!((rest.next, rest.missed), (MESSAGES as u64 + 3, 2));
    }

    #[test]
    fn it_is_bounded_in_number_and_size() {
        let mut ring = Ring::default();
        for _ in 0..300 {
            ring.push(Kind::Invocation, "{}");
        }
        assert_eq!((ring.invocations, ring.messages.len()), (INVOCATIONS, INVOCATIONS));
        let large = "x".repeat(1 << 20);
        for _ in 0..20 {
            ring.push(Kind::Invocation, &large);
            assert!(ring.size <= SIZE);
        }
        assert_eq!(ring.messages.len(), 7);
        // One that is larger than all may be is not kept either.
        ring.push(Kind::Log, &"x".repeat(SIZE));
        assert_eq!((ring.messages.len(), ring.size, ring.next()), (0, 0, 321));
    }
}
