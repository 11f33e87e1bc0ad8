//! Reactors: an instance that stays, whose functions are called.

use crate::support::{Guest, invocation, reactor, run};
use std::rc::Rc;
use trine_engine::{ErrorKind, Form, Hook, Payload, Wanted};

#[test]
fn a_function_takes_the_event_and_gives_its_result() {
    run(async {
        let guest = Guest::new(&reactor("", ""));
        let event = r#"{"n": 12345678901234567890.10}"#;
        assert_eq!(guest.answer(event).await.unwrap(), (event.into(), "application/json"));
        assert_eq!(guest.handle("").await.unwrap(), "null", "nothing is given back");
    });
}

#[test]
fn what_a_reactor_remembers_stays_between_calls() {
    run(async {
        let handle = "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (i32.store8 (local.get $pointer) (i32.add (i32.const 48) (global.get $calls)))
            (local.set $length (i32.const 1))";
        let guest = Guest::new(&reactor(handle, ""));
        let function = guest.load("handler").await.unwrap();
        for expected in ["1", "2", "3"] {
            assert_eq!(guest.call(function, "0").await.unwrap(), expected);
        }
        assert_eq!(guest.load("handle").await.unwrap(), function, "it is loaded once");
        assert!(guest.instance.usage().heap_bytes > 2 << 16);
    });
}

#[test]
fn initialize_runs_once_and_free_gets_what_was_returned() {
    run(async {
        let others = r#"(func (export "_initialize") (global.set $calls (i32.add (global.get $calls) (i32.const 1))))
            (func (export "free") (param $pointer i32) (param $length i32)
                (i32.store (i32.const 512) (i32.add (local.get $pointer) (local.get $length))))"#;
        // Answers with the digit of `$calls`, and a second one that says whether `free` has had the last result.
        let handle = "(i32.store8 (i32.const 2048) (i32.add (i32.const 48) (global.get $calls)))
            (i32.store8 (i32.const 2049) (i32.add (i32.const 48) (i32.eq (i32.load (i32.const 512)) (i32.const 2050))))
            (local.set $pointer (i32.const 2048)) (local.set $length (i32.const 2))";
        let guest = Guest::new(&reactor(handle, others));
        let function = guest.load("handle").await.unwrap();
        assert_eq!(guest.call(function, "0").await.unwrap(), "10");
        assert_eq!(guest.call(function, "0").await.unwrap(), "11");
    });
}

#[test]
fn another_name_is_another_function() {
    run(async {
        let others = r#"(func (export "other") (param i32 i32) (result i64)
            (i32.store8 (i32.const 2048) (i32.const 55)) (call $pack (i32.const 2048) (i32.const 1)))"#;
        let guest = Guest::new(&reactor("", others));
        let other = guest.load("other").await.unwrap();
        assert_eq!(guest.call(other, "{}").await.unwrap(), "7");
        assert_eq!(guest.handle("{}").await.unwrap(), "{}");
        let error = guest.load("othr").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
        assert_eq!(
            error.message(),
            "Handler 'othr' missing on module 'app'; it has: other, handle; did you mean 'other'?"
        );
    });
}

#[test]
fn wrong_places_of_results_are_told() {
    run(async {
        let guest = Guest::new(&reactor(
            "(local.set $pointer (i32.const 131000)) (local.set $length (i32.const 100))",
            "",
        ));
        let error = guest.handle("{}").await.unwrap_err();
        assert!(
            error.message().starts_with(
                "handle has returned 100 bytes at 131000, but the memory ends at 131072"
            ),
            "{error}"
        );
        let text = reactor("", "").replace("(i32.const 1024)", "(i32.const 131070)");
        let error = Guest::new(&text).handle("{\"a\": 1}").await.unwrap_err();
        assert_eq!(error.message(), "alloc(8) has returned 131070, but the memory ends at 131072");
        let text = reactor("", "").replace("(i32.const 1024)", "(i32.const 0)");
        let error = Guest::new(&text).handle("{}").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        assert_eq!(error.message(), "alloc(2) has returned 0: there is no room for the event");
    });
}

