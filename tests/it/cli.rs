//! The command line: its own output.

use crate::support::{Folder, LANGUAGES, run, trine};
use serde_json::Value;

const README: &str = include_str!("../../README.md");

#[test]
fn help_names_every_command_and_shows_examples() {
    let folder = Folder::new(&[]);
    let finished = run(trine(&folder, &["--help"]));
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""));
    let commands = [
        "new",
        "dev",
        "serve",
        "invoke",
        "event",
        "test",
        "middlewares",
        "package",
        "doctor",
        "engines",
        "emulator",
        "types",
        "settings",
        "completions",
        "man",
        "version",
    ];
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
fn the_version_in_full_tells_languages_features_and_machine() {
    let folder = Folder::new(&[]);
    let short = run(trine(&folder, &["version"]));
    assert_eq!(short.stdout, run(trine(&folder, &["--version"])).stdout);
    let long = run(trine(&folder, &["version", "-v"])).stdout;
    for part in [
        short.stdout.trim_end(),
        "js: ",
        "V8 ",
        "Node.js ",
        "nodejs",
        "python: ",
        "CPython ",
        "lua: ",
    ] {
        assert!(long.contains(part), "{part}: {long}");
    }
    let target = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    assert!(long.contains(&target) && long.contains("features: "), "{long}");
}

#[test]
fn what_else_is_known_of_languages_is_told_where_it_is_asked_for() {
    let folder = Folder::new(&[("app.mjs", "export const handler = () => process.version;")]);
    let told = run(trine(&folder, &["engines", "--verbose"])).stdout;
    let seen = run(trine(&folder, &["invoke", "app.handler"])).stdout;
    let seen = seen.trim().trim_matches('"').trim_start_matches('v');
    assert!(told.contains(&format!("  Node.js: {seen}\n")), "{seen}: {told}");
    let place = told.lines().find_map(|line| line.trim().strip_prefix("standard library: "));
    let place = std::path::Path::new(place.unwrap());
    assert!(place.join("os.py").exists() || place.join("os.pyc").exists(), "{told}");
    let listed = run(trine(&folder, &["engines", "--json"])).stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["details"]["Node.js"], seen);
    assert!(listed[1]["managedRuntime"].as_str().unwrap().starts_with("python3."), "{listed}");
}

#[test]
fn a_file_a_folder_or_a_handler_in_the_place_of_a_command_is_told_what_runs_it() {
    let files =
        [("app.py", "def handler(event, context):\n    return event\n"), ("shop/a.lua", "")];
    let folder = Folder::new(&files);
    for word in ["app.py", "app.handler", "./app.py", "app.py:handler"] {
        let finished = run(trine(&folder, &[word, "--json"]));
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{finished:?}");
        for command in ["invoke", "serve"] {
            let line = format!("trine {command} {word} --json\n");
            assert!(finished.stderr.contains(&line), "{finished:?}");
        }
    }
    let finished = run(trine(&folder, &["shop"]));
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("trine serve shop\n"), "{finished:?}");
    assert!(!finished.stderr.contains("trine invoke"), "{finished:?}");
    // What is nothing of the kind is a command that is not there.
    for word in ["gone.py", "app.other.handler", "nothing"] {
        let finished = run(trine(&folder, &[word]));
        assert_eq!(finished.code, Some(2));
        assert!(finished.stderr.contains("unrecognized subcommand"), "{finished:?}");
    }
}

#[test]
fn exit_codes_are_told_in_one_table_and_are_what_commands_end_with() {
    let folder = Folder::new(&[
        ("app.py", "def handler(event, context):\n    raise ValueError\n"),
        ("set.py", "def handler(event, context):\n    return {1, 2}\n"),
        ("long.lua", "return { handler = function() while true do end end }"),
        ("ok.lua", "return { handler = function() return 1 end }"),
    ]);
    let help = run(trine(&folder, &["--help"])).stdout;
    let (_, table) = help.split_once("Exit codes, the same for every command:\n").unwrap();
    let told: Vec<i32> =
        table.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    assert!(run(trine(&folder, &["invoke", "--help"])).stdout.contains(table.trim_end()));
    for (line, code) in [
        (&["invoke", "ok.handler"][..], 0),
        (&["invoke", "app.handler"], 1),
        (&["check", "gone"], 1),
        (&["serve", "gone"], 1),
        (&["doctor", "gone.handler"], 1),
        (&["invoke", "--gone"], 2),
        (&["middlewares", "--gone"], 2),
        (&["package", "ok.handler"], 2),
        (&["invoke", "gone.handler"], 3),
        (&["middlewares", "gone.handler"], 3),
        (&["invoke", "ok.handler", "--event", "{"], 4),
        (&["invoke", "set.handler"], 5),
        (&["invoke", "long.handler", "--timeout", "200ms"], 6),
    ] {
        let finished = run(trine(&folder, line));
        assert_eq!(finished.code, Some(code), "{line:?}: {finished:?}");
        assert!(told.contains(&code), "{code} is not told: {help}");
    }
}

#[test]
fn whoever_reads_no_further_is_no_reason_to_complain() {
    let folder = Folder::new(&[]);
    for line in
        ["--help", "settings", "settings --json", "man serve", "completions zsh", "engines -v"]
    {
        let mut shell = crate::support::command("sh", &folder);
        let script = format!("{{ {} {line}; echo $? >&2; }} | head -n 1", crate::support::binary());
        shell.args(["-c", &script]);
        let finished = run(shell);
        assert_eq!(finished.stderr, "0\n", "{line}: {finished:?}");
        assert_eq!(finished.stdout.lines().count(), 1);
    }
}

#[test]
fn no_colours_are_printed_where_nobody_wants_them() {
    let folder = Folder::new(&[]);
    for line in [&["--help"][..], &["serv"], &["new"], &["settings"], &["engines"]] {
        let mut command = trine(&folder, line);
        command.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "0");
        let finished = run(command);
        assert!(!(finished.stdout + &finished.stderr).contains('\x1b'), "{line:?}");
    }
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
    let starts = ["ENGINE", "js ", "python ", "lua ", "sql ", "wasm ", "native "];
    assert_eq!(lines.len(), starts.len(), "{}", table.stdout);
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    let column = lines[0].find("CAPABILITIES").unwrap();
    for (line, able) in
        lines[1..].iter().zip(["async", "async", "async", "interrupt", "interrupt", ""])
    {
        let (left, right) = line.split_at(column.min(line.len()));
        assert!(right.starts_with(able) && (able.is_empty() || left.ends_with("  ")), "{line}");
    }
    let listed = run(trine(&folder, &["engines", "--json"]));
    let engines: Value = serde_json::from_str(&listed.stdout).unwrap();
    let ids: Vec<&str> =
        engines.as_array().unwrap().iter().map(|engine| engine["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["js", "python", "lua", "sql", "wasm", "native"]);
    for engine in engines.as_array().unwrap() {
        let version = engine["version"].as_str().unwrap();
        assert!(version.contains(|c: char| c.is_ascii_digit()), "{engine}");
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
