//! A server on a free port, a client over a real socket, and a language whose functions do what their events ask for.

use crate::{
    engines::Registry,
    handler::Located,
    http::{Running, ServeOptions, ServedFunction, Server, Site},
    worker::WorkerOptions,
};
use serde_json::{Value, json};
use std::{
    cell::Cell,
    collections::BTreeSet,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use trine_engine::{
    Capabilities, Engine, EngineInfo, Environment, Error, Exports, Form, FunctionId, Instance,
    Interrupter, Invocation, LocalFuture, LogFormat, LogSettings, LogSink, Module, Payload, Result,
    Stream, Usage, Wanted,
};

/// A language whose functions answer with their event, or as the header `x-do` says.
struct Echo(EngineInfo, AtomicU32);

/// An instance, numbered by how many its engine has started.
struct EchoInstance {
    number: u32,
    log: LogSettings,
    waiting: Cell<u32>,
}

/// Ports of servers whose functions no longer wait.
static OPEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

impl Engine for Echo {
    fn info(&self) -> &EngineInfo {
        &self.0
    }

    fn start(&self, environment: &Environment) -> Result<Rc<dyn Instance>> {
        let number = self.1.fetch_add(1, Ordering::Relaxed);
        let log = environment.log.clone();
        Ok(Rc::new(EchoInstance { number, log, waiting: Cell::new(0) }))
    }
}

impl Instance for EchoInstance {
    fn load<'a>(&'a self, module: &'a Module) -> LocalFuture<'a, Result<Exports>> {
        Box::pin(async move {
            if module.name == "broken" && !module.path.with_extension("mended").exists() {
                return Err(Error::guest("SyntaxError", "at the end"));
            }
            Ok(Exports::handler("handler", FunctionId(0)))
        })
    }

    fn call<'a>(
        &'a self,
        _function: FunctionId,
        input: Payload,
        _form: Form,
        invocation: &'a Rc<Invocation>,
    ) -> LocalFuture<'a, Result<Payload>> {
        Box::pin(async move {
            let event = Value::try_from(input)?;
            let answer = match event["headers"]["x-do"].as_str().unwrap_or("echo") {
                "wait" => {
                    self.waiting.update(|waiting| waiting + 1);
                    let line = format!("{} waiting\n", self.waiting.get());
                    self.log.sink.write(Stream::Stdout, line.as_bytes());
                    let host = event["headers"]["host"].as_str().unwrap_or_default();
                    let port = host.rsplit(':').next().unwrap_or_default().parse().unwrap();
                    while !OPEN.lock().unwrap().contains(&port) {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    self.waiting.update(|waiting| waiting - 1);
                    json!({"waited": true})
                }
                "poison" => return Err(Error::guest("Oops", "broken for good").poisoning()),
                "instance" => json!(self.number),
                "throw" => return Err(Error::guest("Oops", "on purpose")),
                "malformed" => json!({"statusCode": "x"}),
                "cookies" => json!({"statusCode": 200, "cookies": event["cookies"]}),
                "mirror" => json!({
                    "statusCode": 200,
                    "headers": {"content-type": "application/octet-stream"},
                    "body": event["body"],
                    "isBase64Encoded": event["isBase64Encoded"],
                }),
                "deadline" => json!(invocation.remaining_ms()),
                "id" => json!([
                    invocation.request_id == event["requestContext"]["requestId"],
                    invocation.function_name,
                    invocation.trace_id.as_deref() == event["headers"]["x-amzn-trace-id"].as_str(),
                ]),
                _ => event,
            };
            Ok(Payload::from(&answer))
        })
    }

    fn interrupter(&self) -> Interrupter {
        Interrupter::new(|| {})
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }

    fn shutdown(&self) {}
}

pub(in crate::http) fn registry(interleaving: bool) -> Registry {
    let info = EngineInfo::new("echo", "Echo", "0").with_extensions(&["echo"]).with_capabilities(
        Capabilities { interleaving, memory_limit: true, ..Capabilities::default() },
    );
    Registry::new(vec![Arc::new(Echo(info, AtomicU32::new(1)))])
}

