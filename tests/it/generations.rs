//! Handlers under the rules of Lambda's own runtimes for Node.js, beside what those runtimes' clients were recorded to
//! answer: `generations/cases.json` says what is called, `.ci/record-generations` has made the records, `otherwise.json` is
//! what Trine answers otherwise, and why. Nothing may stand there that is not so.

use crate::support::{Folder, Lambda, Platform, Process, eventually, repository, run, trine};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use std::fs;
use trine_emulator::{Answer, Event, InitFailure, Outcome};

fn read(file: &str) -> Value {
    let path = repository().join("tests/it/generations").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn name_of(case: &Value) -> &str {
    case["name"].as_str().or(case["handler"].as_str()).unwrap()
}

/// Returns the answers to a case's events under these rules, in the form of the records.
fn answers(case: &Value, rules: &str) -> Vec<Value> {
    let task = repository().join("tests/it/generations/task");
    let folder = Folder::new(&[]);
    let lambda = Lambda::with(&folder, |command| {
        command
            .env("TRINE_NODE_RULES", rules)
            .env("LAMBDA_TASK_ROOT", &task)
            .env("_HANDLER", case["handler"].as_str().unwrap())
            .env("AWS_LAMBDA_FUNCTION_NAME", "app")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "7")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream");
    });
    let header = |name: &str| case["headers"][name].as_str().map(str::to_owned);
    let once = [json!({})];
    let events = case["events"].as_array().map_or(&once[..], Vec::as_slice);
    let mut answers = Vec::new();
    for event in events {
        let outcome = lambda.outcome(Event {
            client_context: header("Lambda-Runtime-Client-Context"),
            identity: header("Lambda-Runtime-Cognito-Identity"),
            trace_id: Some("Root=1-2-3;Sampled=0".to_owned()),
            ..Event::from(event.clone())
        });
        answers.push(answer(&outcome));
        if matches!(outcome.result, Answer::InitError(_)) {
            break;
        }
    }
    answers
}

fn answer(outcome: &Outcome) -> Value {
    match &outcome.result {
        Answer::Response { bytes, content_type, streamed: true, trailers } => {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let mut answer = json!({"stream": text, "type": content_type});
            let error =
                |(name, _): &&(String, String)| name == "lambda-runtime-function-error-body";
            if let Some((_, document)) = trailers.iter().find(error) {
                answer["error"] = error_of(&BASE64_STANDARD.decode(document).unwrap());
            }
            answer
        }
        Answer::Response { bytes, .. } => json!({"body": String::from_utf8_lossy(bytes)}),
        Answer::Error { body, .. } => json!({"error": error_of(body)}),
        Answer::InitError(InitFailure { body, .. }) => json!({"init": error_of(body)}),
        other => json!({"other": format!("{other:?}")}),
    }
}

/// Returns the members of an error's document that are no stack, without the names of folders.
fn error_of(document: &[u8]) -> Value {
    let document: Value = serde_json::from_slice(document).unwrap();
    let task = repository().join("tests/it/generations/task");
    let message = document["errorMessage"].as_str().unwrap();
    let message = message.replace(task.to_str().unwrap(), "/var/task");
    let message = message.split("\n- /").next().unwrap();
    json!({"errorType": document["errorType"], "errorMessage": message})
}

/// Whether an answer is the one that was recorded. What keeps a function from being loaded may be told at greater length,
/// and an error before a stream's first piece may come without the stream.
fn is_as(given: &Value, recorded: &Value) -> bool {
    let begins = |given: &Value, recorded: &Value| {
        let message = |error: &Value| error["errorMessage"].as_str().map(str::to_owned);
        given["errorType"] == recorded["errorType"]
            && message(given).is_some_and(|given| given.starts_with(&*message(recorded).unwrap()))
    };
    given == recorded
        || recorded.get("init").is_some_and(|recorded| begins(&given["init"], recorded))
        || recorded["stream"] == "" && *given == json!({"error": recorded["error"]})
}

