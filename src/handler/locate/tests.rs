//! Tests of which file each form of handler string finds, and of the messages when none or several answer.

use super::*;
use crate::handler::tests::fixture::{folders, registry};
use trine_engine::Wanted;

/// Returns engine, path relative to the parent of task root and layer root, module name and export.
fn found(files: &[&str], text: &str) -> Result<(&'static str, String, String, String)> {
    let (parent, search) = folders(files);
    let text = text.replace("{parent}", parent.path().to_str().unwrap());
    let Located { engine, module } = locate(&text, &search, &registry())?;
    let export = match module.wanted {
        Wanted::Handler(export) => export,
        Wanted::Unnamed => "–".to_owned(),
        other => panic!("{other:?} is no handler"),
    };
    let path = module.path.strip_prefix(parent.path()).unwrap().to_str().unwrap().to_owned();
    Ok((engine.info().id, path, module.name, export))
}

fn assert_found(files: &[&str], text: &str, expected: (&str, &str, &str, &str)) {
    let (engine, path, name, export) = found(files, text).unwrap();
    assert_eq!((engine, path.as_str(), name.as_str(), export.as_str()), expected, "{text}");
}

#[test]
fn a_file_name_is_taken_as_it_stands() {
    let files = &["task/src/app.ts", "task/app.py", "task/app.js", "task/a.mjs"];
    assert_found(files, "src/app.ts", ("js", "task/src/app.ts", "src/app", "–"));
    assert_found(files, "app.py:main", ("python", "task/app.py", "app", "main"));
    assert_found(files, "a.mjs:api.get", ("js", "task/a.mjs", "a", "api.get"));
}

#[test]
fn a_file_that_exists_wins_over_an_export_with_the_name_of_its_extension() {
    let files = &["task/app.py", "task/app.js"];
    assert_found(files, "app.py", ("python", "task/app.py", "app", "–"));
    assert_found(&["task/app.js"], "app.py", ("js", "task/app.js", "app", "py"));
}

#[test]
fn lambdas_form_finds_the_language_by_the_file_that_exists() {
    assert_found(&["task/app.py"], "app.handler", ("python", "task/app.py", "app", "handler"));
    assert_found(&["task/s/a.mjs"], "s/a.b.c", ("js", "task/s/a.mjs", "s/a", "b.c"));
    assert_found(&["task/s/a.b.lua"], "s/a.b.c", ("lua", "task/s/a.b.lua", "s/a.b", "c"));
    assert_found(&["task/src/app.py"], "src.app.f", ("python", "task/src/app.py", "src.app", "f"));
}

#[test]
fn the_task_root_comes_before_the_layers() {
    let files = &["task/app.lua", "opt/app.py", "opt/x/only.py"];
    assert_found(files, "app.handler", ("lua", "task/app.lua", "app", "handler"));
    assert_found(files, "x/only.f", ("python", "opt/x/only.py", "x/only", "f"));
}

#[test]
fn a_layers_function_imports_from_the_task_root() {
    let (_parent, search) = folders(&["opt/x.py"]);
    let located = locate("x.f", &search, &registry()).unwrap();
    assert_eq!(located.module.root, search.task_root);
}

#[test]
fn an_absolute_path_works_in_every_form() {
    let files = &["opt/nodejs/x/index.mjs", "task/app.py"];
    let text = "{parent}/opt/nodejs/x/index.handler";
    assert_found(files, text, ("js", "opt/nodejs/x/index.mjs", "nodejs/x/index", "handler"));
    assert_found(files, "{parent}/task/app.py:f", ("python", "task/app.py", "app", "f"));
}

#[test]
fn a_file_outside_of_both_roots_imports_from_its_own_folder() {
    let (parent, search) = folders(&["else/app.py"]);
    let path = parent.path().join("else/app");
    let located = locate(&format!("{}.f", path.display()), &search, &registry()).unwrap();
    assert_eq!(located.module.root, parent.path().join("else"));
    assert_eq!(located.module.name, "app");
}

