//! Tests of every rule by which a request becomes an event.

use super::*;
use http::Request;
use serde_json::{Value, json};

fn event(request: http::request::Builder, body: &'static [u8]) -> Value {
    mounted(request, body, None)
}

fn mounted(
    request: http::request::Builder,
    body: &'static [u8],
    mount: Option<Mount<'_>>,
) -> Value {
    written(EventFormat::AwsV2, request, body, mount, "$default").unwrap()
}

fn event_as(format: EventFormat, request: http::request::Builder, body: &'static [u8]) -> Value {
    written(format, request, body, None, "$default").unwrap()
}

fn written(
    format: EventFormat,
    request: http::request::Builder,
    body: &'static [u8],
    mount: Option<Mount<'_>>,
    route_key: &str,
) -> Result<Value, NoEvent> {
    let parameters = [("id".to_owned(), "a b".to_owned())];
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let around = EventContext {
        client: "192.0.2.1:5000".parse().unwrap(),
        scheme: "http",
        port: 9000,
        request_id: "id-1",
        trace_id: "Root=1-2-3",
        route_key,
        path_parameters: if route_key.contains('{') { &parameters } else { &[] },
        mount,
        authorizer: None,
        time: DateTime::from_timestamp_millis(1_583_348_638_390).unwrap(),
    };
    let text = || {
        let event = write(format, &parts, &Bytes::from_static(body), &around)?;
        Ok(event.into_bytes().unwrap().0)
    };
    let event = text()?;
    // When there were some like it, an event is taken apart.
    for _ in 0..5 {
        assert_eq!(text(), Ok(event.clone()));
    }
    Ok(serde_json::from_slice(&event).unwrap())
}

#[test]
fn an_event_has_the_members_of_payload_format_2() {
    let request = Request::post("/a%20b/c?x=1&y=a+b%21&x=2&z")
        .header("Host", "api.example.com:8080")
        .header("User-Agent", "curl/8")
        .header("Content-Type", "application/json")
        .header("X-One", "1")
        .header("x-one", "2")
        .header("Cookie", "a=1; b=2")
        .header("Cookie", "c=3");
    assert_eq!(
        event(request, b"{\"k\":1}"),
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/a%20b/c",
            "rawQueryString": "x=1&y=a+b%21&x=2&z",
            "cookies": ["a=1", "b=2", "c=3"],
            "headers": {
                "host": "api.example.com:8080",
                "user-agent": "curl/8",
                "content-type": "application/json",
                "x-one": "1,2",
                "x-forwarded-for": "192.0.2.1",
                "x-forwarded-proto": "http",
                "x-forwarded-port": "9000",
                "x-amzn-trace-id": "Root=1-2-3"
            },
            "queryStringParameters": {"x": "1,2", "y": "a b!", "z": ""},
            "requestContext": {
                "accountId": "anonymous",
                "apiId": "api",
                "authentication": null,
                "domainName": "api.example.com",
                "domainPrefix": "api",
                "http": {
                    "method": "POST",
                    "path": "/a%20b/c",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": "curl/8"
                },
                "requestId": "id-1",
                "routeKey": "$default",
                "stage": "$default",
                "time": "04/Mar/2020:19:03:58 +0000",
                "timeEpoch": 1_583_348_638_390_u64
            },
            "body": "{\"k\":1}",
            "isBase64Encoded": false
        })
    );
}

#[test]
fn what_a_request_does_not_have_is_left_out() {
    let event = event(Request::get("/"), b"");
    for member in ["cookies", "queryStringParameters", "pathParameters", "body", "basePath"] {
        assert!(event.get(member).is_none(), "{member}");
    }
    assert_eq!(event["rawQueryString"], "");
    assert_eq!(event["isBase64Encoded"], false);
    assert_eq!(event["requestContext"]["http"]["userAgent"], "");
    assert_eq!(event["requestContext"]["domainName"], "localhost");
}

#[test]
fn a_cookie_header_without_a_cookie_gives_no_member() {
    for line in ["", ";", " ; ;; ", "\t"] {
        let none = event(Request::get("/").header("cookie", line), b"");
        assert!(none.get("cookies").is_none() && none["headers"].get("cookie").is_none(), "{none}");
    }
    let second = Request::get("/").header("cookie", " ;").header("cookie", "; a=1;; b ;");
    assert_eq!(event(second, b"")["cookies"], json!(["a=1", "b"]));
}

