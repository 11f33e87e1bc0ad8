//! Requests to ASGI applications.

use super::{App, arriving, get, request};
use crate::harness::block_on;
use std::time::Duration;
use trine_engine::{ErrorKind, Fields, Interface, Payload};

/// An application that answers with what this expression gives.
pub(super) fn answering(setup: &str, value: &str) -> App {
    App::new(&format!(
        "import asyncio, json\n{setup}
async def app(scope, receive, send):
    if scope['type'] == 'lifespan': raise ValueError('none')
    body = repr({value}).encode()
    await send({{'type': 'http.response.start', 'status': 200, 'headers': [(b'content-type', b'text/plain')]}})
    await send({{'type': 'http.response.body', 'body': body}})
"
    ))
}

/// An application with this body.
pub(super) fn app(body: &str) -> App {
    let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
    App::new(&format!(
        "import asyncio, contextvars, json, os, time
async def start(send, status=200, headers=()):
    await send({{'type': 'http.response.start', 'status': status, 'headers': headers}})
async def body(send, data=b'', more=False):
    await send({{'type': 'http.response.body', 'body': data, 'more_body': more}})
async def app(scope, receive, send):
    assert scope['type'] == 'http'
{body}"
    ))
}

#[test]
fn a_response_is_whole_when_nothing_was_waited_for() {
    let app = answering("", "scope['method']");
    assert_eq!(app.interface, Interface::Asgi);
    let seen = app.get("/");
    assert!(!seen.streamed);
    assert_eq!((seen.head.status, seen.header("content-type")), (200, Some("text/plain")));
    assert_eq!(seen.body(), "'GET'");
    seen.result.unwrap();
}

#[test]
fn a_response_after_a_wait_is_whole_too_as_long_as_the_application_ends_with_it() {
    let seen = app("await asyncio.sleep(0.01)\nawait start(send)\nawait body(send, b'a', True)\nawait body(send, b'b')").get("/");
    assert_eq!((seen.streamed, seen.body()), (false, "ab".into()));
}

#[test]
fn the_scope_says_what_was_sent() {
    let app = answering("", "{k: v for k, v in scope.items() if k != 'state'}");
    let mut sent = request("PUT", "/shop/caf%C3%A9%2Fx?a=1&b=%20");
    sent.mount = "/shop".into();
    sent.version = "2".into();
    sent.scheme = "https".into();
    sent.headers = Fields::from_iter([("host", &b"h"[..]), ("x-a", b"1"), ("x-a", b"\xff")]);
    assert_eq!(
        block_on(app.send(sent)).body(),
        "{'type': 'http', 'asgi': {'version': '3.0', 'spec_version': '2.4'}, 'http_version': '2', \
         'server': ('example.test', 8080), 'client': ('10.0.0.7', 5123), 'scheme': 'https', 'method': 'PUT', \
         'root_path': '/shop', 'path': '/shop/café/x', 'raw_path': b'/shop/caf%C3%A9%2Fx', \
         'query_string': b'a=1&b=%20', 'headers': [(b'host', b'h'), (b'x-a', b'1'), (b'x-a', b'\\xff')], \
         'extensions': {'http.response.trailers': {}}}"
    );
    let mut sent = get("/%ff");
    sent.client = None;
    let app = answering(
        "",
        "[scope[k] for k in ('path', 'client', 'query_string', 'root_path', 'http_version')]",
    );
    assert_eq!(block_on(app.send(sent)).body(), "['/\u{fffd}', None, b'', '', '1.1']");
}

#[test]
fn a_scope_is_the_applications_own() {
    let app = answering(
        "",
        "(scope['state'].update(n=1), scope['extensions'].clear(), scope['asgi'].clear(), len(scope['headers']))",
    );
    assert_eq!(app.get("/").body(), app.get("/").body());
    let app = answering("", "(scope['state'], scope['asgi'], list(scope['extensions']))");
    let seen = "({}, {'version': '3.0', 'spec_version': '2.4'}, ['http.response.trailers'])";
    assert_eq!(app.get("/").body(), seen);
}

