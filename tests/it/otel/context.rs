//! The trace that a request or an event belongs to: who decides, and what guests see of it.

use super::{Collector, Manner, SPAN, TRACE, reporter, serve, serve_with, traceparent};
use crate::support::{Folder, PROBE_LANGUAGES, Served, in_each_language};
use serde_json::json;

in_each_language! {
    /// The client's trace goes on: through the server's span, whose place the handler sees, with state and baggage.
    a_clients_trace_goes_on_in_the_handler(language) {
        let collector = Collector::start(Manner::Takes);
        let (name, source) = reporter(language);
        let folder = Folder::new(&[(&name, source)]);
        let served = serve(&folder, &collector, &[]);
        let parent = traceparent("01");
        let headers = [
            ("traceparent", parent.as_str()),
            ("tracestate", "a=1,b=2"),
            ("baggage", "user=x"),
            ("x-request-id", "id-1"),
        ];
        let seen = served.request("GET", "/app", &headers, b"").json();
        let span = collector.invocation("id-1");
        assert_eq!((span.trace.as_str(), span.parent.as_str(), span.kind), (TRACE, SPAN, 2));
        let expected =
            json!({"traceparent": span.traceparent(), "tracestate": "a=1,b=2", "baggage": "user=x"});
        assert_eq!(seen, expected);
        // Without a client's it begins here.
        let seen = served.request("GET", "/app", &[("x-request-id", "id-2")], b"").json();
        let span = collector.invocation("id-2");
        assert_eq!(seen, json!({"traceparent": span.traceparent()}));
        assert!(span.parent.is_empty() && span.trace != TRACE, "{span:?}");
    }
}

#[test]
fn what_a_client_does_not_record_is_not_sent_and_goes_on_unrecorded() {
    for language in PROBE_LANGUAGES {
        let collector = Collector::start(Manner::Takes);
        let (name, source) = reporter(language);
        let folder = Folder::new(&[(&name, source)]);
        let served = serve(&folder, &collector, &[]);
        let parent = traceparent("00");
        let headers = [("traceparent", parent.as_str()), ("x-request-id", "unrecorded")];
        let seen = served.request("GET", "/app", &headers, b"").json();
        let seen = seen["traceparent"].as_str().unwrap();
        assert!(seen.starts_with(&format!("00-{TRACE}-")) && seen.ends_with("-00"), "{seen}");
        assert!(!seen.contains(SPAN), "{seen}");
        served.request("GET", "/app", &[("x-request-id", "recorded")], b"");
        collector.invocation("recorded");
        assert!(collector.spans().iter().all(|span| span.trace != TRACE));
    }
}

fn spans_of(sampler: &[(&str, &str)], flags: &str) -> usize {
    let collector = Collector::start(Manner::Takes);
    let (name, source) = reporter(PROBE_LANGUAGES[0]);
    let folder = Folder::new(&[(&name, source)]);
    let served = serve_with(&folder, &collector, &[], sampler);
    let parent = traceparent(flags);
    for headers in [&[("traceparent", parent.as_str())][..], &[]] {
        served.request("GET", "/app", headers, b"");
    }
    served.process.signal("TERM");
    // What is left is sent before the end.
    assert_eq!(served.process.wait(), Some(0));
    collector.spans().iter().filter(|span| span.kind == 2).count()
}

#[test]
fn a_sampler_decides_for_whom_it_is_asked() {
    let of = |name| [("OTEL_TRACES_SAMPLER", name)];
    // One request has a parent, the other has none.
    assert_eq!(spans_of(&of("always_on"), "00"), 2);
    assert_eq!(spans_of(&of("always_off"), "01"), 0);
    assert_eq!(spans_of(&of("parentbased_always_on"), "00"), 1);
    assert_eq!(spans_of(&of("parentbased_always_off"), "01"), 1);
    let none =
        [("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "0")];
    assert_eq!(spans_of(&none, "01"), 1);
}

#[test]
fn x_rays_header_is_a_parent_where_that_is_wanted() {
    let (name, source) = reporter(PROBE_LANGUAGES[0]);
    let folder = Folder::new(&[(&name, source)]);
    let xray = format!("Root=1-0af76519-16cd43dd8448eb211c80319c;Parent={SPAN};Sampled=1");
    for (propagators, is_parent) in [("", true), ("xray", true), ("tracecontext,baggage", false)] {
        let collector = Collector::start(Manner::Takes);
        let variables = [("OTEL_PROPAGATORS", propagators)];
        let served = serve_with(&folder, &collector, &[], &variables);
        let headers = [("x-amzn-trace-id", xray.as_str()), ("x-request-id", "x")];
        served.request("GET", "/app", &headers, b"");
        assert_eq!(collector.invocation("x").trace == TRACE, is_parent, "{propagators}");
    }
}

#[test]
fn a_request_without_x_rays_header_gets_one_of_its_trace() {
    let collector = Collector::start(Manner::Takes);
    let source = "export const handler = async (event, context) =>\n\
                    [context.xRayTraceId, event.headers['x-amzn-trace-id']];\n";
    let folder = Folder::new(&[("app.mjs", source)]);
    let served = serve(&folder, &collector, &[]);
    let parent = traceparent("01");
    let headers = [("traceparent", parent.as_str()), ("x-request-id", "x")];
    let seen = served.request("GET", "/app", &headers, b"").json();
    let span = collector.invocation("x");
    let expected = format!("Root=1-0af76519-16cd43dd8448eb211c80319c;Parent={};Sampled=1", span.id);
    assert_eq!(seen, json!([expected, expected]));
}

#[test]
fn what_is_no_trace_context_is_ignored() {
    let collector = Collector::start(Manner::Takes);
    let (name, source) = reporter(PROBE_LANGUAGES[0]);
    let folder = Folder::new(&[(&name, source)]);
    let served = serve(&folder, &collector, &[]);
    let long = "a=".to_owned() + &"x".repeat(4000);
    for (number, (parent, state)) in [
        ("00-x", "a=1"),
        ("", ""),
        (&*traceparent("01"), long.as_str()),
        (&*traceparent("zz"), "=,="),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("odd-{number}");
        let headers =
            [("traceparent", parent), ("tracestate", state), ("x-request-id", id.as_str())];
        assert_eq!(served.request("GET", "/app", &headers, b"").status, 200, "{parent}");
        collector.invocation(&id);
    }
}

#[test]
fn without_a_collector_nothing_changes() {
    for language in PROBE_LANGUAGES {
        let (name, source) = reporter(language);
        let folder = Folder::new(&[(&name, source)]);
        let served = Served::start(&folder, &[]);
        let parent = traceparent("01");
        let headers = [("traceparent", parent.as_str())];
        let seen = served.request("GET", "/app", &headers, b"").json();
        assert_eq!(seen, json!({"traceparent": parent}));
    }
}
