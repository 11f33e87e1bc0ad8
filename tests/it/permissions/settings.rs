//! Where permissions are set: flags of several commands, variables, `trine.toml`; and whom they hold for.

use super::{HELLO, JAVASCRIPT, LUA, PROBES, PYTHON, Probe, server};
use crate::support::{Folder, Lambda, Served, run, trine};
use serde_json::{Value, json};
use std::fs;

fn probe_folder(probe: Probe) -> Folder {
    Folder::new(&[(&format!("probe.{}", probe.extension), probe.source)])
}

fn ask(served: &Served, path: &str, op: &str, args: Value) -> Value {
    served.post(path, &json!({"op": op, "args": args}).to_string()).json()
}

#[test]
fn invoke_has_the_same_flags() {
    for probe in PROBES {
        let folder = probe_folder(probe);
        let event = json!({"op": "read", "args": ["/etc/passwd"]}).to_string();
        let outcome = |flags: &[&str]| {
            let arguments = [&["invoke", "probe.handler", "--json", "--event", &event], flags];
            let finished = run(trine(&folder, &arguments.concat()));
            assert_eq!(finished.code, Some(0), "{finished:?}");
            serde_json::from_str::<Value>(&finished.stdout).unwrap()
        };
        assert!(outcome(&[])["ok"].is_string());
        assert!(outcome(&["--allow-net"])["error"].is_object());
        assert!(outcome(&["--allow-net", "--allow-read=/etc"])["ok"].is_string());
        assert!(outcome(&["--allow-net", "-A"])["ok"].is_string());
        assert!(outcome(&["--deny-read=/etc", "--allow-all"])["error"].is_object());
    }
}

#[test]
fn variables_narrow_a_function_on_lambda() {
    let server = server(HELLO);
    for probe in PROBES {
        let folder = probe_folder(probe);
        let lambda = Lambda::with(&folder, |command| {
            command.env("_HANDLER", "probe.handler");
            command.env("TRINE_ALLOW_NET", server.to_string());
            command.env("TRINE_ALLOW_ENV", "AWS_*");
        });
        let ask = |op: &str, args: Value| lambda.invoke(json!({"op": op, "args": args}));
        assert_eq!(ask("fetch", json!([format!("http://{server}/")])), json!({"ok": "hello"}));
        for (op, args) in [
            ("fetch", json!(["http://127.0.0.1:9998/"])),
            ("read", json!(["/etc/passwd"])),
            ("run", json!(["/bin/true"])),
        ] {
            let outcome = ask(op, args);
            let told = outcome["error"]["message"].as_str().unwrap_or_default();
            assert!(told.contains("--allow-"), "{op}: {outcome}");
        }
        assert_eq!(ask("variable", json!(["PATH"])), json!({"ok": null}));
    }
}

#[test]
fn a_variable_without_sense_keeps_a_function_from_starting() {
    let folder = probe_folder(LUA);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "probe.handler").env("TRINE_ALLOW_NET", "https://a.example/");
    });
    let (_, name, document) = lambda.init_error();
    assert_eq!(name, "Runtime.InvalidSetting");
    let told = document["errorMessage"].as_str().unwrap();
    assert!(told.contains("TRINE_ALLOW_NET") && told.contains("a.example:443"), "{told}");
}

#[test]
fn functions_of_one_server_may_do_different_things() {
    for probe in PROBES {
        let folder = Folder::new(&[]);
        for name in ["open", "narrow", "other"] {
            folder.write(&format!("{name}/handler.{}", probe.extension), probe.source);
        }
        folder.write("data.txt", "data");
        let data = folder.file("data.txt");
        let file = format!(
            "[[function]]\nname = \"narrow\"\nallow-read = [\"/etc\"]\nevent-format = \"raw\"\n\
             [[function]]\nname = \"other\"\nallow-read = {data:?}\nevent-format = \"raw\"\n\
             [[function]]\nname = \"open\"\nallow-all = true\nevent-format = \"raw\"\n"
        );
        folder.write("trine.toml", file);
        let served = Served::start(&folder, &["--workers", "1", "--allow-net"]);
        let reads =
            |path: &str, file: &str| ask(&served, path, "read", json!([file]))["ok"].is_string();
        for _ in 0..2 {
            let found: Vec<(bool, bool)> = ["/open", "/narrow", "/other"]
                .map(|path| (reads(path, "/etc/passwd"), reads(path, &data)))
                .into();
            assert_eq!(found, [(true, true), (true, false), (false, true)], "{}", probe.extension);
        }
    }
}

