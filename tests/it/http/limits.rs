//! What a server grants its clients: time, connections, places in the queue.

use crate::support::{Connection, Folder, LANGUAGES, PROBE_LANGUAGES, Served, eventually};
use serde_json::json;
use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

#[test]
fn a_head_that_does_not_come_to_its_end_is_408() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1", "--header-timeout", "0.3"]);
    for begun in ["G", "GET / HTTP/1.1\r\nho", "GET / HTTP/1.1\r\nhost: x\r\n"] {
        let mut connection = Connection::open(served.address);
        connection.write(begun.as_bytes());
        let reply = connection.receive("GET");
        assert_eq!(reply.status, 408, "{begun:?}");
        assert_eq!(reply.json()["message"], "the request's head has not come in time");
        assert_eq!(reply.header("connection"), Some("close"));
        assert!(connection.is_closed());
    }
    // The second request of a connection has as much time, and the first answer is not lost.
    let mut connection = Connection::open(served.address);
    connection.write(b"GET /?do=count HTTP/1.1\r\nhost: x\r\n\r\nGET / HT");
    assert_eq!(connection.receive("GET").text(), "1");
    assert_eq!(connection.receive("GET").status, 408);
    assert_eq!(served.get("/?do=count").text(), "2");
}

#[test]
fn a_body_of_which_nothing_more_comes_is_408() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let served = Served::start(&folder, &["--workers", "1", "--body-timeout", "0.3"]);
        for begun in [
            "content-length: 10\r\n\r\nhalf",
            "content-length: 10\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        ] {
            let mut connection = Connection::open(served.address);
            connection.write(format!("POST /?do=count HTTP/1.1\r\nhost: x\r\n{begun}").as_bytes());
            let reply = connection.receive("POST");
            assert_eq!(reply.status, 408, "{begun:?}");
            let message = "the request's body is not whole: no byte of it has come for 0.3 s";
            assert_eq!(reply.json()["message"], message);
            assert!(connection.is_closed());
        }
        assert_eq!(served.get("/?do=count").text(), "1");
    }
}

#[test]
fn a_body_that_keeps_coming_may_take_longer() {
    let folder = Folder::probe(LANGUAGES[0]);
    let served = Served::start(&folder, &["--workers", "1", "--body-timeout", "3"]);
    let mut connection = Connection::open(served.address);
    connection.write(
        b"POST /?do=mirror HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 6\r\n\r\n",
    );
    for byte in *b"slowly" {
        thread::sleep(Duration::from_millis(700));
        connection.write(&[byte]);
    }
    assert_eq!(connection.receive("POST").text(), "slowly");
}

#[test]
fn a_connection_without_a_request_is_closed_after_a_while() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1", "--idle-timeout", "0.3"]);
    let mut fresh = Connection::open(served.address);
    let mut kept = Connection::open(served.address);
    assert_eq!(kept.exchange("GET", "/?do=count", &[], b"").text(), "1");
    assert!(fresh.is_closed() && kept.is_closed());
    // What is being answered is not idle.
    assert_eq!(served.get("/?do=wait&ms=900&note=x").text(), "x");
}

#[test]
fn connections_beyond_the_limit_wait_until_others_end() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "1", "--max-connections", "1"]);
    let mut first = Connection::open(served.address);
    assert_eq!(first.exchange("GET", "/?do=count", &[], b"").json(), json!(1));
    let mut others: Vec<Connection> = (0..3).map(|_| Connection::open(served.address)).collect();
    for other in &mut others {
        other.send("GET", "/?do=count", &[], b"");
    }
    for count in 2..50 {
        assert_eq!(first.exchange("GET", "/?do=count", &[], b"").json(), json!(count));
    }
    drop(first);
    for (number, mut other) in others.into_iter().enumerate() {
        assert_eq!(other.receive("GET").json(), json!(50 + number));
    }
}

#[test]
fn connections_that_wait_for_others_are_answered_at_the_end_of_the_server() {
    let folder = Folder::probe(LANGUAGES[4]);
    let arguments = ["--workers", "1", "--max-connections", "1", "--grace", "60"];
    let served = Served::start(&folder, &arguments);
    let mut first = Connection::open(served.address);
    assert_eq!(first.exchange("GET", "/?do=count", &[], b"").status, 200);
    let mut second = Connection::open(served.address);
    second.send("GET", "/?do=count", &[], b"");
    served.process.signal("TERM");
    assert_eq!((second.receive("GET").text(), first.is_closed()), ("2", true));
    assert_eq!(served.process.wait(), Some(0));
}

#[test]
fn hundreds_of_connections_that_ask_nothing_hold_up_nobody() {
    let folder = Folder::probe(LANGUAGES[4]);
    let served = Served::start(&folder, &["--workers", "2"]);
    let idle: Vec<Connection> = (0..400).map(|_| Connection::open(served.address)).collect();
    for count in 0..20 {
        assert_eq!(served.get("/?do=echo").status, 200, "{count}");
    }
    drop(idle);
    assert_eq!(served.get("/?do=echo").status, 200);
}

