//! Ways in which code is stopped: by a warning, by force, by the guest's own request to end the process.

use crate::support::{Guest, LIMIT, invocation, run};
use std::{
    thread,
    time::{Duration, Instant},
};
use trine_engine::{ErrorKind, Form, Payload, Wanted};

/// Interrupts a handler with this body after a while; returns how long it then took to end.
fn interrupted(body: &str) -> Duration {
    run(async {
        let source = format!(
            "import fs from 'node:fs'; export const handler = async (event, context) => {{ if (event === 'fine') return event; {body} }};"
        );
        let guest = Guest::new(&source);
        let function = guest.handler().await;
        guest.call(function, "\"fine\"").await.unwrap();
        let interrupter = guest.instance.interrupter();
        let watchdog = thread::spawn(move || {
            thread::sleep(Duration::from_millis(150));
            interrupter.interrupt();
            Instant::now()
        });
        // Accepts connections and never answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port().to_string();
        let error = guest.call(function, &port).await.unwrap_err();
        let took = watchdog.join().unwrap().elapsed();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{body}: {error:#}");
        assert!(error.poisons(), "{body}");
        println!("{:>8.1} ms  {body}", took.as_secs_f64() * 1e3);
        took
    })
}

#[test]
fn an_interrupt_ends_whatever_javascript_does() {
    for body in [
        "for (;;);",
        "for (;;) { try { for (;;); } finally { continue; } }",
        "while (true) await null;",
        "const spin = () => Promise.resolve().then(spin); await spin();",
        "const tick = () => process.nextTick(tick); tick(); await new Promise(() => {});",
        "const next = () => setImmediate(next); next(); await new Promise(() => {});",
        "await new Promise((resolve) => setTimeout(resolve, 60000));",
        "setInterval(() => { for (;;); }, 1); await new Promise(() => {});",
        "/^(a+)+$/.test('a'.repeat(40) + 'b');",
        "'a'.repeat(50).replace(/(a*)*c/, '');",
        "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);",
        "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60000);",
        "const list = Array.from({ length: 2e6 }, (_, i) => i * 7919 % 1000003); for (;;) list.sort((a, b) => a - b).reverse();",
        "const text = JSON.stringify(Array(1e5).fill({ a: 1 })); for (;;) JSON.parse(text);",
        "for (;;) new Array(1000).fill(1);",
        "for (;;) fs.readFileSync(import.meta.filename);",
        "await fetch(`http://127.0.0.1:${event}/`);",
    ] {
        let took = interrupted(body);
        // Uninterrupted code goes on for ever; a busy machine only takes long. The figures are printed.
        assert!(took < LIMIT, "{body} took {took:?} to end");
    }
}

async fn warned(handler: &str) -> (Guest, trine_engine::Result<String>) {
    let guest = Guest::new(handler);
    let function = guest.handler().await;
    let cx = invocation();
    let result = {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port().to_string();
        let call = guest.instance.call(function, Payload::json(port), Form::Json, &cx);
        let mut call = std::pin::pin!(call);
        std::future::poll_fn(|task| {
            assert!(call.as_mut().poll(task).is_pending(), "the handler waits");
            std::task::Poll::Ready(())
        })
        .await;
        guest.instance.warn(&cx);
        guest.instance.warn(&cx);
        call.await.map(crate::support::text)
    };
    (guest, result)
}

#[test]
fn a_warning_aborts_the_signal_and_a_handler_may_answer_in_time() {
    run(async {
        let handler = "import { setTimeout } from 'node:timers/promises';
        export const handler = async (event, { signal }) => {
            let aborts = 0;
            signal.addEventListener('abort', () => aborts += 1);
            try { await setTimeout(60000, null, { signal }); } catch { }
            await null;
            return [aborts, signal.aborted, signal.reason instanceof DOMException, signal.reason.name];
        };";
        let (_guest, result) = warned(handler).await;
        assert_eq!(result.unwrap(), "[1,true,true,\"TimeoutError\"]");
    });
}

#[test]
fn a_signal_that_is_asked_for_after_the_warning_is_aborted_already() {
    run(async {
        let handler = "export const handler = async (event, context) => {
            await new Promise((resolve) => setTimeout(resolve, 20));
            return [context.signal.aborted, context.signal.reason.name];
        };";
        let (_guest, result) = warned(handler).await;
        assert_eq!(result.unwrap(), "[true,\"TimeoutError\"]");
    });
}

#[test]
fn a_handler_that_fails_with_the_warning_timed_out_and_its_instance_is_fine() {
    run(async {
        for wait in [
            "await new Promise((_, reject) => { signal.onabort = () => reject(signal.reason); globalThis.setTimeout(() => {}, 60000); });",
            "await setTimeout(60000, null, { signal });",
            "await fetch(`http://127.0.0.1:${event}/`, { signal });",
        ] {
            let handler = format!(
                "import {{ setTimeout }} from 'node:timers/promises';
                export const handler = async (event, context) => {{
                    if (event === 2) return 'fine';
                    const signal = context.signal;
                    {wait}
                }};"
            );
            let (guest, result) = warned(&handler).await;
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{wait}: {error:#}");
            assert!(!error.poisons());
            let last = error.stack().join("\n");
            assert!(last.contains("app.mjs:4"), "{wait}: {last}");
            assert_eq!(guest.handle("2").await.unwrap(), "\"fine\"");
        }
    });
}

#[test]
fn an_own_error_after_the_warning_stays_what_it_is() {
    run(async {
        let handler = "export const handler = async (event, { signal }) => {
            await new Promise((resolve) => { signal.onabort = resolve; setTimeout(resolve, 60000); });
            throw new TypeError('mine');
        };";
        let (_guest, result) = warned(handler).await;
        assert_eq!(result.unwrap_err().name(), "TypeError");
    });
}

