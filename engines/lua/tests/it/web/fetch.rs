//! Applications with `fetch(request)`: the request, and what they return.

use super::{App, get, post, with_method};
use crate::support::{invocation, run};
use trine_engine::{ErrorKind, Interface, WebRequest};

/// Returns what an expression gives in an application that got this request.
async fn seen(request: WebRequest, expression: &str) -> String {
    let app = App::fetch(&format!("return tostring({expression})")).await;
    app.ask(request).await.unwrap().text().to_owned()
}

fn full() -> WebRequest {
    let mut request = with_method("PATCH", "/shop/caf%C3%A9?a=1&b=x+y%21&a=2&c&=d&a=3");
    request.mount = "/shop".to_owned();
    request.scheme = "https".to_owned();
    request.headers.extend([("x-one", "1"), ("x-one", "2"), ("cookie", "a=1"), ("cookie", "b=2")]);
    request
}

#[test]
fn a_request_says_what_was_asked_for() {
    run(async {
        for (expression, value) in [
            ("request.method", "PATCH"),
            ("request.scheme", "https"),
            ("request.host", "example.com"),
            ("request.path", "/café"),
            ("request.raw_path", "/caf%C3%A9"),
            ("request.mount", "/shop"),
            ("request.query_string", "a=1&b=x+y%21&a=2&c&=d&a=3"),
            ("request.url", "https://example.com/caf%C3%A9?a=1&b=x+y%21&a=2&c&=d&a=3"),
            ("request.client", "203.0.113.7"),
            ("request.headers['x-one']", "1, 2"),
            ("request.headers['X-One']", "1, 2"),
            ("request.headers.cookie", "a=1; b=2"),
            ("request.headers.Missing", "nil"),
            ("request.headers[1]", "nil"),
            ("request.query.b", "x y!"),
            ("request.query.c", ""),
            ("table.concat(request.query.a, '/')", "1/2/3"),
            ("request.query.d", "nil"),
            ("request.event", "nil"),
            ("request.anything", "nil"),
            ("context.aws_request_id", "id-1"),
            ("context.get_remaining_time_in_millis() > 0", "true"),
        ] {
            assert_eq!(seen(full(), expression).await, value, "{expression}");
        }
        let mut plain = get("/a");
        plain.headers = trine_engine::Fields::default();
        plain.client = None;
        let all = "request.url .. tostring(request.query_string) .. tostring(request.client) .. tostring(next(request.query))";
        assert_eq!(seen(plain, all).await, "http://localhost:8080/anilnilnil");
        let mut request = get("/");
        request.event = Some(r#"{"requestContext":{"stage":"dev"}}"#.into());
        assert_eq!(seen(request, "request.event.requestContext.stage").await, "dev");
    });
}

#[test]
fn a_request_can_be_written_as_json() {
    run(async {
        let app = App::fetch("local _ = request.query return { body = request }").await;
        let body = app.ask(full()).await.unwrap();
        let body: serde_json::Value = serde_json::from_str(body.text()).unwrap();
        assert_eq!(body["headers"]["x-one"], "1, 2");
        assert_eq!(body["query"]["a"], serde_json::json!(["1", "2", "3"]));
    });
}

#[test]
fn responses_are_tables_texts_and_statuses() {
    run(async {
        const TEXT: &str = "text/plain; charset=utf-8";
        for (result, status, media_type, body) in [
            ("'hello'", 200, TEXT, "hello"),
            ("''", 200, "", ""),
            ("404", 404, "", ""),
            ("204.0", 204, "", ""),
            ("{ status = 201 }", 201, "", ""),
            ("{ body = 'x' }", 200, TEXT, "x"),
            (
                "{ status = 202, body = 'x', headers = { ['Content-Type'] = 'a/b' } }",
                202,
                "a/b",
                "x",
            ),
            ("{ body = 'x', content_type = 'a/b' }", 200, "a/b", "x"),
            ("{ body = '\\0' }", 200, "application/octet-stream", "\0"),
            ("{ body = { a = { 1, 2 } } }", 200, "application/json", r#"{"a":[1,2]}"#),
            ("{ body = {} }", 200, "application/json", "{}"),
            ("{ body = trine.array {} }", 200, "application/json", "[]"),
            (
                "{ body = { 1 }, headers = { ['content-type'] = 'application/problem+json' } }",
                200,
                "application/problem+json",
                "[1]",
            ),
            ("{ body = function() end }", 200, "", ""),
            (
                "{ body = coroutine.create(function() coroutine.yield('a') coroutine.yield() coroutine.yield(nil) coroutine.yield('b') end) }",
                200,
                TEXT,
                "ab",
            ),
            (
                "{ body = coroutine.wrap(function() coroutine.yield('a') coroutine.yield('b') end) }",
                200,
                TEXT,
                "ab",
            ),
            ("{ body = ('a b'):gmatch('%S') }", 200, TEXT, "ab"),
            (
                "{ body = setmetatable({ n = 0 }, { __call = function(t) t.n = t.n + 1 return ({ 'a', 'b' })[t.n] end }) }",
                200,
                TEXT,
                "ab",
            ),
            (
                "{ body = coroutine.wrap(function() coroutine.yield('\\xff') end) }",
                200,
                "application/octet-stream",
                "\u{fffd}",
            ),
            (
                "{ body = coroutine.wrap(function() coroutine.yield('a') end), headers = { ['content-type'] = 'a/b' } }",
                200,
                "a/b",
                "a",
            ),
        ] {
            let app = App::fetch(&format!("return {result}")).await;
            assert_eq!(app.interface, Interface::Fetch);
            let answer = app.ask(get("/")).await.unwrap();
            let text = String::from_utf8_lossy(&answer.body);
            let got = (answer.status, answer.header("content-type"), &*text);
            assert_eq!(got, (status, media_type, body), "{result}");
        }
        let app = App::fetch(
            "return { status = 299, reason = 'Fine', headers = { ['set-cookie'] = { 'a=1' }, N = 5, F = 1.5 }, cookies = { 'b=2', 'c=3' } }",
        )
        .await;
        let answer = app.ask(get("/")).await.unwrap();
        assert_eq!(answer.reason.as_deref(), Some("Fine"));
        let cookies: Vec<_> = answer.headers.all("set-cookie").collect();
        assert_eq!(cookies, [b"a=1", b"b=2", b"c=3"]);
        assert_eq!((answer.header("n"), answer.header("f")), ("5", "1.5"));
    });
}

#[test]
fn bodies_are_texts_values_or_pieces() {
    run(async {
        let read = "local t = {} for piece in request:chunks() do t[#t + 1] = piece end";
        for (body, sent, expected) in [
            ("return request:text()", "hello", "hello"),
            ("return request.body", "hello", "hello"),
            ("return request:text() .. request:text() .. request.body", "ab", "ababab"),
            ("return request:text()", "", ""),
            ("return request:json().a[2]", r#"{"a":[1,"two"]}"#, "two"),
            ("return request:text() .. request:json()[1]", "[\"x\"]", "[\"x\"]x"),
            ("return request:read(2) .. '|' .. request:read()", "abcd", "ab|cd"),
            ("return tostring(request:read(2))", "", "nil"),
            ("request:read() return tostring(request:read())", "x", "nil"),
            (&format!("{read} return table.concat(t)"), "abc", "abc"),
            (&format!("{read} return #t .. ''"), "", "0"),
        ] {
            let app = App::fetch(body).await;
            assert_eq!(app.ask(post(sent)).await.unwrap().text(), expected, "{body}");
        }
        let app = App::fetch("\nlocal value = request:json()").await;
        let error = app.ask(post("{")).await.unwrap_err();
        assert!(error.message().starts_with("the body of the request is not JSON: "), "{error}");
        assert_eq!(error.frames()[0].line, 3, "{error:#}");
    });
}

#[test]
fn binary_bodies_go_both_ways_as_they_are() {
    run(async {
        let bytes: Vec<u8> = (0..=255).cycle().take(200_000).collect();
        for body in [
            "return { body = request:text() }",
            "return { body = request:chunks() }",
            "return { body = coroutine.create(function() for piece in request:chunks() do coroutine.yield(piece) end end) }",
        ] {
            let answer = App::fetch(body).await.ask(post(bytes.clone())).await.unwrap();
            assert!(answer.body == bytes, "{body}: {} bytes", answer.body.len());
        }
    });
}

#[test]
fn an_error_is_the_guests_with_its_place() {
    run(async {
        let error = |body: &'static str| async move {
            App::fetch(body).await.ask(get("/")).await.unwrap_err()
        };
        let raised = error("\nerror('no')").await;
        assert_eq!((raised.kind(), raised.name()), (ErrorKind::Guest, "LuaError"));
        assert_eq!((raised.message(), raised.frames()[0].line), ("no", 3));
        let own = error("error { type = 'Own', message = 'no' }").await;
        assert_eq!((own.name(), own.message()), ("Own", "no"));
        let inner = error("return { body = function()\nlocal n = nil .. 'x'\nend }").await;
        assert_eq!(inner.frames()[0].line, 3, "{inner:#}");
        let json = error("return { body = { a = print } }").await;
        assert_eq!(json.kind(), ErrorKind::Marshal);
        assert_eq!(
            json.message(),
            "Unable to marshal response: body.a is a function, which has no JSON form"
        );
        assert_eq!(json.frames()[0].line, 1, "{json:#}");
    });
}

#[test]
fn context_write_is_for_handlers_of_events() {
    run(async {
        let app = App::fetch("return select(2, pcall(context.write, 'x'))").await;
        let expected =
            "context.write writes the answer to an event; a web application returns its response";
        assert!(app.text().await.ends_with(expected));
    });
}

#[test]
fn a_request_that_is_over_cannot_be_read() {
    run(async {
        let app = App::fetch(
            "if kept then local ok, message = pcall(kept.text, kept) return message end kept = request return 'kept'",
        )
        .await;
        assert_eq!(app.ask(post("secret")).await.unwrap().text(), "kept");
        let message = app.ask(post("other")).await.unwrap().text().to_owned();
        assert!(
            message.ends_with("the request is over: its body cannot be read any more"),
            "{message}"
        );
    });
}

#[test]
fn what_is_finalized_finds_no_request() {
    run(async {
        let app = App::fetch(
            "setmetatable({}, { __gc = function() print(pcall(request.read, request)) end }) return request:text()",
        )
        .await;
        assert_eq!(app.ask(post("x")).await.unwrap().text(), "x");
        app.guest.instance.shutdown();
        let log = app.guest.log.text();
        assert!(log.contains("the request is over"), "{log}");
    });
}

#[test]
fn many_requests_leave_nothing_behind() {
    run(async {
        let app = App::fetch(
            "n = (n or 0) + 1 local text = request:text() if n % 4 == 0 then error(text) end \
             if n % 4 == 1 then return { body = coroutine.wrap(function() coroutine.yield(text) trine.sleep(0) coroutine.yield(text) end) } end \
             return { headers = { a = request.url }, body = { text } }",
        )
        .await;
        let round = async || {
            for _ in 0..400 {
                let _ = app.ask_as(post("x".repeat(1000)), &invocation("1")).await;
            }
            app.guest.instance.usage().heap_bytes
        };
        round().await;
        let before = round().await;
        let after = round().await.max(round().await);
        assert!(after < before + 400_000, "{before} {after}");
    });
}
