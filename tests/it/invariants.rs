//! The design's invariants, as far as manifests and sources show them.

use crate::support::repository;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use toml::{Table, Value};

/// The crates that hold a language.
const LANGUAGES: &[&str] = &["js", "python", "lua"];

/// The crates of engines for what is no general language, or whose language somebody else brings.
const OTHER_ENGINES: &[&str] = &["sql", "wasm", "native", "plugin"];

fn engines() -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().chain(OTHER_ENGINES).copied()
}

fn manifest(folder: &str) -> Table {
    let path = repository().join(folder).join("Cargo.toml");
    fs::read_to_string(path).unwrap().parse().unwrap()
}

/// Returns the names of a crate's dependencies, tests included if `dev`.
fn dependencies(folder: &str, dev: bool) -> BTreeSet<String> {
    let manifest = manifest(folder);
    let mut sections = vec!["dependencies", "build-dependencies"];
    if dev {
        sections.push("dev-dependencies");
    }
    let tables = sections.into_iter().filter_map(|section| manifest.get(section)?.as_table());
    tables.flat_map(|table| table.keys().cloned()).collect()
}

/// A source file and its text without comments.
struct Source {
    /// Path below the repository's root.
    path: String,
    text: String,
}

impl Source {
    /// Returns lines with their numbers, up to the tests at the file's end.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().take_while(|line| *line != "#[cfg(test)]");
        lines.enumerate().filter_map(|(index, line)| {
            let line = line.trim_start();
            (!line.starts_with("//")).then_some((index + 1, line))
        })
    }
}

/// Returns every Rust file of a folder, except tests in files of their own.
fn sources(folder: &str) -> Vec<Source> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if path.is_dir() {
                if name != "tests" {
                    walk(&path, found);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !["tests", "fixture"].contains(&name)
            {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&repository().join(folder), &mut paths);
    assert!(!paths.is_empty(), "{folder} has no source");
    paths.sort();
    let read = |path: PathBuf| Source {
        text: fs::read_to_string(&path).unwrap(),
        path: path.strip_prefix(repository()).unwrap().to_str().unwrap().to_owned(),
    };
    paths.into_iter().map(read).collect()
}

/// Fails with the places where any of `words` occurs in a source.
#[track_caller]
fn assert_absent<'s>(sources: impl IntoIterator<Item = &'s Source>, words: &[&str]) {
    let mut places = Vec::new();
    for source in sources {
        for (number, line) in source.lines() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                places.push(format!("{}:{number}: {word}", source.path));
            }
        }
    }
    assert!(places.is_empty(), "{}", places.join("\n"));
}

/// Returns everything that these packages of the lock file lead to.
fn closure(roots: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    let lock: Table = fs::read_to_string(repository().join("Cargo.lock")).unwrap().parse().unwrap();
    let mut needs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        let listed = package.get("dependencies").and_then(Value::as_array);
        let names = listed.into_iter().flatten().filter_map(Value::as_str);
        // `name version` where there are several versions.
        let names = names.map(|name| name.split(' ').next().unwrap_or(name));
        needs.entry(package["name"].as_str().unwrap()).or_default().extend(names);
    }
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut left: Vec<String> = roots.into_iter().collect();
    while let Some(name) = left.pop() {
        let names = needs.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not locked"));
        left.extend(names.iter().filter(|name| !reached.contains(**name)).map(|n| (*n).to_owned()));
        reached.insert(name);
    }
    reached
}

#[test]
fn the_traits_depend_on_no_async_runtime_no_http_and_no_language() {
    let reached = closure(dependencies("engines/core", false));
    for refused in [
        "tokio",
        "async-std",
        "smol",
        "hyper",
        "http",
        "axum",
        "tower",
        "reqwest",
        "v8",
        "deno_core",
        "pyo3",
        "mlua",
        "trine-js",
        "trine-python",
        "trine-lua",
        "trine",
    ] {
        assert!(!reached.contains(refused), "engines/core leads to {refused}");
    }
}

#[test]
fn languages_depend_on_the_traits_and_not_on_each_other() {
    for language in engines() {
        let folder = format!("engines/{language}");
        let direct = dependencies(&folder, true);
        assert!(direct.contains("trine-engine"), "{folder}");
        for other in engines().filter(|other| *other != language) {
            assert!(!direct.contains(&format!("trine-{other}")), "{folder} needs {other}");
        }
        assert!(!direct.contains("trine"), "{folder} needs the product");
    }
    for folder in ["engines/core", "engines/emulator", "engines/json", "engines/testkit"] {
        let direct = dependencies(folder, true);
        for language in engines() {
            assert!(!direct.contains(&format!("trine-{language}")), "{folder} needs {language}");
        }
    }
}

