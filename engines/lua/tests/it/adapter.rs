//! A client of the Debug Adapter Protocol, and guests that it debugs.

use crate::support::{Guest, run};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};
use trine_engine::{DebugListener, Debuggers, Interrupter, Result};

/// Maximum time for a message that has to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A guest that may be debugged.
pub(crate) struct Debugged {
    pub(crate) guest: Guest,
    pub(crate) address: SocketAddr,
}

impl Debugged {
    /// Makes a guest with an address of its own, which nobody else in this process has: its last byte is `number`.
    pub(crate) fn new(number: u8, files: &[(&str, &str)]) -> Self {
        Self::within(number, files, false)
    }

    /// Makes one that may wait for a debugger.
    pub(crate) fn within(number: u8, files: &[(&str, &str)], waits: bool) -> Self {
        let address = SocketAddr::from((Ipv4Addr::new(127, 0, 77, number), 0));
        let adapter = Some(DebugListener { address, waits });
        let guest = Guest::within(files, |environment| {
            environment.debuggers = Debuggers { adapter, ..Debuggers::default() };
        });
        let line = guest.log.lines().concat();
        let told = line.strip_prefix("Lua debugger listening on ").unwrap();
        let (address, rest) = told.split_once(' ').unwrap();
        assert_eq!(rest, "(Debug Adapter Protocol)\n");
        Self { guest, address: address.parse().unwrap() }
    }

    /// Attaches a client with breakpoints on these lines of files.
    pub(crate) fn attach(&self, breakpoints: &[(&str, &[u32])]) -> Client {
        let mut client = Client::connect(self.address);
        client.greet();
        for (file, lines) in breakpoints {
            client.break_at(&self.path(file), lines);
        }
        client.ask("configurationDone", json!(null));
        client
    }

    /// Attaches a client that wants nothing, as soon as whoever was attached is gone.
    pub(crate) fn next_client(&self) -> Client {
        Client::next(self.address)
    }

    pub(crate) fn path(&self, file: &str) -> String {
        self.guest.folder.join(file).to_string_lossy().into_owned()
    }

    /// Calls `handler` of `app.lua`, while a client does what `script` says on a thread of its own.
    pub(crate) fn call<T: Send + 'static>(
        &self,
        event: &str,
        client: Client,
        script: impl FnOnce(&mut Client) -> T + Send + 'static,
    ) -> (Result<String>, T) {
        let (mut client, interrupter) = (client, self.guest.instance.interrupter());
        let thread = thread::spawn(move || {
            let mut guard = StopsGuest { interrupter, is_over: false };
            let told = script(&mut client);
            guard.is_over = true;
            told
        });
        let answer = run(self.guest.handle(event));
        (answer, thread.join().unwrap())
    }
}

/// A script that stops the guest when it fails: nobody else would.
struct StopsGuest {
    interrupter: Interrupter,
    is_over: bool,
}

impl Drop for StopsGuest {
    fn drop(&mut self) {
        if !self.is_over {
            self.interrupter.interrupt();
        }
    }
}

