//! Breakpoints, steps and values.

use super::{announced, attached, client::Client, debugged, handler, source_map::SourceMap, url};
use crate::support::{Guest, run};
use serde_json::{Value, json};
use trine_engine::DebugListener;

const TYPESCRIPT: &str = "interface Item {
  price: number;
  count: number;
}

function total(items: Item[]): number {
  let sum = 0;
  for (const item of items) {
    const cost: number = item.price * item.count;
    sum += cost;
  }
  return sum;
}

export const handler = async (event: { items: Item[] }) => {
  const answer: number = total(event.items);
  return { answer };
};
";

/// Sets a breakpoint, which is found at once; returns its id.
fn set(client: &mut Client, url: &str, (line, column): (i64, i64)) -> Value {
    let params = json!({"url": url, "lineNumber": line, "columnNumber": column});
    let set = client.ask("Debugger.setBreakpointByUrl", &params.to_string());
    assert_eq!(set["locations"].as_array().unwrap().len(), 1, "{set}");
    set["breakpointId"].clone()
}

/// Returns the values of a frame's variables in all of its scopes that are functions and blocks.
fn variables(client: &mut Client, frame: &Value) -> Value {
    let mut found = json!({});
    for scope in frame["scopeChain"].as_array().unwrap() {
        if !["local", "block"].contains(&scope["type"].as_str().unwrap()) {
            continue;
        }
        let params = json!({"objectId": scope["object"]["objectId"], "ownProperties": true});
        let properties = client.ask("Runtime.getProperties", &params.to_string());
        for property in properties["result"].as_array().unwrap() {
            found[property["name"].as_str().unwrap()] = property["value"]["value"].clone();
        }
    }
    found
}

