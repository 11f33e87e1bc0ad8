//! Python's generators through every door: when their chunks arrive, and what they hear of their readers.

use crate::support::{Folder, Lambda, Served, eventually, run, trine};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    thread,
    time::Duration,
};
use trine_emulator::{Answer, Event};

/// A JavaScript function; next to it, other threads accept.
const OTHER: (&str, &str) = ("other.mjs", "export const handler = () => 'other';");

/// A response whose chunks are read one by one.
struct Reading {
    connection: BufReader<TcpStream>,
    head: String,
}

impl Reading {
    #[track_caller]
    fn begin(served: &Served, path: &str) -> Self {
        let mut stream = TcpStream::connect(served.address).unwrap();
        stream.set_read_timeout(Some(crate::support::LIMIT)).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: test.example\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut reading = Self { connection: BufReader::new(stream), head: String::new() };
        loop {
            let line = reading.line();
            assert_ne!(line, "", "the connection ended within the head");
            if line == "\r\n" {
                return reading;
            }
            reading.head.push_str(&line.to_lowercase());
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        // A connection that was cut may end in an error.
        let _ = self.connection.read_line(&mut line);
        line
    }

    /// Returns the next chunk; `None` for the last one, and where the connection was cut.
    fn chunk(&mut self) -> Option<Result<Vec<u8>, ()>> {
        let line = self.line();
        let Ok(length) = usize::from_str_radix(line.trim(), 16) else { return Some(Err(())) };
        let mut chunk = vec![0; length + 2];
        if self.connection.read_exact(&mut chunk).is_err() {
            return Some(Err(()));
        }
        chunk.truncate(length);
        (length > 0).then_some(Ok(chunk))
    }

    #[track_caller]
    fn text(&mut self) -> String {
        String::from_utf8(self.chunk().unwrap().unwrap()).unwrap()
    }
}

/// Checks a file alone, next to a function of another language, and on threads of its own.
fn everywhere(source: &str, check: impl Fn(&Folder, &Served)) {
    for (others, arguments) in
        [(&[][..], &[][..]), (&[OTHER], &[]), (&[OTHER], &["--threads", "4"])]
    {
        let folder = Folder::new(&[&[("app.py", source)], others].concat());
        let target = if others.is_empty() { "app.py" } else { "." };
        let line = [&[target, "--workers", "2"], arguments].concat();
        let served = Served::start(&folder, &line);
        check(&folder, &served);
    }
}

const NOTE: &str = "
import asyncio, contextlib, os, pathlib, time, trine
def note(name): pathlib.Path(name).touch()
def is_there(name): return os.path.exists(name)
@contextlib.contextmanager
def noting():
    try: yield
    except BaseException as error:
        note(type(error).__name__)
        raise
    finally: note('closed')
";

/// A handler that yields the next number when the last one was seen.
fn step_by_step(def: &str, wait: &str) -> String {
    format!(
        "{NOTE}
{def} handler(event, context):
    yield trine.ResponseMetadata(201, {{'x-kind': 'steps'}}, ['a=b'], 'text/plain')
    for n in range(4):
        while n and not is_there(f'seen{{n - 1}}'): {wait}
        yield f'step {{n}}'
"
    )
}

#[test]
fn each_chunk_arrives_before_the_next_one_is_yielded() {
    for (def, wait) in [("def", "time.sleep(0.001)"), ("async def", "await asyncio.sleep(0.001)")] {
        everywhere(&step_by_step(def, wait), |folder, served| {
            let mut reading = Reading::begin(served, "/app");
            assert!(reading.head.starts_with("http/1.1 201 "), "{}", reading.head);
            for line in ["x-kind: steps\r\n", "set-cookie: a=b\r\n", "content-type: text/plain\r\n"]
            {
                assert!(reading.head.contains(line), "{}", reading.head);
            }
            for n in 0..4 {
                assert_eq!(reading.text(), format!("step {n}"), "{:?}", served.process);
                fs::write(folder.task().join(format!("seen{n}")), "").unwrap();
            }
            assert_eq!(reading.chunk(), None);
        });
    }
}

#[test]
fn a_client_that_hangs_up_is_told_to_the_generator() {
    for (body, raised) in [
        (
            "def handler(event, context):\n  with noting():\n    while True:\n      yield 'a'\n      time.sleep(0.005)\n",
            "GeneratorExit",
        ),
        (
            "async def handler(event, context):\n  with noting():\n    while True:\n      yield 'a' * 70000\n",
            "GeneratorExit",
        ),
        (
            "def handler(event, context):\n  with noting():\n    while True: yield 'a' * 70000\n",
            "GeneratorExit",
        ),
        (
            "async def handler(event, context):\n  with noting():\n    yield 'a'\n    await asyncio.sleep(600)\n",
            "CancelledError",
        ),
    ] {
        everywhere(&format!("{NOTE}{body}"), |folder, served| {
            let mut reading = Reading::begin(served, "/app");
            assert_eq!(reading.text().as_bytes()[0], b'a');
            drop(reading);
            let closed = folder.task().join("closed");
            eventually(&format!("it is told\n{body}{:?}", served.process), || {
                closed.exists().then_some(())
            });
            // Where the client is gone before the generator has gone on, it learns of it at its `yield`.
            let raised = [raised, "GeneratorExit"].map(|name| folder.task().join(name).exists());
            assert!(raised.contains(&true), "{body}");
        });
    }
}

#[test]
fn a_slow_reader_costs_little_memory() {
    const SIZE: usize = 30 << 20;
    for def in ["def", "async def"] {
        let source = format!(
            "{def} handler(event, context):\n  for n in range(480): yield bytes([n % 256]) * 65536\n"
        );
        everywhere(&source, |_, served| {
            let before = served.process.kilobytes("VmRSS:");
            // What the start took at most does not count.
            fs::write(format!("/proc/{}/clear_refs", served.process.id), "5").unwrap();
            let mut reading = Reading::begin(served, "/app");
            let (mut length, mut number) = (0, 0);
            while let Some(chunk) = reading.chunk() {
                length += chunk.unwrap().len();
                number += 1;
                if number % 40 == 1 {
                    thread::sleep(Duration::from_millis(50));
                }
            }
            assert_eq!(length, SIZE);
            let more = served.process.kilobytes("VmHWM:").saturating_sub(before);
            assert!(more < 60 * 1024, "{more} kB more");
        });
    }
}

#[test]
fn a_failure_after_the_first_chunk_cuts_the_response_and_is_logged() {
    for def in ["def", "async def"] {
        let source =
            format!("{def} handler(event, context):\n  yield 'a'\n  raise ValueError('no ink')\n");
        everywhere(&source, |_, served| {
            let mut reading = Reading::begin(served, "/app");
            assert_eq!(reading.text(), "a");
            assert_eq!(reading.chunk(), Some(Err(())));
            let id = reading.head.split_once("x-amzn-requestid: ").unwrap().1;
            let id = id.lines().next().unwrap();
            let log = eventually("it is logged", || {
                let log = served.process.stderr() + &served.process.stdout();
                log.contains("no ink").then_some(log)
            });
            assert!(log.contains(id) && log.contains("app.py"), "{log}");
        });
    }
}

#[test]
fn a_failure_before_the_first_chunk_is_a_response_of_its_own() {
    let source = "import trine\ndef handler(event, context):\n  yield trine.ResponseMetadata(201)\n  raise ValueError('no ink')\n";
    everywhere(source, |_, served| {
        let reply = served.get("/app");
        assert_eq!((reply.status, &reply.json()["errorType"]), (500, &json!("ValueError")));
    });
}

#[test]
fn a_generator_that_ignores_its_end_is_logged_and_holds_nobody_up() {
    let source = format!(
        "{NOTE}
def handler(event, context):
    while event.get('queryStringParameters'):
        try:
            yield 'a'
            time.sleep(0.002)
        except GeneratorExit: pass
    yield 'b'
"
    );
    everywhere(&source, |_, served| {
        let mut reading = Reading::begin(served, "/app?deaf=1");
        assert_eq!(reading.text(), "a");
        drop(reading);
        eventually(&format!("it is logged\n{:?}", served.process), || {
            let log = served.process.stderr() + &served.process.stdout();
            log.contains("generator ignored GeneratorExit").then_some(())
        });
        assert_eq!(served.get("/app").body, b"b");
    });
}

#[test]
fn a_deadline_ends_a_stream_in_order() {
    for (def, wait) in [("def", "time.sleep(60)"), ("async def", "await asyncio.sleep(60)")] {
        let source = format!(
            "{NOTE}
{def} handler(event, context):
    with noting():
        yield 'a'
        try: {wait}
        except trine.DeadlineExceeded: yield 'late'
        {wait}
"
        );
        let folder = Folder::new(&[("app.py", &source)]);
        let served = Served::start(&folder, &["app.py", "--timeout", "1s"]);
        let mut reading = Reading::begin(&served, "/app");
        assert_eq!(reading.text(), "a");
        // On a busy machine there is no time left for it.
        let late = reading.chunk();
        if late != Some(Err(())) {
            assert_eq!(late, Some(Ok(b"late".to_vec())));
            assert_eq!(reading.chunk(), Some(Err(())));
        }
        let closed = folder.task().join("closed");
        eventually(&format!("it is closed\n{:?}", served.process), || {
            closed.exists().then_some(())
        });
    }
}

#[test]
fn hooks_see_the_head_or_ask_for_the_whole() {
    let folder = Folder::new(&[
        (
            "app.py",
            "import trine
def handler(event, context):
    yield trine.ResponseMetadata(201, {'x-kind': 'made'})
    yield 'one'
    yield 'two'
",
        ),
        (
            "middlewares/head.py",
            "def after(response, context):
    response['headers']['x-seen'] = str(sorted(response))
    return response
",
        ),
        (
            "middlewares/whole.py",
            "def before(event, context): context.buffer_response()
def after(response, context):
    response['body'] = response['body'].upper()
    return response
",
        ),
    ]);
    for (middleware, body, header) in
        [("head", "onetwo", Some("['headers', 'statusCode']")), ("whole", "ONETWO", None)]
    {
        let served = Served::start(&folder, &["app.py", "--middlewares", middleware]);
        let reply = served.get("/app");
        assert_eq!(reply.status, 201, "{reply:?}\n{:?}", served.process);
        assert_eq!(String::from_utf8_lossy(&reply.body), body);
        assert_eq!((reply.header("x-kind"), reply.header("x-seen")), (Some("made"), header));
        assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    }
}

#[test]
fn invoke_prints_what_is_yielded() {
    for def in ["def", "async def"] {
        let source = format!("{def} handler(event):\n  yield {{'n': event['n']}}\n  yield 'two'\n");
        let folder = Folder::new(&[("app.py", &source)]);
        let finished = run(trine(&folder, &["invoke", "app.py", "-e", "{\"n\":1}"]));
        assert_eq!(
            (finished.code, finished.stdout.as_str()),
            (Some(0), "{\"n\": 1}\ntwo"),
            "{finished:?}"
        );
    }
}

#[test]
fn the_platform_gets_a_stream_with_its_prelude_and_its_failure() {
    let source = "
import os, trine
def handler(event, context):
    if event.get('head'): yield trine.ResponseMetadata(201, cookies=['a=b'])
    yield 'one'
    yield os.environ['_X_AMZN_TRACE_ID']
    if event.get('fail'): raise ValueError('no ink')
async def other(event, context):
    async for chunk in inner(event, context): yield chunk
async def inner(event, context):
    for chunk in handler(event, context): yield chunk
";
    for handler in ["app.handler", "app.other"] {
        let folder = Folder::new(&[("app.py", source)]);
        let lambda = Lambda::start(&folder, handler);
        let of = |event: Value| {
            let trace_id = Some("Root=1-2".to_owned());
            let outcome = lambda.outcome(Event { trace_id, ..Event::from(event) });
            let Answer::Response { bytes, content_type, streamed, trailers } = outcome.result
            else {
                panic!("{outcome:?}\n{:?}", lambda.process)
            };
            assert!(streamed);
            (String::from_utf8(bytes.to_vec()).unwrap(), content_type, trailers)
        };
        let (body, content_type, _) = of(json!({}));
        assert_eq!(
            (body.as_str(), content_type.as_deref()),
            ("oneRoot=1-2", Some("text/plain; charset=utf-8"))
        );
        let (body, content_type, _) = of(json!({"head": true}));
        let head = r#"{"statusCode": 201, "cookies": ["a=b"], "headers": {"content-type": "text/plain; charset=utf-8"}}"#;
        assert_eq!(body, format!("{head}\0\0\0\0\0\0\0\0oneRoot=1-2"));
        assert_eq!(content_type.as_deref(), Some(trine_engine::HTTP_INTEGRATION));
        let (body, _, trailers) = of(json!({"fail": true}));
        assert_eq!(body, "oneRoot=1-2");
        assert!(format!("{trailers:?}").contains("ValueError"), "{trailers:?}");
        lambda.logged("no ink");
        lambda.emulator.assert_clean();
    }
}
