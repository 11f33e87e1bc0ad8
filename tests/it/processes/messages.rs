//! Messages between a process and its children: what can be sent, what arrives, and that nothing is lost on the way.

use super::interpreter::node;
use crate::support::{Folder, run, trine};
use serde_json::{Value, json};

/// A program that sends each of these from the requested side, and reports what was thrown or what came back.
const SENDS: &str = r#"
const deep = (levels) => {
  let object = {};
  while (levels-- > 0) object = { object };
  return object;
};
const cyclic = {};
cyclic.self = cyclic;
const values = {
  cyclic: () => cyclic,
  getter: () => ({ get member() { throw new Error("of the getter"); } }),
  toJSON: () => ({ toJSON() { throw new RangeError("of toJSON"); } }),
  trap: () => new Proxy({}, { ownKeys() { throw new SyntaxError("of the trap"); } }),
  deep: () => deep(200_000),
  deepEnough: () => deep(1000),
  bigint: () => 1n,
  bigintWithin: () => ({ n: 1n }),
  nothing: () => undefined,
  function: () => () => {},
  functionWithin: () => ({ f() {}, u: undefined, n: 1 }),
  symbol: () => Symbol("s"),
  text: () => "text \ud800 \u2028 \u{1f600}",
  null: () => null,
  number: () => -0.5,
  boolean: () => false,
  date: () => new Date(0),
  buffer: () => Buffer.from("abc"),
  bytes: () => new Uint16Array([1, 258]),
  map: () => new Map([["key", new Set([1])]]),
  prototype: () => JSON.parse('{"__proto__": {"a": 1}, "cmd": "own"}'),
  array: () => [undefined, , null],
  boxed: () => [new Number(1), new String("s"), new Boolean(true)],
  own: () => ({ toJSON: () => ({ from: "toJSON" }) }),
};
exports.tellOf = (value) => {
  const { inspect } = require("node:util");
  let levels = 0;
  for (let at = value; at?.object; at = at.object) levels++;
  if (typeof value === "string") {
    return JSON.stringify(value);
  }
  return levels > 3 ? `${levels} levels` : inspect(value, { breakLength: Infinity });
};
exports.sendAll = (target) => {
  const thrown = {};
  for (const [name, make] of Object.entries(values)) {
    try {
      target.send(["next", name]);
      target.send(make());
    } catch (error) {
      thrown[name] = `throws ${error.name} ${error.code}: ${error.message.split("\n")[0]}`;
    }
  }
  target.send("end");
  return thrown;
};
exports.listen = (target, done) => {
  const came = {};
  let name;
  target.on("message", (message) => {
    if (message === "end") {
      name = undefined;
      done(came);
    } else if (message?.[0] === "next") {
      name = message[1];
    } else if (name !== undefined) {
      came[name] = exports.tellOf(message);
    }
  });
};
"#;

const PARENT: &str = r#"
const cp = require("node:child_process");
const { sendAll, listen } = require("./sends.js");
const [serialization, sender] = process.argv.slice(2);
const child = cp.fork("./child.js", [sender], { serialization });
const thrown = sender === "parent" ? sendAll(child) : undefined;
listen(child, (came) => {
  child.once("message", (message) => {
    child.disconnect();
    console.log(JSON.stringify({ ...thrown ?? message, ...thrown ? message : came }));
  });
});
"#;

const CHILD: &str = r#"
const { sendAll, listen } = require("./sends.js");
if (process.argv[2] === "parent") {
  listen(process, (came) => {
    process.send("end");
    process.send(came);
  });
} else {
  process.send(sendAll(process));
}
"#;

/// Returns what the sender sees of each value, or else what arrives.
fn outcomes(serialization: &str, sender: &str) -> Value {
    let folder = Folder::new(&[("sends.js", SENDS), ("parent.js", PARENT), ("child.js", CHILD)]);
    let finished = run(node(&folder, &["parent.js", serialization, sender]));
    assert_eq!(finished.code, Some(0), "{serialization} {sender}: {finished:?}");
    assert_eq!(finished.stderr, "", "{serialization} {sender}");
    serde_json::from_str(&finished.stdout).unwrap()
}

