//! The parts of an invocation: hooks of middlewares in any language, and records of an event.

use super::{Collector, Manner, serve_with};
use crate::support::{Folder, Lambda};
use serde_json::json;

#[test]
fn each_hook_and_the_handler_have_a_span() {
    let collector = Collector::start(Manner::Takes);
    let folder = Folder::new(&[
        (
            "app.mjs",
            "export const handler = async (event) => { if (event.queryStringParameters?.fail) throw new RangeError('x'); return event.before; };\n",
        ),
        (
            "middlewares/outer.py",
            "def before(event, context):\n    event['before'] = 1\n\ndef after(response, context):\n    return response\n",
        ),
        (
            "middlewares/inner.lua",
            "return { before = function(event) end, error = function(error) return { statusCode = 418 } end }\n",
        ),
        (
            "middlewares/wrapping.mjs",
            "export const wrap = (handler) => async (event, context) => handler(event, context);\n",
        ),
    ]);
    let variables = [("TRINE_MIDDLEWARES", "outer,inner,wrapping")];
    let served = serve_with(&folder, &collector, &[], &variables);
    let get =
        |path: &str, id: &str| served.request("GET", path, &[("x-request-id", id)], b"").status;
    assert_eq!(get("/app", "good"), 200, "{:?}", served.process);
    let span = collector.invocation("good");
    let names = |span| -> Vec<String> {
        let parts = collector.children(span, 4);
        parts.into_iter().map(|part| part.name).filter(|name| name != "load").collect()
    };
    assert_eq!(names(&span), ["before outer", "before inner", "handler", "after outer"]);
    let parts = collector.children(&span, 4);
    assert!(parts.windows(2).all(|pair| pair[0].ended <= pair[1].begun), "{parts:#?}");
    // What a hook has recovered from is told where it happened.
    assert_eq!(get("/app?fail=1", "bad"), 418);
    let span = collector.invocation("bad");
    assert_eq!(
        names(&span),
        ["before outer", "before inner", "handler", "error inner", "after outer"]
    );
    let parts = collector.children(&span, 5);
    let failed: Vec<_> = parts.iter().filter(|part| part.has_failed).collect();
    assert_eq!((failed.len(), failed[0].name.as_str(), span.has_failed), (1, "handler", false));
    assert_eq!(failed[0].exception()["exception.type"], "RangeError");
}

#[test]
fn a_hook_that_fails_is_told_under_its_middlewares_name() {
    let collector = Collector::start(Manner::Takes);
    let folder = Folder::new(&[
        ("app.lua", "return { handler = function() return {} end }\n"),
        ("middlewares/guard.py", "def before(event, context):\n    raise KeyError('no')\n"),
    ]);
    let served = serve_with(&folder, &collector, &[], &[("TRINE_MIDDLEWARES", "guard")]);
    served.request("GET", "/app", &[("x-request-id", "x")], b"");
    let span = collector.invocation("x");
    let parts = collector.children(&span, 2);
    let hook = parts.iter().find(|part| part.name == "before guard").unwrap();
    assert_eq!(hook.exception()["exception.type"], "KeyError");
    assert_eq!(span.exception()["exception.type"], "Middleware.guard");
    assert!(parts.iter().all(|part| part.name != "handler"), "{parts:#?}");
}

#[test]
fn each_record_of_an_event_has_a_span_with_its_own_parts() {
    let collector = Collector::start(Manner::Takes);
    let source = "export const handler = async (event, context) => {\n\
                    console.log(event.data, context.w3c().traceparent);\n\
                    if (event.data === 'bad') throw new Error('as asked');\n\
                  };\n";
    let folder = Folder::new(&[("app.mjs", source)]);
    let lambda = Lambda::with(&folder, |command| {
        command
            .env("_HANDLER", "app.handler")
            .env("TRINE_CLOUDEVENTS", "1.0")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    });
    let record = |id: &str| {
        json!({"messageId": id, "body": id, "eventSource": "aws:sqs",
               "eventSourceARN": "arn:aws:sqs:eu-west-1:1:q"})
    };
    let answer = lambda.invoke(json!({"Records": [record("good"), record("bad")]}));
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "bad"}]}));
    let span = collector.span("the event", |span| span.facts["faas.trigger"] == "pubsub");
    assert!(!span.has_failed && span.kind == 5, "{span:#?}");
    let parts = collector.children(&span, 3);
    let records: Vec<_> = parts.iter().filter(|part| part.name == "record").collect();
    assert_eq!(records.iter().map(|record| record.has_failed).collect::<Vec<_>>(), [false, true]);
    for (record, data) in records.into_iter().zip(["good", "bad"]) {
        let parts = collector.children(record, 1);
        assert_eq!(parts[0].name, "handler");
        let line = format!("{data} {}", record.traceparent());
        assert!(lambda.process.stdout().contains(&line), "{line} {:?}", lambda.process);
    }
}

#[test]
fn timeout_hooks_are_parts_too() {
    let collector = Collector::start(Manner::Takes);
    let folder = Folder::new(&[
        (
            "app.mjs",
            "export const handler = () => new Promise((done) => setTimeout(done, 600000));\n",
        ),
        ("middlewares/late.mjs", "export const timeout = async () => {};\n"),
    ]);
    // With so much time before the deadline that a busy machine has some for the hook.
    let arguments = ["--middlewares", "late", "--timeout", "5s", "--eager"];
    let margin = [("TRINE_TIMEOUT_MARGIN_MS", "500")];
    let served = serve_with(&folder, &collector, &arguments, &margin);
    let status = served.request("GET", "/app", &[("x-request-id", "x")], b"").status;
    assert_eq!(status, 504, "{:?}", served.process);
    let span = collector.invocation("x");
    let parts = collector.children(&span, 2);
    assert!(parts.iter().any(|part| part.name == "timeout late"), "{parts:#?}");
}
