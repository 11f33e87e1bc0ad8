//! What callers and the platform learn about a handler's failure.

use crate::support::{Folder, LANGUAGES, Lambda, Language, ask, in_each_language, line_of};
use serde_json::{Value, json};
use trine_emulator::{Answer, Event, Outcome};

/// Returns the file and line at which the probe of a language fails.
fn failing_line(language: Language) -> (String, usize) {
    let comment = match language.engine {
        "python" => "# here",
        "lua" => "-- here",
        _ => "// here",
    };
    (format!("probe.{}", language.extension), line_of(language.probe, comment))
}

/// Returns the type of the error as X-Ray hears it.
fn xray_type(outcome: &Outcome) -> Value {
    let Answer::Error { xray_cause: Some(cause), .. } = &outcome.result else {
        panic!("{outcome:?}")
    };
    serde_json::from_str::<Value>(cause).unwrap()["exceptions"][0]["type"].clone()
}

in_each_language! {
    an_error_has_the_members_that_its_languages_own_runtime_sends(language) {
        let (_folder, lambda) = Lambda::probe(language);
        let (outcome, document) = lambda.fail(ask("fail"));
        assert_eq!(document["errorType"], "OutOfStock");
        assert_eq!(document["errorMessage"], "no anvil left");
        let members: Vec<&String> = document.as_object().unwrap().keys().collect();
        let (expected, stack): (&[&str], &str) = match language.engine {
            "js" => (&["errorType", "errorMessage", "trace"], "trace"),
            "python" => (&["errorMessage", "errorType", "requestId", "stackTrace"], "stackTrace"),
            _ => (&["errorMessage", "errorType", "stackTrace"], "stackTrace"),
        };
        assert_eq!(members, expected);
        if language.engine == "python" {
            assert_eq!(document["requestId"], outcome.request_id.as_str());
        }
        let stack = document[stack].to_string();
        let (file, line) = failing_line(language);
        assert!(stack.contains(&file) && stack.contains(&line.to_string()), "{line}: {stack}");
        lambda.emulator.assert_clean();
    }

    the_platform_gets_a_type_that_it_keeps_and_a_cause_with_file_and_line(language) {
        let (folder, lambda) = Lambda::probe(language);
        let (outcome, _) = lambda.fail(ask("fail"));
        let Answer::Error { type_header, xray_cause, .. } = &outcome.result else { unreachable!() };
        assert_eq!(type_header.as_deref(), Some("Function.OutOfStock"));
        assert_eq!(outcome.error_type().as_deref(), Some("Function.OutOfStock"));
        let cause = xray_cause.as_deref().unwrap();
        assert!(cause.is_ascii() && !cause.contains('\n'), "{cause}");
        let cause: Value = serde_json::from_str(cause).unwrap();
        let exception = &cause["exceptions"][0];
        assert_eq!(exception["type"], "OutOfStock");
        assert_eq!(exception["message"], "no anvil left");
        let (file, line) = failing_line(language);
        let frame = json!({"path": folder.file(&file), "line": line});
        let stack = exception["stack"].as_array().unwrap();
        let found = stack.iter().any(|known| {
            known["path"] == frame["path"] && known["line"] == frame["line"]
        });
        assert!(found, "{frame} is not in {cause}");
        assert_eq!(cause["paths"], json!([folder.file(&file)]));
    }

    a_result_without_a_json_form_is_an_error_of_the_runtimes(language) {
        let (_folder, lambda) = Lambda::probe(language);
        let (outcome, document) = lambda.fail(ask("impossible"));
        let (kind, start) = match language.engine {
            "js" => ("Runtime.JSONStringifyError", "Unable to stringify response body"),
            _ => ("Runtime.MarshalError", "Unable to marshal response: "),
        };
        assert_eq!(document["errorType"], kind);
        assert!(document["errorMessage"].as_str().unwrap().starts_with(start), "{document}");
        assert_eq!(outcome.error_type().as_deref(), Some(kind));
        // X-Ray hears of it as the official clients call it.
        let fault = if language.engine == "python" { "LambdaValidationError" } else { kind };
        assert_eq!(xray_type(&outcome), fault);
        lambda.emulator.assert_clean();
    }

    to_exit_ends_the_invocation_and_not_the_process(language) {
        let (_folder, lambda) = Lambda::probe(language);
        for (status, text) in [
            (3, "Runtime exited with error: exit status 3"),
            (0, "Runtime exited without providing a reason"),
        ] {
            let (outcome, document) = lambda.fail(json!({"do": "exit", "status": status}));
            assert_eq!(document["errorType"], "Runtime.ExitError");
            let expected = format!("RequestId: {} Error: {text}", outcome.request_id);
            assert_eq!(document["errorMessage"], expected);
            assert_eq!(outcome.error_type().as_deref(), Some("Runtime.ExitError"));
            assert!(lambda.invoke(ask("count")).as_f64().is_some_and(|count| count >= 1.0));
        }
        assert_eq!(lambda.process.status(), None);
        lambda.emulator.assert_clean();
    }
}

