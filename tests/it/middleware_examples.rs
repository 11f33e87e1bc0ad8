//! Every example middleware around handlers of every language, through every door, behaves as `cases.json` says.

use crate::support::{
    Folder, Lambda, PROBE_LANGUAGES, Process, Served, eventually, repository, run, trine,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use trine_emulator::Answer;

/// A case, and the language of the handler that it runs around.
#[derive(Debug, Clone)]
struct Case {
    /// The member of `cases.json`.
    data: Value,
    engine: &'static str,
    /// File name of the handler.
    file: String,
}

/// The answer to a caller: `{statusCode, headers, body}` with the body parsed if it is JSON, or an error document.
type Outcome = Result<Value, Value>;

impl Case {
    fn text(&self, name: &str) -> &str {
        self.data[name].as_str().unwrap_or_default()
    }

    fn middlewares(&self) -> &str {
        self.text("middlewares")
    }

    fn handler(&self) -> &str {
        self.data["handler"].as_str().unwrap_or("echo")
    }

    /// Returns the variables of this case's process; cases that agree in them can share the process.
    fn environment(&self) -> BTreeMap<String, String> {
        let all = self.data["env"].as_object().into_iter().flatten();
        all.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
    }

    /// Returns the event: as it is given, or as API Gateway makes it from a request.
    fn event(&self) -> Value {
        let request = &self.data["request"];
        if !request.is_object() {
            return self.data["event"].clone();
        }
        let (path, method) = (self.path("/"), request["method"].as_str().unwrap_or("GET"));
        let is_base64 = request["base64"] == true;
        let body = request["body"].as_str();
        let body = body.map(|body| match is_base64 {
            true => BASE64_STANDARD.encode(body),
            false => body.to_owned(),
        });
        let mut event = json!({
            "version": "2.0",
            "rawPath": path,
            "headers": request.get("headers").cloned().unwrap_or_else(|| json!({})),
            "requestContext": {"http": {"method": method, "path": path}},
            "isBase64Encoded": is_base64,
        });
        if let Some(body) = body {
            event["body"] = body.into();
        }
        if request["query"].is_object() {
            event["queryStringParameters"] = request["query"].clone();
        }
        event
    }

    fn path<'c>(&'c self, otherwise: &'c str) -> &'c str {
        self.data["request"]["path"].as_str().unwrap_or(otherwise)
    }

    /// Returns what is wrong with an outcome and with what was logged, if anything is.
    fn compare(&self, outcome: &Outcome, logged: impl Fn() -> String) -> Option<String> {
        let of = |name: &str| {
            let own = self.data.get(format!("{name}.{}", self.engine));
            own.or_else(|| self.data.get(name))
        };
        let is_right = match outcome {
            Ok(response) => of("expected").is_some_and(|part| says(response, part)),
            Err(document) => of("expected-error").is_some_and(|part| says(document, part)),
        };
        let told = |what: String| format!("{} around {}: {what}", self.text("name"), self.file);
        if !is_right {
            return Some(told(format!("{outcome:#?}\n{}", logged())));
        }
        let parts = of("log").and_then(Value::as_array).into_iter().flatten();
        let missing = parts.into_iter().find(|part| !is_logged(&logged(), part))?;
        Some(told(format!("{missing} is not in the log\n{}", logged())))
    }
}

/// Whether `whole` contains everything in `part`. `null` stands for what must be absent.
fn says(whole: &Value, part: &Value) -> bool {
    match part {
        Value::Object(members) => members.iter().all(|(name, part)| says(&whole[name], part)),
        other => whole == other,
    }
}

fn is_logged(log: &str, part: &Value) -> bool {
    match part {
        Value::String(text) => log.contains(text),
        part => json_lines(log).any(|line| says(&line, part)),
    }
}

/// Returns the JSON objects at the ends of a log's lines.
fn json_lines(log: &str) -> impl Iterator<Item = Value> {
    log.lines().filter_map(|line| serde_json::from_str(&line[line.find('{')?..]).ok())
}

fn middlewares() -> PathBuf {
    repository().join("handlers-examples/middlewares")
}

/// Returns the folder of the handlers that the middlewares wrap.
fn around() -> PathBuf {
    middlewares().join("around")
}

/// Returns the cases of a middleware (those that name it first), for each language.
fn cases(middleware: &str, server: SocketAddr) -> Vec<Case> {
    let vendored = middlewares().join("validate/package/.vendored");
    assert!(vendored.is_file(), "the packages of validate are not there: run `make setup`");
    let text = fs::read_to_string(middlewares().join("cases.json")).unwrap();
    let examples = repository().join("handlers-examples");
    let text = text.replace("{server}", &format!("http://{server}/"));
    let text = text.replace("{examples}", examples.to_str().unwrap());
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut cases = Vec::new();
    for data in all {
        let first = data["middlewares"].as_str().unwrap().split(',').next();
        if !middleware.is_empty() && first != Some(middleware) {
            continue;
        }
        for language in PROBE_LANGUAGES {
            let languages = data["languages"].as_array();
            if languages.is_some_and(|only| !only.contains(&language.engine.into())) {
                continue;
            }
            let handler = data["handler"].as_str().unwrap_or("echo");
            let file = format!("{handler}.{}", language.extension);
            cases.push(Case { data: data.clone(), engine: language.engine, file });
        }
    }
    assert!(!cases.is_empty(), "{middleware} has no case");
    cases
}

/// Groups cases that can share a process.
fn groups<K: Ord>(cases: Vec<Case>, key: impl Fn(&Case) -> K) -> Vec<Vec<Case>> {
    let mut groups = BTreeMap::new();
    for case in cases {
        let key = (case.environment(), case.middlewares().to_owned(), key(&case));
        groups.entry(key).or_insert_with(Vec::new).push(case);
    }
    groups.into_values().collect()
}

fn prepare(command: &mut Command, case: &Case) {
    command.current_dir(around()).envs(case.environment());
    command.env("TRINE_LAYER_ROOT", repository().join("handlers-examples"));
}

/// Returns the response that a function's result stands for.
fn response(result: &Value) -> Value {
    let body = match &result["body"] {
        Value::String(text) => parsed(text),
        other => other.clone(),
    };
    match result.get("statusCode") {
        Some(status) => json!({"statusCode": status, "headers": result["headers"], "body": body}),
        None => json!({"statusCode": 200, "headers": {}, "body": result}),
    }
}

fn parsed(text: &str) -> Value {
    match text {
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    }
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Runs each event in a process of its own, called as the README says.
fn through_invoke(middleware: &str) {
    let (place, server) = (Folder::new(&[]), serve_calls(0));
    let mut wrong = Vec::new();
    for case in cases(middleware, server) {
        let event = case.event().to_string();
        let names = case.middlewares();
        let line = ["invoke", &case.file, "--middlewares", names, "--json", "--event", &event];
        let mut command = trine(&place, &line);
        prepare(&mut command, &case);
        let finished = run(command);
        let printed = serde_json::from_str(&finished.stdout).unwrap_or_default();
        let outcome = if finished.code == Some(0) { Ok(response(&printed)) } else { Err(printed) };
        wrong.extend(case.compare(&outcome, || finished.stderr.clone()));
    }
    assert_none(&wrong);
}

fn through_lambda(middleware: &str) {
    let (place, server) = (Folder::new(&[]), serve_calls(0));
    let mut wrong = Vec::new();
    for group in groups(cases(middleware, server), |case| case.file.clone()) {
        let lambda = Lambda::with(&place, |command| {
            prepare(command, &group[0]);
            command.env("LAMBDA_TASK_ROOT", around()).env("_HANDLER", &group[0].file);
            command.env("TRINE_MIDDLEWARES", group[0].middlewares());
        });
        for case in &group {
            let from = Mark::of(&lambda.process);
            let outcome = lambda.outcome(case.event());
            let outcome = match outcome.result {
                Answer::Response { .. } => Ok(response(&outcome.json())),
                _ => Err(outcome.json()),
            };
            wrong.extend(case.compare(&outcome, || from.log(&lambda.process, case)));
        }
        lambda.emulator.assert_clean();
    }
    assert_none(&wrong);
}

/// Runs the cases with a request, of all languages, under one server.
fn through_serve(middleware: &str) {
    let (place, server) = (Folder::new(&[]), serve_calls(0));
    let mut wrong = Vec::new();
    let mut cases = cases(middleware, server);
    cases.retain(|case| case.data["request"].is_object());
    for case in &mut cases {
        // Here a function's own path comes first.
        let prefix = format!("/{}/{}", case.handler(), case.engine);
        for line in case.data["log"].as_array_mut().into_iter().flatten() {
            if let Some(path) = line.get_mut("path") {
                *path = format!("{prefix}{}", path.as_str().unwrap()).into();
            }
        }
    }
    for group in groups(cases, |_| ()) {
        let arguments = ["serve", ".", "--port", "0", "--workers", "1", "--middlewares"];
        let mut command = trine(&place, &arguments);
        command.arg(group[0].middlewares());
        prepare(&mut command, &group[0]);
        let served = Served::of(command);
        for case in &group {
            let from = Mark::of(&served.process);
            let outcome = ask(&served, case);
            wrong.extend(case.compare(&outcome, || from.log(&served.process, case)));
        }
    }
    assert_none(&wrong);
}

fn ask(served: &Served, case: &Case) -> Outcome {
    let request = &case.data["request"];
    let headers: Vec<(&str, &str)> = request["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let mut path = format!("/{}/{}{}", case.handler(), case.engine, case.path(""));
    for (at, (name, value)) in request["query"].as_object().into_iter().flatten().enumerate() {
        let separator = if at == 0 { '?' } else { '&' };
        path += &format!("{separator}{name}={}", escaped(value.as_str().unwrap()));
    }
    let method = request["method"].as_str().unwrap_or("GET");
    let body = request["body"].as_str().unwrap_or_default();
    let reply = served.request(method, &path, &headers, body.as_bytes());
    let body = parsed(reply.text());
    if reply.status == 500 && body.get("errorType").is_some() {
        return Err(body);
    }
    let headers: Map<String, Value> =
        reply.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    Ok(json!({"statusCode": reply.status, "headers": headers, "body": body}))
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// The position in a process's log at which a case began.
struct Mark(usize, usize);

impl Mark {
    fn of(process: &Process) -> Self {
        Self(process.stdout().len(), process.stderr().len())
    }

    /// Returns what has been logged since, waiting a while for the lines that the case expects.
    fn log(&self, process: &Process, case: &Case) -> String {
        let wanted = case.data["log"].as_array().map_or(0, Vec::len);
        let since = || {
            let (stdout, stderr) = (process.stdout(), process.stderr());
            stdout.get(self.0..).unwrap_or_default().to_owned()
                + stderr.get(self.1..).unwrap_or_default()
        };
        for _ in 0..200 {
            let log = since();
            let parts = case.data["log"].as_array().into_iter().flatten();
            if wanted == 0 || parts.into_iter().all(|part| is_logged(&log, part)) {
                return log;
            }
            thread::sleep(std::time::Duration::from_millis(10));
        }
        since()
    }
}

/// Starts a server to call: it answers every request, but none before `hold` of them have arrived.
fn serve_calls(hold: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let arrived = Arc::new(AtomicUsize::new(0));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let arrived = arrived.clone();
            thread::spawn(move || answer_calls(stream, &arrived, hold));
        }
    });
    address
}

fn answer_calls(mut stream: TcpStream, arrived: &AtomicUsize, hold: usize) {
    let (mut head, mut piece) = (Vec::new(), [0; 4096]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(length @ 1..) => head.extend_from_slice(&piece[..length]),
            _ => return,
        }
    }
    arrived.fetch_add(1, Ordering::SeqCst);
    eventually("enough calls are there", || (arrived.load(Ordering::SeqCst) >= hold).then_some(()));
    // A client that has gone away meanwhile has failed its own test.
    let _ =
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
}

