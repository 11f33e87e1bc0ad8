//! Debuggers, through a client of their protocol and the user's own `debugpy`, which `.ci/setup` installs beside this file.
//!
//! A process has one listener, so each test has a process of its own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attaching;
mod client;
mod stopping;
mod waiting;

use std::{
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    thread,
    time::Duration,
};
use trine_engine::{
    DebugListener, Debuggers, Environment, FunctionId, Invocation, Result, Wanted, debugged_time,
};
use trine_testkit::guest::{self, Guest, Log};

/// Runs a test in a process of its own.
macro_rules! alone {
    ($(#[$attribute:meta])* fn $name:ident() $body:block) => {
        $(#[$attribute])*
        #[test]
        fn $name() {
            let test = concat!(module_path!(), "::", stringify!($name));
            let test = test.split_once("::").unwrap().1;
            let printed = trine_testkit::alone::run(test, &[], || $body).unwrap_or_default();
            // What bypasses the log, as a forked child does.
            assert!(!printed.contains("PYDEV") && !printed.contains("Traceback"), "{printed}");
        }
    };
}
pub(crate) use alone;

/// Starts an instance with these files whose guests can be debugged.
fn debugged(files: &[(&str, &str)], change: impl FnOnce(&mut Environment)) -> Guest {
    Guest::start(&trine_python::engine(), files, |environment, folder| {
        assert!(packages().is_dir(), "debugpy is missing: run .ci/setup");
        std::os::unix::fs::symlink(packages(), folder.join("package")).unwrap();
        environment.debuggers = listening(false);
        change(environment);
    })
}

/// Returns the folder in which `debugpy` lies.
fn packages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/debugger/package")
}

fn listening(waits: bool) -> Debuggers {
    let listener = DebugListener { address: ([127, 0, 0, 1], 0).into(), waits };
    Debuggers { adapter: Some(listener), ..Debuggers::default() }
}

/// Waits until the log says where the debugger listens.
fn port(log: &Arc<Log>) -> u16 {
    log.wait_for(" (debugpy ");
    let text = log.text();
    let (_, rest) = text.split_once("Python debugger listening on 127.0.0.1:").unwrap();
    rest.split_once(' ').unwrap().0.parse().unwrap()
}

/// Loads `handler` of a file.
fn load(guest: &Guest, file: &str) -> Result<FunctionId> {
    guest::run(guest.load(file, Wanted::Handler("handler".to_owned())))
        .map(|exports| exports.functions[0].1)
}

/// Calls a function with an event.
fn call(guest: &Guest, function: FunctionId, event: &str) -> Result<String> {
    let invocation: Rc<Invocation> = guest::invocation("id-1").into();
    guest::run(guest.call(function, event, &invocation))
}

/// Whether a debugger holds up the limits of time.
fn holds_up_time() -> bool {
    let before = debugged_time();
    thread::sleep(Duration::from_millis(2));
    debugged_time() > before
}

/// Waits until no debugger holds them up any more.
fn wait_for_time_to_pass() {
    let given_up = std::time::Instant::now() + guest::LIMIT;
    while holds_up_time() {
        assert!(std::time::Instant::now() < given_up, "time still stands still");
    }
}
