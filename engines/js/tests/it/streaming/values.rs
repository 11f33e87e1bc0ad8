//! Results that are given out in pieces, and those that only look so.

use super::{answer, read};
use crate::support::{Guest, call, invocation, run};
use trine_engine::{Form, Hook, Payload, Wanted};

#[test]
fn responses_of_the_web_are_streams_with_status_headers_and_cookies() {
    let response =
        |expression: &str| answer(&format!("export const handler = () => {expression};"));
    let seen = response(
        "new Response('hé', { status: 201, headers: [['x-a', '1'], ['x-a', '2'], ['set-cookie', 'a=1; Path=/'], ['set-cookie', 'b=2']] })",
    );
    assert_eq!(seen.whole(), "hé");
    assert_eq!(
        seen.metadata(),
        r#"{"statusCode":201,"headers":{"content-type":"text/plain;charset=UTF-8","x-a":"1, 2"},"cookies":["a=1; Path=/","b=2"]}"#
    );
    let seen = response("new Response(null, { status: 204 })");
    assert_eq!(
        (seen.whole(), seen.metadata()),
        (String::new(), r#"{"statusCode":204,"headers":{}}"#)
    );
    let seen = response("Response.redirect('https://example.com/', 303)");
    assert_eq!(
        seen.metadata(),
        r#"{"statusCode":303,"headers":{"location":"https://example.com/"}}"#
    );
    let seen = response("Promise.resolve(Response.json({ a: 1 }))");
    assert_eq!(seen.whole(), r#"{"a":1}"#);
    let seen = response(
        "new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array([97])); c.close(); } }))",
    );
    let metadata = r#"{"statusCode":200,"headers":{"content-type":"application/octet-stream"}}"#;
    assert_eq!((seen.whole().as_str(), seen.metadata()), ("a", metadata));
    let seen = response("new (class extends Response {})('sub')");
    assert_eq!(seen.whole(), "sub");
    let seen = response("Response.error()");
    assert_eq!(seen.error().name(), "Runtime.InvalidResponse");
    let seen = response(
        "(async () => { const read = new Response('a'); await read.text(); return read; })()",
    );
    assert_eq!(
        seen.error().message(),
        "the handler returned a Response whose body was read before"
    );
    let seen = response(
        "(() => { const held = new Response('a'); held.body.getReader(); return held; })()",
    );
    assert!(seen.error().message().contains("locked"), "{seen:?}");
}

#[test]
fn streams_iterators_and_generators_are_streams_and_look_alikes_are_values() {
    for (expression, content_type, body) in [
        (
            "(async function* () { yield 'a'; yield { b: 1 }; })()",
            "text/plain; charset=utf-8",
            "a{\"b\":1}\n",
        ),
        (
            "(function* () { yield new Uint8Array([97]); yield Promise.resolve('b'); })()",
            "application/octet-stream",
            "ab",
        ),
        ("(function* () { yield null; yield 1; })()", "application/x-ndjson", "null\n1\n"),
        ("[1, 2].values().map((n) => n * 2)", "application/x-ndjson", "2\n4\n"),
        (
            "({ async *[Symbol.asyncIterator]() { yield 'own'; } })",
            "text/plain; charset=utf-8",
            "own",
        ),
        ("ReadableStream.from(['a', 'b'])", "text/plain; charset=utf-8", "ab"),
        ("new Blob(['blob']).stream()", "application/octet-stream", "blob"),
        (
            "import('node:stream').then(({ Readable }) => Readable.from(['a', 'b']))",
            "text/plain; charset=utf-8",
            "ab",
        ),
        (
            "import('node:stream').then(({ Readable }) => Readable.from([{ a: 1 }, [2]]))",
            "application/x-ndjson",
            "{\"a\":1}\n[2]\n",
        ),
        (
            "import('node:vm').then((vm) => vm.runInNewContext('(function* () { yield \"other realm\" })()'))",
            "text/plain; charset=utf-8",
            "other realm",
        ),
    ] {
        let seen = answer(&format!("export const handler = () => {expression};"));
        assert_eq!(seen.whole(), body, "{expression}");
        assert_eq!(seen.head.content_type.as_deref(), Some(content_type), "{expression}");
    }
    for (expression, value) in [
        (
            "({ status: 200, headers: { forEach() {} }, body: 'x', [Symbol.toStringTag]: 'Response' })",
            r#"{"status":200,"headers":{},"body":"x"}"#,
        ),
        ("({ next() {}, return() {}, getReader() {} })", "{}"),
        ("({ [Symbol.iterator]: function* () { yield 1; } })", "{}"),
        ("[1, 2]", "[1,2]"),
        ("new Map([[1, 2]])", "{}"),
        (
            "new (class { next() {} getReader() {} get status() { return 1; } a = 1; })()",
            r#"{"a":1}"#,
        ),
        (
            "new (class { async *[Symbol.asyncIterator]() {} toJSON() { return 'json'; } })()",
            "\"json\"",
        ),
        ("Object.assign(Object.create(null), { a: 1 })", r#"{"a":1}"#),
        ("new Date(0)", "\"1970-01-01T00:00:00.000Z\""),
        ("({ body: new ReadableStream() })", r#"{"body":{}}"#),
        ("null", "null"),
    ] {
        let guest = Guest::new(&format!("export const handler = async () => {expression};"));
        assert_eq!(run(guest.handle("null")).unwrap(), value, "{expression}");
    }
}

#[test]
fn a_generator_is_an_answer_also_where_it_declares_a_callback() {
    let seen = answer("export async function* handler(event, context, callback) { yield 'a'; }");
    assert_eq!(seen.whole(), "a");
}

#[test]
fn chunks_without_a_form_end_the_stream_and_its_generator() {
    for chunk in ["undefined", "Symbol('x')", "() => 1", "10n"] {
        let guest = Guest::new(&format!(
            "let ended = false;
             export const handler = async (event) => event === 'ended' ? ended : stream();
             async function* stream() {{ try {{ yield 'a'; yield {chunk}; yield 'c'; }} finally {{ ended = true; }} }}"
        ));
        run(async {
            let handler = guest.handler().await;
            let seen = read(&guest, handler, "null", &invocation(), 9).await;
            assert_eq!(seen.chunks, ["a"], "{chunk}");
            assert_eq!(seen.error().name(), "Runtime.JSONStringifyError", "{chunk}");
            assert_eq!(guest.call(handler, "\"ended\"").await.unwrap(), "true", "{chunk}");
        });
    }
}

#[test]
fn wrapped_handlers_may_stream() {
    let files = [
        ("app.mjs", "export async function* handler(event) { yield event; }
                     export const official = awslambda.streamifyResponse(async (e, stream) => { stream.end(e); });"),
        ("mw.mjs", "export const wrap = (handler) => async (event, context) => {
                      const result = await handler(`${event}!`, context);
                      console.log('wrapped');
                      return result;
                    };"),
        ("lambdas.mjs", "const mark = Symbol.for('aws.lambda.runtime.handler.streaming');
                         export const wrap = (handler) => {
                           if (handler[mark] !== 'response') throw new Error('not marked');
                           const wrapped = async (event, responseStream, context) => {
                             responseStream.write('before ');
                             await handler(event, responseStream, context);
                           };
                           wrapped[mark] = handler[mark];
                           return wrapped;
                         };"),
        ("tagged.mjs", "export default (handler) => awslambda.streamifyResponse(async (event, stream, context) => {
                          for await (const chunk of await handler(event, context)) stream.write(chunk.toUpperCase());
                          stream.end();
                        });"),
    ];
    let guest = Guest::with(&files, None);
    run(async {
        let handler = guest.handler().await;
        let official = guest.load("app.mjs", Wanted::Handler("official".into())).await.unwrap();
        let wrapper = guest.load("mw.mjs", Wanted::Hooks).await.unwrap().hook(Hook::Wrap).unwrap();
        for function in [handler, official.functions[0].1] {
            let wrapped = guest.instance.wrap(wrapper, function).await.unwrap();
            let seen = read(&guest, wrapped, "\"a\"", &invocation(), 9).await;
            assert_eq!(seen.whole(), "a!");
        }
        let wrapper =
            guest.load("tagged.mjs", Wanted::Hooks).await.unwrap().hook(Hook::Wrap).unwrap();
        let wrapped = guest.instance.wrap(wrapper, handler).await.unwrap();
        assert_eq!(read(&guest, wrapped, "\"a\"", &invocation(), 9).await.whole(), "A");
        let wrapper =
            guest.load("lambdas.mjs", Wanted::Hooks).await.unwrap().hook(Hook::Wrap).unwrap();
        let wrapped = guest.instance.wrap(wrapper, official.functions[0].1).await.unwrap();
        assert_eq!(read(&guest, wrapped, "\"a\"", &invocation(), 9).await.whole(), "before a");
    });
}

#[test]
fn a_hook_asks_for_the_whole_response() {
    let files = [
        (
            "app.mjs",
            "export const handler = (event, context) => {
                       try { context.bufferResponse(); } catch (error) { return error.message; }
                     };",
        ),
        ("mw.mjs", "export const before = (event, context) => context.bufferResponse();"),
    ];
    let guest = Guest::with(&files, None);
    run(async {
        let invocation = invocation();
        let hook = guest.load("mw.mjs", Wanted::Hooks).await.unwrap().hook(Hook::Before).unwrap();
        invocation.exchange.enter(Some(Hook::Before));
        guest.instance.call(hook, Payload::json("1"), Form::Native, &invocation).await.unwrap();
        assert!(invocation.exchange.buffers_response());
        invocation.exchange.enter(None);
        let said = call(&guest.instance, guest.handler().await, "1", &invocation).await;
        assert!(said.unwrap().contains("this is the handler"));
    });
}
