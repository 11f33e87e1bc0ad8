//! Invocations side by side, where the platform hands out several at once.

use crate::support::{Exchange, Folder, Platform, Process, eventually};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    os::unix::net::UnixListener,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Handlers that answer once four of them run: they leave a file each, and wait until there are as many as asked for.
/// `what` says how the language waits: interleaved on one thread, or holding its own.
const MEETING: &[(&str, &str, &str)] = &[
    (
        "JavaScript",
        "app.mjs",
        "import { readdirSync, writeFileSync } from 'node:fs';
         export const handler = async (event, context) => {
           if (event.fail) throw new TypeError('no');
           if (event.hang) await new Promise((resolve) => setTimeout(resolve, 100000));
           writeFileSync(`${event.dir}/${context.awsRequestId}`, '');
           while (readdirSync(event.dir).length < event.count) await new Promise((go) => setTimeout(go, 5));
           console.log('met');
           return [context.awsRequestId, process.env._X_AMZN_TRACE_ID ?? null];
         };",
    ),
    (
        "Python, async",
        "app.py",
        "import asyncio, logging, os
async def handler(event, context):
    if event.get('fail'): raise TypeError('no')
    if event.get('hang'): await asyncio.sleep(100)
    open(os.path.join(event['dir'], context.aws_request_id), 'w').close()
    while len(os.listdir(event['dir'])) < event['count']: await asyncio.sleep(.005)
    logging.warning('met')
    return [context.aws_request_id, os.environ.get('_X_AMZN_TRACE_ID')]
",
    ),
    (
        "Python, blocking",
        "app.py",
        "import logging, os, time
def handler(event, context):
    if event.get('fail'): raise TypeError('no')
    if event.get('hang'):
        while True: time.sleep(.01)
    open(os.path.join(event['dir'], context.aws_request_id), 'w').close()
    while len(os.listdir(event['dir'])) < event['count']: time.sleep(.005)
    logging.warning('met')
    return [context.aws_request_id, os.environ.get('_X_AMZN_TRACE_ID')]
",
    ),
    (
        "Lua, blocking",
        "app.lua",
        "local function count(dir)
  local pipe = io.popen('ls ' .. dir)
  local found = 0
  for _ in pipe:lines() do found = found + 1 end
  pipe:close()
  return found
end
return { handler = function(event, context)
  if event.fail then error('no') end
  while event.hang do end
  io.open(event.dir .. '/' .. context.aws_request_id, 'w'):close()
  while count(event.dir) < event.count do end
  trine.log('warn', 'met')
  return { context.aws_request_id, os.getenv('_X_AMZN_TRACE_ID') or false }
end }
",
    ),
];

const CONCURRENCY: usize = 4;

/// A runtime whose pollers have all asked for an event.
struct Managed {
    folder: Folder,
    process: Process,
    platform: Platform,
    pollers: Vec<Exchange>,
}

impl Managed {
    fn start(file: &str, source: &str, environment: &[(&str, &str)]) -> Self {
        let folder = Folder::new(&[(file, source), ("meeting/.keep", "")]);
        std::fs::remove_file(folder.task().join("meeting/.keep")).unwrap();
        let (platform, process) = Platform::start(&folder, "app.handler", |command| {
            command.env("AWS_LAMBDA_MAX_CONCURRENCY", CONCURRENCY.to_string());
            command.envs(environment.iter().copied());
        });
        let pollers = (0..CONCURRENCY).map(|_| platform.accept_next(&process)).collect();
        Self { folder, process, platform, pollers }
    }

    fn event(&self, count: usize) -> Value {
        json!({"dir": self.folder.task().join("meeting").to_str().unwrap(), "count": count})
    }

    /// Ends it as the platform does.
    fn end(self) {
        self.process.signal("TERM");
        assert_eq!(self.process.wait(), Some(0), "{:?}", self.process);
    }
}

/// Returns a header with the deadline that many milliseconds from now.
fn deadline_in(milliseconds: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let deadline = now + Duration::from_millis(milliseconds);
    format!("\r\nlambda-runtime-deadline-ms: {}", deadline.as_millis())
}

fn log_lines(process: &Process) -> Vec<Value> {
    let text = process.stdout() + &*process.stderr();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect()
}

