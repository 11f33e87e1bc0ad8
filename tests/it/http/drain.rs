//! The end of a server: nothing that has arrived is lost, whatever holds the threads.

use crate::support::{Connection, Folder, Served, eventually};
use std::{fs, net::TcpStream};

/// Handlers that create `begun` and then hold their thread until `go` exists.
const HOLDING: &[(&str, &str)] = &[
    (
        "app.py",
        "import os, time\n\
         def handler(event, context):\n    \
         open('begun', 'w').close()\n    \
         while not os.path.exists('go'):\n        \
         time.sleep(0.005)\n    \
         return event['rawPath']\n",
    ),
    (
        "app.mjs",
        "import { existsSync, writeFileSync } from 'node:fs';\n\
         export const handler = (event) => {\n  \
         writeFileSync('begun', '');\n  \
         while (!existsSync('go')) for (let i = 0; i < 1e5; i++);\n  \
         return event.rawPath;\n};\n",
    ),
    (
        "app.lua",
        "return { handler = function(event)\n  \
         io.open('begun', 'w'):close()\n  \
         while not io.open('go') do end\n  \
         return event.rawPath\nend }\n",
    ),
];

/// Starts a server with one worker, whose thread is held by a request to `/first` on this connection.
fn held(file: &str, source: &str, arguments: &[&str]) -> (Folder, Served, Connection) {
    let folder = Folder::new(&[(file, source)]);
    let served = Served::start(&folder, &[&[file, "--workers", "1"], arguments].concat());
    let mut first = Connection::open(served.address);
    first.send("GET", "/first", &[], b"");
    eventually("the first request holds the thread", || {
        folder.task().join("begun").exists().then_some(())
    });
    (folder, served, first)
}

fn release(folder: &Folder) {
    fs::write(folder.task().join("go"), "").unwrap();
}

/// Asks the server to stop, and waits until it has noticed.
#[track_caller]
fn stop(served: &Served) {
    served.process.signal("TERM");
    eventually("the server has heard it", || {
        served.process.stdout().contains("asked to stop").then_some(())
    });
}

/// Waits until the server has closed its port, with its one thread free.
fn until_shut(served: &Served) {
    eventually("nobody listens any more", || {
        TcpStream::connect(served.address).is_err().then_some(())
    });
}

/// Receives an answer that must be the last one on its connection.
#[track_caller]
fn last(connection: &mut Connection, status: u16, text: &str) {
    let reply = connection.receive("GET");
    assert_eq!((reply.status, reply.text()), (status, text), "{reply:?}");
    assert_eq!(reply.header("connection"), Some("close"), "{reply:?}");
    assert!(connection.is_closed());
}

#[test]
fn what_waits_for_a_thread_that_is_held_is_answered() {
    for (file, source) in HOLDING {
        let folder = Folder::new(&[(file, source)]);
        release(&folder);
        let served = Served::start(&folder, &[file, "--workers", "1", "--grace", "60"]);
        // Idle at first, with a request before the signal.
        let mut kept: Vec<Connection> = (0..4)
            .map(|number| {
                let mut connection = Connection::open(served.address);
                let path = format!("/earlier/{number}");
                assert_eq!(connection.exchange("GET", &path, &[], b"").text(), path);
                connection
            })
            .collect();
        for name in ["go", "begun"] {
            fs::remove_file(folder.task().join(name)).unwrap();
        }
        let mut first = Connection::open(served.address);
        first.send("GET", "/first", &[], b"");
        eventually("the thread is held", || folder.task().join("begun").exists().then_some(()));
        // The system accepts these; the server cannot yet.
        let mut fresh: Vec<Connection> = (0..8)
            .map(|number| {
                let mut connection = Connection::open(served.address);
                connection.send("GET", &format!("/fresh/{number}"), &[], b"");
                connection
            })
            .collect();
        for (number, connection) in kept.iter_mut().enumerate() {
            connection.send("POST", &format!("/kept/{number}"), &[], b"with a body");
        }
        stop(&served);
        release(&folder);
        last(&mut first, 200, "/first");
        for (number, connection) in fresh.iter_mut().enumerate() {
            last(connection, 200, &format!("/fresh/{number}"));
        }
        for (number, connection) in kept.iter_mut().enumerate() {
            last(connection, 200, &format!("/kept/{number}"));
        }
        assert_eq!(served.process.wait(), Some(0), "{file}");
    }
}

