//! `trine settings`: nothing that is read is missing from the list.

use crate::support::{Finished, Folder, LANGUAGES, repository, run, trine};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};

const README: &str = include_str!("../../README.md");

/// Names in the sources that nobody sets for Trine, each with the reason.
const NO_SETTINGS: &[(&str, &str)] = &[
    ("AWS_XRAY_CONTEXT_MISSING", "the emulator sets it for runtimes"),
    ("AWS_ENDPOINT_URL_LAMBDA", "the emulator sets it for durable functions"),
    ("LAMBDA_RUNTIME_DIR", "the emulator sets it for runtimes"),
    ("TRINE_WRAPPED", "a mark of the runtime's own"),
    ("TRINE_CHILD_OF", "a mark of the runtime's own"),
    ("LAMBDA_RUNTIME_AWS_REQUEST_ID", "WebAssembly modules are told of their invocation by it"),
    ("LAMBDA_RUNTIME_CLIENT_CONTEXT", "WebAssembly modules are told of their invocation by it"),
    ("LAMBDA_RUNTIME_COGNITO_IDENTITY", "WebAssembly modules are told of their invocation by it"),
    ("LAMBDA_RUNTIME_DEADLINE_MS", "WebAssembly modules are told of their invocation by it"),
    (
        "LAMBDA_RUNTIME_INVOKED_FUNCTION_ARN",
        "WebAssembly modules are told of their invocation by it",
    ),
    ("LAMBDA_RUNTIME_TENANT_ID", "WebAssembly modules are told of their invocation by it"),
];

/// What variables begin with whose names are made of parts where they are read.
const MADE_OF_PARTS: &str = "OTEL_EXPORTER_OTLP_";

fn is_of_ours(name: &str) -> bool {
    let begins = ["TRINE_", "AWS_", "SCW_", "OTEL_", "LAMBDA_", "_LAMBDA_", "SLS", "_X_AMZN_"];
    name == "_HANDLER"
        || begins.iter().any(|begin| name.starts_with(begin) && name.len() > begin.len())
}

/// Returns the names of variables in the texts of a folder's sources, without tests and what is read when they are built.
fn named(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if name != "tests" {
                named(&path, names);
            }
            continue;
        }
        if !name.ends_with(".rs") || name == "tests.rs" || path.ends_with("config/variables.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for line in text.lines().filter(|line| !line.contains("env!(") && !is_in_comment(line)) {
            let quoted = line.split('"').skip(1).step_by(2);
            let is_name = |text: &str| {
                text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            };
            names
                .extend(quoted.filter(|text| is_name(text) && is_of_ours(text)).map(str::to_owned));
        }
    }
}

fn is_in_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

fn listed(folder: &Folder, variables: &[(&str, &str)]) -> Value {
    let mut command = trine(folder, &["settings", "--json"]);
    command.envs(variables.iter().copied());
    serde_json::from_str(&run(command).stdout).unwrap()
}

