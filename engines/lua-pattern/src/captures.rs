//! The places of a match's captures.

/// Maximum number of captures of a pattern.
const MAX_CAPTURES: usize = 32;
/// Number of captures that most patterns do not exceed.
const FEW: usize = 4;
/// Length of a capture that is not closed yet.
pub(crate) const UNFINISHED: usize = usize::MAX;
/// Length of a capture that is a position.
pub(crate) const POSITION: usize = usize::MAX - 1;

/// The place of a capture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) length: usize,
}

const NO_SPAN: Span = Span { start: 0, length: 0 };

/// Room for the captures of a match beyond a few: the caller's, because a matcher that held it would take longer to
/// move than most matches take.
#[derive(Debug)]
pub struct Scratch(Option<[Span; MAX_CAPTURES - FEW]>);

impl Scratch {
    /// Makes room that is set up only when it is needed.
    #[inline(always)]
    pub const fn new() -> Self {
        Self(None)
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// The captures of a match.
pub(crate) struct Spans<'r> {
    few: [Span; FEW],
    more: &'r mut Scratch,
    /// Number of captures that have begun.
    pub(crate) level: usize,
}

impl<'r> Spans<'r> {
    #[inline]
    pub(crate) fn new(more: &'r mut Scratch) -> Self {
        Self { few: [NO_SPAN; FEW], more, level: 0 }
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<Span> {
        if index >= self.level {
            return None;
        }
        match index.checked_sub(FEW) {
            None => self.few.get(index).copied(),
            Some(index) => self.more.0.as_ref()?.get(index).copied(),
        }
    }

    /// Returns the last capture that is not closed yet, and where it begins.
    #[inline]
    pub(crate) fn open(&self) -> Option<(usize, usize)> {
        let mut index = self.level;
        while index > 0 {
            index -= 1;
            if let Some(Span { start, length: UNFINISHED }) = self.get(index) {
                return Some((index, start));
            }
        }
        None
    }

    /// Sets the length of a capture that has begun.
    #[inline]
    pub(crate) fn set_length(&mut self, index: usize, length: usize) {
        let span = match index.checked_sub(FEW) {
            None => self.few.get_mut(index),
            Some(index) => self.more.0.as_mut().and_then(|more| more.get_mut(index)),
        };
        if let Some(span) = span {
            span.length = length;
        }
    }

    /// Begins another capture; returns false when there are too many.
    #[inline]
    pub(crate) fn push(&mut self, span: Span) -> bool {
        let place = match self.level.checked_sub(FEW) {
            None => self.few.get_mut(self.level),
            Some(index) => self.more.0.get_or_insert([NO_SPAN; MAX_CAPTURES - FEW]).get_mut(index),
        };
        let Some(place) = place else { return false };
        *place = span;
        self.level += 1;
        true
    }
}