#[test]
fn the_host_of_the_target_takes_the_place_of_the_headers() {
    let request = Request::get("http://api.example.org:81/a?b=1").header("Host", "other.example");
    let event = event(request.header("x-a", "1"), b"");
    assert_eq!(event["headers"]["host"], "api.example.org:81");
    assert_eq!(event["headers"]["x-a"], "1");
    assert_eq!(event["requestContext"]["domainName"], "api.example.org");
    assert_eq!(event["requestContext"]["apiId"], "api");
    assert_eq!((&event["rawPath"], &event["rawQueryString"]), (&json!("/a"), &json!("b=1")));
}

#[test]
fn a_mounted_function_sees_the_path_below_its_mount() {
    let mount = Mount { base_path: "/my%20shop/js", path: "/cart/7" };
    let event = mounted(Request::get("/my%20shop/js/cart/7?x=1"), b"", Some(mount));
    assert_eq!(event["rawPath"], "/cart/7");
    assert_eq!(event["basePath"], "/my%20shop/js");
    assert_eq!(event["requestContext"]["http"]["path"], "/cart/7");
    assert_eq!(event["requestContext"]["stage"], "my%20shop/js");
    assert_eq!(event["rawQueryString"], "x=1");
}

#[test]
fn headers_that_a_proxy_has_set_are_kept() {
    let request = Request::get("/")
        .header("x-forwarded-for", "203.0.113.9")
        .header("x-forwarded-proto", "https")
        .header("x-amzn-trace-id", "Root=1-a-b");
    let event = event(request, b"");
    assert_eq!(event["headers"]["x-forwarded-for"], "203.0.113.9");
    assert_eq!(event["headers"]["x-forwarded-proto"], "https");
    assert_eq!(event["headers"]["x-amzn-trace-id"], "Root=1-a-b");
}

#[test]
fn only_text_types_in_utf_8_without_encoding_travel_as_text() {
    let post = |content_type: &str| Request::post("/").header("content-type", content_type);
    for content_type in [
        "text/plain; charset=utf-8",
        "Text/HTML",
        "application/json",
        "application/problem+json",
        "image/svg+xml",
        "application/xml",
        "application/javascript",
    ] {
        let event = event(post(content_type), b"abc");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("abc"), &json!(false)));
    }
    let compressed = post("text/plain").header("content-encoding", "gzip");
    for (request, body) in [
        (post("application/x-www-form-urlencoded"), b"abc" as &[u8]),
        (post("multipart/form-data; boundary=x"), b"abc"),
        (post("application/octet-stream"), b"abc"),
        (Request::post("/"), b"abc"),
        (compressed, b"abc"),
        (post("text/plain"), b"\xff\xfe"),
    ] {
        let event = event(request, body);
        assert_eq!(event["isBase64Encoded"], true);
        assert_eq!(event["body"], if body == b"abc" { "YWJj" } else { "//4=" });
    }
}

#[test]
fn an_address_is_its_own_prefix() {
    for (host, name) in [("127.0.0.1:9000", "127.0.0.1"), ("[::1]:9000", "[::1]")] {
        let event = event(Request::get("/").header("host", host), b"");
        assert_eq!(event["requestContext"]["domainName"], name);
        assert_eq!(event["requestContext"]["apiId"], name);
    }
}

#[test]
fn a_new_trace_id_has_x_rays_form() {
    let time = DateTime::from_timestamp(1_583_348_638, 0).unwrap();
    let id = new_trace_id(time, &uuid::Uuid::from_u128(7));
    assert_eq!(id, "Root=1-5e5ffb9e-000000000000000000000000");
}

