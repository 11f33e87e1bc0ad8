//! Functions of one server that change what each of them would own on a platform with a process per function.

use crate::support::{Folder, Served};
use serde_json::{Value, json};

/// A JavaScript function that returns what it finds of another one's changes.
const LOOK: &str = "
const { execFileSync, spawnSync } = require('node:child_process');
const { Worker } = require('node:worker_threads');
const inThread = () => new Promise((resolve, reject) => {
  const worker = new Worker('require(\"worker_threads\").parentPort.postMessage(process.env.STAGE ?? null)', { eval: true });
  worker.once('message', resolve).once('error', reject);
});
module.exports = async () => ({
  stage: process.env.STAGE ?? null,
  listed: 'STAGE' in process.env && Object.keys(process.env).includes('STAGE'),
  home: process.env.HOME ?? null,
  child: execFileSync('/bin/sh', ['-c', 'echo ${STAGE:-none}']).toString().trim(),
  thread: await inThread(),
  pool: globalThis.pool ?? null,
  now: Date.now(),
  last: [1, 2].last?.() ?? null,
  listeners: process.listenerCount('pool-closed'),
  stored: require('./store.cjs').value ?? null,
});
";

/// A function that changes all of it, and returns what it then finds.
const CHANGE: &str = "
const look = require('./look.cjs');
process.env.STAGE = 'changed';
delete process.env.HOME;
globalThis.pool = 'mine';
Date.now = () => 7;
console.log = () => {};
Array.prototype.last = function () { return this[this.length - 1]; };
process.on('pool-closed', () => {}).once('pool-closed', () => {});
require('./store.cjs').value = 'kept';
exports.handler = () => look();
";

fn folder() -> Folder {
    Folder::new(&[
        ("shared/look.cjs", LOOK),
        ("shared/store.cjs", "module.exports = {};"),
        ("shared/change.cjs", CHANGE),
        (
            "shared/plain.mjs",
            "import look from './look.cjs';\n\
             export const handler = () => { console.log('logged by plain'); return look(); };",
        ),
    ])
}

fn without_time(mut value: Value) -> Value {
    value.as_object_mut().unwrap().remove("now");
    value
}

#[test]
fn what_a_function_of_javascript_changes_is_its_own() {
    let folder = folder();
    folder.write(
        "trine.toml",
        "[[route]]\npath = \"/change\"\nhandler = \"shared/change.cjs:handler\"\n\
         [[route]]\npath = \"/plain\"\nhandler = \"shared/plain.mjs:handler\"\n",
    );
    let mut command = crate::support::trine(&folder, &["serve", "--port", "0", "--workers", "1"]);
    command.env("HOME", "/home/somebody").env_remove("STAGE");
    let served = Served::of(command);
    let untouched = json!({
        "stage": null, "listed": false, "home": "/home/somebody", "child": "none", "thread": null,
        "pool": null, "last": null, "listeners": 0, "stored": null,
    });
    let changed = json!({
        "stage": "changed", "listed": true, "home": null, "child": "changed", "thread": "changed",
        "pool": "mine", "last": 2, "listeners": 2, "stored": "kept",
    });
    assert_eq!(without_time(served.get("/plain").json()), untouched);
    let reply = served.get("/change").json();
    assert_eq!(reply["now"], 7);
    assert_eq!(without_time(reply), changed);
    let reply = served.get("/plain").json();
    assert!(reply["now"].as_u64().unwrap() > 7, "{reply}");
    assert_eq!(without_time(reply), untouched);
    // Each keeps what is its own.
    assert_eq!(without_time(served.get("/change").json()), changed);
    let output = format!("{}{}", served.process.stdout(), served.process.stderr());
    assert_eq!(output.matches("logged by plain").count(), 2, "{output}");
}

#[test]
fn variables_of_a_file_are_its_functions_own_and_give_way_to_what_is_set() {
    let handler = "
        process.loadEnvFile(new URL('vars', import.meta.url).pathname);
        export const handler = () => [process.env.OF_FILE ?? null, process.env.OF_SERVER ?? null];
    ";
    let folder = Folder::new(&[
        ("load.mjs", handler),
        ("vars", "OF_FILE=from the file\nOF_SERVER=from the file\n"),
        ("other.mjs", "export const handler = () => process.env.OF_FILE ?? null;"),
    ]);
    let mut command = crate::support::trine(&folder, &["serve", "--port", "0", "--workers", "1"]);
    command.env("OF_SERVER", "from the server");
    let served = Served::of(command);
    assert_eq!(served.get("/load").json(), json!(["from the file", "from the server"]));
    assert_eq!(served.get("/other").text(), "null");
}

#[test]
fn exports_of_one_file_are_one_function_s_worth_of_globals() {
    let source = "
        const pets = [];
        export const add = () => pets.push('cat');
        export const count = () => pets.length;
    ";
    let folder = Folder::new(&[("pets.mjs", source)]);
    folder.write(
        "trine.toml",
        "[[route]]\npath = \"/add\"\nhandler = \"pets.mjs:add\"\n\
         [[route]]\npath = \"/count\"\nhandler = \"pets.mjs:count\"\n",
    );
    let served = Served::start(&folder, &["--workers", "1"]);
    assert_eq!(served.get("/add").text(), "1");
    assert_eq!(served.get("/add").text(), "2");
    assert_eq!(served.get("/count").text(), "2");
}

#[test]
fn a_middleware_s_init_changes_the_globals_of_every_function_it_is_around() {
    let handler = "export const handler = () => [globalThis.traced ?? 0, globalThis.own ?? null];";
    let folder = Folder::new(&[
        (
            "middlewares/trace.mjs",
            "export const init = () => { globalThis.traced = (globalThis.traced ?? 0) + 1; };",
        ),
        ("a.mjs", &format!("globalThis.own = 'a';\n{handler}")),
        ("b.mjs", handler),
    ]);
    let served = Served::start(&folder, &["--workers", "1", "--middlewares", "trace"]);
    assert_eq!(served.get("/a").json(), json!([1, "a"]));
    assert_eq!(served.get("/b").json(), json!([1, null]));
    assert_eq!(served.get("/a").json(), json!([1, "a"]));
}

#[test]
fn an_instance_that_is_replaced_is_that_of_its_function_alone() {
    let count = "let calls = 0;\nexport const handler = (event) => {\n\
                 if (event.rawPath.endsWith('exit')) process.exit(3);\nreturn ++calls; };";
    let folder = Folder::new(&[("a.mjs", count), ("b.mjs", count)]);
    let served = Served::start(&folder, &["--workers", "1"]);
    assert_eq!(served.get("/a").text(), "1");
    assert_eq!(served.get("/b").text(), "1");
    assert_eq!(served.get("/a/exit").status, 500);
    assert_eq!(served.get("/b").text(), "2");
    assert_eq!(served.get("/b").text(), "3");
}

#[test]
fn functions_side_by_side_wait_side_by_side() {
    let names = ["a", "b", "c", "d"];
    let folder = Folder::new(&[]);
    for name in names {
        let source = format!(
            "export const handler = async () => {{\n\
             await new Promise((done) => setTimeout(done, 20));\n\
             return (globalThis.own ??= '{name}'); }};"
        );
        folder.write(&format!("{name}.mjs"), source);
    }
    let served = &Served::start(&folder, &["--workers", "2"]);
    std::thread::scope(|scope| {
        for name in names.repeat(8) {
            scope.spawn(move || assert_eq!(served.get(&format!("/{name}")).text(), name));
        }
    });
}
