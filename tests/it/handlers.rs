//! Every way in which a function is named, through the real process.

use crate::support::{Finished, Folder, Lambda, run, trine};
use serde_json::json;
use std::process::Command;

/// Makes functions that answer with their own names.
fn functions() -> Folder {
    let folder = Folder::new(&[
        (
            "app.mjs",
            "export const handler = () => 'app.mjs';\nexport const other = () => 'other';\n",
        ),
        ("nested.mjs", "export const api = { v1: { get: () => 'deep' } };\n"),
        ("src/job.py", "def run(event, context):\n    return 'src/job.py'\n"),
        ("src/v1.x/job.lua", "return { run = function() return 'src/v1.x/job.lua' end }"),
        ("typed.ts", "export const handler = (): string => 'typed.ts';\n"),
        ("pack/__init__.py", "def handler(event, context):\n    return 'pack'\n"),
        ("web/index.js", "exports.handler = async () => 'web/index.js';\n"),
        ("function.bundle.js", "exports.handler = async () => 'the bundle';\n"),
    ]);
    let layer = folder.layers();
    std::fs::write(
        layer.join("shared.lua"),
        "return { handler = function() return 'a layer' end }",
    )
    .unwrap();
    folder
}

/// Returns what the process that is started this way answers to any event.
#[track_caller]
fn answer(folder: &Folder, start: impl FnOnce(&mut Command)) -> serde_json::Value {
    let lambda = Lambda::with(folder, start);
    let answer = lambda.invoke(json!({}));
    lambda.emulator.assert_clean();
    answer
}

#[test]
fn a_handler_string_finds_file_engine_and_export() {
    let folder = functions();
    for (handler, expected) in [
        ("app.handler", "app.mjs"),
        ("app.other", "other"),
        ("app", "app.mjs"),
        ("app.mjs", "app.mjs"),
        ("app.mjs:other", "other"),
        ("nested.api.v1.get", "deep"),
        ("nested.mjs:api.v1.get", "deep"),
        ("src/job.run", "src/job.py"),
        ("src.job.run", "src/job.py"),
        ("src/job.py:run", "src/job.py"),
        ("src/v1.x/job.run", "src/v1.x/job.lua"),
        ("typed.handler", "typed.ts"),
        ("pack.handler", "pack"),
        ("web.handler", "web/index.js"),
        ("shared.handler", "a layer"),
    ] {
        let found = answer(&folder, |command| {
            command.env("_HANDLER", handler);
        });
        assert_eq!(found, expected, "{handler}");
    }
    let absolute = folder.file("src/job.run");
    let found = answer(&folder, |command| {
        command.env("_HANDLER", absolute);
    });
    assert_eq!(found, "src/job.py");
}

#[test]
fn the_argument_comes_before_handler_and_that_before_scw_and_that_before_the_bundle() {
    let folder = functions();
    let everything = |command: &mut Command| {
        command.env("_HANDLER", "src/job.run").env("SCW_HANDLER_PATH", "typed");
    };
    let found = answer(&folder, |command| {
        everything(command);
        command.arg("app.other");
    });
    assert_eq!(found, "other");
    assert_eq!(answer(&folder, everything), "src/job.py");
    let path = folder.file("typed");
    let found = answer(&folder, |command| {
        command.env("SCW_HANDLER_PATH", path).env("SCW_HANDLER_NAME", "handler");
    });
    assert_eq!(found, "typed.ts");
    assert_eq!(answer(&folder, |_| {}), "the bundle");
}

#[test]
fn a_path_and_a_name_may_be_given_apart() {
    let folder = functions();
    for (path, name, expected) in
        [("src/job.py", "run", "src/job.py"), ("app", "other", "other"), ("app", "", "app.mjs")]
    {
        let found = answer(&folder, |command| {
            command.env("SCW_HANDLER_PATH", path).env("SCW_HANDLER_NAME", name);
        });
        assert_eq!(found, expected, "{path} {name}");
    }
}

#[test]
fn the_binary_under_its_own_name_is_a_runtime_where_the_api_is_named() {
    let folder = functions();
    let emulated = Lambda::start(&folder, "app.handler");
    emulated.wait_until_ready();
    emulated.process.signal("TERM");
    emulated.process.wait();
    // The same emulator, the other name.
    let mut command = trine(&folder, &["src/job.run"]);
    command.envs(emulated.emulator.environment()).env("LAMBDA_TASK_ROOT", folder.task());
    let process = crate::support::Process::start(command);
    assert_eq!(emulated.invoke(json!({})), "src/job.py");
    process.signal("TERM");
    assert_eq!(process.wait(), Some(0));
}

/// Runs `trine invoke` with this handler.
fn invoke(folder: &Folder, handler: &str) -> Finished {
    run(trine(folder, &["invoke", handler, "--json"]))
}

#[test]
fn invoke_takes_every_form_too() {
    let folder = functions();
    for (handler, expected) in [
        ("app.other", "\"other\"\n"),
        ("src/job.py:run", "\"src/job.py\"\n"),
        ("src/v1.x/job.run", "\"src/v1.x/job.lua\"\n"),
        ("typed", "\"typed.ts\"\n"),
    ] {
        let finished = invoke(&folder, handler);
        assert_eq!(finished.stdout, expected, "{handler}: {finished:?}");
        assert_eq!(finished.code, Some(0));
    }
    let finished = run(trine(&folder, &["invoke"]));
    assert_eq!(finished.stdout, "\"the bundle\"\n", "{finished:?}");
}

#[test]
fn a_file_wins_over_lambdas_form_of_the_same_text() {
    let folder = Folder::new(&[
        ("app.py", "def handler(event, context):\n    return 'the file'\n"),
        ("app.mjs", "export const py = () => 'the export';"),
    ]);
    assert_eq!(invoke(&folder, "app.py").stdout, "\"the file\"\n");
}

#[test]
fn the_task_root_wins_over_a_layer() {
    let folder = functions();
    folder.write("shared.py", "def handler(event, context):\n    return 'the task root'\n");
    assert_eq!(invoke(&folder, "shared.handler").stdout, "\"the task root\"\n");
}

#[test]
fn a_folder_of_two_languages_needs_the_suffix() {
    let folder = Folder::new(&[
        ("app.py", "def handler(event, context):\n    return 'python'\n"),
        ("app.lua", "return { handler = function() return 'lua' end }"),
    ]);
    assert_eq!(invoke(&folder, "app.lua").stdout, "\"lua\"\n");
    let finished = invoke(&folder, "app.handler");
    assert_eq!(finished.code, Some(3));
    for part in ["Runtime.AmbiguousHandler", "app.py, app.lua", "hint: name the file"] {
        assert!(finished.stderr.contains(part), "{part}: {finished:?}");
    }
}
