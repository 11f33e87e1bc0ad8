//! Breakpoints, what is seen at them, and the ways on from there.

use crate::{alone, call, client::Client, debugged, load, port};
use serde_json::json;
use std::{path::Path, rc::Rc, sync::mpsc, thread};
use trine_engine::{Engine, Form, FunctionId, Invocation, Payload, Wanted};
use trine_testkit::guest::{self, Guest};

/// Attaches with breakpoints at lines of files, and then calls the `handler` of `app.py`. Returns its answer.
fn with_client(
    guest: &Guest,
    event: &str,
    breakpoints: &[(&str, &[u32])],
    conversation: impl FnOnce(Client) + Send + 'static,
) -> String {
    let handler = load(guest, "app.py").unwrap();
    let port = port(&guest.log);
    let breakpoints: Vec<_> =
        breakpoints.iter().map(|(file, lines)| (guest.folder.join(file), lines.to_vec())).collect();
    let (attached, is_attached) = mpsc::channel();
    let client = thread::spawn(move || {
        let breakpoints: Vec<_> =
            breakpoints.iter().map(|(path, lines)| (path.as_path(), lines.as_slice())).collect();
        let client = Client::attach(port, &breakpoints);
        attached.send(()).unwrap();
        conversation(client);
    });
    is_attached.recv().unwrap();
    let answer = call(guest, handler, event).unwrap();
    client.join().unwrap();
    answer
}

const APP: &str = "\
import helper

def handler(event):
    total = event + 1
    doubled = helper.double(total)
    return [total, doubled]
";

const HELPER: &str = "\
def double(number):
    result = number * 2
    return result
";

alone! {
    fn a_handler_is_looked_at_and_walked_through() {
        let guest = debugged(&[("app.py", APP), ("helper.py", HELPER)], |_| ());
        let answer = with_client(&guest, "20", &[("app.py", &[5])], |mut client| {
            let stop = client.stopped();
            assert_eq!(stop.reason, "breakpoint");
            assert_eq!(stop.frame(0), ("app.py".into(), "handler".into(), 5));
            assert_eq!(stop.frames.len(), 1, "{stop:?}");
            assert_eq!(client.local(&stop, "total"), "21");
            assert_eq!(client.evaluate(&stop, "total * 2"), "42");
            client.evaluate(&stop, "total = 30");
            client.go(&stop, "stepIn");
            let stop = client.stopped();
            assert_eq!(stop.frame(0), ("helper.py".into(), "double".into(), 2));
            client.go(&stop, "next");
            let stop = client.stopped();
            assert_eq!(stop.place(), ("double".into(), 3));
            assert_eq!(client.local(&stop, "result"), "60");
            client.go(&stop, "stepOut");
            let stop = client.stopped();
            assert_eq!(stop.frame(0).1, "handler");
            client.go(&stop, "continue");
        });
        assert_eq!(answer, "[30, 60]");
    }
}

alone! {
    fn a_coroutine_stops_before_and_after_it_waits() {
        let source = "\
import asyncio

async def part(number):
    await asyncio.sleep(0.01)
    return number * 2

async def handler(event):
    first = await part(event)
    second = await part(first)
    return second
";
        let guest = debugged(&[("app.py", source)], |_| ());
        let answer = with_client(&guest, "2", &[("app.py", &[5, 9])], |mut client| {
            let stop = client.stopped();
            assert_eq!(stop.frame(0), ("app.py".into(), "part".into(), 5));
            assert_eq!(stop.frame(1), ("app.py".into(), "handler".into(), 8));
            let ours = |frame: &serde_json::Value| frame.to_string().contains("<trine>");
            assert!(!stop.frames.iter().any(ours), "{stop:?}");
            assert_eq!(client.local(&stop, "number"), "2");
            client.go(&stop, "continue");
            let stop = client.stopped();
            assert_eq!(stop.place(), ("handler".into(), 9));
            assert_eq!(client.local(&stop, "first"), "4");
            client.go(&stop, "next");
            let stop = client.stopped();
            assert_eq!(stop.place(), ("part".into(), 5));
            client.go(&stop, "stepOut");
            let stop = client.stopped();
            assert_eq!(stop.place().0, "handler");
            client.go(&stop, "continue");
        });
        assert_eq!(answer, "8");
    }
}

alone! {
    fn generators_and_imported_modules_stop() {
        let app = "\
def handler(event):
    yield 'first\\n'
    import late
    yield late.name + '\\n'
";
        let late = "\
import json
name = json.loads('\"late\"')
";
        let guest = debugged(&[("app.py", app), ("late.py", late)], |_| ());
        let handler = load(&guest, "app.py").unwrap();
        let paths = ["app.py", "late.py"].map(|file| guest.folder.join(file));
        let breakpoints: [(&Path, &[u32]); 2] = [(&paths[0], &[3]), (&paths[1], &[2])];
        let mut client = Client::attach(port(&guest.log), &breakpoints);
        let client = thread::spawn(move || {
            let stop = client.stopped();
            assert_eq!(stop.frame(0), ("app.py".into(), "handler".into(), 3));
            client.go(&stop, "continue");
            let stop = client.stopped();
            assert_eq!(stop.frame(0), ("late.py".into(), "<module>".into(), 2));
            client.go(&stop, "continue");
            // It goes when all has been read.
            client
        });
        assert_eq!(streamed(&guest, handler), "first\nlate\n");
        client.join().unwrap();
    }
}

