//! Events of Lambda as spans: whose trace they belong to, what they are, and when they are sent.

use super::{Collector, Manner, SPAN, TRACE, reporter, traceparent};
use crate::support::{Folder, LANGUAGES, Lambda, PROBE_LANGUAGES, in_each_language};
use serde_json::{Value, json};
use trine_emulator::Event;

/// Starts `bootstrap` with traces for this collector.
fn start(folder: &Folder, handler: &str, collector: &Collector) -> Lambda {
    Lambda::with(folder, |command| {
        command
            .env("_HANDLER", handler)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
            // So long that nothing is sent but where somebody sees to it.
            .env("OTEL_BSP_SCHEDULE_DELAY", "3600000");
    })
}

fn event(body: Value, id: &str, sampled: &str) -> Event {
    let root = "Root=1-0af76519-16cd43dd8448eb211c80319c";
    Event {
        trace_id: Some(format!("{root};Parent={SPAN};Sampled={sampled}")),
        request_id: Some(id.to_owned()),
        ..Event::from(body)
    }
}

in_each_language! {
    /// X-Ray's header is the parent, and the span is sent after the answer, without a wait for more.
    x_rays_trace_goes_on_and_is_sent_between_events(language) {
        let collector = Collector::start(Manner::Takes);
        let (name, source) = reporter(language);
        let folder = Folder::new(&[(&name, source)]);
        let lambda = start(&folder, "app.handler", &collector);
        for (number, is_cold) in [(1, true), (2, false)] {
            let id = format!("id-{number}");
            let seen = lambda.invoke(event(json!({}), &id, "1"));
            let span = collector.invocation(&id);
            assert_eq!((span.trace.as_str(), span.parent.as_str(), span.kind), (TRACE, SPAN, 2));
            assert_eq!(seen, json!({"traceparent": span.traceparent()}));
            assert_eq!(span.facts["faas.coldstart"], is_cold);
            let parts = collector.children(&span, 1);
            let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
            assert_eq!(names, if is_cold { &["load", "handler"][..] } else { &["handler"] });
        }
    }
}

#[test]
fn what_x_ray_does_not_record_is_not_sent() {
    let collector = Collector::start(Manner::Takes);
    let (name, source) = reporter(PROBE_LANGUAGES[0]);
    let folder = Folder::new(&[(&name, source)]);
    let lambda = start(&folder, "app.handler", &collector);
    let seen = lambda.invoke(event(json!({}), "off", "0"));
    let seen = seen["traceparent"].as_str().unwrap();
    assert!(seen.starts_with(&format!("00-{TRACE}-")) && seen.ends_with("-00"), "{seen}");
    lambda.invoke(event(json!({}), "on", "1"));
    collector.invocation("on");
    assert!(collector.spans().iter().all(|span| span.facts["faas.invocation_id"] != "off"));
}

#[test]
fn a_callers_own_trace_comes_before_x_rays_which_is_linked() {
    let collector = Collector::start(Manner::Takes);
    let (name, source) = reporter(PROBE_LANGUAGES[0]);
    let folder = Folder::new(&[(&name, source)]);
    let lambda = start(&folder, "app.handler", &collector);
    let own = "00-11111111111111111111111111111111-2222222222222222-01";
    let request = json!({
        "version": "2.0", "routeKey": "GET /pets/{id}", "rawPath": "/pets/7",
        "headers": {"Traceparent": own, "tracestate": "a=1", "X-Forwarded-Proto": "https"},
        "requestContext": {
            "domainName": "shop.example",
            "http": {"method": "GET", "sourceIp": "203.0.113.9", "userAgent": "test/1"},
        },
    });
    lambda.invoke(event(request, "http", "0"));
    let span = collector.invocation("http");
    assert_eq!((span.trace.as_str(), span.parent.as_str()), (&own[3..35], &own[36..52]));
    assert_eq!(span.links, [TRACE]);
    assert_eq!((span.name.as_str(), span.kind), ("GET /pets/{id}", 2));
    for (name, value) in [
        ("faas.trigger", "http"),
        ("http.request.method", "GET"),
        ("http.route", "/pets/{id}"),
        ("url.path", "/pets/7"),
        ("url.scheme", "https"),
        ("server.address", "shop.example"),
        ("client.address", "203.0.113.9"),
        ("user_agent.original", "test/1"),
    ] {
        assert_eq!(span.facts[name], value, "{span:#?}");
    }
    assert_eq!(span.facts["http.response.status_code"], 200);
    // By way of the client context, as those send it who invoke the function directly.
    let context = json!({"custom": {"a": "b"}, "w3c": {"traceparent": own}}).to_string();
    lambda.invoke(Event { client_context: Some(context), ..event(json!({}), "direct", "1") });
    let span = collector.invocation("direct");
    assert_eq!(
        (span.trace.as_str(), span.facts["faas.trigger"].as_str()),
        (&own[3..35], Some("other"))
    );
}

