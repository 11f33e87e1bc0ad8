//! The warning that a deadline is near, while code runs and while it waits.

use crate::harness::{Case, block_on, invocation, text};
use std::{
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use trine_engine::{Error, ErrorKind, Form, Payload, Result};

const HEAD: &str =
    "import asyncio, threading, time, trine\nlog = []\ndef look(event): return log\n";

/// Calls `handler`, and warns it a little later, while it runs.
fn warned_while_running(body: &str) -> (Result<String>, Case) {
    let case = Case::new(&[("app.py", &format!("{HEAD}{body}"))]);
    let function = case.load("app", "handler").unwrap();
    let interrupter = case.instance.interrupter();
    let done = Arc::new(AtomicBool::new(false));
    let watchdog = std::thread::spawn({
        let done = done.clone();
        move || {
            // A warning that comes before the call runs, on a busy machine, concerns nobody.
            for n in 0..100 {
                std::thread::sleep(Duration::from_millis(100));
                interrupter.warn();
                if n > 0 && done.load(Ordering::Acquire) {
                    break;
                }
            }
        }
    });
    let answer = case.run(function, Payload::json("1"), Form::Json).map(text);
    done.store(true, Ordering::Release);
    watchdog.join().unwrap();
    (answer, case)
}

/// Calls `handler`, and warns its invocation while it waits, twice.
fn warned_while_waiting(body: &str) -> (Result<String>, Case) {
    let case = Case::new(&[("app.py", &format!("{HEAD}{body}"))]);
    let function = case.load("app", "handler").unwrap();
    let invocation = Rc::new(invocation());
    let answer = block_on(async {
        let warn = async {
            for _ in 0..2 {
                tokio::time::sleep(Duration::from_millis(50)).await;
                case.instance.warn(&invocation);
            }
        };
        let input = Payload::json("1");
        tokio::join!(case.instance.call(function, input, Form::Json, &invocation), warn).0
    });
    (answer.map(text), case)
}

fn is_soft_timeout(error: &Error) -> bool {
    (error.kind(), error.name(), error.poisons()) == (ErrorKind::Timeout, "Function.Timeout", false)
}

#[test]
fn running_code_is_warned_once_and_may_go_on() {
    let (answer, _) = warned_while_running(
        "def handler(event):
    try:
        n = 0
        while True: n += 1
    except trine.DeadlineExceeded as error:
        said = str(error)
    end = time.monotonic() + 0.3
    while time.monotonic() < end: pass
    return [said, issubclass(trine.DeadlineExceeded, Exception)]
",
    );
    assert_eq!(answer.unwrap(), "[\"the deadline of this invocation is near\", false]");
}

#[test]
fn a_warning_that_nobody_catches_is_a_timeout_with_the_place() {
    let (answer, case) = warned_while_running(
        "def handler(event):
    while True:
        try: n = 1
        except Exception: pass
",
    );
    let error = answer.unwrap_err();
    assert!(is_soft_timeout(&error), "{error:#}");
    assert!((5..=7).contains(&error.frames()[0].line), "{error:#}");
    assert_eq!(case.call("look", "1").unwrap(), "[]");
}

#[test]
fn a_sleep_is_woken_by_a_warning_and_by_a_stop() {
    let (answer, _) = warned_while_running(
        "def handler(event):
    start = time.monotonic()
    try: time.sleep(30)
    except trine.DeadlineExceeded: pass
    time.sleep(0.3)
    return 0.35 < time.monotonic() - start < 20
",
    );
    assert_eq!(answer.unwrap(), "true");
    let case = Case::new(&[("app.py", "import time\ndef handler(event): time.sleep(30)\n")]);
    let function = case.load("app", "handler").unwrap();
    let interrupter = case.instance.interrupter();
    let done = Arc::new(AtomicBool::new(false));
    let watchdog = std::thread::spawn({
        let done = done.clone();
        move || {
            // A stop that comes before the call, on a busy machine, concerns nobody.
            while !done.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(100));
                interrupter.interrupt();
            }
        }
    });
    let error = case.run(function, Payload::json("1"), Form::Json).unwrap_err();
    done.store(true, Ordering::Release);
    watchdog.join().unwrap();
    assert_eq!((error.kind(), error.poisons()), (ErrorKind::Timeout, true));
    assert_eq!(error.frames()[0].line, 2);
}

#[test]
fn our_sleep_looks_as_pythons_does() {
    let source = "\
import pickle, subprocess, sys, threading, time
class Float(float): pass
class Index:
    def __index__(self): return 0
CODE = '''
import time
out = [repr(time.sleep), time.sleep.__module__, bool(time.sleep.__doc__)]
for bad in (-1, -0.5, float('nan'), float('inf'), 1e300, 10**30, 'x', None, 1j):
    try: time.sleep(bad)
    except Exception as e: out.append(type(e).__name__ + ': ' + str(e))
for call in (lambda: time.sleep(), lambda: time.sleep(1, 2), lambda: time.sleep(secs=1)):
    try: call()
    except TypeError as e: out.append(str(e))
'''
def handler(event):
    ours = {}
    exec(CODE, ours)
    plain = subprocess.run([sys.executable, '-c', CODE + 'print(out)'], capture_output=True, text=True)
    for quick in (0, 0.0, True, Float(0), Index()): time.sleep(quick)
    start = time.monotonic()
    time.sleep(0.05)
    slept = time.monotonic() - start
    thread = threading.Thread(target=time.sleep, args=(0.01,))
    thread.start()
    thread.join()
    return [plain.stdout.strip() == str(ours['out']) or [plain.stdout, ours['out']],
            0.05 <= slept < 5, pickle.loads(pickle.dumps(time.sleep)) is time.sleep]
";
    assert_eq!(crate::harness::answer(source, "1").unwrap(), "[true, true, true]");
}

