//! SIGTERM and SIGINT: what a guest hears of them, and that the process ends whatever a guest is doing.

use crate::support::{Folder, Lambda, Platform, ask};
use serde_json::json;
use std::{
    thread,
    time::{Duration, Instant},
};

/// Maximum time from a signal to the end of the process, on a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// Sends the signal and checks that the process ends in order.
#[track_caller]
fn ends(lambda: &Lambda, signal: &str, what: &str) {
    let sent = Instant::now();
    lambda.process.signal(signal);
    assert_eq!(lambda.process.wait(), Some(0), "{what}\n{:?}", lambda.process);
    assert!(sent.elapsed() < SOON, "{what}: {:?}", sent.elapsed());
}

#[test]
fn a_python_handler_for_a_signal_runs_at_once_while_nothing_else_does() {
    let hear = "def hear(number, frame):\n    print('heard', int(number))\n";
    let handler = "def handler(event, context):\n    return 1\n";
    for (what, install) in [
        ("signal", "import signal\nsignal.signal(NUMBER, hear)\n"),
        ("named", "from signal import signal\nsignal(NUMBER, hear)\n"),
        ("built in", "import _signal\n_signal.signal(NUMBER, hear)\n"),
        (
            "replaced",
            "import signal, _signal\n_signal.signal(NUMBER, signal.SIG_IGN)\n\
             assert signal.signal(NUMBER, hear) == signal.SIG_IGN\n\
             assert _signal.getsignal(NUMBER) is hear\n",
        ),
    ] {
        for (signal, number) in [("TERM", "15"), ("INT", "2")] {
            for events in [0, 2] {
                let source = [hear, &install.replace("NUMBER", number), handler].concat();
                let folder = Folder::new(&[("app.py", &source)]);
                let lambda = Lambda::start(&folder, "app.handler");
                (0..events).for_each(|_| assert_eq!(lambda.invoke(json!({})), 1));
                lambda.wait_until_ready();
                ends(&lambda, signal, what);
                lambda.logged(&format!("heard {number}\n"));
                lambda.emulator.assert_clean();
            }
        }
    }
}

#[test]
fn a_python_handler_for_a_signal_may_be_its_event_loops_or_end_the_program() {
    for (what, source) in [
        (
            "a loop's",
            "import asyncio, signal\n\
             async def handler(event, context):\n    \
             loop = asyncio.get_running_loop()\n    \
             loop.add_signal_handler(signal.SIGTERM, print, 'heard')\n",
        ),
        (
            "an exit",
            "import signal, sys\n\
             def hear(*_):\n    print('heard')\n    sys.exit(5)\n\
             signal.signal(signal.SIGTERM, hear)\n\
             def handler(event, context): pass\n",
        ),
    ] {
        let folder = Folder::new(&[("app.py", source)]);
        let lambda = Lambda::start(&folder, "app.handler");
        lambda.invoke(json!({}));
        ends(&lambda, "TERM", what);
        let log = lambda.logged("heard\n");
        assert!(!log.contains("Traceback"), "{log}");
    }
}

#[test]
fn javascripts_listeners_for_a_signal_are_called_and_may_wait_before_they_exit() {
    let wait = "await new Promise((go) => setTimeout(go, 30));";
    for (what, listener, log) in [
        ("a word", "(name) => console.log('heard', name)".to_owned(), "heard SIGTERM"),
        ("an exit", "() => { console.log('heard'); process.exit(0); }".to_owned(), "heard"),
        ("a wait", format!("async () => {{ {wait} console.log('heard'); }}"), "heard"),
        (
            "a wait and an exit",
            format!("async () => {{ {wait} console.log('heard'); process.exit(0); }}"),
            "heard",
        ),
    ] {
        for method in ["on", "once"] {
            let source = format!(
                "process.{method}('SIGTERM', {listener});\nexport const handler = () => 1;\n"
            );
            let folder = Folder::new(&[("app.mjs", &source)]);
            let lambda = Lambda::start(&folder, "app.handler");
            assert_eq!(lambda.invoke(json!({})), 1);
            lambda.wait_until_ready();
            ends(&lambda, "TERM", what);
            lambda.logged(log);
            lambda.emulator.assert_clean();
        }
    }
}

