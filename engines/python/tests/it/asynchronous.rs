//! Coroutines, tasks, timers and sockets.

use crate::harness::{Case, LIMIT, answer, block_on, invocation, text};
use std::{rc::Rc, time::Duration};
use trine_engine::{Form, Payload};

#[test]
fn an_async_handler_is_awaited_with_a_running_loop_and_a_current_task() {
    let source = "\
import asyncio
async def handler(event):
    before = asyncio.current_task() is not None and asyncio.get_running_loop().is_running()
    await asyncio.sleep(event)
    return [before, asyncio.current_task() in asyncio.all_tasks()]
";
    assert_eq!(answer(source, "0").unwrap(), "[true, true]");
    assert_eq!(answer(source, "0.01").unwrap(), "[true, true]");
    assert_eq!(answer("async def handler(event): return event\n", "[1]").unwrap(), "[1]");
}

#[test]
fn anything_awaitable_is_awaited() {
    let source = "\
import asyncio
class Later:
    def __init__(self, value): self.value = value
    def __await__(self):
        yield from asyncio.sleep(0.001).__await__()
        return self.value
def handler(event): return Later(event)
async def inner(event): return event
async def nested(event): return await inner(event)
sync_wrapper = lambda event, context: nested(event)
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(case.call("handler", "3").unwrap(), "3");
    assert_eq!(case.call("sync_wrapper", "4").unwrap(), "4");
}

#[test]
fn gather_threads_and_executors_work() {
    let source = "\
import asyncio, time
def blocking(n):
    time.sleep(0.05)
    return n
async def handler(event):
    loop = asyncio.get_running_loop()
    return await asyncio.gather(
        asyncio.sleep(0.02, 'slept'),
        asyncio.to_thread(blocking, 1),
        loop.run_in_executor(None, blocking, 2),
        asyncio.wait_for(asyncio.sleep(0, 'waited'), 1),
    )
";
    assert_eq!(answer(source, "1").unwrap(), "[\"slept\", 1, 2, \"waited\"]");
}

#[test]
fn sockets_work() {
    let source = "\
import asyncio
async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()
async def handler(event):
    server = await asyncio.start_server(serve, '127.0.0.1', 0, limit=2**20)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    out = []
    for n in range(event):
        writer.write(b'line %d' % n + b'x' * 100000 + b'\\n')
        await writer.drain()
        out.append(await read(reader))
    writer.close()
    server.close()
    return out
async def read(reader):
    total = b''
    while not total.endswith(b'\\n'):
        total += await reader.read(4096)
    return total[:6].decode()
";
    assert_eq!(answer(source, "3").unwrap(), "[\"LINE 0\", \"LINE 1\", \"LINE 2\"]");
}

#[test]
fn a_sync_handler_may_run_a_loop_of_its_own() {
    let source = "\
import asyncio
async def inner(event):
    await asyncio.sleep(0.001)
    return event
def handler(event): return asyncio.run(inner(event))
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(case.call("handler", "1").unwrap(), "1");
    assert_eq!(case.call("handler", "2").unwrap(), "2");
}

/// Handlers that wait for one another: each for the previous one, the first for nobody.
const CHAIN: &str = "\
import asyncio, collections
gates = collections.defaultdict(asyncio.Event)
async def handler(event):
    if event: await gates[event].wait()
    await asyncio.sleep(0.001)
    gates[event + 1].set()
    return event
";

#[test]
fn several_calls_interleave_in_one_instance_and_with_other_futures() {
    let case = Case::new(&[("app.py", CHAIN)]);
    let function = case.load("app", "handler").unwrap();
    let call = async |event: u32| {
        let invocation = Rc::new(invocation());
        let input = Payload::json(event.to_string());
        text(case.instance.call(function, input, Form::Json, &invocation).await.unwrap())
    };
    let order = std::cell::RefCell::new(Vec::new());
    let noted = async |event| {
        let answer = call(event).await;
        order.borrow_mut().push(answer);
    };
    block_on(async {
        // The one that the others wait for is called last, by a future that needs the thread in between.
        let last = async {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            noted(0).await;
        };
        tokio::join!(noted(4), noted(3), noted(2), noted(1), last);
    });
    assert_eq!(order.into_inner(), ["0", "1", "2", "3", "4"]);
}

#[test]
fn a_call_that_is_given_up_leaves_the_others_running() {
    let case = Case::new(&[("app.py", CHAIN)]);
    let function = case.load("app", "handler").unwrap();
    let invocation = Rc::new(invocation());
    let call = |event: &'static str| {
        case.instance.call(function, Payload::json(event), Form::Json, &invocation)
    };
    block_on(async {
        // Waits for ever, and leads: it was there first.
        let mut leader = call("9");
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(leader.as_mut().poll(cx)));
        assert!(polled.await.is_pending());
        // Both wait for it when it goes.
        let (second, first) = (call("1"), call("0"));
        let stop = async move { drop(leader) };
        let all = async { tokio::join!(second, first, stop) };
        let answers = tokio::time::timeout(LIMIT, all).await;
        let (second, first, ()) = answers.expect("nobody led");
        assert_eq!((text(second.unwrap()), text(first.unwrap())), ("1".into(), "0".into()));
    });
}

#[test]
fn what_is_left_running_goes_on_in_the_next_call_and_never_between() {
    let source = "\
import asyncio
log = []
async def later():
    while True:
        log.append(1)
        await asyncio.sleep(0)
async def handler(event):
    global task
    task = asyncio.create_task(later())
    await asyncio.sleep(0)
    return len(log)
async def goes_on(event):
    while len(log) < event: await asyncio.sleep(0)
    return len(log) >= event
def look(event): return len(log)
";
    let case = Case::new(&[("app.py", source)]);
    assert_ne!(case.call("handler", "0").unwrap(), "0");
    let before = case.call("look", "0").unwrap();
    // Time in which it must not go on by itself.
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(case.call("look", "0").unwrap(), before);
    let more = before.parse::<usize>().unwrap() + 1000;
    assert_eq!(case.call("goes_on", &more.to_string()).unwrap(), "true");
}

const SLEEPER: &str = "\
import asyncio
async def handler(event):
    await asyncio.sleep(event / 1000)
    return event
";

#[test]
fn an_executor_without_a_reactor_will_do() {
    let case = Case::new(&[("app.py", SLEEPER)]);
    let function = case.load("app", "handler").unwrap();
    let invocation = Rc::new(invocation());
    let call = case.instance.call(function, Payload::json("20"), Form::Json, &invocation);
    let mut call = std::pin::pin!(call);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let answer = loop {
        if let std::task::Poll::Ready(answer) = call.as_mut().poll(&mut context) {
            break answer;
        }
    };
    assert_eq!(text(answer.unwrap()), "20");
}

#[test]
fn asynchronous_generators_are_finalised() {
    let source = "\
import asyncio
closed = []
async def numbers():
    try:
        for n in range(10): yield n
    finally:
        await asyncio.sleep(0)
        closed.append(True)
async def handler(event):
    async for n in numbers():
        if n == 3: break
    await asyncio.sleep(0.01)
    return closed
";
    assert_eq!(answer(source, "1").unwrap(), "[true]");
}
