//! Profiles, as `pstats` reads them.

use crate::harness::{Case, answer};
use std::process::Command;
use trine_testkit::alone;

/// Calls the functions while a profile is taken. Returns what `pstats` says about it, sorted by the time in each function.
fn profiled(source: &str, functions: &[&str]) -> String {
    let case = Case::new(&[("app.py", source)]);
    for function in functions {
        case.load("app", function).unwrap();
    }
    let profile = case.instance.profile().unwrap();
    for function in functions {
        case.call(function, "20000").unwrap();
    }
    let file = case.folder.join("profile.pstats");
    std::fs::write(&file, profile.finish().unwrap()).unwrap();
    // The profile has ended.
    case.call(functions[0], "1").unwrap();
    let script =
        "import pstats, sys; pstats.Stats(sys.argv[1]).sort_stats('tottime').print_stats()";
    let python = answer("import sys\ndef handler(event): return sys.executable\n", "1").unwrap();
    let shown =
        Command::new(python.trim_matches('"')).args(["-c", script]).arg(&file).output().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    String::from_utf8(shown.stdout).unwrap()
}

/// Returns how often a function was called, as `pstats` has printed it.
fn calls(shown: &str, function: &str) -> u64 {
    let line = shown.lines().find(|line| line.ends_with(&format!("({function})")));
    let line = line.unwrap_or_else(|| panic!("no {function} in {shown}"));
    let number = line.split_whitespace().next().unwrap();
    number.split('/').next().unwrap().parse().unwrap()
}

/// Runs a test in a process of its own: nobody else's code is to be in the profile, nor in its way.
fn alone(test: &str, body: impl FnOnce()) {
    alone::run(&format!("profiles::{test}"), &[], body);
}

#[test]
fn a_profile_has_what_handlers_have_called_and_how_long_it_took() {
    alone("a_profile_has_what_handlers_have_called_and_how_long_it_took", || {
        let source = "\
import asyncio

def hot(number):
    total = 0
    for each in range(number):
        total += each * each
    return total

def cold(number):
    return number

def plain(event):
    return [hot(event) for _ in range(20)] and cold(event)

async def waiting(event):
    await asyncio.sleep(0.001)
    return hot(event)
";
        let shown = profiled(source, &["plain", "waiting"]);
        assert_eq!(calls(&shown, "hot"), 21);
        assert_eq!(calls(&shown, "cold"), 1);
        assert_eq!(calls(&shown, "plain"), 1);
        // It goes on once it has waited.
        assert_eq!(calls(&shown, "waiting"), 2);
        assert!(!shown.contains("<trine>"), "{shown}");
        let hottest = shown.lines().skip_while(|line| !line.contains("ncalls")).nth(1).unwrap();
        assert!(hottest.ends_with("(hot)"), "{shown}");
    });
}

#[test]
fn threads_that_begin_meanwhile_are_in_the_profile() {
    alone("threads_that_begin_meanwhile_are_in_the_profile", || {
        let source = "\
import threading

def work(number):
    return sum(range(number))

def handler(event):
    threads = [threading.Thread(target=work, args=(event,)) for _ in range(3)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
";
        let shown = profiled(source, &["handler"]);
        assert_eq!(calls(&shown, "work"), 3);
    });
}

#[test]
fn one_profile_is_taken_at_a_time_and_one_that_nobody_wants_ends() {
    alone("one_profile_is_taken_at_a_time_and_one_that_nobody_wants_ends", || {
        let case = Case::new(&[("app.py", "def handler(event): return event\n")]);
        let first = case.instance.profile().unwrap();
        let failed = case.instance.profile().unwrap_err();
        assert_eq!(
            failed.message(),
            "Python cannot take a profile: a profile is being taken already"
        );
        drop(first);
        let next = case.instance.profile().unwrap();
        assert_eq!(case.call("handler", "1").unwrap(), "1");
        assert!(!next.finish().unwrap().is_empty());
    });
}
