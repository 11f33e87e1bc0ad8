//! Tests of debuggers that come and go, of guests that are stopped meanwhile, and of clients that talk nonsense.

use crate::{
    adapter::{Client, Debugged},
    support::{Guest, handler, run},
};
use serde_json::json;
use std::{
    io::Read,
    net::{SocketAddr, TcpListener},
    thread,
    time::{Duration, Instant},
};
use trine_engine::{DebugListener, Debuggers, Engine, ErrorKind, debugged_time};
use trine_lua::LuaEngine;

const LOOP: &str = "function handler(event)\n  local n = 0\n  while event == 'spin' do\n    n = n + 1\n  end\n  return n\nend";

#[test]
fn a_guest_waits_for_a_debugger_before_its_first_statement() {
    let source = "local first = 1\nfunction handler() return first end";
    let guest = Debugged::within(30, &[("app.lua", source)], true);
    let address = guest.address;
    let script = thread::spawn(move || {
        // One that leaves before it is ready changes nothing.
        let mut early = Client::connect(address);
        early.greet();
        early.ask("disconnect", json!({}));
        let mut client = Client::next(address);
        client.ask("attach", json!({}));
        client.ask("configurationDone", json!(null));
        assert_eq!(client.stopped(), "entry app.lua:1 main chunk");
        assert_eq!(client.step("next"), "step app.lua:2 main chunk");
        client.go("continue");
        client
    });
    assert_eq!(run(guest.guest.handle("0")).unwrap(), "1");
    drop(script.join().unwrap());
    // Nobody waits any more.
    assert_eq!(run(guest.guest.handle("0")).unwrap(), "1");
}

#[test]
fn a_client_that_is_ready_before_the_guest_begins_stops_it_at_its_first_statement_too() {
    let source = "local first = 1\nfunction handler() return first end";
    let guest = Debugged::within(90, &[("app.lua", source)], true);
    let mut client = guest.next_client();
    client.ask("attach", json!({}));
    client.ask("configurationDone", json!(null));
    let (answer, ()) = guest.call("0", client, |client| {
        assert_eq!(client.stopped(), "entry app.lua:1 main chunk");
        client.go("continue");
    });
    assert_eq!(answer.unwrap(), "1");
}

#[test]
fn a_guest_that_waits_for_a_debugger_can_be_stopped() {
    let guest = Debugged::within(31, &[("app.lua", "return 1")], true);
    let interrupter = guest.guest.instance.interrupter();
    let thread = thread::spawn(move || {
        for _ in 0..100 {
            interrupter.interrupt();
            thread::sleep(Duration::from_millis(2));
        }
    });
    // An interrupt before the load begins does not count.
    let error = run(guest.guest.load("app", "handler")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    thread.join().unwrap();
}

#[test]
fn a_client_that_leaves_lets_the_guest_run() {
    let guest = Debugged::new(32, &[("app.lua", LOOP)]);
    let client = guest.attach(&[("app.lua", &[6])]);
    let (answer, ()) = guest.call("0", client, |client| {
        client.stopped();
        client.ask("disconnect", json!({}));
        assert!(client.read().is_none(), "the connection is closed");
    });
    assert_eq!(answer.unwrap(), "0");
    // What it wanted does not count any longer.
    assert_eq!(run(guest.guest.handle("0")).unwrap(), "0");
}

#[test]
fn a_client_that_is_cut_off_lets_the_guest_run() {
    let guest = Debugged::new(33, &[("app.lua", LOOP)]);
    let client = guest.attach(&[("app.lua", &[6])]);
    let (answer, ()) = guest.call("0", client, |client| {
        client.stopped();
        client.stream.shutdown(std::net::Shutdown::Both).unwrap();
    });
    assert_eq!(answer.unwrap(), "0");
}

#[test]
fn a_guest_that_stands_can_be_stopped() {
    let guest = Debugged::new(34, &[("app.lua", LOOP)]);
    let client = guest.attach(&[("app.lua", &[6])]);
    let interrupter = guest.guest.instance.interrupter();
    let (answer, ()) = guest.call("0", client, move |client| {
        client.stopped();
        interrupter.interrupt();
        client.event("continued");
        client.ask("disconnect", json!({}));
    });
    let error = answer.unwrap_err();
    assert_eq!((error.kind(), error.frames()[0].line), (ErrorKind::Timeout, 6));
    assert_eq!(run(guest.guest.handle("0")).unwrap(), "0");
}

#[test]
fn a_guest_that_runs_an_expression_without_end_can_be_stopped() {
    let guest = Debugged::new(35, &[("app.lua", LOOP)]);
    let client = guest.attach(&[("app.lua", &[6])]);
    let interrupter = guest.guest.instance.interrupter();
    let log = guest.guest.log.clone();
    let (answer, ()) = guest.call("0", client, move |client| {
        client.stopped();
        let thread = thread::spawn(move || {
            log.wait_for("begun");
            interrupter.interrupt();
        });
        let error = client
            .evaluate(0, "print('begun') or (function() while true do pcall(error) end end)()");
        assert_eq!(error.unwrap_err(), "the guest was stopped");
        thread.join().unwrap();
    });
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Timeout);
}

