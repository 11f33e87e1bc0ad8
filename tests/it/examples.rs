//! Every example in every language, through every door, behaves as its folder says.

use crate::support::{Folder, Lambda, Served, Sqs, eventually, repository, run, trine};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use trine_emulator::Answer;

/// Examples whose later cases build on what earlier ones left in the warm module.
const WARM_ONLY: &[&str] = &["http-api"];

/// The function of the projects in `deploy`.
const DEPLOYED: &str = "deploy/functions";

/// A handler of an example.
#[derive(Debug)]
struct Handler {
    /// The folder that it is called from.
    folder: PathBuf,
    /// The name of its file.
    file: String,
    /// Its engine's id.
    engine: &'static str,
}

/// An event and its expected outcome.
#[derive(Debug)]
struct Case {
    name: String,
    event: Value,
    /// The expected result, or part of the expected error.
    expected: Result<Value, Value>,
    /// Whether the result is the text of a stream.
    is_text: bool,
}

fn folder(example: &str) -> PathBuf {
    let folder = repository().join("handlers-examples").join(example);
    if example == "dependencies" {
        for vendored in ["js/node_modules", "python/package"] {
            let is_there = folder.join(vendored).join(".vendored").is_file();
            assert!(is_there, "{vendored} of the example {example} is not there: run `make setup`");
        }
    }
    folder
}

/// Returns the handlers of an example, next to its events or in a folder per language.
fn handlers(example: &str) -> Vec<Handler> {
    let example = folder(example);
    let mut found = Vec::new();
    for place in [example.clone(), example.join("js"), example.join("python"), example.join("lua")]
    {
        for (extension, engine) in [
            ("mjs", "js"),
            ("js", "js"),
            ("cjs", "js"),
            ("ts", "js"),
            ("py", "python"),
            ("lua", "lua"),
            ("sql", "sql"),
            ("wasm", "wasm"),
        ] {
            let file = format!("handler.{extension}");
            if place.join(&file).is_file() {
                found.push(Handler { folder: place.clone(), file, engine });
            }
        }
    }
    assert!(!found.is_empty(), "{} has no handler", example.display());
    found
}

