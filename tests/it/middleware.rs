//! Middlewares through every door, from the command line's point of view. The conformance suite checks what each hook
//! does in each pair of languages.

use crate::support::{Folder, Lambda, Served, line_of, run, trine};
use serde_json::json;

const LUA_HANDLER: &str = "\
return { handler = function(event, context)
  return { user = context.state.user.name, path = event.rawPath, n = event.n }
end }
";
const PYTHON_CHECK: &str = "\
def before(event, context):
    if event.get('n') == 0:
        context.reply({'statusCode': 403, 'body': 'no'})
    context.state['user'] = {'name': 'ada'}


def after(response, context):
    response['checked'] = True
    return response
";

fn folder() -> Folder {
    Folder::new(&[("app.lua", LUA_HANDLER), ("middlewares/check.py", PYTHON_CHECK)])
}

#[test]
fn a_python_check_stands_around_a_lua_function_through_every_door() {
    let folder = folder();
    let file = folder.file("app.lua");
    let line = ["invoke", &file, "--middlewares", "check", "--json", "-e", "{\"n\":1}"];
    let finished = run(trine(&folder, &line));
    let printed: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(printed, json!({"user": "ada", "n": 1, "checked": true}), "{finished:?}");

    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env("TRINE_MIDDLEWARES", "check");
    });
    assert_eq!(lambda.invoke(json!({"n": 2}))["user"], "ada");
    assert_eq!(lambda.invoke(json!({"n": 0}))["checked"], true);
    lambda.emulator.assert_clean();

    let served = Served::start(&folder, &["--middlewares", "check"]);
    let reply = served.get("/pets");
    assert_eq!(reply.json(), json!({"user": "ada", "path": "/pets", "checked": true}));
}

#[test]
fn layers_come_before_the_functions_own_folder() {
    let folder = folder();
    let layer = folder.layers().join("middlewares");
    std::fs::create_dir(&layer).unwrap();
    let check = "return { after = function() return 'the layer' end }\n";
    std::fs::write(layer.join("check.lua"), check).unwrap();
    let file = folder.file("app.lua");
    let mut command = trine(&folder, &["invoke", &file, "--middlewares", "check,check.py"]);
    command.env("TRINE_LAYER_ROOT", folder.layers());
    let finished = run(command);
    assert_eq!(finished.stdout, "\"the layer\"\n", "{finished:?}");
}

/// Returns three middlewares that note their names on the way in and out.
fn noters(variable: &str) -> String {
    let note = |name: &str| {
        format!(
            "return {{ before = function(event) table.insert(event, '{name}') end,\n\
             after = function(response) table.insert(response, '{name}') end }}\n"
        )
    };
    let folder = Folder::new(&[
        ("app.lua", "return { handler = function(event) return event end }\n"),
        ("middlewares/a.lua", &note("a")),
        ("middlewares/b.lua", &note("b")),
        ("middlewares/c.lua", &note("c")),
    ]);
    let mut command =
        trine(&folder, &["invoke", &folder.file("app.lua"), "--json", "-e", "[\"event\"]"]);
    command.env(variable, "a,b,c");
    run(command).stdout
}

#[test]
fn the_order_on_the_way_out_goes_with_the_variable() {
    let onion = r#"["event","a","b","c","c","b","a"]"#;
    assert_eq!(noters("TRINE_MIDDLEWARES").trim(), onion);
    let listed = r#"["event","a","b","c","a","b","c"]"#;
    assert_eq!(noters("SLSMIDDLEWARES").trim(), listed);
}

#[test]
fn both_variables_are_an_error_that_says_which_to_keep() {
    let folder = folder();
    let mut command = trine(&folder, &["invoke", &folder.file("app.lua")]);
    command.env("TRINE_MIDDLEWARES", "check").env("SLSMIDDLEWARES", "other");
    let finished = run(command);
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("keep TRINE_MIDDLEWARES"), "{finished:?}");
}

#[test]
fn an_unknown_middleware_is_answered_with_what_is_there() {
    let folder = folder();
    let finished =
        run(trine(&folder, &["invoke", &folder.file("app.lua"), "--middlewares", "chek"]));
    assert_eq!(finished.code, Some(3), "{finished:?}");
    for part in ["Runtime.MiddlewareNotFound", "what is there: check", "did you mean 'check'?"] {
        assert!(finished.stderr.contains(part), "{part}: {finished:?}");
    }
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env("TRINE_MIDDLEWARES", "chek");
    });
    let (code, _, document) = lambda.init_error();
    assert_eq!((code, &document["errorType"]), (Some(1), &json!("Runtime.MiddlewareNotFound")));
}

