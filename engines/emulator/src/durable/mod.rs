//! Durable functions: executions that outlast their invocations, because what they have done is kept.
//!
//! [`execution`] and its neighbours (`checkpoint`, `events`, `rules`, `pages`, `history`) are one execution without I/O;
//! `executions` are all of them, `drive` keeps one going, `api` answers the requests of functions and callers, `start`
//! those of the Invoke API.
//! Contract: AWS Lambda developer guide, durable functions; AWS Lambda API reference, the operations of 2025-12-01.

mod api;
mod checkpoint;
mod drive;
mod events;
mod execution;
mod executions;
mod history;
mod operation;
mod pages;
mod query;
mod rules;
mod start;
mod targets;
mod update;

#[cfg(test)]
mod tests;

pub(super) use api::answer;
pub(super) use executions::Executions;
pub(super) use start::run;

use serde_json::{Value, json};
use std::time::Duration;

/// The path under which the API is.
pub(super) const API: &str = "/2025-12-01/";

/// The settings of a durable function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurableOptions {
    /// The longest time that an execution may take, with all its waits.
    pub execution_timeout: Duration,
    /// How many times as fast waits and the pauses before retries pass. The time that callbacks and executions may take
    /// stays as it is.
    pub speed: u32,
}

impl Default for DurableOptions {
    fn default() -> Self {
        Self { execution_timeout: Duration::from_secs(15 * 60), speed: 1 }
    }
}

impl DurableOptions {
    /// Returns them as a `DurableConfig`.
    pub(super) fn json(&self) -> Value {
        // Lambda counts in whole seconds and days; the emulator remembers no longer than it runs.
        json!({"ExecutionTimeout": self.execution_timeout.as_secs().max(1), "RetentionPeriodInDays": 1})
    }
}
