//! From an HTTP request to the event of a function URL.
//! Contract: API Gateway's payload format 2.0, as function URLs have it: route `$default`, no path parameters, text as it
//! is and everything else in base64.

use super::super::answers::percent_decoded;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header, request::Parts};
use serde_json::{Map, Value, json};
use std::{
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Makes the event of a request.
pub(super) fn event(
    head: &Parts,
    body: &[u8],
    host: &str,
    peer: SocketAddr,
    request_id: &str,
    trace_id: &str,
) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
    let text =
        |name: &str| head.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let port = host.rsplit_once(':').map_or("80", |(_, port)| port);
    let mut headers = headers(&head.headers);
    let source = peer.ip().to_string();
    for (name, value) in [
        ("x-forwarded-for", source.as_str()),
        ("x-forwarded-port", port),
        ("x-forwarded-proto", "http"),
        ("x-amzn-trace-id", trace_id),
    ] {
        headers.entry(name).or_insert_with(|| value.into());
    }
    let domain = host.rsplit_once(':').map_or(host, |(domain, _)| domain);
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "emulator",
            "domainName": domain,
            "domainPrefix": domain.split('.').next(),
            "http": {
                "method": head.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": source,
                "userAgent": text("user-agent").unwrap_or_default(),
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
            "time": time(now),
            "timeEpoch": now.as_millis() as u64,
        },
        "isBase64Encoded": false,
    });
    let cookies: Vec<String> = cookies(&head.headers);
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    let parameters = parameters(query);
    if !parameters.is_empty() {
        event["queryStringParameters"] = Value::Object(parameters);
    }
    if !body.is_empty() {
        match std::str::from_utf8(body) {
            Ok(text) if is_text(&head.headers) => event["body"] = text.into(),
            _ => {
                event["body"] = STANDARD.encode(body).into();
                event["isBase64Encoded"] = true.into();
            }
        }
    }
    event
}

/// Returns headers by their names in lower case, values of one name joined, without cookies.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut found = Map::new();
    for name in headers.keys().filter(|name| **name != header::COOKIE) {
        let values: Vec<_> = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .collect();
        found.insert(name.as_str().to_owned(), values.join(",").into());
    }
    found
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::COOKIE).iter();
    let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    values
        .flat_map(|value| {
            value.split(';').map(|cookie| cookie.trim().to_owned()).collect::<Vec<_>>()
        })
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// Returns the decoded parameters of a query, values of one name joined.
fn parameters(query: &str) -> Map<String, Value> {
    let mut found: Map<String, Value> = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| percent_decoded(&text.replace('+', " "));
        let (name, value) = (decoded(name), decoded(value));
        match found.get_mut(&name) {
            Some(Value::String(values)) => {
                values.push(',');
                values.push_str(&value);
            }
            _ => {
                found.insert(name, value.into());
            }
        }
    }
    found
}

/// Whether a body travels as text, where it is text.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    let kinds = ["application/json", "application/javascript", "application/xml"];
    let is_known = essence.starts_with("text/")
        || kinds.contains(&essence.as_str())
        || essence.ends_with("+json")
        || essence.ends_with("+xml");
    is_known && !headers.contains_key(header::CONTENT_ENCODING)
}

/// Writes a time as access logs have it: `12/Mar/2020:19:03:58 +0000`.
fn time(since_epoch: Duration) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = since_epoch.as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    let mut day = days;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if day < length {
            break;
        }
        day -= length;
        year += 1;
    }
    let lengths = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while day >= lengths[month] {
        day -= lengths[month];
        month += 1;
    }
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!(
        "{:02}/{}/{year}:{hour:02}:{minute:02}:{:02} +0000",
        day + 1,
        MONTHS[month],
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_access_logs() {
        for (seconds, text) in [
            (0, "01/Jan/1970:00:00:00 +0000"),
            (951_782_400, "29/Feb/2000:00:00:00 +0000"),
            (1_584_039_838, "12/Mar/2020:19:03:58 +0000"),
            (1_735_689_599, "31/Dec/2024:23:59:59 +0000"),
        ] {
            assert_eq!(time(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_request_is_an_event_of_version_2() {
        let request = http::Request::post("/a%20b?x=1&y=%20&x=2&z")
            .header("Host", "one.localhost:9002")
            .header("Cookie", "a=b; c=d")
            .header("X-Many", "1")
            .header("X-Many", "2")
            .header("Content-Type", "application/vnd.api+json")
            .body(())
            .unwrap();
        let (head, ()) = request.into_parts();
        let peer = ([127, 0, 0, 1], 5).into();
        let make = |head: &Parts, body: &[u8]| {
            event(head, body, "one.localhost:9002", peer, "id", "Root=1")
        };
        let event = make(&head, b"{}");
        assert_eq!(
            (&event["rawPath"], &event["rawQueryString"]),
            (&json!("/a%20b"), &json!("x=1&y=%20&x=2&z"))
        );
        assert_eq!(event["queryStringParameters"], json!({"x": "1,2", "y": " ", "z": ""}));
        assert_eq!(event["cookies"], json!(["a=b", "c=d"]));
        let headers = event["headers"].as_object().unwrap();
        assert_eq!((&headers["x-many"], headers.get("cookie")), (&json!("1,2"), None));
        assert_eq!(headers["x-forwarded-port"], "9002");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("{}"), &json!(false)));
        let context = &event["requestContext"];
        assert_eq!(
            (&context["domainPrefix"], &context["http"]["method"]),
            (&json!("one"), &json!("POST"))
        );
        let binary = make(&head, b"\xff");
        assert_eq!((&binary["body"], &binary["isBase64Encoded"]), (&json!("/w=="), &json!(true)));
        let request = http::Request::get("/").body(()).unwrap();
        let bare = make(&request.into_parts().0, b"");
        for absent in ["body", "cookies", "queryStringParameters"] {
            assert_eq!(bare.get(absent), None, "{absent}");
        }
    }
}
