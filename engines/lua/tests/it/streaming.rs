//! Tests of answers in pieces: coroutines and functions that give chunks, `context.write`, heads, and readers that are
//! slow or gone.

use crate::support::{Guest, handler, invocation, run};
use bytes::Bytes;
use std::{
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};
use trine_engine::{
    Error, ErrorKind, Form, FunctionId, Hook, Invocation, Payload, Result, StreamHead, StreamPlace,
    StreamReader,
};

/// What came of a call whose answer was read while it was made.
struct Streamed {
    head: StreamHead,
    chunks: Vec<Bytes>,
    result: Result<Payload>,
}

impl Streamed {
    fn texts(&self) -> Vec<String> {
        self.chunks.iter().map(|chunk| String::from_utf8_lossy(chunk).into_owned()).collect()
    }

    /// Returns the chunks of an answer that has ended as it should.
    fn whole(self) -> Vec<String> {
        assert!(matches!(self.result, Ok(Payload::Streamed)), "{:?}", self.result);
        self.texts()
    }

    fn error(self) -> Error {
        self.result.expect_err("the call fails")
    }
}

impl Guest {
    /// Calls a function and says how that ended, as the pipeline does.
    async fn begin(&self, function: FunctionId, cx: &Rc<Invocation>) -> Result<Payload> {
        let event = Payload::json("null");
        let result = self.instance.call(function, event, Form::Json, cx).await;
        cx.stream.get().finish(Ok(()));
        result
    }

    async fn stream(&self, export: &str, cx: &Rc<Invocation>) -> Streamed {
        self.read(export, cx, async |mut reader| {
            let mut chunks = Vec::new();
            while let Some(chunk) = reader.chunk().await {
                chunks.push(chunk);
            }
            chunks
        })
        .await
    }

    /// Calls a function while `read` reads its answer.
    async fn read(
        &self,
        export: &str,
        cx: &Rc<Invocation>,
        read: impl AsyncFnOnce(StreamReader) -> Vec<Bytes>,
    ) -> Streamed {
        let function = self.load("app", export).await.unwrap();
        let reader = cx.stream.get().reader();
        let (result, chunks) = tokio::join!(self.begin(function, cx), read(reader));
        Streamed { head: cx.stream.get().head(), chunks, result }
    }
}

/// Streams what a handler with this body answers.
async fn streamed(body: &str) -> Streamed {
    Guest::new(&handler(body)).stream("handler", &invocation("1")).await
}

fn content_type(streamed: &Streamed) -> &str {
    streamed.head.content_type.as_deref().unwrap_or("none")
}

#[test]
fn a_coroutine_and_a_function_give_chunks() {
    run(async {
        for body in [
            "return coroutine.create(function() for i = 1, 3 do coroutine.yield('c' .. i) end end)",
            "return coroutine.wrap(function() for i = 1, 3 do coroutine.yield('c' .. i) end end)",
            "return function() for i = 1, 3 do coroutine.yield('c' .. i) end end",
            "local i = 0 return function() i = i + 1 return i <= 3 and 'c' .. i or nil end",
            "return ('c1 c2 c3'):gmatch('%S+')",
            "for i = 1, 3 do assert(context.write('c' .. i) == true) end",
            "for i = 1, 3 do assert(context:write('c' .. i)) end",
            "context.write('c1') local i = 1 return function() i = i + 1 return i <= 3 and 'c' .. i or nil end",
            "return coroutine.create(function() coroutine.yield('c1') context.write('c2') coroutine.yield('') coroutine.yield() coroutine.yield('c3') end)",
        ] {
            let streamed = streamed(body).await;
            assert_eq!(content_type(&streamed), "text/plain; charset=utf-8", "{body}");
            assert_eq!(streamed.whole(), ["c1", "c2", "c3"], "{body}");
        }
    });
}

