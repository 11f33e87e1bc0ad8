//! Tests of every rule by which a result becomes a response.

use super::*;
use trine_engine::RawPayload;

/// Returns the status, the headers as lines, the body.
fn sent(method: &Method, result: Payload) -> (u16, Vec<String>, Vec<u8>) {
    let reply = of(EventFormat::AwsV2, method, result).unwrap();
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))
    };
    let lines = reply.headers().iter().map(line).collect();
    (reply.status().as_u16(), lines, sent_body(reply))
}

fn get(json: &'static str) -> (u16, Vec<String>, String) {
    let (status, headers, body) = sent(&Method::GET, Payload::json(json));
    (status, headers, String::from_utf8(body).unwrap())
}

fn refused(json: &'static str) -> String {
    refused_as(EventFormat::AwsV2, json)
}

/// Returns the reason why this is no response for functions with events of this form.
fn refused_as(format: EventFormat, json: &'static str) -> String {
    of(format, &Method::GET, Payload::json(json)).unwrap_err().to_string()
}

/// Returns what such a function's result becomes.
fn get_as(format: EventFormat, json: &'static str) -> (u16, Vec<String>, String) {
    let reply = of(format, &Method::GET, Payload::json(json)).unwrap();
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))
    };
    let lines = reply.headers().iter().map(line).collect();
    (reply.status().as_u16(), lines, String::from_utf8(sent_body(reply)).unwrap())
}

