//! The platform's side of the Runtime API as a state machine: what waits, what is in flight, what has ended. No I/O.
//! Contract: `Started → Ready → Running → Responding → ResponseSent → Ready`, as Lambda's on-demand platform has it.

mod faults;
mod posts;

pub(super) use posts::{Claim, Ending, PostKind};

use super::{
    EmulatorOptions,
    ledger::Ledger,
    outcome::{Answer, Event, InitFailure, Outcome},
    refusal::Refusal,
    violation::rule,
};
use bytes::Bytes;
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{mpsc, oneshot};

/// Number of ended invocations that are remembered, to tell a second answer from a wrong id.
const REMEMBERED: usize = 256;

/// What the runtime is doing, by the names that the platform's messages use. Where several invocations are in flight,
/// the runtime as a whole stays `Ready` and each invocation has its own state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Started,
    RestoreReady,
    Restoring,
    Ready,
    Running,
    Responding,
    ErrorResponding,
    ResponseSent,
    InitError,
}

impl Phase {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Started => "Started",
            Self::RestoreReady => "RestoreReady",
            Self::Restoring => "Restoring",
            Self::Ready => "Ready",
            Self::Running => "Running",
            Self::Responding => "InvocationResponse",
            Self::ErrorResponding => "InvocationErrorResponse",
            Self::ResponseSent => "RuntimeResponseSentState",
            Self::InitError => "InitError",
        }
    }
}

/// Piece of an answer on its way to a caller that reads it as it arrives.
#[derive(Debug)]
pub(super) enum StreamPart {
    Head { content_type: Option<String> },
    Chunk(Bytes),
}

/// Someone who waits for an answer.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) done: oneshot::Sender<Outcome>,
    pub(super) parts: Option<mpsc::Sender<StreamPart>>,
}

/// An event that waits for a poller.
#[derive(Debug)]
struct Queued {
    event: Arc<Event>,
    request_id: String,
    /// The attempt that it is handed out as once more; a new one when `None`.
    invocation_id: Option<String>,
    since: Instant,
    caller: Caller,
}

/// An event as `/next` hands it out.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) event: Arc<Event>,
    pub(super) request_id: String,
    pub(super) invocation_id: Option<String>,
    pub(super) deadline_ms: u128,
    attempt: u64,
}

/// An invocation that the runtime has.
#[derive(Debug)]
struct InFlight {
    delivery: Delivery,
    started: Instant,
    responding: bool,
    /// Whether a fault kept the event from arriving: the next `/next` may have it again.
    is_undelivered: bool,
    /// Whether a fault hands the event out once more after its answer, and if so, whether as a new attempt.
    repeat: Option<bool>,
    caller: Caller,
}

#[derive(Debug)]
struct Ended {
    request_id: String,
    invocation_id: Option<String>,
    timed_out: bool,
    /// The status that refuses its answer, where a fault made the platform forget the invocation.
    forgotten: Option<u16>,
}

/// The next step of a `/next` request.
#[derive(Debug)]
pub(super) enum Next {
    Deliver(Box<Delivery>),
    Wait(oneshot::Receiver<Box<Delivery>>),
}

/// A broken rule, before it is recorded.
pub(super) type Breach = (&'static str, String);

#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: Phase,
    since: Instant,
    concurrency: usize,
    timeout: Duration,
    init_timeout: Duration,
    queue_length: usize,
    with_invocation_id: bool,
    queue: VecDeque<Queued>,
    waiters: VecDeque<oneshot::Sender<Box<Delivery>>>,
    restore: Option<oneshot::Sender<()>>,
    in_flight: Vec<InFlight>,
    ended: VecDeque<Ended>,
    pub(super) init_failure: Option<InitFailure>,
    attempts: u64,
    pub(super) ledger: Ledger,
    /// Outcomes not yet reported to their callers and the observer, which happens outside of the lock.
    finished: Vec<(Outcome, Caller)>,
    /// Whether the source has no more events.
    pub(super) is_source_dry: bool,
    history: faults::History,
}

impl State {
    pub(super) fn new(options: &EmulatorOptions) -> Self {
        Self {
            phase: Phase::Started,
            since: Instant::now(),
            concurrency: options.concurrency.max(1),
            timeout: options.timeout,
            init_timeout: options.init_timeout,
            queue_length: options.queue_length,
            with_invocation_id: options.invocation_id_header,
            queue: VecDeque::new(),
            waiters: VecDeque::new(),
            restore: None,
            in_flight: Vec::new(),
            ended: VecDeque::new(),
            init_failure: None,
            attempts: 0,
            ledger: Ledger::new(options.records_length),
            finished: Vec::new(),
            is_source_dry: false,
            history: faults::History::default(),
        }
    }

