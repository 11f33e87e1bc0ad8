//! The search for modules and functions.

use crate::harness::{Case, Folder, block_on};
use std::fs;
use trine_engine::{ErrorKind, Wanted};

#[test]
fn a_module_in_a_folder_is_found_by_path_and_by_dotted_name() {
    let case = Case::new(&[("src/app.py", "def handler(event): return __name__\n")]);
    for name in ["src/app", "src.app"] {
        let function = case.load(name, "handler").unwrap();
        let answer = case.run(function, trine_engine::Payload::json("1"), trine_engine::Form::Json);
        assert_eq!(crate::harness::text(answer.unwrap()), "\"src.app\"");
    }
}

#[test]
fn an_empty_handler_name_stands_for_handler() {
    let case = Case::new(&[("app.py", "def handler(event): return 1\n")]);
    assert_eq!(case.call("", "1").unwrap(), "1");
}

#[test]
fn a_built_in_modules_name_is_refused() {
    let case = Case::new(&[("time.py", "def handler(event): return 1\n")]);
    let error = case.load("time", "handler").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BuiltInModuleConflict);
    assert_eq!(error.message(), "Cannot use built-in module time as a handler module");
}

#[test]
fn a_name_that_the_standard_library_holds_is_refused_with_both_files() {
    let case = Case::new(&[("os.py", "def handler(event): return 1\n")]);
    let error = case.load("os", "handler").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ImportModule);
    assert!(error.message().contains("rename"), "{error}");
}

#[test]
fn a_module_that_is_missing_deep_inside_is_an_import_error_with_the_users_frames() {
    let case = Case::new(&[("app.py", "import inner\n"), ("inner.py", "\nimport no_such_thing\n")]);
    let error = case.load("app", "handler").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ImportModule);
    assert_eq!(error.name(), "Runtime.ImportModuleError");
    assert_eq!(error.message(), "Unable to import module 'app': No module named 'no_such_thing'");
    assert!(error.frames()[0].file.ends_with("inner.py"), "{error:?}");
    assert_eq!(error.frames()[0].line, 2);
    assert_eq!(error.frames().len(), 2, "{error:#}");
    assert!(error.stack()[1].ends_with("in <module>\n    import no_such_thing\n"), "{error:#}");
}

#[test]
fn a_syntax_error_has_one_stack_item_and_a_frame() {
    let case = Case::new(&[("app.py", "x = 1\ndef handler(event:\n    pass\n")]);
    let error = case.load("app", "handler").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UserCodeSyntax);
    assert!(error.message().starts_with("Syntax error in module 'app': "), "{error}");
    assert!(error.message().contains("(app.py, line 2)"), "{error}");
    let file = case.folder.path().join("app.py").display().to_string();
    assert_eq!(error.stack(), [format!("  File \"{file}\" Line 2\n    def handler(event:\n")]);
    assert_eq!((error.frames()[0].file.as_str(), error.frames()[0].line), (file.as_str(), 2));
}

#[test]
fn a_missing_handler_lists_what_is_there_and_the_nearest_name() {
    let source = "import os\nfrom json import dumps\nLIMIT = 3\ndef handler(event): pass\ndef other(event): pass\n";
    let case = Case::new(&[("app.py", source), ("empty.py", "")]);
    let error = case.load("app", "handlr").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
    assert_eq!(
        error.message(),
        "Handler 'handlr' missing on module 'app'; it has: handler, other; did you mean 'handler'?"
    );
    let error = case.load("empty", "handler").unwrap_err();
    assert_eq!(error.message(), "Handler 'handler' missing on module 'empty'; it has no functions");
}

#[test]
fn a_handler_that_is_not_callable_is_refused_at_load() {
    let case = Case::new(&[("app.py", "handler = {}\n")]);
    let error = case.load("app", "handler").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
    assert_eq!(
        error.message(),
        "Handler 'handler' on module 'app' is not a function but of type dict"
    );
    let case = Case::new(&[("app.py", "before = {}\n")]);
    let module = case.module("app", Wanted::Hooks);
    assert_eq!(
        block_on(case.instance.load(&module)).unwrap_err().kind(),
        ErrorKind::HandlerNotFound
    );
}

#[test]
fn whatever_else_the_top_level_raises_keeps_its_class() {
    let case = Case::new(&[("app.py", "def f(): raise KeyError('secret')\nf()\n")]);
    let error = case.load("app", "handler").unwrap_err();
    assert_eq!(
        (error.kind(), error.name(), error.message()),
        (ErrorKind::Guest, "KeyError", "'secret'")
    );
    assert_eq!(error.frames().len(), 2, "{error:#}");
    let case = Case::new(&[("app.py", "import sys\nsys.exit(3)\n")]);
    let error = case.load("app", "handler").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exit);
    assert_eq!(error.message(), "Runtime exited with error: exit status 3");
}

#[test]
fn a_module_runs_once_and_hooks_are_those_that_exist() {
    let case = Case::new(&[("app.py", "print('loaded')\nafter = None\ndef before(event): pass\n")]);
    let module = case.module("app", Wanted::Hooks);
    for _ in 0..2 {
        let exports = block_on(case.instance.load(&module)).unwrap();
        let names: Vec<_> = exports.functions.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["before"]);
    }
    assert_eq!(case.log.text(), "loaded\n");
}

