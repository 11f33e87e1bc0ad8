//! Processes that guests start: this program by its path is their interpreter, never a second runtime.

use super::interpreter::node;
use crate::support::{Folder, Lambda, binary, run, trine};
use serde_json::{Value, json};

/// A handler that reports what became of children that it starts in every common way.
const STARTS: &str = r#"
const cp = require("node:child_process");
const { once } = require("node:events");

const forked = (file, args, options, talk) =>
  new Promise((resolve, reject) => {
    const child = cp.fork(file, args, options);
    const seen = [];
    child.on("message", (message) => {
      seen.push(message);
      talk?.(child, message);
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve({ seen, code, signal }));
  });

const ways = {
  execFile: () => cp.execFileSync(process.execPath, ["tool.js", "a", "b"], { encoding: "utf8" }),
  module: () => cp.execFileSync(process.execPath, ["tool.mjs"], { encoding: "utf8" }),
  typed: () => cp.execFileSync(process.execPath, ["tool.ts"], { encoding: "utf8" }),
  eval: () => cp.spawnSync(process.execPath, ["-e", "console.log(1 + 1)"], { encoding: "utf8" }).stdout,
  version: () => cp.execFileSync(process.execPath, ["--version"], { encoding: "utf8" }) === `${process.version}\n`,
  input: () => cp.execFileSync(process.execPath, ["-"], { encoding: "utf8", input: "console.log('from input')" }),
  shell: () => cp.execSync(`"${process.execPath}" -p "'in a shell'"`, { encoding: "utf8" }),
  twice: () => cp.execSync(`sh -c '"${process.execPath}" -p 2 && echo "$0"' name`, { encoding: "utf8" }),
  bare: () => cp.spawnSync(process.execPath, ["-p", "JSON.stringify(Object.keys(process.env))"], { encoding: "utf8", env: {} }).stdout,
  given: () => cp.spawnSync(process.execPath, ["-p", "process.env.GIVEN"], { encoding: "utf8", env: { GIVEN: "yes" } }).stdout,
  nothing: () => cp.spawnSync(process.execPath, [], { encoding: "utf8", input: "" }).status,
  named: () => cp.spawnSync(process.execPath, ["-p", "process.argv0"], { encoding: "utf8", argv0: "other" }).stdout,
  elsewhere: () => cp.execFileSync(process.execPath, ["-p", "process.cwd()"], { encoding: "utf8", cwd: "/" }),
  status: () => cp.spawnSync(process.execPath, ["-e", "process.exit(7)"]).status,
  thrown: () => {
    const { status, stderr } = cp.spawnSync(process.execPath, ["-e", "throw new Error('told')"], { encoding: "utf8" });
    return [status, stderr.includes("Error: told\n    at [eval]:1:7")];
  },
  killed: async () => {
    const child = cp.spawn(process.execPath, ["-e", "console.log('up'); setInterval(() => {}, 1000)"]);
    await once(child.stdout, "data");
    child.kill();
    return await once(child, "exit");
  },
  fork: () => forked("child.js", ["x"], {}, (child, message) => message === "ready" ? child.send({ n: 1 }) : child.disconnect()),
  disconnects: () => forked("child.js", ["quits"], {}),
  advanced: () =>
    forked("echo.js", [], { serialization: "advanced" }, (child, message) => {
      message === "ready" ? child.send(new Map([["key", new Date(0)]])) : child.disconnect();
    }).then(({ seen, code }) => [seen[1] instanceof Map, seen[1].get("key") instanceof Date, code]),
  silent: async () => {
    const child = cp.fork("tool.js", ["s"], { silent: true });
    let text = "";
    child.stdout.on("data", (data) => text += data);
    await once(child, "close");
    return text;
  },
  options: () =>
    forked("child.js", ["options"], {
      execArgv: ["-r", "./preload.cjs", "--no-warnings"],
      env: { ...process.env, GIVEN: "yes" },
      cwd: process.cwd(),
    }),
  leaves: () => forked("leaves.js", [], {}),
  module_fork: () => forked("child.mjs", [], {}),
  grandchild: () => cp.execFileSync(process.execPath, ["-e",
    "console.log(require('child_process').execFileSync(process.execPath, ['-p', '40 + 2'], { encoding: 'utf8' }))"], { encoding: "utf8" }),
  threads: async () => {
    const { Worker } = require("node:worker_threads");
    const worker = new Worker(
      "require('worker_threads').parentPort.postMessage(require('child_process').execFileSync(process.execPath, ['-p', '9'], { encoding: 'utf8' }))",
      { eval: true },
    );
    const [message] = await once(worker, "message");
    return message;
  },
};

exports.handler = async (way) => await ways[way]();
exports.ways = async () => Object.keys(ways);
"#;

const FILES: &[(&str, &str)] = &[
    ("app.js", STARTS),
    ("tool.js", "console.log(process.argv.slice(2).join('+'), process.argv[1] === __filename);"),
    ("tool.mjs", "await 0; console.log('module');"),
    ("tool.ts", "const text: string = 'typed'; console.log(text);"),
    ("preload.cjs", "globalThis.preloaded = 'preloaded';"),
    ("echo.js", "process.on('message', (message) => process.send(message)); process.send('ready');"),
    ("leaves.js", "for (let i = 0; i < 100; i++) process.send(i); process.exit(3);"),
    ("child.mjs", "process.send(['module', process.connected]); process.disconnect();"),
    (
        "child.js",
        "const [how] = process.argv.slice(2);
if (how === 'options') {
  process.send([globalThis.preloaded, process.execArgv, process.env.GIVEN, process.env.NODE_CHANNEL_FD]);
  process.disconnect();
} else if (how === 'quits') {
  process.send('bye', () => { process.disconnect(); process.exitCode = 4; });
} else {
  process.on('message', (message) => process.send([message, process.connected]));
  process.on('disconnect', () => console.log('disconnected'));
  process.send('ready');
}",
    ),
];

fn expected() -> Vec<(&'static str, Value)> {
    vec![
        ("execFile", json!("a+b true\n")),
        ("module", json!("module\n")),
        ("typed", json!("typed\n")),
        ("eval", json!("2\n")),
        ("version", json!(true)),
        ("input", json!("from input\n")),
        ("shell", json!("in a shell\n")),
        ("twice", json!("2\nname\n")),
        ("bare", json!("[]\n")),
        ("given", json!("yes\n")),
        ("nothing", json!(0)),
        ("named", json!("other\n")),
        ("elsewhere", json!("/\n")),
        ("status", json!(7)),
        ("thrown", json!([1, true])),
        ("killed", json!([null, "SIGTERM"])),
        ("fork", json!({"seen": ["ready", [{"n": 1}, true]], "code": 0, "signal": null})),
        ("disconnects", json!({"seen": ["bye"], "code": 4, "signal": null})),
        ("advanced", json!([true, true, 0])),
        ("silent", json!("s true\n")),
        (
            "options",
            json!({
                "seen": [["preloaded", ["-r", "./preload.cjs", "--no-warnings"], "yes", null]],
                "code": 0,
                "signal": null
            }),
        ),
        // What is sent right before the end still arrives.
        ("leaves", json!({"seen": (0..100).collect::<Vec<_>>(), "code": 3, "signal": null})),
        ("module_fork", json!({"seen": [["module", true]], "code": 0, "signal": null})),
        ("grandchild", json!("42\n\n")),
        ("threads", json!("9\n")),
    ]
}

#[test]
fn a_functions_children_run_javascript_on_lambda() {
    let folder = Folder::new(FILES);
    let lambda = Lambda::start(&folder, "app.handler");
    for (way, expected) in expected() {
        assert_eq!(lambda.invoke(json!(way)), expected, "{way}\n{:?}", lambda.process);
    }
    // No child has asked for events, answered, or failed because of the environment.
    lambda.emulator.assert_clean();
}

#[test]
fn every_way_is_tried() {
    let folder = Folder::new(FILES);
    let finished = run(trine(&folder, &["invoke", "app.ways", "--json"]));
    let ways: Vec<String> = serde_json::from_str(&finished.stdout).unwrap();
    let tried: Vec<&str> = expected().into_iter().map(|(way, _)| way).collect();
    assert_eq!(ways, tried);
}

#[test]
fn a_functions_children_run_javascript_without_lambda() {
    let folder = Folder::new(FILES);
    for (way, expected) in expected() {
        let event = format!("\"{way}\"");
        let finished = run(trine(&folder, &["invoke", "app.handler", "--json", "--event", &event]));
        let answer: Value = serde_json::from_str(&finished.stdout).unwrap_or_default();
        assert_eq!(answer, expected, "{way}: {finished:?}");
    }
}

#[test]
fn children_of_children_are_alike() {
    let folder = Folder::new(FILES);
    let code = "require('./app.js').handler(process.argv[1]).then((value) => console.log(JSON.stringify(value)))";
    for (way, expected) in expected() {
        let finished = run(node(&folder, &["-e", code, way]));
        let printed = finished.stdout.lines().last().unwrap_or_default();
        let answer: Value = serde_json::from_str(printed).unwrap_or_default();
        assert_eq!(answer, expected, "{way}: {finished:?}");
    }
}

/// Handlers that start this program, by every name that it has, from each language.
const STARTERS: &[(&str, &str)] = &[
    (
        "js.cjs",
        r#"
const cp = require("node:child_process");
exports.handler = async (path) => {
  const run = (command, args, options) => cp.spawnSync(command, args, { encoding: "utf8", input: "", ...options }).status;
  return [
    run(path, []),
    run(path, ["-e", "process.exit(3)"]),
    run("bash", ["-c", "$0 -e 'process.exit(3)'", path]),
    run(path, ["-e", "process.exit(3)"], { env: { AWS_LAMBDA_RUNTIME_API: process.env.AWS_LAMBDA_RUNTIME_API } }),
    run("sh", ["-c", `("${path}" -e 'process.exit(3)'; exit $?)`], { env: {} }),
  ];
};"#,
    ),
    (
        "py.py",
        r#"
import multiprocessing, os, subprocess, sys

def child(queue):
    queue.put("from a child")

def handler(path, context):
    def run(command, **options):
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, **options).returncode
    code = ["-e", "process.exit(3)"]
    queue = multiprocessing.Queue()
    forked = multiprocessing.Process(target=child, args=(queue,))
    forked.start()
    assert queue.get() == "from a child"
    forked.join()
    assert subprocess.check_output([sys.executable, "-c", "print(1)"]) == b"1\n"
    return [
        run([path]),
        run([path] + code),
        run(["bash", "-c", "$0 -e 'process.exit(3)'", path]),
        run([path] + code, env={"AWS_LAMBDA_RUNTIME_API": os.environ.get("AWS_LAMBDA_RUNTIME_API", "")}),
        run(f"(\"{path}\" -e 'process.exit(3)'; exit $?)", shell=True, env={}),
    ]
"#,
    ),
    (
        "lua.lua",
        r#"
local function run(command)
  local _, _, status = os.execute(command .. " </dev/null >/dev/null 2>&1")
  return status
end
return {
  handler = function(path)
    local api = os.getenv("AWS_LAMBDA_RUNTIME_API") or ""
    local pipe = io.popen(path .. " -e 'process.exit(3)' </dev/null 2>&1")
    local text = pipe:read("a")
    local _, _, status = pipe:close()
    return {
      run(path),
      status,
      run("bash -c '$0 -e \"process.exit(3)\"' " .. path),
      run("env -i AWS_LAMBDA_RUNTIME_API=" .. api .. " " .. path .. " -e 'process.exit(3)'"),
      run("env -i sh -c \"(" .. path .. " -e 'process.exit(3)'; exit \\$?)\""),
    }
  end,
}"#,
    ),
];

