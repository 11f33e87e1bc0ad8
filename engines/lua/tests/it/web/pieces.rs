//! Answers in pieces: when they go out, who waits for whom, and what happens once nobody reads or the time is up.

use super::{Answer, App, get};
use crate::support::{Guest, invocation, run};
use bytes::Bytes;
use std::{
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};
use trine_engine::{Error, ErrorKind, Invocation, Payload, Result, StreamReader, Wanted};

/// The two kinds of applications, around what gives the chunks.
async fn both(iterator: &str) -> [App; 2] {
    let fetch = App::fetch(&format!("return {{ body = {iterator} }}")).await;
    [fetch, App::wsapi(&format!("return 200, {{}}, {iterator}")).await]
}

/// Calls an application while `read` reads its answer.
async fn read<T>(
    app: &App,
    cx: &Rc<Invocation>,
    read: impl AsyncFnOnce(StreamReader) -> T,
) -> (Result<Payload>, T) {
    let reader = cx.stream.get().reader();
    tokio::join!(app.call(get("/"), cx), read(reader))
}

/// The number of attempts at what takes no time, unless the machine gives the test none for a while.
const ATTEMPTS: usize = 100;

async fn is_once_whole(app: &App) -> bool {
    for _ in 0..ATTEMPTS {
        if !app.ask(get("/")).await.unwrap().is_streamed {
            return true;
        }
    }
    false
}

#[test]
fn an_answer_is_whole_unless_something_is_waited_for_after_its_first_piece() {
    run(async {
        for (iterator, is_streamed) in [
            (
                "coroutine.wrap(function() for i = 1, 100 do coroutine.yield('0123456789') end end)",
                false,
            ),
            (
                "coroutine.wrap(function() trine.sleep(0) for i = 1, 100 do coroutine.yield('0123456789') end end)",
                true,
            ),
            (
                "coroutine.wrap(function() for i = 1, 100 do coroutine.yield('0123456789') trine.sleep(0) end end)",
                true,
            ),
            (
                "coroutine.wrap(function() for i = 1, 100 do coroutine.yield('0123456789') end trine.sleep(0) end)",
                true,
            ),
        ] {
            for app in both(iterator).await {
                let answer = app.ask(get("/")).await.unwrap();
                assert_eq!(answer.text(), "0123456789".repeat(100), "{iterator}");
                assert!(answer.is_streamed || !is_streamed, "{iterator}");
                if !is_streamed {
                    assert!(is_once_whole(&app).await, "{iterator}");
                }
            }
        }
        let large = "(function() local n = 0 return function() n = n + 1 return n <= 1000 and ('x'):rep(1000) or nil end end)()";
        for app in both(large).await {
            let answer = app.ask(get("/")).await.unwrap();
            assert_eq!((answer.body.len(), answer.is_streamed), (1_000_000, true));
        }
    });
}

#[test]
fn a_piece_is_sent_before_the_application_waits() {
    run(async {
        for app in both("coroutine.wrap(function() coroutine.yield('a') coroutine.yield('b') trine.sleep(0.02) print('slept') coroutine.yield('c') end)").await {
            let log = app.guest.log.clone();
            let (result, ()) = read(&app, &invocation("1"), async |mut reader| {
                let mut first = reader.chunk().await.unwrap().to_vec();
                while first.len() < 2 {
                    first.extend_from_slice(&reader.chunk().await.unwrap());
                }
                assert_eq!(first, b"ab");
                assert_eq!(log.text(), "");
                assert_eq!(reader.chunk().await.unwrap(), "c");
                assert_eq!(log.text(), "slept\n");
                assert_eq!(reader.chunk().await, None);
            })
            .await;
            assert!(matches!(result, Ok(Payload::Streamed)), "{result:?}");
        }
    });
}

#[test]
fn the_pieces_of_a_slow_application_are_sent_as_they_are_made() {
    run(async {
        // The time is spent without a wait, as by what blocks.
        let slow = "coroutine.wrap(function() for i = 1, 3 do local t = os.clock() repeat until os.clock() - t > 0.01 print('made') coroutine.yield('c' .. i) end end)";
        for app in both(slow).await {
            let log = app.guest.log.clone();
            let (result, ()) = read(&app, &invocation("1"), async |mut reader| {
                for i in 1..=3 {
                    assert_eq!(reader.chunk().await.unwrap(), format!("c{i}"));
                    assert_eq!(log.text(), "made\n".repeat(i));
                }
            })
            .await;
            assert!(matches!(result, Ok(Payload::Streamed)), "{result:?}");
        }
    });
}

