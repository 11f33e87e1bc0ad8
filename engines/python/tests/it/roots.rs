//! Several functions with folders of their own in one process.

use crate::harness::{Case, Folder, answer, block_on, invocation, text};
use std::rc::Rc;
use trine_engine::{Form, Module, Payload, Seek};

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
            let module = Module {
                root: folder.path().to_owned(),
                path: folder.path().join("app.py"),
                name: "app".into(),
                seek: Seek::Handler("handler".into()),
            };
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
    let module = Module {
        root: hook.path().to_owned(),
        path: hook.path().join("auth.py"),
        name: "auth".into(),
        seek: Seek::Hooks,
    };
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
