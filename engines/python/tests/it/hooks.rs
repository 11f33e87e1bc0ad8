//! Hooks: where they are found, what they get, what their results mean.

use crate::harness::{Case, Folder, block_on, invocation, text};
use std::rc::Rc;
use trine_engine::{ErrorKind, Form, Hook, Payload, Wanted};

#[test]
fn a_middleware_outside_of_the_root_has_its_siblings_and_may_have_any_modules_name() {
    let layer = Folder::new(&[
        ("secrets.py", "import helper, shared\ndef before(event): return [helper.x, shared.x]\n"),
        ("helper.py", "x = 'sibling'\n"),
        ("shared.py", "x = 'sibling'\n"),
        ("auth/index.py", "from . import inner\ndef before(event): return inner.x\n"),
        ("auth/inner.py", "x = 'inner'\n"),
    ]);
    let case = Case::new(&[
        ("app.py", "import secrets\ndef handler(event): return hasattr(secrets, 'token_hex')\n"),
        ("shared.py", "x = 'root'\n"),
    ]);
    let hook = |path: &str| {
        let exports = case.load_file(&layer.path().join(path), Wanted::Hooks).unwrap();
        let before = exports.hook(Hook::Before).unwrap();
        text(case.run(before, Payload::json("1"), Form::Json).unwrap())
    };
    assert_eq!(hook("secrets.py"), "[\"sibling\", \"root\"]");
    assert_eq!(hook("auth/index.py"), "\"inner\"");
    assert_eq!(case.call("handler", "1").unwrap(), "true");
}

#[test]
fn a_handler_imports_the_very_middleware_from_the_folder_of_middlewares() {
    let case = Case::new(&[
        ("app.py", "from middlewares import count\ndef handler(event): return count.n\n"),
        ("middlewares/count.py", "n = []\ndef before(event): n.append(1)\n"),
    ]);
    let path = case.folder.path().join("middlewares/count.py");
    let before = case.load_file(&path, Wanted::Hooks).unwrap().hook(Hook::Before).unwrap();
    case.run(before, Payload::json("1"), Form::Native).unwrap();
    assert_eq!(case.call("handler", "1").unwrap(), "[1]");
}

#[test]
fn init_changes_what_the_handler_uses() {
    let patch = "\
import json
calls = []
def init(context):
    plain = json.dumps
    def dumps(*arguments, **named):
        calls.append(1)
        return plain(*arguments, **named)
    json.dumps = dumps
def after(response): return [response, len(calls)]
def shutdown():
    import importlib
    importlib.reload(json)
";
    let case = Case::new(&[
        ("apm.py", patch),
        ("app.py", "import json\ndef handler(event): return json.dumps(event)\n"),
    ]);
    let hooks = case.hooks("apm");
    let run = |hook, input| case.run(hooks.hook(hook).unwrap(), input, Form::Native).unwrap();
    assert!(matches!(run(Hook::Init, Payload::Nothing), Payload::Nothing));
    let response = case.call("handler", "[1]").unwrap();
    assert_eq!(text(run(Hook::After, Payload::json(response))), "[\"[1]\", 1]");
    run(Hook::Shutdown, Payload::Nothing);
}

#[test]
fn a_hook_that_is_no_function_is_refused_and_other_functions_are_named() {
    let case = Case::new(&[
        ("bad.py", "before = {'a': 1}\n"),
        ("good.py", "from json import dumps\ndef befor(event): pass\ninit = None\n"),
    ]);
    let refused = case.load_file(&case.folder.path().join("bad.py"), Wanted::Hooks).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::HandlerNotFound);
    let path = case.folder.path().join("bad.py");
    assert_eq!(
        refused.message(),
        format!(
            "before is not a function but of type dict in the middleware 'bad' ({})",
            path.display()
        )
    );
    let good = case.hooks("good");
    assert_eq!((good.functions.len(), good.others), (0, vec!["befor".to_owned()]));
}

#[test]
fn a_value_is_the_same_object_in_hook_and_handler_and_so_is_the_context() {
    let hook = "\
seen = []
def before(event, context):
    seen.append((event, context))
    context.user = 'ada'
    return event
";
    let handler = "\
from middlewares import look
def handler(event, context):
    return [look.seen[0][0] is event, look.seen[0][1] is context, context.user]
";
    let case = Case::new(&[("app.py", handler), ("middlewares/look.py", hook)]);
    let path = case.folder.path().join("middlewares/look.py");
    let before = case.load_file(&path, Wanted::Hooks).unwrap().hook(Hook::Before).unwrap();
    let handler = case.load("app", "handler").unwrap();
    let invocation = Rc::new(invocation());
    let event = case.instance.adopt(Payload::json("{\"a\":1}"), &invocation).unwrap();
    assert!(matches!(event, Payload::Native(_)));
    let event = case.run_for(before, event, Form::Native, &invocation).unwrap();
    let answer = case.run_for(handler, event, Form::Json, &invocation).unwrap();
    assert_eq!(text(answer), "[true, true, \"ada\"]");
}

