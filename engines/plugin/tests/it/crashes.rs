//! Plug-ins that crash: the process dies, and says of what.

use crate::support::{Guest, broken, run};
use std::{os::unix::process::ExitStatusExt, process::Output};
use trine_engine::{Environment, LogSettings, Wanted};
use trine_testkit::alone;

const SIGILL: i32 = 4;
const SIGABRT: i32 = 6;
const SIGFPE: i32 = 8;
const SIGSEGV: i32 = 11;

fn environment() -> Environment {
    Environment::new("/opt", LogSettings::default())
}

/// In a process of its own: loads and starts a plug-in with these macros. Returns what came of the process.
fn crash(test: &str, macros: &[&str]) -> Option<Output> {
    if alone::runs(test) {
        let folder = tempfile::tempdir().unwrap();
        let engine = trine_plugin::load(&broken(&folder, macros)).unwrap();
        drop(engine.start(&environment()).unwrap());
        return None;
    }
    Some(alone::output(test, &[]))
}

#[track_caller]
fn assert_told(output: &Output, signal: i32, told: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(signal), "{text}");
    let line = text.lines().find(|line| line.starts_with("trine: the plug-in /"));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    assert!(line.ends_with(told), "{line}");
    assert_eq!(text.matches("trine: the plug-in").count(), 1, "{text}");
}

#[test]
fn a_crash_in_start_names_the_file_and_the_signal() {
    let test = "crashes::a_crash_in_start_names_the_file_and_the_signal";
    let Some(output) = crash(test, &["-DSTART=*nowhere = 1"]) else { return };
    assert_told(&output, SIGSEGV, "broken.so crashed in `start` (SIGSEGV, segmentation fault)");
}

#[test]
fn an_abort_in_start_is_told() {
    let test = "crashes::an_abort_in_start_is_told";
    let Some(output) = crash(test, &["-DSTART=abort()"]) else { return };
    assert_told(&output, SIGABRT, "broken.so crashed in `start` (SIGABRT, aborted)");
}

#[test]
fn an_instruction_that_there_is_not_is_told() {
    let test = "crashes::an_instruction_that_there_is_not_is_told";
    let Some(output) = crash(test, &["-DSTART=__builtin_trap()"]) else { return };
    assert_told(&output, SIGILL, "broken.so crashed in `start` (SIGILL, illegal instruction)");
}

#[test]
fn a_signal_that_is_sent_is_told_and_ends_the_process() {
    let test = "crashes::a_signal_that_is_sent_is_told_and_ends_the_process";
    let start = "-DSTART=extern int raise(int); raise(8); return 0";
    let Some(output) = crash(test, &[start]) else { return };
    assert_told(&output, SIGFPE, "broken.so crashed in `start` (SIGFPE, floating point exception)");
}

#[test]
fn an_overflow_of_the_stack_is_told() {
    let test = "crashes::an_overflow_of_the_stack_is_told";
    let Some(output) = crash(test, &["-O0", "-DSTART=return overflow(0)"]) else { return };
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.signal().is_some(), "{text}");
    assert!(
        text.contains("broken.so crashed in `start` (SIGSEGV, segmentation fault)\n"),
        "{text}"
    );
}

#[test]
fn a_crash_while_the_library_is_loaded_is_told() {
    let test = "crashes::a_crash_while_the_library_is_loaded_is_told";
    let Some(output) = crash(test, &["-DAT_LOAD=*nowhere = 1"]) else { return };
    assert_told(
        &output,
        SIGSEGV,
        "broken.so crashed while it was loaded (SIGSEGV, segmentation fault)",
    );
}

#[test]
fn a_crash_while_a_file_is_loaded_is_told() {
    let test = "crashes::a_crash_while_a_file_is_loaded_is_told";
    if alone::runs(test) {
        let guest = Guest::new("at-load: crash\n");
        let _ = run(guest.load("app.shout", Wanted::Unnamed));
        return;
    }
    assert_told(
        &alone::output(test, &[]),
        SIGSEGV,
        "shout.so crashed in `load` (SIGSEGV, segmentation fault)",
    );
}

/// Once a plug-in has started, a crash of somebody else's is none of its.
#[test]
fn a_later_crash_of_the_process_is_not_the_plug_ins() {
    let test = "crashes::a_later_crash_of_the_process_is_not_the_plug_ins";
    if alone::runs(test) {
        let folder = tempfile::tempdir().unwrap();
        let engine = trine_plugin::load(&broken(&folder, &[])).unwrap();
        let _instance = engine.start(&environment()).unwrap();
        std::process::abort();
    }
    let output = alone::output(test, &[]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(SIGABRT), "{text}");
    assert!(!text.contains("trine: the plug-in"), "{text}");
}

/// A plug-in whose runtime handles signals itself keeps its handlers, and they may call those that were there before.
#[test]
fn handlers_that_a_plug_in_installs_stay() {
    let test = "crashes::handlers_that_a_plug_in_installs_stay";
    if alone::runs(test) {
        let folder = tempfile::tempdir().unwrap();
        let start = "-DSTART=extern void _exit(int); extern void *signal(int, void *); signal(6, _exit); return 0";
        let engine = trine_plugin::load(&broken(&folder, &[start])).unwrap();
        let _instance = engine.start(&environment()).unwrap();
        std::process::abort();
    }
    let output = alone::output(test, &[]);
    assert_eq!(output.status.code(), Some(SIGABRT), "{}", String::from_utf8_lossy(&output.stderr));
}
