//! The operations of a durable execution: their types, their states, and how they read on the wire.
//! Contract: AWS Lambda API reference, Operation and ErrorObject.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A moment, with the precision of milliseconds that the wire has.
pub(super) type Time = DateTime<Utc>;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Execution,
    Context,
    Step,
    Wait,
    Callback,
    ChainedInvoke,
}

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::Execution,
        Self::Context,
        Self::Step,
        Self::Wait,
        Self::Callback,
        Self::ChainedInvoke,
    ];

    /// Returns its name on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Execution => "EXECUTION",
            Self::Context => "CONTEXT",
            Self::Step => "STEP",
            Self::Wait => "WAIT",
            Self::Callback => "CALLBACK",
            Self::ChainedInvoke => "CHAINED_INVOKE",
        }
    }

    /// Returns the name that members and events of the wire begin with.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Execution => "Execution",
            Self::Context => "Context",
            Self::Step => "Step",
            Self::Wait => "Wait",
            Self::Callback => "Callback",
            Self::ChainedInvoke => "ChainedInvoke",
        }
    }
}

/// How far an operation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Started,
    /// A step that waits for its next attempt.
    Pending,
    /// A step whose next attempt may begin.
    Ready,
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
    Stopped,
}

impl Status {
    /// Returns its name on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Pending => "PENDING",
            Self::Ready => "READY",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::TimedOut => "TIMED_OUT",
            Self::Stopped => "STOPPED",
        }
    }

    /// Returns what the names of events end with.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Started => "Started",
            Self::Pending => "Pending",
            Self::Ready => "Ready",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::TimedOut => "TimedOut",
            Self::Stopped => "Stopped",
        }
    }

    /// Whether nothing changes it any more.
    pub(super) fn is_final(self) -> bool {
        !matches!(self, Self::Started | Self::Pending | Self::Ready)
    }
}

/// An error as the API passes it on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ErrorObject(Map<String, Value>);

impl ErrorObject {
    pub(super) fn new(kind: &str, message: impl Into<String>) -> Self {
        let mut object = Self::of_message(message);
        object.0.insert("ErrorType".to_owned(), kind.into());
        object
    }

    pub(super) fn of_message(message: impl Into<String>) -> Self {
        Self(Map::from_iter([("ErrorMessage".to_owned(), Value::String(message.into()))]))
    }

    /// Reads one; members that are `null` count as absent.
    ///
    /// # Errors
    /// When it is no object, or one of its members has the wrong type.
    pub(super) fn parse(value: &Value) -> Result<Self, String> {
        let object = value.as_object().ok_or("an Error is an object")?;
        let mut known = Map::new();
        for name in ["ErrorMessage", "ErrorType", "ErrorData"] {
            match object.get(name) {
                None | Some(Value::Null) => {}
                Some(text @ Value::String(_)) => {
                    known.insert(name.to_owned(), text.clone());
                }
                Some(other) => {
                    return Err(format!("the {name} of an Error is a string, not {other}"));
                }
            }
        }
        match object.get("StackTrace") {
            None | Some(Value::Null) => {}
            Some(Value::Array(lines)) if lines.iter().all(Value::is_string) => {
                known.insert("StackTrace".to_owned(), Value::Array(lines.clone()));
            }
            Some(_) => return Err("the StackTrace of an Error is a list of strings".to_owned()),
        }
        Ok(Self(known))
    }

    /// Reads the document that an invocation has failed with.
    pub(super) fn of_document(document: &[u8]) -> Self {
        let Ok(Value::Object(document)) = serde_json::from_slice(document) else {
            return Self::of_message(String::from_utf8_lossy(document));
        };
        let mut known = Map::new();
        for (name, member) in [
            ("ErrorMessage", "errorMessage"),
            ("ErrorType", "errorType"),
            ("ErrorData", "errorData"),
        ] {
            if let Some(text @ Value::String(_)) = document.get(member) {
                known.insert(name.to_owned(), text.clone());
            }
        }
        if let Some(Value::Array(lines)) = document.get("stackTrace").or(document.get("trace")) {
            let lines = lines.iter().filter(|line| line.is_string()).cloned().collect();
            known.insert("StackTrace".to_owned(), Value::Array(lines));
        }
        Self(known)
    }

    pub(super) fn json(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// Returns it as the document of a failed invocation.
    pub(super) fn document(&self) -> Value {
        let mut document = Map::new();
        for (name, member) in [
            ("ErrorType", "errorType"),
            ("ErrorMessage", "errorMessage"),
            ("ErrorData", "errorData"),
            ("StackTrace", "stackTrace"),
        ] {
            if let Some(value) = self.0.get(name) {
                document.insert(member.to_owned(), value.clone());
            }
        }
        Value::Object(document)
    }

    /// Returns it in one line for people.
    pub(super) fn line(&self) -> String {
        let text = |name| self.0.get(name).and_then(Value::as_str).unwrap_or_default();
        let first = text("ErrorMessage").lines().next().unwrap_or_default();
        match (text("ErrorType"), first) {
            ("", "") => "an error without a message".to_owned(),
            ("", message) => message.to_owned(),
            (kind, "") => kind.to_owned(),
            (kind, message) => format!("{kind}: {message}"),
        }
    }
}

/// The form in which moments are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timestamps {
    /// Milliseconds, as in events.
    Milliseconds,
    /// Seconds with a fraction, as in answers of the API.
    Seconds,
}

