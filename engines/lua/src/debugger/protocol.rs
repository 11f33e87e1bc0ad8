//! The Debug Adapter Protocol's messages: JSON behind a head with its length, as in HTTP.

use serde_json::{Value, json};
use std::{
    io::{self, BufRead, Read, Write},
    net::{Shutdown, TcpStream},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Maximum size of a message, in bytes.
const LARGEST: u64 = 16 << 20;
/// Maximum size of a line of a head.
const LONGEST_LINE: u64 = 1024;
/// Maximum number of lines of a head.
const MOST_LINES: usize = 8;
/// Maximum time that a client may leave a message unread. The guest stands while one is written.
const WRITE_TIME: Duration = Duration::from_secs(5);

/// A request of a client's.
#[derive(Debug, Clone)]
pub(super) struct Request {
    seq: i64,
    pub(super) command: String,
    pub(super) arguments: Value,
}

impl Request {
    /// Returns an argument that is an integer.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.arguments.get(name).and_then(Value::as_i64)
    }

    /// Returns an argument that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).and_then(Value::as_str)
    }
}

/// What was wrong with what came in.
#[derive(Debug)]
pub(super) enum Fault {
    /// Not this protocol: what follows cannot be read, either.
    Framing(String),
    /// A message that is no request. The next one may be.
    Content(String),
    /// The connection has failed.
    Lost,
}

impl From<io::Error> for Fault {
    fn from(_: io::Error) -> Self {
        Self::Lost
    }
}

/// Reads a request; `None` at the end.
pub(super) fn read(input: &mut impl BufRead) -> Result<Option<Request>, Fault> {
    let Some(length) = read_head(input)? else { return Ok(None) };
    let mut body = Vec::new();
    // The room grows with what comes, not with what was promised.
    input.take(length).read_to_end(&mut body)?;
    if body.len() as u64 != length {
        return Err(Fault::Lost);
    }
    let message: Value = serde_json::from_slice(&body)
        .map_err(|error| Fault::Content(format!("a message is not JSON: {error}")))?;
    match (message["type"].as_str(), message["seq"].as_i64(), message["command"].as_str()) {
        (Some("request"), Some(seq), Some(command)) => Ok(Some(Request {
            seq,
            command: command.to_owned(),
            arguments: message["arguments"].clone(),
        })),
        _ => Err(Fault::Content(
            "a message is no request: it needs a type, a seq and a command".to_owned(),
        )),
    }
}

/// Reads a head and returns the length that it tells. Takes no other lines than the protocol knows: a browser that is made
/// to send such a message puts a head of HTTP's before it.
fn read_head(input: &mut impl BufRead) -> Result<Option<u64>, Fault> {
    let mut length = None;
    for count in 0..MOST_LINES {
        let mut line = Vec::new();
        input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() && count == 0 {
            return Ok(None);
        }
        let Some(line) = line.strip_suffix(b"\n") else {
            return Err(Fault::Framing("a line of a head does not end".to_owned()));
        };
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            return match length {
                Some(length) => Ok(Some(length)),
                None => Err(Fault::Framing("a head has no Content-Length".to_owned())),
            };
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        if name.eq_ignore_ascii_case("Content-Length") {
            let value = value.trim();
            let number = value.parse().ok().filter(|number| *number <= LARGEST);
            let number = number.ok_or_else(|| {
                Fault::Framing(format!("Content-Length is {value:?}, not a number up to {LARGEST}"))
            })?;
            length = Some(number);
        } else if !name.eq_ignore_ascii_case("Content-Type") {
            return Err(Fault::Framing(format!("a head has the line {line:?}")));
        }
    }
    Err(Fault::Framing("a head has too many lines".to_owned()))
}

/// The way to a client, from any thread.
pub(super) struct Client(Mutex<Connection>);

struct Connection {
    stream: TcpStream,
    seq: i64,
}

