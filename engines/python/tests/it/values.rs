//! Events in and results out.

use crate::harness::{Case, answer, block_on, expression, invocation, text};
use std::rc::Rc;
use trine_engine::{ErrorKind, Form, Invocation, Payload, RawPayload};

const ECHO: &str = "def handler(event): return event\n";
const REPR: &str = "def handler(event): return repr(event)\n";

fn seen(event: &str) -> String {
    serde_json::from_str(&answer(REPR, event).unwrap()).unwrap()
}

fn refused(event: &str) -> String {
    let error = answer(ECHO, event).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unmarshal, "{error}");
    error.message().to_owned()
}

fn marshal(setup: &str, value: &str) -> String {
    let error = expression(setup, value).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Marshal, "{error}");
    error.message().to_owned()
}

#[test]
fn every_kind_of_json_value_arrives_as_the_python_value_that_json_loads_gives() {
    assert_eq!(
        seen(r#" {"a": [1, -2.5, true, false, null, "é\n\ud83d\ude00"], "b": {}, "c": []} "#),
        r#"{'a': [1, -2.5, True, False, None, 'é\n😀'], 'b': {}, 'c': []}"#
    );
    assert_eq!(seen("1e400"), "inf");
    assert_eq!(seen("[NaN, Infinity, -Infinity]"), "[nan, inf, -inf]");
    assert_eq!(seen("-0"), "0");
    assert_eq!(seen("-0.0"), "-0.0");
}

/// Whether taken by the fast path or left to the other: everything is read as `json.loads` reads it.
#[test]
fn events_that_differ_in_one_letter_are_read_or_refused_as_json_loads_does() {
    const BASES: [&str; 6] = [
        r#"{"a":[1,-2.5,{"bc":true}],"d":null}"#,
        r#" [ "x\n\u00e9\ud83d\ude00\/\"" , "é😀" , false ] "#,
        "[0,-0.0,12.25,1e5,-3E-2,123456789012345678,0.1234567890123456789]",
        r#"{"":{},"a long key of more than eight letters":[],"\t":[[]]}"#,
        r#""\ud800""#,
        "[NaN,-Infinity,\"\u{7f}\u{2028}\"]",
    ];
    const OTHERS: [&str; 14] =
        ["\"", "\\", "0", "1", ".", "e", "-", ",", "}", "]", "[", " ", "\u{1}", "\u{e9}"];
    let source = "\
import json
def read(event): return repr(event)
def loads(text):
    try: return repr(json.loads(text))
    except ValueError: return None
";
    let case = Case::new(&[("app.py", source)]);
    let (read, loads) = (case.load("app", "read").unwrap(), case.load("app", "loads").unwrap());
    let check = |event: &str| {
        let quoted = serde_json::to_string(event).unwrap();
        let expected = text(case.run(loads, Payload::json(quoted), Form::Json).unwrap());
        let seen = case.run(read, Payload::json(event.to_owned()), Form::Json);
        let seen = seen.map_or_else(
            |error| {
                assert_eq!(error.kind(), ErrorKind::Unmarshal, "{event}: {error}");
                "null".to_owned()
            },
            text,
        );
        assert_eq!(seen, expected, "{event}");
    };
    for base in BASES {
        check(base);
        for (at, letter) in base.char_indices() {
            let (before, behind) = (&base[..at], &base[at + letter.len_utf8()..]);
            check(before);
            check(&format!("{before}{behind}"));
            for other in OTHERS {
                check(&format!("{before}{other}{behind}"));
                check(&format!("{before}{other}{letter}{behind}"));
            }
        }
    }
}

#[test]
fn floats_are_written_as_python_writes_them() {
    let mut numbers = vec![0.0, -0.0, 0.1 + 0.2, 1e-3, 0.00099, 999_999_999.999_9, 1e9, 1e15, 1e16];
    for n in 0..2000_u32 {
        let n = f64::from(n.wrapping_mul(2_654_435_761) >> 4);
        numbers.extend([n, n / 1e1, -n / 1e2, n / 1e3, n / 1e4, n / 1e5, n / 3.0, n * 0.07]);
    }
    let source = "\
import json
def handler(event): return [event, json.dumps(event)]
";
    let answer = answer(source, &serde_json::to_string(&numbers).unwrap()).unwrap();
    let (written, expected) = answer.split_once(", \"").unwrap();
    assert_eq!(&written[1..], expected.trim_end_matches("\"]"));
}

#[test]
fn integers_of_any_size_are_exact_both_ways() {
    for number in ["9223372036854775807", "-9223372036854775809", "123456789012345678901234567890"]
    {
        assert_eq!(answer(ECHO, number).unwrap(), number);
    }
}

#[test]
fn the_last_of_equal_keys_wins() {
    assert_eq!(answer(ECHO, r#"{"a": 1, "b": 2, "a": 3}"#).unwrap(), r#"{"a": 3, "b": 2}"#);
}

#[test]
fn half_a_surrogate_pair_survives_as_an_escape() {
    assert_eq!(answer(ECHO, r#"["\ud800x"]"#).unwrap(), r#"["\ud800x"]"#);
}

#[test]
fn a_broken_event_is_refused_with_line_and_column() {
    let message = refused("{\"a\":\n 1,}");
    assert!(message.starts_with("Unable to unmarshal input: "), "{message}");
    assert!(message.contains("line 2 column"), "{message}");
    for broken in ["", "{", "[1", "\"a", "01", "nul", "1 2", "{1: 2}", "\"\u{1}\"", "-"] {
        refused(broken);
    }
}

#[test]
fn an_event_that_is_not_utf_8_is_refused() {
    let case = Case::new(&[("app.py", ECHO)]);
    let function = case.load("app", "handler").unwrap();
    let input = Payload::json(&b"\"\xff\""[..]);
    let call = case.run(function, input, Form::Json);
    assert_eq!(call.unwrap_err().kind(), ErrorKind::Unmarshal);
}

#[test]
fn an_event_that_is_nested_too_deeply_is_refused_in_pythons_words() {
    assert_eq!(
        refused(&"[".repeat(100_000)),
        "Unable to unmarshal input: maximum recursion depth exceeded while decoding a JSON array \
         from a unicode string"
    );
    let deep = format!("{}{}", "[".repeat(900), "]".repeat(900));
    assert_eq!(answer(ECHO, &deep).unwrap(), deep);
}

#[test]
fn a_number_with_too_many_digits_is_refused() {
    assert!(refused(&"1".repeat(5000)).contains("4300"));
}

#[test]
fn an_event_that_is_not_json_arrives_as_bytes() {
    let case = Case::new(&[("app.py", REPR)]);
    let other = Invocation { event_is_json: false, ..invocation() };
    assert_eq!(case.call_with("handler", "a=1", other).unwrap(), r#""b'a=1'""#);
    let function = case.load("app", "handler").unwrap();
    let raw = RawPayload { bytes: (&b"\x00"[..]).into(), content_type: "image/png" };
    let call = case.run(function, Payload::Raw(raw), Form::Json);
    assert_eq!(text(call.unwrap()), r#""b'\\x00'""#);
}

#[test]
fn results_look_as_simplejson_writes_them() {
    let value = r#"{"a": [1, 2.0, 1e16, 1e-7, True, None], "é": "\u2028\x1f\t\"\\/", "d": {}}"#;
    assert_eq!(
        expression("", value).unwrap(),
        r#"{"a": [1, 2.0, 1e+16, 1e-07, true, null], "é": "\u2028\u001f\t\"\\/", "d": {}}"#
    );
    let nan = "[float('nan'), float('inf'), -float('inf'), (1, (2,)), ()]";
    assert_eq!(expression("", nan).unwrap(), "[NaN, Infinity, -Infinity, [1, [2]], []]");
}

#[test]
fn types_that_build_on_the_plain_ones_are_written_like_them() {
    let setup = "\
import collections, decimal, enum
class N(enum.IntEnum): A = 7
class S(enum.StrEnum): A = 'x'
class F(float): pass
class D(dict): pass
class L(list): pass
class I(int):
    def __repr__(self): return 'no'
P = collections.namedtuple('P', 'x y')
";
    let value = "[N.A, S.A, F(1.5), D(a=1), L([1]), I(2**70), P(1, 2), decimal.Decimal('1.10'), \
                 decimal.Decimal('NaN'), b'caf\\xc3\\xa9', collections.OrderedDict(b=1, a=2), \
                 collections.defaultdict(list, k=[1])]";
    assert_eq!(
        expression(setup, value).unwrap(),
        "[7, \"x\", 1.5, {\"a\": 1}, [1], 1180591620717411303424, {\"x\": 1, \"y\": 2}, 1.10, NaN, \
         \"café\", {\"b\": 1, \"a\": 2}, {\"k\": [1]}]"
    );
}

#[test]
fn what_has_fields_as_a_dictionary_is_an_object() {
    let setup = "\
import collections, typing
class Row(tuple):
    def _asdict(self): return dict(zip(('id', 'name'), self))
class Rows(list):
    def _asdict(self): return {'rows': list(self)}
class Map(dict):
    def _asdict(self): return {'map': dict(self)}
class Point:
    def __init__(self, x): self.x = x
    def _asdict(self): return {'x': self.x}
class Named(typing.NamedTuple):
    a: int
    b: object = None
class Lazy:
    def __getattr__(self, name):
        if name == '_asdict': return lambda: collections.OrderedDict(lazy=True)
        raise AttributeError(name)
class Odd(list): _asdict = None
class Text(str):
    def _asdict(self): return {}
class Number(int):
    def _asdict(self): return {}
";
    let value = "[Row((1, 'n')), Rows([1]), Map(a=1), Point(2), Named(1, Named(2)), Lazy(), Odd([1]), \
                 Text('t'), Number(3), {'p': Point(Point(1))}]";
    assert_eq!(
        expression(setup, value).unwrap(),
        "[{\"id\": 1, \"name\": \"n\"}, {\"rows\": [1]}, {\"map\": {\"a\": 1}}, {\"x\": 2}, \
         {\"a\": 1, \"b\": {\"a\": 2, \"b\": null}}, {\"lazy\": true}, [1], \"t\", 3, \
         {\"p\": {\"x\": {\"x\": 1}}}]"
    );
    assert_eq!(expression(setup, "Point(2)").unwrap(), "{\"x\": 2}");
    assert_eq!(
        marshal("class A:\n    def _asdict(self): return [1]", "{'a': A()}"),
        "Unable to marshal response: _asdict() must return a dict, not list (at result['a'])"
    );
    let raises = "class A:\n    def _asdict(self): raise ValueError('no row')";
    assert_eq!(marshal(raises, "A()"), "Unable to marshal response: no row");
    let itself = "class A:\n    def _asdict(self): return {'a': self}";
    assert!(marshal(itself, "A()").contains("Circular reference detected"));
    assert!(marshal(setup, "Named").contains("missing 1 required positional argument"));
}

#[test]
fn decimals_that_are_no_numbers_have_one_name() {
    let value =
        "[D('NaN'), D('-NaN'), D('sNaN'), D('NaN123'), D('-Infinity'), D('1E+3'), D('-0.10')]";
    assert_eq!(
        expression("from decimal import Decimal as D", value).unwrap(),
        "[NaN, NaN, NaN, NaN, -Infinity, 1E+3, -0.10]"
    );
    assert_eq!(
        marshal("from decimal import Decimal as D", "{D(1): 1}"),
        "Unable to marshal response: keys must be str, int, float, bool or None, not Decimal"
    );
}

#[test]
fn keys_that_are_no_text_become_text() {
    assert_eq!(
        expression("", "{1: 1, 2.5: 2, True: 3, None: 4, b'k': 5}").unwrap(),
        r#"{"1": 3, "2.5": 2, "null": 4, "k": 5}"#
    );
    assert_eq!(
        marshal("", "{(1, 2): 1}"),
        "Unable to marshal response: keys must be str, int, float, bool or None, not tuple"
    );
}

#[test]
fn what_has_no_json_form_is_named_with_its_place() {
    assert_eq!(
        marshal("", "{'items': [1, 2, 3, {4}]}"),
        "Unable to marshal response: Object of type set is not JSON serializable (at \
         result['items'][3])"
    );
    let date = marshal("import datetime", "datetime.datetime.now()");
    assert!(date.ends_with("Object of type datetime is not JSON serializable"), "{date}");
    marshal("import uuid", "uuid.uuid4()");
    marshal("import dataclasses\n@dataclasses.dataclass\nclass A:\n    x: int = 1", "A()");
    assert!(marshal("", "[b'\\xff']").contains("can't decode byte 0xff"));
    marshal("", "object()");
    marshal("", "[(x for x in [])]");
}

#[test]
fn a_result_that_contains_itself_or_is_too_deep_is_refused() {
    let circular = marshal("a = []\na.append({'a': a})", "a");
    assert!(circular.contains("Circular reference detected"), "{circular}");
    let setup = "a = []\nfor _ in range(100000): a = [a]";
    assert!(marshal(setup, "a").contains("maximum recursion depth exceeded"));
    assert_eq!(expression("a = []", "[a, a]").unwrap(), "[[], []]");
}

#[test]
fn a_result_that_changes_or_raises_while_it_is_written_fails_in_order() {
    let setup = "\
class T(tuple):
    def _asdict(self):
        d['new'] = 1
        return {}
class R(dict):
    def items(self): raise KeyError('no')
d = {'a': T(), 'b': 1}
";
    assert!(marshal(setup, "d").contains("changed size"));
    assert!(marshal(setup, "R()").contains("'no'"));
    assert!(expression("import sys\nsys.set_int_max_str_digits(4300)", "10**5000").is_err());
}

#[test]
fn lone_surrogates_are_escaped() {
    assert_eq!(expression("", "'a\\udcffé'").unwrap(), "\"a\\udcffé\"");
}

#[test]
fn bytes_go_out_as_they_are() {
    let case = Case::new(&[("app.py", "def handler(event): return b'\\x00\\xff'\n")]);
    let function = case.load("app", "handler").unwrap();
    for form in [Form::Json, Form::Native] {
        let call = case.run(function, Payload::json("1"), form);
        let Payload::Raw(raw) = call.unwrap() else { panic!("not raw") };
        assert_eq!((&raw.bytes[..], raw.content_type), (&b"\x00\xff"[..], "application/unknown"));
    }
}

#[test]
fn a_native_value_keeps_its_identity_within_the_engine_and_leaves_it_as_json() {
    let source = "\
held = {'a': object}
def give(event): return held
def take(event): return event is held
def plain(event): return (1, 2)
";
    let case = Case::new(&[("app.py", source)]);
    let [give, take, plain] = ["give", "take", "plain"].map(|name| case.load("app", name).unwrap());
    let invocation = Rc::new(invocation());
    block_on(async {
        let call = |function, input, form| case.instance.call(function, input, form, &invocation);
        let held = call(give, Payload::json("null"), Form::Native).await.unwrap();
        assert!(matches!(held, Payload::Native(_)));
        assert_eq!(text(call(take, held.clone(), Form::Json).await.unwrap()), "true");
        assert_eq!(held.into_bytes().unwrap_err().kind(), ErrorKind::Marshal);
        let plain = call(plain, Payload::json("null"), Form::Native).await.unwrap();
        assert_eq!(text(plain), "[1, 2]");
    });
}

#[test]
fn another_engines_value_arrives_through_its_json() {
    struct Other;
    impl trine_engine::NativeValue for Other {
        fn engine(&self) -> &'static str {
            "other"
        }
        fn to_json(&self) -> trine_engine::Result<bytes::Bytes> {
            Ok("{\"a\": 1}".into())
        }
        fn as_any(&self) -> &dyn std::any::Any {
            self
        }
    }
    let case = Case::new(&[("app.py", "def handler(event): return event['a']\n")]);
    let function = case.load("app", "handler").unwrap();
    let input = Payload::Native(Rc::new(Other));
    let call = case.run(function, input, Form::Json);
    assert_eq!(text(call.unwrap()), "1");
}

#[test]
fn returning_nothing_is_null_outside_and_nothing_within() {
    let source = "\
import trine
def handler(event): pass
def explicit(event): return trine.null
def nested(event): return [trine.null, bool(trine.null)]
";
    let case = Case::new(&[("app.py", source)]);
    let [nothing, explicit, nested] =
        ["handler", "explicit", "nested"].map(|name| case.load("app", name).unwrap());
    let run = |function, form| case.run(function, Payload::json("1"), form).unwrap();
    assert!(matches!(run(nothing, Form::Native), Payload::Nothing));
    assert_eq!(text(run(nothing, Form::Json)), "null");
    assert_eq!(text(run(explicit, Form::Native)), "null");
    assert_eq!(text(run(explicit, Form::Json)), "null");
    assert_eq!(text(run(nested, Form::Json)), "[null, false]");
    let again = case.run(nothing, Payload::Nothing, Form::Json).unwrap();
    assert_eq!(text(again), "null");
}
