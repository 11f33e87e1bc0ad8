//! `trine package`: what is in a package, that it is the same each time, and that it is whole or not there.

mod image;
mod templates;

use crate::support::{Finished, Folder, LANGUAGES, in_each_language, repository, run, trine};
use serde_json::{Value, json};
use std::{
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::Path,
    process::Command,
};

/// Lists a zip file with Python: each name with its mode, its time and, of a link, its target.
const LIST: &str = "\
import json, stat, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as file:
    assert file.testzip() is None
    rows = []
    for info in file.infolist():
        mode = info.external_attr >> 16
        target = file.read(info).decode() if stat.S_ISLNK(mode) else None
        rows.append([info.filename, oct(mode), list(info.date_time), target])
    print(json.dumps(rows))
";

/// Unpacks a zip file as Lambda does: with modes and links.
const UNPACK: &str = "\
import os, stat, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as file:
    for info in file.infolist():
        mode = info.external_attr >> 16
        path = os.path.join(sys.argv[2], info.filename)
        if stat.S_ISLNK(mode):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink(file.read(info).decode(), path)
        else:
            file.extract(info, sys.argv[2])
            os.chmod(path, stat.S_IMODE(mode))
";

/// Runs a script with Python; returns what it prints.
#[track_caller]
fn python(script: &str, arguments: &[&OsStr]) -> String {
    let output = Command::new("python3").args(["-c", script]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn list(zip: &Path) -> Vec<Value> {
    let listed = python(LIST, &[zip.as_os_str()]);
    serde_json::from_str(&listed).unwrap()
}

#[track_caller]
fn names(zip: &Path) -> Vec<String> {
    list(zip).iter().map(|row| row[0].as_str().unwrap().to_owned()).collect()
}

/// Unpacks a zip file into the task root of a new folder.
#[track_caller]
fn unpacked(zip: &Path) -> Folder {
    let folder = Folder::new(&[]);
    python(UNPACK, &[zip.as_os_str(), folder.task().as_os_str()]);
    folder
}

fn package(folder: &Folder, arguments: &[&str]) -> Finished {
    run(trine(folder, &[&["package"], arguments].concat()))
}

#[track_caller]
fn packaged(folder: &Folder, arguments: &[&str]) -> Finished {
    let finished = package(folder, arguments);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{finished:?}");
    finished
}

in_each_language! {
    what_was_packaged_runs_elsewhere(language) {
        let folder = Folder::probe(language);
        packaged(&folder, &["probe.handler", "-o", "function.zip"]);
        let elsewhere = unpacked(&folder.task().join("function.zip"));
        let arguments = ["invoke", "probe.handler", "--json", "--event", r#"{"a":1}"#];
        let finished = run(trine(&elsewhere, &arguments));
        let answer: Result<Value, _> = serde_json::from_str(&finished.stdout);
        assert_eq!(answer.ok(), Some(json!({"a": 1})), "{finished:?}");
    }

    a_handler_that_does_not_load_is_not_packaged(language) {
        let folder = Folder::probe(language);
        let finished = package(&folder, &["probe.nobody", "-o", "function.zip"]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""), "{finished:?}");
        assert!(finished.stderr.contains("nobody"), "{finished:?}");
        assert!(!folder.task().join("function.zip").exists());
        packaged(&folder, &["probe.nobody", "-o", "function.zip", "--no-check"]);
        assert!(folder.task().join("function.zip").exists());
    }
}

#[test]
fn two_packages_of_the_same_files_are_the_same_bytes() {
    // V8's compiled code differs by a few bytes from run to run.
    for (language, flags) in [(LANGUAGES[0], &["--no-cache"][..]), (LANGUAGES[4], &[])] {
        let probe = format!("probe.{}", language.extension);
        let folder = Folder::probe(language);
        folder.write("lib/b.txt", "b");
        folder.write("lib/a.txt", "a");
        let arguments = |output| [&["probe.handler", "-o", output], flags].concat();
        packaged(&folder, &arguments("first.zip"));
        // Another place, another order of creation, other times.
        let other = Folder::new(&[]);
        for name in ["lib/a.txt", "lib/b.txt", &probe] {
            other.write(name, fs::read(folder.task().join(name)).unwrap());
        }
        let old = ["-d", "2001-02-03", &other.file("lib/a.txt")];
        assert!(Command::new("touch").args(old).status().unwrap().success());
        packaged(&other, &arguments("second.zip"));
        let (first, second) = (folder.task().join("first.zip"), other.task().join("second.zip"));
        assert_eq!(names(&first), names(&second));
        assert!(fs::read(&first).unwrap() == fs::read(&second).unwrap(), "the bytes differ");
        assert!(list(&first).iter().all(|row| row[2] == json!([1980, 1, 1, 0, 0, 0])));
    }
}

#[test]
fn times_are_those_that_a_variable_names() {
    let folder = Folder::probe(LANGUAGES[4]);
    let mut dated = trine(&folder, &["package", "probe.handler", "-o", "dated.zip"]);
    dated.env("SOURCE_DATE_EPOCH", "1700000000");
    assert_eq!(run(dated).code, Some(0));
    let dated = list(&folder.task().join("dated.zip"));
    assert!(dated.iter().all(|row| row[2] == json!([2023, 11, 14, 22, 13, 20])), "{dated:?}");
    let mut odd = trine(&folder, &["package", "probe.handler", "-o", "odd.zip"]);
    odd.env("SOURCE_DATE_EPOCH", "yesterday");
    let odd = run(odd);
    assert_eq!(odd.code, Some(2), "{odd:?}");
}

#[test]
fn modes_and_links_are_kept_and_junk_is_left_out() {
    let folder = Folder::new(&[
        ("app.py", "from sub import b\ndef handler(event, context): return b.B\n"),
        ("sub/b.py", "B = 1\n"),
        ("bin/tool", "#!/bin/sh\n"),
        (".git/HEAD", "ref"),
        (".venv/pyvenv.cfg", ""),
        (".venv/lib/x.py", ""),
        ("node_modules/.cache/x", ""),
        ("node_modules/a/index.js", ""),
        (".pytest_cache/x", ""),
        ("sub/__pycache__/b.cpython-36.pyc", "old"),
        (".DS_Store", ""),
        ("data/large.csv", "1,2"),
        ("data/small.csv", "1"),
        (".trineignore", "data/*\n!data/small.csv\n"),
    ]);
    let task = folder.task();
    fs::set_permissions(task.join("bin/tool"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(task.join("app.py"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(task.join("empty")).unwrap();
    symlink("tool", task.join("bin/alias")).unwrap();
    symlink("sub", task.join("same")).unwrap();
    let finished = packaged(&folder, &["app.handler", "-o", "function.zip"]);
    let rows = list(&task.join("function.zip"));
    let rows: Vec<_> = rows.iter().map(|row| (&row[0], &row[1], &row[3])).collect();
    let expected = [
        ("app.py", "0o100644", Value::Null),
        ("bin/alias", "0o120777", json!("tool")),
        ("bin/tool", "0o100755", Value::Null),
        ("data/small.csv", "0o100644", Value::Null),
        ("empty/", "0o40755", Value::Null),
        ("node_modules/a/index.js", "0o100644", Value::Null),
        ("same", "0o120777", json!("sub")),
        ("sub/b.py", "0o100644", Value::Null),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(name, mode, to)| (json!(name), json!(mode), to.clone())).collect();
    let expected: Vec<_> = expected.iter().map(|(name, mode, to)| (name, mode, to)).collect();
    assert_eq!(rows, expected);
    for part in [
        "1 file (3 bytes), version control, as .git\n",
        "2 files (0 bytes), virtual environments, as .venv\n",
        "caches of tools",
        "compiled Python that would not be used, as sub/__pycache__/b.cpython-36.pyc\n",
        "named in .trineignore, as data/large.csv\n",
        "of the 50 MB for a direct upload; unpacked",
        "of Lambda's 250 MB",
    ] {
        assert!(finished.stdout.contains(part), "{part}: {}", finished.stdout);
    }
    let finished = run(trine(&unpacked(&task.join("function.zip")), &["invoke", "app.handler"]));
    assert_eq!(finished.stdout, "1\n", "{finished:?}");
}

#[test]
fn compiled_code_for_faster_starts_is_packed_and_used() {
    let folder = Folder::new(&[
        ("app.mjs", "import { n } from 'numbers';\nexport const handler = async () => n();\n"),
        ("node_modules/numbers/index.js", "exports.n = () => 7;\n"),
    ]);
    let finished = packaged(&folder, &["app.handler", "-o", "function.zip"]);
    let zip = folder.task().join("function.zip");
    let cached = |zip: &Path| {
        let names = names(zip).into_iter();
        names.filter(|name| name.starts_with(".trine-cache/")).collect::<Vec<_>>()
    };
    let names = cached(&zip);
    assert!(matches!(names.as_slice(), [name] if name.ends_with(".js-cache")), "{names:?}");
    assert!(finished.stdout.contains("of compiled code for faster starts"), "{finished:?}");
    assert!(!folder.task().join(".trine-cache").exists());
    // One that fits is taken as it is: a run does not write it anew.
    let elsewhere = unpacked(&zip);
    let file = elsewhere.task().join(&names[0]);
    let before = fs::read(&file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(&file).unwrap());
    let first = inode();
    assert_eq!(run(trine(&elsewhere, &["invoke", "app.handler"])).stdout, "7\n");
    assert_eq!((inode(), fs::read(&file).unwrap() == before), (first, true));
    packaged(&folder, &["app.handler", "-o", "without.zip", "--no-cache"]);
    assert_eq!(cached(&folder.task().join("without.zip")), Vec::<String>::new());
}

#[test]
fn a_package_lacks_nothing_that_its_function_needs() {
    let folder = Folder::new(&[
        ("app.mjs", "import './lib/a.mjs';\nexport const handler = () => 1;\n"),
        ("lib/a.mjs", ""),
        (".trineignore", "lib/\n"),
    ]);
    let finished = package(&folder, &["app.handler", "-o", "function.zip"]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("lib/a.mjs"), "{finished:?}");
    assert!(finished.stderr.contains("--no-check"), "{finished:?}");
}

#[test]
fn nothing_is_overwritten_without_being_told() {
    let folder = Folder::probe(LANGUAGES[4]);
    folder.write("function.zip", "mine");
    let finished = package(&folder, &["probe.handler", "-o", "function.zip"]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("\"function.zip\" exists already"), "{finished:?}");
    assert!(finished.stderr.contains("--force"), "{finished:?}");
    assert_eq!(fs::read(folder.file("function.zip")).unwrap(), b"mine");
    packaged(&folder, &["probe.handler", "-o", "function.zip", "--force"]);
    let first = fs::read(folder.file("function.zip")).unwrap();
    // The package of the last time is not in the next one, whatever its name.
    packaged(&folder, &["probe.handler", "-o", "function.zip", "--force"]);
    assert!(first == fs::read(folder.file("function.zip")).unwrap());
    let finished = packaged(&folder, &["probe.handler", "-o", "other.zip"]);
    assert!(finished.stdout.contains("earlier packages, as function.zip\n"), "{finished:?}");
    assert!(first == fs::read(folder.file("other.zip")).unwrap());
    for (target, why) in [(".", "it is a folder"), ("no/where.zip", "its folder does not exist")] {
        let finished = package(&folder, &["probe.handler", "-o", target]);
        assert_eq!(finished.code, Some(1));
        assert!(finished.stderr.contains(why), "{finished:?}");
    }
}

#[test]
fn what_cannot_be_packaged_is_named_all_at_once() {
    let folder = Folder::probe(LANGUAGES[4]);
    folder.write("lib/x.lua", "");
    symlink("/etc/passwd", folder.task().join("secret")).unwrap();
    symlink("../../elsewhere", folder.task().join("lib/out")).unwrap();
    fs::write(folder.task().join(OsStr::from_bytes(b"caf\xe9.lua")), "").unwrap();
    let finished = package(&folder, &["probe.handler", "-o", "function.zip"]);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""));
    for part in [
        "the link \"secret\" leads out of the folder, to \"/etc/passwd\"",
        "the link \"lib/out\" leads out of the folder, to \"../../elsewhere\"",
        "the name \"caf\\xE9.lua\"",
        "--follow-links",
    ] {
        assert!(finished.stderr.contains(part), "{part}: {finished:?}");
    }
    assert!(!folder.task().join("function.zip").exists());
}

#[test]
fn what_links_lead_to_is_taken_where_that_is_said() {
    let folder = Folder::new(&[
        ("shop/app.mjs", "import { n } from 'shared';\nexport const handler = () => n;\n"),
        ("shared/index.mjs", "export const n = 3;\n"),
        ("shared/package.json", r#"{"name": "shared", "main": "index.mjs"}"#),
    ]);
    fs::create_dir(folder.task().join("shop/node_modules")).unwrap();
    symlink("../../shared", folder.task().join("shop/node_modules/shared")).unwrap();
    packaged(&folder, &["app.handler", "shop", "-o", "shop.zip", "--follow-links"]);
    let finished =
        run(trine(&unpacked(&folder.task().join("shop.zip")), &["invoke", "app.handler"]));
    assert_eq!(finished.stdout, "3\n", "{finished:?}");
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let folder = Folder::probe(LANGUAGES[4]);
    // What cannot be compressed: 2 MB, twice what the process may write.
    let script = "import os, sys\nopen(sys.argv[1], 'wb').write(os.urandom(2 << 20))";
    python(script, &[folder.task().join("noise").as_os_str()]);
    let before = list_folder(&folder.task());
    // The shell's limit stands in for the disk's: writing beyond it fails.
    let line = "trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\"";
    let mut command = crate::support::command("bash", &folder);
    command.args(["-c", line, env!("CARGO_BIN_EXE_trine"), "package", "probe.handler"]);
    command.args(["-o", "function.zip", "--no-check", "--no-cache"]);
    let finished = run(command);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(
        finished.stderr.contains("cannot write \"function.zip\": File too large"),
        "{finished:?}"
    );
    assert!(finished.stderr.contains("nothing was left there"), "{finished:?}");
    assert_eq!(list_folder(&folder.task()), before);
}

fn list_folder(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_temporary_folder_that_cannot_be_written_is_told() {
    let folder = Folder::probe(LANGUAGES[4]);
    let mut command = trine(&folder, &["package", "probe.handler", "-o", "function.zip"]);
    command.env("TMPDIR", "/proc/no-such-folder");
    let finished = run(command);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stderr.contains("set TMPDIR to a folder that can be written"), "{finished:?}");
    let mut command =
        trine(&folder, &["package", "probe.handler", "-o", "a.zip", "--no-check", "--no-cache"]);
    command.env("TMPDIR", "/proc/no-such-folder");
    assert_eq!(run(command).code, Some(0));
}

#[test]
fn a_layer_is_packed_and_what_nobody_looks_for_is_told() {
    let folder = Folder::new(&[
        ("layer/python/greet.py", "NAME = 'you'\n"),
        ("layer/nodejs/node_modules/a/index.js", "exports.a = 1;\n"),
        ("layer/middlewares/log.lua", "return { before = function() end }\n"),
        ("layer/greetings/lost.py", ""),
    ]);
    let finished = packaged(&folder, &["--layer", "layer", "-o", "layer.zip"]);
    for part in ["packages of Python (1)", "packages of Node (1)", "middlewares (1)"] {
        assert!(finished.stdout.contains(part), "{part}: {finished:?}");
    }
    let warning =
        "warning: greetings of the layer (1 file) lies where nothing looks for it: move it into";
    assert!(finished.stdout.contains(warning), "{finished:?}");
    assert_eq!(
        names(&folder.task().join("layer.zip")),
        [
            "greetings/lost.py",
            "middlewares/log.lua",
            "nodejs/node_modules/a/index.js",
            "python/greet.py"
        ]
    );
}

#[test]
fn a_function_is_tried_with_the_layers_that_it_runs_with() {
    let folder = Folder::new(&[
        ("task/app.py", "import greet\ndef handler(event, context): return greet.NAME\n"),
        ("one/python/greet.py", "NAME = 'one'\n"),
        ("two/python/other.py", ""),
    ]);
    let arguments = ["app.handler", "task", "-o", "function.zip"];
    let finished = package(&folder, &arguments);
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("No module named 'greet'"), "{finished:?}");
    let layers = ["--with-layer", "one", "--with-layer", "two"];
    packaged(&folder, &[&arguments[..], &layers].concat());
}

#[test]
fn the_commands_of_the_readme_work() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let (_, section) = readme.split_once("\n## Packages\n").unwrap();
    let (_, block) = section.split_once("```sh\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let folder = Folder::new(&[("app.py", "def handler(event, context):\n    return 1\n")]);
    let mut ran = 0;
    for line in block.lines() {
        let line = line.split('#').next().unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[0], "trine", "{line}");
        let finished = run(trine(&folder, &words[1..]));
        assert_eq!(finished.code, Some(0), "{line}: {finished:?}");
        ran += 1;
    }
    assert_eq!(ran, 3);
}

#[test]
fn a_command_line_that_makes_no_sense_is_status_2() {
    let folder = Folder::probe(LANGUAGES[4]);
    for (arguments, part) in [
        (&["probe.handler"][..], "name what to write: -o function.zip"),
        (&[][..], "<HANDLER>"),
        (&["--layer", "."][..], "--output <FILE>"),
        (&["probe.handler", "-o", "a.zip", "--serve"][..], "--image <FILE>"),
        (&["probe.handler", "-o", "a.zip", "--template", "chef"][..], "possible values: sam, cdk"),
    ] {
        let finished = package(&folder, arguments);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.stderr.contains(part), "{part}: {finished:?}");
    }
    let finished = package(&folder, &["probe.handler", "no-such-folder", "-o", "a.zip"]);
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("\"no-such-folder\" is not a folder"), "{finished:?}");
}