fn are_as(given: &[Value], recorded: &[Value]) -> bool {
    given.len() == recorded.len()
        && given.iter().zip(recorded).all(|(given, recorded)| is_as(given, recorded))
}

/// Holds Trine's answers under these rules against the records of those clients: each must be that of one of them.
#[track_caller]
fn compare(rules: &str, clients: &[&str]) {
    let records: Vec<Value> =
        clients.iter().map(|client| read(&format!("{client}.json"))["answers"].take()).collect();
    let cases = read("cases.json");
    let cases = cases.as_array().unwrap();
    let otherwise = read("otherwise.json");
    let otherwise = otherwise.as_array().unwrap();
    let mut problems = Vec::new();
    for case in cases {
        let name = name_of(case);
        let given = answers(case, rules);
        let recorded = records.iter().map(|record| record[name].as_array().unwrap());
        let is_recorded = recorded.clone().any(|recorded| are_as(&given, recorded));
        let mut listed = otherwise.iter().filter(|it| it["rules"] == rules && it["case"] == name);
        let is_listed = listed.next().map(|it| is_as(&given[0], &it["answer"]));
        assert!(listed.next().is_none(), "{name} is listed twice");
        match (is_recorded, is_listed) {
            (true, None) | (false, Some(true)) => {}
            (true, Some(_)) => problems.push(format!("{name}: is no exception any more")),
            (false, _) => problems.push(format!(
                "{name}:\n  given    {}\n  recorded {}",
                json!(given),
                json!(recorded.collect::<Vec<_>>())
            )),
        }
    }
    for it in otherwise {
        let is_one = cases.iter().any(|case| it["case"] == name_of(case));
        assert!(is_one && it["why"].is_string(), "{it} is no case");
    }
    assert!(problems.is_empty(), "under {rules}:\n{}", problems.join("\n"));
}

#[test]
fn the_older_rules_are_those_of_node_22() {
    compare("node22", &["node22"]);
}

#[test]
fn the_newer_rules_are_those_of_node_24() {
    compare("node24", &["node24"]);
}

#[test]
fn without_either_the_answer_is_that_of_one_of_them() {
    compare("permissive", &["node22", "node24"]);
}

#[test]
fn every_case_is_recorded_under_both_clients() {
    let cases = read("cases.json");
    for client in ["node22.json", "node24.json"] {
        let record = read(client);
        let recorded: Vec<&String> =
            record["answers"].as_object().map(Map::keys).unwrap().collect();
        let names: Vec<&str> = cases.as_array().unwrap().iter().map(name_of).collect();
        assert_eq!(recorded.len(), names.len(), "{client}: run .ci/record-generations");
        for name in names {
            assert!(recorded.iter().any(|known| *known == name), "{client}: {name}");
        }
    }
}

#[test]
fn rules_that_nobody_knows_keep_a_function_from_being_loaded() {
    let folder = Folder::new(&[("app.mjs", "export const handler = () => 1;")]);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env("TRINE_NODE_RULES", "node20");
    });
    let (code, _, document) = lambda.init_error();
    assert_eq!(code, Some(1));
    let message = "TRINE_NODE_RULES is 'node20'; it may be 'permissive', 'node22' or 'node24'";
    assert_eq!(document["errorMessage"], message);
}

#[test]
fn a_server_tells_at_its_start_of_rules_that_nobody_knows() {
    let folder = Folder::new(&[("app.mjs", "export const handler = () => 1;")]);
    let mut command = trine(&folder, &["serve", "app.mjs", "--port", "0"]);
    command.env("TRINE_NODE_RULES", "node20");
    let server = Process::start(command);
    eventually(&format!("the rules are told of\n{server:?}"), || {
        let told = server.stdout() + &*server.stderr();
        told.contains("TRINE_NODE_RULES is 'node20'").then_some(())
    });
}

