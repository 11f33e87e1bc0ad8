//! SnapStart: hooks before the snapshot and after the restore, and what copies of a process must not share.

use crate::support::{Folder, LIMIT, Lambda, Platform, Process};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
};
use trine_emulator::{Answer, EmulatorOptions, Endpoint};

const TYPE: &str = "AWS_LAMBDA_INITIALIZATION_TYPE";

/// The languages that register hooks: engine, and what an `app` of theirs consists of.
const ENGINES: [&str; 3] = ["js", "python", "lua"];

/// Returns the files of a function whose hooks note that they have run, and do this.
fn noting(engine: &str, before: &str, after: &str) -> Vec<(&'static str, String)> {
    match engine {
        "js" => vec![(
            "app.mjs",
            format!(
                "const {{ registerBeforeSnapshot, registerAfterRestore }} = trine.snapshot;
const seen = [];
registerBeforeSnapshot(() => {{ seen.push('before 1'); }});
registerBeforeSnapshot(async (name) => {{
  await new Promise((done) => setTimeout(done, 1));
  seen.push(name);
  {before}
}}, 'before 2');
registerAfterRestore(() => {{ seen.push('after 1'); {after} }});
registerAfterRestore(async (name) => {{
  await null;
  seen.push(name);
}}, 'after 2');
export const handler = () => seen;
"
            ),
        )],
        "python" => vec![(
            "app.py",
            format!(
                "import asyncio
from snapshot_restore_py import register_after_restore, register_before_snapshot

seen = []


@register_before_snapshot
def first():
    seen.append('before 1')


async def second(name, more):
    await asyncio.sleep(0.001)
    seen.append(name + more)
    {before}


register_before_snapshot(second, 'before', more=' 2')


@register_after_restore
def third():
    seen.append('after 1')
    {after}


register_after_restore(seen.append, 'after 2')


def handler(event, context):
    return seen
"
            ),
        )],
        _ => vec![(
            "app.lua",
            format!(
                "local register_before, register_after =
  trine.snapshot.register_before_snapshot, trine.snapshot.register_after_restore
local seen = {{}}
register_before(function() seen[#seen + 1] = 'before 1' end)
register_before(function(name)
  trine.sleep(0.001)
  seen[#seen + 1] = name
  {before}
end, 'before 2')
register_after(function() seen[#seen + 1] = 'after 1' {after} end)
register_after(function(name)
  trine.sleep(0.001)
  seen[#seen + 1] = name
end, 'after 2')
return {{ handler = function() return seen end }}
"
            ),
        )],
    }
}

/// Makes a folder of these files.
fn folder(files: &[(&str, String)]) -> Folder {
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    Folder::new(&files)
}

/// Starts a function of which a snapshot is taken.
fn start(folder: &Folder) -> Lambda {
    start_with(folder, &[])
}

/// Starts it with these variables.
fn start_with(folder: &Folder, variables: &[(&str, &str)]) -> Lambda {
    let options = EmulatorOptions {
        snap_start: true,
        timeout: LIMIT,
        init_timeout: LIMIT,
        ..EmulatorOptions::default()
    };
    Lambda::under(options, folder, |command| {
        command.env("_HANDLER", "app.handler").envs(variables.iter().copied());
    })
}

/// Returns the endpoints that the runtime has used, in order.
fn used(lambda: &Lambda) -> Vec<Endpoint> {
    lambda.emulator.log().into_iter().map(|entry| entry.endpoint).collect()
}

#[test]
fn hooks_run_the_latest_first_before_and_in_order_after() {
    let order = json!(["before 2", "before 1", "after 1", "after 2"]);
    for engine in ENGINES {
        let pass = if engine == "python" { "pass" } else { "" };
        let folder = folder(&noting(engine, pass, pass));
        let lambda = start(&folder);
        assert_eq!(lambda.invoke(json!({})), order, "{engine}");
        assert_eq!(lambda.invoke(json!({})), order, "{engine}");
        assert_eq!(used(&lambda)[..2], [Endpoint::RestoreNext, Endpoint::Next], "{engine}");
        lambda.emulator.assert_clean();
        // Where no snapshot is taken none of them runs.
        let ordinary = Lambda::start(&folder, "app.handler");
        assert_eq!(ordinary.invoke(json!({})), if engine == "lua" { json!({}) } else { json!([]) });
    }
}

#[test]
fn the_package_that_registers_hooks_in_python_is_used_where_it_is_installed() {
    let package = "registered = {'before': [], 'after': []}


def get_before_snapshot():
    return registered['before']


def get_after_restore():
    return registered['after']


def register_before_snapshot(func, *args, **kwargs):
    registered['before'].append((func, args, kwargs))
    return func


def register_after_restore(func, *args, **kwargs):
    registered['after'].append((func, args, kwargs))
    return func
";
    let mut files = noting("python", "pass", "pass");
    files.push(("snapshot_restore_py.py", package.to_owned()));
    let folder = folder(&files);
    let lambda = start(&folder);
    assert_eq!(lambda.invoke(json!({})), json!(["before 2", "before 1", "after 1", "after 2"]));
}

/// What fails in each language, and how callers see it.
fn failing(engine: &str) -> (&'static str, &'static str, &'static str) {
    match engine {
        "js" => ("throw new TypeError('no hook');", "TypeError", "no hook"),
        "python" => ("raise LookupError('no hook')", "LookupError", "no hook"),
        _ => ("error { type = 'HookError', message = 'no hook' }", "HookError", "no hook"),
    }
}

#[test]
fn a_hook_that_fails_before_the_snapshot_ends_the_start() {
    for engine in ENGINES {
        let (raise, name, message) = failing(engine);
        let pass = if engine == "python" { "pass" } else { "" };
        let folder = folder(&noting(engine, raise, pass));
        let lambda = start(&folder);
        let (code, header, document) = lambda.init_error();
        assert_eq!((code, header.as_str()), (Some(64), "Runtime.BeforeSnapshotError"), "{engine}");
        assert_eq!(document["errorType"], name, "{engine}: {document}");
        assert_eq!(document["errorMessage"], message, "{engine}: {document}");
    }
}

#[test]
fn a_hook_that_fails_after_the_restore_is_told_and_ends_the_process() {
    for engine in ENGINES {
        let (raise, name, message) = failing(engine);
        let pass = if engine == "python" { "pass" } else { "" };
        let folder = folder(&noting(engine, pass, raise));
        let lambda = start(&folder);
        let outcome = lambda.outcome(json!({}));
        let Answer::InitError(failure) = &outcome.result else { panic!("{engine}: {outcome:?}") };
        assert_eq!(failure.type_header.as_deref(), Some("Runtime.AfterRestoreError"), "{engine}");
        let document = outcome.json();
        assert_eq!(document["errorType"], name, "{engine}: {document}");
        assert_eq!(document["errorMessage"], message, "{engine}: {document}");
        assert_eq!(lambda.process.wait(), Some(65), "{engine}");
        assert_eq!(used(&lambda), [Endpoint::RestoreNext, Endpoint::RestoreError], "{engine}");
        lambda.emulator.assert_clean();
        lambda.logged("no hook");
    }
}

#[test]
fn a_platform_that_refuses_the_restore_counts_as_a_failure_before_the_snapshot() {
    let folder = Folder::new(&[("app.lua", "return { handler = function() return 1 end }")]);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env(TYPE, "snap-start");
    });
    let outcome = lambda.outcome(json!({}));
    let Answer::InitError(failure) = &outcome.result else { panic!("{outcome:?}") };
    assert_eq!(failure.type_header.as_deref(), Some("Runtime.BeforeSnapshotError"));
    let message = outcome.json()["errorMessage"].as_str().unwrap().to_owned();
    assert!(message.contains("/runtime/restore/next with 404"), "{message}");
    assert_eq!(lambda.process.wait(), Some(64));
}

#[test]
fn a_function_that_fails_to_load_is_an_init_error_as_ever() {
    let folder = Folder::new(&[("app.lua", "error('no start')")]);
    let (code, header, _) = start(&folder).init_error();
    assert_eq!((code, header.as_str()), (Some(1), "Function.LuaError"));
}

/// A function that registers a hook which does nothing.
fn plain() -> Folder {
    Folder::new(&[("app.lua", "return { handler = function(event) return event end }")])
}

fn under_platform(folder: &Folder) -> (Platform, Process) {
    Platform::start(folder, "app.handler", |command| {
        command.env(TYPE, "snap-start");
    })
}

#[test]
fn no_connection_outlives_the_snapshot() {
    let folder = plain();
    let (platform, process) = under_platform(&folder);
    let mut snapshot = platform.accept(&process);
    let (line, _) = snapshot.request();
    assert_eq!(line, "GET /2018-06-01/runtime/restore/next HTTP/1.1");
    snapshot.reply("200 OK", &Value::Null);
    let mut next = platform.accept_next(&process);
    assert!(snapshot.is_closed());
    next.give("one", "", &json!("event"));
    let (line, body) = next.request();
    assert!(line.contains("/invocation/one/response"), "{line}");
    assert_eq!(body, "\"event\"");
}

#[test]
fn the_end_may_come_while_the_snapshot_is_waited_for() {
    let folder = plain();
    let (platform, process) = under_platform(&folder);
    let mut snapshot = platform.accept(&process);
    snapshot.request();
    process.signal("TERM");
    assert_eq!(process.wait(), Some(0));
    // A platform that hangs up is a failure like any other.
    let (platform, process) = under_platform(&folder);
    let mut snapshot = platform.accept(&process);
    snapshot.request();
    drop(snapshot);
    let mut report = platform.accept(&process);
    let (line, body) = report.request();
    assert_eq!(line, "POST /2018-06-01/runtime/init/error HTTP/1.1");
    assert!(body.contains("the Runtime API broke off"), "{body}");
    report.accepted();
    assert_eq!(process.wait(), Some(64));
}

#[test]
fn random_generators_begin_anew_after_the_restore() {
    let python = "import random, ssl, tempfile, uuid

random.seed(42)
uuid._node = 1
tempfile._name_sequence = iter(['name'])


def handler(event, context):
    return [random.random(), uuid.getnode(), next(tempfile._get_candidate_names())]
";
    let lua = "math.randomseed(42)
return { handler = function() return { math.random() } end }
";
    for (file, source) in [("app.py", python), ("app.lua", lua)] {
        let folder = Folder::new(&[(file, source)]);
        let numbers = |lambda: Lambda| lambda.invoke(json!({})).as_array().unwrap().clone();
        let seeded = numbers(Lambda::start(&folder, "app.handler"));
        assert_eq!(seeded, numbers(Lambda::start(&folder, "app.handler")), "{file}");
        let (one, two) = (numbers(start(&folder)), numbers(start(&folder)));
        for ((seeded, one), two) in seeded.iter().zip(&one).zip(&two) {
            assert_ne!(seeded, one, "{file}");
            // A machine's address stays what it is.
            assert!(one != two || one.is_u64(), "{file}: {one}");
        }
    }
    // V8's own generator cannot be seeded anew, so another one stands in its place from the start.
    let source = "const { random } = Math;
const early = [random(), Math.random()];
export const handler = () => {
  const drawn = [...early, random(), Math.random(), ...Array.from({ length: 2000 }, random)];
  const ids = [crypto.randomUUID(), crypto.getRandomValues(new Uint32Array(2)).join()];
  return {
    isV8s: String(Math.random).includes('[native code]'),
    name: random.name,
    fits: drawn.every((number) => number >= 0 && number < 1),
    different: new Set([...drawn, ...ids]).size,
    mean: drawn.reduce((sum, number) => sum + number, 0) / drawn.length,
  };
};";
    let folder = Folder::new(&[("app.mjs", source)]);
    for (lambda, is_v8s) in [(Lambda::start(&folder, "app.handler"), true), (start(&folder), false)]
    {
        let drawn = lambda.invoke(json!({}));
        assert_eq!(drawn["isV8s"], is_v8s);
        assert_eq!((&drawn["name"], &drawn["fits"]), (&json!("random"), &json!(true)));
        assert_eq!(drawn["different"], 2006);
        let mean = drawn["mean"].as_f64().unwrap();
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }
}

/// Answers requests on connections that it keeps open, and tells each how many there have been.
fn counting_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (count, stream) in (1..).zip(listener.incoming()) {
            let stream = stream.unwrap();
            thread::spawn(move || answer_all(&stream, count));
        }
    });
    url
}

fn answer_all(stream: &TcpStream, count: usize) {
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(line)) = lines.next() {
        if line.is_empty() {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{count}");
            let mut stream = stream;
            stream.write_all(head.as_bytes()).unwrap();
        }
    }
}

