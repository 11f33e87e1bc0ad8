//! The reader of an answer: it gets chunks as they are made, sets the pace, and may go.

use super::{answer, read};
use crate::support::{Guest, invocation, run};
use std::{
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
    task::Poll,
};
use trine_engine::{ErrorKind, Form, Invocation, Payload, STREAM_CAPACITY, StreamPlace, Wanted};

#[test]
fn a_chunk_is_read_before_the_next_one_is_made() {
    let source = "export const log = [];
        export async function* handler() { for (const part of 'abc') { yield part; } }
        export function* sync() { for (const part of 'abc') { yield part; } }
        export const stream = () => ReadableStream.from(handler());";
    let guest = Guest::new(source);
    run(async {
        for name in ["handler", "sync", "stream"] {
            let loaded = guest.load("app.mjs", Wanted::Handler(name.into())).await.unwrap();
            let invocation = invocation();
            let input = Payload::json("null");
            let call = guest.instance.call(loaded.functions[0].1, input, Form::Json, &invocation);
            let (mut call, mut reader) = (pin!(call), invocation.stream.get().reader());
            // At each turn of the call there is at most one chunk, and none waits for the next.
            let (mut chunks, mut most) = (Vec::new(), 0);
            poll_fn(|cx| {
                let polled = call.as_mut().poll(cx);
                let before = chunks.len();
                while let Poll::Ready(Some(chunk)) = reader.poll_chunk(cx) {
                    chunks.push(chunk);
                }
                most = most.max(chunks.len() - before);
                polled
            })
            .await
            .unwrap();
            assert_eq!((chunks.concat(), most), (b"abc".to_vec(), 1), "{name}");
        }
    });
}

#[test]
fn a_writer_waits_for_its_reader() {
    let source = "
        let made = 0;
        export const count = () => made;
        const piece = 'x'.repeat(20000);
        export async function* generator() { while (made < 30) { made++; yield piece; } }
        export const stream = () => new ReadableStream({
          pull(controller) { made < 30 ? (made++, controller.enqueue(piece)) : controller.close(); } });
        export const official = awslambda.streamifyResponse(async (event, responseStream) => {
          while (made < 30) {
            made++;
            if (!responseStream.write(piece)) {
              await new Promise((drained) => responseStream.once('drain', drained));
            }
          }
          responseStream.end();
        });";
    // What the buffers of the stream and of Node's hold, in pieces.
    let most = (STREAM_CAPACITY / 20000 + 1) + (65536 / 20000 + 1);
    for name in ["generator", "stream", "official"] {
        let guest = Guest::new(source);
        run(async {
            let loaded = guest.load("app.mjs", Wanted::Handler(name.into())).await.unwrap();
            let count = guest.load("app.mjs", Wanted::Handler("count".into())).await.unwrap();
            let invocation = invocation();
            let input = Payload::json("null");
            let call = guest.instance.call(loaded.functions[0].1, input, Form::Json, &invocation);
            let mut call = pin!(call);
            for _ in 0..200 {
                let turn = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending()));
                assert!(turn.await);
                tokio::task::yield_now().await;
            }
            let made = guest.call(count.functions[0].1, "null").await.unwrap();
            let made: usize = made.parse().unwrap();
            assert!((3..=most).contains(&made), "{name}: {made}");
            let mut reader = invocation.stream.get().reader();
            let mut length = 0;
            poll_fn(|cx| {
                let polled = call.as_mut().poll(cx);
                while let Poll::Ready(Some(chunk)) = reader.poll_chunk(cx) {
                    length += chunk.len();
                }
                polled
            })
            .await
            .unwrap();
            assert_eq!(length, 600_000, "{name}");
        });
    }
}

