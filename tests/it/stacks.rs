//! Stacks, logs and error documents as people see them: optional source maps, lines in a terminal and in Lambda's log,
//! titles of unhandled errors, and init errors where the language is only guessed.

use crate::support::{Folder, Lambda, Served, eventually, in_each_language, run, trine};
use serde_json::{Value, json};

/// A bundle of `src/price.ts`, whose line 13 fails here in line 3.
const BUNDLE: &str = "\
export const handler = (event) => {
  if (event.log) return console.error(new Error('logged'));
  throw new Error('no item');
};
";
const MAP: &str = r#"{"version":3,"sources":["../src/price.ts"],"mappings":";SAEU;EAUN,MAAM"}"#;
const BASE64: &str = "eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbIi4uL3NyYy9wcmljZS50cyJdLCJtYXBwaW5ncyI6IjtTQUVVO0VBVU4sTUFBTSJ9";

/// Makes a folder with the bundle, its map inline or next to it.
fn bundle(inline: bool) -> Folder {
    let url = match inline {
        true => format!("data:application/json;base64,{BASE64}"),
        false => "mod.mjs.map".to_owned(),
    };
    let text = format!("{BUNDLE}//# sourceMappingURL={url}\n");
    Folder::new(&[("dist/mod.mjs", &text), ("dist/mod.mjs.map", MAP)])
}

/// Returns the error document of the bundle, and what it wrote when it logged an error.
fn failed_and_logged(folder: &Folder, options: &str) -> (Value, String) {
    let invoke = |event: &str| {
        let mut command = trine(folder, &["invoke", "dist/mod.mjs", "--json", "--event", event]);
        command.env("NODE_OPTIONS", options);
        run(command)
    };
    let document = serde_json::from_str(&invoke("{}").stdout).unwrap();
    (document, invoke(r#"{"log":true}"#).stderr)
}

#[test]
fn without_the_option_a_bundle_is_told_by_its_own_lines() {
    for inline in [true, false] {
        let folder = bundle(inline);
        for options in ["", "--no-warnings", "--enable-source-maps --no-enable-source-maps"] {
            let (document, log) = failed_and_logged(&folder, options);
            let place =
                format!("    at Runtime.handler (file://{}:3:9)", folder.file("dist/mod.mjs"));
            assert_eq!(document["trace"], json!(["Error: no item", place]));
            assert!(log.contains("dist/mod.mjs:2:39)\n"), "{log}");
            assert!(!log.contains("price.ts"), "{log}");
        }
    }
}

#[test]
fn with_the_option_a_bundle_is_told_by_its_sources() {
    for inline in [true, false] {
        let folder = bundle(inline);
        let (document, log) = failed_and_logged(&folder, "--no-warnings --enable-source-maps");
        let place = format!("    at Runtime.handler ({}:13:11)", folder.file("src/price.ts"));
        assert_eq!(document["trace"], json!(["Error: no item", place]));
        assert!(log.contains("src/price.ts:3:11)\n"), "{log}");
        assert!(!log.contains("mod.mjs"), "{log}");
    }
}

#[test]
fn a_failed_invocation_on_lambda_is_told_by_its_sources() {
    let folder = bundle(true);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "dist/mod.handler").env("NODE_OPTIONS", "--enable-source-maps");
    });
    let (_, document) = lambda.fail(json!({}));
    assert!(document["trace"][1].as_str().unwrap().ends_with("src/price.ts:13:11)"), "{document}");
    let log = lambda.logged("no item");
    assert!(log.contains("src/price.ts:13:11)"), "{log}");
}

/// Returns a handler that logs two lines.
fn two_lines(engine: &str) -> &'static str {
    match engine {
        "js" => "export const handler = () => { console.error('one\\ntwo'); };",
        "python" => {
            "import logging\n\ndef handler(event, context):\n    logging.error('one\\ntwo')\n"
        }
        _ => "return { handler = function() trine.log('error', 'one\\ntwo') end }",
    }
}

