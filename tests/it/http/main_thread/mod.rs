//! Python next to several workers: what holds on Lambda, where everything of a function is imported and called on one
//! thread, holds here.

mod draining;
mod handed_over;

use crate::support::{Connection, Folder, Reply, Served, eventually};
use serde_json::{Value, json};
use std::{fs, thread};

/// Starts a server of these files with two workers.
fn served(folder: &Folder, arguments: &[&str]) -> Served {
    Served::start(folder, &[&["--workers", "2"], arguments].concat())
}

/// Sends `count` simultaneous requests, each on a connection of its own and numbered by `?n=`; returns the answers.
#[track_caller]
fn at_once(served: &Served, path: &str, count: usize) -> Vec<Reply> {
    let mut connections: Vec<_> = (0..count).map(|_| Connection::open(served.address)).collect();
    for (number, connection) in connections.iter_mut().enumerate() {
        connection.send("GET", &format!("{path}?n={number}"), &[], b"");
    }
    connections.iter_mut().map(|connection| connection.receive("GET")).collect()
}

/// Sends sixteen requests at a time to the function `app.py` alone, and again next to a function in another language,
/// where other threads accept: each answer is what `expected` says for its number.
#[track_caller]
fn each_answers(source: &str, expected: impl Fn(usize) -> Value) {
    let alone = Folder::new(&[("app.py", source)]);
    let beside =
        Folder::new(&[("app.py", source), ("other.mjs", "export const handler = () => 'other';")]);
    for (folder, argument) in [(&alone, "app.py"), (&beside, ".")] {
        let served = served(folder, &[argument]);
        for (number, reply) in at_once(&served, "/app", 16).into_iter().enumerate() {
            assert_eq!(reply.status, 200, "{argument} {number}: {reply:?}\n{:?}", served.process);
            assert_eq!(reply.json(), expected(number), "{argument} {number}");
        }
    }
}

#[test]
fn everything_is_imported_and_called_on_the_main_thread() {
    let source = "
import threading
imported = threading.current_thread()
def handler(event, context):
    here = threading.current_thread()
    return [here is imported, here is threading.main_thread(), here.name]
";
    each_answers(source, |_| json!([true, true, "MainThread"]));
}

#[test]
fn there_is_an_event_loop_for_whoever_asks() {
    let source = "
import asyncio
imported = asyncio.get_event_loop()
async def work(n):
    await asyncio.sleep(0.001)
    return n
def handler(event, context):
    loop = asyncio.get_event_loop()
    n = loop.run_until_complete(work(int(event['queryStringParameters']['n'])))
    return [n, loop is imported]
";
    each_answers(source, |number| json!([number, true]));
}

#[test]
fn the_loop_of_coroutines_is_the_one_that_was_there_at_the_import() {
    let source = "
import asyncio
loop = asyncio.get_event_loop()
started = loop.create_task(asyncio.sleep(0, 'started'))
async def handler(event, context):
    return [asyncio.get_running_loop() is loop, await started]
";
    each_answers(source, |_| json!([true, "started"]));
}

#[test]
fn locks_semaphores_and_queues_of_the_import_hold_between_coroutines() {
    let source = "
import asyncio
semaphore, lock, queue = asyncio.Semaphore(2), asyncio.Lock(), asyncio.Queue()
condition, inside, most = asyncio.Condition(), 0, 0
async def handler(event, context):
    global inside, most
    n = int(event['queryStringParameters']['n'])
    async with semaphore:
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.005)
        inside -= 1
    async with lock:
        await queue.put(n)
        await asyncio.sleep(0.001)
        same = await queue.get()
    async with condition:
        condition.notify_all()
    return [same, most <= 2]
";
    each_answers(source, |number| json!([number, true]));
}

#[test]
fn a_loop_of_the_functions_own_is_run_by_one_call_at_a_time() {
    let source = "
import asyncio
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
async def work(n):
    await asyncio.sleep(0.002)
    return n
def handler(event, context):
    n = loop.run_until_complete(work(int(event['queryStringParameters']['n'])))
    return [n, asyncio.get_event_loop() is loop]
";
    each_answers(source, |number| json!([number, true]));
}

#[test]
fn a_loop_may_be_made_for_every_call() {
    let source = "
import asyncio
async def work(n):
    await asyncio.sleep(0.002)
    return n
def handler(event, context):
    n = int(event['queryStringParameters']['n'])
    return [asyncio.run(work(n)), asyncio.run(work(n))]
";
    each_answers(source, |number| json!([number, number]));
}

