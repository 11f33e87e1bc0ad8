//! Traps and exceptions.

use crate::support::{Guest, command, reactor, run};
use trine_engine::ErrorKind;

#[test]
fn a_trap_is_an_error_with_the_guests_frames() {
    run(async {
        let text = reactor(
            "(drop (call $divide (i32.const 1) (i32.const 0)))",
            "(func $divide (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))",
        );
        let error = Guest::new(&text).handle("{}").await.unwrap_err();
        assert_eq!(
            (error.kind(), error.name(), error.poisons()),
            (ErrorKind::Guest, "RuntimeError", false)
        );
        assert_eq!(error.message(), "divide by zero");
        let functions: Vec<&str> = error.frames().iter().map(|frame| &*frame.function).collect();
        assert_eq!(functions, ["divide", "handle"]);
        assert!(error.frames()[0].file.ends_with("/app.wasm"));
        let bytes = wat::parse_str(&text).unwrap();
        let division =
            bytes.windows(5).position(|code| code == [0x20, 0, 0x20, 1, 0x6d]).unwrap() + 4;
        assert_eq!(error.stack()[1], format!("    at divide (app.wasm:{division:#x})"));
        let limited = Guest::limited(&text, 64).handle("{}").await.unwrap_err();
        assert_eq!(limited.stack(), error.stack(), "a limit does not move the code");
        assert_eq!(limited.context(), [("memory", "0.1 of 64 MB".to_owned())]);
    });
}

#[test]
fn a_reactor_that_trapped_is_started_anew() {
    run(async {
        let handle = "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (if (i32.eq (global.get $calls) (i32.const 2)) (then unreachable))";
        let guest = Guest::new(&reactor(handle, ""));
        let function = guest.load("handle").await.unwrap();
        for _ in 0..3 {
            assert_eq!(guest.call(function, "{}").await.unwrap(), "{}");
            assert_eq!(guest.call(function, "{}").await.unwrap_err().message(), "unreachable");
        }
    });
}

#[test]
fn deep_recursion_is_an_error_and_no_crash() {
    run(async {
        let text = reactor("(call $deep)", "(func $deep (call $deep) (call $deep))");
        let guest = Guest::new(&text);
        for _ in 0..2 {
            let error = guest.handle("{}").await.unwrap_err();
            assert_eq!((error.kind(), error.name()), (ErrorKind::Guest, "RangeError"));
        }
    });
}

#[test]
fn an_exception_that_nobody_catches_is_an_error() {
    run(async {
        let text = reactor("(throw $thrown)", "(tag $thrown)");
        let error = Guest::new(&text).handle("{}").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Guest);
        assert!(error.message().contains("exception"), "{error}");
    });
}

#[test]
fn a_command_that_traps_tells_what_it_logged_before() {
    run(async {
        let guest = Guest::new(&command(
            "(call $print (i32.const 2) (i32.const 4300) (i32.const 10)) unreachable",
        ));
        let error = guest.handle("{}").await.unwrap_err();
        assert_eq!(error.message(), "unreachable");
        assert_eq!(guest.log.text(), "one\ntwo\nth\n");
    });
}

#[test]
fn garbage_pointers_are_errors_of_the_function_called() {
    run(async {
        // Prints the error's number of a write whose list of buffers lies beyond the memory.
        let body = "(i32.store8 (i32.const 4096) (i32.add (i32.const 38) (call $write (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 8))))
            (call $print (i32.const 1) (i32.const 4096) (i32.const 1))";
        let answer = Guest::new(&command(body)).handle("{}").await.unwrap();
        assert_eq!(answer.as_bytes(), [38 + 21], "EFAULT");
    });
}
