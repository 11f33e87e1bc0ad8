//! `context.state` and `context.reply`.

use crate::harness::{Case, invocation, text};
use bytes::Bytes;
use std::{any::Any, rc::Rc};
use trine_engine::{ErrorKind, Form, Hook, NativeValue, Payload, Result};

/// A value of another language.
struct Foreign(Result<&'static str, &'static str>);

impl NativeValue for Foreign {
    fn engine(&self) -> &'static str {
        "other"
    }

    fn to_json(&self) -> Result<Bytes> {
        self.0
            .map(|text| Bytes::from_static(text.as_bytes()))
            .map_err(|reason| trine_engine::Error::new(ErrorKind::Marshal, reason))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Returns the answer of a handler with this body, and the invocation.
fn with_state(body: &str) -> (Result<String>, Rc<trine_engine::Invocation>) {
    let body = body.replace('\n', "\n    ");
    let source = format!("def handler(event, context):\n    state = context.state\n    {body}\n");
    let case = Case::new(&[("app.py", &source)]);
    let function = case.load("app", "handler").unwrap();
    let invocation = Rc::new(invocation());
    let foreign = |value| Payload::Native(Rc::new(Foreign(value)));
    invocation.exchange.write_state("user", foreign(Ok(r#"{"roles":["a"]}"#)));
    invocation.exchange.write_state("timer", foreign(Err("a function has no JSON form")));
    let answer = case.run_for(function, Payload::json("1"), Form::Json, &invocation);
    (answer.map(text), invocation)
}

#[test]
fn state_behaves_as_a_dictionary_does() {
    let (answer, _) = with_state(
        "del state['user'], state['timer']
state['a'] = 1
state.update(b=[2])
made = state.setdefault('c', {})
made['x'] = 3
try: state['missing']
except KeyError as error: missing = error.args
try: del state['missing']
except KeyError: missing += (2,)
try: state[1] = 1
except TypeError as error: refused = str(error)
return [list(state), dict(state), len(state), 'a' in state, 1 in state, state.get('no', 5),
        state.pop('a'), list(state.items()), repr(state), missing, refused]",
    );
    assert_eq!(
        answer.unwrap(),
        "[[\"a\", \"b\", \"c\"], {\"a\": 1, \"b\": [2], \"c\": {\"x\": 3}}, 3, true, false, 5, 1, \
         [[\"b\", [2]], [\"c\", {\"x\": 3}]], \"State({'b': [2], 'c': {'x': 3}})\", [\"missing\", 2], \
         \"keys of context.state must be str, not int\"]"
    );
}

#[test]
fn what_is_changed_in_another_languages_value_is_seen_by_all() {
    let (answer, invocation) = with_state(
        "del state['timer']
state['user']['roles'].append('b')
return state['user'] is state['user']",
    );
    assert_eq!(answer.unwrap(), "true");
    let json = invocation.exchange.state_to_json().unwrap();
    assert_eq!(json, r#"{"user":{"roles": ["a", "b"]}}"#);
}

#[test]
fn a_foreign_value_that_cannot_cross_fails_where_it_is_read_and_is_named() {
    let (answer, _) = with_state("return 'timer' in state\n");
    assert_eq!(answer.unwrap(), "true");
    let error = with_state("return state['timer']").0.unwrap_err();
    assert_eq!(error.name(), "TypeError");
    assert_eq!(
        error.message(),
        "context.state.timer cannot be read by Python: a function has no JSON form"
    );
    assert_eq!(error.frames()[0].line, 3);
}

#[test]
fn own_values_of_any_kind_stay_and_fail_only_when_another_language_reads_them() {
    for (value, expected) in [
        ("lambda: 1", "Object of type function is not JSON serializable"),
        (
            "{'a': [print]}",
            "Object of type builtin_function_or_method is not JSON serializable (at ['a'][0])",
        ),
        ("object()", "Object of type object is not JSON serializable"),
        ("b'x'", "Object of type bytes is not JSON serializable"),
        ("{'n': float('nan')}", "NaN has no JSON form (at ['n'])"),
        ("[{1, 2}]", "Object of type set is not JSON serializable (at [0])"),
        ("cycle", "Circular reference detected (at [0])"),
    ] {
        let (answer, invocation) = with_state(&format!(
            "cycle = []\ncycle.append(cycle)\nvalue = {value}\nstate['user'] = value\nreturn state['user'] is value"
        ));
        assert_eq!(answer.unwrap(), "true");
        let error = invocation.exchange.read_state("user", "Lua", |_| false).unwrap_err();
        let expected = format!("context.state.user cannot be read by Lua: {expected}");
        assert_eq!(error.message(), expected);
    }
    let (answer, invocation) = with_state(
        "import collections, datetime, decimal
state['user'] = [datetime.date(2026, 1, 2), decimal.Decimal('1.5'), collections.OrderedDict(a=(1, None))]",
    );
    answer.unwrap();
    let crossed = invocation.exchange.read_state("user", "Lua", |_| false).unwrap().unwrap();
    assert_eq!(text(crossed), r#"["2026-01-02", 1.5, {"a": [1, null]}]"#);
}

#[test]
fn after_its_invocation_a_state_refuses() {
    let source = "\
kept = []
def handler(event, context):
    if kept: return kept[0]['a']
    kept.append(context.state)
    kept[0]['a'] = 1
";
    let case = Case::new(&[("app.py", source)]);
    case.call("handler", "1").unwrap();
    let error = case.fails("1");
    assert_eq!(error.name(), "RuntimeError");
    assert!(error.message().starts_with("context.state is there while"), "{error}");
}

#[test]
fn a_before_hook_replies_once() {
    let source = "\
def before(event, context):
    context.reply({'statusCode': 401})
    try: context.reply(None)
    except RuntimeError as error: return str(error)
def handler(event, context): context.reply(1)
";
    let case = Case::new(&[("app.py", source)]);
    let before = case.hooks("app").hook(Hook::Before).unwrap();
    let invocation = Rc::new(invocation());
    invocation.exchange.enter(Some(Hook::Before));
    let said = case.run_for(before, Payload::json("1"), Form::Json, &invocation).unwrap();
    assert!(text(said).contains("called twice"));
    let reply = invocation.exchange.take_reply().unwrap();
    assert!(matches!(reply, Payload::Native(_)));
    assert_eq!(text(reply), "{\"statusCode\": 401}");
    let error = case.fails("1");
    assert_eq!(
        error.message(),
        "context.reply answers from a before hook only; this is the handler"
    );
}
