//! The examples of `handlers-examples/sql`, with their events.

use crate::support::{Guest, run};
use serde_json::Value;
use std::{fs, path::PathBuf};

fn read(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../handlers-examples/sql");
    fs::read_to_string(folder.join(name)).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_order_is_added_up() {
    run(async {
        let guest = Guest::new(&read("handler.sql"));
        let function = guest.load("app").await.unwrap();
        let answer = guest.call(function, &read("event.json")).await.unwrap();
        assert_eq!(json(&answer), json(&read("expected.json")));
        assert_eq!(guest.log.text(), "order A-1: 3 lines; 53 pieces\n");
        for case in json(&read("cases.json")).as_array().unwrap() {
            let answer = guest.call(function, &case["event"].to_string()).await.unwrap();
            assert_eq!(json(&answer), case["expected"], "{}", case["name"]);
        }
    });
}

#[test]
fn somebody_is_greeted() {
    run(async {
        let guest = Guest::new(&read("hello.sql"));
        let function = guest.load("app").await.unwrap();
        for (event, expected) in [
            (r#"{"name":"Ada"}"#, "Hello, Ada!"),
            (r#"{"queryStringParameters":{"name":"Grace Hopper"}}"#, "Hello, Grace Hopper!"),
            ("{}", "Hello, world!"),
        ] {
            let answer = guest.call(function, event).await.unwrap();
            assert_eq!(answer, format!("{{\"message\":\"{expected}\"}}"));
        }
    });
}
