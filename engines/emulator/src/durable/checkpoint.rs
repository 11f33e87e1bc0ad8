//! Checkpoints: what a function has done, and what it has to wait for.

use super::{
    execution::{Answered, Execution, Invalid, later},
    operation::{Details, ErrorObject, Heartbeat, Kind, Operation, Status, Time, Timestamps},
    rules,
    update::{Action, Target, Update},
};
use serde_json::{Value, json};
use std::time::Duration;

/// What a checkpoint leads to.
#[derive(Debug)]
pub(super) struct Checkpointed {
    pub(super) answer: Value,
    /// The functions that are to be invoked.
    pub(super) calls: Vec<Call>,
}

/// The invocation of another function that an operation waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) operation: String,
    pub(super) target: Target,
    pub(super) input: Option<String>,
}

impl Execution {
    /// Carries out a checkpoint: all of its updates, or none. `resolve` says why a function cannot be invoked.
    ///
    /// # Errors
    /// When its token or one of its updates is not valid.
    pub(super) fn checkpoint(
        &mut self,
        token: &str,
        client_token: Option<&str>,
        updates: &[Update],
        resolve: impl Fn(&Target) -> Option<ErrorObject>,
        now: Time,
    ) -> Result<Checkpointed, Invalid> {
        let mut done = Checkpointed { answer: Value::Null, calls: Vec::new() };
        if let Some(latest) = &self.latest
            && Some(latest.client_token.as_str()) == client_token
            && latest.token == token
        {
            done.answer = latest.answer.clone();
            return Ok(done);
        }
        self.pass_time(now);
        self.check_token(token)?;
        let known = |id: &str| self.places.get(id).map(|place| &self.operations[*place]);
        rules::check(updates, known, self.start.max_output).map_err(Invalid)?;
        for update in updates {
            self.apply(update, &resolve, &mut done, now);
        }
        self.checkpoints += 1;
        let unseen = self.operations.iter().filter(|operation| operation.touched > self.seen);
        let operations: Vec<Value> =
            unseen.map(|operation| operation.json(Timestamps::Seconds)).collect();
        self.seen = self.changes;
        self.has_told = std::mem::take(&mut self.has_news);
        done.answer = json!({"NewExecutionState": {"Operations": operations}});
        // The checkpoint that ends an execution is the last one.
        if self.end.is_none() {
            done.answer["CheckpointToken"] = json!(self.token());
        }
        self.latest = client_token.map(|client_token| Answered {
            client_token: client_token.to_owned(),
            token: token.to_owned(),
            answer: done.answer.clone(),
        });
        Ok(done)
    }

    /// Carries out an update that the rules allow.
    fn apply(
        &mut self,
        update: &Update,
        resolve: impl Fn(&Target) -> Option<ErrorObject>,
        done: &mut Checkpointed,
        now: Time,
    ) {
        if update.kind == Kind::Execution {
            return match update.action {
                Action::Succeed => self.succeed(update.payload.clone(), now),
                _ => self.finish(Status::Failed, None, update.error.clone(), now),
            };
        }
        let place = match self.places.get(&update.id) {
            Some(&place) => {
                if update.action == Action::Start {
                    self.history.record(&self.operations[place], "Started", json!({}), now);
                }
                place
            }
            None => self.open(update, now),
        };
        match update.action {
            Action::Start => self.started(place, update, resolve, done, now),
            Action::Retry => self.retry(place, update, now),
            Action::Succeed => self.close(place, Status::Succeeded, update, now),
            Action::Fail => self.close(place, Status::Failed, update, now),
            Action::Cancel => {
                let details = match &update.error {
                    Some(error) => json!({"Error": {"Payload": error.json()}}),
                    None => json!({}),
                };
                self.settle(place, Status::Cancelled, details, now);
            }
        }
        self.changes += 1;
        self.operations[place].touched = self.changes;
    }

