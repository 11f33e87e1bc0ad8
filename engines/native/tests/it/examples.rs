//! The example in C, built as its comment says, does what its folder says.

use crate::support::{Guest, include, succeed};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../handlers-examples/native")
}

fn read(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder().join(name)).unwrap()).unwrap()
}

#[test]
fn the_example_in_c_greets_and_refuses() {
    let guest = Guest::empty();
    let mut command = Command::new("cc");
    command.args(["-O2", "-std=c99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]);
    command.args(["-fvisibility=hidden", "-o"]).arg(guest.folder.join("app.so"));
    succeed(command.arg("-I").arg(include()).arg(folder().join("handler.c")));
    let answer = guest.handle(&read("event.json").to_string()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap(), read("expected.json"));
    for case in read("cases.json").as_array().unwrap() {
        let error = guest.handle(&case["event"].to_string()).unwrap_err();
        assert_eq!(error.name(), case["expected-error"]["errorType"]);
        assert_eq!(error.message(), case["expected-error"]["errorMessage"]);
    }
    // No event makes it read what is not there.
    for event in
        ["", "\"name\"", "{\"name\":", "{\"name\": \"", "{\"name\": \"a\\", "{\"name\": 1}"]
    {
        assert_eq!(guest.handle(event).unwrap_err().name(), "BadRequest", "{event}");
    }
}
