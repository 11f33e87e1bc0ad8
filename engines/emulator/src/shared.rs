//! State shared by all connections of an emulator: the state machine behind its lock, and what was noticed on the way.

use super::{
    EmulatorOptions,
    console::Writer,
    directory::{Background, print},
    durable::Executions,
    fault::Plan,
    outcome::{Event, Outcome},
    server::Endpoint,
    state::{Breach, Caller, State, StreamPart},
    violation::Violation,
};
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::sync::{Notify, mpsc, oneshot, watch};

/// Maximum number of violations that are remembered: one is too many already.
const MAX_VIOLATIONS: usize = 1000;

/// One request that the emulator has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The endpoint that was asked.
    pub endpoint: Endpoint,
    /// The request's method.
    pub method: http::Method,
    /// The request's path.
    pub path: String,
    /// The status of the answer; 0 where a fault left the request without one.
    pub status: u16,
}

pub(super) struct Shared {
    pub(super) options: EmulatorOptions,
    pub(super) address: SocketAddr,
    state: Mutex<State>,
    violations: Mutex<Vec<Violation>>,
    log: Mutex<VecDeque<LogEntry>>,
    pub(super) connections: Mutex<super::checks::Tally>,
    pub(super) extensions: Mutex<Vec<super::extension_api::Extension>>,
    pub(super) polled: watch::Sender<bool>,
    pub(super) done: watch::Sender<bool>,
    pub(super) faults: Plan,
    pub(super) background: Background,
    pub(super) executions: Executions,
    outcomes: Mutex<VecDeque<Outcome>>,
    clock: Mutex<Option<Instant>>,
    wake: Notify,
}

/// Locks the mutex, also after a panic elsewhere: every change leaves the content whole.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(options: EmulatorOptions, address: SocketAddr) -> Self {
        let faults = Plan::default();
        faults.add(options.faults.iter().cloned());
        Self {
            state: Mutex::new(State::new(&options)),
            options,
            address,
            violations: Mutex::default(),
            log: Mutex::default(),
            connections: Mutex::default(),
            extensions: Mutex::default(),
            polled: watch::Sender::new(false),
            done: watch::Sender::new(false),
            faults,
            background: Background::new(),
            executions: Executions::default(),
            outcomes: Mutex::default(),
            clock: Mutex::default(),
            wake: Notify::new(),
        }
    }

    /// Changes the state. If that brought a limit closer than any before, notifies the clock.
    pub(super) fn with_state<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let (result, limit) = self.change(|state| {
            let result = change(state);
            (result, state.next_limit())
        });
        if let Some(limit) = limit {
            let mut clock = lock(&self.clock);
            if clock.is_none_or(|set| limit < set) {
                *clock = Some(limit);
                self.wake.notify_one();
            }
        }
        result
    }

    /// Changes the state, and reports outcomes once the lock is free again.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let (result, finished, is_done) = {
            let mut state = lock(&self.state);
            let result = change(&mut state);
            (result, state.take_finished(), state.is_done())
        };
        for (outcome, caller) in finished {
            self.tell(outcome, caller);
        }
        if is_done {
            self.done.send_if_modified(|done| !std::mem::replace(done, true));
        }
        result
    }

    fn tell(&self, outcome: Outcome, caller: Caller) {
        if let Some(observer) = &self.options.observer {
            observer.see(&outcome);
        }
        if self.options.outcomes_length > 0 {
            let mut outcomes = lock(&self.outcomes);
            if outcomes.len() == self.options.outcomes_length {
                outcomes.pop_front();
            }
            outcomes.push_back(outcome.clone());
        }
        // A caller that has gone away does not need an answer.
        let _ = caller.done.send(outcome);
    }

    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        lock(&self.outcomes).iter().cloned().collect()
    }

    /// Has the source make an event if none is waiting, before a poller looks for one.
    pub(super) fn refill(&self) {
        let Some(source) = &self.options.source else { return };
        if !lock(&self.state).wants_event() {
            return;
        }
        match source.make() {
            Some(event) => drop(self.submit(event, None)),
            None => self.with_state(|state| state.is_source_dry = true),
        }
    }

    /// Ends whatever passes its limit, for as long as the emulator lives.
    pub(super) async fn run_clock(&self) {
        loop {
            let limit = {
                let limit = self.change(|state| state.expire(Instant::now()));
                *lock(&self.clock) = limit;
                limit
            };
            match limit {
                Some(limit) => tokio::select! {
                    () = tokio::time::sleep_until(limit.into()) => {}
                    () = self.wake.notified() => {}
                },
                None => self.wake.notified().await,
            }
        }
    }

    /// Submits an event. The receiver gets the outcome; with `parts` the body goes there as it arrives.
    pub(super) fn submit(
        &self,
        mut event: Event,
        parts: Option<mpsc::Sender<StreamPart>>,
    ) -> (String, oneshot::Receiver<Outcome>) {
        let request_id =
            event.request_id.take().unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let (done, receiver) = oneshot::channel();
        let id = request_id.clone();
        self.with_state(|state| state.submit(event, id, Caller { done, parts }));
        (request_id, receiver)
    }

    /// Records broken rules, up to a maximum. A rule with the same detail is recorded once.
    pub(super) fn record(&self, breaches: Vec<Breach>) {
        for (rule, detail) in breaches {
            let violation = Violation { rule, detail };
            let line = format!("{violation}\n");
            let is_new = {
                let mut violations = lock(&self.violations);
                if violations.len() == MAX_VIOLATIONS || violations.contains(&violation) {
                    continue;
                }
                let is_new = violations.iter().all(|known| known.rule != rule);
                violations.push(violation);
                is_new
            };
            // What a runtime does wrong it does wrong again, and once is enough to know it.
            if is_new {
                print(&self.options, Writer::Violation, &line);
            }
        }
    }

    pub(super) fn violations(&self) -> Vec<Violation> {
        lock(&self.violations).clone()
    }

    pub(super) fn remember(&self, entry: impl FnOnce() -> LogEntry) {
        if self.options.log_length == 0 {
            return;
        }
        let mut log = lock(&self.log);
        if log.len() == self.options.log_length {
            log.pop_front();
        }
        log.push_back(entry());
    }

    pub(super) fn log(&self) -> Vec<LogEntry> {
        lock(&self.log).iter().cloned().collect()
    }
}
