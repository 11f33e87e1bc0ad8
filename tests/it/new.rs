//! `trine new` and `trine types`: projects that run as they are made.

use crate::support::{Finished, Folder, Served, binary, command, repository, run, trine};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path, process::Command};

/// The languages of projects with the extensions of their files and the folders of their types.
const LANGUAGES: [(&str, &str, &str); 4] =
    [("ts", "ts", "js"), ("js", "mjs", "js"), ("python", "py", "python"), ("lua", "lua", "lua")];

fn new(folder: &Folder, arguments: &[&str]) -> Finished {
    run(trine(folder, &[&["new"], arguments].concat()))
}

/// Makes a project `hello` and returns what was printed.
#[track_caller]
fn made(folder: &Folder, language: &str, more: &[&str]) -> String {
    let finished = new(folder, &[&["hello", "--language", language], more].concat());
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{finished:?}");
    finished.stdout
}

/// Makes a command of a line as a shell reads it, in the task root.
fn shell(folder: &Folder, line: &str) -> Command {
    let mut shell = command("sh", folder);
    shell.args(["-c", &format!("exec {line}")]);
    shell
}

/// Returns the two commands that are printed as the next ones.
fn next(printed: &str) -> [String; 2] {
    let (_, next) = printed.split_once("\nNext:\n").unwrap();
    let lines: Vec<String> = next.lines().map(|line| line.trim().to_owned()).collect();
    lines.try_into().unwrap()
}

