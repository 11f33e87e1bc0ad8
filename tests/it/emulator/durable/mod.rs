//! Durable functions that speak the protocol by hand, from their start to their end, and what goes wrong on the way.

mod wrong;

use super::{emulator, functions::call};
use crate::support::{Connection, Folder, Process, Reply, eventually};
use serde_json::{Value, json};
use std::net::SocketAddr;

const LATEST: &str = "by_hand:%24LATEST";

/// A durable function in a language, and beside it ordinary ones.
fn started(extension: &str, flags: &[&str]) -> (Process, SocketAddr, Folder) {
    let source = match extension {
        "mjs" => include_str!("by_hand.mjs"),
        _ => include_str!("by_hand.py"),
    };
    let folder = Folder::new(&[
        (&format!("by_hand.{extension}"), source),
        (
            "plain.lua",
            "return { handler = function(event) if event.fail then error('no') end return event end }",
        ),
    ]);
    let arguments = [&["--durable=by_hand", "--durable-speed", "20", "."], flags].concat();
    let (process, address) = emulator(&folder, &arguments);
    (process, address, folder)
}

/// Invokes the durable function and waits for the end of its execution.
fn run(address: SocketAddr, input: &Value) -> Reply {
    call(address, LATEST, &[], input)
}

/// Asks the API of durable executions.
fn ask(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> Reply {
    let path = format!("/2025-12-01/{path}");
    Connection::open(address).exchange(method, &path, &[], body)
}

fn arn_of(reply: &Reply) -> String {
    reply.header("x-amz-durable-execution-arn").unwrap_or_else(|| panic!("{reply:?}")).to_owned()
}

/// Starts an execution for whose end nobody waits; returns its ARN.
fn begin(address: SocketAddr, name: &str, input: &Value) -> String {
    let headers = [("x-amz-invocation-type", "Event"), ("x-amz-durable-execution-name", name)];
    let reply = call(address, LATEST, &headers, input);
    assert_eq!((reply.status, reply.text()), (202, ""), "{reply:?}");
    arn_of(&reply)
}

fn describe(address: SocketAddr, arn: &str) -> Value {
    ask(address, "GET", &format!("durable-executions/{arn}"), b"").json()
}

/// Waits for the id of the execution's first callback.
fn callback_of(address: SocketAddr, arn: &str) -> String {
    eventually("it waits for an answer", || {
        let path = format!("durable-executions/{}/history", arn.replace('/', "%2F"));
        let history = ask(address, "GET", &path, b"").json();
        let events = history["Events"].as_array().unwrap();
        let details = events.iter().find_map(|event| event.get("CallbackStartedDetails"))?;
        Some(details["CallbackId"].as_str().unwrap().to_owned())
    })
}

/// Waits for the end of an execution; returns its description.
fn ended(address: SocketAddr, arn: &str) -> Value {
    eventually("it ends", || {
        Some(describe(address, arn)).filter(|found| found["Status"] != "RUNNING")
    })
}

fn step(payload: &str) -> Value {
    json!({"Type": "STEP", "Action": "SUCCEED", "Name": "count", "Payload": payload})
}

fn invoke(function: &str, payload: &str) -> Value {
    let options = json!({"FunctionName": function});
    json!({"Type": "CHAINED_INVOKE", "Action": "START", "Payload": payload, "ChainedInvokeOptions": options})
}

fn wait(seconds: u64) -> Value {
    let options = json!({"WaitSeconds": seconds});
    json!({"Type": "WAIT", "Action": "START", "Name": "nap", "WaitOptions": options})
}

fn callback(options: &Value) -> Value {
    json!({"Type": "CALLBACK", "Action": "START", "Name": "approval", "CallbackOptions": options})
}

#[test]
fn an_execution_runs_from_its_start_to_its_end() {
    for extension in ["mjs", "py"] {
        let (process, address, _folder) = started(extension, &[]);
        let error = json!({"ErrorType": "Hiccup", "ErrorMessage": "once"});
        let retry = json!({
            "Type": "STEP", "Action": "RETRY", "Name": "fragile", "Error": error,
            "StepOptions": {"NextAttemptDelaySeconds": 1},
        });
        let nested = json!({"updates": [step("2"), wait(1)]}).to_string();
        let reply = run(
            address,
            &json!({"updates": [
                step("1"),
                wait(20),
                retry,
                invoke("plain", r#"{"a":"é"}"#),
                invoke("plain", r#"{"fail":true}"#),
                invoke("by_hand:$LATEST", &nested),
                invoke("nobody", "{}"),
                invoke("by_hand", "{}"),
                step("3"),
            ]}),
        );
        let expected = json!([
            "1",
            "SUCCEEDED",
            "\"at last\"",
            r#"{"a":"é"}"#,
            "LuaError",
            "[\"2\",\"SUCCEEDED\"]",
            "ResourceNotFoundException",
            "InvalidParameterValueException",
            "3",
        ]);
        let found: Value = reply.json();
        let found: Vec<String> = found
            .as_array()
            .unwrap_or_else(|| panic!("{reply:?}\n{process:?}"))
            .iter()
            .map(|one| one.as_str().unwrap().replace(", ", ","))
            .collect();
        assert_eq!(json!(found), expected, "{process:?}");
        assert_eq!((reply.status, reply.header("x-amz-function-error")), (200, None));
        let described = describe(address, &arn_of(&reply));
        assert_eq!(described["Status"], "SUCCEEDED");
        assert_eq!(described["Version"], "$LATEST");
        process.signal("INT");
        let finished = process.finish();
        assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{finished:?}");
        let name = described["DurableExecutionName"].as_str().unwrap();
        let log = &finished.stdout;
        for line in [
            "has begun",
            "step \"count\": has succeeded",
            "waits for 1s (wait \"nap\")",
            "goes on: the wait \"nap\" is over",
            "tries again in 50ms: attempt 1 of the step \"fragile\" has failed: Hiccup: once",
            "invokes plain (invocation of another function)",
            "has succeeded after ",
        ] {
            let line = format!("by_hand | # the durable execution {name} {line}");
            assert!(log.contains(&line), "{line:?} in {log}");
        }
        assert_eq!(log.matches(" waits for 1s ").count(), 1, "{log}");
    }
}

#[test]
fn callbacks_are_answered_from_outside() {
    for extension in ["mjs", "py"] {
        let (process, address, _folder) = started(extension, &[]);
        for (name, verb, body, status, outcome) in [
            ("yes", "succeed", r#"{"by":"é"}"#, "SUCCEEDED", json!(r#"{"by":"é"}"#)),
            ("nothing", "succeed", "", "SUCCEEDED", json!("SUCCEEDED")),
            ("no", "fail", r#"{"ErrorType":"Denied"}"#, "SUCCEEDED", json!("Denied")),
        ] {
            let arn = begin(address, name, &json!({"updates": [callback(&json!({}))]}));
            assert!(arn.contains(&format!(":function:by_hand:$LATEST/durable-execution/{name}/")));
            let id = callback_of(address, &arn);
            let path = |verb| format!("durable-execution-callbacks/{id}/{verb}");
            assert_eq!(ask(address, "POST", &path("heartbeat"), b"").status, 200);
            assert_eq!(describe(address, &arn)["Status"], "RUNNING");
            assert_eq!(ask(address, "POST", &path(verb), body.as_bytes()).status, 200);
            let found = ended(address, &arn);
            let result: Value = serde_json::from_str(found["Result"].as_str().unwrap()).unwrap();
            assert_eq!((&found["Status"], &result[0]), (&json!(status), &outcome), "{process:?}");
            let again = ask(address, "POST", &path(verb), body.as_bytes());
            let kind = again.header("x-amzn-errortype");
            assert_eq!((again.status, kind), (400, Some("InvalidParameterValueException")));
        }
        let arn =
            begin(address, "late", &json!({"updates": [callback(&json!({"TimeoutSeconds": 1}))]}));
        let id = callback_of(address, &arn);
        assert_eq!(ended(address, &arn)["Result"].as_str().unwrap(), "[\"Callback.Timeout\"]");
        let late = ask(address, "POST", &format!("durable-execution-callbacks/{id}/succeed"), b"");
        let kind = late.header("x-amzn-errortype");
        assert_eq!((late.status, kind), (400, Some("CallbackTimeoutException")), "{late:?}");
    }
}

#[test]
fn a_name_starts_one_execution() {
    let (process, address, _folder) = started("mjs", &[]);
    let input = json!({"updates": [step("1"), wait(20)]});
    let arn = begin(address, "order-1", &input);
    // Who comes later waits for the same end, and gets the same result after it.
    let named = [("x-amz-durable-execution-name", "order-1")];
    for _ in 0..2 {
        let reply = call(address, LATEST, &named, &input);
        assert_eq!((arn_of(&reply), reply.json()), (arn.clone(), json!(["1", "SUCCEEDED"])));
    }
    let other = call(address, LATEST, &named, &json!({}));
    let kind = other.header("x-amzn-errortype");
    assert_eq!((other.status, kind), (409, Some("DurableExecutionAlreadyStartedException")));
    let dry = call(address, LATEST, &[("x-amz-invocation-type", "DryRun")], &input);
    assert_eq!(dry.status, 204);
    let list = |query: &str| {
        let path = format!("functions/by_hand/durable-executions?{query}");
        let found = ask(address, "GET", &path, b"").json();
        let names = found["DurableExecutions"].as_array().unwrap().iter();
        names
            .map(|one| one["DurableExecutionName"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    begin(address, "order-2", &json!({"updates": [callback(&json!({}))]}));
    assert_eq!(list(""), ["order-2", "order-1"], "{process:?}");
    assert_eq!(list("ReverseOrder=true"), ["order-1", "order-2"]);
    assert_eq!(list("Statuses=RUNNING&Statuses=FAILED"), ["order-2"]);
    assert_eq!(list("DurableExecutionName=order-1"), ["order-1"]);
    assert_eq!(list("MaxItems=1&Marker=1"), ["order-1"]);
    assert_eq!(list("StartedBefore=2020-01-01T00%3A00%3A00Z"), [""; 0]);
    assert_eq!(list("StartedAfter=2020-01-01T00%3A00%3A00Z").len(), 2);
    let configured = Connection::open(address)
        .exchange("GET", "/2015-03-31/functions/by_hand/configuration", &[], b"")
        .json();
    assert_eq!(configured["DurableConfig"]["ExecutionTimeout"], 900);
}

#[test]
fn a_large_state_comes_in_pages() {
    for extension in ["mjs", "py"] {
        let (process, address, _folder) = started(extension, &["--memory", "512"]);
        let size = 900_000;
        let mut updates: Vec<Value> = (0..8).map(|_| step("")).collect();
        updates.push(json!({"Type": "STEP", "Action": "RETRY", "StepOptions": {"NextAttemptDelaySeconds": 1}}));
        let reply = run(address, &json!({"updates": updates, "size": size}));
        let mut expected = vec![json!(size + 2); 8];
        expected.push(json!("\"at last\""));
        assert_eq!(reply.json(), json!(expected), "{process:?}");
    }
}

#[test]
fn executions_are_stopped() {
    let (process, address, _folder) = started("mjs", &[]);
    let arn = begin(address, "long", &json!({"updates": [callback(&json!({}))]}));
    let id = callback_of(address, &arn);
    let path = format!("durable-executions/{arn}/stop");
    let stopped = ask(address, "POST", &path, br#"{"ErrorType":"Off","ErrorMessage":"enough"}"#);
    assert!(stopped.json()["StopTimestamp"].as_f64().unwrap() > 1e9, "{process:?}");
    let found = describe(address, &arn);
    assert_eq!(
        (&found["Status"], &found["Error"]["ErrorType"]),
        (&json!("STOPPED"), &json!("Off"))
    );
    assert_eq!(ask(address, "POST", &path, b"").json(), stopped.json());
    let late = ask(address, "POST", &format!("durable-execution-callbacks/{id}/succeed"), b"");
    assert_eq!(late.status, 400, "{late:?}");
    let plain =
        ask(address, "GET", &format!("durable-executions/{arn}?IncludeExecutionData=false"), b"");
    assert!(plain.json().get("Error").is_none() && plain.json().get("InputPayload").is_none());
    let path =
        format!("durable-executions/{arn}/history?IncludeExecutionData=false&ReverseOrder=true");
    let history = ask(address, "GET", &path, b"").json();
    // The invocation that was under way then may end later.
    let mut latest = history["Events"].as_array().unwrap().iter().take(2);
    let stop = latest.find(|event| event["EventType"] == "ExecutionStopped");
    let stop = stop.unwrap_or_else(|| panic!("{history}"));
    assert_eq!(stop["ExecutionStoppedDetails"]["Error"], json!({"Truncated": true}));
}

#[test]
fn a_function_url_gets_the_end_of_an_execution() {
    let folder = Folder::new(&[("by_hand.mjs", include_str!("by_hand.mjs"))]);
    let (process, _) = emulator(&folder, &["--durable", "by_hand.mjs", "--url-port", "0"]);
    let address: SocketAddr = eventually("its URL is told", || {
        let text = process.stdout();
        let (_, rest) = text.split_once("# function URL: http://")?;
        rest.split_once('/')?.0.parse().ok()
    });
    let reply = Connection::open(address).exchange("GET", "/", &[], b"");
    assert_eq!((reply.status, reply.text()), (200, "[]"), "{process:?}");
}
