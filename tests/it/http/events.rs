//! Requests in, responses out, through a function of each language.

use crate::support::{Folder, Served, in_each_language};
use serde_json::json;

in_each_language! {
    a_request_arrives_as_an_event_of_format_2(language) {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1"]);
        let reply = served.request(
            "POST",
            "/some/p%C3%A4th?a=1&b=x%20y&a=2",
            &[
                ("content-type", "text/plain; charset=utf-8"),
                ("cookie", "one=1; two=2"),
                ("x-twice", "a"),
                ("X-Twice", "b"),
                ("user-agent", "tests"),
            ],
            "körper".as_bytes(),
        );
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        let event = reply.json();
        assert_eq!(event["version"], "2.0");
        assert_eq!(event["routeKey"], "$default");
        assert_eq!(event["rawPath"], "/some/p%C3%A4th");
        assert_eq!(event["rawQueryString"], "a=1&b=x%20y&a=2");
        assert_eq!(event["queryStringParameters"], json!({"a": "1,2", "b": "x y"}));
        assert_eq!(event["cookies"], json!(["one=1", "two=2"]));
        assert_eq!(event["headers"]["x-twice"], "a,b");
        assert_eq!(event["headers"]["cookie"], json!(null));
        assert_eq!(event["headers"]["x-forwarded-for"], "127.0.0.1");
        assert_eq!(event["body"], "körper");
        assert_eq!(event["isBase64Encoded"], false);
        let http = &event["requestContext"]["http"];
        assert_eq!((&http["method"], &http["sourceIp"]), (&json!("POST"), &json!("127.0.0.1")));
        assert_eq!(http["userAgent"], "tests");
        assert_eq!(event["requestContext"]["domainName"], "test.example");
        assert_eq!(reply.header("x-amzn-requestid"), event["requestContext"]["requestId"].as_str());
    }

    methods_headers_and_status_go_both_ways(language) {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1"]);
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let body: &[u8] = if method == "GET" { b"" } else { b"text" };
            let headers = [("content-type", "text/x-own"), ("cookie", "a=1; b=2")];
            let reply = served.request(method, "/x?do=mirror", &headers, body);
            assert_eq!(reply.status, 201, "{method}");
            assert_eq!(reply.header("content-type"), Some("text/x-own"));
            assert_eq!(reply.header("x-method"), Some(method));
            assert_eq!(reply.header("x-path"), Some("/x"));
            assert_eq!(reply.all("set-cookie"), ["a=1", "b=2"]);
            assert_eq!(reply.body, body);
        }
    }

    bytes_go_both_ways_as_base64(language) {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1"]);
        let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        for content_type in ["image/png", "text/plain"] {
            // What is declared as text but is not also travels as base64.
            let headers = [("content-type", content_type)];
            let reply = served.request("PUT", "/?do=mirror", &headers, &bytes);
            assert_eq!(reply.status, 201);
            assert!(reply.body == bytes, "{} bytes came back", reply.body.len());
        }
        let reply = served.request("POST", "/", &[("content-type", "image/png")], b"\xff\x00");
        let event = reply.json();
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("/wA="), &json!(true)));
    }

    a_head_request_gets_the_length_and_no_body(language) {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1"]);
        let mut connection = crate::support::Connection::open(served.address);
        let reply = connection.exchange("HEAD", "/?do=count", &[], b"");
        assert_eq!((reply.status, reply.header("content-length")), (200, Some("1")));
        // If there had been a body, this answer would begin with it.
        let reply = connection.exchange("GET", "/?do=count", &[], b"");
        assert_eq!((reply.status, reply.text()), (200, "2"));
    }

    an_error_is_a_500_with_the_document_of_its_language(language) {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1"]);
        let reply = served.get("/?do=fail");
        assert_eq!(reply.status, 500);
        assert_eq!(reply.json()["errorType"], "OutOfStock");
        assert_eq!(reply.json()["errorMessage"], "no anvil left");
        let reply = served.get("/?do=impossible");
        assert_eq!(reply.status, 502, "{reply:?}");
        assert_eq!(served.get("/?do=count").text(), "1");
    }

    to_exit_costs_the_server_nothing_but_the_request(language) {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1"]);
        let reply = served.post("/", r#"{}"#);
        assert_eq!(reply.status, 200);
        let reply = served.get("/?do=exit");
        assert_eq!(reply.status, 500, "{reply:?}");
        assert_eq!(served.get("/?do=count").status, 200);
        assert_eq!(served.process.status(), None);
    }
}

#[test]
fn results_that_are_no_response_are_the_body_of_a_200() {
    let folder = Folder::new(&[(
        "app.mjs",
        "export const handler = (event) => JSON.parse(event.body ?? 'null');",
    )]);
    let served = Served::start(&folder, &["app.mjs", "--workers", "1"]);
    for (result, body, content_type) in [
        (r#"{"a":1}"#, r#"{"a":1}"#, "application/json"),
        ("[1]", "[1]", "application/json"),
        (r#""text""#, "text", "application/json"),
        ("null", "null", "application/json"),
        ("7", "7", "application/json"),
    ] {
        let reply = served.post("/", result);
        assert_eq!((reply.status, reply.text()), (200, body));
        assert_eq!(reply.header("content-type"), Some(content_type));
    }
}

#[test]
fn every_status_that_ends_an_exchange_can_be_given() {
    let folder = Folder::new(&[(
        "app.py",
        "def handler(event, context):\n    \
         return {'statusCode': event['rawPath'][1:], 'body': 'x'}\n",
    )]);
    let served = Served::start(&folder, &["app.py", "--workers", "1"]);
    for status in [200, 201, 204, 205, 301, 304, 400, 404, 418, 500, 503, 599] {
        let reply = served.get(&format!("/{status}"));
        let body = if matches!(status, 204 | 205 | 304) { "" } else { "x" };
        assert_eq!((reply.status, reply.text()), (status, body));
    }
    for status in ["99", "100", "1000", "x", "-1"] {
        let reply = served.get(&format!("/{status}"));
        assert_eq!(reply.status, 502, "{status}: {reply:?}");
        assert!(reply.text().contains("statusCode"), "{reply:?}");
    }
}

#[test]
fn bytes_from_python_are_the_body_as_they_are() {
    let folder =
        Folder::new(&[("app.py", "def handler(event, context):\n    return bytes(range(256))\n")]);
    let served = Served::start(&folder, &["app.py"]);
    let reply = served.get("/");
    let expected: Vec<u8> = (0..=255).collect();
    assert_eq!((reply.status, reply.body), (200, expected));
}
