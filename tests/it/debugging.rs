//! Debuggers and profiles, as the commands have them; what a debugger can do is tested with each language.

use crate::support::{
    Connection, Folder, LIMIT, Process, Served, eventually, free_port, run, trine,
};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
};

const HANDLERS: [(&str, &str); 4] = [
    ("app.mjs", "export const handler = async (event) => event.n + 1;"),
    (
        "app.ts",
        "export const handler = async (event: { n: number }): Promise<number> => event.n + 1;",
    ),
    ("app.py", "def handler(event, context):\n    return event['n'] + 1\n"),
    ("app.lua", "return function(event) return event.n + 1 end"),
];

fn folder() -> Folder {
    Folder::new(&HANDLERS)
}

/// A client of the Chrome DevTools Protocol at one end of a connection.
struct Client(BufReader<TcpStream>);

impl Client {
    /// Asks for the protocol, as Chrome does.
    fn over(mut stream: TcpStream, path: &str) -> Self {
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:9229\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 101"), "{line}");
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).unwrap();
        }
        Self(reader)
    }

    /// Sends a message, all of whose bytes are masked by zeros.
    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        let mut frame = vec![0x81];
        match text.len() {
            short @ 0..126 => frame.push(0x80 | short as u8),
            long => {
                frame.push(0x80 | 126);
                frame.extend((long as u16).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.0.get_mut().write_all(&frame).unwrap();
    }

    /// Receives the next message.
    fn receive(&mut self) -> Value {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).unwrap();
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.0.read_exact(&mut length).unwrap();
                u16::from_be_bytes(length).into()
            }
            127 => {
                let mut length = [0; 8];
                self.0.read_exact(&mut length).unwrap();
                u64::from_be_bytes(length) as usize
            }
            short => usize::from(short),
        };
        let mut text = vec![0; length];
        self.0.read_exact(&mut text).unwrap();
        let shown = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(head[0], 0x81, "a whole text was awaited, not {shown:?}");
        serde_json::from_str(&shown).unwrap()
    }

    /// Receives messages until one is of this method.
    fn until(&mut self, method: &str) -> Value {
        loop {
            let message = self.receive();
            if message["method"] == method {
                return message;
            }
        }
    }
}

/// Waits for the address that a language says it listens on.
#[track_caller]
fn listens(process: &Process, before: &str) -> String {
    eventually(&format!("{before:?} is said"), || {
        let said = process.stderr() + &process.stdout();
        let (_, rest) = said.split_once(before)?;
        let line = rest.split_once('\n')?.0;
        Some(line.split(' ').next()?.to_owned())
    })
}