#[test]
fn who_listens_for_one_signal_leaves_the_others_to_the_host() {
    for listened in ["SIGINT", "SIGUSR2", "SIGHUP"] {
        let source = format!(
            "process.on('{listened}', () => console.log('heard'));\n\
             export const handler = async ({{ ms }}) => {{\n  \
             if (ms) {{ console.log('begun'); await new Promise((go) => setTimeout(go, ms)); }}\n  \
             return 'done';\n}};\n"
        );
        let folder = Folder::new(&[("app.mjs", &source)]);
        let lambda = Lambda::start(&folder, "app.handler");
        assert_eq!(lambda.invoke(json!({})), "done");
        let emulator = lambda.emulator.clone();
        let answer = thread::spawn(move || emulator.invoke_blocking(json!({"ms": 400})));
        lambda.logged("begun");
        ends(&lambda, "TERM", listened);
        assert_eq!(answer.join().unwrap().json(), "done", "{listened}");
        assert!(!lambda.process.stdout().contains("heard"), "{listened}");
        lambda.emulator.assert_clean();
    }
}

#[test]
fn module_code_that_holds_the_thread_or_waits_does_not_hold_up_the_end() {
    for (file, source) in [
        ("app.py", "import time\nprint('loading')\ntime.sleep(100)\n"),
        ("app.py", "print('loading')\nwhile True: pass\n"),
        (
            "app.py",
            "import signal, time\n\
             signal.signal(signal.SIGTERM, lambda *_: print('heard'))\n\
             signal.signal(signal.SIGINT, lambda *_: print('heard'))\n\
             print('loading')\ntime.sleep(100)\n",
        ),
        ("app.mjs", "console.log('loading');\nfor (;;);\n"),
        ("app.mjs", "console.log('loading');\nawait new Promise((go) => setTimeout(go, 1e5));\n"),
        (
            "app.cjs",
            "console.log('loading');\n\
             Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1e5);\n",
        ),
        ("app.lua", "print('loading')\nwhile true do end\n"),
        ("app.lua", "print('loading')\ntrine.sleep(100)\n"),
    ] {
        for signal in ["TERM", "INT"] {
            let folder = Folder::new(&[(file, source)]);
            let lambda = Lambda::start(&folder, "app.handler");
            lambda.logged("loading");
            // Until it holds the thread.
            thread::sleep(Duration::from_millis(50));
            ends(&lambda, signal, source);
            assert!(lambda.emulator.log().is_empty(), "{source}");
            if source.contains("heard") {
                lambda.logged("heard\n");
            }
        }
    }
}

#[test]
fn module_code_that_is_loaded_anew_does_not_hold_up_the_end() {
    for (file, source) in [
        (
            "app.py",
            "import os, sys, time\n\
             mark = os.path.join(os.path.dirname(__file__), 'mark')\n\
             if os.path.exists(mark):\n    print('again')\n    time.sleep(100)\n\
             open(mark, 'w').close()\n\
             def handler(event, context): sys.exit(3)\n",
        ),
        (
            "app.mjs",
            "import fs from 'node:fs';\n\
             const mark = new URL('mark', import.meta.url);\n\
             if (fs.existsSync(mark)) { console.log('again'); for (;;); }\n\
             fs.writeFileSync(mark, '');\n\
             export const handler = () => process.exit(3);\n",
        ),
    ] {
        let folder = Folder::new(&[(file, source)]);
        let lambda = Lambda::start(&folder, "app.handler");
        lambda.fail(ask("exit"));
        lambda.logged("again");
        ends(&lambda, "TERM", source);
        lambda.emulator.assert_clean();
    }
}

#[test]
fn the_end_does_not_wait_for_an_answer_to_an_error_of_the_start() {
    for (file, source) in
        [("app.mjs", "throw new Error('x')"), ("app.py", "1/0"), ("app.lua", "error('x')")]
    {
        let folder = Folder::new(&[(file, source)]);
        let (platform, process) = Platform::start(&folder, "app.handler", |_| ());
        let mut exchange = platform.accept(&process);
        assert!(exchange.request().0.contains("/init/error "), "{file}");
        let sent = Instant::now();
        process.signal("TERM");
        assert_eq!(process.wait(), Some(1), "{file}\n{process:?}");
        assert!(sent.elapsed() < SOON, "{file}: {:?}", sent.elapsed());
    }
}
