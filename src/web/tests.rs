//! Events as requests, and responses as results.

use super::*;
use bytes::Bytes;
use serde_json::{Value, json};
use trine_engine::{Fields, RequestBody, ResponseHead, WebRequest, WebResponse};

fn request(event: &Value) -> (WebRequest, WebForm) {
    request_of(event.to_string().into()).unwrap()
}

fn listed(request: &WebRequest) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    request.headers.iter().map(|(name, value)| (text(name), text(value))).collect()
}

fn body(request: &WebRequest) -> Bytes {
    match request.take_body() {
        RequestBody::Whole(body) => body,
        RequestBody::Arriving(_) => panic!("it is whole"),
    }
}

fn v2(path: &str, stage: &str) -> Value {
    json!({
        "version": "2.0", "rawPath": path, "rawQueryString": "a=1&b=%20", "cookies": ["x=1", "y=2"],
        "headers": {"Host": "api.example.com", "X-Two": "1,2", "x-forwarded-proto": "https"},
        "requestContext": {"stage": stage, "http": {"method": "PUT", "path": path, "protocol": "HTTP/1.1", "sourceIp": "10.0.0.7"}},
        "body": "aGk=", "isBase64Encoded": true
    })
}

#[test]
fn an_event_of_format_2_is_a_request() {
    let (made, form) = request(&v2("/a%2Fb/ü", "$default"));
    assert_eq!(form, WebForm::V2);
    assert_eq!(
        (made.method.as_str(), made.path.as_str(), made.mount.as_str()),
        ("PUT", "/a%2Fb/%C3%BC", "")
    );
    assert_eq!((made.query.as_deref(), made.scheme.as_str()), (Some("a=1&b=%20"), "https"));
    assert_eq!(made.server, ("api.example.com".to_owned(), 443));
    assert_eq!(made.client_ip().unwrap().to_string(), "10.0.0.7");
    let fields = [
        ("host", "api.example.com"),
        ("x-two", "1,2"),
        ("x-forwarded-proto", "https"),
        ("cookie", "x=1; y=2"),
        ("content-length", "2"),
    ];
    assert_eq!(listed(&made), fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(body(&made), "hi");
    assert!(made.event.is_some());
}

#[test]
fn a_named_stage_is_the_mount_where_the_path_begins_with_it() {
    let mount = |path, stage| {
        let (made, _) = request(&v2(path, stage));
        (made.mount.clone(), made.path_in_mount().to_owned())
    };
    assert_eq!(mount("/prod/pets", "prod"), ("/prod".to_owned(), "/pets".to_owned()));
    assert_eq!(mount("/prod", "prod"), ("/prod".to_owned(), "/".to_owned()));
    assert_eq!(mount("/products", "prod"), (String::new(), "/products".to_owned()));
    assert_eq!(mount("/pets", "prod"), (String::new(), "/pets".to_owned()));
}

#[test]
fn an_event_of_format_1_is_a_request() {
    let event = json!({
        "resource": "/{proxy+}", "path": "/pets and", "httpMethod": "GET",
        "headers": {"Host": "x.example.com:8443", "A": "2"}, "multiValueHeaders": {"Host": ["x.example.com:8443"], "A": ["1", "2"]},
        "queryStringParameters": {"q": "ü &"}, "multiValueQueryStringParameters": {"q": ["1", "ü &"]},
        "requestContext": {"stage": "prod", "path": "/prod/pets and", "protocol": "HTTP/2.0", "identity": {"sourceIp": "::1"}},
        "body": null, "isBase64Encoded": false
    });
    let (made, form) = request(&event);
    assert_eq!(
        (form, made.path.as_str(), made.mount.as_str()),
        (WebForm::V1, "/prod/pets%20and", "/prod")
    );
    assert_eq!((made.query.as_deref(), made.version.as_str()), (Some("q=1&q=%C3%BC%20%26"), "2"));
    assert_eq!(made.server, ("x.example.com".to_owned(), 8443));
    let values: Vec<_> = made.headers.all("a").collect();
    assert_eq!(values, [b"1", b"2"]);
    assert_eq!(body(&made), "");
}

#[test]
fn an_event_of_a_load_balancer_keeps_its_query_and_names_its_form() {
    let event = json!({
        "requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "GET", "path": "/a",
        "queryStringParameters": {"q": "%20x"}, "headers": {"host": "lb", "x-forwarded-for": "1.1.1.1, 2.2.2.2", "x-forwarded-port": "8080", "x-forwarded-proto": "http"},
        "body": "", "isBase64Encoded": false
    });
    let (made, form) = request(&event);
    assert_eq!((form, made.query.as_deref()), (WebForm::Alb, Some("q=%20x")));
    assert_eq!(made.client_ip().unwrap().to_string(), "2.2.2.2");
    assert_eq!(made.server, ("lb".to_owned(), 8080));
    let mut lists = event;
    lists["multiValueHeaders"] = json!({"host": ["lb"]});
    assert_eq!(request(&lists).1, WebForm::AlbMultiValue);
}

#[test]
fn what_is_no_web_request_is_told() {
    for event in [
        json!({"Records": []}),
        json!(5),
        json!(null),
        json!({"httpMethod": "GET"}),
        json!({"requestContext": {"http": {}}}),
    ] {
        let error = request_of(event.to_string().into()).unwrap_err();
        assert!(error.message().starts_with("the event is no web request"), "{event}: {error}");
    }
    let mut event = v2("/", "$default");
    event["body"] = json!("&");
    assert!(request_of(event.to_string().into()).unwrap_err().message().contains("no base64"));
}

fn response(headers: &[(&str, &str)], body: &'static [u8]) -> WebResponse {
    let headers = Fields::from_iter(headers.iter().copied());
    WebResponse {
        head: ResponseHead { status: 201, reason: None, headers },
        body: Bytes::from_static(body),
    }
}

fn result(form: WebForm, headers: &[(&str, &str)], body: &'static [u8]) -> Value {
    let (text, _) = form.result(response(headers, body)).into_bytes().unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn a_response_is_the_result_of_each_form() {
    let headers = [
        ("Content-Type", "text/plain"),
        ("set-cookie", "a=1"),
        ("vary", "x"),
        ("set-cookie", "b=2"),
        ("vary", "y"),
    ];
    assert_eq!(
        result(WebForm::V2, &headers, b"hi"),
        json!({"statusCode": 201, "headers": {"content-type": "text/plain", "vary": "x, y"}, "cookies": ["a=1", "b=2"], "body": "hi", "isBase64Encoded": false})
    );
    assert_eq!(
        result(WebForm::V1, &headers, b"\xff"),
        json!({"statusCode": 201, "headers": {"content-type": "text/plain"}, "multiValueHeaders": {"set-cookie": ["a=1", "b=2"], "vary": ["x", "y"]}, "body": "/w==", "isBase64Encoded": true})
    );
    assert_eq!(
        result(WebForm::Alb, &headers, b""),
        json!({"statusCode": 201, "statusDescription": "201 Created", "headers": {"content-type": "text/plain", "set-cookie": "a=1", "Set-cookie": "b=2", "vary": "x, y"}, "body": "", "isBase64Encoded": false})
    );
    assert_eq!(
        result(WebForm::AlbMultiValue, &headers[..1], b""),
        json!({"statusCode": 201, "statusDescription": "201 Created", "multiValueHeaders": {"content-type": ["text/plain"]}, "body": "", "isBase64Encoded": false})
    );
}

#[test]
fn a_packed_body_is_never_text_and_metadata_have_no_body() {
    assert_eq!(
        result(WebForm::V2, &[("content-encoding", "gzip")], b"abc")["isBase64Encoded"],
        json!(true)
    );
    let head = response(&[("a", "1"), ("set-cookie", "c")], b"").head;
    assert_eq!(metadata_of(&head), r#"{"statusCode":201,"headers":{"a":"1"},"cookies":["c"]}"#);
}
