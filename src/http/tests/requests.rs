//! Tests of the answers that requests get.

use super::fixture::{Fixture, post, site};
use crate::http::ErrorDetail;
use serde_json::json;
use std::{thread, time::Duration};

#[test]
fn a_single_function_has_the_whole_server() {
    let server = Fixture::start(site(&["hello"], true));
    for path in ["/", "/a/b?x=1"] {
        let event = server.get(path, "").json();
        assert_eq!(event["rawPath"], path.split('?').next().unwrap());
        assert_eq!(event["routeKey"], "$default");
        assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
        assert!(event.get("pathParameters").is_none());
    }
}

#[test]
fn several_functions_are_served_below_their_names() {
    let server = Fixture::start(site(&["hello/js", "pets"], true));
    let event = server.get("/hello/js/a%20b/c", "").json();
    assert_eq!(event["rawPath"], "/a%20b/c");
    assert_eq!(event["basePath"], "/hello/js");
    assert_eq!(event["requestContext"]["stage"], "hello/js");
    assert_eq!(event["pathParameters"], json!({"proxy": "a b/c"}));
    let missing = server.get("/pet", "");
    assert_eq!(missing.status, 404);
    let message = "no function is served at /pet; did you mean /pets?";
    assert_eq!(missing.json(), json!({"message": message, "functions": ["/hello/js", "/pets"]}));
}

#[test]
fn the_root_lists_the_functions_for_programs_and_for_people() {
    let server = Fixture::start(site(&["a", "b"], true));
    let list = server.get("/", "").json();
    assert_eq!(list["functions"][1]["path"], "/b");
    assert_eq!(list["functions"][1]["engine"], "echo");
    let page = server.get("/", "accept: text/html,*/*\r\n");
    assert!(page.text().contains("<a href=\"/a\">/a</a> (Echo)"), "{page:?}");
}

#[test]
fn whole_paths_are_kept_where_that_is_wanted() {
    let server = Fixture::with(site(&["a", "b"], true), |options| options.keep_base_path = true);
    let event = server.get("/a/x", "").json();
    assert_eq!((&event["rawPath"], event.get("basePath")), (&json!("/a/x"), None));
    assert_eq!(event["requestContext"]["stage"], "$default");
}

#[test]
fn health_is_told_below_the_servers_own_path_and_nowhere_else() {
    let server = Fixture::start(site(&["hello"], true));
    assert_eq!(server.get("/health", "").json()["rawPath"], "/health");
    let health = server.get("/.trine/health", "");
    assert_eq!((health.text(), health.header("cache-control")), ("ok".into(), Some("no-store")));
    assert_eq!(server.get("/.trine/ready", "").text(), "ready");
    assert_eq!(server.get("/.trine", "").status, 404);
    assert_eq!(server.get("/.triner", "").json()["rawPath"], "/.triner");
    let post = server.connect().exchange(&post("/.trine/ready", "", b""), b"");
    assert_eq!((post.status, post.header("allow")), (405, Some("get, head")));
}

#[test]
fn what_is_no_request_is_refused_before_any_function_sees_it() {
    let server = Fixture::start(site(&["hello"], true));
    for (head, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400),
        ("GET a HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        ("CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n", 501),
    ] {
        let mut client = server.connect();
        let refused = client.exchange(head, b"");
        assert_eq!((refused.status, refused.header("connection")), (status, Some("close")));
        assert!(client.is_closed());
    }
    let mut client = server.connect();
    assert_eq!(client.exchange("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", b"").status, 204);
    assert_eq!(client.exchange("OPTIONS /a HTTP/1.1\r\nhost: a\r\n\r\n", b"").status, 200);
}

#[test]
fn the_handler_knows_its_invocation() {
    let server = Fixture::with(site(&["hello"], true), |options| {
        options.timeout = Some(Duration::from_secs(60));
    });
    let answer = server.get("/", "x-do: id\r\n");
    assert_eq!(answer.json(), json!([true, "hello", true]));
    assert_eq!(answer.header("x-amzn-requestid").map(str::len), Some(36));
    let remaining = server.get("/", "x-do: deadline\r\n").json().as_i64().unwrap();
    assert!((50_000..=60_000).contains(&remaining), "{remaining}");
}