#[test]
fn asking_for_the_end_of_the_process_ends_the_invocation() {
    run(async {
        for (ask, message) in [
            ("process.exit(3)", "exit status 3"),
            ("process.exit()", "without providing a reason"),
            ("process.exitCode = 4; process.exit()", "exit status 4"),
            ("process.reallyExit(5)", "exit status 5"),
            ("Deno.exit(6)", "exit status 6"),
            ("process.abort()", "signal: aborted"),
            ("abort()", "signal: aborted"),
            ("process.kill(process.pid, 'SIGKILL')", "signal: killed"),
            ("process.kill(process.pid, 9)", "signal: killed"),
            ("process.kill(0, 'SIGSEGV')", "signal: segmentation fault"),
            ("process.kill(process.pid, 'SIGUSR2')", "signal: user defined signal 2"),
            ("Deno.kill(Deno.pid, 'SIGABRT')", "signal: aborted"),
            ("await null; process.exit(7)", "exit status 7"),
            ("await new Promise(() => setTimeout(() => process.exit(8), 1))", "exit status 8"),
            ("await new Promise(() => process.nextTick(() => process.abort()))", "signal: aborted"),
        ] {
            let source = format!(
                "import {{ abort }} from 'node:process';
                export const handler = async (event) => {{
                    if (event === 'fine') return abort.name;
                    try {{ {ask}; }} finally {{ console.log('still here'); }}
                    return 'survived';
                }};"
            );
            let guest = Guest::new(&source);
            let error = guest.fails("0").await;
            assert_eq!(error.kind(), ErrorKind::Exit, "{ask}: {error:#}");
            assert!(error.message().contains(message), "{ask}: {error}");
            assert!(error.message().starts_with("RequestId: id-1 Error: "), "{error}");
            assert!(error.poisons(), "{ask}");
            assert!(!guest.log.text().contains("still here"), "{ask}");
            let fresh = guest.another();
            let module = guest.module("app.mjs", Wanted::Handler("handler".into()));
            let function = fresh.load(&module).await.unwrap().functions[0].1;
            let answer = crate::support::call(&fresh, function, "\"fine\"", &invocation()).await;
            assert_eq!(answer.unwrap(), "\"abort\"");
        }
    });
}

#[test]
fn signals_that_are_handled_or_harmless_pass() {
    run(async {
        let guest = Guest::new(
            "export const handler = async () => {
                process.kill(process.pid, 0);
                process.kill(process.pid, 'SIGWINCH');
                const got = new Promise((resolve) => process.once('SIGVTALRM', resolve));
                const timer = setTimeout(() => {}, 60000);
                process.kill(process.pid, 'SIGVTALRM');
                return await got.finally(() => clearTimeout(timer));
            };",
        );
        assert_eq!(guest.handle("0").await.unwrap(), "\"SIGVTALRM\"");
    });
}

#[test]
fn faults_outside_of_the_call_chain_and_overflows_have_their_names() {
    run(async {
        for (body, kind, name) in [
            ("Promise.reject(new TypeError('x'));", ErrorKind::UnhandledRejection, ""),
            (
                "setTimeout(() => { throw new TypeError('x'); }, 1); await new Promise(() => {});",
                ErrorKind::UncaughtException,
                "",
            ),
            (
                "const { EventEmitter } = await import('node:events'); const e = new EventEmitter(); setTimeout(() => e.emit('error', new Error('x')), 1); await new Promise(() => {});",
                ErrorKind::UncaughtException,
                "",
            ),
            ("const f = () => f() + 1; f();", ErrorKind::Guest, "RangeError"),
            ("await new Promise(() => {});", ErrorKind::NeverSettled, ""),
        ] {
            let guest = Guest::new(&format!(
                "export const handler = async (event) => {{ if (event === 1) return 1; {body} }};"
            ));
            let error = guest.fails("0").await;
            assert_eq!(error.kind(), kind, "{body}: {error:#}");
            assert!(name.is_empty() || error.name() == name, "{body}: {error}");
            assert_eq!(guest.handle("1").await.unwrap(), "1", "{body}");
        }
        let guest = Guest::new(
            "export const handler = (text) => { let value = JSON.parse('['.repeat(1e5) + ']'.repeat(1e5)), depth = 0; while (value) { value = value[0]; depth += 1; } return depth; };",
        );
        assert_eq!(guest.handle("1").await.unwrap(), "100000");
        let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let guest = Guest::new("export const handler = (event) => event;");
        assert!(guest.handle(&nested).await.unwrap() == nested, "arrays of any depth pass");
        let guest = Guest::new(
            "export const handler = () => { let value = 1; for (let i = 0; i < 1e5; i++) { const inner = value; value = { toJSON: () => [inner] }; } return value; };",
        );
        let error = guest.fails("1").await;
        assert_eq!(error.kind(), ErrorKind::Marshal, "{error:#}");
    });
}
