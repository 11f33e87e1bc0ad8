//! Waking calls in flight: all of them when the event loop has something to do, and one whose promise another one's code
//! has settled.

use deno_runtime::deno_core::v8;
use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Wake, Waker},
};

/// The wakers of all calls in flight.
#[derive(Default)]
pub(crate) struct Wakers {
    wakers: Mutex<Vec<(u64, Waker)>>,
    next: AtomicU64,
}

/// The promises for which calls in flight wait. Code of one call may settle that of another one, which has looked at it
/// before and would not look again.
pub(crate) struct Awaited {
    wakers: Arc<Wakers>,
    promises: RefCell<Vec<Promised>>,
}

/// What one call waits for: its ticket, the slot of its invocation, and the promise.
type Promised = (u64, Option<usize>, v8::Global<v8::Promise>);

/// A call's promise among them, forgotten on drop.
pub(crate) struct Awaiting {
    awaited: Rc<Awaited>,
    id: u64,
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

    fn wake_one(&self, call: u64) {
        let wakers = self.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, waker)) = wakers.iter().find(|(id, _)| *id == call) {
            waker.wake_by_ref();
        }
    }
}

impl Awaited {
    pub(crate) fn new(wakers: Arc<Wakers>) -> Rc<Self> {
        Rc::new(Self { wakers, promises: RefCell::default() })
    }

    /// Notes the promise for which a call waits.
    pub(crate) fn add(
        self: &Rc<Self>,
        ticket: &Ticket,
        slot: Option<usize>,
        promise: v8::Global<v8::Promise>,
    ) -> Awaiting {
        self.promises.borrow_mut().push((ticket.id, slot, promise));
        Awaiting { awaited: self.clone(), id: ticket.id }
    }

    /// Whether a call of the invocation in this slot waits.
    pub(crate) fn has(&self, slot: usize) -> bool {
        self.promises.borrow().iter().any(|(_, of, _)| *of == Some(slot))
    }

    /// Returns the number of calls that wait.
    pub(crate) fn count(&self) -> usize {
        self.promises.borrow().len()
    }

    /// Wakes the calls whose promises are settled.
    pub(crate) fn wake_settled(&self, isolate: &mut v8::Isolate) {
        for (call, _, promise) in self.promises.borrow().iter() {
            if promise.open(isolate).state() != v8::PromiseState::Pending {
                self.wakers.wake_one(*call);
            }
        }
    }
}

impl Awaiting {
    /// Forgets it: its call has seen that it is settled.
    pub(crate) fn forget(&self) {
        self.awaited.promises.borrow_mut().retain(|(id, ..)| *id != self.id);
    }
}

impl Drop for Awaiting {
    fn drop(&mut self) {
        self.forget();
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