/// Checks two requests that wait for each other in one interpreter: each line counts its own calls.
fn counts_apart(middleware: &str, file: &str) {
    let (place, server) = (Folder::new(&[]), serve_calls(2));
    let mut command = trine(&place, &["serve", file, "--port", "0", "--workers", "1"]);
    command.args(["--middlewares", middleware]).current_dir(around());
    command.env("TRINE_LAYER_ROOT", repository().join("handlers-examples"));
    command.env("APM_MODULES", "inventory");
    let served = Served::of(command);
    let url = escaped(&format!("http://{server}/"));
    thread::scope(|scope| {
        for times in [1, 3] {
            let (served, url) = (&served, &url);
            scope.spawn(move || {
                let reply = served.get(&format!("/?url={url}&times={times}"));
                assert_eq!(reply.json(), json!({"calls": times + 1}), "{:?}", served.process);
            });
        }
    });
    let lines = eventually("both lines are there", || {
        let log = served.process.stdout() + &*served.process.stderr();
        let lines: Vec<Value> = json_lines(&log).filter(|line| line["apm"].is_string()).collect();
        (lines.len() == 2).then_some(lines)
    });
    let counts: BTreeSet<u64> = lines.iter().filter_map(|line| line["count"].as_u64()).collect();
    assert_eq!(counts, BTreeSet::from([2, 4]), "{lines:?}");
    assert_ne!(lines[0]["requestId"], lines[1]["requestId"]);
    assert!(lines.iter().all(|line| line["milliseconds"].as_f64().is_some_and(|sum| sum > 0.0)));
}

