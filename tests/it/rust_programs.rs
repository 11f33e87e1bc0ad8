//! Programs that are built on the library: those of `handlers-examples/rust`, as they stand there.

use crate::support::{Folder, Lambda, Process, Served, command, eventually, repository, run};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

/// Returns the program of an example, which is built beside the binary.
fn program(example: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_trine")).with_file_name(format!("example-{example}"));
    assert!(path.is_file(), "{} is not there: build the whole workspace", path.display());
    path
}

fn example(path: &str) -> PathBuf {
    repository().join("handlers-examples/rust").join(path)
}

/// Makes a folder with copies of an example's functions.
fn folder(functions: &str) -> Folder {
    let folder = Folder::new(&[]);
    for entry in fs::read_dir(example(functions)).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            folder.write(entry.file_name().to_str().unwrap(), fs::read(entry.path()).unwrap());
        }
    }
    folder
}

/// Starts a program as Lambda's bootstrap.
fn as_bootstrap(folder: &Folder, name: &str, change: impl FnOnce(&mut Command)) -> Lambda {
    fs::remove_file(folder.bootstrap()).unwrap();
    symlink(program(name), folder.bootstrap()).unwrap();
    Lambda::with(folder, change)
}

#[test]
fn functions_in_three_languages_run_inside_of_another_program() {
    let finished = run(command(program("embed"), &Folder::new(&[])));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let lines: Vec<&str> = finished.stdout.lines().collect();
    let broken = "broken.handler: TypeError: Cannot read properties of undefined (reading 'price')";
    assert_eq!(
        lines[..5],
        [
            "three_for_two.handler: 11240 (three for two)",
            "friends.py:price: 10115 (ten percent for friends)",
            "weekday.lua: 11240 (no rule on weekdays)",
            "2 anvil",
            "1 rope",
        ]
    );
    assert!(lines[5].starts_with(broken), "{finished:?}");
    assert!(lines[5].contains("broken.mjs:2"), "{finished:?}");
    assert_eq!(lines.len(), 6, "{finished:?}");
}

