//! The program as Node: its output about the error that ends it.

use super::interpreter::{ends, prints};
use crate::support::Folder;

#[test]
fn an_error_that_nobody_catches_is_told_with_place_and_stack() {
    let folder = Folder::new(&[
        (
            "late.js",
            "function late() {\n  throw new TypeError('too late', { cause: new RangeError('why') });\n}\nsetTimeout(late, 1);\n",
        ),
        ("module.mjs", "const x = 1;\nx();\n"),
        ("broken.js", "const fine = 1;\nconst = 2;\n"),
    ]);
    let told = |words: &[&str], parts: &[&str]| {
        let finished = ends(&folder, words, 1);
        for part in parts {
            assert!(finished.stderr.contains(part), "{part:?} is missing in {finished:?}");
        }
        assert_eq!(finished.stdout, "");
        assert!(!finished.stderr.contains("ext:"), "{finished:?}");
    };
    told(
        &["late.js"],
        &[
            "late.js:2\n  throw new TypeError(",
            "\n        ^",
            "TypeError: too late\n    at ",
            "late.js:2:9",
            "[cause]: RangeError: why",
            "\n\nNode.js v",
        ],
    );
    told(&["module.mjs"], &["module.mjs:2\nx();\n^\n", "TypeError: x is not a function"]);
    told(&["broken.js"], &["broken.js:2:", "SyntaxError: "]);
    told(&["-e", "throw new Error('here')"], &["[eval]:1\n", "Error: here\n    at [eval]:1:7"]);
    let checked = ends(&folder, &["--check", "broken.js"], 1);
    assert!(checked.stderr.contains("broken.js:2:"), "{checked:?}");
    prints(&folder, &["-c", "late.js"], "");
}

/// Checks what standard error begins with, below the place, when this file has ended with status 1.
#[track_caller]
fn tells(name: &str, text: &str, expected: &[&str]) {
    let folder = Folder::new(&[(name, text)]);
    let told = ends(&folder, &[name], 1).stderr;
    for part in expected {
        assert!(told.contains(part), "{part:?} is missing in what {text:?} has told:\n{told}");
    }
    assert!(!told.contains("ext:deno"), "{told}");
    assert_eq!(told.matches("Node.js v").count(), 1, "{told}");
}

#[test]
fn a_rejection_that_nobody_handles_has_its_stack_in_every_kind_of_file() {
    let text = "async function late() {\n  throw new TypeError('of the rejection');\n}\nlate();\n";
    for name in ["app.js", "app.cjs", "app.mjs", "app.ts", "app.cts", "app.mts"] {
        let line = format!("{name}:2\n  throw new TypeError('of the rejection');\n        ^\n");
        let frame = format!("{name}:2:9)\n");
        tells(name, text, &[&line, "\nTypeError: of the rejection\n    at late (", &frame]);
    }
    let late = "require('fs').readFile(__filename, async () => { throw new Error('later') })";
    tells("app.js", late, &["app.js:1\n", "\nError: later\n    at "]);
    let stopped = "Promise.reject(new Error('first')); process.nextTick(() => console.log('tick'));
        setTimeout(() => console.log('never'), 1)";
    let folder = Folder::new(&[("app.js", stopped)]);
    assert_eq!(ends(&folder, &["app.js"], 1).stdout, "tick\n");
}

#[test]
fn errors_are_told_with_all_that_they_carry() {
    tells(
        "app.js",
        "throw new AggregateError([new Error('one'), new TypeError('two', { cause: 'text' })], 'many', { cause: new RangeError('why') })",
        &[
            "AggregateError: many\n    at ",
            "  [cause]: RangeError: why\n      at ",
            "  [errors]: [\n    Error: one\n        at ",
            "    TypeError: two\n        at ",
            "      [cause]: 'text'\n",
        ],
    );
    tells(
        "app.js",
        "require('fs').readFileSync('/nonexistent')",
        &[
            "app.js:1\n",
            "Error: ENOENT: no such file or directory, open '/nonexistent'\n    at ",
            "errno: -2",
            "code: 'ENOENT'",
            "syscall: 'open'",
            "path: '/nonexistent'",
        ],
    );
    tells(
        "app.js",
        "class Own extends Error { name = 'Own'; extra = { a: { b: { c: 1 } } }; [require('util').inspect.custom]() { return 'x'; } }
setTimeout(() => { throw new Own('late'); }, 1)",
        &["Own: late\n    at ", "extra: { a: { b: { c: 1 } } }"],
    );
    tells(
        "app.mjs",
        "throw new Error('m', { cause: { code: 1 } })",
        &["Error: m\n    at ", "{\n  [cause]: { code: 1 }\n}"],
    );
    tells(
        "app.js",
        "const e = new Error('bare'); e.stack = undefined; throw e",
        &["[Error: bare]"],
    );
    tells(
        "app.js",
        "const e = new Error('odd'); Object.defineProperty(e, 'cause', { get() { throw 1; }, enumerable: true }); throw e",
        &["Error: odd"],
    );
}