#[test]
fn apm_mjs_tells_interleaved_invocations_apart() {
    counts_apart("apm.mjs", "work.mjs");
}

#[test]
fn apm_py_tells_interleaved_invocations_apart() {
    counts_apart("apm.py", "work.py");
}

#[test]
fn apm_lua_tells_interleaved_invocations_apart() {
    counts_apart("apm.lua", "work.lua");
}

#[test]
fn the_section_of_the_readme_is_what_happens() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let (_, section) = readme.split_once("\n## Middleware\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let blocks = |language: &str| -> Vec<&str> {
        let fences = section.split("```").skip(1).step_by(2);
        fences.filter_map(|fence| fence.strip_prefix(&format!("{language}\n"))).collect()
    };
    let place = Folder::new(&[
        ("hello.lua", blocks("lua")[0]),
        ("middlewares/check.py", blocks("python")[0]),
    ]);
    for name in ["request-log.mjs", "cors.lua"] {
        let text = fs::read(middlewares().join(name)).unwrap();
        place.write(&format!("middlewares/{name}"), text);
    }
    let task = place.task().to_str().unwrap().to_owned();
    for console in blocks("console") {
        for shown in console.split("$ trine ").skip(1) {
            let (line, output) = shown.split_once('\n').unwrap();
            // There, quotes are around whole arguments.
            let arguments: Vec<&str> = line
                .split('\'')
                .enumerate()
                .flat_map(|(at, part)| match at % 2 {
                    0 => part.split_whitespace().collect(),
                    _ => vec![part],
                })
                .collect();
            let finished = run(trine(&place, &arguments));
            let printed = (finished.stdout + &*finished.stderr).replace(&task, "/tmp/hello");
            assert_eq!(printed, output, "{line}");
        }
    }
}

