//! The matcher, which backtracks like `lstrlib.c`, in the same order.

use crate::{
    Fault, byte,
    captures::{POSITION, Scratch, Span, Spans, UNFINISHED},
    class,
    item::{belongs, set_of},
};
use std::ops::Range;

/// The result of an attempt without a match.
const FAIL: usize = usize::MAX;
/// The result of matching that has ended for the reason in [`Matcher::fault`]. Like any position it counts as a result,
/// so that it passes straight through whatever would try an alternative after [`FAIL`].
const FAULT: usize = usize::MAX - 1;

/// Maximum depth of nested items that need an alternative of their own.
const MAX_DEPTH: u32 = 200;
/// Number of bytes up to which a set is searched each time; for more it is made a table.
const NEAR: usize = 32;
/// Number of steps, of some nanoseconds each, after which a matcher asks whether to stop.
pub const STEPS: i64 = 20_000;

/// The value of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture<'t> {
    /// A piece of the subject.
    Text(&'t [u8]),
    /// A position, counted from 1.
    Position(usize),
}

/// The place where a search for all matches continues: plain data, to be kept between two calls of
/// [`Matcher::next_match`], which need not be of the same matcher.
#[derive(Debug, Clone, Copy)]
pub struct Cursor {
    next: usize,
    last_end: usize,
}

impl Cursor {
    /// A place where no match has ended and none begins.
    const NOWHERE: usize = usize::MAX;

    /// Makes a cursor for a search from `start` on. One that starts beyond the subject's end finds nothing.
    pub fn new(start: usize) -> Self {
        Self { next: start, last_end: Self::NOWHERE }
    }
}

/// A pattern, to be matched against one subject.
///
/// `S` is asked every [`STEPS`] steps whether to stop.
pub struct Matcher<'t, 'r, S> {
    subject: &'t [u8],
    pattern: &'t [u8],
    anchored: bool,
    depth: u32,
    steps: i64,
    fault: Option<Fault>,
    captures: Spans<'r>,
    /// The last match.
    matched: (usize, usize),
    stop: S,
}

impl<'t, 'r, S: FnMut() -> bool> Matcher<'t, 'r, S> {
    /// Makes a matcher of `pattern` in `subject`. A `^` at the pattern's beginning anchors it.
    #[inline]
    pub fn new(subject: &'t [u8], pattern: &'t [u8], scratch: &'r mut Scratch, stop: S) -> Self {
        let (pattern, anchored) = match pattern {
            [b'^', rest @ ..] => (rest, true),
            _ => (pattern, false),
        };
        Self::build(subject, pattern, anchored, scratch, stop)
    }

    /// Does the same, but `^` is a character like any other, as for `gmatch`.
    #[inline]
    pub fn without_anchor(
        subject: &'t [u8],
        pattern: &'t [u8],
        scratch: &'r mut Scratch,
        stop: S,
    ) -> Self {
        Self::build(subject, pattern, false, scratch, stop)
    }

    #[inline]
    fn build(
        subject: &'t [u8],
        pattern: &'t [u8],
        anchored: bool,
        scratch: &'r mut Scratch,
        stop: S,
    ) -> Self {
        Self {
            subject,
            pattern,
            anchored,
            depth: MAX_DEPTH,
            steps: STEPS,
            fault: None,
            captures: Spans::new(scratch),
            matched: (0, 0),
            stop,
        }
    }

    /// Finds the first match from `start` on: in an anchored pattern, at `start`.
    ///
    /// # Errors
    /// What is wrong with the pattern, as far as it was read, or [`Fault::Stopped`].
    #[inline]
    pub fn find(&mut self, start: usize) -> Result<Option<Range<usize>>, Fault> {
        match self.search(start) {
            FAIL => Ok(None),
            FAULT => Err(self.reason()),
            start => Ok(Some(start..self.matched.1)),
        }
    }

    /// Finds the next match: one that does not end where the last one did. An anchored pattern has at most one.
    ///
    /// # Errors
    /// As for [`Matcher::find`].
    #[inline]
    pub fn next_match(&mut self, cursor: &mut Cursor) -> Result<Option<Range<usize>>, Fault> {
        let mut start = self.search(cursor.next);
        if start < FAULT && self.matched.1 == cursor.last_end {
            start = self.search(start + 1);
        }
        match start {
            FAIL => Ok(None),
            FAULT => Err(self.reason()),
            start => {
                let end = self.matched.1;
                *cursor = Cursor {
                    next: if self.anchored { Cursor::NOWHERE } else { end },
                    last_end: end,
                };
                Ok(Some(start..end))
            }
        }
    }

    /// Returns the number of captures of the last match.
    #[inline]
    pub fn captures(&self) -> usize {
        self.captures.level
    }

