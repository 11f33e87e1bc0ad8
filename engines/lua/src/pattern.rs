//! Lua's patterns, matched here instead of in Lua's own C library, because C code cannot be stopped: a pattern that
//! backtracks without end would hold its thread for good. The rules, limits and messages are those of Lua 5.4's
//! `lstrlib.c`, of which this is a port; what is new is the count of steps that looks for a reason to stop.
//!
//! Character classes are those of the "C" locale, whatever locale another language has set for the process.

mod class;
mod functions;
mod literal;
#[cfg(test)]
mod tests;

use class::Set;
pub(crate) use functions::FUNCTIONS;
use std::mem::MaybeUninit;

/// No match from here.
const FAIL: usize = usize::MAX;
/// Matching has ended for the reason in [`Matcher::fault`]. Like any position it counts as a result, so that it goes
/// straight through whatever would try an alternative after [`FAIL`].
const FAULT: usize = usize::MAX - 1;

/// A pattern may capture this often.
const MAX_CAPTURES: usize = 32;
/// Items that need an alternative of their own may be nested this deep.
const MAX_DEPTH: u32 = 200;
/// After so many steps, each some nanoseconds, a matcher asks whether it has to stop.
pub(super) const STEPS: i64 = 20_000;

/// Why matching has ended without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    EndsWithEscape,
    MissingBracket,
    MissingBalance,
    MissingFrontier,
    InvalidCapture,
    /// `%n` names no finished capture.
    InvalidIndex(i32),
    UnfinishedCapture,
    TooManyCaptures,
    TooComplex,
    /// The call has to end, or is warned of its deadline.
    Stopped,
}

/// Length of a capture that is not closed yet, or that is a position.
const UNFINISHED: usize = usize::MAX;
const POSITION: usize = usize::MAX - 1;

#[derive(Clone, Copy)]
struct Capture {
    start: usize,
    length: usize,
}

/// What a capture holds.
enum Captured {
    /// Bytes from here to there.
    Text(usize, usize),
    /// A position, counted from 1.
    Position(usize),
}

/// Matches one pattern against one source.
///
/// Both are given as pointers, since Lua's strings end in a NUL that the rules rely on: at the end of a pattern there is
/// one more byte to look at.
struct Matcher {
    source: *const u8,
    length: usize,
    pattern: *const u8,
    end: usize,
    /// Captures begun.
    level: usize,
    depth: u32,
    steps: i64,
    fault: Option<Fault>,
    captures: [MaybeUninit<Capture>; MAX_CAPTURES],
    /// Whether the thread has a reason to stop.
    alarmed: fn() -> bool,
}

impl Matcher {
    /// A matcher of `pattern` in `source`.
    ///
    /// # Safety
    /// Both stay where they are while the matcher is used, and each is followed by a NUL.
    unsafe fn new(source: &[u8], pattern: &[u8], alarmed: fn() -> bool) -> Self {
        Self {
            source: source.as_ptr(),
            length: source.len(),
            pattern: pattern.as_ptr(),
            end: pattern.len(),
            level: 0,
            depth: MAX_DEPTH,
            steps: STEPS,
            fault: None,
            captures: [MaybeUninit::uninit(); MAX_CAPTURES],
            alarmed,
        }
    }

    /// Where a match that begins at `start` ends.
    fn match_at(&mut self, start: usize) -> Result<Option<usize>, Fault> {
        self.level = 0;
        self.depth = MAX_DEPTH;
        match self.run(start, 0) {
            FAIL => Ok(None),
            FAULT => Err(self.fault.unwrap_or(Fault::TooComplex)),
            end => Ok(Some(end)),
        }
    }

