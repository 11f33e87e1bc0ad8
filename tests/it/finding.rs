//! Handlers without a matching file: found as their language's own import would find them. Also the naming of files
//! that are parts of packages, or whose functions nobody has named.

use crate::support::{Finished, Folder, LANGUAGES, Lambda, Served, run, trine};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Makes a folder with these files in its layers.
fn layered(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new(&[]);
    for (name, text) in files {
        write(&folder.layers().join(name), text);
    }
    folder
}

/// Returns the process's answer as Lambda's runtime, with this handler and these variables.
#[track_caller]
fn answer(folder: &Folder, handler: &str, variables: &[(&str, &Path)]) -> Value {
    let lambda = Lambda::with(folder, |command: &mut Command| {
        command.env("_HANDLER", handler).envs(variables.iter().copied());
    });
    let answer = lambda.invoke(json!({}));
    lambda.emulator.assert_clean();
    answer
}

/// Runs `trine invoke` with these arguments.
fn invoke(folder: &Folder, arguments: &[&str]) -> Finished {
    run(trine(folder, &[&["invoke", "--json"], arguments].concat()))
}

/// Returns what `trine invoke` prints.
#[track_caller]
fn printed(folder: &Folder, arguments: &[&str]) -> Value {
    let finished = invoke(folder, arguments);
    assert_eq!(finished.code, Some(0), "{arguments:?} {finished:?}");
    serde_json::from_str(&finished.stdout).unwrap()
}

