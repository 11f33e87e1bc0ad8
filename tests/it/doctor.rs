//! `trine doctor`: one line a finding, and what to do about it.

use crate::support::{Finished, Folder, LANGUAGES, in_each_language, run, trine};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    process::Command,
};

fn doctor(folder: &Folder, arguments: &[&str]) -> Finished {
    run(trine(folder, &[&["doctor"], arguments].concat()))
}

/// Returns the findings of these verdicts, without those about the machine, which are not the function's.
fn findings(folder: &Folder, arguments: &[&str], verdicts: &[&str]) -> Vec<(String, String)> {
    let finished = doctor(folder, &[arguments, &["--json"]].concat());
    let document: Value = serde_json::from_str(&finished.stdout)
        .unwrap_or_else(|error| panic!("{error}: {finished:?}"));
    let all = document["findings"].as_array().unwrap();
    let fails = all.iter().any(|finding| finding["verdict"] == "fail");
    assert_eq!(document["ok"], json!(!fails));
    assert_eq!(finished.code, Some(i32::from(fails)), "{finished:?}");
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    all.iter()
        .filter(|finding| finding["topic"] != "platform")
        .filter(|finding| verdicts.contains(&text(finding, "verdict").as_str()))
        .map(|finding| {
            let told = format!("{}: {}", text(finding, "what"), text(finding, "advice"));
            (text(finding, "topic"), told)
        })
        .collect()
}

/// Returns what is not well.
fn ills(folder: &Folder, arguments: &[&str]) -> Vec<(String, String)> {
    findings(folder, arguments, &["warn", "fail"])
}

/// Checks that one thing is not well, and that all of these parts are told of it.
#[track_caller]
fn assert_only(ills: &[(String, String)], topic: &str, parts: &[&str]) {
    assert_eq!(ills.len(), 1, "{ills:#?}");
    assert_eq!(ills[0].0, topic, "{ills:#?}");
    for part in parts {
        assert!(ills[0].1.contains(part), "{part}: {ills:#?}");
    }
}

in_each_language! {
    a_function_that_is_fit_has_no_ills(language) {
        let folder = Folder::probe(language);
        assert_eq!(ills(&folder, &["probe.handler"]), []);
        let finished = doctor(&folder, &["probe.handler"]);
        assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{finished:?}");
        let file = format!("probe.{}", language.extension);
        let line = format!("ok    handler      'probe.handler' is the function 'handler' of {file} (");
        assert!(finished.stdout.starts_with(&line), "{finished:?}");
        assert!(finished.stdout.contains("ok    start        the handler loads\n"), "{finished:?}");
        assert!(finished.stdout.contains("ok    size         unpacked "), "{finished:?}");
    }

    a_handler_that_is_not_there_is_told(language) {
        let folder = Folder::probe(language);
        let told = ills(&folder, &["prob.handler"]);
        assert_only(&told, "handler", &["prob", "src/app.py:handler", "_HANDLER"]);
        let told = ills(&folder, &["probe.nobody"]);
        assert!(told.iter().any(|(_, text)| text.contains("nobody")), "{told:?}");
    }
}

