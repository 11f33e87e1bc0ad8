//! `NODE_OPTIONS`: what is loaded before a function, and its other effects.

use crate::support::{Folder, Lambda, Served, run, trine};
use serde_json::{Value, json};

const FILES: &[(&str, &str)] = &[
    ("first.cjs", "globalThis.order = [...(globalThis.order ?? []), 'first'];"),
    ("second.cjs", "globalThis.order.push('second');"),
    ("third.mjs", "await 0;\nglobalThis.order.push('third');"),
    ("with space.cjs", "globalThis.order = ['space'];"),
    (
        "app.cjs",
        "globalThis.order?.push('handler');
const { Worker } = require('node:worker_threads');
const cp = require('node:child_process');
exports.handler = async () => globalThis.order;
exports.thread = () => new Promise((resolve, reject) => {
  const worker = new Worker(\"require('worker_threads').parentPort.postMessage(globalThis.order)\", { eval: true });
  worker.on('message', resolve).on('error', reject);
});
exports.child = async () => cp.execFileSync(process.execPath, ['-p', 'order.join()'], { encoding: 'utf8' });
exports.conditions = async () => [require('p'), (await import('p')).default];
exports.limit = async () => new Error().stack.split('\\n').length;
exports.memory = async () => { const all = []; for (;;) all.push(new Array(1000).fill(1)); };
exports.warning = async () => { process.emitWarning('look'); };
",
    ),
    ("module.mjs", "globalThis.order?.push('module');\nexport const handler = async () => globalThis.order;"),
    ("middlewares/m.mjs", "globalThis.order?.push('middleware');\nexport const init = () => { globalThis.order?.push('init'); };"),
    ("broken.cjs", "const fine = 1;\nconst = 2;\n"),
    ("throws.cjs", "const fine = 1;\nthrow new TypeError('no agent');\n"),
    ("throws.mjs", "await 0;\nthrow new TypeError('no agent');\n"),
    ("needs.cjs", "require('not-there');\n"),
    ("node_modules/agent/package.json", r#"{"exports": {"./register": "./register.js"}}"#),
    ("node_modules/agent/register.js", "globalThis.order = ['agent'];"),
    ("node_modules/p/package.json", r#"{"exports": {"special": "./special.js", "default": "./plain.js"}}"#),
    ("node_modules/p/special.js", "module.exports = 'special';"),
    ("node_modules/p/plain.js", "module.exports = 'plain';"),
];

fn lambda(folder: &Folder, handler: &str, options: &str) -> Lambda {
    Lambda::with(folder, |command| {
        command.env("_HANDLER", handler).env("NODE_OPTIONS", options);
    })
}

fn answer(handler: &str, options: &str) -> Value {
    let folder = Folder::new(FILES);
    let lambda = lambda(&folder, handler, options);
    let answer = lambda.invoke(json!({}));
    lambda.emulator.assert_clean();
    answer
}

const THREE: &str = "--import ./third.mjs --require ./first.cjs -r ./second.cjs";

#[test]
fn modules_are_loaded_in_order_before_the_function() {
    let expected = json!(["first", "second", "third", "handler"]);
    assert_eq!(answer("app.handler", THREE), expected);
    assert_eq!(answer("module.handler", THREE), json!(["first", "second", "third", "module"]));
    let spaced = r#"--require "./with space.cjs" --import=./third.mjs"#;
    assert_eq!(answer("app.handler", spaced), json!(["space", "third", "handler"]));
    assert_eq!(answer("app.handler", "-r agent/register"), json!(["agent", "handler"]));
    assert_eq!(answer("module.handler", "--import agent/register"), json!(["agent", "module"]));
    assert_eq!(answer("app.handler", ""), Value::Null);
}

#[test]
fn modules_of_layers_are_found_and_absolute_paths_are_taken() {
    let folder = Folder::new(FILES);
    let layer = folder.layers().join("nodejs/node_modules/of-layer");
    std::fs::create_dir_all(&layer).unwrap();
    std::fs::write(layer.join("index.js"), "globalThis.order = ['layer'];").unwrap();
    let wrapper = folder.layers().join("wrapper.mjs");
    std::fs::write(&wrapper, "globalThis.order.push('absolute');").unwrap();
    let options = format!("--require of-layer --import {}", wrapper.display());
    let lambda = lambda(&folder, "app.handler", &options);
    assert_eq!(lambda.invoke(json!({})), json!(["layer", "absolute", "handler"]));
}

#[test]
fn middlewares_come_after_them() {
    let folder = Folder::new(FILES);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env("NODE_OPTIONS", "-r ./first.cjs");
        command.env("TRINE_MIDDLEWARES", "m");
    });
    assert_eq!(lambda.invoke(json!({})), json!(["first", "middleware", "init", "handler"]));
}

#[test]
fn threads_and_children_load_them_too() {
    let options = "-r ./first.cjs --require=./second.cjs --import ./third.mjs";
    assert_eq!(answer("app.thread", "-r ./first.cjs -r ./second.cjs"), json!(["first", "second"]));
    assert_eq!(answer("app.child", options), "first,second,third\n");
}

#[test]
fn they_are_loaded_by_invoke_and_by_serve() {
    let folder = Folder::new(FILES);
    let mut command = trine(&folder, &["invoke", "app.handler", "--json"]);
    command.env("NODE_OPTIONS", THREE);
    let finished = run(command);
    assert_eq!(finished.stdout, "[\"first\",\"second\",\"third\",\"handler\"]\n", "{finished:?}");
    let mut command = trine(&folder, &["serve", "app.cjs", "--port", "0", "--workers", "2"]);
    command.env("NODE_OPTIONS", THREE);
    let served = Served::of(command);
    let reply = served.get("/");
    assert_eq!(reply.json(), json!(["first", "second", "third", "handler"]));
}

#[test]
fn one_that_fails_is_an_init_error_with_its_own_place() {
    for (options, kind, message, place) in [
        ("-r ./broken.cjs", "Runtime.UserCodeSyntaxError", "SyntaxError", "broken.cjs:2:"),
        ("-r ./throws.cjs", "TypeError", "no agent", "throws.cjs:2:7"),
        ("--import ./throws.mjs", "TypeError", "no agent", "throws.mjs:2:7"),
        (
            "-r ./needs.cjs",
            "Runtime.ImportModuleError",
            "Cannot find module 'not-there'",
            "needs.cjs",
        ),
        (
            "-r ./nowhere.cjs",
            "Runtime.ImportModuleError",
            "Cannot find module './nowhere.cjs'",
            "the option --require ./nowhere.cjs",
        ),
        (
            "--import ./nowhere.mjs",
            "Runtime.ImportModuleError",
            "nowhere.mjs",
            "the option --import ./nowhere.mjs",
        ),
    ] {
        let folder = Folder::new(FILES);
        let (code, _, document) = lambda(&folder, "app.handler", options).init_error();
        assert_eq!(code, Some(1), "{options}");
        assert_eq!(document["errorType"], kind, "{options}: {document}");
        let text = document.to_string();
        assert!(text.contains(message) && text.contains(place), "{options}: {text}");
    }
}

#[test]
fn unknown_options_are_told_once_and_the_rest_counts() {
    for (format, warning) in [
        ("Text", " WARN NODE_OPTIONS: --inspect is not supported and has no effect\n"),
        ("JSON", "\"message\":\"NODE_OPTIONS: --inspect is not supported and has no effect\"}\n"),
    ] {
        let folder = Folder::new(FILES);
        let lambda = Lambda::with(&folder, |command| {
            command.env("_HANDLER", "app.handler").env("AWS_LAMBDA_LOG_FORMAT", format);
            command.env("NODE_OPTIONS", "--inspect -r ./first.cjs --no-warnings --trace-warnings");
        });
        for _ in 0..3 {
            assert_eq!(lambda.invoke(json!({})), json!(["first", "handler"]));
        }
        let log = lambda.logged("NODE_OPTIONS");
        assert_eq!(log.matches("NODE_OPTIONS").count(), 1, "{log}");
        assert!(log.contains(warning), "{log}");
    }
}

#[test]
fn conditions_stack_depth_memory_and_warnings_are_set() {
    assert_eq!(answer("app.conditions", ""), json!(["plain", "plain"]));
    assert_eq!(answer("app.conditions", "--conditions=special"), json!(["special", "special"]));
    assert_eq!(answer("app.conditions", "-C other -C special"), json!(["special", "special"]));
    assert_eq!(answer("app.limit", "--stack-trace-limit=1"), 2);
    let folder = Folder::new(FILES);
    let full = lambda(&folder, "app.memory", "--max-old-space-size=48");
    let (_, document) = full.fail(json!({}));
    assert_eq!(document["errorType"], "Function.OutOfMemory", "{document}");
    assert!(document["errorMessage"].as_str().unwrap().contains("48 MB"), "{document}");
    let warns = lambda(&folder, "app.warning", "");
    warns.invoke(json!({}));
    warns.logged("Warning: look");
    let silent = lambda(&folder, "app.warning", "--no-warnings");
    silent.invoke(json!({}));
    silent.invoke(json!({}));
    let log = silent.process.stdout() + &*silent.process.stderr();
    assert!(!log.contains("look"), "{log}");
}
