//! Bodies of requests that come in while the application runs.

use super::{App, with_method};
use crate::support::{Guest, invocation, run};
use bytes::Bytes;
use std::{cell::Cell, rc::Rc, time::Duration};
use tokio::time::sleep;
use trine_engine::{
    Error, Payload, RequestBody, ResponseStream, Result, Wanted, WebRequest, Written,
};

/// Makes a request whose body comes through a stream.
fn upload() -> (WebRequest, ResponseStream) {
    let stream = ResponseStream::new(None);
    let request = with_method("POST", "/").with_body(RequestBody::Arriving(stream.reader()));
    (request, stream)
}

/// Sends chunks, then the end.
async fn feed(stream: ResponseStream, chunks: &[&'static str]) {
    for chunk in chunks {
        sleep(Duration::from_millis(2)).await;
        stream.send(Bytes::from_static(chunk.as_bytes())).await.unwrap();
    }
    sleep(Duration::from_millis(2)).await;
    stream.finish(Ok(()));
}

#[test]
fn a_body_is_waited_for_where_it_is_read() {
    run(async {
        let pieces = "local t = {} for piece in request:chunks() do t[#t + 1] = piece end return table.concat(t, '|')";
        for (body, expected) in [
            ("return request:text()", "abcdefg"),
            (
                "return request:read(2) .. '|' .. request:read(4) .. '|' .. request:read(9)",
                "ab|cdef|g",
            ),
            ("return request:read(2) .. '|' .. request:read()", "ab|cdefg"),
            (
                "local co = coroutine.wrap(function() return pcall(request.read, request, 4) end) return select(2, co())",
                "abcd",
            ),
            (pieces, "abc|d|efg"),
            ("return { body = request:chunks() }", "abcdefg"),
        ] {
            let app = App::fetch(body).await;
            let (request, stream) = upload();
            let (answer, ()) = tokio::join!(app.ask(request), feed(stream, &["abc", "d", "efg"]));
            assert_eq!(answer.unwrap().text(), expected, "{body}");
        }
        let app = App::wsapi(
            "local all = wsapi_env.input:read() return 200, {}, coroutine.wrap(function() coroutine.yield(all) end)",
        )
        .await;
        let (request, stream) = upload();
        let (answer, ()) = tokio::join!(app.ask(request), feed(stream, &["abc", "d"]));
        assert_eq!(answer.unwrap().text(), "abcd");
    });
}

#[test]
fn other_calls_go_on_while_a_body_is_waited_for() {
    run(async {
        let app = App::fetch("return request.method == 'POST' and request:text() or 'other'").await;
        let (request, stream) = upload();
        let cx = invocation("2");
        let other = async {
            assert_eq!(app.ask_as(super::get("/"), &cx).await.unwrap().text(), "other");
            feed(stream, &["late"]).await;
        };
        let (answer, ()) = tokio::join!(app.ask(request), other);
        assert_eq!(answer.unwrap().text(), "late");
    });
}

#[test]
fn a_body_that_nobody_asks_for_is_not_read_and_ends_with_the_call() {
    run(async {
        let app = App::fetch("return 'x'").await;
        let (request, stream) = upload();
        stream.write(Bytes::from_static(b"unread")).unwrap();
        assert_eq!(app.ask(request).await.unwrap().text(), "x");
        assert!(stream.is_gone());
        // Neither is the rest of one that is read in part.
        let app = App::fetch("return request:read(1)").await;
        let (request, stream) = upload();
        stream.write(Bytes::from_static(b"abc")).unwrap();
        assert_eq!(app.ask(request).await.unwrap().text(), "a");
        assert_eq!(stream.write(Bytes::from_static(b"d")).unwrap(), Written::Gone);
    });
}

#[test]
fn a_large_upload_is_taken_piece_by_piece_in_little_memory() {
    run(async {
        const CHUNK: usize = 64 * 1024;
        const CHUNKS: usize = 2048;
        for source in [
            "return { fetch = function(request) local n = 0 for piece in request:chunks() do n = n + #piece end return tostring(n) end }",
            "return { run = function(wsapi_env) local n = 0 while true do local piece = wsapi_env.input:read(100000) if not piece then break end n = n + #piece end return 200, {}, tostring(n):gmatch('.+') end }",
        ] {
            let app = App::of(Guest::limited(source, 16), Wanted::Unnamed).await.unwrap();
            let (request, stream) = upload();
            let most = Rc::new(Cell::new(0));
            let feed = async {
                let chunk = Bytes::from(vec![b'x'; CHUNK]);
                for _ in 0..CHUNKS {
                    assert!(stream.send(chunk.clone()).await.unwrap());
                    most.set(most.get().max(stream.buffered()));
                }
                stream.finish(Ok(()));
            };
            let (answer, ()) = tokio::join!(app.ask(request), feed);
            assert_eq!(answer.unwrap().text(), (CHUNK * CHUNKS).to_string());
            assert!(most.get() <= 3 * CHUNK, "{} bytes waited", most.get());
        }
        // Whoever wants all of it at once gets an error that he can catch, in the end.
        let source = "return { fetch = function(request) return request:text() end }";
        let app = App::of(Guest::limited(source, 16), Wanted::Unnamed).await.unwrap();
        let (request, stream) = upload();
        let feed = async {
            let chunk = Bytes::from(vec![b'x'; CHUNK]);
            while stream.send(chunk.clone()).await.unwrap() {}
        };
        let (answer, ()) = tokio::join!(app.ask(request), feed);
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), trine_engine::ErrorKind::OutOfMemory, "{error:#}");
    });
}

