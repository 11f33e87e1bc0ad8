//! What is true of a whole process, each in a process of its own.

use crate::harness::{Case, Guest, text};
use std::process::Command;
use trine_engine::{Form, Payload};
use trine_testkit::alone;

#[test]
fn little_is_imported_at_the_start() {
    alone::run("process::little_is_imported_at_the_start", &[], inner_little_is_imported);
}

fn inner_little_is_imported() {
    let source = "\
import sys
HEAVY = ['asyncio', 'logging', 'traceback', 'json', 'inspect', 'threading', 're', 'typing']
def handler(event):
    return [[name for name in HEAVY if name in sys.modules], __import__.__module__]
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(case.call("handler", "1").unwrap(), "[[], \"builtins\"]");
}

#[test]
fn on_the_main_thread_signal_handlers_can_be_installed() {
    alone::run(
        "process::on_the_main_thread_signal_handlers_can_be_installed",
        &[],
        inner_signal_handlers,
    );
}

fn inner_signal_handlers() {
    let source = "\
import asyncio, os, signal, threading, time
seen = []
before = str(signal.getsignal(signal.SIGTERM))
signal.signal(signal.SIGUSR1, lambda number, frame: seen.append('plain'))
def handler(event):
    os.kill(os.getpid(), signal.SIGUSR1)
    while not seen: time.sleep(0.001)
    return [before, seen, threading.current_thread() is threading.main_thread()]
async def asynchronous(event):
    loop = asyncio.get_running_loop()
    heard = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR2, heard.set)
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR2)).start()
    await asyncio.wait_for(heard.wait(), 5)
    return 'heard'
";
    let case = Case::with(&[("app.py", source)], |environment| environment.main_thread = true);
    assert_eq!(case.call("handler", "1").unwrap(), "[\"0\", [\"plain\"], true]");
    assert_eq!(case.call("asynchronous", "1").unwrap(), "\"heard\"");
}

#[test]
fn exit_functions_run_when_the_last_instance_ends_and_modules_are_new_afterwards() {
    alone::run(
        "process::exit_functions_run_when_the_last_instance_ends_and_modules_are_new_afterwards",
        &[],
        inner_exit_functions,
    );
}

fn inner_exit_functions() {
    let source = "\
import atexit
n = []
atexit.register(lambda: print('bye'))
def handler(event):
    n.append(1)
    return len(n)
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(case.call("handler", "1").unwrap(), "1");
    let log = case.log.clone();
    case.instance.shutdown();
    assert_eq!(log.text(), "bye\n");
    let again = trine_engine::Engine::start(&trine_python::engine(), &case.environment).unwrap();
    let again = Case(Guest { instance: again, ..case.0 });
    assert_eq!(again.call("handler", "1").unwrap(), "1");
}

#[test]
fn python_path_is_honoured_with_its_sitecustomize() {
    let folder = crate::harness::Folder::new(&[
        ("sitecustomize.py", "import builtins\nbuiltins.customized = 'yes'\n"),
        ("on_path.py", "x = 1\n"),
    ]);
    alone::run(
        "process::python_path_is_honoured_with_its_sitecustomize",
        &[("PYTHONPATH", folder.path().to_str().unwrap())],
        inner_python_path,
    );
}

fn inner_python_path() {
    let source = "import on_path\ndef handler(event): return [customized, on_path.x]\n";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(case.call("handler", "1").unwrap(), "[\"yes\", 1]");
}

#[test]
fn a_python_home_without_a_standard_library_is_an_error_or_the_end_but_no_hang() {
    let folder = crate::harness::Folder::new(&[]);
    let home = folder.path().to_str().unwrap();
    let test = "process::little_is_imported_at_the_start";
    let output = alone::output(test, &[("PYTHONHOME", home)]);
    assert!(!output.status.success());
}

