//! Listeners of Node's servers as handlers.

use super::*;
use crate::support::{LIMIT, run};
use deno_runtime::deno_core::futures::future::join_all;
use std::time::{Duration, Instant};

async fn guest(source: &str) -> (Guest, FunctionId) {
    let guest = Guest::new(source);
    let function = application(&guest, Interface::Node).await;
    (guest, function)
}

/// Answers one request with the listener that is a module's default export.
fn answer(source: &str, request: WebRequest) -> Seen {
    run(async {
        let (guest, function) = guest(source).await;
        ask(&guest, function, request).await
    })
}

#[test]
fn a_request_has_what_nodes_have() {
    let source = "import http from 'node:http';
    export default (req, res) => {
        const { socket } = req;
        res.setHeader('X-A', ['1', '2']);
        res.writeHead(201, 'Made so', { 'content-type': 'application/json' });
        res.end(JSON.stringify({
            is: [req instanceof http.IncomingMessage, res instanceof http.ServerResponse, res.req === req],
            method: req.method, url: req.url, version: [req.httpVersion, req.httpVersionMajor, req.httpVersionMinor],
            headers: req.headers, distinct: req.headersDistinct['x-twice'], raw: req.rawHeaders.slice(0, 2),
            peers: [socket.remoteAddress, socket.remotePort, socket.remoteFamily, socket.localPort, socket.encrypted],
            same: [req.connection === socket, res.socket === socket, socket.setNoDelay() === socket],
            trailers: req.trailers, aborted: req.aborted,
        }));
    };";
    let mut request = get("/shop/a%20b");
    request.query = Some("q=1".to_owned());
    request.mount = "/shop".to_owned();
    request.headers.push("x-twice", "1");
    request.headers.push("x-twice", "2");
    request.headers.push("cookie", "a=1");
    request.headers.push("cookie", "b=2");
    request.scheme = "https".to_owned();
    let seen = answer(source, request);
    assert_eq!((seen.head.status, seen.head.reason.as_deref()), (201, Some("Made so")));
    assert_eq!(seen.header("x-a").as_deref(), Some("1|2"));
    assert_eq!(
        seen.whole().1,
        r#"{"is":[true,true,true],"method":"GET","url":"/a%20b?q=1","version":["1.1",1,1],"headers":{"host":"example.org","accept":"*/*","x-twice":"1, 2","cookie":"a=1; b=2"},"distinct":["1","2"],"raw":["host","example.org"],"peers":["10.0.0.7",4711,"IPv4",8080,true],"same":[true,true,true],"trailers":{},"aborted":false}"#
    );
}

#[test]
fn a_response_goes_through_the_states_of_nodes() {
    let source = "const seen = [];
    export default (req, res) => {
        if (req.url === '/seen') { res.end(JSON.stringify(seen)); return; }
        const note = (what) => seen.push([what, res.headersSent, res.finished, res.writableEnded, res.writableFinished]);
        note('begin');
        res.on('finish', () => note('finish'));
        res.on('close', () => note('close'));
        req.on('close', () => seen.push('request closed'));
        res.setHeader('a', '1'); res.appendHeader('a', '2'); res.removeHeader('b');
        res.end('x', () => seen.push('called'));
        note('end');
    };";
    run(async {
        let (guest, function) = guest(source).await;
        let seen = ask(&guest, function, get("/")).await;
        assert_eq!((seen.whole(), seen.header("a").as_deref()), ((200, "x".into()), Some("1|2")));
        assert_eq!(seen.header("content-length").as_deref(), Some("1"));
        let seen = ask(&guest, function, get("/seen")).await.body();
        assert!(
            seen.starts_with(
                r#"[["begin",false,false,false,false],["end",true,true,true,false],["finish",true,true,true,true],"called",["close",true,true,true,true]"#
            ) || seen.starts_with(
                r#"[["begin",false,false,false,false],["end",true,true,true,false],"called",["finish",true,true,true,true],["close",true,true,true,true]"#
            ),
            "{seen}"
        );
        assert!(seen.contains("request closed"), "{seen}");
    });
}

#[test]
fn what_is_written_in_pieces_is_streamed_with_backpressure() {
    let source = "export default async (req, res) => {
        res.writeHead(203, { 'content-type': 'text/plain' });
        let waits = 0;
        for (let piece = 0; piece < 64; piece += 1) {
            if (!res.write('x'.repeat(16384))) {
                waits += 1;
                await new Promise((drained) => res.once('drain', drained));
            }
        }
        res.end(`|${waits > 4}`);
    };";
    run(async {
        let (guest, function) = guest(source).await;
        let mut turns = 0;
        let invocation = invocation();
        let seen = serve(&guest, function, get("/"), &invocation, |_, reader| {
            turns += 1;
            Some(reader)
        })
        .await;
        let (status, body) = seen.streamed();
        assert_eq!((status, body.len()), (203, 64 * 16384 + 5));
        assert!(body.ends_with("|true") && turns > 4, "{turns}");
        assert_eq!(seen.header("content-length"), None);
    });
}