#[test]
fn lines_are_lines_but_in_lambdas_log() {
    for (file, engine) in [("app.mjs", "js"), ("app.py", "python"), ("app.lua", "lua")] {
        let folder = Folder::new(&[(file, two_lines(engine))]);
        let finished = run(trine(&folder, &["invoke", file]));
        assert!(finished.stderr.contains("one\ntwo\n"), "{finished:?}");

        let server = Served::start(&folder, &["."]);
        assert_eq!(server.post("/app", "{}").status, 200);
        eventually("the server logs", || {
            let log = server.process.stdout() + &*server.process.stderr();
            log.contains("one\ntwo\n").then_some(())
        });

        let lambda = Lambda::start(&folder, "app.handler");
        lambda.invoke(json!({}));
        // Python's runtime leaves the lines of `logging` as they are.
        let joined = if engine == "python" { "one\ntwo\n" } else { "one\rtwo\n" };
        lambda.logged(joined);
    }
}

#[test]
fn a_logged_error_keeps_its_lines_and_shows_no_frame_of_the_runtime() {
    let source = "const { EventEmitter } = require('node:events');
exports.handler = async () => {
  const emitter = new EventEmitter().on('x', () => console.error(new Error('text: ext: no\\n    at fake (ext:a/b.js:1:1)')));
  emitter.emit('x');
};";
    let folder = Folder::new(&[("app.cjs", source)]);
    let finished = run(trine(&folder, &["invoke", "app.cjs"]));
    let (_, logged) = finished.stderr.split_once("\tERROR\t").unwrap();
    let file = folder.file("app.cjs");
    let expected = format!(
        "Error: text: ext: no\n    at fake (ext:a/b.js:1:1)\n    at EventEmitter.<anonymous> ({file}:3:66)\n    at \
         exports.handler ({file}:4:11)\n"
    );
    assert_eq!(logged, expected);
}

#[test]
fn what_nobody_handled_has_a_title_of_its_own() {
    let source = "const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
        export const handler = async (event) => {
            if (event.do === 'reject') Promise.reject(new Error('nobody'));
            if (event.do === 'throw') setTimeout(() => { throw new Error('nobody'); }, 1);
            if (event.do === 'nothing') return;
            if (event.do === 'leave') return void setImmediate(() => setImmediate(() => Promise.reject(new Error('left\\nlater'))));
            await wait(100);
        };";
    let folder = Folder::new(&[("app.mjs", source)]);
    let lambda = Lambda::start(&folder, "app.handler");
    for (what, title) in
        [("reject", "Unhandled Promise Rejection"), ("throw", "Uncaught Exception")]
    {
        let (outcome, _) = lambda.fail(json!({"do": what}));
        let start = format!("\t{}\tERROR\t{title} \t{{\"errorType\":", outcome.request_id);
        lambda.logged(&start);
    }
    lambda.invoke(json!({"do": "leave"}));
    // What earlier invocations left behind progresses a little with each of the following.
    let log = eventually("what was left behind is logged", || {
        lambda.invoke(json!({"do": "nothing"}));
        let log = lambda.process.stdout();
        log.contains("Left behind").then_some(log)
    });
    let expected = "\tERROR\tUnhandled Promise Rejection\tLeft behind by an earlier invocation\t";
    assert!(log.contains(expected) && log.contains("Error: left\rlater\r    at "), "{log}");
}

#[test]
fn a_rejection_while_loading_has_its_title_too() {
    let folder = Folder::new(&[(
        "app.mjs",
        "Promise.reject(new Error('nobody'));\nawait new Promise((resolve) => setTimeout(resolve, 50));\nexport const handler = 1;",
    )]);
    let lambda = Lambda::start(&folder, "app.handler");
    let log = lambda.logged("nobody");
    assert!(log.contains("\tundefined\tERROR\tUnhandled Promise Rejection \t{"), "{log}");
}