#[test]
fn guests_connections_are_dropped_before_the_snapshot() {
    let javascript = "const ask = async () => (await fetch(process.env.SERVER)).text();
const early = [await ask(), await ask()];
export const handler = async () => [...early, await ask(), await ask()];
";
    let node = "const http = require('http');
const agent = new http.Agent({ keepAlive: true });
http.globalAgent = agent;
const ask = () => new Promise((done, fail) => {
  http.get(process.env.SERVER, { agent }, (response) => {
    let text = '';
    response.on('data', (data) => { text += data; });
    response.on('end', () => setImmediate(done, text));
  }).on('error', fail);
});
const early = [];
trine.snapshot.registerBeforeSnapshot(async () => { early.push(await ask()); early.push(await ask()); });
exports.handler = async () => [...early, await ask(), await ask()];
";
    let lua = "local function ask() return trine.fetch(os.getenv('SERVER')).body end
local early = { ask(), ask() }
return { handler = function() return { early[1], early[2], ask(), ask() } end }
";
    for (file, source) in [("app.mjs", javascript), ("app.cjs", node), ("app.lua", lua)] {
        let folder = Folder::new(&[(file, source)]);
        let server = counting_server();
        let lambda = start_with(&folder, &[("SERVER", &server)]);
        assert_eq!(lambda.invoke(json!({})), json!(["1", "1", "2", "2"]), "{file}");
    }
}

