//! The matcher: backtracking, as `lstrlib.c` does it, in the order in which it does it.

use crate::{
    Fault,
    class::{self, Set},
};
use memchr::memchr;
use std::ops::Range;

/// No match from here.
const FAIL: usize = usize::MAX;
/// Matching has ended for the reason in [`Matcher::fault`]. Like any position it counts as a result, so that it goes
/// straight through whatever would try an alternative after [`FAIL`].
const FAULT: usize = usize::MAX - 1;

/// A pattern may capture this often.
const MAX_CAPTURES: usize = 32;
/// Items that need an alternative of their own may be nested this deep.
const MAX_DEPTH: u32 = 200;
/// Number of steps, each some nanoseconds, after which a matcher asks whether to stop.
pub const STEPS: i64 = 20_000;

/// Length of a capture that is not closed yet.
const UNFINISHED: usize = usize::MAX;
/// Length of a capture that is a position.
const POSITION: usize = usize::MAX - 1;

/// Where a capture is.
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    length: usize,
}

/// The value of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture<'t> {
    /// A piece of the subject.
    Text(&'t [u8]),
    /// A position, counted from 1.
    Position(usize),
}

/// The place where a search for all matches goes on: plain data, to be kept between two calls of
/// [`Matcher::next_match`], which need not be of the same matcher.
#[derive(Debug, Clone, Copy)]
pub struct Cursor {
    next: usize,
    last_end: usize,
}

impl Cursor {
    /// No match has ended here, and none begins here.
    const NOWHERE: usize = usize::MAX;

    /// A search from `start` on. One that starts beyond the subject's end finds nothing.
    pub fn new(start: usize) -> Self {
        Self { next: start, last_end: Self::NOWHERE }
    }
}

/// A pattern, to be matched against one subject.
///
/// `S` is asked every [`STEPS`] steps whether to stop.
pub struct Matcher<'t, S> {
    subject: &'t [u8],
    pattern: &'t [u8],
    anchored: bool,
    /// Captures begun.
    level: usize,
    depth: u32,
    steps: i64,
    fault: Option<Fault>,
    captures: [Span; MAX_CAPTURES],
    /// The last match.
    matched: (usize, usize),
    stop: S,
}

impl<'t, S: FnMut() -> bool> Matcher<'t, S> {
    /// A matcher of `pattern` in `subject`. A `^` at the pattern's beginning anchors it.
    pub fn new(subject: &'t [u8], pattern: &'t [u8], stop: S) -> Self {
        match pattern.split_first() {
            Some((b'^', rest)) => {
                Self { anchored: true, ..Self::without_anchor(subject, rest, stop) }
            }
            _ => Self::without_anchor(subject, pattern, stop),
        }
    }

    /// The same where `^` is a character like any other, as it is for `gmatch`.
    pub fn without_anchor(subject: &'t [u8], pattern: &'t [u8], stop: S) -> Self {
        Self {
            subject,
            pattern,
            anchored: false,
            level: 0,
            depth: MAX_DEPTH,
            steps: STEPS,
            fault: None,
            captures: [Span { start: 0, length: 0 }; MAX_CAPTURES],
            matched: (0, 0),
            stop,
        }
    }

    /// Finds the first match from `start` on: in an anchored pattern, at `start`.
    ///
    /// # Errors
    /// What is wrong with the pattern, as far as it was read, or [`Fault::Stopped`].
    pub fn find(&mut self, start: usize) -> Result<Option<Range<usize>>, Fault> {
        if start > self.subject.len() {
            return Ok(None);
        }
        if self.anchored {
            return Ok(self.match_at(start)?.then_some(self.matched.0..self.matched.1));
        }
        let first = self.first_literal();
        let mut start = start;
        loop {
            if let Some(byte) = first {
                // Any other byte fails at the pattern's first item, without a look at the rest of it.
                start = self.skip_to(byte, start)?;
            }
            if self.match_at(start)? {
                return Ok(Some(self.matched.0..self.matched.1));
            }
            if start >= self.subject.len() {
                return Ok(None);
            }
            start += 1;
        }
    }

