//! Who asks, and under which id: request ids, and what proxies say of their clients.

use crate::support::{Folder, LANGUAGES, PROBE_LANGUAGES, Served};
use serde_json::{Value, json};

#[test]
fn a_request_has_one_id_wherever_it_shows() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1"]);
        let given = [("x-request-id", "order-7/a.b")];
        let reply = served.request("GET", "/", &given, b"");
        assert_eq!(reply.json()["requestContext"]["requestId"], "order-7/a.b");
        assert_eq!(reply.all("x-request-id"), ["order-7/a.b"]);
        assert_eq!(reply.all("x-amzn-requestid"), ["order-7/a.b"]);
        let context = served.request("GET", "/?do=context", &given, b"").json();
        assert_eq!(context["id"], "order-7/a.b");
        let reply = served.get("/");
        let id = reply.header("x-request-id").unwrap();
        assert_eq!(reply.json()["requestContext"]["requestId"], id);
        assert_eq!((id.len(), id.matches('-').count()), (36, 4), "{id}");
    }
}

#[test]
fn the_trace_context_of_a_request_reaches_its_function() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1"]);
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let sent = [("traceparent", parent), ("tracestate", "a=b"), ("x-trace", "other")];
        let context = served.request("GET", "/?do=context", &sent, b"").json();
        assert_eq!(context["w3c"], json!({"traceparent": parent, "tracestate": "a=b"}));
        let state_alone = [("tracestate", "a=b")];
        let without = served.request("GET", "/?do=context", &state_alone, b"").json();
        assert_eq!(without["w3c"], served.get("/?do=context").json()["w3c"]);
    }
}

#[test]
fn an_id_that_could_do_harm_is_replaced() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1"]);
    let long = "a".repeat(129);
    for given in ["", "a b", "a\"b", "a,b", "\u{e9}", "{}", long.as_str()] {
        let reply = served.request("GET", "/", &[("x-request-id", given)], b"");
        let id = reply.header("x-request-id").unwrap().to_owned();
        assert_eq!(id.len(), 36, "{given:?} became {id}");
    }
    let two = [("x-request-id", "a"), ("x-request-id", "b")];
    assert_eq!(served.request("GET", "/", &two, b"").header("x-request-id").unwrap().len(), 36);
}

#[test]
fn every_answer_has_an_id() {
    let folder = Folder::new(&[
        ("a.lua", "return function() error('no') end"),
        (
            "b.lua",
            "return function() return { statusCode = 200, headers = { ['x-request-id'] = 'mine' } } end",
        ),
    ]);
    let served = Served::start(&folder, &[".", "--workers", "1", "--body-limit", "10"]);
    let given = [("x-request-id", "id-1")];
    for (method, path, body, status) in [
        ("GET", "/", "", 200),
        ("GET", "/.trine/health", "", 200),
        ("GET", "/.trine/ready", "", 200),
        ("GET", "/nowhere", "", 404),
        ("POST", "/.trine/ready", "", 405),
        ("POST", "/a", "more than ten bytes", 413),
        ("GET", "/a", "", 500),
        ("POST", "/2015-03-31/functions/a/invocations", "{}", 200),
        ("OPTIONS", "*", "", 204),
    ] {
        let reply = served.request(method, path, &given, body.as_bytes());
        assert_eq!((reply.status, reply.all("x-request-id")), (status, vec!["id-1"]), "{path}");
    }
    // A function's own comes first.
    assert_eq!(served.request("GET", "/b", &given, b"").all("x-request-id"), ["mine"]);
}

/// Returns what an event says of its origin: source, scheme, host, and the list of addresses.
fn origin(served: &Served, headers: &[(&str, &str)]) -> [Value; 4] {
    let event = served.request("GET", "/", headers, b"").json();
    [
        event["requestContext"]["http"]["sourceIp"].clone(),
        event["headers"]["x-forwarded-proto"].clone(),
        event["requestContext"]["domainName"].clone(),
        event["headers"]["x-forwarded-for"].clone(),
    ]
}

const CLAIMS: &[(&str, &str)] = &[
    ("x-forwarded-for", "203.0.113.7, 192.0.2.1"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "shop.example"),
];

#[test]
fn a_trusted_proxy_says_where_a_request_comes_from() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1", "--trust-proxy", "127.0.0.0/8,::1"]);
    let expected = ["192.0.2.1", "https", "shop.example", "203.0.113.7, 192.0.2.1"];
    assert_eq!(origin(&served, CLAIMS), expected.map(Value::from));
    let standard = [("forwarded", "for=\"[2001:db8::1]:9\";proto=https;host=shop.example")];
    let [source, _, host, _] = origin(&served, &standard);
    assert_eq!((source, host), (json!("2001:db8::1"), json!("shop.example")));
    let plain = ["127.0.0.1", "http", "test.example", "127.0.0.1"];
    assert_eq!(origin(&served, &[]), plain.map(Value::from));
    for nonsense in ["", ",,,", "\"", "unknown", "1.2.3.4.5", "::1::"] {
        let claims = [("x-forwarded-for", nonsense), ("x-forwarded-host", "a b")];
        let [source, _, host, _] = origin(&served, &claims);
        assert_eq!((source, host), (json!("127.0.0.1"), json!("test.example")), "{nonsense:?}");
    }
}

#[test]
fn nobody_else_is_believed() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1", "--trust-proxy", "10.0.0.0/8"]);
    let expected = ["127.0.0.1", "http", "test.example", "127.0.0.1"];
    assert_eq!(origin(&served, CLAIMS), expected.map(Value::from));
    // Where no proxy is named, functions see the headers as they come, and the connection's address.
    let served = Served::start(&folder, &["--workers", "1"]);
    let expected = ["127.0.0.1", "https", "test.example", "203.0.113.7, 192.0.2.1"];
    assert_eq!(origin(&served, CLAIMS), expected.map(Value::from));
}
