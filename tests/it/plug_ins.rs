//! Languages in shared libraries: the example of `handlers-examples/plugin`, built as its README says, and plug-ins that
//! are none.

use crate::support::{Folder, Lambda, Served, repository, run, trine};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

const HELLO: &str = "Hello,\n";

/// Compiles a source into a shared library of the folder.
fn compile(folder: &Folder, source: &Path, library: &str) {
    let mut compiler = Command::new("cc");
    compiler.args(["-std=c99", "-shared", "-fPIC", "-O2", "-I"]);
    compiler.arg(repository().join("engines/plugin/include"));
    let output = compiler.arg("-o").arg(folder.file(library)).arg(source).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Makes a folder with the example's language and a function in it.
fn folder() -> Folder {
    let folder = Folder::new(&[("hello.upper", HELLO)]);
    compile(&folder, &repository().join("handlers-examples/plugin/upper.c"), "upper.so");
    folder
}

/// Compiles a text of C into a library of the folder.
fn broken(folder: &Folder, library: &str, text: &str) {
    folder.write("broken.c", text);
    compile(folder, Path::new(&folder.file("broken.c")), library);
}

#[test]
fn the_example_answers_as_it_says() {
    let folder = folder();
    let example = repository().join("handlers-examples/plugin");
    let read = |name: &str| fs::read_to_string(example.join(name)).unwrap();
    let event: Value = serde_json::from_str(&read("event.json")).unwrap();
    let mut command = trine(&folder, &["invoke", "hello.upper", "--event", &event.to_string()]);
    command.env("TRINE_ENGINES", "./upper.so");
    folder.write("hello.upper", read("hello.upper"));
    let finished = run(command);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let answer: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(answer, serde_json::from_str::<Value>(&read("expected.json")).unwrap());
}

#[test]
fn a_plug_in_is_a_language_of_every_command() {
    let folder = folder();
    let with = |arguments: &[&str]| {
        let mut command = trine(&folder, arguments);
        command.env("TRINE_ENGINES", folder.file("upper.so"));
        run(command)
    };
    let engines = with(&["engines"]);
    assert!(engines.stdout.contains("Upper") && engines.stdout.contains(".upper"), "{engines:?}");
    let doctor = with(&["doctor", "hello.handler"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    // The function is tried elsewhere.
    folder.write("sub/hello.upper", HELLO);
    let mut relative = trine(&folder, &["doctor", "hello.handler", "sub"]);
    relative.env("TRINE_ENGINES", "./upper.so");
    let doctor = run(relative);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    folder.write("middlewares/mark.py", "def after(answer, context):\n    return answer + '!'\n");
    let invoked =
        with(&["invoke", "hello.handler", "--event", r#""you""#, "--middlewares", "mark"]);
    assert_eq!(invoked.stdout.trim(), r#""Hello, \"YOU\"!""#, "{invoked:?}");
}

#[test]
fn a_plug_in_runs_on_lambda() {
    let folder = folder();
    folder.write("middlewares/mark.lua", "return { after = function(a) return a .. '.' end }");
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "hello.handler").env("TRINE_ENGINES", "upper.so");
        command.env("TRINE_MIDDLEWARES", "mark");
    });
    for name in ["you", "me"] {
        let expected = format!("Hello, \"{}\".", name.to_uppercase());
        assert_eq!(lambda.invoke(json!(name)), Value::String(expected));
    }
    lambda.process.signal("TERM");
    assert_eq!(lambda.process.wait(), Some(0));
    lambda.emulator.assert_clean();
}

#[test]
fn a_plug_in_that_is_not_there_is_an_error_of_the_start() {
    let folder = folder();
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "hello.handler").env("TRINE_ENGINES", "gone.so");
    });
    let (code, name, document) = lambda.init_error();
    assert_eq!((code, name.as_str()), (Some(1), "Runtime.InvalidEngine"));
    let message = document["errorMessage"].as_str().unwrap();
    assert!(message.contains(&folder.file("gone.so")), "{message}");
}

#[test]
fn a_folder_names_its_plug_ins() {
    let folder = folder();
    folder.write(
        "trine.toml",
        "[[engine]]\nfile = \"upper.so\"\n\n[[route]]\npath = \"/up\"\nfunction = \"hello\"\n",
    );
    let served = Served::start(&folder, &[]);
    let answer = served.get("/hello");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.text().starts_with("Hello, "), "{answer:?}");
    assert!(answer.text().contains("\"RAWPATH\":"), "{answer:?}");
    assert_eq!(served.get("/up").status, 200);
    let checked = run(trine(&folder, &["check"]));
    assert_eq!(checked.code, Some(0), "{checked:?}");
    drop(served);
    folder.write("trine.toml", "\n[[engine]]\nfile = \"uper.so\"\n");
    let refused = run(trine(&folder, &["serve"]));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("trine.toml:3"), "{refused:?}");
    assert!(refused.stderr.contains("uper.so"), "{refused:?}");
    folder.write("trine.toml", "[[engine]]\n");
    let refused = run(trine(&folder, &["check"]));
    assert!(refused.stderr.contains("trine.toml:1: the engine has no 'file'"), "{refused:?}");
}

#[test]
fn what_is_no_plug_in_for_this_build_is_refused_with_its_file_and_what_was_found() {
    let folder = folder();
    folder.write("text.so", "not a library");
    broken(&folder, "none.so", "int x;");
    broken(&folder, "later.so", "const void *trine_engine_v2(void) { return 0; }");
    for (list, words) in [
        ("text.so", &["text.so"][..]),
        ("none.so", &["none.so", "trine_engine_v1"]),
        ("later.so", &["later.so", "2", "1"]),
        ("gone.so", &["gone.so"]),
        ("upper.so, upper.so", &["upper", "already"]),
    ] {
        let mut command = trine(&folder, &["engines"]);
        command.env("TRINE_ENGINES", list);
        let refused = run(command);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        let begin = "error: the environment variable TRINE_ENGINES: ";
        assert!(refused.stderr.starts_with(begin), "{refused:?}");
        for word in words {
            assert!(refused.stderr.contains(word), "{word}: {refused:?}");
        }
        assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
    }
}

#[test]
fn a_plug_in_that_crashes_at_its_start_is_named() {
    let folder = folder();
    let source = fs::read_to_string(repository().join("handlers-examples/plugin/upper.c")).unwrap();
    let place = source.find("start(").map(|at| at + source[at..].find('{').unwrap() + 1);
    let mut source = source.clone();
    source.insert_str(place.unwrap(), " *(volatile int *)0 = 1; ");
    broken(&folder, "crash.so", &source);
    let mut command = trine(&folder, &["invoke", "hello.upper"]);
    command.env("TRINE_ENGINES", "crash.so");
    let crashed = run(command);
    assert_eq!(crashed.code, Some(-11), "{crashed:?}");
    for word in [&*folder.file("crash.so"), "crashed in `start`", "SIGSEGV"] {
        assert!(crashed.stderr.contains(word), "{word}: {crashed:?}");
    }
}
