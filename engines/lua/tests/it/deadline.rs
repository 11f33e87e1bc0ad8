//! Tests of a near deadline: an error that may be caught once.

use crate::support::{Guest, handler, invocation, run};
use std::{
    rc::Rc,
    time::{Duration, Instant},
};
use trine_engine::{Error, ErrorKind, Invocation, Result};

/// Warns code that runs after 20 ms, and stops it after two seconds.
async fn warned(guest: &Guest) -> Result<String> {
    let function = guest.load("app", "handler").await.unwrap();
    let interrupter = guest.instance.interrupter();
    let (ended, end) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        interrupter.warn();
        if end.recv_timeout(Duration::from_secs(2))
            == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
        {
            interrupter.interrupt();
        }
    });
    let result = guest.call(function, "0").await;
    drop(ended);
    thread.join().unwrap();
    result
}

async fn warned_body(body: &str) -> Result<String> {
    warned(&Guest::new(&handler(body))).await
}

fn is_soft(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}");
    assert!(!error.poisons(), "{error:#}");
}

#[test]
fn running_code_gets_an_error_that_it_may_catch() {
    run(async {
        for body in [
            "local ok, e = pcall(function() while true do end end) return {ok, e == trine.deadline_exceeded, tostring(e)}",
            "local ok, e = xpcall(function() while true do end end, function(e) return e end) return {ok, e == trine.deadline_exceeded, tostring(e)}",
            "local ok, e = xpcall(function() while true do end end, debug.traceback) return {ok, e == trine.deadline_exceeded, tostring(e)}",
            "local ok, e = coroutine.resume(coroutine.create(function() while true do end end)) return {ok, e == trine.deadline_exceeded, tostring(e)}",
            "local ok, e = pcall(coroutine.wrap(function() while true do end end)) return {ok, e == trine.deadline_exceeded, tostring(e)}",
            "local ok, e = pcall(table.sort, {1, 2}, function() while true do end end) return {ok, e == trine.deadline_exceeded, tostring(e)}",
            "local ok, e = pcall(string.find, ('a'):rep(40), ('a-'):rep(30) .. 'b') return {ok, e == trine.deadline_exceeded, tostring(e)}",
            "local ok, e = pcall(table.move, {}, 1, math.maxinteger - 1, 2) return {ok, e == trine.deadline_exceeded, tostring(e)}",
        ] {
            let answer = warned_body(body).await.unwrap();
            assert_eq!(answer, r#"[false,true,"trine: deadline exceeded"]"#, "{body}");
        }
    });
}

#[test]
fn an_error_that_nobody_catches_is_a_timeout_with_its_place() {
    run(async {
        let guest = Guest::new(
            "local function spin()\n  while true do end\nend\nruns = 0\nfunction handler(e)\n  runs = runs + 1\n  if runs > 1 then return runs end\n  spin()\nend",
        );
        let error = warned(&guest).await.unwrap_err();
        is_soft(&error);
        assert_eq!((error.frames()[0].line, error.frames()[1].line), (2, 8), "{error:#}");
        assert_eq!(guest.handle("0").await.unwrap(), "2", "the state is the same");
        // Raised again, or from a pattern, it is the same.
        is_soft(
            &warned_body("local ok, e = pcall(function() while true do end end) error(e)")
                .await
                .unwrap_err(),
        );
        is_soft(
            &warned_body("return (('a'):rep(40):gsub(('a-'):rep(30) .. 'b', ''))")
                .await
                .unwrap_err(),
        );
        // Without a deadline it is an error like any other.
        let error =
            Guest::new(&handler("error(trine.deadline_exceeded)")).handle("0").await.unwrap_err();
        assert_eq!((error.kind(), error.name()), (ErrorKind::Guest, "DeadlineExceeded"));
    });
}

#[test]
fn it_comes_once_and_force_comes_after_it() {
    run(async {
        for body in [
            "while true do pcall(function() while true do end end) end",
            "xpcall(function() while true do end end, function() while true do end end)",
            "local co = coroutine.wrap(function() local x <close> = setmetatable({}, {__close = function() end}) while true do end end) pcall(co) while true do end",
        ] {
            let error = warned_body(body).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{body}");
            assert!(error.poisons(), "{body}");
        }
    });
}

#[test]
fn a_message_handler_may_be_long_and_may_fail() {
    run(async {
        let body = "local n = 0 local ok, e = xpcall(function() while true do end end, function(e) for i = 1, 100000 do n = n + 1 end return {tostring(e), n} end) return e";
        assert_eq!(warned_body(body).await.unwrap(), r#"["trine: deadline exceeded",100000]"#);
        let body = "local ok, e = xpcall(function() while true do end end, function(e) error('in handler', 0) end) return {ok, e}";
        assert_eq!(warned_body(body).await.unwrap(), r#"[false,"in handler"]"#);
    });
}

#[test]
fn a_warning_when_nothing_runs_has_no_effect() {
    run(async {
        let guest =
            Guest::new(&handler("local n = 0 for i = 1, 1000000 do n = n + 1 end return n"));
        let function = guest.load("app", "handler").await.unwrap();
        guest.instance.interrupter().warn();
        guest.instance.warn(&invocation("1"));
        assert_eq!(guest.call(function, "0").await.unwrap(), "1000000");
    });
}

/// Warns an invocation's waits after 10 ms.
async fn warned_wait(
    guest: &Guest,
    cx: &Rc<Invocation>,
    event: &str,
) -> (Result<String>, Duration) {
    let function = guest.load("app", "handler").await.unwrap();
    let start = Instant::now();
    let warn = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        guest.instance.warn(cx);
        guest.instance.warn(cx);
    };
    let (result, ()) = tokio::join!(guest.call_with(function, event, cx), warn);
    (result, start.elapsed())
}

#[test]
fn a_call_that_waits_gets_the_error_where_it_waits() {
    run(async {
        for body in [
            "local ok, e = pcall(trine.sleep, 60) trine.sleep(0.001) return {ok, e == trine.deadline_exceeded}",
            "local ok, e = pcall(coroutine.wrap(function() trine.sleep(60) end)) trine.sleep(0.001) return {ok, e == trine.deadline_exceeded}",
        ] {
            let guest = Guest::new(&handler(body));
            let (result, took) = warned_wait(&guest, &invocation("1"), "0").await;
            assert_eq!(result.unwrap(), "[false,true]", "{body}");
            assert!(took < Duration::from_secs(20));
        }
        let guest = Guest::new("function handler(e)\n  trine.sleep(60)\nend");
        let error = warned_wait(&guest, &invocation("1"), "0").await.0.unwrap_err();
        is_soft(&error);
        assert_eq!(error.frames()[0].line, 2, "{error:#}");
        let source = handler("trine.fetch('http://' .. event)");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let event = format!("\"{}\"", listener.local_addr().unwrap());
        is_soft(&warned_wait(&Guest::new(&source), &invocation("1"), &event).await.0.unwrap_err());
    });
}

#[test]
fn a_call_that_was_warned_while_it_ran_is_not_warned_while_it_waits() {
    run(async {
        let guest = Guest::new(&handler(
            "pcall(function() while true do end end) trine.sleep(0.05) return 'slept'",
        ));
        let function = guest.load("app", "handler").await.unwrap();
        let interrupter = guest.instance.interrupter();
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            interrupter.warn();
        });
        let cx = invocation("1");
        let warn = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            guest.instance.warn(&cx);
        };
        let (result, ()) = tokio::join!(guest.call_with(function, "0", &cx), warn);
        thread.join().unwrap();
        assert_eq!(result.unwrap(), "\"slept\"");
    });
}

