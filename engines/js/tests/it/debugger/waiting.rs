//! Guests that wait for a debugger before their first statement.

use super::{announced, client, client::Client, debugged, handler, url};
use crate::support::run;
use trine_engine::{ErrorKind, Wanted};

/// Attaches to a guest of this file that waits, and lets it run; returns where it stopped first.
fn first_stop(file: &'static str, text: &str) -> serde_json::Value {
    run(async {
        let guest = debugged(&[(file, text)], true);
        let url = url(&guest, file);
        let place = announced(&guest);
        let (client, _) = client(move |_| {
            let mut client = Client::connect(&place);
            client.ask("NodeRuntime.enable", "{}");
            client.event("NodeRuntime.waitingForDebugger");
            client.ask("Runtime.enable", "{}");
            client.ask("Debugger.enable", "{}");
            client.ask("Runtime.runIfWaitingForDebugger", "{}");
            let paused = client.paused();
            assert_eq!(client.url(&paused["callFrames"][0]), url);
            client.resume();
            paused
        });
        let function = handler(&guest, file).await;
        let answer = guest.call(function, "3").await;
        let paused = client.join().unwrap();
        assert_eq!(answer.unwrap(), "4");
        // The client is gone; what waits once does not wait again.
        let another = guest.another();
        let wanted = Wanted::Handler("handler".to_owned());
        another.load(&guest.module(file, wanted)).await.unwrap();
        paused
    })
}

#[test]
fn guests_that_wait_stop_at_their_first_statement() {
    let handler = "export const handler = (event) => event + 1;\n";
    for (file, text) in [
        ("app.mjs", "const first = 1;\nexport const handler = (event) => event + first;\n"),
        ("app.mts", "const first: number = 1;\nexport const handler = (event) => event + first;\n"),
        ("app.cjs", "const first = 1;\nexports.handler = (event) => event + first;\n"),
        ("app.cts", "const first: number = 1;\nexports.handler = (event) => event + first;\n"),
        // What it imports is code of ours, some of which runs now.
        ("app.mjs", &format!("import repl from 'node:repl'; repl.start;\n{handler}")),
    ] {
        let paused = first_stop(file, text);
        assert_eq!(paused["reason"], "Break on start", "{text}{paused}");
        let frame = &paused["callFrames"][0];
        assert_eq!(frame["location"]["lineNumber"], 0, "{text}{frame}");
    }
}

#[test]
fn guests_that_have_nothing_but_functions_stop_in_the_first_that_is_called() {
    let paused =
        first_stop("app.mjs", "export function handler(event) {\n  return event + 1;\n}\n");
    assert_eq!(paused["reason"], "Break on start", "{paused}");
    assert_eq!(paused["callFrames"][0]["functionName"], "handler", "{paused}");
}

#[test]
fn an_interrupt_ends_the_wait_for_a_debugger() {
    run(async {
        let guest = debugged(&[("app.mjs", "export const handler = () => 1;")], true);
        let place = announced(&guest);
        let interrupter = guest.instance.interrupter();
        let (client, _) = client(move |_| {
            let mut client = Client::connect(&place);
            // Who is answered is served by an instance that waits.
            client.ask("Runtime.enable", "{}");
            interrupter.interrupt();
            client
        });
        let loaded = guest.load("app.mjs", Wanted::Handler("handler".to_owned())).await;
        assert_eq!(loaded.unwrap_err().kind(), ErrorKind::Timeout);
        drop(client.join().unwrap());
    });
}
