//! Deadlines for code that waits, runs, catches errors or cannot be stopped.

use super::{ask, folder, hasty, times_out_and_goes_on};
use crate::support::{Folder, Served, eventually, run, trine};
use serde_json::json;
use std::process::Command;

const TIMED_OUT: &str = "Task timed out after 1.";

#[track_caller]
fn times_out(engine: &str, what: &str) {
    let document = times_out_and_goes_on(engine, what);
    let message = document["errorMessage"].as_str().unwrap();
    assert!(message.contains(TIMED_OUT), "{engine} {what}: {message}");
}

#[test]
fn javascript_that_never_ends_is_stopped() {
    for what in ["spin", "microtasks", "wait", "regex", "atomics"] {
        times_out("js", what);
    }
}

#[test]
fn python_that_never_ends_is_stopped() {
    for what in ["spin", "wait", "sleep", "regex"] {
        times_out("python", what);
    }
}

#[test]
fn lua_that_never_ends_is_stopped() {
    for what in ["spin", "wait", "regex", "storm", "stubborn"] {
        times_out("lua", what);
    }
}

#[test]
fn a_handler_may_answer_when_it_is_warned() {
    for (engine, what, answer) in [
        ("js", "signal", "TimeoutError"),
        ("python", "caught", "in time"),
        ("python", "caught_waiting", "in time"),
        ("lua", "caught", "in time"),
        ("lua", "caught_waiting", "in time"),
    ] {
        let folder = folder(engine);
        let lambda = hasty(&folder, &[]);
        assert_eq!(lambda.invoke(ask(what)), answer, "{engine} {what}");
        // It has ended by itself: its instance is clean and is kept.
        assert_eq!(lambda.invoke(ask("fine")), 1);
        assert_eq!(lambda.invoke(ask("fine")), 2);
    }
}

#[test]
fn a_rejection_with_the_signals_reason_is_a_time_out() {
    let document = times_out_and_goes_on("js", "rethrow");
    assert!(document["errorMessage"].as_str().unwrap().contains("timed out"), "{document}");
}

#[test]
fn an_instance_that_was_stopped_by_force_is_replaced() {
    // JavaScript cannot be warned while it waits; the others ignore their warning.
    for (engine, what) in
        [("js", "wait"), ("js", "spin"), ("python", "stubborn"), ("lua", "stubborn")]
    {
        let folder = folder(engine);
        let lambda = hasty(&folder, &[]);
        assert_eq!(lambda.invoke(ask("fine")), 1);
        assert_eq!(lambda.invoke(ask("fine")), 2);
        // Reported by the function itself: an earlier deadline would have given the platform's `Sandbox.Timedout`.
        let (_, document) = lambda.fail(ask(what));
        assert_eq!(document["errorType"], "Function.Timeout", "{engine} {what}: {document}");
        assert_eq!(lambda.invoke(ask("fine")), 1, "{engine} {what}");
    }
}

#[test]
fn native_code_that_cannot_be_stopped_is_answered_for_and_the_process_ends() {
    for engine in ["python", "js"] {
        let folder = folder(engine);
        let fifo = folder.file("fifo");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let lambda = hasty(&folder, &[]);
        let (_, document) = lambda.fail(json!({"do": "blocked", "fifo": fifo}));
        assert_eq!(document["errorType"], "Function.Timeout", "{engine}: {document}");
        let message = document["errorMessage"].as_str().unwrap();
        assert!(message.contains(TIMED_OUT) && message.contains("native code"), "{message}");
        assert_eq!(lambda.process.wait(), Some(124), "{engine}");
        lambda.emulator.assert_clean();
    }
}

#[test]
fn over_http_a_time_out_is_a_504_and_the_server_goes_on() {
    for engine in ["js", "python", "lua"] {
        let folder = folder(engine);
        let served = Served::start(&folder, &["--timeout", "0.4", "--workers", "1"]);
        for what in ["spin", "wait"] {
            let reply = served.post("/", &ask(what).to_string());
            assert_eq!(reply.status, 504, "{engine} {what}: {reply:?}");
            let reply = served.post("/", &ask("fine").to_string());
            assert_eq!(reply.status, 200, "{engine} {what}: {reply:?}");
        }
    }
}

#[test]
fn over_http_native_code_that_cannot_be_stopped_is_a_504_and_the_end_of_the_server() {
    let folder = folder("python");
    let served = Served::start(&folder, &["--timeout", "0.4", "--workers", "2"]);
    // On a busy machine the first requests' time is over before the function is loaded.
    eventually("the function is loaded", || {
        (served.post("/", &ask("fine").to_string()).status == 200).then_some(())
    });
    let reply = served.post("/", &ask("blocked").to_string());
    assert_eq!(reply.status, 504, "{reply:?}");
    assert!(reply.text().contains("native code"), "{reply:?}");
    assert_eq!(served.process.wait(), Some(124));
}

#[test]
fn invoke_ends_a_handler_in_time_and_says_so() {
    for engine in ["js", "python", "lua"] {
        let folder = folder(engine);
        let file = folder.file(&format!("app.{}", super::language(engine).extension));
        let event = ask("spin").to_string();
        let finished = run(trine(&folder, &["invoke", &file, "-e", &event, "--timeout", "0.3"]));
        assert_eq!(finished.code, Some(6), "{finished:?}");
        assert!(finished.stderr.contains("Task timed out after 0."), "{finished:?}");
    }
}

#[test]
fn timeout_hooks_run_before_the_answer_whatever_the_handler_does() {
    for engine in ["js", "python", "lua"] {
        for what in ["spin", "wait"] {
            let folder = folder(engine);
            flushers(&folder);
            let around = [("TRINE_MIDDLEWARES", "flush_js,flush_py,flush_lua")];
            let lambda = hasty(&folder, &around);
            let (_, document) = lambda.fail(ask(what));
            assert_eq!(document["errorType"], "Function.Timeout", "{engine} {what}: {document}");
            for language in ["js", "py", "lua"] {
                lambda.logged(&format!("flushed {language}"));
            }
            assert!(lambda.invoke(ask("fine")).is_number());
        }
    }
}

/// Writes a middleware in each language that logs when the time is up.
fn flushers(folder: &Folder) {
    let js = "export const timeout = () => console.log('flushed js');\n";
    folder.write("middlewares/flush_js.mjs", js);
    folder.write("middlewares/flush_py.py", "def timeout(context):\n    print('flushed py')\n");
    let lua = "return { timeout = function() print('flushed lua') end }\n";
    folder.write("middlewares/flush_lua.lua", lua);
}