#[test]
fn the_answer_ends_before_what_the_application_does_afterwards() {
    run(async {
        // What is closed at the end runs when the last piece has been made, and cannot wait.
        let app = App::fetch("return { status = 203, headers = { a = 'b' }, body = coroutine.create(function() coroutine.yield('x') trine.sleep(0.01) print('late') end) }").await;
        let cx = invocation("1");
        let (result, ()) = read(&app, &cx, async |mut reader| {
            assert_eq!(reader.chunk().await.unwrap(), "x");
            let head = reader.stream().head().response.unwrap();
            assert_eq!((head.status, head.headers.get("a")), (203, Some(&b"b"[..])));
            assert_eq!(reader.chunk().await, None);
        })
        .await;
        assert!(matches!(result, Ok(Payload::Streamed)), "{result:?}");
        assert_eq!(app.guest.log.text(), "late\n");
    });
}

#[test]
fn a_slow_reader_slows_the_application_down_and_holds_up_nobody() {
    run(async {
        for source in [
            "return { fetch = function(request) if request.path == '/count' then return tostring(made) end made = 0 return { body = function() made = made + 1 return ('x'):rep(30000) end } end }",
            "return { run = function(wsapi_env) if wsapi_env.PATH_INFO == '/count' then return 200, {}, tostring(made):gmatch('.+') end made = 0 return 200, {}, coroutine.wrap(function() while true do made = made + 1 coroutine.yield(('x'):rep(30000)) end end) end }",
        ] {
            let app = App::new(source).await;
            let count = async || app.ask(get("/count")).await.unwrap().text().to_owned();
            let cx = invocation("1");
            let mut reader = cx.stream.get().reader();
            let call = app.call(get("/"), &cx);
            tokio::pin!(call);
            assert!(timeout(Duration::from_millis(50), &mut call).await.is_err());
            assert_eq!(count().await, "3");
            reader.chunk().await;
            assert!(timeout(Duration::from_millis(50), &mut call).await.is_err());
            assert_eq!(count().await, "4");
        }
    });
}

const CLOSING: &str =
    "local mark <close> = setmetatable({}, { __close = function(_, e) print('closed', e) end })";

#[test]
fn a_client_that_is_gone_closes_the_iterator() {
    run(async {
        for make in ["coroutine.create", "coroutine.wrap", ""] {
            for wait in [
                "trine.sleep(60)",
                "coroutine.yield('y') trine.sleep(0)",
                "coroutine.yield(('y'):rep(100000))",
            ] {
                for app in both(&format!(
                    "{make}(function() {CLOSING} coroutine.yield('x') while true do {wait} end end)"
                ))
                .await
                {
                    let begun = Instant::now();
                    let (result, ()) = read(&app, &invocation("1"), async |mut reader| {
                        reader.chunk().await.unwrap();
                        sleep(Duration::from_millis(5)).await;
                    })
                    .await;
                    assert!(matches!(result, Ok(Payload::Streamed)), "{make} {wait} {result:?}");
                    assert!(begun.elapsed() < Duration::from_secs(20));
                    assert_eq!(app.guest.log.text(), "closed\tnil\n", "{make} {wait}");
                }
            }
        }
    });
}

#[test]
fn a_client_that_is_gone_before_the_answer_ends_it_at_its_first_piece() {
    run(async {
        let endless = format!(
            "coroutine.wrap(function() {CLOSING} while true do coroutine.yield('x') end end)"
        );
        for app in both(&endless).await {
            let cx = invocation("1");
            drop(cx.stream.get().reader());
            app.call(get("/"), &cx).await.unwrap();
            assert_eq!(app.guest.log.text(), "closed\tnil\n");
        }
        // The application itself goes on until it returns.
        let app = App::fetch("trine.sleep(0.01) print('done') return 'x'").await;
        let cx = invocation("1");
        drop(cx.stream.get().reader());
        app.call(get("/"), &cx).await.unwrap();
        assert_eq!(app.guest.log.text(), "done\n");
    });
}

