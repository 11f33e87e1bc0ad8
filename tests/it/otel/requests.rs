//! The span of a request: its attributes, its parts, and its end.

use super::{Collector, Manner, serve, traceparent};
use crate::support::{Connection, Folder, PROBE_LANGUAGES};
use serde_json::json;

const ROUTES: &str = "
[[route]]
method = \"GET\"
path = \"/pets/{id}\"
function = \"probe\"
";

#[test]
fn a_request_is_described_as_the_conventions_say() {
    for language in PROBE_LANGUAGES {
        let collector = Collector::start(Manner::Takes);
        let folder = Folder::probe(language);
        folder.write("trine.toml", ROUTES);
        let served = serve(&folder, &collector, &[]);
        let headers =
            [("x-request-id", "first"), ("user-agent", "test/1"), ("authorization", "secret")];
        let reply = served.request("GET", "/pets/7?do=count&token=secret", &headers, b"");
        assert_eq!(reply.status, 200);
        let span = collector.invocation("first");
        assert_eq!((span.name.as_str(), span.kind), ("GET /pets/{id}", 2));
        assert_eq!(
            span.facts,
            json!({
                "http.request.method": "GET",
                "http.route": "/pets/{id}",
                "http.response.status_code": 200,
                "url.scheme": "http",
                "url.path": "/pets/7",
                "network.protocol.version": "1.1",
                "client.address": "127.0.0.1",
                "server.address": "test.example",
                "server.port": 80,
                "user_agent.original": "test/1",
                "faas.trigger": "http",
                "faas.invocation_id": "first",
                "faas.name": "probe",
                "faas.coldstart": true,
            })
        );
        assert!(!span.has_failed && span.ended > span.begun, "{span:#?}");
        // It was loaded for this request, and is warm for the next.
        let parts = collector.children(&span, 2);
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["load", "handler"]);
        assert!(parts.iter().all(|part| part.kind == 1 && part.begun >= span.begun), "{parts:#?}");
        served.request("GET", "/pets/8?do=count", &[("x-request-id", "second")], b"");
        let span = collector.invocation("second");
        assert_eq!(span.facts["faas.coldstart"], json!(false));
        let parts = collector.children(&span, 1);
        assert_eq!((parts.len(), parts[0].name.as_str()), (1, "handler"));
    }
}

#[test]
fn a_trusted_proxy_says_who_asks_and_how() {
    let collector = Collector::start(Manner::Takes);
    let folder = Folder::probe(PROBE_LANGUAGES[0]);
    let served = serve(&folder, &collector, &["--trust-proxy", "127.0.0.1"]);
    let headers =
        [("x-request-id", "x"), ("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")];
    served.request("GET", "/?do=count", &headers, b"");
    let facts = collector.invocation("x").facts;
    assert_eq!(facts["client.address"], "203.0.113.9");
    assert_eq!(facts["url.scheme"], "https");
}

#[test]
fn requests_for_nothing_have_spans_and_those_for_the_server_itself_have_none() {
    let collector = Collector::start(Manner::Takes);
    let folder = Folder::probe(PROBE_LANGUAGES[0]);
    folder.write("trine.toml", ROUTES);
    let served = serve(&folder, &collector, &[]);
    for path in ["/.trine/health", "/.trine/ready"] {
        assert_eq!(served.get(path).status, 200);
    }
    assert_eq!(served.get("/nowhere").status, 404);
    let span = collector.span("a span for /nowhere", |span| span.facts["url.path"] == "/nowhere");
    assert_eq!((span.name.as_str(), span.has_failed), ("GET", false));
    assert_eq!(span.facts["http.response.status_code"], 404);
    assert_eq!(served.request("POST", "/pets/7", &[], b"x").status, 405);
    assert_eq!(served.request("BREW", "/pets/7", &[], b"").status, 405);
    let span = collector.span("a span for BREW", |span| span.name == "HTTP");
    assert_eq!(span.facts["http.request.method"], "_OTHER");
    assert_eq!(span.facts["http.request.method_original"], "BREW");
    assert!(collector.spans().iter().all(|span| !span.facts.to_string().contains(".trine")));
}

#[test]
fn a_span_lasts_as_long_as_its_stream() {
    const SOURCES: [(&str, &str); 3] = [
        (
            "app.mjs",
            "export const handler = awslambda.streamifyResponse(async (event, stream) => {\n\
               stream.write('a');\n\
               await new Promise((wake) => setTimeout(wake, 300));\n\
               stream.end('b');\n\
             });\n",
        ),
        (
            "app.py",
            "import asyncio\n\
             async def handler(event, context):\n\
            \x20   yield b'a'\n\
            \x20   await asyncio.sleep(0.3)\n\
            \x20   yield b'b'\n",
        ),
        (
            "app.lua",
            "return { handler = function(event, context)\n\
               return coroutine.create(function()\n\
                 coroutine.yield('a')\n\
                 trine.sleep(0.3)\n\
                 coroutine.yield('b')\n\
               end)\n\
             end }\n",
        ),
    ];
    for (name, source) in SOURCES {
        let collector = Collector::start(Manner::Takes);
        let folder = Folder::new(&[(name, source)]);
        let served = serve(&folder, &collector, &[]);
        let reply = served.request("GET", "/app", &[("x-request-id", "x")], b"");
        assert_eq!(reply.body, b"ab", "{name} {:?}", served.process);
        let span = collector.invocation("x");
        assert!(span.ended - span.begun >= 300_000_000, "{name} {span:#?}");
        let parts = collector.children(&span, 2);
        let handler = parts.iter().find(|part| part.name == "handler").unwrap();
        assert!(handler.ended - handler.begun >= 300_000_000, "{name} {handler:#?}");
    }
}

