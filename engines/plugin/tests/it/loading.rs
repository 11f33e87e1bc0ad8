//! Files, the functions in them, and what plug-ins are told about both.

use crate::support::{Guest, run, shout};
use serde_json::{Value, json};
use trine_engine::{Capabilities, ErrorKind, PlaceSettings, Wanted};

#[test]
fn a_plug_in_says_what_it_is() {
    let engine = shout();
    let info = engine.info();
    assert_eq!((info.id, info.name, info.version.as_str()), ("shout", "Shout", "shout 1.0"));
    assert_eq!(info.extensions, ["shout", "sh-out"]);
    let expected =
        Capabilities { interrupt: true, exact_integers: true, ..Capabilities::default() };
    assert_eq!(info.capabilities, expected);
}

#[test]
fn functions_are_found_by_name_and_those_that_are_missing_are_told() {
    let guest = Guest::new("get: say GOT\nput: say PUT\n");
    assert_eq!(guest.answer("get", "\"a\"").unwrap(), r#""GOT \"A\"""#);
    assert_eq!(guest.answer("put", "1").unwrap(), "\"PUT 1\"");
    let missing = run(guest.load("app.shout", Wanted::Handler("gett".into()))).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::HandlerNotFound);
    assert!(missing.message().ends_with("it has: get, put; did you mean 'get'?"), "{missing}");
    let unnamed = run(guest.load("app.shout", Wanted::Unnamed)).unwrap_err();
    assert!(unnamed.message().contains("say which function it is: "), "{unnamed}");
}

#[test]
fn the_same_function_has_the_same_id_each_time() {
    let guest = Guest::new("get: say GOT\nput: say PUT\n");
    let first = guest.handler("get");
    assert_ne!(first, guest.handler("put"));
    assert_eq!(first, guest.handler("get"));
}

#[test]
fn a_program_is_refused() {
    let guest = Guest::new("get: say GOT\n");
    let refused = run(guest.load("app.shout", Wanted::Program)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
}

#[test]
fn a_file_that_does_not_parse_or_is_not_there_is_told_with_its_place() {
    let guest = Guest::new("get: say GOT\nnonsense\n");
    let syntax = run(guest.load("app.shout", Wanted::Unnamed)).unwrap_err();
    assert_eq!((syntax.kind(), syntax.frames()[0].line), (ErrorKind::UserCodeSyntax, 2));
    assert_eq!(syntax.name(), "Runtime.UserCodeSyntaxError");
    let missing = run(guest.load("none.shout", Wanted::Unnamed)).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::ImportModule);
}

#[test]
fn a_plug_in_learns_of_the_environment() {
    let guest = Guest::within("get: environment\n", |environment| {
        environment.memory_limit = Some(64 << 20);
        environment.variables = [("STAGE".to_owned(), "\"test\"".to_owned())].into();
        environment.main_thread = true;
    });
    let told: Value = serde_json::from_str(&guest.answer("get", "null").unwrap()).unwrap();
    let layer_root = guest.environment.layer_root.to_str().unwrap();
    assert_eq!(
        told,
        json!({
            "layer_root": layer_root,
            "function": {"name": "shop", "version": null, "memory_mb": null, "log_group": null, "log_stream": null},
            "log": {"format": "text", "level": null},
            "main_thread": true,
            "shares_process": false,
            "snap_start": false,
            "memory_limit": 64 << 20,
            "variables": {"STAGE": "\"test\""},
        })
    );
}

#[test]
fn a_plug_in_learns_of_the_module_and_what_its_place_has() {
    let mut root = None;
    let guest = Guest::within("get: module\n", |environment| {
        root = Some(environment.layer_root.with_file_name("task"));
        environment.places = [PlaceSettings {
            engine: "shout",
            place: environment.layer_root.with_file_name("task").canonicalize().unwrap(),
            variables: [("STAGE".to_owned(), "shop".to_owned())].into(),
            memory_limit: Some(1 << 20),
            permissions: None,
        }]
        .into();
    });
    let told = guest.answer("get", "null").unwrap();
    let root = guest.folder.to_str().unwrap();
    // In this order, without white space: so says the interface.
    let expected = format!(
        r#"{{"root":"{root}","path":"{root}/app.shout","name":"app","wanted":"handler","handler":"get","variables":{{"STAGE":"shop"}},"memory_limit":1048576}}"#
    );
    assert_eq!(told, expected);
}

#[test]
fn numbers_that_no_function_can_have_are_told_at_the_load() {
    let guest = Guest::new("at-load: {\"functions\": {\"get\": -1}}\n");
    let told = run(guest.load("app.shout", Wanted::Unnamed)).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Internal);
    assert!(told.message().contains("the number of \"get\" is -1"), "{told}");
    assert!(told.message().contains("shout.so: `load` has given no functions"), "{told}");
    let guest = Guest::new("at-load: nonsense\n");
    assert!(run(guest.load("app.shout", Wanted::Unnamed)).unwrap_err().poisons());
}

#[test]
fn a_number_that_the_plug_in_does_not_know_is_its_own_affair() {
    let guest = Guest::new("at-load: {\"functions\": {\"get\": 4294967295}}\n");
    let told = guest.fault("get");
    assert_eq!(told.message(), "there is no such function");
    assert!(told.poisons());
}