#[test]
fn as_many_invocations_run_side_by_side_as_the_platform_says() {
    for (what, file, source) in MEETING {
        let mut managed = Managed::start(file, source, &[]);
        let event = managed.event(CONCURRENCY);
        for (number, poller) in managed.pollers.iter_mut().enumerate() {
            let trace = format!("\r\nlambda-runtime-trace-id: Root=1-{number}");
            poller.give(&format!("id-{number}"), &trace, &event);
        }
        // None of them ends before all have begun.
        for (number, poller) in managed.pollers.iter_mut().enumerate() {
            let (line, body) = poller.request();
            assert_eq!(
                line,
                format!("POST /2018-06-01/runtime/invocation/id-{number}/response HTTP/1.1"),
                "{what}: {body}"
            );
            let answer: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(answer[0], format!("id-{number}"), "{what}");
            // The variable belongs to the process, and so to none of them.
            assert!(matches!(answer[1], Value::Null | Value::Bool(false)), "{what}: {answer}");
            poller.accepted();
            poller.expect_next();
        }
        let met: BTreeMap<String, Value> = eventually("all have said that they met", || {
            let lines = log_lines(&managed.process);
            let met = lines.into_iter().filter(|line| line["message"] == "met");
            let met: BTreeMap<_, _> =
                met.map(|line| (line["requestId"].as_str().unwrap().to_owned(), line)).collect();
            (met.len() == CONCURRENCY).then_some(met)
        });
        let ids: Vec<&str> = met.keys().map(String::as_str).collect();
        assert_eq!(ids, ["id-0", "id-1", "id-2", "id-3"], "{what}");
        managed.end();
    }
}

#[test]
fn the_failure_of_one_is_no_other_ones() {
    for (what, file, source) in MEETING {
        let mut managed = Managed::start(file, source, &[]);
        let event = managed.event(2);
        let Managed { platform, process, pollers, .. } = &mut managed;
        let [failing, hanging, one, other] = pollers.as_mut_slice() else { panic!() };
        failing.give("failing", "", &json!({"fail": true}));
        hanging.give("hanging", &deadline_in(1000), &json!({"hang": true}));
        let (line, body) = failing.request();
        assert!(line.contains("/failing/error "), "{what}: {line}");
        assert!(body.contains("no"), "{what}: {body}");
        // A refusal concerns nobody else either.
        failing.reply("403 Forbidden", &json!({"errorType": "InvalidStateTransition"}));
        failing.expect_next();
        // A watchdog that has to answer in the function's place has a connection of its own.
        let mut answering = platform.either(process, hanging);
        let answering = answering.as_mut().unwrap_or(hanging);
        let (line, body) = answering.request();
        assert!(line.contains("/hanging/error "), "{what}: {line}");
        assert!(body.contains("imed out") || body.contains("DeadlineExceeded"), "{what}: {body}");
        answering.accepted();
        hanging.expect_next();
        one.give("one", "", &event);
        other.give("other", "", &event);
        for (id, poller) in [("one", one), ("other", other)] {
            let (line, body) = poller.request();
            assert!(line.contains(&format!("/{id}/response ")), "{what}: {line} {body}");
            poller.accepted();
            poller.expect_next();
        }
        assert_eq!(managed.process.status(), None, "{what}: {:?}", managed.process);
        managed.end();
    }
}

#[test]
fn an_answer_that_is_not_taken_costs_nobody_anything() {
    for (what, file, source) in MEETING {
        let mut managed = Managed::start(file, source, &[]);
        let event = managed.event(1);
        let verdicts = ["410 Gone", "400 Bad Request", "413 Payload Too Large", "403 Forbidden"];
        for _ in 0..2 {
            for (poller, verdict) in managed.pollers.iter_mut().zip(verdicts) {
                poller.give("id", "\r\nlambda-runtime-invocation-id: attempt", &event);
                let head = poller.head();
                assert!(head.line.contains("/id/response "), "{what}: {head:?}");
                assert_eq!(head.header("lambda-runtime-invocation-id"), Some("attempt"), "{what}");
                let length = head.header("content-length").unwrap().parse().unwrap();
                assert!(poller.body(length).contains("id"), "{what}");
                poller.reply(verdict, &json!({"errorType": "x", "errorMessage": "too late"}));
                poller.expect_next();
            }
        }
        let told = eventually("it is told", || {
            let lines = log_lines(&managed.process);
            let told = lines.into_iter().filter(|line| line["level"] == "WARN");
            let told: Vec<Value> = told.filter(|line| line["message"] != "met").collect();
            (told.len() == 2 * verdicts.len()).then_some(told)
        });
        assert!(told.iter().all(|line| line["requestId"] == "id"), "{what}: {told:?}");
        managed.end();
    }
}

