//! Interrupts from another thread.

use crate::support::{Guest, command, invocation, reactor, run};
use std::{
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use trine_engine::{Engine as _, ErrorKind, Form, Interrupter, Payload, Wanted};
use trine_wasm::WasmEngine;

/// The time after which something counts as hanging.
const LIMIT: Duration = Duration::from_secs(20);

/// Interrupts again and again until it is dropped, so that no test depends on when a call begins.
struct Interrupts {
    over: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Interrupts {
    fn of(interrupter: Interrupter) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let until = over.clone();
        let thread = thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(20));
                interrupter.interrupt();
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Interrupts once, after a while.
fn interrupt_once(interrupter: Interrupter) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        interrupter.interrupt();
    })
}

/// Waits for an hour, by a subscription at 256.
const WAIT: &str = "(i32.store (i32.const 272) (i32.const 1)) (i64.store (i32.const 280) (i64.const 3600000000000))
    (drop (call $poll (i32.const 256) (i32.const 512) (i32.const 1) (i32.const 600)))";

#[test]
fn code_that_does_not_end_is_stopped() {
    let loops = [
        "(loop $again (br $again))",
        "(loop $again (call $copy) (br $again))",
        "(local $i i32) (loop $again (local.set $i (i32.const 0))
            (loop $short (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $short (i32.lt_u (local.get $i) (i32.const 4))))
            (br $again))",
        "(loop $again (memory.fill (i32.const 8192) (i32.const 1) (i32.const 100000)) (br $again))",
        "(loop $again (block $caught (try_table (catch_all $caught) (loop $inner (br $inner)))) (br $again))",
        WAIT,
    ];
    for body in loops {
        run(async {
            let guest = Guest::new(&command(body));
            let function = guest.load("handler").await.unwrap();
            let began = Instant::now();
            let interrupts = Interrupts::of(guest.instance.interrupter());
            for _ in 0..2 {
                let error = guest.call(function, "{}").await.unwrap_err();
                assert_eq!(
                    (error.kind(), error.poisons()),
                    (ErrorKind::Timeout, false),
                    "{body}: {error}"
                );
            }
            drop(interrupts);
            assert!(began.elapsed() < LIMIT, "{body}");
        });
    }
}

