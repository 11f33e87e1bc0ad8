//! One durable execution, without I/O: its operations, its invocations, and its end.
//!
//! Whoever drives it calls [`Execution::advance`] whenever something has happened or time has passed, begins the
//! invocation that it asks for, and reports how that ended. Everything else comes from outside: checkpoints
//! (`checkpoint`), answers to callbacks and of other functions (`events`).
//! Contract: AWS Lambda developer guide, durable functions; AWS's durable execution SDKs and their testing libraries.

use super::{
    history::History,
    operation::{Details, ErrorObject, Kind, Operation, Status, Time, Timestamps},
    pages,
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::{collections::HashMap, time::Duration};

/// Number of invocations in a row that may fail before the execution does.
const MAX_FAILURES: u32 = 5;
/// The same for invocations that wait for nothing: what an SDK gets wrong in a race is right in the next replay.
const MAX_IDLE: u32 = 3;

/// The beginning of an execution.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) arn: String,
    /// 32 digits that no other execution has.
    pub(super) id: String,
    pub(super) name: String,
    /// The event, as JSON text.
    pub(super) input: String,
    pub(super) timeout: Duration,
    /// Time before the first retry of a failed invocation; the later ones wait as many times as long.
    pub(super) retry_delay: Duration,
    /// How many times as fast waits and the pauses before retries pass.
    pub(super) speed: u32,
    /// Largest result.
    pub(super) max_output: usize,
}

/// The end of an execution.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct End {
    pub(super) status: Status,
    pub(super) result: Option<String>,
    pub(super) error: Option<ErrorObject>,
    pub(super) at: Time,
}

/// What is to be done next for an execution.
#[derive(Debug, Default)]
pub(super) struct Next {
    /// The event of an invocation that is to begin now.
    pub(super) invoke: Option<Bytes>,
    /// The moment in which to ask again, if nothing happens before.
    pub(super) wake_at: Option<Time>,
    /// Whether there will be nothing to do any more.
    pub(super) is_over: bool,
}

/// A request that is turned away with an `InvalidParameterValueException`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invalid(pub(super) String);

/// A durable execution.
#[derive(Debug)]
pub(super) struct Execution {
    pub(super) start: Start,
    pub(super) begun: Time,
    /// In the order in which they were started; the first one is the execution itself.
    pub(super) operations: Vec<Operation>,
    /// Places among the operations, by ids.
    pub(super) places: HashMap<String, usize>,
    /// The number of changes so far.
    pub(super) changes: u64,
    /// The number of those of which the function knows.
    pub(super) seen: u64,
    /// The ids of operations that changed without the function since its latest invocation began.
    pub(super) updated: Vec<String>,
    /// Whether one did of which the function does not know.
    pub(super) has_news: bool,
    /// Whether the function has learned of one with the answer to its latest checkpoint.
    pub(super) has_told: bool,
    /// The number of invocations so far.
    pub(super) invocations: u32,
    /// The number of checkpoints so far.
    pub(super) checkpoints: u64,
    pub(super) latest: Option<Answered>,
    /// The beginning of the invocation under way.
    pub(super) running: Option<Time>,
    /// The moment in which the next invocation is to begin.
    due: Option<Time>,
    /// The number of invocations that have failed since one did not.
    failures: u32,
    pub(super) end: Option<End>,
    pub(super) history: History,
    notes: Vec<String>,
}

/// The latest checkpoint and its answer, for a client that sends it once more.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    pub(super) client_token: String,
    pub(super) token: String,
    pub(super) answer: Value,
}

