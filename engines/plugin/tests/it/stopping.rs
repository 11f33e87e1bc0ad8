//! Interrupts from another thread.

use crate::support::{Guest, run};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use trine_engine::{Error, ErrorKind, Wanted};

/// Runs something of a guest's while another thread interrupts it again and again.
fn interrupted<T>(guest: &Guest, running: impl FnOnce() -> T) -> T {
    let interrupter = guest.instance.interrupter();
    let ended = Arc::new(AtomicBool::new(false));
    let sees = ended.clone();
    let other = thread::spawn(move || {
        while !sees.load(Ordering::SeqCst) {
            interrupter.interrupt();
            thread::sleep(Duration::from_millis(1));
        }
    });
    let result = running();
    ended.store(true, Ordering::SeqCst);
    other.join().unwrap();
    result
}

fn assert_stopped(error: &Error) {
    assert_eq!((error.kind(), error.message()), (ErrorKind::Timeout, Error::STOPPED));
    assert_eq!(error.name(), "Function.Timeout");
    assert!(error.poisons());
}

#[test]
fn an_endless_call_ends_with_its_place_and_the_next_one_runs() {
    let guest = Guest::new("spin: spin\nget: say A\n");
    let error = interrupted(&guest, || guest.fault("spin"));
    assert_stopped(&error);
    assert_eq!(error.frames()[0].line, 1);
    assert_eq!(guest.answer("get", "1").unwrap(), "\"A 1\"");
}

#[test]
fn a_plug_in_may_ask_the_host_instead_of_being_told() {
    let guest = Guest::new("spin: spin host\n");
    assert_stopped(&interrupted(&guest, || guest.fault("spin")));
}

#[test]
fn an_endless_load_ends() {
    let guest = Guest::new("at-load: spin\n");
    let load = || run(guest.load("app.shout", Wanted::Unnamed)).unwrap_err();
    assert_stopped(&interrupted(&guest, load));
}

#[test]
fn an_interrupt_between_calls_reaches_none() {
    let guest = Guest::new("get: say A\n");
    guest.instance.interrupter().interrupt();
    assert_eq!(guest.answer("get", "1").unwrap(), "\"A 1\"");
    let interrupter = guest.instance.interrupter();
    drop(guest);
    interrupter.interrupt();
}