#[test]
fn whoever_closes_the_loop_leaves_one_for_the_next() {
    let source = "
import asyncio
def handler(event, context):
    loop = asyncio.get_event_loop()
    n = loop.run_until_complete(asyncio.sleep(0.001, event['queryStringParameters']['n']))
    loop.close()
    return int(n)
";
    each_answers(source, |number| json!(number));
}

#[test]
fn a_database_connection_of_the_import_serves_every_call() {
    let source = "
import sqlite3
db = sqlite3.connect(':memory:')
db.execute('create table seen (n integer)')
def handler(event, context):
    n = int(event['queryStringParameters']['n'])
    db.execute('insert into seen values (?)', (n,))
    return db.execute('select n from seen where n = ?', (n,)).fetchone()
";
    each_answers(source, |number| json!([number]));
}

#[test]
fn def_handlers_run_one_at_a_time() {
    let source = "
import time
caller = None
def handler(event, context):
    global caller
    caller = event['queryStringParameters']['n']
    time.sleep(0.01)
    return int(caller)
";
    each_answers(source, |number| json!(number));
}

#[test]
fn what_belongs_to_a_thread_or_a_context_is_there_for_every_call() {
    let source = "
import contextvars, decimal, threading
local = threading.local()
local.value = 'imported'
variable = contextvars.ContextVar('variable', default='unset')
variable.set('imported')
decimal.getcontext().prec = 5
def handler(event, context):
    third = decimal.Decimal(1) / 3
    return [local.value, variable.get(), str(third)]
";
    each_answers(source, |_| json!(["imported", "imported", "0.33333"]));
}

#[test]
fn a_coroutines_context_is_its_own() {
    let source = "
import asyncio, contextvars
variable = contextvars.ContextVar('variable')
async def handler(event, context):
    n = int(event['queryStringParameters']['n'])
    variable.set(n)
    await asyncio.sleep(0.002)
    return variable.get()
";
    each_answers(source, |number| json!(number));
}

#[test]
fn coroutines_wait_side_by_side() {
    let source = "
import asyncio
arrived, all_there = 0, asyncio.Event()
async def handler(event, context):
    global arrived
    arrived += 1
    if arrived == 16:
        all_there.set()
    await asyncio.wait_for(all_there.wait(), 60)
    return arrived
";
    each_answers(source, |_| json!(16));
}

#[test]
fn signal_handlers_can_be_installed_and_timers_interrupt() {
    let source = "
import signal, time
class Late(Exception):
    pass
def late(number, frame):
    raise Late()
def handler(event, context):
    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    try:
        time.sleep(60)
    except Late:
        return ['late']
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
";
    each_answers(source, |_| json!(["late"]));
}

#[test]
fn a_signal_wakes_a_coroutine_that_waits_for_something_else() {
    let source = "
import asyncio, signal
loop, heard = asyncio.get_event_loop(), []
async def handler(event, context):
    rung = asyncio.Event()
    signal.signal(signal.SIGALRM, lambda number, frame: rung.set())
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    await asyncio.wait_for(rung.wait(), 60)
    return 'rung'
";
    let folder = Folder::new(&[("app.py", source)]);
    let served = served(&folder, &["app.py"]);
    for _ in 0..3 {
        assert_eq!(served.get("/").text(), "rung", "{:?}", served.process);
    }
}

#[test]
fn two_functions_of_a_folder_each_have_their_own_current_loop() {
    let own = "
import asyncio
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
def handler(event, context):
    if asyncio.get_event_loop() is not loop:
        return 'another loop'
    return loop.run_until_complete(asyncio.sleep(0.001, 'own'))
";
    let run = "
import asyncio
def handler(event, context):
    return asyncio.run(asyncio.sleep(0.001, 'run'))
";
    let given = "
import asyncio
def handler(event, context):
    return asyncio.get_event_loop().run_until_complete(asyncio.sleep(0.001, 'given'))
";
    let coroutine = "
import asyncio
lock = asyncio.Lock()
async def handler(event, context):
    async with lock:
        return await asyncio.sleep(0.001, 'coroutine')
";
    let names = ["own", "run", "given", "coroutine"];
    let folder = Folder::new(&[
        ("own/handler.py", own),
        ("run/handler.py", run),
        ("given/handler.py", given),
        ("coroutine/handler.py", coroutine),
    ]);
    let served = served(&folder, &[]);
    thread::scope(|scope| {
        for number in 0..4 {
            let served = &served;
            scope.spawn(move || {
                for turn in 0..8 {
                    let name = names[(number + turn) % names.len()];
                    let reply = served.get(&format!("/{name}"));
                    assert_eq!((reply.status, reply.text()), (200, name), "{reply:?}");
                }
            });
        }
    });
}