#[test]
fn a_coroutine_is_warned_where_it_waits() {
    for wait in [
        "await asyncio.sleep(30)",
        "await asyncio.Event().wait()",
        "await asyncio.get_running_loop().create_future()",
        "await asyncio.Queue().get()",
    ] {
        let (answer, _) = warned_while_waiting(&format!(
            "async def handler(event):
    try: {wait}
    except trine.DeadlineExceeded as error: said = str(error)
    finally: log.append('cleaned')
    await asyncio.sleep(0.2)
    return [said, log]
"
        ));
        assert_eq!(
            answer.unwrap(),
            "[\"the deadline of this invocation is near\", [\"cleaned\"]]",
            "{wait}"
        );
    }
}

#[test]
fn what_a_coroutine_awaits_is_warned_as_well() {
    let inner = "async def inner(n):
    try: await asyncio.sleep(30)
    except BaseException as error:
        log.append(type(error).__name__)
        raise
";
    for (wait, expected) in [
        ("await asyncio.create_task(inner(1))", "[\"DeadlineExceeded\", \"outer\"]"),
        (
            "await asyncio.gather(inner(1), inner(2))",
            "[\"DeadlineExceeded\", \"DeadlineExceeded\", \"outer\"]",
        ),
        ("await asyncio.wait_for(inner(1), 30)", "[\"DeadlineExceeded\", \"outer\"]"),
        ("await asyncio.wait_for(asyncio.gather(inner(1)), 30)", "[\"outer\"]"),
        ("await asyncio.shield(asyncio.create_task(inner(1)))", "[\"outer\"]"),
    ] {
        let (answer, _) = warned_while_waiting(&format!(
            "{inner}async def handler(event):
    try: {wait}
    except trine.DeadlineExceeded: log.append('outer')
    return log
"
        ));
        assert_eq!(answer.unwrap(), expected, "{wait}");
    }
    let (answer, _) = warned_while_waiting(&format!(
        "{inner}async def handler(event):
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(inner(1))
    except trine.DeadlineExceeded: pass
    await asyncio.sleep(0.01)
    return log
"
    ));
    assert_eq!(answer.unwrap(), "[\"CancelledError\"]");
}

#[test]
fn a_coroutine_that_never_waits_for_anything_is_warned_when_it_runs() {
    let (answer, _) = warned_while_waiting(
        "async def handler(event):
    try:
        while True: await asyncio.sleep(0)
    except trine.DeadlineExceeded: return 'warned'
",
    );
    assert_eq!(answer.unwrap(), "\"warned\"");
}

#[test]
fn a_waiting_coroutine_that_does_not_catch_the_warning_ends_in_order() {
    let (answer, case) = warned_while_waiting(
        "class Resource:
    async def __aenter__(self): return self
    async def __aexit__(self, *raised):
        await asyncio.sleep(0)
        log.append(raised[0].__name__)
async def handler(event):
    async with Resource():
        await asyncio.sleep(30)
",
    );
    let error = answer.unwrap_err();
    assert!(is_soft_timeout(&error), "{error:#}");
    assert!(error.frames().iter().any(|frame| frame.line == 11), "{error:#}");
    assert_eq!(case.call("look", "1").unwrap(), "[\"DeadlineExceeded\"]");
}

#[test]
fn a_warning_concerns_its_own_invocation() {
    let source = "\
import asyncio, trine
async def handler(event):
    try: await asyncio.sleep(0.3)
    except trine.DeadlineExceeded: return 'warned'
    return 'slept'
";
    let case = Case::new(&[("app.py", source)]);
    let function = case.load("app", "handler").unwrap();
    let [a, b] = [(); 2].map(|()| Rc::new(invocation()));
    let call =
        |invocation| case.instance.call(function, Payload::json("1"), Form::Json, invocation);
    let (first, second, ()) = block_on(async {
        tokio::join!(call(&a), call(&b), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            case.instance.warn(&b);
        })
    });
    assert_eq!([first, second].map(|answer| text(answer.unwrap())), ["\"slept\"", "\"warned\""]);
    case.instance.warn(&a);
}

#[test]
fn a_coroutine_warned_while_it_runs_is_not_warned_again_while_it_waits() {
    let source = "\
import asyncio, time, trine
async def handler(event):
    await asyncio.sleep(0.01)
    try:
        n = 0
        while True: n += 1
    except trine.DeadlineExceeded: pass
    await asyncio.sleep(0.2)
    return 'done'
";
    let case = Case::new(&[("app.py", source)]);
    let function = case.load("app", "handler").unwrap();
    let interrupter = case.instance.interrupter();
    let watchdog = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(150));
        interrupter.warn();
    });
    let invocation = Rc::new(invocation());
    let answer = block_on(async {
        let warn = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            case.instance.warn(&invocation);
        };
        let call = case.instance.call(function, Payload::json("1"), Form::Json, &invocation);
        tokio::join!(call, warn).0
    });
    watchdog.join().unwrap();
    assert_eq!(text(answer.unwrap()), "\"done\"");
}

#[test]
fn an_error_of_the_guests_after_the_warning_is_the_guests() {
    let (answer, _) = warned_while_running(
        "def handler(event):
    try: time.sleep(30)
    except trine.DeadlineExceeded as near: raise ValueError('half done') from near
",
    );
    let error = answer.unwrap_err();
    assert_eq!((error.kind(), error.name()), (ErrorKind::Guest, "ValueError"));
    assert_eq!(error.cause().unwrap().name(), "DeadlineExceeded");
}