fn typescript_stops(file: &'static str) {
    run(async {
        let guest = debugged(&[(file, TYPESCRIPT)], false);
        let function = handler(&guest, file).await;
        let url = url(&guest, file);
        let (client, ready) = attached(&guest, move |mut client, ready| {
            let script = client.event_that("Debugger.scriptParsed", |script| script["url"] == *url);
            let map = SourceMap::of(&script);
            assert_eq!(map.json["sources"], json!([url]));
            assert_eq!(map.json["sourcesContent"], json!([TYPESCRIPT]));
            let breakpoint = set(&mut client, &url, map.code_of(8));
            ready.send(()).unwrap();
            let paused = client.paused();
            assert_eq!(paused["hitBreakpoints"], json!([breakpoint]));
            let frame = &paused["callFrames"][0];
            assert_eq!(frame["functionName"], "total");
            assert_eq!(map.line_of(frame), 8);
            assert_eq!(map.line_of(&paused["callFrames"][1]), 15);
            assert_eq!(variables(&mut client, frame)["sum"], 0);
            assert_eq!(client.evaluate(frame, "item.price * 10"), 20);
            client.ask("Debugger.stepOver", "{}");
            let paused = client.paused();
            let frame = &paused["callFrames"][0];
            assert_eq!(map.line_of(frame), 9);
            assert_eq!(variables(&mut client, frame)["cost"], 6);
            assert_eq!(client.evaluate(frame, "sum = 1000"), 1000);
            let params = json!({"breakpointId": breakpoint}).to_string();
            client.ask("Debugger.removeBreakpoint", &params);
            client.resume();
        });
        ready.await.unwrap();
        let event = r#"{"items":[{"price":2,"count":3},{"price":5,"count":1}]}"#;
        let answer = guest.call(function, event).await;
        client.join().unwrap();
        assert_eq!(answer.unwrap(), r#"{"answer":1011}"#);
    });
}

#[test]
fn a_breakpoint_in_a_typescript_module_stops_there() {
    typescript_stops("app.mts");
}

#[test]
fn a_breakpoint_in_typescript_that_becomes_commonjs_stops_there() {
    typescript_stops("app.cts");
}

/// Stops in the second line of a file's handler, which doubles its event, and lets it answer.
async fn javascript_stops(guest: &Guest, file: &'static str) {
    let function = handler(guest, file).await;
    let url = url(guest, file);
    let (client, ready) = attached(guest, move |mut client, ready| {
        set(&mut client, &url, (1, 0));
        ready.send(()).unwrap();
        let paused = client.paused();
        let frame = &paused["callFrames"][0];
        assert_eq!(client.url(frame), url);
        assert_eq!(frame["location"]["lineNumber"], 1);
        assert_eq!(variables(&mut client, frame)["event"], 21);
        client.resume();
    });
    ready.await.unwrap();
    let answer = guest.call(function, "21").await;
    client.join().unwrap();
    assert_eq!(answer.unwrap(), "42");
}

const MODULE: &str = "export const handler = async (event) => {\n  return 2 * event;\n};\n";
const COMMONJS: &str = "exports.handler = async (event) => {\n  return 2 * event;\n};\n";

#[test]
fn a_breakpoint_in_javascript_stops_there() {
    for (file, text) in [("app.mjs", MODULE), ("app.cjs", COMMONJS)] {
        run(javascript_stops(&debugged(&[(file, text)], false), file));
    }
}

#[test]
fn breakpoints_hold_in_code_from_a_cache() {
    for (file, text) in [("app.mjs", MODULE), ("app.cjs", COMMONJS)] {
        run(async {
            let guest = debugged(&[(file, text), (".trine-cache/keep", "")], false);
            let function = handler(&guest, file).await;
            assert_eq!(guest.call(function, "1").await.unwrap(), "2");
            guest.instance.shutdown();
            let cached = std::fs::read_dir(guest.folder.join(".trine-cache")).unwrap().count();
            assert_eq!(cached, 2, "the code is there, beside the file that was");
            let place = announced(&guest);
            let known = trine_testkit::guest::Guest {
                instance: guest.another(),
                environment: guest.environment.clone(),
                log: guest.log.clone(),
                folder: trine_testkit::guest::Folder::new(&[]),
            };
            // The new instance has the place of the one before, which is said once.
            assert_eq!(guest.log.text().matches("Debugger listening").count(), 1);
            let wanted = trine_engine::Wanted::Handler("handler".to_owned());
            let module = guest.module(file, wanted);
            let function = known.instance.load(&module).await.unwrap().functions[0].1;
            let url = url(&guest, file);
            let (client, ready) = super::client(move |ready| {
                let mut client = Client::connect(&place);
                client.ask("Debugger.enable", "{}");
                set(&mut client, &url, (1, 0));
                ready.send(()).unwrap();
                let paused = client.paused();
                assert_eq!(paused["callFrames"][0]["location"]["lineNumber"], 1);
                client.resume();
            });
            ready.await.unwrap();
            let answer = known.call(function, "4", &crate::support::invocation()).await;
            client.join().unwrap();
            assert_eq!(answer.unwrap(), "8");
        });
    }
}

#[test]
fn breakpoints_set_before_anything_is_loaded_are_there_in_time() {
    run(async {
        let guest = debugged(&[("app.cjs", COMMONJS)], false);
        let (place, url) = (announced(&guest), url(&guest, "app.cjs"));
        let (client, ready) = super::client(move |ready| {
            let mut client = Client::connect(&place);
            client.send("Debugger.enable", "{}");
            let params = json!({"url": url, "lineNumber": 0, "columnNumber": 0});
            client.send("Debugger.setBreakpointByUrl", &params.to_string());
            // An answer to this ping says that what came before has been received.
            client.frame(0x89, b"");
            client.pong();
            ready.send(()).unwrap();
            let paused = client.paused();
            assert_eq!(client.url(&paused["callFrames"][0]), url);
            assert_eq!(paused["callFrames"][0]["location"]["lineNumber"], 0);
            client.resume();
        });
        ready.await.unwrap();
        let function = handler(&guest, "app.cjs").await;
        client.join().unwrap();
        assert_eq!(guest.call(function, "4").await.unwrap(), "8");
    });
}

#[test]
fn a_debugger_statement_stops_where_a_client_is_attached_and_nowhere_else() {
    run(async {
        let text = "export const handler = () => {\n  debugger;\n  return 'done';\n};";
        let guest = debugged(&[("app.mjs", text)], false);
        let function = handler(&guest, "app.mjs").await;
        assert_eq!(guest.call(function, "0").await.unwrap(), "\"done\"");
        let (client, ready) = attached(&guest, |mut client, ready| {
            ready.send(()).unwrap();
            assert_eq!(client.paused()["callFrames"][0]["location"]["lineNumber"], 1);
            client.resume();
        });
        ready.await.unwrap();
        assert_eq!(guest.call(function, "0").await.unwrap(), "\"done\"");
        client.join().unwrap();
        let again = Guest::listening(
            &[("app.mjs", text)],
            DebugListener { address: super::free_address(), waits: false },
        );
        assert_eq!(again.handle("0").await.unwrap(), "\"done\"");
    });
}
