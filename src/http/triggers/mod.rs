//! Triggers: what invokes functions of a server beside requests.
//!
//! `schedule` says when a run of a `cron` trigger is due, `ticker` what that means for a clock that is looked at from time
//! to time and may jump, and `runs` is the thread that looks, with the runs that are going on. The invocations themselves
//! run where those of requests do: they are handed over to a worker.

mod event;
mod runs;
#[cfg_attr(not(feature = "cron"), path = "no_schedule.rs")]
mod schedule;
mod ticker;

pub(super) use runs::{Around, start};
pub use schedule::Schedule;

use serde_json::Value;

/// A schedule by which a function is invoked.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Its name in the log and in events.
    pub name: String,
    /// Index of its function.
    pub function: usize,
    /// The times at which it is due.
    pub schedule: Schedule,
    /// The event; `None` for that of an EventBridge schedule.
    pub input: Option<Value>,
}

/// The reason why there is no schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoSchedule {
    /// Whether the time zone is at fault; else the expression is.
    pub(super) of_zone: bool,
    /// What is wrong, in words.
    pub(super) message: String,
}