    /// Finds the next match: one that does not end where the last one did. An anchored pattern has one at most.
    ///
    /// # Errors
    /// As for [`Matcher::find`].
    pub fn next_match(&mut self, cursor: &mut Cursor) -> Result<Option<Range<usize>>, Fault> {
        let mut start = cursor.next;
        while let Some(found) = self.find(start)? {
            if found.end != cursor.last_end {
                cursor.next = if self.anchored { Cursor::NOWHERE } else { found.end };
                cursor.last_end = found.end;
                return Ok(Some(found));
            }
            start = found.start + 1;
        }
        Ok(None)
    }

    /// The number of captures of the last match.
    pub fn captures(&self) -> usize {
        self.level
    }

    /// A capture of the last match, counted from 0. Without captures the first one is the whole match.
    ///
    /// # Errors
    /// [`Fault::InvalidIndex`] when the pattern has no such capture, [`Fault::UnfinishedCapture`] when it is not closed.
    pub fn capture(&self, index: usize) -> Result<Capture<'t>, Fault> {
        let Some(capture) = self.captures[..self.level].get(index) else {
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

    /// The subject between two places.
    fn text(&self, start: usize, end: usize) -> &'t [u8] {
        self.subject.get(start..end).unwrap_or_default()
    }

    /// Whether the pattern matches at `start`.
    fn match_at(&mut self, start: usize) -> Result<bool, Fault> {
        self.level = 0;
        self.depth = MAX_DEPTH;
        match self.run(start, 0) {
            FAIL => Ok(false),
            FAULT => Err(self.fault.unwrap_or(Fault::TooComplex)),
            end => {
                self.matched = (start, end);
                Ok(true)
            }
        }
    }

    /// The byte with which every match begins, where the pattern begins with one.
    fn first_literal(&self) -> Option<u8> {
        let first = *self.pattern.first()?;
        let special = matches!(
            first,
            b'^' | b'$' | b'*' | b'+' | b'?' | b'.' | b'(' | b')' | b'[' | b'%' | b'-'
        );
        (!special && !matches!(self.p(1), b'*' | b'?' | b'-')).then_some(first)
    }

    /// The place of `byte` from `start` on, else the end.
    fn skip_to(&mut self, byte: u8, start: usize) -> Result<usize, Fault> {
        let rest = self.rest(start);
        let skipped = memchr(byte, rest).unwrap_or(rest.len());
        if self.charge(skipped >> 4) {
            return Err(Fault::Stopped);
        }
        Ok(start + skipped)
    }

    /// The pattern's byte at `at`; beyond its end there are zeros, on which the rules rely as C's do.
    #[inline]
    fn p(&self, at: usize) -> u8 {
        self.pattern.get(at).copied().unwrap_or(0)
    }

    /// The subject's byte at `at`, zero at its end.
    #[inline]
    fn s(&self, at: usize) -> u8 {
        self.subject.get(at).copied().unwrap_or(0)
    }

