//! A request, as text like that of a connection, to an event: what the event says is what the request said.

#![no_main]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::DateTime;
use http::{HeaderName, HeaderValue, Request, header, request::Parts};
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap};
use trine::http::{EventContext, EventFormat, write_event};

fuzz_target!(|data: &[u8]| {
    let Some((parts, body)) = request(data) else { return };
    let parameters = [("id".to_owned(), String::from_utf8_lossy(data).into_owned())];
    let around = EventContext {
        client: ([127, 0, 0, 1], 1).into(),
        scheme: "http",
        port: 9000,
        request_id: "id",
        trace_id: "Root=1",
        route_key: "$default",
        mount: None,
        authorizer: None,
        path_parameters: &parameters[..data.len() % 2],
        time: DateTime::UNIX_EPOCH,
    };
    let write = |format| write_event(format, &parts, &body, &around);
    for format in EventFormat::ALL {
        match write(format) {
            Ok(event) => drop(Value::try_from(event).expect("an event is JSON")),
            Err(why) => {
                let may_be_none = matches!(format, EventFormat::Raw | EventFormat::CloudEvents);
                assert!(may_be_none && why.status.is_client_error(), "{format}: {why}");
            }
        }
    }
    let event = write(EventFormat::AwsV2).expect("a request is an event");
    let event: Value = event.try_into().expect("an event is JSON");
    check_line(&parts, &event);
    check_headers(&parts, &event);
    check_query(&parts, &event);
    check_body(&body, &event);
    assert_eq!(event["pathParameters"].is_object(), data.len() % 2 == 1);
});

/// Returns the request that the bytes are, if the server's own parser accepts them as one.
fn request(data: &[u8]) -> Option<(Parts, Bytes)> {
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Request::new(&mut fields);
    let httparse::Status::Complete(head) = parsed.parse(data).ok()? else { return None };
    let mut request = Request::builder().method(parsed.method?).uri(parsed.path?);
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        request = request.header(name, HeaderValue::from_bytes(field.value).ok()?);
    }
    let (parts, ()) = request.body(()).ok()?.into_parts();
    Some((parts, Bytes::copy_from_slice(&data[head..])))
}

fn check_line(parts: &Parts, event: &Value) {
    let http = &event["requestContext"]["http"];
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["rawPath"], parts.uri.path());
    assert_eq!(event["rawQueryString"], parts.uri.query().unwrap_or(""));
    assert_eq!(http["method"], parts.method.as_str());
    assert_eq!(http["path"], parts.uri.path());
    assert_eq!(http["protocol"], "HTTP/1.1");
    assert_eq!(http["sourceIp"], "127.0.0.1");
    let domain = event["requestContext"]["domainName"].as_str().expect("a domain is text");
    let prefix = event["requestContext"]["domainPrefix"].as_str().expect("a prefix is text");
    assert!(domain.starts_with(prefix));
}

fn check_headers(parts: &Parts, event: &Value) {
    let mut sent = parts.headers.clone();
    if let Some(authority) = parts.uri.authority() {
        // Also if it is not a legal header value: it appears in the event as text.
        sent.remove(header::HOST);
        assert_eq!(event["headers"]["host"], authority.as_str());
    }
    let headers = event["headers"].as_object().expect("headers are an object");
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    for name in sent.keys() {
        if name == header::COOKIE {
            assert!(!headers.contains_key("cookie"));
            continue;
        }
        let values: Vec<String> = sent.get_all(name).iter().map(text).collect();
        assert_eq!(headers[name.as_str()], values.join(","));
    }
    let added = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id"];
    for name in added {
        assert!(headers.contains_key(name), "{name} is missing");
    }
    for name in headers.keys() {
        assert!(
            sent.contains_key(name) || added.contains(&name.as_str()) || name == "host",
            "{name} came from where?"
        );
    }
    let cookies: Vec<String> = sent.get_all(header::COOKIE).iter().map(text).collect();
    let cookies = cookies.iter().flat_map(|line| line.split(';')).map(str::trim);
    let cookies: Vec<&str> = cookies.filter(|cookie| !cookie.is_empty()).collect();
    match event.get("cookies") {
        Some(told) => assert_eq!(*told, Value::from(cookies)),
        None => assert!(cookies.is_empty()),
    }
}

/// Checks every parameter with its values joined by commas, as a plain reading of the query yields them.
fn check_query(parts: &Parts, event: &Value) {
    let decoded = |text: &str| -> String {
        let text = text.replace('+', " ");
        let text: Cow<'_, str> = percent_decode_str(&text).decode_utf8_lossy();
        text.into_owned()
    };
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in parts.uri.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        expected.entry(decoded(name)).or_default().push(decoded(value));
    }
    match event.get("queryStringParameters") {
        Some(Value::Object(told)) => {
            assert_eq!(told.len(), expected.len());
            for (name, values) in &expected {
                assert_eq!(told[name.as_str()], values.join(","));
            }
        }
        Some(other) => panic!("the query's parameters are {other}"),
        None => assert!(expected.is_empty()),
    }
}

fn check_body(sent: &Bytes, event: &Value) {
    let encoded = event["isBase64Encoded"].as_bool().expect("a flag is a boolean");
    match event.get("body") {
        None => assert!(sent.is_empty() && !encoded),
        Some(body) => {
            let body = body.as_str().expect("a body is text");
            let bytes = match encoded {
                true => STANDARD.decode(body).expect("base64"),
                false => body.as_bytes().to_vec(),
            };
            assert_eq!(bytes, sent.as_ref());
        }
    }
}
