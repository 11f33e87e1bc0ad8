//! The emulator's Runtime API: whatever a runtime does, right or wrong, it is answered as a model of the platform says,
//! every invocation has one outcome, and what was wrong is known by its rule.

use crate::support::runner;
use proptest::{collection::vec, prelude::*};
use std::{
    collections::{BTreeSet, VecDeque},
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};
use trine_emulator::{
    Answer, Counts, Emulator, EmulatorOptions, Event, RuntimeExit, StreamedAnswer, rule,
};

/// The invocation that a post names.
#[derive(Debug, Clone, Copy)]
enum Which {
    /// The one in flight.
    Current,
    /// The one that ended last.
    Last,
    /// One that ended before that.
    Earlier,
    Unknown,
}

/// The `Lambda-Runtime-Invocation-Id` of a post.
#[derive(Debug, Clone, Copy)]
enum Attempt {
    Right,
    Missing,
    Invented,
}

#[derive(Debug, Clone, Copy)]
enum Body {
    Buffered,
    Streamed,
    /// A stream whose caller has gone away before it begins.
    Unwanted,
    /// A stream with an error in its trailers.
    Failing,
    WrongMode,
    Truncated,
    Error,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Submit,
    Next,
    Post(Which, Attempt, Body),
    InitError,
    /// The end of the process, and the start of another one.
    Exit,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let which = prop_oneof![
        8 => Just(Which::Current),
        1 => Just(Which::Last),
        1 => Just(Which::Earlier),
        1 => Just(Which::Unknown),
    ];
    let attempt = prop_oneof![
        8 => Just(Attempt::Right),
        1 => Just(Attempt::Missing),
        1 => Just(Attempt::Invented),
    ];
    let body = prop_oneof![
        4 => Just(Body::Buffered),
        4 => Just(Body::Streamed),
        2 => Just(Body::Unwanted),
        2 => Just(Body::Failing),
        1 => Just(Body::WrongMode),
        1 => Just(Body::Truncated),
        3 => Just(Body::Error),
    ];
    let post =
        (which, attempt, body).prop_map(|(which, attempt, body)| Act::Post(which, attempt, body));
    vec(
        prop_oneof![
            6 => Just(Act::Submit),
            8 => Just(Act::Next),
            10 => post,
            1 => Just(Act::InitError),
            1 => Just(Act::Exit),
        ],
        1..40,
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Started,
    Running,
    Sent,
    InitError,
}

/// What a caller got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Got {
    Response,
    FailedStream,
    Error,
    InitError,
    Platform(&'static str),
    Abandoned,
}

/// The platform as the contract describes it, for one runtime with one invocation at a time.
#[derive(Debug)]
struct Model {
    phase: Phase,
    queue: VecDeque<usize>,
    current: Option<usize>,
    /// Invocations that the runtime has had and that have ended, in this order.
    ended: Vec<usize>,
    /// Whether the last start failed, and no process has asked for an event since.
    failed_start: bool,
    /// What each caller got, by the number of its event.
    got: Vec<Option<Got>>,
    counts: Counts,
    rules: BTreeSet<&'static str>,
}

/// The answer to a request: a status and an error type, or none where the connection is cut.
type Reply = Option<(u16, &'static str)>;

impl Model {
    fn new() -> Self {
        Self {
            phase: Phase::Started,
            queue: VecDeque::new(),
            current: None,
            ended: Vec::new(),
            failed_start: false,
            got: Vec::new(),
            counts: Counts::default(),
            rules: BTreeSet::new(),
        }
    }

    fn submit(&mut self) {
        let number = self.got.len();
        self.got.push(self.failed_start.then_some(Got::InitError));
        if !self.failed_start {
            self.queue.push_back(number);
        }
    }

    /// Whether `/next` is answered at once.
    fn has_next(&self) -> bool {
        self.phase == Phase::InitError || self.current.is_some() || !self.queue.is_empty()
    }

    fn next(&mut self) -> Reply {
        self.call();
        if self.phase == Phase::InitError {
            return Some((403, "InvalidStateTransition"));
        }
        self.counts.handed_out += 1;
        if self.current.is_some() {
            self.rules.insert(rule::NEXT_WHILE_RUNNING);
            return Some((200, ""));
        }
        self.failed_start = false;
        self.current = self.queue.pop_front();
        self.counts.attempts += 1;
        self.phase = Phase::Running;
        Some((200, ""))
    }

    fn call(&mut self) {
        if self.phase == Phase::InitError {
            self.rules.insert(rule::CALL_AFTER_INIT_ERROR);
        }
    }

    fn end(&mut self, got: Got) {
        let number = self.current.take().expect("an invocation is in flight");
        self.got[number] = Some(got);
        self.ended.push(number);
        self.phase = Phase::Sent;
    }

    /// Takes a post for an invocation, known by its number.
    fn post(&mut self, number: Option<usize>, attempt: Attempt, body: Body) -> Reply {
        self.call();
        let is_current = number.is_some() && number == self.current;
        if is_current && !matches!(attempt, Attempt::Invented) {
            if matches!(attempt, Attempt::Missing) {
                self.rules.insert(rule::INVOCATION_ID_MISSING);
            }
            return self.answer(body);
        }
        self.counts.refused += 1;
        match attempt {
            // A post for an invocation that was never there is one, whatever else it says.
            Attempt::Invented if number.is_some() => {
                self.rules.insert(rule::INVOCATION_ID_INVENTED);
                Some((410, "InvalidInvocationID"))
            }
            _ if number.is_none() => {
                self.rules.insert(rule::UNKNOWN_REQUEST_ID);
                Some((400, "InvalidRequestID"))
            }
            _ => {
                self.rules.insert(rule::ANSWERED_TWICE);
                match self.phase == Phase::Sent && self.ended.last().copied() == number {
                    true => Some((403, "InvalidStateTransition")),
                    false => Some((400, "InvalidRequestID")),
                }
            }
        }
    }

    fn answer(&mut self, body: Body) -> Reply {
        let (got, reply) = match body {
            Body::Buffered | Body::Streamed => (Got::Response, Some((202, ""))),
            Body::Failing => (Got::FailedStream, Some((202, ""))),
            Body::Error => (Got::Error, Some((202, ""))),
            Body::Unwanted => (Got::Abandoned, None),
            Body::WrongMode => {
                self.rules.insert(rule::RESPONSE_MODE);
                let got = Got::Platform("Runtime.InvalidResponseModeHeader");
                (got, Some((400, "InvalidFunctionResponseMode")))
            }
            Body::Truncated => {
                self.rules.insert(rule::TRUNCATED_BODY);
                (Got::Platform("Runtime.TruncatedResponse"), Some((400, "TruncatedHTTPRequest")))
            }
        };
        match reply {
            Some((202, _)) => {
                self.counts.accepted += 1;
                self.counts.accepted_errors += u64::from(got == Got::Error);
            }
            Some(_) => {
                self.counts.refused += 1;
                self.counts.lost += 1;
            }
            None => self.counts.abandoned += 1,
        }
        self.end(got);
        reply
    }

    fn init_error(&mut self) -> Reply {
        match self.phase {
            Phase::Started => {
                for number in std::mem::take(&mut self.queue) {
                    self.got[number] = Some(Got::InitError);
                }
                self.phase = Phase::InitError;
                self.failed_start = true;
                return Some((202, ""));
            }
            Phase::InitError => self.rules.insert(rule::INIT_ERROR_TWICE),
            _ => self.rules.insert(rule::INIT_ERROR_LATE),
        };
        Some((403, "InvalidStateTransition"))
    }

    fn exit(&mut self) {
        let died = Got::Platform("Runtime.ExitError");
        if matches!(self.phase, Phase::Started | Phase::InitError) {
            for number in std::mem::take(&mut self.queue) {
                self.got[number] = Some(died);
            }
        }
        if self.current.is_some() {
            self.counts.lost += 1;
            self.end(died);
        }
        self.phase = Phase::Started;
    }
}

/// A runtime that does what it is told, right or wrong.
struct Runtime {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

/// An event as the runtime got it.
#[derive(Debug, Clone)]
struct Had {
    request_id: String,
    invocation_id: String,
}

impl Runtime {
    /// Sends a request; returns status, head and body, or `None` where the connection is cut.
    fn exchange(&mut self, request: &str) -> Option<(u16, String, Vec<u8>)> {
        let stream = self.stream.get_or_insert_with(|| {
            let stream = TcpStream::connect(self.address).unwrap();
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            BufReader::new(stream)
        });
        let reply = Self::try_exchange(stream, request);
        let is_over = match &reply {
            None => true,
            Some((_, head, _)) => head.to_ascii_lowercase().contains("connection: close"),
        };
        if is_over {
            self.stream = None;
        }
        reply
    }

    fn try_exchange(
        stream: &mut BufReader<TcpStream>,
        request: &str,
    ) -> Option<(u16, String, Vec<u8>)> {
        // A reset may come before everything is written.
        let _ = stream.get_mut().write_all(request.as_bytes());
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let length = field(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some((status, head, body))
    }

    fn call(&mut self, request: &str) -> (Option<(u16, String)>, String) {
        let Some((status, head, body)) = self.exchange(request) else {
            return (None, String::new());
        };
        let document: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let error_type = document["errorType"].as_str().unwrap_or_default().to_owned();
        (Some((status, error_type)), head)
    }
}

fn field(head: &str, name: &str) -> Option<String> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
}

const COMMON: &str = "Host: e\r\nUser-Agent: t\r\n";
const API: &str = "/2018-06-01/runtime";
const DOCUMENT: &str = r#"{"errorMessage":"no","errorType":"Error"}"#;

fn post(had: &Had, attempt: Attempt, body: Body) -> String {
    let id = match attempt {
        Attempt::Right => format!("Lambda-Runtime-Invocation-Id: {}\r\n", had.invocation_id),
        Attempt::Missing => String::new(),
        Attempt::Invented => "Lambda-Runtime-Invocation-Id: invented\r\n".to_owned(),
    };
    let kind = if matches!(body, Body::Error) { "error" } else { "response" };
    let head = format!("POST {API}/invocation/{}/{kind} HTTP/1.1\r\n{COMMON}{id}", had.request_id);
    let names = "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body";
    let stream = format!(
        "{head}Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\nTrailer: {names}\r\n\r\n3\r\none\r\n"
    );
    let whole = |more: &str, text: &str| {
        format!(
            "{head}{more}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        )
    };
    match body {
        Body::Buffered => whole("", "1"),
        Body::Error => whole("", DOCUMENT),
        Body::WrongMode => whole("Lambda-Runtime-Function-Response-Mode: Streaming\r\n", "1"),
        Body::Streamed | Body::Unwanted => format!("{stream}3\r\ntwo\r\n0\r\n\r\n"),
        // {"errorMessage":"no","errorType":"Error"}
        Body::Failing => format!(
            "{stream}0\r\nLambda-Runtime-Function-Error-Type: Function.Error\r\nLambda-Runtime-Function-Error-Body: eyJlcnJvck1lc3NhZ2UiOiJubyIsImVycm9yVHlwZSI6IkVycm9yIn0=\r\n\r\n"
        ),
        Body::Truncated => format!("{stream}zz\r\n"),
    }
}

/// Runs the acts against an emulator and the model, and compares.
fn play(acts: &[Act]) -> Result<(), TestCaseError> {
    let options = EmulatorOptions {
        timeout: Duration::from_secs(60),
        init_timeout: Duration::from_secs(60),
        ..EmulatorOptions::default()
    };
    let emulator = Emulator::spawn_thread(options).unwrap();
    let mut runtime = Runtime { address: emulator.address(), stream: None };
    let mut model = Model::new();
    let mut callers: Vec<Option<StreamedAnswer>> = Vec::new();
    let mut had: Vec<Option<Had>> = Vec::new();
    for act in acts {
        let (expected, found) = match *act {
            Act::Submit => {
                model.submit();
                callers.push(Some(emulator.invoke_streaming(Event::new("1"))));
                had.push(None);
                continue;
            }
            Act::Exit => {
                model.exit();
                emulator.runtime_exited(&RuntimeExit::Status(1));
                runtime.stream = None;
                continue;
            }
            Act::Next if !model.has_next() => continue,
            Act::Next => {
                let expected = model.next();
                let request = format!("GET {API}/invocation/next HTTP/1.1\r\n{COMMON}\r\n");
                let (found, head) = runtime.call(&request);
                if let Some((200, _)) = found {
                    let number = model.current.expect("the model hands out as well");
                    let request_id = field(&head, "lambda-runtime-aws-request-id").unwrap();
                    let invocation_id = field(&head, "lambda-runtime-invocation-id").unwrap();
                    if let Some(had) = &had[number] {
                        prop_assert_eq!(&had.request_id, &request_id);
                    }
                    had[number] = Some(Had { request_id, invocation_id });
                }
                (expected, found)
            }
            Act::InitError => {
                let request = format!(
                    "POST {API}/init/error HTTP/1.1\r\n{COMMON}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{DOCUMENT}",
                    DOCUMENT.len()
                );
                (model.init_error(), runtime.call(&request).0)
            }
            Act::Post(which, attempt, body) => {
                let ended = &model.ended;
                let number = match which {
                    Which::Current => model.current,
                    Which::Last => ended.last().copied(),
                    Which::Earlier => ended.iter().rev().nth(1).copied(),
                    Which::Unknown => None,
                };
                let unknown = || Had { request_id: "none".into(), invocation_id: "none".into() };
                let named = number.and_then(|number| had[number].clone()).unwrap_or_else(unknown);
                let is_granted = number.is_some()
                    && number == model.current
                    && !matches!(attempt, Attempt::Invented);
                if is_granted && matches!(body, Body::Unwanted) {
                    callers[number.unwrap()] = None;
                }
                let expected = model.post(number, attempt, body);
                let found = runtime.call(&post(&named, attempt, body)).0;
                if matches!(body, Body::Truncated) {
                    // Nobody knows where the next request begins.
                    runtime.stream = None;
                }
                (expected, found)
            }
        };
        let found = found.as_ref().map(|(status, kind)| (*status, kind.as_str()));
        prop_assert_eq!(found, expected, "{:?} of {:?}", act, acts);
    }
    compare(&emulator, &model, callers)
}

fn compare(
    emulator: &Emulator,
    model: &Model,
    callers: Vec<Option<StreamedAnswer>>,
) -> Result<(), TestCaseError> {
    let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (number, caller) in callers.into_iter().enumerate() {
        let Some(caller) = caller else {
            prop_assert_eq!(model.got[number], Some(Got::Abandoned));
            continue;
        };
        let limit = match model.got[number] {
            Some(_) => Duration::from_secs(10),
            None => Duration::from_millis(1),
        };
        let outcome =
            waiting.block_on(async { tokio::time::timeout(limit, caller.finish()).await });
        let got = outcome.ok().map(|outcome| match &outcome.result {
            Answer::Response { .. } if outcome.error_type().is_some() => Got::FailedStream,
            Answer::Response { .. } => Got::Response,
            Answer::Error { .. } => Got::Error,
            Answer::InitError(_) => Got::InitError,
            Answer::Platform { error_type, .. } => Got::Platform(error_type),
            Answer::Abandoned => Got::Abandoned,
            other => panic!("{other:?}"),
        });
        prop_assert_eq!(got, model.got[number], "event {}", number);
    }
    prop_assert_eq!(emulator.counts(), model.counts);
    let broken: BTreeSet<&str> = emulator.violations().iter().map(|broken| broken.rule).collect();
    prop_assert_eq!(broken, model.rules.clone());
    Ok(())
}

#[test]
fn a_runtime_is_answered_as_the_model_says_whatever_it_does() {
    runner(150).run(&acts(), |acts| play(&acts)).unwrap();
}
