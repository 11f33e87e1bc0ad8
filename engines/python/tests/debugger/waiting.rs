//! Guests that wait for a debugger, and the interruption of what waits or stands.

use crate::{alone, call, client::Client, debugged, holds_up_time, listening, load, port};
use std::thread;
use trine_engine::ErrorKind;

const APP: &str = "\
import json

limit = 3

def handler(event):
    return event + limit
";

alone! {
    fn guests_wait_for_the_debugger_and_stop_at_their_first_statement() {
        let guest = debugged(&[("app.py", APP)], |environment| {
            environment.debuggers = listening(true);
        });
        let log = guest.log.clone();
        let client = thread::spawn(move || {
            let port = port(&log);
            assert!(holds_up_time());
            let mut client = Client::attach(port, &[]);
            let stop = client.stopped();
            assert_eq!(stop.reason, "entry");
            assert_eq!(stop.frame(0), ("app.py".into(), "<module>".into(), 1));
            client.go(&stop, "next");
            let stop = client.stopped();
            assert_eq!(stop.place(), ("<module>".into(), 3));
            client.go(&stop, "continue");
            client
        });
        let handler = load(&guest, "app.py").unwrap();
        let client = client.join().unwrap();
        assert_eq!(call(&guest, handler, "1").unwrap(), "4");
        drop(client);
        // Once is enough.
        load(&guest, "app.py").unwrap();
    }
}

alone! {
    fn a_wait_for_the_debugger_can_be_interrupted() {
        let guest = debugged(&[("app.py", APP)], |environment| {
            environment.debuggers = listening(true);
        });
        let (log, interrupter) = (guest.log.clone(), guest.instance.interrupter());
        let watchdog = thread::spawn(move || {
            port(&log);
            interrupter.interrupt();
        });
        let failed = load(&guest, "app.py").unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Timeout, "{failed:#}");
        watchdog.join().unwrap();
        assert!(!holds_up_time());
        // The next attempt waits again.
        let client = attach_and_continue(&guest.log);
        let handler = load(&guest, "app.py").unwrap();
        assert_eq!(call(&guest, handler, "1").unwrap(), "4");
        client.join().unwrap();
    }
}

alone! {
    fn on_the_main_thread_a_signal_interrupts_the_wait() {
        let guest = debugged(&[("app.py", APP)], |environment| {
            environment.debuggers = listening(true);
            environment.main_thread = true;
        });
        let (log, interrupter) = (guest.log.clone(), guest.instance.interrupter());
        let watchdog = thread::spawn(move || {
            port(&log);
            interrupter.interrupt();
        });
        let failed = load(&guest, "app.py").unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Timeout, "{failed:#}");
        watchdog.join().unwrap();
    }
}

fn attach_and_continue(
    log: &std::sync::Arc<trine_testkit::guest::Log>,
) -> thread::JoinHandle<Client> {
    let log = log.clone();
    thread::spawn(move || {
        let mut client = Client::attach(port(&log), &[]);
        let stop = client.stopped();
        client.go(&stop, "continue");
        client
    })
}

/// Interrupts a call that stands at a breakpoint; the next one stops there again.
fn interrupt_where_it_stands(main_thread: bool) {
    let guest = debugged(&[("app.py", APP)], |environment| {
        environment.main_thread = main_thread;
    });
    let handler = load(&guest, "app.py").unwrap();
    let app = guest.folder.join("app.py");
    let mut client = Client::attach(port(&guest.log), &[(&app, &[6])]);
    let interrupter = guest.instance.interrupter();
    let client = thread::spawn(move || {
        client.stopped();
        interrupter.interrupt();
        let again = client.stopped();
        assert_eq!(again.place(), ("handler".into(), 6));
        client.go(&again, "continue");
        client
    });
    let failed = call(&guest, handler, "1").unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::Timeout, "{failed:#}");
    assert_eq!(call(&guest, handler, "1").unwrap(), "4");
    client.join().unwrap();
    assert_eq!(guest.log.lines().len(), 1, "{}", guest.log.text());
}

alone! {
    fn a_call_that_stands_can_be_interrupted_and_the_next_one_stops_again() {
        interrupt_where_it_stands(false);
    }
}

alone! {
    fn so_can_one_on_the_main_thread() {
        interrupt_where_it_stands(true);
    }
}
