//! `fetch(request, env, ctx)` as a handler.

use super::*;
use crate::support::run;

async fn guest(source: &str) -> (Guest, FunctionId) {
    let guest = Guest::new(source);
    let function = application(&guest, Interface::Fetch).await;
    (guest, function)
}

/// Answers one request with the application of a module.
fn answer(source: &str, request: WebRequest) -> Seen {
    run(async {
        let (guest, function) = guest(source).await;
        ask(&guest, function, request).await
    })
}

#[test]
fn a_request_has_what_the_client_has_sent() {
    let source = "export default { async fetch(request, env, ctx) {
        return Response.json({
            method: request.method, url: request.url, accept: request.headers.get('Accept'),
            twice: request.headers.get('x-twice'), missing: request.headers.get('missing'),
            names: [...request.headers.keys()], body: await request.text(), isRequest: request instanceof Request,
            path: typeof env.PATH, props: ctx.props,
        }, { status: 201, headers: { 'x-made-by': 'fetch' } });
    } };";
    let mut request = post("/shop/a%20b", "text/plain", "hällo");
    request.query = Some("q=1&q=2".to_owned());
    request.mount = "/shop".to_owned();
    request.headers.push("x-twice", "1");
    request.headers.push("x-twice", "2");
    let seen = answer(source, request);
    let (status, body) = seen.whole();
    assert_eq!(status, 201);
    assert_eq!(seen.header("x-made-by").as_deref(), Some("fetch"));
    assert_eq!(seen.header("content-type").as_deref(), Some("application/json"));
    assert_eq!(
        body,
        r#"{"method":"POST","url":"http://example.org/a%20b?q=1&q=2","accept":"*/*","twice":"1, 2","missing":null,"names":["accept","content-length","content-type","host","x-twice"],"body":"hällo","isRequest":true,"path":"string","props":{}}"#
    );
}

#[test]
fn the_address_takes_the_server_where_the_client_names_no_host() {
    let source = "export default { fetch: (request) => new Response(new URL(request.url).href) };";
    let mut request = get("/a");
    request.headers = Fields::default();
    request.scheme = "https".to_owned();
    assert_eq!(answer(source, request).whole(), (200, "https://localhost:8080/a".to_owned()));
    assert_eq!(answer(source, get("/caf\u{e9}")).whole().1, "http://example.org/caf%C3%A9");
    let mut request = get("/a");
    request.headers = Fields::from_iter([("host", "a b/../c")]);
    assert_eq!(answer(source, request).whole(), (200, "http://localhost:8080/a".to_owned()));
}

#[test]
fn cookies_that_come_apart_are_one_header() {
    let source = "export default { fetch(request) {
        const { headers } = request;
        return Response.json([headers.get('cookie'), [...headers].filter(([name]) => name === 'cookie')]);
    } };";
    let mut request = get("/");
    request.headers.push("cookie", "a=1");
    request.headers.push("cookie", "b=2");
    assert_eq!(answer(source, request).whole().1, r#"["a=1; b=2",[["cookie","a=1; b=2"]]]"#);
}

#[test]
fn responses_of_every_kind_arrive_as_they_are() {
    let source = "export default { fetch(request) {
        const headers = new Headers([['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x-a', 'ü']]);
        switch (new URL(request.url).pathname) {
            case '/text': return new Response('text');
            case '/bytes': return new Response(new Uint8Array([0, 255, 10]));
            case '/cookies': return new Response('x', { headers, status: 202, statusText: 'Taken' });
            case '/nothing': return new Response(null, { status: 204 });
            case '/unmodified': return new Response(null, { status: 304, headers: { etag: '1' } });
            case '/redirect': return Response.redirect('http://example.com/');
            case '/form': return new Response(new URLSearchParams({ a: 1 }));
            case '/clone': { const made = new Response('clone'); made.clone(); return made; }
        }
    } };";
    run(async {
        let (guest, function) = guest(source).await;
        let seen = ask(&guest, function, get("/text")).await;
        assert_eq!(seen.whole(), (200, "text".to_owned()));
        assert_eq!(seen.header("content-type").as_deref(), Some("text/plain;charset=UTF-8"));
        let seen = ask(&guest, function, get("/bytes")).await;
        assert_eq!(seen.chunks, [Bytes::from_static(&[0, 255, 10])]);
        let seen = ask(&guest, function, get("/cookies")).await;
        assert_eq!((seen.head.status, seen.head.reason.as_deref()), (202, Some("Taken")));
        assert_eq!(seen.header("set-cookie").as_deref(), Some("a=1|b=2"));
        assert_eq!(seen.head.headers.get("x-a"), Some(&b"\xfc"[..]));
        assert_eq!(ask(&guest, function, get("/nothing")).await.whole(), (204, String::new()));
        let seen = ask(&guest, function, get("/unmodified")).await;
        assert_eq!((seen.whole().0, seen.header("etag").as_deref()), (304, Some("1")));
        let seen = ask(&guest, function, get("/redirect")).await;
        assert_eq!(seen.header("location").as_deref(), Some("http://example.com/"));
        assert_eq!(ask(&guest, function, get("/form")).await.whole(), (200, "a=1".to_owned()));
        let seen = ask(&guest, function, get("/clone")).await;
        assert_eq!((seen.head.status, seen.body()), (200, "clone".to_owned()));
    });
}

