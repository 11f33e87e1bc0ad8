//! Signals: the server drains while functions run on the main thread, whatever they install themselves.

use super::{handed_over, served};
use crate::support::{Connection, Folder, Served, eventually};
use serde_json::json;
use std::{fs, thread};

#[test]
fn sigterm_drains_what_was_handed_over() {
    let folder = handed_over(
        "
import asyncio, os
arrived = 0
async def handler(event, context):
    global arrived
    arrived += 1
    if arrived == 8:
        open('all', 'w').close()
    while not os.path.exists('go'):
        await asyncio.sleep(0.005)
    return number(event)
",
    );
    let served = served(&folder, &["--grace", "60"]);
    let mut connections: Vec<_> = (0..8).map(|_| Connection::open(served.address)).collect();
    for (number, connection) in connections.iter_mut().enumerate() {
        connection.send("GET", &format!("/app?n={number}"), &[], b"");
    }
    eventually("all handlers run", || folder.task().join("all").exists().then_some(()));
    served.process.signal("TERM");
    eventually("nobody listens any more", || {
        std::net::TcpStream::connect(served.address).is_err().then_some(())
    });
    fs::write(folder.task().join("go"), "").unwrap();
    for (number, connection) in connections.iter_mut().enumerate() {
        let reply = connection.receive("GET");
        assert_eq!((reply.status, reply.json()), (200, json!(number)));
    }
    assert_eq!(served.process.wait(), Some(0));
}

/// A handler that holds the main thread until the file `go` exists, and shows that it does.
const HOLDS: &str = "
import os, time
def handler(event, context):
    open('began', 'w').close()
    while not os.path.exists('go'):
        time.sleep(0.005)
    return 'went'
";

#[test]
fn a_signal_is_heard_while_a_def_handler_holds_the_main_thread() {
    for others in [&[][..], &[("js.mjs", "export const handler = () => 'js';")]] {
        let folder = Folder::new(&[&[("app.py", HOLDS)], others].concat());
        let argument = if others.is_empty() { "app.py" } else { "." };
        // The handler ends within the grace: it is answered.
        let calm = served(&folder, &[argument, "--grace", "60"]);
        let mut connection = begin(&folder, &calm);
        calm.process.signal("TERM");
        fs::write(folder.task().join("go"), "").unwrap();
        assert_eq!(connection.receive("GET").text(), "went");
        assert_eq!(calm.process.wait(), Some(0));
        // It does not: the grace period ends it, or a second signal.
        fs::remove_file(folder.task().join("go")).unwrap();
        let short = served(&folder, &[argument, "--grace", "0.2"]);
        let mut connection = begin(&folder, &short);
        short.process.signal("TERM");
        assert_eq!(connection.receive("GET").status, 503);
        assert!(connection.is_closed());
        assert_eq!(short.process.wait(), Some(0));
        let twice = served(&folder, &[argument, "--grace", "600"]);
        let _connection = begin(&folder, &twice);
        twice.process.signal("INT");
        // Signals of one kind that arrive together count as one.
        eventually("a second signal ends the process", || {
            twice.process.signal("TERM");
            thread::sleep(std::time::Duration::from_millis(50));
            twice.process.status()
        });
        // If two arrive together, either may be the second.
        let code = twice.process.wait();
        assert!(matches!(code, Some(143 | 130)), "{code:?}");
    }
}

/// Sends a request and waits until its handler runs.
#[track_caller]
fn begin(folder: &Folder, served: &Served) -> Connection {
    // The file of an earlier server.
    let _ = fs::remove_file(folder.task().join("began"));
    let mut connection = Connection::open(served.address);
    connection.send("GET", "/app", &[], b"");
    eventually("the handler runs", || folder.task().join("began").exists().then_some(()));
    connection
}

#[test]
fn a_guests_handler_of_sigterm_is_called_and_the_server_drains() {
    let folder = Folder::new(&[(
        "app.py",
        "
import os, signal, sys, time
def ended(number, frame):
    print('heard', number, flush=True)
    open('heard', 'w').close()
before = [str(signal.getsignal(signal.SIGTERM)), str(signal.getsignal(signal.SIGINT))]
signal.signal(signal.SIGTERM, ended)
def handler(event, context):
    open('began', 'w').close()
    while not os.path.exists('heard'):
        time.sleep(0.005)
    return [*before, signal.getsignal(signal.SIGTERM) is ended]
",
    )]);
    let served = served(&folder, &["app.py"]);
    let mut connection = begin(&folder, &served);
    served.process.signal("TERM");
    let reply = connection.receive("GET");
    assert_eq!((reply.status, reply.json()), (200, json!(["0", "0", true])));
    assert_eq!(served.process.wait(), Some(0));
    eventually("the function has heard it", || {
        served.process.stdout().contains("heard 15\n").then_some(())
    });
}

#[test]
fn a_guest_that_takes_its_handler_back_or_ignores_the_signal_keeps_nobody_from_draining() {
    for last in ["signal.SIG_DFL", "signal.SIG_IGN", "lambda *_: sys.exit(1)"] {
        let source = format!(
            "
import signal, sys
before = signal.signal(signal.SIGTERM, lambda *_: None)
signal.signal(signal.SIGINT, signal.signal(signal.SIGINT, print))
signal.signal(signal.SIGTERM, before)
signal.signal(signal.SIGTERM, {last})
def handler(event, context):
    return 'fine'
"
        );
        let folder = Folder::new(&[("app.py", &source)]);
        for name in ["TERM", "INT"] {
            let served = served(&folder, &["app.py"]);
            assert_eq!(served.get("/").text(), "fine");
            served.process.signal(name);
            assert_eq!(served.process.wait(), Some(0), "{last} {name}: {:?}", served.process);
            assert_eq!(served.process.stderr(), "", "{last} {name}");
        }
    }
}
