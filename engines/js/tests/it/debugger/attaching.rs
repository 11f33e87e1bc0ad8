//! Who may attach, where targets are listed, and connections that go out.

use super::{
    announced, attached, client,
    client::{Client, get, get_over, opening, parts, request},
    debugged, free_address, handler, url,
};
use crate::support::{Guest, run};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};
use trine_engine::{DebugListener, Debuggers, Engine as _, ErrorKind};

const TEXT: &str = "export const handler = (event) => {\n  debugger;\n  return event;\n};";

#[test]
fn targets_are_listed_as_node_lists_its_own() {
    run(async {
        let guest = debugged(&[("app.mjs", TEXT)], false);
        let place = announced(&guest);
        let (address, id) = parts(&place);
        let list = |path: &str, host: &str| -> Value {
            let (status, body) = get(address, path, host);
            assert_eq!(status, 200, "{body}");
            serde_json::from_str(&body).unwrap()
        };
        assert_eq!(list("/json", "localhost")[0]["url"], "file://", "nothing is loaded yet");
        handler(&guest, "app.mjs").await;
        let targets = list("/json/list", &format!("localhost:{}", address.port()));
        let place = format!("localhost:{}{id}", address.port());
        let frontend = |page: &str| {
            format!("devtools://devtools/bundled/{page}?experiments=true&v8only=true&ws={place}")
        };
        let expected = json!([{
            "description": "node.js instance",
            "devtoolsFrontendUrl": frontend("js_app.html"),
            "devtoolsFrontendUrlCompat": frontend("inspector.html"),
            "faviconUrl": "https://nodejs.org/static/images/favicons/favicon.ico",
            "id": id[1..],
            "title": guest.folder.join("app.mjs"),
            "type": "node",
            "url": url(&guest, "app.mjs"),
            "webSocketDebuggerUrl": format!("ws://{place}"),
        }]);
        assert_eq!(targets, expected);
        let version = list("/json/version", "127.0.0.1");
        assert_eq!(version["Protocol-Version"], "1.1");
        assert!(version["Browser"].as_str().unwrap().starts_with("node.js/v"), "{version}");
        let other = guest.another();
        let urls = list("/json", "127.0.0.1");
        assert_eq!(urls.as_array().unwrap().len(), 2);
        other.shutdown();
        assert_eq!(list("/json", "127.0.0.1").as_array().unwrap().len(), 1);
    });
}

#[test]
fn foreign_hosts_unknown_targets_and_garbage_are_refused() {
    run(async {
        let guest = debugged(&[("app.mjs", TEXT)], false);
        let (address, path) = parts(&announced(&guest));
        for host in ["evil.example", "evil.example:9229", "localhost.evil.example", ""] {
            assert_eq!(get(address, "/json/list", host).0, 400, "{host}");
            let mut stream = TcpStream::connect(address).unwrap();
            let head = request(&mut stream, &opening(&path, host));
            assert!(head.starts_with("HTTP/1.1 400 "), "{host}: {head}");
        }
        let unknown = "/01234567-89ab-cdef-0123-456789abcdef";
        for place in [unknown, "/", "/json/new", "/ws", "/../json"] {
            let mut stream = TcpStream::connect(address).unwrap();
            let head = request(&mut stream, &opening(place, "localhost"));
            assert!(head.starts_with("HTTP/1.1 404 "), "{place}: {head}");
        }
        assert_eq!(get(address, &path, "localhost").0, 400, "no session was asked for");
        for garbage in [&b"\x16\x03\x01\x02\x00\x01\x00"[..], b"GET\r\n\r\n", &[0xff; 4096]] {
            let mut stream = TcpStream::connect(address).unwrap();
            let _ = stream.write_all(garbage);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
        // Frames that are none end their session alone, and what is no command is answered as such.
        let mut client = Client::connect(&announced(&guest));
        client.frame(0x8f, b"what");
        assert!(client.message().is_none());
        assert_eq!(get(address, "/json/list", "localhost").0, 200);
        handler(&guest, "app.mjs").await;
        let (client, ready) = attached(&guest, |mut client, ready| {
            client.frame(0x81, b"no command");
            let answer = client.message().unwrap();
            assert!(answer["error"].is_object(), "{answer}");
            assert!(client.answer("No.such", "{}")["error"].is_object());
            ready.send(()).unwrap();
        });
        ready.await.unwrap();
        client.join().unwrap();
    });
}

#[test]
fn an_address_that_cannot_be_had_is_an_error_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let environment = Guest::new("").environment.clone().with_debuggers(Debuggers {
        inspector: Some(DebugListener { address, waits: false }),
        adapter: None,
    });
    let error = trine_js::engine().start(&environment).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(error.message().contains(&address.to_string()), "{error:#}");
}

