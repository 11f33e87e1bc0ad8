//! `process` in functions for Node: what `NODE_OPTIONS` makes of warnings and rejections, and what happens at the end.

use crate::support::{Finished, Folder, Lambda, Served, run, trine};
use serde_json::json;

/// Runs `trine invoke` with this source as the handler's file.
fn invoke(name: &str, source: &str, arguments: &[&str], options: &str) -> Finished {
    let folder = Folder::new(&[(name, source)]);
    let mut command = trine(&folder, &[&["invoke", name, "--json"], arguments].concat());
    command.env("NODE_OPTIONS", options);
    run(command)
}

/// A handler that writes lines one after the other, as asynchronous loggers do, and reports what it gets at its end.
const LOGGER: &str = "
const { write, writeSync } = require('node:fs');
const lines = [];
let isWriting = false;
const next = () => {
  isWriting = lines.length > 0;
  if (isWriting) write(1, lines.shift(), next);
};
const say = (line) => {
  lines.push(`${line}\\n`);
  if (!isWriting) next();
};
process.once('beforeExit', () => setTimeout(say, 5, 'beforeExit'));
process.on('exit', (code) => {
  while (lines.length > 0) writeSync(1, lines.shift());
  writeSync(1, `exit ${code}\\n`);
});
exports.handler = async (event) => {
  for (const line of ['one', 'two', 'three', 'four']) say(line);
  if (event.waits) setInterval(() => {}, 1000);
  if (event.fails) throw new Error('on purpose');
  if (event.exits) process.exit(3);
  return 'done';
};
";

/// Returns the guest's lines in order.
fn lines(text: &str) -> Vec<&str> {
    let known = ["one", "two", "three", "four", "beforeExit"];
    text.lines().filter(|line| known.contains(line) || line.starts_with("exit ")).collect()
}