#[test]
fn a_function_url_has_no_routes_and_no_stages() {
    let mount = Some(Mount { base_path: "/shop", path: "/cart" });
    let event =
        written(EventFormat::FunctionUrl, Request::get("/shop/cart"), b"", mount, "GET /{id}");
    let event = event.unwrap();
    assert_eq!((&event["version"], &event["routeKey"]), (&json!("2.0"), &json!("$default")));
    assert_eq!(event["rawPath"], "/cart");
    assert_eq!(event["requestContext"]["stage"], "$default");
    assert!(event.get("pathParameters").is_none() && event.get("basePath").is_none(), "{event}");
}

#[test]
fn an_event_of_a_rest_api_has_the_members_of_payload_format_1() {
    let request = Request::post("/a%20b/c?x=1&y=a+b%21&x=2&z")
        .header("Host", "api.example.com")
        .header("User-Agent", "curl/8")
        .header("Content-Type", "application/json")
        .header("X-One", "1")
        .header("x-one", "2")
        .header("Cookie", "a=1; b=2");
    assert_eq!(
        event_as(EventFormat::AwsV1, request, b"{\"k\":1}"),
        json!({
            "resource": "/{proxy+}",
            "path": "/a%20b/c",
            "httpMethod": "POST",
            "headers": {
                "Host": "api.example.com",
                "User-Agent": "curl/8",
                "Content-Type": "application/json",
                "X-One": "2",
                "Cookie": "a=1; b=2",
                "X-Forwarded-For": "192.0.2.1",
                "X-Forwarded-Proto": "http",
                "X-Forwarded-Port": "9000",
                "X-Amzn-Trace-Id": "Root=1-2-3"
            },
            "multiValueHeaders": {
                "Host": ["api.example.com"],
                "User-Agent": ["curl/8"],
                "Content-Type": ["application/json"],
                "X-One": ["1", "2"],
                "Cookie": ["a=1; b=2"],
                "X-Forwarded-For": ["192.0.2.1"],
                "X-Forwarded-Proto": ["http"],
                "X-Forwarded-Port": ["9000"],
                "X-Amzn-Trace-Id": ["Root=1-2-3"]
            },
            "queryStringParameters": {"x": "2", "y": "a b!", "z": ""},
            "multiValueQueryStringParameters": {"x": ["1", "2"], "y": ["a b!"], "z": [""]},
            "pathParameters": {"proxy": "a b/c"},
            "stageVariables": null,
            "requestContext": {
                "accountId": "012345678912",
                "apiId": "api",
                "domainName": "api.example.com",
                "domainPrefix": "api",
                "extendedRequestId": "id-1",
                "httpMethod": "POST",
                "identity": {
                    "accessKey": null,
                    "accountId": null,
                    "apiKey": null,
                    "apiKeyId": null,
                    "caller": null,
                    "cognitoAuthenticationProvider": null,
                    "cognitoAuthenticationType": null,
                    "cognitoIdentityId": null,
                    "cognitoIdentityPoolId": null,
                    "principalOrgId": null,
                    "sourceIp": "192.0.2.1",
                    "user": null,
                    "userAgent": "curl/8",
                    "userArn": null
                },
                "path": "/a%20b/c",
                "protocol": "HTTP/1.1",
                "requestId": "id-1",
                "requestTime": "04/Mar/2020:19:03:58 +0000",
                "requestTimeEpoch": 1_583_348_638_390_u64,
                "resourceId": "000000",
                "resourcePath": "/{proxy+}",
                "stage": "$default"
            },
            "isBase64Encoded": false,
            "body": "{\"k\":1}"
        })
    );
}

#[test]
fn what_a_request_of_a_rest_api_does_not_have_is_null() {
    let root = event_as(EventFormat::AwsV1, Request::get("/"), b"");
    for member in [
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
    ] {
        assert_eq!(root.get(member), Some(&Value::Null), "{member}");
    }
    assert_eq!((&root["resource"], &root["isBase64Encoded"]), (&json!("/"), &json!(false)));
    let form = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
    let form = event_as(EventFormat::AwsV1, form, b"a=1");
    assert_eq!((&form["body"], &form["isBase64Encoded"]), (&json!("a=1"), &json!(false)));
    let binary = event_as(EventFormat::AwsV1, Request::post("/"), b"\xff\xfe");
    assert_eq!((&binary["body"], &binary["isBase64Encoded"]), (&json!("//4="), &json!(true)));
}

