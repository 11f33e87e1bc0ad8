//! TLS: what clients see, certificates that change, files that are wrong.

use crate::support::{
    Connection, Folder, LANGUAGES, LIMIT, PROBE_LANGUAGES, Reply, Served, eventually, run, trine,
};
use serde_json::json;
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version::{TLS12, TLS13},
};

pub(super) const FIRST: &str = include_str!("certificates/first.pem");
pub(super) const FIRST_KEY: &str = include_str!("certificates/first-key.pem");
const SECOND: &str = include_str!("certificates/second.pem");
const SECOND_KEY: &str = include_str!("certificates/second-key.pem");
const EXPIRED: &str = include_str!("certificates/expired.pem");
const ENCRYPTED_KEY: &str = include_str!("certificates/encrypted-key.pem");

pub(super) const FLAGS: [&str; 4] = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];

/// Writes the first certificate and its key into a function's folder.
pub(super) fn with_certificate(folder: Folder) -> Folder {
    folder.write("cert.pem", FIRST);
    folder.write("key.pem", FIRST_KEY);
    folder
}

/// Returns the settings of a client that trusts both certificates and offers these protocols.
pub(super) fn client(protocols: &[&[u8]]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for text in [FIRST, SECOND] {
        roots.add(CertificateDer::from_pem_slice(text.as_bytes()).unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    config
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn connect(address: SocketAddr, config: ClientConfig) -> Tls {
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut tls = StreamOwned::new(session, stream);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock).unwrap();
    }
    tls
}

fn open(served: &Served) -> Connection {
    Connection::over(connect(served.address, client(&[b"http/1.1"])))
}

fn get(served: &Served, path: &str) -> Reply {
    open(served).exchange("GET", path, &[], b"")
}

/// Returns the certificate that a server shows.
fn shown(served: &Served) -> Vec<u8> {
    let tls = connect(served.address, client(&[]));
    tls.conn.peer_certificates().unwrap()[0].to_vec()
}

fn der(text: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(text.as_bytes()).unwrap().to_vec()
}

#[test]
fn requests_come_and_answers_go_over_tls_in_every_language() {
    for language in PROBE_LANGUAGES {
        let folder = with_certificate(Folder::probe(language));
        let served = Served::start(&folder, &[&["--workers", "1"], &FLAGS[..]].concat());
        assert!(served.process.stdout().contains(" on https://127.0.0.1:"));
        let mut connection = open(&served);
        for count in 1..=20 {
            let reply = connection.exchange("POST", "/?do=count", &[], b"{}");
            assert_eq!((reply.status, reply.json()), (200, json!(count)));
        }
        let event = connection.exchange("GET", "/", &[], b"").json();
        assert_eq!(event["headers"]["x-forwarded-proto"], "https");
        assert_eq!(event["requestContext"]["http"]["protocol"], "HTTP/1.1");
        let body = vec![b'x'; 1_000_000];
        let headers = [("content-type", "text/plain")];
        let reply = connection.exchange("POST", "/?do=mirror", &headers, &body);
        assert!(reply.body == body, "{} of {}", reply.body.len(), body.len());
    }
}

#[test]
fn old_and_new_clients_and_those_that_ask_for_no_protocol_are_served() {
    let folder = with_certificate(Folder::probe(LANGUAGES[4]));
    let served = Served::start(&folder, &[&["--workers", "1"], &FLAGS[..]].concat());
    for version in [&TLS12, &TLS13] {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(FIRST.as_bytes()).unwrap()).unwrap();
        let builder = builder.with_protocol_versions(&[version]).unwrap();
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        let mut connection = Connection::over(connect(served.address, config));
        assert_eq!(connection.exchange("GET", "/?do=echo", &[], b"").status, 200);
    }
}

#[test]
fn a_client_that_speaks_no_tls_is_told_so() {
    let folder = with_certificate(Folder::probe(LANGUAGES[4]));
    let served = Served::start(&folder, &[&["--workers", "1"], &FLAGS[..]].concat());
    let mut plain = Connection::open(served.address);
    plain.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    let reply = plain.receive("GET");
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json()["message"], "this port speaks TLS: ask for https://");
    assert!(plain.is_closed());
    for nonsense in
        [&b"\x16\x03\x01\xff\xff"[..], b"\x00", b"\x16\x03\x01\x00\x05hello", b"\x80\x2e\x01"]
    {
        let mut stream = TcpStream::connect(served.address).unwrap();
        stream.write_all(nonsense).unwrap();
        drop(stream);
    }
    assert_eq!(get(&served, "/?do=count").text(), "1");
}

#[test]
fn a_greeting_that_does_not_come_to_its_end_has_its_time() {
    let folder = with_certificate(Folder::probe(LANGUAGES[4]));
    let arguments = ["--workers", "1", "--header-timeout", "0.3"];
    let served = Served::start(&folder, &[&arguments[..], &FLAGS].concat());
    for begun in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut stream = TcpStream::connect(served.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(begun).unwrap();
        // Whatever it says, it ends.
        let _ = stream.read_to_end(&mut Vec::new());
    }
    let mut connection = open(&served);
    connection.write(b"GET / HT");
    assert_eq!(connection.receive("GET").status, 408);
}

