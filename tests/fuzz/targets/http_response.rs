//! A handler's result to a response: either a response that may be sent, or a reason in words.

#![no_main]

use bytes::Bytes;
use futures::FutureExt;
use http::{Method, header};
use http_body_util::BodyExt;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use trine::http::{EventFormat, Reply, response_of};
use trine_engine::Payload;

const METHODS: [Method; 3] = [Method::GET, Method::HEAD, Method::POST];

fuzz_target!(|data: &[u8]| {
    // The method first, then the result's text.
    let Some((first, json)) = data.split_first() else { return };
    let method = &METHODS[usize::from(*first) % METHODS.len()];
    let value = serde_json::from_slice::<Value>(json).ok();
    let wanted = value.as_ref().and_then(expected);
    let result = || Payload::json(Bytes::copy_from_slice(json));
    for format in EventFormat::ALL {
        if let Ok(reply) = response_of(format, method, result()) {
            check(method, reply, None);
        }
    }
    match response_of(EventFormat::AwsV2, method, result()) {
        Ok(reply) => check(method, reply, wanted),
        Err(malformed) => {
            let reason = malformed.to_string();
            assert!(reason.starts_with("the handler's result is no HTTP response: "));
            assert!(wanted.is_none(), "refused though it is plain: {reason}");
        }
    }
});

/// Returns the expected status and body, where they can be determined without knowing about headers.
fn expected(value: &Value) -> Option<(u16, Option<String>)> {
    let Value::Object(members) = value else {
        let body = value.as_str().map(str::to_owned);
        return Some((200, body));
    };
    let plain = ["headers", "multiValueHeaders", "cookies", "isBase64Encoded"];
    match members.get("statusCode") {
        None | Some(Value::Null) => Some((200, None)),
        Some(code) => {
            let code = code.as_u64().filter(|code| (200..=999).contains(code))?;
            if plain.iter().any(|name| members.contains_key(*name)) {
                return None;
            }
            let body = match members.get("body") {
                Some(Value::String(text)) => Some(text.clone()),
                None | Some(Value::Null) => Some(String::new()),
                Some(_) => None,
            };
            Some((code as u16, body))
        }
    }
}

fn check(method: &Method, reply: Reply, wanted: Option<(u16, Option<String>)>) {
    let (head, body) = reply.into_parts();
    let body = body.collect().now_or_never().expect("the body is at hand").expect("a body");
    let body = body.to_bytes();
    let status = head.status.as_u16();
    assert!((200..=999).contains(&status), "{status} ends no exchange");
    for name in ["connection", "transfer-encoding", "upgrade", "keep-alive", "trailer", "te"] {
        assert!(!head.headers.contains_key(name), "{name} belongs to the connection");
    }
    let bodiless = matches!(status, 204 | 304);
    assert!(bodiless || head.headers.contains_key(header::CONTENT_TYPE));
    if bodiless || method == Method::HEAD {
        assert!(body.is_empty());
    }
    let length = head.headers.get(header::CONTENT_LENGTH);
    assert_eq!(length.is_some(), method == Method::HEAD && !bodiless);
    let Some((code, text)) = wanted else { return };
    assert_eq!(status, code);
    let Some(text) = text.filter(|_| !bodiless) else { return };
    match length {
        Some(length) => assert_eq!(length.to_str().unwrap(), text.len().to_string()),
        None => assert_eq!(body, text.as_bytes()),
    }
}
