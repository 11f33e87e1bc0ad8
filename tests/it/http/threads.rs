//! `trine serve --threads`: `def` handlers in Python side by side, as on the threads of a WSGI server.

use crate::support::{Connection, Folder, Reply, Served, eventually, run, trine};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs};

/// A JavaScript function; next to it, other threads accept.
const OTHER: (&str, &str) = ("other.mjs", "export const handler = () => 'other';");

/// Sends simultaneous requests, each on a connection of its own; `?n=` numbers them.
fn send(served: &Served, path: &str, count: usize) -> Vec<Connection> {
    let mut connections: Vec<_> = (0..count).map(|_| Connection::open(served.address)).collect();
    for (number, connection) in connections.iter_mut().enumerate() {
        connection.send("GET", &format!("{path}?n={number}"), &[], b"");
    }
    connections
}

#[track_caller]
fn answers(connections: &mut [Connection]) -> Vec<Reply> {
    connections.iter_mut().map(|connection| connection.receive("GET")).collect()
}

/// Checks the function alone, and next to one in another language.
fn alone_and_beside(source: &str, check: impl Fn(&Folder, &Served)) {
    for others in [&[][..], &[OTHER]] {
        let folder = Folder::new(&[&[("app.py", source)], others].concat());
        let argument = if others.is_empty() { "app.py" } else { "." };
        let served = Served::start(&folder, &[argument, "--workers", "2", "--threads", "4"]);
        check(&folder, &served);
    }
}

/// A handler that waits until four calls of it are running.
const MEET: &str = "
import threading
imported = threading.current_thread() is threading.main_thread()
meeting = threading.Barrier(4)
def handler(event, context):
    meeting.wait(60)
    here = threading.current_thread()
    return [imported, here is threading.main_thread(), here.ident]
";

#[test]
fn def_handlers_run_side_by_side_in_threads_that_share_modules() {
    alone_and_beside(MEET, |_, served| {
        for _ in 0..3 {
            let replies = answers(&mut send(served, "/app", 4));
            let mut threads = BTreeSet::new();
            for reply in replies {
                assert_eq!(reply.status, 200, "{reply:?}\n{:?}", served.process);
                let told = reply.json();
                assert_eq!((&told[0], &told[1]), (&json!(true), &json!(false)), "{told}");
                threads.insert(told[2].as_u64().unwrap());
            }
            assert_eq!(threads.len(), 4);
        }
    });
}

#[test]
fn contexts_and_logs_of_threads_are_kept_apart() {
    let source = "
import contextvars, logging, threading, time
logging.getLogger().setLevel('INFO')
meeting = threading.Barrier(4)
mine = contextvars.ContextVar('mine')
local = threading.local()
def handler(event, context):
    n = int(event['queryStringParameters']['n'])
    mine.set(n)
    local.n = n
    meeting.wait(60)
    logging.info('number %d', n)
    meeting.wait(60)
    return [mine.get(), local.n, context.aws_request_id, event['requestContext']['requestId']]
";
    alone_and_beside(source, |_, served| {
        for (number, reply) in answers(&mut send(served, "/app", 4)).into_iter().enumerate() {
            let told = reply.json();
            assert_eq!((&told[0], &told[1]), (&json!(number), &json!(number)), "{told}");
            let id = reply.header("x-amzn-requestid").unwrap();
            assert_eq!((&told[2], &told[3]), (&json!(id), &json!(id)));
            let line = format!("\t{id}\tnumber {number}\n");
            eventually("the line is logged with its request's id", || {
                served.process.stdout().contains(&line).then_some(())
            });
        }
    });
}

