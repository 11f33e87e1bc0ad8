//! The process: its start, its threads and memory, its end.

use crate::support::{
    Connection, Folder, LANGUAGES, Lambda, PROBE_LANGUAGES, Process, ask, eventually, free_port,
    run, trine,
};
use serde_json::json;
use std::{io::Read, net::TcpListener, process::Command};

#[test]
fn sigterm_ends_an_idle_process_in_order() {
    for language in PROBE_LANGUAGES {
        let (_folder, lambda) = Lambda::probe(language);
        lambda.invoke(ask("count"));
        lambda.process.signal("TERM");
        assert_eq!(lambda.process.wait(), Some(0), "{}", language.engine);
        lambda.emulator.assert_clean();
    }
}

#[test]
fn sigterm_ends_a_process_that_has_never_had_an_event() {
    for language in PROBE_LANGUAGES {
        let (_folder, lambda) = Lambda::probe(language);
        lambda.wait_until_ready();
        lambda.process.signal("TERM");
        assert_eq!(lambda.process.wait(), Some(0), "{}", language.engine);
    }
}

#[test]
fn without_a_runtime_api_the_process_ends_and_says_why() {
    let folder = Folder::probe(LANGUAGES[4]);
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = trine(&folder, &[]);
    command.env("AWS_LAMBDA_RUNTIME_API", &address).env("_HANDLER", "probe.handler");
    let finished = run(command);
    assert_eq!(finished.code, Some(1));
    let expected = format!("error: cannot connect to the Runtime API at {address}: ");
    assert!(finished.stderr.contains(&expected), "{finished:?}");
}