#[test]
fn a_signal_lets_the_invocations_in_flight_be_answered() {
    for (what, file, source) in MEETING {
        let mut managed = Managed::start(file, source, &[]);
        // They wait for one more than there are.
        let event = managed.event(CONCURRENCY + 1);
        for (number, poller) in managed.pollers.iter_mut().enumerate() {
            poller.give(&format!("id-{number}"), "", &event);
        }
        let meeting = managed.folder.task().join("meeting");
        eventually("all have begun", || {
            (std::fs::read_dir(&meeting).unwrap().count() == CONCURRENCY).then_some(())
        });
        managed.process.signal("TERM");
        std::thread::sleep(Duration::from_millis(700));
        managed.folder.write("meeting/one-more", "");
        for (number, poller) in managed.pollers.iter_mut().enumerate() {
            let (line, body) = poller.request();
            assert!(line.contains(&format!("/id-{number}/response ")), "{what}: {line} {body}");
            poller.accepted();
        }
        assert_eq!(managed.process.wait(), Some(0), "{what}: {:?}", managed.process);
    }
}

#[test]
fn a_process_whose_threads_are_all_lost_ends() {
    // The lock that all threads need is held for years.
    let source = "import re
def handler(event, context): return bool(re.match('(a+)+$', 'a' * 60 + 'b'))
";
    let mut managed = Managed::start("app.py", source, &[]);
    for (number, poller) in managed.pollers.iter_mut().enumerate() {
        poller.give(&format!("id-{number}"), &deadline_in(1000), &json!({}));
    }
    assert_eq!(managed.process.wait(), Some(124), "{:?}", managed.process);
    let log = managed.process.stdout() + &*managed.process.stderr();
    assert!(log.contains("so the process ends"), "{log}");
}

#[test]
fn python_can_be_made_to_take_turns() {
    let source = "import threading
lock = threading.Lock()
def handler(event, context):
    assert lock.acquire(blocking=False), 'another one runs'
    try:
        import time; time.sleep(.05)
        return threading.current_thread() is threading.main_thread()
    finally: lock.release()
";
    let mut managed = Managed::start("app.py", source, &[("TRINE_PYTHON_CONCURRENCY", "1")]);
    for (number, poller) in managed.pollers.iter_mut().enumerate() {
        poller.give(&format!("id-{number}"), "", &json!({}));
    }
    for poller in &mut managed.pollers {
        let (line, body) = poller.request();
        assert!(line.contains("/response "), "{line} {body}");
        assert_eq!(body, "true");
        poller.accepted();
        poller.expect_next();
    }
    managed.end();
}

#[test]
fn logs_go_to_the_platforms_socket_where_there_is_one() {
    let folder = Folder::new(&[]);
    let path = folder.task().join("logs");
    let listener = UnixListener::bind(&path).unwrap();
    let (_, file, source) = MEETING[1];
    let socket = path.to_str().unwrap();
    let mut managed =
        Managed::start(file, source, &[("_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET", socket)]);
    let event = managed.event(1);
    managed.pollers[0].give("id", "", &event);
    let (line, _) = managed.pollers[0].request();
    assert!(line.contains("/response "), "{line}");
    let (stream, _) = listener.accept().unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["message"], &line["requestId"]), (&json!("met"), &json!("id")));
    managed.pollers[0].accepted();
    managed.end();
}

#[test]
fn a_function_that_cannot_be_loaded_is_reported_once() {
    for (file, source) in
        [("app.mjs", "throw new Error('x')"), ("app.py", "1/0"), ("app.lua", "error('x')")]
    {
        let folder = Folder::new(&[(file, source)]);
        let (platform, process) = Platform::start(&folder, "app.handler", |command| {
            command.env("AWS_LAMBDA_MAX_CONCURRENCY", "4");
        });
        let mut exchange = platform.accept(&process);
        let (line, _) = exchange.request();
        assert_eq!(line, "POST /2018-06-01/runtime/init/error HTTP/1.1");
        exchange.accepted();
        assert_eq!(process.wait(), Some(1));
    }
}