    fn is_concurrent(&self) -> bool {
        self.concurrency > 1
    }

    /// Accepts an event: hands it to a waiting poller, queues it, or answers at once.
    pub(super) fn submit(&mut self, event: Event, request_id: String, caller: Caller) {
        let is_full = self.queue.len() >= self.queue_length && !self.can_dispatch();
        let refused = match &self.init_failure {
            Some(failure) => Some(Answer::InitError(failure.clone())),
            None => is_full.then_some(Answer::Throttled),
        };
        let since = Instant::now();
        let event = Arc::new(event);
        let queued = Queued { event, request_id, invocation_id: None, since, caller };
        if let Some(answer) = refused {
            self.turn_away(queued, answer);
            return;
        }
        self.queue.push_back(queued);
        self.restore();
        self.pump();
    }

    /// Returns what a `/next` gets. Breaches are added to `breaches`.
    pub(super) fn next(&mut self, breaches: &mut Vec<Breach>) -> Result<Next, Refusal> {
        match self.phase {
            Phase::InitError => return Err(Refusal::transition(self.phase, Phase::Ready)),
            Phase::Responding | Phase::ErrorResponding => {
                breaches.push((
                    rule::NEXT_WHILE_RUNNING,
                    format!("/next in state {}", self.phase.name()),
                ));
                return Err(Refusal::transition(self.phase, Phase::Ready));
            }
            Phase::Running => {
                if let Some(current) = self.in_flight.first()
                    && !current.is_undelivered
                {
                    let id = &current.delivery.request_id;
                    let detail = format!("{id} is not answered yet; it is handed out again");
                    breaches.push((rule::NEXT_WHILE_RUNNING, detail));
                    self.ledger.rendered_again(id);
                    return Ok(Next::Deliver(Box::new(current.delivery.clone())));
                }
            }
            _ => {}
        }
        if let Some(again) = self.in_flight.iter_mut().find(|running| running.is_undelivered) {
            again.is_undelivered = false;
            self.ledger.rendered_again(&again.delivery.request_id);
            return Ok(Next::Deliver(Box::new(again.delivery.clone())));
        }
        self.look_for_unanswered(breaches);
        self.waiters.retain(|waiter| !waiter.is_closed());
        let busy = self.waiters.len() + self.in_flight.len();
        if busy >= self.concurrency {
            let detail = format!(
                "one more /next while {} wait and {} invocations are in flight, of {} allowed",
                self.waiters.len(),
                self.in_flight.len(),
                self.concurrency
            );
            breaches.push((rule::TOO_MANY_POLLERS, detail));
        }
        self.phase = Phase::Ready;
        // A process that polls has started, whatever an earlier one reported.
        self.init_failure = None;
        if self.in_flight.len() < self.concurrency
            && let Some(queued) = self.queue.pop_front()
        {
            return Ok(Next::Deliver(self.dispatch(queued)));
        }
        let (sender, receiver) = oneshot::channel();
        self.waiters.push_back(sender);
        Ok(Next::Wait(receiver))
    }

    /// Takes back an event whose poller went away before it could get it.
    pub(super) fn take_back(&mut self, delivery: Delivery) {
        let Some(at) = self.find(delivery.attempt) else { return };
        let InFlight { caller, .. } = self.in_flight.remove(at);
        let Delivery { event, request_id, .. } = delivery;
        self.ledger.take_back(&request_id);
        let (invocation_id, since) = (None, Instant::now());
        self.queue.push_front(Queued { event, request_id, invocation_id, since, caller });
        if self.in_flight.is_empty() && self.phase == Phase::Running {
            self.phase = Phase::Ready;
        }
        self.pump();
    }

    /// Ends the wait of `/restore/next`: the first event has arrived or `restore` was called.
    pub(super) fn restore(&mut self) {
        if self.phase == Phase::RestoreReady
            && let Some(waiting) = self.restore.take()
            && waiting.send(()).is_ok()
        {
            self.phase = Phase::Restoring;
        }
    }

    /// Returns what a `/restore/next` gets: something to wait for.
    pub(super) fn restore_next(&mut self) -> Result<oneshot::Receiver<()>, Refusal> {
        if self.phase != Phase::Started {
            return Err(Refusal::transition(self.phase, Phase::RestoreReady));
        }
        let (sender, receiver) = oneshot::channel();
        self.phase = Phase::RestoreReady;
        self.restore = Some(sender);
        if !self.queue.is_empty() {
            self.restore();
        }
        Ok(receiver)
    }

    /// Hands queued events to waiting pollers.
    pub(super) fn pump(&mut self) {
        while self.can_dispatch()
            && let Some(queued) = self.queue.pop_front()
        {
            let Some(waiter) = self.waiters.pop_front() else {
                self.queue.push_front(queued);
                return;
            };
            let delivery = self.dispatch(queued);
            if let Err(delivery) = waiter.send(delivery) {
                self.take_back(*delivery);
            }
        }
    }

