//! The state machine's part for posts: who may answer an invocation, and how one ends.

use super::{
    super::{
        outcome::{Answer, Outcome},
        refusal::Refusal,
        violation::rule,
    },
    Breach, Delivery, Ended, InFlight, Phase, REMEMBERED, State, StreamPart,
};
use tokio::sync::mpsc;

/// The kind of post that answers an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PostKind {
    Response,
    Error,
}

/// The way in which an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// An accepted answer.
    Accepted { is_error: bool },
    /// A refused post.
    Refused,
    /// An invocation that the platform forgot; it refuses the answer with this status.
    Forgotten(u16),
    /// The time limit.
    TimedOut,
    /// The end of the runtime's process.
    Lost,
    /// The end of the caller, who was reading the answer as a stream.
    Abandoned,
}

/// The right to answer one invocation, given out once.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) attempt: u64,
    pub(crate) request_id: String,
    pub(crate) parts: Option<mpsc::Sender<StreamPart>>,
}

impl State {
    pub(super) fn find(&self, attempt: u64) -> Option<usize> {
        self.in_flight.iter().position(|running| running.delivery.attempt == attempt)
    }

    /// Ends an invocation with `answer`; returns `false` when it has already ended.
    pub(crate) fn end(&mut self, attempt: u64, answer: Answer, how: Ending) -> bool {
        let Some(at) = self.find(attempt) else { return false };
        let InFlight { delivery, started, repeat, caller, .. } = self.in_flight.swap_remove(at);
        let Delivery { event, request_id, invocation_id, .. } = delivery;
        let mut forgotten = None;
        match how {
            Ending::Accepted { is_error } => self.ledger.accepted(&request_id, is_error),
            Ending::Refused => {
                self.ledger.refused(&request_id);
                self.ledger.counts.lost += 1;
            }
            Ending::Forgotten(status) => {
                forgotten = Some(status);
                self.ledger.counts.lost += 1;
            }
            Ending::TimedOut => self.ledger.counts.timed_out += 1,
            Ending::Lost => self.ledger.counts.lost += 1,
            Ending::Abandoned => self.ledger.abandoned(&request_id),
        }
        if let Some(new_attempt) = repeat {
            self.repeat(event, &request_id, invocation_id.clone().filter(|_| !new_attempt));
        }
        if !self.is_concurrent() {
            self.phase = Phase::ResponseSent;
        }
        if self.ended.len() == REMEMBERED {
            self.ended.pop_front();
        }
        let timed_out = how == Ending::TimedOut;
        let id = request_id.clone();
        self.ended.push_back(Ended { request_id: id, invocation_id, timed_out, forgotten });
        let outcome = Outcome { request_id, duration: started.elapsed(), result: answer };
        self.finished.push((outcome, caller));
        self.pump();
        true
    }

    /// Grants the right to answer the invocation `request_id`, once.
    pub(crate) fn claim(
        &mut self,
        request_id: &str,
        invocation_id: Option<&str>,
        kind: PostKind,
        breaches: &mut Vec<Breach>,
    ) -> Result<Claim, Refusal> {
        let target = match kind {
            PostKind::Response => Phase::Responding,
            PostKind::Error => Phase::ErrorResponding,
        };
        let position = self.in_flight.iter().position(|running| {
            running.delivery.request_id == request_id
                && (invocation_id.is_none()
                    || running.delivery.invocation_id.as_deref() == invocation_id)
        });
        let Some(at) = position else {
            self.ledger.refused(request_id);
            return Err(self.refuse_post(request_id, invocation_id, target, breaches));
        };
        let running = &mut self.in_flight[at];
        if running.delivery.invocation_id.is_some() && invocation_id.is_none() {
            breaches.push((rule::INVOCATION_ID_MISSING, format!("in the post for {request_id}")));
        }
        if running.responding {
            let detail = format!("a second post for {request_id} while the first one is under way");
            breaches.push((rule::ANSWERED_TWICE, detail));
            self.ledger.refused(request_id);
            return Err(Refusal::transition(Phase::Responding, target));
        }
        running.responding = true;
        let claim = Claim {
            attempt: running.delivery.attempt,
            request_id: request_id.to_owned(),
            parts: running.caller.parts.take(),
        };
        if !self.is_concurrent() {
            self.phase = target;
        }
        Ok(claim)
    }

    /// Takes back the right to answer, as if the post had not come.
    pub(crate) fn release(&mut self, claim: Claim) {
        let Some(at) = self.find(claim.attempt) else { return };
        let running = &mut self.in_flight[at];
        running.responding = false;
        running.caller.parts = claim.parts;
        if !self.is_concurrent() {
            self.phase = Phase::Running;
        }
    }

    fn refuse_post(
        &mut self,
        request_id: &str,
        invocation_id: Option<&str>,
        target: Phase,
        breaches: &mut Vec<Breach>,
    ) -> Refusal {
        if let Some(refusal) = self.refuse_forgotten(request_id, invocation_id) {
            return refusal;
        }
        let mut attempts = self.ended.iter().rev().filter(|ended| ended.request_id == request_id);
        let is_late = |ended: &&Ended| {
            ended.timed_out
                && (invocation_id.is_none() || ended.invocation_id.as_deref() == invocation_id)
        };
        if attempts.clone().any(|ended| is_late(&ended)) {
            // Losing a race against the clock is not the client's fault.
            return Refusal::too_late();
        }
        let is_current = self.in_flight.iter().any(|run| run.delivery.request_id == request_id);
        let last = attempts.next();
        if let Some(sent) = invocation_id
            && (is_current || last.is_some_and(|last| last.invocation_id.as_deref() != Some(sent)))
        {
            let detail = format!("{sent:?} was never given for {request_id}");
            breaches.push((rule::INVOCATION_ID_INVENTED, detail));
            return Refusal::stale_invocation_id();
        }
        if last.is_none() {
            breaches.push((rule::UNKNOWN_REQUEST_ID, format!("{request_id:?}")));
            return Refusal::invalid_request_id();
        }
        breaches.push((rule::ANSWERED_TWICE, request_id.to_owned()));
        let is_latest = self.ended.back().is_some_and(|ended| ended.request_id == request_id);
        if self.phase == Phase::ResponseSent && is_latest {
            return Refusal::transition(self.phase, target);
        }
        Refusal::invalid_request_id()
    }
}
