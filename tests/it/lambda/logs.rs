//! Output to standard output and standard error, in both of Lambda's formats.

use crate::support::{Folder, Lambda, ask, in_each_language};
use serde_json::{Value, json};
use trine_emulator::Event;

/// Starts the probe with this log format.
fn start(language: crate::support::Language, format: &str) -> (Folder, Lambda) {
    let folder = Folder::probe(language);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "probe.handler").env("AWS_LAMBDA_LOG_FORMAT", format);
    });
    (folder, lambda)
}

in_each_language! {
    a_line_of_the_guests_reaches_standard_output_in_its_languages_form(language) {
        let (_folder, lambda) = start(language, "Text");
        let event = json!({"do": "log", "text": "a line é"});
        let outcome = lambda.outcome(event);
        assert!(outcome.is_response(), "{outcome:?}");
        lambda.logged("a line é\n");
        let line = lambda.process.stdout();
        let line = line.lines().last().unwrap();
        if language.engine == "js" {
            let parts: Vec<&str> = line.split('\t').collect();
            assert_eq!(parts[1..], [outcome.request_id.as_str(), "INFO", "a line é"]);
            assert!(parts[0].ends_with('Z') && parts[0].len() == 24, "{line}");
        } else {
            assert_eq!(line, "a line é");
        }
        assert_eq!(lambda.process.stderr(), "");
    }

    a_failure_leaves_a_record_with_the_request_id_in_text(language) {
        let (_folder, lambda) = start(language, "Text");
        let (outcome, _) = lambda.fail(ask("fail"));
        let log = lambda.logged("no anvil left");
        let line = log.lines().find(|line| line.contains("no anvil left")).unwrap();
        if language.engine == "python" {
            assert!(line.starts_with("[ERROR] OutOfStock: no anvil left\r"), "{line:?}");
            let trace = "Traceback (most recent call last):\r\u{a0}\u{a0}File";
            assert!(line.contains(trace), "{line:?}");
        } else {
            let (head, document) = line.split_once("Invoke Error \t").unwrap();
            assert!(head.ends_with(&format!("\t{}\tERROR\t", outcome.request_id)), "{line:?}");
            let document: Value = serde_json::from_str(document).unwrap();
            assert_eq!(document["errorType"], "OutOfStock");
            assert!(document["stack"].is_array(), "{document}");
        }
    }

    in_json_the_record_of_a_failure_names_the_tenant(language) {
        let (_folder, lambda) = start(language, "JSON");
        let tenant_id = Some("blue".into());
        let (failed, _) = lambda.fail(Event { tenant_id, ..Event::from(ask("fail")) });
        let log = lambda.logged("no anvil left");
        let line = log.lines().find(|line| line.contains("no anvil left")).unwrap();
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["requestId"], &line["tenantId"]), (&json!(failed.request_id), &json!("blue")));
        let (failed, _) = lambda.fail(ask("fail"));
        let log = lambda.logged(&failed.request_id);
        let last: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
        assert_eq!(last.get("tenantId"), None, "{log}");
    }

    in_json_every_line_is_an_object_with_level_time_and_request_id(language) {
        let (_folder, lambda) = start(language, "JSON");
        let outcome = lambda.outcome(json!({"do": "log", "text": "a line"}));
        assert!(outcome.is_response(), "{outcome:?}");
        let (failed, _) = lambda.fail(ask("fail"));
        lambda.logged("no anvil left");
        let log = lambda.logged("a line");
        // What Python prints stays raw in either format.
        let own = log.lines().filter(|line| *line != "a line" || language.engine != "python");
        let lines: Vec<Value> = own
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line:?}")))
            .collect();
        for line in &lines {
            let time = line["timestamp"].as_str().unwrap();
            assert!(time.ends_with('Z') && time.contains('T'), "{line}");
            assert!(line["level"].is_string() && line["requestId"].is_string(), "{line}");
        }
        let of = |id: &str| lines.iter().filter(|line| line["requestId"] == id).count();
        assert_eq!(of(&failed.request_id), 1, "{log}");
        if language.engine != "python" {
            assert_eq!(of(&outcome.request_id), 1, "{log}");
        }
    }
}

#[test]
fn pythons_logging_has_one_line_in_each_format() {
    let source = "\
import logging

def handler(event, context):
    logging.getLogger('shop').warning('low on %s', 'anvils')
";
    for format in ["Text", "JSON"] {
        let folder = Folder::new(&[("app.py", source)]);
        let lambda = Lambda::with(&folder, |command| {
            command.env("_HANDLER", "app.handler").env("AWS_LAMBDA_LOG_FORMAT", format);
        });
        let outcome = lambda.outcome(json!({}));
        let log = lambda.logged("low on anvils");
        if format == "Text" {
            assert!(log.starts_with("[WARNING]\t"), "{log:?}");
            assert!(
                log.ends_with(&format!("\t{}\tlow on anvils\n", outcome.request_id)),
                "{log:?}"
            );
        } else {
            let line: Value = serde_json::from_str(&log).unwrap();
            assert_eq!(line["level"], "WARNING");
            assert_eq!(line["logger"], "shop");
            assert_eq!(line["message"], "low on anvils");
            assert_eq!(line["requestId"], outcome.request_id.as_str());
        }
    }
}

#[test]
fn lines_below_the_level_are_left_out() {
    let folder = Folder::new(&[(
        "app.mjs",
        "export const handler = () => { console.log('quiet'); console.error('loud'); };",
    )]);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env("AWS_LAMBDA_LOG_LEVEL", "error");
    });
    lambda.invoke(json!({}));
    let log = lambda.logged("loud");
    assert!(!log.contains("quiet"), "{log}");
}
