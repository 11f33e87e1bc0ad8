//! Answers that JavaScript gives out in pieces, through every door.

use crate::support::{
    Connection, Folder, LIMIT, Lambda, Platform, Process, Served, eventually, trine,
};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};
use trine_emulator::Answer;

/// What all of the handlers share: two parts, the second of which waits until there is a file `go`, or parts without end.
const PARTS: &str = r#"
import { existsSync, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

async function* parts(event) {
  const isEndless = event.endless || event.rawPath === "/endless";
  try {
    yield "one\n";
    while (isEndless || !existsSync("go")) {
      await sleep(2);
      if (isEndless) {
        yield "more\n";
      }
    }
    yield "two\n";
  } finally {
    writeFileSync("told", "");
  }
}
const bytes = (stream) => ReadableStream.from(stream).pipeThrough(new TextEncoderStream());
"#;

/// Every form of handler that streams, by its name, and the media type of its answer.
const FORMS: [(&str, &str, &str); 6] = [
    ("generator", "export const handler = (event) => parts(event);", "text/plain; charset=utf-8"),
    (
        "readable",
        "export const handler = async (event) => Readable.from(parts(event));",
        "text/plain; charset=utf-8",
    ),
    (
        "stream",
        "export const handler = (event) => ReadableStream.from(parts(event));",
        "text/plain; charset=utf-8",
    ),
    (
        "response",
        "export const handler = (event) => new Response(bytes(parts(event)), {
           status: 201, headers: [['content-type', 'text/csv'], ['set-cookie', 'a=b'], ['set-cookie', 'c=d']],
         });",
        "text/csv",
    ),
    (
        "official",
        "export const handler = awslambda.streamifyResponse(async (event, responseStream) => {
           await pipeline(parts(event), responseStream);
         });",
        "application/octet-stream",
    ),
    (
        "integration",
        "export const handler = awslambda.streamifyResponse(async (event, responseStream) => {
           const stream = awslambda.HttpResponseStream.from(responseStream, {
             statusCode: 201, headers: { 'content-type': 'text/csv' }, cookies: ['a=b', 'c=d'],
           });
           for await (const part of parts(event)) {
             stream.write(part);
             if (stream.destroyed) break;
           }
           stream.end();
         });",
        "text/csv",
    ),
];

/// Makes a folder with a handler in `app.mjs`.
fn folder(handler: &str) -> Folder {
    Folder::new(&[("app.mjs", &format!("{PARTS}{handler}"))])
}

fn has_metadata(name: &str) -> bool {
    matches!(name, "response" | "integration")
}

/// Whether the source of an answer hears that nobody reads before its invocation ends. Behind a transform stream it hears of
/// it some turns of the event loop later, which come with the next invocation.
fn is_told_at_once(name: &str) -> bool {
    name != "response"
}

#[track_caller]
fn wait_for(folder: &Folder, file: &str) {
    let path = folder.task().join(file);
    eventually(&format!("there is a file {file}"), || path.exists().then_some(()));
}

/// Sends a request whose answer is read as it comes.
fn get(served: &Served, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Reads until this text has come; returns all of it.
#[track_caller]
fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    while !String::from_utf8_lossy(&read).contains(text) {
        let length = stream.read(&mut piece).unwrap();
        assert_ne!(length, 0, "the end came before {text:?}: {}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&piece[..length]);
    }
    String::from_utf8_lossy(&read).into_owned()
}

#[test]
fn a_client_of_the_server_has_each_chunk_before_the_next_is_made() {
    for (name, handler, content_type) in FORMS {
        let folder = folder(handler);
        let served = Served::start(&folder, &["app.mjs", "--workers", "1"]);
        let mut stream = get(&served, "/");
        let head = read_until(&mut stream, "one\n\r\n").to_lowercase();
        let status = if has_metadata(name) { "http/1.1 201 " } else { "http/1.1 200 " };
        assert!(head.starts_with(status), "{name}: {head}");
        for line in ["transfer-encoding: chunked", &format!("content-type: {content_type}")] {
            assert!(head.contains(&format!("{line}\r\n")), "{name}: {head}");
        }
        for cookie in ["set-cookie: a=b\r\n", "set-cookie: c=d\r\n"] {
            assert_eq!(head.contains(cookie), has_metadata(name), "{name}: {head}");
        }
        assert!(!head.contains("two"), "{name}: {head}");
        folder.write("go", "");
        let rest = read_until(&mut stream, "0\r\n\r\n");
        assert_eq!(rest, "4\r\ntwo\n\r\n0\r\n\r\n", "{name}");
    }
}

#[test]
fn a_handler_is_told_that_the_servers_client_is_gone() {
    for (name, handler, _) in FORMS {
        let folder = folder(handler);
        let served = Served::start(&folder, &["app.mjs", "--workers", "1"]);
        let mut stream = get(&served, "/endless");
        read_until(&mut stream, "one\n");
        drop(stream);
        if is_told_at_once(name) {
            wait_for(&folder, "told");
        }
        folder.write("go", "");
        assert_eq!(served.get("/").text(), "one\ntwo\n", "{name}");
        let log = served.process.stderr();
        assert!(!log.contains("Uncaught") && !log.contains("Unhandled"), "{name}: {log}");
    }
}

#[test]
fn invoke_prints_each_chunk_before_the_next_is_made() {
    for (name, handler, _) in FORMS {
        let folder = folder(handler);
        let process = Process::start(trine(&folder, &["invoke", "app.mjs", "-e", "{}"]));
        eventually(&format!("{name} prints its first part\n{process:?}"), || {
            process.stdout().contains("one\n").then_some(())
        });
        assert!(!process.stdout().contains("two"));
        folder.write("go", "");
        let finished = process.finish();
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), "one\ntwo\n"), "{name}");
    }
}

