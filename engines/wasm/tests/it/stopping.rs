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
fn code_at_the_start_of_a_reactor_is_stopped() {
    run(async {
        let text = reactor("", r#"(func (export "_initialize") (loop $again (br $again)))"#);
        let guest = Guest::new(&text);
        let _interrupts = Interrupts::of(guest.instance.interrupter());
        assert_eq!(guest.load("handle").await.unwrap_err().kind(), ErrorKind::Timeout);
    });
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