/// A client.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    input: BufReader<TcpStream>,
    seq: i64,
    events: VecDeque<Value>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let input = BufReader::new(stream.try_clone().unwrap());
        Self { stream, input, seq: 0, events: VecDeque::new() }
    }

    /// Attaches as soon as whoever was attached is gone.
    pub(crate) fn next(address: SocketAddr) -> Self {
        let given_up = Instant::now() + PATIENCE;
        loop {
            let mut client = Self::connect(address);
            match client.try_ask("initialize", json!({})) {
                Ok(_) => return client,
                Err(message) => assert!(Instant::now() < given_up, "{message}"),
            }
        }
    }

    /// Begins a session.
    pub(crate) fn greet(&mut self) {
        let abilities = self.ask("initialize", json!({"adapterID": "lua", "linesStartAt1": true}));
        assert_eq!(abilities["supportsConfigurationDoneRequest"], true);
        self.event("initialized");
        self.ask("attach", json!({"name": "Lua"}));
    }

    /// Sends bytes as they are.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub(crate) fn send(&mut self, command: &str, arguments: Value) {
        self.seq += 1;
        let body =
            json!({"seq": self.seq, "type": "request", "command": command, "arguments": arguments});
        let body = body.to_string();
        self.send_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    /// Reads a message; `None` at the end.
    pub(crate) fn read(&mut self) -> Option<Value> {
        let mut head = String::new();
        if self.input.read_line(&mut head).ok()? == 0 {
            return None;
        }
        let length: usize = head.trim().strip_prefix("Content-Length: ").unwrap().parse().unwrap();
        self.input.read_line(&mut head).unwrap();
        let mut body = vec![0; length];
        self.input.read_exact(&mut body).unwrap();
        Some(serde_json::from_slice(&body).unwrap())
    }

    /// Sends a request and returns its response.
    pub(crate) fn try_ask(&mut self, command: &str, arguments: Value) -> Result<Value, String> {
        self.send(command, arguments);
        loop {
            let message = self.read().expect("a response");
            if message["type"] == "event" {
                self.events.push_back(message);
                continue;
            }
            assert_eq!(
                (&message["request_seq"], &message["command"]),
                (&self.seq.into(), &command.into())
            );
            return match message["success"].as_bool() {
                Some(true) => Ok(message["body"].clone()),
                _ => Err(message["message"].as_str().unwrap().to_owned()),
            };
        }
    }

    pub(crate) fn ask(&mut self, command: &str, arguments: Value) -> Value {
        self.try_ask(command, arguments).unwrap_or_else(|message| panic!("{command}: {message}"))
    }

    /// Waits for an event and returns its body. Others remain.
    pub(crate) fn event(&mut self, name: &str) -> Value {
        if let Some(index) = self.events.iter().position(|event| event["event"] == name) {
            return self.events.remove(index).unwrap()["body"].clone();
        }
        loop {
            let message = self.read().unwrap_or_else(|| panic!("the event {name}"));
            if message["event"] == name {
                return message["body"].clone();
            }
            self.events.push_back(message);
        }
    }

    /// Replaces the breakpoints of a file.
    pub(crate) fn break_at(&mut self, path: &str, lines: &[u32]) {
        let lines = lines.iter().map(|line| json!({"line": line})).collect::<Value>();
        let answer = self.set_breakpoints(path, lines);
        assert!(
            answer.as_array().unwrap().iter().all(|found| found["verified"] == true),
            "{answer}"
        );
    }

    pub(crate) fn set_breakpoints(&mut self, path: &str, breakpoints: Value) -> Value {
        let body = json!({"source": {"path": path}, "breakpoints": breakpoints});
        self.ask("setBreakpoints", body)["breakpoints"].clone()
    }

    /// Waits until the guest stands; returns where, as `reason file:line function`.
    pub(crate) fn stopped(&mut self) -> String {
        let stopped = self.event("stopped");
        assert_eq!(stopped["allThreadsStopped"], false);
        format!("{} {}", stopped["reason"].as_str().unwrap(), self.place())
    }

    /// Returns where the guest stands.
    pub(crate) fn place(&mut self) -> String {
        self.stack()[0].clone()
    }

    /// Returns the frames of the guest, innermost first, as `file:line function`.
    pub(crate) fn stack(&mut self) -> Vec<String> {
        let shown = |frame: &Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            format!("{}:{} {}", text(&frame["source"]["name"]), frame["line"], text(&frame["name"]))
        };
        self.frames().iter().map(shown).collect()
    }

    pub(crate) fn frames(&mut self) -> Vec<Value> {
        let thread = self.thread();
        let trace =
            self.ask("stackTrace", json!({"threadId": thread, "startFrame": 0, "levels": 0}));
        trace["stackFrames"].as_array().unwrap().clone()
    }

    pub(crate) fn thread(&mut self) -> Value {
        self.ask("threads", json!(null))["threads"][0]["id"].clone()
    }

    /// Lets the guest go on.
    pub(crate) fn go(&mut self, command: &str) {
        let thread = self.thread();
        self.ask(command, json!({"threadId": thread}));
    }

    /// Lets the guest go on for a step, and returns where it stands then.
    pub(crate) fn step(&mut self, command: &str) -> String {
        self.go(command);
        self.stopped()
    }

    /// Returns the reference of a scope of a frame.
    pub(crate) fn scope(&mut self, frame: usize, name: &str) -> Value {
        let id = self.frames()[frame]["id"].clone();
        let scopes = self.ask("scopes", json!({"frameId": id}))["scopes"].clone();
        let scope = scopes.as_array().unwrap().iter().find(|scope| scope["name"] == name);
        scope.unwrap()["variablesReference"].clone()
    }

    /// Returns the values of variables, by name.
    pub(crate) fn variables(&mut self, reference: &Value) -> BTreeMap<String, String> {
        let listed = self.list(reference);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        listed.iter().map(|found| (text(&found["name"]), text(&found["value"]))).collect()
    }

    pub(crate) fn list(&mut self, reference: &Value) -> Vec<Value> {
        let body = self.ask("variables", json!({"variablesReference": reference}));
        body["variables"].as_array().unwrap().clone()
    }

    /// Returns the locals of a frame.
    pub(crate) fn locals(&mut self, frame: usize) -> BTreeMap<String, String> {
        let reference = self.scope(frame, "Locals");
        self.variables(&reference)
    }

    /// Runs code in a frame.
    pub(crate) fn evaluate(&mut self, frame: usize, code: &str) -> Result<String, String> {
        let id = self.frames()[frame]["id"].clone();
        let body = json!({"expression": code, "frameId": id, "context": "repl"});
        let body = self.try_ask("evaluate", body)?;
        Ok(body["result"].as_str().unwrap().to_owned())
    }
}
