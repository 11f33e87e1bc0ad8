//! The requests that wait for a place, counted by function, so that there are no more than may be.
//!
//! A place is one of a function's invocations in flight on its worker. A request that has to go to another thread has a
//! place there if fewer than that thread takes are on their way or running.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The requests of a server that wait.
#[derive(Debug)]
pub(super) struct Queue {
    most: usize,
    /// The number of them, by the function's position.
    waiting: Box<[AtomicUsize]>,
}

/// The answer to a request for which there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

/// What a request holds from its admission to its beginning, or to its end.
#[derive(Debug, Default)]
pub(super) struct Admission {
    waiting: Option<Waiting>,
    /// Its place on another thread.
    _taken: Option<Taken>,
}

#[derive(Debug)]
struct Waiting(Arc<Queue>, usize);

#[derive(Debug)]
struct Taken(Arc<Places>, usize);

/// The places on another thread, or on several: a counter for each function, or one for all of them.
#[derive(Debug)]
pub(super) struct Places(Box<[Counter]>);

#[derive(Debug)]
struct Counter {
    /// Number of invocations that are taken at a time.
    places: usize,
    taken: AtomicUsize,
}

impl Queue {
    /// Makes the queue of a server with this many functions.
    pub(super) fn new(functions: usize, most: Option<usize>) -> Self {
        let waiting = (0..functions).map(|_| AtomicUsize::new(0)).collect();
        Self { most: most.unwrap_or(usize::MAX), waiting }
    }

    /// Returns the number of requests to a function that wait.
    pub(super) fn waiting(&self, function: usize) -> usize {
        self.waiting.get(function).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Admits a request to a function that has a place on this thread (`is_free`), or has not.
    ///
    /// # Errors
    /// [`Full`] when as many wait as may.
    pub(super) fn admit(
        self: &Arc<Self>,
        function: usize,
        is_free: bool,
    ) -> Result<Admission, Full> {
        let waiting = if is_free { None } else { Some(self.enter(function)?) };
        Ok(Admission { waiting, _taken: None })
    }

    /// Admits a request to a function that runs on another thread.
    ///
    /// # Errors
    /// As [`Queue::admit`].
    pub(super) fn admit_to(
        self: &Arc<Self>,
        function: usize,
        places: &Arc<Places>,
    ) -> Result<Admission, Full> {
        let (taken, is_free) = places.take(function);
        Ok(Admission { _taken: Some(taken), ..self.admit(function, is_free)? })
    }

    fn enter(self: &Arc<Self>, function: usize) -> Result<Waiting, Full> {
        let Some(count) = self.waiting.get(function) else { return Err(Full) };
        let one_more = |waiting: usize| (waiting < self.most).then(|| waiting + 1);
        count
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .map(|_| Waiting(self.clone(), function))
            .map_err(|_| Full)
    }
}

impl Admission {
    /// Notes that the invocation begins.
    pub(super) fn begins(&mut self) {
        self.waiting = None;
    }
}

impl Places {
    /// Makes the places of functions by the number that each has, or those that all functions share.
    pub(super) fn new(numbers: impl IntoIterator<Item = usize>) -> Self {
        let counter = |places| Counter { places, taken: AtomicUsize::new(0) };
        Self(numbers.into_iter().map(counter).collect())
    }

    /// Takes a place for a function; the second part says whether it was free.
    fn take(self: &Arc<Self>, function: usize) -> (Taken, bool) {
        let at = function.min(self.0.len().saturating_sub(1));
        let is_free = self
            .0
            .get(at)
            .is_none_or(|counter| counter.taken.fetch_add(1, Ordering::Relaxed) < counter.places);
        (Taken(self.clone(), at), is_free)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(count) = self.0.waiting.get(self.1) {
            count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(counter) = self.0.0.get(self.1) {
            counter.taken.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_wait_as_may_for_each_function() {
        let queue = Arc::new(Queue::new(2, Some(1)));
        assert!(queue.admit(0, true).is_ok());
        let mut first = queue.admit(0, false).unwrap();
        assert_eq!((queue.waiting(0), queue.waiting(1)), (1, 0));
        assert_eq!(queue.admit(0, false).unwrap_err(), Full);
        assert!(queue.admit(1, false).is_ok());
        first.begins();
        assert_eq!(queue.waiting(0), 0);
        assert!(queue.admit(0, false).is_ok());
    }

    #[test]
    fn a_place_elsewhere_is_held_to_the_end() {
        let (queue, places) = (Arc::new(Queue::new(2, Some(0))), Arc::new(Places::new([1, 1])));
        let mut first = queue.admit_to(0, &places).unwrap();
        first.begins();
        assert_eq!(queue.admit_to(0, &places).unwrap_err(), Full);
        assert!(queue.admit_to(1, &places).is_ok());
        drop(first);
        assert!(queue.admit_to(0, &places).is_ok());
        let shared = Arc::new(Places::new([1]));
        let _first = queue.admit_to(0, &shared).unwrap();
        assert_eq!(queue.admit_to(1, &shared).unwrap_err(), Full);
    }

    #[test]
    fn without_a_limit_all_of_them_wait() {
        let queue = Arc::new(Queue::new(1, None));
        let all: Vec<Admission> = (0..1000).map(|_| queue.admit(0, false).unwrap()).collect();
        assert_eq!(queue.waiting(0), 1000);
        drop(all);
        assert_eq!(queue.waiting(0), 0);
    }
}