#[test]
fn every_form_of_a_handler_is_explained() {
    let folder = Folder::new(&[
        ("src/app.py", "def handler(event, context): pass\ndef other(event, context): pass\n"),
        ("api.mjs", "export const get = () => 1;\n"),
    ]);
    for (handler, told) in [
        ("src/app.handler", "is the function 'handler' of src/app.py (Python)"),
        ("src.app.other", "is the function 'other' of src/app.py (Python)"),
        ("src/app.py:other", "is the function 'other' of src/app.py (Python)"),
        (
            "src/app.py",
            "is the function 'handler', else 'lambda_handler' or 'lambdaHandler', of src/app.py",
        ),
        ("api.get", "is the function 'get' of api.mjs (JavaScript)"),
    ] {
        let found = findings(&folder, &[handler], &["ok"]);
        assert!(found[0].1.starts_with(&format!("'{handler}' {told}")), "{handler}: {found:?}");
    }
    let mut command = trine(&folder, &["doctor"]);
    command.env("_HANDLER", "api.get");
    let finished = run(command);
    assert_eq!(finished.code, Some(0));
    assert!(finished.stdout.starts_with("ok    handler      _HANDLER, 'api.get', is the function"));
    let finished = doctor(&folder, &[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(finished.stdout.starts_with("warn  handler      no handler is named"), "{finished:?}");
}

#[test]
fn a_handler_that_does_not_start_is_told_and_the_rest_all_the_same() {
    for (source, part) in [
        (
            "import nothing_of_this_name\ndef handler(e, c): pass\n",
            "No module named 'nothing_of_this_name'",
        ),
        (
            "import ctypes\ndef handler(e, c): pass\nctypes.CDLL(None)._exit(7)\n",
            "the process ended while it loaded the handler: exit status 7",
        ),
        (
            "import ctypes\ndef handler(e, c): pass\nprint('about to crash', flush=True)\ngetattr(ctypes.CDLL(None), 'raise')(9)\n",
            "signal 9; its last line is: about to crash",
        ),
        ("def handler(e, c:\n", "SyntaxError"),
        ("handler = 5\n", "no function"),
    ] {
        let folder = Folder::new(&[("app.py", source)]);
        let told = ills(&folder, &["app.handler"]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].1.contains(part), "{part}: {told:?}");
        let finished = doctor(&folder, &["app.handler"]);
        assert!(finished.stdout.contains("size         unpacked"), "{finished:?}");
        // One line a finding, whatever an error's text has.
        let lines = finished.stdout.lines();
        let begin = ["ok    ", "warn  ", "fail  "];
        assert!(
            lines.clone().all(|line| begin.iter().any(|b| line.starts_with(b))),
            "{finished:?}"
        );
    }
}

/// Compiles C into a shared library in the task root.
fn library(folder: &Folder, name: &str, source: &str) {
    let path = folder.file(name);
    fs::create_dir_all(std::path::Path::new(&path).parent().unwrap()).unwrap();
    let from = folder.layers().join("library.c");
    fs::write(&from, source).unwrap();
    let own = format!("-Wl,-soname,{}", name.rsplit('/').next().unwrap());
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", &own, "-o", &path])
        .arg(from)
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{compiled:?}");
}

const PYTHON: &str = "def handler(event, context): pass\n";
const EMPTY: &str = "int trine_test_nothing;\n";

#[test]
fn wheels_of_another_version_are_told_with_the_command_that_gets_the_right_one() {
    let folder = Folder::new(&[
        ("app.py", PYTHON),
        (
            "fast-2.1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nTag: cp39-cp39-manylinux_2_17_x86_64\n",
        ),
        (
            "fast-2.1.0.dist-info/RECORD",
            "fast/__init__.py,,\nfast/_c.cpython-39-x86_64-linux-gnu.so,,\n",
        ),
        ("fast/__init__.py", ""),
    ]);
    library(&folder, "fast/_c.cpython-39-x86_64-linux-gnu.so", EMPTY);
    let told = ills(&folder, &["app.handler"]);
    let command = "--only-binary=:all: --upgrade --target ";
    assert_only(
        &told,
        "wheel",
        &[
            "the wheel fast 2.1.0 is cp39-cp39-manylinux_2_17_x86_64",
            "pip install --platform manylinux2014_x86_64 --python-version 3.",
            command,
            "fast==2.1.0",
        ],
    );
}

#[test]
fn code_for_other_systems_is_told() {
    let folder = Folder::new(&[("app.py", PYTHON), ("win.dll", "")]);
    let mut windows = vec![0; 0x48];
    windows[..2].copy_from_slice(b"MZ");
    windows[0x3c] = 0x40;
    windows[0x40..0x44].copy_from_slice(b"PE\0\0");
    folder.write("win.dll", &windows);
    assert_only(&ills(&folder, &["app.handler"]), "code", &["win.dll is for Windows"]);
    // The same file, made for another machine: its header says so.
    folder.write("win.dll", "");
    library(&folder, "libx.so", EMPTY);
    let mut bytes = fs::read(folder.file("libx.so")).unwrap();
    bytes[18] = 183;
    folder.write("libx.so", &bytes);
    assert_only(&ills(&folder, &["app.handler"]), "code", &["libx.so is for aarch64"]);
}

#[test]
fn addons_are_told_that_cannot_be_loaded() {
    let folder = Folder::new(&[
        ("app.mjs", "export const handler = () => 1;\n"),
        ("node_modules/old/package.json", r#"{"name": "old", "version": "1.2.3"}"#),
    ]);
    let addon = "node_modules/old/build/Release/old.node";
    library(
        &folder,
        addon,
        "void _ZN2v86String3NewEv(void); void f(void) { _ZN2v86String3NewEv(); }\n",
    );
    let parts = ["old 1.2.3: build/Release/old.node uses V8 and Node directly", "Node-API"];
    assert_only(&ills(&folder, &["app.handler"]), "addon", &parts);
    library(&folder, addon, "void napi_of_tomorrow(void); void f(void) { napi_of_tomorrow(); }\n");
    let parts = ["calls napi_of_tomorrow of Node-API, which this runtime lacks"];
    assert_only(&ills(&folder, &["app.handler"]), "addon", &parts);
    library(
        &folder,
        addon,
        "void napi_create_function(void); void f(void) { napi_create_function(); }\n",
    );
    assert_eq!(ills(&folder, &["app.handler"]), []);
}

#[test]
fn a_library_that_nobody_brings_is_told() {
    let folder = Folder::new(&[("app.py", PYTHON)]);
    library(&folder, "lib/liblost.so.1", EMPTY);
    let user = folder.file("lib/libuser.so");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-Wl,--no-as-needed", "-o", &user, "-x", "c", "/dev/null"])
        .args(["-x", "none", &folder.file("lib/liblost.so.1")])
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{compiled:?}");
    let told = ills(&folder, &["app.handler"]);
    assert!(!told.iter().any(|(_, text)| text.contains("liblost")), "{told:?}");
    fs::remove_file(folder.file("lib/liblost.so.1")).unwrap();
    let told = ills(&folder, &["app.handler"]);
    assert_only(
        &told,
        "code",
        &["lib/libuser.so needs ", "liblost.so.1, which neither the function"],
    );
}

#[test]
fn the_sdk_is_told_where_nobody_brings_it() {
    let python = "def handler(event, context):\n    import boto3\n";
    let folder = Folder::new(&[
        ("app.py", python),
        ("src/top.py", "import botocore.session\n"),
        ("js/app.mjs", "import { S3 } from '@aws-sdk/client-s3';\nexport const handler = S3;\n"),
    ]);
    let told = ills(&folder, &["app.handler"]);
    let told: Vec<&str> = told.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    for (text, place) in told.iter().zip([
        "js/app.mjs:1 imports @aws-sdk/client-s3",
        "app.py:2 imports boto3",
        "src/top.py:1 imports botocore",
    ]) {
        assert!(text.starts_with(place) && text.contains("make layer-sdk"), "{place}: {text}");
    }
    let layer = folder.layers().join("sdk");
    for name in [
        "python/boto3/__init__.py",
        "python/botocore/session.py",
        "nodejs/node_modules/@aws-sdk/client-s3/index.js",
    ] {
        fs::create_dir_all(layer.join(name).parent().unwrap()).unwrap();
        fs::write(layer.join(name), "").unwrap();
    }
    assert_eq!(ills(&folder, &["app.handler", "--layer", layer.to_str().unwrap()]), []);
}

#[test]
fn what_lambda_would_not_take_is_told() {
    let folder = Folder::new(&[("app.py", PYTHON), ("bootstrap", "#!/bin/sh\n"), ("lib/a.py", "")]);
    let task = folder.task();
    fs::set_permissions(task.join("lib/a.py"), fs::Permissions::from_mode(0o600)).unwrap();
    symlink("/etc/passwd", task.join("secret")).unwrap();
    fs::write(task.join(std::ffi::OsStr::from_bytes(b"caf\xe9.py")), "").unwrap();
    let large = fs::File::create(task.join("large.bin")).unwrap();
    large.set_len(251 << 20).unwrap();
    let told = ills(&folder, &["app.handler"]);
    for (topic, part) in [
        // With the layer's own size, where it is the layer's binary.
        ("size", "unpacked 251.0 MB"),
        ("size", " of Lambda's 250 MB"),
        ("permissions", "others cannot read lib/a.py"),
        ("permissions", "bootstrap is not executable"),
        ("permissions", "which Lambda starts in place of the layer's runtime"),
        ("folder", "the link \"secret\" leads out of the folder"),
        ("folder", "the name \"caf\\xE9.py\""),
    ] {
        let is_told = |(of, text): &(String, String)| of == topic && text.contains(part);
        assert!(told.iter().any(is_told), "{part}: {told:#?}");
    }
    assert_eq!(told.len(), 6, "{told:#?}");
}

#[test]
fn the_runtime_itself_is_compared_with_the_machine() {
    let folder = Folder::probe(LANGUAGES[4]);
    let finished = doctor(&folder, &["probe.handler"]);
    let line = finished.stdout.lines().find(|line| line.contains("  platform ")).unwrap();
    assert!(line.contains("the runtime needs glibc 2."), "{line}");
    assert!(line.contains("; this machine has 2."), "{line}");
    let other = doctor(&folder, &["probe.handler", "--runtime", "no-such-runtime"]);
    assert_eq!(other.code, Some(2));
    assert!(other.stderr.contains("--runtime no-such-runtime"), "{other:?}");
}

#[test]
fn layers_are_looked_at_too() {
    let folder = Folder::new(&[
        ("task/app.py", "import greet\ndef handler(event, context): return greet.NAME\n"),
        ("one/python/greet.py", "NAME = 'one'\n"),
        ("two/stray/x.py", ""),
    ]);
    let arguments = ["app.handler", "task", "--layer", "one", "--layer", "two"];
    assert_only(
        &ills(&folder, &arguments),
        "layer",
        &["stray of the layer (1 file)", "move it into"],
    );
    let missing = doctor(&folder, &["app.handler", "task", "--layer", "missing"]);
    assert_eq!(missing.code, Some(2));
    assert!(missing.stderr.contains("\"missing\" is not a folder"), "{missing:?}");
}