#[test]
fn a_certificate_that_changes_is_read_again_and_a_wrong_one_is_not_taken() {
    let folder = with_certificate(Folder::probe(LANGUAGES[4]));
    let served = Served::start(&folder, &[&["--workers", "1"], &FLAGS[..]].concat());
    assert_eq!(shown(&served), der(FIRST));
    let mut kept = open(&served);
    assert_eq!(kept.exchange("GET", "/?do=count", &[], b"").text(), "1");
    folder.write("key.pem", SECOND_KEY);
    folder.write("cert.pem", SECOND);
    eventually("the second certificate is shown", || (shown(&served) == der(SECOND)).then_some(()));
    assert_eq!(kept.exchange("GET", "/?do=count", &[], b"").text(), "2");
    folder.write("cert.pem", "nothing of use");
    eventually("the fault is told", || {
        served
            .process
            .stderr()
            .contains("the certificate from before is still in use")
            .then_some(())
    });
    assert!(served.process.stderr().contains("cert.pem"), "{:?}", served.process);
    assert_eq!(shown(&served), der(SECOND));
    folder.write("cert.pem", SECOND);
    let told = || served.process.stdout().matches("was read again").count();
    let before = eventually("it was read again", || Some(told()).filter(|count| *count >= 2));
    served.process.signal("HUP");
    eventually("it is read at a signal", || (told() > before).then_some(()));
    assert_eq!(get(&served, "/?do=count").text(), "3");
}

#[test]
fn files_that_are_wrong_are_told_by_name_and_content() {
    let folder = Folder::probe(LANGUAGES[4]);
    for (certificate, key, parts) in [
        (
            None,
            Some(FIRST_KEY),
            &["certificate file 'cert.pem' cannot be read", "No such file"][..],
        ),
        (Some(FIRST), None, &["key file 'key.pem' cannot be read"]),
        (Some(""), Some(FIRST_KEY), &["'cert.pem' holds no certificate but nothing at all"]),
        (Some("text"), Some(FIRST_KEY), &["'cert.pem' holds no certificate", "no PEM text"]),
        (Some(FIRST_KEY), Some(FIRST_KEY), &["'cert.pem' holds no certificate but PRIVATE KEY"]),
        (Some(FIRST), Some(FIRST), &["'key.pem' holds no private key", "CERTIFICATE"]),
        (Some(FIRST), Some(ENCRYPTED_KEY), &["ENCRYPTED PRIVATE KEY", "without a passphrase"]),
        (Some(FIRST), Some(SECOND_KEY), &["'key.pem' is not the key of", "'cert.pem'"]),
        (
            Some("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"),
            Some(FIRST_KEY),
            &["'cert.pem'", "invalid certificate"],
        ),
        (
            Some("-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n"),
            Some(FIRST_KEY),
            &["'cert.pem' is no valid PEM text"],
        ),
    ] {
        for (name, content) in [("cert.pem", certificate), ("key.pem", key)] {
            match content {
                Some(text) => folder.write(name, text),
                None => drop(fs::remove_file(folder.task().join(name))),
            }
        }
        let finished = run(trine(&folder, &[&["serve", "--port", "0"], &FLAGS[..]].concat()));
        assert_eq!(finished.code, Some(1), "{parts:?} {}", finished.stderr);
        for part in parts {
            assert!(finished.stderr.contains(part), "{part}: {}", finished.stderr);
        }
    }
    let finished = run(trine(&folder, &["serve", "--port", "0", "--tls-cert", "cert.pem"]));
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("--tls-key"), "{}", finished.stderr);
}

#[test]
fn a_certificate_whose_time_is_over_is_a_warning_at_the_start() {
    let folder = with_certificate(Folder::probe(LANGUAGES[4]));
    folder.write("cert.pem", EXPIRED);
    let served = Served::start(&folder, &[&["--workers", "1"], &FLAGS[..]].concat());
    let warned =
        "the certificate in 'cert.pem' has expired: it was valid until 2020-01-31 23:59:59 UTC";
    eventually("there is a warning", || served.process.stderr().contains(warned).then_some(()));
    folder.write("cert.pem", FIRST);
    eventually("the next one is shown", || {
        served.process.stdout().contains("was read again").then_some(())
    });
    assert_eq!(get(&served, "/?do=count").text(), "1");
}

#[test]
fn the_end_of_a_server_loses_nothing_over_tls() {
    let folder = with_certificate(Folder::new(&[(
        "app.py",
        "import os, time\n\
         def handler(event, context):\n    \
         open('begun', 'w').close()\n    \
         while not os.path.exists('go'):\n        \
         time.sleep(0.005)\n    \
         return event['rawPath']\n",
    )]));
    let start = |grace| {
        let _ = fs::remove_file(folder.task().join("go"));
        let _ = fs::remove_file(folder.task().join("begun"));
        let arguments = ["app.py", "--workers", "1", "--grace", grace];
        let served = Served::start(&folder, &[&arguments[..], &FLAGS].concat());
        let mut idle = open(&served);
        let mut waiting = open(&served);
        let mut held = open(&served);
        held.send("GET", "/held", &[], b"");
        eventually("the thread is held", || folder.task().join("begun").exists().then_some(()));
        waiting.send("GET", "/waiting", &[], b"");
        served.process.signal("TERM");
        eventually("the server has heard it", || {
            served.process.stdout().contains("asked to stop").then_some(())
        });
        (served, held, waiting, move || idle.is_closed())
    };
    let (served, mut held, mut waiting, mut idle_is_closed) = start("60");
    folder.write("go", "");
    assert_eq!((held.receive("GET").text(), waiting.receive("GET").text()), ("/held", "/waiting"));
    assert!(idle_is_closed());
    assert_eq!(served.process.wait(), Some(0));
    // A thread that does not come back: the answers come from outside of it, and can be read.
    let (served, mut held, _waiting, _) = start("0.3");
    let reply = held.receive("GET");
    assert_eq!((reply.status, reply.header("connection")), (503, Some("close")));
    assert_eq!(served.process.wait(), Some(0));
}
