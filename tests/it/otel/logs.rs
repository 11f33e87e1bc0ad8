//! Messages of the log with their traces: as lines, and as a collector gets them.

use super::{Collector, Manner, serve};
use crate::support::{Folder, Lambda, eventually};
use serde_json::{Value, json};

/// Handlers that log a message of two levels, one for each language.
const LOGGERS: [(&str, &str); 3] = [
    (
        "app.mjs",
        "export const handler = async () => { console.info('all is well'); console.error('not so well'); };\n",
    ),
    (
        "app.py",
        "import logging\n\
         def handler(event, context):\n\
        \x20   logging.getLogger().setLevel('INFO')\n\
        \x20   logging.info('all is well')\n\
        \x20   logging.error('not so well')\n",
    ),
    (
        "app.lua",
        "local trine = require('trine')\n\
         return { handler = function() trine.log('info', 'all is well') trine.log('error', 'not so well') end }\n",
    ),
];

#[test]
fn messages_reach_the_collector_with_level_and_trace() {
    for (name, source) in LOGGERS {
        for format in ["text", "json"] {
            let collector = Collector::start(Manner::Takes);
            let folder = Folder::new(&[(name, source)]);
            let served = serve(&folder, &collector, &["--log-format", format]);
            served.request("GET", "/app", &[("x-request-id", "id-1")], b"");
            let span = collector.invocation("id-1");
            for (text, severity, level) in
                [("all is well", 9, "INFO"), ("not so well", 17, "ERROR")]
            {
                let line = collector.record(text);
                assert_eq!(line.body, json!(text), "{name} {format}");
                assert_eq!(
                    (line.severity, line.level.as_str()),
                    (severity, level),
                    "{name} {format}"
                );
                let place = (line.trace.as_str(), line.span.as_str());
                assert_eq!(place, (span.trace.as_str(), span.id.as_str()), "{name} {format}");
                assert_eq!(line.facts["requestId"], "id-1", "{name} {format}");
            }
        }
    }
}

#[test]
fn lines_in_json_name_their_trace() {
    for (name, source) in LOGGERS {
        let collector = Collector::start(Manner::Takes);
        let folder = Folder::new(&[(name, source)]);
        let served = serve(&folder, &collector, &["--log-format", "json", "--log-requests"]);
        served.request("GET", "/app", &[("x-request-id", "id-1")], b"");
        let span = collector.invocation("id-1");
        let lines = eventually("the lines are there", || {
            let text = served.process.stdout() + &served.process.stderr();
            let lines: Vec<Value> =
                text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            (lines.iter().filter(|line| line["requestId"] == "id-1").count() >= 2).then_some(lines)
        });
        for line in lines.iter().filter(|line| line["requestId"] == "id-1") {
            assert_eq!(line["trace_id"], span.trace.as_str(), "{name} {line}");
            assert_eq!(line["span_id"], span.id.as_str(), "{name} {line}");
        }
    }
}

#[test]
fn what_is_merely_printed_and_what_the_runtime_says_is_sent_too() {
    let collector = Collector::start(Manner::Takes);
    let folder = Folder::new(&[(
        "app.py",
        "def handler(event, context):\n    print('printed', flush=True)\n    raise KeyError('lost')\n",
    )]);
    let served = serve(&folder, &collector, &[]);
    served.request("GET", "/app", &[("x-request-id", "id-1")], b"");
    let span = collector.invocation("id-1");
    let printed = collector.record("printed");
    assert_eq!((printed.severity, &printed.facts["log.iostream"]), (0, &json!("stdout")));
    assert_eq!(printed.trace, span.trace);
    let told = collector.record("KeyError");
    assert_eq!((told.level.as_str(), told.span), ("ERROR", span.id));
    served.process.signal("TERM");
    assert_eq!(served.process.wait(), Some(0));
    assert!(collector.record("asked to stop").trace.is_empty());
}

#[test]
fn invocations_side_by_side_keep_their_messages_apart() {
    let collector = Collector::start(Manner::Takes);
    let source = "export const handler = async (event) => {\n\
                    await new Promise((wake) => setTimeout(wake, 100));\n\
                    console.log(`of ${event.queryStringParameters.n}`);\n\
                  };\n";
    let folder = Folder::new(&[("app.mjs", source)]);
    let served = serve(&folder, &collector, &[]);
    let mut connections: Vec<_> = (0..8)
        .map(|n| {
            let mut connection = crate::support::Connection::open(served.address);
            let id = format!("side-{n}");
            connection.send("GET", &format!("/app?n={n}"), &[("x-request-id", &id)], b"");
            connection
        })
        .collect();
    for connection in &mut connections {
        assert_eq!(connection.receive("GET").status, 200);
    }
    for n in 0..8 {
        let span = collector.invocation(&format!("side-{n}"));
        let line = collector.record(&format!("of {n}"));
        assert_eq!((line.trace, line.span), (span.trace, span.id));
    }
}

#[test]
fn on_lambda_lines_have_the_trace_and_nothing_else_changes() {
    for (name, source) in LOGGERS {
        let collector = Collector::start(Manner::Takes);
        let folder = Folder::new(&[(name, source)]);
        let lambda = Lambda::with(&folder, |command| {
            command
                .env("_HANDLER", "app.handler")
                .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
                .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
        });
        lambda.invoke(json!({}));
        let span = collector.span("the event", |span| span.kind == 2);
        let log = lambda.logged("not so well");
        let line = log.lines().find(|line| line.contains("not so well")).unwrap();
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["trace_id"], span.trace.as_str());
        let without = Lambda::with(&folder, |command| {
            command.env("_HANDLER", "app.handler").env("AWS_LAMBDA_LOG_FORMAT", "JSON");
        });
        without.invoke(json!({}));
        let log = without.logged("not so well");
        assert!(!log.contains("trace_id"), "{log}");
    }
}
