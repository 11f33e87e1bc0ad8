//! Input that nobody should send: no panic, no hang, one answer each.

use crate::support::{
    Connection, Folder, LANGUAGES, Lambda, PROBE_LANGUAGES, Served, ask, eventually, run, trine,
};
use serde_json::json;
use trine_emulator::Event;

#[test]
fn bytes_that_are_no_http_cost_nothing_but_their_connection() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1"]);
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        let mut connection = Connection::open(served.address);
        connection.write(bytes);
        // An answer of status 400 or none, and then the connection ends.
        eventually("the connection is closed", || connection.is_closed().then_some(()));
    }
    let reply = served.get("/?do=count");
    assert_eq!((reply.status, reply.text()), (200, "1"));
}

#[test]
fn a_head_beyond_the_limit_is_refused() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1"]);
    let long = "x".repeat(900_000);
    let reply = served.request("GET", "/", &[("x-long", &long)], b"");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["headers"]["x-long"], long);
    let mut connection = Connection::open(served.address);
    let longer = "x".repeat(4_000_000);
    connection.send("GET", "/", &[("x-long", &longer)], b"");
    assert_eq!(connection.receive("GET").status, 431);
    assert_eq!(served.get("/?do=count").text(), "1");
}

#[test]
fn odd_paths_queries_cookies_and_headers_reach_the_function_as_text() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1"]);
        let path = "/%00/%ff/..//%2e%2e/a?=&&a&=b&c=%zz&d=%ff&%E2%82%AC=%F0%9F%99%82&e=1+2%2B3";
        let cookies = [("cookie", ";; a ;=;b=\"x; y\"")];
        let mut connection = Connection::open(served.address);
        let reply = connection.exchange("GET", path, &cookies, b"");
        assert_eq!(reply.status, 200, "{reply:?}");
        let event = reply.json();
        assert_eq!(event["rawPath"], "/%00/%ff/..//%2e%2e/a");
        let query = &event["queryStringParameters"];
        assert_eq!((&query["€"], &query["e"]), (&json!("🙂"), &json!("1 2+3")), "{query}");
        assert_eq!(event["cookies"], json!(["a", "=", "b=\"x", "y\""]));
        connection
            .write(b"GET / HTTP/1.1\r\nhost: x\r\nx-bytes: caf\xe9\r\nx-utf8: caf\xc3\xa9\r\n\r\n");
        let headers = connection.receive("GET").json()["headers"].clone();
        assert_eq!(
            (&headers["x-bytes"], &headers["x-utf8"]),
            (&json!("caf\u{fffd}"), &json!("café"))
        );
    }
}

#[test]
fn thousands_of_query_parameters_and_dozens_of_headers_are_no_burden() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1"]);
    let query: Vec<String> = (0..5000).map(|number| format!("p{number}={number}")).collect();
    let names: Vec<String> = (0..90).map(|number| format!("x-{number}")).collect();
    let headers: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
    let reply = served.request("GET", &format!("/?{}", query.join("&")), &headers, b"");
    let event = reply.json();
    assert_eq!(event["queryStringParameters"]["p4999"], "4999");
    assert_eq!(event["headers"]["x-89"], "v");
    let reply = served.get(&format!("/?{}", "x".repeat(100_000)));
    assert_eq!(reply.status, 414);
}

#[test]
fn a_result_that_cannot_be_a_response_is_a_502_that_says_why() {
    for (result, why) in [
        ("{'statusCode': 200, 'headers': {'bad name': 'x'}}", "header name"),
        ("{'statusCode': 200, 'headers': {'x': 'a\\r\\nb: c'}}", "valid value"),
        ("{'statusCode': 200, 'headers': 'x'}", "'headers'"),
        ("{'statusCode': 200, 'cookies': ['a\\nb']}", "valid value"),
        ("{'statusCode': 200, 'body': '***', 'isBase64Encoded': True}", "base64"),
        ("{'statusCode': None}", ""),
        ("{'statusCode': 'abc'}", "statusCode"),
        ("{'statusCode': {}}", "statusCode"),
    ] {
        let source = format!("def handler(event, context):\n    return {result}\n");
        let folder = Folder::new(&[("app.py", &source)]);
        let served = Served::start(&folder, &["app.py", "--workers", "1"]);
        let reply = served.get("/");
        if why.is_empty() {
            assert!(matches!(reply.status, 200 | 502), "{result}: {reply:?}");
        } else {
            assert_eq!(reply.status, 502, "{result}: {reply:?}");
            assert!(reply.text().contains(why), "{result}: {reply:?}");
        }
        assert!(reply.header("b").is_none());
    }
}

#[test]
fn a_request_id_that_is_not_ascii_is_answered_or_ends_the_process_and_is_not_run_for_ever() {
    let (_folder, lambda) = Lambda::probe(LANGUAGES[4]);
    let mut waiting = lambda
        .emulator
        .invoke_streaming(Event { request_id: Some("ä".into()), ..Event::from(ask("count")) });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    eventually("the runtime has dealt with it", || {
        let tries = lambda.emulator.log().len();
        assert!(tries < 20, "the same event was run {tries} times and more\n{:?}", lambda.process);
        let limit = std::time::Duration::from_millis(20);
        let _ = runtime.block_on(async { tokio::time::timeout(limit, waiting.chunk()).await });
        let answered = lambda.emulator.log().iter().any(|entry| entry.status == 202);
        (answered || lambda.process.status().is_some()).then_some(())
    });
}

