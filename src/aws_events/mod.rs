//! Events of AWS's services as CloudEvents, one for each record. Contracts: "CloudEvents" 1.0, and the shapes of events as
//! AWS documents them; the legacy form has the names of CloudEvents 0.1, as the Serverless Open Runtime wrote them.

mod shapes;
#[cfg(test)]
mod tests;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use shapes::Facts;
use std::str::FromStr;

/// The form in which functions are given events of AWS's services: the value of `TRINE_CLOUDEVENTS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloudEvents {
    /// `1.0`: `specversion`, `id`, `source`, `type`, `time`, `datacontenttype`, `data`.
    V1,
    /// `legacy`: `eventTime`, `eventID`, `eventType`, `source`, `data`.
    Legacy,
}

impl FromStr for CloudEvents {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "1.0" => Ok(Self::V1),
            "legacy" => Ok(Self::Legacy),
            _ => Err("use 1.0 or legacy".to_owned()),
        }
    }
}

/// An event as its function is given it.
#[derive(Debug, PartialEq)]
pub(crate) enum Converted {
    /// It is none that is known.
    Unchanged,
    /// It is one CloudEvent.
    One(Value),
    /// It is a list of records, each for a call of its own.
    Records(Vec<Record>),
}

/// One record of an event.
#[derive(Debug, PartialEq)]
pub(crate) struct Record {
    /// The record as its function is given it: unchanged where it is none that is known.
    pub(crate) event: Value,
    /// What the platform knows it by, where it takes the failure of a part of the records.
    pub(crate) item: Option<Item>,
}

/// What the platform knows a record by.
#[derive(Debug, PartialEq)]
pub(crate) struct Item {
    /// The value of `itemIdentifier`.
    pub(crate) id: String,
    /// What becomes of those that follow a record that has failed.
    pub(crate) order: Order,
}

/// The order in which records of one source have to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// None: each succeeds or fails for itself.
    None,
    /// What follows a failed record comes again with it, and need not be told of.
    Stream,
    /// What follows a failed record waits for it, and has to be told of, or it counts as done.
    Queue,
}

impl CloudEvents {
    /// Converts an event; `region` is that of the function, `now` the time of events that tell none.
    pub(crate) fn convert(self, text: &[u8], region: &str, now: DateTime<Utc>) -> Converted {
        let Ok(Value::Object(mut event)) = serde_json::from_slice(text) else {
            return Converted::Unchanged;
        };
        if let Some(Value::Array(records)) = event.get_mut("Records")
            && !records.is_empty()
        {
            let records = std::mem::take(records).into_iter().map(|record| {
                let item = shapes::item_of(&record);
                let event = match shapes::of_record(&record) {
                    Some(facts) => self.written(facts, now),
                    None => record,
                };
                Record { event, item }
            });
            return Converted::Records(records.collect());
        }
        let facts = shapes::of_request(&event, region);
        // The earlier runtime did not know these.
        let facts = facts.or_else(|| shapes::of_bus(&event).filter(|_| self == Self::V1));
        facts.map_or(Converted::Unchanged, |facts| Converted::One(self.written(facts, now)))
    }

    fn written(self, facts: Facts, now: DateTime<Utc>) -> Value {
        let now_ms = now.timestamp_millis();
        if self == Self::Legacy {
            return json!({
                "eventTime": facts.time.map_or_else(|| json!(now_ms), Value::String),
                "eventID": facts.id.map_or_else(|| json!(now_ms), Value::String),
                "eventType": facts.kind,
                "source": facts.source,
                "data": facts.data,
            });
        }
        let time = facts.time.filter(|time| DateTime::parse_from_rfc3339(time).is_ok());
        let written = || {
            let moment = facts.moment.unwrap_or(now);
            moment.to_rfc3339_opts(SecondsFormat::Millis, true)
        };
        let content_type = if facts.data.is_string() { "text/plain" } else { "application/json" };
        let mut event = Map::new();
        event.insert("specversion".into(), json!("1.0"));
        event.insert("id".into(), json!(facts.id.unwrap_or_else(|| now_ms.to_string())));
        event.insert("source".into(), json!(facts.source));
        event.insert("type".into(), json!(facts.kind));
        if let Some(subject) = facts.subject {
            event.insert("subject".into(), json!(subject));
        }
        event.insert("time".into(), json!(time.unwrap_or_else(written)));
        event.insert("datacontenttype".into(), json!(content_type));
        event.insert("data".into(), facts.data);
        Value::Object(event)
    }
}
