//! Calls of handlers.

use crate::harness::{Case, answer, block_on, invocation, text};
use std::rc::Rc;
use trine_engine::{Engine, Form, Payload, Wanted};

#[test]
fn a_handler_gets_as_many_arguments_as_it_takes() {
    let source = "\
import functools
def two(event, context): return [event, context.aws_request_id]
def one(event): return event
def none(): return 'none'
def optional(event, context=None): return context is not None
def rest(*args): return len(args)
def keyword(event, *, more=2): return event + more
class Callable:
    def __call__(self, event): return event
    def method(self, event): return [event]
    @classmethod
    def of_class(cls, event): return [cls.__name__, event]
    @staticmethod
    def of_none(event): return event
instance = Callable()
method = instance.method
of_class = Callable.of_class
of_none = Callable.of_none
lam = lambda event: event
part = functools.partial(lambda a, event: [a, event], 'a')
part_named = functools.partial(two, context=type('C', (), {'aws_request_id': 'fixed'}))
def decorate(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs): return f(*args, **kwargs)
    return wrapper
decorated = decorate(one)
builtin = dict.__len__
";
    let case = Case::new(&[("app.py", source)]);
    for (name, expected) in [
        ("two", "[1, \"id-1\"]"),
        ("one", "1"),
        ("none", "\"none\""),
        ("optional", "true"),
        ("rest", "2"),
        ("keyword", "3"),
        ("instance", "1"),
        ("method", "[1]"),
        ("of_class", "[\"Callable\", 1]"),
        ("of_none", "1"),
        ("lam", "1"),
        ("part", "[\"a\", 1]"),
        ("part_named", "[1, \"fixed\"]"),
        ("decorated", "1"),
    ] {
        assert_eq!(case.call(name, "1").unwrap_or_else(|e| panic!("{name}: {e}")), expected);
    }
    assert_eq!(case.call("builtin", "{}").unwrap_err().name(), "TypeError");
}

#[test]
fn hooks_without_an_event_get_the_context_alone() {
    let source = "\
def init(context): return context.function_name
def before(event): return event
def timeout(*arguments): return [len(arguments), arguments[0].function_name]
def shutdown(): return 'bye'
";
    let case = Case::new(&[("app.py", source)]);
    let exports = block_on(case.instance.load(&case.module("app", Wanted::Hooks))).unwrap();
    let expected = [
        ("init", "\"sums\""),
        ("before", "1"),
        ("timeout", "[1, \"sums\"]"),
        ("shutdown", "\"bye\""),
    ];
    assert_eq!(exports.functions.len(), expected.len());
    for ((name, id), (expected_name, expected)) in exports.functions.iter().zip(expected) {
        let call = case.run(*id, Payload::json("1"), Form::Json);
        assert_eq!((name.as_str(), text(call.unwrap()).as_str()), (expected_name, expected));
    }
}

#[test]
fn module_state_is_kept_between_calls_and_shared_between_workers() {
    let case = Case::new(&[(
        "app.py",
        "n = []\ndef handler(event):\n    n.append(1)\n    return len(n)\n",
    )]);
    assert_eq!(case.call("handler", "1").unwrap(), "1");
    assert_eq!(case.call("handler", "1").unwrap(), "2");
    assert_eq!(case.instance.usage().calls, 2);
    let module = case.module("app", Wanted::Handler("handler".into()));
    let environment = case.environment.clone();
    let other = std::thread::spawn(move || {
        let instance = trine_python::engine().start(&environment).unwrap();
        block_on(async {
            let id = instance.load(&module).await.unwrap().functions[0].1;
            let invocation = Rc::new(invocation());
            text(instance.call(id, Payload::json("1"), Form::Json, &invocation).await.unwrap())
        })
    });
    assert_eq!(other.join().unwrap(), "3");
}

#[test]
fn workers_run_side_by_side_where_python_lets_go_of_its_lock() {
    // Nobody passes the barrier before all four are in their handlers.
    let source = "\
import sys, threading
barrier = sys.__dict__.setdefault('barrier_of_workers', threading.Barrier(4, timeout=60))
def handler(event):
    barrier.wait()
    return 1
";
    let threads: Vec<_> =
        (0..4).map(|_| std::thread::spawn(move || answer(source, "1").unwrap())).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), "1");
    }
}

#[test]
fn a_guests_own_threads_work() {
    let source = "\
import threading
def work(out): out.append(threading.current_thread().name)
def handler(event):
    out = []
    thread = threading.Thread(target=work, args=(out,), name='mine')
    thread.start()
    thread.join()
    return out
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(case.call("handler", "1").unwrap(), "[\"mine\"]");
}

#[test]
fn thread_locals_last_from_one_call_to_the_next() {
    let source = "\
import threading
local = threading.local()
def handler(event):
    local.n = getattr(local, 'n', 0) + 1
    return local.n
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(case.call("handler", "1").unwrap(), "1");
    assert_eq!(case.call("handler", "1").unwrap(), "2");
}

#[test]
fn after_shutdown_calls_are_refused() {
    let case = Case::new(&[("app.py", "def handler(event): return 1\n")]);
    let function = case.load("app", "handler").unwrap();
    case.instance.shutdown();
    let call = case.run(function, Payload::json("1"), Form::Json);
    assert!(call.unwrap_err().message().contains("shut down"));
    assert!(case.load("app", "handler").is_err());
}

#[test]
fn what_the_engine_says_about_itself_is_true() {
    let engine = trine_python::engine();
    let info = engine.info();
    assert_eq!((info.id, info.name, info.extensions), ("python", "Python", &["py"][..]));
    let version = answer("import sys\ndef handler(event): return sys.version.split()[0]\n", "1");
    assert_eq!(format!("\"{}\"", info.version.trim_start_matches("CPython ")), version.unwrap());
}