#[test]
fn json_messages_are_those_of_node() {
    let message =
        "The \"message\" argument must be one of type string, object, number, or boolean. Received";
    let expected = json!({
        "cyclic": "throws TypeError undefined: Converting circular structure to JSON",
        "getter": "throws Error undefined: of the getter",
        "toJSON": "throws RangeError undefined: of toJSON",
        "trap": "throws SyntaxError undefined: of the trap",
        // Current V8 does not need stack for it; older ones throw a `RangeError`.
        "deep": "200000 levels",
        "deepEnough": "1000 levels",
        "bigint": format!("throws TypeError ERR_INVALID_ARG_TYPE: {message} type bigint (1n)"),
        "bigintWithin": "throws TypeError undefined: Do not know how to serialize a BigInt",
        "nothing": "throws TypeError ERR_MISSING_ARGS: The \"message\" argument must be specified",
        "function": format!("throws TypeError ERR_INVALID_ARG_TYPE: {message} function "),
        "functionWithin": "{ n: 1 }",
        "symbol": format!("throws TypeError ERR_INVALID_ARG_TYPE: {message} type symbol (Symbol(s))"),
        "text": "\"text \\ud800 \u{2028} \u{1f600}\"",
        "null": "null",
        "number": "-0.5",
        "boolean": "false",
        "date": "\"1970-01-01T00:00:00.000Z\"",
        "buffer": "{ type: 'Buffer', data: [ 97, 98, 99 ] }",
        "bytes": "{ '0': 1, '1': 258 }",
        "map": "{}",
        "prototype": "{ ['__proto__']: { a: 1 }, cmd: 'own' }",
        "array": "[ null, null, null ]",
        "boxed": "[ 1, 's', true ]",
        "own": "{ from: 'toJSON' }",
    });
    for sender in ["parent", "child"] {
        assert_eq!(outcomes("json", sender), expected, "{sender}");
    }
}

#[test]
fn serialized_messages_are_those_of_node() {
    let message =
        "The \"message\" argument must be one of type string, object, number, or boolean. Received";
    let expected = json!({
        "cyclic": "<ref *1> { self: [Circular *1] }",
        "getter": "throws Error undefined: of the getter",
        "toJSON": "throws Error undefined: toJSON() { throw new RangeError(\"of toJSON\"); } could not be cloned.",
        "trap": "throws Error undefined: #<Object> could not be cloned.",
        "deep": "throws RangeError undefined: Maximum call stack size exceeded",
        "deepEnough": "1000 levels",
        "bigint": format!("throws TypeError ERR_INVALID_ARG_TYPE: {message} type bigint (1n)"),
        "bigintWithin": "{ n: 1n }",
        "nothing": "throws TypeError ERR_MISSING_ARGS: The \"message\" argument must be specified",
        "function": format!("throws TypeError ERR_INVALID_ARG_TYPE: {message} function "),
        "functionWithin": "throws Error undefined: f() {} could not be cloned.",
        "symbol": format!("throws TypeError ERR_INVALID_ARG_TYPE: {message} type symbol (Symbol(s))"),
        "text": "\"text \\ud800 \u{2028} \u{1f600}\"",
        "null": "null",
        "number": "-0.5",
        "boolean": "false",
        "date": "1970-01-01T00:00:00.000Z",
        "buffer": "<Buffer 61 62 63>",
        "bytes": "Uint16Array(2) [ 1, 258 ]",
        "map": "Map(1) { 'key' => Set(1) { 1 } }",
        "prototype": "{ ['__proto__']: { a: 1 }, cmd: 'own' }",
        "array": "[ undefined, <1 empty item>, null ]",
        "boxed": "[ [Number: 1], [String: 's'], [Boolean: true] ]",
        "own": "throws Error undefined: () => ({ from: \"toJSON\" }) could not be cloned.",
    });
    for sender in ["parent", "child"] {
        assert_eq!(outcomes("advanced", sender), expected, "{sender}");
    }
}