/// Loops whose turns take long each, because what they do is done by V8 itself. V8 must look at every turn.
#[test]
fn loops_of_what_takes_long_are_stopped_by_one_interrupt() {
    let others =
        "(table $small 0 funcref) (table $large 1000000 funcref) (table $second 1000000 funcref)
        (table $references 0 externref) (elem $functions func $one) (func $one)
        (type $bytes (array (mut i8))) (data $data \"abc\")";
    let loops = [
        "(drop (memory.grow (i32.const 1)))",
        "(drop (memory.grow (i32.const 0)))",
        "(drop (memory.grow (i32.const 60000)))",
        "(drop (memory.grow (i32.const -1)))",
        "(drop (table.grow $small (ref.null func) (i32.const 1)))",
        "(drop (table.grow $small (ref.func $one) (i32.const 1)))",
        "(drop (table.grow $small (ref.func $one) (i32.const 1000)))",
        "(drop (table.grow $small (ref.null func) (i32.const -1)))",
        "(drop (table.grow $references (ref.null extern) (i32.const 1)))",
        "(table.fill $large (i32.const 0) (ref.func $one) (i32.const 1000000))",
        "(table.copy $large $second (i32.const 0) (i32.const 0) (i32.const 1000000))",
        "(table.init $large $functions (i32.const 0) (i32.const 0) (i32.const 1))",
        "(memory.fill (i32.const 8192) (i32.const 1) (i32.const 30000000))",
        "(memory.copy (i32.const 8192) (i32.const 8193) (i32.const 30000000))",
        "(memory.init $data (i32.const 8192) (i32.const 0) (i32.const 3))",
        "(drop (array.new $bytes (i32.const 1) (i32.const 30000000)))",
        "(array.fill $bytes (local.get $array) (i32.const 0) (i32.const 7) (i32.const 30000000))",
        "(array.copy $bytes $bytes (local.get $array) (i32.const 0) (local.get $array) (i32.const 1) (i32.const 29999999))",
    ];
    for body in loops {
        let before = match body.contains("(local.get $array)") {
            true => "(local.set $array (array.new $bytes (i32.const 1) (i32.const 30000000)))",
            false => "",
        };
        let text = command(&format!(
            "(local $array (ref null $bytes)) (drop (memory.grow (i32.const 500))) {before} (loop $again {body} (br $again))"
        ));
        let text = text.replacen("(global $calls", &format!("{others} (global $calls"), 1);
        for limit in [None, Some(256 << 20)] {
            run(async {
                let guest = Guest::within(&text, |environment| environment.memory_limit = limit);
                let function = guest.load("handler").await.unwrap();
                let began = Instant::now();
                let interrupting = interrupt_once(guest.instance.interrupter());
                let error = guest.call(function, "{}").await.unwrap_err();
                interrupting.join().unwrap();
                assert_eq!(error.kind(), ErrorKind::Timeout, "{body}: {error}");
                assert!(began.elapsed() < LIMIT, "{body}: {:?}", began.elapsed());
            });
        }
    }
}

#[test]
fn a_reactor_that_was_stopped_is_started_anew_and_others_go_on() {
    run(async {
        let handle = "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (if (i32.eq (global.get $calls) (i32.const 2)) (then (loop $again (br $again))))";
        let guest = Guest::new(&reactor(handle, ""));
        let function = guest.load("handle").await.unwrap();
        for _ in 0..2 {
            assert_eq!(guest.call(function, "{}").await.unwrap(), "{}");
            let interrupts = Interrupts::of(guest.instance.interrupter());
            assert_eq!(guest.call(function, "{}").await.unwrap_err().kind(), ErrorKind::Timeout);
            drop(interrupts);
        }
        assert_eq!(guest.call(function, "[]").await.unwrap(), "[]");
    });
}

#[test]
fn code_that_runs_when_a_module_is_loaded_is_stopped_and_can_be_loaded_again() {
    let starts = [
        r#"(func (export "_initialize") (loop $again (br $again)))"#,
        r#"(func (export "_initialize") (loop $again (memory.fill (i32.const 0) (i32.const 1) (i32.const 131072)) (br $again)))"#,
        "(func $first (loop $again (br $again))) (start $first)",
        "(func $first (loop $again (drop (memory.grow (i32.const 1))) (br $again))) (start $first)",
        "(func $first (call $second)) (func $second (call $third) (call $second)) (func $third) (start $second)",
    ];
    for others in &starts[..4] {
        run(async {
            let guest = Guest::new(&reactor("", others));
            for _ in 0..2 {
                let interrupting = interrupt_once(guest.instance.interrupter());
                let error = guest.load("handle").await.unwrap_err();
                interrupting.join().unwrap();
                assert_eq!(error.kind(), ErrorKind::Timeout, "{others}: {error}");
            }
            let fine = wat::parse_str(reactor("", "")).unwrap();
            std::fs::write(guest.folder.join("app.wasm"), fine).unwrap();
            assert_eq!(guest.handle("1").await.unwrap(), "1", "{others}");
        });
    }
    // One that has no end but that of the stack.
    let error = crate::support::load_error(&reactor("", starts[4]), Wanted::Unnamed);
    assert!(error.message().contains("call stack"), "{error}");
}

#[test]
fn an_interrupt_before_the_code_runs_is_not_lost_and_an_old_one_hits_nobody() {
    run(async {
        for text in [command("(call $copy)"), reactor("", "")] {
            let guest = Guest::new(&text);
            let function = guest.load("handler").await.unwrap();
            let interrupter = guest.instance.interrupter();
            interrupter.interrupt();
            assert_eq!(guest.call(function, "1").await.unwrap(), "1", "an old one");
            let invocation: Rc<_> = invocation();
            let call = guest.instance.call(function, Payload::json("1"), Form::Json, &invocation);
            interrupter.interrupt();
            assert_eq!(call.await.unwrap_err().kind(), ErrorKind::Timeout);
            assert_eq!(guest.call(function, "2").await.unwrap(), "2");
        }
    });
}

#[test]
fn interrupts_at_any_moment_hit_the_call_that_runs_and_no_other() {
    run(async {
        for text in [command("(call $copy)"), reactor("", "")] {
            let guest = Guest::new(&text);
            let function = guest.load("handler").await.unwrap();
            let interrupter = guest.instance.interrupter();
            let over = Arc::new(AtomicBool::new(false));
            let until = over.clone();
            let thread = thread::spawn(move || {
                while !until.load(Ordering::Relaxed) {
                    interrupter.interrupt();
                    thread::yield_now();
                }
            });
            for _ in 0..300 {
                match guest.call(function, "1").await {
                    Ok(answer) => assert_eq!(answer, "1"),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}"),
                }
                let other = WasmEngine::new().start(&guest.environment).unwrap();
                assert!(other.load(&guest.module(Wanted::Unnamed)).await.is_ok());
                match guest.instance.load(&guest.module(Wanted::Hooks)).await {
                    Ok(_) => {}
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}"),
                }
            }
            over.store(true, Ordering::Relaxed);
            thread.join().unwrap();
            for _ in 0..10 {
                assert_eq!(guest.call(function, "2").await.unwrap(), "2");
            }
        }
    });
}

#[test]
fn an_interrupt_while_a_module_is_loaded_is_told_as_such() {
    run(async {
        for _ in 0..50 {
            let guest = Guest::new(&reactor("", ""));
            let module = guest.module(Wanted::Unnamed);
            let load = guest.instance.load(&module);
            guest.instance.interrupter().interrupt();
            assert_eq!(load.await.unwrap_err().kind(), ErrorKind::Timeout);
            assert!(guest.instance.load(&module).await.is_ok());
        }
    });
}
