//! Exits, and what ends a process elsewhere: the invocation fails, the process continues.

use super::{ask, fails_and_goes_on, folder, lambda};

#[test]
fn asking_for_the_end_of_the_process_ends_the_invocation() {
    for (engine, what) in [
        ("js", "exit"),
        ("js", "denoExit"),
        ("js", "abort"),
        ("js", "kill"),
        ("python", "exit"),
        ("python", "exit_now"),
        ("python", "abort"),
        ("python", "kill"),
        ("lua", "exit"),
    ] {
        fails_and_goes_on(engine, what, "Runtime.ExitError");
    }
}

#[test]
fn the_exit_status_is_told() {
    for (engine, what) in
        [("js", "exit"), ("python", "exit"), ("python", "exit_now"), ("lua", "exit")]
    {
        let document = fails_and_goes_on(engine, what, "Runtime.ExitError");
        let message = document["errorMessage"].as_str().unwrap();
        assert!(message.contains("exit status 7"), "{engine} {what}: {message}");
    }
}

#[test]
fn what_exits_leaves_nothing_behind() {
    for engine in ["js", "python", "lua"] {
        let folder = folder(engine);
        let lambda = lambda(&folder, 512, &[]);
        assert_eq!(lambda.invoke(ask("fine")), 1);
        assert_eq!(lambda.invoke(ask("fine")), 2);
        lambda.fail(ask("exit"));
        assert_eq!(lambda.invoke(ask("fine")), 1, "{engine}: its modules were not loaded anew");
    }
}

#[test]
fn failures_beside_the_handler_get_their_own_types() {
    fails_and_goes_on("js", "rejection", "Runtime.UnhandledPromiseRejection");
    fails_and_goes_on("js", "timer", "Runtime.UncaughtException");
}

#[test]
fn a_threads_exception_is_logged_and_the_invocation_goes_on() {
    let folder = folder("python");
    let lambda = lambda(&folder, 512, &[]);
    assert_eq!(lambda.invoke(ask("thread")), "went on");
    let log = lambda.logged("KeyError");
    assert!(log.contains("in a thread"), "{log}");
}

#[test]
fn deep_recursion_is_an_error_in_each_language() {
    fails_and_goes_on("js", "overflow", "RangeError");
    fails_and_goes_on("python", "overflow", "RecursionError");
    fails_and_goes_on("lua", "overflow", "LuaError");
}

#[test]
fn results_that_are_nested_too_deeply_are_answered_and_the_process_goes_on() {
    for engine in ["js", "python", "lua"] {
        let folder = folder(engine);
        let lambda = lambda(&folder, 1024, &[]);
        let outcome = lambda.outcome(ask("nested"));
        assert!(outcome.error_type().is_some() || outcome.is_response(), "{engine}: {outcome:?}");
        assert!(lambda.invoke(ask("fine")).is_number(), "{engine}");
    }
}