    /// The first match from `start` on, and its end.
    fn find(&mut self, start: usize) -> Result<Option<(usize, usize)>, Fault> {
        let first = self.first_literal();
        let mut start = start;
        loop {
            if let Some(byte) = first {
                // Any other byte fails at the pattern's first item, without a look at the rest of it.
                start = self.skip_to(byte, start)?;
            }
            if let Some(end) = self.match_at(start)? {
                return Ok(Some((start, end)));
            }
            if start >= self.length {
                return Ok(None);
            }
            start += 1;
        }
    }

    /// The byte with which every match begins, where the pattern begins with one.
    fn first_literal(&self) -> Option<u8> {
        if self.end == 0 {
            return None;
        }
        let special = |byte| {
            matches!(
                byte,
                b'^' | b'$' | b'*' | b'+' | b'?' | b'.' | b'(' | b')' | b'[' | b'%' | b'-'
            )
        };
        let (first, second) = (self.p(0), self.p(1));
        (!special(first) && !matches!(second, b'*' | b'?' | b'-')).then_some(first)
    }

    /// The place of `byte` from `start` on, else the end.
    fn skip_to(&mut self, byte: u8, start: usize) -> Result<usize, Fault> {
        // SAFETY: `source` is valid for `length` bytes, and `start` is not beyond them.
        let rest =
            unsafe { std::slice::from_raw_parts(self.source.add(start), self.length - start) };
        let skipped = literal::position(rest, byte).unwrap_or(rest.len());
        if self.charge(skipped >> 4) {
            return Err(Fault::Stopped);
        }
        Ok(start + skipped)
    }

    /// The pattern's byte at `at`, which may be its end.
    fn p(&self, at: usize) -> u8 {
        debug_assert!(at <= self.end);
        // SAFETY: no caller goes beyond the end, where the NUL is: each looks one byte ahead at most, and only past a
        // byte that is not the end.
        unsafe { *self.pattern.add(at) }
    }

    /// The source's byte at `at`, which may be its end.
    fn s(&self, at: usize) -> u8 {
        debug_assert!(at <= self.length);
        // SAFETY: positions are never beyond the source's end, where the NUL is.
        unsafe { *self.source.add(at) }
    }

    fn capture(&self, index: usize) -> Capture {
        debug_assert!(index < self.level);
        // SAFETY: `start_capture` has written every capture below `level`.
        unsafe { self.captures[index].assume_init() }
    }

    fn fail(&mut self, fault: Fault) -> usize {
        self.fault = Some(fault);
        FAULT
    }

    /// Counts work that was done in one go; true when matching has to stop.
    fn charge(&mut self, work: usize) -> bool {
        self.steps -= work as i64;
        self.steps < 0 && self.stops()
    }

    #[cold]
    fn stops(&mut self) -> bool {
        self.steps = STEPS;
        if (self.alarmed)() {
            self.fault = Some(Fault::Stopped);
            return true;
        }
        false
    }

