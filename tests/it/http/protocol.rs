//! The protocol itself: malformed requests, targets of every form, answers without content.

use crate::support::{Connection, Folder, LANGUAGES, Reply, Served};
use serde_json::json;
use std::{fs, path::Path};

/// A function that leaves a mark when it is called, and answers with its event or what the query says.
const HANDLER: &str = "\
import json, os
def handler(event, context):
    open('called', 'a').write(event['requestContext']['http']['method'] + ' ')
    query = event.get('queryStringParameters') or {}
    if 'status' in query:
        return {'statusCode': query['status'], 'body': 'content', 'headers': {'content-type': 'a/b'}}
    return event
";

fn served() -> (Folder, Served) {
    let folder = Folder::new(&[("app.py", HANDLER)]);
    let served = Served::start(&folder, &["app.py", "--workers", "1"]);
    (folder, served)
}

/// Sends these bytes on a new connection.
#[track_caller]
fn exchange(served: &Served, bytes: impl AsRef<[u8]>) -> (Reply, Connection) {
    let mut connection = Connection::open(served.address);
    connection.write(bytes.as_ref());
    let reply = connection.receive("GET");
    (reply, connection)
}

fn calls(task: &Path) -> String {
    fs::read_to_string(task.join("called")).unwrap_or_default()
}

#[test]
fn what_is_no_request_of_the_protocol_is_400_and_reaches_no_function() {
    let (folder, served) = served();
    for (head, what) in [
        ("GET / HTTP/1.1", "no host"),
        ("GET / HTTP/1.1\r\nhost: a\r\nhost: a", "two hosts"),
        ("GET / HTTP/1.1\r\nhost: a\r\nHost: b", "two hosts"),
        ("GET / HTTP/1.1\r\nhost: a b", "a host with a space"),
        ("GET / HTTP/1.1\r\nhost: a/b", "a host with a path"),
        ("GET / HTTP/1.1\r\nhost: me@a", "a host with a user"),
        ("GET / HTTP/1.1\r\nhost: http://a", "a URI for a host"),
        ("GET / HTTP/1.1\r\nhost: a:b", "a port of letters"),
        ("GET / HTTP/1.1\r\nhost: a:99999", "a port that no port has"),
        ("GET / HTTP/1.1\r\nhost: [::1", "half of an address"),
        ("GET / HTTP/1.1\r\nhost: \u{fc}", "a host that is not ASCII"),
        ("GET / HTTP/1.0\r\nhost: a\r\nhost: b", "two hosts, old version"),
        ("GET http://a/ HTTP/1.1", "a whole URI and no host"),
        ("GET http://me@a/ HTTP/1.1\r\nhost: a", "a user in the target"),
        ("GET ftp://a/ HTTP/1.1\r\nhost: a", "another scheme"),
        ("GET * HTTP/1.1\r\nhost: a", "a star for a method that has none"),
        ("GET a HTTP/1.1\r\nhost: a", "a target without a slash"),
        ("GET a:80 HTTP/1.1\r\nhost: a", "an authority for a target"),
        ("GET  / HTTP/1.1\r\nhost: a", "two spaces"),
        ("GET /a b HTTP/1.1\r\nhost: a", "a space in the target"),
        ("GET / HTTP/2.5\r\nhost: a", "a version that is none"),
        ("G(T / HTTP/1.1\r\nhost: a", "a method that is no token"),
        ("GET / HTTP/1.1\r\nhost: a\r\nx : 1", "a space before the colon"),
        ("GET / HTTP/1.1\r\nhost: a\r\n x: 1", "a folded line"),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: 1\r\n 2", "a folded value"),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: 1\0 2", "a zero byte"),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: 1\r2", "a bare carriage return"),
        ("GET / HTTP/1.1\r\nhost: a\r\nno colon", "a line without a colon"),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x", "a length that is none"),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1", "a negative length"),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2", "two lengths"),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 2", "a list of lengths"),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip",
            "chunked not at the end",
        ),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked",
            "chunked twice",
        ),
        ("POST / HTTP/1.0\r\ntransfer-encoding: chunked", "a coding of a newer version"),
    ] {
        let (reply, mut connection) = exchange(&served, format!("{head}\r\n\r\n"));
        assert_eq!(reply.status, 400, "{what}: {reply:?}");
        assert!(connection.is_closed(), "{what}");
    }
    assert_eq!(calls(&folder.task()), "");
    assert_eq!(served.get("/").status, 200);
}

#[test]
fn a_refusal_says_why() {
    let (_folder, served) = served();
    let (reply, _) = exchange(&served, "GET / HTTP/1.1\r\n\r\n");
    assert_eq!(reply.json(), json!({"message": "the request has no Host header"}));
    let (reply, _) = exchange(&served, "GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n");
    assert_eq!(reply.json(), json!({"message": "the request has more than one Host header"}));
}

