//! Events of Scaleway's functions: names of headers have capitals, the body is always a text.

use super::{EventContext, Grouped, Last, decoded, finished, parameters, text};
use crate::http::{route, scaleway::Trigger};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, header, request::Parts};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;
use std::borrow::Cow;
use trine_engine::{Beside, Payload, json_string};

/// Writes the event for a request; that of a message of MQTT is the body as a string.
pub(super) fn write(parts: &Parts, body: &Bytes, around: &EventContext<'_>) -> Payload {
    if Trigger::of(&parts.headers) == Some(Trigger::Mqtt) {
        return Payload::json(json_string(&String::from_utf8_lossy(body)));
    }
    let path = around.mount.map_or_else(|| parts.uri.path(), |mount| mount.path);
    let query = parts.uri.query().unwrap_or("");
    let query_parameters =
        Grouped::new(parameters(query).map(|(name, value)| (decoded(name), decoded(value))));
    let content = Content::of(body);
    let event = Event {
        resource: "",
        path: &route::decoded(path),
        http_method: parts.method.as_str(),
        headers: Headers(&parts.headers),
        multi_value_headers: (),
        query_string_parameters: query_parameters.last(),
        multi_value_query_string_parameters: (),
        path_parameters: (),
        stage_variables: Empty {},
        request_context: RequestContext {
            account_id: "",
            resource_id: "",
            stage: "",
            request_id: "",
            resource_path: "",
            authorizer: around.authorizer,
            http_method: parts.method.as_str(),
            api_id: "",
        },
        is_base64_encoded: matches!(content, Content::Marked(_)).then_some(true),
        body: &content,
    };
    let beside = matches!(content, Content::Text).then_some(&super::Body::Text);
    finished(&event, beside, body)
}

/// A body in the form that an event has for it.
enum Content<'a> {
    /// A text that stays beside the event.
    Text,
    /// A text that is said to be base64: because it could be, or because the body is no text.
    Marked(Cow<'a, str>),
}

impl<'a> Content<'a> {
    /// The mark tells only whether the body could be base64: a text is passed as it is either way. Bytes that are no text
    /// cannot be, and are encoded.
    fn of(body: &'a Bytes) -> Self {
        match std::str::from_utf8(body) {
            Ok(text) if is_base64(body) => Self::Marked(Cow::Borrowed(text)),
            Ok(_) => Self::Text,
            Err(_) => Self::Marked(Cow::Owned(STANDARD.encode(body))),
        }
    }
}

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text => Beside.serialize(serializer),
            Self::Marked(text) => serializer.serialize_str(text),
        }
    }
}

/// Whether it is base64 with padding, line ends aside; nothing at all is.
fn is_base64(body: &[u8]) -> bool {
    let (mut count, mut padding) = (0_usize, 0);
    for byte in body.iter().filter(|byte| !b"\r\n".contains(byte)) {
        match byte {
            b'=' => padding += 1,
            byte if padding == 0 && (byte.is_ascii_alphanumeric() || b"+/".contains(byte)) => {}
            _ => return false,
        }
        count += 1;
    }
    count.is_multiple_of(4) && padding <= 2
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    resource: &'static str,
    path: &'a str,
    http_method: &'a str,
    headers: Headers<'a>,
    multi_value_headers: (),
    query_string_parameters: Last<'a>,
    multi_value_query_string_parameters: (),
    path_parameters: (),
    stage_variables: Empty,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_base64_encoded: Option<bool>,
    /// Last, so that a text can be kept beside the event.
    body: &'a Content<'a>,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'static str,
    resource_id: &'static str,
    stage: &'static str,
    request_id: &'static str,
    resource_path: &'static str,
    authorizer: Option<&'a Value>,
    http_method: &'a str,
    api_id: &'static str,
}

/// The request's headers but for `Host`, names with capitals, values of one name joined.
struct Headers<'a>(&'a HeaderMap);

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in self.0.keys().filter(|name| **name != header::HOST) {
            let mut values = self.0.get_all(name).iter();
            let first = values.next().map_or(Cow::Borrowed(""), text);
            let between = if name == header::COOKIE { "; " } else { "," };
            let value =
                values.fold(first, |all, next| Cow::Owned(format!("{all}{between}{}", text(next))));
            map.serialize_entry(&super::v1::capitals(name.as_str()), &value)?;
        }
        map.end()
    }
}