#[test]
fn only_one_file_of_the_product_names_languages() {
    let sources = sources("src");
    let others = sources.iter().filter(|source| source.path != "src/engines.rs");
    assert_absent(
        others,
        &[
            "trine_js",
            "trine_python",
            "trine_lua",
            "trine_sql",
            "trine_wasm",
            "trine_native",
            "trine_plugin",
            "libloading",
            "sqlite3",
            "deno_",
            "rusty_v8",
            "v8::",
            "pyo3",
            "mlua",
            "feature = \"js\"",
            "feature = \"python\"",
            "feature = \"lua\"",
            "feature = \"sql\"",
            "feature = \"wasm\"",
            "feature = \"native\"",
            "feature = \"plugin\"",
        ],
    );
    let manifest = manifest("");
    for dependency in dependencies("", false) {
        let refused = ["v8", "deno_core", "deno_runtime", "pyo3", "mlua"];
        assert!(!refused.contains(&dependency.as_str()), "the product needs {dependency} itself");
    }
    for language in engines() {
        let name = format!("trine-{language}");
        let optional = manifest["dependencies"][&name].get("optional").and_then(Value::as_bool);
        assert_eq!(optional, Some(true), "{name} is not behind its feature");
        assert!(manifest["features"].get(language).is_some(), "{language} has no feature");
    }
}

/// What a language's packages look like is known to its crate, which is asked by way of the traits.
#[test]
fn what_is_shipped_is_judged_by_engines() {
    let words = [
        "node_modules",
        ".node\"",
        "dist-info",
        "cpython",
        "manylinux",
        "__pycache__",
        ".pyc",
        "boto",
        "@aws-sdk",
        "luaopen",
    ];
    for folder in ["src/folder", "src/doctor", "src/package"] {
        assert_absent(&sources(folder), &words);
    }
}

