//! Modules that cannot be loaded, and what is said of them. A check says the same without compiling.

use crate::support::{Guest, command, load_error, reactor, run};
use trine_engine::{Engine as _, ErrorKind, Presence, Wanted};
use trine_wasm::WasmEngine;

fn handler(name: &str) -> Wanted {
    Wanted::Handler(name.to_owned())
}

/// Returns the messages of loading and of checking these bytes, which agree.
fn told(bytes: &[u8]) -> (ErrorKind, String) {
    run(async {
        let guest = Guest::of_bytes(bytes, |_| ());
        let error = guest.exports(Wanted::Unnamed).await.unwrap_err();
        let checked = WasmEngine::new().check(&guest.module(Wanted::Unnamed)).unwrap_err();
        assert_eq!(checked.message(), error.message());
        (error.kind(), error.message().to_owned())
    })
}

#[test]
fn what_is_no_module_is_called_by_its_name() {
    let (kind, message) = told(b"(module)");
    assert_eq!(kind, ErrorKind::UserCodeSyntax);
    assert!(message.starts_with("Unable to load module 'app': /"), "{message}");
    assert!(message.contains("/app.wasm is WebAssembly in its text form"), "{message}");
    let (kind, message) = told(&wat::parse_str("(component)").unwrap());
    assert_eq!(kind, ErrorKind::Unsupported);
    assert!(message.contains("a WebAssembly component, which V8 does not run"), "{message}");
    let whole = wat::parse_str(reactor("", "")).unwrap();
    let (kind, message) = told(&whole[..whole.len() - 5]);
    assert_eq!(kind, ErrorKind::UserCodeSyntax);
    assert!(message.contains("a section is cut off at offset 0x"), "{message}");
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let guest = Guest::new("(module)");
    std::fs::remove_file(guest.folder.join("app.wasm")).unwrap();
    let error = run(guest.exports(Wanted::Unnamed)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ImportModule);
    assert!(error.message().contains("app.wasm: No such file"), "{error}");
}

#[test]
fn code_that_v8_refuses_is_told_with_its_reason() {
    let mut bytes = wat::parse_str(reactor("", "")).unwrap();
    // An instruction that does not exist.
    let at = bytes.windows(3).position(|code| code == [0x41, 0x80, 0x08]).unwrap();
    bytes[at] = 0xff;
    let guest = Guest::of_bytes(&bytes, |_| ());
    let error = run(guest.exports(Wanted::Unnamed)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UserCodeSyntax);
    assert!(
        error.message().contains("is no valid WebAssembly module: Compiling function #"),
        "{error}"
    );
    assert!(error.message().contains("Invalid opcode 0xff"), "{error}");
}

#[test]
fn imports_that_nobody_provides_are_listed_with_the_nearest() {
    let text = r#"(module
        (import "wasi_snapshot_preview1" "fd_reed" (func (param i32)))
        (import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32)))
        (import "wasi_unstable" "fd_read" (func))
        (import "env" "memory" (memory 1))
        (import "env" "sqrt" (func))
        (func (export "_start")))"#;
    let error = load_error(text, Wanted::Unnamed);
    assert_eq!(error.kind(), ErrorKind::ImportModule);
    for part in [
        "app.wasm imports what is not there: wasi_snapshot_preview1.fd_reed (did you mean fd_read?); ",
        "wasi_snapshot_preview1.fd_close as (i64) -> i32, which is (i32) -> i32",
        "wasi_unstable.fd_read (of the preview before preview 1",
        "env.memory (a memory) (link without --import-memory)",
        "env.sqrt (not defined when it was linked",
    ] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
}

#[test]
fn a_module_without_a_function_to_call_is_told_what_it_lacks() {
    let error = load_error(
        r#"(module (func (export "add") (param i32 i32) (result i32) i32.const 0))"#,
        handler("handler"),
    );
    assert_eq!(error.kind(), ErrorKind::HandlerNotFound);
    assert_eq!(
        error.message(),
        "module 'app' has no function to call: a command exports `_start()`; a reactor lacks its memory as `memory` and \
         `alloc(i32) -> i32` and `handle(i32, i32) -> i64`; it exports: add(i32, i32) -> i32"
    );
}