#[test]
fn a_stream_is_written_no_faster_than_it_is_read_and_its_head_goes_first() {
    let source = "let pulls = 0;
    export default { fetch(request) {
        if (request.url.endsWith('/pulls')) return new Response(String(pulls));
        const body = new ReadableStream({
            pull(controller) {
                pulls += 1;
                controller.enqueue(new Uint8Array(16384));
                if (pulls === 64) controller.close();
            },
        }, { highWaterMark: 0 });
        return new Response(body, { status: 203 });
    } };";
    run(async {
        let (guest, function) = guest(source).await;
        let invocation = invocation();
        let mut pulled = Vec::new();
        let seen = serve(&guest, function, get("/"), &invocation, |seen, reader| {
            pulled.push(seen.chunks.len());
            Some(reader)
        })
        .await;
        assert_eq!(seen.head.status, 203);
        assert_eq!(seen.streamed().1.len(), 64 * 16384);
        assert!(pulled.len() > 4, "{pulled:?}");
    });
}

#[test]
fn a_body_that_arrives_is_read_when_it_is_asked_for() {
    let source = "export default { async fetch(request) {
        if (request.url.endsWith('/unread')) return new Response('unread');
        let size = 0;
        for await (const chunk of request.body) size += chunk.length;
        return new Response(String(size));
    } };";
    run(async {
        let (guest, function) = guest(source).await;
        let (request, body) = upload("/");
        let writer = feed(&body, 1000, &[7; 4096]);
        let (seen, waits) = join(ask(&guest, function, request), writer).await;
        assert_eq!(seen.streamed_or_whole(), (200, "4096000".to_owned()));
        assert!(waits > 10, "{waits}");
        let (request, body) = upload("/unread");
        let seen = ask(&guest, function, request).await;
        assert_eq!(seen.whole().1, "unread");
        assert!(body.is_gone());
    });
}

#[test]
fn a_body_that_does_not_come_whole_is_an_error_of_who_reads_it() {
    let source = "export default { async fetch(request) {
        try { await request.arrayBuffer(); } catch (error) {
            return new Response(`${error.name}: ${error.message}`, { status: 400 });
        }
    } };";
    run(async {
        let (guest, function) = guest(source).await;
        let (request, body) = upload("/");
        body.write("abc".into()).unwrap();
        body.finish(Err(Error::guest("Error", "the client left")));
        let seen = ask(&guest, function, request).await;
        let expected = "TypeError: the body of the request did not come whole: the client left";
        assert_eq!(seen.streamed_or_whole(), (400, expected.to_owned()));
    });
}

#[test]
fn forms_and_files_are_parsed() {
    let source = "export default { async fetch(request) {
        const form = await request.formData();
        const file = form.get('file');
        return Response.json([form.get('name'), file.name, file.type, await file.text()]);
    } };";
    let body = "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nA\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\ncontents\r\n--x--\r\n";
    let seen = answer(source, post("/", "multipart/form-data; boundary=x", body));
    assert_eq!(seen.whole().1, r#"["A","a.txt","text/plain","contents"]"#);
}

