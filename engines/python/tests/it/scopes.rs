//! What functions side by side keep to themselves, and what they share.

use crate::{
    harness::{Case, Folder, block_on, invocation, text},
    process::passes,
};
use std::rc::Rc;
use trine_engine::{Form, FunctionId, Module, Payload, Seek};

/// Functions of two roots, each with these files and in an instance that both share.
struct Two {
    case: Case,
    folders: [Folder; 2],
}

impl Two {
    fn new(case: Case, first: &[(&str, &str)], second: &[(&str, &str)]) -> Self {
        Self { case, folders: [Folder::new(first), Folder::new(second)] }
    }

    fn load(&self, root: usize, name: &str) -> FunctionId {
        let root = self.folders[root].path();
        let module = Module {
            root: root.to_owned(),
            path: root.join("app.py"),
            name: "app".into(),
            seek: Seek::Handler(name.into()),
        };
        block_on(self.case.instance.load(&module)).unwrap().functions[0].1
    }

    fn call(&self, root: usize, name: &str) -> String {
        let function = self.load(root, name);
        text(self.case.run(function, Payload::json("1"), Form::Json).unwrap())
    }
}

#[test]
fn variables_levels_and_arithmetic_are_a_functions_own() {
    passes("scopes::inner_own", &[("COMMON", "common"), ("GONE", "there")]);
}

#[test]
#[ignore = "needs a process of its own"]
fn inner_own() {
    // The first changes everything, at its import and in its handler; the second only looks.
    let changes = "\
import contextvars, decimal, logging, os
os.environ['AT_IMPORT'] = 'first'
os.environ['COMMON'] = 'changed'
del os.environ['GONE']
decimal.getcontext().prec = 5
logging.getLogger().setLevel(logging.DEBUG)
variable = contextvars.ContextVar('variable', default='none')
variable.set('at import')
def handler(event):
    os.environ['IN_HANDLER'] = 'first'
    os.environb[b'BYTES'] = b'first'
    os.environ.update(UPDATED='first')
    os.environ.setdefault('COMMON', 'not this')
    os.putenv('SYSTEM', 'all')
    return look(event)
";
    let look = "
import asyncio, decimal, logging, os, subprocess, sys, threading
from concurrent.futures import ThreadPoolExecutor
NAMES = ['COMMON', 'GONE', 'AT_IMPORT', 'IN_HANDLER', 'BYTES', 'UPDATED']
def seen():
    return [os.environ.get(name) for name in NAMES]
def look(event):
    in_threads = []
    thread = threading.Thread(target=lambda: in_threads.append(seen()))
    thread.start()
    thread.join()
    with ThreadPoolExecutor(1) as pool:
        in_threads.append(pool.submit(seen).result())
    code = f'import os; print([os.environ.get(name) for name in {NAMES}])'
    child = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout
    assert in_threads == [seen(), seen()] and child == f'{seen()}\\n', (seen(), in_threads, child)
    listed = [name in os.environ for name in NAMES], len(os.environ) == len(list(os.environ))
    assert listed == ([value is not None for value in seen()], True), listed
    assert all(os.environ[name] == value for name, value in os.environ.copy().items())
    log = logging.getLogger('some.name')
    return [seen(), str(decimal.Decimal(1) / 3), log.isEnabledFor(logging.DEBUG),
            logging.getLogger().level, repr(logging.getLogger())]
async def looks_later(event):
    await asyncio.sleep(0)
    return [seen(), str(decimal.Decimal(1) / 3), logging.getLogger().level]
";
    let variables = "\ndef variables(event): return variable.get()\n";
    let first = format!("{changes}{look}{variables}");
    let two = Two::new(Case::new(&[]), &[("app.py", &first)], &[("app.py", look)]);
    let own = "[[\"changed\", null, \"first\", \"first\", \"first\", \"first\"], \"0.33333\", true, 10, \
               \"<RootLogger root (DEBUG)>\"]";
    let others = "[[\"common\", \"there\", null, null, null, null], \
                  \"0.3333333333333333333333333333\", false, 30, \"<RootLogger root (WARNING)>\"]";
    two.load(0, "handler");
    assert_eq!(two.call(1, "look"), others);
    for _ in 0..2 {
        assert_eq!(two.call(0, "handler"), own);
        assert_eq!(two.call(1, "look"), others);
        assert_eq!(two.call(0, "look"), own);
    }
    assert_eq!(two.call(0, "variables"), "\"at import\"");
    // Both at once, each after the other has had its turn.
    let [first, second] = [0, 1].map(|root| two.load(root, "looks_later"));
    let invocation = Rc::new(invocation());
    let call =
        |function| two.case.instance.call(function, Payload::json("1"), Form::Json, &invocation);
    let (first, second) = block_on(async { tokio::join!(call(first), call(second)) });
    let first = text(first.unwrap());
    assert!(first.starts_with("[[\"changed\"") && first.ends_with("\"0.33333\", 10]"), "{first}");
    let second = text(second.unwrap());
    assert!(second.starts_with("[[\"common\"") && second.ends_with("3333\", 30]"), "{second}");
    // The system's own environment is one.
    assert_eq!(std::env::var("SYSTEM").unwrap(), "all");
    assert_eq!(std::env::var("AT_IMPORT").unwrap(), "first");
}

