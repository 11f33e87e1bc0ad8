//! Handlers in shared libraries: the example of `handlers-examples/native`, built as its README says, through every door;
//! and libraries that lie beside handlers in other languages.

use crate::support::{Folder, Lambda, Served, eventually, repository, run, trine};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

/// Compiles a source into a shared library of the folder.
fn compile(folder: &Folder, source: &Path, library: &str) {
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-I"]);
    compiler.arg(repository().join("engines/native/include"));
    let output = compiler.arg("-o").arg(folder.file(library)).arg(source).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Makes a folder with this text of C as a library.
fn library(folder: &Folder, library: &str, text: &str) {
    folder.write("source.c", text);
    compile(folder, Path::new(&folder.file("source.c")), library);
    fs::remove_file(folder.file("source.c")).unwrap();
}

fn example() -> Folder {
    let folder = Folder::new(&[]);
    compile(&folder, &repository().join("handlers-examples/native/handler.c"), "handler.so");
    folder
}

/// Returns the example's events, each with what is expected: a result, or part of an error.
fn cases() -> Vec<(Value, Result<Value, Value>)> {
    let read = |name: &str| -> Value {
        let path = repository().join("handlers-examples/native").join(name);
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let mut cases = vec![(read("event.json"), Ok(read("expected.json")))];
    for case in read("cases.json").as_array().unwrap() {
        let expected = match case.get("expected-error") {
            Some(error) => Err(error.clone()),
            None => Ok(case["expected"].clone()),
        };
        cases.push((case["event"].clone(), expected));
    }
    cases
}

const TEXT: &str = r#"
#include "trine_handler.h"
#include <stdlib.h>
#include <string.h>
TRINE_EXPORT int32_t trine_handle(const uint8_t *event, size_t event_len, const uint8_t *context, size_t context_len,
    uint8_t **out, size_t *out_len) {
    *out = malloc(5); memcpy(*out, "hello", 5); *out_len = 5; return 0;
}
TRINE_EXPORT void trine_free(uint8_t *out, size_t out_len) { free(out); }
TRINE_EXPORT const char *trine_content_type(void) { return "text/plain"; }
"#;

#[test]
fn the_example_answers_through_invoke_and_on_lambda() {
    let folder = example();
    let lambda = Lambda::start(&folder, "handler.handler");
    let cases = cases();
    assert!(cases.len() > 1);
    for (event, expected) in cases {
        let invoked =
            run(trine(&folder, &["invoke", "handler.so", "--json", "--event", &event.to_string()]));
        let printed: Value = serde_json::from_str(&invoked.stdout).unwrap();
        match expected {
            Ok(expected) => {
                assert_eq!((invoked.code, &printed), (Some(0), &expected), "{invoked:?}");
                assert_eq!(lambda.invoke(event), expected);
            }
            Err(part) => {
                assert_eq!(invoked.code, Some(1), "{invoked:?}");
                let (_, document) = lambda.fail(event);
                for (name, part) in part.as_object().unwrap() {
                    assert_eq!((&printed[name], &document[name]), (part, part), "{invoked:?}");
                }
            }
        }
    }
    lambda.process.signal("TERM");
    assert_eq!(lambda.process.wait(), Some(0));
    lambda.emulator.assert_clean();
}

#[test]
fn a_served_folder_has_its_handlers_and_no_other_libraries() {
    let folder = Folder::new(&[("hello.py", "def handler(event, context):\n    return 'py'\n")]);
    library(&folder, "handler.so", TEXT);
    library(&folder, "other.so", TEXT);
    fs::create_dir(folder.file("lib")).unwrap();
    library(&folder, "lib/handler.so", "int add(int a, int b) { return a + b; }");
    let served = Served::start(&folder, &[]);
    let answer = served.get("/handler");
    assert_eq!((answer.status, answer.text()), (200, "hello"), "{:?}", served.process);
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    assert_eq!(served.get("/hello").text(), "py");
    for path in ["/other", "/lib"] {
        assert_eq!(served.get(path).status, 404, "{path}");
    }
    let named = Served::start(&folder, &["other.so"]);
    assert_eq!(named.get("/").text(), "hello");
}

#[test]
fn a_library_beside_a_handler_in_another_language_is_not_the_handler() {
    let folder = Folder::new(&[("app.lua", "return { handler = function() return 'lua' end }")]);
    library(&folder, "app.so", TEXT);
    let invoked = run(trine(&folder, &["invoke", "app.handler"]));
    assert_eq!(invoked.stdout.trim(), "\"lua\"", "{invoked:?}");
    let invoked = run(trine(&folder, &["invoke", "app.so"]));
    assert_eq!(invoked.stdout.trim(), "hello", "{invoked:?}");
    fs::remove_file(folder.file("app.lua")).unwrap();
    let invoked = run(trine(&folder, &["invoke", "app.handler"]));
    assert_eq!(invoked.stdout.trim(), "hello", "{invoked:?}");
}

#[test]
fn hooks_of_other_languages_see_a_raw_answer_as_text_and_leave_it_as_it_is() {
    let folder = Folder::new(&[]);
    library(&folder, "app.so", TEXT);
    let look = [
        ("look.mjs", "export const after = (r) => { console.log('saw', typeof r, r); };"),
        ("look.py", "def after(r, context):\n    print('saw', type(r).__name__, r)\n"),
        ("look.lua", "return { after = function(r) print('saw str ' .. r) end }"),
    ];
    for (file, text) in look {
        folder.write(&format!("middlewares/{file}"), text);
        let served = Served::start(&folder, &["app.so", "--middlewares", file]);
        let answer = served.get("/");
        assert_eq!((answer.text(), answer.header("content-type")), ("hello", Some("text/plain")));
        eventually(&format!("{file} has seen it\n{:?}", served.process), || {
            let log = served.process.stdout() + &served.process.stderr();
            (log.contains("saw str") && log.contains(" hello")).then_some(())
        });
    }
    let bytes = TEXT.replace("\"hello\"", "\"\\xff\\xfe\\0ab\"").replace("text/plain", "image/x");
    library(&folder, "bytes.so", &bytes);
    let kinds = [
        (
            "kind.mjs",
            "export const after = (r) => (r instanceof Uint8Array ? [...r] : 'no bytes');",
        ),
        (
            "kind.py",
            "def after(r, context):\n    return list(r) if isinstance(r, bytes) else 'no'\n",
        ),
        ("kind.lua", "return { after = function(r) return { r:byte(1, -1) } end }"),
    ];
    for (file, text) in kinds {
        folder.write(&format!("middlewares/{file}"), text);
        let invoked = run(trine(&folder, &["invoke", "bytes.so", "--middlewares", file]));
        let answer: Value = serde_json::from_str(&invoked.stdout).unwrap_or_default();
        assert_eq!(answer, json!([255, 254, 0, 97, 98]), "{file}: {invoked:?}");
    }
}

#[test]
fn a_library_may_be_a_middleware_and_others_beside_it_are_none() {
    let hook =
        TEXT.replace("trine_handle(", "trine_hook_after(").replace("\"hello\"", "\"\\\"hi!\\\"\"");
    let folder = Folder::new(&[("app.lua", "return { handler = function() return 'lua' end }")]);
    fs::create_dir(folder.file("middlewares")).unwrap();
    library(&folder, "middlewares/greet.so", &hook.replace("text/plain", "application/json"));
    library(&folder, "middlewares/plain.so", "int add(int a, int b) { return a + b; }");
    let invoked = run(trine(&folder, &["invoke", "app.lua", "--middlewares", "greet"]));
    assert_eq!((invoked.code, invoked.stdout.trim()), (Some(0), "\"hi!\""), "{invoked:?}");
    let refused = run(trine(&folder, &["invoke", "app.lua", "--middlewares", "plain"]));
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("there is no middleware 'plain': "), "{refused:?}");
}

#[test]
fn what_cannot_be_a_handler_is_told_with_its_file_and_what_was_looked_for() {
    let folder = Folder::new(&[("text.so", "not a library")]);
    library(
        &folder,
        "add.so",
        "__attribute__((visibility(\"default\"))) int add(int a) { return a; }",
    );
    for (file, words) in [
        ("text.so", &["text.so"][..]),
        ("add.so", &["add.so", "trine_handle"]),
        ("gone.so", &["gone.so"]),
    ] {
        let refused = run(trine(&folder, &["invoke", file]));
        assert_eq!(refused.code, Some(3), "{refused:?}");
        for word in words {
            assert!(refused.stderr.contains(word), "{word}: {refused:?}");
        }
    }
    let lambda = Lambda::start(&folder, "add.so");
    let (code, _, document) = lambda.init_error();
    assert_eq!(code, Some(1));
    assert!(document["errorMessage"].as_str().unwrap().contains("trine_handle"), "{document}");
}

#[test]
fn code_that_cannot_be_stopped_is_answered_for() {
    let folder = Folder::new(&[]);
    let spins = "for (volatile int going = 1; going;) {} return 0;";
    let at = TEXT.find("*out = malloc").unwrap();
    library(
        &folder,
        "spin.so",
        &format!("{}{spins}}}{}", &TEXT[..at], &TEXT[at + TEXT[at..].find('}').unwrap() + 1..]),
    );
    let served = Served::start(&folder, &["spin.so", "--timeout", "300ms"]);
    assert_eq!(served.get("/").status, 504);
    assert_eq!(served.process.wait(), Some(124), "{:?}", served.process);
}