impl Execution {
    /// Starts an execution, whose first invocation is due.
    pub(super) fn new(start: Start, now: Time) -> Self {
        let operation = Operation {
            id: start.id.clone(),
            parent_id: None,
            name: Some(start.name.clone()),
            kind: Kind::Execution,
            sub_type: None,
            started: now,
            ended: None,
            status: Status::Started,
            result: None,
            error: None,
            details: Details::Execution { input: start.input.clone() },
            touched: 1,
        };
        let mut history = History::default();
        let details = json!({
            "Input": {"Payload": start.input},
            "ExecutionTimeout": start.timeout.as_secs(),
        });
        history.record(&operation, "Started", details, now);
        Self {
            begun: now,
            places: HashMap::from([(operation.id.clone(), 0)]),
            operations: vec![operation],
            changes: 1,
            seen: 0,
            updated: Vec::new(),
            has_news: false,
            has_told: false,
            invocations: 0,
            checkpoints: 0,
            latest: None,
            running: None,
            due: Some(now),
            failures: 0,
            end: None,
            history,
            notes: vec!["has begun".to_owned()],
            start,
        }
    }

    /// Lets time pass, and returns what is to be done.
    pub(super) fn advance(&mut self, now: Time) -> Next {
        self.pass_time(now);
        if self.end.is_some() {
            return Next { is_over: self.running.is_none(), ..Next::default() };
        }
        let mut invoke = None;
        if self.running.is_none() && self.due.is_some_and(|due| due <= now) {
            invoke = Some(self.begin_invocation(now));
        }
        let due = self.due.filter(|_| self.running.is_none());
        let timers = self.operations.iter().filter_map(Operation::due);
        let wake_at = timers.chain(due).chain([self.deadline()]).min();
        Next { invoke, wake_at, is_over: false }
    }

    /// Returns the moment in which it has run for too long.
    pub(super) fn deadline(&self) -> Time {
        later(self.begun, self.start.timeout)
    }

    fn begin_invocation(&mut self, now: Time) -> Bytes {
        self.invocations += 1;
        self.checkpoints += 1;
        self.running = Some(now);
        self.due = None;
        self.latest = None;
        self.seen = self.changes;
        (self.has_news, self.has_told) = (false, false);
        let updated = std::mem::take(&mut self.updated);
        let (operations, marker) = self.operations_from(0, None, Timestamps::Milliseconds);
        let event = json!({
            "DurableExecutionArn": self.start.arn,
            "CheckpointToken": self.token(),
            "InitialExecutionState": {
                "Operations": operations,
                "NextMarker": marker.unwrap_or_default(),
            },
            "UpdatedOperationIds": updated,
        });
        event.to_string().into()
    }

    /// Returns the token of the next checkpoint.
    pub(super) fn token(&self) -> String {
        format!("{}{:08x}{:016x}", self.start.id, self.invocations, self.checkpoints)
    }

    /// Ends the invocation under way, with its answer or what it has failed with.
    pub(super) fn invocation_ended(
        &mut self,
        request_id: &str,
        answer: Result<&[u8], ErrorObject>,
        now: Time,
    ) {
        let Some(begun) = self.running.take() else { return };
        let mut details = json!({
            "StartTimestamp": Timestamps::Seconds.write(begun),
            "EndTimestamp": Timestamps::Seconds.write(now),
            "RequestId": request_id,
        });
        if let Err(error) = &answer {
            details["Error"] = json!({"Payload": error.json()});
        }
        self.history.record_invocation(details, now);
        self.pass_time(now);
        // What has ended an execution meanwhile is what counts.
        if self.end.is_some() {
            return;
        }
        match answer.map(Output::parse) {
            Err(error) => self.invocation_failed(&error, MAX_FAILURES, now),
            Ok(Ok(Output::Succeeded(result))) => self.succeed(result, now),
            Ok(Ok(Output::Failed(error))) => self.finish(Status::Failed, None, error, now),
            Ok(Ok(Output::Pending)) => self.wait(now),
            Ok(Err(why)) => {
                let error = ErrorObject::new("InvalidParameterValueException", why);
                self.finish(Status::Failed, None, Some(error), now);
            }
        }
    }