#[test]
fn lambda_has_each_chunk_before_the_next_is_made() {
    let prelude = |text: &str| {
        let (metadata, body) = text.split_once("\0\0\0\0\0\0\0\0").expect("an end of the prelude");
        (serde_json::from_str::<Value>(metadata).unwrap(), body.to_owned())
    };
    for (name, handler, content_type) in FORMS {
        let folder = folder(handler);
        let (platform, process) = Platform::start(&folder, "app.handler", |_| ());
        let mut exchange = platform.accept(&process);
        exchange.hand_out(&json!({}));
        let head = exchange.head();
        assert_eq!(head.header("lambda-runtime-function-response-mode"), Some("streaming"));
        assert_eq!(head.header("transfer-encoding"), Some("chunked"));
        let mut text = exchange.text();
        while !text.contains("one\n") {
            text.push_str(&exchange.text());
        }
        if has_metadata(name) {
            let expected = json!({
                "statusCode": 201, "headers": {"content-type": "text/csv"}, "cookies": ["a=b", "c=d"],
            });
            assert_eq!(prelude(&text), (expected, "one\n".to_owned()), "{name}");
            let integration = "application/vnd.awslambda.http-integration-response";
            assert_eq!(head.header("content-type"), Some(integration), "{name}");
        } else {
            assert_eq!((text.as_str(), head.header("content-type")), ("one\n", Some(content_type)));
        }
        folder.write("go", "");
        assert_eq!(exchange.text(), "two\n", "{name}");
        assert_eq!(exchange.chunk(), None, "{name}");
        assert_eq!(exchange.trailers(), [], "{name}");
        exchange.accepted();
    }
}

#[test]
fn a_handler_is_told_that_lambdas_caller_is_gone_and_the_next_event_is_answered() {
    for (name, handler, _) in FORMS {
        let folder = folder(handler);
        let (platform, process) = Platform::start(&folder, "app.handler", |_| ());
        let mut exchange = platform.accept(&process);
        exchange.hand_out(&json!({"endless": true}));
        exchange.head();
        while !exchange.text().contains("one\n") {}
        drop(exchange);
        let mut exchange = platform.accept_next(&process);
        assert!(!is_told_at_once(name) || folder.task().join("told").exists(), "{name}");
        folder.write("go", "");
        exchange.give("two", "", &json!({}));
        let head = exchange.head();
        assert!(head.line.contains("/two/response "), "{name}: {head:?}");
    }
}

#[test]
fn errors_are_ordinary_ones_before_the_first_chunk_and_trailers_afterwards() {
    let folder = folder(
        "class OutOfStock extends Error { name = 'OutOfStock'; }
         async function* failing({ after }) {
           if (after) { yield 'a'; yield 'b'; }
           throw new OutOfStock('no anvil left');
         }
         export const handler = (event) => failing(event);
         export const official = awslambda.streamifyResponse(async (event, stream) => {
           await pipeline(failing(event), stream);
         });",
    );
    for handler in ["app.handler", "app.official"] {
        let lambda = Lambda::start(&folder, handler);
        let (_, document) = lambda.fail(json!({"after": false}));
        assert_eq!(document["errorType"], "OutOfStock", "{handler}: {document}");
        assert_eq!(document["errorMessage"], "no anvil left");
        let outcome = lambda.outcome(json!({"after": true}));
        let Answer::Response { bytes, streamed, trailers, .. } = &outcome.result else {
            panic!("{handler}: {outcome:?}")
        };
        assert_eq!((&bytes[..], *streamed), (&b"ab"[..], true), "{handler}");
        let names: Vec<&str> = trailers.iter().map(|(name, _)| name.as_str()).collect();
        let expected = ["lambda-runtime-function-error-type", "lambda-runtime-function-error-body"];
        assert_eq!(names, expected, "{handler}");
        lambda.emulator.assert_clean();
    }
}