#[test]
fn a_loop_is_stopped_by_force_whatever_a_debugger_wants() {
    let guest = Debugged::new(36, &[("app.lua", LOOP)]);
    let mut client = guest.attach(&[]);
    // So every line is looked at, and none stops.
    client.set_breakpoints(&guest.path("app.lua"), json!([{"line": 4, "condition": "n < 0"}]));
    let interrupter = guest.guest.instance.interrupter();
    let (answer, ()) = guest.call("\"spin\"", client, move |client| {
        thread::sleep(Duration::from_millis(50));
        interrupter.interrupt();
        client.thread();
    });
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:#}");
    assert_eq!(run(guest.guest.handle("0")).unwrap(), "0");
}

#[test]
fn a_loop_is_stopped_and_warned_where_a_debugger_is_only_expected() {
    let source = "function handler(event)\n  local ok, why = pcall(function() while true do end end)\n  if event == 1 then return tostring(why) end\n  while true do end\nend";
    let guest = Debugged::new(37, &[("app.lua", source)]);
    run(async {
        let function = guest.guest.load("app", "handler").await.unwrap();
        for (event, interrupts) in [("1", false), ("2", true)] {
            let interrupter = guest.guest.instance.interrupter();
            let thread = thread::spawn(move || {
                thread::sleep(Duration::from_millis(50));
                interrupter.warn();
                if interrupts {
                    thread::sleep(Duration::from_millis(50));
                    interrupter.interrupt();
                }
            });
            let answer = guest.guest.call(function, event).await;
            thread.join().unwrap();
            match answer {
                Ok(answer) => assert_eq!(
                    (answer.as_str(), interrupts),
                    ("\"trine: deadline exceeded\"", false)
                ),
                Err(error) => assert_eq!((error.kind(), interrupts), (ErrorKind::Timeout, true)),
            }
        }
    });
}

#[test]
fn a_loop_can_be_paused_and_gets_breakpoints_while_it_runs() {
    let guest = Debugged::new(38, &[("app.lua", LOOP)]);
    // The file has run: what is paused is the handler.
    assert_eq!(run(guest.guest.handle("0")).unwrap(), "0");
    let client = guest.attach(&[]);
    let file = guest.path("app.lua");
    let (answer, ()) = guest.call("\"spin\"", client, move |client| {
        for _ in 0..20 {
            client.go("pause");
            let stopped = client.stopped();
            assert!(stopped.starts_with("pause app.lua:"), "{stopped}");
            assert!(client.locals(0).contains_key("event"));
            client.go("continue");
        }
        for _ in 0..20 {
            client.break_at(&file, &[4]);
            assert_eq!(client.stopped(), "breakpoint app.lua:4 handler");
            client.break_at(&file, &[]);
            client.go("continue");
        }
        client.go("pause");
        client.stopped();
        client.evaluate(0, "event = 'enough'").unwrap();
        client.go("continue");
    });
    assert!(answer.unwrap().parse::<u64>().is_ok());
}

#[test]
fn a_guest_that_runs_cannot_be_asked() {
    let guest = Debugged::new(39, &[("app.lua", LOOP)]);
    let mut client = guest.attach(&[]);
    let thread = client.thread();
    let named = json!({"threadId": thread});
    for command in ["stackTrace", "exceptionInfo", "continue", "next"] {
        assert!(client.try_ask(command, named.clone()).unwrap_err().contains("the guest runs"));
    }
    assert!(
        client.try_ask("stackTrace", json!({"threadId": 99})).unwrap_err().contains("no thread 99")
    );
    assert!(client.try_ask("evaluate", json!({"expression": "1"})).is_err());
    assert!(client.try_ask("scopes", json!({"frameId": 1_048_577})).is_err());
    assert!(client.try_ask("variables", json!(null)).is_err());
    assert!(client.try_ask("unheardOf", json!(null)).unwrap_err().contains("\"unheardOf\""));
    assert!(client.try_ask("setBreakpoints", json!({"source": 7})).is_err());
}