    /// Ends the execution with a result, unless that is too large for who has invoked it.
    pub(super) fn succeed(&mut self, result: Option<String>, now: Time) {
        let (size, most) = (result.as_ref().map_or(0, String::len), self.start.max_output);
        if size > most {
            let error = ErrorObject::of_message(format!(
                "Execution output payload size must be less than or equal to {most} bytes, not {size}."
            ));
            return self.finish(Status::Failed, None, Some(error), now);
        }
        self.finish(Status::Succeeded, result, None, now);
    }

    fn wait(&mut self, now: Time) {
        if self.has_news || self.has_told {
            self.failures = 0;
            self.due = Some(now);
        } else if self.operations.iter().any(Operation::is_awaited) {
            self.failures = 0;
        } else {
            let error = ErrorObject::new(
                "InvalidParameterValueException",
                "Cannot return PENDING status with no pending operations.",
            );
            self.invocation_failed(&error, MAX_IDLE, now);
        }
    }

    fn invocation_failed(&mut self, error: &ErrorObject, most: u32, now: Time) {
        self.failures += 1;
        if self.failures >= most {
            self.note(format!("gives up after {} failed invocations in a row", self.failures));
            return self.finish(Status::Failed, None, Some(error.clone()), now);
        }
        let pause = self.scaled(self.start.retry_delay * self.failures);
        self.note(format!(
            "is invoked again in {pause:?}, because its invocation has failed ({}, attempt {} of {most})",
            error.line(),
            self.failures
        ));
        self.due = Some(later(now, pause));
    }

    /// Stops the execution; returns the moment of its end.
    pub(super) fn stop(&mut self, error: Option<ErrorObject>, now: Time) -> Time {
        self.pass_time(now);
        let default = || ErrorObject::of_message("Execution stopped by user request");
        self.finish(Status::Stopped, None, Some(error.unwrap_or_else(default)), now);
        self.end.as_ref().map_or(now, |end| end.at)
    }

    /// Ends the execution, unless it has ended.
    pub(super) fn finish(
        &mut self,
        status: Status,
        result: Option<String>,
        error: Option<ErrorObject>,
        now: Time,
    ) {
        if self.end.is_some() {
            return;
        }
        let times = match self.invocations {
            1 => "1 invocation".to_owned(),
            count => format!("{count} invocations"),
        };
        let outcome = status.name().to_ascii_lowercase().replace('_', " ");
        let why = error.as_ref().map(|error| format!(": {}", error.line())).unwrap_or_default();
        self.note(format!("has {outcome} after {times}{why}"));
        self.changes += 1;
        let operation = &mut self.operations[0];
        (operation.status, operation.ended, operation.touched) = (status, Some(now), self.changes);
        let details = match (&error, status) {
            (_, Status::Succeeded) => json!({"Result": {"Payload": result}}),
            (error, _) => json!({"Error": {"Payload": error.as_ref().map(ErrorObject::json)}}),
        };
        self.history.record(operation, status.title(), details, now);
        self.end = Some(End { status, result, error, at: now });
        self.due = None;
    }

    /// Remembers that an operation has changed without the function, which is to be invoked then.
    pub(super) fn tell(&mut self, place: usize, now: Time) {
        self.changes += 1;
        self.operations[place].touched = self.changes;
        let id = &self.operations[place].id;
        if !self.updated.contains(id) {
            self.updated.push(id.clone());
        }
        self.has_news = true;
        if self.running.is_none() {
            // Not before the pause that a failure demands.
            self.due.get_or_insert(now);
        }
    }

    /// Returns a pause as long as it takes here.
    pub(super) fn scaled(&self, pause: Duration) -> Duration {
        pause / self.start.speed.max(1)
    }

    /// Remembers a line for the log.
    pub(super) fn note(&mut self, line: String) {
        self.notes.push(line);
    }

