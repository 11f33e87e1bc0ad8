//! What is served where: folders, files, routes, and the answer where there is nothing.

use crate::support::{Folder, LANGUAGES, Served, eventually, repository, run, trine};
use serde_json::json;

/// Makes two functions, one of them in two languages.
fn shop() -> Folder {
    Folder::new(&[
        ("pets.mjs", "export const handler = (event) => ({ pets: event.pathParameters ?? null });"),
        ("hello/handler.py", "def handler(event, context):\n    return context.function_name\n"),
        (
            "hello/handler.lua",
            "return { handler = function(_, context) return context.function_name end }",
        ),
    ])
}

#[test]
fn every_function_of_a_folder_has_its_path() {
    let folder = shop();
    let served = Served::start(&folder, &["--workers", "1"]);
    assert_eq!(served.get("/pets").json(), json!({"pets": {"proxy": ""}}));
    assert_eq!(served.get("/pets/7/toys").json(), json!({"pets": {"proxy": "7/toys"}}));
    assert_eq!(served.get("/hello/python").text(), "hello/python");
    assert_eq!(served.get("/hello/lua").text(), "hello/lua");
}

#[test]
fn what_is_not_there_is_a_404_that_lists_what_is() {
    let folder = shop();
    let served = Served::start(&folder, &["--workers", "1"]);
    let reply = served.get("/pet");
    assert_eq!(reply.status, 404);
    let told = reply.json();
    assert_eq!(told["message"], "no function is served at /pet; did you mean /pets?");
    assert_eq!(told["functions"], json!(["/hello/lua", "/hello/python", "/pets"]));
    let served = Served::start(&folder, &["--workers", "1", "--hide-errors"]);
    let reply = served.get("/pet");
    assert_eq!((reply.status, reply.json()), (404, json!({"message": "Not Found"})));
}

#[test]
fn the_root_lists_the_functions_for_programs_and_for_browsers() {
    let folder = shop();
    let served = Served::start(&folder, &["--workers", "1"]);
    let listed = served.get("/").json();
    let paths: Vec<&str> = listed["functions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|function| function["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["/hello/lua", "/hello/python", "/pets"]);
    let page = served.request("GET", "/", &[("accept", "text/html,*/*")], b"");
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text().contains("<a href=\"/hello/python\">"), "{}", page.text());
}

#[test]
fn routes_of_trine_toml_lead_to_functions_and_handlers() {
    let folder = shop();
    folder.write("files/app.py", "def get(event, context):\n    return event['pathParameters']\n");
    folder.write(
        "trine.toml",
        "[[route]]\nmethod = \"GET\"\npath = \"/zoo/{id}\"\nfunction = \"pets\"\n\n\
         [[route]]\npath = \"/files/{path+}\"\nhandler = \"files/app.py:get\"\n",
    );
    let served = Served::start(&folder, &["--workers", "1"]);
    assert_eq!(served.get("/zoo/7").json(), json!({"pets": {"id": "7"}}));
    assert_eq!(served.get("/files/a/b.txt").json(), json!({"path": "a/b.txt"}));
    assert_eq!(served.get("/pets").status, 200);
    let reply = served.post("/zoo/7", "{}");
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET")));
}

#[test]
fn a_fault_in_trine_toml_is_told_with_its_line() {
    for (text, line, message) in [
        ("[[route]]\npath = \"/a\"\nfunction = \"pest\"\n", 3, "did you mean 'pets'?"),
        ("[[route]]\npath = \"a\"\nfunction = \"pets\"\n", 2, "does not begin with a slash"),
        ("[[route]]\npath = \"/a\"\n", 2, "neither 'function' nor 'handler'"),
        ("[[route]]\npath = /a\n", 2, ""),
        ("[[route]]\npth = \"/a\"\n", 2, "pth"),
    ] {
        let folder = shop();
        folder.write("trine.toml", text);
        let finished = run(trine(&folder, &["serve", "--port", "0"]));
        assert_eq!(finished.code, Some(1), "{finished:?}");
        let place = format!("trine.toml:{line}: ");
        assert!(finished.stderr.contains(&place), "{place} {finished:?}");
        assert!(finished.stderr.contains(message), "{message} {finished:?}");
    }
}

#[test]
fn a_file_or_one_export_of_it_has_the_server_for_itself() {
    let folder = Folder::new(&[(
        "app.py",
        "def handler(event, context):\n    return 'handler'\n\n\
         def get(event, context):\n    return 'get'\n",
    )]);
    for (argument, expected) in
        [("app.py", "handler"), ("app.py:get", "get"), ("app", "handler"), ("app.get", "get")]
    {
        let served = Served::start(&folder, &[argument, "--workers", "1"]);
        for path in ["/", "/any/where", "/app"] {
            assert_eq!(served.get(path).text(), expected, "{argument} {path}");
        }
    }
}

