//! The one waker that the event loop knows: it wakes every call in flight.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use std::task::{Wake, Waker};

/// The wakers of all calls in flight.
#[derive(Default)]
pub(crate) struct Wakers {
    wakers: Mutex<Vec<(u64, Waker)>>,
    next: AtomicU64,
}

/// One call's place among them, given up on drop.
pub(crate) struct Ticket {
    wakers: Arc<Wakers>,
    id: u64,
}

impl Wakers {
    pub(crate) fn ticket(self: &Arc<Self>) -> Ticket {
        Ticket { wakers: self.clone(), id: self.next.fetch_add(1, Ordering::Relaxed) }
    }

    /// Makes a waker that wakes them all.
    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(self.clone())
    }

    pub(crate) fn wake_all(&self) {
        for (_, waker) in self.wakers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            waker.wake_by_ref();
        }
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_all();
    }
}

impl Ticket {
    /// Notes how to wake this call.
    pub(crate) fn register(&self, waker: &Waker) {
        let mut wakers = self.wakers.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        match wakers.iter_mut().find(|(id, _)| *id == self.id) {
            Some((_, known)) => known.clone_from(waker),
            None => wakers.push((self.id, waker.clone())),
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut wakers = self.wakers.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        wakers.retain(|(id, _)| *id != self.id);
    }
}
