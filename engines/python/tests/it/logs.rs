//! Output and `logging`.

use crate::harness::{Case, block_on, invocation};
use std::rc::Rc;
use trine_engine::{Form, Invocation, Level, LogFormat, Payload, Stream};
use trine_testkit::alone;

fn logged(source: &str) -> String {
    let case = Case::new(&[("app.py", source)]);
    case.call("handler", "1").unwrap();
    case.log.text()
}

#[test]
fn a_print_is_one_piece_and_reaches_its_own_stream() {
    let source = "\
import sys
def handler(event):
    print('a', 1)
    print('two\\nlines')
    print('no end', end='')
    print('error', file=sys.stderr)
    sys.stdout.buffer.write(b'; bytes\\n')
    sys.stdout.writelines(['x', 'y\\n'])
    print('rest', end='')
";
    let case = Case::new(&[("app.py", source)]);
    case.call("handler", "1").unwrap();
    let pieces = case.log.pieces();
    let texts: Vec<_> = pieces.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["a 1\n", "two\nlines\n", "error\n", "no end; bytes\n", "xy\n", "rest"]);
    assert_eq!(pieces[2].0, Stream::Stderr);
    assert_eq!(pieces[0].0, Stream::Stdout);
}

#[test]
fn the_streams_look_like_text_streams() {
    let source = "\
import io, sys
def handler(event):
    out = sys.stdout
    out.reconfigure(line_buffering=True)
    print('\\udcff', flush=True)
    try: out.write(1)
    except TypeError as e: refused = str(e)
    return [isinstance(out, io.TextIOBase), out.isatty(), out.fileno(), sys.stderr.fileno(),
            out.encoding, out.errors, out.write('é\\n'), out.writable(), out.closed, refused]
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(
        case.call("handler", "1").unwrap(),
        "[true, false, 1, 2, \"utf-8\", \"backslashreplace\", 2, true, false, \"write() argument \
         must be str, not int\"]"
    );
    assert_eq!(case.log.text(), "\\udcff\né\n");
}

#[test]
fn warnings_are_logged() {
    let source = "\
import warnings
def handler(event):
    warnings.warn('careful')
";
    assert!(logged(source).contains("UserWarning: careful"));
}

#[test]
fn log_lines_have_awss_text_form() {
    let source = "\
import logging
logging.basicConfig(level=logging.DEBUG)
log = logging.getLogger('mine')
def handler(event):
    log.warning('seen %s', 1)
    try: 1 / 0
    except ZeroDivisionError: log.exception('failed')
    return [len(logging.getLogger().handlers)]
";
    let case = Case::new(&[("app.py", source)]);
    assert_eq!(case.call("handler", "1").unwrap(), "[1]");
    let text = case.log.text();
    let lines: Vec<_> = text.lines().collect();
    let fields: Vec<_> = lines[0].split('\t').collect();
    assert_eq!((fields[0], fields[2], fields[3]), ("[WARNING]", "id-1", "seen 1"));
    assert_eq!(fields[1].len(), "2026-01-31T23:59:59.999Z".len());
    assert!(lines[1].ends_with("\tid-1\tfailed"), "{text}");
    assert_eq!(lines[2], "Traceback (most recent call last):");
    assert!(text.ends_with("ZeroDivisionError: division by zero\n"), "{text}");
}

#[test]
fn log_lines_outside_of_an_invocation_have_no_request_id() {
    let case = Case::new(&[(
        "app.py",
        "import logging\nlogging.error('at init')\ndef handler(event): pass\n",
    )]);
    case.load("app", "handler").unwrap();
    assert!(case.log.text().ends_with("\t\tat init\n"), "{}", case.log.text());
}