/// Handlers that create a file for each call and answer when `go` exists.
const WAITING: &[(&str, &str)] = &[
    (
        "app.mjs",
        "import { existsSync, mkdtempSync } from 'node:fs';\n\
         export const handler = async () => {\n  \
         mkdtempSync('begun-');\n  \
         while (!existsSync('go')) await new Promise((done) => setTimeout(done, 5));\n  \
         return 'done';\n};\n",
    ),
    (
        "app.py",
        "import asyncio, os, tempfile\n\
         async def handler(event, context):\n    \
         tempfile.mkdtemp(prefix='begun-', dir='.')\n    \
         while not os.path.exists('go'):\n        \
         await asyncio.sleep(0.005)\n    \
         return 'done'\n",
    ),
    (
        "app.lua",
        "local count = 0\n\
         return { handler = function()\n  \
         count = count + 1\n  \
         io.open('begun-' .. count, 'w'):close()\n  \
         while not io.open('go') do trine.sleep(0.005) end\n  \
         return 'done'\nend }\n",
    ),
];

fn begun(folder: &Folder) -> usize {
    let entries = fs::read_dir(folder.task()).unwrap().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("begun-")).count()
}

/// Sends `places` requests that take all places, and then five more, of which two may wait; all that are admitted are
/// answered once there is a file `go`.
#[track_caller]
fn fill(folder: &Folder, served: &Served, path: &str, places: usize) {
    let open = |count: usize| {
        let send = |_| {
            let mut connection = Connection::open(served.address);
            connection.send("GET", path, &[], b"");
            connection
        };
        (0..count).map(send).collect::<Vec<_>>()
    };
    let mut running = open(places);
    eventually("all places are taken", || (begun(folder) == places).then_some(()));
    let refused = AtomicUsize::new(0);
    let admitted = AtomicUsize::new(0);
    thread::scope(|scope| {
        for mut connection in open(5) {
            let (refused, admitted) = (&refused, &admitted);
            scope.spawn(move || {
                let reply = connection.receive("GET");
                if reply.status == 503 {
                    assert_eq!(reply.header("retry-after"), Some("1"));
                    assert!(reply.text().contains("is busy"), "{reply:?}");
                    refused.fetch_add(1, Ordering::SeqCst);
                } else {
                    assert_eq!((reply.status, reply.text()), (200, "done"));
                    admitted.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        eventually("three are refused", || (refused.load(Ordering::SeqCst) == 3).then_some(()));
        assert_eq!((begun(folder), admitted.load(Ordering::SeqCst)), (places, 0));
        fs::write(folder.task().join("go"), "").unwrap();
    });
    assert_eq!((refused.into_inner(), admitted.into_inner()), (3, 2));
    for connection in &mut running {
        assert_eq!(connection.receive("GET").text(), "done");
    }
    assert_eq!(served.get(path).status, 200);
}

#[test]
fn what_waits_for_a_place_is_limited_in_every_language() {
    for (file, source) in WAITING {
        let folder = Folder::new(&[(file, source)]);
        let arguments = [file, "--workers", "1", "--concurrency", "3", "--queue", "2"];
        let served = Served::start(&folder, &arguments);
        fill(&folder, &served, "/", 3);
    }
}

#[test]
fn what_waits_for_another_thread_is_limited_too() {
    // Two languages: requests for Python are accepted on other threads.
    let folder = Folder::new(&[("py.py", WAITING[1].1), ("other.lua", "return function() end")]);
    let arguments = [".", "--workers", "2", "--concurrency", "3", "--queue", "2"];
    let served = Served::start(&folder, &arguments);
    fill(&folder, &served, "/py", 3);
    let folder = Folder::new(&[(
        "app.py",
        "import os, tempfile, time\n\
         def handler(event, context):\n    \
         tempfile.mkdtemp(prefix='begun-', dir='.')\n    \
         while not os.path.exists('go'):\n        \
         time.sleep(0.005)\n    \
         return 'done'\n",
    )]);
    let served = Served::start(&folder, &["app.py", "--threads", "3", "--queue", "2"]);
    // Loaded, so that it is known where it runs.
    fs::write(folder.task().join("go"), "").unwrap();
    assert_eq!(served.get("/").text(), "done");
    for name in fs::read_dir(folder.task()).unwrap().flatten() {
        let name = name.file_name().into_string().unwrap();
        match name.as_str() {
            "go" => fs::remove_file(folder.task().join(name)).unwrap(),
            _ if name.starts_with("begun-") => fs::remove_dir(folder.task().join(name)).unwrap(),
            _ => {}
        }
    }
    fill(&folder, &served, "/", 3);
}

#[test]
fn callers_of_the_invoke_api_are_told_in_its_own_words() {
    let folder = Folder::new(&[WAITING[0]]);
    let arguments = ["app.mjs", "--workers", "1", "--concurrency", "1", "--queue", "0"];
    let served = Served::start(&folder, &arguments);
    let path = "/2015-03-31/functions/app/invocations";
    let mut first = Connection::open(served.address);
    first.send("POST", path, &[], b"{}");
    eventually("the place is taken", || (begun(&folder) == 1).then_some(()));
    for kind in ["RequestResponse", "Event"] {
        let reply = served.request("POST", path, &[("x-amz-invocation-type", kind)], b"{}");
        assert_eq!((reply.status, reply.header("retry-after")), (429, Some("1")));
        assert_eq!(reply.header("x-amzn-errortype"), Some("TooManyRequestsException"));
    }
    fs::write(folder.task().join("go"), "").unwrap();
    assert_eq!(first.receive("POST").text(), "\"done\"");
}