#[test]
fn values_are_lines_of_json_and_strings_go_as_they_are() {
    run(async {
        let body = "local values = {{a = {}}, trine.array(), 1, 2.0, true, false, trine.null, 'é\\n', context.get_remaining_time_in_millis() > 0} \
            return coroutine.create(function() for i = 1, 9 do coroutine.yield(values[i]) end coroutine.yield(nil) end)";
        let streamed = streamed(body).await;
        assert_eq!(content_type(&streamed), "application/x-ndjson");
        assert_eq!(
            streamed.whole(),
            [
                "{\"a\":{}}\n",
                "[]\n",
                "1\n",
                "2.0\n",
                "true\n",
                "false\n",
                "null\n",
                "é\n",
                "true\n",
                "null\n",
            ]
        );
        let streamed = self::streamed(
            "return function() if n then return nil end n = 1 return '\\xff\\0' end",
        )
        .await;
        assert_eq!(content_type(&streamed), "application/octet-stream");
        assert_eq!(streamed.chunks, [Bytes::from_static(b"\xff\0")]);
    });
}

#[test]
fn each_chunk_has_been_read_before_the_next_is_made() {
    run(async {
        for body in [
            "return coroutine.create(function() for i = 1, 3 do print('made') coroutine.yield('x') end end)",
            "local i = 0 return function() i = i + 1 if i <= 3 then print('made') return 'x' end end",
            "for i = 1, 3 do print('made') context.write('x') end",
        ] {
            let guest = Guest::new(&handler(body));
            let log = guest.log.clone();
            let streamed = guest
                .read("handler", &invocation("1"), async |mut reader| {
                    while reader.chunk().await.is_some() {
                        trine_engine::LogSink::write(
                            &*log,
                            trine_engine::Stream::Stdout,
                            b"read\n",
                        );
                    }
                    Vec::new()
                })
                .await;
            streamed.whole();
            assert_eq!(guest.log.text(), "made\nread\n".repeat(3), "{body}");
        }
    });
}

#[test]
fn waits_between_chunks_are_no_chunks() {
    run(async {
        let inner =
            "local inner = coroutine.wrap(function() trine.sleep(0.001) coroutine.yield('b') end)";
        let streamed = streamed(&format!(
            "trine.sleep(0.001) return coroutine.create(function() trine.sleep(0.001) coroutine.yield('a') {inner} coroutine.yield(inner()) \
             local ok, e = pcall(function() trine.sleep(0.001) error('c', 0) end) coroutine.yield(e) end)"
        ))
        .await;
        assert_eq!(streamed.whole(), ["a", "b", "c"]);
        let streamed = self::streamed(
            "local i = 0 return function() trine.sleep(0.001) i = i + 1 return i < 3 and i or nil end",
        )
        .await;
        assert_eq!(streamed.whole(), ["1\n", "2\n"]);
    });
}

#[test]
fn two_answers_are_made_side_by_side_in_one_state() {
    run(async {
        let guest = Guest::new(&handler(
            "return coroutine.create(function() for i = 1, 3 do coroutine.yield(context.aws_request_id .. i) trine.sleep(0.002) end end)",
        ));
        let (one, two) = (invocation("a"), invocation("b"));
        let (one, two) = tokio::join!(guest.stream("handler", &one), guest.stream("handler", &two));
        assert_eq!(one.whole(), ["a1", "a2", "a3"]);
        assert_eq!(two.whole(), ["b1", "b2", "b3"]);
    });
}

