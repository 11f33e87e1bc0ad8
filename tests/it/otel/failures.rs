//! Invocations that fail, as spans tell of them.

use super::{Collector, Manner, serve};
use crate::support::{Connection, Folder, LANGUAGES, in_each_language};
use serde_json::json;

in_each_language! {
    /// An exception has its type, its message and its stack, at the invocation and at the part that it came from.
    an_exception_is_told_with_its_stack(language) {
        let collector = Collector::start(Manner::Takes);
        let folder = Folder::probe(language);
        let served = serve(&folder, &collector, &[]);
        assert_eq!(served.request("GET", "/?do=fail", &[("x-request-id", "x")], b"").status, 500);
        let span = collector.invocation("x");
        let exception = span.exception();
        let kind = exception["exception.type"].as_str().unwrap();
        assert!(!kind.is_empty() && span.facts["error.type"] == kind, "{span:#?}");
        assert_eq!(exception["exception.message"], span.status.as_str());
        let stack = exception["exception.stacktrace"].as_str().unwrap();
        assert!(stack.contains("probe."), "{stack}");
        assert!(span.has_failed && span.facts["http.response.status_code"] == 500, "{span:#?}");
        let parts = collector.children(&span, 2);
        let handler = parts.iter().find(|part| part.name == "handler").unwrap();
        assert_eq!(handler.exception(), exception);
    }
}

#[test]
fn a_timeout_is_told_as_one_whether_it_waits_or_runs() {
    let spins = [
        ("app.mjs", "export const handler = () => { for (;;); };\n"),
        ("app.py", "def handler(event, context):\n    while True: pass\n"),
        ("app.lua", "return { handler = function() while true do end end }\n"),
    ];
    let waits = [
        (
            "app.mjs",
            "export const handler = () => new Promise((done) => setTimeout(done, 600000));\n",
        ),
        (
            "app.py",
            "import asyncio\nasync def handler(event, context):\n    await asyncio.sleep(600)\n",
        ),
        ("app.lua", "return { handler = function() trine.sleep(600) end }\n"),
    ];
    for (name, source) in spins.into_iter().chain(waits) {
        let collector = Collector::start(Manner::Takes);
        let folder = Folder::new(&[(name, source)]);
        let served = serve(&folder, &collector, &["--timeout", "1s"]);
        let reply = served.request("GET", "/app", &[("x-request-id", "x")], b"");
        assert_eq!(reply.status, 504, "{source} {:?}", served.process);
        let span = collector.invocation("x");
        assert_eq!(span.facts["error.type"], "Function.Timeout", "{source} {span:#?}");
        assert!(span.exception()["exception.message"].as_str().unwrap().contains("timed out"));
        let parts = collector.children(&span, 2);
        let handler = parts.iter().find(|part| part.name == "handler").unwrap();
        assert!(handler.has_failed, "{handler:#?}");
    }
}

#[test]
fn an_invocation_that_nothing_can_stop_is_told_before_the_process_ends() {
    let collector = Collector::start(Manner::Takes);
    let source = "import itertools
def handler(event, context):
    return sum(itertools.repeat(1))
";
    let folder = Folder::new(&[("app.py", source)]);
    let served = serve(&folder, &collector, &["--timeout", "500ms"]);
    assert_eq!(served.request("GET", "/app", &[("x-request-id", "x")], b"").status, 504);
    assert_eq!(served.process.wait(), Some(124));
    let span = collector.invocation("x");
    assert_eq!(span.exception()["exception.type"], "Function.Timeout", "{span:#?}");
}

#[test]
fn an_invocation_that_takes_too_much_memory_is_told_as_such() {
    for language in [LANGUAGES[0], LANGUAGES[4]] {
        let collector = Collector::start(Manner::Takes);
        let source = match language.extension {
            "lua" => {
                "return { handler = function() local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end end }\n"
            }
            _ => {
                "export const handler = () => { const all = []; for (;;) all.push(new Array(1000).fill(all.length)); };\n"
            }
        };
        let folder = Folder::new(&[(&format!("app.{}", language.extension), source)]);
        let served = serve(&folder, &collector, &["--memory", "64MiB"]);
        assert_eq!(served.request("GET", "/app", &[("x-request-id", "x")], b"").status, 500);
        let span = collector.invocation("x");
        assert_eq!(span.exception()["exception.type"], "Function.OutOfMemory", "{span:#?}");
    }
}

#[test]
fn a_function_that_cannot_be_loaded_is_told_so() {
    for (name, source) in [
        ("app.mjs", "throw new TypeError('at load');\nexport const handler = () => {};\n"),
        ("app.py", "raise TypeError('at load')\ndef handler(event, context): pass\n"),
        ("app.lua", "error('at load')\nreturn { handler = function() end }\n"),
    ] {
        let collector = Collector::start(Manner::Takes);
        let folder = Folder::new(&[(name, source)]);
        let served = serve(&folder, &collector, &[]);
        assert_eq!(served.request("GET", "/app", &[("x-request-id", "x")], b"").status, 500);
        let span = collector.invocation("x");
        let message = span.exception()["exception.message"].as_str().unwrap();
        assert!(message.contains("at load"), "{name} {span:#?}");
    }
}

#[test]
fn a_stream_that_breaks_off_is_told_with_the_error() {
    let collector = Collector::start(Manner::Takes);
    let source = "export const handler = awslambda.streamifyResponse(async (event, stream) => {\n\
                    stream.write('a');\n\
                    await new Promise((wake) => setTimeout(wake, 50));\n\
                    throw new RangeError('in the middle');\n\
                  });\n";
    let folder = Folder::new(&[("app.mjs", source)]);
    let served = serve(&folder, &collector, &[]);
    let mut connection = Connection::open(served.address);
    connection.send("GET", "/app", &[("x-request-id", "x")], b"");
    while !connection.is_closed() {}
    let span = collector.invocation("x");
    assert_eq!(span.exception()["exception.type"], "RangeError", "{span:#?}");
    assert_eq!(span.facts["http.response.status_code"], 200);
    assert!(span.has_failed);
}

#[test]
fn a_status_of_the_functions_own_is_an_error_from_500_on() {
    let collector = Collector::start(Manner::Takes);
    let source = "export const handler = async (event) => ({ statusCode: Number(event.queryStringParameters.s) });\n";
    let folder = Folder::new(&[("app.mjs", source)]);
    let served = serve(&folder, &collector, &[]);
    for (status, error) in [(404, json!(null)), (503, json!("503"))] {
        let id = status.to_string();
        let path = format!("/app?s={status}");
        assert_eq!(served.request("GET", &path, &[("x-request-id", &id)], b"").status, status);
        let span = collector.invocation(&id);
        assert_eq!(span.facts["error.type"], error, "{span:#?}");
        assert_eq!((span.has_failed, span.events.len()), (error != json!(null), 0));
    }
}
