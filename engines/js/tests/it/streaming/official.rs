//! Handlers of the form that Lambda's own client has, with a stream to write into.

use super::{Seen, answer, read};
use crate::support::{Guest, invocation, run};
use trine_engine::{ErrorKind, Wanted};

/// Runs a handler of the form that Lambda's own client has.
fn official(body: &str) -> Seen {
    answer(&official_source(body))
}

fn official_source(body: &str) -> String {
    format!(
        "import {{ Readable, Writable, pipeline as pipe }} from 'node:stream';
         import {{ pipeline, finished }} from 'node:stream/promises';
         import {{ once }} from 'node:events';
         import {{ setTimeout as sleep }} from 'node:timers/promises';
         export const handler = awslambda.streamifyResponse(async (event, responseStream, context) => {{
           {body}
         }});"
    )
}

const OCTETS: Option<&str> = Some("application/octet-stream");

#[test]
fn a_response_stream_has_what_lambdas_own_client_gives_it() {
    let seen = official(
        "const functions = ['cork', 'destroy', 'end', 'uncork', 'write', 'addListener', 'emit', 'eventNames',
           'getMaxListeners', 'listenerCount', 'listeners', 'off', 'on', 'once', 'prependListener',
           'prependOnceListener', 'rawListeners', 'removeAllListeners', 'removeListener', 'setMaxListeners',
           'setContentType'];
         const values = ['writableFinished', 'writableObjectMode', 'writableEnded', 'writableNeedDrain',
           'writableHighWaterMark', 'writableCorked', 'writableLength', 'destroyed', 'writable'];
         const lacking = [...functions.filter((name) => typeof responseStream[name] !== 'function'),
           ...values.filter((name) => responseStream[name] === undefined),
           ...['_onBeforeFirstWrite'].filter((name) => !(name in responseStream))];
         const { write, end } = responseStream;
         const said = [lacking, responseStream.writableFinished, responseStream.writableObjectMode,
           responseStream.writable, responseStream.destroyed, responseStream instanceof Writable,
           typeof context.done, typeof context.succeed, typeof context.getRemainingTimeInMillis];
         await new Promise((written) => write(said, written));
         end();
         await once(responseStream, 'finish');
         if (!responseStream.writableFinished || responseStream.writable) throw new Error('not finished');",
    );
    let expected = r#"[[],false,false,true,false,true,"undefined","undefined","function"]"#;
    assert_eq!(seen.whole(), expected);
    assert_eq!(seen.head.content_type.as_deref(), OCTETS);
}

