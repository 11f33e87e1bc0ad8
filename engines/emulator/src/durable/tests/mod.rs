//! Tests of an execution without I/O: what the SDKs do, what they must not do, and what nobody would.

mod outcomes;
mod random;
mod wrong;

use super::{
    checkpoint::Checkpointed,
    execution::{Execution, Invalid, Start},
    operation::{ErrorObject, Time},
    update::{MAX_OUTPUT, Target, Update},
};
use serde_json::{Value, json};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// An execution and the clock that its service would have.
#[derive(Debug)]
struct Played {
    execution: Execution,
    now: Time,
    /// The token that the function was given last.
    token: String,
}

impl Played {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(set: impl FnOnce(&mut Start)) -> Self {
        let mut start = Start {
            arn: "arn".into(),
            id: "0123456789abcdef0123456789abcdef".into(),
            name: "name".into(),
            input: r#"{"a":1}"#.into(),
            timeout: 900 * SECOND,
            retry_delay: SECOND,
            speed: 1,
            max_output: MAX_OUTPUT,
        };
        set(&mut start);
        let now = Time::from_timestamp_millis(1_700_000_000_000).unwrap();
        Self { execution: Execution::new(start, now), now, token: String::new() }
    }

    /// Begins the invocation that is due; returns its event.
    fn invoked(&mut self) -> Value {
        let event = self.event().expect("an invocation is due");
        self.token = event["CheckpointToken"].as_str().unwrap().to_owned();
        event
    }

    fn event(&mut self) -> Option<Value> {
        let next = self.execution.advance(self.now);
        next.invoke.map(|event| serde_json::from_slice(&event).unwrap())
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    fn try_checkpoint(&mut self, updates: Value) -> Result<Checkpointed, Invalid> {
        let updates = Update::list(Some(&updates)).map_err(Invalid)?;
        let resolve = |target: &Target| {
            (target.function == "nobody").then(|| ErrorObject::new("NotFound", "no such function"))
        };
        let done = self.execution.checkpoint(&self.token, None, &updates, resolve, self.now)?;
        if let Some(token) = done.answer["CheckpointToken"].as_str() {
            self.token = token.to_owned();
        }
        Ok(done)
    }

    /// Makes a checkpoint; returns the operations that the function learns of.
    fn checkpoint(&mut self, updates: Value) -> Vec<Value> {
        let done = self.try_checkpoint(updates).unwrap();
        done.answer["NewExecutionState"]["Operations"].as_array().unwrap().clone()
    }

    fn answer(&mut self, answer: Value) {
        let answer = answer.to_string();
        self.execution.invocation_ended("request", Ok(answer.as_bytes()), self.now);
    }

    fn fail(&mut self) {
        let error = ErrorObject::new("Error", "no");
        self.execution.invocation_ended("request", Err(error), self.now);
    }

    /// Returns the state and the result of the execution.
    fn end(&self) -> Option<(&'static str, Value)> {
        let end = self.execution.end.as_ref()?;
        let error = end.error.as_ref().map(ErrorObject::json);
        Some((end.status.name(), error.unwrap_or(json!(end.result))))
    }

    fn events(&self) -> Vec<String> {
        let events = (0..self.execution.history.len())
            .filter_map(|at| self.execution.history.event(at, true));
        events.map(|event| event["EventType"].as_str().unwrap().to_owned()).collect()
    }
}

fn pending() -> Value {
    json!({"Status": "PENDING"})
}

fn update(id: &str, kind: &str, action: &str, more: &Value) -> Value {
    let mut update = json!({"Id": id, "Type": kind, "Action": action});
    update.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    update
}
