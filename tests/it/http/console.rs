//! The console's API, as its page uses it: functions, invocations in each language, and the stream of what happens.

use crate::support::{
    Connection, Folder, LIMIT, PROBE_LANGUAGES, Reply, Served, eventually, run, trine,
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    time::Instant,
};

const FILES: [(&str, &str); 6] = [
    (
        "js.mjs",
        "export const handler = async (event) => {\n  \
         console.log('from js', event.n);\n  \
         if (event.fail) {\n    \
         throw new TypeError('no js');\n  \
         }\n  \
         return { n: event.n };\n};\n",
    ),
    (
        "py.py",
        "import logging\n\n\ndef handler(event, context):\n    \
         logging.getLogger().warning('from python %s', event['n'])\n    \
         if event.get('fail'):\n        \
         raise KeyError('no python')\n    \
         return {'n': event['n']}\n",
    ),
    (
        "lua.lua",
        "return function(event, context)\n  \
         trine.log('info', 'from lua ' .. tostring(event.n))\n  \
         if event.fail then\n    \
         error('no lua')\n  \
         end\n  \
         return { n = event.n }\nend\n",
    ),
    ("broken.py", "def handler(event, context):\n    return (\n"),
    ("bytes.mjs", "export const handler = () => ({ statusCode: 201, body: 'made' });\n"),
    (
        "middlewares/stamp.mjs",
        "export const before = (event) => { event.stamped = true; };\n\
         export const after = (response) => response;\n",
    ),
];

/// The marked line of each language's function, where it fails.
const FAILURES: [(&str, u64, &str); 3] =
    [("js", 4, "TypeError"), ("py", 7, "KeyError"), ("lua", 4, "")];

/// A server with a console, and the token of its page.
struct Console {
    served: Served,
    token: String,
    _folder: Folder,
}