/// A program that sends a text of some length, and ends in one of several ways.
const LEAVES: &str = r#"
const cp = require("node:child_process");
const { once } = require("node:events");
const [how, size] = process.argv.slice(2);
const text = "x".repeat(Number(size));
const ways = {
  exits: () => { process.send(text); process.exit(3); },
  exitsThen: () => process.send(text, () => process.exit(3)),
  throws: () => { process.send(text); throw new Error("the end"); },
  disconnects: () => { process.send(text); process.disconnect(); },
  many: () => { for (let i = 0; i < 200; i++) process.send(i); process.exit(3); },
  listens: () => process.on("message", (message) => console.log("length", message.length)),
};
if (how in ways) {
  ways[how]();
}
exports.leave = (how, size, serialization) =>
  new Promise((resolve) => {
    const child = cp.fork(__filename, [how, String(size)], { serialization, silent: true });
    const came = [];
    child.on("message", (message) => came.push(message.length ?? message));
    let printed = "";
    child.stdout.on("data", (data) => printed += data);
    if (how === "listens") {
      child.send("y".repeat(size), (error) => came.push(`called back with ${error}`));
      child.disconnect();
    }
    Promise.all([once(child, "exit"), once(child, "disconnect"), once(child.stdout, "end")]).then(([[code]]) =>
      resolve([came.length === 200 ? came.reduce((a, b) => a + b) : came, code, printed]));
  });
exports.handler = ({ how, size, serialization }) => exports.leave(how, size, serialization);
"#;

#[test]
fn what_is_sent_right_before_the_end_arrives() {
    let folder = Folder::new(&[("leaves.js", LEAVES)]);
    let code = "require('./leaves.js').leave(...process.argv.slice(1)).then((value) => console.log(JSON.stringify(value)))";
    for serialization in ["json", "advanced"] {
        // All that a socket takes at once, and what it does not.
        for size in [100, 100 << 10, 1 << 20] {
            let leave = |how: &str| -> Value {
                let finished =
                    run(node(&folder, &["-e", code, how, &size.to_string(), serialization]));
                assert_eq!(finished.code, Some(0), "{how} {size} {serialization}: {finished:?}");
                serde_json::from_str(&finished.stdout).unwrap()
            };
            assert_eq!(leave("exitsThen"), json!([[size], 3, ""]), "{size} {serialization}");
            assert_eq!(leave("disconnects"), json!([[size], 0, ""]), "{size} {serialization}");
            let told = format!("length {size}\n");
            let heard = json!([["called back with null"], 0, told]);
            assert_eq!(leave("listens"), heard, "{size} {serialization}");
            if size <= 100 << 10 {
                assert_eq!(leave("exits"), json!([[size], 3, ""]), "{size} {serialization}");
                assert_eq!(leave("throws"), json!([[size], 1, ""]), "{size} {serialization}");
            }
        }
        let event = json!({ "how": "many", "size": 0, "serialization": serialization }).to_string();
        let finished =
            run(trine(&folder, &["invoke", "leaves.handler", "--json", "--event", &event]));
        assert_eq!(finished.stdout.trim(), "[19900,3,\"\"]", "{serialization}: {finished:?}");
    }
}

/// A program whose child answers for a server of its parent, and whose parent goes on with a connection of the child.
const HANDLES: &str = r#"
const cp = require("node:child_process");
const net = require("node:net");
const [role, serialization] = process.argv.slice(2);
if (role === "child") {
  process.on("message", (message, server) => {
    if (message?.take !== true) {
      return process.send(["plain", message, server === undefined]);
    }
    server.on("connection", (socket) => {
      socket.end("from the child");
      server.close();
    });
    process.send("listening");
  });
} else {
  const child = cp.fork(__filename, ["child"], { serialization });
  const server = net.createServer();
  const seen = [];
  let port;
  child.on("message", (message) => {
    seen.push(message);
    if (message === "listening") {
      // From here on the child alone answers.
      server.close();
      net.connect(port, "127.0.0.1")
        .on("data", (data) => seen.push(String(data)))
        .on("close", () => {
          child.disconnect();
          console.log(JSON.stringify(seen));
        });
    }
  });
  server.listen(0, "127.0.0.1", () => {
    child.send(1);
    port = server.address().port;
    child.send({ take: true, at: [1] }, server, { keepOpen: true });
    child.send("x".repeat(300_000).length);
  });
}
"#;