#[test]
fn async_handlers_stay_on_the_main_thread_with_their_one_loop() {
    let source = "
import asyncio, threading
loop, lock = asyncio.get_event_loop(), asyncio.Lock()
async def handler(event, context):
    async with lock:
        await asyncio.sleep(0.001)
    main = threading.current_thread() is threading.main_thread()
    return [main, asyncio.get_running_loop() is loop]
";
    alone_and_beside(source, |_, served| {
        for reply in answers(&mut send(served, "/app", 8)) {
            assert_eq!((reply.status, reply.json()), (200, json!([true, true])), "{reply:?}");
        }
    });
}

#[test]
fn a_def_that_blocks_holds_up_neither_async_handlers_nor_others_of_its_kind() {
    let blocks = "
import os, time
def handler(event, context):
    if event['queryStringParameters']['n'] != '0':
        return 'quick'
    open('began', 'w').close()
    while not os.path.exists('go'):
        time.sleep(0.005)
    return 'went'
";
    let folder = Folder::new(&[
        ("blocks.py", blocks),
        ("waits.py", "async def handler(event, context):\n    return 'waited'\n"),
    ]);
    let served = Served::start(&folder, &["--threads", "2"]);
    let mut blocked = Connection::open(served.address);
    blocked.send("GET", "/blocks?n=0", &[], b"");
    eventually("the handler runs", || folder.task().join("began").exists().then_some(()));
    for _ in 0..4 {
        assert_eq!(served.get("/waits").text(), "waited");
        assert_eq!(served.get("/blocks?n=1").text(), "quick");
    }
    fs::write(folder.task().join("go"), "").unwrap();
    assert_eq!(blocked.receive("GET").text(), "went");
}

#[test]
fn a_time_limit_stops_one_thread_and_the_modules_of_all_are_new_afterwards() {
    let source = "
import threading, time
imported = threading.current_thread() is threading.main_thread()
count = 0
def handler(event, context):
    global count
    count += 1
    if 'do' in event['queryStringParameters']:
        try:
            time.sleep(600)
        except BaseException:
            pass
        while True: pass
    return [imported, count]
";
    let folder = Folder::new(&[("app.py", source)]);
    let served = Served::start(&folder, &["app.py", "--threads", "3", "--timeout", "1"]);
    for number in 1..=4 {
        assert_eq!(served.get("/app?n=0").json(), json!([true, number]), "one module for all");
    }
    let reply = served.get("/app?do=spin");
    assert_eq!((reply.status, &reply.json()["errorType"]), (504, &json!("Function.Timeout")));
    for number in 1..=8 {
        let reply = served.get("/app?n=0");
        assert_eq!((reply.status, reply.json()), (200, json!([true, number])), "{reply:?}");
    }
}

#[test]
fn modules_of_an_instance_that_has_done_its_share_are_imported_anew_on_the_main_thread() {
    let source = "
import threading
imported = threading.current_thread() is threading.main_thread()
count = 0
def handler(event, context):
    global count
    count += 1
    return [imported, count]
";
    let folder = Folder::new(&[("app.py", source)]);
    let served = Served::start(&folder, &["app.py", "--threads", "2", "--max-invocations", "3"]);
    let told: Vec<Value> = (0..24).map(|_| served.get("/").json()).collect();
    assert!(told.iter().all(|told| told[0] == true), "{told:?}");
    // Two threads with three invocations each, of which either may come first.
    let counts: Vec<u64> = told.iter().map(|told| told[1].as_u64().unwrap()).collect();
    assert!(counts.iter().all(|count| (1..=5).contains(count)), "{counts:?}");
    assert!(counts.windows(2).all(|pair| pair[1] == 1 || pair[1] == pair[0] + 1), "{counts:?}");
}

#[test]
fn an_exit_in_a_thread_fails_its_request_alone() {
    let source = "
import sys, threading
meeting = threading.Barrier(4)
def handler(event, context):
    meeting.wait(60)
    if event['queryStringParameters']['n'] == '2':
        sys.exit(3)
    return 'fine'
";
    alone_and_beside(source, |_, served| {
        for (number, reply) in answers(&mut send(served, "/app", 4)).into_iter().enumerate() {
            match number {
                2 => assert_eq!(reply.json()["errorType"], "Runtime.ExitError"),
                _ => assert_eq!((reply.status, reply.text()), (200, "fine"), "{reply:?}"),
            }
        }
        for reply in answers(&mut send(served, "/app", 4)).iter().skip(3) {
            assert_eq!((reply.status, reply.text()), (200, "fine"), "{reply:?}");
        }
    });
}

