//! The access log.

use crate::support::{Folder, LANGUAGES, Served, eventually, timeless};
use serde_json::{Value, json};

const TWO: &[(&str, &str)] = &[
    ("plain.lua", "return function() return { statusCode = 201, body = 'twelve bytes' } end"),
    (
        "pieces.mjs",
        "export async function* handler(event) {\n  yield 'first ';\n  yield 'second';\n  \
         if (event.rawQueryString) throw new Error('late');\n}\n",
    ),
];

/// Waits for this many lines of the access log.
#[track_caller]
fn lines(served: &Served, count: usize, is_one: impl Fn(&str) -> bool) -> Vec<String> {
    eventually("the lines are there", || {
        let text = served.process.stdout();
        let lines: Vec<String> =
            text.lines().filter(|line| is_one(line)).map(str::to_owned).collect();
        (lines.len() >= count).then_some(lines)
    })
}

#[test]
fn each_request_is_an_object_on_a_line_without_anything_secret() {
    let folder = Folder::new(TWO);
    let served = Served::start(&folder, &[".", "--workers", "1", "--access-log", "json"]);
    let headers = [
        ("x-request-id", "id-1"),
        ("user-agent", "test \"1\""),
        ("authorization", "Bearer sesame"),
        ("cookie", "token=sesame"),
        ("referer", "http://a/?token=sesame"),
    ];
    assert_eq!(
        served.request("POST", "/plain/a%20b?token=sesame", &headers, b"sesame").status,
        201
    );
    assert_eq!(served.get("/pieces").text(), "first second");
    assert_eq!(served.get("/nowhere?token=sesame").status, 404);
    assert_eq!(served.request("HEAD", "/plain", &[], b"").status, 201);
    let lines = lines(&served, 4, |line| line.starts_with("{\"timestamp\""));
    let objects: Vec<Value> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut first = objects[0].clone();
    assert!(first["durationMs"].take().is_f64());
    assert_eq!(timeless(first["timestamp"].take().as_str().unwrap()), "TIME");
    assert_eq!(
        first,
        json!({
            "timestamp": null, "type": "access", "requestId": "id-1", "client": "127.0.0.1",
            "method": "POST", "scheme": "http", "host": "test.example:80", "path": "/plain/a%20b",
            "protocol": "HTTP/1.1", "status": 201, "bytes": 12, "durationMs": null,
            "function": "plain", "userAgent": "test \"1\"",
        })
    );
    let facts = |object: &Value| ["path", "status", "bytes", "function"].map(|m| object[m].clone());
    assert_eq!(facts(&objects[1]), [json!("/pieces"), json!(200), json!(12), json!("pieces")]);
    assert_eq!(facts(&objects[2])[..2], [json!("/nowhere"), json!(404)]);
    assert_eq!(facts(&objects[3]), [json!("/plain"), json!(201), json!(0), json!("plain")]);
    assert!(!served.process.stdout().contains("sesame"), "{:?}", served.process);
}

#[test]
fn an_answer_that_is_cut_off_says_so() {
    let folder = Folder::new(TWO);
    let served = Served::start(&folder, &["pieces.mjs", "--workers", "1", "--access-log", "json"]);
    let mut connection = crate::support::Connection::open(served.address);
    connection.send("GET", "/?fail", &[], b"");
    let lines = lines(&served, 1, |line| line.starts_with("{\"timestamp\""));
    let object: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((&object["status"], &object["cutOff"]), (&json!(200), &json!(true)));
}

#[test]
fn the_common_format_is_that_of_other_servers() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1", "--access-log", "common"]);
    assert_eq!(served.get("/a%22?do=repeat&text=x&count=3").status, 200);
    assert_eq!(served.request("POST", "/%0A\"b?do=count", &[], b"").status, 200);
    let lines = lines(&served, 2, |line| line.starts_with("127.0.0.1 - - ["));
    let rest = |line: &str| line.split_once("] ").unwrap().1.to_owned();
    assert_eq!(rest(&lines[0]), "\"GET /a%22 HTTP/1.1\" 200 3");
    assert_eq!(rest(&lines[1]), "\"POST /%0A\\\"b HTTP/1.1\" 200 1");
    let time = lines[0].split_once('[').unwrap().1.split_once(']').unwrap().0;
    // 31/Jan/2026:23:59:59 +0000
    assert_eq!((time.len(), &time[2..3], &time[20..]), (26, "/", " +0000"), "{time}");
}

#[test]
fn lines_are_written_whatever_the_level_of_the_log() {
    let folder = Folder::probe(LANGUAGES[4]);
    let arguments = ["--workers", "1", "--access-log", "json", "--log-level", "fatal"];
    let served = Served::start(&folder, &arguments);
    assert_eq!(served.get("/.trine/health").text(), "ok");
    let lines = lines(&served, 1, |line| line.starts_with("{\"timestamp\""));
    assert!(lines[0].contains("\"path\":\"/.trine/health\""), "{lines:?}");
}

#[test]
fn the_client_behind_a_trusted_proxy_is_named() {
    let folder = Folder::probe(LANGUAGES[4]);
    let proxied = ["--access-log", "json", "--trust-proxy", "127.0.0.1"];
    let served = Served::start(&folder, &[&["--workers", "1"][..], &proxied].concat());
    let headers = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https")];
    assert_eq!(served.request("GET", "/", &headers, b"").status, 200);
    let lines = lines(&served, 1, |line| line.starts_with("{\"timestamp\""));
    let object: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!((&object["client"], &object["scheme"]), (&json!("192.0.2.1"), &json!("https")));
}
