//! Stopping what runs.

use crate::harness::{Case, block_on, invocation, text};
use std::{
    rc::Rc,
    time::{Duration, Instant},
};
use trine_engine::{Error, ErrorKind, Form, Payload};

/// Calls `handler` and interrupts it shortly afterwards. The error, and how long that took after the interrupt.
fn stopped(case: &Case) -> (Error, Duration) {
    let function = case.load("app", "handler").unwrap();
    let interrupter = case.instance.interrupter();
    let watchdog = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        let at = Instant::now();
        interrupter.interrupt();
        (at, at.elapsed())
    });
    let error = case.run(function, Payload::json("1"), Form::Json).unwrap_err();
    let ended = Instant::now();
    let (at, took) = watchdog.join().unwrap();
    assert!(took < Duration::from_millis(20), "interrupt took {took:?}");
    println!("stopped after {:?}", ended - at);
    (error, ended - at)
}

fn stops(body: &str) {
    let source = format!("import asyncio, time\n{body}\ndef alive(event): return event\n");
    let case = Case::new(&[("app.py", &source)]);
    let (error, took) = stopped(&case);
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(case.call("alive", "2").unwrap(), "2");
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(case.call("alive", "3").unwrap(), "3");
}

#[test]
fn an_endless_loop_stops_and_the_error_says_where() {
    let case = Case::new(&[("app.py", "def handler(event):\n    while True: pass\n")]);
    let (error, took) = stopped(&case);
    assert_eq!((error.kind(), error.name()), (ErrorKind::Timeout, "Function.Timeout"));
    assert_eq!(error.frames()[0].line, 2, "{error:#}");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_loop_that_catches_every_exception_stops() {
    stops(
        "def handler(event):\n    while True:\n        try: x = 1\n        except Exception: pass",
    );
}

#[test]
fn a_loop_that_catches_even_base_exceptions_stops_in_the_end() {
    stops(
        "def handler(event):\n    while True:\n        try:\n            x = 1\n        except BaseException:\n            for _ in range(50000): pass",
    );
}

#[test]
fn an_endless_coroutine_stops() {
    stops("async def handler(event):\n    while True: await asyncio.sleep(0)");
    stops("async def handler(event):\n    await asyncio.sleep(0.01)\n    while True: pass");
}

#[test]
fn a_coroutine_that_waits_stops() {
    stops("async def handler(event): await asyncio.sleep(100)");
    stops("async def handler(event): await asyncio.Event().wait()");
}

#[test]
fn a_loop_of_the_handlers_own_stops() {
    stops(
        "async def spin():\n    while True: await asyncio.sleep(0.001)\ndef handler(event): asyncio.run(spin())",
    );
}

#[test]
fn many_short_sleeps_stop() {
    stops("def handler(event):\n    while True: time.sleep(0.01)");
}

#[test]
fn an_endless_result_or_message_stops() {
    stops(
        "class E(dict):\n    def items(self):\n        while True: pass\ndef handler(event): return E(a=1)",
    );
}

#[test]
fn an_interrupt_while_nothing_runs_has_no_effect() {
    let case = Case::new(&[(
        "app.py",
        "def handler(event):\n    for _ in range(200000): pass\n    return 1\n",
    )]);
    case.load("app", "handler").unwrap();
    case.instance.interrupter().interrupt();
    for _ in 0..5 {
        assert_eq!(case.call("handler", "1").unwrap(), "1");
        case.instance.interrupter().interrupt();
    }
}

#[test]
fn one_instances_interrupt_leaves_the_others_alone() {
    let other = std::thread::spawn(|| {
        let case = Case::new(&[(
            "app.py",
            "import time\ndef handler(event):\n    end = time.time() + 0.5\n    while time.time() < end: pass\n    return 1\n",
        )]);
        case.call("handler", "1").unwrap()
    });
    let case = Case::new(&[("app.py", "def handler(event):\n    while True: pass\n")]);
    assert_eq!(stopped(&case).0.kind(), ErrorKind::Timeout);
    assert_eq!(other.join().unwrap(), "1");
}

#[test]
fn the_one_that_runs_is_stopped_and_the_ones_that_wait_go_on() {
    let source = "\
import asyncio
async def waits(event):
    await asyncio.sleep(0.4)
    return 'waited'
async def spins(event):
    await asyncio.sleep(0.05)
    print('spins')
    while True: pass
";
    let case = Case::new(&[("app.py", source)]);
    let [waits, spins] = ["waits", "spins"].map(|name| case.load("app", name).unwrap());
    let interrupter = case.instance.interrupter();
    let log = case.log.clone();
    let watchdog = std::thread::spawn(move || {
        // Before that, it would be the waiting calls that are stopped.
        let given_up = Instant::now() + Duration::from_secs(20);
        while log.text().is_empty() && Instant::now() < given_up {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(20));
        interrupter.interrupt();
    });
    let invocation = Rc::new(invocation());
    let (waited, spun) = block_on(async {
        tokio::join!(
            case.instance.call(waits, Payload::json("1"), Form::Json, &invocation),
            case.instance.call(spins, Payload::json("1"), Form::Json, &invocation),
        )
    });
    watchdog.join().unwrap();
    assert_eq!(spun.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(text(waited.unwrap()), "\"waited\"");
}

#[test]
fn a_guest_can_clean_up_when_it_is_stopped() {
    // Something stands before the loop because CPython 3.11 counts a jump to the first instruction of a `try` block
    // as outside of it.
    let source = "\
import trine
done = []
def handler(event):
    try:
        n = 0
        while True: n += 1
    except trine.Interrupted:
        done.append('cleaned')
        raise
def look(event): return done
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(stopped(&case).0.kind(), ErrorKind::Timeout);
    assert_eq!(case.call("look", "1").unwrap(), "[\"cleaned\"]");
}