async fn broken(body: &str, failure: Error) -> Result<String> {
    let app = App::fetch(body).await;
    let (request, stream) = upload();
    let feed = async {
        stream.send(Bytes::from_static(b"half")).await.unwrap();
        sleep(Duration::from_millis(2)).await;
        stream.finish(Err(failure));
    };
    let (answer, ()) = tokio::join!(app.ask(request), feed);
    answer.map(|answer| answer.text().to_owned())
}

#[test]
fn a_body_that_does_not_come_whole_is_an_error_where_it_is_read() {
    run(async {
        let gone = || Error::guest("Runtime.ClientDisconnected", "the client is gone");
        for body in [
            "\nlocal text = request:text()",
            "\nlocal value = request:json()",
            "\nlocal bytes = request:read()",
            "\nlocal body = request.body",
            "\nfor piece in request:chunks() do end",
        ] {
            let error = broken(body, gone()).await.unwrap_err();
            assert_eq!(error.name(), "Runtime.ClientDisconnected", "{body} {error:#}");
            assert_eq!(error.message(), "the client is gone");
            assert_eq!(error.frames()[0].line, 3, "{body} {error:#}");
        }
        // What is called last has left the application's frame: then its beginning is told.
        let error = broken("\nreturn request:text()", gone()).await.unwrap_err();
        assert_eq!(error.frames()[0].line, 1, "{error:#}");
        // It stays one, and can be caught.
        let body = "local ok, e = pcall(request.text, request) local again, f = pcall(request.read, request) \
            return tostring(ok) .. e.type .. tostring(again) .. f.message";
        let text = broken(body, gone()).await.unwrap();
        assert_eq!(text, "falseRuntime.ClientDisconnectedfalsethe client is gone");
        // What came before can be used.
        assert_eq!(broken("return request:read(4)", gone()).await.unwrap(), "half");
    });
}

#[test]
fn a_client_that_is_gone_ends_a_wait_for_a_body() {
    run(async {
        let app = App::fetch("local text = request:text() return text").await;
        let (request, _stream) = upload();
        let cx = invocation("1");
        let reader = cx.stream.get().reader();
        let leaves = async {
            sleep(Duration::from_millis(5)).await;
            drop(reader);
        };
        let (result, ()): (Result<Payload>, ()) = tokio::join!(app.call(request, &cx), leaves);
        let error = result.unwrap_err();
        assert_eq!(error.name(), "Runtime.ClientDisconnected");
        assert_eq!(error.frames()[0].line, 2, "{error:#}");
    });
}

#[test]
fn the_deadline_ends_a_wait_for_a_body() {
    run(async {
        let app = App::fetch(
            "local ok, e = pcall(request.text, request) return e == trine.deadline_exceeded and 'warned' or tostring(e)",
        )
        .await;
        let (request, stream) = upload();
        let cx = invocation("1");
        let warns = async {
            sleep(Duration::from_millis(5)).await;
            app.guest.instance.warn(&cx);
        };
        let (answer, ()) = tokio::join!(app.ask_as(request, &cx), warns);
        assert_eq!(answer.unwrap().text(), "warned");
        drop(stream);
    });
}

#[test]
fn an_interrupt_ends_a_wait_for_a_body() {
    run(async {
        let app = App::fetch("local text = request:text() return text").await;
        let (request, _stream) = upload();
        let cx = invocation("1");
        let stops = async {
            sleep(Duration::from_millis(5)).await;
            app.guest.instance.interrupter().interrupt();
        };
        let (result, ()): (Result<Payload>, ()) = tokio::join!(app.call(request, &cx), stops);
        let error = result.unwrap_err();
        assert_eq!(error.kind(), trine_engine::ErrorKind::Timeout);
        assert_eq!(error.frames()[0].line, 2, "{error:#}");
    });
}

#[test]
fn a_body_cannot_be_waited_for_where_nothing_can() {
    run(async {
        let app = App::fetch(
            "local ok, e = pcall(string.gsub, 'x', 'x', function() return request:text() end) return e",
        )
        .await;
        let (request, stream) = upload();
        let (answer, ()) = tokio::join!(app.ask(request), feed(stream, &["x"]));
        let text = answer.unwrap().text().to_owned();
        assert!(text.contains("a body cannot be waited for here"), "{text}");
    });
}