/// Warns a call, as the watchdog does shortly before the deadline, and stops it later, over and over until it has ended.
async fn with_deadline(app: &App, stop: bool) -> Result<Answer> {
    let interrupter = app.guest.instance.interrupter();
    let has_ended = Arc::new(AtomicBool::new(false));
    let ended = has_ended.clone();
    let end = thread::spawn(move || {
        while !ended.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(20));
            interrupter.warn();
            if stop {
                thread::sleep(Duration::from_millis(20));
                interrupter.interrupt();
            }
        }
    });
    let cx = invocation("1");
    let warns = async {
        loop {
            sleep(Duration::from_millis(20)).await;
            app.guest.instance.warn(&cx);
        }
    };
    let answer = tokio::select! {
        answer = app.ask_as(get("/"), &cx) => answer,
        () = warns => unreachable!("it warns for ever"),
    };
    has_ended.store(true, Ordering::SeqCst);
    end.join().unwrap();
    answer
}

#[test]
fn an_endless_iterator_ends_with_the_deadline() {
    run(async {
        for iterator in [
            "function() return 'x' end",
            "function() return '' end",
            "coroutine.wrap(function() while true do coroutine.yield('x') end end)",
            "coroutine.wrap(function() while true do end end)",
            "coroutine.wrap(function() coroutine.yield('x') trine.sleep(60) end)",
        ] {
            for app in both(iterator).await {
                let error: Error = with_deadline(&app, false).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Timeout, "{iterator} {error:#}");
                assert!(!error.poisons(), "{iterator}");
            }
        }
        // One that does not heed it is stopped, and the next call works.
        let stubborn = "function() while true do pcall(function() while true do end end) end end";
        for app in both(stubborn).await {
            let error = with_deadline(&app, true).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}");
        }
    });
}

/// Reads an answer to its end and returns its first piece.
async fn first_of_all(mut reader: StreamReader) -> Option<Bytes> {
    let first = reader.chunk().await;
    while reader.chunk().await.is_some() {}
    first
}

#[test]
fn what_fails_after_the_first_pieces_ends_the_answer_with_an_error() {
    run(async {
        let failing =
            "coroutine.wrap(function() coroutine.yield('x')\ntrine.sleep(0)\nerror('late') end)";
        for app in both(failing).await {
            let cx = invocation("1");
            let (result, chunk) = read(&app, &cx, first_of_all).await;
            assert_eq!(chunk.unwrap(), "x");
            let error = result.unwrap_err();
            assert_eq!((error.message(), error.frames()[0].line), ("late", 4), "{error:#}");
        }
        // Nothing has been sent of one that fails at once, though pieces were made.
        for app in both("coroutine.wrap(function() coroutine.yield('x') error('late') end)").await {
            let mut has_sent_nothing = false;
            for _ in 0..ATTEMPTS {
                let cx = invocation("1");
                let (result, chunk) = read(&app, &cx, first_of_all).await;
                assert_eq!(result.unwrap_err().message(), "late");
                has_sent_nothing |= chunk.is_none() && cx.stream.get().head().response.is_none();
            }
            assert!(has_sent_nothing);
        }
    });
}

#[test]
fn more_than_the_limit_is_an_error() {
    run(async {
        for iterator in [
            "function() return ('x'):rep(20000) end",
            "coroutine.wrap(function() while true do coroutine.yield(('x'):rep(15000)) trine.sleep(0) end end)",
        ] {
            for app in both(iterator).await {
                let cx = Rc::new(Invocation {
                    stream: trine_engine::StreamPlace::limited(50_000),
                    ..Invocation::json("1")
                });
                let error = app.ask_as(get("/"), &cx).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ResponseTooLarge, "{error:#}");
            }
        }
    });
}

#[test]
fn what_a_coroutine_returns_is_not_sent() {
    run(async {
        let app = App::fetch(
            "return { body = coroutine.create(function() coroutine.yield('a') return 'b' end) }",
        )
        .await;
        assert_eq!(app.text().await, "a");
        assert!(app.guest.log.text().contains("WARN\twhat the coroutine of a body returns"));
    });
}

#[test]
fn bodies_do_not_outgrow_their_memory() {
    run(async {
        let guest = Guest::limited(
            "return { fetch = function(request) return { body = ('x'):rep(100 << 20) } end }",
            32,
        );
        let app = App::of(guest, Wanted::Unnamed).await.unwrap();
        let error = app.ask(get("/")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    });
}
