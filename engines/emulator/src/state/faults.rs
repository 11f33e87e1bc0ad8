//! The state machine's part for faults: what the runtime may do after one, and what became of the affected invocation.

use super::{
    super::{
        ledger::Record,
        outcome::{Answer, Event},
        refusal::Refusal,
        violation::rule,
    },
    Breach, Caller, Ending, Queued, State,
};
use std::{sync::Arc, time::Instant};
use tokio::sync::oneshot;

/// The behaviour of the runtime's process since it started.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Number of the runtime's requests.
    requests: u64,
    /// The number of the latest request whose connection broke where it may be sent once more.
    broken: Option<u64>,
    /// The reason why the process should end without any further request.
    must_end: Option<String>,
}

impl State {
    /// Counts a request of the runtime; returns a breach when the process should have ended.
    pub(crate) fn count_request(&mut self) -> Option<Breach> {
        self.history.requests += 1;
        let reason = self.history.must_end.as_ref()?;
        Some((rule::CALL_AFTER_FATAL, format!("the process should have ended: {reason}")))
    }

    /// Records that a request got an answer after which the contract demands that the process ends.
    pub(crate) fn must_end(&mut self, reason: String) {
        // Other requests in flight may be answered a moment later than the refused one.
        if !self.is_concurrent() {
            self.history.must_end.get_or_insert(reason);
        }
    }

    /// Records that a request's connection broke. It may be sent once more on a fresh one if none of its body was sent.
    pub(crate) fn connection_broke(&mut self, what: &str, body_was_sent: bool) {
        let now = self.history.requests;
        let is_second = self.history.broken.is_some_and(|broken| broken + 1 == now);
        if body_was_sent {
            self.must_end(format!("the connection broke after {what} had sent of its body"));
        } else if is_second {
            self.must_end(format!("the connection broke twice running, the second time in {what}"));
        } else {
            self.history.broken = Some(now);
        }
    }

    /// Records that a fault spoiled the reply with this invocation: it is handed out again.
    pub(crate) fn undelivered(&mut self, request_id: &str) {
        let mut latest = self.in_flight.iter_mut().rev();
        if let Some(running) = latest.find(|running| running.delivery.request_id == request_id) {
            running.is_undelivered = true;
            self.ledger.broken(request_id);
        }
    }

    /// Hands the invocation's event out once more after its answer.
    pub(crate) fn repeat_later(&mut self, request_id: &str, new_attempt: bool) {
        let mut latest = self.in_flight.iter_mut().rev();
        if let Some(running) = latest.find(|running| running.delivery.request_id == request_id) {
            running.repeat = Some(new_attempt);
        }
    }

    /// Queues an event that was already answered, ahead of all others.
    pub(super) fn repeat(
        &mut self,
        event: Arc<Event>,
        request_id: &str,
        invocation_id: Option<String>,
    ) {
        // The caller already has an answer; nobody waits for this one.
        let (done, _) = oneshot::channel();
        self.queue.push_front(Queued {
            event,
            request_id: request_id.to_owned(),
            invocation_id,
            since: Instant::now(),
            caller: Caller { done, parts: None },
        });
    }

    /// Forgets an invocation that was just handed out.
    pub(crate) fn forget(&mut self, request_id: &str, status: u16) {
        let mut latest = self.in_flight.iter().rev();
        let Some(running) = latest.find(|running| running.delivery.request_id == request_id) else {
            return;
        };
        let answer = Answer::Platform {
            error_type: "Sandbox.Failure",
            message: format!("RequestId: {request_id} Error: the invocation was forgotten"),
        };
        self.end(running.delivery.attempt, answer, Ending::Forgotten(status));
    }

    /// Refuses the answer of a forgotten invocation, which its runtime could not know, once.
    pub(super) fn refuse_forgotten(
        &mut self,
        request_id: &str,
        invocation_id: Option<&str>,
    ) -> Option<Refusal> {
        let forgotten = self.ended.iter_mut().rev().find(|ended| {
            ended.request_id == request_id
                && ended.forgotten.is_some()
                && (invocation_id.is_none() || ended.invocation_id.as_deref() == invocation_id)
        })?;
        match forgotten.forgotten.take()? {
            410 => Some(Refusal::too_late()),
            _ => Some(Refusal::invalid_request_id()),
        }
    }

    /// Reports forgotten invocations left unanswered; they too must be answered before the next one is asked for.
    pub(super) fn look_for_unanswered(&mut self, breaches: &mut Vec<Breach>) {
        if self.is_concurrent() {
            return;
        }
        if let Some(latest) = self.ended.back_mut()
            && latest.forgotten.take().is_some()
        {
            let detail = format!("{} was never answered", latest.request_id);
            breaches.push((rule::NEXT_WHILE_RUNNING, detail));
        }
    }

    /// Returns the latest invocations, oldest first.
    pub(crate) fn records(&self) -> Vec<Record> {
        self.ledger.records().cloned().collect()
    }
}