    /// Adds a new operation; returns its place.
    fn open(&mut self, update: &Update, now: Time) -> usize {
        let place = self.operations.len();
        let seconds = |seconds: Option<u64>| seconds.map(Duration::from_secs);
        let (details, told) = match update.kind {
            Kind::Execution => {
                unreachable!("the execution is the first operation, and updated apart")
            }
            Kind::Context => {
                (Details::Context { replay_children: update.replay_children }, json!({}))
            }
            Kind::Step => (Details::Step { attempt: 0, next_attempt: None }, json!({})),
            Kind::Wait => {
                let wait = update.wait.unwrap_or_default();
                let pause = self.scaled(Duration::from_secs(wait));
                let until = later(now, pause);
                let told = json!({
                    "Duration": wait,
                    "ScheduledEndTimestamp": Timestamps::Seconds.write(until),
                });
                (Details::Wait { until, seconds: wait }, told)
            }
            Kind::Callback => {
                let id = format!("{}{place:08x}", self.start.id);
                let told = json!({
                    "CallbackId": id,
                    "Timeout": update.timeout.unwrap_or_default(),
                    "HeartbeatTimeout": update.heartbeat.unwrap_or_default(),
                });
                let heartbeat = seconds(update.heartbeat)
                    .map(|every| Heartbeat { every, until: later(now, every) });
                let timeout = seconds(update.timeout).map(|timeout| later(now, timeout));
                (Details::Callback { id, timeout, heartbeat }, told)
            }
            Kind::ChainedInvoke => {
                let function = update
                    .target
                    .as_ref()
                    .map(|target| target.function.clone())
                    .unwrap_or_default();
                let told = json!({"FunctionName": function, "Input": {"Payload": update.payload}});
                (Details::ChainedInvoke { function }, told)
            }
        };
        let operation = Operation {
            id: update.id.clone(),
            parent_id: update.parent_id.clone(),
            name: update.name.clone(),
            kind: update.kind,
            sub_type: update.sub_type.clone(),
            started: now,
            ended: None,
            status: Status::Started,
            result: None,
            error: None,
            details,
            touched: self.changes,
        };
        self.history.record(&operation, "Started", told, now);
        self.places.insert(operation.id.clone(), place);
        self.operations.push(operation);
        place
    }

    /// Begins what a start asks for.
    fn started(
        &mut self,
        place: usize,
        update: &Update,
        resolve: impl Fn(&Target) -> Option<ErrorObject>,
        done: &mut Checkpointed,
        now: Time,
    ) {
        let operation = &mut self.operations[place];
        operation.status = Status::Started;
        let title = operation.title();
        match &operation.details {
            Details::Wait { until, .. } => {
                let pause = (*until - now).to_std().unwrap_or_default();
                self.note(format!("waits for {pause:?} ({title})"));
            }
            Details::Callback { id, .. } => {
                let line = format!("waits for an answer to {id} ({title})");
                self.note(line);
            }
            Details::ChainedInvoke { function } => {
                let line = format!("invokes {function} ({title})");
                self.note(line);
                let Some(target) = &update.target else { return };
                match resolve(target) {
                    Some(error) => self.fail(place, error, now),
                    None => done.calls.push(Call {
                        operation: update.id.clone(),
                        target: target.clone(),
                        input: update.payload.clone(),
                    }),
                }
            }
            _ => {}
        }
    }

    fn retry(&mut self, place: usize, update: &Update, now: Time) {
        let seconds = update.next_attempt.unwrap_or_default();
        let pause = self.scaled(Duration::from_secs(seconds));
        let operation = &mut self.operations[place];
        operation.status = Status::Pending;
        operation.result.clone_from(&update.payload);
        operation.error.clone_from(&update.error);
        let Details::Step { attempt, next_attempt } = &mut operation.details else { return };
        *attempt += 1;
        *next_attempt = Some(later(now, pause));
        let attempt = *attempt;
        let retry = json!({"CurrentAttempt": attempt, "NextAttemptDelaySeconds": seconds});
        let (what, details, why) = match &update.error {
            Some(error) => {
                let details = json!({"Error": {"Payload": error.json()}, "RetryDetails": retry});
                ("Failed", details, format!("has failed: {}", error.line()))
            }
            None => {
                let result = json!({"Payload": update.payload});
                let details = json!({"Result": result, "RetryDetails": retry});
                ("Succeeded", details, "goes on".to_owned())
            }
        };
        let line = format!(
            "tries again in {pause:?}: attempt {attempt} of the {} {why}",
            operation.title()
        );
        self.history.record(operation, what, details, now);
        self.note(line);
    }

    /// Ends a step or a context with what the function says.
    fn close(&mut self, place: usize, status: Status, update: &Update, now: Time) {
        let operation = &mut self.operations[place];
        operation.result.clone_from(&update.payload);
        operation.error.clone_from(&update.error);
        let mut details = match status {
            Status::Succeeded => json!({"Result": {"Payload": update.payload}}),
            _ => {
                json!({"Error": {"Payload": update.error.as_ref().map(ErrorObject::json)}})
            }
        };
        match &mut operation.details {
            Details::Step { attempt, next_attempt } => {
                *attempt += 1;
                *next_attempt = None;
                details["RetryDetails"] = json!({"CurrentAttempt": attempt});
                let outcome = status.name().to_ascii_lowercase();
                let why = update.error.as_ref().map(|error| format!(": {}", error.line()));
                let line =
                    format!("{}: has {outcome}{}", operation.title(), why.unwrap_or_default());
                self.note(line);
            }
            Details::Context { replay_children } => *replay_children = update.replay_children,
            _ => {}
        }
        self.settle(place, status, details, now);
    }

    /// Ends an operation for good.
    pub(super) fn settle(&mut self, place: usize, status: Status, details: Value, now: Time) {
        let operation = &mut self.operations[place];
        operation.status = status;
        operation.ended = Some(now);
        self.history.record(operation, status.title(), details, now);
    }
}
