//! Several functions with folders of their own in one process.

use crate::harness::{Case, Folder, answer, block_on, invocation, text};
use std::rc::Rc;
use trine_engine::{Form, Module, Payload, Wanted};

#[test]
fn modules_of_equal_names_under_different_roots_do_not_meet() {
    let source = "\
import helper
def handler(event):
    import late
    from pack import deep
    import importlib
    dynamic = importlib.import_module('dynamic')
    return [helper.x, late.x, deep.x, dynamic.x]
";
    let files = |x: &str| {
        Folder::new(&[
            ("app.py", source),
            ("helper.py", &format!("x = 'helper {x}'\n")),
            ("late.py", &format!("x = 'late {x}'\n")),
            ("pack/__init__.py", ""),
            ("pack/deep.py", "from . import more\nx = more.x\n"),
            ("pack/more.py", &format!("x = 'deep {x}'\n")),
            ("package/dynamic.py", &format!("x = 'dynamic {x}'\n")),
        ])
    };
    let folders = ["a", "b", "c"].map(files);
    let case = Case::new(&[]);
    let functions: Vec<_> = folders
        .iter()
        .map(|folder| {
            let module = Module::new(
                folder.path(),
                folder.path().join("app.py"),
                "app",
                Wanted::Handler("handler".into()),
            );
            block_on(case.instance.load(&module)).unwrap().functions[0].1
        })
        .collect();
    for _ in 0..2 {
        for (function, x) in functions.iter().zip(["a", "b", "c"]) {
            let answer = text(case.run(*function, Payload::json("1"), Form::Json).unwrap());
            assert_eq!(
                answer,
                format!("[\"helper {x}\", \"late {x}\", \"deep {x}\", \"dynamic {x}\"]")
            );
        }
    }
}

#[test]
fn several_workers_import_late_under_different_roots_at_once() {
    let threads: Vec<_> = (0..8)
        .map(|n| {
            std::thread::spawn(move || {
                let case = Case::new(&[
                    ("app.py", "def handler(event):\n    import late\n    from late import x\n    return [x, late.x]\n"),
                    ("late.py", &format!("import time\ntime.sleep(0.01)\nx = {n}\n")),
                ]);
                for _ in 0..20 {
                    assert_eq!(case.call("handler", "1").unwrap(), format!("[{n}, {n}]"));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

/// Returns the answer of a handler that imports under a lock for which a module waits that another thread is loading: a
/// handler of `logging` does so, for example.
fn imports_under_a_lock(setup: &str, under_the_lock: &str, file: (&str, &str)) -> String {
    // From the second root on, imports depend on the importer.
    let first = Case::new(&[("app.py", "def handler(event): pass\n")]);
    first.call("handler", "1").unwrap();
    // The shared state of the two; it stays when roots change, because it is not a module of a folder.
    let shared = format!("trine_test_{}", file.1.len() + under_the_lock.len());
    let share = format!(
        "\
import sys, threading, types
shared = sys.modules.setdefault('{shared}', types.ModuleType('{shared}'))
shared.__dict__.setdefault('lock', threading.RLock())
shared.__dict__.setdefault('locked', threading.Event())
shared.__dict__.setdefault('loading', threading.Event())
"
    );
    let loads = format!(
        "\
{share}
shared.loading.set()
# Bounded, so that a failure is no hang.
got = shared.lock.acquire(timeout=5)
if got: shared.lock.release()
def handler(event): return got
"
    );
    let imports = format!(
        "\
{share}
{setup}
def handler(event):
    with shared.lock:
        shared.locked.set()
        assert shared.loading.wait(20)
        {under_the_lock}
    return result
"
    );
    let waits = format!("{share}\ndef handler(event): return shared.locked.wait(20)\n");
    let holder = std::thread::spawn({
        let file = (file.0.to_owned(), file.1.to_owned());
        move || {
            let case = Case::new(&[("app.py", &imports), (&file.0, &file.1)]);
            case.call("handler", "1").unwrap()
        }
    });
    let case = Case::new(&[("waits.py", &waits), ("app.py", &loads)]);
    let function = case.load("waits", "handler").unwrap();
    assert_eq!(text(case.run(function, Payload::json("1"), Form::Json).unwrap()), "true");
    assert_eq!(case.call("handler", "1").unwrap(), "true", "the module could not have the lock");
    holder.join().unwrap()
}

#[test]
fn what_is_loaded_is_imported_while_another_root_loads() {
    let setup = "import helper, json, importlib\nimport json.decoder\n";
    let under_the_lock = "\
import helper as a, json as b, json.decoder as c
        from json import dumps
        from helper import x
        d = importlib.import_module('helper')
        result = [a is helper, b is json, c is json.decoder, x, d is helper]";
    let result = imports_under_a_lock(setup, under_the_lock, ("helper.py", "x = 7\n"));
    assert_eq!(result, "[true, true, true, 7, true]");
}

#[test]
fn shared_code_imports_its_own_parts_while_another_root_loads() {
    let setup = "import importlib, xml\n";
    let under_the_lock = "result = importlib.import_module('xml.sax.saxutils').__name__";
    let result = imports_under_a_lock(setup, under_the_lock, ("unused.py", ""));
    assert_eq!(result, "\"xml.sax.saxutils\"");
}

#[test]
fn a_log_line_is_formatted_while_another_root_loads() {
    let setup = "import logging\n";
    let under_the_lock = "\
formatter = logging.getLogger().handlers[0].formatter
        record = logging.LogRecord('a', 30, 'b', 1, 'text', None, None)
        result = 'text' in type(formatter)._json(formatter, record)";
    assert_eq!(imports_under_a_lock(setup, under_the_lock, ("unused.py", " ")), "true");
}

#[test]
fn the_standard_library_is_shared() {
    let source = "import json, decimal\ndef handler(event): return [id(json), id(decimal)]\n";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(case.call("handler", "1").unwrap(), answer(source, "1").unwrap());
}

#[test]
fn middleware_and_handler_of_different_roots_share_values_and_context() {
    let hook = Folder::new(&[
        (
            "auth.py",
            "import names\ndef before(event, context):\n    context.user = names.user\n    return event\n",
        ),
        ("names.py", "user = 'ada'\n"),
    ]);
    let case = Case::new(&[
        (
            "app.py",
            "import names\ndef handler(event, context): return [context.user, names.user]\n",
        ),
        ("names.py", "user = 'other'\n"),
    ]);
    let module = Module::new(hook.path(), hook.path().join("auth.py"), "auth", Wanted::Hooks);
    let before = block_on(case.instance.load(&module)).unwrap().functions[0].1;
    let handler = case.load("app", "handler").unwrap();
    let invocation = Rc::new(invocation());
    block_on(async {
        let event = case
            .instance
            .call(before, Payload::json("1"), Form::Native, &invocation)
            .await
            .unwrap();
        let answer = case.instance.call(handler, event, Form::Json, &invocation).await.unwrap();
        assert_eq!(text(answer), "[\"ada\", \"other\"]");
    });
}
