//! The platform's side of connections to the Runtime API, byte by byte: for what the emulator does not do.

use super::{Folder, LIMIT, Process, command, eventually};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
};

/// A platform that waits for a runtime's connections.
pub(crate) struct Platform(TcpListener);

impl Platform {
    /// Starts `bootstrap` in the folder against this platform, after `change` has adapted the command.
    pub(crate) fn start(
        folder: &Folder,
        handler: &str,
        change: impl FnOnce(&mut Command),
    ) -> (Self, Process) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut command = command(folder.bootstrap(), folder);
        command
            .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string())
            .env("LAMBDA_TASK_ROOT", folder.task())
            .env("_HANDLER", handler);
        change(&mut command);
        listener.set_nonblocking(true).unwrap();
        (Self(listener), Process::start(command))
    }

    /// Waits for the runtime to connect.
    #[track_caller]
    pub(crate) fn accept(&self, process: &Process) -> Exchange {
        let stream = eventually("the runtime connects", || match self.0.accept() {
            Ok((stream, _)) => Some(stream),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                assert_eq!(process.status(), None, "{process:?}");
                None
            }
        });
        Exchange::new(stream)
    }

    /// Waits for the runtime to send something on a connection that it has, or to make a new one, which is returned.
    #[track_caller]
    pub(crate) fn either(&self, process: &Process, exchange: &Exchange) -> Option<Exchange> {
        let accepted = eventually("the runtime sends something", || {
            if exchange.has_more() {
                return Some(None);
            }
            match self.0.accept() {
                Ok((stream, _)) => Some(Some(stream)),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    assert_eq!(process.status(), None, "{process:?}");
                    None
                }
            }
        });
        accepted.map(Exchange::new)
    }

    /// Waits for the runtime to connect and to ask for an event.
    #[track_caller]
    pub(crate) fn accept_next(&self, process: &Process) -> Exchange {
        let mut exchange = self.accept(process);
        exchange.expect_next();
        exchange
    }
}

/// A connection that a runtime has made.
pub(crate) struct Exchange {
    stream: BufReader<TcpStream>,
}

/// The head of a request: its first line, then its headers, names in lower case.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) line: String,
    headers: Vec<(String, String)>,
}

impl Head {
    /// Returns the value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Exchange {
    fn new(stream: TcpStream) -> Self {
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Whether there is something to read; the end of the connection is nothing.
    fn has_more(&self) -> bool {
        let stream = self.stream.get_ref();
        stream.set_nonblocking(true).unwrap();
        let peeked = stream.peek(&mut [0]);
        stream.set_nonblocking(false).unwrap();
        !self.stream.buffer().is_empty() || peeked.is_ok_and(|count| count > 0)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.stream.read_line(&mut line).unwrap(), 0, "the runtime hung up");
        line.truncate(line.trim_end().len());
        line
    }

    fn headers(&mut self) -> Vec<(String, String)> {
        let lines = std::iter::repeat_with(|| self.line()).take_while(|line| !line.is_empty());
        let pair = |line: String| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_lowercase(), value.to_owned())
        };
        lines.map(pair).collect()
    }

    /// Waits for the runtime's end of the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]), Ok(0) | Err(_))
    }

    /// Reads the head of a request.
    pub(crate) fn head(&mut self) -> Head {
        let line = self.line();
        Head { line, headers: self.headers() }
    }

    /// Reads a request; returns its first line and its body.
    pub(crate) fn request(&mut self) -> (String, String) {
        let head = self.head();
        let length = head.header("content-length").map_or(0, |it| it.parse().unwrap());
        let body = self.body(length);
        (head.line, body)
    }

    /// Reads a body of this length.
    pub(crate) fn body(&mut self, length: usize) -> String {
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        String::from_utf8(body).unwrap()
    }

    /// Reads the next chunk of a body; `None` at its end.
    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = self.line();
        let size = usize::from_str_radix(&size, 16).unwrap();
        if size == 0 {
            return None;
        }
        let mut chunk = vec![0; size];
        self.stream.read_exact(&mut chunk).unwrap();
        assert_eq!(self.line(), "");
        Some(chunk)
    }

    /// Reads the next chunk of a body that is text.
    #[track_caller]
    pub(crate) fn text(&mut self) -> String {
        String::from_utf8(self.chunk().expect("a chunk comes")).unwrap()
    }

    /// Reads what follows the last chunk.
    pub(crate) fn trailers(&mut self) -> Vec<(String, String)> {
        self.headers()
    }

    pub(crate) fn reply(&mut self, head: &str, body: &Value) {
        let body = body.to_string();
        let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len());
        self.stream.get_mut().write_all((head + &body).as_bytes()).unwrap();
    }

    /// Reads a request for an event.
    #[track_caller]
    pub(crate) fn expect_next(&mut self) {
        let (line, _) = self.request();
        assert!(line.starts_with("GET /2018-06-01/runtime/invocation/next "), "{line}");
    }

    /// Hands out an event that was asked for.
    pub(crate) fn give(&mut self, id: &str, more: &str, event: &Value) {
        self.reply(&format!("200 OK\r\nlambda-runtime-aws-request-id: {id}{more}"), event);
    }

    /// Hands out an event when it is asked for one.
    #[track_caller]
    pub(crate) fn hand_out(&mut self, event: &Value) {
        self.expect_next();
        self.give("one", "", event);
    }

    /// Takes an answer.
    pub(crate) fn accepted(&mut self) {
        self.reply("202 Accepted", &serde_json::json!({"status": "OK"}));
    }
}
