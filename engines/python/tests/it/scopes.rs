//! Things that functions side by side keep to themselves, and things that they share.

use crate::harness::{Case, Folder, block_on, invocation, text};
use std::rc::Rc;
use trine_engine::{Form, FunctionId, Module, Payload, Wanted};
use trine_testkit::alone;

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
        let module = Module::new(root, root.join("app.py"), "app", Wanted::Handler(name.into()));
        block_on(self.case.instance.load(&module)).unwrap().functions[0].1
    }

    fn call(&self, root: usize, name: &str) -> String {
        let function = self.load(root, name);
        text(self.case.run(function, Payload::json("1"), Form::Json).unwrap())
    }
}

#[test]
fn variables_levels_and_arithmetic_are_a_functions_own() {
    alone::run(
        "scopes::variables_levels_and_arithmetic_are_a_functions_own",
        &[("COMMON", "common"), ("GONE", "there")],
        inner_own,
    );
}

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
    // The system's own environment is shared.
    assert_eq!(std::env::var("SYSTEM").unwrap(), "all");
    assert_eq!(std::env::var("AT_IMPORT").unwrap(), "first");
}

#[test]
fn what_shared_modules_and_init_hooks_set_is_everybodys() {
    alone::run("scopes::what_shared_modules_and_init_hooks_set_is_everybodys", &[], inner_shared);
}

