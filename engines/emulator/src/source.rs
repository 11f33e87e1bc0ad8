//! Events that are made when they are asked for, and outcomes that are seen and dropped: what a long run needs instead
//! of lists.

use super::{
    outcome::{Event, Outcome},
    shared::lock,
};
use std::{
    fmt,
    sync::{Arc, Mutex},
};

/// A maker of events, one for each `/next` that finds none waiting. Clones share the one sequence.
#[derive(Clone)]
pub struct Source(Arc<Mutex<dyn FnMut() -> Option<Event> + Send>>);

impl Source {
    /// Makes a source of what `make` returns, until it returns `None`. `make` runs on the emulator's thread and must
    /// not wait for an outcome of this emulator.
    pub fn new(make: impl FnMut() -> Option<Event> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(make)))
    }

    /// Makes a source of `count` events that `make` creates from their numbers, counted from 0.
    pub fn counted(count: u64, mut make: impl FnMut(u64) -> Event + Send + 'static) -> Self {
        let mut numbers = 0..count;
        Self::new(move || numbers.next().map(&mut make))
    }

    pub(super) fn make(&self) -> Option<Event> {
        (*lock(&self.0))()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

/// A watcher of every outcome, in order of occurrence: answers, timeouts, events that were turned away.
#[derive(Clone)]
pub struct Observer(Arc<dyn Fn(&Outcome) + Send + Sync>);

impl Observer {
    /// Makes an observer that calls `see` on the emulator's thread, before the caller has its answer.
    pub fn new(see: impl Fn(&Outcome) + Send + Sync + 'static) -> Self {
        Self(Arc::new(see))
    }

    pub(super) fn see(&self, outcome: &Outcome) {
        (self.0)(outcome);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