#[test]
fn a_runtime_api_that_goes_away_ends_the_process_with_a_message() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::probe(LANGUAGES[4]);
    let mut command = trine(&folder, &[]);
    let address = listener.local_addr().unwrap().to_string();
    command.env("AWS_LAMBDA_RUNTIME_API", &address).env("_HANDLER", "probe.handler");
    let process = Process::start(command);
    let (stream, _) = listener.accept().unwrap();
    let mut head = [0; 50];
    (&stream).read_exact(&mut head).unwrap();
    assert!(head.starts_with(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n"));
    // In this order: a second connection that still found the listener would break differently.
    drop(listener);
    drop(stream);
    let finished = process.finish();
    assert_eq!(finished.code, Some(1));
    // It has tried once more: a connection may break just because the sandbox was paused.
    assert!(finished.stderr.contains("error: cannot connect to the Runtime API"), "{finished:?}");
}

#[test]
fn bootstrap_without_a_runtime_api_tells_what_it_needs() {
    let folder = Folder::probe(LANGUAGES[0]);
    let mut command = Command::new(folder.bootstrap());
    command.env_remove("AWS_LAMBDA_RUNTIME_API").current_dir(folder.task());
    let finished = run(command);
    assert_eq!(finished.code, Some(1));
    for part in ["AWS_LAMBDA_RUNTIME_API is not set", "'bootstrap'", "trine emulator"] {
        assert!(finished.stderr.contains(part), "{finished:?}");
    }
}

/// Checks the threads. A thread gives itself its name, so that may take a moment.
#[track_caller]
fn has_one_thread_and_the_watchdogs(lambda: &Lambda) {
    eventually("the process has two threads", || {
        (lambda.process.threads() == ["bootstrap", "trine-watchdog"]).then_some(())
    });
}

#[test]
fn a_function_in_lua_starts_neither_v8_nor_python() {
    let (_folder, lambda) = Lambda::probe(LANGUAGES[4]);
    lambda.invoke(ask("count"));
    has_one_thread_and_the_watchdogs(&lambda);
    let used = lambda.process.kilobytes("RssAnon:");
    assert!(used < 8 * 1024, "{used} kB of memory of its own");
}

#[test]
fn a_function_in_python_starts_no_v8() {
    let (_folder, lambda) = Lambda::probe(LANGUAGES[3]);
    lambda.invoke(ask("count"));
    has_one_thread_and_the_watchdogs(&lambda);
}

#[test]
fn a_function_in_javascript_has_v8s_threads() {
    // What the two tests above look for exists once V8 runs.
    let (_folder, lambda) = Lambda::probe(LANGUAGES[0]);
    lambda.invoke(ask("count"));
    let threads = lambda.process.threads();
    assert!(threads.len() > 1 && threads.iter().any(|name| name.starts_with("V8")), "{threads:?}");
}

#[test]
fn memory_does_not_grow_with_every_invocation() {
    for language in PROBE_LANGUAGES {
        let (_folder, lambda) = Lambda::probe(language);
        let event = json!({"text": "x".repeat(10_000)});
        let rounds = |count| (0..count).for_each(|_| drop(lambda.invoke(event.clone())));
        rounds(1000);
        let before = lambda.process.kilobytes("VmRSS:");
        rounds(2000);
        let after = lambda.process.kilobytes("VmRSS:");
        // 2000 events of 10 kB, if kept, would be at least 20 MB.
        assert!(after < before + 15 * 1024, "{}: {before} kB, then {after} kB", language.engine);
    }
}

#[test]
fn the_emulators_own_port_answers_invoke_requests_of_any_client() {
    let (_folder, lambda) = Lambda::probe(LANGUAGES[3]);
    let path = "/2015-03-31/functions/test_function/invocations";
    let mut connection = Connection::open(lambda.emulator.address());
    let reply = connection.exchange("POST", path, &[], br#"{"a":[1,{}]}"#);
    assert_eq!((reply.status, reply.json()), (200, json!({"a": [1, {}]})));
    let reply = connection.exchange("POST", path, &[], br#"{"do":"fail"}"#);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-amz-function-error"), Some("Unhandled"));
    assert_eq!(reply.json()["errorType"], "OutOfStock");
}

#[test]
fn sigterm_in_the_middle_of_an_invocation_lets_it_finish() {
    for language in PROBE_LANGUAGES {
        let (_folder, lambda) = Lambda::probe(language);
        lambda.invoke(ask("count"));
        let event = json!({"do": "wait", "ms": 500, "note": "done"});
        let answer = lambda.emulator.invoke_streaming(event);
        let begun = || lambda.emulator.log().len() >= 3;
        eventually("the event was handed out", || begun().then_some(()));
        lambda.process.signal("TERM");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(answer.finish()).json(), "done", "{}", language.engine);
        assert_eq!(lambda.process.wait(), Some(0), "{}", language.engine);
        lambda.emulator.assert_clean();
    }
}

#[test]
fn what_fails_behind_a_handlers_back_fails_its_invocation_and_not_the_process() {
    let folder = Folder::new(&[(
        "app.mjs",
        "const later = () => new Promise((resolve) => setTimeout(resolve, 200));\n\
         export const handler = async ({ how }) => {\n\
           if (how === 'reject') Promise.reject(new TypeError('nobody waits'));\n\
           if (how === 'throw') setTimeout(() => { throw new TypeError('nobody catches'); }, 1);\n\
           await later();\n\
           return 'fine';\n\
         };\n",
    )]);
    let lambda = Lambda::start(&folder, "app.handler");
    for (how, kind, message) in [
        ("reject", "Runtime.UnhandledPromiseRejection", "nobody waits"),
        ("throw", "Runtime.UncaughtException", "nobody catches"),
    ] {
        let (_, document) = lambda.fail(json!({"how": how}));
        let told = document["errorMessage"].as_str().unwrap();
        assert!(told.contains(message), "{document}");
        // Node's own runtime names an uncaught exception after its class.
        assert!(
            [kind, "TypeError"].contains(&document["errorType"].as_str().unwrap()),
            "{document}"
        );
        assert_eq!(lambda.invoke(json!({})), "fine");
    }
    assert_eq!(lambda.process.status(), None);
    lambda.emulator.assert_clean();
}

#[test]
fn a_handler_that_listens_for_sigterm_itself_ends_in_order_all_the_same() {
    let source = "
import signal
before = str(signal.getsignal(signal.SIGTERM))
signal.signal(signal.SIGTERM, lambda number, frame: print('heard', number))
def handler(event, context):
    return before
";
    let folder = Folder::new(&[("app.py", source)]);
    let lambda = Lambda::start(&folder, "app.handler");
    assert_eq!(lambda.invoke(json!({})), "0");
    lambda.process.signal("TERM");
    assert_eq!(lambda.process.wait(), Some(0));
    eventually("the function has heard it", || {
        lambda.process.stdout().contains("heard 15").then_some(())
    });
}
