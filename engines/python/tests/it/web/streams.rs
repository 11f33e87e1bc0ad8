//! ASGI applications and time: streams, clients that go, work that goes on.

use super::{
    App, arriving,
    asgi::{answering, app},
    get, request,
};
use crate::harness::{block_on, invocation};
use std::{rc::Rc, time::Duration};
use trine_engine::{ErrorKind, Fields, Payload};

#[test]
fn a_stream_leaves_piece_by_piece() {
    let app = app("await start(send, 201, [(b'x-a', b'b')])
for n in range(3):
    await body(send, b'%d' % n, True)
    await asyncio.sleep(0.02)
await body(send)");
    let seen = app.get("/");
    assert_eq!((seen.streamed, seen.head.status, seen.header("x-a")), (true, 201, Some("b")));
    assert_eq!(seen.chunks, ["0", "1", "2"]);
    seen.result.unwrap();
}

#[test]
fn an_empty_piece_sends_the_head() {
    let app =
        app("await start(send)\nawait body(send, b'', True)\nawait receive()\nawait receive()");
    block_on(async {
        let invocation = Rc::new(invocation());
        let stream = invocation.stream.get().clone();
        let call = app.call(get("/"), &invocation);
        let reading = async {
            let reader = stream.reader();
            std::future::poll_fn(|cx| stream.poll_out(cx)).await;
            assert_eq!(stream.head().response.unwrap().status, 200);
            drop(reader);
        };
        let (result, ()) = tokio::join!(call, reading);
        assert!(matches!(result.unwrap(), Payload::Streamed));
    });
}

#[test]
fn a_slow_reader_slows_the_application_down() {
    let app = app("await start(send)
try:
    for n in range(1000):
        await body(send, b'x' * 65536, True)
finally:
    print('sent', n)
await body(send)");
    block_on(async {
        let invocation = Rc::new(invocation());
        let stream = invocation.stream.get().clone();
        let reading = async {
            let mut reader = stream.reader();
            let first = reader.chunk().await.unwrap();
            assert_eq!(first.len(), 65536);
            tokio::time::sleep(Duration::from_millis(30)).await;
            assert!(stream.buffered() < 200_000, "{}", stream.buffered());
            drop(reader);
        };
        let (result, ()) = tokio::join!(app.call(get("/"), &invocation), reading);
        assert!(matches!(result.unwrap(), Payload::Streamed));
    });
    let text = app.case.log.text();
    let sent: u32 = text.trim().strip_prefix("sent ").unwrap().parse().unwrap();
    assert!(sent < 10, "{text}");
}

#[test]
fn an_endless_stream_without_a_wait_of_its_own_holds_up_nobody() {
    let app = app("if scope['path'] == '/other':
    await start(send)
    return await body(send, b'other')
await start(send)
while True: await body(send, b'x' * 1000, True)");
    block_on(async {
        let invocation = Rc::new(invocation());
        let stream = invocation.stream.get().clone();
        let others = async {
            let mut reader = stream.reader();
            reader.chunk().await.unwrap();
            assert_eq!(app.send(get("/other")).await.body(), "other");
            drop(reader);
        };
        let (result, ()) = tokio::join!(app.call(get("/"), &invocation), others);
        assert!(matches!(result.unwrap(), Payload::Streamed));
    });
}

#[test]
fn a_client_that_goes_is_a_disconnect_and_an_oserror() {
    let app = app("message = await receive()
while message['type'] != 'http.disconnect': message = await receive()
print(message)
try: await start(send)
except OSError as error: print(type(error).__mro__[1].__name__, error)");
    block_on(async {
        let invocation = Rc::new(invocation());
        let stream = invocation.stream.get().clone();
        let reader = stream.reader();
        let going = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            drop(reader);
        };
        let (result, ()) = tokio::join!(app.call(get("/"), &invocation), going);
        assert!(matches!(result.unwrap(), Payload::Streamed));
    });
    assert_eq!(
        app.case.log.text(),
        "{'type': 'http.disconnect'}\nOSError the client is gone: nobody reads the response any more\n"
    );
}

#[test]
fn an_application_that_stumbles_over_its_gone_client_has_not_failed() {
    for (end, fails) in
        [("raise RuntimeError('cleaning up')", false), ("pass", false), ("raise", false)]
    {
        let app = app(&format!(
            "await start(send)
try:
    while True: await body(send, b'x' * 70000, True)
except OSError:
    {end}"
        ));
        block_on(async {
            let invocation = Rc::new(invocation());
            let stream = invocation.stream.get().clone();
            let reading = async {
                let mut reader = stream.reader();
                reader.chunk().await.unwrap();
            };
            let (result, ()) = tokio::join!(app.call(get("/"), &invocation), reading);
            assert_eq!(result.is_err(), fails, "{end}: {result:?}");
        });
    }
}

#[test]
fn work_after_the_response_does_not_hold_it_up() {
    let app = app("await start(send)
await body(send, b'done')
message = await receive()
await asyncio.sleep(0.05)
print('after', message['type'])");
    block_on(async {
        let invocation = Rc::new(invocation());
        let stream = invocation.stream.get().clone();
        let reading = async {
            let mut reader = stream.reader();
            let chunk = reader.chunk().await.unwrap();
            let end = reader.chunk().await;
            let log = app.case.log.text();
            app.case.folder.write("go", "");
            (chunk, end, log)
        };
        let (result, (chunk, end, log)) = tokio::join!(app.call(get("/"), &invocation), reading);
        assert!(matches!(result.unwrap(), Payload::Streamed));
        assert_eq!((&*chunk, end, &*log), (&b"done"[..], None, ""));
    });
    assert_eq!(app.case.log.text(), "after http.disconnect\n");
}

#[test]
fn a_failure_after_the_response_is_an_error_that_its_client_does_not_see() {
    let seen =
        app("await start(send)\nawait body(send, b'done')\nraise KeyError('later')").get("/");
    assert_eq!((seen.streamed, seen.body()), (true, "done".into()));
    let error = seen.result.unwrap_err();
    assert_eq!((error.name(), error.frames()[0].line), ("KeyError", 10));
}

#[test]
fn trailers_follow_the_body() {
    let seen = app(
        "await send({'type': 'http.response.start', 'status': 200, 'headers': [], 'trailers': True})
await body(send, b'a')
await send({'type': 'http.response.trailers', 'headers': [(b'x-sum', b'1')], 'more_trailers': True})
await send({'type': 'http.response.trailers', 'headers': [(b'x-end', b'2')]})",
    )
    .get("/");
    let trailers = seen.trailers.unwrap();
    assert_eq!(trailers, Fields::from_iter([("x-sum", "1"), ("x-end", "2")]));
    seen.result.unwrap();
}

#[test]
fn many_requests_wait_side_by_side_with_contexts_of_their_own() {
    let app = App::new(
        "import asyncio, contextvars
var = contextvars.ContextVar('var')
async def app(scope, receive, send):
    if scope['type'] != 'http': raise NotImplementedError
    var.set(scope['path'])
    assert asyncio.current_task() is not None
    async with asyncio.timeout(20):
        await asyncio.sleep(0.02)
        n = await asyncio.get_running_loop().run_in_executor(None, lambda: 7)
        path = await asyncio.to_thread(var.get)
    await send({'type': 'http.response.start', 'status': 200, 'headers': []})
    await send({'type': 'http.response.body', 'body': f'{path} {n}'.encode()})
",
    );
    block_on(async {
        let paths: Vec<String> = (0..20).map(|n| format!("/{n}")).collect();
        let mut calls: Vec<_> = paths.iter().map(|path| Box::pin(app.send(get(path)))).collect();
        let mut seen = Vec::new();
        std::future::poll_fn(|cx| {
            calls.retain_mut(|call| match call.as_mut().poll(cx) {
                std::task::Poll::Ready(done) => {
                    seen.push(done.body());
                    false
                }
                std::task::Poll::Pending => true,
            });
            if calls.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        seen.sort();
        let mut expected: Vec<_> = paths.iter().map(|path| format!("{path} 7")).collect();
        expected.sort();
        assert_eq!(seen, expected);
    });
}

#[test]
fn an_application_that_blocks_or_waits_for_ever_is_stopped() {
    for body in [
        "while True: pass",
        "time.sleep(1000)",
        "await asyncio.sleep(1000)",
        "await receive()\nawait receive()",
    ] {
        let app = app(&format!("print('begun')\n{body}"));
        let watchdog = super::interrupt_once_begun(&app.case);
        let error = app.error();
        watchdog.join().unwrap();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{body}");
        assert!(error.poisons());
    }
}

#[test]
fn the_body_of_a_large_upload_is_read_as_it_is_asked_for() {
    let app = answering(
        "async def size(receive):
    total, more = 0, True
    while more:
        message = await receive()
        total += len(message.get('body', b''))
        more = message.get('more_body', False)
    return total",
        "await size(receive)",
    );
    let (body, stream) = arriving();
    let seen = block_on(async {
        let feeding = async {
            for _ in 0..200 {
                assert!(stream.send(vec![0; 65536].into()).await.unwrap());
                assert!(stream.buffered() < 200_000);
            }
            stream.finish(Ok(()));
        };
        tokio::join!(app.send(request("POST", "/").with_body(body)), feeding).0
    });
    assert_eq!(seen.body(), (200 * 65536).to_string());
}

#[test]
fn who_looks_again_and_again_whether_the_client_is_gone_leaves_nothing_behind() {
    let app = app(
        "import gc
async def is_gone():
    try: return (await asyncio.wait_for(receive(), 0))['type'] == 'http.disconnect'
    except asyncio.TimeoutError: return False
await receive()
for n in range(200): assert not await is_gone()
gc.collect()
futures = [o for o in gc.get_objects() if isinstance(o, asyncio.Future) and not isinstance(o, asyncio.Task)]
await start(send)
await body(send, repr(len([f for f in futures if f.get_loop() is asyncio.get_running_loop()]) < 20).encode())",
    );
    assert_eq!(app.get("/").body(), "True");
}

#[test]
fn tasks_that_an_application_leaves_behind_are_told_of_the_end() {
    let app = app("async def listen():
    await receive()
    print('left', (await receive())['type'])
    try: await body(send, b'more')
    except RuntimeError as error: print(error)
if scope['path'] == '/left':
    task = asyncio.create_task(listen())
    asyncio.get_running_loop().left = task
    await asyncio.sleep(0)
    raise KeyError('early')
await asyncio.wait_for(asyncio.get_running_loop().left, 20)
await start(send)
await body(send, b'fine')");
    assert_eq!(app.get("/left").result.unwrap_err().name(), "KeyError");
    assert_eq!(app.get("/").body(), "fine");
    assert_eq!(
        app.case.log.text(),
        "left http.disconnect\nUnexpected ASGI message 'http.response.body' sent, after response already completed.\n"
    );
}