    /// Matches the pattern from `p` on against the source from `s` on; returns where the match ends.
    fn run(&mut self, mut s: usize, mut p: usize) -> usize {
        if self.depth == 0 {
            return self.fail(Fault::TooComplex);
        }
        self.depth -= 1;
        while p != self.end {
            self.steps -= 1;
            if self.steps < 0 && self.stops() {
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
                b'$' if p + 1 == self.end => {
                    if s != self.length {
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
                    match self.item(s, p, next) {
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

    /// A single character or class from `p` to `next`, and what may follow it.
    fn item(&mut self, s: usize, p: usize, next: usize) -> Next {
        let suffix = self.p(next);
        if !self.single(s, p, next) {
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
            b'+' => Next::Result(self.longest(s + 1, p, next)),
            b'*' => Next::Result(self.longest(s, p, next)),
            b'-' => Next::Result(self.shortest(s, p, next)),
            _ => Next::Item(s + 1, next),
        }
    }

    /// Where the class or character that begins at `p` ends.
    fn class_end(&mut self, p: usize) -> usize {
        match self.p(p) {
            b'%' if p + 1 == self.end => self.fail(Fault::EndsWithEscape),
            b'%' => p + 2,
            b'[' => {
                let mut at = p + 1;
                if self.p(at) == b'^' {
                    at += 1;
                }
                loop {
                    if at == self.end {
                        return self.fail(Fault::MissingBracket);
                    }
                    at += 1;
                    if self.p(at - 1) == b'%' && at < self.end {
                        at += 1;
                    }
                    if self.p(at) == b']' && at < self.end {
                        break;
                    }
                }
                if self.charge((at - p) >> 3) {
                    return FAULT;
                }
                at + 1
            }
            _ => p + 1,
        }
    }

    /// Whether the byte at `s` belongs to the class from `p` to `next`.
    fn single(&self, s: usize, p: usize, next: usize) -> bool {
        if s >= self.length {
            return false;
        }
        let byte = self.s(s);
        match self.p(p) {
            b'.' => true,
            b'%' => class::matches(byte, self.p(p + 1)),
            b'[' => self.in_brackets(byte, p, next - 1),
            literal => literal == byte,
        }
    }

    /// Whether `byte` belongs to the set whose brackets stand at `open` and `close`.
    fn in_brackets(&self, byte: u8, open: usize, close: usize) -> bool {
        let mut p = open + 1;
        let found = self.p(p) != b'^';
        if !found {
            p += 1;
        }
        while p < close {
            if self.p(p) == b'%' {
                if class::matches(byte, self.p(p + 1)) {
                    return found;
                }
                p += 2;
            } else if self.p(p + 1) == b'-' && p + 2 < close {
                if self.p(p) <= byte && byte <= self.p(p + 2) {
                    return found;
                }
                p += 3;
            } else {
                if self.p(p) == byte {
                    return found;
                }
                p += 1;
            }
        }
        !found
    }

    /// The same set in one piece, for many bytes.
    fn bracket_set(&self, open: usize, close: usize) -> Set {
        let mut set = Set::default();
        let mut p = open + 1;
        let negated = self.p(p) == b'^';
        if negated {
            p += 1;
        }
        while p < close {
            if self.p(p) == b'%' {
                set.add_class(self.p(p + 1));
                p += 2;
            } else if self.p(p + 1) == b'-' && p + 2 < close {
                set.add_range(self.p(p), self.p(p + 2));
                p += 3;
            } else {
                set.add(self.p(p));
                p += 1;
            }
        }
        if negated {
            set.invert();
        }
        set
    }

    /// How many bytes from `s` on belong to the class from `p` to `next`.
    fn span(&self, s: usize, p: usize, next: usize) -> usize {
        // SAFETY: `source` is valid for `length` bytes, and `s` is not beyond them.
        let rest = unsafe { std::slice::from_raw_parts(self.source.add(s), self.length - s) };
        let other = match self.p(p) {
            b'.' => None,
            b'%' => {
                let name = self.p(p + 1);
                rest.iter().position(|&byte| !class::matches(byte, name))
            }
            b'[' => {
                let set = self.bracket_set(p, next - 1);
                rest.iter().position(|&byte| !set.has(byte))
            }
            literal => rest.iter().position(|&byte| byte != literal),
        };
        other.unwrap_or(rest.len())
    }

    /// As many repetitions as possible, then fewer.
    fn longest(&mut self, s: usize, p: usize, next: usize) -> usize {
        let most = self.span(s, p, next);
        if self.charge((most >> 2) + ((next - p) >> 2)) {
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
    fn shortest(&mut self, mut s: usize, p: usize, next: usize) -> usize {
        loop {
            match self.run(s, next + 1) {
                FAIL if self.single(s, p, next) => s += 1,
                result => return result,
            }
            if self.charge(1 + ((next - p) >> 3)) {
                return FAULT;
            }
        }
    }

    fn start_capture(&mut self, s: usize, p: usize, length: usize) -> usize {
        if self.level >= MAX_CAPTURES {
            return self.fail(Fault::TooManyCaptures);
        }
        self.captures[self.level].write(Capture { start: s, length });
        self.level += 1;
        let result = self.run(s, p);
        if result == FAIL {
            self.level -= 1;
        }
        result
    }

    fn end_capture(&mut self, s: usize, p: usize) -> usize {
        let open = (0..self.level).rev().find(|&index| self.capture(index).length == UNFINISHED);
        let Some(index) = open else { return self.fail(Fault::InvalidCapture) };
        let start = self.capture(index).start;
        self.captures[index].write(Capture { start, length: s - start });
        let result = self.run(s, p);
        if result == FAIL {
            self.captures[index].write(Capture { start, length: UNFINISHED });
        }
        result
    }

    /// `%b`, whose two bytes stand at `p`.
    fn balance(&mut self, s: usize, p: usize) -> usize {
        if p + 1 >= self.end {
            return self.fail(Fault::MissingBalance);
        }
        let (open, close) = (self.p(p), self.p(p + 1));
        if self.s(s) != open {
            return FAIL;
        }
        let mut depth = 1;
        let mut at = s + 1;
        while at < self.length {
            let byte = self.s(at);
            at += 1;
            if byte == close {
                depth -= 1;
                if depth == 0 {
                    return if self.charge((at - s) >> 2) { FAULT } else { at };
                }
            } else if byte == open {
                depth += 1;
            }
        }
        if self.charge((at - s) >> 2) { FAULT } else { FAIL }
    }

    /// `%f`, whose set begins at `p`: source and pattern afterwards.
    fn frontier(&mut self, s: usize, p: usize) -> (usize, usize) {
        if self.p(p) != b'[' {
            return (self.fail(Fault::MissingFrontier), p);
        }
        let next = self.class_end(p);
        if next == FAULT {
            return (FAULT, p);
        }
        let before = if s == 0 { 0 } else { self.s(s - 1) };
        let here =
            !self.in_brackets(before, p, next - 1) && self.in_brackets(self.s(s), p, next - 1);
        (if here { s } else { FAIL }, next)
    }

    /// `%1` to `%9`: the text of an earlier capture again.
    fn back_reference(&mut self, s: usize, digit: u8) -> usize {
        let index = i32::from(digit) - i32::from(b'1');
        let Some(capture) = usize::try_from(index)
            .ok()
            .filter(|&index| index < self.level)
            .map(|index| self.capture(index))
            .filter(|capture| capture.length != UNFINISHED)
        else {
            return self.fail(Fault::InvalidIndex(index + 1));
        };
        // The length of a position is larger than any string.
        if self.length - s < capture.length {
            return FAIL;
        }
        if self.charge(capture.length >> 6) {
            return FAULT;
        }
        // SAFETY: both ranges lie within the source: one was matched, the other was compared with its end.
        let same = unsafe {
            std::slice::from_raw_parts(self.source.add(capture.start), capture.length)
                == std::slice::from_raw_parts(self.source.add(s), capture.length)
        };
        if same { s + capture.length } else { FAIL }
    }

    /// A capture of a match from `start` to `end`. Without captures the first one is the whole match.
    fn captured(&self, index: usize, start: usize, end: usize) -> Result<Captured, Fault> {
        if index >= self.level {
            return if index == 0 {
                Ok(Captured::Text(start, end))
            } else {
                Err(Fault::InvalidIndex(index as i32 + 1))
            };
        }
        let capture = self.capture(index);
        match capture.length {
            UNFINISHED => Err(Fault::UnfinishedCapture),
            POSITION => Ok(Captured::Position(capture.start + 1)),
            length => Ok(Captured::Text(capture.start, capture.start + length)),
        }
    }
}

/// Where matching goes on after an item.
enum Next {
    /// At this place of the source, with this item of the pattern.
    Item(usize, usize),
    /// Nowhere: the rest has been matched too, with this result.
    Result(usize),
}
