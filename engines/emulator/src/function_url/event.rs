//! From an HTTP request to the event of a function URL.
//! Contract: API Gateway's payload format 2.0, as function URLs have it: route `$default`, no path parameters, text as it
//! is and everything else in base64.

use super::super::answers::percent_decoded;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::Utc;
use http::{HeaderMap, header, request::Parts};
use serde_json::{Map, Value, json};
use std::net::SocketAddr;

/// Makes the event of a request.
pub(super) fn event(
    head: &Parts,
    body: &[u8],
    host: &str,
    peer: SocketAddr,
    request_id: &str,
    trace_id: &str,
) -> Value {
    let now = Utc::now();
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
            "time": now.format("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.timestamp_millis(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

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
        let time =
            DateTime::parse_from_str(context["time"].as_str().unwrap(), "%d/%b/%Y:%H:%M:%S %z");
        let epoch = context["timeEpoch"].as_i64().unwrap();
        assert_eq!(time.unwrap().timestamp(), epoch / 1000);
        assert!((Utc::now().timestamp_millis() - epoch).abs() < 600_000, "{epoch}");
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
