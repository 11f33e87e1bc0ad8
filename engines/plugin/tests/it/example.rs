//! The language of the example, in C alone.

use crate::support::{compile, place, run};
use std::fs;
use trine_engine::{ErrorKind, Wanted};
use trine_testkit::guest::{self, Guest};

#[test]
fn the_example_answers_as_its_folder_says_and_tells_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let example = place("../../handlers-examples/plugin");
    let library = compile(folder.path(), "upper.so", &example.join("upper.c"), &["-std=c99"]);
    let engine = trine_plugin::load(&library).unwrap();
    let info = engine.info();
    assert_eq!((info.id, info.name, info.version.as_str()), ("upper", "Upper", "upper 1.0"));
    assert_eq!(info.extensions, ["upper"]);

    let read = |name: &str| fs::read_to_string(example.join(name)).unwrap();
    let files = [("hello.upper", read("hello.upper")), ("empty.upper", "\n".to_owned())];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let guest = Guest::start(&*engine, &files, |_, _| ());
    let exports = run(guest.load("hello.upper", Wanted::Unnamed)).unwrap();
    let event: serde_json::Value = serde_json::from_str(&read("event.json")).unwrap();
    let invocation = guest::invocation("id-1").into();
    let answer = run(guest.call(exports.functions[0].1, &event.to_string(), &invocation)).unwrap();
    assert_eq!(answer, read("expected.json").trim());

    let empty = run(guest.load("empty.upper", Wanted::Unnamed)).unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::UserCodeSyntax);
    assert_eq!((empty.frames()[0].line, empty.frames().len()), (1, 1));
    assert!(empty.frames()[0].file.ends_with("/task/empty.upper"), "{empty}");
    let missing = run(guest.load("missing.upper", Wanted::Unnamed)).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::ImportModule);
    let hooks = run(guest.load("hello.upper", Wanted::Hooks)).unwrap_err();
    assert_eq!(hooks.kind(), ErrorKind::Unsupported);
    assert!(hooks.message().ends_with("hello.upper cannot be a middleware: Upper has no hooks"));
}