#[test]
fn a_message_of_a_queue_is_a_consumers() {
    let collector = Collector::start(Manner::Takes);
    let folder = Folder::new(&[("app.mjs", "export const handler = async () => null;\n")]);
    let lambda = start(&folder, "app.handler", &collector);
    let records = json!({"Records": [{"eventSource": "aws:sqs", "body": "x"}]});
    lambda.invoke(event(records, "queue", "1"));
    let span = collector.invocation("queue");
    assert_eq!((span.facts["faas.trigger"].as_str(), span.kind), (Some("pubsub"), 5));
    let of_platform = &collector.requests()[0].resource;
    assert_eq!(of_platform["cloud.platform"], "aws_lambda");
    assert_eq!(of_platform["cloud.provider"], "aws");
    assert_eq!(of_platform["service.name"], of_platform["faas.name"]);
    assert!(of_platform["faas.max_memory"].is_i64(), "{of_platform}");
}

#[test]
fn statuses_and_errors_are_told() {
    for language in PROBE_LANGUAGES {
        let collector = Collector::start(Manner::Takes);
        let folder = Folder::probe(language);
        let lambda = start(&folder, "probe.handler", &collector);
        lambda.fail(event(json!({"do": "fail"}), "fails", "1"));
        let span = collector.invocation("fails");
        let exception = span.exception();
        assert_eq!(exception["exception.type"], "OutOfStock", "{span:#?}");
        assert_eq!(exception["exception.message"], "no anvil left");
        assert!(span.has_failed);
    }
    let collector = Collector::start(Manner::Takes);
    let folder =
        Folder::new(&[("app.mjs", "export const handler = async () => ({ statusCode: 502 });\n")]);
    let lambda = start(&folder, "app.handler", &collector);
    let request =
        json!({"httpMethod": "GET", "resource": "/a", "path": "/a", "requestContext": {}});
    lambda.invoke(event(request, "status", "1"));
    let span = collector.invocation("status");
    assert_eq!(
        (&span.facts["http.response.status_code"], &span.facts["error.type"]),
        (&json!(502), &json!("502"))
    );
    assert!(span.has_failed && span.name == "GET /a", "{span:#?}");
}

#[test]
fn a_start_that_fails_is_told() {
    for (name, source) in [
        ("app.mjs", "throw new TypeError('at load');\nexport const handler = () => {};\n"),
        ("app.py", "raise TypeError('at load')\ndef handler(event, context): pass\n"),
        ("app.lua", "error('at load')\nreturn { handler = function() end }\n"),
    ] {
        let collector = Collector::start(Manner::Takes);
        let folder = Folder::new(&[(name, source)]);
        let lambda = start(&folder, "app.handler", &collector);
        lambda.init_error();
        let span = collector.span("the start", |span| span.name == "init");
        let message = span.exception()["exception.message"].as_str().unwrap();
        assert!(message.contains("at load"), "{name} {span:#?}");
    }
}

#[test]
fn a_streamed_answer_is_part_of_its_span() {
    let collector = Collector::start(Manner::Takes);
    let source = "export const handler = awslambda.streamifyResponse(async (event, stream) => {\n\
                    stream.write('a');\n\
                    await new Promise((wake) => setTimeout(wake, 300));\n\
                    stream.end('b');\n\
                  });\n";
    let folder = Folder::new(&[("app.mjs", source)]);
    let lambda = start(&folder, "app.handler", &collector);
    assert!(lambda.outcome(event(json!({}), "stream", "1")).is_response());
    let span = collector.invocation("stream");
    assert!(span.ended - span.begun >= 300_000_000, "{span:#?}");
}

#[test]
fn an_invocation_with_which_the_process_ends_is_sent_before() {
    let collector = Collector::start(Manner::Takes);
    let source = "import itertools
def handler(event, context):
    return sum(itertools.repeat(1))
";
    let folder = Folder::new(&[("app.py", source)]);
    let options = trine_emulator::EmulatorOptions {
        timeout: std::time::Duration::from_secs(2),
        init_timeout: crate::support::LIMIT,
        ..trine_emulator::EmulatorOptions::default()
    };
    let lambda = Lambda::under(options, &folder, |command| {
        command.env("_HANDLER", "app.handler").env("TRINE_OTLP", collector.url());
    });
    let outcome = lambda.outcome(event(json!({}), "stuck", "1"));
    assert!(!outcome.is_response(), "{outcome:?}");
    assert_eq!(lambda.process.wait(), Some(124));
    let span = collector.invocation("stuck");
    assert_eq!(span.exception()["exception.type"], "Function.Timeout", "{span:#?}");
}

#[test]
fn events_side_by_side_have_their_own_traces() {
    for language in [LANGUAGES[0], LANGUAGES[3], LANGUAGES[4]] {
        let collector = Collector::start(Manner::Takes);
        let (name, source) = reporter(language);
        let folder = Folder::new(&[(&name, source)]);
        let options = trine_emulator::EmulatorOptions {
            concurrency: 4,
            timeout: crate::support::LIMIT,
            init_timeout: crate::support::LIMIT,
            ..trine_emulator::EmulatorOptions::default()
        };
        let lambda = Lambda::under(options, &folder, |command| {
            command
                .env("_HANDLER", "app.handler")
                .env("AWS_LAMBDA_MAX_CONCURRENCY", "4")
                .env("OTEL_BSP_SCHEDULE_DELAY", "20")
                .env("TRINE_OTLP", collector.url());
        });
        for number in 0..8 {
            let id = format!("id-{number}");
            let body = json!({"headers": {"traceparent": traceparent("01")}});
            let seen = lambda.invoke(event(body, &id, "1"));
            let span = collector.invocation(&id);
            assert_eq!(seen["traceparent"], span.traceparent());
        }
    }
}