/// Calls a handler that streams. Returns all of its chunks.
fn streamed(guest: &Guest, handler: FunctionId) -> String {
    let invocation: Rc<Invocation> = guest::invocation("id-1").into();
    let stream = invocation.stream.get().clone();
    guest::run(async {
        let call = async {
            let input = Payload::json("1");
            guest.instance.call(handler, input, Form::Json, &invocation).await.unwrap();
            stream.finish(Ok(()));
        };
        let reading = async {
            let mut reader = stream.reader();
            let mut text = String::new();
            while let Some(chunk) = reader.chunk().await {
                text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
            text
        };
        tokio::join!(call, reading).1
    })
}

alone! {
    fn every_thread_that_runs_handlers_stops() {
        let source = "\
import threading

def work(found):
    found.append(threading.get_ident())

def handler(event):
    found = []
    thread = threading.Thread(target=work, args=(found,))
    thread.start()
    thread.join()
    return len(found)
";
        let guest = debugged(&[("app.py", source)], |_| ());
        let handler = load(&guest, "app.py").unwrap();
        let (folder, environment) = (guest.folder.path().to_owned(), guest.environment.clone());
        let (loaded, is_loaded) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        // As a worker of `--threads` is: another thread of the host's, with an instance that shares the modules.
        let other = thread::spawn(move || {
            let instance = trine_python::engine().start(&environment).unwrap();
            let module =
                guest::module(&folder, "app.py", Wanted::Handler("handler".to_owned()));
            let exports = guest::run(instance.load(&module)).unwrap();
            loaded.send(()).unwrap();
            gone.recv().unwrap();
            let invocation = guest::invocation("id-2").into();
            guest::run(guest::call(&instance, exports.functions[0].1, "1", &invocation)).unwrap()
        });
        is_loaded.recv().unwrap();
        let app = guest.folder.join("app.py");
        let mut client = Client::attach(port(&guest.log), &[(&app, &[4, 7])]);
        go.send(()).unwrap();
        let client = thread::spawn(move || {
            for _ in 0..2 {
                let stop = client.stopped();
                assert_eq!(stop.place(), ("handler".into(), 7));
                client.go(&stop, "continue");
                let inner = client.stopped();
                assert_eq!(inner.place(), ("work".into(), 4));
                assert_ne!(stop.thread, inner.thread);
                client.go(&inner, "continue");
            }
            client
        });
        assert_eq!(other.join().unwrap(), "1");
        assert_eq!(call(&guest, handler, "1").unwrap(), "1");
        client.join().unwrap();
    }
}

alone! {
    fn what_nobody_catches_stops_where_it_was_raised() {
        let source = "\
def fail(event):
    number = event + 1
    raise ValueError('no')

def handler(event):
    try:
        fail(1)
    except ValueError:
        pass
    fail(event)

async def waiting(event):
    handler(event)
";
        let guest = debugged(&[("app.py", source), ("broken.py", "import app\napp.fail(3)\n")], |_| ());
        let handler = load(&guest, "app.py").unwrap();
        let waiting = guest::run(guest.load("app.py", Wanted::Handler("waiting".to_owned())));
        let waiting = waiting.unwrap().functions[0].1;
        let mut client = Client::attach(port(&guest.log), &[]);
        client.request("setExceptionBreakpoints", json!({"filters": ["uncaught"]}));
        let client = thread::spawn(move || {
            for number in ["2", "3", "4", "2"] {
                let stop = client.stopped();
                assert_eq!(stop.reason, "exception");
                assert_eq!(stop.frame(0), ("app.py".into(), "fail".into(), 3));
                assert_eq!(client.local(&stop, "number"), number);
                client.go(&stop, "continue");
            }
            client
        });
        for (function, event) in [(handler, "1"), (waiting, "2")] {
            assert_eq!(call(&guest, function, event).unwrap_err().name(), "ValueError");
        }
        assert_eq!(load(&guest, "broken.py").unwrap_err().name(), "ValueError");
        assert_eq!(call(&guest, handler, "1").unwrap_err().name(), "ValueError");
        drop(client.join().unwrap());
        assert_eq!(guest.log.lines().len(), 1, "{}", guest.log.text());
    }
}

alone! {
    fn a_call_that_runs_stops_at_will() {
        let source = "\
def handler(event):
    print('spinning')
    going = True
    while going:
        pass
    return 'done'
";
        let guest = debugged(&[("app.py", source)], |_| ());
        let log = guest.log.clone();
        let answer = with_client(&guest, "1", &[], move |mut client| {
            log.wait_for("spinning");
            client.request("pause", json!({"threadId": "*"}));
            let stop = client.stopped();
            assert_eq!((stop.reason.as_str(), stop.place().0.as_str()), ("pause", "handler"));
            client.evaluate(&stop, "going = False");
            client.go(&stop, "continue");
        });
        assert_eq!(answer, "\"done\"");
    }
}

alone! {
    fn a_forked_child_runs_on() {
        let source = "\
import os

def work(number):
    return number + 1

def handler(event):
    child = os.fork()
    if child == 0:
        os._exit(work(6))
    _, status = os.waitpid(child, 0)
    return work(os.waitstatus_to_exitcode(status))
";
        let guest = debugged(&[("app.py", source)], |_| ());
        let answer = with_client(&guest, "1", &[("app.py", &[4])], |mut client| {
            let stop = client.stopped();
            assert_eq!(client.local(&stop, "number"), "7");
            client.go(&stop, "continue");
        });
        assert_eq!(answer, "8");
    }
}