/// Returns the top-level modules of the crate that a source names: `crate::lambda`, also in `use crate::{…}`.
fn modules_named(source: &Source) -> BTreeSet<String> {
    let text: String = source.lines().map(|(_, line)| line).collect();
    let mut named = BTreeSet::new();
    for (at, start) in text.match_indices("crate::") {
        let rest = &text[at + start.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            named.insert(identifier(rest));
            continue;
        };
        let mut depth = 0;
        let mut begins = true;
        for (at, letter) in list.char_indices() {
            if begins && depth == 0 && letter.is_alphabetic() {
                named.insert(identifier(&list[at..]));
            }
            begins = letter == ',' || (begins && letter.is_whitespace());
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    named
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

#[test]
fn the_front_doors_do_not_know_each_other() {
    for (folder, other) in [("src/http", "lambda"), ("src/lambda", "http")] {
        for source in sources(folder) {
            assert!(!modules_named(&source).contains(other), "{} imports {other}", source.path);
        }
    }
}

#[test]
fn the_products_modules_form_no_circle() {
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources("src") {
        let module = source.path.trim_start_matches("src/").split('/').next().unwrap();
        let module = module.trim_end_matches(".rs").to_owned();
        needs.entry(module).or_default().extend(modules_named(&source));
    }
    assert!(needs["http"].contains("worker") && needs["worker"].contains("pipeline"), "{needs:?}");
    // Removes modules that need nothing that is left, until there are none: what stays is in a circle.
    let mut left: BTreeSet<String> = needs.keys().cloned().collect();
    while let Some(free) = left.iter().find(|module| {
        needs[*module].iter().all(|needed| needed == *module || !left.contains(needed))
    }) {
        let free = free.clone();
        left.remove(&free);
    }
    assert!(left.is_empty(), "these need each other: {left:?}");
}

#[test]
fn only_workers_start_threads_for_guests() {
    let sources = sources("src");
    // The watchdog's thread runs no guest.
    let starts = ["src/worker/", "src/watchdog.rs"];
    let others = sources.iter().filter(|s| !starts.iter().any(|start| s.path.starts_with(start)));
    assert_absent(others, &["thread::spawn", "thread::Builder", "spawn_blocking"]);
}

#[test]
fn only_commands_and_diagnostics_print() {
    let printing =
        ["println!", "eprintln!", "print!(", "eprint!(", "stdout()", "stderr()", "dbg!("];
    let product = sources("src");
    let silent = product.iter().filter(|source| {
        !["src/cli/", "src/diagnostic/"].iter().any(|folder| source.path.starts_with(folder))
            && source.path != "src/telemetry/sink.rs"
    });
    assert_absent(silent, &printing);
    for folder in ["core", "emulator", "json", "process", "testkit"].into_iter().chain(engines()) {
        assert_absent(&sources(&format!("engines/{folder}/src")), &printing);
    }
}

#[test]
fn unsafe_lives_in_language_crates_alone() {
    let words = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe trait"];
    for folder in [
        "src",
        "engines/core/src",
        "engines/emulator/src",
        "engines/json/src",
        "engines/build/src",
        "engines/lua-pattern/src",
        "engines/testkit/src",
        "engines/v8/src",
    ] {
        assert_absent(&sources(folder), &words);
    }
    let workspace = manifest("");
    let lint = &workspace["workspace"]["lints"]["rust"]["unsafe_code"];
    assert_eq!(lint.as_str(), Some("forbid"));
    for folder in [
        "",
        "engines/core",
        "engines/emulator",
        "engines/json",
        "engines/build",
        "engines/lua-pattern",
        "engines/testkit",
        "engines/v8",
    ] {
        let inherited = manifest(folder)["lints"].get("workspace").and_then(Value::as_bool);
        assert_eq!(inherited, Some(true), "{folder:?} does not take the workspace's lints");
    }
}

/// What runs inside of Lua and everywhere in its crate must not lead back to all of the crate.
#[test]
fn what_watches_lua_and_what_converts_its_values_knows_no_host() {
    let names = ["limits", "trace", "guard", "bulk", "pattern", "convert", "convert/"];
    let sources = sources("engines/lua/src");
    let below = sources.iter().filter(|source| {
        let name = source.path.strip_prefix("engines/lua/src/").unwrap_or_default();
        names.iter().any(|known| {
            name == format!("{known}.rs") || known.ends_with('/') && name.starts_with(known)
        })
    });
    assert_absent(below, &["Host", "host::"]);
}

#[test]
fn every_unsafe_block_says_why_it_is_sound() {
    let mut bare = Vec::new();
    for folder in engines().chain(["native/handler", "process"]) {
        for source in sources(&format!("engines/{folder}/src")) {
            let lines: Vec<&str> = source.text.lines().collect();
            for (number, line) in source.lines() {
                if !line.contains("unsafe {") && !line.contains("unsafe impl") {
                    continue;
                }
                // The comment is above the statement, whose first lines may be in between.
                let above = lines[number.saturating_sub(12)..number].iter();
                if !above.into_iter().any(|line| line.contains("SAFETY")) {
                    bare.push(format!("{}:{number}", source.path));
                }
            }
        }
    }
    assert!(bare.is_empty(), "no reason near {}", bare.join(", "));
}

/// The files that every language crate has, each about the same thing, so that knowing one crate is knowing all.
const VOCABULARY: &[&str] = &[
    "lib", "engine", "instance", "loader", "convert", "value", "call", "exchange", "error",
    "exits", "limits", "host", "find", "check",
];

/// Further names that several crates may use, with their one meaning.
const SHARED_NAMES: &[(&str, &str)] = &[
    ("context", "the context that a function gets"),
    ("debugger", "what debuggers attach to by the Debug Adapter Protocol"),
    ("examine", "the look at a folder before it is shipped"),
    ("fetch", "HTTP requests of guests"),
    ("memory", "an allocator that counts and limits"),
    ("permits", "what guests may do, where that is narrowed"),
    ("profile", "where a call spends its time"),
    ("program", "middlewares of the earlier runtime, which are programs"),
    ("stream", "answers that are streamed"),
    ("snapshot", "what is done around a snapshot of the process"),
    ("standalone", "the process as the language's own interpreter, by its command line"),
    ("web", "handlers that are web applications"),
];

#[test]
fn every_language_crate_has_the_same_files() {
    let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for language in LANGUAGES {
        let folder = repository().join("engines").join(language);
        for name in VOCABULARY {
            let file = format!("engines/{language}/src/{name}.rs");
            assert!(repository().join(&file).is_file(), "{file} is missing");
        }
        for entry in ["Cargo.toml", "docs.md", "src/prelude", "tests/it/main.rs"] {
            assert!(folder.join(entry).exists(), "engines/{language}/{entry} is missing");
        }
        let root = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
        assert!(root.contains("const ID: &str"), "engines/{language}/src/lib.rs has no ID");
        for entry in fs::read_dir(folder.join("src")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                names.entry(name).or_default().push(language);
            }
        }
    }
    let is_known = |name: &str| {
        VOCABULARY.contains(&name) || SHARED_NAMES.iter().any(|(shared, _)| *shared == name)
    };
    names.retain(|name, languages| languages.len() > 1 && !is_known(name));
    assert!(names.is_empty(), "do these mean the same? then say what: {names:?}");
}

/// A new engine touches one file of the product, which makes the registry.
#[test]
fn the_product_learns_of_an_engine_in_one_file() {
    for language in engines() {
        let crate_name = format!("trine_{language}");
        let naming: Vec<String> = sources("src")
            .into_iter()
            .filter(|source| source.lines().any(|(_, line)| line.contains(&crate_name)))
            .map(|source| source.path)
            .collect();
        assert_eq!(naming, ["src/engines.rs"], "{language}");
        let lines = sources("src").into_iter().find(|source| source.path == "src/engines.rs");
        let lines = lines.unwrap();
        let naming = lines.lines().filter(|(_, line)| line.contains(&crate_name)).count();
        assert_eq!(naming, 1, "src/engines.rs names {crate_name} more than once");
    }
}

#[test]
fn the_code_map_names_every_crate_and_room() {
    let map = fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap();
    let manifest = manifest("");
    let members = manifest["workspace"]["members"].as_array().unwrap();
    let crates = members.iter().map(|member| member.as_str().unwrap().to_owned());
    let rooms = fs::read_dir(repository().join("src")).unwrap().map(|entry| {
        let entry = entry.unwrap();
        format!("src/{}", entry.file_name().to_str().unwrap())
    });
    let left_out: Vec<String> = crates
        .chain(rooms)
        .filter(|place| place != "src/lib.rs" && !map.contains(&format!("`{place}")))
        .collect();
    assert!(left_out.is_empty(), "ARCHITECTURE.md does not name {left_out:?}");
}

/// Registries and readers of a dependency list see no more of a crate than this.
#[test]
fn every_crate_for_others_says_what_it_is_and_begins_with_an_example() {
    let workspace = manifest("");
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let crates = members.iter().map(|member| member.as_str().unwrap()).chain([""]);
    for folder in crates {
        let package = manifest(folder)["package"].as_table().unwrap().clone();
        if package.get("publish").and_then(Value::as_bool) == Some(false) {
            continue;
        }
        let said = package["description"].as_str().unwrap();
        assert!(said.len() > 3 && !said.ends_with('.'), "{folder:?}: {said:?}");
        for list in ["keywords", "categories"] {
            let entries = package[list].as_array().unwrap().len();
            assert!((1..=5).contains(&entries), "{folder:?} has {entries} {list}");
        }
        if let Some(readme) = package.get("readme").and_then(Value::as_str) {
            assert!(repository().join(folder).join(readme).is_file(), "{folder:?}: {readme}");
        }
        let root = repository().join(folder).join("src/lib.rs");
        let mut front = fs::read_to_string(&root).unwrap();
        for included in front.clone().split("include_str!(\"").skip(1) {
            let file = root.with_file_name(included.split('"').next().unwrap());
            front += &fs::read_to_string(file).unwrap();
        }
        assert!(front.contains("```"), "the documentation of {folder:?} shows no example");
    }
}

/// Otherwise `make run` after `make test`, or the other way round, would compile V8's family once more.
#[test]
fn a_build_of_the_product_alone_is_part_of_the_workspaces() {
    let lines = |whole: &[&str]| -> BTreeSet<String> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(repository()).args(["tree", "--offline", "--locked", "--prefix", "none"]);
        cargo.args(["--edges", "normal,build,dev", "--format", "{p} {f}"]).args(whole);
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
    };
    let (product, workspace) = (lines(&["--package", "trine"]), lines(&["--workspace"]));
    let others: Vec<_> = product.difference(&workspace).collect();
    assert!(product.len() > 500 && others.is_empty(), "with other features: {others:#?}");
}

#[test]
fn a_file_says_in_its_first_lines_what_it_is_about_and_ends_before_it_is_long() {
    for folder in [
        "src",
        "engines/core/src",
        "engines/emulator/src",
        "engines/json/src",
        "engines/process/src",
        "engines/testkit/src",
        "engines/js/src",
        "engines/python/src",
        "engines/lua/src",
        "engines/lua-pattern/src",
        "engines/build/src",
        "engines/native/handler/src",
        "engines/native/src",
        "engines/plugin/src",
        "engines/sql/src",
        "engines/v8/src",
        "engines/wasm/src",
        "tests/it",
    ] {
        for source in sources(folder) {
            let says = source.text.starts_with("//!") || source.text.starts_with("#![doc = ");
            assert!(says, "{} does not say what it is about", source.path);
            let lines = source.text.lines().count();
            assert!(lines <= 600, "{} has {lines} lines", source.path);
        }
    }
}
