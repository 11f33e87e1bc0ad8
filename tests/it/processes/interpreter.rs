//! The program as Node, under the name `node`: which code it runs, and how it ends.

use crate::support::{Finished, Folder, Process, binary, command, eventually, run, run_with_input};
use std::{os::unix::fs::symlink, process::Command};

/// Returns the command `node` with these words in a folder with these files.
pub(super) fn node(folder: &Folder, words: &[&str]) -> Command {
    let path = folder.task().join("../node");
    if !path.exists() {
        symlink(binary(), &path).unwrap();
    }
    let mut command = command(path, folder);
    command.args(words);
    command
}

/// Runs `node` to its end.
#[track_caller]
pub(super) fn ends(folder: &Folder, words: &[&str], code: i32) -> Finished {
    let finished = run(node(folder, words));
    assert_eq!(finished.code, Some(code), "{words:?}: {finished:?}");
    finished
}

/// Runs `node`, and compares what it prints.
#[track_caller]
pub(super) fn prints(folder: &Folder, words: &[&str], expected: &str) {
    let finished = ends(folder, words, 0);
    assert_eq!(finished.stdout, expected, "{words:?}: {finished:?}");
}

#[test]
fn code_from_the_command_line_and_its_value() {
    let folder =
        Folder::new(&[("lib.js", "module.exports = 5;"), ("lib.mjs", "export const n = 6;")]);
    let none = |words: &[&str], expected: &str| prints(&folder, words, expected);
    none(&["-p", "1 + 1"], "2\n");
    none(&["--print", "'text'"], "text\n");
    none(&["-pe", "[1, 'a', { b: null }]"], "[ 1, 'a', { b: null } ]\n");
    none(
        &["-e", "console.log(typeof require, typeof module, __filename, __dirname)"],
        "function object [eval] .\n",
    );
    none(&["-e", "var x = 1; console.log(globalThis.x, path.sep, os.EOL.length)"], "1 / 1\n");
    none(&["--eval=console.log(require('./lib') + 1)"], "6\n");
    none(&["-e", "import('./lib.mjs').then((lib) => console.log(lib.n))"], "6\n");
    none(&["-e", "import { n } from './lib.mjs'; console.log(n)"], "6\n");
    none(
        &["--input-type=module", "-e", "import { n } from './lib.mjs'; console.log(await n)"],
        "6\n",
    );
    none(&["--input-type=commonjs-typescript", "-e", "const n: number = 1; console.log(n)"], "1\n");
    none(&["-e", "console.log(process.argv.length, process.argv[1])", "x"], "2 x\n");
    none(&["-e", "console.log(process.execArgv[0])", "x"], "-e\n");
    let version = ends(&folder, &["--version"], 0).stdout;
    assert!(version.starts_with('v') && version.ends_with('\n'), "{version:?}");
    prints(&folder, &["-p", "process.version"], &version);
    prints(&folder, &["-v"], &version);
}

#[test]
fn code_from_standard_input() {
    let folder = Folder::new(&[]);
    let reads = |words: &[&str], input: &str, expected: &str| {
        let finished = run_with_input(node(&folder, words), input.as_bytes());
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), expected), "{finished:?}");
    };
    reads(&[], "console.log(1, __filename, process.argv.length)", "1 [stdin] 1\n");
    reads(&["-", "a"], "console.log(process.argv.slice(1))", "[ '-', 'a' ]\n");
    reads(&[], "import os from 'node:os'; console.log(typeof os.cpus)", "function\n");
    reads(&["-p"], "6 * 7", "42\n");
    reads(&[], "", "");
    let echo = "process.stdin.on('data', (data) => process.stdout.write(`<${data}>`))";
    reads(&["-e", echo], "some text", "<some text>");
}