#[test]
fn a_head_comes_first() {
    run(async {
        let full = "trine.response {status = 201, headers = {['X-A'] = 1, b = 'c'}, cookies = {'d=e'}, content_type = 'text/html'}";
        for body in [
            format!(
                "return coroutine.create(function() coroutine.yield({full}) coroutine.yield('x') end)"
            ),
            format!(
                "local all = {{{full}, 'x'}} return function() return table.remove(all, 1) end"
            ),
            format!("assert(context.write({full})) context.write('x')"),
            format!(
                "context.write({full}) return coroutine.create(function() coroutine.yield('x') end)"
            ),
        ] {
            let streamed = streamed(&body).await;
            let metadata = streamed.head.metadata.clone().unwrap();
            let metadata: serde_json::Value = serde_json::from_slice(&metadata).unwrap();
            let headers = serde_json::json!({"x-a": "1", "b": "c", "content-type": "text/html"});
            let expected =
                serde_json::json!({"statusCode": 201, "headers": headers, "cookies": ["d=e"]});
            assert_eq!(metadata, expected, "{body}");
            assert_eq!(streamed.head.content_type, None);
            assert_eq!(streamed.whole(), ["x"], "{body}");
        }
        let first = |head: &str, chunk: &str| {
            let body = format!("context.write(trine.response {{{head}}}) context.write({chunk})");
            async move {
                let head = streamed(&body).await.head;
                let metadata = head.metadata.map(|text| String::from_utf8(text.to_vec()).unwrap());
                (head.content_type.unwrap_or_default(), metadata.unwrap_or_default())
            }
        };
        let is = |media: &str, metadata: &str| (media.to_owned(), metadata.to_owned());
        assert_eq!(first("content_type = 'a/b'", "'x'").await, is("a/b", ""));
        let named = r#"{"statusCode":204}"#;
        assert_eq!(first("status = 204.0", "{}").await, is("application/x-ndjson", named));
        let plain = r#"{"statusCode":200}"#;
        assert_eq!(first("", "'x'").await, is("text/plain; charset=utf-8", plain));
        // Alone it is an answer without a body.
        let streamed = streamed("context.write(trine.response {status = 204})").await;
        assert_eq!(streamed.head.metadata.clone().unwrap(), named);
        assert!(streamed.whole().is_empty());
        // In any other place it is a value.
        let answer = Guest::new(&handler("return trine.response {status = 204}")).handle("0").await;
        assert_eq!(answer.unwrap(), named);
    });
}

#[test]
fn a_head_is_checked_where_it_is_made() {
    run(async {
        for (options, message) in [
            ("1", "bad argument #1 to 'response' (table expected, got number)"),
            ("{body = 'x'}", "bad member 'body' of 'response'"),
            ("{'x'}", "bad member '1' of 'response'"),
            (
                "{status = '200'}",
                "bad member 'status' (an integer from 200 to 599 expected) of 'response'",
            ),
            ("{status = 100}", "bad member 'status'"),
            ("{status = 200.5}", "bad member 'status'"),
            ("{headers = 'a: b'}", "bad member 'headers'"),
            ("{headers = {'a: b'}}", "bad member 'headers'"),
            ("{headers = {a = {}}}", "bad member 'headers'"),
            ("{cookies = 'a=b'}", "bad member 'cookies'"),
            ("{cookies = {1}}", "bad member 'cookies' (strings expected, item 1 is none)"),
            ("{content_type = 1}", "bad member 'content_type'"),
        ] {
            let error =
                streamed(&format!("\nlocal head = trine.response({options})")).await.error();
            assert!(error.message().starts_with(message), "{error}");
            assert_eq!(error.frames()[0].line, 2, "{error:#}");
        }
    });
}

#[test]
fn a_head_after_the_first_chunk_is_an_error() {
    run(async {
        let late = "status, headers and content type cannot be set any more";
        let body = "context.write('x')\nlocal ok, e = pcall(context.write, trine.response {})\n\
            context.write(e.type .. ' ' .. tostring(ok) .. ' ' .. e.message)\ncontext.write(trine.response {})";
        let streamed = streamed(body).await;
        assert!(
            streamed.texts()[1]
                .starts_with(&format!("Runtime.InvalidStreamingOperation false {late}"))
        );
        let error = streamed.error();
        assert_eq!(
            (error.kind(), error.name()),
            (ErrorKind::Guest, "Runtime.InvalidStreamingOperation")
        );
        assert_eq!(error.frames()[0].line, 4, "{error:#}");
        let body = "return coroutine.create(function()\ncoroutine.yield('x')\ncoroutine.yield(trine.response {})\nend)";
        let streamed = self::streamed(body).await;
        assert_eq!(streamed.texts(), ["x"]);
        let error = streamed.error();
        assert!(error.message().starts_with(late), "{error}");
        assert_eq!(error.frames()[0].line, 3, "{error:#}");
    });
}

