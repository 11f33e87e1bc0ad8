//! Queries and WebAssembly modules through the product: doors, hooks of other languages, limits, and what lies beside
//! handlers without being any. What they can do is tested in their crates.

use crate::support::{Folder, Lambda, Served, eventually, repository, run, trine};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// Returns a file of the repository.
fn read(path: &str) -> Vec<u8> {
    fs::read(repository().join(path)).unwrap()
}

/// Makes a folder with a module of the examples or of the conformance suite as `app.wasm`.
fn wasm(path: &str) -> Folder {
    let folder = Folder::new(&[]);
    folder.write("app.wasm", read(path));
    folder
}

const COUNT: &str = "handlers-examples/wasm/count.wasm";
const ECHO: &str = "tests/conformance/cases/values-integers-exact/handler.wasm";
const FILL: &str = "tests/conformance/cases/out-of-memory/handler.wasm";
const LOOP: &str = "tests/conformance/cases/interrupt/handler.wasm";

#[test]
fn hooks_of_every_language_go_around_queries_and_modules() {
    let hooks = [
        (
            "mark.mjs",
            "export const before = (e) => ({ ...e, by: 'js' });\nexport const after = (a) => ({ ...a, after: 'js' });",
        ),
        (
            "mark.py",
            "def before(e, c):\n    return {**e, 'by': 'py'}\n\ndef after(a, c):\n    return {**a, 'after': 'py'}\n",
        ),
        (
            "mark.lua",
            "return { before = function(e) e.by = 'lua' return e end, after = function(a) a.after = 'lua' return a end }",
        ),
    ];
    for (hook, text) in hooks {
        let by = hook.rsplit_once('.').unwrap().1.replace("mjs", "js");
        let query = Folder::new(&[("app.sql", "SELECT event('by') AS by, event('n') + 1 AS n;")]);
        query.write(&format!("middlewares/{hook}"), text);
        let module = wasm(ECHO);
        module.write(&format!("middlewares/{hook}"), text);
        for (folder, n) in [(query, 2), (module, 1)] {
            let invoked = run(trine(
                &folder,
                &["invoke", "app.handler", "--event", r#"{"n":1}"#, "--middlewares", "mark"],
            ));
            let answer: Value = serde_json::from_str(&invoked.stdout).unwrap_or_default();
            assert_eq!(answer, json!({"by": by, "n": n, "after": by}), "{hook}: {invoked:?}");
        }
    }
}

#[test]
fn a_module_stays_warm_on_lambda_and_starts_no_other_language() {
    let folder = wasm(COUNT);
    let lambda = Lambda::start(&folder, "app.handler");
    for calls in 1..4 {
        assert_eq!(lambda.invoke(json!({})), json!({ "calls": calls }));
    }
    lambda.process.signal("TERM");
    assert_eq!(lambda.process.wait(), Some(0));
    lambda.emulator.assert_clean();
}

/// V8 starts for whichever of the two comes first, and snapshots live beside bare isolates.
#[test]
fn modules_and_javascript_share_v8_whichever_comes_first() {
    for first in ["/app", "/js", "/cjs"] {
        let folder = Folder::new(&[]);
        folder.write("app/handler.wasm", read(COUNT));
        folder.write("js/handler.mjs", "export const handler = async () => 'js';");
        folder
            .write("cjs/handler.cjs", "require('node:zlib'); exports.handler = async () => 'cjs';");
        let served = Served::start(&folder, &["--workers", "1"]);
        served.get(first);
        for path in ["/app", "/js", "/cjs", "/app", "/js"] {
            let reply = served.get(path);
            assert_eq!(
                reply.status, 200,
                "{first} first, then {path}: {reply:?} {:?}",
                served.process
            );
        }
    }
}

#[test]
fn limits_hold_and_the_next_request_is_served() {
    let event = |text: &'static str| format!("\"{text}\"");
    for (module, what, flags) in
        [(FILL, "fill", &["--memory", "64MiB"][..]), (LOOP, "loop", &["--timeout", "300ms"])]
    {
        let folder = wasm(module);
        let raw = ["app.wasm", "--event-format", "raw", "--workers", "1"];
        let served = Served::start(&folder, &[&raw, flags].concat());
        let failed = served.post("/", &event(what));
        assert!(failed.status >= 500, "{failed:?}");
        let fine = served.post("/", &event("fine"));
        assert_eq!((fine.status, fine.text()), (200, "\"fine\""), "{:?}", served.process);
    }
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 WHERE event('@this') = 'loop' UNION ALL SELECT i + 1 FROM n)\n\
                   SELECT count(*) AS n FROM n;";
    let folder = Folder::new(&[("app.sql", endless)]);
    let flags = ["app.sql", "--event-format", "raw", "--workers", "1", "--timeout", "300ms"];
    let served = Served::start(&folder, &flags);
    assert_eq!(served.post("/", &event("loop")).status, 504);
    assert_eq!(served.post("/", &event("fine")).json(), json!({"n": 0}));
}

#[test]
fn what_a_query_prints_goes_to_the_log_with_its_request() {
    let folder = Folder::new(&[("app.sql", "SELECT print('seen ' || event('n')) AS told;")]);
    let lambda = Lambda::start(&folder, "app.sql");
    assert_eq!(lambda.invoke(json!({"n": 7})), json!({"told": "seen 7"}));
    assert!(lambda.logged("seen 7").contains("seen 7"));
}

