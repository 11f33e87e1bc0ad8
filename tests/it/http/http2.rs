//! HTTP/2: with prior knowledge, and as TLS clients choose it.

use super::tls::{FLAGS, client, with_certificate};
use crate::support::{Connection, Folder, LANGUAGES, LIMIT, PROBE_LANGUAGES, Served, eventually};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http2::{SendRequest, handshake},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream as BlockingStream},
    sync::Arc,
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

type Sender = SendRequest<Full<Bytes>>;

/// Runs what a client does, for no longer than a test may take.
fn asking<T>(client: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(LIMIT, client).await.unwrap() })
}

async fn connect(address: SocketAddr) -> Sender {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn request(method: &str, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(format!("http://shop.example:8080{path}"));
    request.header("content-type", "text/plain").body(Full::new(body.into())).unwrap()
}

async fn ask(sender: &mut Sender, path: &str) -> Response<Incoming> {
    sender.ready().await.unwrap();
    sender.send_request(request("GET", path, "")).await.unwrap()
}

async fn body(response: Response<Incoming>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

async fn json_of(response: Response<Incoming>) -> Value {
    serde_json::from_slice(&body(response).await).unwrap()
}

#[test]
fn requests_of_one_connection_run_side_by_side_in_every_language() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1"]);
        asking(async {
            let mut sender = connect(served.address).await;
            let slow = sender.send_request(request("GET", "/?do=wait&ms=600000", ""));
            let slow = tokio::spawn(slow);
            let event = json_of(ask(&mut sender, "/a/b?c=1").await).await;
            let context = &event["requestContext"];
            assert_eq!(context["http"]["protocol"], "HTTP/2.0");
            assert_eq!(
                (&context["domainName"], &event["rawPath"]),
                (&json!("shop.example"), &json!("/a/b"))
            );
            assert_eq!(event["headers"]["host"], "shop.example:8080");
            let all = (0..50).map(|number| {
                let path = format!("/?do=wait&ms=5&note={number}");
                (number, sender.send_request(request("GET", &path, "")))
            });
            let all: Vec<_> = all.map(|(number, sent)| (number, tokio::spawn(sent))).collect();
            for (number, sent) in all {
                let response = sent.await.unwrap().unwrap();
                assert_eq!(response.status(), 200);
                assert!(response.headers().contains_key("x-request-id"));
                assert_eq!(body(response).await, number.to_string());
            }
            assert!(!slow.is_finished());
            slow.abort();
        });
    }
}

#[test]
fn bodies_go_both_ways_and_have_their_limit() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1", "--body-limit", "3MiB"]);
        asking(async {
            let mut sender = connect(served.address).await;
            let content = vec![b'x'; 3 << 20];
            let response = sender.send_request(request("POST", "/?do=mirror", content.clone()));
            let response = response.await.unwrap();
            assert_eq!(response.status(), 201);
            assert!(body(response).await == content);
            let more = vec![b'x'; (3 << 20) + 1];
            let response = sender.send_request(request("POST", "/?do=mirror", more)).await.unwrap();
            assert_eq!(response.status(), 413);
            assert_eq!(ask(&mut sender, "/?do=echo").await.status(), 200);
            let response = sender.send_request(request("HEAD", "/?do=echo", "")).await.unwrap();
            assert_eq!((response.status().as_u16(), body(response).await.len()), (200, 0));
        });
    }
}

#[test]
fn tls_clients_choose_it() {
    let folder = with_certificate(Folder::probe(LANGUAGES[0]));
    let served = Served::start(&folder, &[&["--workers", "1"], &FLAGS[..]].concat());
    asking(async {
        let connector = TlsConnector::from(Arc::new(client(&[b"h2", b"http/1.1"])));
        let stream = TcpStream::connect(served.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = connector.connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let shaken = handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.unwrap();
        tokio::spawn(connection);
        let event = json_of(ask(&mut sender, "/").await).await;
        assert_eq!(event["requestContext"]["http"]["protocol"], "HTTP/2.0");
        assert_eq!(event["headers"]["x-forwarded-proto"], "https");
        for count in 1..20 {
            assert_eq!(json_of(ask(&mut sender, "/?do=count").await).await, json!(count));
        }
    });
}

const STREAMING: &str = "\
export async function* handler(event) {
  yield 'first ';
  if (event.rawPath === '/fail') throw new Error('late');
  yield 'second';
}
";

#[test]
fn streams_come_in_pieces_and_one_that_fails_is_reset() {
    let folder = Folder::new(&[("app.mjs", STREAMING)]);
    let arguments = ["app.mjs", "--workers", "1", "--access-log", "json"];
    let served = Served::start(&folder, &arguments);
    asking(async {
        let mut sender = connect(served.address).await;
        assert_eq!(body(ask(&mut sender, "/").await).await, "first second");
        let failed = ask(&mut sender, "/fail").await.into_body().collect().await;
        assert!(failed.is_err());
        // The others of the connection are not harmed.
        assert_eq!(body(ask(&mut sender, "/").await).await, "first second");
    });
    eventually("all of them are in the access log", || {
        let text = served.process.stdout();
        let lines = text.lines().filter(|line| line.contains("\"protocol\":\"HTTP/2.0\""));
        let cut_off = lines.clone().filter(|line| line.contains("\"cutOff\":true")).count();
        (lines.count() == 3 && cut_off == 1).then_some(())
    });
}

