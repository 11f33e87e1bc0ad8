//! Events that are built without a text in between, and results that are taken apart where they are made: nobody can
//! tell them from the others.

use crate::support::{Folder, Reply, Served};

/// Handlers that show their event as text; with `n`, those that give one of several results.
const HANDLERS: [(&str, &str); 3] = [
    (
        "app.mjs",
        r#"
class Response { statusCode = 203; body = 'of a class'; }
const results = [
  () => 'text "é" \n',
  () => '',
  () => ({ statusCode: 201, headers: { 'Content-Type': 'text/x-own', 'x-a': 'ü' }, body: 'é"\n' }),
  () => ({ statusCode: 204 }),
  () => ({ statusCode: 200, body: null, headers: null, isBase64Encoded: null }),
  () => ({ statusCode: 200, body: 'aGkh', isBase64Encoded: true }),
  () => ({ statusCode: 200, body: 'no base64', isBase64Encoded: true }),
  () => ({ statusCode: 200, body: { an: 'object' } }),
  () => ({ statusCode: '202', body: 'status as a text' }),
  () => ({ statusCode: 99, body: '' }),
  () => ({ statusCode: 200.5, body: '' }),
  () => ({ statusCode: 200, headers: { 'x-a': 'a\nb' }, body: '' }),
  () => ({ statusCode: 200, headers: { 'x a': '1' }, body: '' }),
  () => ({ statusCode: 200, headers: { 'x-n': 1, 'x-l': ['a', 'b'], 'x-u': undefined }, body: '' }),
  () => ({ statusCode: 200, headers: { connection: 'close', 'content-length': '7' }, body: 'b' }),
  () => ({ statusCode: 200, cookies: ['a=1', 'b=2'], body: 'with cookies' }),
  () => ({ statusCode: 200, multiValueHeaders: { 'x-a': ['1', '2'] }, body: '' }),
  () => ({ statusCode: 200, body: 'more', other: 1 }),
  () => ({ statusCode: 200, body: '\ud83d half' }),
  () => ({ statusCode: 200, headers: { 'x-a': 'half \ud83d' }, body: '' }),
  () => ({ headers: { 'x-a': '1' }, body: 'without a status' }),
  () => ({ statusCode: 200, body: 'x', toJSON: () => ({ statusCode: 206, body: 'other' }) }),
  () => Object.create({ statusCode: 200, body: 'inherited' }),
  () => new Response(),
  () => Object.assign(Object.create(null), { statusCode: 207, body: 'without a prototype' }),
  () => ({ get statusCode() { return 208; }, get body() { return 'of a getter'; } }),
  () => ({ statusCode: 200, get body() { throw new Error('no body'); } }),
  () => ({ statusCode: 200, body: 1n }),
  () => [],
  () => null,
  () => undefined,
  () => 12.5,
];
export const handler = async (event) => {
  const n = event.queryStringParameters?.n;
  return n === undefined ? { statusCode: 200, body: JSON.stringify(event) } : results[n]();
};
"#,
    ),
    (
        "app.py",
        r#"
import json
from collections import OrderedDict
from enum import Enum

class Text(str): pass
class Status(int): pass
class Kind(str, Enum): A = 'of an enum'

RESULTS = [
    lambda: 'text "é" \n',
    lambda: '',
    lambda: {'statusCode': 201, 'headers': {'Content-Type': 'text/x-own', 'x-a': 'ü'}, 'body': 'é"\n'},
    lambda: {'statusCode': 204},
    lambda: {'statusCode': 200, 'body': None, 'headers': None, 'isBase64Encoded': None},
    lambda: {'statusCode': 200, 'body': 'aGkh', 'isBase64Encoded': True},
    lambda: {'statusCode': 200, 'body': 'no base64', 'isBase64Encoded': True},
    lambda: {'statusCode': 200, 'body': {'an': 'object'}},
    lambda: {'statusCode': '202', 'body': 'status as a text'},
    lambda: {'statusCode': 99, 'body': ''},
    lambda: {'statusCode': 10**30, 'body': ''},
    lambda: {'statusCode': True, 'body': ''},
    lambda: {'statusCode': 200.0, 'body': 'a float'},
    lambda: {'statusCode': Status(202), 'body': Text('subclasses')},
    lambda: {'statusCode': 200, 'headers': {'x-a': 'a\nb'}, 'body': ''},
    lambda: {'statusCode': 200, 'headers': {'x-n': 1, 'x-l': ['a', 'b'], 'x-u': None}, 'body': ''},
    lambda: {'statusCode': 200, 'headers': {1: 'a'}, 'body': ''},
    lambda: {'statusCode': 200, 'cookies': ['a=1', 'b=2'], 'body': 'with cookies'},
    lambda: {'statusCode': 200, 'body': 'more', 'other': 1},
    lambda: {'statusCode': 200, 'body': b'bytes'},
    lambda: {'statusCode': 200, 'body': '\ud83d half'},
    lambda: {'headers': {'x-a': '1'}, 'body': 'without a status'},
    lambda: OrderedDict(statusCode=206, body='ordered'),
    lambda: {'statusCode': 200, 'body': Kind.A},
    lambda: {'statusCode': 200, 'body': object()},
    lambda: b'bytes',
    lambda: [],
    lambda: None,
    lambda: Text('subclass'),
    lambda: 12.5,
]

def handler(event, context):
    n = (event.get('queryStringParameters') or {}).get('n')
    return {'statusCode': 200, 'body': json.dumps(event)} if n is None else RESULTS[int(n)]()
"#,
    ),
    (
        "app.lua",
        r#"
local results = {
  function() return 'text "é" \n' end,
  function() return '' end,
  function() return { statusCode = 201, headers = { ['Content-Type'] = 'text/x-own' }, body = 'é"\n' } end,
  function() return { statusCode = 204 } end,
  function() return { statusCode = 200, body = trine.null, headers = trine.null } end,
  function() return { statusCode = 200, body = 'aGkh', isBase64Encoded = true } end,
  function() return { statusCode = 200, body = 'no base64', isBase64Encoded = true } end,
  function() return { statusCode = 200, body = { an = 'object' } } end,
  function() return { statusCode = '202', body = 'status as a text' } end,
  function() return { statusCode = 99, body = '' } end,
  function() return { statusCode = 200.0, body = 'a float' } end,
  function() return { statusCode = 200, headers = { ['x-a'] = 'a\nb' }, body = '' } end,
  function() return { statusCode = 200, headers = { ['x-n'] = 1, ['x-l'] = { 'a', 'b' } }, body = '' } end,
  function() return { statusCode = 200, headers = {}, body = '' } end,
  function() return { statusCode = 200, headers = trine.object({ ['x-a'] = '1' }), body = '' } end,
  function() return { statusCode = 200, headers = { 'a' }, body = '' } end,
  function() return { statusCode = 200, cookies = { 'a=1', 'b=2' }, body = 'with cookies' } end,
  function() return { statusCode = 200, body = 'more', other = 1 } end,
  function() return { statusCode = 200, body = '\xff no text' } end,
  function() return '\xff no text' end,
  function() return setmetatable({ statusCode = 206, body = 'of a class' }, {}) end,
  function() return { statusCode = 200, body = print } end,
  function() return { statusCode = 200, 'one more' } end,
  function() return { body = 'without a status' } end,
  function() return {} end,
  function() return nil end,
  function() return 12.5 end,
}
return { handler = function(event)
  local query = event.queryStringParameters
  local n = query and query ~= trine.null and query.n
  if n then return results[tonumber(n) + 1]() end
  return { statusCode = 200, body = trine.json.encode(event) }
end }
"#,
    ),
];

