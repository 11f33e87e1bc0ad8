//! The modules among the examples, which real compilers made.

use crate::support::{Guest, run};
use std::{fs, path::Path};
use trine_engine::{Engine as _, Presence, Wanted};
use trine_wasm::WasmEngine;

fn example(file: &str) -> Guest {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../handlers-examples/wasm");
    Guest::of_bytes(&fs::read(folder.join(file)).unwrap(), |_| ())
}

#[test]
fn a_command_in_c_greets() {
    run(async {
        let guest = example("handler.wasm");
        let module = guest.module(Wanted::Unnamed);
        assert_eq!(WasmEngine::new().check(&module).unwrap(), Presence::Possible);
        for (event, name) in [
            (r#"{ "name" : "Ada" }"#, "Ada"),
            ("{}", "world"),
            (
                r#"{"rawPath": "/", "queryStringParameters": {"x": "1", "name": "Grace \"H\""}}"#,
                r#"Grace \"H\""#,
            ),
        ] {
            let expected = format!("{{\"message\": \"Hello, {name}!\"}}\n");
            assert_eq!(guest.answer(event).await.unwrap(), (expected, "application/json"));
        }
    });
}

#[test]
fn a_reactor_in_c_counts() {
    run(async {
        let guest = example("count.wasm");
        let function = guest.load("handler").await.unwrap();
        let event = format!("\"{}\"", "x".repeat(100_000));
        for calls in 1..=30 {
            assert_eq!(
                guest.call(function, &event).await.unwrap(),
                format!("{{\"calls\": {calls}}}")
            );
        }
    });
}