const WAITING: &str = "\
import { existsSync, writeFileSync } from 'node:fs';
export const handler = async (event) => {
  writeFileSync('begun', '');
  while (!existsSync('go')) await new Promise((done) => setTimeout(done, 5));
  return event.rawPath;
};
";

#[test]
fn what_is_in_flight_at_the_end_is_answered() {
    let folder = Folder::new(&[("app.mjs", WAITING)]);
    let served = Served::start(&folder, &["app.mjs", "--workers", "1", "--grace", "60"]);
    asking(async {
        let mut idle = connect(served.address).await;
        idle.ready().await.unwrap();
        let mut sender = connect(served.address).await;
        let sent = tokio::spawn(sender.send_request(request("GET", "/held", "")));
        while !folder.task().join("begun").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        served.process.signal("TERM");
        while TcpStream::connect(served.address).await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        folder.write("go", "");
        assert_eq!(body(sent.await.unwrap().unwrap()).await, "/held");
        // Nothing more is taken, and nobody is kept waiting.
        while !idle.is_closed() || !sender.is_closed() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    });
    assert_eq!(served.process.wait(), Some(0));
}

#[test]
fn what_has_no_answer_when_the_grace_is_over_is_turned_away() {
    let folder = Folder::new(&[("app.mjs", WAITING)]);
    let served = Served::start(&folder, &["app.mjs", "--workers", "1", "--grace", "0.3"]);
    asking(async {
        let mut sender = connect(served.address).await;
        let sent = tokio::spawn(sender.send_request(request("GET", "/", "")));
        while !folder.task().join("begun").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        served.process.signal("TERM");
        let response = sent.await.unwrap().unwrap();
        assert_eq!(response.status(), 503);
    });
    assert_eq!(served.process.wait(), Some(0));
}

#[test]
fn connections_that_ask_nothing_are_closed_after_a_while() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1", "--idle-timeout", "0.3"]);
    asking(async {
        let mut sender = connect(served.address).await;
        assert_eq!(ask(&mut sender, "/?do=wait&ms=900").await.status(), 200);
        while !sender.is_closed() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    });
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Sends these bytes and reads to the end of the connection.
fn raw(address: SocketAddr, pieces: &[&[u8]]) -> Vec<u8> {
    let mut stream = BlockingStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in pieces {
        // A server that refuses does not have to read it all.
        let _ = stream.write_all(piece);
    }
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    all
}

#[test]
fn what_is_no_http2_ends_its_connection_and_nothing_else() {
    let folder = Folder::probe(LANGUAGES[4]);
    let arguments = ["--workers", "1", "--header-timeout", "0.5", "--idle-timeout", "0.5"];
    let served = Served::start(&folder, &arguments);
    // A preface that goes on as a request of HTTP/1.1, or not at all.
    for (pieces, begins) in [
        (&[&b"PRI * HTTP/1.1\r\nhost: x\r\n\r\n"[..]][..], &b"HTTP/1.1 400"[..]),
        (&[b"PRI * HT", b"TP/2.0\r\n\r\nXX\r\n\r\n"], b"HTTP/1.1 400"),
        (&[b"PRI"], b"HTTP/1.1 408"),
        (&[PREFACE], b"\0\0"),
        (&[PREFACE, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"], b"\0\0"),
        (&[PREFACE, &[0xff; 4096]], b"\0\0"),
        // Data for a stream that nobody has opened.
        (&[PREFACE, b"\0\0\0\x04\0\0\0\0\0", b"\0\0\x01\0\0\0\0\0\x07x"], b"\0\0"),
        // A head that is cut off.
        (&[PREFACE, b"\0\0\0\x04\0\0\0\0\0", b"\0\0\x40\x01\x04\0\0\0\x01\x82"], b"\0\0"),
    ] {
        let answer = raw(served.address, pieces);
        assert!(answer.starts_with(begins), "{pieces:?}: {:?}", String::from_utf8_lossy(&answer));
    }
    let mut plain = Connection::open(served.address);
    assert_eq!(plain.exchange("GET", "/?do=count", &[], b"").text(), "1");
    asking(async {
        let mut sender = connect(served.address).await;
        assert_eq!(ask(&mut sender, "/?do=count").await.status(), 200);
    });
}

#[test]
fn heads_that_are_too_large_and_targets_that_are_none_reach_no_function() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1"]);
    asking(async {
        let mut sender = connect(served.address).await;
        let large = "x".repeat(2 << 20);
        let mut refused = request("GET", "/?do=count", "");
        refused.headers_mut().insert("x-large", large.parse().unwrap());
        let answered = sender.send_request(refused).await;
        assert!(answered.is_err() || answered.is_ok_and(|reply| reply.status() == 431));
        let mut sender = connect(served.address).await;
        let mut tunnel = request("CONNECT", "", "");
        *tunnel.uri_mut() = "a.example:443".parse().unwrap();
        assert_eq!(sender.send_request(tunnel).await.unwrap().status(), 501);
        let mut two = request("GET", "/?do=count", "");
        two.headers_mut().insert("host", "other.example".parse().unwrap());
        assert_eq!(body(sender.send_request(two).await.unwrap()).await, "1");
    });
}
