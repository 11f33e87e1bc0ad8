//! The applications in `handlers-examples/web`: each is served as its README says, and answers like the others.

use crate::support::{Folder, Served, repository};
use serde_json::json;
use std::{fs, os::unix::fs::symlink};

/// Serves an example with the packages of the frameworks' tests, which are of the same versions.
#[track_caller]
fn served(example: &str, name: &str) -> (Folder, Served) {
    let source = repository().join("handlers-examples/web").join(example);
    let packages = repository().join("tests/it/frameworks");
    let folder = Folder::new(&[]);
    for entry in fs::read_dir(&source).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, folder.task().join(path.file_name().unwrap())).unwrap();
        }
    }
    let is_python = source.join("requirements.txt").is_file();
    let installed = if is_python { "package" } else { "node_modules" };
    let is_there = packages.join(installed).join(".vendored").is_file();
    assert!(is_there, "{installed} of tests/it/frameworks is not there: run `make setup`");
    symlink(packages.join(installed), folder.task().join(installed)).unwrap();
    let served = Served::start(&folder, &[name, "--workers", "1"]);
    (folder, served)
}

#[track_caller]
fn check(example: &str, name: &str) {
    let (_folder, served) = served(example, name);
    assert_eq!(served.get("/?name=Ada").json(), json!({"message": "Hello, Ada!"}));
    let made = served.post("/notes", r#"{"title": "Buy milk"}"#);
    assert_eq!((made.status, made.json()), (201, json!({"id": 1})), "{made:?}");
    let note = json!({"title": "Buy milk", "done": false});
    assert_eq!(served.get("/notes/1").json(), note);
    assert_eq!(served.get("/notes/2").status, 404);
    let refused = served.post("/notes", r#"{"done": true}"#);
    assert_eq!(refused.status, 422, "{refused:?}");
    let countdown = served.get("/countdown");
    assert_eq!(countdown.text(), "3\n2\n1\nlift-off\n");
    assert_eq!(countdown.header("transfer-encoding"), Some("chunked"));
    let kind = countdown.header("content-type").unwrap().to_lowercase();
    assert!(kind.starts_with("text/plain"), "{kind}");
}

#[test]
fn fastapi() {
    check("fastapi", "main:app");
}

#[test]
fn flask() {
    check("flask", "app:app");
}

#[test]
fn hono() {
    check("hono", "app.mjs");
}

#[test]
fn express() {
    check("express", "app.mjs");
}
