//! Frameworks from npm, as their applications are written for their own servers.

use super::*;
use crate::support::run;
use std::{os::unix::fs::symlink, path::Path};

/// Makes a guest whose module sees the packages of the product's tests.
fn guest(source: &str) -> Guest {
    let guest = Guest::new(source);
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/it/frameworks");
    let packages = here.canonicalize().unwrap().join("node_modules");
    let file = packages.join(".vendored");
    assert!(file.is_file(), "{} is not there: run `make setup`", file.display());
    symlink(packages, guest.folder.path().join("node_modules")).unwrap();
    guest
}

const FORM: &str = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\ncontents\r\n--x--\r\n";

const EXPRESS: &str = "import express from 'express';
    const app = express();
    app.set('env', 'development');
    app.use(express.json());
    app.use('/static', express.static(import.meta.dirname));
    app.get('/', (req, res) => res.send('hello'));
    app.get('/facts', (req, res) => res.json([req.ip, req.hostname, req.protocol, req.query.q]));
    app.post('/json', (req, res) => res.status(201).cookie('a', '1').cookie('b', '2').json(req.body));
    app.get('/stream', async (req, res) => {
        for (const piece of ['a', 'b']) { res.write(piece); await new Promise((done) => setTimeout(done, 2)); }
        res.end('c');
    });
    app.get('/throw', async () => { throw new Error('shown'); });";

#[test]
fn express_answers_as_under_its_own_server() {
    for end in ["export default app;", "app.listen(3000);", "export { app };"] {
        let guest = guest(&format!("{EXPRESS}\n{end}"));
        run(async {
            let function = application(&guest, Interface::Node).await;
            let seen = ask(&guest, function, get("/")).await;
            assert_eq!(seen.whole(), (200, "hello".to_owned()));
            assert_eq!(seen.header("content-length").as_deref(), Some("5"));
            assert_eq!(seen.header("x-powered-by").as_deref(), Some("Express"));
            let mut request = get("/facts");
            request.query = Some("q=a%20b".to_owned());
            let seen = ask(&guest, function, request).await;
            assert_eq!(seen.whole().1, r#"["10.0.0.7","example.org","http","a b"]"#);
            let mut request = get("/");
            request.headers.push("if-none-match", "W/\"5-qvTGHdzF6KLavt4PO0gs2a6pQ00\"");
            assert_eq!(ask(&guest, function, request).await.whole(), (304, String::new()));
            let seen = ask(&guest, function, post("/json", "application/json", "{\"a\":1}")).await;
            assert_eq!(seen.streamed_or_whole(), (201, r#"{"a":1}"#.to_owned()));
            assert_eq!(seen.header("set-cookie").as_deref(), Some("a=1; Path=/|b=2; Path=/"));
            let seen = ask(&guest, function, post("/json", "application/json", "{")).await;
            assert_eq!(seen.head.status, 400);
            let seen = ask(&guest, function, get("/stream")).await;
            assert_eq!(seen.streamed().1, "abc");
            let seen = ask(&guest, function, get("/static/app.mjs")).await;
            assert!(seen.streamed_or_whole().1.starts_with("import express"));
            let seen = ask(&guest, function, get("/throw")).await;
            assert_eq!(seen.head.status, 500);
            assert!(seen.body().contains("<pre>Error: shown<br>"), "{seen:?}");
            assert_eq!(ask(&guest, function, get("/absent")).await.head.status, 404);
        });
    }
}

#[test]
fn hono_answers_as_under_its_own_server() {
    let guest = guest(
        "import { Hono } from 'hono';
        import { stream } from 'hono/streaming';
        const app = new Hono();
        app.get('/', (c) => c.text('hello'));
        app.get('/facts', (c) => c.json([c.req.query('q'), c.req.header('accept'), typeof c.env.PATH]));
        app.post('/json', async (c) => c.json(await c.req.json(), 201));
        app.post('/file', async (c) => c.text(await (await c.req.parseBody()).file.text()));
        app.get('/stream', (c) => stream(c, async (out) => {
            for (const piece of ['a', 'b']) { await out.write(piece); await out.sleep(2); }
        }));
        app.get('/later', (c) => { c.executionCtx.waitUntil(Promise.resolve()); return c.text('soon'); });
        app.get('/throw', () => { throw new Error('shown'); });
        app.onError((error, c) => c.text(error.message, 500));
        export default app;",
    );
    run(async {
        let function = application(&guest, Interface::Fetch).await;
        assert_eq!(ask(&guest, function, get("/")).await.whole(), (200, "hello".to_owned()));
        let mut request = get("/facts");
        request.query = Some("q=a%20b".to_owned());
        let seen = ask(&guest, function, request).await;
        assert_eq!(seen.whole().1, r#"["a b","*/*","string"]"#);
        let seen = ask(&guest, function, post("/json", "application/json", "{\"a\":1}")).await;
        assert_eq!(seen.whole(), (201, r#"{"a":1}"#.to_owned()));
        let form = post("/file", "multipart/form-data; boundary=x", FORM);
        assert_eq!(ask(&guest, function, form).await.whole().1, "contents");
        assert_eq!(ask(&guest, function, get("/stream")).await.streamed().1, "ab");
        assert_eq!(ask(&guest, function, get("/later")).await.streamed_or_whole().1, "soon");
        assert_eq!(ask(&guest, function, get("/throw")).await.whole(), (500, "shown".to_owned()));
        assert_eq!(ask(&guest, function, get("/absent")).await.head.status, 404);
    });
}

#[test]
fn fastify_answers_as_under_its_own_server() {
    let source = "import Fastify from 'fastify';
        const app = Fastify();
        app.get('/', async () => 'hello');
        app.post('/json', { schema: { body: { type: 'object', required: ['a'] } } }, async (request) => request.body);
        app.get('/throw', async () => { throw new Error('shown'); });";
    for end in
        ["export default app;", "await app.listen({ port: 3000 });", "app.listen({ port: 3000 });"]
    {
        let guest = guest(&format!("{source}\n{end}"));
        run(async {
            let function = application(&guest, Interface::Node).await;
            let seen = ask(&guest, function, get("/")).await;
            assert_eq!(seen.streamed_or_whole(), (200, "hello".to_owned()));
            let seen = ask(&guest, function, post("/json", "application/json", "{\"a\":1}")).await;
            assert_eq!(seen.streamed_or_whole(), (200, r#"{"a":1}"#.to_owned()));
            let seen = ask(&guest, function, post("/json", "application/json", "{}")).await;
            assert!(
                seen.head.status == 400 && seen.body().contains("required property"),
                "{seen:?}"
            );
            let seen = ask(&guest, function, get("/throw")).await;
            assert!(seen.head.status == 500 && seen.body().contains("shown"), "{seen:?}");
        });
    }
}
