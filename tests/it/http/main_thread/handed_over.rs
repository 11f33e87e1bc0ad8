//! Invocations that one worker accepts and the main thread runs: time, exits, replacement, clients that go away.

use super::{at_once, handed_over, served};
use crate::support::{Connection, Folder, eventually};
use serde_json::json;
use std::fs;

#[test]
fn the_deadline_of_what_was_handed_over_counts_from_its_begin() {
    let folder = handed_over(
        "
import time
def handler(event, context):
    left = context.get_remaining_time_in_millis()
    time.sleep(0.4)
    return 400 < left <= 2000
",
    );
    let served = served(&folder, &["--timeout", "2"]);
    // Together they take longer than one of them may.
    for reply in at_once(&served, "/app", 8) {
        assert_eq!((reply.status, reply.json()), (200, json!(true)), "{:?}", served.process);
    }
}

#[test]
fn what_runs_or_waits_too_long_is_stopped_wherever_it_was_accepted() {
    let folder = handed_over(
        "
import asyncio, sys, time
count = 0
def handler(event, context):
    global count
    count += 1
    match event['queryStringParameters']['do']:
        case 'spin':
            while True: pass
        case 'sleep':
            time.sleep(600)
        case 'wait':
            return asyncio.sleep(600)
        case 'exit':
            sys.exit(3)
    return count
",
    );
    let served = served(&folder, &["--timeout", "1"]);
    for what in ["spin", "sleep", "wait"] {
        let reply = served.get(&format!("/app?do={what}"));
        assert_eq!(reply.status, 504, "{what}: {reply:?}");
        assert_eq!(reply.json()["errorType"], "Function.Timeout", "{what}");
        assert_eq!(served.get("/js").text(), "js");
        assert_eq!(served.get("/app?do=count").status, 200, "{what}");
    }
    let reply = served.get("/app?do=exit");
    assert_eq!((reply.status, &reply.json()["errorType"]), (500, &json!("Runtime.ExitError")));
    assert_eq!(served.get("/app?do=count").text(), "1");
}

#[test]
fn what_exits_takes_nothing_with_it_that_waits() {
    let folder = Folder::new(&[
        (
            "waits.py",
            "
import asyncio, os
async def handler(event, context):
    open('waits', 'w').close()
    while not os.path.exists('go'):
        await asyncio.sleep(0.005)
    return 'went'
",
        ),
        ("exits.py", "import sys\ndef handler(event, context):\n    sys.exit(3)\n"),
    ]);
    let served = served(&folder, &[]);
    let mut waiting = Connection::open(served.address);
    waiting.send("GET", "/waits", &[], b"");
    eventually("the handler runs", || folder.task().join("waits").exists().then_some(()));
    assert_eq!(served.get("/exits").json()["errorType"], "Runtime.ExitError");
    fs::write(folder.task().join("go"), "").unwrap();
    let reply = waiting.receive("GET");
    assert_eq!((reply.status, reply.text()), (200, "went"), "{:?}", served.process);
}

#[test]
fn native_code_that_nothing_stops_is_answered_for_and_ends_the_process() {
    let folder = handed_over(
        "
import itertools
def handler(event, context):
    n = number(event)
    if n == 0:
        open('began', 'w').close()
        return sum(itertools.repeat(1))
    return n
",
    );
    let served = served(&folder, &["--timeout", "1"]);
    let mut stuck = Connection::open(served.address);
    stuck.send("GET", "/app?n=0", &[], b"");
    eventually("the handler runs", || folder.task().join("began").exists().then_some(()));
    let mut behind = Connection::open(served.address);
    behind.send("GET", "/app?n=1", &[], b"");
    assert_eq!(served.get("/js").text(), "js");
    let reply = stuck.receive("GET");
    assert_eq!((reply.status, &reply.json()["errorType"]), (504, &json!("Function.Timeout")));
    let reply = behind.receive("GET");
    assert_eq!(reply.status, 500, "{reply:?}");
    assert!(reply.text().contains("the main thread is lost"), "{reply:?}");
    assert_eq!(served.process.wait(), Some(124));
}

#[test]
fn instances_of_what_is_handed_over_are_replaced() {
    let folder = handed_over(
        "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n",
    );
    for (arguments, expected) in
        [(["--isolation", "fresh"], [1, 1, 1, 1, 1]), (["--max-invocations", "2"], [1, 2, 1, 2, 1])]
    {
        let served = served(&folder, &arguments);
        let counts = (0..5).map(|_| served.get("/app").json());
        assert_eq!(counts.collect::<Vec<_>>(), expected, "{arguments:?}");
    }
}

#[test]
fn a_client_that_hangs_up_before_its_turn_is_not_served() {
    let folder = handed_over(
        "
import os, time
served = []
def handler(event, context):
    served.append(number(event))
    if number(event) == 0:
        open('began', 'w').close()
        while not os.path.exists('go'):
            time.sleep(0.005)
    return served
",
    );
    let served = served(&folder, &[]);
    let mut first = Connection::open(served.address);
    first.send("GET", "/app?n=0", &[], b"");
    eventually("the handler runs", || folder.task().join("began").exists().then_some(()));
    let mut gone = Connection::open(served.address);
    gone.send("GET", "/app?n=1", &[], b"");
    drop(gone);
    // Accepted after that one; the server has noticed its end once both workers have answered again.
    for _ in 0..16 {
        assert_eq!(served.get("/js").text(), "js");
    }
    fs::write(folder.task().join("go"), "").unwrap();
    assert_eq!(first.receive("GET").json(), json!([0]));
    assert_eq!(served.get("/app?n=2").json(), json!([0, 2]));
}

#[test]
fn functions_are_loaded_at_once_where_asked() {
    let folder =
        handed_over("open('loaded', 'w').close()\ndef handler(event, context):\n    pass\n");
    let _served = served(&folder, &["--eager"]);
    eventually("the function is loaded", || folder.task().join("loaded").exists().then_some(()));
}