#[test]
fn middlewares_of_python_run_in_the_thread_of_their_handler() {
    let check = "
import threading
ready = 0
def init(context):
    global ready
    ready += 1
def before(event, context):
    context.state['thread'] = threading.get_ident()
    context.state['ready'] = ready
";
    let source = "
import threading
def handler(event, context):
    here = threading.get_ident()
    main = threading.main_thread().ident
    return [context.state['thread'] == here, here == main, context.state['ready']]
";
    let folder = Folder::new(&[("app.py", source), ("middlewares/check.py", check), OTHER]);
    let served =
        Served::start(&folder, &["--threads", "3", "--workers", "2", "--middlewares", "check"]);
    for reply in answers(&mut send(&served, "/app", 8)) {
        assert_eq!((reply.status, reply.json()), (200, json!([true, false, 1])), "{reply:?}");
    }
    // The function of another language runs with its middleware on the main thread.
    assert_eq!(served.get("/other").text(), "other");
}

#[test]
fn a_function_may_have_threads_of_its_own() {
    let folder = Folder::new(&[
        ("many/handler.py", MEET),
        (
            "one/handler.py",
            "import threading\ndef handler(event, context):\n    \
             return [threading.current_thread() is threading.main_thread()]\n",
        ),
        ("trine.toml", "[[function]]\nname = \"many\"\nthreads = 4\n"),
    ]);
    let served = Served::start(&folder, &[]);
    for reply in answers(&mut send(&served, "/many", 4)) {
        assert_eq!(reply.json()[1], false, "{reply:?}");
    }
    assert_eq!(served.get("/one").json(), json!([true]));
    // The other way round: all have threads, this one has none.
    folder.write("trine.toml", "[[function]]\nname = \"one\"\nthreads = 1\n");
    let served = Served::start(&folder, &["--threads", "4"]);
    for reply in answers(&mut send(&served, "/many", 4)) {
        assert_eq!(reply.json()[1], false, "{reply:?}");
    }
    assert_eq!(served.get("/one").json(), json!([true]));
}

#[test]
fn a_function_that_only_a_route_names_may_have_threads_of_its_own() {
    for name in ["parts/meet.py:handler", "parts/meet.handler"] {
        let routes = format!(
            "[[function]]\nname = \"{name}\"\nthreads = 4\n\n\
             [[route]]\npath = \"/meet\"\nhandler = \"parts/meet.py:handler\"\n"
        );
        let folder = Folder::new(&[("parts/meet.py", MEET), ("trine.toml", &routes)]);
        let served = Served::start(&folder, &[]);
        for reply in answers(&mut send(&served, "/meet", 4)) {
            assert_eq!(reply.json()[1], false, "{reply:?}");
        }
    }
}

#[test]
fn faults_in_settings_of_threads_are_told_with_their_line() {
    for (text, line, message) in [
        ("[[function]]\nname = \"ap\"\nthreads = 4\n", 2, "did you mean 'app'?"),
        ("[[function]]\nname = \"app\"\nthreads = 0\n", 3, "use a whole number from 1 to 1024"),
        ("[[function]]\nname = \"other\"\nthreads = 2\n", 3, "runs in every worker"),
        ("[[function]]\nname = \"app\"\nthread = 2\n", 3, "thread"),
    ] {
        let folder = Folder::new(&[
            ("app.py", "def handler(event, context):\n    pass\n"),
            OTHER,
            ("trine.toml", text),
        ]);
        let finished = run(trine(&folder, &["serve", "--port", "0"]));
        assert_eq!(finished.code, Some(1), "{finished:?}");
        let place = format!("trine.toml:{line}: ");
        assert!(finished.stderr.contains(&place), "{place} {finished:?}");
        assert!(finished.stderr.contains(message), "{message} {finished:?}");
    }
    let folder = Folder::new(&[("app.py", "def handler(event, context):\n    pass\n")]);
    let line = ["serve", "app.py", "--port", "0", "--threads", "2", "--isolation", "fresh"];
    let finished = run(trine(&folder, &line));
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(finished.stderr.contains("threads share modules"), "{finished:?}");
}