#[test]
fn log_lines_in_json_have_awss_members() {
    let source = "\
import logging
def handler(event):
    logging.getLogger('mine').error('é %s', 1, extra={'order': 5, 'odd': {1, 2}.__class__})
    try: {}['k']
    except KeyError: logging.exception('failed')
";
    let case = Case::with(&[("app.py", source)], |environment| {
        environment.log.format = LogFormat::Json;
    });
    let tenant = Invocation { tenant_id: Some("blue".into()), ..invocation() };
    case.call_with("handler", "1", tenant).unwrap();
    let text = case.log.text();
    assert!(text.contains("é 1"), "{text}");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let first = &lines[0];
    assert_eq!(first["level"], "ERROR");
    assert_eq!(first["message"], "é 1");
    assert_eq!(first["logger"], "mine");
    assert_eq!(first["requestId"], "id-1");
    assert_eq!(first["tenantId"], "blue");
    assert_eq!(first["order"], 5);
    assert_eq!(first["odd"], "<class 'set'>");
    assert_eq!(first["timestamp"].as_str().unwrap().len(), "2026-01-31T23:59:59.999Z".len());
    assert!(first.get("errorType").is_none());
    let second = &lines[1];
    assert_eq!(second["errorType"], "KeyError");
    assert_eq!(second["errorMessage"], "'k'");
    assert!(second["stackTrace"][0].as_str().unwrap().contains("app.py"));
    assert!(second["location"].as_str().unwrap().ends_with(":handler:5"), "{second}");
}

#[test]
fn the_request_id_is_right_where_calls_interleave() {
    alone::run("logs::the_request_id_is_right_where_calls_interleave", &[], inner_calls_interleave);
}

/// Lines from threads of the pool go to the sink of the latest instance, which must not be another test's.
fn inner_calls_interleave() {
    let source = "\
import asyncio, logging
async def handler(event, context):
    await asyncio.sleep(0.03 - event / 100)
    logging.error('for %s', context.aws_request_id)
    await asyncio.to_thread(logging.error, 'for %s', context.aws_request_id)
";
    let case = Case::new(&[("app.py", source)]);
    let function = case.load("app", "handler").unwrap();
    let invocations: Vec<_> = (0..3)
        .map(|n| Rc::new(Invocation { request_id: format!("id-{n}"), ..invocation() }))
        .collect();
    let call = |n: usize| {
        let input = Payload::json(n.to_string());
        case.instance.call(function, input, Form::Json, &invocations[n])
    };
    block_on(async {
        let (a, b, c) = tokio::join!(call(0), call(1), call(2));
        a.and(b).and(c).unwrap();
    });
    let text = case.log.text();
    let mut own = 0;
    for line in text.lines() {
        let fields: Vec<_> = line.split('\t').collect();
        assert_eq!(fields[3], format!("for {}", fields[2]), "{text}");
        own += 1;
    }
    assert_eq!(own, 6, "{text}");
}

#[test]
fn log_records_of_threads_carry_the_id_of_who_started_them_or_submitted_the_work() {
    alone::run(
        "logs::log_records_of_threads_carry_the_id_of_who_started_them_or_submitted_the_work",
        &[],
        inner_threads,
    );
}

