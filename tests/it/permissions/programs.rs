//! Programs and native code.

use super::{JAVASCRIPT, LUA, Narrowed, PROBES, PYTHON};
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt};

#[test]
fn no_program_runs_that_is_not_allowed() {
    for probe in PROBES {
        let narrowed = Narrowed::start(probe, &["--allow-net"]);
        narrowed.may_not("run", json!(["/bin/echo"]), "run");
        let narrowed = Narrowed::start(probe, &["--deny-run"]);
        narrowed.may_not("run", json!(["/bin/echo"]), "run");
    }
    for (probe, ops) in [
        (JAVASCRIPT, &["shell", "run_deno"][..]),
        (PYTHON, &["shell", "system", "spawn", "spawn_directly", "exec", "fork"]),
        (LUA, &["execute"]),
    ] {
        let narrowed = Narrowed::start(probe, &["--allow-net"]);
        for op in ops {
            let args = if *op == "fork" { json!([]) } else { json!(["/bin/true"]) };
            narrowed.may_not(op, args, "run");
        }
    }
}

#[test]
fn programs_are_allowed_by_name_or_path() {
    for probe in [JAVASCRIPT, PYTHON] {
        let narrowed = Narrowed::start(probe, &["--allow-run=echo", "--allow-env=PATH"]);
        assert_eq!(narrowed.may("run", json!(["echo", "a"])), "a");
        assert_eq!(narrowed.may("run", json!(["/bin/echo", "a"])), "a");
        narrowed.may_not("run", json!(["cat", "/etc/passwd"]), "run");
        narrowed.may_not("run", json!(["/bin/cat", "/etc/passwd"]), "run");
        narrowed.may_not("shell", json!(["echo a"]), "run");
        let narrowed = Narrowed::start(probe, &["--allow-run=/bin/echo", "--allow-env=PATH"]);
        assert_eq!(narrowed.may("run", json!(["/bin/echo", "a"])), "a");
        narrowed.may_not("run", json!(["/bin/cat"]), "run");
        let narrowed = Narrowed::start(probe, &["--deny-run=cat"]);
        assert_eq!(narrowed.may("run", json!(["echo", "a"])), "a");
        narrowed.may_not("run", json!(["cat", "/etc/passwd"]), "run");
        narrowed.may_not("run", json!(["/bin/cat", "/etc/passwd"]), "run");
    }
    // Lua runs what it runs by way of a shell.
    let narrowed = Narrowed::start(LUA, &["--allow-run=sh"]);
    assert_eq!(narrowed.may("run", json!(["echo a"])), "a");
    let narrowed = Narrowed::start(LUA, &["--allow-run=echo"]);
    narrowed.may_not("run", json!(["echo a"]), "run");
}

#[test]
fn another_program_of_the_same_name_is_another_program() {
    for probe in [JAVASCRIPT, PYTHON] {
        let flags = ["--allow-run=echo", "--allow-write", "--allow-read", "--allow-env=PATH"];
        let narrowed = Narrowed::prepared(probe, &flags, |files| {
            let fake = files.0.join("echo");
            fs::write(&fake, "#!/bin/sh\nexec /bin/cat /etc/hostname\n").unwrap();
            fs::set_permissions(fake, PermissionsExt::from_mode(0o755)).unwrap();
        });
        let folder = narrowed.file("");
        narrowed.may_not("run_with_path", json!([folder, "echo"]), "run");
        narrowed.may_not("run", json!([narrowed.file("echo")]), "run");
        narrowed.may_not("run_preloading", json!([]), "run");
        narrowed.may_not("kill", json!([]), "run");
    }
    let narrowed = Narrowed::start(PYTHON, &["--allow-net"]);
    narrowed.may_not("kill_self", json!([]), "run");
    narrowed.may_not("import", json!(["readline"]), "write");
    let narrowed = Narrowed::start(JAVASCRIPT, &["--allow-net"]);
    narrowed.may_not("change", json!([]), "sys");
}

#[test]
fn native_code_is_denied_wherever_anything_is_narrowed() {
    let library = "/lib/x86_64-linux-gnu/libm.so.6";
    for probe in PROBES {
        for flags in [&["--allow-net"][..], &["--deny-run=cat"], &["--allow-read", "--allow-run"]] {
            let narrowed = Narrowed::start(probe, flags);
            let outcome = narrowed.ask("load", json!([library]));
            let message = outcome["error"]["message"].as_str().unwrap_or_default();
            assert!(message.contains("ffi"), "{flags:?}: {outcome}");
        }
    }
    let narrowed = Narrowed::start(PYTHON, &["--allow-net", "--allow-ffi"]);
    assert_eq!(narrowed.may("load", json!([library])), "loaded");
    let narrowed = Narrowed::start(LUA, &["--allow-net"]);
    let outcome = narrowed.ask("require_native", json!([library, "m"]));
    let told = outcome["error"]["message"].as_str().unwrap_or_default();
    assert!(told.contains("module 'm' not found") && !told.contains("libm.so"), "{outcome}");
}

#[test]
fn an_extension_module_lies_where_code_lies_or_is_allowed() {
    let narrowed = Narrowed::prepared(PYTHON, &["--allow-write", "--allow-read"], |files| {
        fs::write(files.0.join("stray.so"), "no library").unwrap();
        fs::write(files.0.join("stray.py"), "VALUE = 1").unwrap();
    });
    narrowed.may_not("import_extension", json!([narrowed.file("stray.so")]), "ffi");
    assert_eq!(narrowed.may("import_file", json!([narrowed.file("stray.py")])), "loaded");
}