    /// Returns the lines for the log since it was last asked for them.
    pub(super) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    fn operations_from(
        &self,
        from: usize,
        most: Option<usize>,
        times: Timestamps,
    ) -> (Vec<Value>, Option<String>) {
        let (operations, next) = pages::page(&self.operations, &self.places, from, most, times);
        (operations, next.map(|next| format!("{}-{next}", self.checkpoints)))
    }

    /// Returns a page of the operations and the marker of the next one.
    ///
    /// # Errors
    /// When the token or the marker is no longer valid, or never was.
    pub(super) fn page(
        &self,
        token: &str,
        marker: Option<&str>,
        most: usize,
    ) -> Result<(Vec<Value>, Option<String>), Invalid> {
        self.check_token(token)?;
        let from = match marker {
            None => 0,
            Some(marker) => marker
                .split_once('-')
                .filter(|(checkpoints, _)| *checkpoints == self.checkpoints.to_string())
                .and_then(|(_, from)| from.parse().ok())
                .filter(|from| *from <= self.operations.len())
                .ok_or_else(|| Invalid(format!("Invalid marker: {marker:?}")))?,
        };
        Ok(self.operations_from(from, Some(most), Timestamps::Seconds))
    }

    /// Checks that a token is that of the next checkpoint of an invocation under way.
    ///
    /// # Errors
    /// When it is not; the message begins as the SDKs expect it.
    pub(super) fn check_token(&self, token: &str) -> Result<(), Invalid> {
        let why = if self.end.is_some() {
            "the execution has ended"
        } else if self.running.is_none() {
            "no invocation of the execution is under way"
        } else if token != self.token() {
            "it is not the one of the latest answer, or of another invocation"
        } else {
            return Ok(());
        };
        Err(Invalid(format!("Invalid checkpoint token: {why}")))
    }
}

/// What an invocation of a durable function answers with.
#[derive(Debug, PartialEq)]
enum Output {
    Succeeded(Option<String>),
    Failed(Option<ErrorObject>),
    Pending,
}

impl Output {
    fn parse(answer: &[u8]) -> Result<Self, String> {
        let hint = "a durable function answers with what its SDK makes of its handler's result: is the handler wrapped \
                    (withDurableExecution, @durable_execution)?";
        let output = serde_json::from_slice(answer).unwrap_or(Value::Null);
        let Value::Object(output) = output else {
            return Err(format!("Invalid invocation output: no JSON object; {hint}"));
        };
        let member = |name| output.get(name).filter(|value| !value.is_null());
        let result = match member("Result") {
            None => None,
            Some(Value::String(result)) => Some(result.clone()),
            Some(_) => return Err("Invalid invocation output: Result is a string".to_owned()),
        };
        let error = match member("Error") {
            None => None,
            Some(error) => Some(
                ErrorObject::parse(error)
                    .map_err(|why| format!("Invalid invocation output: {why}"))?,
            ),
        };
        match (member("Status").and_then(Value::as_str), result, error) {
            (Some("SUCCEEDED"), result, None) => Ok(Self::Succeeded(result)),
            (Some("SUCCEEDED"), _, Some(_)) => {
                Err("Cannot provide an Error for SUCCEEDED status.".to_owned())
            }
            (Some("FAILED"), None, error) => Ok(Self::Failed(error)),
            (Some("FAILED"), Some(_), _) => {
                Err("Cannot provide a Result for FAILED status.".to_owned())
            }
            (Some("PENDING"), ..) => Ok(Self::Pending),
            (None, ..) => Err(format!("Invalid invocation output: no Status; {hint}")),
            (Some(other), ..) => Err(format!(
                "Invalid invocation output: {other:?} is none of SUCCEEDED, FAILED, PENDING; {hint}"
            )),
        }
    }
}

/// Returns the moment that comes this much later.
pub(super) fn later(time: Time, pause: Duration) -> Time {
    let pause = chrono::TimeDelta::from_std(pause).unwrap_or(chrono::TimeDelta::MAX);
    time.checked_add_signed(pause).unwrap_or(Time::MAX_UTC)
}