#[test]
fn no_child_takes_the_runtimes_part_in_any_language() {
    let folder = Folder::new(STARTERS);
    let bootstrap = folder.bootstrap().to_str().unwrap().to_owned();
    for handler in ["js.handler", "py.handler", "lua.handler"] {
        let lambda = Lambda::start(&folder, handler);
        for path in [bootstrap.as_str(), &binary()] {
            assert_eq!(lambda.invoke(json!(path)), json!([0, 3, 3, 3, 3]), "{handler} {path}");
        }
        let orphaned = json!(bootstrap);
        lambda.invoke(orphaned);
        lambda.emulator.assert_clean();
    }
}

#[test]
fn commands_of_this_program_remain_commands_for_children() {
    let folder = Folder::new(&[
        ("app.cjs", "const cp = require('node:child_process');
exports.handler = async (path) => cp.spawnSync(path, ['invoke', 'other.handler', '--json'], { encoding: 'utf8' }).stdout;"),
        ("other.cjs", "exports.handler = async () => 'other';"),
    ]);
    let event = format!("{:?}", binary());
    let finished = run(trine(&folder, &["invoke", "app.handler", "--json", "--event", &event]));
    assert_eq!(finished.stdout, "\"\\\"other\\\"\\n\"\n", "{finished:?}");
}

/// A function that acts as a Runtime API for a runtime that it starts.
const HARNESS: &str = r#"
const http = require("node:http");
const cp = require("node:child_process");
exports.handler = async (path) => {
  const asked = Promise.withResolvers();
  const server = http.createServer((request) => asked.resolve(request.url));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const env = { ...process.env, AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${server.address().port}`, _HANDLER: "other.handler" };
  const child = cp.spawn(path, [], { env, stdio: "inherit" });
  child.on("exit", () => asked.resolve("it has ended"));
  const url = await asked.promise;
  child.kill("SIGKILL");
  server.closeAllConnections();
  server.close();
  return url;
};
"#;

#[test]
fn a_runtime_for_another_api_is_one_whoever_starts_it() {
    let folder =
        Folder::new(&[("app.js", HARNESS), ("other.cjs", "exports.handler = async () => 1;")]);
    let path = json!(folder.bootstrap().to_str().unwrap());
    let lambda = Lambda::start(&folder, "app.handler");
    assert_eq!(lambda.invoke(path.clone()), "/2018-06-01/runtime/invocation/next");
    lambda.emulator.assert_clean();
    let event = path.to_string();
    let finished = run(trine(&folder, &["invoke", "app.handler", "--json", "--event", &event]));
    assert!(finished.stdout.contains("invocation/next"), "{finished:?}");
}

/// A function with a child that has lost its parent before it starts: only process 1 is above it.
const ORPHAN: &str = r#"
const cp = require("node:child_process");
const listens = () =>
  new Promise((resolve) => {
    const said = Promise.withResolvers();
    const server = require("node:net").createServer((socket) => {
      let text = "";
      socket.on("data", (data) => text += data).on("end", () => said.resolve(text));
    });
    server.listen(0, "127.0.0.1", () =>
      resolve({ port: server.address().port, close: () => server.close(), said: said.promise }));
  });
exports.handler = async () => {
  const { port, close, said } = await listens();
  const code = `require("net").connect(${port}, "127.0.0.1").end("an orphan")`;
  cp.spawnSync("sh", ["-c", `(sleep 0.2; exec "$0" -e '${code}') &`, process.execPath], { stdio: "ignore" });
  const text = await said;
  close();
  return text;
};
"#;

#[test]
fn an_orphan_knows_whose_it_is() {
    let folder = Folder::new(&[("app.js", ORPHAN)]);
    let lambda = Lambda::start(&folder, "app.handler");
    assert_eq!(lambda.invoke(json!({})), "an orphan");
    lambda.emulator.assert_clean();
    let finished = run(trine(&folder, &["invoke", "app.handler", "--json"]));
    assert_eq!(finished.stdout, "\"an orphan\"\n", "{finished:?}");
}