#[test]
fn what_is_no_middleware_is_an_init_error_under_its_name() {
    for (file, source, parts) in [
        (
            "m.mjs",
            "export const befor = () => {};\nexport const other = () => {};\n",
            vec![
                "m.mjs has no hook",
                "it exports befor, other",
                "is 'befor' meant to be 'before'?",
            ],
        ),
        ("m.py", "x = 1\n", vec!["m.py has no hook", "exports none of init, before, after"]),
        ("m.lua", "return { before = 'text' }\n", vec!["before", "string"]),
        ("m.py", "before = 7\n", vec!["before", "int"]),
        ("m.mjs", "export const after = {};\n", vec!["after", "not a function"]),
        (
            "m.py",
            "def wrap(handler):\n    return handler\n",
            vec!["is Python and exports wrap", "app.lua is Lua", "use before and after instead"],
        ),
        ("m.mjs", "export const before = (\n", vec!["SyntaxError"]),
    ] {
        let folder = folder();
        folder.write(&format!("middlewares/{file}"), source);
        let line = ["invoke", &folder.file("app.lua"), "--middlewares", "m"];
        let finished = run(trine(&folder, &line));
        assert_ne!(finished.code, Some(0), "{file}: {finished:?}");
        assert!(finished.stderr.contains("Middleware.m"), "{file}: {finished:?}");
        for part in parts {
            assert!(finished.stderr.contains(part), "{file} {part}: {finished:?}");
        }
    }
}

#[test]
fn a_hook_that_fails_is_named_with_its_place_and_the_process_lives() {
    let sources = [
        (
            "m.mjs",
            "export const before = (event) => {\n  return event.missing.name;\n};\n",
            "missing",
        ),
        ("m.py", "def before(event, context):\n    return event['missing']\n", "missing"),
        (
            "m.lua",
            "return { before = function(event)\n  return event.missing.name\nend }\n",
            "missing",
        ),
    ];
    for (file, source, text) in sources {
        let folder = folder();
        folder.write(&format!("middlewares/{file}"), source);
        let lambda = Lambda::with(&folder, |command| {
            command.env("_HANDLER", "app.handler").env("TRINE_MIDDLEWARES", "m");
        });
        for _ in 0..2 {
            let (_, document) = lambda.fail(json!({"n": 1}));
            assert_eq!(document["errorType"], "Middleware.m", "{file}: {document}");
            let shown = document.to_string();
            let line = line_of(source, text);
            let place = [format!("{file}:{line}"), format!("{file}\\\", line {line}")];
            assert!(place.iter().any(|place| shown.contains(place)), "{file}: {shown}");
        }
        lambda.emulator.assert_clean();
    }
}

#[test]
fn the_chain_of_a_function_can_be_looked_at() {
    let folder = folder();
    folder.write(
        "middlewares/log/index.mjs",
        "export const after = () => {};\nexport const shutdown = () => {};\n",
    );
    let file = folder.file("app.lua");
    let finished = run(trine(&folder, &["middlewares", &file, "--middlewares", "log,check"]));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let lines: Vec<Vec<&str>> =
        finished.stdout.lines().map(|line| line.split_ascii_whitespace().collect()).collect();
    assert!(finished.stdout.contains("app.lua (Lua), onion order"), "{finished:?}");
    let log = folder.file("middlewares/log/index.mjs");
    assert!(
        lines.contains(&vec!["1", "log", "JavaScript", "after,", "shutdown", &log]),
        "{lines:?}"
    );
    let check = folder.file("middlewares/check.py");
    assert!(lines.contains(&vec!["2", "check", "Python", "before,", "after", &check]), "{lines:?}");
    let finished = run(trine(&folder, &["middlewares", &file, "--middlewares", "check", "--json"]));
    let shown: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(shown["middlewares"][0]["hooks"], json!(["before", "after"]));
    let finished = run(trine(&folder, &["middlewares", &file]));
    assert!(finished.stdout.contains("No middleware is around"), "{finished:?}");
}

const NODE_PROGRAM: &str = "\
#!/usr/bin/env node
const fs = require('fs');

let calls = 0;
const value = JSON.parse(fs.readFileSync(0, 'utf8'));
value.seen = [...(value.seen || []), `node ${process.argv[2]} ${++calls}`];
console.log(JSON.stringify(value));
";
const PYTHON_PROGRAM: &str = "\
#!/usr/bin/env python3
import json
import sys

value = json.load(sys.stdin)
value['seen'] = value.get('seen', []) + [f'python {sys.argv[1]} {__name__}']
if value.get('stop'):
    sys.exit(3)
print(json.dumps(value))
";

#[test]
fn programs_of_the_earlier_runtime_run_unchanged() {
    let folder = Folder::new(&[
        ("app.lua", "return { handler = function(event) return event end }\n"),
        ("middlewares/node", NODE_PROGRAM),
        ("middlewares/python", PYTHON_PROGRAM),
    ]);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env("SLSMIDDLEWARES", "node, python");
    });
    let seen =
        json!(["node before 1", "python before __main__", "node after 1", "python after __main__"]);
    for _ in 0..3 {
        assert_eq!(lambda.invoke(json!({}))["seen"], seen);
    }
    let (_, document) = lambda.fail(json!({"stop": true}));
    assert_eq!(document["errorType"], "Middleware.python");
    let message = document["errorMessage"].as_str().unwrap();
    assert!(message.contains("exit status 3"), "{message}");
    assert_eq!(lambda.invoke(json!({}))["seen"], seen);
}