#[test]
fn an_error_hook_gets_the_very_exception_and_may_return_another() {
    let source = "\
import errors, trine
def error(error, context):
    if isinstance(error, trine.ForeignError):
        return [error.error_type, error.error_message, error.stack_trace, str(error)]
    if error.args == ('keep',): return None
    if error.args == ('again',): raise error
    if error.args == ('replace',): return LookupError('replaced')
    return error is errors.last
";
    let files = [
        ("errors.py", "last = None\n"),
        ("hook.py", source),
        (
            "app.py",
            "import errors\ndef handler(event):\n    errors.last = ValueError(event)\n    raise errors.last\n",
        ),
    ];
    let case = Case::new(&files);
    let hook = case.hooks("hook").hook(Hook::Error).unwrap();
    let handler = case.load("app", "handler").unwrap();
    let fail = |event: &str, form| {
        let invocation = Rc::new(invocation());
        invocation.exchange.keep_thrown(true);
        let input = Payload::json(event.to_owned());
        case.run_for(handler, input, Form::Json, &invocation).unwrap_err();
        let thrown = Payload::Native(invocation.exchange.take_thrown().unwrap());
        case.run_for(hook, thrown, form, &invocation)
    };
    assert_eq!(text(fail("\"same\"", Form::Json).unwrap()), "true");
    assert!(matches!(fail("\"keep\"", Form::Native).unwrap(), Payload::Nothing));
    let again = fail("\"again\"", Form::Json).unwrap_err();
    assert_eq!((again.name(), again.is_returned()), ("ValueError", false));
    let replaced = fail("\"replace\"", Form::Native).unwrap_err();
    assert_eq!((replaced.name(), replaced.message()), ("LookupError", "replaced"));
    assert!(replaced.is_returned());
    let document = r#"{"errorType":"TypeError","errorMessage":"no","trace":["at x"]}"#;
    let foreign = case.run(hook, Payload::json(document), Form::Json).unwrap();
    assert_eq!(text(foreign), r#"["TypeError", "no", ["at x"], "TypeError: no"]"#);
}

#[test]
fn a_foreign_error_that_is_raised_again_keeps_its_name() {
    let case = Case::new(&[("hook.py", "def error(error): raise error\n")]);
    let hook = case.hooks("hook").hook(Hook::Error).unwrap();
    let document = r#"{"errorType":"TypeError","errorMessage":"no","stackTrace":["at x"]}"#;
    let error = case.run(hook, Payload::json(document), Form::Json).unwrap_err();
    assert_eq!(
        (error.name(), error.message(), error.stack()),
        ("TypeError", "no", ["at x".to_owned()].as_slice())
    );
}

#[test]
fn wrap_gets_a_handler_of_event_and_context_whatever_it_takes() {
    let source = "\
import asyncio
def wrap(handler):
    if asyncio.iscoroutinefunction(handler):
        async def wrapped(event, context): return ['async', await handler(event, context)]
    else:
        def wrapped(event, context): return ['plain', handler(event, context)]
    return wrapped
def both(event, context): return [event, context.function_name]
def one(event): return event
def none(): return 'none'
async def one_async(event):
    await asyncio.sleep(0.001)
    return event
class Callable:
    def __call__(self, event): return event
instance = Callable()
";
    let case = Case::new(&[("app.py", source)]);
    let wrap = case.hooks("app").hook(Hook::Wrap).unwrap();
    for (name, expected) in [
        ("both", "[\"plain\", [1, \"sums\"]]"),
        ("one", "[\"plain\", 1]"),
        ("none", "[\"plain\", \"none\"]"),
        ("one_async", "[\"async\", 1]"),
        ("instance", "[\"plain\", 1]"),
    ] {
        let handler = case.load("app", name).unwrap();
        let wrapped = block_on(case.instance.wrap(wrap, handler)).unwrap();
        let twice = block_on(case.instance.wrap(wrap, wrapped)).unwrap();
        let answer = text(case.run(wrapped, Payload::json("1"), Form::Json).unwrap());
        assert_eq!(answer, expected);
        let kind = if name == "one_async" { "async" } else { "plain" };
        let answer = text(case.run(twice, Payload::json("1"), Form::Json).unwrap());
        assert_eq!(answer, format!("[\"{kind}\", {expected}]"));
    }
}

#[test]
fn an_asynchronous_wrap_is_awaited_and_one_that_returns_no_function_refused() {
    let case = Case::new(&[
        (
            "later.py",
            "import asyncio\nasync def wrap(handler):\n    await asyncio.sleep(0.001)\n    return handler\n",
        ),
        ("bad.py", "def wrap(handler): return 3\n"),
        ("app.py", "def handler(event): return event\n"),
    ]);
    let handler = case.load("app", "handler").unwrap();
    let later = case.hooks("later").hook(Hook::Wrap).unwrap();
    let wrapped = block_on(case.instance.wrap(later, handler)).unwrap();
    assert_eq!(text(case.run(wrapped, Payload::json("7"), Form::Json).unwrap()), "7");
    let bad = case.hooks("bad").hook(Hook::Wrap).unwrap();
    let refused = block_on(case.instance.wrap(bad, handler)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::HandlerNotFound);
    assert!(refused.message().ends_with("it returned a value of type int"), "{refused}");
}
