//! Clients that come and go, and debuggers that are not there.

use crate::{
    alone, call, client::Client, debugged, holds_up_time, listening, load, packages, port,
    wait_for_time_to_pass,
};
use serde_json::json;
use std::{net::TcpListener, path::Path, thread};
use trine_engine::{Access, Engine, ErrorKind, Permissions, Stream, Wanted};
use trine_testkit::guest::{self, Guest};

const APP: &str = "\
def handler(event):
    total = event + 1
    return total
";

/// Calls a handler that stops, and lets the client go its way there. Returns the answer.
fn left(guest: &Guest, leave: impl FnOnce(Client) + Send + 'static) -> String {
    let handler = load(guest, "app.py").unwrap();
    let mut client = Client::attach(port(&guest.log), &[(&guest.folder.join("app.py"), &[3])]);
    let client = thread::spawn(move || {
        client.stopped();
        assert!(holds_up_time());
        leave(client);
    });
    let answer = call(guest, handler, "1").unwrap();
    client.join().unwrap();
    wait_for_time_to_pass();
    // Nobody is there to stop for.
    assert_eq!(call(guest, handler, "2").unwrap(), "3");
    answer
}

alone! {
    fn a_call_that_stands_goes_on_when_its_debugger_says_goodbye() {
        let guest = debugged(&[("app.py", APP)], |_| ());
        let answer = left(&guest, |mut client| {
            client.request("disconnect", json!({}));
        });
        assert_eq!(answer, "2");
    }
}

alone! {
    fn a_call_that_stands_goes_on_when_its_debugger_is_gone() {
        let guest = debugged(&[("app.py", APP)], |_| ());
        assert_eq!(left(&guest, drop), "2");
    }
}