#[test]
fn who_waits_for_a_place_is_seen_to_wait() {
    let collector = Collector::start(Manner::Takes);
    let folder = Folder::probe(PROBE_LANGUAGES[0]);
    let served = serve(&folder, &collector, &["--concurrency", "1"]);
    let mut first = Connection::open(served.address);
    first.send("GET", "/?do=wait&ms=300", &[("x-request-id", "first")], b"");
    let mut second = Connection::open(served.address);
    second.send("GET", "/?do=wait&ms=1", &[("x-request-id", "second")], b"");
    assert_eq!((first.receive("GET").status, second.receive("GET").status), (200, 200));
    let spans = [collector.invocation("first"), collector.invocation("second")];
    let waits = spans.iter().flat_map(|span| collector.children(span, 1));
    assert_eq!(waits.filter(|part| part.name == "queue").count(), 1, "{:#?}", collector.spans());
}

#[test]
fn the_invoke_api_and_batches_have_a_span_for_each_invocation() {
    let collector = Collector::start(Manner::Takes);
    let folder = Folder::probe(PROBE_LANGUAGES[0]);
    let served = serve(&folder, &collector, &["--event-format", "cloudevents"]);
    let path = "/2015-03-31/functions/probe/invocations";
    let parent = traceparent("01");
    let with = [("x-request-id", "sync"), ("traceparent", parent.as_str())];
    assert_eq!(served.request("POST", path, &with, br#"{"do":"count"}"#).status, 200);
    let span = collector.invocation("sync");
    assert_eq!((span.facts["faas.trigger"].as_str(), span.kind), (Some("other"), 2));
    // Whoever does not wait is answered first, and the invocation is a part of its trace.
    let with = [("x-request-id", "later"), ("x-amz-invocation-type", "Event")];
    assert_eq!(served.request("POST", path, &with, br#"{"do":"count"}"#).status, 202);
    let part = collector.invocation("later");
    let request = collector.span("the request", |span| span.id == part.parent);
    assert_eq!((request.trace, part.kind), (part.trace, 1));
    let event = |id: &str| json!({"specversion": "1.0", "id": id, "source": "/s", "type": "t", "data": {"do": "count"}});
    let batch = json!([event("1"), event("2")]).to_string();
    let kind = [("content-type", "application/cloudevents-batch+json"), ("x-request-id", "batch")];
    let status = served.request("POST", "/", &kind, batch.as_bytes()).status;
    assert_eq!(status, 204, "{:?}", served.process);
    let request =
        collector.span("the batch", |span| span.facts["http.response.status_code"] == 204);
    let parts = collector.children(&request, 2);
    assert!(parts.iter().all(|part| part.name == "probe"), "{parts:#?}");
    assert_ne!(parts[0].facts["faas.invocation_id"], parts[1].facts["faas.invocation_id"]);
}

#[test]
fn a_cloudevent_is_named_in_its_span() {
    let collector = Collector::start(Manner::Takes);
    let folder = Folder::probe(PROBE_LANGUAGES[0]);
    let served = serve(&folder, &collector, &["--event-format", "cloudevents"]);
    let binary = [
        ("content-type", "application/json"),
        ("ce-specversion", "1.0"),
        ("ce-id", "e-1"),
        ("ce-source", "/shop"),
        ("ce-type", "order"),
        ("ce-subject", "7"),
        ("x-request-id", "binary"),
    ];
    served.request("POST", "/", &binary, br#"{"do":"count"}"#);
    let structured = json!({
        "specversion": "1.0", "id": "e-1", "source": "/shop", "type": "order", "subject": "7",
        "data": {"do": "count"},
    });
    let kind = [("content-type", "application/cloudevents+json"), ("x-request-id", "structured")];
    served.request("POST", "/", &kind, structured.to_string().as_bytes());
    for id in ["binary", "structured"] {
        let facts = collector.invocation(id).facts;
        let of =
            |name: &str| facts[format!("cloudevents.event_{name}")].as_str().unwrap().to_owned();
        let told = ["id", "source", "spec_version", "type", "subject"].map(of);
        assert_eq!(told, ["e-1", "/shop", "1.0", "order", "7"], "{id}");
    }
}

#[test]
fn what_the_clock_invokes_has_a_span_of_its_own() {
    let collector = Collector::start(Manner::Takes);
    let folder = Folder::new(&[("tick.mjs", "export const handler = async () => {};\n")]);
    folder.write(
        "trine.toml",
        "[[trigger]]\nkind = \"cron\"\ncron = \"* * * * * *\"\nfunction = \"tick\"\nname = \"often\"\n",
    );
    let _served = serve(&folder, &collector, &[]);
    let span = collector.span("a run", |span| span.name == "often");
    assert_eq!((span.kind, span.parent.as_str()), (5, ""));
    assert_eq!(span.facts["faas.trigger"], "timer");
    assert!(span.facts["faas.time"].as_str().unwrap().ends_with('Z'), "{span:#?}");
    let parts = collector.children(&span, 1);
    assert_eq!(parts.last().unwrap().name, "handler");
}