#[test]
fn scripts_are_found_and_loaded_by_nodes_rules() {
    let folder = Folder::new(&[
        (
            "plain.js",
            "console.log(require.main === module, process.argv.slice(2), process.argv[1] === __filename);",
        ),
        ("bin/tool", "#!/usr/bin/env node\nconsole.log('tool', __filename === process.argv[1]);"),
        (
            "module.mjs",
            "import { x } from './typed.ts';\nawait 0;\nconsole.log(x, process.argv[1] === (await import('node:url')).fileURLToPath(import.meta.url));",
        ),
        ("typed.ts", "export const x: number = 7;\nconsole.log('typed' satisfies string);"),
        (
            "common.cts",
            "const os = require('node:os'); const n: number = 1; console.log(n, typeof os.EOL);",
        ),
        ("package/package.json", r#"{"main": "lib/start.js", "type": "module"}"#),
        ("package/lib/start.js", "import 'node:fs'; console.log('package');"),
        ("folder/index.js", "console.log('folder');"),
        ("-odd.js", "console.log('odd');"),
        ("detected.js", "import 'node:fs'; export {}; console.log('detected');"),
    ]);
    prints(&folder, &["plain.js", "a", "-e", "--", "b"], "true [ 'a', '-e', '--', 'b' ] true\n");
    prints(&folder, &["./plain"], "true [] false\n");
    prints(&folder, &["bin/tool"], "tool true\n");
    prints(&folder, &["module.mjs"], "typed\n7 true\n");
    prints(&folder, &["typed.ts"], "typed\n");
    prints(&folder, &["common.cts"], "1 string\n");
    prints(&folder, &["package"], "package\n");
    prints(&folder, &["folder"], "folder\n");
    prints(&folder, &["--", "-odd.js"], "odd\n");
    prints(&folder, &["detected.js"], "detected\n");
    prints(&folder, &[&folder.file("plain.js")], "true [] true\n");
    let missing = ends(&folder, &["nowhere.js"], 1).stderr;
    assert!(missing.contains("Error: Cannot find module '"), "{missing}");
}

#[test]
fn the_exit_status_is_what_the_code_says() {
    let folder = Folder::new(&[]);
    for (code, status) in [
        ("process.exit(7)", 7),
        ("process.exitCode = 9", 9),
        ("process.on('exit', () => { process.exitCode = 5 })", 5),
        ("setTimeout(() => process.exit(3), 1)", 3),
        ("process.on('exit', (status) => process.exit(status + 1)); process.exit(1)", 2),
        ("throw new Error('x')", 1),
        ("process.exitCode = 4; throw new Error('x')", 1),
        ("Promise.reject(new Error('x'))", 1),
        ("Promise.reject('no error')", 1),
        ("process.on('uncaughtException', () => {}); throw new Error('x')", 0),
        ("process.on('unhandledRejection', () => {}); Promise.reject(1)", 0),
        ("process.abort()", -6),
        ("process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)", -15),
        ("process.kill(process.pid, 'SIGKILL')", -9),
        ("process.once('beforeExit', () => setTimeout(() => process.exit(6), 1))", 6),
    ] {
        ends(&folder, &["-e", code], status);
    }
    let waits = ends(&folder, &["--input-type=module", "-e", "await new Promise(() => {})"], 13);
    assert!(waits.stderr.contains("top-level await"), "{waits:?}");
    for (words, said) in [
        (&["--nonsense"][..], "bad option: --nonsense"),
        (&["-e"], "-e requires an argument"),
        (&["--require"], "--require requires an argument"),
        (&["-i"], "no interactive mode"),
    ] {
        let finished = ends(&folder, words, 9);
        assert!(
            finished.stderr.starts_with("node: ") && finished.stderr.contains(said),
            "{finished:?}"
        );
    }
    let finished = ends(&folder, &["--inspect=0", "-p", "1"], 0);
    assert!(finished.stderr.contains("--inspect=0 has no effect here"), "{finished:?}");
}

#[test]
fn options_of_the_command_line_count() {
    let folder = Folder::new(&[
        ("first.cjs", "globalThis.order = ['first'];"),
        ("second.mjs", "globalThis.order.push('second'); await 0;"),
        ("app.js", "console.log(order.join(), process.execArgv.join(' '));"),
        (
            "node_modules/p/package.json",
            r#"{"exports": {"special": "./special.js", "default": "./plain.js"}}"#,
        ),
        ("node_modules/p/special.js", "module.exports = 'special';"),
        ("node_modules/p/plain.js", "module.exports = 'plain';"),
        ("memory.js", "const all = []; for (;;) all.push(new Array(1000).fill(1));"),
    ]);
    prints(
        &folder,
        &["--import", "./second.mjs", "-r", "./first.cjs", "app.js"],
        "first,second --import ./second.mjs -r ./first.cjs\n",
    );
    prints(&folder, &["-p", "require('p')"], "plain\n");
    prints(&folder, &["-C", "special", "-p", "require('p')"], "special\n");
    prints(
        &folder,
        &["--conditions=special", "-e", "import p from 'p'; console.log(p)"],
        "special\n",
    );
    prints(&folder, &["--expose-gc", "-p", "typeof gc"], "function\n");
    prints(&folder, &["-p", "typeof gc"], "undefined\n");
    let warned = ends(&folder, &["-e", "process.emitWarning('look')"], 0).stderr;
    assert!(warned.contains("Warning: look"), "{warned}");
    let silent = ends(&folder, &["--no-warnings", "-e", "process.emitWarning('look')"], 0).stderr;
    assert_eq!(silent, "");
    let full = ends(&folder, &["--max-old-space-size=40", "memory.js"], 134).stderr;
    assert!(full.contains("JavaScript heap out of memory"), "{full}");
}

#[test]
fn streams_are_those_of_the_process() {
    let folder = Folder::new(&[]);
    let length = 3_000_000;
    let code = format!("process.stdout.write('x'.repeat({length})); console.error('to error')");
    let finished = ends(&folder, &["-e", &code], 0);
    assert_eq!((finished.stdout.len(), finished.stderr.as_str()), (length, "to error\n"));
    let code = "console.log('%s is %d', 'a', 1, { deep: { er: { est: {} } } }); console.table([1]); console.dir({ a: 1 })";
    let printed = ends(&folder, &["-e", code], 0).stdout;
    assert!(printed.starts_with("a is 1 { deep: { er: { est: {} } } }\n┌"), "{printed}");
    assert!(printed.ends_with("{ a: 1 }\n"), "{printed}");
}

#[test]
fn worker_threads_run_in_it() {
    let folder = Folder::new(&[
        (
            "threads.js",
            "
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
if (isMainThread) {
  const worker = new Worker(__filename, { workerData: 20 });
  worker.on('message', (message) => console.log('message', message));
  worker.on('exit', (code) => console.log('exit', code));
} else {
  console.log('thread', workerData, globalThis.preloaded);
  parentPort.postMessage(workerData + 1);
}",
        ),
        ("preload.cjs", "globalThis.preloaded = 'yes';"),
    ]);
    prints(&folder, &["threads.js"], "thread 20 undefined\nmessage 21\nexit 0\n");
    prints(&folder, &["-r", "./preload.cjs", "threads.js"], "thread 20 yes\nmessage 21\nexit 0\n");
}

#[test]
fn signals_reach_its_listeners() {
    let folder = Folder::new(&[]);
    let code = "process.on('SIGTERM', (name) => { console.log(name); process.exit(3); });
        setInterval(() => {}, 1000); console.log('ready');";
    let process = Process::start(node(&folder, &["-e", code]));
    eventually("it is ready", || process.stdout().contains("ready").then_some(()));
    process.signal("TERM");
    let finished = process.finish();
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(3), "ready\nSIGTERM\n"));
}

