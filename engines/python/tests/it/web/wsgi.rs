//! Requests to WSGI applications.

use super::{App, arriving, get, request};
use crate::harness::block_on;
use std::time::Duration;
use trine_engine::{ErrorKind, Fields, Interface, Stream, Wanted};

/// An application with this body.
pub(super) fn app(body: &str) -> App {
    let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
    App::new(&format!("import sys, time\ndef app(environ, start_response):\n{body}"))
}

/// An application that answers with what this expression gives.
fn answering(value: &str) -> App {
    app(&format!("start_response('200 OK', [])\nreturn [repr({value}).encode()]"))
}

#[test]
fn a_response_of_one_piece_is_whole_and_has_a_length() {
    let app = app("start_response('201 Created', [('X-A', 'b'), ('X-A', 'é')])\nreturn [b'hello']");
    assert_eq!(app.interface, Interface::Wsgi);
    assert!(app.case.instance.holds_thread(app.function));
    let seen = app.get("/");
    assert_eq!((seen.streamed, seen.head.status, seen.body()), (false, 201, "hello".into()));
    let fields = [("X-A", &b"b"[..]), ("X-A", b"\xe9"), ("content-length", b"5")];
    assert_eq!(seen.head.headers, Fields::from_iter(fields));
    assert_eq!(seen.head.reason, None);
}