#[test]
fn two_files_for_one_name_are_an_error_that_names_both_and_the_way_out() {
    let error = found(&["task/s/app.py", "task/s/app.js"], "s/app.handler").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AmbiguousHandler);
    assert_eq!(
        error.message(),
        "handler 's/app.handler' fits 2 files: s/app.js, s/app.py\n\
         name the file to choose one: 's/app.js:handler' or 's/app.py:handler'"
    );
}

#[test]
fn a_compiled_file_beside_its_source_is_no_riddle() {
    let files = &["task/app.ts", "task/app.js"];
    assert_found(files, "app.handler", ("js", "task/app.js", "app", "handler"));
}

#[test]
fn a_bare_name_finds_a_file_and_names_no_export() {
    assert_found(&["task/hook.lua"], "hook", ("lua", "task/hook.lua", "hook", "–"));
    assert_found(&["task/a/hook.py"], "a/hook:f", ("python", "task/a/hook.py", "a/hook", "f"));
}

#[test]
fn a_folder_stands_for_its_index_or_package_file_when_no_file_has_the_name() {
    assert_found(&["task/api/index.cjs"], "api.get", ("js", "task/api/index.cjs", "api", "get"));
    assert_found(&["task/p/__init__.py"], "p.f", ("python", "task/p/__init__.py", "p", "f"));
    assert_found(&["task/p/index.js"], "p", ("js", "task/p/index.js", "p", "–"));
    assert_found(&["task/p/index.js", "task/p.lua"], "p.f", ("lua", "task/p.lua", "p", "f"));
}

#[test]
fn the_bundle_answers_when_nothing_else_does() {
    let bundle = ("js", "task/function.bundle.js", "function.bundle", "handler");
    assert_found(&["task/function.bundle.js"], "whatever.run", bundle);
    let files = &["task/function.bundle.js", "opt/app.py"];
    assert_found(files, "app.f", ("python", "opt/app.py", "app", "f"));
}

#[test]
fn a_path_may_come_without_its_extension() {
    let (parent, search) = folders(&["home/handler.py", "home/web/index.js"]);
    let home = parent.path().join("home");
    for (path, export) in [("handler", "handle"), ("handler.py", "handle"), ("web", "")] {
        let located = locate_file(&home.join(path), export, &search, &registry()).unwrap();
        assert_eq!(located.module.root, home, "{path}");
        let named = Wanted::Handler(export.into());
        let expected = if export.is_empty() { Wanted::Unnamed } else { named };
        assert_eq!(located.module.wanted, expected);
    }
}

#[test]
fn a_path_with_an_unknown_extension_is_told_which_ones_there_are() {
    let (parent, search) = folders(&["home/handler.rb"]);
    let path = parent.path().join("home/handler.rb");
    let error = locate_file(&path, "", &search, &registry()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains(".rb"), "{error}");
    assert!(error.message().contains(".lua"), "{error}");
}

#[test]
fn a_path_with_two_files_is_ambiguous() {
    let (_parent, search) = folders(&["task/handler.py", "task/handler.ts"]);
    let error = locate_file(Path::new("handler"), "", &search, &registry()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AmbiguousHandler);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_entered_is_named_with_the_systems_reason() {
    let (_parent, search) = folders(&[]);
    let circle = search.task_root.join("circle");
    std::os::unix::fs::symlink(&circle, &circle).unwrap();
    let error = locate("circle/app.handler", &search, &registry()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ImportModule);
    assert!(error.message().contains(&format!("the folder '{}'", circle.display())), "{error}");
    assert!(error.message().contains("os error"), "{error}");
}

#[test]
fn a_name_that_is_too_long_for_a_file_is_not_found() {
    for text in ["x".repeat(300), "x/".repeat(3000) + "app"] {
        let error = found(&["task/app.js"], &format!("{text}.handler")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ImportModule);
        assert!(error.message().starts_with(&format!("Cannot find module '{text}'")), "{error}");
    }
}