#[test]
fn who_writes_learns_that_nobody_reads_any_more() {
    let source = "
        import { pipeline } from 'node:stream/promises';
        import { Readable } from 'node:stream';
        import { setTimeout as sleep } from 'node:timers/promises';
        let told = [];
        export const handler = () => told;
        export async function* generator() {
          told = [];
          try { for (;;) { yield 'a'; await sleep(1); } } finally { await sleep(5); told.push('returned'); }
        }
        export async function* waiting() {
          told = [];
          try { yield 'a'; await sleep(30); yield 'b'; } finally { told.push('returned'); }
        }
        export function* sync() {
          told = [];
          try { for (;;) { yield 'a'; } } finally { told.push('returned'); }
        }
        export const web = () => {
          told = [];
          const timer = setInterval(() => {}, 1000);
          return new ReadableStream({
            start(controller) { controller.enqueue('a'); },
            cancel(reason) { clearInterval(timer); told.push(`cancelled ${reason.code}`); },
          });
        };
        export const response = () => new Response(web());
        export const node = () => {
          told = [];
          const stream = new Readable({ read() {} });
          stream.push('a');
          const timer = setInterval(() => {}, 1000);
          stream.on('close', () => { clearInterval(timer); told.push('closed'); });
          return stream;
        };
        const stream = (handler) => awslambda.streamifyResponse(async (event, responseStream, context) => {
          told = [];
          responseStream.on('error', (error) => told.push(`error ${error.code}`));
          responseStream.on('close', () => told.push('close'));
          responseStream.write('a');
          await handler(responseStream);
        });
        export const official = stream(async (responseStream) => {
          while (!responseStream.destroyed) { await sleep(1); responseStream.write('b'); }
        });
        export const piped = stream((responseStream) => pipeline(async function* () {
          try { for (;;) { await sleep(1); yield 'b'; } } finally { told.push('returned'); }
        }, responseStream));
        export const unheard = awslambda.streamifyResponse(async (event, responseStream) => {
          told = ['nothing'];
          responseStream.write('a');
          while (!responseStream.destroyed) { await sleep(1); }
        });
        ";
    let guest = Guest::new(source);
    run(async {
        let told = guest.handler().await;
        for (name, expected) in [
            ("generator", r#"["returned"]"#),
            ("waiting", r#"["returned"]"#),
            ("sync", r#"["returned"]"#),
            ("web", r#"["cancelled ECONNRESET"]"#),
            ("response", r#"["cancelled ECONNRESET"]"#),
            ("node", r#"["closed"]"#),
            ("official", r#"["error ECONNRESET","close"]"#),
            ("piped", r#"["error ECONNRESET","close","returned"]"#),
            ("unheard", r#"["nothing"]"#),
        ] {
            let loaded = guest.load("app.mjs", Wanted::Handler(name.into())).await.unwrap();
            let seen = read(&guest, loaded.functions[0].1, "null", &invocation(), 1).await;
            assert_eq!(seen.chunks, ["a"], "{name}");
            assert!(matches!(seen.result, Ok(Payload::Streamed)), "{name}: {seen:?}");
            let found = guest.call(told, "null").await.unwrap();
            // Events come in a turn of the loop, the order of which is no matter of ours.
            let mut found: Vec<String> = serde_json::from_str(&found).unwrap();
            found.sort();
            let mut expected: Vec<String> = serde_json::from_str(expected).unwrap();
            expected.sort();
            assert_eq!(found, expected, "{name}");
        }
    });
}

#[test]
fn more_than_the_limit_is_an_error_of_the_writers() {
    let limited = || {
        Rc::new(Invocation {
            stream: StreamPlace::limited(10),
            event_is_json: true,
            ..Invocation::default()
        })
    };
    let guest = Guest::new(
        "export async function* handler() { for (;;) yield '1234'; }
         export const official = awslambda.streamifyResponse(async (event, stream) => {
           stream.write('1234'); stream.write('5678'); stream.write('90ab'); stream.end();
         });",
    );
    run(async {
        let handler = guest.handler().await;
        let official = guest.load("app.mjs", Wanted::Handler("official".into())).await.unwrap();
        for function in [handler, official.functions[0].1] {
            let seen = read(&guest, function, "null", &limited(), 9).await;
            assert_eq!(seen.body().len(), 8);
            assert!(seen.error().message().contains("exceeded maximum"), "{:?}", seen.error());
        }
    });
}

#[test]
fn an_endless_stream_is_stopped_and_the_next_call_works() {
    let guest = Guest::new(
        "export const handler = (event) => event === 'fine' ? 'fine' : stream();
         async function* stream() { yield 'a'; for (;;); }",
    );
    run(async {
        let handler = guest.handler().await;
        let interrupter = guest.instance.interrupter();
        let stopping = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(300));
            interrupter.interrupt();
        });
        let seen = read(&guest, handler, "null", &invocation(), 9).await;
        stopping.join().unwrap();
        assert_eq!((seen.body().as_str(), seen.error().kind()), ("a", ErrorKind::Timeout));
        assert_eq!(guest.call(handler, "\"fine\"").await.unwrap(), "\"fine\"");
    });
}

#[test]
fn the_deadlines_signal_is_aborted_while_chunks_are_made() {
    let guest = Guest::new(
        "import { setTimeout as sleep } from 'node:timers/promises';
         export async function* handler(event, { signal }) {
           for (;;) { yield 'a'; await sleep(1, undefined, { signal }); }
         }",
    );
    run(async {
        let handler = guest.handler().await;
        let invocation = invocation();
        let mut reading = pin!(read(&guest, handler, "null", &invocation, usize::MAX));
        let mut turns = 0;
        let seen = poll_fn(|cx| {
            turns += 1;
            if turns == 20 {
                guest.instance.warn(&invocation);
            }
            reading.as_mut().poll(cx)
        })
        .await;
        assert!(seen.chunks.len() > 2);
        assert_eq!(seen.error().kind(), ErrorKind::Timeout);
    });
}

#[test]
fn streams_side_by_side_are_kept_apart() {
    let guest = Guest::new(
        "import { setTimeout as sleep } from 'node:timers/promises';
         export async function* handler(event) { for (let i = 0; i < 40; i++) { yield event.repeat(5000); await null; } }",
    );
    run(async {
        let handler = guest.handler().await;
        let invocations = [invocation(), invocation(), invocation()];
        let (a, b, c) = tokio::join!(
            read(&guest, handler, "\"a\"", &invocations[0], usize::MAX),
            read(&guest, handler, "\"b\"", &invocations[1], usize::MAX),
            read(&guest, handler, "\"c\"", &invocations[2], 1),
        );
        assert_eq!((a.whole(), b.whole()), ("a".repeat(200_000), "b".repeat(200_000)));
        assert_eq!(c.chunks, ["c".repeat(5000)]);
    });
}

#[test]
fn a_chunk_may_be_larger_than_the_buffer() {
    let seen = answer("export async function* handler() { yield 'ä'.repeat(300000); }");
    assert_eq!(seen.whole(), "ä".repeat(300_000));
}