#[test]
fn errors_come_before_the_first_chunk_or_after_it_with_their_places() {
    run(async {
        for (chunk, count) in [("", 0), ("coroutine.yield('x')", 1)] {
            for (raise, name, message) in [
                ("error('no')", "LuaError", "no"),
                ("error {type = 'Own', message = 'no'}", "Own", "no"),
                ("local n = nil .. 'x'", "LuaError", "attempt to concatenate a nil value"),
            ] {
                let text = |make: &str| {
                    format!(
                        "local function work()\n{raise}\nend\nreturn {make}(function()\n{chunk}\nwork()\nend)"
                    )
                };
                for make in ["coroutine.create", "coroutine.wrap", ""] {
                    let streamed = streamed(&text(make)).await;
                    assert_eq!(streamed.chunks.len(), count);
                    let error = streamed.error();
                    assert_eq!((error.kind(), error.name()), (ErrorKind::Guest, name), "{error:#}");
                    assert!(error.message().starts_with(message), "{error:#}");
                    if make != "coroutine.wrap" || name != "Own" {
                        assert_eq!(error.frames()[0].line, 2, "{make} {error:#}");
                        assert_eq!(error.frames()[1].line, 6, "{make} {error:#}");
                    }
                    assert!(!error.poisons());
                }
            }
        }
        let streamed = streamed("context.write('x')\nerror('late')").await;
        assert_eq!(streamed.texts(), ["x"]);
        let error = streamed.error();
        assert_eq!((error.message(), error.frames()[0].line), ("late", 2));
        let error = self::streamed("return coroutine.running()").await.error();
        assert_eq!(error.message(), "cannot resume non-suspended coroutine");
        let dead = "local co = coroutine.create(print) coroutine.resume(co) return co";
        assert_eq!(self::streamed(dead).await.error().message(), "cannot resume dead coroutine");
    });
}

#[test]
fn what_has_no_json_form_is_an_error_where_it_is_sent() {
    run(async {
        for (value, message) in [
            ("print", "chunk is a function, which has no JSON form"),
            ("io.stdin", "chunk is a userdata, which has no JSON form"),
            ("coroutine.create(print)", "chunk is a thread, which has no JSON form"),
            ("{a = {1, print}}", "chunk.a[2] is a function, which has no JSON form"),
            ("0/0", "which has no JSON form"),
        ] {
            let written = format!("context.write('x')\ncontext.write({value})");
            let yielded = format!(
                "return coroutine.create(function() coroutine.yield('x')\ncoroutine.yield({value}) end)"
            );
            for body in [written, yielded] {
                let streamed = streamed(&body).await;
                assert_eq!(streamed.texts(), ["x"]);
                let error = streamed.error();
                assert_eq!(error.kind(), ErrorKind::Marshal, "{error:#}");
                assert_eq!(error.name(), "Runtime.MarshalError");
                assert!(
                    error.message().starts_with("Unable to marshal response: chunk"),
                    "{error}"
                );
                assert!(error.message().ends_with(message), "{error}");
                assert_eq!(error.frames()[0].line, 2, "{error:#}");
            }
        }
        let caught = "local ok, e = pcall(context.write, print) context.write(e.type)";
        assert_eq!(streamed(caught).await.whole(), ["Runtime.MarshalError"]);
    });
}

#[test]
fn more_than_the_limit_is_an_error() {
    run(async {
        for body in [
            "while true do context.write(('x'):rep(10)) end",
            "return function() return ('x'):rep(10) end",
        ] {
            let guest = Guest::new(&handler(body));
            let cx = Rc::new(Invocation {
                stream: StreamPlace::limited(25),
                ..trine_testkit::guest::invocation("1")
            });
            let streamed = guest.stream("handler", &cx).await;
            assert_eq!(streamed.chunks.len(), 2);
            let error = streamed.error();
            assert_eq!(error.kind(), ErrorKind::ResponseTooLarge, "{error:#}");
            assert_eq!(error.name(), "Function.ResponseSizeTooLarge");
        }
    });
}