#[test]
fn a_function_of_another_type_is_told() {
    let text = reactor(
        "",
        r#"(func (export "get") (param i32) (result i32) i32.const 0) (global (export "n") i32 (i32.const 1))"#,
    );
    let error = load_error(&text, handler("get"));
    assert_eq!(
        error.message(),
        "'get' of module 'app' is of the type (i32) -> i32; it must be (i32, i32) -> i64"
    );
    let error = load_error(&text, handler("n"));
    assert_eq!(error.message(), "'n' of module 'app' is not a function (it is a global)");
    let text = text.replace("\"alloc\") (param i32)", "\"alloc\") (param i64)");
    let error = load_error(&text, handler("handle"));
    assert_eq!(
        error.message(),
        "'alloc' of module 'app' is of the type (i64) -> i32; it must be (i32) -> i32"
    );
}

#[test]
fn memories_for_threads_or_of_64_bits_are_told() {
    for (memory, part) in [("1 2 shared", "shares its memory"), ("i64 1", "addresses of 64 bits")] {
        let text =
            format!(r#"(module (memory (export "memory") {memory}) (func (export "_start")))"#);
        let error = load_error(&text, Wanted::Unnamed);
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains(part), "{error}");
    }
}

#[test]
fn a_check_tells_whether_the_function_is_there() {
    let check = |text: &str, wanted: Wanted| {
        let guest = Guest::new(text);
        WasmEngine::new().check(&guest.module(wanted))
    };
    assert_eq!(check(&command(""), Wanted::Unnamed).unwrap(), Presence::Possible);
    assert_eq!(check(&reactor("", ""), handler("handler")).unwrap(), Presence::Possible);
    let absent = |others: &[&str]| Presence::Absent {
        others: others.iter().map(|name| (*name).to_owned()).collect(),
    };
    assert_eq!(check(&reactor("", ""), handler("get")).unwrap(), absent(&["handle"]));
    assert_eq!(check(&command(""), handler("get")).unwrap(), absent(&["_start"]));
    let made_for_javascript =
        r#"(module (import "wbg" "log" (func)) (memory (export "memory") 1))"#;
    assert_eq!(check(made_for_javascript, Wanted::Unnamed).unwrap(), absent(&[]));
    let text = reactor("", r#"(func (export "get") (param i32) (result i32) i32.const 0)"#);
    let kind = "a function of the type (i32) -> i32".to_owned();
    assert_eq!(
        check(&text, handler("get")).unwrap(),
        Presence::NoFunction { name: "get".into(), kind }
    );
}

#[test]
fn a_module_is_loaded_by_several_instances_and_after_a_change() {
    run(async {
        let guest = Guest::new(&reactor("", ""));
        let other = WasmEngine::new().start(&guest.environment).unwrap();
        assert_eq!(guest.handle("1").await.unwrap(), "1");
        assert!(other.load(&guest.module(Wanted::Unnamed)).await.is_ok());
        let changed = wat::parse_str(reactor("(local.set $length (i32.const 0))", "")).unwrap();
        std::fs::write(guest.folder.join("app.wasm"), changed).unwrap();
        let third = WasmEngine::new().start(&guest.environment).unwrap();
        let function = third.load(&guest.module(Wanted::Unnamed)).await.unwrap().functions[0].1;
        let invocation = crate::support::invocation();
        let call = trine_testkit::guest::call(&third, function, "1", &invocation);
        assert_eq!(call.await.unwrap(), "null");
        assert_eq!(guest.handle("2").await.unwrap(), "2", "the first one as before");
        third.shutdown();
        assert!(third.load(&guest.module(Wanted::Unnamed)).await.is_err());
        drop(third);
        assert_eq!(guest.handle("3").await.unwrap(), "3");
    });
}

#[test]
fn threads_run_the_same_compiled_module_side_by_side() {
    let guest = Guest::new(&reactor("", ""));
    let (module, environment) = (guest.module(Wanted::Unnamed), &guest.environment);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let module = module.clone();
            scope.spawn(move || {
                run(async {
                    let instance = WasmEngine::new().start(environment).unwrap();
                    let function = instance.load(&module).await.unwrap().functions[0].1;
                    let (event, invocation) = (thread.to_string(), crate::support::invocation());
                    for _ in 0..200 {
                        let call =
                            trine_testkit::guest::call(&instance, function, &event, &invocation);
                        assert_eq!(call.await.unwrap(), event);
                    }
                });
            });
        }
    });
}