#[test]
fn headers_that_are_no_text_cost_the_invocation_nothing() {
    for language in PROBE_LANGUAGES {
        let (_folder, lambda) = Lambda::probe(language);
        let context = lambda.invoke(Event {
            trace_id: Some("Root=é".into()),
            tenant_id: Some("tenänt".into()),
            invoked_function_arn: Some("ärn".into()),
            ..Event::from(ask("context"))
        });
        assert_eq!(context["name"], "test_function");
        lambda.emulator.assert_clean();
    }
}

#[test]
fn a_client_context_in_utf8_reaches_the_function() {
    for language in PROBE_LANGUAGES {
        let (_folder, lambda) = Lambda::probe(language);
        let context = lambda.invoke(Event {
            client_context: Some(json!({"custom": {"city": "Köln 🙂"}}).to_string()),
            ..Event::from(ask("context"))
        });
        assert_eq!(context["custom"], json!({"city": "Köln 🙂"}), "{}", language.engine);
    }
}

#[test]
fn names_of_handlers_that_make_no_sense_are_told_in_words() {
    let folder = Folder::probe(LANGUAGES[4]);
    for handler in [
        "",
        " ",
        ".",
        "..",
        "/",
        "a/",
        ":",
        "probe.",
        "probe.lua:",
        "\u{1}",
        "a\nb.c",
        "../x.y",
        "💥.handler",
    ] {
        let finished = run(trine(&folder, &["invoke", handler]));
        assert_eq!(
            (finished.code, finished.stdout.as_str()),
            (Some(3), ""),
            "{handler:?}: {finished:?}"
        );
        assert!(finished.stderr.starts_with("error: "), "{handler:?}: {finished:?}");
        assert!(!finished.stderr.contains("panicked"), "{handler:?}: {finished:?}");
    }
    let long = format!("{}.handler", "x".repeat(100_000));
    let finished = run(trine(&folder, &["invoke", &long]));
    assert_eq!(finished.code, Some(3), "{}", finished.stderr.len());
    let deep = format!("{}x.handler", "a/".repeat(20_000));
    assert_eq!(run(trine(&folder, &["invoke", &deep])).code, Some(3));
}

#[test]
fn files_that_are_no_source_are_told_in_words() {
    for language in LANGUAGES {
        for (name, content) in [
            ("bytes", &b"\xff\xfe\x00\x01"[..]),
            ("nul", b"\0\0\0"),
            ("mark", b"\xef\xbb\xbf"),
            ("nothing", b""),
        ] {
            let folder = Folder::new(&[]);
            folder.write(&format!("app.{}", language.extension), content);
            let finished = run(trine(&folder, &["invoke", "app.handler"]));
            let told = (finished.code, finished.stdout.as_str());
            assert_eq!(told, (Some(3), ""), "{} {name}: {finished:?}", language.extension);
            assert!(!finished.stderr.contains("panicked"), "{finished:?}");
        }
    }
}

#[test]
fn endless_recursion_is_an_error_of_its_invocation_alone() {
    for (file, text) in [
        (
            "app.mjs",
            "const f = (n) => f(n + 1) + 1;\nexport const handler = (e) => e.deep ? f(0) : 'fine';",
        ),
        (
            "app.py",
            "def f(n):\n    return f(n + 1) + 1\n\n\
             def handler(event, context):\n    return f(0) if event.get('deep') else 'fine'\n",
        ),
        (
            "app.lua",
            "local function f(n) return f(n + 1) + 1 end\n\
             return { handler = function(e) return e.deep and f(0) or 'fine' end }",
        ),
    ] {
        let folder = Folder::new(&[(file, text)]);
        let lambda = Lambda::start(&folder, "app.handler");
        let (_, document) = lambda.fail(json!({"deep": true}));
        let message = document["errorMessage"].as_str().unwrap().to_lowercase();
        assert!(message.contains("stack") || message.contains("recursion"), "{document}");
        assert_eq!(lambda.invoke(json!({})), "fine", "{file}");
        lambda.emulator.assert_clean();
    }
}

#[test]
fn an_error_with_a_huge_message_is_cut_to_what_the_platform_takes() {
    for (file, text) in [
        ("app.mjs", "export const handler = () => { throw new Error('é'.repeat(3_000_000)); };"),
        ("app.py", "def handler(event, context):\n    raise ValueError('é' * 3_000_000)\n"),
        ("app.lua", "return { handler = function() error(string.rep('é', 3000000)) end }"),
    ] {
        let folder = Folder::new(&[(file, text)]);
        let lambda = Lambda::start(&folder, "app.handler");
        let (outcome, document) = lambda.fail(json!({}));
        assert!(document["errorMessage"].as_str().unwrap().ends_with('é'), "{file}");
        assert!(outcome.body().len() <= 1024 * 1024, "{file}: {}", outcome.body().len());
        lambda.emulator.assert_clean();
    }
}