#[test]
fn the_globals_are_nodes() {
    let folder = Folder::new(&[]);
    let is = |code: &str, expected: &str| prints(&folder, &["-p", code], expected);
    is("typeof Deno + typeof self + typeof addEventListener", "undefinedundefinedundefined\n");
    is("Object.keys(globalThis).filter((name) => /Deno|process|Buffer/.test(name))", "[]\n");
    is("[process.versions.deno, process.config.variables.v8_enable_i18n_support]", {
        "[ undefined, 1 ]\n"
    });
    is("const a = {}; a.__proto__ = { b: 1 }; [a.b, [].__proto__ === Array.prototype]", {
        "[ 1, true ]\n"
    });
    let code = "new worker_threads.Worker('postMessage([typeof Deno, [].__proto__.length])'        .replace('post', 'require(\"worker_threads\").parentPort.post'), { eval: true })        .on('message', (told) => console.log(told))";
    prints(&folder, &["-e", code], "[ 'undefined', 0 ]\n");
}

#[test]
fn what_listeners_of_sockets_throw_is_uncaught() {
    let folder = Folder::new(&[]);
    let code = |more: &str| {
        format!(
            "{more}
            const server = net.createServer((socket) => socket.end('x')).listen(0, '127.0.0.1', () => {{
              net.connect(server.address().port, '127.0.0.1').on('data', () => {{
                server.close();
                throw new Error('on purpose');
              }});
            }});"
        )
    };
    let finished = ends(&folder, &["-e", &code("")], 1);
    assert!(finished.stderr.contains("Error: on purpose"), "{finished:?}");
    let listens = code("process.on('uncaughtException', (error) => console.log(error.message));");
    prints(&folder, &["-e", &listens], "on purpose\n");
}

#[test]
fn files_are_written_by_the_fast_stream() {
    let folder = Folder::new(&[]);
    let code = "const stream = new fs.Utf8Stream({ dest: 'out.txt', sync: true });
        stream.write('text'); stream.end(); console.log(fs.readFileSync('out.txt', 'utf8'));";
    prints(&folder, &["-e", code], "text\n");
}

#[test]
fn a_fault_that_is_sent_ends_the_process() {
    let folder = Folder::new(&[]);
    let finished = run(node(&folder, &["-e", "process.kill(process.pid, 'SIGSEGV')"]));
    assert_eq!(finished.code, Some(-11), "{finished:?}");
}