#[test]
fn sigterm_drains_threads_and_exit_functions_run_on_the_main_thread() {
    let source = "
import atexit, os, threading, time
def ended():
    main = threading.current_thread() is threading.main_thread()
    print('ended on the main thread:', main, flush=True)
atexit.register(ended)
there = []
def handler(event, context):
    there.append(1)
    if len(there) == 4:
        open('all', 'w').close()
    while not os.path.exists('go'):
        time.sleep(0.005)
    return int(event['queryStringParameters']['n'])
";
    alone_and_beside(source, |folder, served| {
        let mut connections = send(served, "/app", 4);
        eventually("all handlers run", || folder.task().join("all").exists().then_some(()));
        served.process.signal("TERM");
        eventually("nobody listens any more", || {
            std::net::TcpStream::connect(served.address).is_err().then_some(())
        });
        fs::write(folder.task().join("go"), "").unwrap();
        for (number, reply) in answers(&mut connections).into_iter().enumerate() {
            assert_eq!((reply.status, reply.json()), (200, Value::from(number)), "{reply:?}");
        }
        assert_eq!(served.process.wait(), Some(0));
        eventually("the function's end is logged", || {
            served.process.stdout().contains("ended on the main thread: True").then_some(())
        });
    });
}

#[test]
fn servers_share_a_port_where_each_of_them_asks_for_it() {
    let source = "import os\ndef handler(event, context):\n    return os.getpid()\n";
    let folder = Folder::new(&[("app.py", source)]);
    let first = Served::start(&folder, &["app.py", "--share-port"]);
    let port = first.address.port().to_string();
    let second = Served::of(trine(&folder, &["serve", "app.py", "--port", &port, "--share-port"]));
    let mut seen = BTreeSet::new();
    eventually("both servers have answered", || {
        seen.insert(first.get("/").json().as_u64().unwrap());
        (seen.len() == 2).then_some(())
    });
    assert_eq!(seen, BTreeSet::from([first.process.id.into(), second.process.id.into()]));
    let alone = run(trine(&folder, &["serve", "app.py", "--port", &port]));
    assert_eq!(alone.code, Some(1));
    assert!(alone.stderr.contains("--share-port"), "{alone:?}");
    // When one ends it leaves the port to the other.
    first.process.signal("TERM");
    assert_eq!(first.process.wait(), Some(0));
    for _ in 0..8 {
        assert_eq!(second.get("/").json(), json!(second.process.id));
    }
}

#[test]
fn a_request_on_a_thread_begins_with_the_context_of_the_import() {
    let source = "
import contextvars
who = contextvars.ContextVar('who', default='nobody')
who.set('of the import')
def handler(event, context):
    before = who.get()
    who.set(event['queryStringParameters']['n'])
    return [before, who.get()]
";
    let check = |served: &Served, paths: &[&str]| {
        for number in 0..6 {
            for path in paths {
                let told = served.get(&format!("{path}?n={number}")).json();
                assert_eq!(told, json!(["of the import", number.to_string()]));
            }
        }
    };
    let folder = Folder::new(&[("a/app.py", source), ("b/app.py", source)]);
    check(&Served::start(&folder, &["--threads", "2"]), &["/a", "/b"]);
    alone_and_beside(source, |_, served| check(served, &["/app"]));
}