    /// The subject from `at` on.
    #[inline]
    fn rest(&self, at: usize) -> &'t [u8] {
        self.subject.get(at..).unwrap_or_default()
    }

    /// The item of the pattern between two places: a character or a class.
    #[inline]
    fn item(&self, p: usize, next: usize) -> &'t [u8] {
        self.pattern.get(p..next).unwrap_or_default()
    }

    fn fail(&mut self, fault: Fault) -> usize {
        self.fault = Some(fault);
        FAULT
    }

    /// Counts work that was done in one go; true when matching has to stop.
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
        while p < self.pattern.len() {
            if self.charge(1) {
                return FAULT;
            }
            match self.p(p) {
                b'(' => {
                    s = match self.p(p + 1) {
                        b')' => self.start_capture(s, p + 2, POSITION),
                        _ => self.start_capture(s, p + 1, UNFINISHED),
                    };
                    break;
                }
                b')' => {
                    s = self.end_capture(s, p + 1);
                    break;
                }
                b'$' if p + 1 == self.pattern.len() => {
                    if s != self.subject.len() {
                        s = FAIL;
                    }
                    break;
                }
                b'%' if self.p(p + 1) == b'b' => {
                    s = self.balance(s, p + 2);
                    p += 4;
                }
                b'%' if self.p(p + 1) == b'f' => (s, p) = self.frontier(s, p + 2),
                b'%' if self.p(p + 1).is_ascii_digit() => {
                    s = self.back_reference(s, self.p(p + 1));
                    p += 2;
                }
                _ => {
                    let next = self.class_end(p);
                    if next == FAULT {
                        return FAULT;
                    }
                    match self.step(s, p, next) {
                        Next::Item(at, pattern) => {
                            (s, p) = (at, pattern);
                            continue;
                        }
                        Next::Result(result) => s = result,
                    }
                    break;
                }
            }
            if s >= FAULT {
                break;
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

    /// Where the item that begins at `p` ends.
    #[inline]
    fn class_end(&mut self, p: usize) -> usize {
        match self.p(p) {
            b'%' if p + 1 == self.pattern.len() => self.fail(Fault::EndsWithEscape),
            b'%' => p + 2,
            b'[' => self.set_end(p),
            _ => p + 1,
        }
    }

    /// The same for a set.
    fn set_end(&mut self, p: usize) -> usize {
        let mut at = p + 1;
        if self.p(at) == b'^' {
            at += 1;
        }
        // The first character is a member, also when it is a bracket.
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

    /// How many bytes from `s` on are the item's.
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

    /// As many repetitions as possible, then fewer.
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

    /// As few repetitions as possible, then more.
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
        let Some(capture) = self.captures.get_mut(self.level) else {
            return self.fail(Fault::TooManyCaptures);
        };
        *capture = Span { start: s, length };
        self.level += 1;
        let result = self.run(s, p);
        if result == FAIL {
            self.level -= 1;
        }
        result
    }

    fn end_capture(&mut self, s: usize, p: usize) -> usize {
        let open = self.captures[..self.level].iter().rposition(|one| one.length == UNFINISHED);
        let Some(index) = open else { return self.fail(Fault::InvalidCapture) };
        self.captures[index].length = s - self.captures[index].start;
        let result = self.run(s, p);
        if result == FAIL {
            self.captures[index].length = UNFINISHED;
        }
        result
    }

    /// `%b`, whose two bytes stand at `p`.
    fn balance(&mut self, s: usize, p: usize) -> usize {
        let Some(&[open, close]) = self.pattern.get(p..p + 2) else {
            return self.fail(Fault::MissingBalance);
        };
        // A zero that opens may be the one at the subject's end. Nothing is left to close it.
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

    /// `%f`, whose set begins at `p`: subject and pattern afterwards.
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

    /// `%1` to `%9`: the text of an earlier capture again.
    fn back_reference(&mut self, s: usize, digit: u8) -> usize {
        let index = i32::from(digit) - i32::from(b'1');
        let known = usize::try_from(index).ok().and_then(|at| self.captures[..self.level].get(at));
        let Some(&capture) = known.filter(|capture| capture.length != UNFINISHED) else {
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

/// Where matching goes on after an item.
enum Next {
    /// At this place of the subject, with this item of the pattern.
    Item(usize, usize),
    /// Nowhere: the rest has been matched too, with this result.
    Result(usize),
}

/// Whether a byte is one of an item's.
#[inline]
fn belongs(byte: u8, item: &[u8]) -> bool {
    match *item {
        [b'.'] => true,
        [literal] => literal == byte,
        [b'%', name] => class::matches(byte, name),
        [b'[', ref members @ .., _] => in_set(byte, members),
        _ => false,
    }
}

/// What stands between the brackets of a set, without its `^`, and whether there was none.
fn without_caret(members: &[u8]) -> (&[u8], bool) {
    match members {
        [b'^', rest @ ..] => (rest, false),
        _ => (members, true),
    }
}

/// Whether a byte is in the set whose brackets have this between them.
fn in_set(byte: u8, members: &[u8]) -> bool {
    let (mut members, found) = without_caret(members);
    loop {
        let (hit, rest) = match members {
            [b'%', name, rest @ ..] => (class::matches(byte, *name), rest),
            [first, b'-', last, rest @ ..] => ((*first..=*last).contains(&byte), rest),
            [member, rest @ ..] => (*member == byte, rest),
            [] => return !found,
        };
        if hit {
            return found;
        }
        members = rest;
    }
}

/// The same set in one piece, for many bytes.
fn set_of(members: &[u8]) -> Set {
    let mut set = Set::default();
    let (mut members, found) = without_caret(members);
    loop {
        members = match members {
            [b'%', name, rest @ ..] => {
                set.add_class(*name);
                rest
            }
            [first, b'-', last, rest @ ..] => {
                set.add_range(*first, *last);
                rest
            }
            [member, rest @ ..] => {
                set.add(*member);
                rest
            }
            [] => break,
        };
    }
    if !found {
        set.invert();
    }
    set
}