#[test]
fn several_clients_attach_side_by_side_and_one_after_the_other() {
    run(async {
        let guest = debugged(&[("app.mjs", TEXT)], false);
        let function = handler(&guest, "app.mjs").await;
        for _ in 0..2 {
            let place = announced(&guest);
            let (client, ready) = attached(&guest, move |mut one, ready| {
                let mut other = Client::connect(&place);
                other.ask("Debugger.enable", "{}");
                ready.send(()).unwrap();
                one.paused();
                other.paused();
                drop(one);
                other.resume();
            });
            ready.await.unwrap();
            assert_eq!(guest.call(function, "5").await.unwrap(), "5");
            client.join().unwrap();
        }
    });
}

#[test]
fn threads_of_guests_are_targets_of_their_own() {
    run(async {
        let text = "import { Worker } from 'node:worker_threads';
            export const handler = async () => {
                const worker = new Worker(new URL('./thread.mjs', import.meta.url));
                await new Promise((resolve) => worker.once('message', resolve));
            };";
        let thread = "import { parentPort } from 'node:worker_threads';
            globalThis.mark = 6 * 7;
            parentPort.on('message', () => {});
            parentPort.postMessage('ready');";
        let guest = debugged(&[("app.mjs", text), ("thread.mjs", thread)], false);
        let function = handler(&guest, "app.mjs").await;
        guest.call(function, "1").await.unwrap();
        let (address, _) = parts(&announced(&guest));
        let targets: Value = serde_json::from_str(&get(address, "/json", "localhost").1).unwrap();
        let thread = url(&guest, "thread.mjs");
        let target = targets.as_array().unwrap().iter().find(|target| target["url"] == *thread);
        let (_, path) = target.unwrap()["webSocketDebuggerUrl"]
            .as_str()
            .and_then(|place| place.strip_prefix("ws://")?.split_once('/'))
            .unwrap();
        let mut client = Client::connect(&format!("ws://{address}/{path}"));
        let params = json!({"expression": "mark"}).to_string();
        assert_eq!(client.ask("Runtime.evaluate", &params)["result"]["value"], 42);
        guest.instance.shutdown();
        while client.message().is_some() {}
    });
}

/// Makes a guest that listens nowhere, with its handler loaded, and a listener for what it connects to.
async fn calling() -> (Guest, trine_engine::FunctionId, TcpListener) {
    let guest = Guest::new(TEXT);
    let function = guest.handler().await;
    (guest, function, TcpListener::bind(free_address()).unwrap())
}

#[test]
fn a_guest_attaches_the_debugger_that_it_connects_to() {
    run(async {
        let (guest, function, listener) = calling().await;
        let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (client, _) = client(move |_| {
            let mut client = Client::over(listener.accept().unwrap().0, "/");
            client.ask("Runtime.enable", "{}");
            client.ask("Debugger.enable", "{}");
            client.ask("Runtime.runIfWaitingForDebugger", "{}");
            let paused = client.paused();
            let event = client.evaluate(&paused["callFrames"][0], "event");
            client.resume();
            while client.message().is_some() {}
            event
        });
        let session = guest.instance.attach_debugger(connection).await.unwrap();
        assert_eq!(guest.call(function, "8").await.unwrap(), "8");
        drop(session);
        assert_eq!(client.join().unwrap(), 8);
        assert_eq!(guest.call(function, "9").await.unwrap(), "9", "nobody is attached any more");
    });
}

#[test]
fn a_debugger_that_goes_before_it_attaches_is_not_waited_for() {
    run(async {
        let (guest, function, listener) = calling().await;
        let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (peer, _) = client(move |_| drop(listener.accept().unwrap()));
        let session = guest.instance.attach_debugger(connection).await.unwrap();
        peer.join().unwrap();
        assert_eq!(guest.call(function, "8").await.unwrap(), "8");
        drop(session);
    });
}

#[test]
fn whoever_is_called_may_ask_for_the_list_of_targets() {
    run(async {
        let (guest, _, listener) = calling().await;
        let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (peer, _) = client(move |_| {
            let (mut stream, _) = listener.accept().unwrap();
            get_over(&mut stream, "/json/list", "laptop.example:4444")
        });
        guest.instance.attach_debugger(connection).await.unwrap();
        let (status, body) = peer.join().unwrap();
        assert_eq!(status, 200);
        let targets: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(targets.as_array().unwrap().len(), 1);
    });
}

#[test]
fn an_interrupt_ends_the_wait_for_a_debugger_that_was_called() {
    run(async {
        let (guest, _, listener) = calling().await;
        let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let interrupter = guest.instance.interrupter();
        let (client, _) = client(move |_| {
            let mut client = Client::over(listener.accept().unwrap().0, "/any/path");
            client.ask("Runtime.enable", "{}");
            interrupter.interrupt();
            while client.message().is_some() {}
        });
        let error = guest.instance.attach_debugger(connection).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        client.join().unwrap();
    });
}