#[test]
fn callbacks_are_warned_of_once_by_the_older_rules() {
    let handlers = "
        exports.callback = (event, context, callback) => callback(null, 1);
        exports.promise = async (event, context, callback) => 1;
        exports.plain = async (event, context) => 1;";
    let folder = Folder::new(&[("app.cjs", handlers)]);
    let warnings = |handler: &str, variables: &[(&str, &str)]| {
        let lambda = Lambda::with(&folder, |command| {
            command.env("_HANDLER", handler).envs(variables.iter().copied());
        });
        lambda.invoke(json!({}));
        lambda.invoke(json!({}));
        let log = lambda.process.stdout() + &*lambda.process.stderr();
        log.matches("plans to remove support for callback-based function handlers").count()
    };
    let older = ("TRINE_NODE_RULES", "node22");
    let hushed = ("AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING", "");
    assert_eq!(warnings("app.callback", &[older]), 1);
    assert_eq!(warnings("app.callback", &[older, hushed]), 0);
    assert_eq!(warnings("app.promise", &[older]), 0);
    assert_eq!(warnings("app.plain", &[older]), 0);
    assert_eq!(warnings("app.callback", &[]), 0);
}

#[test]
fn node_22_has_the_newer_rules_where_invocations_run_side_by_side() {
    let handlers = "exports.handler = (event, context, callback) => callback(null, 1);";
    let folder = Folder::new(&[("app.cjs", handlers)]);
    let (platform, process) = Platform::start(&folder, "app.handler", |command| {
        command.env("AWS_LAMBDA_MAX_CONCURRENCY", "2").env("TRINE_NODE_RULES", "node22");
    });
    let mut exchange = platform.accept(&process);
    let (line, body) = exchange.request();
    assert_eq!(line, "POST /2018-06-01/runtime/init/error HTTP/1.1");
    assert!(body.contains("Runtime.CallbackHandlerDeprecated"), "{body}");
    assert!(body.contains("when using Node.js 22 with Managed Instances"), "{body}");
    exchange.accepted();
    assert_eq!(process.wait(), Some(1));
}

#[test]
fn a_function_sees_the_runtime_whose_rules_it_has() {
    let text = "export const handler = async () =>
        [process.env.AWS_EXECUTION_ENV, `AWS_Lambda_nodejs${process.versions.node.split('.')[0]}.x`];";
    let folder = Folder::new(&[("app.mjs", text)]);
    for (rules, runtime) in [
        ("node22", Some("AWS_Lambda_nodejs22.x")),
        ("node24", Some("AWS_Lambda_nodejs24.x")),
        ("permissive", None),
    ] {
        let mut command = trine(&folder, &["invoke", "app.handler", "--json"]);
        command.env("TRINE_NODE_RULES", rules);
        let finished = run(command);
        let [given, own]: [String; 2] = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(given, runtime.unwrap_or(&own), "{rules}");
    }
}

#[test]
fn hooks_and_wrapped_handlers_follow_the_rules_too() {
    let folder = Folder::new(&[
        (
            "app.cjs",
            "exports.callback = (event, context, callback) => { setTimeout(() => callback(null, [event.seen]), 5); };
             exports.promise = async (event) => [event.seen];
             exports.succeed = async (event, context) => { context.succeed([event.seen]); };",
        ),
        (
            "middlewares/around.mjs",
            "export const before = (event) => ({ ...event, seen: 'before' });
             export const after = (response) => [...response, 'after'];
             export const wrap = (handler) => async (...given) => [...await handler(...given), 'wrapped'];",
        ),
    ]);
    for (rules, handler) in [
        ("node22", "app.callback"),
        ("node22", "app.succeed"),
        ("node22", "app.promise"),
        ("node24", "app.promise"),
        ("permissive", "app.callback"),
        ("permissive", "app.succeed"),
        ("permissive", "app.promise"),
    ] {
        let lambda = Lambda::with(&folder, |command| {
            command
                .env("_HANDLER", handler)
                .env("TRINE_NODE_RULES", rules)
                .env("TRINE_MIDDLEWARES", "around");
        });
        let expected = json!(["before", "wrapped", "after"]);
        assert_eq!(lambda.invoke(json!({})), expected, "{rules} {handler}");
    }
}