#[test]
fn an_event_is_in_the_scope_with_its_context() {
    let app = answering("", "(scope['aws.event'], scope['aws.context'].aws_request_id)");
    let mut sent = get("/");
    sent.event = Some("{\"version\": \"2.0\"}".into());
    assert_eq!(block_on(app.send(sent)).body(), "({'version': '2.0'}, 'id-1')");
    assert_eq!(answering("", "'aws.event' in scope").get("/").body(), "False");
}

#[test]
fn a_body_comes_whole_or_in_pieces() {
    assert_eq!(
        answering("", "await receive()").post("abc").body(),
        "{'type': 'http.request', 'body': b'abc', 'more_body': False}"
    );
    let app = answering("", "[await receive() for _ in range(2)]");
    let seen = block_on(async {
        let (body, stream) = arriving();
        let feeding = async {
            for piece in ["one", "two"] {
                tokio::time::sleep(Duration::from_millis(5)).await;
                stream.write(piece.into()).unwrap();
            }
        };
        tokio::join!(app.send(request("POST", "/").with_body(body)), feeding).0
    });
    assert_eq!(
        seen.body(),
        "[{'type': 'http.request', 'body': b'one', 'more_body': True}, \
         {'type': 'http.request', 'body': b'two', 'more_body': True}]"
    );
    let app =
        answering("", "[(m['body'], m['more_body']) for m in [await receive() for _ in range(2)]]");
    let (body, stream) = arriving();
    for piece in ["one", "two"] {
        stream.write(piece.into()).unwrap();
    }
    stream.finish(Ok(()));
    let seen = block_on(app.send(request("POST", "/").with_body(body)));
    assert_eq!(seen.body(), "[(b'one', True), (b'two', False)]");
}

#[test]
fn a_body_that_does_not_come_whole_is_a_disconnect() {
    let app = answering("", "[(await receive())['type'] for _ in range(3)]");
    let (body, stream) = arriving();
    stream.write("one".into()).unwrap();
    stream.finish(Err(trine_engine::Error::internal("reset")));
    let seen = block_on(app.send(request("POST", "/").with_body(body)));
    assert_eq!(seen.body(), "['http.request', 'http.disconnect', 'http.disconnect']");
}

#[test]
fn a_body_that_nobody_asks_for_is_not_read() {
    let app = answering("", "1");
    let (body, stream) = arriving();
    stream.write("one".into()).unwrap();
    let seen = block_on(app.send(request("POST", "/").with_body(body)));
    assert_eq!(seen.body(), "1");
    assert!(stream.is_gone());
}

