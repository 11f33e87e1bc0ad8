//! Applications that do not answer, or wrongly.

use super::*;
use crate::support::run;

fn answer(source: &str, interface: Interface, limit: Option<u64>) -> Seen {
    let guest = Guest::new(source);
    run(async {
        let function = application(&guest, interface).await;
        let invocation = Rc::new(Invocation { deadline_ms: limit, ..Invocation::json("id-1") });
        serve(&guest, function, get("/"), &invocation, |_, reader| Some(reader)).await
    })
}

#[test]
fn what_is_no_response_is_refused_in_clear_words() {
    for (result, message) in [
        ("undefined", "the application returned undefined, not a Response"),
        ("null", "the application returned null, not a Response"),
        ("'text'", "the application returned a value of type string, not a Response"),
        (
            "({ statusCode: 200 })",
            "the application returned a value of type Object, not a Response",
        ),
        ("[1]", "the application returned an array, not a Response"),
        (
            "Response.error()",
            "the application returned Response.error(), which stands for a failed request and has no status",
        ),
        (
            "new Response('a').text().then(() => used)",
            "the application returned a Response whose body was read before",
        ),
    ] {
        for wrapped in [format!("() => {result}"), format!("async () => {result}")] {
            let source = format!(
                "const used = new Response(new ReadableStream({{ start(c) {{ c.close(); }} }}));
                await used.text();
                export default {{ fetch: {wrapped} }};"
            );
            let seen = answer(&source, Interface::Fetch, None);
            assert_eq!((seen.error().name(), seen.error().message()), ("TypeError", message));
        }
    }
}

#[test]
fn what_an_application_throws_has_its_place() {
    for (interface, source) in [
        (
            Interface::Fetch,
            "export default { fetch(request) {\n    throw new RangeError('broken');\n} };",
        ),
        (
            Interface::Fetch,
            "export default { async fetch(request) {\n    await null; throw new RangeError('broken');\n} };",
        ),
        (
            Interface::Node,
            "export default (req, res) => {\n    throw new RangeError('broken');\n};",
        ),
        (
            Interface::Node,
            "export default async (req, res) => {\n    await null; throw new RangeError('broken');\n};",
        ),
        (
            Interface::Node,
            "export default (req, res) => {\n    setTimeout(() => { throw new RangeError('broken'); }, 1);\n};",
        ),
    ] {
        let seen = answer(source, interface, None);
        let error = seen.error();
        // What nobody catches is told as of functions of events.
        assert!(error.message().ends_with("broken"), "{error:?}");
        let frame = &error.frames()[0];
        assert!(frame.file.ends_with("app.mjs"), "{error:?}");
        assert_eq!(frame.line, 2, "{source}");
    }
}

#[test]
fn a_failure_after_the_response_has_begun_fails_the_call() {
    for (interface, source) in [
        (
            Interface::Fetch,
            "export default { fetch: () => new Response(new ReadableStream({
                async pull(controller) {
                    if (this.begun) throw new RangeError('broken');
                    this.begun = true;
                    controller.enqueue(new TextEncoder().encode('a'));
                },
            })) };",
        ),
        (
            Interface::Node,
            "export default async (req, res) => {
                res.write('a');
                await new Promise((resolve) => setTimeout(resolve, 5));
                throw new RangeError('broken');
            };",
        ),
    ] {
        let seen = answer(source, interface, None);
        assert_eq!((seen.body().as_str(), seen.error().name()), ("a", "RangeError"));
    }
}

#[test]
fn chunks_of_a_stream_are_bytes() {
    let source = "export default { fetch: () => new Response(new ReadableStream({
        start(controller) { controller.enqueue({ a: 1 }); controller.close(); },
    })) };";
    let seen = answer(source, Interface::Fetch, None);
    assert_eq!(seen.error().message(), "a body of a Response consists of Uint8Arrays");
}

#[test]
fn an_application_that_never_answers_is_told_where_time_is_limited() {
    let far = Some(u64::MAX / 2);
    for (interface, source) in [
        (Interface::Node, "export default (req, res) => {};"),
        (Interface::Node, "export default async (req, res) => { await new Promise(() => {}); };"),
        (Interface::Fetch, "export default { fetch: () => new Promise(() => {}) };"),
    ] {
        let seen = answer(source, interface, far);
        let error = seen.error();
        assert_eq!(error.name(), "Runtime.NoResponse");
        let message = "the application has not answered the request: nothing is left in the event loop that it could wait for";
        assert_eq!(error.message(), message, "{source}");
    }
}

