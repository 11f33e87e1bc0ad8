//! The event of a message of a broker, in the form of the function's events.

use crate::http::{EventFormat, cloudevents};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use trine_engine::Payload;
use uuid::Uuid;

/// The prefix of headers that are attributes of CloudEvents.
const PREFIX: &str = "ce-";

/// A message.
pub(super) struct Message<'m> {
    /// The broker, as a URL.
    pub(super) broker: &'m str,
    /// What the broker calls the place that it came from, `topic` or `subject`, and that place.
    pub(super) place: (&'static str, &'m str),
    pub(super) payload: &'m Bytes,
    /// What else is known of it, for the event.
    pub(super) more: Map<String, Value>,
    /// Its headers, where the protocol has any, in lower case.
    pub(super) headers: Vec<(String, String)>,
    /// Its id among those of the broker, where it has one.
    pub(super) id: Option<String>,
}

impl Message<'_> {
    /// Returns its event.
    pub(super) fn event(self, form: EventFormat) -> Payload {
        let event = match form {
            // As that platform has the body of an HTTP request for its triggers.
            EventFormat::Scaleway => String::from_utf8_lossy(self.payload).into(),
            EventFormat::Raw => match serde_json::from_slice(self.payload) {
                Ok(value) => value,
                Err(_) => Value::String(self.text().0),
            },
            EventFormat::CloudEvents => Value::Object(self.cloud_event()),
            _ => self.usual(),
        };
        Payload::from(&event)
    }

    /// Returns the payload as a text, in base64 where it is none.
    fn text(&self) -> (String, bool) {
        match std::str::from_utf8(self.payload) {
            Ok(text) => (text.to_owned(), false),
            Err(_) => (STANDARD.encode(self.payload), true),
        }
    }

    fn usual(self) -> Value {
        let (payload, is_base64) = self.text();
        let (name, place) = self.place;
        let mut event = json!({ name: place, "payload": payload, "isBase64Encoded": is_base64 });
        if let Value::Object(event) = &mut event {
            event.extend(self.more);
        }
        event
    }

    /// Returns the CloudEvent that it is, or that says that it came.
    fn cloud_event(self) -> Map<String, Value> {
        if let Ok(Value::Object(mut event)) = serde_json::from_slice(self.payload)
            && cloudevents::check(&mut event).is_ok()
        {
            return event;
        }
        let attributes = self.headers.iter().filter_map(|(name, value)| {
            let attribute = name.strip_prefix(PREFIX)?;
            Some((attribute.to_owned(), cloudevents::decoded(value.as_bytes())?.into()))
        });
        let mut event: Map<String, Value> = attributes.collect();
        if cloudevents::check(&mut event).is_err() {
            event = self.told();
        }
        let declared = self.headers.iter().find(|(name, _)| name == "content-type");
        let value = match declared {
            Some((_, kind)) if !cloudevents::is_json(kind) => None,
            _ => serde_json::from_slice::<Value>(self.payload).ok(),
        };
        let declared = declared.map(|(_, kind)| kind.clone());
        let json = value.is_some().then(|| "application/json".to_owned());
        if let Some(kind) = declared.or(json) {
            event.insert(cloudevents::CONTENT_TYPE.to_owned(), kind.into());
        }
        let (text, is_base64) = self.text();
        let (name, data) = match value {
            Some(value) => (cloudevents::DATA, value),
            None if is_base64 => (cloudevents::DATA_BASE64, text.into()),
            None => (cloudevents::DATA, text.into()),
        };
        event.insert(name.to_owned(), data);
        event
    }

    /// Returns the attributes of an event that says that a message came.
    fn told(&self) -> Map<String, Value> {
        let (scheme, _) = self.broker.split_once("://").unwrap_or_default();
        let kind = if scheme.starts_with("mqtt") { "mqtt" } else { "nats" };
        let id = self.id.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
        let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let event = json!({
            "specversion": "1.0",
            "id": id,
            "source": self.broker,
            "type": format!("{kind}.message"),
            "subject": self.place.1,
            "time": time,
        });
        match event {
            Value::Object(event) => event,
            _ => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(payload: &[u8], headers: &[(&str, &str)], form: EventFormat) -> Value {
        let payload = Bytes::copy_from_slice(payload);
        let mut more = Map::new();
        more.insert("qos".to_owned(), 1.into());
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let message = Message {
            broker: "mqtt://host:1883",
            place: ("topic", "a/b"),
            payload: &payload,
            more,
            headers,
            id: Some("7".to_owned()),
        };
        message.event(form).try_into().unwrap()
    }

    #[test]
    fn the_usual_event_has_place_and_payload() {
        assert_eq!(
            event(b"{\"t\":1}", &[], EventFormat::AwsV2),
            json!({"topic": "a/b", "payload": "{\"t\":1}", "isBase64Encoded": false, "qos": 1})
        );
        assert_eq!(
            event(b"\xff\x00", &[], EventFormat::AwsV2),
            json!({"topic": "a/b", "payload": "/wA=", "isBase64Encoded": true, "qos": 1})
        );
    }

    #[test]
    fn other_forms_have_their_own() {
        assert_eq!(event(b"{\"t\":1}", &[], EventFormat::Scaleway), json!("{\"t\":1}"));
        assert_eq!(event(b"{\"t\":1}", &[], EventFormat::Raw), json!({"t": 1}));
        assert_eq!(event(b"on", &[], EventFormat::Raw), json!("on"));
    }

    #[test]
    fn a_cloud_event_is_what_the_message_is_or_says_that_it_came() {
        let form = EventFormat::CloudEvents;
        let own = r#"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":[1]}"#;
        assert_eq!(event(own.as_bytes(), &[], form), serde_json::from_str::<Value>(own).unwrap());
        let headers = [
            ("ce-specversion", "1.0"),
            ("ce-id", "1"),
            ("ce-source", "/s"),
            ("ce-type", "t"),
            ("content-type", "text/plain"),
        ];
        assert_eq!(
            event(b"5", &headers, form),
            json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t",
                "datacontenttype": "text/plain", "data": "5"})
        );
        let mut told = event(b"{\"t\":1}", &[], form);
        assert!(told["time"].take().is_string());
        assert_eq!(
            told,
            json!({"specversion": "1.0", "id": "7", "source": "mqtt://host:1883",
                "type": "mqtt.message", "subject": "a/b", "time": null,
                "datacontenttype": "application/json", "data": {"t": 1}})
        );
        let told = event(b"\xff", &[], form);
        assert_eq!((&told["data_base64"], told.get("data")), (&json!("/w=="), None));
    }
}