#[test]
fn the_environment_says_what_was_sent() {
    let app = answering("{k: v for k, v in sorted(environ.items()) if not k.startswith('wsgi.')}");
    let mut sent = request("PUT", "/shop/caf%C3%A9?a=1&b=%20");
    sent.mount = "/shop".into();
    sent.headers = Fields::from_iter([
        ("host", "h"),
        ("content-type", "text/plain"),
        ("content-length", "0"),
        ("x-a", "1"),
        ("x-a", "2"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("x_a", "forged"),
    ]);
    assert_eq!(
        block_on(app.send(sent)).body(),
        "{'CONTENT_LENGTH': '0', 'CONTENT_TYPE': 'text/plain', 'HTTP_COOKIE': 'a=1; b=2', 'HTTP_HOST': 'h', \
         'HTTP_X_A': '1,2', 'PATH_INFO': '/cafÃ©', 'QUERY_STRING': 'a=1&b=%20', 'RAW_URI': '/shop/caf%C3%A9?a=1&b=%20', \
         'REMOTE_ADDR': '10.0.0.7', 'REMOTE_PORT': '5123', 'REQUEST_METHOD': 'PUT', \
         'REQUEST_URI': '/shop/caf%C3%A9?a=1&b=%20', 'SCRIPT_NAME': '/shop', 'SERVER_NAME': 'example.test', \
         'SERVER_PORT': '8080', 'SERVER_PROTOCOL': 'HTTP/1.1', 'SERVER_SOFTWARE': 'trine'}"
    );
    let app = answering(
        "[environ['wsgi.' + k] for k in ('version', 'url_scheme', 'multithread', 'multiprocess', 'run_once', 'input_terminated')] + \
         [environ['wsgi.errors'] is sys.stderr, type(environ) is dict]",
    );
    assert_eq!(app.get("/").body(), "[(1, 0), 'http', True, False, False, True, True, True]");
}

#[test]
fn the_standard_librarys_validator_has_nothing_to_say() {
    let app = App::loaded(
        "from wsgiref.validate import validator
def inner(environ, start_response):
    body = environ['wsgi.input'].read(3)
    environ['wsgi.errors'].write('told\\n')
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return iter([body, b'!'])
app = validator(inner)
",
        Wanted::Handler("app".to_owned()),
        Some(Interface::Wsgi),
    )
    .unwrap();
    let seen = app.post("abc");
    seen.result.as_ref().unwrap();
    assert_eq!(seen.body(), "abc!");
    assert_eq!(app.case.log.of(Stream::Stderr), ["told\n"]);
}

#[test]
fn an_event_is_in_the_environment_with_its_context() {
    let app = answering(
        "(environ['aws.event'], environ['awsgi.event'] is environ['aws.event'], environ['awsgi.context'].aws_request_id)",
    );
    let mut sent = get("/");
    sent.event = Some("{\"a\": 1}".into());
    assert_eq!(block_on(app.send(sent)).body(), "({'a': 1}, True, 'id-1')");
}

#[test]
fn a_body_is_read_in_every_way() {
    for (read, seen) in [
        ("f.read()", "b'a\\nbc\\nd'"),
        ("f.read(-1)", "b'a\\nbc\\nd'"),
        ("[f.read(2), f.read(2), f.read()]", "[b'a\\n', b'bc', b'\\nd']"),
        ("f.read(100)", "b'a\\nbc\\nd'"),
        (
            "[f.readline(), f.readline(1), f.readline(), f.readline(), f.readline()]",
            "[b'a\\n', b'b', b'c\\n', b'd', b'']",
        ),
        ("f.readlines()", "[b'a\\n', b'bc\\n', b'd']"),
        ("list(f)", "[b'a\\n', b'bc\\n', b'd']"),
        ("[f.read(), f.read(), f.read(5), f.readline()]", "[b'a\\nbc\\nd', b'', b'', b'']"),
    ] {
        let value = read.replace('f', "environ['wsgi.input']");
        let app = answering(&value);
        assert_eq!(app.post("a\nbc\nd").body(), seen, "{read}");
        let (body, stream) = arriving();
        let feeding = std::thread::spawn(move || {
            for piece in ["a\nb", "c\n", "d"] {
                std::thread::sleep(Duration::from_millis(3));
                stream.write(piece.into()).unwrap();
            }
            std::thread::sleep(Duration::from_millis(3));
            stream.finish(Ok(()));
        });
        let arrived = block_on(app.send(request("POST", "/").with_body(body)));
        assert_eq!(arrived.body(), seen, "{read}");
        feeding.join().unwrap();
    }
}

#[test]
fn a_body_that_does_not_come_whole_raises() {
    let app = answering("environ['wsgi.input'].read()");
    let (body, stream) = arriving();
    stream.write("a".into()).unwrap();
    stream.finish(Err(trine_engine::Error::internal("reset")));
    let error = block_on(app.send(request("POST", "/").with_body(body))).result.unwrap_err();
    assert_eq!(error.name(), "ConnectionResetError");
    assert_eq!(error.message(), "the client is gone: the body of the request did not come whole");
}

#[test]
fn a_wait_for_a_body_that_never_comes_is_stopped() {
    let app = answering("print('begun') or environ['wsgi.input'].read()");
    let watchdog = super::interrupt_once_begun(&app.case);
    let (body, stream) = arriving();
    let error = block_on(app.send(request("POST", "/").with_body(body))).result.unwrap_err();
    watchdog.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    drop(stream);
}

#[test]
fn a_response_can_be_replaced_until_it_has_begun() {
    let report = "
except ValueError:
    start_response('500 Oh dear', [], sys.exc_info())
    return [b'failed']";
    let seen =
        app(&format!("start_response('200 OK', [])\ntry: raise ValueError('x'){report}")).get("/");
    assert_eq!((seen.head.status, seen.head.reason.as_deref()), (500, Some("Oh dear")));
    assert_eq!(seen.body(), "failed");
    let seen = app(&format!(
        "write = start_response('200 OK', [])\nwrite(b'a')\ntry: raise ValueError('x'){report}"
    ))
    .get("/");
    let error = seen.result.unwrap_err();
    assert_eq!((error.name(), error.message()), ("ValueError", "x"));
    assert_eq!((seen.head.status, seen.chunks.concat()), (200, b"a".to_vec()));
}

#[test]
fn misuse_raises_in_the_application() {
    for (misuse, message) in [
        ("return [b'a']", "AssertionError: write() before start_response()"),
        (
            "return []",
            "Runtime.NoResponse: the WSGI application returned without calling start_response",
        ),
        (
            "start_response('200 OK', [])\nreturn None",
            "TypeError: 'NoneType' object is not iterable",
        ),
        (
            "start_response('200 OK', [])\nreturn ['text']",
            "TypeError: the pieces of a WSGI response's body must be bytes, not str",
        ),
        (
            "start_response('200 OK', [])\nreturn 'text'",
            "TypeError: the pieces of a WSGI response's body must be bytes, not str",
        ),
        (
            "start_response('200 OK', [])\nstart_response('200 OK', [])",
            "AssertionError: Response headers already set!",
        ),
        ("start_response(200, [])", "TypeError: the status must be str, not int"),
        (
            "start_response('OK', [])",
            "ValueError: 'OK' is no status: it is three digits and a reason",
        ),
        ("start_response('', [])", "ValueError: '' is no status: it is three digits and a reason"),
        (
            "start_response('é00', [])",
            "ValueError: 'é00' is no status: it is three digits and a reason",
        ),
        (
            "start_response('200 a\\r\\nb', [])",
            "ValueError: the reason of a status must be one line",
        ),
        (
            "start_response('200 OK', [('a', 1)])",
            "TypeError: names and values of headers must be str, not int",
        ),
        (
            "start_response('200 OK', [('a', '\\u20ac')])",
            "ValueError: names and values of headers must consist of latin-1 characters",
        ),
        ("start_response('200 OK', [('a', 'x\\ny')])", "RuntimeError: Invalid HTTP header value."),
        ("start_response('200 OK', [('a:', 'x')])", "RuntimeError: Invalid HTTP header name."),
        (
            "async def later(): pass\nreturn later()",
            "TypeError: the WSGI application returned an object of type coroutine, which has to be awaited; is it an ASGI application?",
        ),
        ("start_response('200 OK', [], 7)\nreturn []", ""),
    ] {
        let seen = app(misuse).get("/");
        let told = seen.result.err().map(|error| format!("{}: {}", error.name(), error.message()));
        assert_eq!(told.unwrap_or_default(), message, "{misuse}");
    }
}

#[test]
fn an_application_that_raises_is_an_error_with_its_place_and_its_body_is_closed() {
    let error = app("raise KeyError('a')").error();
    assert_eq!((error.name(), error.frames()[0].line), ("KeyError", 3));
    let app = App::new(
        "class Body:
    def __iter__(self): yield b'a'; raise KeyError('late')
    def close(self): print('closed')
def app(environ, start_response):
    start_response('200 OK', [])
    return Body()
",
    );
    let seen = app.get("/");
    assert_eq!((seen.streamed, seen.body()), (true, "a".into()));
    assert_eq!(seen.result.unwrap_err().name(), "KeyError");
    assert_eq!(app.case.log.text(), "closed\n");
}

#[test]
fn an_application_that_never_ends_is_stopped() {
    for body in ["while True: pass", "time.sleep(1000)"] {
        let app = app(&format!("print('begun')\n{body}"));
        let watchdog = super::interrupt_once_begun(&app.case);
        assert_eq!(app.error().kind(), ErrorKind::Timeout, "{body}");
        watchdog.join().unwrap();
    }
}