#[test]
fn only_the_invocation_that_is_warned_hears_of_it() {
    run(async {
        let guest = Guest::new(&handler("trine.sleep(event) return 'slept'"));
        let function = guest.load("app", "handler").await.unwrap();
        let (warned, other) = (invocation("warned"), invocation("other"));
        let ((first, _), second) = tokio::join!(
            warned_wait(&guest, &warned, "60"),
            guest.call_with(function, "0.05", &other)
        );
        is_soft(&first.unwrap_err());
        assert_eq!(second.unwrap(), "\"slept\"");
    });
}

#[test]
fn a_stopped_wait_says_where_it_waited_and_poisons() {
    run(async {
        let guest = Guest::new("function handler(e)\n  trine.sleep(60)\nend");
        let function = guest.load("app", "handler").await.unwrap();
        let stop = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            guest.instance.interrupter().interrupt();
        };
        let (result, ()) = tokio::join!(guest.call(function, "0"), stop);
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.frames()[0].line), (ErrorKind::Timeout, 2));
        assert!(error.poisons());
    });
}

#[test]
fn many_warnings_and_interrupts_at_any_instant_do_no_harm() {
    run(async {
        let guest = Guest::new(&handler(
            "local t = {} for i = 1, 200 do t[i] = coroutine.wrap(function() local s = pcall(string.rep, 'x', i) \
             xpcall(error, function(e) return e end, 'x') local _ = ('a'):rep(20):gsub('a', {}) coroutine.yield(i) return s end)() end return #t",
        ));
        let function = guest.load("app", "handler").await.unwrap();
        let interrupter = guest.instance.interrupter();
        let thread = std::thread::spawn(move || {
            for pause in 0..400 {
                interrupter.warn();
                if pause % 10 == 0 {
                    interrupter.interrupt();
                }
                std::thread::sleep(Duration::from_micros(pause % 50 * 20));
            }
        });
        while !thread.is_finished() {
            match guest.call(function, "0").await {
                Ok(answer) => assert_eq!(answer, "200"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}"),
            }
        }
        thread.join().unwrap();
        assert_eq!(guest.call(function, "0").await.unwrap(), "200");
    });
}
