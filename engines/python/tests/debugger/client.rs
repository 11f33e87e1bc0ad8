//! A client of the Debug Adapter Protocol, as an editor is one.

use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    time::Duration,
};

/// Maximum time for an answer. Passing tests never come close.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    reader: BufReader<TcpStream>,
    sent: u64,
    events: VecDeque<Value>,
}

impl Client {
    /// Attaches, with breakpoints at lines of files.
    pub(crate) fn attach(port: u16, breakpoints: &[(&Path, &[u32])]) -> Self {
        Self::attach_with(port, json!({"justMyCode": true}), breakpoints)
    }

    /// Attaches with these options of an editor's configuration.
    pub(crate) fn attach_with(port: u16, options: Value, breakpoints: &[(&Path, &[u32])]) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let reader = BufReader::new(stream);
        let mut client = Self { reader, sent: 0, events: VecDeque::new() };
        client.request(
            "initialize",
            json!({"adapterID": "debugpy", "pathFormat": "path", "linesStartAt1": true}),
        );
        client.request("attach", options);
        client.event("initialized");
        for (path, lines) in breakpoints {
            let lines: Vec<Value> = lines.iter().map(|line| json!({"line": line})).collect();
            let set = client
                .request("setBreakpoints", json!({"source": {"path": path}, "breakpoints": lines}));
            for set in set["breakpoints"].as_array().unwrap() {
                assert_eq!(set["verified"], true, "{set}");
            }
        }
        client.request("configurationDone", json!({}));
        client
    }

    /// Sends a request. Returns the body of its answer.
    pub(crate) fn request(&mut self, command: &str, arguments: Value) -> Value {
        let answer = self.answer(command, arguments);
        assert_eq!(answer["success"], true, "{answer}");
        answer["body"].clone()
    }

    /// Sends a request that fails. Returns why.
    pub(crate) fn refused(&mut self, command: &str, arguments: Value) -> String {
        let answer = self.answer(command, arguments);
        assert_eq!(answer["success"], false, "{answer}");
        answer["message"].as_str().unwrap().to_owned()
    }

    fn answer(&mut self, command: &str, arguments: Value) -> Value {
        self.sent += 1;
        let message = json!({"seq": self.sent, "type": "request", "command": command, "arguments": arguments});
        let message = message.to_string();
        write!(self.reader.get_mut(), "Content-Length: {}\r\n\r\n{message}", message.len())
            .unwrap();
        loop {
            let message = self.read();
            if message["type"] == "response" && message["request_seq"] == self.sent {
                return message;
            }
            self.events.push_back(message);
        }
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            let read = self.reader.read_line(&mut line);
            let read = read.unwrap_or_else(|e| panic!("{e} after {:?}", self.events));
            assert_ne!(read, 0, "the debugger is gone");
            match line.trim_end().split_once(": ") {
                Some((_, value)) => length = value.parse().unwrap(),
                None => break,
            }
        }
        let mut message = vec![0; length];
        self.reader.read_exact(&mut message).unwrap();
        serde_json::from_slice(&message).unwrap()
    }

    /// Waits for an event. Returns its body.
    pub(crate) fn event(&mut self, name: &str) -> Value {
        let is_it = |message: &Value| message["type"] == "event" && message["event"] == name;
        loop {
            if let Some(at) = self.events.iter().position(is_it) {
                return self.events.remove(at).unwrap()["body"].clone();
            }
            let message = self.read();
            self.events.push_back(message);
        }
    }

    /// Waits until a thread stops. Returns where and why.
    pub(crate) fn stopped(&mut self) -> Stop {
        let stopped = self.event("stopped");
        let thread = stopped["threadId"].as_i64().unwrap();
        let trace = self.request("stackTrace", json!({"threadId": thread}));
        let frames = trace["stackFrames"].as_array().unwrap().clone();
        Stop { thread, reason: stopped["reason"].as_str().unwrap().to_owned(), frames }
    }

    /// Returns the value of a local variable where a thread stands.
    pub(crate) fn local(&mut self, stop: &Stop, name: &str) -> String {
        let scopes = self.request("scopes", json!({"frameId": stop.frames[0]["id"]}));
        let reference = &scopes["scopes"][0]["variablesReference"];
        let variables = self.request("variables", json!({"variablesReference": reference}));
        let variables = variables["variables"].as_array().unwrap().clone();
        let found = variables.iter().find(|variable| variable["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} in {variables:?}"))["value"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Returns the value of an expression where a thread stands.
    pub(crate) fn evaluate(&mut self, stop: &Stop, expression: &str) -> String {
        let frame = &stop.frames[0]["id"];
        let arguments = json!({"expression": expression, "frameId": frame, "context": "repl"});
        self.request("evaluate", arguments)["result"].as_str().unwrap().to_owned()
    }

    /// Lets a thread go on: `next`, `stepIn`, `stepOut` or `continue`.
    pub(crate) fn go(&mut self, stop: &Stop, how: &str) {
        self.request(how, json!({"threadId": stop.thread}));
    }
}

/// Where a thread has stopped.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) thread: i64,
    pub(crate) reason: String,
    pub(crate) frames: Vec<Value>,
}

impl Stop {
    /// Returns file, function and line of a frame, innermost first.
    pub(crate) fn frame(&self, at: usize) -> (String, String, u64) {
        let frame = &self.frames[at];
        let file = frame["source"]["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        (file, frame["name"].as_str().unwrap().to_owned(), frame["line"].as_u64().unwrap())
    }

    /// Returns function and line of the innermost frame.
    pub(crate) fn place(&self) -> (String, u64) {
        let (_, function, line) = self.frame(0);
        (function, line)
    }
}