#[test]
fn threads_of_a_def_are_held_as_well() {
    let folder = probe_folder(PYTHON);
    let flags = ["--workers", "1", "--event-format", "raw", "--threads", "3", "--allow-net"];
    let served = Served::start(&folder, &flags);
    for _ in 0..4 {
        let outcome = ask(&served, "/", "read", json!(["/etc/passwd"]));
        assert_eq!(outcome["error"]["name"], "PermissionError", "{outcome}");
    }
}

#[test]
fn a_hook_is_held_to_what_its_interpreter_is() {
    let folder = Folder::new(&[
        ("js/handler.mjs", JAVASCRIPT.source),
        (
            "middlewares/same.mjs",
            "import fs from 'node:fs';\n\
             export const after = (response) => {\n\
               try { fs.readFileSync('/etc/passwd'); response.same = 'read'; } catch (error) { response.same = error.code; }\n\
               return response;\n\
             };\n",
        ),
        (
            "middlewares/foreign.lua",
            "return { after = function(response)\n\
               response.foreign = io.open('/etc/passwd') and 'read' or 'refused'\n\
               return response\n\
             end }\n",
        ),
        (
            "trine.toml",
            "[[function]]\nname = \"js\"\nevent-format = \"raw\"\nallow-env = true\n\
             middlewares = [\"same\", \"foreign\"]\n",
        ),
    ]);
    let served = Served::start(&folder, &["--workers", "1"]);
    let outcome = ask(&served, "/js", "variable", json!(["NOTHING"]));
    // In the function's language a hook runs in the function's interpreter; in another one, what the server lets functions do
    // holds.
    let expected = json!({"ok": null, "same": "ERR_ACCESS_DENIED", "foreign": "read"});
    assert_eq!(outcome, expected);
    let served = Served::start(&folder, &["--workers", "1", "--deny-read=/etc"]);
    let outcome = ask(&served, "/js", "variable", json!(["NOTHING"]));
    assert_eq!(outcome["foreign"], "refused", "{outcome}");
}

#[test]
fn a_middleware_in_another_folder_is_code() {
    for probe in PROBES {
        let folder = Folder::new(&[(&format!("one/handler.{}", probe.extension), probe.source)]);
        let (hook, part) = match probe.extension {
            "mjs" => (
                "import './part.mjs';\nexport const before = () => ({ op: 'variable', args: ['A'] });",
                "",
            ),
            "py" => (
                "import part\ndef before(event, context):\n    return {'op': 'variable', 'args': ['A']}\n",
                "",
            ),
            _ => (
                "require('part')\nreturn { before = function() return { op = 'variable', args = { 'A' } } end }",
                "return {}",
            ),
        };
        folder.write(&format!("middlewares/hook.{}", probe.extension), hook);
        folder.write(&format!("middlewares/part.{}", probe.extension), part);
        let flags =
            ["--workers", "1", "--allow-net", "--middlewares", "hook", "--event-format", "raw"];
        let served = Served::start(&folder, &flags);
        let outcome = ask(&served, "/", "none", json!([]));
        assert_eq!(outcome, json!({"ok": null}), "{}\n{:?}", probe.extension, served.process);
    }
}