#[test]
fn older_execution_environments_escape_everything_outside_of_ascii() {
    alone::run(
        "process::older_execution_environments_escape_everything_outside_of_ascii",
        &[("AWS_EXECUTION_ENV", "AWS_Lambda_python3.10")],
        inner_escapes,
    );
}

fn inner_escapes() {
    let case = Case::new(&[("app.py", "def handler(event): return {'é': '😀\\x7f'}\n")]);
    assert_eq!(case.call("handler", "1").unwrap(), r#"{"\u00e9": "\ud83d\ude00\u007f"}"#);
}

#[test]
fn a_virtual_environments_packages_are_found_and_sys_executable_is_its_own() {
    let test = "process::a_virtual_environments_packages_are_found_and_sys_executable_is_its_own";
    if alone::runs(test) {
        return inner_virtual_environment();
    }
    let folder = crate::harness::Folder::new(&[]);
    let home = folder.path().join("venv");
    // Without pip, which takes seconds; the interpreter of the build makes it.
    let python = passes_value("import sys\ndef handler(event): return sys.executable\n");
    let made = Command::new(python)
        .args(["-m", "venv", "--without-pip"])
        .arg(&home)
        .status()
        .is_ok_and(|status| status.success());
    if !made {
        // Some distributions pack `venv` separately.
        return;
    }
    let library = std::fs::read_dir(home.join("lib")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(library.join("site-packages/only_in_venv.py"), "x = 1\n").unwrap();
    let home = home.to_str().unwrap();
    alone::run(test, &[("VIRTUAL_ENV", home)], || ());
}

#[test]
fn a_virtual_environment_beside_the_function_is_looked_into_and_another_versions_is_told() {
    let source =
        "import only_in_venv, linked\ndef handler(event): return [only_in_venv.x, linked.y]\n";
    let version = passes_value(
        "import sys\ndef handler(event): return 'python%d.%d' % sys.version_info[:2]\n",
    );
    for folder in [".venv", "venv"] {
        let packages = |version: &str| format!("{folder}/lib/{version}/site-packages");
        let (own, other) = (packages(&version), packages("python3.5"));
        let module = |packages: &str| format!("{packages}/only_in_venv.py");
        let case = Case::new(&[
            ("app.py", source),
            (&module(&own), "x = 1\n"),
            // As an editable installation has it.
            (&format!("{own}/linked.pth"), "../../../../sources\n"),
            ("sources/linked.py", "y = 2\n"),
            (&format!("{folder}/pyvenv.cfg"), ""),
        ]);
        assert_eq!(case.call("handler", "1").unwrap(), "[1, 2]", "{folder}");
        let case = Case::new(&[
            ("app.py", source),
            (&module(&other), "x = 1\n"),
            (&format!("{folder}/pyvenv.cfg"), ""),
        ]);
        let error = case.call("handler", "1").unwrap_err();
        assert_eq!(
            error.message(),
            "Unable to import module 'app': No module named 'only_in_venv'"
        );
        let told = format!("{error:#}");
        assert!(told.contains("is of Python 3.5, and this is Python 3."), "{told}");
        assert!(told.contains("-m venv --clear"), "{told}");
    }
}

/// The string that a handler answers in this process.
fn passes_value(source: &str) -> String {
    let answer = Case::new(&[("app.py", source)]).call("handler", "1").unwrap();
    serde_json::from_str(&answer).unwrap()
}

fn inner_virtual_environment() {
    let source = "\
import only_in_venv, sys
def handler(event): return [only_in_venv.x, sys.prefix]
";
    let case = Case::new(&[("app.py", source)]);
    let home = std::env::var("VIRTUAL_ENV").unwrap();
    assert_eq!(case.call("handler", "1").unwrap(), format!("[1, \"{home}\"]"));
}

#[test]
fn the_level_is_warning_in_text_and_info_in_json_unless_it_is_set() {
    alone::run(
        "process::the_level_is_warning_in_text_and_info_in_json_unless_it_is_set",
        &[],
        inner_levels,
    );
}

fn inner_levels() {
    use trine_engine::{Level, LogFormat};
    let source = "\
import logging
logging.basicConfig(level=logging.DEBUG)
def handler(event): return logging.getLevelName(logging.getLogger().level)
";
    for (format, level, expected) in [
        (LogFormat::Text, None, "\"WARNING\""),
        (LogFormat::Json, None, "\"INFO\""),
        (LogFormat::Text, None, "\"WARNING\""),
        (LogFormat::Text, Some(Level::Trace), "\"DEBUG\""),
        (LogFormat::Json, Some(Level::Fatal), "\"CRITICAL\""),
    ] {
        let case = Case::with(&[("app.py", source)], |environment| {
            environment.log.format = format;
            environment.log.level = level;
        });
        assert_eq!(case.call("handler", "1").unwrap(), expected);
    }
}

#[test]
fn on_the_main_thread_what_waits_in_c_is_warned_and_stopped() {
    alone::run(
        "process::on_the_main_thread_what_waits_in_c_is_warned_and_stopped",
        &[],
        inner_main_thread_waits,
    );
}

fn inner_main_thread_waits() {
    use crate::harness::invocation;
    use std::{rc::Rc, time::Duration};
    use trine_engine::{Error, ErrorKind, Form, Payload};
    let source = "\
import asyncio, re, select, signal, socket, subprocess, threading, time, trine
pair = socket.socketpair()
def recv(): pair[0].recv(1)
def wait(): select.select([], [], [])
def deadlock():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
def event(): threading.Event().wait()
def child(): subprocess.run(['sleep', '30'])
def sleep(): time.sleep(30)
def regular(): re.match(r'(a+)+$', 'a' * 60 + 'b')
def loop():
    n = 0
    while True: n += 1
def blocked():
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    loop()
def own_loop(): asyncio.run(asyncio.sleep(30))
def handler(event):
    wait = globals()[event[0]]
    if event[1] == 'stop': return wait()
    try: wait()
    except trine.DeadlineExceeded: return 'warned'
heard = []
def user_signals(event):
    signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
    signal.raise_signal(signal.SIGUSR1)
    time.sleep(0.01)
    return heard
";
    let case = Case::with(&[("app.py", source)], |environment| environment.main_thread = true);
    let function = case.load("app", "handler").unwrap();
    let told = |how: &str, what: &str| -> Result<String, Error> {
        let interrupter = case.instance.interrupter();
        let stops = how == "stop";
        let watchdog = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            let at = std::time::Instant::now();
            if stops {
                interrupter.interrupt();
            } else {
                interrupter.warn();
            }
            at
        });
        let event = Payload::json(format!("[{what:?}, {how:?}]"));
        let answer = case.run_for(function, event, Form::Json, &Rc::new(invocation()));
        println!("{what}, {how}: {:?} later", watchdog.join().unwrap().elapsed());
        answer.map(crate::harness::text)
    };
    for what in
        ["loop", "sleep", "recv", "wait", "deadlock", "event", "child", "regular", "own_loop"]
    {
        assert_eq!(told("warn", what).unwrap(), "\"warned\"", "{what}");
        let error = told("stop", what).unwrap_err();
        assert_eq!((error.kind(), error.poisons()), (ErrorKind::Timeout, true), "{what}");
    }
    assert_eq!(case.call("user_signals", "1").unwrap(), "[1]");
    assert_eq!(told("stop", "blocked").unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn what_fails_in_threads_and_tasks_is_logged() {
    alone::run("process::what_fails_in_threads_and_tasks_is_logged", &[], inner_failures_elsewhere);
}

fn inner_failures_elsewhere() {
    let source = "\
import asyncio, gc, threading
def fails(): raise ValueError('in a thread')
def handler(event):
    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    return 'went on'
async def task(): raise KeyError('in a task')
async def asynchronous(event):
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: {}['in a callback'])
    asyncio.ensure_future(task())
    await asyncio.sleep(0.01)
    gc.collect()
    return 'went on'
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(case.call("handler", "1").unwrap(), "\"went on\"");
    assert!(case.log.text().contains("line 2, in fails\n"), "{}", case.log.text());
    assert!(case.log.text().contains("ValueError: in a thread"), "{}", case.log.text());
    assert_eq!(case.call("asynchronous", "1").unwrap(), "\"went on\"");
    let text = case.log.text();
    assert!(text.contains("[ERROR]\t") && text.contains("KeyError: 'in a callback'"), "{text}");
    assert!(text.contains("Task exception was never retrieved"), "{text}");
    assert!(text.contains("KeyError: 'in a task'"), "{text}");
}

#[test]
fn a_retired_instances_end_runs_no_exit_functions_while_another_one_lives() {
    alone::run(
        "process::a_retired_instances_end_runs_no_exit_functions_while_another_one_lives",
        &[],
        inner_retired_end,
    );
}

fn inner_retired_end() {
    let source =
        "import atexit\natexit.register(lambda: print('bye'))\ndef handler(event): return 1\n";
    let case = Case::new(&[("app.py", source)]);
    case.call("handler", "1").unwrap();
    case.instance.retire();
    let next = trine_engine::Engine::start(&trine_python::engine(), &case.environment).unwrap();
    case.instance.shutdown();
    assert_eq!(case.log.text(), "");
    next.shutdown();
    assert_eq!(case.log.text(), "bye\n");
}

#[test]
fn recycling_leaves_nothing_behind() {
    alone::run("process::recycling_leaves_nothing_behind", &[], inner_recycling);
}

fn inner_recycling() {
    let source = "\
import gc, helper, sys
def handler(event):
    gc.collect()
    return [len(sys.path), len(sys.modules), len(gc.get_objects()) // 1000]
";
    let helper = "class A: pass\nx = [[] for _ in range(1000)]\n";
    let mut case = Case::new(&[("app.py", source), ("helper.py", helper)]);
    let mut counts = Vec::new();
    for _ in 0..20 {
        counts.push(case.call("handler", "1").unwrap());
        case.instance.retire();
        let next = trine_engine::Engine::start(&trine_python::engine(), &case.environment);
        std::mem::replace(&mut case.instance, next.unwrap()).shutdown();
    }
    assert_eq!(counts[2], counts[19], "{counts:?}");
}

#[test]
fn the_garbage_collector_is_as_it_was_once_a_module_is_loaded() {
    alone::run(
        "process::the_garbage_collector_is_as_it_was_once_a_module_is_loaded",
        &[],
        inner_garbage_collector,
    );
}

fn inner_garbage_collector() {
    let plain = "\
import gc
start = gc.get_count()[0]
kept = [[] for _ in range(5000)]
count = gc.get_count()[0] - start
def handler(event):
    return [count > 4000, gc.isenabled(), gc.get_freeze_count(), list(gc.get_threshold())]
";
    let own = "\
import gc
gc.disable()
gc.set_threshold(5, 6, 7)
gc.freeze()
def handler(event): return [gc.isenabled(), gc.get_freeze_count() > 0, gc.get_threshold()]
";
    let stopped = "\
import gc
before = gc.get_threshold()
def handler(event): return [before, gc.get_threshold()]
";
    let files = [("app.py", plain), ("own.py", own), ("stopped.py", stopped)];
    let case = Case::with(&files, |environment| environment.main_thread = true);
    let call = |module: &str| {
        let handler = case.load(module, "handler").unwrap();
        text(case.run(handler, Payload::json("1"), Form::Json).unwrap())
    };
    let usual = case.call("handler", "1").unwrap();
    let given = "[true, true, 0, [";
    assert!(usual.starts_with(given) && !usual.contains("100000"), "{usual}");
    // What a guest chose stays.
    assert_eq!(call("own"), "[false, true, [5, 6, 7]]");
    assert!(call("stopped").ends_with(", [5, 6, 7]]"));
}