#[test]
fn what_is_no_error_is_told_as_it_is() {
    for (thrown, shown) in [
        ("{ a: 1, nested: { b: [1] } }", "{ a: 1, nested: { b: [ 1 ] } }"),
        ("'text'", "text"),
        ("null", "null"),
        ("undefined", "undefined"),
        ("42", "42"),
        ("Symbol('s')", "Symbol(s)"),
        ("Object.create(null)", "[Object: null prototype] {}"),
        ("function named() {}", "[Function: named]"),
    ] {
        let shown = format!("\n{shown}\n\nNode.js v");
        tells("app.js", &format!("throw {thrown}"), &[&shown]);
        tells("app.mjs", &format!("throw {thrown}"), &[&shown]);
        tells("app.js", &format!("setTimeout(() => {{ throw {thrown} }}, 1)"), &[&shown]);
        tells("app.js", &format!("process.nextTick(() => {{ throw {thrown} }})"), &[&shown]);
    }
}

#[test]
fn a_promise_rejected_with_no_error_is_told_in_nodes_words() {
    for (reason, text) in [
        ("{ a: 1 }", "#<Object>"),
        ("new (class Own {})", "#<Own>"),
        ("'text'", "text"),
        ("null", "null"),
        ("undefined", "undefined"),
        ("Symbol('s')", "Symbol(s)"),
        ("() => 1", "() => 1"),
        ("[1, 2]", "[object Array]"),
        ("Object.create(null)", "[object Object]"),
        ("{ toString() { throw 1; } }", "[object Object]"),
        ("new Proxy({}, { getOwnPropertyDescriptor() { throw 1; } })", "[object Object]"),
    ] {
        let told = format!(
            "triggerUncaughtException(err, true /* fromPromise */);\n      ^\n\n[UnhandledPromiseRejection: This error \
             originated either by throwing inside of an async function without a catch block, or by rejecting a promise \
             which was not handled with .catch(). The promise rejected with the reason \"{text}\".] {{\n  code: \
             'ERR_UNHANDLED_REJECTION'\n}}\n\nNode.js v"
        );
        for name in ["app.js", "app.mjs"] {
            tells(name, &format!("Promise.reject({reason})"), &["node:internal/", &told]);
        }
    }
}

#[test]
fn an_error_event_that_nobody_listens_to_names_no_frames_of_this_runtime() {
    let text = "new (require('node:events'))().emit('error', new Error('unheard'))";
    let folder = Folder::new(&[("app.js", text)]);
    for words in [&["-e", text][..], &["app.js"]] {
        let told = ends(&folder, words, 1).stderr;
        assert!(told.contains("Error: unheard\n    at "), "{told}");
        assert!(!told.contains("ext:deno"), "{told}");
    }
    tells(
        "app.js",
        "require('node:fs').createReadStream('/nonexistent')",
        &["Error: ENOENT: no such file or directory, open '/nonexistent'", "code: 'ENOENT'"],
    );
    tells(
        "app.js",
        "new (require('node:events'))().emit('error', { a: 1 })",
        &["Unhandled error. ({ a: 1 })", "code: 'ERR_UNHANDLED_ERROR'", "context: { a: 1 }"],
    );
}

#[test]
fn listeners_come_before_the_end() {
    let folder = Folder::new(&[]);
    for (code, printed, status) in [
        (
            "process.on('unhandledRejection', (reason) => console.log(reason)); Promise.reject('r')",
            "r\n",
            0,
        ),
        (
            "process.on('uncaughtException', (error, origin) => console.log(error.code, origin)); Promise.reject('r')",
            "ERR_UNHANDLED_REJECTION unhandledRejection\n",
            0,
        ),
        (
            "process.on('uncaughtException', (error) => console.log(error)); setTimeout(() => { throw 'r' }, 1)",
            "r\n",
            0,
        ),
        (
            "process.on('uncaughtExceptionMonitor', (error) => console.log(error.message)); Promise.reject(new Error('r'))",
            "r\n",
            1,
        ),
        ("process.on('exit', (code) => console.log(code)); Promise.reject('r')", "1\n", 1),
    ] {
        let finished = ends(&folder, &["-e", code], status);
        assert_eq!(finished.stdout, printed, "{code}: {finished:?}");
        assert_eq!(finished.stderr.contains("Node.js v"), status == 1, "{code}: {finished:?}");
    }
}