#[test]
fn in_python_an_event_or_a_context_that_does_not_parse_is_a_fault_to_xray() {
    let (_folder, lambda) = Lambda::probe(LANGUAGES[3]);
    let broken = Event { body: "{oops".into(), ..Event::from(json!({})) };
    let client_context = Some("{oops".into());
    for (event, kind) in [
        (broken, "Runtime.UnmarshalError"),
        (Event { client_context, ..Event::from(json!({})) }, "Runtime.LambdaContextUnmarshalError"),
    ] {
        let (outcome, document) = lambda.fail(event);
        assert_eq!(document["errorType"], kind);
        assert_eq!(xray_type(&outcome), "LambdaValidationError");
    }
}

#[test]
fn what_python_says_at_its_exit_is_printed_once() {
    for (body, line) in [
        ("sys.exit('why it ends')", "why it ends"),
        ("raise SystemExit(['why it ends'])", "['why it ends']"),
    ] {
        let source = format!("import sys\ndef handler(event, context):\n    {body}\n");
        let folder = Folder::new(&[("app.py", &source)]);
        let lambda = Lambda::start(&folder, "app.handler");
        let (_, document) = lambda.fail(json!({}));
        assert_eq!(document["errorType"], "Runtime.ExitError", "{body}: {document}");
        // The traceback shows the words as well, within its line of the source.
        let log = lambda.logged(&format!("\n{line}\n"));
        let printed = log.lines().filter(|printed| *printed == line);
        assert_eq!(printed.count(), 1, "{body}: {log}");
    }
}

#[test]
fn what_a_callback_of_nodes_modules_throws_is_an_exception_that_nobody_catches() {
    let source = "
const fs = require('node:fs');
const crypto = require('node:crypto');
const fail = () => { throw new RangeError('in a callback'); };
const begin = {
  timer: () => setTimeout(fail, 1),
  stat: () => fs.stat('/', fail),
  missing: () => fs.open('/absent', 'r', fail),
  append: () => fs.appendFile('/dev/null', 'a', fail),
  randomBytes: () => crypto.randomBytes(4, fail),
  scrypt: () => crypto.scrypt('a', 'b', 8, fail),
  keys: () => crypto.generateKeyPair('ed25519', fail),
};
exports.handler = (event) => new Promise(() => begin[event]());
exports.begin = begin;
";
    let folder = Folder::new(&[("app.cjs", source)]);
    let lambda = Lambda::start(&folder, "app.handler");
    let (_, timer) = lambda.fail(json!("timer"));
    assert_eq!(timer["errorType"], "Runtime.UncaughtException", "{timer}");
    for what in ["stat", "missing", "append", "randomBytes", "scrypt", "keys"] {
        let (_, error) = lambda.fail(json!(what));
        for member in ["errorType", "errorMessage"] {
            assert_eq!(error[member], timer[member], "{what}: {error}");
        }
    }
    lambda.emulator.assert_clean();
}