#[test]
fn a_declared_route_is_a_resource_and_a_mount_a_stage() {
    let mount = Some(Mount { base_path: "/shop", path: "/pets/a%20b" });
    let request = || Request::get("/shop/pets/a%20b");
    let event = written(EventFormat::AwsV1, request(), b"", mount, "GET /shop/pets/{id}").unwrap();
    assert_eq!(event["resource"], "/shop/pets/{id}");
    assert_eq!(event["pathParameters"], json!({"id": "a b"}));
    assert_eq!(
        (&event["path"], &event["requestContext"]["stage"]),
        (&json!("/pets/a%20b"), &json!("shop"))
    );
    assert_eq!(event["requestContext"]["path"], "/shop/pets/a%20b");
}

#[test]
fn an_event_of_a_load_balancer_has_one_value_or_lists() {
    let request = || {
        Request::put("/a%20b?x=%31&x=a+b&y")
            .header("Host", "alb.example.com")
            .header("X-One", "1")
            .header("X-One", "2")
            .header("Content-Type", "text/plain")
    };
    let single = event_as(EventFormat::Alb, request(), b"text");
    let arn = single["requestContext"]["elb"]["targetGroupArn"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:elasticloadbalancing:"), "{arn}");
    assert_eq!((&single["httpMethod"], &single["path"]), (&json!("PUT"), &json!("/a%20b")));
    assert_eq!(single["queryStringParameters"], json!({"x": "a+b", "y": ""}));
    assert_eq!(
        (&single["headers"]["x-one"], &single["headers"]["host"]),
        (&json!("2"), &json!("alb.example.com"))
    );
    assert_eq!((&single["body"], &single["isBase64Encoded"]), (&json!("text"), &json!(false)));
    assert!(single.get("multiValueHeaders").is_none());
    assert!(single.get("multiValueQueryStringParameters").is_none());
    let lists = event_as(EventFormat::AlbMultiValue, request(), b"");
    assert_eq!(lists["multiValueQueryStringParameters"], json!({"x": ["%31", "a+b"], "y": [""]}));
    assert_eq!(lists["multiValueHeaders"]["x-one"], json!(["1", "2"]));
    assert!(lists.get("headers").is_none() && lists.get("queryStringParameters").is_none());
    assert_eq!(lists["body"], "");
    let none = event_as(EventFormat::Alb, Request::get("/"), b"");
    assert_eq!(none["queryStringParameters"], json!({}));
    let binary = event_as(EventFormat::Alb, Request::post("/"), b"abc");
    assert_eq!((&binary["body"], &binary["isBase64Encoded"]), (&json!("YWJj"), &json!(true)));
}

#[test]
fn a_raw_event_is_the_body() {
    let read = |body| written(EventFormat::Raw, Request::post("/any?x=1"), body, None, "$default");
    assert_eq!(read(b"[1, {\"a\": null}]"), Ok(json!([1, {"a": null}])));
    assert_eq!(read(b""), Ok(json!({})));
    let why = read(b"{\"a\": }").unwrap_err();
    assert!(why.message.starts_with("the request's body is no JSON: "), "{why}");
    assert_eq!(why.status, 400);
}

#[test]
fn a_query_of_many_names_costs_no_more_than_their_number() {
    let query: Vec<String> = (0..4000).map(|n| format!("name{n}={n}")).collect();
    let request = || Request::get(format!("/?{}", query.join("&")));
    for format in [EventFormat::AwsV1, EventFormat::AlbMultiValue] {
        let event = event_as(format, request(), b"");
        assert_eq!(event["multiValueQueryStringParameters"].as_object().unwrap().len(), 4000);
    }
}

/// Returns the event of a request that is a CloudEvent, or why it is none.
fn cloud_event(headers: &[(&str, &str)], body: &'static [u8]) -> Result<Value, NoEvent> {
    let request = headers
        .iter()
        .fold(Request::post("/"), |request, (name, value)| request.header(*name, *value));
    written(EventFormat::CloudEvents, request, body, None, "$default")
}

const ATTRIBUTES: [(&str, &str); 4] =
    [("ce-id", "1"), ("ce-source", "/a"), ("Ce-Specversion", "1.0"), ("ce-type", "t")];

#[test]
fn a_cloud_event_in_either_mode_is_the_same_object() {
    let binary = |more: &[(&str, &str)], body| cloud_event(&[&ATTRIBUTES, more].concat(), body);
    let event = |more: Value| {
        let mut event = json!({"specversion": "1.0", "id": "1", "source": "/a", "type": "t"});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Ok(event)
    };
    let json = ("content-type", "application/json");
    assert_eq!(
        binary(&[json, ("ce-subject", "%E2%82%AC"), ("ce-trace", "x")], b"{\"a\":[1]}"),
        event(json!({
            "subject": "€", "trace": "x", "datacontenttype": "application/json", "data": {"a": [1]},
        }))
    );
    let text = [("content-type", "text/plain")];
    assert_eq!(binary(&text, b"1"), event(json!({"datacontenttype": "text/plain", "data": "1"})));
    let bytes = [("content-type", "image/png")];
    assert_eq!(
        binary(&bytes, b"\xff\xfe"),
        event(json!({"datacontenttype": "image/png", "data_base64": "//4="}))
    );
    assert_eq!(binary(&[], b""), event(json!({})));
    assert_eq!(binary(&[json], b""), event(json!({"datacontenttype": "application/json"})));
    let structured = [("content-type", "Application/CloudEvents+JSON; charset=UTF-8")];
    assert_eq!(
        cloud_event(
            &structured,
            br#"{"specversion":"1.0","id":"1","source":"/a","type":"t","n":null,"more":7,"data":"x"}"#
        ),
        event(json!({"more": 7, "data": "x"}))
    );
    assert_eq!(
        cloud_event(
            &structured,
            br#"{"specversion":"1.0","id":"1","source":"/a","type":"t","datacontenttype":"application/json",
                "data_base64":"eyJhIjoxfQ=="}"#
        ),
        event(json!({"datacontenttype": "application/json", "data": {"a": 1}}))
    );
}