#[test]
fn a_connection_is_kept_for_further_requests() {
    let server = Fixture::start(site(&["hello"], true));
    let mut client = server.connect();
    for n in 0..3 {
        let answer = client.exchange(&format!("GET /{n} HTTP/1.1\r\nhost: x\r\n\r\n"), b"");
        assert_eq!(answer.json()["rawPath"], format!("/{n}"));
    }
    client.send("GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", b"");
    assert_eq!(client.receive(false).status, 200);
    assert!(client.is_closed());
}

#[test]
fn binary_bodies_pass_in_both_directions() {
    let server = Fixture::start(site(&["hello"], true));
    let body: Vec<u8> = (0..=255).collect();
    let head = post("/", "x-do: mirror\r\ncontent-type: image/png\r\n", &body);
    let answer = server.connect().exchange(&head, &body);
    assert_eq!((answer.status, answer.body), (200, body));
    let head = post("/", "content-type: application/json\r\n", b"[1]");
    assert_eq!(server.connect().exchange(&head, b"[1]").json()["body"], "[1]");
}

#[test]
fn a_chunked_body_is_read_whole() {
    let server = Fixture::start(site(&["hello"], true));
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n\
                transfer-encoding: chunked\r\n\r\n";
    let answer = server.connect().exchange(head, b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n");
    assert_eq!(answer.json()["body"], "abcde");
}

#[test]
fn cookies_come_as_a_list_and_go_as_headers() {
    let server = Fixture::start(site(&["hello"], true));
    let answer = server.get("/", "x-do: cookies\r\ncookie: a=1; b=2\r\n");
    assert!(answer.head.contains("set-cookie: a=1\r\nset-cookie: b=2\r\n"), "{}", answer.head);
}

#[test]
fn head_has_the_length_of_the_body_and_no_body() {
    let server = Fixture::start(site(&["hello"], true));
    let mut client = server.connect();
    let head = client.exchange("HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n", b"");
    assert!(head.header("content-length").unwrap().parse::<usize>().unwrap() > 100);
    // The next answer on the connection would be garbled if a body had been sent.
    assert_eq!(client.exchange("GET /b HTTP/1.1\r\nhost: x\r\n\r\n", b"").status, 200);
}

#[test]
fn too_large_a_body_is_refused_with_the_limit() {
    let server = Fixture::with(site(&["hello"], true), |options| options.body_limit = 4);
    let refused = server.connect().exchange(&post("/", "", b"12345"), b"12345");
    assert_eq!(refused.status, 413);
    assert_eq!(refused.json()["message"], "the request's body is larger than 4 bytes");
    let head = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let refused = server.connect().exchange(head, b"3\r\nabc\r\n3\r\ncde\r\n0\r\n\r\n");
    assert_eq!(refused.status, 413);
    assert_eq!(server.connect().exchange(&post("/", "", b"1234"), b"1234").status, 200);
}

#[test]
fn errors_are_answered_and_logged_and_the_server_goes_on() {
    let server = Fixture::start(site(&["hello"], true));
    let thrown = server.get("/", "x-do: throw\r\n");
    assert_eq!(thrown.status, 500);
    assert_eq!(thrown.json()["errorType"], "Oops");
    let malformed = server.get("/", "x-do: malformed\r\n");
    assert_eq!(malformed.status, 502);
    assert!(malformed.text().contains("statusCode is"), "{malformed:?}");
    assert_eq!(server.get("/", "").status, 200);
    let log = server.logged();
    assert!(log.contains("function 'hello' failed: Oops: on purpose"), "{log}");
    assert!(log.contains("no HTTP response: statusCode is"), "{log}");
}

#[test]
fn errors_are_hidden_from_callers_where_they_are_to_be() {
    let server = Fixture::with(site(&["a", "b"], true), |options| {
        options.error_detail = ErrorDetail::Hidden;
    });
    let hidden = |path, headers| server.get(path, headers).text();
    assert_eq!(hidden("/a", "x-do: throw\r\n"), r#"{"message":"Internal Server Error"}"#);
    assert_eq!(hidden("/a", "x-do: malformed\r\n"), r#"{"message":"Bad Gateway"}"#);
    assert_eq!(hidden("/c", ""), r#"{"message":"Not Found"}"#);
}

#[test]
fn requests_are_logged_where_that_is_wanted() {
    let server = Fixture::with(site(&["hello"], true), |options| options.log_requests = true);
    server.get("/a?b=1", "");
    let mut log = String::new();
    for _ in 0..100 {
        log = server.logged();
        if log.contains("GET /a 200 ") {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{log}");
}