#[test]
fn a_handler_in_every_language_is_served_from_one_folder() {
    let files: Vec<(String, &str)> = LANGUAGES
        .iter()
        .filter(|language| !matches!(language.extension, "cjs" | "ts"))
        .map(|language| (format!("probe.{}", language.extension), language.probe))
        .collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let folder = Folder::new(&files);
    let served = Served::start(&folder, &["--workers", "1"]);
    for path in ["/probe/js", "/probe/python", "/probe/lua"] {
        assert_eq!(served.get(&format!("{path}?do=count")).text(), "1", "{path}");
        assert_eq!(served.get(&format!("{path}?do=count")).text(), "2", "{path}");
    }
}

#[test]
fn what_cannot_be_served_is_told_and_is_exit_status_1() {
    let folder = Folder::new(&[("notes.txt", "")]);
    for (argument, message) in [
        ("gone", "gone"),
        ("gone.py", "gone.py"),
        ("notes.txt", "no engine of this build runs '.txt' files"),
        (".", "holds no function"),
    ] {
        let finished = run(trine(&folder, &["serve", "--port", "0", argument]));
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""), "{argument}");
        assert!(finished.stderr.starts_with("error: "), "{finished:?}");
        assert!(finished.stderr.contains(message), "{argument}: {finished:?}");
    }
}

#[test]
fn paths_that_name_nothing_are_told_with_what_may_have_been_meant() {
    let folder = Folder::new(&[
        ("hello.py", "def handler(event, context):\n    pass\n"),
        ("cart/handler.lua", "return { handler = print }"),
        ("notes", "not for machines"),
    ]);
    for (argument, code, parts) in [
        ("", 2, &["the path to serve is empty: name a folder, a file (hello.py)"][..]),
        (" ", 2, &["the path to serve is empty"]),
        (":", 2, &["\":\" names no file in front of the colon"]),
        (":handler", 2, &["\":handler\" names no file in front of the colon"]),
        ("hello.py:", 2, &["write 'hello.py:handler', or 'hello.py' alone"]),
        (
            "helo.py",
            1,
            &["there is no folder and no file 'helo.py'\nlooked for helo.py\n", "mean 'hello.py'?"],
        ),
        ("./helo", 1, &["looked for ./helo.{mjs,", "did you mean './hello.py'?"]),
        ("hello.lua", 1, &["'hello.lua'", "did you mean 'hello.py'?"]),
        ("helo.py:handler", 1, &["did you mean 'hello.py:handler'?"]),
        ("crt", 1, &["did you mean the folder 'cart'?"]),
        ("nosuchfolder", 1, &["there is no folder and no file 'nosuchfolder'", "hello.py"]),
        ("gone/deep/app.py", 1, &["there is no folder and no file 'gone/deep/app.py'"]),
        ("notes", 1, &["no engine of this build runs files without an extension"]),
        ("/etc/passwd", 1, &["no engine of this build runs files without an extension"]),
    ] {
        let finished = run(trine(&folder, &["serve", "--port", "0", argument]));
        let told = &finished.stderr;
        assert_eq!(
            (finished.code, finished.stdout.as_str()),
            (Some(code), ""),
            "{argument} {told}"
        );
        for part in parts {
            assert!(told.contains(part), "{argument}: {part:?} in\n{told}");
        }
        for once in ["error: ", "looked for a module of JavaScript", "did you mean"] {
            assert!(told.matches(once).count() <= 1, "{argument}: {once:?} in\n{told}");
        }
    }
    let served = Served::start(&folder, &["hello.py:handlr"]);
    let problem =
        "the file exports no function 'handlr', only handler; did you mean 'hello.py:handler'?";
    eventually("the function is told to be missing", || {
        served.process.stdout().contains(problem).then_some(())
    });
}

#[test]
fn a_folder_that_may_not_be_read_is_named() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let folder = Folder::new(&[("shut/app.py", "")]);
    let shut = folder.task().join("shut");
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
    let readable = fs::read_dir(&shut).is_ok();
    if !readable {
        let finished = run(trine(&folder, &["serve", "--port", "0", "shut"]));
        assert_eq!(finished.code, Some(1));
        assert!(finished.stderr.contains("cannot read the folder"), "{finished:?}");
    }
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_examples_are_listed_in_the_order_of_their_names() {
    let folder = Folder::new(&[]);
    let examples = repository().join("handlers-examples");
    let served = Served::start(&folder, &[examples.to_str().unwrap(), "--workers", "1"]);
    let listed = served.get("/").json();
    let functions = listed["functions"].as_array().unwrap();
    let names: Vec<&str> =
        functions.iter().map(|function| function["function"].as_str().unwrap()).collect();
    let mut sorted = names.clone();
    // Paths of more segments come first.
    sorted.sort_by_key(|name| (!name.contains('/'), *name));
    assert_eq!(names, sorted);
    for name in ["hello/js", "hello/python", "hello/lua", "typescript"] {
        assert!(names.contains(&name), "{names:?}");
    }
}