macro_rules! examples {
    ($($module:ident: $name:literal,)*) => {
        const EXAMPLES: &[&str] = &[$($name),*];
        $(mod $module {
            #[test]
            fn through_invoke() { super::through_invoke($name); }
            #[test]
            fn through_lambda() { super::through_lambda($name); }
            #[test]
            fn through_serve() { super::through_serve($name); }
        })*
    };
}

examples! {
    apm_lua: "apm.lua",
    apm_mjs: "apm.mjs",
    apm_py: "apm.py",
    cors: "cors",
    feature_flags: "feature-flags",
    http_errors: "http-errors",
    json_body: "json-body",
    jwt: "jwt",
    legacy_stamp: "legacy-stamp",
    redact: "redact",
    request_log: "request-log",
    validate: "validate",
}

#[test]
fn no_example_middleware_and_no_case_is_left_out() {
    let entries = fs::read_dir(middlewares()).unwrap().map(Result::unwrap);
    let mut names = BTreeSet::new();
    for entry in entries {
        let name = entry.file_name().into_string().unwrap();
        if !["around", "cases.json", "__pycache__"].contains(&name.as_str()) {
            let stem = name.split('.').next().unwrap();
            names.insert(if stem == "apm" { name.clone() } else { stem.to_owned() });
        }
    }
    assert_eq!(names, EXAMPLES.iter().map(|name| (*name).to_owned()).collect());
    let run: usize = EXAMPLES.iter().map(|name| cases(name, serve_calls(0)).len()).sum();
    assert_eq!(run, cases("", serve_calls(0)).len(), "a case names a middleware that is none");
}
