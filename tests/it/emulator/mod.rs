//! `trine emulator`: runtimes of every kind, by their commands, and what the emulator tells of them.

mod durable;
mod functions;

use crate::support::{Connection, Folder, LANGUAGES, Process, Reply, eventually, run, trine};
use serde_json::{Value, json};
use std::{
    net::{SocketAddr, TcpListener},
    process::Command,
};

/// Starts `trine emulator` on a free port with these arguments; returns it and its address.
pub(crate) fn emulator(folder: &Folder, arguments: &[&str]) -> (Process, SocketAddr) {
    let mut command =
        trine(folder, &[&["emulator", "--port", "0", "--timeout", "90"], arguments].concat());
    command.env("LAMBDA_TASK_ROOT", folder.task());
    listening(command)
}

/// Waits until an emulator listens; returns it and its address.
fn listening(command: Command) -> (Process, SocketAddr) {
    let process = Process::start(command);
    let address = eventually("the emulator says where it listens", || {
        assert_eq!(process.status(), None, "{process:?}");
        let text = process.stdout();
        let (_, rest) = text.split_once("curl -d '{}' http://")?;
        rest.split_once('/')?.0.parse().ok()
    });
    (process, address)
}

/// Returns what a caller gets from it.
fn invoke(address: SocketAddr, event: &Value) -> Reply {
    let path = "/2015-03-31/functions/function/invocations";
    Connection::open(address).exchange("POST", path, &[], event.to_string().as_bytes())
}

#[test]
fn the_emulator_runs_a_runtime_and_answers_its_callers() {
    for language in LANGUAGES {
        let folder = Folder::probe(language);
        let bootstrap = folder.bootstrap();
        let arguments = ["--handler", "probe.handler", "--", bootstrap.to_str().unwrap()];
        let (process, address) = emulator(&folder, &arguments);
        let reply = invoke(address, &json!({"a": "é"}));
        assert_eq!((reply.status, reply.json()), (200, json!({"a": "é"})), "{}", language.engine);
        let reply = invoke(address, &json!({"do": "fail"}));
        assert_eq!(reply.header("x-amz-function-error"), Some("Unhandled"));
        // Without a body the event is an empty object, whatever its declared type.
        let path = "/2015-03-31/functions/function/invocations";
        for headers in [&[][..], &[("content-type", "text/plain")]] {
            let reply = Connection::open(address).exchange("POST", path, headers, b"");
            assert_eq!((reply.status, reply.json()), (200, json!({})), "{}", language.engine);
        }
        process.signal("INT");
        let finished = process.finish();
        assert_eq!(finished.code, Some(0), "{finished:?}");
    }
}

#[test]
fn the_emulator_prints_the_environment_for_a_runtime_of_ones_own() {
    let folder = Folder::probe(LANGUAGES[4]);
    let (process, address) = emulator(&folder, &["--handler", "probe.handler", "--name", "it's"]);
    let text = process.stdout();
    let mut command = trine(&folder, &[]);
    for line in text.lines().filter_map(|line| line.strip_prefix("export ")) {
        let (name, value) = line.split_once('=').unwrap();
        let value = value.trim_matches('\'').replace(r"'\''", "'");
        command.env(name, value);
    }
    assert!(text.contains(&format!("export AWS_LAMBDA_RUNTIME_API='{address}'\n")), "{text}");
    assert!(text.contains("export _HANDLER='probe.handler'\n"), "{text}");
    let runtime = Process::start(command);
    let reply = invoke(address, &json!({"do": "context"}));
    assert_eq!(reply.json()["name"], "it's", "{reply:?}\n{runtime:?}");
}