#[test]
fn nonsense_is_told_and_does_no_harm() {
    let guest = Debugged::new(40, &[("app.lua", LOOP)]);
    let mut client = guest.next_client();
    for body in ["", "nonsense", "[]", "{\"seq\": 1}", &"[".repeat(100_000)] {
        client.send_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        assert!(
            client.event("output")["output"].as_str().unwrap().starts_with("a message is "),
            "{body:.20}"
        );
    }
    client.thread();
    client.ask("disconnect", json!({}));
    for bytes in [
        &b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"[..],
        b"Content-Length: 99999999999999\r\n\r\n{",
        b"\r\n\r\n",
        &[0xff; 100_000],
    ] {
        let mut client = guest.next_client();
        client.send_raw(bytes);
        assert!(
            client.event("output")["output"].as_str().unwrap().contains("head") || bytes[0] == b'C'
        );
        // The connection ends, cleanly or not.
        let _ = client.stream.read_to_end(&mut Vec::new());
    }
    // A promise of much takes no memory, and leaving in the middle of a message is leaving.
    let mut client = guest.next_client();
    client.send_raw(b"Content-Length: 16000000\r\n\r\n{");
    drop(client);
    guest.next_client();
    assert_eq!(run(guest.guest.handle("0")).unwrap(), "0");
}

#[test]
fn the_first_request_has_to_be_the_protocols() {
    let guest = Debugged::new(41, &[("app.lua", LOOP)]);
    let mut client = Client::connect(guest.address);
    assert!(client.try_ask("threads", json!(null)).unwrap_err().contains("initialize"));
    client.greet();
}

#[test]
fn a_second_client_is_refused_while_one_is_attached() {
    let guest = Debugged::new(42, &[("app.lua", LOOP)]);
    let mut first = guest.attach(&[("app.lua", &[6])]);
    let mut second = Client::connect(guest.address);
    let refused = second.try_ask("initialize", json!({})).unwrap_err();
    assert_eq!(refused, "another debugger is attached to this process: disconnect it first");
    second.event("terminated");
    assert!(second.read().is_none());
    first.ask("disconnect", json!({}));
    drop(first);
    let (answer, ()) = guest.call("0", guest.next_client(), |client| {
        client.thread();
    });
    // The breakpoint went with the one that set it.
    assert_eq!(answer.unwrap(), "0");
}

#[test]
fn time_stands_still_while_a_debugger_is_attached() {
    let guest = Debugged::new(43, &[("app.lua", LOOP)]);
    let client = guest.attach(&[]);
    let before = debugged_time();
    thread::sleep(Duration::from_millis(5));
    assert!(debugged_time() >= before + Duration::from_millis(5));
    drop(client);
}

#[test]
fn instances_of_a_process_are_threads_of_one_listener() {
    let guest = Debugged::new(44, &[("app.lua", LOOP)]);
    let mut client = guest.attach(&[]);
    let other = LuaEngine::new().start(&guest.guest.environment).unwrap();
    assert_eq!(client.event("thread")["reason"], "started");
    let threads = client.ask("threads", json!(null));
    assert_eq!(threads["threads"], json!([{"id": 1, "name": "Lua 1"}, {"id": 2, "name": "Lua 2"}]));
    drop(other);
    assert_eq!(client.event("thread"), json!({"reason": "exited", "threadId": 2}));
    assert_eq!(guest.guest.log.lines().len(), 1, "one listener, one line");
}

#[test]
fn an_address_that_is_taken_fails_the_start() {
    let taken = TcpListener::bind(SocketAddr::from(([127, 0, 77, 45], 0))).unwrap();
    let address = taken.local_addr().unwrap();
    let mut environment = Guest::new("").environment.clone();
    let adapter = Some(DebugListener { address, waits: false });
    environment.debuggers = Debuggers { adapter, ..Debuggers::default() };
    let error = LuaEngine::new().start(&environment).err().unwrap();
    assert!(error.message().contains(&address.to_string()), "{error}");
}

#[test]
fn guests_work_where_a_debugger_is_expected_and_none_comes() {
    let body = "local t = {} for i = 1, 3 do t[i] = coroutine.wrap(function() coroutine.yield(i) end)() end trine.sleep(0.001) return t";
    let guest = Debugged::new(46, &[("app.lua", &handler(body))]);
    let begun = Instant::now();
    for _ in 0..100 {
        assert_eq!(run(guest.guest.handle("0")).unwrap(), "[1,2,3]");
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_hook_of_the_guests_works_until_a_debugger_wants_lines() {
    let body = "local n = 0 debug.sethook(function() n = n + 1 end, 'l')\nlocal a = 1\nlocal b = 2\ndebug.sethook() return n > 1";
    let guest = Debugged::new(47, &[("app.lua", &handler(body))]);
    assert_eq!(run(guest.guest.handle("0")).unwrap(), "true");
    let client = guest.attach(&[("app.lua", &[3])]);
    let (answer, ()) = guest.call("0", client, |client| {
        assert_eq!(client.stopped(), "breakpoint app.lua:3 handler");
        client.go("continue");
    });
    assert_eq!(answer.unwrap(), "false");
}
