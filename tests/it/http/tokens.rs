//! Tokens made with the test keys, and an issuer that publishes them.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use tokio_rustls::rustls::{
    ServerConfig, ServerConnection, StreamOwned, crypto,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

pub(super) const RSA_KEY: &str = include_str!("../tokens/rsa-test-key.pem");
pub(super) const RSA_PUBLIC: &str = include_str!("../tokens/rsa-test-public.pem");
pub(super) const OTHER_KEY: &str = include_str!("../tokens/other-test-key.pem");
pub(super) const LOCALHOST: &str = include_str!("certificates/first.pem");
const LOCALHOST_KEY: &str = include_str!("certificates/first-key.pem");
pub(super) const KEY_SET: &str = include_str!("../tokens/test-keys.json");
pub(super) const OTHER_KEY_SET: &str = include_str!("../tokens/other-test-keys.json");

/// Returns the token of these claims, signed with the test key.
pub(super) fn signed(claims: &Value) -> String {
    signed_with(RSA_KEY, None, claims)
}

/// Returns the token of these claims, signed with a key that it names.
pub(super) fn signed_with(key: &str, id: Option<&str>, claims: &Value) -> String {
    let header = Header { kid: id.map(str::to_owned), ..Header::new(Algorithm::RS256) };
    encode(&header, claims, &EncodingKey::from_rsa_pem(key.as_bytes()).unwrap()).unwrap()
}

/// A server that answers every request with a set of keys.
pub(super) struct Issuer {
    pub(super) address: SocketAddr,
    /// What it answers: a status line's end, and a body.
    pub(super) answer: Arc<Mutex<(&'static str, &'static str)>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    pub(super) fn start() -> Self {
        Self::serving(None)
    }

    /// Starts one that speaks TLS, with the certificate of `localhost`.
    pub(super) fn start_secure() -> Self {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider);
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let chain = vec![CertificateDer::from_pem_slice(LOCALHOST.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(LOCALHOST_KEY.as_bytes()).unwrap();
        Self::serving(Some(Arc::new(config.with_single_cert(chain, key).unwrap())))
    }

    fn serving(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new(("200 OK", KEY_SET)));
        let asked = Arc::new(AtomicUsize::new(0));
        let (its_answer, its_count) = (Arc::clone(&answer), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                its_count.fetch_add(1, Ordering::SeqCst);
                let (status, body) = *its_answer.lock().unwrap();
                match &tls {
                    None => reply(stream, status, body),
                    Some(config) => {
                        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                        reply(StreamOwned::new(connection, stream), status, body);
                    }
                }
            }
        });
        Self { address, answer, asked }
    }

    /// Returns how often it has been asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Reads the head of a request and answers it.
fn reply(stream: impl Read + Write, status: &str, body: &str) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        line.clear();
    }
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    // Who has gone away gets no answer.
    let _ = reader.into_inner().write_all(format!("{head}{body}").as_bytes());
}