#[test]
fn a_promise_that_never_settles_does_not_hold_a_complete_response() {
    let source =
        "export default async (req, res) => { res.end('a'); await new Promise(() => {}); };";
    assert_eq!(answer(source, Interface::Node, None).streamed().1, "a");
}

#[test]
fn misuse_of_a_response_is_an_exception_of_nodes() {
    let source = "export default (req, res) => {
        const seen = [];
        const note = (run) => { try { run(); seen.push('nothing'); } catch (error) { seen.push(error.code); } };
        note(() => res.setHeader('a b', '1'));
        note(() => res.setHeader('a', 'x\\ny'));
        note(() => res.setHeader('a', undefined));
        note(() => res.writeHead(99));
        note(() => res.write(null));
        note(() => res.write({}));
        res.flushHeaders();
        note(() => res.setHeader('a', '1'));
        note(() => res.writeHead(200));
        res.on('error', (error) => seen.push(error.code));
        setTimeout(() => {
            res.end(JSON.stringify(seen));
            res.write('more', () => {});
        }, 1);
    };";
    let seen = answer(source, Interface::Node, None);
    assert_eq!(
        seen.streamed().1,
        r#"["ERR_INVALID_HTTP_TOKEN","ERR_INVALID_CHAR","ERR_HTTP_INVALID_HEADER_VALUE","ERR_HTTP_INVALID_STATUS_CODE","ERR_STREAM_NULL_VALUES","ERR_INVALID_ARG_TYPE","ERR_HTTP_HEADERS_SENT","ERR_HTTP_HEADERS_SENT"]"#
    );
}

#[test]
fn an_application_that_destroys_the_connection_fails_the_call() {
    for source in [
        "export default (req, res) => { req.socket.destroy(); };",
        "export default (req, res) => { res.destroy(); };",
        "export default (req, res) => { res.write('a'); setTimeout(() => req.destroy(), 1); };",
    ] {
        let seen = answer(source, Interface::Node, None);
        let message =
            "the application has destroyed the connection before its response was complete";
        assert_eq!(seen.error().message(), message, "{source}");
        assert_eq!(seen.error().name(), "Runtime.ConnectionDestroyed");
    }
}

#[test]
fn failures_of_one_request_are_none_of_others() {
    let source = "export default (req, res) => {
        if (req.url === '/bad') {
            setTimeout(() => { throw new RangeError('broken'); }, 5);
        } else {
            setTimeout(() => res.end('fine'), 15);
        }
    };";
    let guest = Guest::new(source);
    run(async {
        let function = application(&guest, Interface::Node).await;
        let (good, bad) =
            join(ask(&guest, function, get("/good")), ask(&guest, function, get("/bad"))).await;
        assert_eq!(good.streamed_or_whole().1, "fine");
        assert_eq!(bad.error().message(), "RangeError: broken");
        assert_eq!(ask(&guest, function, get("/good")).await.streamed_or_whole().1, "fine");
    });
}

#[test]
fn a_failure_of_nobodys_code_fails_none_of_many_requests() {
    let source = "let count = 0;
    const timer = setInterval(() => {
        if (count === 2) { clearInterval(timer); throw new RangeError('of nobody'); }
    }, 1);
    export default (req, res) => { count += 1; setTimeout(() => res.end('fine'), 30); };";
    let guest = Guest::new(source);
    run(async {
        let function = application(&guest, Interface::Node).await;
        let (first, second) =
            join(ask(&guest, function, get("/")), ask(&guest, function, get("/"))).await;
        assert_eq!(first.streamed_or_whole().1, "fine");
        assert_eq!(second.streamed_or_whole().1, "fine");
    });
    let log = guest.log.text();
    assert!(log.contains("RangeError: of nobody"), "{log}");
}

#[test]
fn events_are_no_requests() {
    let guest = Guest::new("export default { fetch: () => new Response('a') };");
    run(async {
        let function = application(&guest, Interface::Fetch).await;
        let error = guest.call(function, "{}").await.unwrap_err();
        assert!(error.message().contains("takes requests and no events"), "{error}");
    });
}