fn inner_shared() {
    let case = Case::with(&[], |environment| {
        let layer = environment.layer_root.join("python");
        std::fs::create_dir_all(&layer).unwrap();
        // Imported once for all; its effects during a call belong to its caller.
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
    let module = Module::new(root, root.join("hooks.py"), "hooks", Wanted::Hooks);
    let init = block_on(two.case.instance.load(&module)).unwrap().functions[0].1;
    two.case.run(init, Payload::Nothing, Form::Native).unwrap();
    assert_eq!(two.call(0, "sets"), "\"first\"");
    assert_eq!(two.call(0, "look"), "[\"layer\", \"init\", \"first\"]");
    assert_eq!(two.call(1, "look"), "[\"layer\", \"init\", null]");
}

#[test]
fn a_process_with_one_root_has_no_scopes() {
    alone::run("scopes::a_process_with_one_root_has_no_scopes", &[], inner_alone);
}

fn inner_alone() {
    let source = "\
import logging, os
def handler(event):
    return [type(os.environ._data).__name__, type(logging.getLogger()).level is not None]
";
    let alone = Case::with(&[("app.py", source)], |environment| environment.lone_root = true);
    let error = alone.call("handler", "1").unwrap_err();
    assert!(error.message().contains("has no attribute 'level'"), "{error}");
    alone.instance.shutdown();
    let beside = Case::new(&[("app.py", source)]);
    assert_eq!(beside.call("handler", "1").unwrap(), "[\"_Data\", true]");
}

#[test]
fn what_stands_in_the_place_of_the_environment_is_a_functions_own() {
    alone::run(
        "scopes::what_stands_in_the_place_of_the_environment_is_a_functions_own",
        &[("COMMON", "common")],
        inner_bindings,
    );
}

fn inner_bindings() {
    let rebinds = "\
import os
before = os.environ
os.environ = {'MINE': 'yes', 'PATH': '/nowhere'}
os.environb = {b'MINE': b'bytes'}
def handler(event):
    return [os.environ['MINE'], os.getenv('MINE'), os.environb[b'MINE'], os.getenvb(b'COMMON'),
            os.get_exec_path(), os.path.expandvars('$MINE'), before['COMMON'], sorted(os.environ)]
def late(event):
    os.environ = before
    return os.environ.get('COMMON')
async def waits(event):
    import asyncio
    os.environ = {'MINE': 'late'}
    await asyncio.sleep(0.01)
    return os.environ['MINE']
"
    .replace("os.environb[b'MINE']", "os.environb[b'MINE'].decode()");
    let looks = "\
import os, pickle
from os import environ
def handler(event):
    assert pickle.loads(pickle.dumps(os)) is os and type(os).__mro__[1].__name__ == 'module'
    return [type(os.environ).__name__, os.environ is environ, os.environ.get('MINE'), os.getenv('MINE'),
            os.getenv('COMMON'), os.environb.get(b'MINE'), '/nowhere' in os.get_exec_path()]
async def waits(event):
    import asyncio
    await asyncio.sleep(0)
    return [type(os.environ).__name__, os.environ.get('MINE')]
";
    let two = Two::new(Case::new(&[]), &[("app.py", &rebinds)], &[("app.py", looks)]);
    two.load(0, "handler");
    for _ in 0..2 {
        let untouched = "[\"_Environ\", true, null, null, \"common\", null, false]";
        assert_eq!(two.call(1, "handler"), untouched);
        assert_eq!(
            two.call(0, "handler"),
            "[\"yes\", \"yes\", \"bytes\", null, [\"/nowhere\"], \"yes\", \"common\", [\"MINE\", \"PATH\"]]"
        );
    }
    let [first, second] = [0, 1].map(|root| two.load(root, "waits"));
    let invocation = Rc::new(invocation());
    let call =
        |function| two.case.instance.call(function, Payload::json("1"), Form::Json, &invocation);
    let (first, second) = block_on(async { tokio::join!(call(first), call(second)) });
    assert_eq!(text(first.unwrap()), "\"late\"");
    assert_eq!(text(second.unwrap()), "[\"_Environ\", null]");
    assert_eq!(two.call(0, "late"), "\"common\"");
}

#[test]
fn children_get_what_their_function_has_put_into_the_systems_environment() {
    alone::run(
        "scopes::children_get_what_their_function_has_put_into_the_systems_environment",
        &[("COMMON", "common"), ("GONE", "there")],
        inner_children,
    );
}

fn inner_children() {
    let looks = "
import asyncio, os, subprocess
NAMES = ['COMMON', 'GONE', 'PUT', 'LATE', 'OTHER']
LINE = ' '.join(f'${{{name}-none}}' for name in NAMES)
def by_system():
    path = __file__ + '.out'
    assert os.system(f'echo {LINE} > {path}; exit 3') == 3 << 8
    with open(path) as file:
        return file.read()
def by_exec():
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(write, 1)
        os.execl('/bin/sh', 'sh', '-c', f'echo {LINE}')
    os.close(write)
    os.waitpid(child, 0)
    with open(read) as file:
        return file.read()
def look(event):
    seen = subprocess.run(f'echo {LINE}', shell=True, capture_output=True, text=True).stdout
    assert [by_system(), by_exec(), os.popen(f'echo {LINE}').read()] == [seen] * 3, seen
    return seen.split()
async def waits(event):
    await asyncio.sleep(0.01)
    child = await asyncio.create_subprocess_shell(f'echo {LINE}', stdout=asyncio.subprocess.PIPE)
    return (await child.communicate())[0].decode().split()
";
    let changes = "\
import os
os.putenv('PUT', 'first')
os.unsetenv('GONE')
os._Environ(dict(os.environb), os.fsencode, os.fsencode, os.fsencode, os.fsencode)[b'COMMON'] = b'changed'
def handler(event):
    os.putenv(b'LATE', b'first')
    return look(event)
";
    let others = format!("{looks}\nos.environ['OTHER'] = 'second'\n");
    let first = format!("{changes}{looks}");
    let two = Two::new(Case::new(&[]), &[("app.py", &first)], &[("app.py", &others)]);
    two.load(0, "handler");
    let others = "[\"common\", \"there\", \"none\", \"none\", \"second\"]";
    let own = "[\"changed\", \"none\", \"first\", \"first\", \"none\"]";
    assert_eq!(two.call(1, "look"), others);
    for _ in 0..2 {
        assert_eq!(two.call(0, "handler"), own);
        assert_eq!(two.call(1, "look"), others);
    }
    let [first, second] = [0, 1].map(|root| two.load(root, "waits"));
    let invocation = Rc::new(invocation());
    let call =
        |function| two.case.instance.call(function, Payload::json("1"), Form::Json, &invocation);
    let (first, second) = block_on(async { tokio::join!(call(first), call(second)) });
    assert_eq!((text(first.unwrap()).as_str(), text(second.unwrap()).as_str()), (own, others));
}

#[test]
fn policies_of_event_loops_are_a_functions_own() {
    alone::run("scopes::policies_of_event_loops_are_a_functions_own", &[], inner_policies);
}

fn inner_policies() {
    // Like uvloop's: it has no loop before one is set, and watches no children.
    let sets = "\
import asyncio
class Own(asyncio.AbstractEventLoopPolicy):
    loop = None
    def get_event_loop(self):
        if self.loop is None: raise RuntimeError('no loop was set')
        return self.loop
    def set_event_loop(self, loop): self.loop = loop
    def new_event_loop(self): return asyncio.SelectorEventLoop()
asyncio.set_event_loop_policy(Own())
";
    let looks = "
import subprocess
def policy(event): return type(asyncio.get_event_loop_policy()).__name__
def runs(event):
    loops = [asyncio.get_event_loop_policy()]
    async def main(): return type(asyncio.get_running_loop()).__name__
    return asyncio.run(main())
def current(event):
    try:
        return type(asyncio.get_event_loop()).__name__
    except RuntimeError as error:
        return str(error)
async def starts(event):
    await asyncio.sleep(0.01)
    child = await asyncio.create_subprocess_exec('/bin/echo', 'child', stdout=subprocess.PIPE)
    return [(await child.communicate())[0].decode(), await child.wait(), policy(event)]
def resets(event):
    asyncio.set_event_loop_policy(None)
    try:
        asyncio.set_event_loop_policy(7)
    except TypeError:
        return policy(event)
";
    let first = format!("{sets}{looks}");
    let second = format!("import asyncio{looks}");
    let two = Two::new(Case::new(&[]), &[("app.py", &first)], &[("app.py", &second)]);
    two.load(0, "policy");
    let default = "\"_UnixDefaultEventLoopPolicy\"";
    assert_eq!(two.call(0, "current"), "\"no loop was set\"");
    for _ in 0..2 {
        assert_eq!(two.call(1, "current"), "\"Loop\"");
        assert_eq!(
            (two.call(0, "policy").as_str(), two.call(1, "policy").as_str()),
            ("\"Own\"", default)
        );
        assert_eq!(two.call(0, "runs"), "\"_UnixSelectorEventLoop\"");
        let [first, second] = [0, 1].map(|root| two.load(root, "starts"));
        let invocation = Rc::new(invocation());
        let call = |function| {
            two.case.instance.call(function, Payload::json("1"), Form::Json, &invocation)
        };
        let (first, second) = block_on(async { tokio::join!(call(first), call(second)) });
        assert_eq!(text(first.unwrap()), "[\"child\\n\", 0, \"Own\"]");
        assert_eq!(text(second.unwrap()), format!("[\"child\\n\", 0, {default}]"));
    }
    assert_eq!(two.call(1, "resets"), default);
    assert_eq!(two.call(0, "policy"), "\"Own\"");
    assert_eq!(two.call(0, "resets"), default);
}

#[test]
fn a_policy_that_an_init_hook_sets_is_everybodys() {
    alone::run("scopes::a_policy_that_an_init_hook_sets_is_everybodys", &[], inner_policy_of_init);
}

fn inner_policy_of_init() {
    let hooks = "\
import asyncio
class Policy(asyncio.DefaultEventLoopPolicy): pass
async def init(context): asyncio.set_event_loop_policy(Policy())
";
    let app = "\
import asyncio
def policy(event):
    asyncio.set_event_loop(asyncio.new_event_loop()) if event == 2 else None
    policy = asyncio.get_event_loop_policy()
    return [type(policy).__name__, policy._local._loop is None]
";
    let files = [("app.py", app), ("hooks.py", hooks)];
    let two = Two::new(Case::new(&[]), &files, &[("app.py", app)]);
    let root = two.folders[0].path();
    let module = Module::new(root, root.join("hooks.py"), "hooks", Wanted::Hooks);
    let init = block_on(two.case.instance.load(&module)).unwrap().functions[0].1;
    two.case.run(init, Payload::Nothing, Form::Native).unwrap();
    let first = two.load(0, "policy");
    let set = text(two.case.run(first, Payload::json("2"), Form::Json).unwrap());
    assert_eq!(set, "[\"Policy\", false]");
    assert_eq!(two.call(1, "policy"), "[\"Policy\", true]");
}

#[test]
fn requests_side_by_side_have_arithmetic_of_their_own_whatever_was_imported_before() {
    alone::run(
        "scopes::requests_side_by_side_have_arithmetic_of_their_own_whatever_was_imported_before",
        &[],
        inner_arithmetic,
    );
}

fn inner_arithmetic() {
    let app = "\
import asyncio, decimal
def plain(event): return str(decimal.Decimal(1) / 3)
async def changes(event):
    decimal.getcontext().prec = 3
    await asyncio.sleep(0)
    return await looks(event)
async def looks(event):
    await asyncio.sleep(0.01)
    return str(decimal.Decimal(1) / 3)
";
    let two = Two::new(Case::new(&[]), &[("app.py", app)], &[("app.py", app)]);
    let whole = "\"0.3333333333333333333333333333\"";
    // It imports the module before the other root is there.
    assert_eq!(two.call(1, "plain"), whole);
    let (changes, looks) = (two.load(0, "changes"), two.load(0, "looks"));
    let call = |function| {
        let (two, invocation) = (&two, Rc::new(invocation()));
        async move {
            let input = Payload::json("1");
            two.case.instance.call(function, input, Form::Json, &invocation).await
        }
    };
    let (changed, seen) = block_on(async { tokio::join!(call(changes), call(looks)) });
    assert_eq!(text(changed.unwrap()), "\"0.333\"");
    assert_eq!(text(seen.unwrap()), whole);
    assert_eq!(two.call(0, "looks"), whole);
}