#[test]
fn a_slow_reader_slows_the_handler_down_and_holds_up_nobody() {
    run(async {
        for body in [
            "return function() made = made + 1 return ('x'):rep(30000) end",
            "while true do made = made + 1 context.write(('x'):rep(30000)) end",
        ] {
            let guest = Guest::new(&format!(
                "made = 0 function handler(event, context) {body} end function count() return made end"
            ));
            let handler = guest.load("app", "handler").await.unwrap();
            let count = guest.load("app", "count").await.unwrap();
            let cx = invocation("1");
            let mut reader = cx.stream.get().reader();
            let call = guest.begin(handler, &cx);
            tokio::pin!(call);
            assert!(timeout(Duration::from_millis(30), &mut call).await.is_err());
            assert_eq!(guest.call(count, "0").await.unwrap(), "3", "{body}");
            reader.chunk().await;
            assert!(timeout(Duration::from_millis(30), &mut call).await.is_err());
            assert_eq!(guest.call(count, "0").await.unwrap(), "4", "{body}");
        }
    });
}

const CLOSING: &str =
    "local mark <close> = setmetatable({}, {__close = function(_, e) print('closed', e) end})";

#[test]
fn a_reader_that_is_gone_closes_the_coroutine() {
    run(async {
        for (make, chunk) in [("coroutine.create", "'x'"), ("", "('x'):rep(100000)")] {
            for wait in ["trine.sleep(60)", "coroutine.yield('y') trine.sleep(0)"] {
                let guest = Guest::new(&handler(&format!(
                    "return {make}(function() {CLOSING} coroutine.yield({chunk}) while true do {wait} end end)"
                )));
                let begun = Instant::now();
                let streamed = guest
                    .read("handler", &invocation("1"), async |mut reader| {
                        let chunk = reader.chunk().await;
                        sleep(Duration::from_millis(5)).await;
                        chunk.into_iter().collect()
                    })
                    .await;
                streamed.whole();
                assert!(begun.elapsed() < Duration::from_secs(20));
                assert_eq!(guest.log.text(), "closed\tnil\n", "{make} {wait}");
            }
        }
        // One that waits for room learns of it as well, and what fails while it is closed is its error.
        let guest = Guest::new(&handler(
            "return coroutine.create(function() local c <close> = setmetatable({}, {__close = function() error('in close') end}) \
             while true do coroutine.yield(('x'):rep(100000)) end end)",
        ));
        let streamed = guest
            .read("handler", &invocation("1"), async |_reader| {
                sleep(Duration::from_millis(5)).await;
                Vec::new()
            })
            .await;
        assert!(streamed.error().message().ends_with("app.lua:1: in close"));
    });
}

#[test]
fn a_handler_that_writes_is_told_that_the_reader_is_gone() {
    run(async {
        let guest = Guest::new(&handler(
            "local n, ok, why = 0 repeat n = n + 1 ok, why = context.write('x') trine.sleep(0.001) until not ok \
             print(ok, why, select('#', context.write('y')))",
        ));
        let streamed = guest
            .read("handler", &invocation("1"), async |mut reader| {
                reader.chunk().await.into_iter().collect()
            })
            .await;
        assert_eq!(streamed.whole(), ["x"]);
        assert_eq!(guest.log.text(), "nil\tclosed\t2\n");
        // Its own waits go on.
        let guest = Guest::new(&handler("context.write('x') trine.sleep(0.02) print('awake')"));
        guest.read("handler", &invocation("1"), async |_| Vec::new()).await.whole();
        assert_eq!(guest.log.text(), "awake\n");
    });
}

