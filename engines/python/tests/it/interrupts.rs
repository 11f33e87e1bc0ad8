//! The interruption of running code.

use crate::harness::{Case, Folder, block_on, invocation, text};
use std::rc::Rc;
use trine_engine::{Error, ErrorKind, Form, Payload};

/// Calls `handler`, which prints when it has begun, and then interrupts it. Returns the error.
fn stopped(case: &Case) -> Error {
    let function = case.load("app", "handler").unwrap();
    let interrupter = case.instance.interrupter();
    let log = case.log.clone();
    let watchdog = std::thread::spawn(move || {
        log.wait_for("begun");
        interrupter.interrupt();
    });
    let error = case.run(function, Payload::json("1"), Form::Json).unwrap_err();
    watchdog.join().unwrap();
    error
}

/// Interrupts a handler with this body when it has printed that it began, and calls the instance again afterwards.
fn stops(body: &str) {
    let source =
        format!("import asyncio, time\n{body}\ndef alive(event): return list(range(event))[-1]\n");
    let case = Case::new(&[("app.py", &source)]);
    let error = stopped(&case);
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}");
    // Long enough for whatever is left of the interrupt to show.
    assert_eq!(case.call("alive", "3000000").unwrap(), "2999999");
    assert_eq!(case.call("alive", "2").unwrap(), "1");
}

#[test]
fn an_endless_loop_stops_and_the_error_says_where() {
    let case =
        Case::new(&[("app.py", "def handler(event):\n    print('begun')\n    while True: pass\n")]);
    let error = stopped(&case);
    assert_eq!((error.kind(), error.name()), (ErrorKind::Timeout, "Function.Timeout"));
    assert_eq!(error.frames()[0].line, 3, "{error:#}");
}

#[test]
fn a_loop_that_catches_every_exception_stops() {
    stops(
        "def handler(event):\n    print('begun')\n    while True:\n        try: x = 1\n        except Exception: pass",
    );
}

#[test]
fn a_loop_that_catches_even_base_exceptions_stops_in_the_end() {
    stops(
        "def handler(event):\n    print('begun')\n    while True:\n        try:\n            x = 1\n        except BaseException:\n            for _ in range(50000): pass",
    );
}

#[test]
fn an_endless_coroutine_stops() {
    stops("async def handler(event):\n    print('begun')\n    while True: await asyncio.sleep(0)");
    stops(
        "async def handler(event):\n    await asyncio.sleep(0.01)\n    print('begun')\n    while True: pass",
    );
}

#[test]
fn a_coroutine_that_waits_stops() {
    stops("async def handler(event):\n    print('begun')\n    await asyncio.sleep(100)");
    stops("async def handler(event):\n    print('begun')\n    await asyncio.Event().wait()");
}

#[test]
fn a_loop_of_the_handlers_own_stops() {
    stops(
        "async def spin():\n    print('begun')\n    while True: await asyncio.sleep(0.001)\ndef handler(event): asyncio.run(spin())",
    );
}

#[test]
fn many_short_sleeps_stop() {
    stops("def handler(event):\n    print('begun')\n    while True: time.sleep(0.01)");
}

#[test]
fn an_endless_result_or_message_stops() {
    stops(
        "class E(dict):\n    def items(self):\n        print('begun')\n        while True: pass\ndef handler(event): return E(a=1)",
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
    let folder = Folder::new(&[]);
    let done = folder.path().join("done");
    let event = format!("{done:?}");
    let (begun, has_begun) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        let source = "\
import os
def handler(event):
    print('begun')
    while not os.path.exists(event): pass
    return 1
";
        let case = Case::new(&[("app.py", source)]);
        begun.send(case.log.clone()).unwrap();
        case.call("handler", &event).unwrap()
    });
    has_begun.recv().unwrap().wait_for("begun");
    let source = "def handler(event):\n    print('begun')\n    while True: pass\n";
    assert_eq!(stopped(&Case::new(&[("app.py", source)])).kind(), ErrorKind::Timeout);
    // It has been running all the time.
    std::fs::write(done, "").unwrap();
    assert_eq!(other.join().unwrap(), "1");
}

#[test]
fn the_one_that_runs_is_stopped_and_the_ones_that_wait_go_on() {
    let source = "\
import asyncio
gate = asyncio.Event()
async def waits(event):
    await gate.wait()
    return 'waited'
async def spins(event):
    await asyncio.sleep(0.01)
    print('begun')
    while True: pass
async def opens(event): gate.set()
";
    let case = Case::new(&[("app.py", source)]);
    let [waits, spins, opens] =
        ["waits", "spins", "opens"].map(|name| case.load("app", name).unwrap());
    let interrupter = case.instance.interrupter();
    let log = case.log.clone();
    let watchdog = std::thread::spawn(move || {
        // Before that, the waiting calls would be the ones stopped.
        log.wait_for("begun");
        interrupter.interrupt();
    });
    let invocation = Rc::new(invocation());
    let call = |function| case.instance.call(function, Payload::json("1"), Form::Json, &invocation);
    let (waited, spun) = block_on(async {
        let spun_and_opened = async {
            let spun = call(spins).await;
            call(opens).await.unwrap();
            spun
        };
        tokio::join!(call(waits), spun_and_opened)
    });
    watchdog.join().unwrap();
    assert_eq!(spun.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(text(waited.unwrap()), "\"waited\"");
}

#[test]
fn a_guest_can_clean_up_when_it_is_stopped() {
    // A statement precedes the loop because CPython 3.11 counts a jump to the first instruction of a `try` block
    // as outside it.
    let source = "\
import trine
done = []
def handler(event):
    try:
        print('begun')
        while True: pass
    except trine.Interrupted:
        done.append('cleaned')
        raise
def look(event): return done
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(stopped(&case).kind(), ErrorKind::Timeout);
    assert_eq!(case.call("look", "1").unwrap(), "[\"cleaned\"]");
}

#[test]
fn functions_can_be_traced_after_an_interrupt() {
    let source = "\
import sys, time
def handler(event):
    print('begun')
    while True: time.sleep(0.01)
def traced(event):
    lines = []
    def trace(frame, kind, argument):
        lines.append(kind)
        return trace
    sys.settrace(trace)
    try: (lambda: 1)()
    finally: sys.settrace(None)
    return lines[0]
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(stopped(&case).kind(), ErrorKind::Timeout);
    assert_eq!(case.call("traced", "1").unwrap(), "\"call\"");
}