fn read(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

/// Returns what `look` finds for an engine: engine-specific expectations come first.
fn expected(engine: &str, look: impl Fn(&str) -> Option<Value>) -> Option<Result<Value, Value>> {
    let result = |name: String| look(&name).map(Ok);
    let error = |name: String| look(&name).map(Err);
    result(format!("expected.{engine}"))
        .or_else(|| error(format!("expected-error.{engine}")))
        .or_else(|| result("expected".into()))
        .or_else(|| error("expected-error".into()))
}

/// Returns the event of an example, then its cases.
fn cases(example: &str, engine: &str) -> Vec<Case> {
    let folder = folder(example);
    let event = read(&folder.join("event.json")).expect("an example has an event");
    let text = fs::read_to_string(folder.join("expected.txt")).ok();
    let first = expected(engine, |name| read(&folder.join(format!("{name}.json"))));
    let first = first.or_else(|| text.clone().map(|text| Ok(text.into())));
    let first = first.expect("an example says what is expected");
    let is_text = text.is_some();
    let mut all = vec![Case { name: "event.json".into(), event, expected: first, is_text }];
    for case in read(&folder.join("cases.json")).iter().flat_map(|cases| cases.as_array().unwrap())
    {
        let name = case["name"].as_str().expect("a case has a name").to_owned();
        let text = case.get("expected_text").cloned();
        let is_text = text.is_some();
        let expected = expected(engine, |name| case.get(name).cloned()).or(text.map(Ok));
        let expected = expected.unwrap_or_else(|| panic!("{name}: nothing is expected"));
        all.push(Case { name, event: case["event"].clone(), expected, is_text });
    }
    all
}

/// Puts the layer's middleware around the function that is deployed with it.
fn surround(example: &str, command: &mut Command) {
    if example == DEPLOYED {
        command.env("TRINE_LAYER_ROOT", folder("deploy/layer"));
        command.env("TRINE_MIDDLEWARES", "request-id");
    }
}

/// Whether `whole` contains everything in `part`.
fn says(whole: &Value, part: &Value) -> bool {
    match part {
        Value::Object(members) => members.iter().all(|(name, part)| says(&whole[name], part)),
        other => whole == other,
    }
}

/// Returns what is wrong with an outcome, if anything is.
fn compare(case: &Case, outcome: &Result<Value, Value>) -> Option<String> {
    let is_right = match (&case.expected, outcome) {
        (Ok(expected), Ok(result)) => result == expected,
        (Err(expected), Err(document)) => says(document, expected),
        _ => false,
    };
    (!is_right).then(|| format!("{}: {outcome:?}, not {:?}", case.name, case.expected))
}

/// Runs each event in a process of its own, called as the README says.
fn through_invoke(example: &str) {
    let place = Folder::new(&[]);
    let mut wrong = Vec::new();
    for handler in handlers(example) {
        let take = if WARM_ONLY.contains(&example) { 1 } else { usize::MAX };
        for case in cases(example, handler.engine).iter().take(take) {
            let event = case.event.to_string();
            let mut command =
                trine(&place, &["invoke", &handler.file, "--json", "--event", &event]);
            command.current_dir(&handler.folder);
            surround(example, &mut command);
            let finished = run(command);
            let printed = match case.is_text {
                true => finished.stdout.into(),
                false => serde_json::from_str(&finished.stdout).unwrap_or_default(),
            };
            let outcome = if finished.code == Some(0) { Ok(printed) } else { Err(printed) };
            wrong.extend(compare(case, &outcome).map(|text| format!("{} {text}", handler.file)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn through_lambda(example: &str) {
    let place = Folder::new(&[]);
    let mut wrong = Vec::new();
    for handler in handlers(example) {
        let lambda = Lambda::with(&place, |command| {
            command.current_dir(&handler.folder);
            command.env("LAMBDA_TASK_ROOT", &handler.folder).env("_HANDLER", &handler.file);
            surround(example, command);
        });
        for case in cases(example, handler.engine) {
            let outcome = lambda.outcome(case.event.clone());
            let outcome = match &outcome.result {
                Answer::Response { bytes, streamed: true, .. } if case.is_text => {
                    Ok(String::from_utf8_lossy(bytes).into())
                }
                Answer::Response { .. } => Ok(outcome.json()),
                _ => Err(outcome.json()),
            };
            wrong.extend(compare(&case, &outcome).map(|text| format!("{} {text}", handler.file)));
        }
        lambda.emulator.assert_clean();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

macro_rules! examples {
    ($($name:ident: $folder:literal,)*) => {
        const EXAMPLES: &[&str] = &[$($folder),*];
        $(mod $name {
            #[test]
            fn through_invoke() { super::through_invoke($folder); }
            #[test]
            fn through_lambda() { super::through_lambda($folder); }
        })*
    };
}

examples! {
    cloudevents: "cloudevents",
    cron: "cron",
    dependencies: "dependencies",
    errors: "errors",
    hello: "hello",
    http_api: "http-api",
    parallel: "parallel",
    s3_event: "s3-event",
    scaleway: "scaleway",
    sql: "sql",
    sqs_batch: "sqs-batch",
    streaming: "streaming",
    typescript: "typescript",
    wasm: "wasm",
}

mod deploy {
    #[test]
    fn through_invoke() {
        super::through_invoke(super::DEPLOYED);
    }

    #[test]
    fn through_lambda() {
        super::through_lambda(super::DEPLOYED);
    }
}

/// Folders next to the examples that hold something else.
const OTHERS: &[&str] =
    &["deploy", "middlewares", "native", "plugin", "rust", "shell", "template", "web"];

#[test]
fn no_example_is_left_out() {
    let entries = fs::read_dir(repository().join("handlers-examples")).unwrap();
    let folders = entries.map(Result::unwrap).filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.retain(|name| !OTHERS.contains(&name.as_str()));
    names.sort();
    assert_eq!(names, EXAMPLES);
}

/// Starts `trine serve handlers-examples`.
fn served() -> (Folder, Served) {
    EXAMPLES.iter().for_each(|example| drop(folder(example)));
    let place = Folder::new(&[]);
    let examples = repository().join("handlers-examples");
    let served = Served::start(&place, &[examples.to_str().unwrap(), "--workers", "1"]);
    (place, served)
}

#[test]
fn every_example_answers_over_http() {
    let (_place, served) = served();
    for example in EXAMPLES {
        for handler in handlers(example) {
            let path = match *example {
                // In one language.
                "sql" | "typescript" | "wasm" => format!("/{example}"),
                "http-api" => format!("/http-api/{}/notes", handler.engine),
                _ => format!("/{example}/{}", handler.engine),
            };
            let reply = served.get(&path);
            assert_eq!(reply.status, 200, "{path}: {reply:?}");
        }
    }
}

#[test]
fn the_requests_of_the_readme_are_answered_as_it_says() {
    let (_place, served) = served();
    for language in ["js", "python", "lua"] {
        let get = |path: &str| served.get(&path.replace("LANGUAGE", language));
        assert_eq!(get("/hello/LANGUAGE?name=Ada").json(), json!({"message": "Hello, Ada!"}));
        let reply = get("/errors/LANGUAGE?kind=own");
        assert_eq!((reply.status, &reply.json()["errorType"]), (500, &json!("OutOfStockError")));
        let reply = get("/dependencies/LANGUAGE?ms=7200000");
        assert_eq!(reply.json(), json!({"durations": ["2 hours"]}), "{language}");

        let notes = format!("/http-api/{language}/notes");
        let note = br#"{"title": "Buy milk", "text": "Two bottles."}"#;
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let made = served.request("POST", &notes, &form, note);
        assert_eq!((made.status, made.json()), (201, json!({"id": "buy-milk"})), "{language}");
        assert_eq!(made.header("location"), Some(format!("{notes}/buy-milk").as_str()));
        assert_eq!(made.all("set-cookie"), ["last-note=buy-milk; HttpOnly; SameSite=Lax"]);
        assert_eq!(served.get(&notes).json(), json!({"notes": ["buy-milk"]}));
        assert_eq!(served.get(&format!("{notes}/buy-milk")).text(), "Two bottles.");
        let deleted = served.request("DELETE", &format!("{notes}/buy-milk"), &[], b"");
        assert_eq!((deleted.status, deleted.text()), (204, ""));
        assert_eq!(served.request("PATCH", &notes, &[], b"").status, 405);
    }
    for handler in handlers("streaming") {
        let reply = served.get(&format!("/streaming/{}?rows=2&wait_ms=1", handler.engine));
        assert_eq!(reply.text(), "number,square\n1,1\n2,4\n", "{handler:?}");
        assert_eq!(reply.header("content-type"), Some("text/csv; charset=utf-8"));
        let name = "attachment; filename=\"squares.csv\"";
        assert_eq!(reply.header("content-disposition"), Some(name));
        assert_eq!(reply.header("transfer-encoding"), Some("chunked"));
    }
    let orders = fs::read_to_string(folder("typescript").join("event.json")).unwrap();
    let reply = served.post("/typescript", &orders);
    assert_eq!(Some(reply.json()), read(&folder("typescript").join("expected.json")));
}

#[test]
fn events_are_answered_with_events_in_either_mode() {
    let place = Folder::new(&[]);
    let example = folder("cloudevents");
    let served =
        Served::start(&place, &[example.to_str().unwrap(), "--event-format", "cloudevents"]);
    let event = fs::read(example.join("event.json")).unwrap();
    let expected = read(&example.join("expected.json")).unwrap();
    for language in ["js", "python", "lua"] {
        let path = format!("/{language}");
        let structured = "application/cloudevents+json";
        let headers = [("content-type", structured), ("accept", structured)];
        let reply = served.request("POST", &path, &headers, &event);
        assert_eq!((reply.status, reply.json()), (200, expected.clone()), "{language}");

        let order = json!({"order": "A-1", "items": [{"price": 2, "quantity": 40}]}).to_string();
        let headers = [
            ("ce-specversion", "1.0"),
            ("ce-id", "1"),
            ("ce-source", "/shop"),
            ("ce-type", "order.placed"),
            ("content-type", "application/json"),
        ];
        let reply = served.request("POST", &path, &headers, order.as_bytes());
        assert_eq!(
            (reply.header("ce-type"), reply.header("ce-id")),
            (Some("order.confirmed"), Some("1-confirmed"))
        );
        assert_eq!(reply.json(), json!({"order": "A-1", "total": 80}), "{language}");
    }
}

#[test]
fn the_function_of_scaleway_is_answered_as_the_readme_says() {
    for handler in handlers("scaleway") {
        let place = Folder::new(&[]);
        let path = handler.folder.join(&handler.file);
        let asked = format!("{}:handle", path.display());
        let served = Served::start(&place, &[&asked, "--event-format", "scaleway", "--local"]);
        let reply = served.get("/?celsius=21.5");
        assert_eq!(reply.json(), json!({"fahrenheit": 70.7}), "{handler:?}");
        let sent = br#"{"celsius": -0.5}"#;
        let reply = served.request("POST", "/", &[("SCW_TRIGGER_TYPE", "queue")], sent);
        assert_eq!((reply.status, reply.text()), (200, "executed properly"), "{handler:?}");
        let mut command = trine(&place, &[]);
        command.env("SCW_HANDLER_PATH", &path).env("SCW_PUBLIC", "true").env("PORT", "0");
        let reply = Served::of(command).get("/?celsius=warm");
        assert_eq!((reply.status, reply.text()), (400, "'warm' is no temperature."), "{handler:?}");
    }
}

#[test]
fn the_schedules_of_the_example_invoke_its_functions() {
    let place = Folder::new(&[]);
    let example = folder("cron");
    let served = Served::start(&place, &[example.to_str().unwrap(), "--workers", "1"]);
    let banner = served.process.stdout();
    for line in ["nightly: 30 2 * * * (Europe/Berlin), invokes ", "often: */10 * * * * *, invokes "]
    {
        assert!(banner.contains(line), "{banner}");
    }
    eventually("the function has run", || {
        served.process.stdout().contains("2 of 3 sessions are over").then_some(())
    });
}

#[test]
fn the_queue_of_the_example_invokes_its_function() {
    let sqs = Sqs::start(&["orders", "orders-dead"]);
    sqs.send("orders", "{\"order\": \"A-1\", \"quantity\": 2}");
    let place = Folder::new(&[]);
    let example = folder("sqs-batch");
    let arguments = ["serve", example.to_str().unwrap(), "--port", "0", "--workers", "1"];
    let mut command = trine(&place, &arguments);
    command
        .env("AWS_ENDPOINT_URL_SQS", sqs.url())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    let served = Served::of(command);
    sqs.empties("orders");
    eventually("the function tells", || {
        served.process.stdout().contains("order A-1: 2 on the way").then_some(())
    });
}

/// Returns the words of a command line, in a shell's form or as a list of YAML.
fn words(line: &str) -> Vec<&str> {
    line.split([' ', ',', '[', ']']).filter(|word| !word.is_empty()).collect()
}

#[test]
fn the_command_lines_of_supervisors_are_what_serve_takes() {
    let deploy = repository().join("handlers-examples/deploy");
    let folder = Folder::new(&[]);
    let help = run(trine(&folder, &["serve", "--help"])).stdout;
    let mut files = vec![deploy.join("systemd/trine@.service"), deploy.join("compose.yaml")];
    for project in ["kubernetes", "knative"] {
        files.extend(
            ["js", "python", "lua"]
                .map(|name| deploy.join(project).join(name).with_extension("yaml")),
        );
    }
    for path in files {
        let (file, text) = (path.display(), fs::read_to_string(&path).unwrap());
        let mut commands = 0;
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            // The entry point of an image is `trine serve`.
            let is_command = words(line).contains(&"serve");
            if !is_command && !line.trim_start().starts_with("args:") {
                continue;
            }
            commands += 1;
            assert!(!is_command || words(line).contains(&"--share-port"), "{file}: {line}");
            for flag in words(line).iter().filter(|word| word.starts_with("--")) {
                let known = help.split_whitespace().any(|word| word == *flag);
                assert!(known, "{file}: trine serve has no {flag}");
            }
        }
        assert!(commands > 0, "{file} starts no server");
    }
}
