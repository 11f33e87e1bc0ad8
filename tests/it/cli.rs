//! The command line: its own output, and the emulator as a command.

use crate::support::{Connection, Folder, LANGUAGES, Process, Reply, eventually, run, trine};
use serde_json::{Value, json};
use std::{
    net::{SocketAddr, TcpListener},
    process::Command,
};

const README: &str = include_str!("../../README.md");

#[test]
fn help_names_every_command_and_shows_examples() {
    let folder = Folder::new(&[]);
    let finished = run(trine(&folder, &["--help"]));
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
    let commands = ["serve", "invoke", "middlewares", "package", "doctor", "engines", "emulator"];
    for part in commands.iter().chain(&["Examples:", "bootstrap"]) {
        assert!(finished.stdout.contains(part), "{part}: {}", finished.stdout);
    }
    for command in commands {
        let finished = run(trine(&folder, &[command, "--help"]));
        assert_eq!(finished.code, Some(0));
        assert!(finished.stdout.contains(&format!("Usage: trine {command}")), "{finished:?}");
        assert!(README.contains(&format!("trine {command}")), "{command} in README.md");
    }
}

#[test]
fn without_a_command_the_help_is_shown() {
    let finished = run(trine(&Folder::new(&[]), &[]));
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("Usage: trine <COMMAND>"), "{finished:?}");
}

#[test]
fn the_version_is_the_packages() {
    let finished = run(trine(&Folder::new(&[]), &["--version"]));
    assert_eq!(finished.stdout, concat!("trine ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(finished.code, Some(0));
}

#[test]
fn an_unknown_command_is_told_with_the_nearest() {
    let finished = run(trine(&Folder::new(&[]), &["serv"]));
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""));
    assert!(finished.stderr.contains("'serv'"), "{finished:?}");
    assert!(finished.stderr.contains("'serve'"), "{finished:?}");
}

#[test]
fn engines_are_listed_as_a_table_and_as_json() {
    let folder = Folder::new(&[]);
    let table = run(trine(&folder, &["engines"]));
    assert_eq!(table.code, Some(0));
    let lines: Vec<&str> = table.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{}", table.stdout);
    for (line, start) in lines.iter().zip(["ENGINE", "js ", "python ", "lua "]) {
        assert!(line.starts_with(start), "{line}");
    }
    let column = lines[0].find("CAPABILITIES").unwrap();
    for line in &lines[1..] {
        assert!(line[..column].ends_with("  ") && line[column..].starts_with("async"), "{line}");
    }
    let listed = run(trine(&folder, &["engines", "--json"]));
    let engines: Value = serde_json::from_str(&listed.stdout).unwrap();
    let ids: Vec<&str> =
        engines.as_array().unwrap().iter().map(|engine| engine["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["js", "python", "lua"]);
    for engine in engines.as_array().unwrap() {
        assert!(engine["version"].as_str().unwrap().contains('.'), "{engine}");
        assert!(engine["capabilities"]["async"].is_boolean(), "{engine}");
        for extension in engine["extensions"].as_array().unwrap() {
            let extension = format!(".{}", extension.as_str().unwrap());
            assert!(table.stdout.contains(&extension), "{extension}");
            assert!(README.contains(&format!("{extension}`")), "{extension} in README.md");
        }
    }
}

#[test]
fn the_command_line_is_one_even_where_a_runtime_api_is_named() {
    let folder = Folder::new(&[]);
    let mut command = trine(&folder, &["engines", "--json"]);
    command.env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1");
    assert_eq!(run(command).code, Some(0));
}

#[test]
fn a_variable_that_makes_no_sense_is_named() {
    let folder = Folder::probe(LANGUAGES[4]);
    for (name, value) in [("TRINE_ISOLATION", "full"), ("TRINE_TIMEOUT_MARGIN_MS", "soon")] {
        let mut command = trine(&folder, &["invoke", "probe.handler"]);
        command.env(name, value);
        let finished = run(command);
        assert_eq!(finished.code, Some(2));
        let expected = format!("the environment variable {name} is \"{value}\": ");
        assert!(finished.stderr.contains(&expected), "{finished:?}");
    }
}

/// Starts `trine emulator` on a free port with these arguments; returns it and its address.
fn emulator(folder: &Folder, arguments: &[&str]) -> (Process, SocketAddr) {
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
    assert!(
        finished.stderr.contains("the runtime broke rules of Lambda's contract"),
        "{finished:?}"
    );
}
