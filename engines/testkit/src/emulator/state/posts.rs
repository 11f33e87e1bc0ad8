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

/// Which kind of post answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator) enum PostKind {
    Response,
    Error,
}

/// The right to answer one invocation, given out once.
#[derive(Debug)]
pub(in crate::emulator) struct Claim {
    pub(in crate::emulator) attempt: u64,
    pub(in crate::emulator) parts: Option<mpsc::Sender<StreamPart>>,
}

impl State {
    pub(super) fn find(&self, attempt: u64) -> Option<usize> {
        self.in_flight.iter().position(|running| running.delivery.attempt == attempt)
    }

    /// Ends an invocation with `answer`; `false` when it has ended before.
    pub(in crate::emulator) fn end(&mut self, attempt: u64, answer: Answer) -> bool {
        let Some(at) = self.find(attempt) else { return false };
        let InFlight { delivery, started, caller, .. } = self.in_flight.swap_remove(at);
        let Delivery { request_id, invocation_id, .. } = delivery;
        if !self.is_concurrent() {
            self.phase = Phase::ResponseSent;
        }
        if self.ended.len() == REMEMBERED {
            self.ended.pop_front();
        }
        let timed_out = matches!(answer, Answer::Timeout { .. });
        self.ended.push_back(Ended { request_id: request_id.clone(), invocation_id, timed_out });
        let outcome = Outcome { request_id, duration: started.elapsed(), result: answer };
        // A caller that has gone away needs no answer.
        let _ = caller.done.send(outcome);
        self.pump();
        true
    }

    /// Gives out the right to answer the invocation `request_id`, once.
    pub(in crate::emulator) fn claim(
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
            return Err(self.refuse_post(request_id, invocation_id, target, breaches));
        };
        let running = &mut self.in_flight[at];
        if running.delivery.invocation_id.is_some() && invocation_id.is_none() {
            breaches.push((rule::INVOCATION_ID_MISSING, format!("in the post for {request_id}")));
        }
        if running.responding {
            let detail = format!("a second post for {request_id} while the first one is under way");
            breaches.push((rule::ANSWERED_TWICE, detail));
            return Err(Refusal::transition(Phase::Responding, target));
        }
        running.responding = true;
        let claim = Claim { attempt: running.delivery.attempt, parts: running.caller.parts.take() };
        if !self.is_concurrent() {
            self.phase = target;
        }
        Ok(claim)
    }

    fn refuse_post(
        &self,
        request_id: &str,
        invocation_id: Option<&str>,
        target: Phase,
        breaches: &mut Vec<Breach>,
    ) -> Refusal {
        let mut attempts = self.ended.iter().rev().filter(|ended| ended.request_id == request_id);
        let is_late = |ended: &&Ended| {
            ended.timed_out
                && (invocation_id.is_none() || ended.invocation_id.as_deref() == invocation_id)
        };
        if attempts.clone().any(|ended| is_late(&ended)) {
            // Losing a race against the clock is no fault of the client's.
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
