//! What has happened in an execution, event by event.
//! Contract: AWS Lambda API reference, GetDurableExecutionHistory.

use super::operation::{Operation, Time, Timestamps};
use serde_json::{Map, Value, json};

/// The events of an execution, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    events: Vec<Value>,
}

impl History {
    /// Records what has become of an operation: `Started`, `Succeeded`. `details` are the members of the event's own
    /// object.
    pub(super) fn record(&mut self, operation: &Operation, what: &str, details: Value, now: Time) {
        let mut event = Map::new();
        event.insert("Id".to_owned(), json!(operation.id));
        for (name, value) in [
            ("Name", &operation.name),
            ("ParentId", &operation.parent_id),
            ("SubType", &operation.sub_type),
        ] {
            if let Some(value) = value {
                event.insert(name.to_owned(), json!(value));
            }
        }
        self.push(format!("{}{what}", operation.kind.title()), event, details, now);
    }

    /// Records the end of an invocation.
    pub(super) fn record_invocation(&mut self, details: Value, now: Time) {
        self.push("InvocationCompleted".to_owned(), Map::new(), details, now);
    }

    fn push(&mut self, kind: String, mut event: Map<String, Value>, details: Value, now: Time) {
        event.insert(format!("{kind}Details"), details);
        event.insert("EventType".to_owned(), Value::String(kind));
        event.insert("EventId".to_owned(), json!(self.events.len() + 1));
        event.insert("EventTimestamp".to_owned(), Timestamps::Seconds.write(now));
        self.events.push(Value::Object(event));
    }

    /// Returns the number of events.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Returns an event, with or without what functions and callers have written.
    pub(super) fn event(&self, at: usize, with_data: bool) -> Option<Value> {
        let mut event = self.events.get(at)?.clone();
        if !with_data {
            let details = event.as_object_mut().into_iter().flat_map(Map::values_mut);
            for member in details.filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
                if let Some(data) =
                    member.as_object_mut().filter(|data| data.contains_key("Payload"))
                {
                    data.remove("Payload");
                    data.insert("Truncated".to_owned(), Value::Bool(true));
                }
            }
        }
        Some(event)
    }
}
