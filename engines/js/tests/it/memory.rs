//! Memory limits: whatever crosses them fails, and the process goes on.

use crate::support::{Guest, call, invocation, run};
use trine_engine::{ErrorKind, Wanted};

const STORMS: &[&str] = &[
    "const held = []; for (;;) held.push({ a: [event] });",
    "let held = ''; for (;;) held += 'x'.repeat(1000) + held.length;",
    "const held = new Map(); for (let i = 0;; i++) held.set(i, String(i));",
    "const held = []; for (;;) held.push(new Array(1e6).fill(1.5));",
    "const held = []; for (;;) held.push('x'.repeat(1e6) + held.length); ",
    "const held = []; for (;;) held.push(new ArrayBuffer(1e6));",
    "const held = []; for (;;) held.push(new Uint8Array(1000));",
    "const held = []; for (;;) held.push(Buffer.alloc(1e6));",
    "const held = []; for (;;) held.push(Buffer.allocUnsafeSlow(1e5));",
    "const held = []; for (;;) held.push(new Array(1000).fill(held.length));",
    "return new ArrayBuffer(1e10).byteLength;",
    "return Buffer.alloc(4e8).length;",
    "const one = new ArrayBuffer(6e6), held = []; for (;;) held.push(structuredClone(one));",
    "const held = []; for (;;) { held.push({ a: 1 }); await null; if (held.length % 1000 === 0) await new Promise(setImmediate); }",
    "const held = []; await new Promise(() => setInterval(() => { for (let i = 0; i < 1e4; i++) held.push({ i }); }, 0));",
    "const list = Array(1e6).fill('x'.repeat(100)); const held = []; for (;;) held.push(JSON.stringify(list));",
    "const held = []; for (;;) held.push(Array.from({ length: 1e6 }, () => ({})));",
    "const held = new Set(); const grow = async () => { held.add({}); await null; return grow(); }; await grow();",
];

#[test]
fn crossing_the_limit_fails_the_call_and_the_next_instance_works() {
    run(async {
        for storm in STORMS {
            let source = format!(
                "export const handler = async (event) => {{ if (event === 1) return 'fine'; {storm} }};"
            );
            let guest = Guest::limited(&source, 96);
            assert_eq!(guest.handle("1").await.unwrap(), "\"fine\"");
            let start = std::time::Instant::now();
            let error = guest.fails("0").await;
            println!("{:>6.0} ms  {storm}", start.elapsed().as_secs_f64() * 1e3);
            assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{storm}: {error:#}");
            assert!(error.poisons(), "{storm}");
            assert!(error.message().contains("96 MB"), "{error}");
            let fresh = guest.another();
            guest.instance.shutdown();
            let module = guest.module("app.mjs", Wanted::Handler("handler".into()));
            let function = fresh.load(&module).await.unwrap().functions[0].1;
            let answer = call(&fresh, function, "1", &invocation()).await.unwrap();
            assert_eq!(answer, "\"fine\"", "{storm}");
        }
    });
}

#[test]
fn an_instance_goes_on_when_its_garbage_was_all_that_was_too_much() {
    run(async {
        let source = "export const handler = (event) => { const held = []; while (event === 0) held.push({}); return 'fine'; };";
        let guest = Guest::limited(source, 96);
        for _ in 0..3 {
            assert_eq!(guest.fails("0").await.kind(), ErrorKind::OutOfMemory);
            assert_eq!(guest.handle("1").await.unwrap(), "\"fine\"");
        }
        let source = "const held = []; export const handler = (event) => { while (event === 0) held.push({}); return 'fine'; };";
        let guest = Guest::limited(source, 96);
        assert_eq!(guest.fails("0").await.kind(), ErrorKind::OutOfMemory);
        assert_eq!(
            guest.fails("1").await.kind(),
            ErrorKind::OutOfMemory,
            "it holds what is too much"
        );
    });
}

#[test]
fn a_buffer_that_is_refused_is_a_range_error_that_can_be_caught() {
    run(async {
        let source = "export const handler = (event) => {
            try { new ArrayBuffer(1e9); } catch (error) {
                if (event === 1) throw new TypeError('too big');
                return error.name;
            }
        };";
        let guest = Guest::limited(source, 96);
        assert_eq!(guest.handle("0").await.unwrap(), "\"RangeError\"");
        assert_eq!(guest.fails("1").await.name(), "TypeError");
        assert_eq!(guest.handle("0").await.unwrap(), "\"RangeError\"");
    });
}

#[test]
fn buffers_that_are_dropped_can_be_made_again_and_come_zeroed() {
    run(async {
        let source = "export const handler = (event) => {
            let sum = 0;
            for (let i = 0; i < 1e9 / event; i++) {
                const bytes = new Uint8Array(event);
                sum += bytes[0] + bytes[event - 1] + bytes[event >> 1];
                bytes.fill(255);
            }
            return sum;
        };";
        let guest = Guest::limited(source, 96);
        assert_eq!(guest.handle("1000000").await.unwrap(), "0");
        assert_eq!(guest.handle("40000000").await.unwrap(), "0");
        assert!(guest.instance.usage().heap_bytes > 1_000_000);
    });
}
