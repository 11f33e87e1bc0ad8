//! The end of a generator: its own, by an error, or because nobody reads any more.

use super::{Streamed, both, read};
use crate::harness::{Case, block_on, invocation};
use std::{rc::Rc, time::Duration};
use trine_engine::{ErrorKind, Form, Payload};

const HEAD: &str = "\
import asyncio, contextlib, os, sys, trine
log = []
def look(event): return log
@contextlib.contextmanager
def resource():
    try: yield
    except BaseException as raised:
        log.append(type(raised).__name__)
        raise
    finally: log.append('closed')
@contextlib.asynccontextmanager
async def later():
    try: yield
    finally:
        await asyncio.sleep(0.01)
        log.append('closed later')
";

/// Reads so many chunks of `handler`; returns what came, and what was noted by then.
fn read_some(source: &str, most: usize) -> (Streamed, String) {
    let case = Case::new(&[("app.py", &format!("{HEAD}{source}"))]);
    let function = case.load("app", "handler").unwrap();
    let streamed = block_on(read(&case, function, &Rc::new(invocation()), most));
    let noted = case.call("look", "1").unwrap();
    (streamed, noted)
}

#[test]
fn an_error_before_the_first_chunk_and_one_after_it_have_their_lines() {
    for (body, chunks) in [
        ("raise ValueError('no')\nyield", 0),
        ("yield 'a'\nyield 'b'\n\nraise ValueError('no')", 2),
    ] {
        for streamed in both("", body) {
            assert_eq!(streamed.chunks.len(), chunks);
            let error = streamed.error();
            assert_eq!((error.name(), error.message()), ("ValueError", "no"));
            assert_eq!(error.frames().len(), 1, "{error:#}");
            assert_eq!(error.frames()[0].line, if chunks == 0 { 5 } else { 8 });
        }
    }
}

#[test]
fn what_a_generator_returns_is_ignored() {
    let (streamed, _) = read_some("def handler(event):\n  yield 'a'\n  return {'b': 1}\n", 9);
    assert_eq!(streamed.texts(), ["a"]);
    streamed.result.unwrap();
}

#[test]
fn a_generator_hears_at_its_yield_that_nobody_reads() {
    for (source, expected) in [
        (
            "def handler(event):
    with resource():
        while True: yield 'a'
",
            "[\"GeneratorExit\", \"closed\"]",
        ),
        (
            "async def handler(event):
    async with later():
        with resource():
            while True: yield 'a'
",
            "[\"GeneratorExit\", \"closed\", \"closed later\"]",
        ),
    ] {
        let (streamed, noted) = read_some(source, 2);
        assert_eq!(streamed.texts(), ["a", "a"]);
        streamed.result.unwrap();
        assert_eq!(noted, expected);
    }
}

#[test]
fn an_asynchronous_generator_hears_in_the_middle_of_a_wait_that_nobody_reads() {
    for wait in [
        "await asyncio.sleep(60)",
        "await asyncio.wait_for(asyncio.Event().wait(), 60)",
        "await asyncio.gather(asyncio.sleep(60), asyncio.sleep(50))",
    ] {
        let (streamed, noted) = read_some(
            &format!(
                "async def handler(event):
    yield 'a'
    async with later():
        with resource(): {wait}
    yield 'b'
"
            ),
            1,
        );
        assert_eq!(streamed.texts(), ["a"]);
        streamed.result.unwrap();
        assert_eq!(noted, "[\"CancelledError\", \"closed\", \"closed later\"]", "{wait}");
    }
}

#[test]
fn a_generator_that_goes_on_when_nobody_reads_has_failed() {
    for (def, message) in [
        ("def", "generator ignored GeneratorExit"),
        ("async def", "async generator ignored GeneratorExit"),
    ] {
        let (streamed, _) = read_some(
            &format!(
                "{def} handler(event):
    while True:
        try: yield 'a'
        except GeneratorExit: pass
"
            ),
            1,
        );
        let error = streamed.error();
        assert_eq!((error.name(), error.message()), ("RuntimeError", message));
    }
}

