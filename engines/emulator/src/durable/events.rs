//! What happens to operations without the function: time passes, callbacks are answered, other functions have ended.
//! Contract: AWS Lambda API reference, SendDurableExecutionCallbackSuccess, …Failure and …Heartbeat.

use super::{
    execution::{Execution, later},
    operation::{Details, ErrorObject, Operation, Status, Time},
};
use serde_json::{Value, json};

/// What somebody says about a callback.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    Success(Option<String>),
    Failure(ErrorObject),
    Heartbeat,
}

/// The reason why a callback cannot be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unanswerable {
    /// There is none.
    Unknown,
    /// Its time has passed.
    TimedOut,
    /// It has its answer.
    Answered,
    /// Nobody waits for it any more.
    Ended,
}

impl Execution {
    /// Does what is due by now.
    pub(super) fn pass_time(&mut self, now: Time) {
        if self.end.is_some() {
            return;
        }
        let deadline = self.deadline();
        // What was due before the end comes before it.
        let until = now.min(deadline);
        for place in 1..self.operations.len() {
            if self.operations[place].due().is_some_and(|due| due <= until) {
                self.come_due(place, now);
            }
        }
        if deadline <= now {
            let seconds = self.start.timeout.as_secs_f64();
            let error =
                ErrorObject::of_message(format!("Execution timed out after {seconds} seconds."));
            self.finish(Status::TimedOut, None, Some(error), now);
        }
    }

    fn come_due(&mut self, place: usize, now: Time) {
        let operation = &mut self.operations[place];
        let title = operation.title();
        match &mut operation.details {
            Details::Step { next_attempt, .. } => {
                *next_attempt = None;
                operation.status = Status::Ready;
            }
            Details::Wait { seconds, .. } => {
                let details = json!({"Duration": seconds});
                self.note(format!("goes on: the {title} is over"));
                self.settle(place, Status::Succeeded, details, now);
            }
            Details::Callback { timeout, .. } => {
                let error = match timeout.is_some_and(|timeout| timeout <= now) {
                    true => ErrorObject::new("Callback.Timeout", "Callback timed out"),
                    false => {
                        ErrorObject::new("Callback.Heartbeat", "Callback timed out on heartbeat")
                    }
                };
                let details = json!({"Error": {"Payload": error.json()}});
                operation.error = Some(error);
                self.note(format!("goes on: the {title} has timed out"));
                self.settle(place, Status::TimedOut, details, now);
            }
            _ => return,
        }
        self.tell(place, now);
    }

    /// Takes an answer to a callback, or a sign of life.
    ///
    /// # Errors
    /// When nobody waits for it.
    pub(super) fn answer(&mut self, id: &str, word: Word, now: Time) -> Result<(), Unanswerable> {
        self.pass_time(now);
        let is_it = |operation: &Operation| match &operation.details {
            Details::Callback { id: own, .. } => own == id,
            _ => false,
        };
        let place = self.operations.iter().position(is_it).ok_or(Unanswerable::Unknown)?;
        match self.operations[place].status {
            Status::Started if self.end.is_none() => {}
            Status::Started => return Err(Unanswerable::Ended),
            Status::TimedOut => return Err(Unanswerable::TimedOut),
            _ => return Err(Unanswerable::Answered),
        }
        let operation = &mut self.operations[place];
        let title = operation.title();
        match word {
            Word::Heartbeat => {
                if let Details::Callback { heartbeat: Some(heartbeat), .. } = &mut operation.details
                {
                    heartbeat.until = later(now, heartbeat.every);
                }
                return Ok(());
            }
            Word::Success(result) => {
                let details = json!({"Result": {"Payload": result}});
                operation.result = result;
                self.note(format!("goes on: the {title} has its answer"));
                self.settle(place, Status::Succeeded, details, now);
            }
            Word::Failure(error) => {
                self.note(format!("goes on: the {title} has failed: {}", error.line()));
                self.fail(place, error, now);
            }
        }
        self.tell(place, now);
        Ok(())
    }

    /// Takes the outcome of another function.
    pub(super) fn call_ended(
        &mut self,
        id: &str,
        status: Status,
        outcome: Result<Option<String>, ErrorObject>,
        now: Time,
    ) {
        self.pass_time(now);
        let Some(&place) = self.places.get(id) else { return };
        let operation = &mut self.operations[place];
        let is_call = matches!(operation.details, Details::ChainedInvoke { .. });
        if self.end.is_some() || !is_call || operation.status != Status::Started {
            return;
        }
        let title = operation.title();
        let details = match outcome {
            Ok(result) => {
                let details = json!({"Result": {"Payload": result}});
                operation.result = result;
                self.note(format!("goes on: the {title} has its result"));
                details
            }
            Err(error) => {
                let details = json!({"Error": {"Payload": error.json()}});
                self.note(format!("goes on: the {title} has failed: {}", error.line()));
                self.operations[place].error = Some(error);
                details
            }
        };
        self.settle(place, status, details, now);
        self.tell(place, now);
    }

    /// Ends an operation with an error.
    pub(super) fn fail(&mut self, place: usize, error: ErrorObject, now: Time) {
        let details: Value = json!({"Error": {"Payload": error.json()}});
        self.operations[place].error = Some(error);
        self.settle(place, Status::Failed, details, now);
    }
}
