//! When chunks leave, what goes on meanwhile, and deadlines.

use super::{Streamed, read};
use crate::harness::{Case, block_on, invocation, text};
use std::{
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
    time::Duration,
};
use tokio::time;
use trine_engine::{Error, ErrorKind, Form, FunctionId, Invocation, Payload, STREAM_CAPACITY};

/// Returns the answer of another function.
async fn ask(case: &Case, function: FunctionId) -> String {
    let invocation = Rc::new(invocation());
    let input = Payload::json("1");
    text(case.instance.call(function, input, Form::Json, &invocation).await.unwrap())
}

#[test]
fn a_chunk_is_read_before_the_next_one_is_made() {
    for def in ["def", "async def"] {
        let source = format!(
            "made = []\n{def} handler(event):
    for n in range(5):
        made.append(n)
        yield n
def count(event): return len(made)
"
        );
        let case = Case::new(&[("app.py", &source)]);
        let [handler, count] = ["handler", "count"].map(|name| case.load("app", name).unwrap());
        let invocation = Rc::new(invocation());
        let stream = invocation.stream.get().clone();
        block_on(async {
            let call = async {
                let input = Payload::json("1");
                case.instance.call(handler, input, Form::Json, &invocation).await.unwrap();
                stream.finish(Ok(()));
            };
            let reading = async {
                let mut reader = stream.reader();
                let mut seen = 0;
                while let Some(chunk) = reader.chunk().await {
                    assert_eq!(chunk, format!("{seen}\n"));
                    seen += 1;
                    assert_eq!(ask(&case, count).await, seen.to_string(), "{def}");
                }
                assert_eq!(seen, 5);
            };
            tokio::join!(call, reading);
        });
    }
}

#[test]
fn a_reader_that_stops_stops_the_generator() {
    for def in ["def", "async def"] {
        let source = format!(
            "made = []\n{def} handler(event):
    for n in range(100):
        made.append(n)
        yield b'x' * 10_000
def count(event): return len(made)
"
        );
        let case = Case::new(&[("app.py", &source)]);
        let [handler, count] = ["handler", "count"].map(|name| case.load("app", name).unwrap());
        let invocation = Rc::new(invocation());
        block_on(async {
            let call = case.instance.call(handler, Payload::json("1"), Form::Json, &invocation);
            let mut call = std::pin::pin!(call);
            time::timeout(Duration::from_millis(200), &mut call).await.unwrap_err();
            let most = STREAM_CAPACITY / 10_000 + 1;
            assert_eq!(ask(&case, count).await, most.to_string());
            let stream = invocation.stream.get().clone();
            let mut reader = stream.reader();
            let reading = async {
                let mut length = 0;
                while let Some(chunk) = reader.chunk().await {
                    length += chunk.len();
                }
                length
            };
            let call = async {
                call.await.unwrap();
                stream.finish(Ok(()));
            };
            assert_eq!(tokio::join!(call, reading).1, 1_000_000);
        });
    }
}

#[test]
fn calls_go_on_between_the_chunks_of_others() {
    let source = "
import asyncio
log = []
def plain(event):
    for n in range(3):
        log.append(event + str(n))
        yield n
async def other(event):
    for n in range(3):
        log.append('o' + str(n))
        await asyncio.sleep(0)
        yield n
async def waiting(event):
    await asyncio.sleep(0.01)
    log.append('waited')
    return log
";
    let case = Case::new(&[("app.py", source)]);
    let [plain, other, waiting] =
        ["plain", "other", "waiting"].map(|name| case.load("app", name).unwrap());
    let log = block_on(async {
        let read = |function, event: &'static str| {
            let case = &case;
            async move {
                let invocation = Rc::new(invocation());
                let stream = invocation.stream.get().clone();
                let call = async {
                    let input = Payload::json(event);
                    case.instance.call(function, input, Form::Json, &invocation).await.unwrap();
                    stream.finish(Ok(()));
                };
                let mut reader = stream.reader();
                let reading = async { while reader.chunk().await.is_some() {} };
                tokio::join!(call, reading);
            }
        };
        tokio::join!(read(plain, "\"a\""), read(plain, "\"b\""), read(other, "1"));
        ask(&case, waiting).await
    });
    let log: Vec<String> = serde_json::from_str(&log).unwrap();
    let at = |what: &str| log.iter().position(|entry| entry == what).unwrap();
    // Nobody has to wait for the end of another.
    for [first, last] in [["b0", "a2"], ["o0", "a2"], ["a0", "b2"], ["o0", "b2"], ["a1", "o2"]] {
        assert!(at(first) < at(last), "{log:?}");
    }
    assert_eq!(log.last().unwrap(), "waited");
}