#[test]
fn a_breakpoint_in_typescript_stops_a_call_and_time_stands_still() {
    let folder = folder();
    let arguments =
        ["invoke", "app.ts", "--event", r#"{"n":1}"#, "--timeout", "1s", "--inspect-brk=0"];
    let process = Process::start(trine(&folder, &arguments));
    let address = listens(&process, "Debugger listening on ws://");
    let (host, path) = address.split_once('/').unwrap();
    let mut client = Client::over(TcpStream::connect(host).unwrap(), &format!("/{path}"));
    client.send(&json!({"id": 1, "method": "Runtime.enable"}));
    client.send(&json!({"id": 2, "method": "Debugger.enable"}));
    client.send(&json!({"id": 3, "method": "Runtime.runIfWaitingForDebugger"}));
    let parsed = loop {
        let parsed = client.until("Debugger.scriptParsed");
        if parsed["params"]["url"].as_str().unwrap().ends_with("/app.ts") {
            break parsed;
        }
    };
    let paused = client.until("Debugger.paused");
    let place = &paused["params"]["callFrames"][0]["location"];
    assert_eq!(place["scriptId"], parsed["params"]["scriptId"]);
    // Longer than the call may take.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    client.send(&json!({"id": 4, "method": "Debugger.resume"}));
    assert_eq!(process.wait(), Some(0), "{process:?}");
    assert_eq!(process.stdout(), "2\n");
}

#[test]
fn a_server_and_an_emulator_are_inspected_too() {
    let folder = folder();
    let served =
        Served::of(trine(&folder, &["serve", "app.mjs", "--port", "0", "--inspect=0", "--eager"]));
    let address = listens(&served.process, "Debugger listening on ws://");
    let (host, _) = address.split_once('/').unwrap();
    eventually("the file is listed", || {
        let mut stream = TcpStream::connect(host).unwrap();
        let asked = b"GET /json/list HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(asked).unwrap();
        let mut list = String::new();
        stream.read_to_string(&mut list).unwrap();
        (list.contains("webSocketDebuggerUrl") && list.contains("app.mjs")).then_some(())
    });
    let process =
        Process::start(trine(&folder, &["emulator", "app.lua", "--port", "0", "--debug=0"]));
    listens(&process, "Lua debugger listening on ");
}

#[test]
fn an_event_names_where_its_debugger_is_and_only_listed_places_count() {
    let folder = folder();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let event = json!({"n": 41, "_debugProxy": place}).to_string();
    let mut command = trine(&folder, &["invoke", "app.mjs", "--event", &event]);
    command.env("TRINE_DEBUG_PROXY", format!("debug.example:1,{place}"));
    let process = Process::start(command);
    let mut client = Client::over(listener.accept().unwrap().0, "/");
    client.send(&json!({"id": 1, "method": "Debugger.enable"}));
    client.send(&json!({"id": 2, "method": "Debugger.pause"}));
    client.send(&json!({"id": 3, "method": "Runtime.runIfWaitingForDebugger"}));
    client.until("Debugger.paused");
    client.send(&json!({"id": 4, "method": "Debugger.resume"}));
    assert_eq!(process.wait(), Some(0), "{process:?}");
    assert_eq!(process.stdout(), "42\n");
    // Without a list the member is one like any other; with one, other places are refused, and the function runs.
    let finished = run(trine(&folder, &["invoke", "app.mjs", "--event", &event]));
    assert_eq!((finished.stdout.as_str(), finished.stderr.as_str()), ("42\n", ""));
    let mut command = trine(&folder, &["invoke", "app.mjs", "--event", &event]);
    command.env("TRINE_DEBUG_PROXY", "127.0.0.1:1");
    let finished = run(command);
    assert_eq!(finished.stdout, "42\n");
    assert!(finished.stderr.contains("TRINE_DEBUG_PROXY does not list it"), "{finished:?}");
}

#[test]
fn a_call_is_profiled_in_every_language() {
    let folder = Folder::new(&[
        (
            "app.mjs",
            "function busy() { let x = 0; for (let i = 0; i < 3e7; i++) x += i % 7; return x; }\nexport const handler = async () => busy() > 0;",
        ),
        (
            "app.py",
            "def busy():\n    return sum(i % 7 for i in range(600000))\n\ndef handler(event, context):\n    return busy() > 0\n",
        ),
        (
            "app.lua",
            "local function busy() local x = 0 for i = 1, 2e7 do x = x + i % 7 end return x end\nreturn function(event) return busy() > 0 end",
        ),
    ]);
    for (file, part) in [("app.mjs", "\"busy\""), ("app.py", "busy"), ("app.lua", "busy")] {
        let finished = run(trine(&folder, &["invoke", file, "--cpu-profile", "out"]));
        assert_eq!(finished.stdout, "true\n", "{finished:?}");
        assert!(finished.stderr.contains("wrote out"), "{finished:?}");
        let profile = fs::read(folder.task().join("out")).unwrap();
        assert!(String::from_utf8_lossy(&profile).contains(part), "{file}");
    }
    let finished = run(trine(&folder, &["invoke", "app.mjs", "--heap-snapshot", "heap"]));
    assert_eq!(finished.stdout, "true\n");
    let snapshot: Value =
        serde_json::from_slice(&fs::read(folder.task().join("heap")).unwrap()).unwrap();
    assert!(snapshot["nodes"].as_array().unwrap().len() > 1000);
    let finished = run(trine(&folder, &["invoke", "app.lua", "--heap-snapshot", "heap"]));
    assert_eq!(finished.stdout, "true\n");
    assert!(finished.stderr.contains("this language has no heap snapshots"), "{finished:?}");
    let finished =
        run(trine(&folder, &["invoke", "app.py", "--cpu-profile", "no/such/folder/out"]));
    assert_eq!(finished.stdout, "true\n");
    assert!(finished.stderr.contains("cannot write no/such/folder/out"), "{finished:?}");
}

#[test]
fn a_port_that_is_taken_and_a_package_that_is_missing_are_told() {
    let folder = folder();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for (file, flag) in [("app.mjs", "inspect"), ("app.lua", "debug")] {
        let flag = format!("--{flag}={port}");
        let finished = run(trine(&folder, &["invoke", file, "--event", r#"{"n":1}"#, &flag]));
        assert_ne!(finished.code, Some(0), "{finished:?}");
        assert!(finished.stderr.contains(&port.to_string()), "{finished:?}");
    }
    let finished = run(trine(&folder, &["invoke", "app.py", "--event", r#"{"n":1}"#, "--debug=0"]));
    if finished.code != Some(0) {
        assert!(finished.stderr.contains("pip install debugpy"), "{finished:?}");
    }
}

#[test]
fn a_reload_takes_the_debuggers_port_over_whatever_is_in_flight() {
    let slow = "export const handler = async () => { await new Promise((done) => setTimeout(done, 60000)); };";
    let folder = Folder::new(&[
        ("slow.mjs", slow),
        ("quick.mjs", "export const handler = async () => 'one';"),
    ]);
    let flag = format!("--inspect={}", free_port());
    let served = Served::of(trine(&folder, &["dev", "--port", "0", &flag]));
    assert_eq!(served.get("/quick").text(), "one");
    let mut asked = Connection::open(served.address);
    asked.send("GET", "/slow", &[], b"");
    folder.write("quick.mjs", "export const handler = async () => 'two';");
    eventually("the new code answers", || (served.get("/quick").text() == "two").then_some(()));
}
