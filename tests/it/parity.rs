//! Python's handlers, beside what Lambda's own client for Python was recorded to answer: `parity/cases.json` says what is
//! called, `.ci/record-python` has made the record, `otherwise.json` is what Trine answers otherwise, and why. Nothing may
//! stand there that is not so.

use crate::support::{Folder, Lambda, repository, run, timeless, trine};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{collections::HashSet, fs};
use trine_emulator::{Answer, Event, InitFailure, Outcome};

/// What the runtime's own lines in a stack have in them.
const RUNTIME: [&str; 3] = ["importlib", "awslambdaric", "<frozen runpy>"];

/// Errors whose words are those of a JSON parser.
const PARSED: [&str; 2] = ["Runtime.UnmarshalError", "Runtime.LambdaContextUnmarshalError"];

fn read(file: &str) -> Value {
    let path = repository().join("tests/it/parity").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn name_of(case: &Value) -> &str {
    case["name"].as_str().or(case["handler"].as_str()).unwrap()
}

/// Returns the bodies of a case's events.
fn bodies(case: &Value) -> Vec<Vec<u8>> {
    if let Some(text) = case["text"].as_str() {
        return vec![text.into()];
    }
    if let Some(parts) = case["parts"].as_array() {
        let times = |part: &Value| usize::try_from(part[1].as_u64().unwrap()).unwrap();
        let text = |part: &Value| part[0].as_str().unwrap().repeat(times(part));
        return vec![parts.iter().map(text).collect::<String>().into_bytes()];
    }
    if let Some(text) = case["base64"].as_str() {
        return vec![BASE64_STANDARD.decode(text).unwrap()];
    }
    let once = [json!({})];
    let events = case["events"].as_array().map_or(&once[..], Vec::as_slice);
    events.iter().map(|event| event.to_string().into_bytes()).collect()
}

/// Returns the answers to a case's events, in the form of the record.
fn answers(case: &Value) -> Vec<Value> {
    let task = repository().join("tests/it/parity/task");
    let folder = Folder::new(&[]);
    let lambda = Lambda::with(&folder, |command| {
        command
            .current_dir(&task)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("LAMBDA_TASK_ROOT", &task)
            .env("_HANDLER", case["handler"].as_str().unwrap())
            .env("AWS_EXECUTION_ENV", "AWS_Lambda_python3.12")
            .env("AWS_LAMBDA_FUNCTION_NAME", "app")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "7")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream");
        for (name, value) in case["env"].as_object().into_iter().flatten() {
            command.env(name, value.as_str().unwrap());
        }
    });
    let mut answers = Vec::new();
    for (number, body) in bodies(case).into_iter().enumerate() {
        let mut headers =
            vec![("lambda-runtime-deadline-ms".to_owned(), "4102444800000".to_owned())];
        // One that the record was made without has no value.
        for (name, value) in case["headers"].as_object().into_iter().flatten() {
            headers.push((name.to_lowercase(), value.as_str().unwrap_or_default().to_owned()));
        }
        let outcome = lambda.outcome(Event {
            request_id: Some(format!("id-{number}")),
            trace_id: Some("Root=1-2-3;Sampled=0".to_owned()),
            invoked_function_arn: Some(
                "arn:aws:lambda:us-east-1:012345678912:function:app".to_owned(),
            ),
            headers,
            ..Event::new(body)
        });
        let mut given = answer(&outcome);
        let is_end = given.get("init").is_some();
        if is_end {
            given["exit"] = json!(lambda.process.wait());
        }
        answers.push(given);
        if is_end {
            break;
        }
    }
    if case["log"] == true {
        let Lambda { emulator, process } = lambda;
        if process.status().is_none() {
            process.signal("TERM");
        }
        let finished = process.finish();
        drop(emulator);
        answers.push(json!({"log": log_of(&(finished.stdout + &*finished.stderr))}));
    }
    answers
}