#[test]
fn a_memory_that_grows_in_alloc_is_looked_at_anew() {
    run(async {
        let text = reactor("", "").replace(
            "(i32.const 1024))",
            "(i32.mul (memory.grow (i32.const 1)) (i32.const 65536)))",
        );
        let guest = Guest::new(&text);
        for event in ["{}", "[1]", "\"a\""] {
            assert_eq!(guest.handle(event).await.unwrap(), event);
        }
    });
}

#[test]
fn hooks_change_values_or_keep_them() {
    run(async {
        let others = r#"(func (export "before") (param i32 i32) (result i64)
                (i32.store8 (i32.const 2048) (i32.const 55)) (call $pack (i32.const 2048) (i32.const 1)))
            (func (export "after") (param i32 i32) (result i64) (i64.const 0))"#;
        let guest = Guest::new(&reactor("", others));
        let exports = guest.exports(Wanted::Hooks).await.unwrap();
        assert_eq!(exports.others, ["handle"]);
        let call = async |hook| {
            let function = exports.hook(hook).unwrap();
            let input = Payload::json("{}");
            guest
                .instance
                .call(function, input, Form::Native, &Rc::clone(&invocation()))
                .await
                .unwrap()
        };
        assert_eq!(call(Hook::Before).await.into_bytes().unwrap().0, "7");
        assert!(matches!(call(Hook::After).await, Payload::Nothing));
        assert!(exports.hook(Hook::Error).is_none());
    });
}

#[test]
fn what_a_hook_returns_must_be_json() {
    run(async {
        let others = r#"(data (i32.const 4096) "Hello") (func (export "before") (param i32 i32) (result i64) (call $pack (i32.const 4096) (i32.const 5)))
            (func (export "after") (param i32 i32) (result i64) (call $pack (i32.const 4096) (i32.const 5)))"#;
        let guest = Guest::new(&reactor("", others));
        let exports = guest.exports(Wanted::Hooks).await.unwrap();
        for (hook, name) in [(Hook::Before, "before"), (Hook::After, "after")] {
            let function = exports.hook(hook).unwrap();
            for form in [Form::Native, Form::Json] {
                let call =
                    guest.instance.call(function, Payload::json("{}"), form, &invocation()).await;
                let error = call.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Marshal, "{error}");
                let path = guest.folder.join("app.wasm");
                let start = format!("{name} of {} has returned what is no JSON: ", path.display());
                assert!(error.message().starts_with(&start), "{error}");
                assert!(error.message().ends_with("it begins with \"Hello\""), "{error}");
            }
        }
        assert_eq!(guest.handle("{}").await.unwrap(), "{}", "the reactor goes on");
        let text = reactor(
            "(local.set $pointer (i32.const 4096)) (local.set $length (i32.const 5))",
            "(data (i32.const 4096) \"Hello\")",
        );
        let (answer, content_type) = Guest::new(&text).answer("{}").await.unwrap();
        assert_eq!((&*answer, content_type), ("Hello", "text/plain; charset=utf-8"), "a handler's");
    });
}

#[test]
fn a_reactor_that_exits_fails_and_is_started_anew() {
    run(async {
        let text = reactor("(call $exit (i32.const 0))", "").replace(
            "(memory (export",
            r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export"#,
        );
        let guest = Guest::new(&text);
        for _ in 0..2 {
            let error = guest.handle("{}").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Exit);
            assert!(error.message().ends_with("has ended with exit status 0"), "{error}");
        }
    });
}

#[test]
fn what_v8_has_beyond_the_first_version_is_there() {
    run(async {
        let others = r#"(memory $second 1)
            (table $functions 2 funcref) (elem declare func $one)
            (func $one (result i32) (i32.const 49))
            (func $tail (result i32) (return_call $one))
            (func $digit (result i32)
                (table.set $functions (i32.const 1) (ref.func $one))
                (i32.store8 $second (i32.const 0) (i32x4.extract_lane 2 (i32x4.splat (call $tail))))
                (i32.add (i32.load8_u $second (i32.const 0))
                    (i32.sub (call_indirect $functions (result i32) (i32.const 1)) (i32.const 49))))"#;
        let handle =
            "(i32.store8 (local.get $pointer) (call $digit)) (local.set $length (i32.const 1))";
        let text = reactor(handle, others);
        assert_eq!(Guest::new(&text).handle("0").await.unwrap(), "1");
        assert_eq!(Guest::limited(&text, 64).handle("0").await.unwrap(), "1");
    });
}
