//! Requests to events: every request gets one answer, and its event says what was sent.

use super::Served;
use crate::support::runner;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Uri;
use percent_encoding::percent_decode_str;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
    test_runner::TestCaseError,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// A request, as a client means it.
#[derive(Debug, Clone)]
struct Sent {
    method: String,
    target: String,
    /// The host as it is sent, and the domain in it.
    host: (&'static str, &'static str),
    headers: Vec<(String, Vec<u8>)>,
    cookies: Vec<Vec<u8>>,
    content_type: Option<&'static str>,
    compressed: bool,
    body: Vec<u8>,
    /// Sizes of the chunks that the body is sent in; none for a body of known length.
    chunks: Option<Vec<usize>>,
}

fn targets() -> impl Strategy<Value = String> {
    let odd = select(
        &[
            "/",
            "//",
            "/a",
            "%2F",
            "%00",
            "%ff",
            "%zz",
            "%",
            "%E2%82%AC",
            "+",
            "..",
            "/.",
            ";",
            ":",
            "@",
            "~",
            "{",
            "}",
            "\"",
            "|",
            "€",
            "'",
            "\\",
            "^",
            "[",
            "]",
        ][..],
    );
    let piece = prop_oneof![2 => odd.prop_map(str::to_owned), 3 => "[a-zA-Z0-9._-]{1,6}"];
    let path = vec(piece.clone(), 0..6).prop_map(|pieces| pieces.concat());
    let value = vec(
        prop_oneof![
            piece,
            select(&["&", "=", "?", "&&", "a=1", "&a="][..]).prop_map(str::to_owned)
        ],
        0..10,
    );
    let query = option::of(value.prop_map(|pieces| pieces.concat()));
    let target = (path, query).prop_map(|(path, query)| match query {
        Some(query) => format!("/{path}?{query}"),
        None => format!("/{path}"),
    });
    target.prop_filter("a target of HTTP", |target| {
        !target.starts_with("/.trine/") && target.parse::<Uri>().is_ok()
    })
}

/// Makes bytes that may occur in a header's value, without spaces around them.
fn header_values() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![6 => 0x21..0x7fu8, 2 => select(&b" \t;,=\"\\"[..]), 1 => 0x80..=0xffu8];
    let text = "[a-zé😀{}:,\"]{0,20}".prop_map(String::into_bytes);
    let bytes = prop_oneof![3 => vec(byte, 0..20), 1 => text];
    bytes.prop_map(|bytes| bytes.trim_ascii().to_vec())
}