fn lines(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[test]
fn a_value_without_a_status_is_the_body_of_a_200() {
    let json = lines(&["content-type: application/json"]);
    for whole in [r#"{"a":1}"#, "[1, 2]", "12", "true", "null", r#"{"statusCode":null}"#] {
        assert_eq!(get(whole), (200, json.clone(), whole.to_owned()));
    }
    assert_eq!(get(r#""a \"text\"""#), (200, json, "a \"text\"".to_owned()));
}

#[test]
fn bytes_are_sent_as_they_are() {
    let raw = RawPayload { bytes: Bytes::from_static(&[0, 255]), content_type: "image/png" };
    let (status, headers, body) = sent(&Method::GET, Payload::Raw(raw));
    assert_eq!((status, body), (200, vec![0, 255]));
    assert_eq!(headers, lines(&["content-type: image/png"]));
}

#[test]
fn a_status_is_a_number_or_its_digits() {
    let json = lines(&["content-type: application/json"]);
    assert_eq!(get(r#"{"statusCode":201,"body":"x"}"#), (201, json.clone(), "x".into()));
    assert_eq!(get(r#"{"statusCode":"404"}"#), (404, json.clone(), String::new()));
    assert_eq!(get(r#"{"statusCode":200.0}"#).0, 200);
    assert_eq!(get(r#"{"statusCode":999,"body":null}"#), (999, json, String::new()));
}

#[test]
fn an_impossible_status_is_refused_in_clear_words() {
    for json in [
        r#"{"statusCode":99}"#,
        r#"{"statusCode":1000}"#,
        r#"{"statusCode":-1}"#,
        r#"{"statusCode":"ok"}"#,
        r#"{"statusCode":200.5}"#,
        r#"{"statusCode":true}"#,
        r#"{"statusCode":{}}"#,
        r#"{"statusCode":70000}"#,
    ] {
        assert!(refused(json).contains("not a number from 200 to 999"), "{json}");
    }
    assert!(refused(r#"{"statusCode":101}"#).contains("cannot end an exchange"));
}

#[test]
fn headers_may_be_texts_numbers_booleans_and_lists() {
    let json = r#"{"statusCode":200,"headers":{"Content-Type":"text/plain","x-n":1,"X-B":false,
        "x-l":["a","b"],"x-none":null}}"#;
    let expected = ["content-type: text/plain", "x-n: 1", "x-b: false", "x-l: a", "x-l: b"];
    assert_eq!(get(json).1, lines(&expected));
    assert_eq!(get(r#"{"statusCode":204,"headers":[]}"#).0, 204);
}

#[test]
fn a_pair_in_headers_and_multi_value_headers_is_sent_once() {
    let json = r#"{"statusCode":200,"headers":{"X-A":"1","x-b":"3","content-type":"a/b"},
        "multiValueHeaders":{"x-a":["1","2"]}}"#;
    assert_eq!(get(json).1, lines(&["x-a: 1", "x-a: 2", "x-b: 3", "content-type: a/b"]));
}

#[test]
fn headers_of_the_connection_are_not_the_handlers() {
    let json = r#"{"statusCode":200,"body":"x","headers":{"Content-Length":"99","connection":"close",
        "Transfer-Encoding":"chunked","keep-alive":"1","upgrade":"h2c"}}"#;
    assert_eq!(get(json).1, lines(&["content-type: application/json"]));
}

#[test]
fn invalid_headers_are_refused_in_clear_words() {
    assert!(refused(r#"{"statusCode":200,"headers":{"a b":"1"}}"#).contains("\"a b\" is no valid"));
    let split = refused(r#"{"statusCode":200,"headers":{"a":"1\r\nx: 2"}}"#);
    assert!(split.contains(r#""1\r\nx: 2" is no valid value for the header 'a'"#), "{split}");
    let object = refused(r#"{"statusCode":200,"headers":{"a":{}}}"#);
    assert!(object.contains("the value of 'a' is an object"), "{object}");
    assert!(refused(r#"{"statusCode":200,"headers":"x"}"#).contains("'headers' is no set"));
}

#[test]
fn each_cookie_is_a_header_of_its_own() {
    let json = r#"{"statusCode":200,"headers":{"content-type":"a/b","set-cookie":"z=0"},
        "cookies":["a=1; Secure","b=2"]}"#;
    let expected =
        ["content-type: a/b", "set-cookie: z=0", "set-cookie: a=1; Secure", "set-cookie: b=2"];
    assert_eq!(get(json).1, lines(&expected));
    assert_eq!(get(r#"{"statusCode":200,"cookies":"a=1"}"#).1.len(), 1);
}

#[test]
fn a_body_that_is_no_string_is_sent_as_compact_json() {
    let json = r#"{"statusCode":200,"body":{ "a": [1, 12345678901234567890123] }}"#;
    assert_eq!(get(json).2, r#"{"a":[1,12345678901234567890123]}"#);
    assert_eq!(get(r#"{"statusCode":200,"body":12}"#).2, "12");
}

#[test]
fn base64_is_decoded_whatever_the_content_type() {
    let json = r#"{"statusCode":200,"body":"AP8=","isBase64Encoded":true}"#;
    assert_eq!(sent(&Method::GET, Payload::json(json)).2, [0, 255]);
    let unpadded = r#"{"statusCode":200,"body":"AP8","isBase64Encoded":"true"}"#;
    assert_eq!(sent(&Method::GET, Payload::json(unpadded)).2, [0, 255]);
    let plain = r#"{"statusCode":200,"body":"AP8=","isBase64Encoded":false}"#;
    assert_eq!(get(plain).2, "AP8=");
    let json = r#"{"statusCode":200,"body":"é","isBase64Encoded":true}"#;
    assert!(refused(json).contains("no base64"));
    assert!(refused(r#"{"statusCode":200,"body":1,"isBase64Encoded":true}"#).contains("no string"));
}

#[test]
fn some_answers_have_no_body() {
    let json = r#"{"statusCode":304,"body":"x","headers":{"etag":"1"}}"#;
    assert_eq!(get(json), (304, lines(&["etag: 1"]), String::new()));
    for status in [204, 205] {
        let json =
            format!(r#"{{"statusCode":{status},"body":"x","headers":{{"content-length":1}}}}"#);
        let (sent, headers, body) = sent(&Method::GET, Payload::json(json));
        assert_eq!((sent, headers, body), (status, Vec::new(), Vec::new()));
    }
    let (status, headers, body) = sent(&Method::HEAD, Payload::json("[12]"));
    assert_eq!((status, body.len()), (200, 0));
    assert_eq!(headers, lines(&["content-type: application/json", "content-length: 4"]));
}

#[test]
fn a_handler_that_leaves_the_body_out_says_its_length() {
    let head = |json: &'static str| sent(&Method::HEAD, Payload::json(json)).1;
    let length = |headers: &str, body: &str| {
        let json =
            format!(r#"{{"statusCode":200,"headers":{{"content-type":"a/b"{headers}}}{body}}}"#);
        head(json.leak())[1].clone()
    };
    assert_eq!(length(r#","Content-Length":"123""#, ""), "content-length: 123");
    assert_eq!(length(r#","content-length":123"#, r#","body":"abc""#), "content-length: 3");
    for odd in ["-1", "+1", "1, 2", "x", ""] {
        assert_eq!(length(&format!(r#","content-length":"{odd}""#), ""), "content-length: 0");
    }
}

#[test]
fn broken_json_is_refused() {
    assert!(refused(r#"{"statusCode":200"#).contains("no valid JSON"));
    assert!(refused("\"abc").contains("no valid JSON"));
}

#[test]
fn a_rest_api_takes_response_objects_alone() {
    let rest = |json| get_as(EventFormat::AwsV1, json);
    let json = lines(&["content-type: application/json"]);
    assert_eq!(rest(r#"{"statusCode":"201","body":"x"}"#), (201, json.clone(), "x".into()));
    assert_eq!(rest(r#"{"body":"x"}"#), (200, json.clone(), "x".into()));
    assert_eq!(rest("{}"), (200, json.clone(), String::new()));
    assert_eq!(rest(r#"{"body":"aGk=","isBase64Encoded":"true"}"#).2, "hi");
    let old_name = r#"{"body":"aGk=","isBase64Encoded":false,"base64Encoded":true}"#;
    assert_eq!(rest(old_name), (200, json, "hi".into()));
    let both = r#"{"headers":{"a":"1","b":"2"},"multiValueHeaders":{"a":["0","1"]}}"#;
    let expected = ["a: 0", "a: 1", "b: 2", "content-type: application/json"];
    assert_eq!(rest(both).1, lines(&expected));
    for (result, reason) in [
        ("12", "no object"),
        (r#""text""#, "no object"),
        ("[]", "no object"),
        ("null", "no object"),
        ("{", "no valid JSON"),
        (
            r#"{"statusCode":200,"cookies":[]}"#,
            "it has the member 'cookies', and may have statusCode",
        ),
        (r#"{"message":"hi"}"#, "it has the member 'message'"),
        (r#"{"statusCode":"x"}"#, "statusCode is \"x\""),
        (r#"{"statusCode":200,"body":{"a":1}}"#, "its body is no string"),
        (r#"{"statusCode":200,"body":"?","isBase64Encoded":true}"#, "no base64"),
    ] {
        let told = refused_as(EventFormat::AwsV1, result);
        assert!(told.contains(reason), "{result}: {told}");
    }
    let raw = RawPayload { bytes: Bytes::from_static(b"{}"), content_type: "image/png" };
    assert!(of(EventFormat::AwsV1, &Method::GET, Payload::Raw(raw)).is_err());
}

#[test]
fn a_load_balancer_takes_headers_of_its_own_kind() {
    let result = r#"{"statusCode":200,"statusDescription":"200 OK","headers":{"a":"1"},
        "multiValueHeaders":{"a":["2","3"]},"cookies":["c=1"],"more":1,"body":"x"}"#;
    let json = "content-type: application/json";
    let (status, headers, body) = get_as(EventFormat::Alb, result);
    assert_eq!((status, headers, body.as_str()), (200, lines(&["a: 1", json]), "x"));
    assert_eq!(get_as(EventFormat::AlbMultiValue, result).1, lines(&["a: 2", "a: 3", json]));
    for format in [EventFormat::Alb, EventFormat::AlbMultiValue] {
        assert!(refused_as(format, r#"{"body":"x"}"#).contains("no statusCode"));
        assert!(refused_as(format, "[1]").contains("no object"));
        let large = format!(r#"{{"statusCode":200,"body":"{}"}}"#, "x".repeat(ALB_LIMIT));
        let told = of(format, &Method::GET, Payload::json(large)).unwrap_err().to_string();
        assert!(told.contains("and 1048576 are allowed"), "{told}");
    }
}

#[test]
fn a_raw_result_is_the_body_whatever_it_is() {
    for result in [r#"{"statusCode":404}"#, r#""text""#, "12", "null"] {
        let expected = (200, lines(&["content-type: application/json"]), result.to_owned());
        assert_eq!(get_as(EventFormat::Raw, result), expected);
    }
}

#[test]
fn an_event_is_a_reply_with_attributes_as_headers() {
    let reply = |json| get_as(EventFormat::CloudEvents, json);
    let attributes = ["ce-id: 1", "ce-source: /a%20b", "ce-specversion: 1.0", "ce-type: t"];
    let with = |more: &[&str]| lines(&[&attributes, more].concat());
    let sorted = |mut reply: (u16, Vec<String>, String)| {
        reply.1.sort();
        reply
    };
    let event = |more: &str| -> &'static str {
        let text = format!(r#"{{"specversion":"1.0","id":"1","source":"/a b","type":"t"{more}}}"#);
        Box::leak(text.into_boxed_str())
    };
    let json = "content-type: application/json";
    for (more, headers, body) in [
        (r#","data":{"a":1}"#, with(&[json]), r#"{"a":1}"#),
        (r#","data":"text""#, with(&[json]), r#""text""#),
        (
            r#","data":"text","datacontenttype":"text/plain""#,
            with(&["content-type: text/plain"]),
            "text",
        ),
        (r#","data_base64":"aGk=","datacontenttype":"a/b""#, with(&["content-type: a/b"]), "hi"),
        (
            r#","flag":true,"number":7,"none":null,"data":1"#,
            with(&["ce-flag: true", "ce-number: 7", json]),
            "1",
        ),
    ] {
        let mut headers = headers;
        headers.sort();
        assert_eq!(sorted(reply(event(more))), (200, headers, body.to_owned()), "{more}");
    }
    assert_eq!(reply("null"), (204, lines(&[]), String::new()));
    assert_eq!(reply(r#"{"ok":true}"#).2, r#"{"ok":true}"#);
    assert_eq!(reply(r#"{"statusCode":202}"#).0, 202);
    for (more, why) in [
        (r#","data":1,"datacontenttype":"text/plain""#, "of the type text/plain, and no text"),
        (r#","data_base64":"?""#, "no base64"),
        (r#","Time":"x""#, "\"Time\" is no name of an attribute"),
    ] {
        let told = refused_as(EventFormat::CloudEvents, event(more));
        assert!(told.contains(why), "{told}");
    }
    let structured = cloudevents::of(&Method::GET, Payload::json(event("")), true).unwrap();
    let content_type = structured.headers()[header::CONTENT_TYPE].clone();
    assert_eq!(content_type, "application/cloudevents+json; charset=utf-8");
    let body: serde_json::Value = serde_json::from_slice(&sent_body(structured)).unwrap();
    assert_eq!(body["source"], "/a b");
}