#[test]
fn an_asynchronous_generator_may_swallow_its_cancellation() {
    let (streamed, noted) = read_some(
        "async def handler(event):
    yield 'a'
    try: await asyncio.sleep(60)
    except asyncio.CancelledError: log.append('swallowed')
    await asyncio.sleep(0.01)
    try: yield 'b'
    except GeneratorExit: log.append('exit')
",
        1,
    );
    streamed.result.unwrap();
    assert_eq!(noted, "[\"swallowed\", \"exit\"]");
}

#[test]
fn an_error_on_the_way_out_is_the_calls() {
    for def in ["def", "async def"] {
        let (streamed, _) = read_some(
            &format!(
                "{def} handler(event):
    try:
        while True: yield 'a'
    finally: raise ValueError('cannot close')
"
            ),
            1,
        );
        let error = streamed.error();
        assert_eq!((error.name(), error.message()), ("ValueError", "cannot close"));
    }
}

#[test]
fn a_call_that_is_given_up_closes_its_generator() {
    for (source, expected) in [
        (
            "def handler(event):\n  with resource():\n    while True: yield 'a' * 70000\n",
            "[\"GeneratorExit\", \"closed\"]",
        ),
        (
            "async def handler(event):\n  with resource():\n    while True: yield 'a' * 70000\n",
            "[\"GeneratorExit\", \"closed\"]",
        ),
        (
            "async def handler(event):\n  yield 'a'\n  with resource(): await asyncio.sleep(60)\n",
            "[\"CancelledError\", \"closed\"]",
        ),
    ] {
        let source = format!("{HEAD}async def turn(event): await asyncio.sleep(0.05)\n{source}");
        let case = Case::new(&[("app.py", &source)]);
        let function = case.load("app", "handler").unwrap();
        let invocation = Rc::new(invocation());
        block_on(async {
            let call = case.instance.call(function, Payload::json("1"), Form::Json, &invocation);
            let given_up = tokio::time::timeout(Duration::from_millis(100), call).await;
            given_up.unwrap_err();
        });
        // What waits in the event loop hears of it when that runs again.
        case.call("turn", "1").unwrap();
        assert_eq!(case.call("look", "1").unwrap(), expected, "{source}");
    }
}

#[test]
fn the_end_of_an_instance_closes_what_was_given_up() {
    let source = format!(
        "{HEAD}async def handler(event):\n  with contextlib.ExitStack() as stack:\n    stack.callback(print, 'closed at the end')\n    while True: yield 'a' * 70000\n"
    );
    let case = Case::new(&[("app.py", &source)]);
    let function = case.load("app", "handler").unwrap();
    let invocation = Rc::new(invocation());
    block_on(async {
        let call = case.instance.call(function, Payload::json("1"), Form::Json, &invocation);
        tokio::time::timeout(Duration::from_millis(100), call).await.unwrap_err();
    });
    case.instance.shutdown();
    assert!(case.log.text().contains("closed at the end\n"), "{}", case.log.text());
}

#[test]
fn an_exit_inside_of_a_generator_is_the_calls() {
    for def in ["def", "async def"] {
        let (streamed, _) =
            read_some(&format!("{def} handler(event):\n  yield 'a'\n  sys.exit(3)\n"), 9);
        assert_eq!(streamed.texts(), ["a"]);
        let error = streamed.error();
        assert_eq!((error.kind(), error.name()), (ErrorKind::Exit, "Runtime.ExitError"));
    }
}

#[test]
fn a_child_that_is_forked_inside_of_a_generator_ends_at_its_yield() {
    let (streamed, _) = read_some(
        "def handler(event):
    yield 'before'
    child = os.fork()
    yield 'child' if child == 0 else 'parent'
    yield str(os.waitpid(child, 0)[1])
",
        9,
    );
    assert_eq!(streamed.texts(), ["before", "parent", "0"]);
}