    fn can_dispatch(&mut self) -> bool {
        while self.waiters.front().is_some_and(oneshot::Sender::is_closed) {
            self.waiters.pop_front();
        }
        !self.waiters.is_empty() && self.in_flight.len() < self.concurrency
    }

    fn dispatch(&mut self, queued: Queued) -> Box<Delivery> {
        let Queued { event, request_id, invocation_id, caller, .. } = queued;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.attempts += 1;
        self.ledger.attempt(&request_id);
        let new_id = || uuid::Uuid::new_v4().to_string();
        let delivery = Delivery {
            event,
            request_id,
            invocation_id: invocation_id.or_else(|| self.with_invocation_id.then(new_id)),
            deadline_ms: (now + self.timeout).as_millis(),
            attempt: self.attempts,
        };
        let handed_out = Box::new(delivery.clone());
        let started = Instant::now();
        self.in_flight.push(InFlight {
            delivery,
            started,
            responding: false,
            is_undelivered: false,
            repeat: None,
            caller,
        });
        if !self.is_concurrent() {
            self.phase = Phase::Running;
        }
        handed_out
    }

    /// Records that the runtime could not start or be restored: fails all waiting callers and all later ones.
    pub(super) fn fail_init(&mut self, failure: InitFailure) {
        self.phase = Phase::InitError;
        for queued in std::mem::take(&mut self.queue) {
            self.turn_away(queued, Answer::InitError(failure.clone()));
        }
        self.init_failure = Some(failure);
    }

    /// Records that the runtime's process has ended. What was in flight fails with `text`; so does what waits, if the
    /// process never asked for an event.
    pub(super) fn runtime_exited(&mut self, text: &str) {
        let answer = |request_id: &str| Answer::Platform {
            error_type: "Runtime.ExitError",
            message: format!("RequestId: {request_id} Error: {text}"),
        };
        let never_polled = self.is_starting() || self.phase == Phase::InitError;
        self.waiters.clear();
        self.restore = None;
        let given_up = if never_polled { std::mem::take(&mut self.queue) } else { VecDeque::new() };
        for queued in given_up {
            let answer = answer(&queued.request_id);
            self.turn_away(queued, answer);
        }
        while let Some(running) = self.in_flight.first() {
            let answer = answer(&running.delivery.request_id);
            self.end(running.delivery.attempt, answer, Ending::Lost);
        }
        self.history = faults::History::default();
        self.phase = Phase::Started;
        self.since = Instant::now();
    }

    /// Whether the runtime has yet to ask for its first event.
    fn is_starting(&self) -> bool {
        matches!(self.phase, Phase::Started | Phase::RestoreReady | Phase::Restoring)
    }

    /// Ends what has passed its limit and returns when to look again.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Instant> {
        while let Some(late) =
            self.in_flight.iter().find(|running| running.started + self.timeout <= now)
        {
            let answer = Answer::Timeout { after: self.timeout };
            self.end(late.delivery.attempt, answer, Ending::TimedOut);
        }
        if self.is_starting() {
            while let Some(queued) = self.queue.pop_front() {
                if queued.since.max(self.since) + self.init_timeout > now {
                    self.queue.push_front(queued);
                    break;
                }
                self.turn_away(queued, Answer::Timeout { after: self.init_timeout });
            }
        }
        self.next_limit()
    }

    /// Returns the moment of the next limit, if there is one.
    pub(super) fn next_limit(&self) -> Option<Instant> {
        let running = self.in_flight.iter().map(|running| running.started + self.timeout).min();
        let queued = match self.queue.front() {
            Some(queued) if self.is_starting() => {
                Some(queued.since.max(self.since) + self.init_timeout)
            }
            _ => None,
        };
        running.into_iter().chain(queued).min()
    }

    /// Answers an event that was never handed out.
    fn turn_away(&mut self, queued: Queued, result: Answer) {
        let Queued { request_id, caller, .. } = queued;
        self.finished.push((Outcome { request_id, duration: Duration::ZERO, result }, caller));
    }

    /// Takes the outcomes that have not been reported yet.
    pub(super) fn take_finished(&mut self) -> Vec<(Outcome, Caller)> {
        std::mem::take(&mut self.finished)
    }

    /// Whether a poller would wait although a source might have an event for it.
    pub(super) fn wants_event(&self) -> bool {
        !self.is_source_dry && self.queue.is_empty() && self.phase != Phase::InitError
    }

    /// Whether the source has no more events and none of them is under way.
    pub(super) fn is_done(&self) -> bool {
        self.is_source_dry && self.queue.is_empty() && self.in_flight.is_empty()
    }
}
