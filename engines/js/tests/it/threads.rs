//! The end of worker threads that guests start; the conformance suite covers what they can do.

use crate::support::{Guest, run};
use std::{
    fs, thread,
    time::{Duration, Instant},
};

/// Counts the threads of guests in this process: Deno's runtime calls them `worker-` and a number. A thread that one
/// test of this file left behind would make another one fail, so the whole file is one test.
fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name.starts_with("worker-")).count()
}

#[track_caller]
fn all_end(what: &str) {
    let start = Instant::now();
    while threads() > 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}: {} threads go on", threads());
        thread::sleep(Duration::from_millis(2));
    }
}

/// Makes a handler that starts a thread, which runs `body` for as long as it is allowed to.
fn handler(body: &str, rest: &str) -> String {
    format!(
        "import {{ Worker }} from 'node:worker_threads';
         const source = `const {{ parentPort }} = require('node:worker_threads');
             parentPort.postMessage('ready'); {body}`;
         export const handler = async () => {{
             const worker = new Worker(source, {{ eval: true }});
             worker.on('error', (error) => console.log('error ' + error.message));
             await new Promise((resolve) => worker.once('message', resolve));
             {rest}
         }};"
    )
}

const BODIES: &[&str] = &[
    "for (;;);",
    "setInterval(() => { for (;;); });",
    "const next = () => setImmediate(next); next();",
    "parentPort.on('message', () => {});",
    "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);",
    "for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);",
    "for (;;) { try { for (;;); } finally { continue; } }",
    "new (require('node:worker_threads').Worker)('for (;;);', { eval: true });",
];

#[test]
fn threads_end_when_they_are_terminated_and_with_their_instance() {
    for body in BODIES {
        // Both when they are already waiting, and when they have hardly begun.
        for wait in [0, 30] {
            let pause = format!("await new Promise((resolve) => setTimeout(resolve, {wait}));");
            run(async {
                let guest = Guest::new(&handler(
                    body,
                    &format!("{pause} return await worker.terminate();"),
                ));
                assert_eq!(guest.handle("1").await.unwrap(), "1", "{body}");
                all_end(&format!("terminated: {body}"));
                // The instance is as usable as before.
                assert_eq!(guest.handle("1").await.unwrap(), "1", "{body}");
                guest.instance.shutdown();
                all_end(&format!("terminated again: {body}"));
                assert_eq!(guest.log.text(), "", "{body}");
            });
            run(async {
                let guest = Guest::new(&handler(body, &format!("{pause} return 'left';")));
                assert_eq!(guest.handle("1").await.unwrap(), "\"left\"", "{body}");
                assert!(threads() > 0, "{body}");
                guest.instance.shutdown();
                all_end(&format!("left: {body}"));
            });
        }
    }
}
