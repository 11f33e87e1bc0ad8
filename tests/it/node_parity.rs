//! JavaScript's handlers, beside what Lambda's own clients for Node.js were recorded to answer: `node_parity/cases.json` says
//! what is called, `.ci/record-node` has made the records, `otherwise.json` is what Trine answers otherwise, and why.
//! Nothing may stand there that is not so.

mod answers;

use crate::support::{Folder, Lambda, repository};
use answers::{answer, is_as, logs_of, without};
use serde_json::{Map, Value, json};
use std::{collections::HashSet, fs, path::PathBuf, sync::LazyLock};
use trine_emulator::Event;

/// The records that an answer under these rules may be of.
const RULES: [(&str, &[&str]); 3] = [
    ("node24", &["node24", "node26"]),
    ("node22", &["node22"]),
    ("permissive", &["node24", "node26", "node22"]),
];

/// The clients that were asked, each with a version of Node.js.
const CLIENTS: [&str; 3] = ["node24", "node26", "node22"];

static RECORDS: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let mut records: Map<String, Value> =
        CLIENTS.iter().map(|client| ((*client).to_owned(), json!({}))).collect();
    for group in CASES.as_object().unwrap().keys() {
        let recorded = read(&format!("answers/{group}.json"));
        for client in CLIENTS {
            // What a client answers like the first one is not told again.
            for told in [CLIENTS[0], client] {
                let answers = recorded[told]["answers"].as_object().unwrap().clone();
                records[client].as_object_mut().unwrap().extend(answers);
            }
        }
    }
    records
});
static CASES: LazyLock<Value> = LazyLock::new(|| read("cases.json"));
static OTHERWISE: LazyLock<Value> = LazyLock::new(|| read("otherwise.json"));

fn folder(name: &str) -> PathBuf {
    repository().join("tests/it/node_parity").join(name)
}

fn read(file: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(folder(file)).unwrap()).unwrap()
}

fn name_of(case: &Value) -> &str {
    case["name"].as_str().or(case["handler"].as_str()).unwrap()
}

/// Returns the bodies of a case's events, those of cases in their own right with their names.
fn bodies(case: &Value) -> Vec<(Option<&str>, String)> {
    if let Some(names) = case["each"].as_array() {
        let names = names.iter().map(|name| name.as_str().unwrap());
        return names.map(|name| (Some(name), json!({"do": name}).to_string())).collect();
    }
    if let Some(texts) = case["texts"].as_object() {
        let texts = texts.iter();
        return texts.map(|(name, text)| (Some(&**name), text.as_str().unwrap().into())).collect();
    }
    if let Some(parts) = case["parts"].as_object() {
        let text = |part: &Value| {
            let times = usize::try_from(part[1].as_u64().unwrap()).unwrap();
            part[0].as_str().unwrap().repeat(times)
        };
        let body = |parts: &Value| parts.as_array().unwrap().iter().map(text).collect();
        return parts.iter().map(|(name, parts)| (Some(&**name), body(parts))).collect();
    }
    let once = [json!({})];
    let events = case["events"].as_array().map_or(&once[..], Vec::as_slice);
    let body = |event: &Value| match event {
        Value::String(name) => json!({"do": name}).to_string(),
        event => event.to_string(),
    };
    events.iter().map(|event| (None, body(event))).collect()
}

fn start(case: &Value, rules: &str) -> Lambda {
    let layer = folder("layer");
    let (task, layer_name) = (folder("task"), layer.to_str().unwrap());
    Lambda::with(&Folder::new(&[]), |command| {
        command
            .current_dir(&task)
            .env("TRINE_NODE_RULES", rules)
            .env("LANG", "en_US.UTF-8")
            .env("TZ", ":UTC")
            .env("LAMBDA_TASK_ROOT", &task)
            .env("_HANDLER", case["handler"].as_str().unwrap().replace("{layer}", layer_name))
            .env("AWS_LAMBDA_FUNCTION_NAME", "app")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "7")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream");
        if case["layer"] == true {
            command.env("TRINE_LAYER_ROOT", &layer);
        }
        for (name, value) in case["env"].as_object().into_iter().flatten() {
            command.env(name, value.as_str().unwrap().replace("{task}", task.to_str().unwrap()));
        }
    })
}

/// Returns the answers to a case's events under these rules, in the form of the records: those of cases in their own right
/// each by its name, others together.
fn answers(case: &Value, rules: &str) -> Vec<(String, Value)> {
    let lambda = start(case, rules);
    let bodies = bodies(case);
    let mut answers = Vec::new();
    for (number, (_, body)) in bodies.iter().enumerate() {
        let mut headers =
            vec![("lambda-runtime-deadline-ms".to_owned(), "4102444800000".to_owned())];
        let mut trace = Some("Root=1-2-3;Sampled=0".to_owned());
        for (name, value) in case["headers"].as_object().into_iter().flatten() {
            let name = name.to_lowercase();
            if name == "lambda-runtime-trace-id" {
                trace = value.as_str().map(str::to_owned);
            } else {
                headers.retain(|(other, _)| *other != name);
                headers.push((name, value.as_str().unwrap().to_owned()));
            }
        }
        let outcome = lambda.outcome(Event {
            request_id: Some(format!("id-{number}")),
            trace_id: trace,
            invoked_function_arn: Some(
                "arn:aws:lambda:us-east-1:012345678912:function:app".to_owned(),
            ),
            headers,
            ..Event::new(body.clone().into_bytes())
        });
        let mut given = answer(&outcome);
        let is_end = given.get("init").is_some();
        if is_end {
            given["exit"] = json!(i32::from(lambda.process.wait() != Some(0)));
        }
        answers.push(given);
        if is_end {
            break;
        }
    }
    if !case["log"].is_null() {
        add_logs(case, lambda, &bodies, &mut answers);
    }
    if bodies[0].0.is_none() {
        return vec![(name_of(case).to_owned(), answers.into())];
    }
    let name = |name: &Option<&str>| format!("{} {}", name_of(case), name.unwrap());
    bodies.iter().map(|(it, _)| name(it)).zip(answers).collect()
}