alone! {
    fn one_debugger_comes_after_another_and_outlives_an_instance() {
        let guest = debugged(&[("app.py", APP)], |_| ());
        assert!(!holds_up_time());
        for _ in 0..2 {
            assert_eq!(left(&guest, drop), "2");
        }
        guest.instance.shutdown();
        let mut next = guest;
        next.instance = trine_python::engine().start(&next.environment).unwrap();
        assert_eq!(left(&next, drop), "2");
        let text = next.log.text();
        assert_eq!(text.matches("listening on").count(), 1, "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

alone! {
    fn the_end_does_not_wait_for_the_debugger_and_says_nothing() {
        let guest = debugged(&[("app.py", APP)], |_| ());
        let handler = load(&guest, "app.py").unwrap();
        let _client = Client::attach(port(&guest.log), &[]);
        assert_eq!(call(&guest, handler, "1").unwrap(), "2");
        guest.instance.shutdown();
        assert_eq!(guest.log.lines().len(), 1, "{}", guest.log.text());
    }
}

alone! {
    fn the_log_says_where_it_listens_and_children_inherit_nothing_of_it() {
        let source = "\
import os
def handler(event):
    return [name for name in os.environ if 'PYDEV' in name]
";
        let guest = debugged(&[("app.py", source)], |_| ());
        let handler = load(&guest, "app.py").unwrap();
        let [(stream, line)] = &guest.log.pieces()[..] else { panic!("{}", guest.log.text()) };
        assert_eq!(*stream, Stream::Stderr);
        let (start, rest) = line.split_once(&port(&guest.log).to_string()).unwrap();
        assert_eq!(start, "Python debugger listening on 127.0.0.1:");
        assert!(rest.starts_with(" (debugpy 1.") && rest.ends_with(")\n"), "{line}");
        assert_eq!(call(&guest, handler, "1").unwrap(), "[]");
    }
}

alone! {
    fn without_debugpy_the_error_says_what_to_install_and_where_it_was_looked_for() {
        let guest = Guest::start(&trine_python::engine(), &[("app.py", APP)], |environment, _| {
            environment.debuggers = listening(false);
        });
        let failed = load(&guest, "app.py").unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Unsupported);
        let text = failed.message();
        assert!(text.contains("pip install debugpy (looked in "), "{text}");
        assert!(text.contains(guest.folder.to_str().unwrap()), "{text}");
        // Another attempt finds what has been installed meanwhile.
        guest.folder.write("debugpy/__init__.py", "raise ValueError('much\\ntoo old')\n");
        let failed = load(&guest, "app.py").unwrap_err();
        let expected = "the installed debugpy does not work here: ValueError: much too old";
        assert_eq!(failed.message(), expected);
    }
}

alone! {
    fn an_address_that_is_taken_is_an_error() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = taken.local_addr().unwrap();
        let guest = debugged(&[("app.py", APP)], |environment| {
            environment.debuggers.adapter.as_mut().unwrap().address = address;
        });
        let failed = load(&guest, "app.py").unwrap_err();
        let start = format!("the debugger for Python cannot listen on {address}: ");
        assert!(failed.message().starts_with(&start), "{failed}");
        drop(taken);
        load(&guest, "app.py").unwrap();
        assert_eq!(port(&guest.log), address.port());
    }
}

alone! {
    fn functions_side_by_side_have_one_debugger() {
        let other = "\
import json

def handler(event):
    import fractions
    return json.dumps(event)
";
        let guest = debugged(&[("app.py", APP), ("other/app.py", other)], |_| ());
        let first = load(&guest, "app.py").unwrap();
        let root = guest.folder.join("other");
        let module = guest::module(&root, "app.py", Wanted::Handler("handler".to_owned()));
        let second = guest::run(guest.instance.load(&module)).unwrap().functions[0].1;
        let paths = [guest.folder.join("app.py"), root.join("app.py")];
        let breakpoints: [(&Path, &[u32]); 2] = [(&paths[0], &[3]), (&paths[1], &[5])];
        let mut client = Client::attach(port(&guest.log), &breakpoints);
        let client = thread::spawn(move || {
            for _ in 0..2 {
                let stop = client.stopped();
                assert_eq!(client.local(&stop, "event"), "1");
                assert_eq!(client.evaluate(&stop, "__import__('colorsys').__name__"), "'colorsys'");
                client.go(&stop, "continue");
            }
            client
        });
        assert_eq!(call(&guest, second, "1").unwrap(), "\"1\"");
        assert_eq!(call(&guest, first, "1").unwrap(), "2");
        client.join().unwrap();
    }
}

alone! {
    fn functions_with_narrowed_permissions_can_be_debugged() {
        let guest = debugged(&[("app.py", APP)], |environment| {
            let mut permissions = Permissions::default();
            // Anything but this and reading its code is denied. The debugger is beside it only by a link.
            permissions.allow(Access::Net, "example.com:443".parse().unwrap()).unwrap();
            permissions.allow(Access::Read, packages().to_str().unwrap().parse().unwrap()).unwrap();
            environment.permissions = permissions.into();
        });
        let handler = load(&guest, "app.py").unwrap();
        for _ in 0..2 {
            let app = guest.folder.join("app.py");
            let mut client = Client::attach(port(&guest.log), &[(&app, &[3])]);
            let client = thread::spawn(move || {
                let stop = client.stopped();
                assert_eq!(client.local(&stop, "total"), "2");
                let refused = "__import__('socket').create_connection(('127.0.0.1', 1))";
                let arguments = json!({
                    "expression": refused, "frameId": stop.frames[0]["id"], "context": "repl"
                });
                let answer = client.refused("evaluate", arguments);
                assert!(answer.contains("PermissionError"), "{answer}");
                client.go(&stop, "continue");
                client
            });
            assert_eq!(call(&guest, handler, "1").unwrap(), "2");
            client.join().unwrap();
            wait_for_time_to_pass();
        }
        assert_eq!(guest.log.lines().len(), 1, "{}", guest.log.text());
    }
}

alone! {
    fn a_debugger_that_ends_the_process_has_it_finish_its_work() {
        let source = "\
import signal
signal.signal(signal.SIGTERM, lambda *_: print('finishing'))

def handler(event):
    total = event + 1
    return total
";
        let guest = debugged(&[("app.py", source)], |environment| environment.main_thread = true);
        let handler = load(&guest, "app.py").unwrap();
        let app = guest.folder.join("app.py");
        let mut client = Client::attach(port(&guest.log), &[(&app, &[6])]);
        let client = thread::spawn(move || {
            client.stopped();
            client.request("disconnect", json!({"terminateDebuggee": true}));
        });
        assert_eq!(call(&guest, handler, "1").unwrap(), "2");
        client.join().unwrap();
        assert_eq!(call(&guest, handler, "2").unwrap(), "3");
        guest.log.wait_for("finishing");
        wait_for_time_to_pass();
    }
}

alone! {
    fn what_a_handler_prints_is_seen_in_the_log_and_by_the_debugger() {
        let source = "\
import sys

def handler(event):
    print('to', event)
    print('warned', file=sys.stderr)
";
        let guest = debugged(&[("app.py", source)], |_| ());
        let handler = load(&guest, "app.py").unwrap();
        let port = port(&guest.log);
        let options = json!({"justMyCode": true, "redirectOutput": true});
        let mut client = Client::attach_with(port, options, &[]);
        call(&guest, handler, "1").unwrap();
        let mut seen = String::new();
        while !seen.contains("warned") {
            seen += client.event("output")["output"].as_str().unwrap();
        }
        assert!(seen.contains("to 1\n"), "{seen}");
        client.request("disconnect", json!({}));
        drop(client);
        call(&guest, handler, "2").unwrap();
        let text = guest.log.text();
        let (_, printed) = text.split_once(")\n").unwrap();
        assert_eq!(printed, "to 1\nwarned\nto 2\nwarned\n");
    }
}
