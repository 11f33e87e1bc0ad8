//! Checks of modules before they run.

use crate::harness::{Case, Folder};
use trine_engine::{Engine, ErrorKind, Module, Presence, Result, Wanted};

/// Checks a file with this text. An interpreter already runs, as threads other than the main one start none for this.
fn look(source: &[u8]) -> Result<Presence> {
    let _running = Case::new(&[("app.py", "def handler(event, context): pass")]);
    let folder = Folder::new(&[("app.py", "")]);
    let path = folder.path().join("app.py");
    std::fs::write(&path, source).unwrap();
    let wanted = Wanted::Handler("handler".into());
    let module = Module::new(folder.path(), path, "app", wanted);
    trine_python::engine().check(&module)
}

#[test]
fn a_module_that_may_have_a_handler_is_possible_and_is_not_run() {
    for source in [
        "def handler(event, context): pass",
        "async def handler(event, context): pass\nraise SystemExit(1)",
        "handler = print",
        "a = b = handler = print",
        "first, (handler, *rest) = [1, [2]]",
        "handler: object = print",
        "from elsewhere import handler",
        "from elsewhere import run as handler",
        "from elsewhere import *",
        "import handler.parts",
        "class handler: pass",
        "if x:\n    def handler(): pass",
        "try:\n    pass\nexcept ValueError as handler:\n    pass",
        "with x as handler: pass",
        "for handler in x: pass",
        "(handler := print)",
        "handler = None\nif x:\n    handler = print",
        "handler = 5\ndef handler(event, context): pass",
        "def handler(event, context): pass\nhandler = 5",
        "handler = 5 or print",
        "handler, other = 5, 6",
        "handler = None\ndef late():\n    global handler\n    handler = print\nlate()",
        "match x:\n    case {'a': handler}: pass",
        "def __getattr__(name): pass",
        "globals()['hand' + 'ler'] = print",
        "def late():\n    global handler\n    handler = print\nlate()",
        "# coding: latin-1\ndef handler(): return '\u{e9}'",
    ] {
        let bytes = match source.starts_with("# coding") {
            true => source.chars().map(|c| c as u8).collect(),
            false => source.as_bytes().to_vec(),
        };
        assert_eq!(look(&bytes).unwrap(), Presence::Possible, "{source}");
    }
}

#[test]
fn a_module_that_cannot_have_one_is_told_with_its_functions() {
    for (source, others) in [
        ("def parse(): pass\ndef _own(): pass\nasync def fetch(): pass", "parse fetch"),
        ("def outer():\n    handler = 1\n    def handler(): pass", "outer"),
        ("class A:\n    handler = 1", ""),
        ("print(handler)\nx = lambda: (handler := 1)", ""),
        ("", ""),
    ] {
        let Presence::Absent { others: told } = look(source.as_bytes()).unwrap() else {
            panic!("{source}")
        };
        assert_eq!(told.join(" "), others, "{source}");
    }
}

#[test]
fn what_has_the_name_and_is_no_function_is_told_with_what_it_is() {
    for (source, kind) in [
        ("handler = 5", "an int"),
        ("handler = -1.5", "a float"),
        ("handler: str = 'x'", "a str"),
        ("handler = f'{x}'", "a str"),
        ("handler = {'get': print}", "a dict"),
        ("a = handler = [x for x in y]", "a list"),
        ("if x:\n    handler = None\nelse:\n    handler = None", "None"),
        ("(handler := ())", "a tuple"),
        ("handler = ...", "an ellipsis"),
        ("# coding: latin-1\nhandler = '\u{e9}'", "a str"),
    ] {
        let bytes = match source.starts_with("# coding") {
            true => source.chars().map(|c| c as u8).collect(),
            false => source.as_bytes().to_vec(),
        };
        let expected = Presence::NoFunction { name: "handler".into(), kind: kind.into() };
        assert_eq!(look(&bytes).unwrap(), expected, "{source}");
    }
}

#[test]
fn a_module_in_an_archive_is_left_to_its_import() {
    let _running = Case::new(&[("app.py", "def handler(event, context): pass")]);
    let folder = Folder::new(&[("parts.zip", "")]);
    let (root, path) = (folder.path(), folder.path().join("parts.zip/app.py"));
    let module = Module::new(root, path, "app", Wanted::Handler("handler".into()));
    assert_eq!(trine_python::engine().check(&module).unwrap(), Presence::Possible);
}

#[test]
fn what_does_not_compile_is_told_with_its_place() {
    for (source, line) in [
        ("a = 1\nb = = 2", 2),
        ("\nreturn 1", 2),
        ("def f(:", 1),
        ("  x = 1", 1),
        ("nonlocal x", 1),
    ] {
        let error = look(source.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UserCodeSyntax, "{error:#}");
        let frame = &error.frames()[0];
        assert!(frame.file.ends_with("app.py") && frame.line == line, "{source}: {error:#}");
    }
    assert!(look(b"a = '\xff'").is_err());
}
