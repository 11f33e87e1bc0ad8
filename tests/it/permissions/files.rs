//! Files and folders.

use super::{JAVASCRIPT, LUA, Narrowed, PROBES, PYTHON};
use serde_json::json;
use std::{fs, os::unix::fs::symlink};

/// Serves a probe that may read one folder and write another, beside a secret.
fn narrowed(probe: super::Probe, more: &[&str]) -> Narrowed {
    let flags = [&["--allow-read=@/in", "--allow-write=@/out", "--allow-net"], more].concat();
    Narrowed::prepared(probe, &flags, |files| {
        for folder in ["in/deep", "out", "input"] {
            fs::create_dir_all(files.0.join(folder)).unwrap();
        }
        for file in ["in/a", "in/deep/b", "in/kept", "out/a", "input/a", "secret"] {
            fs::write(files.0.join(file), file).unwrap();
        }
        symlink(files.0.join("secret"), files.0.join("in/link")).unwrap();
        symlink(&files.0, files.0.join("in/up")).unwrap();
        symlink(files.0.join("new"), files.0.join("out/dangling")).unwrap();
        symlink("a", files.0.join("in/inner")).unwrap();
    })
}

#[test]
fn files_below_what_is_allowed_are_read() {
    for probe in PROBES {
        let narrowed = narrowed(probe, &[]);
        for file in ["in/a", "in/deep/b", "in/deep/../a", "in/inner"] {
            narrowed.may("read", json!([narrowed.file(file)]));
        }
        for file in ["secret", "input/a", "out/a", "in/../secret", "in/deep/../../secret", "none"] {
            narrowed.may_not("read", json!([narrowed.file(file)]), "read");
        }
        for file in ["/etc/passwd", "/proc/self/environ", "/proc/self/root/etc/passwd"] {
            let outcome = narrowed.ask("read", json!([file]));
            assert!(outcome["error"].is_object(), "{file}: {outcome}");
        }
        // The function's own folder is code.
        let own = narrowed.folder.file(&format!("probe.{}", probe.extension));
        narrowed.may("read", json!([own]));
    }
}

#[test]
fn links_lead_no_further() {
    for probe in PROBES {
        let narrowed = narrowed(probe, &[]);
        for file in ["in/link", "in/up/secret", "in/up/input/a"] {
            narrowed.may_not("read", json!([narrowed.file(file)]), "read");
        }
        let outcome = narrowed.ask("write", json!([narrowed.file("out/dangling")]));
        let told = outcome["error"]["message"].as_str().unwrap_or_default();
        assert!(told.contains("Requires "), "{}: {outcome}", probe.extension);
        assert!(!fs::exists(narrowed.file("new")).unwrap());
    }
}

#[test]
fn files_below_what_is_allowed_are_written() {
    for probe in PROBES {
        let narrowed = narrowed(probe, &[]);
        let file = |name: &str| narrowed.file(name);
        narrowed.may("write", json!([file("out/new")]));
        narrowed.may("append", json!([file("out/new")]));
        assert_eq!(fs::read_to_string(file("out/new")).unwrap(), "writtenmore");
        narrowed.may("remove", json!([file("out/new")]));
        for name in ["in/a", "new", "out/../new", "outer", "in/link"] {
            narrowed.may_not("write", json!([file(name)]), "write");
            narrowed.may_not("append", json!([file(name)]), "write");
        }
        narrowed.may_not("remove", json!([file("in/a")]), "write");
        narrowed.may_not("rename", json!([file("secret"), file("out/b")]), "");
        narrowed.may_not("rename", json!([file("out/a"), file("b")]), "");
        let own = narrowed.folder.file("more.txt");
        narrowed.may_not("write", json!([own]), "write");
        assert!(!fs::exists(file("new")).unwrap() && !fs::exists(own).unwrap());
    }
}

#[test]
fn what_is_denied_is_taken_from_what_is_allowed() {
    for probe in PROBES {
        let denials = ["--deny-read=@/in/kept", "--deny-write=@/out/kept"];
        let narrowed = narrowed(probe, &denials);
        narrowed.may("read", json!([narrowed.file("in/a")]));
        narrowed.may_not("read", json!([narrowed.file("in/kept")]), "read");
        narrowed.may("write", json!([narrowed.file("out/b")]));
        narrowed.may_not("write", json!([narrowed.file("out/kept")]), "write");
    }
}

#[test]
fn everything_but_what_is_denied() {
    for probe in PROBES {
        let narrowed = Narrowed::prepared(probe, &["--deny-read=@/secret"], |files| {
            fs::write(files.0.join("secret"), "secret").unwrap();
        });
        narrowed.may_not("read", json!([narrowed.file("secret")]), "read");
        narrowed.may("read", json!(["/etc/passwd"]));
        narrowed.may("write", json!([narrowed.file("a")]));
    }
}