#[test]
fn what_makes_no_sense_in_a_file_is_refused_with_its_line() {
    let folder = Folder::new(&[]);
    for name in ["a", "b"] {
        folder.write(&format!("{name}.lua"), LUA.source);
    }
    let told = |text: &str, line: usize, part: &str| {
        folder.write("trine.toml", text);
        let finished = run(trine(&folder, &["check"]));
        assert_eq!(finished.code, Some(1), "{text}\n{finished:?}");
        let place = format!("trine.toml:{line}");
        assert!(
            finished.stdout.contains(&place) && finished.stdout.contains(part),
            "{text}\n{finished:?}"
        );
    };
    let one = "[[function]]\nname = \"a\"\n";
    told(&format!("{one}allow-ned = true\n"), 3, "did you mean 'allow-net'?");
    told(
        &format!("{one}allow-net = [\"http://a.example\"]\n"),
        3,
        "did you mean \"a.example:80\"?",
    );
    told(&format!("{one}allow-net = [\n\"a\",\n\"::1\"]\n"), 5, "write it in brackets");
    told(&format!("{one}allow-run = 5\n"), 3, "use true, false, or a list of texts");
    told(&format!("{one}allow-env = [\"A=b\"]\n"), 3, "write the name alone");
    told(&format!("{one}allow-all = \"yes\"\n"), 3, "use true or false");
    let two = format!("{one}deny-net = true\n[[function]]\nname = \"b\"\nallow-net = true\n");
    told(&two, 6, "wants another set of permissions than 'a' in line 3");
    let same = format!("{one}deny-net = true\n[[function]]\nname = \"b\"\ndeny-net = true\n");
    folder.write("trine.toml", same);
    assert_eq!(run(trine(&folder, &["check"])).code, Some(0));
}

#[test]
fn flags_without_sense_are_told() {
    let folder = probe_folder(LUA);
    for (flag, part) in [
        ("--allow-net=https://a.example", "did you mean \"a.example:443\"?"),
        ("--deny-net=a:http", "is no port"),
        ("--allow-env=A*B", "stands at the end"),
        ("--allow-write=~/a", "no shell has replaced"),
        ("--allow-run=ls -l", "without its arguments"),
        ("--allow-read=,", "names are missing between commas"),
    ] {
        for command in ["serve", "invoke"] {
            let finished = run(trine(&folder, &[command, "probe.lua", flag]));
            assert_eq!(finished.code, Some(2), "{flag}: {finished:?}");
            assert!(finished.stderr.contains(part), "{flag}: {finished:?}");
        }
    }
}

#[test]
fn what_a_file_gives_a_function_it_sees() {
    for probe in PROBES {
        let folder = Folder::new(&[(&format!("a/handler.{}", probe.extension), probe.source)]);
        let file = "[[function]]\nname = \"a\"\nevent-format = \"raw\"\nenv = { STAGE = \"x\", HIDDEN = \"y\" }\n\
                    allow-net = true\ndeny-env = \"HIDDEN\"\n";
        folder.write("trine.toml", file);
        let served = Served::start(&folder, &["--workers", "1"]);
        assert_eq!(ask(&served, "/", "variable", json!(["STAGE"])), json!({"ok": "x"}));
        assert_eq!(ask(&served, "/", "variable", json!(["HIDDEN"])), json!({"ok": null}));
        assert_eq!(ask(&served, "/", "variable", json!(["PATH"])), json!({"ok": null}));
    }
}

#[test]
fn a_function_that_is_not_narrowed_may_do_everything() {
    for probe in PROBES {
        let folder = probe_folder(probe);
        let served = Served::start(&folder, &["--workers", "1", "--event-format", "raw"]);
        let file = folder.file("new.txt");
        assert!(ask(&served, "/", "read", json!(["/proc/self/environ"]))["ok"].is_string());
        assert_eq!(ask(&served, "/", "write", json!([file]))["error"], Value::Null);
        assert_eq!(fs::read_to_string(&file).unwrap(), "written");
    }
}
