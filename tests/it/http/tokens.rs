//! Tokens made with the test keys, and an issuer that publishes them.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

pub(super) const RSA_KEY: &str = include_str!("../tokens/rsa-test-key.pem");
pub(super) const RSA_PUBLIC: &str = include_str!("../tokens/rsa-test-public.pem");
pub(super) const OTHER_KEY: &str = include_str!("../tokens/other-test-key.pem");
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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new(("200 OK", KEY_SET)));
        let asked = Arc::new(AtomicUsize::new(0));
        let (its_answer, its_count) = (Arc::clone(&answer), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream);
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                    line.clear();
                }
                its_count.fetch_add(1, Ordering::SeqCst);
                let (status, body) = *its_answer.lock().unwrap();
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                // Who has gone away gets no answer.
                let _ = reader.into_inner().write_all(format!("{head}{body}").as_bytes());
            }
        });
        Self { address, answer, asked }
    }

    /// Returns how often it has been asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}
