//! Answers in pieces, and invocations side by side, as callers see them: how soon the first byte is there, how fast a
//! large answer comes in chunks of 64 KB, and how long eight handlers take that wait.

use crate::{
    bed::Folder,
    bench,
    language::LANGUAGES,
    process::{Lambda, Program, binaries},
};
use bytes::Bytes;
use criterion::{Criterion, Throughput};

/// Bytes of a large answer, in chunks of 64 KB.
const LARGE: usize = 64 * CHUNK;
const CHUNK: usize = 64 << 10;

/// Invocations side by side.
const TOGETHER: usize = 8;

/// Handlers, by the place of their language: one chunk, the text of the event; a large answer; and one that waits for 20
/// ms. Python waits in two ways.
const STREAMING: [(usize, &str, &str); 3] = [
    (
        0,
        "export async function* handler(event) { yield JSON.stringify(event); }\n",
        "const chunk = Buffer.alloc(65536, 'x');
export async function* handler() { for (let i = 0; i < 64; i++) yield chunk; }\n",
    ),
    (
        1,
        "import json
def handler(event, context): yield json.dumps(event, separators=(',', ':'))\n",
        "chunk = b'x' * 65536
def handler(event, context):
    for i in range(64): yield chunk\n",
    ),
    (
        2,
        "local trine = require('trine')
return { handler = function(event)
  return coroutine.create(function() coroutine.yield(trine.json.encode(event)) end)
end }\n",
        "local chunk = ('x'):rep(65536)
return { handler = function()
  return coroutine.create(function() for _ = 1, 64 do coroutine.yield(chunk) end end)
end }\n",
    ),
];

/// Who waits, the place of the language, and the handler.
const WAITING: [(&str, usize, &str); 4] = [
    (
        "js",
        0,
        "export const handler = (event) => new Promise((done) => setTimeout(() => done(event), 20));\n",
    ),
    (
        "python, async",
        1,
        "import asyncio
async def handler(event, context):
    await asyncio.sleep(0.02)
    return event\n",
    ),
    (
        "python",
        1,
        "import time
def handler(event, context):
    time.sleep(0.02)
    return event\n",
    ),
    (
        "lua",
        2,
        "local trine = require('trine')
return { handler = function(event) trine.sleep(0.02) return event end }\n",
    ),
];

pub(crate) fn measure(criterion: &mut Criterion) {
    first_byte(criterion);
    large(criterion);
    together(criterion);
}

fn trine(language: usize, handler: &str) -> Program {
    let function = Folder::new(LANGUAGES[language], handler);
    Program { path: binaries().join("trine"), arguments: &[], function }
}

fn started(program: Program, concurrency: usize) -> Lambda {
    let mut lambda = Lambda::taking(program, concurrency);
    lambda.start();
    lambda
}

fn first_byte(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("streams");
    let event = Bytes::from_static(br#"{"a":1}"#);
    let mut add = |question: &str, whose: &str, program: &dyn Fn() -> Program| {
        let make = || {
            let lambda = started(program(), 1);
            assert_eq!(lambda.streamed(&event), event.len(), "{question}, {whose}");
            lambda
        };
        bench(&mut group, question, whose, make, |lambda, count| lambda.first_bytes(&event, count));
    };
    for (language, one, _) in STREAMING {
        add("first byte", LANGUAGES[language].id, &|| trine(language, one));
    }
    add("first byte, raw client", "rust", &|| Program {
        path: binaries().join("trine-baseline"),
        arguments: &["stream"],
        function: Folder::new(LANGUAGES[0], LANGUAGES[0].echo),
    });
    group.finish();
}

fn large(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("streams");
    group.throughput(Throughput::Bytes(LARGE as u64));
    let event = Bytes::from_static(b"{}");
    for (language, _, large) in STREAMING {
        let make = || {
            let lambda = started(trine(language, large), 1);
            assert_eq!(lambda.streamed(&event), LARGE, "{}", LANGUAGES[language].id);
            lambda
        };
        let question = "4 MB in chunks of 64 KB";
        bench(&mut group, question, LANGUAGES[language].id, make, |lambda, count| {
            lambda.streams(&event, count)
        });
    }
    group.finish();
}

fn together(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("managed");
    let event = Bytes::from_static(b"{\"a\":1}");
    for (whose, language, handler) in WAITING {
        for (question, count) in [("waiting 20 ms, one", 1), ("waiting 20 ms, eight", TOGETHER)] {
            let make = || {
                let lambda = started(trine(language, handler), TOGETHER);
                // Its threads have their first event behind them.
                for _ in 0..5 {
                    lambda.rounds(&event, TOGETHER, 1);
                }
                lambda
            };
            bench(&mut group, question, whose, make, |lambda, rounds| {
                lambda.rounds(&event, count, rounds)
            });
        }
    }
    group.finish();
}