#[test]
fn what_is_no_cloud_event_is_told() {
    let binary = |more: &[(&str, &str)], body| cloud_event(&[&ATTRIBUTES, more].concat(), body);
    let json = ("content-type", "application/json");
    let structured = ("content-type", "application/cloudevents+json");
    for (read, status, why) in [
        (cloud_event(&[json], b"{}"), 400, "neither the headers ce-specversion, ce-id"),
        (cloud_event(&ATTRIBUTES[1..], b""), 400, "'id' is missing"),
        (binary(&[("ce-time", "noon")], b""), 400, "'time' is \"noon\""),
        (binary(&[("ce-more", "%ff")], b""), 400, "'ce-more' is not UTF-8"),
        (binary(&[json], b"{"), 400, "its data is no JSON"),
        (cloud_event(&[structured], b"{"), 400, "body is no JSON"),
        (cloud_event(&[structured], b"[]"), 400, "a CloudEvent is an object"),
        (cloud_event(&[structured], b"{}"), 400, "'specversion' is missing"),
        (cloud_event(&[("content-type", "application/cloudevents+xml")], b""), 415, "+xml are not"),
        (
            cloud_event(&[("content-type", "application/cloudevents-batch+json")], b"[]"),
            415,
            "batch",
        ),
    ] {
        let none = read.unwrap_err();
        assert_eq!(none.status, status, "{none}");
        assert!(none.message.contains(why), "{none}");
    }
}

#[test]
fn a_batch_is_a_list_of_events_or_none_of_them() {
    let read = |text: &'static str| cloudevents::read_batch(&Bytes::from_static(text.as_bytes()));
    assert_eq!(read("[]").unwrap().len(), 0);
    let event = r#"{"specversion":"1.0","id":"1","source":"/a","type":"t"}"#;
    let two: &'static str = Box::leak(format!("[{event},{event}]").into_boxed_str());
    assert_eq!(read(two).unwrap().len(), 2);
    let broken: &'static str = Box::leak(format!("[{event},{{}}]").into_boxed_str());
    assert!(read(broken).unwrap_err().message.starts_with("event 1 of the batch: "));
    assert!(read("{}").unwrap_err().message.contains("is a list"));
}