#[test]
fn shutdown_hooks_run_once_when_the_process_is_told_to_end() {
    let folder = folder();
    folder.write(
        "middlewares/js.mjs",
        "export const shutdown = async () => {\n  await null;\n  console.log('bye js');\n};\n",
    );
    folder.write(
        "middlewares/py.py",
        "def shutdown(context):\n    print('bye py', context.function_name)\n",
    );
    folder.write("middlewares/lu.lua", "return { shutdown = function() print('bye lua') end }\n");
    for signal in ["TERM", "INT"] {
        let lambda = Lambda::with(&folder, |command| {
            command.env("_HANDLER", "app.handler").env("TRINE_MIDDLEWARES", "check,js,py,lu");
        });
        lambda.invoke(json!({"n": 1}));
        lambda.process.signal(signal);
        let finished = lambda.process.finish();
        assert_eq!(finished.code, Some(0), "{finished:?}");
        for language in ["bye js", "bye py test_function", "bye lua"] {
            assert_eq!(finished.stdout.matches(language).count(), 1, "{signal}: {finished:?}");
        }
        lambda.emulator.assert_clean();
    }
    let served = Served::start(&folder, &["--middlewares", "check,js,py,lu", "--workers", "1"]);
    assert_eq!(served.get("/").status, 200);
    served.process.signal("TERM");
    let finished = served.process.finish();
    assert_eq!(
        (finished.code, finished.stdout.matches("bye").count()),
        (Some(0), 3),
        "{finished:?}"
    );
}

#[test]
fn init_and_shutdown_run_once_in_each_interpreter_however_many_functions_there_are() {
    let folder = Folder::new(&[
        ("one.py", "def handler(event, context):\n    return 1\n"),
        ("two.py", "def handler(event, context):\n    return 2\n"),
        ("three.mjs", "export const handler = () => 3;\n"),
        ("four.mjs", "export const handler = () => 4;\n"),
    ]);
    let python = "def init(context):\n    print('hello py')\n\n\ndef shutdown(context):\n    print('bye py')\n";
    folder.write("middlewares/py.py", python);
    let js = "export const init = () => console.log('hello js');\nexport const shutdown = () => console.log('bye js');\n";
    folder.write("middlewares/js.mjs", js);
    let served = Served::start(&folder, &["--middlewares", "py,js", "--workers", "1"]);
    for path in ["/one", "/two", "/three", "/four", "/one", "/four"] {
        assert_eq!(served.get(path).status, 200, "{path}");
    }
    served.process.signal("TERM");
    let finished = served.process.finish();
    // JavaScript functions have an isolate each; those of other languages share one for what is around them.
    for (text, count) in [("hello py", 1), ("bye py", 1), ("hello js", 3), ("bye js", 3)] {
        assert_eq!(finished.stdout.matches(text).count(), count, "{text}: {finished:?}");
    }
}

#[test]
fn an_asterisk_takes_all_that_the_layers_hold_through_every_door() {
    let folder =
        Folder::new(&[("app.lua", "return { handler = function(event) return event end }\n")]);
    let layer = folder.layers().join("middlewares");
    std::fs::create_dir(&layer).unwrap();
    for name in ["b", "c", "a"] {
        let note = format!(
            "import _shared\n\n\ndef before(event, context):\n    event['names'] = event.get('names', []) + [_shared.mark + '{name}']\n"
        );
        std::fs::write(layer.join(format!("{name}.py")), note).unwrap();
    }
    std::fs::write(layer.join("_shared.py"), "mark = '+'\n").unwrap();
    let named = |list: &str| {
        let file = folder.file("app.lua");
        let mut command = trine(&folder, &["invoke", &file, "--json"]);
        command.env("TRINE_LAYER_ROOT", folder.layers()).env("TRINE_MIDDLEWARES", list);
        let finished = run(command);
        let printed: serde_json::Value =
            serde_json::from_str(&finished.stdout).unwrap_or_else(|e| panic!("{e}: {finished:?}"));
        printed["names"].clone()
    };
    assert_eq!(named("*"), json!(["+a", "+b", "+c"]));
    assert_eq!(named("*,b"), json!(["+a", "+c", "+b"]));
    assert_eq!(named("c,*"), json!(["+c", "+a", "+b"]));
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env("TRINE_MIDDLEWARES", "*");
    });
    assert_eq!(lambda.invoke(json!({}))["names"], json!(["+a", "+b", "+c"]));
    lambda.emulator.assert_clean();
    let mut command = trine(&folder, &["serve", "--port", "0", "--middlewares", "*,a"]);
    command.env("TRINE_LAYER_ROOT", folder.layers());
    assert_eq!(Served::of(command).get("/").json()["names"], json!(["+b", "+c", "+a"]));
}
