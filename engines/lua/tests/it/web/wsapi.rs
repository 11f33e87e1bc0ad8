//! WSAPI applications: their environment, their input, and what they return.

use super::{App, get, post, with_method};
use crate::support::{Guest, invocation, run};
use std::rc::Rc;
use trine_engine::{Form, Hook, Interface, Invocation, Payload, RequestBody, Stream, Wanted};

/// Returns a variable that the application sees, given as an expression.
async fn seen(request: trine_engine::WebRequest, expression: &str) -> String {
    let body = format!(
        "local value = {expression} return 200, {{}}, coroutine.wrap(function() coroutine.yield(tostring(value)) end)"
    );
    App::wsapi(&body).await.ask(request).await.unwrap().text().to_owned()
}

#[test]
fn the_environment_has_the_variables_of_cgi() {
    run(async {
        let request = || {
            let mut request = with_method("PUT", "/shop%20a/caf%C3%A9%2fx?a=1&b=%20");
            request.mount = "/shop%20a".to_owned();
            request.headers.extend([
                ("content-type", "text/plain"),
                ("content-length", "5"),
                ("user-agent", "test/1.0"),
                ("cookie", "a=1"),
                ("accept", "text/html"),
                ("cookie", "b=2"),
                ("accept", "*/*"),
                ("proxy", "http://evil"),
                ("x_real-ip", "forged"),
            ]);
            request.scheme = "https".to_owned();
            request
        };
        for (name, value) in [
            ("GATEWAY_INTERFACE", "CGI/1.1"),
            ("REQUEST_METHOD", "PUT"),
            ("SCRIPT_NAME", "/shop a"),
            ("PATH_INFO", "/café/x"),
            ("QUERY_STRING", "a=1&b=%20"),
            ("REQUEST_URI", "/shop%20a/caf%C3%A9%2fx?a=1&b=%20"),
            ("CONTENT_TYPE", "text/plain"),
            ("CONTENT_LENGTH", "5"),
            ("SERVER_NAME", "localhost"),
            ("SERVER_PORT", "8080"),
            ("SERVER_PROTOCOL", "HTTP/1.1"),
            ("REMOTE_ADDR", "203.0.113.7"),
            ("HTTPS", "on"),
            ("HTTP_HOST", "example.com"),
            ("HTTP_USER_AGENT", "test/1.0"),
            ("HTTP_COOKIE", "a=1; b=2"),
            ("HTTP_ACCEPT", "text/html, */*"),
            ("HTTP_PROXY", ""),
            ("HTTP_X_REAL_IP", ""),
            ("HTTP_CONTENT_TYPE", ""),
            ("PATH_TRANSLATED", ""),
            ("anything", ""),
        ] {
            assert_eq!(seen(request(), &format!("wsapi_env.{name}")).await, value, "{name}");
        }
        assert_eq!(seen(request(), "wsapi_env.input.length").await, "5");
        assert_eq!(seen(get("/"), "wsapi_env.CONTENT_LENGTH .. wsapi_env.QUERY_STRING .. wsapi_env.HTTPS .. wsapi_env.SCRIPT_NAME").await, "");
        assert_eq!(seen(get("/"), "wsapi_env.PATH_INFO").await, "/");
        let length = "wsapi_env.CONTENT_LENGTH .. '/' .. wsapi_env.input.length";
        assert_eq!(seen(post("12345"), length).await, "5/5");
        assert_eq!(seen(get("/"), "wsapi_env['aws.event']").await, "");
        assert_eq!(seen(get("/"), "wsapi_env['aws.context'].aws_request_id").await, "id-1");
        let mut request = get("/");
        request.event = Some(r#"{"version":"2.0"}"#.into());
        assert_eq!(seen(request, "wsapi_env['aws.event'].version").await, "2.0");
        let mut request = get("/shop");
        request.mount = "/shop".to_owned();
        request.client = None;
        assert_eq!(seen(request, "wsapi_env.PATH_INFO .. wsapi_env.REMOTE_ADDR").await, "/");
    });
}

#[test]
fn status_headers_and_chunks_become_the_answer() {
    run(async {
        let app = App::wsapi(
            "local headers = { ['Content-type'] = 'text/html', ['Set-Cookie'] = { 'a=1', 'b=2' }, ['X-Count'] = 3 }\n\
             local function page() coroutine.yield('<p>') coroutine.yield(wsapi_env.PATH_INFO) coroutine.yield('') coroutine.yield(1) end\n\
             return 201, headers, coroutine.wrap(page)",
        )
        .await;
        assert_eq!(app.interface, Interface::Wsapi);
        let answer = app.ask(get("/here")).await.unwrap();
        assert_eq!((answer.status, answer.text()), (201, "<p>/here1"));
        assert_eq!(answer.header("content-type"), "text/html");
        assert_eq!(answer.header("x-count"), "3");
        let cookies: Vec<_> = answer.headers.all("set-cookie").collect();
        assert_eq!(cookies, [b"a=1", b"b=2"]);
        for (status, expected, reason) in [
            ("'200 OK'", 200, Some("OK")),
            ("'404'", 404, None),
            ("'418 I am a teapot'", 418, Some("I am a teapot")),
            ("204.0", 204, None),
            ("999", 999, None),
        ] {
            let app = App::wsapi(&format!("return {status}, nil, function() end")).await;
            let answer = app.ask(get("/")).await.unwrap();
            assert_eq!((answer.status, answer.reason.as_deref()), (expected, reason), "{status}");
            assert!(answer.body.is_empty() && answer.headers.is_empty());
        }
    });
}

#[test]
fn any_iterator_will_do() {
    run(async {
        for iterator in [
            "coroutine.wrap(function() for i = 1, 3 do coroutine.yield('c' .. i) end end)",
            "coroutine.wrap(function() for i = 1, 3 do coroutine.yield('c' .. i) end coroutine.yield(nil) coroutine.yield('no') end)",
            "coroutine.wrap(function() for i = 1, 3 do coroutine.yield('c' .. i) end coroutine.yield(false) end)",
            "coroutine.create(function() for i = 1, 3 do coroutine.yield('c' .. i) end end)",
            "(function() local i = 0 return function() i = i + 1 return i <= 3 and 'c' .. i end end)()",
            "('c1 c2 c3'):gmatch('%S+')",
            "setmetatable({ n = 0 }, { __call = function(t) t.n = t.n + 1 return t.n <= 3 and 'c' .. t.n or nil end })",
            "coroutine.wrap(function() trine.sleep(0.001) for i = 1, 3 do coroutine.yield('c' .. i) end end)",
        ] {
            let app = App::wsapi(&format!("return 200, {{}}, {iterator}")).await;
            assert_eq!(app.text().await, "c1c2c3", "{iterator}");
        }
    });
}

#[test]
fn the_input_is_read_as_far_as_it_is_asked_for() {
    run(async {
        let show = "local t = {} local function read(...) t[#t + 1] = tostring(wsapi_env.input:read(...)) end";
        let end =
            "return 200, {}, coroutine.wrap(function() coroutine.yield(table.concat(t, '|')) end)";
        for (reads, expected) in [
            ("read(3) read(2) read(100) read(1)", "abc|de|fghij|nil"),
            ("read() read()", "abcdefghij|nil"),
            ("read(4) read() read(1)", "abcd|efghij|nil"),
            ("read(0) read(10.0)", "nil|abcdefghij"),
        ] {
            let app = App::wsapi(&format!("{show} {reads} {end}")).await;
            assert_eq!(app.ask(post("abcdefghij")).await.unwrap().text(), expected, "{reads}");
        }
        let app = App::wsapi(&format!("{show} read() read(5) {end}")).await;
        assert_eq!(app.ask(get("/")).await.unwrap().text(), "nil|nil");
        for (argument, got) in [("'*a'", "string"), ("-1", "number"), ("1.5", "number")] {
            let app = App::wsapi(&format!("wsapi_env.input:read({argument})")).await;
            let error = app.ask(post("x")).await.unwrap_err();
            let expected =
                format!("bad argument #1 to 'read' (a number of bytes expected, got {got})");
            assert_eq!(error.message(), expected);
            assert_eq!(error.frames()[0].line, 2);
        }
    });
}

#[test]
fn what_is_written_to_the_error_stream_is_logged() {
    run(async {
        let app =
            App::wsapi("wsapi_env.error:write('broken ', 1, '\\n') return 500, {}, function() end")
                .await;
        app.ask(get("/")).await.unwrap();
        assert_eq!(app.guest.log.of(Stream::Stderr), ["broken 1\n"]);
    });
}

#[test]
fn the_folder_of_the_application_is_known() {
    run(async {
        let app =
            App::wsapi("return 200, {}, ({ wsapi_env.APP_PATH .. '' })[1]:gmatch('.+')").await;
        let path = app.guest.folder.path().to_str().unwrap().to_owned();
        assert_eq!(app.text().await, path);
    });
}

#[test]
fn a_wrap_hook_wraps_an_application() {
    run(async {
        let guest = Guest::with(&[
            (
                "app.lua",
                "return { run = function(wsapi_env) return 200, {}, ('in'):gmatch('.+') end }",
            ),
            (
                "hooks.lua",
                "return { wrap = function(handler) return function(env) local status, headers, body = handler(env) headers['x-wrapped'] = env.REQUEST_METHOD return status, headers, body end end }",
            ),
        ]);
        let wrap = guest.hooks("hooks").await.unwrap().hook(Hook::Wrap).unwrap();
        let app = App::of(guest, Wanted::Unnamed).await.unwrap();
        let function = app.guest.instance.wrap(wrap, app.function).await.unwrap();
        let app = App { function, ..app };
        let answer = app.ask(get("/")).await.unwrap();
        assert_eq!((answer.header("x-wrapped"), answer.text()), ("GET", "in"));
    });
}

#[test]
fn calls_have_their_own_requests_also_side_by_side() {
    run(async {
        let app = App::wsapi(
            "trine.sleep(0.002) local body = wsapi_env.input:read() trine.sleep(0.002)\n\
             return 200, {}, coroutine.wrap(function() coroutine.yield(wsapi_env.PATH_INFO) trine.sleep(0.002) coroutine.yield(body) end)",
        )
        .await;
        let request =
            |path, body: &'static str| get(path).with_body(RequestBody::Whole(body.into()));
        let (one, two) = (invocation("1"), invocation("2"));
        let (one, two) = tokio::join!(
            app.ask_as(request("/a", "1"), &one),
            app.ask_as(request("/b", "2"), &two)
        );
        assert_eq!((one.unwrap().text(), two.unwrap().text()), ("/a1", "/b2"));
    });
}

#[test]
fn a_state_that_is_replaced_has_the_application_again() {
    run(async {
        let app = App::wsapi("if wsapi_env.PATH_INFO == '/exit' then os.exit(1) end return 200, {}, ('x'):gmatch('.')").await;
        assert!(app.ask(get("/exit")).await.is_err());
        assert_eq!(app.text().await, "x");
    });
}

#[test]
fn a_native_answer_is_the_same_response() {
    run(async {
        let app = App::wsapi("return 200, {}, ('x'):gmatch('.')").await;
        let cx: Rc<Invocation> = invocation("1");
        let input = Payload::Request(get("/").into());
        let answer = app.guest.instance.call(app.function, input, Form::Native, &cx).await.unwrap();
        let Payload::Response(response) = answer else { panic!("{answer:?}") };
        assert_eq!(response.body, "x");
    });
}