#[test]
fn pieces_of_all_kinds_become_one_body() {
    let source = "export default (req, res) => {
        res.write('h\\u00e4'); res.write(Buffer.from('b')); res.write('63', 'hex'); res.end('\\u00ff', 'latin1');
    };";
    let seen = answer(source, get("/"));
    assert_eq!(seen.result.as_ref().ok(), Some(&()));
    assert_eq!(seen.chunks.concat(), b"h\xc3\xa4bc\xff");
}

#[test]
fn bodies_are_read_by_events_pipes_and_iterators() {
    let source = "import { PassThrough } from 'node:stream';
    export default async (req, res) => {
        if (req.url === '/echo') { req.pipe(new PassThrough()).pipe(res); return; }
        if (req.url === '/events') {
            let text = '';
            req.setEncoding('utf8');
            req.on('data', (chunk) => text += chunk).on('end', () => res.end(`${text} ${req.complete}`));
            return;
        }
        let size = 0;
        for await (const chunk of req) size += chunk.length;
        res.end(String(size));
    };";
    run(async {
        let (guest, function) = guest(source).await;
        for (path, expected) in [("/echo", "abc"), ("/events", "abc true"), ("/iterate", "3")] {
            let seen = ask(&guest, function, post(path, "text/plain", "abc")).await;
            assert_eq!(seen.streamed_or_whole(), (200, expected.to_owned()));
        }
        let (request, body) = upload("/iterate");
        let (seen, waits) =
            join(ask(&guest, function, request), feed(&body, 1000, &[7; 4096])).await;
        assert_eq!(seen.streamed_or_whole(), (200, "4096000".to_owned()));
        assert!(waits > 10, "{waits}");
        let (request, body) = upload("/echo");
        let (seen, _) = join(ask(&guest, function, request), feed(&body, 100, b"0123456789")).await;
        assert_eq!(seen.streamed().1, "0123456789".repeat(100));
    });
}

#[test]
fn a_body_that_does_not_come_whole_is_an_error_of_the_request_alone() {
    let source = "export default (req, res) => {
        const seen = [];
        req.on('data', (chunk) => seen.push(String(chunk))).on('aborted', () => seen.push('aborted'));
        req.on('error', (error) => {
            res.statusCode = 400;
            res.end(`${seen} ${error.code} ${error.cause.message} ${req.complete}`);
        });
    };";
    run(async {
        let (guest, function) = guest(source).await;
        let (request, body) = upload("/");
        body.write("abc".into()).unwrap();
        body.finish(Err(Error::guest("Error", "too large")));
        let seen = ask(&guest, function, request).await;
        let expected = "abc,aborted ECONNRESET too large false";
        assert_eq!(seen.streamed_or_whole(), (400, expected.to_owned()));
    });
}

#[test]
fn many_requests_at_once_are_kept_apart() {
    let source = "import { AsyncLocalStorage } from 'node:async_hooks';
    const storage = new AsyncLocalStorage();
    export default (req, res) => storage.run(req.url, async () => {
        for (let turn = 0; turn < 5; turn += 1) {
            await new Promise((done) => setTimeout(done, Number(req.url.slice(1)) % 7));
            if (!res.write(`${storage.getStore()};`)) await new Promise((done) => res.once('drain', done));
        }
        res.end();
    });";
    run(async {
        let (guest, function) = guest(source).await;
        let paths: Vec<_> = (0..50).map(|number| format!("/{number}")).collect();
        let calls = paths.iter().map(|path| ask(&guest, function, get(path)));
        for (path, seen) in paths.iter().zip(join_all(calls).await) {
            assert_eq!(seen.streamed().1, format!("{path};").repeat(5));
        }
    });
}

#[test]
fn an_answer_before_the_body_has_come_ends_the_call() {
    let source = "export default (req, res) => { res.statusCode = 413; res.end('too much'); };";
    run(async {
        let (guest, function) = guest(source).await;
        let (request, body) = upload("/");
        let seen = ask(&guest, function, request).await;
        assert_eq!(seen.whole(), (413, "too much".to_owned()));
        assert!(body.is_gone());
    });
}