/// Hooks that keep results as they are; but they have passed them as values, and go out as JSON text.
const HOOKS: [(&str, &str); 3] = [
    ("middlewares/same.mjs", "export const after = () => {};"),
    ("middlewares/same.py", "def after(response, context): pass"),
    ("middlewares/same.lua", "return { after = function() end }"),
];

fn seen(reply: &Reply) -> (u16, Vec<(String, String)>, String) {
    let own = ["date", "x-amzn-requestid", "x-request-id"];
    let mut headers: Vec<_> =
        reply.headers.iter().filter(|(name, _)| !own.contains(&name.as_str())).cloned().collect();
    headers.sort();
    let body = String::from_utf8_lossy(&reply.body).into_owned();
    // An error's document names its request.
    let id = reply.header("x-amzn-requestid").unwrap_or("none");
    (reply.status, headers, body.replace(id, "ID"))
}

#[test]
fn a_result_is_the_same_response_however_it_gets_there() {
    for ((file, source), hook) in HANDLERS.into_iter().zip(HOOKS) {
        let count = source.matches("\n  () =>").count()
            + source.matches("\n    lambda:").count()
            + source.matches("\n  function()").count();
        assert!(count > 20, "{file}: {count}");
        let folder = Folder::new(&[(file, source), hook]);
        let plain = Served::start(&folder, &[file, "--workers", "1"]);
        let hooked = Served::start(&folder, &[file, "--workers", "1", "--middlewares", "same"]);
        for n in 0..count {
            let path = format!("/?n={n}");
            for method in ["GET", "HEAD"] {
                let (one, other) = (
                    plain.request(method, &path, &[], b""),
                    hooked.request(method, &path, &[], b""),
                );
                assert_eq!(seen(&one), seen(&other), "{file}: {method}, result {n}");
            }
        }
    }
}