fn answer(outcome: &Outcome) -> Value {
    match &outcome.result {
        Answer::Response { bytes, content_type, streamed, trailers } => {
            let kind = if *streamed { "stream" } else { "body" };
            let mut answer = match str::from_utf8(bytes) {
                Ok(text) => json!({kind: plain(text)}),
                Err(_) => json!({"base64": BASE64_STANDARD.encode(bytes)}),
            };
            answer["type"] = json!(content_type);
            let error =
                |(name, _): &&(String, String)| name == "lambda-runtime-function-error-body";
            if let Some((_, document)) = trailers.iter().find(error) {
                let document = BASE64_STANDARD.decode(document).unwrap();
                let document: Value = serde_json::from_slice(&document).unwrap();
                answer["error"] = document["errorType"].clone();
            }
            answer
        }
        Answer::Error { type_header, xray_cause, body } => {
            failure("error", type_header.as_deref(), xray_cause.as_deref(), body)
        }
        Answer::InitError(InitFailure { type_header, xray_cause, body }) => {
            failure("init", type_header.as_deref(), xray_cause.as_deref(), body)
        }
        other => json!({"other": format!("{other:?}")}),
    }
}

fn failure(kind: &str, header: Option<&str>, cause: Option<&str>, document: &[u8]) -> Value {
    let mut document: Value = serde_json::from_slice(document).unwrap();
    document["errorMessage"] = json!(plain(document["errorMessage"].as_str().unwrap()));
    document["stackTrace"] = traces(&document["stackTrace"]);
    let mut answer = json!({kind: document});
    if let Some(header) = header {
        answer["header"] = json!(header);
    }
    if let Some(cause) = cause {
        let cause: Value = serde_json::from_str(cause).unwrap();
        let exceptions = cause["exceptions"].as_array().unwrap().iter();
        answer["xray"] = exceptions.map(|exception| exception["type"].clone()).collect();
    }
    answer
}

/// Returns text without what differs from machine to machine and from run to run.
fn plain(text: &str) -> String {
    let task = repository().join("tests/it/parity/task");
    timeless(&text.replace(task.to_str().unwrap(), "/var/task"))
}

/// Returns the items of a stack without those of the runtime; of the standard library's the file's name is enough.
fn traces(items: &Value) -> Value {
    let items = items.as_array().unwrap().iter().map(|item| plain(item.as_str().unwrap()));
    let kept = items.filter_map(|item| {
        let place = item.strip_prefix("  File \"");
        match place {
            Some(place) if !item.contains("/var/task") => {
                let is_ours = RUNTIME.iter().any(|name| item.contains(name));
                let file = place.split('"').next().unwrap().rsplit('/').next().unwrap();
                (!is_ours).then(|| file.to_owned())
            }
            _ => Some(uncounted(item)),
        }
    });
    kept.collect()
}

/// Returns an item of a stack without the number of times that a line is repeated.
fn uncounted(item: String) -> String {
    let Some((before, after)) = item.split_once("repeated ") else { return item };
    let Some((_, after)) = after.split_once(" more") else { return item };
    format!("{before}repeated N more{after}")
}

/// Returns the lines of a log: those that are JSON as values. The platform takes a carriage return for a line's end too.
fn log_of(text: &str) -> Vec<Value> {
    let text = plain(text).replace('\u{a0}', " ").replace('\r', "\n");
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let value = |line: &str| {
        if !line.starts_with('{') {
            return json!(line);
        }
        let mut record: Value = serde_json::from_str(line).unwrap();
        if record["stackTrace"].is_array() {
            record["stackTrace"] = traces(&record["stackTrace"]);
        }
        record
    };
    lines.map(value).collect()
}

