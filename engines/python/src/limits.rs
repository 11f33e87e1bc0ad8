//! Stopping what runs. An interrupt becomes an asynchronous exception in the thread that runs the guest, or ends the
//! wait of calls that wait.
//!
//! Setting the exception needs the interpreter lock, which a long C function may hold, so a thread of the process
//! does it; the one who interrupts returns at once. That thread looks again a little later: a guest that swallowed the
//! exception is interrupted anew.

use crate::interpreter;
use pyo3::{ffi, prelude::*};
use std::{
    ffi::c_long,
    sync::{Arc, Mutex, MutexGuard, OnceLock, Weak, mpsc},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// Pauses between two interrupts of the same calls. Long enough for clean-up code, which would be hit as well.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
];

/// How often the same calls are interrupted before the watchdog's last means is left to act.
const ATTEMPTS: usize = 40;

/// What one instance runs at the moment, as the interrupting thread sees it.
#[derive(Default)]
pub(crate) struct Runs {
    state: Mutex<State>,
    /// Wakes the calls that wait.
    stopped: Notify,
}

#[derive(Default)]
struct State {
    next_call: u64,
    /// Calls in flight, running or waiting.
    in_flight: Vec<u64>,
    /// The thread that runs guest code. Changes only with the interpreter lock held.
    running: Option<c_long>,
    /// Whether an exception was set for the running section.
    hit: bool,
    /// Calls up to this one must not wait any longer.
    stop_up_to: Option<u64>,
    /// How many calls ended because of an interrupt.
    ended: u64,
}

impl Runs {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Counts a call as in flight until the result is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> Call {
        let mut state = self.state();
        state.next_call += 1;
        let id = state.next_call;
        state.in_flight.push(id);
        drop(state);
        Call { runs: self.clone(), id }
    }

    /// The closure behind [`trine_engine::Interrupter`].
    pub(crate) fn interrupt(self: &Arc<Self>) {
        let state = self.state();
        if state.in_flight.is_empty() {
            return;
        }
        let request = Request {
            runs: Arc::downgrade(self),
            up_to: state.next_call,
            ended: state.ended,
            attempt: 0,
            due: Instant::now(),
        };
        drop(state);
        // The other end lives as long as the process, unless its thread could not be started.
        let _ = interrupting_thread().send(request);
    }
}

/// A call in flight.
pub(crate) struct Call {
    runs: Arc<Runs>,
    id: u64,
}

impl Call {
    /// Marks this thread as running guest code until the result is dropped, which must happen while it is still
    /// attached (the borrow of the token sees to it).
    pub(crate) fn section<'py>(&self, py: Python<'py>) -> Section<'_, 'py> {
        // SAFETY: the thread is attached; the function only reads the thread's own number.
        let thread = unsafe { ffi::PyThread_get_thread_ident() } as c_long;
        let mut state = self.runs.state();
        state.running = Some(thread);
        state.hit = false;
        Section { call: self, thread, _py: py }
    }

    /// Completes when this call must not wait any longer.
    pub(crate) async fn stopped(&self) {
        loop {
            let stopped = self.runs.stopped.notified();
            if self.runs.state().stop_up_to.is_some_and(|last| self.id <= last) {
                return;
            }
            stopped.await;
        }
    }

    /// Notes that this call ended because of an interrupt.
    pub(crate) fn ended_by_interrupt(&self) {
        self.runs.state().ended += 1;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.runs.state().in_flight.retain(|&id| id != self.id);
    }
}

/// A stretch of guest code on an attached thread.
pub(crate) struct Section<'a, 'py> {
    call: &'a Call,
    thread: c_long,
    _py: Python<'py>,
}

impl Section<'_, '_> {
    /// Whether an interrupt hit this section.
    pub(crate) fn was_hit(&self) -> bool {
        self.call.runs.state().hit
    }
}

impl Drop for Section<'_, '_> {
    fn drop(&mut self) {
        let mut state = self.call.runs.state();
        state.running = None;
        if state.hit {
            state.hit = false;
            // What was set and not yet raised must not hit whatever this thread runs next.
            // SAFETY: this thread is attached (the section holds the token); null takes an exception back.
            unsafe { ffi::PyThreadState_SetAsyncExc(self.thread as _, std::ptr::null_mut()) };
        }
    }
}

/// Calls that are to be stopped: those of an instance that were in flight at one moment.
struct Request {
    runs: Weak<Runs>,
    up_to: u64,
    ended: u64,
    attempt: usize,
    due: Instant,
}

impl Request {
    /// Interrupts once. Whether that has to be repeated later.
    fn act(&mut self) -> bool {
        let (Some(runs), Some(python)) = (self.runs.upgrade(), interpreter::get()) else {
            return false;
        };
        Python::attach(|_py| {
            let mut state = runs.state();
            let oldest = state.in_flight.first().copied().unwrap_or(u64::MAX);
            if state.ended > self.ended || oldest > self.up_to || self.attempt >= ATTEMPTS {
                return false;
            }
            match state.running {
                Some(thread) => {
                    state.hit = true;
                    // SAFETY: this thread is attached; the class is alive and the callee takes its own reference.
                    // `running` changes only under the interpreter lock, so the thread still runs that section.
                    unsafe {
                        ffi::PyThreadState_SetAsyncExc(thread as _, python.interrupted.as_ptr())
                    };
                }
                None => {
                    state.stop_up_to = Some(self.up_to);
                    drop(state);
                    runs.stopped.notify_waiters();
                }
            }
            self.due = Instant::now() + PAUSES[self.attempt.min(PAUSES.len() - 1)];
            self.attempt += 1;
            true
        })
    }
}

fn interrupting_thread() -> &'static mpsc::Sender<Request> {
    static REQUESTS: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
    REQUESTS.get_or_init(|| {
        let (sender, receiver) = mpsc::channel();
        // Without the thread nothing is interrupted and the watchdog's last means, ending the process, remains.
        let _ = thread::Builder::new()
            .name("trine-interrupt".to_owned())
            .spawn(move || serve(&receiver));
        sender
    })
}

fn serve(receiver: &mpsc::Receiver<Request>) {
    let mut pending: Vec<Request> = Vec::new();
    loop {
        let next = pending.iter().map(|request| request.due).min();
        let received = match next {
            None => receiver.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
            Some(due) => receiver.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match received {
            Ok(request) => pending.push(request),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
        pending.retain_mut(|request| request.due > Instant::now() || request.act());
    }
}