fn requests() -> impl Strategy<Value = Sent> {
    let methods = select(&["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"][..]);
    let methods =
        prop_oneof![4 => methods.prop_map(str::to_owned), 1 => "[A-Z][A-Z!#$%&'*+.^_`|~-]{0,12}"];
    // These two have rules of their own about bodies.
    let methods =
        methods.prop_filter("ruled out", |method| method != "HEAD" && method != "CONNECT");
    let hosts = select(
        &[
            ("x", "x"),
            ("api.example.com", "api.example.com"),
            ("api.example.com:8080", "api.example.com"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("127.0.0.1:1", "127.0.0.1"),
            ("", "localhost"),
        ][..],
    );
    let names = prop_oneof![Just("x-same".to_owned()), "x-[a-z0-9!#$%&'*+.^_`|~-]{1,8}"];
    let names = names.prop_filter("the server's or ours", |name| {
        !["x-answer", "x-token", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-port"]
            .contains(&name.as_str())
    });
    let types = select(
        &[
            "text/plain",
            "application/json",
            "application/json; charset=utf-8",
            "image/png",
            "application/vnd.api+json",
            "TEXT/HTML",
            "",
        ][..],
    );
    let bodies = prop_oneof![
        2 => Just(Vec::new()),
        2 => any::<String>().prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..200),
        1 => vec(any::<u8>(), 4096..20_000),
    ];
    (
        (methods, targets(), hosts),
        (vec((names, header_values()), 0..5), vec(header_values(), 0..3)),
        (option::of(types), prop::bool::weighted(0.1), bodies),
        option::weighted(0.3, vec(1..3000usize, 1..6)),
    )
        .prop_map(|((method, target, host), (headers, cookies), body, chunks)| {
            let (content_type, compressed, body) = body;
            Sent { method, target, host, headers, cookies, content_type, compressed, body, chunks }
        })
}

impl Sent {
    fn bytes(&self, token: &str) -> Vec<u8> {
        let mut out =
            format!("{} {} HTTP/1.1\r\nhost: {}\r\n", self.method, self.target, self.host.0)
                .into_bytes();
        let mut add = |name: &str, value: &[u8]| {
            out.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        };
        add("X-Token", token.as_bytes());
        for (name, value) in &self.headers {
            add(name, value);
        }
        for cookie in &self.cookies {
            add("Cookie", cookie);
        }
        if let Some(content_type) = self.content_type {
            add("Content-Type", content_type.as_bytes());
        }
        if self.compressed {
            add("Content-Encoding", b"gzip");
        }
        let Some(chunks) = &self.chunks else {
            add("Content-Length", self.body.len().to_string().as_bytes());
            out.extend(b"\r\n");
            out.extend(&self.body);
            return out;
        };
        add("Transfer-Encoding", b"chunked");
        out.extend(b"\r\n");
        let (mut left, mut sizes) = (self.body.as_slice(), chunks.iter().cycle());
        while !left.is_empty() {
            let size = (*sizes.next().unwrap()).min(left.len());
            out.extend(format!("{size:x}\r\n").bytes());
            out.extend(&left[..size]);
            out.extend(b"\r\n");
            left = &left[size..];
        }
        out.extend(b"0\r\n\r\n");
        out
    }

    /// Compares an event with the request.
    fn check(&self, token: &str, event: &Value) -> Result<(), TestCaseError> {
        let uri: Uri = self.target.parse().unwrap();
        prop_assert_eq!(&event["version"], "2.0");
        prop_assert_eq!(&event["headers"]["x-token"], token);
        prop_assert_eq!(&event["rawPath"], uri.path());
        prop_assert_eq!(&event["rawQueryString"], uri.query().unwrap_or(""));
        let context = &event["requestContext"];
        prop_assert_eq!(&context["http"]["method"], &self.method);
        prop_assert_eq!(&context["http"]["path"], uri.path());
        prop_assert_eq!(&context["http"]["sourceIp"], "127.0.0.1");
        prop_assert_eq!(&context["domainName"], self.host.1);
        prop_assert_eq!(&context["routeKey"], "$default");
        prop_assert!(context["requestId"].as_str().is_some_and(|id| !id.is_empty()));
        prop_assert!(context["timeEpoch"].is_i64());
        self.check_headers(event)?;
        self.check_query(uri.query().unwrap_or(""), event)?;
        let encoded = event["isBase64Encoded"] == true;
        let body = match event.get("body") {
            None => Vec::new(),
            Some(body) if encoded => STANDARD.decode(body.as_str().unwrap()).unwrap(),
            Some(body) => body.as_str().unwrap().as_bytes().to_vec(),
        };
        prop_assert_eq!(&body, &self.body);
        let kind = self.content_type.unwrap_or("").to_lowercase();
        let is_text = ["text/", "application/json"].iter().any(|known| kind.starts_with(known))
            || kind.ends_with("+json");
        let is_text = is_text && !self.compressed && std::str::from_utf8(&self.body).is_ok();
        prop_assert_eq!(encoded, !is_text && !self.body.is_empty());
        Ok(())
    }

    fn check_headers(&self, event: &Value) -> Result<(), TestCaseError> {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let mut expected: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (name, value) in &self.headers {
            expected.entry(name).or_default().push(text(value));
        }
        for (name, values) in expected {
            prop_assert_eq!(&event["headers"][name], &values.join(","), "{}", name);
        }
        prop_assert!(event["headers"].get("cookie").is_none());
        let cookies: Vec<String> = self.cookies.iter().map(|cookie| text(cookie)).collect();
        let cookies = cookies.iter().flat_map(|line| line.split(';')).map(str::trim);
        let cookies: Vec<&str> = cookies.filter(|cookie| !cookie.is_empty()).collect();
        match event.get("cookies") {
            Some(told) => prop_assert_eq!(told, &Value::from(cookies)),
            None => prop_assert!(cookies.is_empty()),
        }
        Ok(())
    }

    fn check_query(&self, query: &str, event: &Value) -> Result<(), TestCaseError> {
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text).decode_utf8_lossy().into_owned()
        };
        let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            expected.entry(decoded(name)).or_default().push(decoded(value));
        }
        let told = event.get("queryStringParameters");
        prop_assert_eq!(told.is_some(), !expected.is_empty());
        let count = told.and_then(Value::as_object).map_or(0, serde_json::Map::len);
        prop_assert_eq!(count, expected.len());
        for (name, values) in expected {
            prop_assert_eq!(&told.unwrap()[&name], &values.join(","), "{}", name);
        }
        Ok(())
    }
}