#[test]
fn javascript_handlers_are_found_among_packages() {
    let folder = layered(&[
        (
            "nodejs/node_modules/apm-wrap/index.js",
            "exports.handler = () => [require('own'), 'apm'];",
        ),
        (
            "nodejs/node_modules/@scope/pkg/package.json",
            r#"{"exports": {".": "./main.js", "./sub": {"import": "./sub.mjs"}}}"#,
        ),
        ("nodejs/node_modules/@scope/pkg/main.js", "exports.handler = () => 'scoped';"),
        ("nodejs/node_modules/@scope/pkg/sub.mjs", "export const handler = () => 'sub';"),
        ("nodejs/node_modules/esm/package.json", r#"{"type": "module", "main": "lib/start"}"#),
        (
            "nodejs/node_modules/esm/lib/start.js",
            "import own from 'own'; export const api = { get: () => [own, 'esm'] };",
        ),
        ("nodejs/node20/node_modules/versioned/index.js", "exports.handler = () => 'node20';"),
        ("nodejs/node8/node_modules/versioned/index.js", "exports.handler = () => 'node8';"),
        ("nodejs/node_modules/versioned/index.js", "exports.handler = () => 'any node';"),
    ]);
    folder.write("node_modules/own/index.js", "module.exports = 'the function\\'s own';");
    folder.write("node_modules/local/index.js", "exports.handler = () => 'local';");
    folder.write("elsewhere/linked/index.js", "exports.handler = () => 'NODE_PATH';");
    let elsewhere = folder.task().join("elsewhere");
    for (handler, expected) in [
        ("apm-wrap.handler", json!(["the function's own", "apm"])),
        ("@scope/pkg.handler", json!("scoped")),
        ("@scope/pkg/sub.handler", json!("sub")),
        ("esm.api.get", json!(["the function's own", "esm"])),
        ("versioned.handler", json!("node20")),
        ("local.handler", json!("local")),
        ("linked.handler", json!("NODE_PATH")),
        ("apm-wrap/index.handler", json!(["the function's own", "apm"])),
    ] {
        assert_eq!(answer(&folder, handler, &[("NODE_PATH", &elsewhere)]), expected, "{handler}");
    }
    let served = Served::start(&folder, &["local.handler", "--workers", "1"]);
    assert_eq!(served.get("/").text(), "local");
    let absolute = folder.layers().join("nodejs/node_modules/apm-wrap/index.handler");
    let found = answer(&folder, absolute.to_str().unwrap(), &[]);
    assert_eq!(found, json!(["the function's own", "apm"]));
}

#[test]
fn a_require_that_a_module_has_made_looks_into_layers_too() {
    let folder = layered(&[("nodejs/node_modules/layered/index.js", "module.exports = 'layer';")]);
    folder.write("elsewhere/linked/index.js", "module.exports = 'NODE_PATH';");
    let require = "import { createRequire } from 'node:module';
         const require = createRequire(import.meta.url);";
    let all = "[require('layered'), require('linked')]";
    folder.write("app.mjs", format!("{require} export const handler = () => {all};").as_str());
    let thread = format!(
        "import {{ parentPort }} from 'node:worker_threads'; {require} parentPort.postMessage({all});"
    );
    folder.write("thread.mjs", thread.as_str());
    folder.write(
        "threads.mjs",
        "import { once } from 'node:events';
         import { Worker } from 'node:worker_threads';
         export const handler = async () => {
           const [message] = await once(new Worker(new URL('thread.mjs', import.meta.url)), 'message');
           return message;
         };",
    );
    let elsewhere = folder.task().join("elsewhere");
    for handler in ["app.handler", "threads.handler"] {
        let found = answer(&folder, handler, &[("NODE_PATH", &elsewhere)]);
        assert_eq!(found, json!(["layer", "NODE_PATH"]), "{handler}");
    }
}

#[test]
fn a_folder_is_its_packages_main_and_a_file_needs_no_extension() {
    let folder = Folder::new(&[
        ("web/package.json", r#"{"main": "dist/server.js"}"#),
        ("web/dist/server.js", "exports.handler = () => 'main';"),
        ("web/index.js", "exports.handler = () => 'index';"),
        ("plain", "exports.handler = () => 'no extension';"),
        ("both", "#!/bin/sh\n"),
        ("both.py", "def handler(event, context):\n    return 'python'\n"),
    ]);
    for (handler, expected) in
        [("web.handler", "main"), ("plain.handler", "no extension"), ("both.handler", "python")]
    {
        assert_eq!(answer(&folder, handler, &[]), expected, "{handler}");
    }
}

/// A handler that returns its module's name.
const TELLS_ITS_NAME: &str = "def handler(event, context):\n    return __name__\n";

#[test]
fn python_handlers_are_found_along_the_search_path() {
    let version = python_version();
    let site = format!("python/lib/{version}/site-packages");
    let folder = layered(&[
        ("python/apm_wrapper.py", TELLS_ITS_NAME),
        (&format!("{site}/apm_agent/__init__.py"), ""),
        (
            &format!("{site}/apm_agent/handler.py"),
            "from . import parts\n\ndef handler(event, context):\n    return [__name__, parts.X]\n",
        ),
        (&format!("{site}/apm_agent/parts.py"), "X = 7\n"),
        ("python/spread/deep/module.py", TELLS_ITS_NAME),
        ("python/linked.pth", "more\n"),
        ("python/more/through_path_file.py", TELLS_ITS_NAME),
    ]);
    folder.write("extra/on_path.py", TELLS_ITS_NAME);
    for (handler, expected) in [
        ("apm_wrapper.handler", json!("apm_wrapper")),
        ("apm_wrapper.py:handler", json!("apm_wrapper")),
        ("apm_agent.handler.handler", json!(["apm_agent.handler", 7])),
        ("apm_agent/handler.handler", json!(["apm_agent.handler", 7])),
        ("spread.deep.module.handler", json!("spread.deep.module")),
        ("through_path_file.handler", json!("through_path_file")),
    ] {
        assert_eq!(answer(&folder, handler, &[]), expected, "{handler}");
    }
    let extra = folder.task().join("extra");
    assert_eq!(answer(&folder, "on_path.handler", &[("PYTHONPATH", &extra)]), "on_path");
    // Addressed by its file in the layer, it is the same module.
    let absolute = folder.layers().join("python/apm_wrapper.handler");
    assert_eq!(answer(&folder, absolute.to_str().unwrap(), &[]), "apm_wrapper");
}

/// Returns the name of Python's folder: `python3.11`.
fn python_version() -> String {
    let folder = Folder::new(&[(
        "app.py",
        "import sys\n\ndef handler(event, context):\n    return sys.version_info[:2]\n",
    )]);
    let version = printed(&folder, &["app.py"]);
    format!("python{}.{}", version[0], version[1])
}

#[test]
fn python_handlers_are_found_in_archives_and_without_their_source() {
    let folder = Folder::new(&[(
        "make.py",
        "\
import os, py_compile, zipfile

def handler(event, context):
    with zipfile.ZipFile('packed.zip', 'w') as packed:
        packed.writestr('zipped.py', 'def handler(event, context):\\n    return __file__\\n')
    with open('compiled.py', 'w') as file:
        file.write('def handler(event, context):\\n    return __name__\\n')
    py_compile.compile('compiled.py', 'compiled.pyc')
    os.remove('compiled.py')
",
    )]);
    assert_eq!(printed(&folder, &["make.py"]), Value::Null);
    let packed = folder.task().join("packed.zip");
    let found = answer(&folder, "zipped.handler", &[("PYTHONPATH", &packed)]);
    assert_eq!(found, packed.join("zipped.py").to_str().unwrap());
    assert_eq!(answer(&folder, "compiled.handler", &[]), "compiled");
}

#[test]
fn lua_handlers_are_found_along_the_search_path() {
    let folder = layered(&[
        ("lua/apm.lua", "return { handler = function() return require 'apm.parts' end }"),
        ("lua/apm/parts.lua", "return 'a layer'"),
    ]);
    folder.write("lua/own.lua", "return { handler = function() return 'lua/' end }");
    folder.write("more/far.lua", "return { handler = function() return require 'near' end }");
    folder.write("more/near.lua", "return 'LUA_PATH'");
    assert_eq!(answer(&folder, "apm.handler", &[]), "a layer");
    assert_eq!(answer(&folder, "own.handler", &[]), "lua/");
    let template = folder.task().join("more/?.lua;;");
    assert_eq!(answer(&folder, "far.handler", &[("LUA_PATH", &template)]), "LUA_PATH");
}

#[test]
fn what_nobody_finds_is_told_once_with_every_place() {
    let folder = layered(&[
        ("nodejs/node_modules/apm-wrap/index.js", ""),
        ("python/apm.py", ""),
        ("lua/apm.lua", ""),
    ]);
    let finished = invoke(&folder, &["apm-wrapp.handler"]);
    assert_eq!(finished.code, Some(3));
    let layers = folder.layers();
    for (language, place) in
        [("JavaScript", "nodejs/node_modules"), ("Python", "python"), ("Lua", "lua")]
    {
        let place = layers.join(place);
        let line = finished.stderr.lines().find(|line| line.contains(&format!("of {language} in")));
        assert!(line.unwrap().contains(&format!("'{}'", place.display())), "{finished:?}");
        assert_eq!(finished.stderr.matches(&format!("'{}'", place.display())).count(), 1);
    }
    assert!(finished.stderr.contains("did you mean 'apm-wrap.handler'?"), "{finished:?}");
}

#[test]
fn a_module_of_two_languages_is_an_error_that_names_both() {
    let folder = layered(&[
        ("nodejs/node_modules/apm/index.js", "exports.handler = () => 'js';"),
        ("python/apm.py", "def handler(event, context):\n    return 'python'\n"),
    ]);
    let finished = invoke(&folder, &["apm.handler"]);
    assert_eq!(finished.code, Some(3));
    assert!(finished.stderr.contains("Runtime.AmbiguousHandler"), "{finished:?}");
    let python = folder.layers().join("python/apm.py");
    let choice = format!("{}:handler", python.display());
    assert!(finished.stderr.contains(&format!("'{choice}'")), "{finished:?}");
    assert_eq!(printed(&folder, &[&choice]), "python");
}

#[test]
fn modules_of_the_languages_own_libraries_are_no_handlers() {
    let folder = Folder::new(&[]);
    for handler in ["json.handler", "test.handler", "fs.handler", "string.handler", "os.handler"] {
        let finished = invoke(&folder, &[handler]);
        assert_eq!(finished.code, Some(3), "{handler}");
        let name = handler.split('.').next().unwrap();
        let message = format!("Runtime.ImportModuleError: Cannot find module '{name}'");
        assert!(finished.stderr.contains(&message), "{finished:?}");
    }
}

#[test]
fn a_package_that_does_not_export_what_is_asked_for_is_told() {
    let folder = layered(&[
        ("nodejs/node_modules/pkg/package.json", r#"{"exports": "./main.js"}"#),
        ("nodejs/node_modules/pkg/main.js", ""),
        ("nodejs/node_modules/pkg/inner.js", "exports.handler = () => 1;"),
    ]);
    let finished = invoke(&folder, &["pkg/inner.handler"]);
    assert_eq!(finished.code, Some(3));
    for part in ["Cannot find module 'pkg/inner': the package is there", "./inner", "\"exports\""] {
        assert!(finished.stderr.contains(part), "{part} {finished:?}");
    }
}

/// Makes a package, with or without `__init__.py`, and another one next to it.
fn package(regular: bool) -> Folder {
    let folder = Folder::new(&[
        (
            "app/main.py",
            "from . import parts\nfrom .parts import X\nimport beside\n\ndef handler(event, context):\n    return [__package__.split('.')[-1], parts.X, X, beside.Y]\n",
        ),
        ("app/parts.py", "X = 'parts'\n"),
        ("app/beside.py", "Y = 'beside'\n"),
        (
            "tools/up.py",
            "from ..app.parts import X\n\ndef handler(event, context):\n    return X\n",
        ),
    ]);
    if regular {
        for init in ["app/__init__.py", "tools/__init__.py"] {
            folder.write(init, "");
        }
    }
    folder
}

#[test]
fn a_file_in_a_package_is_imported_as_that_packages_module_however_it_was_named() {
    for regular in [true, false] {
        let folder = package(regular);
        let expected = json!(["app", "parts", "parts", "beside"]);
        for arguments in [&["app/main.py"][..], &["app/main.py:handler"]] {
            assert_eq!(printed(&folder, arguments), expected, "{arguments:?} {regular}");
        }
        assert_eq!(printed(&folder, &["tools/up.py"]), "parts");
        let within = |arguments: &[&str]| {
            let mut command = trine(&folder, &[&["invoke", "--json"], arguments].concat());
            command.current_dir(folder.task().join("app"));
            let finished = run(command);
            assert_eq!(finished.code, Some(0), "{arguments:?} {finished:?}");
            serde_json::from_str::<Value>(&finished.stdout).unwrap()
        };
        for arguments in [["main.py"], ["main.handler"], ["main"]] {
            assert_eq!(within(&arguments), expected, "{arguments:?} {regular}");
        }
        let served = Served::start(&folder, &["app/main.py", "--workers", "2"]);
        assert_eq!(served.get("/").json(), expected);
        let mut command = trine(&folder, &["serve", "--port", "0", "--workers", "2", "."]);
        command.current_dir(folder.task().join("app"));
        let served = Served::of(command);
        for path in ["/main", "/main", "/main", "/"] {
            let reply = served.get(path);
            let is_list = path == "/" && reply.text().contains("\"functions\"");
            assert!(is_list || reply.json() == expected, "{path} {reply:?}");
        }
    }
}

#[test]
fn modules_of_a_package_import_one_another_by_its_name() {
    let folder = Folder::new(&[
        ("shop/__init__.py", "print('init runs')\nNAME = 'shop'\n"),
        (
            "shop/main.py",
            "from shop import NAME\nfrom shop.parts import X\nimport parts\n\ndef handler(event, context):\n    return [__name__, NAME, X, parts.X]\n",
        ),
        ("shop/parts.py", "X = 'parts'\n"),
        ("shop/inner/__init__.py", ""),
        (
            "shop/inner/deep.py",
            "from .. import NAME\n\ndef lambda_handler(event, context):\n    return [__name__, NAME]\n",
        ),
    ]);
    let finished = invoke(&folder, &["shop/main.py"]);
    let told = |name: &str| format!("[\"{name}\", \"shop\", \"parts\", \"parts\"]\n");
    assert_eq!(finished.stdout, told("shop.main"), "{finished:?}");
    assert_eq!(finished.stderr.matches("init runs").count(), 1, "{finished:?}");
    // A handler string names a module of the task root.
    let mut command = trine(&folder, &["invoke", "--json", "main.handler"]);
    command.current_dir(folder.task().join("shop"));
    let finished = run(command);
    assert_eq!(finished.stdout, told("main"), "{finished:?}");
    assert_eq!(printed(&folder, &["shop/inner/deep.py"]), json!(["shop.inner.deep", "shop"]));
}

#[test]
fn a_package_takes_no_other_modules_name() {
    // `queue` is a module of the standard library, which others import.
    let folder = Folder::new(&[
        (
            "queue/main.py",
            "from . import parts\nimport queue\nfrom concurrent.futures import ThreadPoolExecutor\n\ndef handler(event, context):\n    return [parts.X, hasattr(queue, 'SimpleQueue')]\n",
        ),
        ("queue/parts.py", "X = 'parts'\n"),
        ("queue/__init__.py", ""),
    ]);
    assert_eq!(printed(&folder, &["queue/main.py"]), json!(["parts", true]));
}

#[test]
fn a_file_whose_name_no_import_has_is_run_all_the_same() {
    let folder = Folder::new(&[
        (
            "v1.2/my-app.test.py",
            "from .helper import X\n\ndef handler(event, context):\n    return X\n",
        ),
        ("v1.2/helper.py", "X = 'helper'\n"),
        ("a.b.py", "import helper\n\ndef handler(event, context):\n    return helper.X\n"),
        ("helper.py", "X = 'beside'\n"),
    ]);
    assert_eq!(printed(&folder, &["v1.2/my-app.test.py"]), "helper");
    assert_eq!(printed(&folder, &["a.b.py"]), "beside");
}

#[test]
fn nobody_is_told_to_vendor_what_a_relative_import_lacks() {
    let folder = Folder::new(&[
        ("app/main.py", "from .parts import absent\n\ndef handler(event, context):\n    pass\n"),
        ("app/parts.py", ""),
    ]);
    let finished = invoke(&folder, &["app/main.py"]);
    assert_eq!(finished.code, Some(3));
    assert!(finished.stderr.contains("cannot import name 'absent'"), "{finished:?}");
    assert!(!finished.stderr.contains("vendored"), "{finished:?}");
}

/// Returns a file of this language with a function as Lambda's tools generate it, and one unrelated to it.
fn generated(extension: &str) -> (String, &'static str) {
    let text = match extension {
        "py" => {
            "def helper():\n    pass\n\n\ndef lambda_handler(event, context):\n    return {'ok': True}\n"
        }
        "lua" => "function helper() end\nfunction lambda_handler() return { ok = true } end\n",
        "cjs" => "exports.helper = () => 1;\nexports.lambdaHandler = async () => ({ ok: true });\n",
        _ => {
            "export const helper = () => 1;\nexport const lambdaHandler = async () => ({ ok: true });\n"
        }
    };
    (format!("app.{extension}"), text)
}

#[test]
fn the_function_that_tools_generate_is_taken_where_nobody_names_one() {
    for language in LANGUAGES {
        let (file, text) = generated(language.extension);
        let folder = Folder::new(&[(&file, text)]);
        for arguments in [&[file.as_str()][..], &["app"]] {
            assert_eq!(printed(&folder, arguments), json!({"ok": true}), "{arguments:?}");
        }
        for arguments in [&[file.as_str()][..], &["."]] {
            let served = Served::start(&folder, &[arguments, &["--workers", "1"]].concat());
            assert_eq!(served.get("/app").json(), json!({"ok": true}), "{file} {arguments:?}");
        }
        // An explicit name is taken literally.
        let finished = invoke(&folder, &["app.handler"]);
        assert_eq!(finished.code, Some(3));
        assert!(finished.stderr.contains("Runtime.HandlerNotFound"), "{finished:?}");
    }
}

#[test]
fn functions_of_which_any_could_be_meant_are_listed_as_they_have_to_be_named() {
    for (file, text) in [
        (
            "src/app.py",
            "def get(event, context):\n    pass\n\ndef post(event, context):\n    pass\n",
        ),
        ("src/app.mjs", "export const get = () => 1;\nexport const post = () => 2;\n"),
        ("src/app.cjs", "exports.get = () => 1;\nexports.post = () => 2;\n"),
        ("src/app.lua", "return { get = function() end, post = function() end }"),
    ] {
        let folder = Folder::new(&[(file, text)]);
        let finished = invoke(&folder, &[file]);
        assert_eq!(finished.code, Some(3), "{finished:?}");
        let listed = format!("say which function it is: {file}:get, {file}:post");
        assert!(finished.stderr.contains(&listed), "{listed} {finished:?}");
    }
}

#[test]
fn what_was_written_as_a_file_is_spoken_of_as_a_file() {
    let folder = Folder::new(&[
        ("only.py", "def handler(event, context):\n    return 'only'\n"),
        ("named.py", "def ts(event, context):\n    return 'ts'\n"),
        ("data.js", "exports.handler = () => 'data';"),
        ("data.json", "{}"),
    ]);
    write(
        &folder.layers().join("python/dep.py"),
        "def handler(event, context):\n    return 'dep'\n",
    );
    write(&folder.layers().join("python/bare.py"), "X = 1\n");
    let file = |name: &str| folder.task().join(name).display().to_string();
    let unsuited =
        |what: &str, name: &str| format!("no engine of this build runs {what}: '{}'\n", file(name));
    for (written, said) in [
        ("only.ts", "Cannot find the file 'only.ts'\nlooked for only.ts in ".to_owned()),
        ("only.lua", "did you mean 'only.py'?".to_owned()),
        ("./only.mjs", "Cannot find the file './only.mjs'\n".to_owned()),
        (&*file("only.ts"), format!("Cannot find the file '{}'\n", file("only.ts"))),
        ("dep.ts", "Cannot find the file 'dep.ts'\n".to_owned()),
        ("data.json", unsuited("'.json' files", "data.json")),
        ("data.json", "did you mean 'data.js'?".to_owned()),
        ("bare.py", "module 'bare'".to_owned()),
    ] {
        let finished = invoke(&folder, &[written]);
        assert_eq!(finished.code, Some(3), "{written} {finished:?}");
        assert!(finished.stderr.contains(&said), "{written} {said:?} {finished:?}");
        let (_, export) = written.rsplit_once('.').unwrap();
        assert!(!finished.stderr.contains(&format!("andler '{export}'")), "{finished:?}");
        assert_eq!(finished.stderr.matches("\nthis build runs").count().max(1), 1, "{finished:?}");
    }
    assert_eq!(printed(&folder, &["dep.py"]), "dep");
    // Names that only look like a file's.
    assert_eq!(printed(&folder, &["named.ts"]), "ts");
    assert_eq!(printed(&folder, &["data"]), "data");
}
