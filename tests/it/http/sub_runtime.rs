//! Programs that still answer by Scaleway's upstream protocol.

use crate::support::{Connection, Folder, Served, eventually, free_port, run, trine};
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt};

/// A program that speaks the protocol. It begins to listen late, and says when it is asked to end.
const PROGRAM: &str = r#"#!/usr/bin/env python3
import http.server, json, os, signal, sys, time

class Upstream(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers['content-length'])))
        path = asked['event'] if isinstance(asked['event'], str) else asked['event']['path']
        status, answer = 200, json.dumps({'statusCode': 201, 'body': asked})
        if path == '/fail':
            status, answer = 500, 'no anvil left'
        elif path == '/text':
            answer = 'hello'
        elif path == '/end':
            os._exit(3)
        elif path == '/wait':
            time.sleep(60)
        body = b'\xff\x00' if path == '/bytes' else answer.encode()
        self.send_response(status)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

def end(*_):
    print('asked to end', flush=True)
    sys.exit()

signal.signal(signal.SIGTERM, end)
time.sleep(0.2)
port = int(os.environ['SCW_UPSTREAM_PORT'])
http.server.ThreadingHTTPServer(('127.0.0.1', port), Upstream).serve_forever()
"#;

fn folder() -> Folder {
    let folder = Folder::new(&[("handler", PROGRAM)]);
    fs::set_permissions(folder.file("handler"), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn started(folder: &Folder, variables: &[(&str, &str)], arguments: &[&str]) -> Served {
    let arguments = [&["serve", "--sub-runtime"], arguments].concat();
    let mut command = trine(folder, &arguments);
    command.env("PORT", "0").env("SCW_PUBLIC", "true");
    command.env("SCW_HANDLER_PATH", folder.file("handler"));
    command.env("SCW_UPSTREAM_PORT", free_port().to_string()).envs(variables.iter().copied());
    Served::of(command)
}

#[test]
fn a_program_answers_by_the_upstream_protocol() {
    let folder = folder();
    let bridge = folder.file("handler");
    for variables in [
        &[("SCW_HANDLER_IS_BINARY", "true")][..],
        &[("SCW_RUNTIME_BINARY", "python3"), ("SCW_RUNTIME_BRIDGE", &*bridge)],
    ] {
        let served = started(&folder, variables, &[]);
        let reply = served.post("/a", r#"{"n":1}"#);
        let asked = reply.json();
        assert_eq!((reply.status, &asked["event"]["path"]), (201, &json!("/a")));
        assert_eq!(asked["event"]["body"], r#"{"n":1}"#);
        assert_eq!(asked["event"]["headers"]["Content-Type"], "application/json");
        let context =
            json!({"memoryLimitInMb": 128, "functionName": "handler", "functionVersion": ""});
        assert_eq!(asked["context"], context);
        assert_eq!(
            (&asked["handlerName"], &asked["handlerPath"]),
            (&json!("handle"), &json!(bridge))
        );
        assert_eq!(served.get("/text").text(), "hello");
        assert_eq!(served.get("/bytes").body, b"\xff\x00");
        let failed = served.get("/fail");
        let text = "An error occured during handler execution: no anvil left\n";
        assert_eq!((failed.status, failed.text()), (500, text));
        assert!(served.process.stderr().contains("by Scaleway's upstream protocol on port"));
        served.process.signal("TERM");
        assert_eq!(served.process.wait(), Some(0), "{:?}", served.process);
        eventually("the program is asked to end", || {
            served.process.stdout().contains("asked to end").then_some(())
        });
    }
}

#[test]
fn a_program_that_takes_too_long_or_ends_is_told() {
    let folder = folder();
    let binary = ("SCW_HANDLER_IS_BINARY", "true");
    let served = started(&folder, &[binary], &["--timeout", "2s"]);
    let answers = || (served.get("/text").status == 200).then_some(());
    // It may not listen within the first of these times.
    eventually("it answers in time", answers);
    let late = served.get("/wait");
    assert_eq!(late.status, 504, "{late:?}");
    assert!(late.text().contains("Task timed out after 2.00 seconds"), "{late:?}");
    eventually("it answers again", answers);
    // A client that is gone is no reason to ask the program.
    let mut asking = Connection::open(served.address);
    asking.send("GET", "/end", &[], b"");
    assert_eq!(served.process.wait(), Some(1), "{:?}", served.process);
    assert!(served.process.stderr().contains("has ended: exit status: 3"), "{:?}", served.process);
}

#[test]
fn a_program_is_run_only_where_it_is_asked_for() {
    let folder = folder();
    let finished = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = trine(&folder, &[&["serve", "--port", "0"], arguments].concat());
        command.envs(variables.iter().copied());
        run(command)
    };
    let path = folder.file("handler");
    let handler = ("SCW_HANDLER_PATH", &*path);
    let is_binary = ("SCW_HANDLER_IS_BINARY", "true");
    for (variables, arguments, code, why) in [
        (
            &[handler, is_binary][..],
            &[][..],
            2,
            "--sub-runtime has it answer by the upstream protocol",
        ),
        (
            &[handler],
            &["--sub-runtime"],
            2,
            "SCW_HANDLER_IS_BINARY=true or SCW_RUNTIME_BINARY names",
        ),
        (&[is_binary], &["--sub-runtime"], 2, "the handler that SCW_HANDLER_PATH names"),
        (
            &[handler, is_binary, ("SCW_UPSTREAM_PORT", "x")],
            &["--sub-runtime"],
            2,
            "the environment variable SCW_UPSTREAM_PORT: \"x\" is no port",
        ),
        (
            &[handler, is_binary, ("SCW_UPSTREAM_HOST", "https://a")],
            &["--sub-runtime"],
            2,
            "the environment variable SCW_UPSTREAM_HOST: \"https://a\" is no host",
        ),
        (
            &[handler, ("SCW_RUNTIME_BINARY", "/gone/node")],
            &["--sub-runtime"],
            1,
            "'/gone/node' cannot be started: No such file",
        ),
    ] {
        let finished = finished(variables, arguments);
        assert_eq!(finished.code, Some(code), "{finished:?}");
        assert!(finished.stderr.contains(why), "{finished:?}");
    }
}