#[test]
fn relative_paths_are_those_of_the_functions_folder() {
    for probe in PROBES {
        let narrowed = Narrowed::start(probe, &["--allow-write=data", "--allow-read=data"]);
        fs::create_dir(narrowed.folder.file("data")).unwrap();
        narrowed.may("write", json!([narrowed.folder.file("data/a")]));
        narrowed.may("read", json!([narrowed.folder.file("data/a")]));
        narrowed.may_not("write", json!([narrowed.folder.file("a")]), "write");
    }
}

#[test]
fn every_way_to_files_asks_in_javascript() {
    let narrowed = narrowed(JAVASCRIPT, &[]);
    let file = |name: &str| narrowed.file(name);
    for op in ["read", "read_later", "read_deno", "import_text", "import_data", "require"] {
        narrowed.may_not(op, json!([file("secret")]), "read");
    }
    narrowed.may_not("list", json!(["/etc"]), "read");
    narrowed.may_not("make", json!([file("folder")]), "write");
    narrowed.may_not("copy", json!([file("secret"), file("out/b")]), "read");
    narrowed.may_not("copy", json!([file("in/a"), file("b")]), "write");
    // A link could lead anywhere.
    narrowed.may_not("symlink", json!([file("secret"), file("out/link")]), "");
    narrowed.may_not("link", json!([file("secret"), file("out/link")]), "");
    narrowed.may_not("database", json!([file("secret")]), "");
    let outcome = narrowed.ask("attach", json!([file("attached")]));
    assert!(outcome["error"].is_object() && !fs::exists(file("attached")).unwrap(), "{outcome}");
    let outcome = narrowed.ask("read", json!([file("secret")]));
    assert_eq!(outcome["error"]["code"], "ERR_ACCESS_DENIED", "{outcome}");
}

#[test]
fn every_way_to_files_asks_in_python() {
    let narrowed = narrowed(PYTHON, &[]);
    let file = |name: &str| narrowed.file(name);
    for op in ["read", "read_path", "read_bytes"] {
        narrowed.may_not(op, json!([file("secret")]), "read");
        narrowed.may(op, json!([file("in/a")]));
    }
    narrowed.may_not("list", json!(["/etc"]), "read");
    narrowed.may_not("scan", json!(["/etc"]), "read");
    narrowed.may_not("change_folder", json!(["/etc"]), "read");
    narrowed.may("list", json!([file("in")]));
    narrowed.may_not("make", json!([file("folder")]), "write");
    narrowed.may_not("copy", json!([file("secret"), file("out/b")]), "read");
    narrowed.may_not("copy", json!([file("in/a"), file("b")]), "write");
    narrowed.may_not("truncate", json!([file("in/a")]), "write");
    narrowed.may_not("mode", json!([file("in/a")]), "write");
    narrowed.may_not("symlink", json!([file("secret"), file("out/link")]), "read");
    narrowed.may_not("link", json!([file("secret"), file("out/link")]), "read");
    narrowed.may_not("link", json!([file("in/a"), file("out/link")]), "write");
    narrowed.may_not("database", json!([file("secret")]), "read");
    narrowed.may_not("database", json!([format!("file:{}?mode=rwc", file("b"))]), "read");
    let outcome = narrowed.ask("attach", json!([file("attached")]));
    assert!(outcome["error"].is_object() && !fs::exists(file("attached")).unwrap(), "{outcome}");
    narrowed.may_not("read_in_folder", json!([file("in"), "../secret"]), "read");
    narrowed.may("read_in_folder", json!([file("in"), "a"]));
    narrowed.may_not("write_in_folder", json!([file("in"), "b"]), "write");
    // The path that is asked for is the one that is opened.
    let outcome = narrowed.ask("read_turncoat", json!([file("in/a"), file("secret")]));
    assert_ne!(outcome["ok"], "secret", "{outcome}");
    let outcome = narrowed.ask("read", json!([file("secret")]));
    assert_eq!(outcome["error"]["name"], "PermissionError", "{outcome}");
    assert_eq!(outcome["error"]["code"], 13, "{outcome}");
    // What Python's library needs is there.
    narrowed.may("standard_library", json!([]));
}

#[test]
fn every_way_to_files_asks_in_lua() {
    let narrowed = narrowed(LUA, &[]);
    let file = |name: &str| narrowed.file(name);
    for op in ["read_lines", "read_input", "compile", "run_file", "read_behind"] {
        narrowed.may_not(op, json!([file("secret")]), "read");
    }
    narrowed.may("read_lines", json!([file("in/a")]));
    narrowed.may_not("update", json!([file("in/a")]), "write");
    narrowed.may_not("update", json!([file("out/a")]), "read");
    narrowed.may_not("write_output", json!([file("b")]), "write");
    narrowed.may_not("temporary", json!([]), "write");
    narrowed.may_not("temporary_name", json!([]), "write");
    narrowed.folder.write("lua/part.lua", "return { name = 'part' }");
    assert_eq!(narrowed.may("module", json!(["part"])), "part");
    narrowed.may_not("require", json!([file("?"), "secret"]), "read");
}
