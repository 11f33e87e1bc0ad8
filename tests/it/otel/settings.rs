//! What says where traces go, and how: OpenTelemetry's own variables, Trine's, and the flag.

use super::{Collector, Manner, reporter, serve_with};
use crate::support::{Folder, Lambda, PROBE_LANGUAGES, Process, Served, run, trine};
use serde_json::json;

fn folder() -> Folder {
    let (name, source) = reporter(PROBE_LANGUAGES[0]);
    Folder::new(&[(&name, source)])
}

#[test]
fn what_sends_is_described_and_requests_have_the_headers_that_are_set() {
    let collector = Collector::start(Manner::Takes);
    let folder = folder();
    let variables = [
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test%20one,service.name=other"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b,x-more=1"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ];
    let served = serve_with(&folder, &collector, &["--log-requests"], &variables);
    served.request("GET", "/app", &[("x-request-id", "x")], b"");
    collector.invocation("x");
    collector.record("GET /app 200");
    let requests = collector.requests();
    for path in ["/v1/traces", "/v1/logs"] {
        let request = requests.iter().find(|request| request.path == path).unwrap();
        let header = |name: &str| request.headers.get(name).map(String::as_str);
        assert_eq!(header("content-type"), Some("application/x-protobuf"));
        assert_eq!((header("api-key"), header("x-more")), (Some("a b"), Some("1")));
        assert_eq!(header("content-encoding"), Some("gzip"));
        let resource = &request.resource;
        assert_eq!(resource["service.name"], "shop");
        assert_eq!(resource["deployment.environment.name"], "test one");
        assert_eq!(resource["telemetry.sdk.language"], "rust");
    }
}

#[test]
fn guests_find_the_variables_as_they_were_set() {
    let collector = Collector::start(Manner::Takes);
    for (name, source) in [
        (
            "app.mjs",
            "export const handler = async () => Object.entries(process.env).filter(([name]) => name.startsWith('OTEL'));\n",
        ),
        (
            "app.py",
            "import os\ndef handler(event, context):\n    return [[name, value] for name, value in os.environ.items() if name.startswith('OTEL')]\n",
        ),
    ] {
        let folder = Folder::new(&[(name, source)]);
        let variables =
            [("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"), ("OTEL_TRACES_EXPORTER", "otlp")];
        let served = serve_with(&folder, &collector, &[], &variables);
        let mut seen: Vec<(String, String)> =
            serde_json::from_value(served.get("/app").json()).unwrap();
        seen.sort();
        let mut expected = vec![
            ("OTEL_BSP_SCHEDULE_DELAY".to_owned(), "20".to_owned()),
            ("OTEL_EXPORTER_OTLP_COMPRESSION".to_owned(), "gzip".to_owned()),
            ("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), collector.url()),
            ("OTEL_TRACES_EXPORTER".to_owned(), "otlp".to_owned()),
        ];
        expected.sort();
        assert_eq!(seen, expected, "{name}");
    }
}

#[test]
fn a_service_is_called_as_its_function_unless_it_is_named() {
    let collector = Collector::start(Manner::Takes);
    let folder = folder();
    let served = serve_with(&folder, &collector, &[], &[]);
    served.request("GET", "/app", &[("x-request-id", "x")], b"");
    collector.invocation("x");
    assert_eq!(collector.requests()[0].resource["service.name"], "app");
}

#[test]
fn the_flag_comes_before_variables_and_each_kind_can_be_left_out() {
    let (wanted, other) = (Collector::start(Manner::Takes), Collector::start(Manner::Takes));
    let folder = folder();
    let mut command =
        trine(&folder, &["serve", "--port", "0", "--log-requests", "--otlp", &wanted.url()]);
    command
        .env("TRINE_OTLP", other.url())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", other.url())
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        .env("OTEL_LOGS_EXPORTER", "none")
        .env("OTEL_BSP_SCHEDULE_DELAY", "20");
    let served = Served::ready(Process::start(command));
    served.request("GET", "/app", &[("x-request-id", "x")], b"");
    wanted.invocation("x");
    served.process.signal("TERM");
    assert_eq!(served.process.wait(), Some(0));
    assert!(wanted.records().is_empty() && other.count() == 0);
}

#[test]
fn what_turns_it_off_does() {
    let folder = folder();
    for off in
        [("OTEL_SDK_DISABLED", "true"), ("TRINE_OTLP", "off"), ("OTEL_TRACES_EXPORTER", "none")]
    {
        let collector = Collector::start(Manner::Takes);
        let variables = [off, ("OTEL_LOGS_EXPORTER", "none")];
        let served = serve_with(&folder, &collector, &["--log-requests"], &variables);
        let seen = served.get("/app").json();
        assert_eq!(seen, json!({}), "{off:?}");
        let threads = served.process.threads();
        assert!(!threads.iter().any(|name| name == "trine-otlp"), "{threads:?}");
        served.process.signal("TERM");
        assert_eq!(served.process.wait(), Some(0));
        assert_eq!(collector.count(), 0, "{off:?}");
    }
}

#[test]
fn a_server_refuses_settings_that_make_no_sense() {
    let folder = folder();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    for (name, value, part) in [
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "grpc",
            "set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf",
        ),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "speaks http/protobuf alone"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote", "use always_on, always_off or traceidratio"),
        ("OTEL_PROPAGATORS", "b3", "use tracecontext, baggage, xray or none"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1", "a whole number from 1 to 3600000, in milliseconds"),
        ("TRINE_OTLP", "collector", "such as http://localhost:4318, or off"),
    ] {
        let mut command = trine(&folder, &["serve", "--port", "0"]);
        command.env(endpoint.0, endpoint.1).env(name, value);
        let ended = run(command);
        assert_eq!(ended.code, Some(2), "{name} {ended:?}");
        assert!(ended.stderr.contains(name) && ended.stderr.contains(part), "{ended:?}");
    }
    let ended = run(trine(&folder, &["serve", "--port", "0", "--otlp", "collector:4318"]));
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--otlp \"collector:4318\": write a URL"), "{ended:?}");
}

#[test]
fn a_function_on_lambda_starts_whatever_is_set_for_its_own_sdk() {
    let folder = folder();
    let lambda = Lambda::with(&folder, |command| {
        command
            .env("_HANDLER", "app.handler")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    });
    assert_eq!(lambda.invoke(json!({})), json!({}));
    let log = lambda.logged("no traces are sent");
    assert!(log.contains("WARN") && log.contains("set TRINE_OTLP to a URL"), "{log}");
}

#[test]
fn one_invocation_from_the_command_line_is_sent_before_the_end() {
    for language in PROBE_LANGUAGES {
        let collector = Collector::start(Manner::Takes);
        let folder = Folder::probe(language);
        let url = collector.url();
        let mut command = trine(
            &folder,
            &[
                "invoke",
                "probe.handler",
                "--event",
                r#"{"do":"fail"}"#,
                "--request-id",
                "x",
                "--otlp",
                &url,
            ],
        );
        command.env("TRACEPARENT", super::traceparent("01"));
        let ended = run(command);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let span = collector.invocation("x");
        assert_eq!((span.trace.as_str(), span.parent.as_str()), (super::TRACE, super::SPAN));
        assert!(span.has_failed && span.events.len() == 1, "{span:#?}");
    }
}