/// Each way to have something done on another thread, with three invocations at once and threads that they share.
fn inner_threads() {
    let source = "\
import asyncio, logging, threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

executor = ThreadPoolExecutor(1)
pool = ThreadPool(1)
loops = []

class Thread(threading.Thread):
    def __init__(self, say): super().__init__(); self.say = say
    def run(self): self.say('subclass')

def in_loop(say):
    async def main():
        say('own loop')
        await asyncio.to_thread(say, 'thread of its own loop')
    asyncio.run(main())

async def handler(event, context):
    loop = asyncio.get_running_loop()
    say = lambda what: logging.error('%s %s', what, context.aws_request_id)
    async def told():
        say('coroutine')
    def from_thread():
        asyncio.run_coroutine_threadsafe(told(), loop).result()
    def nested():
        inner = threading.Thread(target=say, args=('nested',))
        inner.start()
        inner.join()
        executor.submit(say, 'submitted by a thread').result()
    for _ in range(3):
        threads = [threading.Thread(target=say, args=('thread',)), Thread(say)]
        threads += [threading.Timer(0.001, say, ('timer',)), threading.Thread(target=nested)]
        threads += [threading.Thread(target=in_loop, args=(say,))]
        threads += [threading.Thread(target=from_thread)]
        for thread in threads:
            thread.start()
        await asyncio.sleep(0.001)
        future = executor.submit(say, 'submitted')
        future.add_done_callback(lambda _: say('done'))
        await asyncio.wrap_future(future)
        await asyncio.wrap_future(executor.submit(list, map(say, ['in place'])))
        await loop.run_in_executor(executor, say, 'run_in_executor')
        await loop.run_in_executor(None, say, 'default executor')
        await asyncio.to_thread(say, 'to_thread')
        pool.apply_async(say, ('apply_async',)).wait()
        pool.map(say, ['map'])
        list(pool.imap_unordered(say, ['imap']))
        pool.starmap(say, [('starmap',)])
        while any(thread.is_alive() for thread in threads):
            await asyncio.sleep(0.001)
";
    let case = Case::new(&[("app.py", source)]);
    let function = case.load("app", "handler").unwrap();
    let invocations: Vec<_> = (0..3)
        .map(|n| Rc::new(Invocation { request_id: format!("id-{n}"), ..invocation() }))
        .collect();
    let call =
        |n: usize| case.instance.call(function, Payload::json("1"), Form::Json, &invocations[n]);
    block_on(async {
        let (a, b, c) = tokio::join!(call(0), call(1), call(2));
        a.and(b).and(c).unwrap();
    });
    let text = case.log.text();
    let mut counts = std::collections::BTreeMap::<_, usize>::new();
    for line in text.lines() {
        let fields: Vec<_> = line.split('\t').collect();
        let (what, id) = fields[3].rsplit_once(' ').unwrap();
        assert_eq!(id, fields[2], "{line}");
        *counts.entry(what).or_default() += 1;
    }
    assert_eq!(counts.len(), 18, "{counts:?}");
    assert!(counts.values().all(|count| *count == 9), "{counts:?}");
}

#[test]
fn a_level_that_the_user_set_wins() {
    let source = "\
import logging
def handler(event):
    logging.getLogger('quiet').setLevel(logging.ERROR)
    logging.getLogger('quiet').warning('no')
    logging.getLogger('quiet').error('yes')
";
    let case = Case::with(&[("app.py", source)], |environment| {
        environment.log.level = Some(Level::Warn);
    });
    case.call("handler", "1").unwrap();
    assert!(!case.log.text().contains("\tno\n"));
    assert!(case.log.text().contains("\tyes\n"));
}

#[test]
fn a_dictionary_that_is_logged_stays_an_object_in_json_and_anything_else_is_text() {
    let source = "\
import logging
log = logging.getLogger('mine')
def handler(event):
    loop = {}
    loop['loop'] = loop
    for message in ({'dict': 1, 'of': {2: [None]}}, {}, [1], 5, None, loop):
        log.warning(message)
    log.warning('%(a)s and %(b)s', {'a': 1, 'b': 2})
    log.warning({'%s': 'x'}, 'y')
";
    let case = Case::with(&[("app.py", source)], |environment| {
        environment.log.format = LogFormat::Json;
    });
    case.call("handler", "1").unwrap();
    let text = case.log.text();
    let messages = text.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["message"].to_string()
    });
    assert_eq!(
        messages.collect::<Vec<_>>(),
        [
            r#"{"dict":1,"of":{"2":[null]}}"#,
            "{}",
            r#""[1]""#,
            r#""5""#,
            r#""None""#,
            r#""{'loop': {...}}""#,
            r#""1 and 2""#,
            r#""{'y': 'x'}""#,
        ]
    );
}
