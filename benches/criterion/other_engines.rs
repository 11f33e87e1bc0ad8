//! The cost of a call in the engines for queries and compiled code, and of loading their files, beside Lua's: a small
//! answer where a language can give it, the event itself where it can hand that back.

use crate::{
    bed::{Folder, Guest},
    bench,
    events::{KILOBYTE, mixed, parsed},
};
use bytes::Bytes;
use criterion::Criterion;
use serde_json::{Value, json};
use std::{path::Path, process::Command};

/// A file that answers.
struct Subject {
    name: &'static str,
    /// The name of its file.
    file: &'static str,
    content: Vec<u8>,
}

const NATIVE: &str = r#"
#include "trine_handler.h"
#include <stdlib.h>
#include <string.h>
TRINE_EXPORT int32_t trine_handle(const uint8_t *event, size_t event_len, const uint8_t *context, size_t context_len,
    uint8_t **out, size_t *out_len) {
    *out = malloc(event_len); memcpy(*out, event, event_len); *out_len = event_len; return 0;
}
TRINE_EXPORT void trine_free(uint8_t *out, size_t out_len) { free(out); }
"#;

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("other engines");
    let mut add = |question: &str, subject: &Subject, event: &Bytes, answer: &Value| {
        let make = || {
            let folder = Folder::of(subject.file, &subject.content);
            Guest::within(folder, subject.name, event, answer)
        };
        bench(&mut group, question, subject.name, make, |guest, count| guest.calls(event, count));
        bench(&mut group, &format!("{question}: load"), subject.name, make, Guest::renewals);
    };
    let event = Bytes::from_static(br#"{"name":"Ada"}"#);
    let answer = json!({ "message": "Hello, Ada!" });
    for (name, file, text) in [
        (
            "lua",
            "app.lua",
            "return { handler = function(e) return { message = 'Hello, ' .. e.name .. '!' } end }",
        ),
        ("sql", "app.sql", "SELECT 'Hello, ' || event('name') || '!' AS message;"),
    ] {
        let subject = Subject { name, file, content: text.into() };
        add("greeting", &subject, &event, &answer);
    }
    let command = include_bytes!("../../handlers-examples/wasm/handler.wasm").to_vec();
    let command = Subject { name: "wasm command", file: "app.wasm", content: command };
    add("greeting", &command, &event, &answer);
    let event = mixed(KILOBYTE);
    let answer = parsed(&event);
    let reactor =
        include_bytes!("../../tests/conformance/cases/values-integers-exact/handler.wasm").to_vec();
    for (name, file, content) in [
        ("lua", "app.lua", b"return { handler = function(e) return e end }".to_vec()),
        ("wasm reactor", "app.wasm", reactor),
        ("native", "app.so", library()),
    ] {
        add("echo, 1 KB", &Subject { name, file, content }, &event, &answer);
    }
    group.finish();
}

/// Returns a shared library that answers with its event.
fn library() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (source, library) = (folder.path().join("app.c"), folder.path().join("app.so"));
    std::fs::write(&source, NATIVE).expect("a new folder takes files");
    let headers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engines/native/include");
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-shared", "-fPIC", "-I"]).arg(headers).arg("-o").arg(&library);
    let status = compiler.arg(&source).status().expect("there is a C compiler");
    assert!(status.success(), "the library does not compile");
    std::fs::read(&library).expect("it has just been written")
}
