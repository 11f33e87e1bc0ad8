//! Other protocols on a request's connection.

use super::*;
use crate::support::run;

fn upgrade(path: &str) -> (WebRequest, ResponseStream) {
    let (mut request, body) = upload(path);
    request.method = "GET".to_owned();
    request.upgrades = true;
    request.headers = Fields::from_iter([
        ("host", "example.org"),
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "echo"),
    ]);
    (request, body)
}

const ECHO: &str = "import http from 'node:http';
    const app = (req, res) => res.end('no upgrade');
    const server = http.createServer(app);
    server.on('upgrade', (req, socket, head) => {
        if (req.url === '/refused') {
            socket.end('HTTP/1.1 401 Unauthorized\\r\\ncontent-length: 2\\r\\n\\r\\nno');
            return;
        }
        if (req.url === '/wrong') { socket.write('what?\\r\\n\\r\\n'); return; }
        if (req.url === '/dropped') { socket.destroy(); return; }
        socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: echo\\r\\nConnection: Upgrade\\r\\n\\r\\n');
        socket.write(`hello ${req.headers.upgrade} ${head.length}\\n`);
        socket.pipe(socket);
    });
    server.listen(80);
    export default app;";

#[test]
fn an_upgraded_connection_goes_both_ways_until_it_ends() {
    let guest = Guest::new(ECHO);
    run(async {
        let function = application(&guest, Interface::Node).await;
        let (request, body) = upgrade("/");
        let mut sent = false;
        let id = invocation();
        let seen = serve(&guest, function, request, &id, |seen, reader| {
            if !sent && seen.body().contains("hello") {
                sent = true;
                body.write("ping".into()).unwrap();
            }
            if seen.body().ends_with("ping") {
                body.end();
            }
            Some(reader)
        })
        .await;
        assert_eq!(seen.streamed(), (101, "hello echo 0\nping".to_owned()));
        assert_eq!(seen.head.reason.as_deref(), Some("Switching Protocols"));
        assert_eq!(seen.header("upgrade").as_deref(), Some("echo"));
        assert_eq!(ask(&guest, function, get("/")).await.whole().1, "no upgrade");
    });
}

#[test]
fn an_upgrade_may_be_refused_or_go_wrong() {
    let guest = Guest::new(ECHO);
    run(async {
        let function = application(&guest, Interface::Node).await;
        let (request, _body) = upgrade("/refused");
        let seen = ask(&guest, function, request).await;
        assert_eq!(seen.streamed(), (401, "no".to_owned()));
        for (path, message) in [
            ("/wrong", "which is no head of a response"),
            ("/dropped", "has destroyed the connection before its response was complete"),
        ] {
            let (request, _body) = upgrade(path);
            let seen = ask(&guest, function, request).await;
            assert!(seen.error().message().contains(message), "{seen:?}");
        }
    });
}

#[test]
fn a_server_that_knows_no_other_protocol_answers_as_usual() {
    let guest = Guest::new(
        "export default async (req, res) => {
            for await (const chunk of req) res.write(chunk);
            res.end(req.headers.upgrade);
        };",
    );
    run(async {
        let function = application(&guest, Interface::Node).await;
        let (request, _body) = upgrade("/");
        assert_eq!(ask(&guest, function, request).await.streamed_or_whole().1, "echo");
    });
}