/// Ends the process and gives each answer what was logged for it.
fn add_logs(
    case: &Value,
    lambda: Lambda,
    bodies: &[(Option<&str>, String)],
    answers: &mut [Value],
) {
    let Lambda { emulator, process } = lambda;
    if process.status().is_none() {
        process.signal("TERM");
    }
    let finished = process.finish();
    drop(emulator);
    let logs = logs_of(&finished.stdout);
    let is_brief = case["brief"] == true;
    for (index, ((name, _), answer)) in bodies.iter().zip(&mut *answers).enumerate() {
        if is_brief {
            *answer = json!({"log": []});
        }
        // Those of events without names stand together.
        let is_last = index + 1 == bodies.len();
        let is_its = |mark: &Option<String>| mark.as_deref() == *name || name.is_none() && is_last;
        let lines: Vec<&Value> =
            logs.iter().filter(|(mark, _)| is_its(mark)).flat_map(|(_, lines)| lines).collect();
        if !lines.is_empty() {
            let kind = ["error", "init"].into_iter().find(|kind| answer.get(kind).is_some());
            let trace = kind.map_or(Value::Null, |kind| answer[kind]["trace"].clone());
            answer["log"] = without(json!(lines), &trace);
        }
    }
}

/// Holds Trine's answers to the cases of a group against the records: each must be one of them.
#[track_caller]
fn compare(group: &str) {
    let mut problems = Vec::new();
    for case in CASES[group].as_array().unwrap() {
        for (rules, clients) in RULES {
            let is_meant = |those: &Vec<Value>| those.iter().any(|it| it == rules);
            if case["rules"].as_array().is_none_or(is_meant) {
                for (name, given) in answers(case, rules) {
                    problems.extend(problem_of(&name, &given, rules, clients));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn problem_of(name: &str, given: &Value, rules: &str, clients: &[&str]) -> Option<String> {
    let recorded: Vec<&Value> =
        clients.iter().filter_map(|client| RECORDS[*client].get(name)).collect();
    let is_for =
        |it: &&Value| it["case"] == name && it["rules"].as_array().unwrap().contains(&json!(rules));
    let listed = OTHERWISE.as_array().unwrap().iter().find(is_for);
    let is_recorded = recorded.iter().any(|recorded| is_as(given, recorded));
    match (is_recorded, listed.map(|it| is_as(given, &it["answer"]))) {
        (true, None) | (false, Some(true)) => None,
        (true, Some(_)) => Some(format!("{rules}: {name}: is no exception any more")),
        (false, _) => Some(format!(
            "{rules}: {name}:\n  given    {given}\n  recorded {}\n  listed   {}",
            json!(recorded),
            json!(listed)
        )),
    }
}

#[test]
fn handlers_are_found_by_the_same_names() {
    compare("names");
}

#[test]
fn functions_that_cannot_be_loaded_are_told_alike() {
    compare("init");
}

#[test]
fn handlers_may_have_the_same_forms() {
    compare("forms");
}

#[test]
fn what_is_thrown_is_told_alike() {
    compare("throws");
}

#[test]
fn results_become_the_same_texts() {
    compare("results");
}

#[test]
fn events_become_the_same_values() {
    compare("events");
}

#[test]
fn contexts_are_the_same() {
    compare("context");
}

#[test]
fn logs_are_the_same() {
    compare("logs");
}

#[test]
fn streams_are_the_same() {
    compare("streams");
}

#[test]
fn processes_look_the_same() {
    compare("process");
}

#[test]
fn modules_are_found_by_the_same_rules() {
    compare("modules");
}

#[test]
fn what_is_left_behind_goes_on_alike() {
    compare("loop");
}

#[test]
fn ends_of_the_process_are_told() {
    compare("ends");
}

#[test]
fn every_case_is_recorded_and_every_exception_is_of_a_case() {
    let mut names = HashSet::new();
    for case in CASES.as_object().unwrap().values().flat_map(|group| group.as_array().unwrap()) {
        for (name, _) in bodies(case) {
            let name = match name {
                Some(name) => format!("{} {name}", name_of(case)),
                None => name_of(case).to_owned(),
            };
            assert!(names.insert(name.clone()), "{name} is used twice");
            let is_recorded = CLIENTS.iter().any(|client| RECORDS[*client].get(&name).is_some());
            assert!(is_recorded, "{name}: run .ci/record-node");
        }
    }
    for record in RECORDS.values() {
        for name in record.as_object().unwrap().keys() {
            assert!(names.contains(name), "{name} is no case any more: run .ci/record-node");
        }
    }
    let mut listed = HashSet::new();
    for it in OTHERWISE.as_array().unwrap() {
        let name = it["case"].as_str().unwrap();
        assert!(names.contains(name) && it["why"].is_string(), "{it} is no case");
        for rules in it["rules"].as_array().unwrap() {
            assert!(RULES.iter().any(|(known, _)| rules == known), "{it}");
            assert!(listed.insert((name, rules)), "{name} is listed twice");
        }
    }
}