/// Makes functions of these names without files, in a language that can or cannot interleave.
pub(super) fn site(names: &[&str], interleaving: bool) -> Site {
    let registry = registry(interleaving);
    let function = |name: &&str| {
        let module =
            Module::new("/", format!("/{name}.echo"), *name, Wanted::Handler("handler".into()));
        let engine = registry.by_extension("echo").unwrap().clone();
        ServedFunction::new(*name, Located { engine, module })
    };
    Site::new(names.iter().map(function).collect())
}

/// A sink that keeps what it gets.
#[derive(Default)]
pub(super) struct Kept(Mutex<String>);

impl LogSink for Kept {
    fn write(&self, _stream: Stream, line: &[u8]) {
        self.0.lock().unwrap().push_str(&String::from_utf8_lossy(line));
    }
}

pub(super) struct Fixture {
    running: Option<Running>,
    pub(super) address: SocketAddr,
    log: Arc<Kept>,
}

impl Fixture {
    pub(super) fn start(site: Site) -> Self {
        Self::with(site, |_| {})
    }

    pub(super) fn with(site: Site, change: impl FnOnce(&mut ServeOptions)) -> Self {
        let mut options = ServeOptions::new("127.0.0.1:0".parse().unwrap());
        options.workers = 1;
        change(&mut options);
        let log = Arc::new(Kept::default());
        let environment = Environment::new(
            "/opt",
            LogSettings { sink: log.clone(), format: LogFormat::Text, level: None },
        )
        .with_main_thread(true);
        let running =
            Server::bind(options, site).unwrap().start(&WorkerOptions::new(environment)).unwrap();
        Self { address: running.endpoint().tcp().unwrap(), running: Some(running), log }
    }

    pub(super) fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Client(BufReader::new(stream))
    }

    pub(super) fn get(&self, path: &str, headers: &str) -> Answer {
        self.connect().exchange(&format!("GET {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n"), b"")
    }

    /// Returns what the server has logged so far.
    pub(super) fn logged(&self) -> String {
        self.log.0.lock().unwrap().clone()
    }

    /// Requests a function that waits until [`open`] is called for this server.
    pub(super) fn connect_and_wait(&self) -> Client {
        let mut client = self.connect();
        let head = format!("GET / HTTP/1.1\r\nhost: {}\r\nx-do: wait\r\n\r\n", self.address);
        client.send(&head, b"");
        client
    }

    /// Blocks until this many functions are waiting at a time.
    #[track_caller]
    pub(super) fn until_waiting(&self, count: u32) {
        let begin = Instant::now();
        let line = format!("{count} waiting\n");
        while !self.logged().contains(&line) {
            assert!(begin.elapsed() < Duration::from_secs(20), "{}", self.logged());
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub(super) fn stop(&mut self) {
        let running = self.running.take().unwrap();
        running.stopper().stop();
        running.join().unwrap();
    }
}

/// Lets the waiting functions of a server go on.
pub(super) fn open(address: SocketAddr) {
    OPEN.lock().unwrap().insert(address.port());
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // Another server may get the same port.
        OPEN.lock().unwrap().remove(&self.address.port());
        if self.running.is_some() && !thread::panicking() {
            self.stop();
        }
    }
}

pub(super) struct Client(BufReader<TcpStream>);

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Client {
    pub(super) fn send(&mut self, head: &str, body: &[u8]) {
        let stream = self.0.get_mut();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
    }

    pub(super) fn exchange(&mut self, head: &str, body: &[u8]) -> Answer {
        self.send(head, body);
        self.receive(head.starts_with("HEAD"))
    }

    pub(super) fn receive(&mut self, without_body: bool) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).unwrap(), 0, "closed after {head:?}");
        }
        let head = head.to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new() };
        let length = answer.header("content-length").map_or(0, |n| n.parse().unwrap());
        if !without_body {
            answer.body.resize(length, 0);
            self.0.read_exact(&mut answer.body).unwrap();
        }
        answer
    }

    pub(super) fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0))
    }
}

pub(super) fn post(path: &str, headers: &str, body: &[u8]) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n{headers}\r\n")
}

/// Makes a folder with these files, empty but for the routes.
pub(in crate::http) fn folder(files: &[&str], routes: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    std::fs::write(folder.path().join("trine.toml"), routes).unwrap();
    folder
}
