//! Failures that nobody catches, in JavaScript, where invocations share an isolate: each fails for its own code alone.

use crate::support::{Folder, Lambda, Served, eventually};
use serde_json::json;
use std::thread;

/// What fails, by its name: code that runs in an invocation which goes on waiting meanwhile.
const FAILING: &[(&str, &str)] = &[
    ("rejection", "Promise.reject(new Error('mine'));"),
    ("async", "(async () => { await null; throw new Error('mine'); })();"),
    ("then", "Promise.resolve().then(() => { throw new Error('mine'); });"),
    ("tick", "process.nextTick(() => { throw new Error('mine'); });"),
    ("microtask", "queueMicrotask(() => { throw new Error('mine'); });"),
    ("timer", "setTimeout(() => { throw new Error('mine'); }, 1);"),
    ("immediate", "setImmediate(() => { throw new Error('mine'); });"),
    ("interval", "const i = setInterval(() => { clearInterval(i); throw new Error('mine'); }, 1);"),
];

/// A function whose invocations wait until there is a file `go`, after one of them has failed as its path says.
fn source() -> String {
    let cases: String =
        FAILING.iter().map(|(name, code)| format!("    case '/{name}': {code} break;\n")).collect();
    format!(
        "const {{ existsSync }} = require('node:fs');
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
exports.handler = async (event) => {{
  console.log('begun ' + event.rawPath);
  if (event.rawPath !== '/good') while (!existsSync('begin')) await pause(2);
  switch (event.rawPath) {{
{cases}  }}
  while (!existsSync('go')) await pause(2);
  return 'fine';
}};"
    )
}

#[test]
fn a_failure_is_that_of_the_request_whose_code_has_failed() {
    for (name, _) in FAILING {
        let folder = Folder::new(&[("app.cjs", &source())]);
        let served = Served::start(&folder, &["app.cjs", "--workers", "1"]);
        thread::scope(|scope| {
            let good = scope.spawn(|| served.get("/good"));
            let begun = |path: &str| {
                eventually(&format!("{path} has begun"), || {
                    served.process.stdout().contains(&format!("begun /{path}\n")).then_some(())
                });
            };
            begun("good");
            let bad = scope.spawn(|| served.get(&format!("/{name}")));
            begun(name);
            folder.write("begin", "");
            let bad = bad.join().unwrap();
            assert_eq!(bad.status, 500, "{name}: {bad:?}");
            assert!(bad.text().contains("mine"), "{name}: {bad:?}");
            folder.write("go", "");
            let good = good.join().unwrap();
            assert_eq!((good.status, good.text()), (200, "fine"), "{name}: {:?}", served.process);
        });
    }
}

#[test]
fn what_an_answered_request_leaves_behind_fails_no_other_one() {
    for code in ["throw new Error('left')", "Promise.reject(new Error('left'))"] {
        let source = format!(
            "const {{ existsSync }} = require('node:fs');
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
exports.handler = async (event, context) => {{
  if (event.rawPath === '/leaves') {{
    const timer = setInterval(() => {{ if (existsSync('fail')) {{ clearInterval(timer); {code}; }} }}, 2);
    return context.awsRequestId;
  }}
  console.log('waits');
  while (!existsSync('go')) await pause(2);
  return 'fine';
}};"
        );
        let folder = Folder::new(&[("app.cjs", &source)]);
        let served = Served::start(&folder, &["app.cjs", "--workers", "1"]);
        let id = served.get("/leaves").text().to_owned();
        thread::scope(|scope| {
            let waits = scope.spawn(|| served.get("/"));
            eventually("it waits", || served.process.stdout().contains("waits\n").then_some(()));
            folder.write("fail", "");
            let log = || served.process.stdout() + &*served.process.stderr();
            eventually(&format!("it is logged\n{:?}", served.process), || {
                log().lines().any(|line| line.contains("left") && line.contains(&id)).then_some(())
            });
            folder.write("go", "");
            assert_eq!(waits.join().unwrap().text(), "fine", "{code}: {:?}", served.process);
        });
    }
}

#[test]
fn an_invocations_own_failure_is_not_left_behind_by_another_one() {
    for (name, code) in FAILING {
        let source = format!(
            "setInterval(() => {{}}, 60_000);
exports.handler = async () => {{ {code} await new Promise((done) => setTimeout(done, 50)); return 'ok'; }};"
        );
        let folder = Folder::new(&[("app.cjs", &source)]);
        let lambda = Lambda::start(&folder, "app.handler");
        for _ in 0..2 {
            let (_, document) = lambda.fail(json!({}));
            assert!(
                document["errorMessage"].as_str().unwrap().contains("mine"),
                "{name}: {document}"
            );
        }
        lambda.emulator.assert_clean();
    }
}

#[test]
fn an_answer_by_callback_does_not_wait_for_other_ones() {
    let source = "const { existsSync } = require('node:fs');
exports.handler = (event, context, callback) => {
  if (event.rawPath === '/quick') return setTimeout(() => callback(null, 'quick'), 20);
  console.log('waits');
  const timer = setInterval(() => { if (existsSync('go')) { clearInterval(timer); callback(null, 'slow'); } }, 2);
};";
    let folder = Folder::new(&[("app.cjs", source)]);
    let served = Served::start(&folder, &["app.cjs", "--workers", "1"]);
    thread::scope(|scope| {
        let slow = scope.spawn(|| served.get("/slow"));
        eventually("it waits", || served.process.stdout().contains("waits\n").then_some(()));
        assert_eq!(served.get("/quick").text(), "quick");
        folder.write("go", "");
        assert_eq!(slow.join().unwrap().text(), "slow");
    });
}

#[test]
fn what_listeners_for_failures_log_has_the_id_of_the_invocation() {
    for (name, code) in FAILING {
        let source = format!(
            "for (const event of ['uncaughtException', 'unhandledRejection']) {{
  process.on(event, (error) => console.log('heard', error.message));
}}
exports.handler = async (event, context) => {{
  {code} await new Promise((done) => setTimeout(done, 50)); return context.awsRequestId;
}};"
        );
        let folder = Folder::new(&[("app.cjs", &source)]);
        let lambda = Lambda::start(&folder, "app.handler");
        let id = lambda.invoke(json!({}));
        let log = lambda.logged("heard mine");
        let line = format!("\t{}\tINFO\theard mine", id.as_str().unwrap());
        assert!(log.contains(&line), "{name}: {log}");
    }
}