impl Client {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_write_timeout(Some(WRITE_TIME))?;
        stream.set_nodelay(true)?;
        Ok(Self(Mutex::new(Connection { stream, seq: 0 })))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a message. A client that does not take it is let go, which whoever reads from it notices.
    fn send(&self, mut message: Value) {
        if let Value::Object(members) = &mut message {
            members.retain(|_, member| !member.is_null());
        }
        let mut connection = self.connection();
        connection.seq += 1;
        message["seq"] = connection.seq.into();
        let body = message.to_string();
        let text = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        if connection.stream.write_all(text.as_bytes()).is_err() {
            // It may be gone already.
            let _ = connection.stream.shutdown(Shutdown::Both);
        }
    }

    /// Answers a request.
    pub(super) fn respond(&self, request: &Request, body: Value) {
        self.send(json!({
            "type": "response", "request_seq": request.seq, "success": true, "command": request.command, "body": body,
        }));
    }

    /// Answers a request that cannot be fulfilled.
    pub(super) fn refuse(&self, request: &Request, message: &str) {
        self.send(json!({
            "type": "response", "request_seq": request.seq, "success": false, "command": request.command,
            "message": message, "body": {"error": {"id": 1, "format": "{text}", "variables": {"text": message}, "showUser": true}},
        }));
    }

    /// Answers a request either way.
    pub(super) fn answer(&self, request: &Request, outcome: Result<Value, String>) {
        match outcome {
            Ok(body) => self.respond(request, body),
            Err(message) => self.refuse(request, &message),
        }
    }

    /// Tells what has happened.
    pub(super) fn event(&self, name: &str, body: Value) {
        self.send(json!({"type": "event", "event": name, "body": body}));
    }

    /// Shows a line of text to who debugs.
    pub(super) fn say(&self, text: &str) {
        self.event("output", json!({"category": "console", "output": format!("{text}\n")}));
    }

    /// Ends the connection.
    pub(super) fn close(&self) {
        // It may be gone already.
        let _ = self.connection().stream.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, LARGEST, read};

    fn framing_fault(text: &str) -> String {
        match read(&mut text.as_bytes()) {
            Err(Fault::Framing(message)) => message,
            other => panic!("{text:?} gives {other:?}"),
        }
    }

    #[test]
    fn a_request_is_read_from_behind_its_head() {
        let body =
            r#"{"seq": 3, "type": "request", "command": "next", "arguments": {"threadId": 1}}"#;
        let text = format!("content-length: {}\r\nContent-Type: x\r\n\r\n{body}", body.len());
        let request = read(&mut text.as_bytes()).unwrap().unwrap();
        assert_eq!((request.command.as_str(), request.integer("threadId")), ("next", Some(1)));
        assert!(read(&mut &b""[..]).unwrap().is_none());
    }

    #[test]
    fn what_is_not_the_protocol_is_no_message() {
        assert_eq!(
            framing_fault("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"),
            "a head has the line \"POST / HTTP/1.1\""
        );
        assert_eq!(framing_fault("\r\n{}"), "a head has no Content-Length");
        assert_eq!(
            framing_fault("Content-Length: -1\r\n\r\n"),
            format!("Content-Length is \"-1\", not a number up to {LARGEST}")
        );
        framing_fault("Content-Length: 99999999999\r\n\r\n");
        framing_fault("Content-Length");
        framing_fault(&"Content-Type: x\r\n".repeat(100));
        framing_fault(&"x".repeat(1 << 20));
    }

    #[test]
    fn a_message_that_is_no_request_is_told_apart() {
        for body in ["{}", "[1]", "nonsense", r#"{"type":"event","seq":1,"command":"x"}"#] {
            let text = format!("Content-Length: {}\r\n\r\n{body}", body.len());
            assert!(matches!(read(&mut text.as_bytes()), Err(Fault::Content(_))), "{body}");
        }
        assert!(matches!(read(&mut &b"Content-Length: 9\r\n\r\n{}"[..]), Err(Fault::Lost)));
    }
}
