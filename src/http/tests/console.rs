//! The console over real sockets: who is let in, and what its API answers.

use super::fixture::{Answer, Fixture, site};
use crate::http::ConsoleOptions;
use serde_json::json;

const TOKEN: &str = "0123456789abcdef";

fn fixture(names: &[&str]) -> Fixture {
    Fixture::with(site(names, true), |options| {
        options.body_limit = 1000;
        options.console = Some(ConsoleOptions {
            generation: 3,
            is_development: true,
            token: Some(TOKEN.to_owned()),
        });
    })
}

/// Sends a request as the page would, or with other lines in its head.
fn ask(fixture: &Fixture, line: &str, head: &[(&str, &str)], body: &str) -> Answer {
    let host = fixture.address.to_string();
    let mut fields = vec![("host", host.as_str()), ("x-trine-token", TOKEN)];
    for (name, value) in head {
        fields.retain(|(known, _)| known != name);
        fields.push((name, value));
    }
    let mut text = format!("{line} HTTP/1.1\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        text += &format!("{name}: {value}\r\n");
    }
    fixture.connect().exchange(&format!("{text}\r\n"), body.as_bytes())
}

#[test]
fn nobody_but_the_page_is_let_in() {
    let fixture = fixture(&["a"]);
    let port = fixture.address.port();
    let functions = |head: &[(&str, &str)]| ask(&fixture, "GET /.trine/api/functions", head, "");
    assert_eq!(functions(&[]).status, 200);
    let own = format!("http://{}", fixture.address);
    assert_eq!(functions(&[("origin", &own)]).status, 200);
    let evil = format!("evil.example:{port}");
    for refused in [
        [("x-trine-token", "")],
        [("x-trine-token", "0123456789abcdee")],
        // A name of another site's that leads to this machine.
        [("host", evil.as_str())],
        [("origin", "http://evil.example")],
        [("origin", "null")],
        [("sec-fetch-site", "cross-site")],
    ] {
        let answer = functions(&refused);
        assert_eq!(answer.status, 403, "{refused:?}");
        assert!(answer.json()["message"].is_string());
    }
    for path in ["/.trine/api/live", "/.trine/api/samples", "/.trine/api/samples/s3"] {
        let line = format!("GET {path}");
        assert_eq!(ask(&fixture, &line, &[("x-trine-token", "")], "").status, 403, "{path}");
    }
    let invoke = |head: &[(&str, &str)]| {
        ask(&fixture, "POST /.trine/api/invoke/a", head, r#"{"event":1}"#).status
    };
    assert_eq!((invoke(&[]), invoke(&[("x-trine-token", "x")])), (200, 403));
    assert_eq!(invoke(&[("host", &evil)]), 403);
    // The token is in the page: so that is as well guarded.
    let page = |head: &[(&str, &str)]| ask(&fixture, "GET /.trine/", head, "");
    assert!(page(&[("x-trine-token", "")]).text().contains(TOKEN));
    for refused in
        [("host", evil.as_str()), ("sec-fetch-dest", "iframe"), ("sec-fetch-dest", "empty")]
    {
        let answer = page(&[refused]);
        assert!(answer.status == 403 && !answer.text().contains(TOKEN), "{refused:?}");
    }
}

#[test]
fn the_page_is_guarded_by_its_headers_and_no_other_site_is_given_leave() {
    let fixture = fixture(&["a"]);
    for path in ["", "console.js", "detail.js", "theme.css", "icon.svg", "api/functions"] {
        let answer = ask(&fixture, &format!("GET /.trine/{path}"), &[], "");
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(!answer.head.contains("access-control-"), "{}", answer.head);
    }
    let preflight = ask(&fixture, "OPTIONS /.trine/api/invoke/a", &[("x-trine-token", "")], "");
    assert!(preflight.status == 403 && !preflight.head.contains("access-control-"));
    let door = ask(&fixture, "GET /.trine", &[], "");
    assert_eq!((door.status, door.header("location")), (308, Some("/.trine/")));
}

#[test]
fn methods_names_and_sizes_are_checked() {
    let fixture = fixture(&["a", "b/c"]);
    let status = |line: &str, body: &str| ask(&fixture, line, &[], body).status;
    assert_eq!(status("POST /.trine/api/functions", ""), 405);
    assert_eq!(status("GET /.trine/api/invoke/a", ""), 405);
    assert_eq!(status("PUT /.trine/", ""), 405);
    assert_eq!(status("POST /.trine/api/invoke/b%2Fc", r#"{"event":{}}"#), 200);
    let unknown = ask(&fixture, "POST /.trine/api/invoke/aa", &[], r#"{"event":{}}"#);
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.json()["message"], "no function 'aa' is served; did you mean 'a'?");
    for wrong in ["", "1", "{}", r#"{"event":"#, r#"{"event":{}"#, "[]"] {
        assert_eq!(status("POST /.trine/api/invoke/a", wrong), 400, "{wrong}");
    }
    let huge = format!(r#"{{"event":"{}"}}"#, "x".repeat(1000));
    assert_eq!(status("POST /.trine/api/invoke/a", &huge), 413);
    assert_eq!(status("GET /.trine/api/samples/nothing", ""), 404);
    assert_eq!(status("GET /.trine/api/samples/s3", ""), 200);
    assert_eq!(status("GET /.trine/health", ""), 200);
}

#[test]
fn an_event_arrives_as_it_was_written_and_all_is_told_of_it() {
    let fixture = fixture(&["a"]);
    let event = r#"{"n":12345678901234567890.10}"#;
    let body = format!(r#"{{"event":{event}}}"#);
    let head = [("x-request-id", "mine-1")];
    let told = ask(&fixture, "POST /.trine/api/invoke/a", &head, &body).json();
    assert_eq!(
        (&told["id"], &told["function"], &told["ok"]),
        (&json!("mine-1"), &json!("a"), &json!(true))
    );
    assert_eq!(told["event"], json!({"kind": "json", "text": event, "cut": false}));
    assert_eq!((&told["cold"], &told["trigger"]), (&json!(true), &json!("console")));
    let kinds: Vec<&str> = told["spans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| span["kind"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"load") && kinds.contains(&"handler"), "{kinds:?}");
    let failed = r#"{"event":{"headers":{"x-do":"throw"}}}"#;
    let told = ask(&fixture, "POST /.trine/api/invoke/a", &[], failed).json();
    assert_eq!((&told["ok"], &told["problem"]["type"]), (&json!(false), &json!("Oops")));
    assert_eq!(
        (&told["problem"]["message"], &told["result"]),
        (&json!("on purpose"), &json!(null))
    );
    let listed = ask(&fixture, "GET /.trine/api/functions", &[], "").json();
    assert_eq!((&listed["generation"], &listed["isDevelopment"]), (&json!(3), &json!(true)));
    assert_eq!(listed["functions"][0]["health"], "ready");
}

#[test]
fn a_function_that_cannot_be_loaded_is_unwell_and_says_why() {
    let fixture = fixture(&["broken"]);
    let health = || {
        let listed = ask(&fixture, "GET /.trine/api/functions", &[], "").json();
        listed["functions"][0].clone()
    };
    assert_eq!(health()["health"], "not loaded yet");
    let told = ask(&fixture, "POST /.trine/api/invoke/broken", &[], r#"{"event":1}"#).json();
    assert_eq!(told["problem"]["type"], "SyntaxError");
    let known = health();
    assert_eq!(
        (&known["health"], &known["problem"]["message"]),
        (&json!("failed"), &json!("at the end"))
    );
}

#[test]
fn without_a_console_its_paths_are_nobodys() {
    let fixture = Fixture::start(site(&["a"], true));
    for path in ["/.trine/", "/.trine/console.js", "/.trine/api/functions", "/.trine/api/live"] {
        assert_eq!(fixture.get(path, "").status, 404, "{path}");
    }
}