#[test]
fn a_def_handler_that_blocks_holds_up_no_other_language() {
    let source = "
import os, time
def handler(event, context):
    open('began', 'w').close()
    while not os.path.exists('go'):
        time.sleep(0.005)
    return 'went'
";
    let folder = Folder::new(&[
        ("app.py", source),
        ("js.mjs", "export const handler = () => 'js';"),
        ("lua.lua", "return { handler = function() return 'lua' end }"),
    ]);
    let served = served(&folder, &[]);
    let mut blocked = Connection::open(served.address);
    blocked.send("GET", "/app", &[], b"");
    eventually("the handler runs", || folder.task().join("began").exists().then_some(()));
    for _ in 0..8 {
        assert_eq!(served.get("/js").text(), "js");
        assert_eq!(served.get("/lua").text(), "lua");
    }
    fs::write(folder.task().join("go"), "").unwrap();
    assert_eq!(blocked.receive("GET").text(), "went");
}

#[test]
fn middlewares_of_python_go_around_other_languages_and_the_other_way_round() {
    let python = "
import asyncio, threading
lock = asyncio.Lock()
async def before(event, context):
    async with lock:
        await asyncio.sleep(0.001)
    context.state['main'] = threading.current_thread() is threading.main_thread()
def after(response, context):
    return {**response, 'after': 'py'}
";
    let javascript = "
export const before = (event, context) => { context.state.js = event.queryStringParameters.n };
export const after = (response, context) => ({ ...response, js: context.state.js });
";
    let folder = Folder::new(&[
        ("middlewares/py.py", python),
        ("middlewares/js.mjs", javascript),
        ("one.mjs", "export const handler = (e, context) => ({ main: context.state.main });"),
        (
            "two.lua",
            "return { handler = function(e, context) return { main = context.state.main } end }",
        ),
        (
            "three.py",
            "async def handler(event, context):\n    return {'main': context.state['main']}\n",
        ),
    ]);
    for names in ["py,js", "js,py"] {
        let served = served(&folder, &["--middlewares", names]);
        for path in ["/one", "/two", "/three"] {
            for (number, reply) in at_once(&served, path, 8).into_iter().enumerate() {
                let expected = json!({"main": true, "after": "py", "js": number.to_string()});
                assert_eq!((reply.status, reply.json()), (200, expected), "{names} {path}");
            }
        }
    }
}

/// The part of a handler that returns a request's number.
const NUMBER: &str = "def number(event):\n    return int(event['queryStringParameters']['n'])\n";

/// Makes a function in Python next to one in JavaScript, so that its invocations are handed over.
fn handed_over(source: &str) -> Folder {
    let source = format!("{NUMBER}{source}");
    Folder::new(&[("app.py", &source), ("js.mjs", "export const handler = () => 'js';")])
}

#[test]
fn a_server_of_python_alone_has_one_worker_and_says_so() {
    let folder = Folder::new(&[("app.py", "def handler(event, context):\n    pass\n")]);
    let alone = served(&folder, &["app.py"]);
    assert_eq!(alone.get("/").status, 200);
    let workers = |served: &Served| {
        let names = served.process.threads();
        names.iter().filter(|name| name.starts_with("trine-worker")).count()
    };
    assert_eq!(workers(&alone), 0, "{:?}", alone.process.threads());
    assert!(alone.process.stdout().contains("with 1 worker\n"), "{:?}", alone.process);
    assert!(alone.process.stdout().contains("Python runs on one thread"), "{:?}", alone.process);
    folder.write("js.mjs", "export const handler = () => 'js';");
    let mixed = served(&folder, &[]);
    assert_eq!((mixed.get("/app").status, mixed.get("/js").text()), (200, "js"));
    assert_eq!(workers(&mixed), 2, "{:?}", mixed.process.threads());
    let line = "with 2 workers and one thread for Python\n";
    assert!(mixed.process.stdout().contains(line), "{:?}", mixed.process);
}