#[test]
fn a_generator_has_one_context_and_an_asynchronous_one_a_task_of_its_own() {
    let setup = "
import asyncio, contextvars, logging, trine
var = contextvars.ContextVar('var', default='none')
async def first(event):
    var.set('set before')
    return rest()
async def rest(): yield var.get()
def plain(event, context):
    token = var.set('mine')
    yield var.get()
    logging.warning('said %s', context.aws_request_id)
    yield var.get()
    var.reset(token)
    yield var.get()
async def other(event, context):
    token = var.set('mine')
    task = asyncio.current_task()
    yield var.get()
    async with asyncio.timeout(30):
        await asyncio.sleep(0.001)
        yield var.get()
        logging.warning('said %s', context.aws_request_id)
    var.reset(token)
    yield [var.get(), asyncio.current_task() is task]
";
    let texts = |handler: &str| {
        let case = Case::new(&[("app.py", &format!("{setup}handler = {handler}\n"))]);
        let function = case.load("app", "handler").unwrap();
        let (one, two) = block_on(async {
            let [one, two] = [(); 2].map(|()| Rc::new(invocation()));
            tokio::join!(
                read(&case, function, &one, usize::MAX),
                read(&case, function, &two, usize::MAX)
            )
        });
        assert_eq!(one.texts(), two.texts());
        one.result.unwrap();
        let log = case.log.text();
        let chunks: Vec<String> =
            one.chunks.iter().map(|c| String::from_utf8(c.to_vec()).unwrap()).collect();
        (chunks, log)
    };
    assert_eq!(texts("first").0, ["set before"]);
    let (plain, log) = texts("plain");
    assert_eq!(plain, ["mine", "mine", "none"]);
    assert_eq!(log.matches("\tid-1\tsaid id-1\n").count(), 2, "{log}");
    let (other, log) = texts("other");
    assert_eq!(other, ["mine", "mine", "[\"none\", true]\n"]);
    assert_eq!(log.matches("\tid-1\tsaid id-1\n").count(), 2, "{log}");
}

const HEAD: &str =
    "import asyncio, threading, time, trine\nlog = []\ndef look(event): return log\n";

/// Calls `handler`, and warns its invocation while it waits, twice. Reads after that.
fn warned_while_waiting(body: &str) -> (Streamed, Case) {
    let case = Case::new(&[("app.py", &format!("{HEAD}{body}"))]);
    let function = case.load("app", "handler").unwrap();
    let invocation = Rc::new(invocation());
    let stream = invocation.stream.get().clone();
    let streamed = block_on(async {
        let input = Payload::json("1");
        let call = case.instance.call(function, input, Form::Json, &invocation);
        let mut call = std::pin::pin!(call);
        let warn = async {
            for _ in 0..2 {
                time::sleep(Duration::from_millis(50)).await;
                case.instance.warn(&invocation);
            }
            time::sleep(Duration::from_millis(50)).await;
        };
        tokio::select! {
            biased;
            result = &mut call => panic!("it has ended before it was read: {result:?}"),
            () = warn => {}
        }
        let mut reader = stream.reader();
        let reading = async {
            let mut chunks = Vec::new();
            while let Some(chunk) = reader.chunk().await {
                chunks.push(chunk);
            }
            chunks
        };
        let call = async {
            let result = call.await;
            stream.finish(Ok(()));
            result.map(drop)
        };
        let (result, chunks) = tokio::join!(call, reading);
        Streamed { head: stream.head(), chunks, result }
    });
    (streamed, case)
}

fn is_soft_timeout(error: &Error) -> bool {
    (error.kind(), error.name(), error.poisons()) == (ErrorKind::Timeout, "Function.Timeout", false)
}

#[test]
fn a_generator_is_warned_where_it_waits_for_room() {
    for def in ["def", "async def"] {
        let (streamed, _) = warned_while_waiting(&format!(
            "{def} handler(event):
    try:
        while True: yield 'x' * 70_000
    except trine.DeadlineExceeded as error: yield str(error)
    yield 'y' * 70_000
    yield 'end'
"
        ));
        let texts = streamed.texts();
        assert_eq!(texts.len(), 4, "{def}");
        assert_eq!(texts[1], "the deadline of this invocation is near");
        assert_eq!(texts[3], "end");
        streamed.result.unwrap();
    }
}