#[test]
fn a_wait_for_a_message_that_is_given_up_loses_nothing() {
    let app = app("try: await asyncio.wait_for(receive(), 0.01)
except asyncio.TimeoutError: print('given up')
task = asyncio.create_task(receive())
message = await asyncio.gather(task, asyncio.ensure_future(asyncio.sleep(0.01)))
await start(send)
await body(send, message[0]['body'])");
    let (sent, stream) = arriving();
    let seen = block_on(async {
        let feeding = async {
            while app.case.log.text() != "given up\n" {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stream.write("late".into()).unwrap();
            stream.finish(Ok(()));
        };
        tokio::join!(app.send(request("POST", "/").with_body(sent)), feeding).0
    });
    assert_eq!(seen.body(), "late");
}

#[test]
fn what_is_ready_looks_like_a_coroutine() {
    let app = answering(
        "from collections.abc import Coroutine
async def both(receive, send):
    message = receive()
    return [isinstance(message, Coroutine), (await asyncio.create_task(message))['body']]",
        "await both(receive, send)",
    );
    assert_eq!(app.post("x").body(), "[True, b'x']");
}

#[test]
fn an_application_that_raises_is_an_error_with_its_place() {
    let error = app("raise KeyError('a')").error();
    assert_eq!(
        (error.kind(), error.name(), error.message()),
        (ErrorKind::Guest, "KeyError", "'a'")
    );
    assert!(error.frames()[0].file.ends_with("app.py") && error.frames()[0].line == 8);
    let seen = app("await start(send)\nawait body(send, b'a', True)\nraise KeyError('a')").get("/");
    assert_eq!((seen.streamed, seen.body()), (true, "a".into()));
    assert_eq!(seen.result.unwrap_err().name(), "KeyError");
    let seen = app("await start(send)\nraise KeyError('a')").get("/");
    assert!(!seen.streamed);
}

#[test]
fn an_application_that_does_not_answer_is_an_error() {
    let error = app("pass").error();
    assert_eq!(error.name(), "Runtime.NoResponse");
    assert_eq!(error.message(), "ASGI callable returned without starting response.");
    let error = app("await start(send)").error();
    assert_eq!(error.message(), "ASGI callable returned without completing response.");
    let error = App::new("def app(scope, receive, send): return 1\n").error();
    assert_eq!(
        error.message(),
        "the ASGI application is no coroutine: object int can't be used in 'await' expression"
    );
}

#[test]
fn misuse_raises_in_the_application() {
    for (misuse, message) in [
        (
            "await body(send)",
            "RuntimeError: Expected ASGI message 'http.response.start', but got 'http.response.body'.",
        ),
        (
            "await start(send)\nawait start(send)",
            "RuntimeError: Expected ASGI message 'http.response.body', but got 'http.response.start'.",
        ),
        (
            "await start(send)\nawait body(send)\nawait body(send)",
            "RuntimeError: Unexpected ASGI message 'http.response.body' sent, after response already completed.",
        ),
        ("await send({})", "KeyError: 'type'"),
        ("await send(None)", "TypeError: 'NoneType' object is not subscriptable"),
        ("await send({'type': 1})", "TypeError: 'type' of an ASGI message must be str, not int"),
        ("await send({'type': 'http.response.start'})", "KeyError: 'status'"),
        (
            "await start(send, 99)",
            "RuntimeError: 'status' of an ASGI message must be 100 to 999, not 99",
        ),
        ("await start(send, '200')", "TypeError: 'status' of an ASGI message must be int, not str"),
        (
            "await start(send, 200, [('a', 'b')])",
            "TypeError: names and values of headers in an ASGI message must be bytes, not str",
        ),
        (
            "await start(send, 200, [b'a'])",
            "TypeError: headers of an ASGI message must be pairs of a name and a value",
        ),
        ("await start(send, 200, 7)", "TypeError: 'int' object is not iterable"),
        ("await start(send, 200, [[b'a b', b'']])", "RuntimeError: Invalid HTTP header name."),
        (
            "await start(send, 200, [[b'a', b'x\\r\\ny: z']])",
            "RuntimeError: Invalid HTTP header value.",
        ),
        (
            "await start(send)\nawait body(send, 'text')",
            "TypeError: 'body' of an ASGI message must be bytes, not str",
        ),
        (
            "await start(send, 200, [(b'content-length', b'1')])\nawait body(send, b'ab')",
            "RuntimeError: Response content longer than Content-Length",
        ),
        (
            "await start(send, 200, [(b'content-length', b'3')])\nawait body(send, b'ab')",
            "RuntimeError: Response content shorter than Content-Length",
        ),
    ] {
        let error = app(misuse).error();
        assert_eq!(format!("{}: {}", error.name(), error.message()), message, "{misuse}");
        assert!(!error.frames().is_empty(), "{misuse}");
    }
}

#[test]
fn all_kinds_of_bytes_and_of_pairs_are_taken() {
    let seen = app("await start(send, 200, ([n, b'v'] for n in (b'a', b'b')))
await body(send, bytearray(b'a'), True)
await body(send, memoryview(b'-b-')[1:2])")
    .get("/");
    assert_eq!((seen.header("b"), seen.body()), (Some("v"), "ab".into()));
    let seen = app("await send({'type': 'http.response.start', 'status': 204})\nawait send({'type': 'http.response.body'})").get("/");
    assert_eq!((seen.head.status, seen.body()), (204, String::new()));
}

#[test]
fn a_head_request_gets_the_head_alone() {
    let app =
        app("await start(send, 200, [(b'content-length', b'5')])\nawait body(send, b'hello')");
    let seen = block_on(app.send(request("HEAD", "/")));
    assert_eq!((seen.header("content-length"), seen.body()), (Some("5"), String::new()));
    seen.result.unwrap();
}

#[test]
fn an_application_takes_requests_and_no_events() {
    let app = answering("", "1");
    let error =
        app.case.run(app.function, Payload::json("{}"), trine_engine::Form::Json).unwrap_err();
    assert_eq!(
        error.message(),
        "the handler is a web application (asgi), which takes requests and no events"
    );
}