#[test]
fn guests_find_their_credentials_where_the_platform_says() {
    let sources = [
        (
            "app.mjs",
            "export const handler = () => [process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI, process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN, process.env.AWS_LAMBDA_INITIALIZATION_TYPE];",
        ),
        (
            "app.py",
            "import os\ndef handler(event, context):\n    return [os.environ[name] for name in ('AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_AUTHORIZATION_TOKEN', 'AWS_LAMBDA_INITIALIZATION_TYPE')]\n",
        ),
        (
            "app.lua",
            "return { handler = function() return { os.getenv('AWS_CONTAINER_CREDENTIALS_FULL_URI'), os.getenv('AWS_CONTAINER_AUTHORIZATION_TOKEN'), os.getenv('AWS_LAMBDA_INITIALIZATION_TYPE') } end }",
        ),
    ];
    let uri = "http://127.0.0.1:9001/2021-04-23/credentials";
    for (file, source) in sources {
        let folder = Folder::new(&[(file, source)]);
        let variables = [
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a token"),
        ];
        let lambda = start_with(&folder, &variables);
        assert_eq!(lambda.invoke(json!({})), json!([uri, "a token", "snap-start"]), "{file}");
    }
}

#[test]
fn a_rejection_that_a_hook_leaves_behind_is_its_own() {
    for (hook, header, code) in [
        ("registerBeforeSnapshot", "Runtime.BeforeSnapshotError", 64),
        ("registerAfterRestore", "Runtime.AfterRestoreError", 65),
    ] {
        let source = format!(
            "trine.snapshot.{hook}(() => {{ Promise.reject(new RangeError('left behind')); }});
             export const handler = () => 1;"
        );
        let folder = Folder::new(&[("app.mjs", &source)]);
        let lambda = start(&folder);
        let outcome = lambda.outcome(json!({}));
        let Answer::InitError(failure) = &outcome.result else { panic!("{hook}: {outcome:?}") };
        assert_eq!(failure.type_header.as_deref(), Some(header), "{hook}");
        let document = outcome.json().to_string();
        assert!(document.contains("left behind"), "{hook}: {document}");
        assert_eq!(lambda.process.wait(), Some(code), "{hook}");
    }
}
