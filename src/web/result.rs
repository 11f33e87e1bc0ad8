//! A response as the result of the function whose event its request was.

use super::WebForm;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use trine_engine::{ErrorKind, Fields, Payload, ResponseHead, WebResponse};

const SET_COOKIE: &str = "set-cookie";

impl WebForm {
    /// Returns the result that the sender of an event of this form expects.
    pub(crate) fn result(self, response: WebResponse) -> Payload {
        let WebResponse { head, body } = response;
        let mut result = self.head(&head);
        let is_packed =
            head.headers.get("content-encoding").is_some_and(|value| value != b"identity");
        let text = std::str::from_utf8(&body).ok().filter(|_| !is_packed);
        result.insert("isBase64Encoded".to_owned(), text.is_none().into());
        let body = text.map_or_else(|| BASE64.encode(&body), str::to_owned);
        result.insert("body".to_owned(), body.into());
        Payload::from(&Value::Object(result))
    }

    /// Returns the members that tell of a response's head.
    fn head(self, head: &ResponseHead) -> Map<String, Value> {
        let mut result = Map::from_iter([("statusCode".to_owned(), json!(head.status))]);
        if matches!(self, Self::Alb | Self::AlbMultiValue) {
            let known = http::StatusCode::from_u16(head.status)
                .ok()
                .and_then(|status| status.canonical_reason());
            let reason = head.reason.as_deref().or(known).unwrap_or_default();
            result
                .insert("statusDescription".to_owned(), format!("{} {reason}", head.status).into());
        }
        let grouped = grouped(&head.headers);
        match self {
            Self::V2 => {
                let cookies =
                    head.headers.all(SET_COOKIE).map(text).map(Value::from).collect::<Vec<_>>();
                let others = grouped.into_iter().filter(|(name, _)| name != SET_COOKIE);
                let headers: Map<_, _> =
                    others.map(|(name, values)| (name, values.join(", ").into())).collect();
                result.insert("headers".to_owned(), headers.into());
                if !cookies.is_empty() {
                    result.insert("cookies".to_owned(), cookies.into());
                }
            }
            Self::V1 => {
                let (lists, single): (Vec<_>, Vec<_>) =
                    grouped.into_iter().partition(|(_, values)| values.len() > 1);
                let single: Map<_, _> = single
                    .into_iter()
                    .map(|(name, values)| (name, values.concat().into()))
                    .collect();
                result.insert("headers".to_owned(), single.into());
                if !lists.is_empty() {
                    result.insert("multiValueHeaders".to_owned(), lists_of(lists));
                }
            }
            Self::Alb => {
                let mut headers = Map::new();
                for (name, values) in grouped {
                    // It takes one value of a name, and tells names apart by their case.
                    match name == SET_COOKIE {
                        true => headers.extend(
                            spelt(&name).zip(values).map(|(name, value)| (name, value.into())),
                        ),
                        false => _ = headers.insert(name, values.join(", ").into()),
                    }
                }
                result.insert("headers".to_owned(), headers.into());
            }
            Self::AlbMultiValue => {
                result.insert("multiValueHeaders".to_owned(), lists_of(grouped));
            }
        }
        result
    }
}

fn lists_of(grouped: Vec<(String, Vec<String>)>) -> Value {
    grouped
        .into_iter()
        .map(|(name, values)| (name, Value::from(values)))
        .collect::<Map<_, _>>()
        .into()
}

/// Returns the metadata of a streamed response: `statusCode`, `headers` and `cookies`. Contract: "response streaming".
pub(crate) fn metadata_of(head: &ResponseHead) -> Bytes {
    Value::Object(WebForm::V2.head(head)).to_string().into()
}

/// Whether an application has failed by itself, so that it is one of its requests that has come to nothing: not by what keeps it
/// from running.
pub(crate) fn is_its_own(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Guest
            | ErrorKind::UnhandledRejection
            | ErrorKind::UncaughtException
            | ErrorKind::NeverSettled
    )
}

/// Returns the response of a web application that has failed before it answered, as its servers send it.
pub(crate) fn response_of_failure() -> WebResponse {
    WebResponse::text(500, "Internal Server Error")
}

/// Returns names in lower case, each with all its values, in the order of the first.
fn grouped(fields: &Fields) -> Vec<(String, Vec<String>)> {
    let mut all: Vec<(String, Vec<String>)> = Vec::with_capacity(fields.len());
    for (name, value) in fields.iter() {
        let (name, value) =
            (String::from_utf8_lossy(name).to_ascii_lowercase(), text(value).into_owned());
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => all.push((name, vec![value])),
        }
    }
    all
}

/// Returns a header's value as text: UTF-8 where it is that, else each byte as the character of its number.
fn text(value: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(value) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(value.iter().copied().map(char::from).collect()),
    }
}

/// Returns a name spelt with capitals in ever other places.
fn spelt(name: &str) -> impl Iterator<Item = String> {
    (0..1_u32 << name.len().min(16)).map(move |bits| {
        let letter = |(at, letter): (usize, char)| match bits >> at.min(31) & 1 {
            1 => letter.to_ascii_uppercase(),
            _ => letter,
        };
        name.chars().enumerate().map(letter).collect()
    })
}