/// Reads an answer slowly; returns its length, and by how many kB the process has grown meanwhile.
fn read_slowly(served: &Served, path: &str) -> (usize, u64) {
    let before = served.process.kilobytes("VmRSS:");
    let mut stream = get(served, path);
    let mut piece = vec![0; 1 << 17];
    let (mut length, mut most) = (0, before);
    loop {
        match stream.read(&mut piece).unwrap() {
            0 => return (length, most - before),
            read => length += read,
        }
        most = most.max(served.process.kilobytes("VmRSS:"));
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn thirty_megabytes_for_a_slow_reader_stay_where_they_are_made() {
    let folder = folder(
        "async function* pieces(size) { for (let n = 0; n < 30e6 / size; n++) { yield 'x'.repeat(size); } }
         const forms = {
           generator: () => pieces(50000),
           small: () => pieces(5000),
           response: () => new Response(bytes(pieces(50000))),
           node: () => Readable.from(pieces(50000)),
         };
         export const handler = (event) => forms[event.rawPath.slice(1)]();",
    );
    folder.write(
        "official.mjs",
        "import { pipeline } from 'node:stream/promises';
         async function* pieces() { for (let n = 0; n < 600; n++) { yield 'x'.repeat(50000); } }
         export const handler = awslambda.streamifyResponse((event, stream) => pipeline(pieces, stream));",
    );
    for (file, paths) in [
        ("app.mjs", &["/generator", "/small", "/response", "/node"][..]),
        ("official.mjs", &["/"][..]),
    ] {
        let served = Served::start(&folder, &[file, "--workers", "1"]);
        for path in paths {
            let (length, growth) = read_slowly(&served, path);
            assert!(length >= 30_000_000, "{file} {path}: {length}");
            assert!(growth < 60_000, "{file} {path} took {growth} kB");
        }
    }
}

#[test]
fn a_middleware_sees_status_and_headers_of_a_response_or_asks_for_the_whole() {
    let folder = folder(
        "export const handler = (event) => new Response('body', { status: 201, headers: { 'x-a': 'b' } });",
    );
    folder.write(
        "middlewares/head.mjs",
        "export const after = (response) => ({ ...response, statusCode: response.statusCode + 1,
           headers: { ...response.headers, 'x-keys': Object.keys(response).join() } });",
    );
    folder.write(
        "middlewares/whole.mjs",
        "export const before = (event, context) => context.bufferResponse();
         export const after = (response) => ({ ...response, body: response.body.toUpperCase() });",
    );
    let served = Served::start(&folder, &["app.mjs", "--middlewares", "head"]);
    let reply = served.get("/");
    assert_eq!((reply.status, reply.text(), reply.header("x-a")), (202, "body", Some("b")));
    assert_eq!(reply.header("x-keys"), Some("statusCode,headers"));
    assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
    let served = Served::start(&folder, &["app.mjs", "--middlewares", "whole"]);
    let reply = served.get("/");
    assert_eq!((reply.status, reply.text(), reply.header("x-a")), (201, "BODY", Some("b")));
    assert_eq!(reply.header("content-length"), Some("4"));
}

#[test]
fn the_global_is_there_before_the_functions_code_unless_it_is_not_wanted() {
    let folder = folder("const kind = typeof awslambda; export const handler = () => kind;");
    for (value, expected) in [
        (None, "object"),
        (Some("1"), "undefined"),
        (Some("true"), "undefined"),
        (Some("0"), "object"),
    ] {
        let lambda = Lambda::with(&folder, |command| {
            command.env("_HANDLER", "app.handler");
            if let Some(value) = value {
                command.env("AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA", value);
            }
        });
        assert_eq!(lambda.invoke(json!({})), expected, "{value:?}");
    }
}

#[test]
fn a_connection_is_used_again_after_a_stream() {
    let folder = folder("export const handler = (event) => parts(event);");
    folder.write("go", "");
    let served = Served::start(&folder, &["app.mjs", "--workers", "1"]);
    let mut connection = Connection::open(served.address);
    for _ in 0..3 {
        let reply = connection.exchange("GET", "/", &[], b"");
        assert_eq!((reply.status, reply.text()), (200, "one\ntwo\n"));
    }
    assert_eq!(connection.exchange("HEAD", "/", &[], b"").status, 200);
    assert_eq!(connection.exchange("GET", "/", &[], b"").text(), "one\ntwo\n");
}

#[test]
fn a_client_that_knows_no_chunks_can_tell_a_whole_answer_from_a_broken_one() {
    let folder = folder(
        "async function* failing() { yield 'one\\n'; throw new Error('no more'); }
         export const handler = (event) => event.rawPath === '/fails' ? failing() : parts(event);",
    );
    folder.write("go", "");
    let served = Served::start(&folder, &["app.mjs", "--workers", "1"]);
    let read = |path: &str| {
        let mut stream = TcpStream::connect(served.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).map(|_| text)
    };
    let whole = read("/").unwrap();
    assert!(whole.ends_with("\r\n\r\none\ntwo\n"), "{whole}");
    assert!(!whole.to_lowercase().contains("transfer-encoding"), "{whole}");
    let broken = read("/fails");
    assert_eq!(broken.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}