#[test]
fn the_task_root_comes_before_vendored_packages_and_those_before_layers() {
    let files = [
        ("app.py", "import a, b, c\ndef handler(event): return [a.x, b.x, c.x]\n"),
        ("a.py", "x = 'root'\n"),
        ("package/a.py", "x = 'package'\n"),
        ("package/b.py", "x = 'package'\n"),
    ];
    let case = Case::new(&files);
    let layer = case.environment.layer_root.join("python");
    fs::create_dir_all(&layer).unwrap();
    fs::write(layer.join("b.py"), "x = 'layer'\n").unwrap();
    fs::write(layer.join("c.py"), "x = 'layer'\n").unwrap();
    assert_eq!(case.call("handler", "1").unwrap(), r#"["root", "package", "layer"]"#);
}

#[test]
fn path_files_in_the_task_root_work() {
    let case = Case::new(&[
        ("app.py", "import through_path_file as t\ndef handler(event): return t.x\n"),
        ("more.pth", "elsewhere\n"),
        ("elsewhere/through_path_file.py", "x = 5\n"),
    ]);
    assert_eq!(case.call("handler", "1").unwrap(), "5");
}

#[test]
fn packages_of_the_interpreter_are_found() {
    // `pip` is the one package that every interpreter is installed with.
    let source = "def handler(event):\n    import pip, site, importlib.metadata\n    return importlib.metadata.version('pip') == pip.__version__\n";
    let case = Case::new(&[("app.py", source)]);
    match case.call("handler", "1") {
        Ok(answer) => assert_eq!(answer, "true"),
        Err(error) => assert!(error.message().contains("pip"), "{error}"),
    }
}

#[test]
fn a_folder_that_does_not_exist_is_an_import_error() {
    let gone = Folder::new(&[]).path().to_owned();
    let case = Case::new(&[]);
    let module = trine_engine::Module::new(
        &gone,
        gone.join("app.py"),
        "app",
        Wanted::Handler("handler".into()),
    );
    let error = block_on(case.instance.load(&module)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ImportModule);
    let mut odd = module;
    odd.name.clear();
    assert!(block_on(case.instance.load(&odd)).is_err());
}

/// Returns what a function reports of its module, found by path or name; the root is a folder of the case's.
fn of_module(files: &[(&str, &str)], root: &str, name: &str, by_path: bool) -> String {
    let case = Case::new(files);
    let root = match root {
        "" => case.folder.path().to_owned(),
        inside => case.folder.path().join(inside),
    };
    let path = root.join(format!("{name}.py"));
    let wanted = Wanted::Handler("handler".into());
    let module = trine_engine::Module::new(root, path, name, wanted).with_by_path(by_path);
    let function = block_on(case.instance.load(&module)).unwrap().functions[0].1;
    let payload = trine_engine::Payload::json("1");
    crate::harness::text(case.run(function, payload, trine_engine::Form::Json).unwrap())
}

/// A module that reports its name, and how often its file has run.
const TELLS: &str = "\
import sys
count = sys.modules.setdefault(f'count of {__file__}', [])
count.append(1)
def handler(event):
    import other
    return [__name__, __package__, len(count), other.name]
";

/// Makes a neighbour that imports it by its place in the package, for a file `{module}`.
fn neighbour(module: &str) -> String {
    format!("import sys, {module}\nname = sys.modules['{module}'].handler.__module__\n")
}

#[test]
fn a_file_that_was_named_is_a_module_of_its_package_and_runs_once() {
    let other = neighbour("app.plain");
    let files = [("app/__init__.py", ""), ("app/plain.py", TELLS), ("app/other.py", &*other)];
    let told = of_module(&files, "app", "plain", true);
    assert_eq!(told, "[\"app.plain\", \"app\", 1, \"app.plain\"]");
    // The package may import it first.
    let imports = [("app/__init__.py", "from .plain import handler\n"), files[1], files[2]];
    let told = of_module(&imports, "app", "plain", true);
    assert_eq!(told, "[\"app.plain\", \"app\", 1, \"app.plain\"]");
    // As a module of the task root it is what an import finds there, as on Lambda.
    let by_name = [files[0], files[1], ("app/other.py", "name = 'other'\n")];
    assert_eq!(of_module(&by_name, "app", "plain", false), "[\"plain\", \"\", 1, \"other\"]");
    // A folder without `__init__.py` is not a package.
    let namespace = &by_name[1..];
    assert_eq!(of_module(namespace, "app", "plain", true), "[\"plain\", \"\", 1, \"other\"]");
}

#[test]
fn packages_in_packages_have_their_whole_names() {
    let other = neighbour("outer.inner.plain");
    let files = [
        ("outer/__init__.py", ""),
        ("outer/inner/__init__.py", ""),
        ("outer/inner/plain.py", TELLS),
    ];
    for (root, name) in
        [("outer/inner", "plain"), ("outer", "inner/plain"), ("", "outer/inner/plain")]
    {
        let other = (format!("{root}/other.py"), &*other);
        let other = (other.0.trim_start_matches('/'), other.1);
        let files = [&files[..], &[other]].concat();
        let told = of_module(&files, root, name, true);
        let whole = "\"outer.inner.plain\"";
        assert_eq!(told, format!("[{whole}, \"outer.inner\", 1, {whole}]"), "{root:?} {name}");
    }
}

#[test]
fn the_files_that_stand_for_a_package_can_be_named() {
    let other = neighbour("app");
    let files = [("app/__init__.py", TELLS), ("app/other.py", &*other)];
    assert_eq!(of_module(&files, "app", "__init__", true), "[\"app\", \"app\", 1, \"app\"]");
    let files = [("app/__init__.py", TELLS), ("other.py", &*other)];
    assert_eq!(of_module(&files, "", "app/__init__", true), "[\"app\", \"app\", 1, \"app\"]");
    let main = "def handler(event): return [__name__, __package__]\n";
    let files = [("app/__init__.py", ""), ("app/__main__.py", main)];
    assert_eq!(of_module(&files, "app", "__main__", true), "[\"app.__main__\", \"app\"]");
    assert_eq!(of_module(&[("__main__.py", main)], "", "__main__", true), "[\"__main___\", \"\"]");
}
