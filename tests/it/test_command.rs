//! `trine test`: functions, their events, and the answers that are expected of them.

use crate::support::{Finished, Folder, LANGUAGES, in_each_language, run, trine};
use serde_json::Value;
use std::{
    fs,
    process::{Command, Stdio},
};

fn test(folder: &Folder, arguments: &[&str]) -> Finished {
    run(trine(folder, &[&["test"], arguments].concat()))
}

/// Returns a folder with a function `shop` of a language, which does what its event asks for.
fn shop(language: crate::support::Language, files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new(&[(&format!("shop/handler.{}", language.extension), language.probe)]);
    for (name, text) in files {
        folder.write(&format!("shop/events/{name}"), text);
    }
    folder
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.file(name)).unwrap()
}

in_each_language! {
    answers_and_failures_are_compared(language) {
        let folder = shop(language, &[
            ("same.json", r#"{"items": [1, 2.0], "id": "123e4567-e89b-42d3-a456-426614174000"}"#),
            ("same.expected.json", "{\n  \"id\": \"$uuid\",\n  \"items\": [1, \"$number\"]\n}\n"),
            ("text.json", "\"one\\ntwo\""),
            ("text.expected.txt", "one\ntwo\n"),
            ("fails.json", r#"{"do":"fail"}"#),
            ("fails.expected-error.json", r#"{"errorType": "OutOfStock"}"#),
        ]);
        let finished = test(&folder, &[]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let head = format!("shop/handler.{}\n  ok    fails (", language.extension);
        assert!(finished.stdout.starts_with(&head), "{finished:?}");
        assert!(finished.stdout.contains("\n3 passed in 1 function ("), "{finished:?}");
        assert_eq!(finished.stderr, "");
    }

    what_differs_is_told_by_its_path_with_the_log(language) {
        let folder = shop(language, &[
            ("a.json", r#"{"items": [{}, {}, {"price": 4}]}"#),
            ("a.expected.json", r#"{"items": [{}, {}, {"price": 3}]}"#),
            ("b.json", r#"{"do":"log","text":"a line é"}"#),
            ("b.expected.json", "7"),
            ("c.json", r#"{"do":"log","text":"a quiet line"}"#),
            ("c.expected.json", "null"),
            ("d.json", r#"{"do":"fail"}"#),
            ("d.expected.json", "null"),
            ("e.json", "1"),
            ("e.expected-error.json", "{}"),
        ]);
        let finished = test(&folder, &["shop"]);
        assert_eq!(finished.code, Some(1), "{finished:?}");
        for part in [
            "$.items[2].price: expected 3, found 4\n",
            "$: expected 7, found null\n",
            "a line é\n",
            "error: OutOfStock: no anvil left",
            "expected a failure, and it has answered\n",
            "1 passed, 4 failed in 1 function",
        ] {
            assert!(finished.stdout.contains(part), "{part}: {finished:?}");
        }
        assert!(!finished.stdout.contains("a quiet line"), "{finished:?}");
        let verbose = test(&folder, &["shop", "--verbose"]);
        assert!(verbose.stdout.contains("a quiet line"), "{verbose:?}");
    }

    what_is_missing_is_written_and_holds(language) {
        let folder = shop(language, &[
            ("a.json", r#"{"b": [], "a": "$any"}"#),
            ("f.json", r#"{"do":"fail"}"#),
            ("old.json", "1"),
            ("old.expected.json", "2"),
        ]);
        let open = test(&folder, &["--filter", "/a"]);
        assert_eq!(open.code, Some(0), "{open:?}");
        assert!(open.stdout.contains("nothing is expected of it; --update writes what it answers"));
        let finished = test(&folder, &["--update"]);
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(finished.stdout.contains("1 failed, 2 written"), "{finished:?}");
        let written: Value = serde_json::from_str(&read(&folder, "shop/events/a.expected.json")).unwrap();
        assert_eq!(written["a"], "$$any");
        let failure: Value =
            serde_json::from_str(&read(&folder, "shop/events/f.expected-error.json")).unwrap();
        assert_eq!(failure["errorType"], "OutOfStock");
        assert_eq!(read(&folder, "shop/events/old.expected.json"), "2");
        let finished = test(&folder, &["--update", "--force"]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert_eq!(read(&folder, "shop/events/old.expected.json"), "1\n");
        assert!(test(&folder, &[]).stdout.contains("3 passed"));
    }

    a_function_that_cannot_be_loaded_fails_all_its_cases(language) {
        let folder = shop(language, &[("a.json", "1"), ("b.json", "2")]);
        folder.write(&format!("shop/handler.{}", language.extension), "this is ( no program");
        let finished = test(&folder, &[]);
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(finished.stdout.contains("2 failed in 1 function"), "{finished:?}");
        assert!(finished.stdout.contains("the function cannot be loaded, see above"), "{finished:?}");
    }
}

/// A function that counts its calls, in each language.
const COUNTERS: &[(&str, &str)] = &[
    ("js/handler.mjs", "let n = 0;\nexport const handler = () => { n += 1; return n; };"),
    (
        "python/handler.py",
        "n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return n\n",
    ),
    ("lua/handler.lua", "local n = 0\nreturn { handler = function() n = n + 1; return n end }"),
    (
        "more/handler.py",
        "n = 10\ndef handler(event, context):\n    global n\n    n += 1\n    return n\n",
    ),
];

#[test]
fn functions_are_warm_from_case_to_case_and_apart_from_each_other() {
    let folder = Folder::new(COUNTERS);
    for (name, first) in [("js", 1), ("python", 1), ("lua", 1), ("more", 11)] {
        for (number, case) in ["a", "b"].iter().enumerate() {
            folder.write(&format!("{name}/events/{case}.json"), "{}");
            let expected = (first + number).to_string();
            folder.write(&format!("{name}/events/{case}.expected.json"), expected);
        }
    }
    let finished = test(&folder, &[]);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{finished:?}");
    assert!(finished.stdout.contains("8 passed in 4 functions"), "{finished:?}");
    let some = test(&folder, &["lua", "js/events/a.json", "more/handler.py"]);
    assert!(some.stdout.contains("5 passed in 3 functions"), "{some:?}");
    let one = test(&folder, &["--filter", "python/handler.py/a"]);
    assert!(one.stdout.contains("1 passed in 1 function"), "{one:?}");
}

#[test]
fn several_languages_may_share_their_events() {
    let folder = Folder::new(&[]);
    for language in [LANGUAGES[0], LANGUAGES[3], LANGUAGES[4]] {
        folder.write(&format!("echo/handler.{}", language.extension), language.probe);
    }
    folder.write("echo/events/a.json", "[1]");
    folder.write("echo/events/a.expected.json", "[1.0]");
    let finished = test(&folder, &[]);
    assert!(finished.stdout.contains("3 passed in 3 functions"), "{finished:?}");
    let named = test(&folder, &["echo", "--handler", "handler.lua"]);
    assert!(named.stdout.contains("echo/handler.lua\n  ok    a ("), "{named:?}");
    assert!(named.stdout.contains("1 passed in 1 function"), "{named:?}");
}

#[test]
fn events_and_expectations_that_make_no_sense_fail_with_their_place() {
    let folder = shop(
        LANGUAGES[4],
        &[
            ("broken.json", "{\n  oops\n}"),
            ("empty.json", "\u{feff}\n"),
            ("empty.expected.json", "{}"),
            ("odd.json", "1"),
            ("odd.expected.json", "[1,]"),
            ("two.json", "1"),
            ("two.expected.json", "1"),
            ("two.expected.txt", "1"),
            ("orphan.expected.json", "1"),
        ],
    );
    let finished = test(&folder, &["--update", "--force"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    for part in [
        "shop/events/broken.json is no JSON at line 2, column 3: a name in double quotes is missing\n          2 |   oops\n            |   ^\n",
        "more than one answer is expected: of two.expected.json,",
        "cannot read shop/events/orphan.json: No such file",
        "ok    empty (",
        "wrote odd (",
    ] {
        assert!(finished.stdout.contains(part), "{part}: {finished:?}");
    }
}

#[test]
fn reports_are_written_for_programs() {
    let folder = shop(
        LANGUAGES[3],
        &[
            ("a.json", r#"{"do":"log","text":"<&>"}"#),
            ("a.expected.json", "null"),
            ("b.json", "2"),
            ("b.expected.json", "\"<3>\""),
            ("c.json", "3"),
        ],
    );
    let finished = test(&folder, &["--json", "--junit", "report.xml"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let told: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(
        (told["ok"].as_bool(), told["passed"].as_u64(), told["open"].as_u64()),
        (Some(false), Some(1), Some(1))
    );
    let function = &told["functions"][0];
    assert_eq!(function["function"], "shop/handler.py");
    assert_eq!(function["cases"][1]["messages"][0], "$: expected \"<3>\", found 2");
    assert!(function["cases"][0]["log"].as_str().unwrap().contains("<&>"), "{told}");
    let xml = read(&folder, "report.xml");
    for part in [
        "<testsuites tests=\"3\" failures=\"1\"",
        "classname=\"shop/handler.py\" name=\"b\"",
        "<failure message=\"$: expected &quot;&lt;3&gt;&quot;, found 2\">",
        "&lt;&amp;&gt;",
        "<skipped",
    ] {
        assert!(xml.contains(part), "{part}: {xml}");
    }
    let finished = test(&folder, &["--junit", "no/such/report.xml"]);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{finished:?}");
    assert!(
        finished.stderr.starts_with("error: cannot write no/such/report.xml: "),
        "{finished:?}"
    );
}

#[test]
fn a_case_that_takes_too_long_fails_and_the_others_run() {
    let text = "import os\ndef handler(event, context):\n    if event == 'long':\n        while True:\n            pass\n    \
                os.system('echo from a program')\n    return event\n";
    let folder = Folder::new(&[("app.py", text)]);
    folder.write("events/a.json", "\"long\"");
    folder.write("events/b.json", "\"short\"");
    folder.write("events/b.expected.json", "\"short\"");
    let finished = test(&folder, &["--timeout", "500ms", "--verbose", "--update"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stdout.starts_with("app.py\n  FAIL  a ("), "{finished:?}");
    assert!(finished.stdout.contains("Function.Timeout"), "{finished:?}");
    assert!(finished.stdout.contains("        | from a program\n"), "{finished:?}");
    assert!(finished.stdout.contains("1 passed, 1 failed"), "{finished:?}");
    assert!(!folder.task().join("events/a.expected-error.json").exists());
}

#[test]
fn a_function_may_change_the_working_directory() {
    let text = "import os\nos.chdir('/')\ndef handler(event, context):\n    return os.getcwd()\n";
    let folder = Folder::new(&[("app.py", text)]);
    for case in ["a", "b"] {
        folder.write(&format!("events/{case}.json"), "1");
    }
    folder.write("events/a.expected.json", "\"/\"");
    let finished = test(&folder, &["--update"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.contains("): events/b.expected.json\n"), "{finished:?}");
    assert_eq!(read(&folder, "events/b.expected.json"), "\"/\"\n");
}

#[test]
fn streams_are_compared_as_a_whole() {
    let text = "export const handler = awslambda.streamifyResponse(async (event, stream) => {\n  \
                stream.write('one\\n');\n  stream.write('two\\n');\n  stream.end();\n});\n";
    let folder = Folder::new(&[("index.mjs", text)]);
    folder.write("events/a.json", "{}");
    folder.write("events/a.expected.txt", "one\ntwo\n");
    let finished = test(&folder, &[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn nothing_to_run_is_a_wrong_command_line() {
    let folder = Folder::new(&[("lib/events/a.json", "1"), ("app.lua", "return {}")]);
    for (arguments, told) in [
        (
            &[][..],
            "error: nothing to run in .: events lie in a folder 'events' beside a function's handler",
        ),
        (&["nope"], "error: there is no file or folder nope\n"),
        (&["ap.lua"], "error: there is no file or folder ap.lua; did you mean app.lua?\n"),
        (&["app.lua"], "error: nothing to run in app.lua"),
        (&["--force"], "--update"),
        (
            &["lib/events/a.json"],
            "passed over lib/events: no handler lies beside it (handler, index,",
        ),
    ] {
        let finished = test(&folder, arguments);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{finished:?}");
        assert!(finished.stderr.contains(told), "{told}: {finished:?}");
    }
    folder.write("events/a.json", "1");
    let finished = test(&folder, &["--filter", "zzz"]);
    assert_eq!(finished.code, Some(2));
    let told = "error: nothing to run: none of 1 cases in . has \"zzz\" in its function's file or its name";
    assert!(finished.stderr.contains(told), "{finished:?}");
}

#[test]
fn whoever_stops_reading_the_report_sees_no_complaint() {
    let folder = shop(LANGUAGES[4], &[("a.json", "1"), ("b.json", "2"), ("b.expected.json", "3")]);
    let mut child = trine(&folder, &["test"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let head = Command::new("head").arg("-1").stdin(child.stdout.take().unwrap()).output().unwrap();
    assert_eq!(head.stdout, b"shop/handler.lua\n");
    let finished = child.wait_with_output().unwrap();
    assert_eq!(finished.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&finished.stderr), "");
}

#[test]
fn middlewares_and_permissions_hold_as_for_invoke() {
    let folder = shop(LANGUAGES[4], &[("a.json", "1"), ("a.expected.json", "{\"seen\": 1}")]);
    folder.write(
        "middlewares/wrap.lua",
        "return { after = function(response) return { seen = response } end }",
    );
    let finished = test(&folder, &["shop", "--middlewares", "wrap"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let finished = test(&folder, &["shop", "--middlewares", "wrpa"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stdout.contains("wrap"), "{finished:?}");
}