#[test]
fn the_emulator_gives_what_lambda_sets_and_keeps_what_its_user_has_set() {
    let folder = Folder::probe(LANGUAGES[4]);
    let bootstrap = folder.bootstrap();
    let line = format!("env > variables; exec {}", bootstrap.display());
    let variables = |own: &[(&str, &str)], flags: &[&str]| {
        let arguments =
            [&["emulator", "--port", "0", "--timeout", "90"], flags, &["--", "sh", "-c", &line]];
        let mut command = trine(&folder, &arguments.concat());
        command.envs(own.iter().copied()).env("_X_AMZN_TRACE_ID", "Root=stale");
        let (process, address) = listening(command);
        let reply = invoke(address, &json!({"do": "context"}));
        let text = std::fs::read_to_string(folder.file("variables")).unwrap();
        drop(process);
        (text, reply.json())
    };
    let has = |text: &str, lines: &[&str]| {
        for line in lines {
            assert!(text.lines().any(|own| own == *line), "{line} in\n{text}");
        }
    };
    let (text, _) = variables(&[], &["--handler", "probe.handler"]);
    let root = format!("LAMBDA_TASK_ROOT={}", folder.task().display());
    has(
        &text,
        &[
            "AWS_DEFAULT_REGION=us-east-1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
            "AWS_LAMBDA_FUNCTION_NAME=function",
            "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
            "AWS_LAMBDA_LOG_FORMAT=Text",
            "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/function",
            "AWS_REGION=us-east-1",
            "LAMBDA_RUNTIME_DIR=/var/runtime",
            "LANG=en_US.UTF-8",
            &root,
            "TZ=:UTC",
            "_HANDLER=probe.handler",
        ],
    );
    assert!(text.contains("AWS_LAMBDA_LOG_STREAM_NAME=") && !text.contains("stale"), "{text}");
    let own = [
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_NAME", "mine"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "7"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "group"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
        ("AWS_REGION", "eu-central-1"),
        ("LANG", "C.UTF-8"),
        ("TZ", "Europe/Berlin"),
        ("_HANDLER", "probe.handler"),
    ];
    let (text, context) = variables(&own, &[]);
    let lines: Vec<String> = own.iter().map(|(name, value)| format!("{name}={value}")).collect();
    has(&text, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(context["name"], "mine");
    assert!(context["arn"].as_str().unwrap().contains(":eu-central-1:"), "{context}");
    // A flag takes precedence over a variable.
    let (text, _) = variables(&own, &["--name", "other", "--memory", "512MiB"]);
    has(&text, &["AWS_LAMBDA_FUNCTION_NAME=other", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512"]);
    let mut command = trine(&folder, &["emulator", "--port", "0"]);
    command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "much");
    let finished = run(command);
    assert_eq!(finished.code, Some(2), "{finished:?}");
    let told =
        "error: the environment variable AWS_LAMBDA_FUNCTION_MEMORY_SIZE: \"much\" is no size";
    assert!(finished.stderr.starts_with(told), "{finished:?}");
}

#[test]
fn the_emulator_runs_this_program_where_no_other_is_called_bootstrap() {
    let folder = Folder::probe(LANGUAGES[4]);
    let (process, address) = emulator(&folder, &["--handler", "probe.handler", "--", "bootstrap"]);
    assert_eq!(invoke(address, &json!({"a": 1})).json(), json!({"a": 1}), "{process:?}");
}

#[test]
fn what_callers_do_wrong_is_no_fault_of_the_runtime() {
    let folder = Folder::probe(LANGUAGES[4]);
    let (process, address) = emulator(&folder, &["--handler", "probe.handler", "--", "bootstrap"]);
    let path = "/2015-03-31/functions/function/invocations";
    let reply = Connection::open(address).exchange("GET", path, &[], b"");
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")), "{reply:?}");
    assert_eq!(invoke(address, &json!({"a": 1})).status, 200);
    process.signal("INT");
    let finished = process.finish();
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn the_emulator_starts_a_runtime_anew_that_has_ended() {
    let folder = Folder::new(&[(
        "app.lua",
        "local count = 0\nreturn { handler = function() count = count + 1 return count end }",
    )]);
    // A runtime that ends when it is signalled by its process id.
    let bootstrap = folder.bootstrap();
    let line = format!("echo $$ > pid; exec {}", bootstrap.display());
    let (process, address) =
        emulator(&folder, &["--handler", "app.handler", "--", "sh", "-c", &line]);
    assert_eq!(invoke(address, &json!({})).json(), 1);
    assert_eq!(invoke(address, &json!({})).json(), 2);
    let id = std::fs::read_to_string(folder.file("pid")).unwrap();
    let kill = format!("kill -KILL {}", id.trim());
    assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    eventually("the emulator tells of it", || {
        process.stdout().contains("# the runtime ended (signal: 9").then_some(())
    });
    assert_eq!(invoke(address, &json!({})).json(), 1);
}

#[test]
fn a_runtime_that_never_asks_for_an_event_ends_the_emulator() {
    let folder = Folder::probe(LANGUAGES[4]);
    let finished = run(trine(&folder, &["emulator", "--port", "0", "--", "false"]));
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("false ended before it asked for an event"), "{finished:?}");
    let finished = run(trine(&folder, &["emulator", "--port", "0", "--", "no-such-program"]));
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("cannot start no-such-program: No such file"), "{finished:?}");
}

#[test]
fn the_emulator_refuses_a_port_in_use() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let finished = run(trine(&Folder::new(&[]), &["emulator", "--port", &port]));
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""));
    let expected = format!(
        "error: cannot listen on 127.0.0.1:{port}; choose another address with --host and --port"
    );
    assert!(finished.stderr.starts_with(&expected), "{finished:?}");
}

#[test]
fn the_emulator_tells_what_a_runtime_does_wrong() {
    let folder = Folder::new(&[]);
    let (process, address) = emulator(&folder, &[]);
    let mut connection = Connection::open(address);
    let path = "/2018-06-01/runtime/invocation/never/response";
    assert_eq!(connection.exchange("POST", path, &[("user-agent", "x")], b"1").status, 400);
    process.signal("TERM");
    let finished = process.finish();
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let told = "# the runtime broke a rule of Lambda's contract: unknown-request-id: \"never\"\n";
    assert_eq!(finished.stderr.matches(told).count(), 1, "{finished:?}");
    let end = "error: the runtime broke rules of Lambda's contract, once: see above\n";
    assert!(finished.stderr.ends_with(end), "{finished:?}");
}