#[test]
fn an_own_language_is_a_language_like_any_other() {
    let folder = folder("own-engine/functions");
    let own = |arguments: &[&str]| {
        let mut own = command(program("own-engine"), &folder);
        own.args(arguments);
        run(own)
    };
    let engines = own(&["engines"]);
    for language in ["JavaScript", "Python", "Lua", "Shout", "shout 1.0", ".shout"] {
        assert!(engines.stdout.contains(language), "{engines:?}");
    }
    let answer = own(&["invoke", "greet.shout", "--event", r#""you""#]);
    assert_eq!((answer.code, answer.stdout.trim()), (Some(0), r#""HELLO YOU""#), "{answer:?}");
    let answer = own(&["invoke", "greet.handler", "--event", r#""you""#]);
    assert_eq!(answer.stdout.trim(), r#""HELLO YOU""#, "{answer:?}");
    folder.write("empty.shout", " \n");
    let answer = own(&["invoke", "empty.shout"]);
    assert_eq!(answer.code, Some(3), "{answer:?}");
    assert!(answer.stderr.contains("empty.shout is empty: write a greeting"), "{answer:?}");
    let answer = own(&["invoke", "gret.handler"]);
    assert!(answer.stderr.contains("greet"), "{answer:?}");
    assert!(answer.stderr.contains("shout"), "{answer:?}");
}

#[test]
fn an_own_language_is_served_over_http_and_has_hooks_of_other_languages() {
    let folder = folder("own-engine/functions");
    folder.write(
        "middlewares/polite.py",
        "def before(event, context):\n    return event['rawPath'][1:]\n\n\
         def after(response, context):\n    return response + ' (please)'\n",
    );
    let mut own = command(program("own-engine"), &folder);
    own.args(["serve", ".", "--port", "0", "--middlewares", "polite"]);
    let served = Served::of(own);
    assert_eq!(served.get("/greet/you").text(), "HELLO GREET/YOU (please)", "{:?}", served.process);
}

#[test]
fn an_own_language_runs_on_lambda() {
    let folder = folder("own-engine/functions");
    folder
        .write("middlewares/count.mjs", "let n = 0;\nexport const after = (r) => `${r} ${++n}`;\n");
    let lambda = as_bootstrap(&folder, "own-engine", |command| {
        command.env("_HANDLER", "greet.handler").env("TRINE_MIDDLEWARES", "count");
    });
    assert_eq!(lambda.invoke(json!("you")), "HELLO YOU 1");
    assert_eq!(lambda.invoke(json!({"a": 1})), "HELLO {\"A\":1} 2");
    lambda.process.signal("TERM");
    assert_eq!(lambda.process.wait(), Some(0));
    lambda.emulator.assert_clean();
}

#[test]
fn a_runtime_of_three_methods_answers_fails_and_goes_on() {
    let folder = folder("kit/function");
    folder.write("fails.sh", "exit 3\n");
    let hello = as_bootstrap(&folder, "kit", |command| {
        command.env("_HANDLER", "hello");
    });
    for n in 0..3 {
        let outcome = hello.outcome(json!({ "n": n }));
        assert!(outcome.is_response(), "{outcome:?}");
        assert_eq!(outcome.body(), format!("hello from sh: {{\"n\":{n}}}\n"));
    }
    hello.process.signal("TERM");
    assert_eq!(hello.process.wait(), Some(0));
    hello.emulator.assert_clean();
    let fails = as_bootstrap(&folder, "kit", |command| {
        command.env("_HANDLER", "fails");
    });
    for _ in 0..2 {
        let (_, document) = fails.fail(json!({}));
        assert_eq!(document["errorType"], "Shell.Failed");
        assert_eq!(document["errorMessage"], "exit status: 3");
    }
    let missing = as_bootstrap(&folder, "kit", |command| {
        command.env("_HANDLER", "gone");
    });
    let (code, name, document) = missing.init_error();
    assert_eq!((code, name.as_str()), (Some(1), "Function.ShellNoScript"));
    assert_eq!(document["errorType"], "Shell.NoScript");
    let path = folder.file("gone.sh");
    assert_eq!(document["errorMessage"], Value::String(format!("no {path}")));
}

#[test]
fn a_runtime_of_three_methods_has_hooks_and_says_what_it_needs() {
    let folder = folder("kit/function");
    folder.write(
        "middlewares/seen.lua",
        "return { after = function(text) return { seen = text } end }",
    );
    let lambda = as_bootstrap(&folder, "kit", |command| {
        command.env("_HANDLER", "hello").env("TRINE_MIDDLEWARES", "seen");
    });
    // What is sent as it is reaches hooks as text.
    assert_eq!(lambda.invoke(json!(1)), json!({ "seen": "hello from sh: 1\n" }));
    drop(lambda);
    let process = Process::start(command(program("kit"), &folder));
    let code = eventually("it ends", || process.status()).code();
    assert_eq!(code, Some(1));
    let why = process.finish().stderr;
    assert!(why.contains("AWS_LAMBDA_RUNTIME_API is not set"), "{why}");
}

#[test]
fn shell_scripts_are_handlers_of_a_program_that_knows_them() {
    let folder = folder("../shell");
    let shell = |arguments: &[&str]| {
        let mut command = command(program("shell"), &folder);
        command.args(["invoke"]).args(arguments);
        run(command)
    };
    let hello = shell(&["hello.sh", "--event", r#"{"name": "Ada"}"#]);
    assert_eq!(hello.stdout.trim(), r#"hello from sh: {"name": "Ada"}"#, "{hello:?}");
    let words = shell(&["words.handler", "--event", r#""b a b""#]);
    assert_eq!(words.stdout, "a 1\nb 2\n", "{words:?}");
    folder.write("fails.sh", "echo 'no anvil left' >&2\nexit 3\n");
    let fails = shell(&["fails.sh"]);
    assert_eq!(fails.code, Some(1), "{fails:?}");
    assert!(fails.stderr.contains("exit status 3: no anvil left"), "{fails:?}");
    let late = shell(&["--timeout", "300ms", "slow.sh"]);
    assert_eq!(late.code, Some(3), "{late:?}");
    folder.write("slow.sh", "sleep 1000 & wait\n");
    let late = shell(&["--timeout", "300ms", "slow.sh"]);
    assert_eq!(late.code, Some(6), "{late:?}");
}
