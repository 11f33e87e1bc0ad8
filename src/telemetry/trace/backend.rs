//! What takes spans and messages, behind a trait: the rest of the product knows nothing of how they are sent.

use super::TraceContext;
use serde_json::Value;
use std::{borrow::Cow, time::SystemTime};
use trine_engine::{Error, Level};

/// The attributes of a span or a message, by their names in OpenTelemetry's semantic conventions.
pub type Facts = Vec<(&'static str, Value)>;

/// What a span is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// A request that somebody waits for.
    Server,
    /// A message that nobody waits for an answer to.
    Consumer,
    /// A part of the work.
    #[default]
    Internal,
}

/// A span that begins.
#[derive(Debug, Clone, Default)]
pub struct NewSpan<'a> {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What it is of.
    pub role: Role,
    /// The span that it belongs to; without one it begins a trace.
    pub parent: Option<&'a TraceContext>,
    /// Whether the parent is a span of somebody else's.
    pub from_outside: bool,
    /// Another trace that it has to do with.
    pub link: Option<&'a TraceContext>,
    /// Its attributes, as far as they are known.
    pub facts: Facts,
    /// The time at which it began, if not now.
    pub begun: Option<SystemTime>,
}

/// A span that goes on. One that is dropped ends.
pub trait Span: Send {
    /// Returns its place in its trace.
    fn context(&self) -> TraceContext;

    /// Adds an attribute, or replaces one.
    fn set(&mut self, name: &'static str, value: Value);

    /// Gives it another name.
    fn rename(&mut self, name: String);

    /// Notes the error with which its work failed.
    fn fail(&mut self, error: &Error);

    /// Notes that its work failed where no error says how.
    fn fail_plainly(&mut self);

    /// Ends it, at this time if not now.
    fn end(&mut self, at: Option<SystemTime>);
}

/// A message of the log.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// The time at which it was written, where that is known better than now.
    pub time: Option<SystemTime>,
    /// Its severity.
    pub level: Option<Level>,
    /// What it says.
    pub body: Value,
    /// What else is known.
    pub facts: Vec<(String, Value)>,
    /// The span of the invocation that it belongs to.
    pub context: Option<&'a TraceContext>,
}

/// What takes spans and messages.
pub trait Backend: Send + Sync {
    /// Begins a span.
    fn begin(&self, new: NewSpan<'_>) -> Box<dyn Span>;

    /// Whether messages are taken.
    fn takes_records(&self) -> bool;

    /// Takes a message.
    fn record(&self, record: Record<'_>);

    /// Calls `done` when what was taken before is sent, or, unless somebody `insists`, once it is known that this takes longer.
    fn flush(&self, done: Box<dyn FnOnce() + Send>, insists: bool);

    /// Notes that somebody has waited for this in vain.
    fn was_slow(&self);

    /// Returns the numbers of spans and of messages that were dropped.
    fn dropped(&self) -> (u64, u64);
}