#[test]
fn the_response_does_not_wait_for_what_wait_until_waits_for() {
    let source = "let done = 0;
    export default { fetch(request, env, ctx) {
        if (request.url.endsWith('/done')) return new Response(String(done));
        ctx.waitUntil(new Promise((resolve) => setTimeout(() => { done += 1; resolve(); }, 20)));
        return new Response('early');
    } };";
    run(async {
        let (guest, function) = guest(source).await;
        let invocation = invocation();
        let mut was_ended_before = false;
        let seen = serve(&guest, function, get("/"), &invocation, |_, reader| {
            was_ended_before |= reader.stream().is_ended();
            Some(reader)
        })
        .await;
        assert_eq!(seen.streamed(), (200, "early".to_owned()));
        assert!(was_ended_before);
        assert_eq!(ask(&guest, function, get("/done")).await.whole().1, "1");
    });
}

#[test]
fn a_failure_of_what_wait_until_waits_for_fails_the_call_and_not_the_response() {
    let source = "export default { fetch(request, env, ctx) {
        ctx.waitUntil(Promise.reject(new RangeError('behind')));
        return new Response('early');
    } };";
    let seen = answer(source, get("/"));
    assert_eq!((seen.head.status, seen.body()), (200, "early".to_owned()));
    assert_eq!(seen.error().name(), "RangeError");
}

#[test]
fn the_signal_is_aborted_when_the_client_goes_and_the_stream_cancelled() {
    let source = "const seen = [];
    export default { async fetch(request) {
        if (request.url.endsWith('/seen')) return new Response(seen.join());
        request.signal.addEventListener('abort', () => seen.push('aborted', request.signal.reason.name));
        if (request.url.endsWith('/slow')) {
            await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
            seen.push('went on');
            return new Response('late');
        }
        let timer;
        return new Response(new ReadableStream({
            start(controller) {
                timer = setInterval(() => controller.enqueue(new Uint8Array(10)), 1);
            },
            cancel() { clearInterval(timer); seen.push('cancelled'); },
        }));
    } };";
    run(async {
        let (guest, function) = guest(source).await;
        let id = invocation();
        serve(&guest, function, get("/slow"), &id, |_, _| None).await;
        let seen = ask(&guest, function, get("/seen")).await.whole().1;
        assert_eq!(seen, "aborted,AbortError,went on");
        let id = invocation();
        let seen = serve(&guest, function, get("/"), &id, |seen, reader| {
            seen.chunks.is_empty().then_some(reader)
        })
        .await;
        assert!(seen.result.is_ok(), "{seen:?}");
        let seen = ask(&guest, function, get("/seen")).await.whole().1;
        assert!(seen.ends_with("aborted,AbortError,cancelled"), "{seen}");
    });
}

#[test]
fn a_head_request_gets_the_head_of_a_stream_alone() {
    let source = "let cancelled = false;
    export default { fetch(request) {
        if (request.url.endsWith('/cancelled')) return new Response(String(cancelled));
        const body = new ReadableStream({ cancel() { cancelled = true; } });
        return new Response(body, { headers: { 'x-a': '1' } });
    } };";
    run(async {
        let (guest, function) = guest(source).await;
        let mut request = get("/");
        request.method = "HEAD".to_owned();
        let seen = ask(&guest, function, request).await;
        assert_eq!((seen.whole().1, seen.header("x-a").as_deref()), (String::new(), Some("1")));
        assert_eq!(ask(&guest, function, get("/cancelled")).await.whole().1, "true");
    });
}

#[test]
fn what_stands_for_an_event_is_in_the_environment() {
    let source = "export default { fetch(request, env) {
        return Response.json([env.event, env.lambdaContext.awsRequestId, typeof env.PATH]);
    } };";
    let mut request = get("/");
    request.event = Some(r#"{"version":"2.0"}"#.into());
    assert_eq!(answer(source, request).whole().1, r#"[{"version":"2.0"},"id-1","string"]"#);
}

#[test]
fn requests_can_be_made_anew_of_others() {
    let source = "export default { async fetch(request) {
        const other = new Request('http://other.example/', request);
        const text = await other.clone().text();
        return Response.json([other.url, other.method, other.headers.get('accept'), text]);
    } };";
    let seen = answer(source, post("/", "text/plain", "abc"));
    assert_eq!(seen.whole().1, r#"["http://other.example/","POST","*/*","abc"]"#);
}