#[test]
fn chunks_are_text_bytes_or_json() {
    let seen = official(
        "responseStream.setContentType('text/plain');
         responseStream.write('é');
         responseStream.write('ff00', 'hex');
         responseStream.write(Buffer.from('b'));
         responseStream.write(new Uint8Array([99]));
         responseStream.write({ a: [1] });
         responseStream.write(7);
         responseStream.write(true);
         responseStream.write('');
         responseStream.end({ last: 1 });",
    );
    assert_eq!(seen.head.content_type.as_deref(), Some("text/plain"));
    let expected = ["é", "\u{fffd}\0", "b", "c", r#"{"a":[1]}"#, "7", "true", r#"{"last":1}"#];
    assert_eq!(seen.chunks, expected);
    for (chunk, code) in [
        ("null", "ERR_STREAM_NULL_VALUES"),
        ("undefined", "ERR_INVALID_ARG_TYPE"),
        ("Symbol('x')", "ERR_INVALID_ARG_TYPE"),
        ("() => 1", "ERR_INVALID_ARG_TYPE"),
    ] {
        let seen = official(&format!(
            "try {{ responseStream.write({chunk}); }} catch (error) {{ responseStream.end(error.code); }}"
        ));
        assert_eq!(seen.whole(), code, "{chunk}");
    }
}

#[test]
fn status_headers_and_cookies_go_out_before_the_first_chunk_or_without_any() {
    let prelude = "{ statusCode: 404, headers: { 'x-a': 'b' }, cookies: ['c=d'] }";
    let metadata = r#"{"statusCode":404,"headers":{"x-a":"b"},"cookies":["c=d"]}"#;
    for body in [
        "const stream = awslambda.HttpResponseStream.from(responseStream, PRELUDE);
         if (stream !== responseStream) throw new Error('another one');
         stream.write('body'); stream.end();",
        "awslambda.HttpResponseStream.from(responseStream, PRELUDE).end('body');",
        // What some adapters do themselves.
        "responseStream.setContentType('application/vnd.awslambda.http-integration-response');
         responseStream.write(JSON.stringify(PRELUDE));
         responseStream.write(new Uint8Array(8));
         responseStream.end('body');",
        "responseStream.setContentType('application/vnd.awslambda.http-integration-response');
         responseStream._onBeforeFirstWrite = (write) => { write(JSON.stringify(PRELUDE)); write(new Uint8Array(8)); };
         responseStream.end('body');",
        // Somebody's own stream in between.
        "const { EventEmitter } = await import('node:events');
         const own = { setContentType: (type) => responseStream.setContentType(type) };
         if (awslambda.HttpResponseStream.from(own, PRELUDE) !== own) throw new Error('another one');
         own._onBeforeFirstWrite((chunk) => responseStream.write(chunk));
         responseStream.end('body');",
    ] {
        let seen = official(&body.replace("PRELUDE", prelude));
        assert_eq!(seen.whole(), "body", "{body}");
        assert_eq!(seen.metadata(), metadata, "{body}");
        assert_eq!(seen.head.content_type, None, "{body}");
    }
    let seen = official(
        "awslambda.HttpResponseStream.from(responseStream, { statusCode: 204 }); responseStream.end();",
    );
    assert_eq!((seen.whole(), seen.metadata()), (String::new(), r#"{"statusCode":204}"#));
}

#[test]
fn what_comes_too_late_is_an_error_that_the_handler_sees() {
    for late in [
        "responseStream.setContentType('text/html')",
        "awslambda.HttpResponseStream.from(responseStream, {})",
    ] {
        let seen = official(&format!(
            "responseStream.write('a');
             try {{ {late}; }} catch (error) {{ responseStream.end(`${{error.name}}: ${{error.message}}`); }}"
        ));
        let expected = "aRuntime.InvalidStreamingOperation: Cannot set content-type, too late.";
        assert_eq!(seen.whole(), expected);
    }
    let seen = official("responseStream.end('a'); responseStream.write('b');");
    assert_eq!(seen.body(), "a");
    assert_eq!(seen.error().message(), "write after end");
    let seen = official(
        "responseStream.end('a');
         responseStream.end();
         await finished(responseStream);
         const error = await new Promise((told) => responseStream.end(told));
         if (error.code !== 'ERR_STREAM_ALREADY_FINISHED') throw error;",
    );
    assert_eq!(seen.whole(), "a");
}

#[test]
fn a_handler_that_does_not_keep_to_the_rules_is_told_which() {
    let seen = answer(
        "export const handler = awslambda.streamifyResponse((event, stream) => { stream.end('a'); });",
    );
    assert_eq!(seen.error().message(), "Streaming does not support non-async handlers.");
    let seen = official("responseStream.write('a');");
    assert_eq!(seen.body(), "a");
    assert_eq!(seen.error().message(), "Response stream is not finished.");
    assert_eq!(seen.error().name(), "Runtime.InvalidStreamingOperation");
    let seen = official("");
    assert_eq!(seen.error().message(), "Response stream is not finished.");
    let guest = Guest::new(&official_source("responseStream.end('a'); return 7;"));
    run(async {
        let handler = guest.handler().await;
        assert_eq!(read(&guest, handler, "1", &invocation(), 9).await.whole(), "a");
    });
    assert!(guest.log.text().contains("Streaming handlers ignore return values."));
    let marked = "export const handler = async () => 1;
                  handler[Symbol.for('aws.lambda.runtime.handler.streaming')] = ";
    let guest = Guest::new(&format!("{marked} 'request';"));
    let error = run(guest.load("app.mjs", Wanted::Handler("handler".into()))).unwrap_err();
    assert_eq!(error.name(), "Runtime.MalformedStreamingHandler");
    assert_eq!(error.message(), "Only response streaming is supported.");
    let guest = Guest::new(&format!("{marked} false;"));
    assert_eq!(run(guest.handle("null")).unwrap(), "1");
}

#[test]
fn errors_before_the_first_chunk_and_after_it_end_the_call() {
    let seen = official("throw new RangeError('first');");
    assert!(seen.chunks.is_empty());
    assert_eq!((seen.error().name(), seen.error().message()), ("RangeError", "first"));
    let seen =
        official("responseStream.write('a'); await sleep(1); throw new RangeError('later');");
    assert_eq!((seen.body().as_str(), seen.error().message()), ("a", "later"));
    let seen = official("responseStream.write('a'); responseStream.destroy(new Error('mine'));");
    assert_eq!(seen.error().message(), "mine");
    let seen = official("responseStream.write('a'); responseStream.destroy();");
    assert_eq!(seen.error().message(), "Response stream is not finished.");
    let seen = official(
        "await pipeline(async function* () { yield 'a'; throw new Error('source'); }, responseStream);",
    );
    assert_eq!((seen.body().as_str(), seen.error().message()), ("a", "source"));
    let seen = official("responseStream.write('a'); await new Promise(() => {});");
    assert_eq!(seen.error().kind(), ErrorKind::NeverSettled);
}

#[test]
fn all_ways_to_fill_a_stream_of_nodes_work() {
    for body in [
        "await pipeline(Readable.from(['a', 'b', 'c']), responseStream);",
        "await pipeline(async function* () { yield 'a'; await sleep(2); yield 'bc'; }, responseStream);",
        "pipe(Readable.from(['a', 'b', 'c']), responseStream, () => {});",
        "Readable.from(['a', 'b', 'c']).pipe(responseStream);",
        "Readable.from(['a', 'b', 'c']).pipe(responseStream); await finished(responseStream);",
        "const writer = Writable.toWeb(responseStream).getWriter();
         for (const text of ['a', 'b', 'c']) await writer.write(Buffer.from(text));
         await writer.close();",
        "await new Response('abc').body.pipeTo(Writable.toWeb(responseStream));",
        "setTimeout(() => responseStream.write('a'), 2);
         setTimeout(() => responseStream.end('bc'), 4);",
        "responseStream.cork(); responseStream.write('a'); responseStream.write('b'); responseStream.uncork();
         responseStream.end('c');",
        "const stream = new Proxy(responseStream, {}); stream.write('a'); stream.end('bc');",
        "const { write } = responseStream;
         responseStream.write = (chunk, ...rest) => write(chunk.toLowerCase(), ...rest);
         responseStream.write('AB'); responseStream.end('c');",
    ] {
        assert_eq!(official(body).whole(), "abc", "{body}");
    }
}

#[test]
fn the_global_has_lambdas_members_and_marks_handlers_as_lambda_does() {
    let guest = Guest::new(
        "export const handler = async () => {
           const fn = async () => {};
           const same = awslambda.streamifyResponse(fn, { highWaterMark: 7.5 }) === fn;
           const refused = (() => { try { awslambda.streamifyResponse(7); } catch (error) { return error.name; } })();
           return [same, Object.keys(awslambda), fn[Symbol.for('aws.lambda.runtime.handler.streaming')],
             fn[Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark')], refused];
         };",
    );
    let expected = r#"[true,["streamifyResponse","HttpResponseStream","InvokeStore"],"response",7,"TypeError"]"#;
    assert_eq!(run(guest.handle("null")).unwrap(), expected);
    let seen = answer(
        "export const handler = awslambda.streamifyResponse(
           async (event, stream) => { stream.end(String(stream.writableHighWaterMark)); }, { highWaterMark: 7 });",
    );
    assert_eq!(seen.whole(), "7");
}
