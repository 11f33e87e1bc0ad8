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
        "serve",
        "invoke",
        "event",
        "test",
        "middlewares",
        "package",
        "doctor",
        "engines",
        "emulator",
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
        assert!(line[..column].ends_with("  ") && line[column..].starts_with(able), "{line}");
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