#[test]
fn head_and_statuses_without_a_body_have_none() {
    let source = "export default (req, res) => {
        if (req.url !== '/') res.statusCode = Number(req.url.slice(1));
        res.end('body');
    };";
    run(async {
        let (guest, function) = guest(source).await;
        let mut request = get("/");
        request.method = "HEAD".to_owned();
        assert_eq!(ask(&guest, function, request).await.whole(), (200, String::new()));
        for status in [204, 304] {
            let seen = ask(&guest, function, get(&format!("/{status}"))).await;
            assert_eq!(seen.whole(), (status, String::new()));
            assert_eq!(seen.header("content-length"), None);
        }
    });
}

#[test]
fn the_head_goes_out_when_it_is_flushed_and_trailers_at_the_end() {
    let source = "export default (req, res) => {
        res.setHeader('Trailer', 'X-Sum');
        res.flushHeaders();
        res.writeContinue(); res.writeProcessing(); res.writeEarlyHints({ link: '</a>; rel=preload' });
        setTimeout(() => { res.addTrailers({ 'X-Sum': '3' }); res.end('abc'); }, 20);
    };";
    run(async {
        let (guest, function) = guest(source).await;
        let invocation = invocation();
        let mut was_begun_before = false;
        let seen = serve(&guest, function, get("/"), &invocation, |seen, reader| {
            was_begun_before |= reader.stream().is_out() && seen.chunks.is_empty();
            Some(reader)
        })
        .await;
        assert_eq!(seen.streamed(), (200, "abc".to_owned()));
        assert!(was_begun_before);
        assert_eq!(seen.trailers.unwrap().get("x-sum"), Some(&b"3"[..]));
    });
}

#[test]
fn headers_of_the_connection_are_left_out() {
    let source = "export default (req, res) => {
        res.setHeader('Connection', 'close'); res.setHeader('Keep-Alive', 'timeout=5');
        res.setHeader('Transfer-Encoding', 'chunked'); res.setHeader('X-A', 1);
        res.end('a');
    };";
    let seen = answer(source, get("/"));
    let names: Vec<_> = seen.head.headers.iter().map(|(name, _)| name.to_vec()).collect();
    assert_eq!(names, [b"X-A".to_vec()]);
}

#[test]
fn a_client_that_goes_closes_request_and_response() {
    let source = "const seen = [];
    export default (req, res) => {
        if (req.url === '/seen') { res.end(seen.join()); return; }
        req.on('aborted', () => seen.push('aborted')).on('close', () => seen.push('request', req.destroyed));
        req.on('error', (error) => seen.push(error.code));
        res.on('close', () => seen.push('response', res.writableFinished, res.destroyed));
        res.on('finish', () => seen.push('finish'));
        req.socket.on('close', () => seen.push('socket'));
        if (req.url === '/streaming') { res.write('a'); }
    };";
    run(async {
        let (guest, function) = guest(source).await;
        for path in ["/waiting", "/streaming"] {
            let id = invocation();
            let seen = serve(&guest, function, get(path), &id, |seen, reader| {
                (path == "/streaming" && seen.chunks.is_empty()).then_some(reader)
            })
            .await;
            assert!(seen.result.is_ok(), "{seen:?}");
        }
        let seen = ask(&guest, function, get("/seen")).await.body();
        let once = "aborted,socket,response,false,true,ECONNRESET,request,true";
        assert_eq!(seen, format!("{once},{once}"));
    });
}

#[test]
fn a_response_that_another_request_completes_waits_for_it() {
    let source = "let waiting;
    export default (req, res) => {
        if (req.url === '/wait') { waiting = res; return; }
        waiting.end('of the other'); res.end('done');
    };";
    run(async {
        let (guest, function) = guest(source).await;
        let (first, second) =
            join(ask(&guest, function, get("/wait")), ask(&guest, function, get("/go"))).await;
        assert_eq!(first.streamed_or_whole().1, "of the other");
        assert_eq!(second.streamed_or_whole().1, "done");
    });
}

#[test]
fn the_listeners_promise_is_part_of_the_call_and_not_of_the_response() {
    let source = "let done = 0;
    export default async (req, res) => {
        res.end(String(done));
        await new Promise((resolve) => setTimeout(resolve, 20));
        done += 1;
    };";
    run(async {
        let (guest, function) = guest(source).await;
        let invocation = invocation();
        let mut was_ended_before = false;
        let seen = serve(&guest, function, get("/"), &invocation, |_, reader| {
            was_ended_before |= reader.stream().is_ended();
            Some(reader)
        })
        .await;
        assert_eq!(seen.streamed().1, "0");
        assert!(was_ended_before);
        assert_eq!(ask(&guest, function, get("/")).await.body(), "1");
    });
}