#[test]
fn an_event_is_the_same_however_often_there_was_one_like_it() {
    let one: &[(&str, &str)] = &[("content-type", "application/json")];
    let other: &[(&str, &str)] = &[
        ("cookie", "a=1; b=2"),
        ("__proto__", "x"),
        ("constructor", "y"),
        ("42", "z"),
        ("content-type", "text/plain"),
    ];
    type Request<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a [u8]);
    let requests: [Request<'_>; 6] = [
        ("POST", "/a?b=1&b=2&__proto__=3&0=4", one, "{\"é\":\"\\n\"}".as_bytes()),
        ("POST", "/a", one, b""),
        ("PUT", "/%C3%A9%20?c=%22", other, "\u{2028}\"".as_bytes()),
        ("PUT", "/", other, b"\xff\xfe"),
        ("GET", "/", &[], b""),
        ("DELETE", "/a//b", &[("x-twice", "1"), ("X-Twice", "2")], b"no type"),
    ];
    for form in ["aws-v2", "aws-v1", "alb", "alb-multi-value", "function-url", "scaleway"] {
        for (file, source) in HANDLERS {
            let folder = Folder::new(&[(file, source)]);
            let served = Served::start(&folder, &[file, "--workers", "1", "--event-format", form]);
            for (method, path, headers, body) in requests {
                let shown = || {
                    let reply = served.request(method, path, headers, body);
                    assert_eq!(reply.status, 200, "{}", reply.text());
                    let event = constant(reply.text());
                    // Lua's tables have no order.
                    let text =
                        if file.ends_with(".lua") { String::new() } else { event.to_string() };
                    (event, text)
                };
                let first = shown();
                for _ in 0..8 {
                    assert_eq!(shown(), first, "{file} {form}: {method} {path}");
                }
            }
        }
    }
}

/// Returns an event's text without what is another one every time: ids and times.
fn constant(event: &str) -> serde_json::Value {
    let mut event: serde_json::Value = serde_json::from_str(event).unwrap();
    forget(&mut event);
    event
}

fn forget(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                let lower = name.to_ascii_lowercase();
                let varies = lower.contains("time")
                    || lower.contains("requestid")
                    || lower == "x-amzn-trace-id"
                    || lower == "x-forwarded-port";
                if varies {
                    *value = serde_json::Value::Null;
                }
                forget(value);
            }
        }
        serde_json::Value::Array(items) => {
            items.iter_mut().for_each(forget);
        }
        _ => {}
    }
}
