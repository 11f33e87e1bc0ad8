//! `trine invoke`: the result on standard output, everything else on standard error, and an exit code
//! that says why.

use crate::support::{Finished, Folder, in_each_language, run, run_with_input, trine};
use serde_json::{Value, json};

/// Runs `trine invoke probe.<extension>` with these arguments.
fn invoke(folder: &Folder, arguments: &[&str]) -> Finished {
    run(trine(folder, &[&["invoke"], arguments].concat()))
}

in_each_language! {
    the_result_is_all_there_is_on_standard_output(language) {
        let folder = Folder::probe(language);
        let event = json!({"do": "log", "text": "a line é"}).to_string();
        let finished = invoke(&folder, &["probe.handler", "--event", &event]);
        assert_eq!(finished.stdout, "null\n", "{finished:?}");
        assert!(finished.stderr.ends_with("a line é\n"), "{finished:?}");
        assert_eq!(finished.code, Some(0));
    }

    a_result_is_indented_for_people_and_on_one_line_for_programs(language) {
        let folder = Folder::probe(language);
        let event = r#"{"a":["é🙂",1.5]}"#;
        let finished = invoke(&folder, &["probe.handler", "--event", event]);
        assert_eq!(finished.stdout, "{\n  \"a\": [\n    \"é🙂\",\n    1.5\n  ]\n}\n");
        let finished = invoke(&folder, &["probe.handler", "--json", "--event", event]);
        assert_eq!(finished.stdout.lines().count(), 1, "{finished:?}");
        let printed: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(printed, json!({"a": ["é🙂", 1.5]}));
        let finished = invoke(&folder, &["probe.handler", "-e", "\"text\""]);
        assert_eq!(finished.stdout, "\"text\"\n");
    }

    a_failing_function_is_exit_code_1_with_file_and_line(language) {
        let folder = Folder::probe(language);
        let finished = invoke(&folder, &["probe.handler", "--event", r#"{"do":"fail"}"#]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""));
        let file = format!("probe.{}", language.extension);
        for part in ["error: OutOfStock: no anvil left", &file] {
            assert!(finished.stderr.contains(part), "{part}: {finished:?}");
        }
    }

    the_document_of_a_failure_is_printed_for_programs(language) {
        let folder = Folder::probe(language);
        let finished = invoke(&folder, &["probe.handler", "--json", "-e", r#"{"do":"fail"}"#]);
        assert_eq!(finished.code, Some(1));
        let document: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(document["errorType"], "OutOfStock");
        assert_eq!(document["errorMessage"], "no anvil left");
    }

    an_event_that_is_no_json_is_exit_code_4(language) {
        let folder = Folder::probe(language);
        let finished = invoke(&folder, &["probe.handler", "--event", "{oops"]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(4), ""), "{finished:?}");
    }

    a_result_without_a_json_form_is_exit_code_5(language) {
        let folder = Folder::probe(language);
        let finished = invoke(&folder, &["probe.handler", "-e", r#"{"do":"impossible"}"#]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(5), ""), "{finished:?}");
    }

    to_exit_is_exit_code_1_with_a_hint(language) {
        let folder = Folder::probe(language);
        let finished = invoke(&folder, &["probe.handler", "-e", r#"{"do":"exit","status":0}"#]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""), "{finished:?}");
        for part in ["Runtime.ExitError", "hint: return or throw instead"] {
            assert!(finished.stderr.contains(part), "{part}: {finished:?}");
        }
    }

    the_time_that_is_given_is_the_time_that_is_left(language) {
        let folder = Folder::probe(language);
        let event = r#"{"do":"context"}"#;
        let arguments =
            ["probe.handler", "--json", "--timeout", "5000", "--request-id", "me", "-e", event];
        let finished = invoke(&folder, &arguments);
        let context: Value = serde_json::from_str(&finished.stdout).unwrap();
        let remaining = context["remaining"].as_f64().unwrap();
        assert!(remaining > 4_000_000.0 && remaining <= 5_000_000.0, "{context}");
        assert_eq!(context["id"], "me");
    }

    a_client_context_reaches_the_function(language) {
        let folder = Folder::probe(language);
        let (given, event) = (r#"{"custom":{"a":"é"}}"#, r#"{"do":"context"}"#);
        let arguments = ["probe.handler", "--client-context", given, "-e", event];
        let finished = invoke(&folder, &arguments);
        let context: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(context["custom"], json!({"a": "é"}), "{finished:?}");
    }

    a_function_that_is_not_there_is_exit_code_3_with_the_nearest_name(language) {
        let folder = Folder::probe(language);
        let finished = invoke(&folder, &["prbe.handler"]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(3), ""));
        for part in ["Runtime.ImportModuleError", "did you mean 'probe.handler'?"] {
            assert!(finished.stderr.contains(part), "{part}: {finished:?}");
        }
        let finished = invoke(&folder, &["probe.handle"]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(3), ""));
        assert!(finished.stderr.contains("Runtime.HandlerNotFound"), "{finished:?}");
        assert!(finished.stderr.contains("handler"), "{finished:?}");
    }
}

#[test]
fn the_event_comes_from_the_command_line_a_file_or_standard_input() {
    for language in crate::support::PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        folder.write("event.json", r#"{"from": "a file"}"#);
        let finished = invoke(&folder, &["probe.handler", "--json", "--event", "event.json"]);
        assert!(finished.stdout.contains("a file"), "{finished:?}");
        let command = trine(&folder, &["invoke", "probe.handler", "--json", "--event", "-"]);
        let finished = run_with_input(command, br#"{"from": "standard input"}"#);
        assert!(finished.stdout.contains("standard input"), "{finished:?}");
        for (text, expected) in
            [("null", "null\n"), ("-1", "-1\n"), ("  [ ] ", "[]\n"), ("true", "true\n")]
        {
            let finished =
                invoke(&folder, &["probe.handler", "--json", &format!("--event={text}")]);
            assert_eq!(finished.stdout, expected);
        }
        let finished = invoke(&folder, &["probe.handler", "--json"]);
        assert_eq!(finished.stdout, "{}\n");
    }
}

#[test]
fn events_are_read_as_editors_and_shells_leave_them() {
    let folder = Folder::probe(crate::support::LANGUAGES[4]);
    folder.write("mark.json", b"\xef\xbb\xbf{\"a\": 1}\r\n");
    folder.write("2026-event.json", "{\"a\": 2}");
    folder.write("7", "{\"a\": 3}");
    folder.write("nothing.json", "\n");
    for (event, expected) in [
        ("mark.json", "{\"a\":1}\n"),
        ("2026-event.json", "{\"a\":2}\n"),
        ("7", "7\n"),
        ("-7", "-7\n"),
        (" true ", "true\n"),
        ("nothing.json", "{}\n"),
    ] {
        let finished = invoke(&folder, &["probe.handler", "--json", "--event", event]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), expected), "{finished:?}");
    }
    let command = trine(&folder, &["invoke", "probe.handler", "--json", "--event", "-"]);
    let finished = run_with_input(command, b"\xef\xbb\xbf[1]");
    assert_eq!(finished.stdout, "[1]\n", "{finished:?}");
    for (event, told) in [
        ("", "error: the event is empty: write JSON such as"),
        (" \n", "error: the event is empty: write JSON such as"),
        (".", "error: the event \".\" is neither JSON nor a file that can be read: Is a directory"),
    ] {
        let finished = invoke(&folder, &["probe.handler", "--event", event]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{finished:?}");
        assert!(finished.stderr.starts_with(told), "{finished:?}");
    }
}

#[test]
fn an_event_file_that_is_missing_is_a_wrong_command_line() {
    let folder = Folder::probe(crate::support::LANGUAGES[4]);
    let finished = invoke(&folder, &["probe.handler", "--event", "evnt.json"]);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""));
    let expected =
        "the event \"evnt.json\" is neither JSON nor a file that can be read: No such file";
    assert!(finished.stderr.contains(expected), "{finished:?}");
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let folder = Folder::probe(crate::support::LANGUAGES[4]);
    for arguments in [
        &["probe.handler", "--timeout", "soon"][..],
        &["probe.handler", "--timeout", "-1"],
        &["probe.handler", "--timeout", "0"],
        &["probe.handler", "--timeout", "NaN"],
        &["probe.handler", "--evnt", "{}"],
        &["probe.handler", "another"],
    ] {
        let finished = invoke(&folder, arguments);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(!finished.stderr.is_empty());
    }
}

#[test]
fn bytes_from_python_are_written_as_they_are() {
    let folder =
        Folder::new(&[("app.py", "def handler(event, context):\n    return bytes(range(256))\n")]);
    let finished = invoke(&folder, &["app.handler"]);
    let expected: Vec<u8> = (0..=255).collect();
    assert_eq!(finished.raw_stdout, expected);
}

#[test]
fn a_promise_that_never_settles_ends_with_words() {
    let folder = Folder::new(&[("app.mjs", "export const handler = () => new Promise(() => {});")]);
    let finished = invoke(&folder, &["app.handler"]);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""), "{finished:?}");
    assert!(finished.stderr.contains("hint: resolve or reject every promise"), "{finished:?}");
}

#[test]
fn an_import_that_fails_names_module_and_search() {
    for (file, text, missing) in [
        ("app.mjs", "import 'left-pad';\nexport const handler = () => 1;", "left-pad"),
        ("app.py", "import left_pad\n\ndef handler(event, context):\n    pass\n", "left_pad"),
        ("app.lua", "require('left_pad')\nreturn { handler = function() end }", "left_pad"),
    ] {
        let folder = Folder::new(&[(file, text)]);
        let finished = invoke(&folder, &["app.handler"]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(3), ""), "{finished:?}");
        for part in ["Runtime.ImportModuleError", missing, "hint: is the dependency vendored"] {
            assert!(finished.stderr.contains(part), "{part}: {finished:?}");
        }
    }
}

#[test]
fn a_function_is_for_node_or_for_deno_as_the_variable_says() {
    let text =
        "export const handler = () => [typeof Deno, typeof self, typeof process.versions.deno];";
    let folder = Folder::new(&[("app.mjs", text)]);
    let invoke = |flavour: &str| {
        let mut command = trine(&folder, &["invoke", "app.handler", "--json"]);
        command.env("TRINE_FLAVOUR", flavour);
        run(command)
    };
    let node = r#"["undefined","undefined","undefined"]"#;
    for (flavour, seen) in [("node", node), ("", node), ("deno", r#"["object","object","string"]"#)]
    {
        let finished = invoke(flavour);
        assert_eq!(finished.stdout.trim_end(), seen, "{finished:?}");
    }
    let finished = invoke("bun");
    assert_ne!(finished.code, Some(0));
    assert!(
        finished.stderr.contains("TRINE_FLAVOUR is 'bun'; it may be 'node' or 'deno'")
            || finished.stdout.contains("TRINE_FLAVOUR is 'bun'; it may be 'node' or 'deno'"),
        "{finished:?}"
    );
}

#[test]
fn typescript_is_served_from_its_sources() {
    let folder = Folder::new(&[
        (
            "tsconfig.json",
            r#"{"compilerOptions": {"paths": {"@lib/*": ["./lib/*"]}, "jsx": "react-jsx", "jsxImportSource": "@lib"}}"#,
        ),
        (
            "src/app.tsx",
            "import { total } from '@lib/total';\nexport const handler = (items: number[]) => <p>{total(items)}</p>;",
        ),
        ("src/plain.jsx", "export const handler = (name) => <b>{name}</b>;"),
        (
            "lib/total.ts",
            "export const total = (items: number[]): number => items.reduce((a, b) => a + b, 0);",
        ),
        (
            "lib/jsx-runtime.ts",
            "export const jsx = (type: string, { children }: { children: unknown }) => `<${type}>${children}</${type}>`;",
        ),
    ]);
    for (handler, event, answer) in [
        ("src/app.handler", "[1,2]", "\"<p>3</p>\"\n"),
        ("src/plain.handler", "\"x\"", "\"<b>x</b>\"\n"),
    ] {
        let finished = invoke(&folder, &[handler, "--event", event]);
        assert_eq!(finished.stdout, answer, "{finished:?}");
    }
}