#[test]
fn what_stands_for_an_event_is_with_the_request() {
    let source = "export default (req, res) => res.end(JSON.stringify(
        [req.event, req.apiGateway.event === req.event, req.apiGateway.context.awsRequestId]));";
    let mut request = get("/");
    request.event = Some(r#"{"version":"2.0"}"#.into());
    assert_eq!(answer(source, request).whole().1, r#"[{"version":"2.0"},true,"id-1"]"#);
}

#[test]
fn methods_of_nodes_prototypes_can_be_replaced_and_inherited() {
    let source = "import http from 'node:http';
    const { end } = http.ServerResponse.prototype;
    http.ServerResponse.prototype.end = function (...args) {
        this.setHeader('x-ends', '1');
        return Reflect.apply(end, this, args);
    };
    const prototype = Object.create(http.ServerResponse.prototype, {
        send: { value(text) { this.end(`sent ${text}`); } },
    });
    export default (req, res) => { Object.setPrototypeOf(res, prototype); res.send('a'); };";
    let seen = answer(source, get("/"));
    assert_eq!((seen.whole().1, seen.header("x-ends").as_deref()), ("sent a".into(), Some("1")));
}

#[test]
fn trailers_of_a_request_come_with_its_end() {
    let source = "export default async (req, res) => {
        for await (const chunk of req);
        res.end(JSON.stringify([req.trailers, req.rawTrailers]));
    };";
    run(async {
        let (guest, function) = guest(source).await;
        let (request, body) = upload("/");
        body.write("abc".into()).unwrap();
        body.set_trailers(Fields::from_iter([("x-sum", "42"), ("x-sum", "43")]));
        body.end();
        let seen = ask(&guest, function, request).await;
        let expected = r#"[{"x-sum":"42, 43"},["x-sum","42","x-sum","43"]]"#;
        assert_eq!(seen.streamed_or_whole().1, expected);
    });
}

#[test]
fn statuses_without_a_name_and_pieces_after_the_end_are_as_nodes() {
    let source = "const seen = [];
    export default (req, res) => {
        if (req.url === '/seen') { res.end(seen.join()); return; }
        try { res.writeHead(99); } catch (error) { seen.push(error.code); }
        res.on('error', (error) => seen.push(error.code)).on('close', () => seen.push('close'));
        res.writeHead(599);
        res.end('a');
        res.write('b');
    };";
    run(async {
        let (guest, function) = guest(source).await;
        let seen = ask(&guest, function, get("/")).await;
        assert_eq!(
            (seen.whole(), seen.head.reason.as_deref()),
            ((599, "a".into()), Some("unknown"))
        );
        let seen = ask(&guest, function, get("/seen")).await;
        let expected = "ERR_HTTP_INVALID_STATUS_CODE,ERR_STREAM_WRITE_AFTER_END,close";
        assert_eq!(seen.streamed_or_whole().1, expected);
    });
}

#[test]
fn timeouts_are_told() {
    let source = "export default (req, res) => {
        res.setTimeout(5, () => { res.statusCode = 503; res.end('late'); });
        setTimeout(() => {}, 10000).unref();
        setTimeout(() => {}, 50);
    };";
    assert_eq!(answer(source, get("/")).streamed_or_whole(), (503, "late".to_owned()));
}

#[test]
fn what_goes_on_after_a_response_goes_on_between_requests_where_a_server_lets_it() {
    let source = "let beats = 0;
    const timer = setInterval(() => { if ((beats += 1) === 3) { console.log('three beats'); clearInterval(timer); } }, 1);
    export default (req, res) => {
        res.end('early');
        setTimeout(() => { console.log('later'); throw new RangeError('behind'); }, 5);
    };";
    let (log, beats) = run(async {
        let (guest, function) = guest(source).await;
        let background = guest.instance.background().expect("an application goes on");
        assert!(guest.instance.background().is_none());
        let serving = async {
            assert_eq!(ask(&guest, function, get("/")).await.body(), "early");
            let given_up = Instant::now() + LIMIT;
            while !guest.log.text().contains("RangeError: behind") && Instant::now() < given_up {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let beats = guest.log.text().contains("three beats");
            guest.instance.shutdown();
            beats
        };
        let (beats, ()) = join(serving, background).await;
        (guest.log.text(), beats)
    });
    assert!(log.contains("later") && beats, "{log}");
}

#[test]
fn functions_of_events_do_not_go_on_between_calls() {
    let guest = Guest::new("export const handler = (event) => event;");
    run(async {
        guest.handler().await;
        assert!(guest.instance.background().is_none());
    });
}