#[test]
fn what_shared_modules_and_init_hooks_set_is_everybodys() {
    passes("scopes::inner_shared", &[]);
}

#[test]
#[ignore = "needs a process of its own"]
fn inner_shared() {
    let case = Case::with(&[], |environment| {
        let layer = environment.layer_root.join("python");
        std::fs::create_dir_all(&layer).unwrap();
        // Imported once for all; what it does when it is called is its caller's.
        let module = "\
import os
os.environ['BY_LAYER'] = 'layer'
def set(value): os.environ['CALLED'] = value
";
        std::fs::write(layer.join("settings.py"), module).unwrap();
    });
    let app = "\
import os, settings
def sets(event):
    settings.set('first')
    return os.environ['CALLED']
def look(event): return [os.environ.get(name) for name in ('BY_LAYER', 'BY_INIT', 'CALLED')]
";
    let hooks = "\
import os
async def init(context): os.environ['BY_INIT'] = 'init'
";
    let files = [("app.py", app), ("hooks.py", hooks)];
    let two = Two::new(case, &files, &[("app.py", app)]);
    let root = two.folders[0].path();
    let module = Module {
        root: root.to_owned(),
        path: root.join("hooks.py"),
        name: "hooks".into(),
        seek: Seek::Hooks,
    };
    let init = block_on(two.case.instance.load(&module)).unwrap().functions[0].1;
    two.case.run(init, Payload::Nothing, Form::Native).unwrap();
    assert_eq!(two.call(0, "sets"), "\"first\"");
    assert_eq!(two.call(0, "look"), "[\"layer\", \"init\", \"first\"]");
    assert_eq!(two.call(1, "look"), "[\"layer\", \"init\", null]");
}

#[test]
fn a_process_with_one_function_has_no_scopes() {
    passes("scopes::inner_alone", &[]);
}

#[test]
#[ignore = "needs a process of its own"]
fn inner_alone() {
    let source = "\
import logging, os
def handler(event):
    return [type(os.environ._data).__name__, type(logging.getLogger()).level is not None]
";
    let alone = Case::with(&[("app.py", source)], |environment| {
        environment.trace_in_environment = true;
    });
    let error = alone.call("handler", "1").unwrap_err();
    assert!(error.message().contains("has no attribute 'level'"), "{error}");
    alone.instance.shutdown();
    let beside = Case::new(&[("app.py", source)]);
    assert_eq!(beside.call("handler", "1").unwrap(), "[\"_Data\", true]");
}