#[test]
fn an_asynchronous_generator_is_warned_where_it_awaits() {
    for wait in [
        "await asyncio.sleep(30)",
        "await asyncio.wait_for(inner(), 30)",
        "await asyncio.gather(inner(), asyncio.sleep(30))",
    ] {
        let (streamed, case) = warned_while_waiting(&format!(
            "async def inner():
    try: await asyncio.sleep(30)
    finally: log.append('inner')
async def handler(event):
    yield 'a'
    try: {wait}
    except trine.DeadlineExceeded: log.append('warned')
    yield 'b'
    yield 'c' * 70_000
    yield 'd'
"
        ));
        assert_eq!(streamed.chunks.len(), 4, "{wait}");
        streamed.result.unwrap();
        let expected = match wait.contains("inner") {
            true => "[\"inner\", \"warned\"]",
            false => "[\"warned\"]",
        };
        assert_eq!(case.call("look", "1").unwrap(), expected, "{wait}");
    }
}

/// Calls `handler`, and warns it a little later, while it runs.
fn warned_while_running(body: &str) -> Streamed {
    let case = Case::new(&[("app.py", &format!("{HEAD}{body}"))]);
    let function = case.load("app", "handler").unwrap();
    let interrupter = case.instance.interrupter();
    let done = Arc::new(AtomicBool::new(false));
    let watchdog = std::thread::spawn({
        let done = done.clone();
        move || {
            while !done.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(100));
                interrupter.warn();
            }
        }
    });
    let streamed = block_on(read(&case, function, &Rc::new(invocation()), usize::MAX));
    done.store(true, Ordering::Release);
    watchdog.join().unwrap();
    streamed
}

#[test]
fn a_generator_is_warned_where_it_runs() {
    for def in ["def", "async def"] {
        let streamed = warned_while_running(&format!(
            "{def} handler(event):
    yield 'a'
    n = 0
    try:
        n += 1
        while True: n += 1
    except trine.DeadlineExceeded: yield 'warned'
    end = time.monotonic() + 0.3
    while time.monotonic() < end: pass
    yield 'b'
"
        ));
        assert_eq!(streamed.texts(), ["a", "warned", "b"], "{def}");
        streamed.result.unwrap();
        let error = warned_while_running(&format!(
            "{def} handler(event):
    yield 'a'
    while True:
        try: n = 1
        except Exception: pass
"
        ))
        .error();
        assert!(is_soft_timeout(&error), "{error:#}");
        assert!((5..=8).contains(&error.frames()[0].line), "{error:#}");
    }
}

#[test]
fn a_generator_that_runs_or_waits_is_stopped_and_closed() {
    let body = "
    try:
        yield 'a'
        while True: yield 'x' * 70_000
    finally: log.append('closed')
";
    for def in ["def", "async def"] {
        let source = format!(
            "{HEAD}async def turn(event): await asyncio.sleep(0.05)\n{def} handler(event):{body}"
        );
        let case = Case::new(&[("app.py", &source)]);
        let function = case.load("app", "handler").unwrap();
        let interrupter = case.instance.interrupter();
        let invocation = Rc::new(invocation());
        let result = block_on(async {
            let input = Payload::json("1");
            let call = case.instance.call(function, input, Form::Json, &invocation);
            let stop = async {
                time::sleep(Duration::from_millis(100)).await;
                interrupter.interrupt();
                std::future::pending::<()>().await;
            };
            tokio::select! { result = call => result, () = stop => unreachable!() }
        });
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.poisons()), (ErrorKind::Timeout, true), "{error:#}");
        case.call("turn", "1").unwrap();
        assert_eq!(case.call("look", "1").unwrap(), "[\"closed\"]", "{def}");
    }
}

#[test]
fn an_executor_without_a_reactor_will_do() {
    for def in ["def", "async def"] {
        let source = format!("{def} handler(event):\n  for n in range(9): yield 'x' * 20_000\n");
        let case = Case::new(&[("app.py", &source)]);
        let function = case.load("app", "handler").unwrap();
        let invocation = Rc::new(Invocation::json(""));
        let mut reader = invocation.stream.get().reader();
        let call = case.instance.call(function, Payload::json("1"), Form::Json, &invocation);
        let mut call = std::pin::pin!(call);
        let mut context = std::task::Context::from_waker(Waker::noop());
        let mut length = 0;
        while call.as_mut().poll(&mut context).is_pending() {
            if let std::task::Poll::Ready(Some(chunk)) = reader.poll_chunk(&mut context) {
                length += chunk.len();
            }
        }
        while let std::task::Poll::Ready(Some(chunk)) = reader.poll_chunk(&mut context) {
            length += chunk.len();
        }
        assert_eq!(length, 180_000, "{def}");
    }
}