#[test]
fn settings_of_queries_come_from_the_environment_and_from_trine_toml() {
    let folder = Folder::new(&[
        ("rows/handler.sql", "SELECT value AS n FROM json_each('[1,2]');"),
        ("trine.toml", "[[function]]\nname = \"rows\"\nenv = { TRINE_SQL_ROWS = \"all\" }\n"),
    ]);
    let served = Served::start(&folder, &[]);
    assert_eq!(served.get("/rows").json(), json!([{"n": 1}, {"n": 2}]), "{:?}", served.process);
    let mut command = trine(&folder, &["invoke", "rows/handler.sql"]);
    command.env("TRINE_SQL_ROWS", "some");
    let wrong = run(command);
    assert_eq!(wrong.code.map(|code| code > 0), Some(true), "{wrong:?}");
    assert!(wrong.stderr.contains("TRINE_SQL_ROWS"), "{wrong:?}");
}

#[test]
fn what_lies_beside_handlers_is_not_served() {
    let folder = Folder::new(&[
        ("pets.py", "def handler(event, context):\n    return 'pets'\n"),
        ("schema.sql", "DROP TABLE pets;"),
        ("report/handler.sql", "SELECT 1 AS n;"),
        ("trine.toml", "[[route]]\npath = \"/orders\"\nhandler = \"orders.sql\"\n"),
        ("orders.sql", "SELECT 2 AS n;"),
    ]);
    folder.write("tool.wasm", read("handlers-examples/wasm/handler.wasm"));
    let served = Served::start(&folder, &[]);
    assert_eq!(served.get("/pets").text(), "pets");
    assert_eq!(served.get("/report").json(), json!({"n": 1}));
    assert_eq!(served.get("/orders").json(), json!({"n": 2}));
    for path in ["/schema", "/tool"] {
        assert_eq!(served.get(path).status, 404, "{path}");
    }
    let told = eventually("it tells why", || {
        Some(served.process.stdout()).filter(|text| text.contains("Ctrl-C stops."))
    });
    assert!(told.contains("schema.sql") && told.contains("or by trine.toml"), "{told}");
}

#[test]
fn what_cannot_be_a_handler_is_told_with_its_file_and_what_was_looked_for() {
    let folder = Folder::new(&[
        ("text.wasm", "(module)"),
        ("empty.sql", "-- nothing here\n;\n"),
        ("wrong.sql", "SELECT 1;\nSELEC 2;\n"),
    ]);
    folder.write("other.wasm", [b"\0asm\x01\0\0\0".as_slice()].concat());
    for (file, words) in [
        ("text.wasm", &["text.wasm", "text"][..]),
        ("other.wasm", &["module 'other'", "handle", "_start"]),
        ("empty.sql", &["empty.sql", "statement"]),
        ("wrong.sql", &["wrong.sql:2", "SELEC"]),
    ] {
        let refused = run(trine(&folder, &["invoke", file]));
        assert_eq!(refused.code, Some(3), "{refused:?}");
        for word in words {
            assert!(refused.stderr.contains(word), "{word}: {refused:?}");
        }
        let stem = Path::new(file).file_stem().unwrap().to_str().unwrap();
        // As Lambda writes it, it is told the same.
        for handler in [file.to_owned(), format!("{stem}.handler")] {
            let lambda = Lambda::start(&folder, &handler);
            let (code, _, document) = lambda.init_error();
            assert_eq!(code, Some(1));
            let message = document["errorMessage"].as_str().unwrap();
            assert!(message.contains(stem) && !message.contains("Cannot find"), "{document}");
        }
    }
}

#[test]
fn an_error_of_a_query_tells_its_place_to_everybody() {
    let folder = Folder::new(&[(
        "app.sql",
        "CREATE TABLE t (a UNIQUE);\nINSERT INTO t VALUES (1), (1);\nSELECT 1;",
    )]);
    folder.write("middlewares/told.mjs", "export const error = (e) => ({ stack: e.stack });");
    let place = format!("{}:2", folder.file("app.sql"));
    let lambda = Lambda::start(&folder, "app.handler");
    let (_, document) = lambda.fail(json!({}));
    assert_eq!(document["errorType"], "SqlError");
    assert!(document["stackTrace"].to_string().contains(&place), "{document}");
    let invoked = run(trine(&folder, &["invoke", "app.sql", "--middlewares", "told"]));
    assert!(invoked.stdout.contains(&place), "{invoked:?}");
    let invoked = run(trine(&folder, &["invoke", "app.sql"]));
    assert_eq!(invoked.stderr.matches(&place).count(), 1, "{invoked:?}");
}

#[test]
fn a_file_without_hooks_is_told_as_that() {
    let folder = Folder::new(&[("app.lua", "return { handler = function() end }")]);
    folder.write("middlewares/plain.sql", "SELECT 1;");
    folder.write("middlewares/count.wasm", read(COUNT));
    folder.write("middlewares/torn.wasm", b"\0asm");
    for (name, why) in [("plain", "has no hook"), ("count", "has no hook"), ("torn", "torn.wasm")] {
        let refused = run(trine(&folder, &["invoke", "app.lua", "--middlewares", name]));
        assert_eq!(refused.code, Some(3), "{refused:?}");
        let begin = format!("there is no middleware '{name}': ");
        assert!(refused.stderr.contains(&begin) && refused.stderr.contains(why), "{refused:?}");
    }
}
