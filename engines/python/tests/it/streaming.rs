//! Handlers that are generators: what they yield, when it leaves, how they end.

mod ending;
mod timing;

use crate::harness::{Case, block_on, expression, invocation};
use bytes::Bytes;
use std::{rc::Rc, time::Duration};
use trine_engine::{
    Error, ErrorKind, Form, FunctionId, Hook, Invocation, Payload, Result, StreamHead, StreamPlace,
    Wanted,
};

/// A streamed answer, as its reader has seen it.
#[derive(Debug)]
struct Streamed {
    head: StreamHead,
    chunks: Vec<Bytes>,
    result: Result<()>,
}

impl Streamed {
    fn texts(&self) -> Vec<&str> {
        self.chunks.iter().map(|chunk| std::str::from_utf8(chunk).unwrap()).collect()
    }

    fn content_type(&self) -> Option<&str> {
        self.head.content_type.as_deref()
    }

    fn error(self) -> Error {
        self.result.unwrap_err()
    }
}

/// Calls a function, and reads what it streams, for at most this many chunks; after those it waits a moment.
async fn read(
    case: &Case,
    function: FunctionId,
    invocation: &Rc<Invocation>,
    most: usize,
) -> Streamed {
    let stream = invocation.stream.get().clone();
    let input = Payload::json("{\"n\": 1}");
    let call = async {
        let result = case.instance.call(function, input, Form::Json, invocation).await;
        stream.finish(Ok(()));
        result.map(|payload| assert!(matches!(payload, Payload::Streamed), "{payload:?}"))
    };
    let reading = async {
        let mut reader = stream.reader();
        let mut chunks = Vec::new();
        while chunks.len() < most
            && let Some(chunk) = reader.chunk().await
        {
            chunks.push(chunk);
        }
        if chunks.len() == most {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        chunks
    };
    let (result, chunks) = tokio::join!(call, reading);
    Streamed { head: stream.head(), chunks, result }
}

/// Returns what the function `handler` of this source streams.
fn stream(source: &str) -> Streamed {
    let case = Case::new(&[("app.py", source)]);
    let function = case.load("app", "handler").unwrap();
    block_on(read(&case, function, &Rc::new(invocation()), usize::MAX))
}

/// Returns what a handler with this body streams, plain and asynchronous: both must do the same.
fn both(setup: &str, body: &str) -> [Streamed; 2] {
    ["def", "async def"].map(|def| {
        let source = format!(
            "import asyncio, contextlib, trine\nfrom trine import ResponseMetadata, StreamingError\n{setup}\n{def} handler(event, context):\n"
        );
        let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
        stream(&(source + &body))
    })
}

#[test]
fn texts_and_bytes_go_as_they_are_and_other_values_are_lines_of_json() {
    for streamed in both(
        "from decimal import Decimal\nclass Text(str): pass",
        "yield 'é'\nyield Text('')\nyield b'b'\nyield bytearray(b'a')\nyield memoryview(b'-v-i-')[1::2]
yield {'a': [1, 2.5]}\nyield None\nyield ('t',)\nyield True\nyield 10**30\nyield Decimal('0.10')\nyield Text('t')",
    ) {
        assert_eq!(
            streamed.texts(),
            [
                "é",
                "b",
                "a",
                "vi",
                "{\"a\": [1, 2.5]}\n",
                "null\n",
                "[\"t\"]\n",
                "true\n",
                "1000000000000000000000000000000\n",
                "0.10\n",
                "t"
            ]
        );
        assert_eq!(streamed.content_type(), Some("text/plain; charset=utf-8"));
        streamed.result.unwrap();
    }
}

#[test]
fn the_first_chunk_decides_what_nobody_has_named() {
    for (body, content_type) in [
        ("yield 't'\nyield b'b'", Some("text/plain; charset=utf-8")),
        ("yield b''\nyield b'b'\nyield 't'", Some("application/octet-stream")),
        ("yield ''\nyield 1", Some("application/x-ndjson")),
        ("return\nyield", None),
        ("yield ResponseMetadata()\nyield b'b'", Some("application/octet-stream")),
        ("yield ResponseMetadata(content_type='text/csv')\nyield 1", Some("text/csv")),
        ("yield ResponseMetadata(content_type='text/csv')", Some("text/csv")),
    ] {
        for streamed in both("", body) {
            assert_eq!(streamed.content_type(), content_type, "{body}");
            assert_eq!(streamed.head.metadata, None, "{body}");
            streamed.result.unwrap();
        }
    }
}

#[test]
fn metadata_come_first() {
    for (arguments, metadata) in [
        ("201", r#"{"statusCode": 201, "headers": {"content-type": "text/plain; charset=utf-8"}}"#),
        (
            "headers={'x-a': 'é', 'Content-Type': 'text/csv'}, cookies=('a=b; Path=/', 'c=d')",
            r#"{"statusCode": 200, "headers": {"x-a": "é", "Content-Type": "text/csv"}, "cookies": ["a=b; Path=/", "c=d"]}"#,
        ),
        (
            "http.HTTPStatus.ACCEPTED, {'x': '1'}, None, 'text/event-stream'",
            r#"{"statusCode": 202, "headers": {"content-type": "text/event-stream", "x": "1"}}"#,
        ),
        (
            "headers={'x': '1'}, cookies=(c for c in ['a=b'])",
            r#"{"statusCode": 200, "headers": {"x": "1", "content-type": "text/plain; charset=utf-8"}, "cookies": ["a=b"]}"#,
        ),
    ] {
        let body = format!("yield ResponseMetadata({arguments})\nyield 'x'");
        for streamed in both("import http", &body) {
            assert_eq!(streamed.content_type(), None, "{arguments}");
            let found = streamed.head.metadata.as_ref().unwrap().as_ref();
            assert_eq!(std::str::from_utf8(found).unwrap(), metadata);
            assert_eq!(streamed.texts(), ["x"]);
            streamed.result.unwrap();
        }
    }
}

#[test]
fn what_is_wrong_with_metadata_is_said_where_they_are_made() {
    for (arguments, message) in [
        ("'200'", "TypeError: status_code must be int, not str"),
        ("True", "TypeError: status_code must be int, not bool"),
        ("199", "ValueError: status_code must be from 200 to 999, not 199"),
        ("headers=[('a', 'b')]", "TypeError: headers must be a mapping, not list"),
        ("headers={1: 'b'}", "TypeError: names of headers must be str, not int"),
        ("headers={'a b': 'b'}", "ValueError: 'a b' is no name of a header"),
        ("headers={'': 'b'}", "ValueError: '' is no name of a header"),
        ("headers={'a': 1}", "TypeError: headers['a'] must be str, not int"),
        (
            "headers={'a': 'b\\r\\nc: d'}",
            "ValueError: headers['a'] must be one line without control characters, not 'b\\r\\nc: d'",
        ),
        ("cookies='a=b'", "TypeError: cookies must be a list of str, not str"),
        ("cookies=7", "TypeError: cookies must be a list of str, not int"),
        ("cookies=['a=b', None]", "TypeError: cookies[1] must be str, not NoneType"),
        ("content_type=b'x'", "TypeError: content_type must be str, not bytes"),
        (
            "content_type='a', headers={'Content-type': 'b'}",
            "ValueError: the content type is given twice: as content_type and among the headers",
        ),
    ] {
        let made = format!("    ResponseMetadata({arguments})");
        let source = format!(
            "from trine import ResponseMetadata\ndef handler(event):\n  try:\n{made}\n  except (TypeError, ValueError) as e:\n    return type(e).__name__ + ': ' + str(e)\n"
        );
        let said = crate::harness::answer(&source, "1").unwrap();
        assert_eq!(serde_json::from_str::<String>(&said).unwrap(), message);
    }
    for streamed in both(
        "",
        "made = ResponseMetadata(headers={'a': 'b'})\nmade.headers['a'] = 7
try: yield made
except TypeError as e: yield str(e)",
    ) {
        assert_eq!(streamed.texts(), ["headers['a'] must be str, not int"]);
    }
}

#[test]
fn metadata_that_come_late_or_twice_are_an_exception_at_their_yield() {
    let late = "status, headers and content type cannot be set any more: the response has begun";
    let twice = "the response has its metadata already: they are yielded once";
    for (first, message) in [("'x'", late), ("ResponseMetadata(201)", twice)] {
        let body = format!(
            "yield {first}
try: yield ResponseMetadata(202)
except StreamingError as e: caught = [str(e), e.error_type, isinstance(e, RuntimeError)]
yield caught
yield ResponseMetadata(203)
yield 'never'"
        );
        for streamed in both("", &body) {
            let told = format!("[\"{message}\", \"Runtime.InvalidStreamingOperation\", true]\n");
            assert_eq!(*streamed.texts().last().unwrap(), told);
            let error = streamed.error();
            assert_eq!(error.kind(), ErrorKind::Guest);
            assert_eq!(error.name(), "Runtime.InvalidStreamingOperation");
            assert_eq!((error.message(), error.frames()[0].line), (late, 9), "{error:#}");
        }
    }
}

#[test]
fn a_chunk_without_a_json_form_is_an_exception_at_its_yield() {
    for (chunk, message) in [
        ("{1, 2}", "Unable to marshal response: Object of type set is not JSON serializable"),
        (
            "{'a': [b'\\xff']}",
            "Unable to marshal response: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
        (
            "'\\ud800'",
            "Unable to marshal response: 'utf-8' codec can't encode character '\\ud800' in position 0: surrogates not allowed",
        ),
    ] {
        let body = format!(
            "try: yield {chunk}\nexcept StreamingError as e: yield str(e).split(':')[0]\nyield {chunk}"
        );
        for streamed in both("", &body) {
            assert_eq!(streamed.texts(), ["Unable to marshal response"]);
            let error = streamed.error();
            assert_eq!(error.kind(), ErrorKind::Marshal, "{error:#}");
            assert_eq!(error.name(), "Runtime.MarshalError");
            assert!(error.message().starts_with(message), "{error:#}");
            assert_eq!(error.frames()[0].line, 7, "{error:#}");
        }
    }
}

#[test]
fn more_than_the_limit_is_an_exception_at_its_yield() {
    for def in ["def", "async def"] {
        let source = format!(
            "import trine\n{def} handler(event):\n  yield 'abc'\n  try: yield 'de'\n  except trine.StreamingError: yield 'd'\n  yield 'e'\n"
        );
        let case = Case::new(&[("app.py", &source)]);
        let function = case.load("app", "handler").unwrap();
        let limited = Invocation { stream: StreamPlace::limited(4), ..invocation() };
        let streamed = block_on(read(&case, function, &Rc::new(limited), usize::MAX));
        assert_eq!(streamed.texts(), ["abc", "d"]);
        let error = streamed.error();
        assert_eq!(error.kind(), ErrorKind::ResponseTooLarge);
        assert_eq!((error.name(), error.frames()[0].line), ("Function.ResponseSizeTooLarge", 6));
    }
}

#[test]
fn whatever_gives_a_generator_streams() {
    let setup = "\
import functools
def one(event, context=None): yield 'a' + str(event['n'])
async def other(event, context=None): yield 'a' + str(event['n'])
class Own:
    def __init__(self): self.inner = one({'n': 1})
    def __next__(self): return next(self.inner)
    def send(self, value): return self.inner.send(value)
    def throw(self, *raised): return self.inner.throw(*raised)
    def close(self): return self.inner.close()
class OwnAsynchronous:
    def __init__(self): self.inner = other({'n': 1})
    def __aiter__(self): return self
    async def __anext__(self): return await self.inner.__anext__()
    async def asend(self, value): return await self.inner.asend(value)
    async def athrow(self, *raised): return await self.inner.athrow(*raised)
    async def aclose(self): return await self.inner.aclose()
def decorated(function):
    @functools.wraps(function)
    def inner(*given, **named): return function(*given, **named)
    return inner
class Callable:
    def __call__(self, event, context): return other(event)
    def method(self, event): yield from one(event)
class Kept:
    async def __call__(self, event): yield 'a1'
async def later(event):
    return other(event)
async def later_plain(event): return one(event)
";
    for handler in [
        "one",
        "other",
        "decorated(one)",
        "decorated(other)",
        "functools.partial(one, context=1)",
        "functools.partial(other)",
        "lambda event: (c for c in ['a1'])",
        "lambda event: Own()",
        "lambda event: OwnAsynchronous()",
        "Callable()",
        "Callable().method",
        "Kept()",
        "later",
        "later_plain",
        "decorated(later)",
    ] {
        let streamed = stream(&format!("{setup}handler = {handler}\n"));
        assert_eq!(streamed.texts(), ["a1"], "{handler}");
        streamed.result.unwrap();
    }
}

#[test]
fn other_iterables_are_results_as_they_were() {
    for (value, expected) in [
        ("[1]", Ok("[1]")),
        ("(1, 2)", Ok("[1, 2]")),
        ("{'a': 1}.keys()", Err("dict_keys")),
        ("map(str, [1])", Err("map")),
        ("zip([1])", Err("zip")),
        ("iter([1])", Err("list_iterator")),
        ("[c for c in 'ab']", Ok("[\"a\", \"b\"]")),
        ("[(c for c in 'ab')]", Err("generator")),
    ] {
        match (expression("", value), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(error), Err(class)) => {
                let message = format!("Object of type {class} is not JSON serializable");
                assert!(error.message().contains(&message), "{error}");
                assert_eq!(error.kind(), ErrorKind::Marshal);
            }
            (found, expected) => panic!("{value}: {found:?}, not {expected:?}"),
        }
    }
}

#[test]
fn hooks_do_not_stream_and_a_wrapped_handler_does() {
    let case = Case::new(&[
        (
            "app.py",
            "def handler(event):
    got = yield 'a'
    yield str(got)
async def other(): yield 'b'
",
        ),
        (
            "hooks.py",
            "def before(event): yield 1
def wrap(handler):
    def inner(event, context):
        print('wrapped')
        return handler(event, context)
    return inner
",
        ),
    ]);
    let hooks = case.hooks("hooks");
    let before = hooks.hook(Hook::Before).unwrap();
    let invocation_ = Rc::new(invocation());
    invocation_.exchange.enter(Some(Hook::Before));
    let returned = case.run_for(before, Payload::json("1"), Form::Native, &invocation_).unwrap();
    assert!(matches!(returned, Payload::Native(_)), "{returned:?}");
    assert!(invocation_.stream.made().is_none());
    for (name, expected) in [("handler", &["a", "None"][..]), ("other", &["b"])] {
        let handler = case.load("app", name).unwrap();
        let wrap = hooks.hook(Hook::Wrap).unwrap();
        let wrapped = block_on(case.instance.wrap(wrap, handler)).unwrap();
        let streamed = block_on(read(&case, wrapped, &Rc::new(invocation()), usize::MAX));
        assert_eq!(streamed.texts(), expected);
    }
    assert_eq!(case.log.text(), "wrapped\nwrapped\n");
}

#[test]
fn plain_generators_hold_their_thread_and_asynchronous_ones_do_not() {
    let case = Case::new(&[(
        "app.py",
        "import functools\ndef plain(event): yield\nasync def other(event): yield\npartial = functools.partial(other)\n",
    )]);
    let holds = |name: &str| {
        let module = case.module("app", Wanted::Handler(name.to_owned()));
        let exports = block_on(case.instance.load(&module)).unwrap();
        case.instance.holds_thread(exports.functions[0].1)
    };
    assert_eq!(["plain", "other", "partial"].map(holds), [true, false, false]);
}

#[test]
fn the_whole_response_is_asked_for_in_hooks() {
    let case = Case::new(&[
        ("hooks.py", "def before(event, context): context.buffer_response()\n"),
        (
            "app.py",
            "def handler(event, context):
    try: context.buffer_response()
    except RuntimeError as e: yield str(e)
",
        ),
    ]);
    let before = case.hooks("hooks").hook(Hook::Before).unwrap();
    let asked = Rc::new(invocation());
    asked.exchange.enter(Some(Hook::Before));
    case.run_for(before, Payload::json("1"), Form::Native, &asked).unwrap();
    assert!(asked.exchange.buffers_response());
    let function = case.load("app", "handler").unwrap();
    let streamed = block_on(read(&case, function, &Rc::new(invocation()), usize::MAX));
    assert_eq!(
        streamed.texts(),
        ["the whole response can be asked for in a before or an after hook; this is the handler"]
    );
}