#[test]
fn handles_come_with_their_messages() {
    let folder = Folder::new(&[("handles.js", HANDLES)]);
    for serialization in ["json", "advanced"] {
        let finished = run(node(&folder, &["handles.js", "parent", serialization]));
        let mut seen: Vec<Value> = serde_json::from_str(&finished.stdout).unwrap_or_default();
        seen.sort_by_key(ToString::to_string);
        let expected = vec![
            json!("from the child"),
            json!("listening"),
            json!(["plain", 1, true]),
            json!(["plain", 300_000, true]),
        ];
        assert_eq!(seen, expected, "{serialization}: {finished:?}");
    }
}

#[test]
fn options_of_a_wrong_type_are_refused_as_in_node() {
    let folder = Folder::new(&[("child.js", "console.log(process.argv.length)")]);
    for (call, code) in [
        ("fork('./child.js', [], { execArgv: 5 })", "ERR_INVALID_ARG_TYPE"),
        ("fork('./child.js', [], { execArgv: true })", "ERR_INVALID_ARG_TYPE"),
        ("fork('./child.js', { execArgv: {} })", "ERR_INVALID_ARG_TYPE"),
        ("fork('./child.js', 5)", "ERR_INVALID_ARG_TYPE"),
        ("fork('./child.js', 'x')", "ERR_INVALID_ARG_TYPE"),
        ("fork('./child.js', [], 5)", "ERR_INVALID_ARG_TYPE"),
        ("fork(5)", "ERR_INVALID_ARG_TYPE"),
        ("fork('./child.js', { stdio: ['inherit'] })", "ERR_CHILD_PROCESS_IPC_REQUIRED"),
        ("fork('./child.js', { stdio: 'x' })", "ERR_INVALID_ARG_VALUE"),
        ("fork('./child.js', { serialization: 'x' })", "ERR_INVALID_ARG_VALUE"),
        ("spawn('true', 5)", "ERR_INVALID_ARG_TYPE"),
        ("spawn('true', [], 5)", "ERR_INVALID_ARG_TYPE"),
        ("spawn('true', { stdio: 5 })", "ERR_INVALID_ARG_VALUE"),
        ("spawn('true', { stdio: 'x' })", "ERR_INVALID_ARG_VALUE"),
        ("spawn('true', { stdio: {} })", "ERR_INVALID_ARG_VALUE"),
        ("spawn('true', { stdio: [{}] })", "ERR_INVALID_ARG_VALUE"),
        ("spawn('true', { stdio: [true] })", "ERR_INVALID_ARG_VALUE"),
        ("spawn('true', { stdio: ['x'] })", "ERR_INVALID_SYNC_FORK_INPUT"),
        ("spawnSync('true', 'x')", "ERR_INVALID_ARG_TYPE"),
        ("spawnSync('true', { stdio: 5 })", "ERR_INVALID_ARG_VALUE"),
        ("execFile('true', 5)", "ERR_INVALID_ARG_TYPE"),
        ("execFileSync('true', 5)", "ERR_INVALID_ARG_TYPE"),
    ] {
        let code_of = format!(
            "try {{ child_process.{call}; console.log('started') }} catch (error) {{ console.log(error.code) }}"
        );
        let finished = run(node(&folder, &["-e", &code_of]));
        assert_eq!(finished.stdout.trim(), code, "{call}: {finished:?}");
    }
    for (call, printed) in [
        ("fork('./child.js', null, { execArgv: null })", "2"),
        ("fork('./child.js', ['a'], { execArgv: new Set(['--no-warnings']) })", "3"),
        ("fork('./child.js', { env: 7 })", "2"),
        ("fork('./child.js', { stdio: 5 })", "2"),
        ("fork('./child.js', { stdio: [0, { fd: 1 }, null, 'ipc', null] })", "2"),
        ("spawn('echo', ['2'], { stdio: ['ignore', process.stdout, undefined] })", "2"),
    ] {
        let finished = run(node(&folder, &["-e", &format!("child_process.{call}")]));
        assert_eq!(finished.stdout.trim(), printed, "{call}: {finished:?}");
    }
}