#[test]
fn the_second_broken_file_of_a_server_is_told_by_its_own_place() {
    let folder = Folder::new(&[
        ("one.cjs", "exports.handler = (event) => {\n  return event * ;\n};\n"),
        ("two.mjs", "export const handler = () => 1;\n\nexport const x = {{;\n"),
    ]);
    let server = Served::start(&folder, &[".", "--workers", "1"]);
    for (path, place) in
        [("/one", "one.cjs:2:18"), ("/two", "two.mjs:3:19"), ("/one", "one.cjs:2:18")]
    {
        let document: Value = serde_json::from_slice(&server.post(path, "{}").body).unwrap();
        let trace = document["trace"].as_array().unwrap();
        assert_eq!(trace.len(), 2, "{document}");
        assert!(trace[1].as_str().unwrap().ends_with(place), "{document}");
    }
}

/// Returns the document of a handler that is not found in a folder with these files.
fn init_document(files: &[(&str, &str)], handler: &str) -> Value {
    let folder = Folder::new(files);
    Lambda::start(&folder, handler).init_error().2
}

#[test]
fn an_init_error_has_the_document_of_the_language_that_the_handler_names() {
    let js = ["app.mjs:handler", "src/app.ts", "../app.js:handler", "app.cjs:", "gone/app.mts:f.g"];
    for handler in js {
        let document = init_document(&[("other.py", "")], handler);
        assert!(document["trace"].is_array() && document["stackTrace"].is_null(), "{document}");
        assert!(document["requestId"].is_null(), "{document}");
    }
    for handler in ["app.py:handler", "src/app.py", "../app.py:handler", "app.py:"] {
        let document = init_document(&[("other.mjs", "")], handler);
        assert!(document["stackTrace"].is_array() && document["trace"].is_null(), "{document}");
        assert_eq!(document["requestId"], "", "{document}");
    }
    let document = init_document(&[("other.mjs", "")], "app.lua:handler");
    assert!(document["stackTrace"].is_array() && document["requestId"].is_null(), "{document}");
}

#[test]
fn an_init_error_has_the_document_of_the_only_language_that_is_there() {
    let document = init_document(&[("other.mjs", ""), ("more.ts", "")], "app.handler");
    assert!(document["trace"].is_array(), "{document}");
    let document = init_document(&[("other.py", "")], "app.handler");
    assert_eq!(document["requestId"], "", "{document}");
    for files in [&[("app.mjs", ""), ("app.py", "")][..], &[]] {
        let document = init_document(files, "app.handler");
        assert!(document["stackTrace"].is_array() && document["requestId"].is_null(), "{document}");
    }
}

#[test]
fn a_missing_middleware_is_told_in_the_handlers_language() {
    for (file, member) in [("app.mjs", "trace"), ("app.py", "requestId")] {
        let folder = Folder::new(&[(file, "")]);
        let lambda = Lambda::with(&folder, |command| {
            command.env("_HANDLER", "app.handler").env("TRINE_MIDDLEWARES", "gone");
        });
        let (_, _, document) = lambda.init_error();
        assert!(!document[member].is_null(), "{document}");
    }
}

in_each_language! {
    an_init_error_of_a_loaded_file_has_its_languages_document(language) {
        let file = format!("app.{}", language.extension);
        let document = init_document(&[(&file, "")], "app.handler");
        let members = ["trace", "stackTrace", "requestId"].map(|member| !document[member].is_null());
        let expected = match language.engine {
            "js" => [true, false, false],
            "python" => [false, true, true],
            _ => [false, true, false],
        };
        assert_eq!(members, expected, "{document}");
    }
}

#[test]
fn invoke_prints_the_document_of_the_language_that_was_meant() {
    let folder = Folder::new(&[]);
    for (handler, member) in [("app.mjs:handler", "trace"), ("app.py:handler", "requestId")] {
        let finished = run(trine(&folder, &["invoke", handler, "--json"]));
        let document: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert!(!document[member].is_null(), "{document}");
    }
}
