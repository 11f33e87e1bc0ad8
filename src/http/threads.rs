//! Threads for functions that hold theirs while they run, where a language has one interpreter: several of them run
//! side by side, share their modules, and are imported on the main thread all the same.
//!
//! The main thread's worker loads a function before any of these threads does. When an instance is replaced, on
//! whichever thread, the modules are new ones, and again the main thread loads them first: until it has, the threads
//! begin nothing.

use super::{
    functions::Functions,
    handover::{Dispatcher, Inbox},
    options::ServeOptions,
};
use crate::worker::Worker;
use std::{
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
};
use tokio::sync::{Notify, mpsc};

/// The way to a group of threads.
#[derive(Clone)]
pub(super) struct Threads {
    dispatcher: Dispatcher,
    state: Arc<State>,
}

/// Everything that a thread of a group needs.
#[derive(Clone)]
pub(super) struct ThreadSeat {
    inbox: Inbox,
    state: Arc<State>,
    /// The channel that asks the main thread for [`Functions::renew`].
    renewals: mpsc::UnboundedSender<()>,
}

/// The state of a group, which all threads know.
struct State {
    /// The place where each function of the site runs, as far as that is known.
    places: Box<[AtomicU8]>,
    /// Whether the main thread has to reload before anything is run.
    stale: AtomicBool,
    renewed: Notify,
}

/// The place where a function runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Unknown, until it is loaded.
    Unknown,
    /// On the main thread, because it can wait without it.
    Main,
    /// On one of the threads.
    Threads,
}

impl Place {
    const ALL: [Self; 3] = [Self::Unknown, Self::Main, Self::Threads];
}

/// Makes a group of threads for a site with this many functions, and what each of its threads needs.
pub(super) fn group(
    functions: usize,
    (dispatcher, inbox): (Dispatcher, Inbox),
    renewals: mpsc::UnboundedSender<()>,
) -> (Threads, ThreadSeat) {
    let state = Arc::new(State {
        places: (0..functions).map(|_| AtomicU8::new(Place::Unknown as u8)).collect(),
        stale: AtomicBool::new(false),
        renewed: Notify::new(),
    });
    (Threads { dispatcher, state: state.clone() }, ThreadSeat { inbox, state, renewals })
}

impl Threads {
    /// Returns where a function runs.
    pub(super) fn place(&self, function: usize) -> Place {
        let place = self.state.places.get(function).map_or(0, |at| at.load(Ordering::Acquire));
        Place::ALL[usize::from(place).min(Place::ALL.len() - 1)]
    }

    /// Whether a function runs on one of them.
    pub(super) fn run(&self, function: usize) -> bool {
        self.place(function) == Place::Threads
    }

    /// Notes where a function runs.
    pub(super) fn put(&self, function: usize, place: Place) {
        if let Some(at) = self.state.places.get(function) {
            at.store(place as u8, Ordering::Release);
        }
    }

    /// Whether the main thread has to reload first.
    pub(super) fn is_stale(&self) -> bool {
        self.state.stale.load(Ordering::Acquire)
    }

    /// Notes that the main thread has loaded what it had to.
    pub(super) fn renewed(&self) {
        self.state.stale.store(false, Ordering::Release);
        self.state.renewed.notify_waiters();
    }

    /// Returns the dispatcher that hands invocations over to them.
    pub(super) fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }
}

impl ThreadSeat {
    /// Runs what is handed over, one invocation at a time, until nobody can hand over any more.
    pub(super) async fn work(
        self,
        worker: &Worker,
        functions: &Rc<Functions>,
        options: &ServeOptions,
    ) {
        let mut retired = false;
        while let Some(job) = self.inbox.next().await {
            if worker.retire_outdated() || retired {
                self.until_renewed().await;
                functions.refresh_all().await;
            }
            let index = job.function();
            job.run(functions, options).await;
            retired = functions.retire_worn(index);
        }
    }

    /// Has the main thread load what is new, and waits for it.
    async fn until_renewed(&self) {
        self.state.stale.store(true, Ordering::Release);
        if self.renewals.send(()).is_err() {
            // The server ends.
            return;
        }
        loop {
            let renewed = self.state.renewed.notified();
            if !self.state.stale.load(Ordering::Acquire) {
                return;
            }
            tokio::select! {
                () = renewed => {}
                () = self.renewals.closed() => return,
            }
        }
    }
}