#[test]
fn requests_that_follow_each_other_are_all_answered_and_the_last_says_so() {
    for (file, source) in HOLDING {
        let (folder, served, mut first) = held(file, source, &["--grace", "60"]);
        first.write(b"GET /second HTTP/1.1\r\nhost: x\r\n\r\nPOST /third HTTP/1.1\r\nhost: x\r\n");
        first.write(b"content-length: 4\r\n\r\nbodyGET /fourth HTTP/1.1\r\nhost: x\r\n\r\n");
        stop(&served);
        release(&folder);
        for path in ["/first", "/second", "/third"] {
            let reply = first.receive("GET");
            assert_eq!((reply.text(), reply.header("connection")), (path, None), "{file}");
        }
        last(&mut first, 200, "/fourth");
        assert_eq!(served.process.wait(), Some(0), "{file}");
    }
}

#[test]
fn what_is_on_its_way_at_the_signal_is_waited_for() {
    let folder = Folder::new(&[(
        "app.mjs",
        "export const handler = (event) => event.body ? atob(event.body) : event.rawPath;",
    )]);
    let served = Served::start(&folder, &["app.mjs", "--workers", "1", "--grace", "60"]);
    let mut head = Connection::open(served.address);
    head.write(b"GET /half HTTP/1.1\r\nho");
    let mut ready = Connection::open(served.address);
    assert_eq!(ready.exchange("GET", "/.trine/ready", &[], b"").text(), "ready");
    ready.write(b"GET /.trine/ready HTTP/1.1\r\nhost: x\r\n");
    let mut body = Connection::open(served.address);
    body.write(b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nfirst");
    let mut chunks = Connection::open(served.address);
    chunks.write(
        b"POST /chunks HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n",
    );
    // By the time a request that came later has its answer, all of this one has been read.
    assert_eq!(served.get("/x").text(), "/x");
    served.process.signal("TERM");
    until_shut(&served);
    ready.write(b"\r\n");
    last(&mut ready, 503, "draining");
    head.write(b"st: x\r\n\r\n");
    last(&mut head, 200, "/half");
    body.write(b" last");
    last(&mut body, 200, "first last");
    chunks.write(b"4\r\n two\r\n0\r\n\r\n");
    last(&mut chunks, 200, "one two");
    assert_eq!(served.process.wait(), Some(0));
}

#[test]
fn idle_connections_are_closed_and_keep_nobody_waiting() {
    let folder = Folder::new(&[("app.mjs", "export const handler = () => 1;")]);
    let served = Served::start(&folder, &["app.mjs", "--workers", "2", "--grace", "600"]);
    let mut fresh = Connection::open(served.address);
    let mut kept = Connection::open(served.address);
    assert_eq!(kept.exchange("GET", "/", &[], b"").text(), "1");
    served.process.signal("TERM");
    assert!(fresh.is_closed() && kept.is_closed());
    assert_eq!(served.process.wait(), Some(0));
}

#[test]
fn what_has_no_answer_when_the_grace_is_over_is_turned_away() {
    let folder = Folder::new(&[(
        "app.mjs",
        "import { writeFileSync } from 'node:fs';\n\
         export const handler = () => { writeFileSync('begun', ''); return new Promise((done) => setTimeout(done, 6e5)); };",
    )]);
    let served = Served::start(&folder, &["app.mjs", "--workers", "1", "--grace", "0.3"]);
    let mut waiting = Connection::open(served.address);
    waiting.send("GET", "/", &[], b"");
    let mut half = Connection::open(served.address);
    half.write(b"GET / HTTP/1.1\r\nhost: x\r\n");
    let mut body = Connection::open(served.address);
    body.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nfirst");
    eventually("the function waits", || folder.task().join("begun").exists().then_some(()));
    assert_eq!(served.get("/.trine/health").text(), "ok");
    served.process.signal("TERM");
    let reply = waiting.receive("GET");
    assert_eq!((reply.status, reply.header("connection")), (503, Some("close")));
    assert!(reply.text().contains("the server is stopping"), "{reply:?}");
    last(&mut half, 503, "");
    assert_eq!(body.receive("POST").status, 503);
    assert_eq!(served.process.wait(), Some(0));
}

#[test]
fn a_thread_that_never_comes_back_costs_nobody_the_answer() {
    for (file, source) in HOLDING {
        let (_folder, served, mut first) = held(file, source, &["--grace", "0.3"]);
        let mut waiting = Connection::open(served.address);
        waiting.send("GET", "/waiting", &[], b"");
        let mut idle = Connection::open(served.address);
        served.process.signal("TERM");
        last(&mut first, 503, "");
        last(&mut waiting, 503, "");
        assert!(idle.is_closed());
        assert_eq!(served.process.wait(), Some(0), "{file}");
    }
}

#[test]
fn a_second_signal_ends_a_server_at_once_whose_thread_is_held() {
    for (file, source) in HOLDING {
        let (_folder, served, _first) = held(file, source, &["--grace", "600"]);
        served.process.signal("TERM");
        served.process.signal("INT");
        let status = served.process.wait();
        // Whichever of the two is seen first, the other is the second.
        assert!(matches!(status, Some(143 | 130)), "{file}: {status:?}");
    }
}