#[test]
fn what_is_returned_after_chunks_is_ignored_with_a_warning() {
    run(async {
        for (body, warns) in [
            ("context.write('x') return {a = 1}", true),
            ("return coroutine.create(function() coroutine.yield('x') return 1 end)", true),
            ("context.write('x') return nil", false),
            ("return coroutine.create(function() coroutine.yield('x') end)", false),
        ] {
            let guest = Guest::new(&handler(body));
            assert_eq!(guest.stream("handler", &invocation("1")).await.whole(), ["x"]);
            let log = guest.log.text();
            assert_eq!(
                log.contains("WARN\tthe response has been streamed"),
                warns,
                "{body}: {log}"
            );
        }
    });
}

#[test]
fn an_answer_in_one_piece_stays_one() {
    run(async {
        let guest = Guest::new(&handler("return 1"));
        let cx = invocation("1");
        let streamed = guest.stream("handler", &cx).await;
        assert!(matches!(streamed.result, Ok(Payload::Json(text)) if text == "1"));
        assert!(streamed.chunks.is_empty());
        // Without any chunk there is an empty answer.
        for body in ["return coroutine.create(function() end)", "return function() end"] {
            let streamed = self::streamed(body).await;
            assert_eq!(streamed.head, StreamHead::default());
            assert!(streamed.whole().is_empty());
        }
    });
}

#[test]
fn hooks_and_modules_cannot_write() {
    run(async {
        let guest = Guest::with(&[
            (
                "hooks.lua",
                "return {before = function(_, context) if context.state.make then return function() end end context.write('x') end}",
            ),
            ("late.lua", "trine.sleep(0) context_of_nobody = true kept.write('x')"),
            (
                "app.lua",
                "function handler(_, context) kept = context return 1 end function again() return kept:write('x') end",
            ),
        ]);
        let before = guest.hooks("hooks").await.unwrap().hook(Hook::Before).unwrap();
        let error = guest.call(before, "1").await.unwrap_err();
        assert_eq!(error.message(), "context.write writes the response of a handler; this is none");
        assert_eq!(error.frames()[0].line, 1);
        let cx = invocation("1");
        cx.exchange.write_state("make", Payload::json("1"));
        let error = guest.call_with(before, "1", &cx).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Marshal);
        guest.handle("0").await.unwrap();
        for error in [
            guest.stream("again", &invocation("2")).await.error(),
            guest.load("late", "handler").await.unwrap_err(),
        ] {
            assert!(error.message().ends_with("its invocation has ended"), "{error}");
        }
    });
}

#[test]
fn where_lua_cannot_be_suspended_writing_is_an_error() {
    run(async {
        let sort = "table.sort({2, 1}, function(a, b) context.write('x') return a < b end)";
        let error = streamed(sort).await.error();
        assert!(error.message().starts_with("'write' cannot wait here"), "{error}");
        let body = format!("pcall(function() {sort} end) context.write('after')");
        assert_eq!(streamed(&body).await.whole(), ["after"]);
        let error = streamed("\ncontext.write()").await.error();
        assert_eq!(error.message(), "bad argument #1 to 'write' (a chunk expected)");
        assert_eq!(error.frames()[0].line, 2);
    });
}

#[test]
fn a_near_deadline_ends_what_waits_for_room() {
    run(async {
        let warn = async |guest: &Guest| {
            let function = guest.load("app", "handler").await.unwrap();
            let cx = invocation("1");
            let reader = cx.stream.get().reader();
            let (result, ()) = tokio::join!(guest.begin(function, &cx), async {
                sleep(Duration::from_millis(10)).await;
                guest.instance.warn(&cx);
            });
            drop(reader);
            result
        };
        let large = "('x'):rep(100000)";
        for body in [
            format!(
                "return coroutine.create(function() {CLOSING} while true do coroutine.yield({large}) end end)"
            ),
            format!("{CLOSING} while true do context.write({large}) end"),
        ] {
            let guest = Guest::new(&handler(&body));
            let error = warn(&guest).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}");
            assert!(!error.poisons(), "{error:#}");
            assert_eq!(error.frames()[0].line, 1, "{error:#}");
            assert!(guest.log.text().starts_with("closed\t"), "{}", guest.log.text());
        }
        let guest = Guest::new(&handler(&format!(
            "local ok, e = pcall(function() while true do context.write({large}) end end) print(e == trine.deadline_exceeded)"
        )));
        assert!(matches!(warn(&guest).await, Ok(Payload::Streamed)));
        assert_eq!(guest.log.text(), "true\n");
    });
}

