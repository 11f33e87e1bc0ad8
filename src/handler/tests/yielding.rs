//! Files of languages that yield to others: scripts and queries, which commonly lie beside handlers without being any.

use super::fixture::{Importing, Scripts, first_dot, folders, last_dot, registry, scripts, silent};
use crate::{
    engines::Registry,
    handler::{discover, likely_dialect, locate, locate_file},
};
use std::{path::Path, sync::Arc};
use trine_engine::{Error, ErrorDialect, ErrorKind, Presence, Result};

/// Returns the languages of the fixture, and one of scripts.
fn with_scripts() -> Registry {
    let mut registry = registry();
    registry.add(scripts()).unwrap();
    registry
}

fn located(text: &str, files: &[&str]) -> Result<String> {
    let (parent, search) = folders(files);
    let located = locate(text, &search, &with_scripts())?;
    let path = located.module.path.strip_prefix(parent.path()).unwrap().to_owned();
    Ok(path.to_str().unwrap().to_owned())
}

#[test]
fn a_file_of_another_language_goes_first_wherever_it_lies() {
    let of = |text, files: &[&str]| located(text, files).unwrap();
    assert_eq!(of("app.handler", &["task/app.sh", "task/app.py"]), "task/app.py");
    assert_eq!(of("app", &["task/app.sh", "task/app.lua"]), "task/app.lua");
    // Even in a layer, and as a folder.
    assert_eq!(of("app.handler", &["task/app.sh", "opt/app.py"]), "opt/app.py");
    assert_eq!(of("app.handler", &["task/app.sh", "task/app/index.mjs"]), "task/app/index.mjs");
    // Two that do not yield are still two.
    let two = located("app.handler", &["task/app.sh", "task/app.py", "task/app.lua"]).unwrap_err();
    assert_eq!(two.kind(), ErrorKind::AmbiguousHandler);
    assert!(!two.message().contains("app.sh"), "{two}");
}

#[test]
fn alone_or_named_with_its_extension_it_is_the_handler() {
    let of = |text, files: &[&str]| located(text, files).unwrap();
    assert_eq!(of("app.handler", &["task/app.sh", "task/other.py"]), "task/app.sh");
    assert_eq!(of("app", &["task/app.sh"]), "task/app.sh");
    assert_eq!(of("app.sh", &["task/app.sh", "task/app.py"]), "task/app.sh");
    assert_eq!(of("app.sh:run", &["task/app.sh", "task/app.py"]), "task/app.sh");
    let missing = located("app.handler", &["task/ap.sh"]).unwrap_err();
    assert!(missing.message().contains("did you mean 'ap.handler'?"), "{missing}");
}

#[test]
fn a_path_without_extension_means_another_languages_file() {
    let of = |files: &[&str]| {
        let (parent, search) = folders(files);
        let located = locate_file(Path::new("app"), "", &search, &with_scripts()).unwrap();
        located.module.path.strip_prefix(parent.path()).unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(of(&["task/app.sh", "task/app.py"]), "task/app.py");
    assert_eq!(of(&["task/app.sh"]), "task/app.sh");
}

#[test]
fn what_a_language_can_import_goes_first() {
    let importing = Importing { engine: silent(last_dot()), names: vec!["app"] };
    let registry = Registry::new(vec![silent(first_dot()), Arc::new(importing), scripts()]);
    let (_parent, search) = folders(&["task/app.sh"]);
    let found = locate("app.handler", &search, &registry).unwrap();
    assert_eq!(found.module.path, Path::new("/python/app"));
}

/// As Python does with any `app.so`, also one that is no extension module.
#[test]
fn a_file_that_another_language_would_import_is_still_its_own() {
    let importing = Importing { engine: silent(last_dot()), names: vec!["app.sh"] };
    let registry = Registry::new(vec![Arc::new(importing), scripts()]);
    let (_parent, search) = folders(&[]);
    let found = locate("app.sh.handler", &search, &registry).unwrap();
    assert_eq!(
        (found.engine.info().id, found.module.path.as_path()),
        ("sh", Path::new("/python/app.sh"))
    );
}

#[test]
fn a_folder_serves_it_where_it_is_named_like_a_handler() {
    let (_parent, search) = folders(&[
        "task/deploy.sh",
        "task/pets.py",
        "task/report/handler.sh",
        "task/tools/build.sh",
        "task/both/handler.sh",
        "task/both/handler.py",
    ]);
    let found = discover(&search.task_root, &with_scripts()).unwrap();
    let names: Vec<&str> = found.functions.iter().map(|found| found.name.as_str()).collect();
    assert_eq!(names, ["both/python", "both/sh", "pets", "report"]);
    // A folder of nothing but such files is not worth a word.
    let passed: Vec<_> = found.passed_over.iter().map(|passed| passed.path.as_str()).collect();
    assert_eq!(passed, ["deploy.sh"]);
    let why = &found.passed_over[0].why;
    assert!(
        why.contains("named handler, index, app") && why.ends_with("or by trine.toml"),
        "{why}"
    );
}

#[test]
fn its_neighbours_tell_the_language_of_a_handler_that_is_not_there() {
    let (_parent, search) = folders(&["task/other.py", "task/deploy.sh"]);
    let dialect = likely_dialect(Some("app.handler"), |_| None, &search, &with_scripts());
    assert_eq!(dialect, last_dot().error_dialect);
    assert_eq!(dialect, ErrorDialect::PLAIN);
}

#[test]
fn one_that_cannot_be_loaded_is_found_where_nothing_else_is() {
    let broken = |presence: fn() -> Result<Presence>| {
        let mut registry = registry();
        registry.add(Arc::new(Scripts { info: scripts().info().clone(), presence })).unwrap();
        registry
    };
    let absent = || Ok(Presence::Absent { others: vec!["run".to_owned()] });
    let damaged = || Err(Error::new(ErrorKind::UserCodeSyntax, "damaged"));
    for registry in [broken(absent), broken(damaged)] {
        let (_parent, search) = folders(&["task/app.sh"]);
        assert_eq!(locate("app.handler", &search, &registry).unwrap().engine.info().id, "sh");
        let (_parent, search) = folders(&["task/app.sh", "task/function.bundle.js"]);
        assert_eq!(locate("app.handler", &search, &registry).unwrap().engine.info().id, "js");
    }
}