    /// Returns a capture of the last match, counted from 0. Without captures the first one is the whole match.
    ///
    /// # Errors
    /// [`Fault::InvalidIndex`] when the pattern has no such capture, [`Fault::UnfinishedCapture`] when it is not closed.
    #[inline]
    pub fn capture(&self, index: usize) -> Result<Capture<'t>, Fault> {
        let Some(capture) = self.captures.get(index) else {
            return match index {
                0 => Ok(Capture::Text(self.text(self.matched.0, self.matched.1))),
                _ => Err(Fault::InvalidIndex(i32::try_from(index + 1).unwrap_or(i32::MAX))),
            };
        };
        match capture.length {
            UNFINISHED => Err(Fault::UnfinishedCapture),
            POSITION => Ok(Capture::Position(capture.start + 1)),
            length => Ok(Capture::Text(self.text(capture.start, capture.start + length))),
        }
    }

    /// Returns the subject between two places.
    fn text(&self, start: usize, end: usize) -> &'t [u8] {
        self.subject.get(start..end).unwrap_or_default()
    }

    /// Returns why the last search has ended with [`FAULT`].
    fn reason(&self) -> Fault {
        self.fault.unwrap_or(Fault::TooComplex)
    }

    /// Returns where the first match from `start` on begins.
    fn search(&mut self, mut start: usize) -> usize {
        if start > self.subject.len() {
            return FAIL;
        }
        if self.anchored {
            return self.match_at(start);
        }
        let Some(first) = self.first_item() else { return FAULT };
        loop {
            if !first.is_empty() {
                // Any other byte fails at the pattern's first item, without the rest of it being looked at.
                start = self.skip_to(first, start);
                if start == FAULT {
                    return FAULT;
                }
            }
            match self.match_at(start) {
                FAIL if start < self.subject.len() => start += 1,
                result => return result,
            }
        }
    }

    /// Matches the pattern at `start`, which is returned if that succeeds.
    #[inline]
    fn match_at(&mut self, start: usize) -> usize {
        self.captures.level = 0;
        self.depth = MAX_DEPTH;
        match self.run(start, 0) {
            end @ (FAIL | FAULT) => end,
            end => {
                self.matched = (start, end);
                start
            }
        }
    }

    /// Returns the item with one of whose bytes every match begins; empty where no item is selective, `None` where the
    /// pattern is found to be wrong.
    #[inline]
    fn first_item(&mut self) -> Option<&'t [u8]> {
        // A capture begins where its first item does.
        let p = usize::from(self.p(0) == b'(');
        match (self.p(p), self.p(p + 1)) {
            (b'(' | b')' | b'$' | b'.', _) | (b'%', b'b' | b'f' | b'0'..=b'9') => return Some(&[]),
            _ if p >= self.pattern.len() => return Some(&[]),
            _ => {}
        }
        let next = self.class_end(p);
        if next == FAULT {
            // The first attempt would find it too.
            return None;
        }
        let optional = matches!(self.p(next), b'*' | b'?' | b'-');
        Some(if optional { &[] } else { self.item(p, next) })
    }

    /// Finds one of the item's bytes from `start` on, else returns the end.
    #[inline]
    fn skip_to(&mut self, item: &[u8], start: usize) -> usize {
        let rest = self.rest(start);
        let near = rest.len().min(NEAR);
        let skipped = match *item {
            [literal] => byte::position(literal, rest),
            [b'%', name] => rest.iter().position(|&byte| class::matches(byte, name)),
            _ => {
                let found = rest[..near].iter().position(|&byte| belongs(byte, item));
                found.or_else(|| Some(near + self.apart(start + near, item)))
            }
        };
        let skipped = skipped.unwrap_or(rest.len());
        if self.charge((skipped >> 4) + skipped.min(near) * (item.len() >> 3)) {
            return FAULT;
        }
        start + skipped
    }

    /// Returns the pattern's byte at `at`; beyond its end there are zeros, on which the rules rely as C's do.
    #[inline]
    fn p(&self, at: usize) -> u8 {
        self.pattern.get(at).copied().unwrap_or(0)
    }

    /// Returns the subject's byte at `at`, zero at its end.
    #[inline]
    fn s(&self, at: usize) -> u8 {
        self.subject.get(at).copied().unwrap_or(0)
    }

    /// Returns the subject from `at` on.
    #[inline]
    fn rest(&self, at: usize) -> &'t [u8] {
        self.subject.get(at..).unwrap_or_default()
    }

    /// Returns the item of the pattern between two places: a character or a class.
    #[inline]
    fn item(&self, p: usize, next: usize) -> &'t [u8] {
        self.pattern.get(p..next).unwrap_or_default()
    }

    fn fail(&mut self, fault: Fault) -> usize {
        self.fault = Some(fault);
        FAULT
    }

    /// Counts work that was done in one go; returns true when matching has to stop.
    #[inline]
    fn charge(&mut self, work: usize) -> bool {
        self.steps -= work as i64;
        self.steps < 0 && self.stops()
    }

    #[cold]
    fn stops(&mut self) -> bool {
        self.steps = STEPS;
        if (self.stop)() {
            self.fault = Some(Fault::Stopped);
            return true;
        }
        false
    }

    /// Matches the pattern from `p` on against the subject from `s` on; returns where the match ends.
    fn run(&mut self, mut s: usize, mut p: usize) -> usize {
        if self.depth == 0 {
            return self.fail(Fault::TooComplex);
        }
        self.depth -= 1;
        'run: while let Some(&head) = self.pattern.get(p) {
            if self.charge(1) {
                return FAULT;
            }
            // The place where a single item ends; anything else is matched at once.
            let next = 'item: {
                match head {
                    b'(' => {
                        s = match self.p(p + 1) {
                            b')' => self.start_capture(s, p + 2, POSITION),
                            _ => self.start_capture(s, p + 1, UNFINISHED),
                        };
                        break 'run;
                    }
                    b')' => {
                        s = self.end_capture(s, p + 1);
                        break 'run;
                    }
                    b'$' if p + 1 == self.pattern.len() => {
                        if s != self.subject.len() {
                            s = FAIL;
                        }
                        break 'run;
                    }
                    b'%' => match self.pattern.get(p + 1) {
                        Some(b'b') => {
                            s = self.balance(s, p + 2);
                            p += 4;
                        }
                        Some(b'f') => (s, p) = self.frontier(s, p + 2),
                        Some(&digit @ b'0'..=b'9') => {
                            s = self.back_reference(s, digit);
                            p += 2;
                        }
                        Some(_) => break 'item p + 2,
                        None => return self.fail(Fault::EndsWithEscape),
                    },
                    b'[' => match self.set_end(p) {
                        FAULT => return FAULT,
                        next => break 'item next,
                    },
                    _ => break 'item p + 1,
                }
                if s >= FAULT {
                    break 'run;
                }
                continue 'run;
            };
            match self.step(s, p, next) {
                Next::Item(at, pattern) => (s, p) = (at, pattern),
                Next::Result(result) => {
                    s = result;
                    break;
                }
            }
        }
        self.depth += 1;
        s
    }

    /// Matches the item from `p` to `next`, and what may follow it.
    #[inline]
    fn step(&mut self, s: usize, p: usize, next: usize) -> Next {
        let (item, suffix) = (self.item(p, next), self.p(next));
        if !self.single(s, item) {
            return match suffix {
                b'*' | b'?' | b'-' => Next::Item(s, next + 1),
                _ => Next::Result(FAIL),
            };
        }
        match suffix {
            b'?' => match self.run(s + 1, next + 1) {
                FAIL => Next::Item(s, next + 1),
                result => Next::Result(result),
            },
            b'+' => Next::Result(self.longest(s + 1, item, next)),
            b'*' => Next::Result(self.longest(s, item, next)),
            b'-' => Next::Result(self.shortest(s, item, next)),
            _ => Next::Item(s + 1, next),
        }
    }

    /// Returns where the item that begins at `p` ends.
    #[inline]
    fn class_end(&mut self, p: usize) -> usize {
        match self.p(p) {
            b'%' if p + 1 == self.pattern.len() => self.fail(Fault::EndsWithEscape),
            b'%' => p + 2,
            b'[' => self.set_end(p),
            _ => p + 1,
        }
    }

    /// Does the same for a set.
    fn set_end(&mut self, p: usize) -> usize {
        let mut at = p + 1;
        if self.p(at) == b'^' {
            at += 1;
        }
        // The first character is a member, even when it is a bracket.
        loop {
            let Some(&byte) = self.pattern.get(at) else {
                return self.fail(Fault::MissingBracket);
            };
            at += 1;
            if byte == b'%' && at < self.pattern.len() {
                at += 1;
            }
            if self.p(at) == b']' {
                break;
            }
        }
        if self.charge((at - p) >> 3) {
            return FAULT;
        }
        at + 1
    }

    /// Whether the byte at `s` is one of the item's.
    #[inline]
    fn single(&self, s: usize, item: &[u8]) -> bool {
        self.subject.get(s).is_some_and(|&byte| belongs(byte, item))
    }

    /// Counts the bytes from `s` on that are the item's.
    fn span(&self, s: usize, item: &[u8]) -> usize {
        let rest = self.rest(s);
        let other = match *item {
            [b'.'] => None,
            [b'%', name] => rest.iter().position(|&byte| !class::matches(byte, name)),
            [b'[', ref members @ .., _] => {
                let set = set_of(members);
                rest.iter().position(|&byte| !set.has(byte))
            }
            [literal] => rest.iter().position(|&byte| byte != literal),
            _ => Some(0),
        };
        other.unwrap_or(rest.len())
    }

    /// Counts the bytes from `s` on that are not the set's.
    #[inline(never)]
    fn apart(&self, s: usize, set: &[u8]) -> usize {
        let rest = self.rest(s);
        let found = match *set {
            [b'[', ref members @ .., _] => {
                let set = set_of(members);
                rest.iter().position(|&byte| set.has(byte))
            }
            _ => None,
        };
        found.unwrap_or(rest.len())
    }

    /// Matches as many repetitions as possible, then fewer.
    fn longest(&mut self, s: usize, item: &[u8], next: usize) -> usize {
        let most = self.span(s, item);
        if self.charge((most >> 2) + (item.len() >> 2)) {
            return FAULT;
        }
        for count in (0..=most).rev() {
            match self.run(s + count, next + 1) {
                FAIL => {}
                result => return result,
            }
        }
        FAIL
    }

    /// Matches as few repetitions as possible, then more.
    fn shortest(&mut self, mut s: usize, item: &[u8], next: usize) -> usize {
        loop {
            match self.run(s, next + 1) {
                FAIL if self.single(s, item) => s += 1,
                result => return result,
            }
            if self.charge(1 + (item.len() >> 3)) {
                return FAULT;
            }
        }
    }

    fn start_capture(&mut self, s: usize, p: usize, length: usize) -> usize {
        if !self.captures.push(Span { start: s, length }) {
            return self.fail(Fault::TooManyCaptures);
        }
        let result = self.run(s, p);
        if result == FAIL {
            self.captures.level -= 1;
        }
        result
    }

    fn end_capture(&mut self, s: usize, p: usize) -> usize {
        let Some((index, start)) = self.captures.open() else {
            return self.fail(Fault::InvalidCapture);
        };
        self.captures.set_length(index, s - start);
        let result = self.run(s, p);
        if result == FAIL {
            self.captures.set_length(index, UNFINISHED);
        }
        result
    }

    /// Matches `%b`, whose two bytes stand at `p`.
    fn balance(&mut self, s: usize, p: usize) -> usize {
        let Some(&[open, close]) = self.pattern.get(p..p + 2) else {
            return self.fail(Fault::MissingBalance);
        };
        // An opening zero may be the one at the subject's end. Nothing is left to close it.
        if self.s(s) != open {
            return FAIL;
        }
        let mut depth = 1;
        let rest = self.rest(s + 1);
        for (at, &byte) in rest.iter().enumerate() {
            if byte == close {
                depth -= 1;
                if depth == 0 {
                    return if self.charge((at + 2) >> 2) { FAULT } else { s + at + 2 };
                }
            } else if byte == open {
                depth += 1;
            }
        }
        if self.charge((rest.len() + 1) >> 2) { FAULT } else { FAIL }
    }

    /// Matches `%f`, whose set begins at `p`; returns the places in subject and pattern afterwards.
    fn frontier(&mut self, s: usize, p: usize) -> (usize, usize) {
        if self.p(p) != b'[' {
            return (self.fail(Fault::MissingFrontier), p);
        }
        let next = self.class_end(p);
        if next == FAULT {
            return (FAULT, p);
        }
        let before = if s == 0 { 0 } else { self.s(s - 1) };
        let set = self.item(p, next);
        let here = !belongs(before, set) && belongs(self.s(s), set);
        (if here { s } else { FAIL }, next)
    }

    /// Matches `%1` to `%9`: the text of an earlier capture again.
    fn back_reference(&mut self, s: usize, digit: u8) -> usize {
        let index = i32::from(digit) - i32::from(b'1');
        let known = usize::try_from(index).ok().and_then(|index| self.captures.get(index));
        let Some(capture) = known.filter(|capture| capture.length != UNFINISHED) else {
            return self.fail(Fault::InvalidIndex(index + 1));
        };
        // The length of a position is larger than any string.
        if self.subject.len() - s < capture.length {
            return FAIL;
        }
        if self.charge(capture.length >> 6) {
            return FAULT;
        }
        let text = self.text(capture.start, capture.start + capture.length);
        if self.rest(s).starts_with(text) { s + capture.length } else { FAIL }
    }
}

/// The place where matching continues after an item.
enum Next {
    /// At this place of the subject, with this item of the pattern.
    Item(usize, usize),
    /// Nowhere: the rest has been matched too, with this result.
    Result(usize),
}
