//! Actions that would end a process, or exhaust its resources.

use crate::harness::{Case, answer};
use trine_engine::ErrorKind;

/// Returns how a call with this body ends, and checks that the next one works.
fn ends(body: &str) -> trine_engine::Error {
    let source = format!(
        "import os, signal, sys\ndef handler(event):\n    if event: {body}\n    return 1\n"
    );
    let case = Case::new(&[("app.py", &source)]);
    let error = case.fails("1");
    assert_eq!(case.call("handler", "0").unwrap(), "1");
    error
}

#[test]
fn leaving_the_process_ends_the_call_and_spoils_the_instance() {
    for (body, reason) in [
        ("sys.exit(3)", "exit status 3"),
        ("raise SystemExit('why')", "exit status 1"),
        ("exit(4)", "exit status 4"),
        ("os._exit(5)", "exit status 5"),
        ("__import__('posix')._exit(256 + 6)", "exit status 6"),
        ("os.abort()", "signal: aborted"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "signal: killed"),
        ("os.kill(os.getpid(), 9)", "signal: killed"),
        ("os.killpg(os.getpgrp(), signal.SIGKILL)", "signal: killed"),
        ("os.kill(0, signal.SIGALRM)", "signal: alarm clock"),
        ("signal.raise_signal(signal.SIGSEGV)", "signal: segmentation fault"),
    ] {
        let error = ends(body);
        assert_eq!((error.kind(), error.poisons()), (ErrorKind::Exit, true), "{body}: {error:#}");
        assert!(error.message().ends_with(&format!("error: {reason}")), "{body}: {error}");
        assert_eq!(error.frames().last().unwrap().line, 3, "{body}: {error:#}");
    }
}

#[test]
fn a_task_that_leaves_the_process_ends_the_call_whoever_awaits_it() {
    for body in [
        "await leave()",
        "await asyncio.create_task(leave())",
        "asyncio.create_task(leave()); await asyncio.sleep(60)",
        "await asyncio.sleep(0); asyncio.ensure_future(leave()); await asyncio.sleep(60)",
        "await asyncio.gather(leave(), asyncio.sleep(60))",
        "asyncio.get_running_loop().call_soon(sys.exit, 3); await asyncio.sleep(60)",
        "asyncio.get_running_loop().call_later(0.01, sys.exit, 3); await asyncio.sleep(60)",
    ] {
        let source = format!(
            "import asyncio, sys\nasync def leave():\n    await asyncio.sleep(0.01)\n    sys.exit(3)\n\
             async def handler(event):\n    if event: {body}\n    return 1\n"
        );
        let case = Case::new(&[("app.py", &source)]);
        let error = case.fails("1");
        assert_eq!((error.kind(), error.poisons()), (ErrorKind::Exit, true), "{body}: {error:#}");
        assert!(error.message().ends_with("error: exit status 3"), "{body}: {error}");
    }
}

#[test]
fn harmless_signals_and_other_processes_are_reached_as_ever() {
    let source = "\
import os, signal, subprocess
def handler(event):
    os.kill(os.getpid(), 0)
    signal.raise_signal(signal.SIGWINCH)
    child = subprocess.Popen(['sleep', '30'])
    os.kill(child.pid, signal.SIGKILL)
    try: os.kill(os.getpid(), 'x')
    except TypeError: refused = True
    return [child.wait(), refused]
";
    assert_eq!(answer(source, "1").unwrap(), "[-9, true]");
}

#[test]
fn a_forked_child_really_exits() {
    let source = "\
import os, signal
def handler(event):
    statuses = []
    for leave in (lambda: os._exit(7), lambda: os.kill(os.getpid(), signal.SIGKILL)):
        pid = os.fork()
        if pid == 0:
            leave()
        statuses.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    return statuses
";
    assert_eq!(answer(source, "1").unwrap(), "[7, -9]");
}

#[test]
fn a_lack_of_memory_is_an_error_of_its_own_and_spoils_nothing() {
    let error = ends("bytearray(1 << 60)");
    assert_eq!((error.kind(), error.name()), (ErrorKind::OutOfMemory, "MemoryError"));
    assert!(!error.poisons());
}

#[test]
fn recursion_through_c_functions_is_an_error() {
    for setup in [
        "def f(event): return f(event)",
        "def f(event):\n    nested = []\n    for _ in range(100000): nested = [nested]\n    return repr(nested)",
        "import pickle\ndef f(event):\n    nested = []\n    for _ in range(100000): nested = [nested]\n    return len(pickle.dumps(nested))",
        "class A:\n    def __getattr__(self, name): return getattr(self, name + 'x')\ndef f(event): return A().x",
        "import json\ndef f(event): return json.loads('[' * 100000 + ']' * 100000)",
        "class A:\n    def __repr__(self): return repr(self)\ndef f(event): return repr(A())",
    ] {
        let case = Case::new(&[("app.py", &format!("{setup}\ndef ok(event): return event\n"))]);
        let error = case.call("f", "1").unwrap_err();
        assert_eq!((error.kind(), error.name()), (ErrorKind::Guest, "RecursionError"), "{setup}");
        assert_eq!(case.call("ok", "1").unwrap(), "1");
    }
}

#[test]
fn json_that_is_nested_without_end_is_refused_in_both_directions() {
    let source = "\
def handler(event):
    nested = []
    for _ in range(100000): nested = [nested]
    return nested
def ok(event): return 1
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(case.call("handler", "1").unwrap_err().kind(), ErrorKind::Marshal);
    for (open, inner, close) in [("[", "1", "]"), ("{\"a\":", "1", "}"), ("[", "\"\\ud800\"", "]")]
    {
        let event = format!("{}{inner}{}", open.repeat(100_000), close.repeat(100_000));
        assert_eq!(case.call("ok", &event).unwrap_err().kind(), ErrorKind::Unmarshal, "{inner}");
    }
    assert_eq!(case.call("ok", "1").unwrap(), "1");
}

#[test]
fn children_that_get_the_interpreters_flags_run_site() {
    let source = "\
import subprocess, sys
def handler(event):
    flags = subprocess._args_from_interpreter_flags()
    child = [sys.executable, *flags, '-c', 'import sys; print(\"site\" in sys.modules)']
    return [sys.flags.no_site, '-S' in flags, subprocess.check_output(child, text=True)]
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(case.call("handler", "1").unwrap(), r#"[0, false, "True\n"]"#);
}
