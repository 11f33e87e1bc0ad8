//! A client of the protocol, written without the libraries that the server uses.

use crate::support::LIMIT;
use serde_json::{Value, json};
use std::{
    collections::{HashMap, VecDeque},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

/// A client's connection to a target.
pub(crate) struct Client {
    stream: TcpStream,
    next: u64,
    events: VecDeque<Value>,
    /// The URLs of the scripts that it was told of, by their ids.
    scripts: HashMap<String, String>,
}

/// Sends the head of a request; returns the head of the answer.
pub(crate) fn request(stream: &mut TcpStream, head: &str) -> String {
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let mut part = [0; 1];
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(1) => bytes.push(part[0]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Gets what is at a path; returns the status and the body.
pub(crate) fn get(address: SocketAddr, path: &str, host: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    get_over(&mut stream, path, host)
}

/// Does the same on a connection, which then ends.
pub(crate) fn get_over(stream: &mut TcpStream, path: &str, host: &str) -> (u16, String) {
    let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let head = request(stream, &head);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let mut body = String::new();
    let _ = stream.read_to_string(&mut body);
    (status.unwrap_or(0), body)
}

/// Returns the head of a request for a session.
pub(crate) fn opening(path: &str, host: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// Takes the URL of a target apart, to address and path.
pub(crate) fn parts(place: &str) -> (SocketAddr, String) {
    let (address, id) = place.strip_prefix("ws://").unwrap().split_once('/').unwrap();
    (address.parse().unwrap(), format!("/{id}"))
}

impl Client {
    /// Connects to the target of this URL.
    pub(crate) fn connect(place: &str) -> Self {
        let (address, path) = parts(place);
        Self::over(TcpStream::connect(address).unwrap(), &path)
    }

    /// Begins a session on a connection.
    pub(crate) fn over(mut stream: TcpStream, path: &str) -> Self {
        let head = request(&mut stream, &opening(path, "localhost"));
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        // The answer to the sample key of RFC 6455.
        assert!(head.to_lowercase().contains(&"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_lowercase()));
        Self { stream, next: 1, events: VecDeque::new(), scripts: HashMap::new() }
    }

    /// Sends a command and returns its number.
    pub(crate) fn send(&mut self, method: &str, params: &str) -> u64 {
        let id = self.next;
        self.next += 1;
        let text = format!(r#"{{"id":{id},"method":"{method}","params":{params}}}"#);
        self.frame(0x81, text.as_bytes());
        id
    }

    /// Sends a frame.
    pub(crate) fn frame(&mut self, first: u8, payload: &[u8]) {
        let mask = [7, 77, 177, 233];
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..126 => bytes.push(0x80 | length as u8),
            length => {
                bytes.push(0x80 | 126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
        }
        bytes.extend(mask);
        bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        self.stream.write_all(&bytes).unwrap();
    }

    /// Sends a command; returns its result, or the error as such.
    pub(crate) fn answer(&mut self, method: &str, params: &str) -> Value {
        let id = self.send(method, params);
        loop {
            let message = self.message().unwrap_or_else(|| panic!("no answer to {method}"));
            if message["id"] == json!(id) {
                return message;
            }
            self.events.push_back(message);
        }
    }

    /// Sends a command that succeeds; returns its result.
    pub(crate) fn ask(&mut self, method: &str, params: &str) -> Value {
        let mut answer = self.answer(method, params);
        assert!(answer.get("result").is_some(), "{method}: {answer}");
        answer["result"].take()
    }

    /// Returns the details of the next event of this name that `fits`.
    pub(crate) fn event_that(&mut self, method: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let wanted = |message: &Value| message["method"] == method && fits(&message["params"]);
        if let Some(place) = self.events.iter().position(wanted) {
            return self.events.remove(place).unwrap()["params"].take();
        }
        loop {
            let mut message = self.message().unwrap_or_else(|| panic!("no {method}"));
            if wanted(&message) {
                return message["params"].take();
            }
            self.events.push_back(message);
        }
    }

    pub(crate) fn event(&mut self, method: &str) -> Value {
        self.event_that(method, |_| true)
    }

    /// Waits until the code stands; returns the details.
    pub(crate) fn paused(&mut self) -> Value {
        self.event("Debugger.paused")
    }

    pub(crate) fn resume(&mut self) {
        self.ask("Debugger.resume", "{}");
    }

    /// Returns the URL of a frame's script.
    pub(crate) fn url(&self, frame: &Value) -> &str {
        &self.scripts[frame["location"]["scriptId"].as_str().unwrap()]
    }

    /// Evaluates an expression in a frame of code that stands.
    pub(crate) fn evaluate(&mut self, frame: &Value, expression: &str) -> Value {
        let id = &frame["callFrameId"];
        let params = json!({"callFrameId": id, "expression": expression, "returnByValue": true});
        self.ask("Debugger.evaluateOnCallFrame", &params.to_string())["result"]["value"].take()
    }

    /// Returns the next message; `None` where the connection has ended.
    pub(crate) fn message(&mut self) -> Option<Value> {
        loop {
            let [first, second] = self.bytes()?;
            let length = match second {
                126 => u64::from(u16::from_be_bytes(self.bytes()?)),
                127 => u64::from_be_bytes(self.bytes()?),
                length => u64::from(length),
            };
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut payload).ok()?;
            match first {
                0x81 => {
                    let message: Value = serde_json::from_slice(&payload).unwrap();
                    if message["method"] == "Debugger.scriptParsed" {
                        let member =
                            |name: &str| message["params"][name].as_str().unwrap().to_owned();
                        self.scripts.insert(member("scriptId"), member("url"));
                    }
                    return Some(message);
                }
                0x88 => return None,
                0x8a => {}
                other => panic!("a frame that begins with {other:#x}"),
            }
        }
    }

    /// Waits for the answer to a ping; nothing else may come before it.
    pub(crate) fn pong(&mut self) {
        assert_eq!(self.bytes::<2>().unwrap(), [0x8a, 0]);
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}
