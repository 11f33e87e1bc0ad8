//! `AWS_LAMBDA_EXEC_WRAPPER`: scripts that run before the runtime.

use crate::support::{Folder, Lambda};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt};

const APP: &str = "
exports.handler = async () => ({
  own: process.env.OWN,
  count: process.env.COUNT,
  handler: process.env._HANDLER,
  preloaded: globalThis.preloaded,
});
exports.other = async () => 'the other one';
";

/// Makes a folder with a function and this executable script.
fn wrapped(script: &str) -> Folder {
    let folder = Folder::new(&[
        ("app.js", APP),
        ("preload.cjs", "globalThis.preloaded = true;"),
        ("wrapper", script),
    ]);
    allow(&folder, 0o755);
    folder
}

fn allow(folder: &Folder, mode: u32) {
    fs::set_permissions(folder.file("wrapper"), fs::Permissions::from_mode(mode)).unwrap();
}

fn start(folder: &Folder, wrapper: &str, arguments: &[&str]) -> Lambda {
    Lambda::with(folder, |command| {
        command.env("AWS_LAMBDA_EXEC_WRAPPER", wrapper).args(arguments);
        if arguments.is_empty() {
            command.env("_HANDLER", "app.handler");
        }
    })
}

#[test]
fn a_script_sets_variables_and_executes_what_it_is_given() {
    let script = "#!/bin/bash
export OWN=\"set by $#: ${1##*/} $2\"
export COUNT=$((COUNT + 1))
export NODE_OPTIONS=\"--require ./preload.cjs\"
exec \"$@\"
";
    let folder = wrapped(script);
    for (arguments, own) in
        [(&[][..], "set by 1: bootstrap "), (&["app.handler"], "set by 2: bootstrap app.handler")]
    {
        for wrapper in [folder.file("wrapper"), "./wrapper".to_owned(), "wrapper".to_owned()] {
            let lambda = start(&folder, &wrapper, arguments);
            let answer = lambda.invoke(json!({}));
            assert_eq!(answer["own"], own, "{answer}");
            // Once, although the variable is still set when the runtime starts again.
            assert_eq!(answer["count"], "1");
            assert_eq!(answer["preloaded"], true);
            lambda.emulator.assert_clean();
        }
    }
}

#[test]
fn a_script_may_name_another_handler() {
    let folder = wrapped("#!/bin/sh\nexport _HANDLER=app.other\nexec \"$@\"\n");
    let lambda = start(&folder, &folder.file("wrapper"), &[]);
    assert_eq!(lambda.invoke(json!({})), "the other one");
}

#[test]
fn a_script_may_stay_and_start_the_runtime_as_its_child() {
    let folder = wrapped("#!/bin/sh\nOWN=child \"$@\"\nexit $?\n");
    let lambda = start(&folder, &folder.file("wrapper"), &[]);
    assert_eq!(lambda.invoke(json!({}))["own"], "child");
    lambda.emulator.assert_clean();
}

#[test]
fn a_script_without_a_first_line_is_one_for_the_shell() {
    let folder = wrapped("OWN=shell exec \"$@\"\n");
    let lambda = start(&folder, &folder.file("wrapper"), &[]);
    assert_eq!(lambda.invoke(json!({}))["own"], "shell");
}

#[test]
fn an_empty_name_is_none() {
    let folder = wrapped("");
    let lambda = start(&folder, "", &[]);
    assert_eq!(lambda.invoke(json!({}))["own"], Value::Null);
}

#[test]
fn what_cannot_be_executed_is_an_init_error_with_a_shells_status() {
    let folder = wrapped("#!/no/such/interpreter\n");
    let nowhere = folder.file("nowhere");
    let cases = [
        (folder.file("wrapper"), 0o755, 127, "its first line names does not exist"),
        (folder.file("wrapper"), 0o644, 126, "not an executable file"),
        (nowhere, 0o644, 127, "the file does not exist"),
        (folder.task().to_str().unwrap().to_owned(), 0o644, 126, "a folder"),
    ];
    for (wrapper, mode, status, said) in cases {
        allow(&folder, mode);
        let (code, header, document) = start(&folder, &wrapper, &[]).init_error();
        assert_eq!((code, header.as_str()), (Some(status), "Runtime.InvalidEntrypoint"));
        let message = document["errorMessage"].as_str().unwrap();
        assert!(message.contains(said) && message.contains(&wrapper), "{message}");
    }
}

#[test]
fn a_script_that_means_another_interpreter_is_told_so() {
    for script in [
        "#!/bin/bash\nexec \"$1\" --require ./preload.cjs \"${@:2}\"\n",
        "#!/bin/bash\nexec \"$@\" -X importtime\n",
    ] {
        let folder = wrapped(script);
        let wrapper = folder.file("wrapper");
        let (code, header, document) = start(&folder, &wrapper, &[]).init_error();
        assert_eq!((code, header.as_str()), (Some(1), "Runtime.InvalidEntrypoint"));
        let message = document["errorMessage"].as_str().unwrap();
        assert!(message.contains(&wrapper) && message.contains("NODE_OPTIONS"), "{message}");
    }
}
