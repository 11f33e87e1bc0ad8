//! Updates of operations as a checkpoint brings them, read into types that cannot be wrong.
//! Contract: AWS Lambda API reference, OperationUpdate: the forms and bounds of its members.

use super::operation::{ErrorObject, Kind};
use serde_json::Value;
use std::ops::RangeInclusive;

/// Largest result of an execution for whose end a caller waits.
pub(super) const MAX_OUTPUT: usize = 6 * 1024 * 1024;
/// Largest payload of everything else, and largest error.
pub(super) const MAX_PAYLOAD: usize = 1024 * 1024;
/// The longest wait, and the longest time until a next attempt: 366 days.
const MAX_SECONDS: u64 = 31_622_400;

/// What is to happen to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Start,
    Succeed,
    Fail,
    Retry,
    Cancel,
}

impl Action {
    pub(super) const ALL: [Self; 5] =
        [Self::Start, Self::Succeed, Self::Fail, Self::Retry, Self::Cancel];

    /// Returns its name on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Succeed => "SUCCEED",
            Self::Fail => "FAIL",
            Self::Retry => "RETRY",
            Self::Cancel => "CANCEL",
        }
    }
}

/// The function that a chained invocation calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) function: String,
    pub(super) tenant_id: Option<String>,
}

/// A change of an operation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Update {
    pub(super) id: String,
    pub(super) parent_id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) kind: Kind,
    pub(super) sub_type: Option<String>,
    pub(super) action: Action,
    pub(super) payload: Option<String>,
    pub(super) error: Option<ErrorObject>,
    /// `ContextOptions.ReplayChildren`
    pub(super) replay_children: bool,
    /// `StepOptions.NextAttemptDelaySeconds`
    pub(super) next_attempt: Option<u64>,
    /// `WaitOptions.WaitSeconds`
    pub(super) wait: Option<u64>,
    /// `CallbackOptions.TimeoutSeconds`; none where it is 0.
    pub(super) timeout: Option<u64>,
    /// `CallbackOptions.HeartbeatTimeoutSeconds`; none where it is 0.
    pub(super) heartbeat: Option<u64>,
    /// `ChainedInvokeOptions`
    pub(super) target: Option<Target>,
}

impl Update {
    /// Reads the list of a request; an absent one is empty.
    ///
    /// # Errors
    /// A message that names the update and the member that is wrong.
    pub(super) fn list(updates: Option<&Value>) -> Result<Vec<Self>, String> {
        match updates {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(updates)) => updates
                .iter()
                .enumerate()
                .map(|(at, update)| {
                    Self::parse(update).map_err(|why| format!("Updates[{at}]: {why}"))
                })
                .collect(),
            Some(_) => Err("Updates is a list".to_owned()),
        }
    }

    fn parse(update: &Value) -> Result<Self, String> {
        let members = Members::of(Some(update), "an update")?;
        let kind = members.text("Type", 1..=64, |_| true)?;
        let kind = kind.ok_or("Type is missing")?;
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind).ok_or_else(|| {
            format!("{kind:?} is no Type of an operation: {}", Kind::ALL.map(Kind::name).join(", "))
        })?;
        let action = members.text("Action", 1..=64, |_| true)?;
        let action = action.ok_or("Action is missing")?;
        let action =
            Action::ALL.into_iter().find(|known| known.name() == action).ok_or_else(|| {
                format!("{action:?} is no Action: {}", Action::ALL.map(Action::name).join(", "))
            })?;
        let error = match members.get("Error") {
            None => None,
            Some(error) => Some(ErrorObject::parse(error)?),
        };
        let context = Members::of(members.get("ContextOptions"), "ContextOptions")?;
        let step = Members::of(members.get("StepOptions"), "StepOptions")?;
        let wait = Members::of(members.get("WaitOptions"), "WaitOptions")?;
        let callback = Members::of(members.get("CallbackOptions"), "CallbackOptions")?;
        let target = match members.get("ChainedInvokeOptions") {
            None => None,
            options => {
                let options = Members::of(options, "ChainedInvokeOptions")?;
                let function = options.text("FunctionName", 1..=256, |_| true)?;
                let is_tenant = |c: char| c.is_ascii_alphanumeric() || "._:/=+-@ ".contains(c);
                Some(Target {
                    function: function.ok_or("ChainedInvokeOptions.FunctionName is missing")?,
                    tenant_id: options.text("TenantId", 1..=256, is_tenant)?,
                })
            }
        };
        let some_time = |seconds: &u64| *seconds > 0;
        Ok(Self {
            id: members.text("Id", 1..=64, is_word)?.ok_or("Id is missing")?,
            parent_id: members.text("ParentId", 1..=64, is_word)?,
            name: members.text("Name", 1..=256, |c| (' '..='~').contains(&c))?,
            kind,
            sub_type: members.text("SubType", 1..=32, is_word)?,
            action,
            payload: members.text("Payload", 0..=MAX_OUTPUT, |_| true)?,
            error,
            replay_children: context.flag("ReplayChildren")?,
            next_attempt: step.number("NextAttemptDelaySeconds", 1..=MAX_SECONDS)?,
            wait: wait.number("WaitSeconds", 1..=MAX_SECONDS)?,
            timeout: callback.number("TimeoutSeconds", 0..=99_999_999)?.filter(some_time),
            heartbeat: callback
                .number("HeartbeatTimeoutSeconds", 0..=99_999_999)?
                .filter(some_time),
            target,
        })
    }
}

/// Whether a name of the API may contain it.
pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// The members of an object, or of nothing.
struct Members<'v> {
    object: Option<&'v serde_json::Map<String, Value>>,
    /// What the object is called.
    title: &'static str,
}

impl<'v> Members<'v> {
    fn of(value: Option<&'v Value>, title: &'static str) -> Result<Self, String> {
        match value {
            None => Ok(Self { object: None, title }),
            Some(Value::Object(object)) => Ok(Self { object: Some(object), title }),
            Some(_) => Err(format!("{title} is an object")),
        }
    }

    /// Returns a member; one that is `null` is absent.
    fn get(&self, name: &str) -> Option<&'v Value> {
        self.object?.get(name).filter(|value| !value.is_null())
    }

    fn text(
        &self,
        name: &str,
        length: RangeInclusive<usize>,
        allowed: impl Fn(char) -> bool,
    ) -> Result<Option<String>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let Value::String(text) = value else { return Err(format!("{name} is a string")) };
        if !length.contains(&text.len()) {
            let (least, most) = (length.start(), length.end());
            return Err(format!("{name} has {} bytes, not {least} to {most}", text.len()));
        }
        match text.chars().find(|c| !allowed(*c)) {
            Some(c) => Err(format!("{name} must not contain {c:?}")),
            None => Ok(Some(text.clone())),
        }
    }

    fn number(&self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.as_u64().filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(format!(
                "{}.{name} is a whole number from {} to {}, not {value}",
                self.title,
                range.start(),
                range.end()
            )),
        }
    }

    fn flag(&self, name: &str) -> Result<bool, String> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(format!("{}.{name} is true or false", self.title)),
        }
    }
}