impl Console {
    fn start(arguments: &[&str]) -> Self {
        let folder = Folder::new(&FILES);
        let served = Served::start(
            &folder,
            &[&["--console", "--workers", "1", "--middlewares", "stamp"], arguments].concat(),
        );
        let page = send(served.address, "GET", "/.trine/", "", "");
        assert_eq!(page.status, 200);
        let (_, rest) = page.text().split_once("name=\"trine-token\" content=\"").unwrap();
        let token = rest.split('"').next().unwrap().to_owned();
        Self { served, token, _folder: folder }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Reply {
        let head = format!("x-trine-token: {}\r\n", self.token);
        send(self.served.address, method, &format!("/.trine/api/{path}"), &head, body)
    }

    fn invoke(&self, name: &str, event: &Value) -> Value {
        let body = json!({ "event": event }).to_string();
        let reply = self.ask("POST", &format!("invoke/{name}"), &body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    fn functions(&self) -> Value {
        self.ask("GET", "functions", "").json()["functions"].clone()
    }

    fn live(&self) -> Live {
        Live::open(self.served.address, &self.token)
    }
}

fn send(address: SocketAddr, method: &str, path: &str, head: &str, body: &str) -> Reply {
    let mut connection = Connection::open(address);
    let length = body.len();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n{head}\r\n{body}"
    );
    connection.write(text.as_bytes());
    connection.receive(method)
}

/// The stream of what happens.
struct Live(BufReader<TcpStream>);

impl Live {
    fn open(address: SocketAddr, token: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let head = format!(
            "GET /.trine/api/live HTTP/1.1\r\nhost: {address}\r\nx-trine-token: {token}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        Self(BufReader::new(stream))
    }

    /// Returns the next message; `None` at the end.
    fn next(&mut self) -> Option<(String, Value)> {
        let mut event = String::new();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap_or_default() == 0 || line == "0\r\n" {
                return None;
            }
            if let Some(name) = line.strip_prefix("event: ") {
                name.trim_end().clone_into(&mut event);
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some((event, serde_json::from_str(data).unwrap()));
            }
        }
    }

    /// Returns the next message of this kind that is as wanted.
    fn until(&mut self, kind: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let (event, data) = self.next().expect("it has not ended");
            if event == kind && is_it(&data) {
                return data;
            }
        }
    }
}

fn names(spans: &Value) -> Vec<&str> {
    spans.as_array().unwrap().iter().map(|span| span["name"].as_str().unwrap()).collect()
}

#[test]
fn functions_are_invoked_in_each_language_and_all_is_told_of_them() {
    let console = Console::start(&[]);
    for (name, language) in [("js", "js"), ("py", "python"), ("lua", "lua")] {
        assert!(PROBE_LANGUAGES.iter().any(|known| known.engine == language));
        let told = console.invoke(name, &json!({"n": 7}));
        assert_eq!((&told["ok"], &told["cold"]), (&json!(true), &json!(true)), "{told:#}");
        assert_eq!(told["result"]["text"].as_str().unwrap().replace(' ', ""), "{\"n\":7}");
        let spans = names(&told["spans"]);
        let of_it: Vec<&&str> =
            spans.iter().filter(|name| !["receive", "queue", "answer"].contains(*name)).collect();
        assert_eq!(of_it, [&"load", &"before stamp", &"handler", &"after stamp"], "{name}");
        let logs = told["logs"].as_array().unwrap();
        let is_line = |line: &&Value| line["text"].as_str().unwrap().contains("from ");
        let line = logs.iter().find(is_line).unwrap_or_else(|| panic!("{told:#}"));
        assert!(line["text"].as_str().unwrap().ends_with('7') && line["level"].is_string());
        let again = console.invoke(name, &json!({"n": 8}));
        assert_eq!((&again["cold"], &again["ok"]), (&json!(false), &json!(true)));
    }
    for function in console.functions().as_array().unwrap() {
        let name = function["name"].as_str().unwrap();
        let health = match name {
            "broken" => "failed",
            "bytes" => "not loaded yet",
            _ => "ready",
        };
        assert_eq!(function["health"], health, "{function:#}");
        let middleware = &function["middlewares"][0];
        assert_eq!((&middleware["name"], &middleware["engine"]), (&json!("stamp"), &json!("js")));
        if health == "ready" {
            assert_eq!(middleware["hooks"], json!(["before", "after"]));
        }
    }
}

#[test]
fn an_error_is_shown_with_the_lines_around_it() {
    let console = Console::start(&[]);
    for (name, line, kind) in FAILURES {
        let told = console.invoke(name, &json!({"n": 1, "fail": true}));
        let problem = &told["problem"];
        assert!(problem["message"].as_str().unwrap().contains("no "), "{told:#}");
        assert!(kind.is_empty() || problem["type"] == kind, "{problem:#}");
        assert_eq!(problem["line"], line, "{problem:#}");
        let excerpt = problem["excerpt"].as_array().unwrap_or_else(|| panic!("{problem:#}"));
        let marked: Vec<&Value> = excerpt.iter().filter(|line| line["marked"] == true).collect();
        assert_eq!((marked.len(), &marked[0]["line"]), (1, &json!(line)));
        assert!(excerpt.len() > 4 && told["ok"] == false && told["result"].is_null());
    }
    let broken = console.functions();
    let broken = broken.as_array().unwrap().iter().find(|one| one["name"] == "broken").unwrap();
    assert_eq!(broken["problem"]["file"], "broken.py", "{broken:#}");
    assert!(broken["problem"]["excerpt"].is_array());
}

#[test]
fn the_stream_tells_of_whatever_is_invoked_and_its_readers_may_come_late() {
    let console = Console::start(&[]);
    let mut live = console.live();
    assert_eq!(live.next().unwrap().0, "hello");
    let reply = console.served.request("POST", "/bytes?a=1", &[("x-request-id", "web-1")], b"{}");
    assert_eq!((reply.status, reply.text()), (201, "made"));
    let begun = live.until("begun", |data| data["id"] == "web-1");
    assert_eq!((&begun["function"], &begun["method"]), (&json!("bytes"), &json!("POST")));
    let told = live.until("invocation", |data| data["id"] == "web-1");
    assert_eq!((&told["path"], &told["status"]), (&json!("/bytes"), &json!(201)));
    assert!(names(&told["spans"]).contains(&"before stamp"), "{told:#}");
    assert!(told["event"]["text"].as_str().unwrap().contains("\"rawQueryString\":\"a=1\""));
    assert!(told["result"]["text"].as_str().unwrap().contains("made"), "{told:#}");
    let failed = console.served.get("/js?x=1");
    assert_eq!(failed.status, 200);
    console.invoke("lua", &json!({"n": 3}));
    let line = live.until("log", |data| data["text"].as_str().unwrap().contains("from lua 3"));
    assert!(line["id"].is_string());
    live.until("metrics", |data| {
        data["requests"].as_u64() >= Some(3) && data["p50"].is_number() && data["inFlight"] == 0
    });
    // What was before is told to whoever comes later.
    console.live().until("invocation", |data| data["id"] == "web-1");
}

#[test]
fn a_reader_that_does_not_read_is_not_waited_for_and_nothing_is_kept_for_it() {
    let console = Console::start(&[]);
    let mut slow = console.live();
    slow.until("hello", |_| true);
    let large = "x".repeat(100_000);
    for n in 0..300 {
        let told = console.invoke("js", &json!({"n": n, "large": large}));
        assert_eq!(told["ok"], true);
    }
    let (mut late, mut size, mut count) = (console.live(), 0, 0);
    let last = loop {
        let (event, data) = late.next().unwrap();
        if event == "invocation" {
            size += data.to_string().len();
            count += 1;
        }
        if event == "metrics" {
            break data;
        }
    };
    assert_eq!(last["requests"], 300);
    assert!(count < 200 && size < 9 << 20, "{count} of {size} bytes");
    let missed = slow.until("missed", |_| true);
    assert!(missed.as_u64() > Some(100), "{missed}");
}

#[test]
fn the_end_of_the_server_ends_the_stream_at_once() {
    let console = Console::start(&["--grace", "60s"]);
    // Nor does one that is full and not read hold it up.
    let mut asleep = console.live();
    asleep.until("hello", |_| true);
    let large = "x".repeat(100_000);
    for n in 0..150 {
        console.invoke("js", &json!({"n": n, "large": large}));
    }
    let mut live = console.live();
    live.until("metrics", |_| true);
    let begin = Instant::now();
    console.served.process.signal("TERM");
    while live.next().is_some() {}
    let ended = eventually("it has ended", || console.served.process.status());
    assert!(ended.success() && begin.elapsed().as_secs() < 20, "{ended:?}");
}

#[test]
fn a_console_is_for_this_machine_alone() {
    let folder = Folder::new(&FILES);
    for (place, told) in [
        (["--host", "0.0.0.0"], "0.0.0.0:0"),
        (["--listen", "unix:/tmp/console.sock"], "/tmp/console.sock"),
    ] {
        let mut arguments = vec!["serve", "--console"];
        if place[0] == "--host" {
            arguments.extend(["--port", "0"]);
        }
        arguments.extend(place);
        let finished = run(trine(&folder, &arguments));
        assert_eq!(finished.code, Some(2), "{finished:?}");
        let wanted = ["--console", told, "loopback"];
        assert!(wanted.iter().all(|part| finished.stderr.contains(part)), "{finished:?}");
    }
    let served = Served::start(&folder, &[]);
    assert_eq!(send(served.address, "GET", "/.trine/", "", "").status, 404);
}