#[test]
fn a_host_is_what_the_contract_allows() {
    let (_folder, served) = served();
    for (host, domain) in [
        ("example.com", "example.com"),
        ("example.com:", "example.com"),
        ("my_service:8080", "my_service"),
        ("[::1]:80", "[::1]"),
        ("127.0.0.1", "127.0.0.1"),
        ("", "localhost"),
    ] {
        let (reply, _) = exchange(&served, format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        assert_eq!(reply.json()["requestContext"]["domainName"], domain, "{host:?}");
    }
    let (reply, mut connection) = exchange(&served, "GET / HTTP/1.0\r\n\r\n");
    assert_eq!((reply.status, &reply.json()["headers"]["host"]), (200, &json!(null)));
    assert!(connection.is_closed());
}

#[test]
fn a_target_that_is_a_uri_says_which_host_is_meant() {
    let (_folder, served) = served();
    let head = "GET http://api.example.com:8080/a/b?c=1 HTTP/1.1\r\nhost: other.example\r\n\r\n";
    let event = exchange(&served, head).0.json();
    assert_eq!(event["headers"]["host"], "api.example.com:8080");
    assert_eq!(event["requestContext"]["domainName"], "api.example.com");
    assert_eq!((&event["rawPath"], &event["rawQueryString"]), (&json!("/a/b"), &json!("c=1")));
    let bare = exchange(&served, "GET http://a.example HTTP/1.1\r\nhost: b\r\n\r\n").0.json();
    assert_eq!((&bare["rawPath"], &bare["headers"]["host"]), (&json!("/"), &json!("a.example")));
}

#[test]
fn a_tunnel_is_501_and_reaches_no_function() {
    let (folder, served) = served();
    for target in ["a.example:443", "http://a.example/", "/"] {
        let head = format!("CONNECT {target} HTTP/1.1\r\nhost: a\r\n\r\n");
        let (reply, mut connection) = exchange(&served, head);
        assert_eq!(reply.status, 501, "{reply:?}");
        assert!(connection.is_closed());
    }
    assert_eq!(calls(&folder.task()), "");
}

#[test]
fn a_question_to_the_server_as_a_whole_reaches_no_function() {
    let (folder, served) = served();
    let mut connection = Connection::open(served.address);
    let reply = connection.exchange("OPTIONS", "*", &[], b"");
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    assert!(reply.header("allow").unwrap().contains("OPTIONS"));
    assert_eq!(calls(&folder.task()), "");
    assert_eq!(connection.exchange("OPTIONS", "/", &[], b"").status, 200);
    assert_eq!(calls(&folder.task()), "OPTIONS ");
}

#[test]
fn a_body_with_two_lengths_ends_its_connection() {
    let (_folder, served) = served();
    // A proxy in front may have gone by the other one.
    let (reply, mut connection) = exchange(
        &served,
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n\
         content-type: text/plain\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n",
    );
    assert_eq!((reply.status, &reply.json()["body"]), (200, &json!("abc")));
    assert!(connection.is_closed());
    let same = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 3\r\n\
                content-type: text/plain\r\n\r\nabc";
    assert_eq!(exchange(&served, same).0.json()["body"], "abc");
    let gzip = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(exchange(&served, gzip).0.status, 501);
}

#[test]
fn answers_that_have_no_content_have_none_and_the_connection_goes_on() {
    let (_folder, served) = served();
    let mut connection = Connection::open(served.address);
    for (status, length) in [(204, None), (205, Some("0")), (304, None)] {
        connection.send("GET", &format!("/?status={status}"), &[], b"");
        // Any byte of a body would come before the next status line.
        let reply = connection.receive("GET");
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("content-length"), length, "{reply:?}");
        assert_eq!(reply.header("transfer-encoding"), None);
        let reply = connection.exchange("HEAD", &format!("/?status={status}"), &[], b"");
        assert_eq!(reply.status, status);
    }
    let reply = connection.exchange("HEAD", "/?status=200", &[], b"");
    assert_eq!((reply.status, reply.header("content-length")), (200, Some("7")));
    for status in [100, 101, 103] {
        assert_eq!(connection.exchange("GET", &format!("/?status={status}"), &[], b"").status, 502);
    }
    assert_eq!(connection.exchange("GET", "/?status=200", &[], b"").text(), "content");
}

#[test]
fn a_cookie_header_without_a_cookie_gives_no_member() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1"]);
    let cookies = |lines: &[&str]| {
        let headers: Vec<(&str, &str)> = lines.iter().map(|line| ("cookie", *line)).collect();
        served.request("GET", "/", &headers, b"").json()["cookies"].clone()
    };
    for lines in [&[""][..], &[";"], &["  ;  ; "], &["", ";;"]] {
        assert_eq!(cookies(lines), json!(null), "{lines:?}");
    }
    assert_eq!(cookies(&["; a=1 ;", "", "b=2"]), json!(["a=1", "b=2"]));
}
