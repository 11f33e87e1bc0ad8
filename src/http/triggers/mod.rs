//! Triggers: what invokes functions of a server beside requests.
//!
//! `thread` is the thread on which they all are. Those of the kind `cron` go by the `clock`: `schedule` says when a run is
//! due, `ticker` what that means for a clock that is looked at from time to time and may jump. The others take messages
//! from `brokers`. The invocations themselves run where those of requests do: `calls` hands them over to a worker. `counts`
//! are their metrics.

#[cfg_attr(not(any(feature = "mqtt", feature = "nats", feature = "sqs")), path = "no_brokers.rs")]
mod brokers;
mod calls;
mod clock;
mod counts;
mod event;
#[cfg_attr(not(feature = "cron"), path = "no_schedule.rs")]
mod schedule;
mod source;
mod thread;
mod ticker;

pub(super) use calls::Around;
pub(super) use counts::{Families, TriggerCounts};
pub use schedule::Schedule;
pub use source::{
    Address, Clock, Delivery, Login, MqttSource, NatsLogin, NatsSource, Secret, Source, SqsSource,
};
pub(super) use thread::start;

/// What invokes a function beside requests.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Its name in the log and in events.
    pub name: String,
    /// Index of its function.
    pub function: usize,
    /// Where its runs come from.
    pub source: Source,
}

/// The reason why there is no schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoSchedule {
    /// Whether the time zone is at fault; else the expression is.
    pub(super) of_zone: bool,
    /// What is wrong, in words.
    pub(super) message: String,
}