#[test]
fn a_coroutine_that_catches_the_warning_may_send_a_last_chunk() {
    run(async {
        let guest = Guest::new(&handler(
            "return coroutine.create(function() coroutine.yield('a') local _, e = pcall(trine.sleep, 60) \
             coroutine.yield(tostring(e)) end)",
        ));
        let cx = invocation("1");
        let (streamed, ()) = tokio::join!(guest.stream("handler", &cx), async {
            sleep(Duration::from_millis(10)).await;
            guest.instance.warn(&cx);
        });
        assert_eq!(streamed.whole(), ["a", "trine: deadline exceeded"]);
    });
}

#[test]
fn an_answer_without_end_is_stopped() {
    run(async {
        for (body, line) in [
            ("return function()\nreturn 'x' end", 2),
            ("return coroutine.create(function()\nwhile true do coroutine.yield('x') end end)", 2),
            ("return coroutine.create(function() coroutine.yield('x')\nwhile true do end end)", 2),
            ("return coroutine.create(function() coroutine.yield('x')\ntrine.sleep(60) end)", 2),
            ("while true do\ncontext.write('') end", 2),
            ("return coroutine.create(function() while true do\ncoroutine.yield() end end)", 2),
        ] {
            let guest = Guest::new(&handler(body));
            let interrupter = guest.instance.interrupter();
            let thread = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(30));
                interrupter.interrupt();
            });
            let error = guest.stream("handler", &invocation("1")).await.error();
            thread.join().unwrap();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{body}: {error:#}");
            assert!(error.poisons(), "{body}");
            // An interrupt during a wait, or between two chunks, finds no line that runs.
            let lines: Vec<_> = error.frames().iter().map(|frame| frame.line).collect();
            let spins = body.ends_with("while true do end end)");
            assert!(
                lines.first() == Some(&line) || (!spins && lines.is_empty()),
                "{body}: {lines:?} {error:#}"
            );
            // The state is made anew.
            guest.load("app", "handler").await.unwrap();
        }
    });
}

#[test]
fn an_exit_in_the_middle_ends_the_answer() {
    run(async {
        let streamed =
            streamed("return coroutine.create(function() coroutine.yield('x')\nos.exit(3) end)")
                .await;
        assert_eq!(streamed.texts(), ["x"]);
        let error = streamed.error();
        assert_eq!(error.kind(), ErrorKind::Exit);
        assert_eq!(error.frames()[0].line, 2, "{error:#}");
    });
}

#[test]
fn a_hook_may_ask_for_the_whole() {
    run(async {
        let guest = Guest::new(
            "return {before = function(event, context) if event == 1 then context.buffer_response() else context:buffer_response() end end}",
        );
        let before = guest.hooks("app").await.unwrap().hook(Hook::Before).unwrap();
        for event in ["1", "2"] {
            let cx = invocation("1");
            cx.exchange.enter(Some(Hook::Before));
            guest.native(before, Payload::json(event.to_owned()), &cx).await.unwrap();
            assert!(cx.exchange.buffers_response());
        }
        let error = guest.call(before, "1").await.unwrap_err();
        assert!(error.message().ends_with("this is the handler"), "{error}");
    });
}

#[test]
fn many_answers_leave_nothing_behind() {
    run(async {
        let guest = Guest::new(&handler(
            "n = (n or 0) + 1 if n % 3 == 0 then error('x') end \
             return coroutine.create(function() for i = 1, 5 do coroutine.yield(('x'):rep(1000)) if n % 5 == 0 then error {} end end end)",
        ));
        let round = async || {
            for _ in 0..500 {
                let _ = guest.stream("handler", &invocation("1")).await;
            }
            guest.instance.usage().heap_bytes
        };
        round().await;
        let before = round().await;
        let after = round().await.max(round().await);
        assert!(after < before + 400_000, "{before} {after}");
    });
}