impl Timestamps {
    pub(super) fn write(self, time: Time) -> Value {
        let milliseconds = time.timestamp_millis();
        match self {
            Self::Milliseconds => json!(milliseconds),
            Self::Seconds => json!(milliseconds as f64 / 1000.0),
        }
    }
}

/// What an operation of each type knows beside its result and error.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Details {
    Execution { input: String },
    Context { replay_children: bool },
    Step { attempt: u64, next_attempt: Option<Time> },
    Wait { until: Time, seconds: u64 },
    Callback { id: String, timeout: Option<Time>, heartbeat: Option<Heartbeat> },
    ChainedInvoke { function: String },
}

/// The signs of life that a callback needs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Heartbeat {
    /// The longest time between two of them.
    pub(super) every: Duration,
    /// The moment in which the next one is overdue.
    pub(super) until: Time,
}

/// An operation of a durable execution.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) parent_id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) kind: Kind,
    pub(super) sub_type: Option<String>,
    pub(super) started: Time,
    pub(super) ended: Option<Time>,
    pub(super) status: Status,
    pub(super) result: Option<String>,
    pub(super) error: Option<ErrorObject>,
    pub(super) details: Details,
    /// The number of the latest change.
    pub(super) touched: u64,
}

impl Operation {
    /// Returns the moment in which the service changes it by itself.
    pub(super) fn due(&self) -> Option<Time> {
        match (&self.details, self.status) {
            (Details::Step { next_attempt, .. }, Status::Pending) => *next_attempt,
            (Details::Wait { until, .. }, Status::Started) => Some(*until),
            (Details::Callback { timeout, heartbeat, .. }, Status::Started) => {
                let heartbeat = heartbeat.as_ref().map(|heartbeat| heartbeat.until);
                timeout.iter().copied().chain(heartbeat).min()
            }
            _ => None,
        }
    }

    /// Whether something outside of the function will change it.
    pub(super) fn is_awaited(&self) -> bool {
        match self.kind {
            Kind::Step => self.status == Status::Pending,
            Kind::Wait | Kind::Callback | Kind::ChainedInvoke => self.status == Status::Started,
            Kind::Execution | Kind::Context => false,
        }
    }

    /// Returns its name and its type for people.
    pub(super) fn title(&self) -> String {
        let kind = match self.kind {
            Kind::ChainedInvoke => "invocation of another function".to_owned(),
            other => other.name().to_ascii_lowercase(),
        };
        match &self.name {
            Some(name) => format!("{kind} {name:?}"),
            None => kind,
        }
    }

    /// Returns it as it reads on the wire.
    pub(super) fn json(&self, times: Timestamps) -> Value {
        let mut object = Map::new();
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(name.to_owned(), value);
            }
        };
        set("Id", Some(json!(self.id)));
        set("ParentId", self.parent_id.as_ref().map(|id| json!(id)));
        set("Name", self.name.as_ref().map(|name| json!(name)));
        set("Type", Some(json!(self.kind.name())));
        set("SubType", self.sub_type.as_ref().map(|sub_type| json!(sub_type)));
        set("StartTimestamp", Some(times.write(self.started)));
        set("EndTimestamp", self.ended.map(|ended| times.write(ended)));
        set("Status", Some(json!(self.status.name())));
        set(&format!("{}Details", self.kind.title()), Some(self.details(times)));
        Value::Object(object)
    }

    fn details(&self, times: Timestamps) -> Value {
        let mut details = Map::new();
        let mut set = |name: &str, value: Value| details.insert(name.to_owned(), value);
        match &self.details {
            Details::Execution { input } => {
                set("InputPayload", json!(input));
                return Value::Object(details);
            }
            Details::Context { replay_children } => {
                if *replay_children {
                    set("ReplayChildren", json!(true));
                }
            }
            Details::Step { attempt, next_attempt } => {
                set("Attempt", json!(attempt));
                if let Some(next_attempt) = next_attempt {
                    set("NextAttemptTimestamp", times.write(*next_attempt));
                }
            }
            Details::Wait { until, .. } => {
                set("ScheduledEndTimestamp", times.write(*until));
            }
            Details::Callback { id, .. } => {
                set("CallbackId", json!(id));
            }
            Details::ChainedInvoke { .. } => {}
        }
        if let Some(result) = &self.result {
            set("Result", json!(result));
        }
        if let Some(error) = &self.error {
            set("Error", error.json());
        }
        Value::Object(details)
    }
}