fn names(listed: &Value) -> BTreeSet<String> {
    let variables = listed["variables"].as_array().unwrap().iter();
    variables.map(|variable| variable["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_variable_that_the_sources_name_is_listed() {
    let mut read = BTreeSet::new();
    named(&repository().join("src"), &mut read);
    let own = read.clone();
    for language in ["js", "python", "lua", "sql", "wasm", "native", "plugin", "process", "core"] {
        named(&repository().join("engines").join(language).join("src"), &mut read);
    }
    assert!(own.contains("TRINE_MEMORY") && read.contains("TRINE_NODE_RULES"), "{read:?}");
    for (name, _) in NO_SETTINGS {
        assert!(read.remove(*name), "{name} is no longer in the sources");
    }
    let listed = names(&listed(&Folder::new(&[]), &[]));
    let forgotten: Vec<_> = read.difference(&listed).collect();
    assert!(
        forgotten.is_empty(),
        "add to src/config/variables.rs, or to NO_SETTINGS: {forgotten:?}"
    );
    let gone: Vec<_> = listed
        .iter()
        .filter(|name| is_of_ours(name) && !read.contains(*name))
        .filter(|name| !name.starts_with(MADE_OF_PARTS))
        .collect();
    assert!(gone.is_empty(), "nothing reads {gone:?}");
}

#[test]
fn every_variable_of_the_readme_is_listed() {
    let listed = names(&listed(&Folder::new(&[]), &[]));
    let word = |c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let named: BTreeSet<&str> = README
        .split(word)
        .filter(|name| ["TRINE_", "OTEL_", "SCW_"].iter().any(|begin| name.starts_with(begin)))
        // The header of tokens.
        .filter(|name| *name != "SCW_FUNCTIONS_TOKEN" && *name != "SCW_TRIGGER_TYPE")
        .collect();
    assert!(named.len() > 30, "{named:?}");
    let unknown: Vec<_> = named.iter().filter(|name| !listed.contains(**name)).collect();
    assert!(unknown.is_empty(), "{unknown:?} of README.md");
    assert!(README.contains("trine settings"));
}

#[test]
fn every_flag_of_every_command_is_listed_with_its_default() {
    let folder = Folder::new(&[]);
    let listed = listed(&folder, &[]);
    let flags = listed["flags"].as_array().unwrap();
    let of = |command: &str, name: &str| {
        let found = flags.iter().find(|flag| flag["command"] == command && flag["name"] == name);
        found.unwrap_or_else(|| panic!("{command} {name}: {flags:#?}"))
    };
    assert_eq!(of("serve", "--grace TIME")["default"], "10s");
    assert_eq!(
        of("serve", "--port, -p PORT")["default"],
        "the variable PORT, else 9000; 8080 with SCW_HANDLER_PATH"
    );
    assert_eq!(of("invoke", "--event, -e JSON|FILE|-|@NAME")["default"], "{}");
    assert_eq!(of("emulator", "--watch")["default"], Value::Null);
    for flag in flags {
        assert_ne!(flag["what"], "", "{flag}");
    }
    for command in ["serve", "invoke", "emulator", "package", "doctor", "new", "check"] {
        let help = run(trine(&folder, &[command, "--help"])).stdout;
        let known: Vec<&str> = flags
            .iter()
            .filter(|flag| flag["command"] == command)
            .map(|flag| flag["name"].as_str().unwrap())
            .collect();
        // `  -p, --port <PORT>`, `      --allow-net[=<HOST,…>]`
        let shown = help.lines().filter_map(|line| {
            let line = line.trim_start();
            let flag = line.split_once(", ").filter(|(short, _)| short.len() == 2);
            let flag = flag.map_or(line, |(_, long)| long).split([' ', '[', '=']).next()?;
            (line.starts_with('-') && flag.starts_with("--")).then_some(flag)
        });
        let mut shown: Vec<&str> = shown.filter(|flag| *flag != "--help").collect();
        assert!(!shown.is_empty(), "{help}");
        shown.retain(|flag| {
            !known.iter().any(|name| name.split([' ', ',']).any(|word| word == *flag))
        });
        assert!(shown.is_empty(), "{shown:?} of {command}: {known:?}");
    }
}

#[test]
fn what_is_set_is_shown_with_its_origin_unless_it_is_a_secret() {
    let folder = Folder::probe(LANGUAGES[4]);
    let set = [
        ("TRINE_MEMORY", "512MiB"),
        ("TRINE_ISOLATION", "full"),
        ("AWS_SECRET_ACCESS_KEY", "hush-1"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=hush-2"),
        ("TRINE_OTLP", "http://me:hush-3@localhost:4318"),
        ("NODE_OPTIONS", "--enable-source-maps"),
    ];
    let json = listed(&folder, &set);
    let of = |name: &str| {
        json["variables"].as_array().unwrap().iter().find(|known| known["name"] == name).unwrap()
    };
    assert_eq!(
        (&of("TRINE_MEMORY")["value"], &of("TRINE_MEMORY")["origin"]),
        (&"512MiB".into(), &"environment".into())
    );
    assert_eq!(
        (&of("TRINE_MAX_HEAP")["value"], &of("TRINE_MAX_HEAP")["origin"]),
        (&Value::Null, &"default".into())
    );
    assert!(of("TRINE_ISOLATION")["problem"].as_str().unwrap().contains("use shared or fresh"));
    assert_eq!(of("NODE_OPTIONS")["group"], "JavaScript");
    assert!(of("AWS_SECRET_ACCESS_KEY")["hidden"].as_bool().unwrap());
    let mut command = trine(&folder, &["settings"]);
    command.envs(set);
    let page: Finished = run(command);
    assert_eq!(page.code, Some(0));
    for part in [
        "Set at present:\n",
        "  TRINE_MEMORY = \"512MiB\" (environment)\n",
        "  TRINE_ISOLATION = \"full\" (environment), which makes no sense: ",
        "  AWS_SECRET_ACCESS_KEY = (not shown) (environment)\n",
        "Variables: Lambda\n",
        "Flags: trine serve\n",
    ] {
        assert!(page.stdout.contains(part), "{part}: {}", page.stdout);
    }
    assert!(!page.stdout.contains("hush-") && !json.to_string().contains("hush-"));
}
