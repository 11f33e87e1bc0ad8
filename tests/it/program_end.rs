//! The end of a Python program as a guest sees it: threads that are waited for, exit functions, child processes.

use crate::support::{Folder, Lambda, Served, eventually, run, trine};
use serde_json::json;
use std::fs;

/// Whether a process exists and has not ended.
fn lives(id: &serde_json::Value) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", id.as_u64().unwrap()));
    // The state comes after the name, which is in parentheses.
    stat.is_ok_and(|stat| !stat.rsplit(") ").next().unwrap().starts_with(['Z', 'X']))
}

#[track_caller]
fn ends(what: &str, id: &serde_json::Value) {
    eventually(&format!("{what} ends"), || (!lives(id)).then_some(()));
}

fn send(signal: &str, id: &serde_json::Value) {
    let line = format!("kill -{signal} {id}");
    assert!(std::process::Command::new("sh").args(["-c", &line]).status().unwrap().success());
}

/// A handler that starts a child in the way that the event names, and returns its process id.
const PARENT: &str = "\
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor

fork = multiprocessing.get_context('fork')
kept = []

def begun(pipe):
    pipe.send(os.getpid())
    time.sleep(1000)

def process(daemon):
    mine, theirs = fork.Pipe()
    kept.append(fork.Process(target=begun, args=(theirs,), daemon=daemon))
    kept[-1].start()
    return mine.recv()

def handler(event):
    how = event['how']
    if how == 'raw':
        reads, writes = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writes, b'.')
            time.sleep(1000)
        os.read(reads, 1)
        return child
    if how == 'pool':
        kept.append(fork.Pool(1))
        return kept[-1].apply(os.getpid)
    if how == 'executor':
        kept.append(ProcessPoolExecutor(1, mp_context=fork))
        return kept[-1].submit(os.getpid).result()
    return process(how == 'daemon')
";

#[test]
fn a_forked_child_has_the_signals_of_any_program() {
    let folder = Folder::new(&[("app.py", PARENT)]);
    let lambda = Lambda::start(&folder, "app.handler");
    for how in ["raw", "daemon", "process", "pool"] {
        for signal in ["TERM", "INT"] {
            let child = lambda.invoke(json!({ "how": how }));
            send(signal, &child);
            ends(&format!("{how} after {signal}"), &child);
        }
    }
    assert_eq!(lambda.process.status(), None);
    lambda.emulator.assert_clean();
    // A pool replaces a process that has ended, and the next one waits for its lock: nothing but the pool's end ends it.
    lambda.process.signal("TERM");
    assert_eq!(lambda.process.wait(), Some(0));
}

#[test]
fn a_forked_child_keeps_the_handlers_that_the_function_has_installed() {
    let source = "\
import os, signal, time

def handler(event):
    if event == 'default':
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    else:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(9))
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writes, b'.')
        time.sleep(1000)
    os.read(reads, 1)
    os.kill(child, signal.SIGTERM)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
";
    let folder = Folder::new(&[("app.py", source)]);
    let lambda = Lambda::start(&folder, "app.handler");
    assert_eq!(lambda.invoke(json!("own")), 9);
    assert_eq!(lambda.invoke(json!("default")), -15);
    lambda.emulator.assert_clean();
}

#[test]
fn children_that_multiprocessing_keeps_end_with_the_runtime() {
    for how in ["daemon", "process", "pool", "executor"] {
        let folder = Folder::new(&[("app.py", PARENT)]);
        let lambda = Lambda::start(&folder, "app.handler");
        let child = lambda.invoke(json!({ "how": how }));
        assert!(lives(&child), "{how}");
        lambda.process.signal("TERM");
        assert_eq!(lambda.process.wait(), Some(0), "{how}\n{:?}", lambda.process);
        ends(how, &child);
        lambda.emulator.assert_clean();
    }
}

#[test]
fn a_forked_child_that_comes_back_from_its_handler_answers_nothing() {
    let source = "\
import os, sys

def handler(event):
    child = os.fork()
    if child != 0:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print('said by the child')
    if event == 'raise':
        raise ValueError('in the child')
    if event == 'exit':
        sys.exit(3)
    return 'from the child'

async def awaited(event):
    return handler(event)
";
    let folder = Folder::new(&[("app.py", source)]);
    for name in ["handler", "awaited"] {
        let lambda = Lambda::start(&folder, &format!("app.{name}"));
        for (event, status) in [("return", 0), ("exit", 3), ("raise", 1)] {
            assert_eq!(lambda.invoke(json!(event)), json!(status), "{name} {event}");
        }
        lambda.logged("ValueError: in the child");
        // The two outputs are read side by side.
        eventually(&format!("every child has spoken\n{:?}", lambda.process), || {
            let said = lambda.process.stdout() + &*lambda.process.stderr();
            (said.matches("said by the child").count() == 3).then_some(())
        });
        lambda.emulator.assert_clean();
    }
}

/// A handler with a thread that is waited for, and exit functions: of a pool, of `threading`, of `atexit`.
const THREADS: &str = "\
import atexit, threading, time
from concurrent.futures import ThreadPoolExecutor

atexit.register(print, 'exit function')
pool = ThreadPoolExecutor(1)

def work(seconds, what):
    time.sleep(seconds)
    print(what)

def handler(event):
    seconds = event if isinstance(event, (int, float)) else 1000
    threading.Thread(target=work, args=(seconds, 'thread done'), name='worker-7').start()
    threading.Thread(target=work, args=(1000, 'never'), daemon=True).start()
    pool.submit(work, seconds / 2, 'pool done')
    return 'answered'
";

#[test]
fn invoke_waits_for_threads_and_pools_before_exit_functions_run() {
    let folder = Folder::new(&[("app.py", THREADS)]);
    let finished = run(trine(&folder, &["invoke", "app.handler", "-e", "0.4"]));
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), "\"answered\"\n"));
    assert_eq!(finished.stderr, "pool done\nthread done\nexit function\n");
}

#[test]
fn invoke_waits_no_longer_than_the_function_has_time_and_names_the_thread() {
    let folder = Folder::new(&[("app.py", THREADS)]);
    let line = ["invoke", "app.handler", "-e", "1000", "--timeout", "0.5"];
    let finished = run(trine(&folder, &line));
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), "\"answered\"\n"));
    let told = "time is up, and these threads still run: ";
    assert!(finished.stderr.starts_with(told), "{finished:?}");
    assert!(finished.stderr.contains("worker-7"), "{finished:?}");
    assert!(finished.stderr.ends_with("exit function\n"), "{finished:?}");
}

#[test]
fn a_thread_that_never_ends_does_not_keep_a_runtime_that_was_asked_to_end() {
    let folder = Folder::new(&[("app.py", THREADS)]);
    let lambda = Lambda::start(&folder, "app.handler");
    assert_eq!(lambda.invoke(json!(1000)), "answered");
    lambda.process.signal("TERM");
    assert_eq!(lambda.process.wait(), Some(0));
    lambda.logged("exit function");
    let served = Served::start(&folder, &["app.py"]);
    assert_eq!(served.get("/").text(), "answered");
    served.process.signal("TERM");
    assert_eq!(served.process.wait(), Some(0));
}