/// Whether an answer is the one on record. What keeps a function from being loaded and what the runtime refuses may be
/// told at greater length, documents may have more members, and the platform may be told more.
fn is_as(given: &Value, recorded: &Value) -> bool {
    let is_failure = |kind: &&str| given[kind].is_object() && recorded[kind].is_object();
    let Some(kind) = ["init", "error"].into_iter().find(is_failure) else {
        return given == recorded;
    };
    let (here, there) = (&given[kind], &recorded[kind]);
    let message = |error: &Value| error["errorMessage"].as_str().unwrap().to_owned();
    let class = there["errorType"].as_str().unwrap();
    let mut words = message(there);
    if PARSED.contains(&class) {
        let end = if words.contains(" JSON: ") { " JSON: " } else { "input: " };
        words.truncate(words.find(end).unwrap());
    }
    let is_longer = kind == "init" || class.starts_with("Runtime.");
    let has_words =
        if is_longer { message(here).starts_with(&words) } else { message(here) == words };
    let stack = &there["stackTrace"];
    let has_stack = here["stackTrace"] == *stack || kind == "init" && *stack == json!([]);
    let has_header = recorded["header"].as_str().is_none_or(|header| {
        // The platform keeps no others.
        given["header"] == header || given["header"] == format!("Function.{header}")
    });
    has_words
        && has_stack
        && has_header
        && here["errorType"] == class
        && here["requestId"] == there["requestId"]
        && (recorded["xray"].is_null() || given["xray"] == recorded["xray"])
        && given["exit"] == recorded["exit"]
}

fn are_as(given: &[Value], recorded: &Value) -> bool {
    let recorded = recorded.as_array().unwrap();
    given.len() == recorded.len()
        && given.iter().zip(recorded).all(|(given, recorded)| is_as(given, recorded))
}

/// Returns the `major.minor` of the interpreter in the binary.
fn version() -> String {
    let folder = Folder::new(&[]);
    let listed = run(trine(&folder, &["engines"])).stdout;
    let (_, version) = listed.split_once("CPython ").unwrap();
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// Holds Trine's answers to the cases of a group against the record.
#[track_caller]
fn compare(group: &str) {
    let record = read("python.json");
    if record["python"] != version() {
        // Python's own words change from one version to the next.
        return;
    }
    let cases = read("cases.json");
    let otherwise = read("otherwise.json");
    let mut problems = Vec::new();
    for case in cases[group].as_array().unwrap() {
        let name = name_of(case);
        let given = answers(case);
        let recorded = &record["answers"][name];
        let listed = otherwise.as_array().unwrap().iter().find(|it| it["case"] == name);
        let is_listed = listed.map(|it| are_as(&given, &it["answers"]));
        match (are_as(&given, recorded), is_listed) {
            (true, None) | (false, Some(true)) => {}
            (true, Some(_)) => problems.push(format!("{name}: is no exception any more")),
            (false, _) => problems.push(format!(
                "{name}:\n  given    {}\n  recorded {recorded}\n  listed   {}",
                json!(given),
                json!(listed)
            )),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn handlers_are_found_by_the_same_names() {
    compare("names");
}

#[test]
fn handlers_may_have_the_same_forms() {
    compare("forms");
}

#[test]
fn events_become_the_same_values() {
    compare("events");
}

#[test]
fn results_become_the_same_texts() {
    compare("results");
}

#[test]
fn exceptions_are_told_alike() {
    compare("raises");
}

#[test]
fn handlers_have_the_same_surroundings() {
    compare("context");
}

#[test]
fn logs_are_the_same() {
    compare("logs");
}

#[test]
fn every_case_is_recorded_and_every_exception_is_of_a_case() {
    let groups = ["names", "forms", "events", "results", "raises", "context", "logs"];
    let cases = read("cases.json");
    let cases = cases.as_object().unwrap();
    assert_eq!(cases.len(), groups.len());
    let names: Vec<&str> =
        groups.iter().flat_map(|group| cases[*group].as_array().unwrap()).map(name_of).collect();
    let distinct: HashSet<&str> = names.iter().copied().collect();
    assert_eq!(distinct.len(), names.len(), "names are used twice");
    let record = read("python.json");
    let recorded = record["answers"].as_object().unwrap();
    assert_eq!(recorded.len(), names.len(), "run .ci/record-python");
    assert!(names.iter().all(|name| recorded.contains_key(*name)), "run .ci/record-python");
    let otherwise = read("otherwise.json");
    let mut listed = HashSet::new();
    for it in otherwise.as_array().unwrap() {
        let name = it["case"].as_str().unwrap();
        assert!(distinct.contains(name) && it["why"].is_string(), "{it} is no case");
        assert!(listed.insert(name), "{name} is listed twice");
    }
}