fn json_of(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Returns all files below a folder with their texts.
fn files(folder: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => walk(root, &path, found),
                false => {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                    found.insert(name, fs::read_to_string(&path).unwrap());
                }
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

#[test]
fn the_printed_commands_call_and_serve_a_project_of_each_language() {
    for (language, _, _) in LANGUAGES {
        let folder = Folder::new(&[]);
        let [invoke, serve] = next(&made(&folder, language, &[]));
        let called = run(shell(&folder, &invoke));
        assert_eq!(called.code, Some(0), "{language} {called:?}");
        let answer: Value = serde_json::from_str(&called.stdout).unwrap();
        assert_eq!(answer, json_of(&folder.file("hello/events/hello.expected.json")), "{language}");
        let served = Served::of(shell(&folder, &format!("{serve} --port 0")));
        assert!(!served.process.stdout().contains("passed over"), "{:?}", served.process);
        let reply = served.get("/?name=Grace%20Hopper");
        let greeting = json!({"message": "Hello, Grace Hopper!"});
        assert_eq!((reply.status, reply.json()), (200, greeting), "{language}");
    }
}

#[test]
fn a_project_for_the_web_answers_by_method_and_path() {
    for (language, _, _) in LANGUAGES {
        let folder = Folder::new(&[]);
        let [invoke, serve] = next(&made(&folder, language, &["--web"]));
        let called = run(shell(&folder, &invoke));
        let answer: Value = serde_json::from_str(&called.stdout).unwrap();
        assert_eq!(answer, json_of(&folder.file("hello/events/hello.expected.json")), "{language}");
        let served = Served::of(shell(&folder, &format!("{serve} --port 0")));
        let greeted = served.get("/greetings/Ada");
        assert_eq!((greeted.status, greeted.json()), (200, json!({"message": "Hello, Ada!"})));
        for (body, status) in [(r#"{"name":"é"}"#, 201), ("{}", 400), ("[]", 400), ("{", 400)] {
            let reply = served.post("/greetings", body);
            assert_eq!(reply.status, status, "{language} {body}: {}", reply.text());
        }
        let created = served.post("/greetings", r#"{"name":"é"}"#).json();
        assert_eq!(created, json!({"message": "Hello, é!"}), "{language}");
        let refused = served.post("/greetings/Ada", "{}");
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET")), "{language}");
        assert_eq!(served.get("/greetings").status, 405);
        for path in ["/", "/other", "/greetings/a/b"] {
            assert_eq!(served.get(path).status, 404, "{language} {path}");
        }
    }
}

#[test]
fn a_middleware_runs_around_the_function_when_it_is_called_and_when_it_is_served() {
    for (language, extension, _) in LANGUAGES {
        let folder = Folder::new(&[]);
        let [invoke, serve] = next(&made(&folder, language, &["--middleware"]));
        assert!(folder.task().join(format!("hello/middlewares/hello.{extension}")).is_file());
        let called = run(shell(&folder, &invoke));
        assert_eq!(called.code, Some(0), "{language} {called:?}");
        assert!(called.stderr.contains("answered"), "{language} {called:?}");
        let served = Served::of(shell(&folder, &format!("{serve} --port 0")));
        assert_eq!(served.get("/").json(), json!({"message": "Hello, world!"}));
        let told = || served.process.stdout() + &served.process.stderr();
        crate::support::eventually("the middleware has logged", || {
            told().contains("answered").then_some(())
        });
    }
}

#[test]
fn the_readme_of_a_project_has_commands_that_work() {
    for (language, extension, _) in LANGUAGES {
        let folder = Folder::new(&[]);
        made(&folder, language, &["--middleware"]);
        let readme = fs::read_to_string(folder.file("hello/README.md")).unwrap();
        assert!(readme.contains(&format!("`handler.{extension}`")), "{readme}");
        let (_, block) = readme.split_once("```sh\n").unwrap();
        let (block, _) = block.split_once("```").unwrap();
        let lines: Vec<&str> = block.lines().collect();
        assert_eq!(lines.len(), 3, "{readme}");
        for line in lines.iter().filter(|line| !line.starts_with("trine serve")) {
            let line = line.replacen("trine ", &format!("{} ", binary()), 1);
            let mut shell = shell(&folder, &line);
            shell.current_dir(folder.task().join("hello"));
            let finished = run(shell);
            assert_eq!(finished.code, Some(0), "{line} {finished:?}");
        }
        let zip = fs::read(folder.file("hello/hello.zip")).unwrap();
        let holds = |name: &str| zip.windows(name.len()).any(|part| part == name.as_bytes());
        assert!(
            holds(&format!("handler.{extension}")) && holds("middlewares/hello."),
            "{language}"
        );
        assert!(!holds(".trine/"), "types are shipped in {language}");
        let checked = run(trine(&folder, &["check", "hello"]));
        assert!(checked.stdout.starts_with("Nothing is wrong with 1 function"), "{checked:?}");
    }
}

#[test]
fn the_types_of_a_project_are_those_of_the_language() {
    for (language, _, engine) in LANGUAGES {
        let folder = Folder::new(&[]);
        made(&folder, language, &[]);
        let types = files(&repository().join("engines").join(engine).join("types"));
        assert_eq!(files(&folder.task().join("hello/.trine")), types, "{language}");
    }
}

#[test]
fn what_exists_is_never_written_over() {
    let folder = Folder::new(&[("hello/mine.txt", "mine"), ("file", "mine")]);
    let finished = new(&folder, &["hello", "--language", "js"]);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""), "{finished:?}");
    assert!(
        finished.stderr.contains("the folder hello is not empty: it has mine.txt"),
        "{finished:?}"
    );
    assert_eq!(files(&folder.task()).len(), 2);
    let finished = new(&folder, &["file", "--language", "js"]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("file exists and is no folder"), "{finished:?}");
    let finished = new(&folder, &[".", "--language", "js"]);
    assert_eq!(finished.code, Some(1));
    assert!(
        finished.stderr.contains("the folder . is not empty: it has file, hello"),
        "{finished:?}"
    );
}

#[test]
fn the_working_directory_is_taken_where_it_is_empty_but_for_version_control() {
    for place in [".", "--here"] {
        let folder = Folder::new(&[(".git/HEAD", "ref: refs/heads/main\n")]);
        let finished = new(&folder, &[place, "--language", "lua", "--middleware"]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        // Its name is that of the folder.
        assert!(finished.stdout.starts_with("Made task, a function in Lua, here:"), "{finished:?}");
        let [invoke, serve] = next(&finished.stdout);
        let called = run(shell(&folder, &invoke));
        assert!(called.stdout.contains("Hello, Ada!"), "{called:?}");
        assert_eq!(Served::of(shell(&folder, &format!("{serve} --port 0"))).get("/").status, 200);
    }
}

#[test]
fn a_name_that_no_function_can_have_is_told_with_the_reason() {
    let folder = Folder::new(&[]);
    for (name, why) in [
        ("..", "is no name"),
        ("a/b", "is a path: go to the folder 'a'"),
        ("/tmp/x", "is a path"),
        ("a b", "has ' '"),
        ("", "is empty"),
        ("node_modules", "is reserved"),
    ] {
        let finished = new(&folder, &[name, "--language", "lua"]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{finished:?}");
        assert!(finished.stderr.contains(why), "{name}: {finished:?}");
        assert_eq!(finished.stderr.lines().count(), 1, "{finished:?}");
    }
    for arguments in [&["hello"][..], &["hello", "--language", "cobol"]] {
        let finished = new(&folder, arguments);
        assert_eq!(finished.code, Some(2));
        assert!(finished.stderr.contains("--language <ts|js|python|lua>"), "{finished:?}");
    }
    assert_eq!(files(&folder.task()).len(), 0);
}

#[test]
fn a_folder_that_cannot_be_made_is_told_with_the_systems_words() {
    let folder = Folder::new(&[]);
    let mut command = trine(&folder, &["new", "hello", "--language", "js"]);
    command.current_dir("/proc");
    let finished = run(command);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""));
    assert!(finished.stderr.starts_with("error: cannot make hello: "), "{finished:?}");
}

#[test]
fn types_are_written_for_those_languages_that_are_asked_for_or_there() {
    let folder = Folder::new(&[]);
    let types = |arguments: &[&str]| run(trine(&folder, &[&["types"], arguments].concat()));
    let finished = types(&[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let all = ["awslambda.d.ts", "trine.d.ts", "trine.lua", "trine.pyi"];
    assert_eq!(files(&folder.task().join(".trine")).keys().collect::<Vec<_>>(), all);
    assert_eq!(finished.stdout.lines().count(), all.len());
    for (language, written) in [
        ("py", vec!["trine.pyi"]),
        ("ts", vec!["awslambda.d.ts", "trine.d.ts"]),
        ("lua", vec!["trine.lua"]),
    ] {
        let place = format!("of/{language}");
        assert_eq!(types(&[&place, "--language", language]).code, Some(0));
        assert_eq!(files(&folder.task().join(&place)).keys().collect::<Vec<_>>(), written);
        // Once more: those that are there.
        assert_eq!(types(&[&place]).stdout.lines().count(), written.len());
    }
    let finished = types(&["--language", "cobol"]);
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("use one of ts, js, python, lua"), "{finished:?}");
}

#[test]
fn types_replace_older_ones_and_nothing_else() {
    let folder = Folder::new(&[
        ("trine.lua", "return 'mine'\n"),
        ("old/trine.lua", "---@meta trine\n-- older\n"),
    ]);
    let types = |arguments: &[&str]| {
        run(trine(&folder, &[&["types", "--language", "lua"], arguments].concat()))
    };
    let finished = types(&["."]);
    assert_eq!(finished.code, Some(1));
    assert!(
        finished.stderr.contains("trine.lua holds something else: --force replaces it"),
        "{finished:?}"
    );
    assert_eq!(fs::read_to_string(folder.file("trine.lua")).unwrap(), "return 'mine'\n");
    for (place, more) in [("old", None), (".", Some("--force"))] {
        let arguments: Vec<&str> = [place].into_iter().chain(more).collect();
        assert_eq!(types(&arguments).code, Some(0));
        let text = fs::read_to_string(folder.file(&format!("{place}/trine.lua"))).unwrap();
        assert!(text.contains("trine.Context"), "{text}");
    }
}

#[test]
fn the_list_of_what_was_made_is_complete() {
    let folder = Folder::new(&[]);
    let printed = made(&folder, "ts", &["--middleware", "--web"]);
    let (list, _) = printed.split_once("\n\nNext:").unwrap();
    let mut listed: Vec<&str> = list.lines().skip(1).map(str::trim).collect();
    listed.sort_unstable();
    let there = files(&folder.task().join("hello"));
    assert_eq!(listed, there.keys().collect::<Vec<_>>());
    let package: Value = serde_json::from_str(&there["package.json"]).unwrap();
    assert_eq!(package, json!({"name": "hello", "private": true, "type": "module"}));
}