/// Several requests are sent at once on one connection: as many answers, each with its own event, in order.
#[test]
fn every_request_gets_one_answer_whose_event_says_what_was_sent() {
    let Some(served) = Served::start() else { return };
    let strategy = (vec(requests(), 1..4), any::<Index>());
    let outcome = runner(600).run(&strategy, |(requests, pause)| {
        let mut connection = served.connect();
        let tokens: Vec<String> = (0..requests.len()).map(|n| format!("t{n}")).collect();
        let sent = requests.iter().zip(&tokens).map(|(request, token)| request.bytes(token));
        let mut bytes: Vec<u8> = sent.collect::<Vec<_>>().concat();
        bytes.extend(b"GET /last HTTP/1.1\r\nhost: x\r\nx-token: last\r\n\r\n");
        let (first, second) = bytes.split_at(pause.index(bytes.len()));
        connection.send(first).unwrap();
        connection.send(second).unwrap();
        for (request, token) in requests.iter().zip(&tokens) {
            let answer = connection.receive(&request.method).map_err(TestCaseError::fail)?;
            prop_assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
            let event: Value = serde_json::from_slice(&answer.body).unwrap();
            request.check(token, &event)?;
        }
        let last = connection.receive("GET").map_err(TestCaseError::fail)?;
        let event: Value = serde_json::from_slice(&last.body).unwrap();
        prop_assert_eq!(&event["headers"]["x-token"], "last");
        prop_assert_eq!(connection.finish().map_err(TestCaseError::fail)?, b"");
        Ok(())
    });
    outcome.unwrap();
}

/// Bytes that are almost requests are answered or the connection is closed, and the next request is served.
#[test]
fn bytes_that_are_no_request_cost_nothing_but_their_connection() {
    let Some(served) = Served::start() else { return };
    let near = (requests(), vec((any::<Index>(), 0..4, any::<u8>()), 1..6));
    let near = near.prop_map(|(request, changes)| {
        let mut bytes = request.bytes("t");
        for (place, change, byte) in changes {
            let at = place.index(bytes.len().clamp(1, 400));
            match change {
                0 => bytes.insert(at.min(bytes.len()), byte),
                1 => bytes.truncate(at),
                2 if at < bytes.len() => bytes[at] = byte,
                _ if at < bytes.len() => drop(bytes.remove(at)),
                _ => {}
            }
        }
        bytes
    });
    let strategy = prop_oneof![4 => near, 1 => vec(any::<u8>(), 0..300)];
    let outcome = runner(600).run(&strategy, |bytes| {
        let mut connection = served.connect();
        let _ = connection.send(&bytes);
        let answers = connection.finish().map_err(TestCaseError::fail)?;
        prop_assert!(answers.is_empty() || answers.starts_with(b"HTTP/1."), "{answers:?}");
        let mut next = served.connect();
        next.send(b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let answer = next.receive("GET").map_err(TestCaseError::fail)?;
        prop_assert_eq!(answer.status, 200);
        Ok(())
    });
    outcome.unwrap();
}
