//! The interpreters of a process, counted by language.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// The counts of all languages.
#[derive(Debug, Default)]
pub struct Census(Mutex<BTreeMap<&'static str, Arc<Population>>>);

/// The counts of one language.
#[derive(Debug, Default)]
struct Population {
    alive: AtomicU64,
    started: AtomicU64,
    replaced: AtomicU64,
    heap_bytes: AtomicU64,
}

/// The figures of one language at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Interpreters that there are.
    pub alive: u64,
    /// Interpreters that have been started.
    pub started: u64,
    /// Interpreters in whose place another one has been or will be started.
    pub replaced: u64,
    /// Bytes in the heaps of all of them, as they were counted last.
    pub heap_bytes: u64,
}

/// An interpreter's entry, for as long as it lives.
#[derive(Debug)]
pub struct Enrolled {
    population: Arc<Population>,
    heap_bytes: Cell<u64>,
}

impl Census {
    /// Enters an interpreter of this language.
    pub fn enroll(&self, language: &'static str) -> Enrolled {
        let population = self.all().entry(language).or_default().clone();
        population.alive.fetch_add(1, Ordering::Relaxed);
        population.started.fetch_add(1, Ordering::Relaxed);
        Enrolled { population, heap_bytes: Cell::new(0) }
    }

    /// Returns the figures of each language of which there has been an interpreter.
    pub fn figures(&self) -> Vec<(&'static str, Figures)> {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let figures = |population: &Population| Figures {
            alive: read(&population.alive),
            started: read(&population.started),
            replaced: read(&population.replaced),
            heap_bytes: read(&population.heap_bytes),
        };
        self.all().iter().map(|(language, population)| (*language, figures(population))).collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<&'static str, Arc<Population>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Enrolled {
    /// Notes the size of its heap.
    pub fn measure(&self, bytes: u64) {
        let before = self.heap_bytes.replace(bytes);
        let all = &self.population.heap_bytes;
        all.fetch_add(bytes, Ordering::Relaxed);
        all.fetch_sub(before, Ordering::Relaxed);
    }

    /// Notes that another one takes its place.
    pub fn replaced(&self) {
        self.population.replaced.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Enrolled {
    fn drop(&mut self) {
        self.measure(0);
        self.population.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_are_counted_while_they_live() {
        let census = Census::default();
        let (first, second) = (census.enroll("js"), census.enroll("js"));
        let other = census.enroll("lua");
        first.measure(100);
        first.measure(300);
        second.measure(50);
        first.replaced();
        let of =
            |alive, started, replaced, heap_bytes| Figures { alive, started, replaced, heap_bytes };
        assert_eq!(census.figures(), [("js", of(2, 2, 1, 350)), ("lua", of(1, 1, 0, 0))]);
        drop((first, other));
        assert_eq!(census.figures(), [("js", of(1, 2, 1, 50)), ("lua", of(0, 1, 0, 0))]);
    }
}