#[test]
fn what_is_still_to_be_written_is_written_before_invoke_ends() {
    for (event, code, end) in [
        ("{}", 0, &["beforeExit", "exit 0"][..]),
        // Something is left to do, but is not waited for.
        (r#"{"waits":true}"#, 0, &["exit 0"]),
        (r#"{"fails":true}"#, 1, &["beforeExit", "exit 0"]),
        (r#"{"exits":true}"#, 1, &["exit 3"]),
    ] {
        let finished = invoke("app.cjs", LOGGER, &["--event", event], "");
        assert_eq!(finished.code, Some(code), "{finished:?}");
        let expected = [&["one", "two", "three", "four"], end].concat();
        assert_eq!(lines(&finished.stderr), expected, "{event}: {finished:?}");
    }
}

#[test]
fn listeners_that_fail_or_never_end_take_no_answer_away() {
    for (listener, told) in [
        ("process.on('exit', () => { throw new Error('on purpose'); });", "on purpose"),
        ("process.on('beforeExit', () => { throw new Error('on purpose'); });", "on purpose"),
        ("process.on('exit', () => { for (;;); });", ""),
        ("process.on('beforeExit', () => { for (;;); });", ""),
        ("process.on('beforeExit', () => { setImmediate(() => {}); });", ""),
        ("process.on('exit', () => process.exit(4));", ""),
        ("process.on('beforeExit', () => process.exit(4));", ""),
    ] {
        let source = format!("{listener}\nexports.handler = async () => 'done';");
        let finished = invoke("app.cjs", &source, &["--timeout", "1s"], "");
        assert_eq!(
            (finished.code, finished.stdout.as_str()),
            (Some(0), "\"done\"\n"),
            "{listener}"
        );
        assert!(finished.stderr.contains(told), "{listener}: {finished:?}");
        assert_eq!(finished.stderr.matches("Left behind").count(), 0, "{finished:?}");
    }
}

#[test]
fn the_end_of_a_runtime_and_of_a_server_is_told() {
    let folder = Folder::new(&[("app.cjs", LOGGER)]);
    let lambda = Lambda::start(&folder, "app.handler");
    assert_eq!(lambda.invoke(json!({})), "done");
    lambda.process.signal("TERM");
    assert_eq!(lambda.process.wait(), Some(0), "{:?}", lambda.process);
    assert_eq!(lines(&lambda.logged("exit 0")), ["one", "two", "three", "four", "exit 0"]);
    lambda.emulator.assert_clean();

    let served = Served::start(&folder, &["app.handler"]);
    assert_eq!(served.get("/").text(), "done");
    served.process.signal("TERM");
    assert_eq!(served.process.wait(), Some(0), "{:?}", served.process);
    let all = served.process.stdout() + &*served.process.stderr();
    assert_eq!(lines(&all), ["one", "two", "three", "four", "exit 0"]);
}

#[test]
fn an_instance_that_is_replaced_is_told() {
    let source = "
let count = 0;
process.on('exit', () => {
  console.log(`served ${count}`);
  for (;;);
});
exports.handler = async () => ++count;
";
    let folder = Folder::new(&[("app.cjs", source)]);
    let served =
        Served::start(&folder, &["app.handler", "--max-invocations", "2", "--workers", "1"]);
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(served.get("/").text().to_owned());
    }
    assert_eq!(answers, ["1", "2", "1", "2", "1"]);
    served.process.signal("TERM");
    assert_eq!(served.process.wait(), Some(0), "{:?}", served.process);
    let all = served.process.stdout() + &*served.process.stderr();
    let told: Vec<&str> =
        all.lines().filter_map(|line| Some(&line[line.find("served ")?..])).collect();
    assert_eq!(told, ["served 2", "served 2", "served 1"], "{all}");
}

#[test]
fn warnings_are_as_the_options_want_them() {
    let source = "
exports.handler = async () => {
  process.emitWarning('old fashioned', 'DeprecationWarning', 'DEP0000');
  process.emitWarning('just so', 'OwnWarning');
  await new Promise((resolve) => setTimeout(resolve, 5));
  return [process.noDeprecation, process.throwDeprecation, process.traceDeprecation, process.traceProcessWarnings];
};
";
    for (options, present, absent) in [
        (
            "",
            &["[DEP0000] DeprecationWarning: old fashioned\n", "OwnWarning: just so\n"][..],
            &[][..],
        ),
        ("--no-deprecation", &["just so"], &["old fashioned"]),
        ("--no-deprecation --deprecation", &["old fashioned", "just so"], &[]),
        ("--disable-warning=DEP0000", &["just so"], &["old fashioned"]),
        (
            "--disable-warning=OwnWarning --disable-warning DEP0000",
            &[],
            &["just so", "old fashioned"],
        ),
        ("--trace-deprecation", &["old fashioned\n    at ", "just so\n"], &["just so\n    at "]),
        ("--trace-warnings", &["old fashioned\n    at ", "just so\n    at "], &[]),
        ("--no-warnings", &[], &["just so", "old fashioned"]),
    ] {
        let finished = invoke("app.cjs", source, &[], options);
        assert_eq!(finished.code, Some(0), "{options}: {finished:?}");
        for part in present {
            assert!(finished.stderr.contains(part), "{options}: {part} is missing: {finished:?}");
        }
        for part in absent {
            assert!(!finished.stderr.contains(part), "{options}: {part} is there: {finished:?}");
        }
        assert!(!finished.stderr.contains("NODE_OPTIONS"), "{finished:?}");
    }
    let finished = invoke("app.cjs", source, &[], "--throw-deprecation");
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stderr.contains("DeprecationWarning: old fashioned"), "{finished:?}");
}

#[test]
fn rejections_that_nobody_handles_are_what_the_options_make_of_them() {
    let source = "
if (process.env.LISTENS) process.on('unhandledRejection', (reason) => console.log(`heard ${reason.message}`));
exports.handler = async () => {
  Promise.reject(new Error('nobody listens'));
  await new Promise((resolve) => setTimeout(resolve, 5));
  return 'done';
};
";
    let warning = "UnhandledPromiseRejectionWarning: Error: nobody listens";
    for (mode, listens, code, present, absent) in [
        ("throw", false, 1, "Error: nobody listens", warning),
        ("throw", true, 0, "heard nobody listens", warning),
        ("strict", false, 1, "Error: nobody listens", warning),
        ("strict", true, 1, "Error: nobody listens", "heard"),
        ("warn", false, 0, warning, "heard"),
        ("warn", true, 0, warning, "NODE_OPTIONS"),
        ("warn-with-error-codes", false, 0, warning, "heard"),
        ("warn-with-error-codes", true, 0, "heard nobody listens", warning),
        ("none", false, 0, "", "nobody listens"),
        ("none", true, 0, "heard nobody listens", warning),
    ] {
        let folder = Folder::new(&[("app.cjs", source)]);
        let mut command = trine(&folder, &["invoke", "app.cjs"]);
        command.env("NODE_OPTIONS", format!("--unhandled-rejections={mode}"));
        if listens {
            command.env("LISTENS", "1");
        }
        let finished = run(command);
        assert_eq!(finished.code, Some(code), "{mode} {listens}: {finished:?}");
        assert!(finished.stderr.contains(present), "{mode} {listens}: {finished:?}");
        assert!(!finished.stderr.contains(absent), "{mode} {listens}: {finished:?}");
    }
    let finished = invoke("app.cjs", source, &[], "--unhandled-rejections=sometimes");
    let told = "--unhandled-rejections is throw, strict, warn, warn-with-error-codes, none, not \"sometimes\"";
    assert_eq!(finished.stderr.matches(told).count(), 1, "{finished:?}");
}

#[test]
fn a_rejection_at_the_top_level_is_an_error_of_the_start() {
    for (name, export) in [("app.cjs", "exports.handler ="), ("app.mjs", "export const handler =")]
    {
        let source = format!("Promise.reject(new Error('nobody listens'));\n{export} () => 1;");
        let folder = Folder::new(&[(name, &source)]);
        let lambda = Lambda::start(&folder, "app.handler");
        let (code, kind, document) = lambda.init_error();
        assert_eq!((code, kind.as_str()), (Some(1), "Runtime.UnhandledPromiseRejection"), "{name}");
        assert_eq!(document["errorType"], "Runtime.UnhandledPromiseRejection", "{name}");
        assert_eq!(document["errorMessage"], "Error: nobody listens", "{name}");
        for mode in ["warn", "none"] {
            let options = format!("--unhandled-rejections={mode}");
            let finished = invoke(name, &source, &[], &options);
            assert_eq!(finished.stdout, "1\n", "{name} {mode}: {finished:?}");
        }
    }
}

#[test]
fn a_module_that_waits_in_vain_at_its_top_level_is_reported_once() {
    for source in [
        "await new Promise(() => {}); export const handler = () => 1;",
        "const never = new Promise(() => {}); export const handler = () => 1; await never;",
    ] {
        let finished = invoke("app.mjs", source, &["-e", "{}"], "");
        assert_eq!(finished.code, Some(1), "{}", finished.stderr);
        assert!(finished.stderr.lines().count() < 10, "{}", finished.stderr);
    }
}
