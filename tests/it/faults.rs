//! Faults from outside, crossed: every fault at every endpoint in every language. Each event that the runtime has
//! accepted is answered exactly once, or the process has ended as the Runtime API's contract says.

use crate::support::{
    Connection, Folder, LIMIT, Lambda, Language, PROBE_LANGUAGES, Served, ask, eventually,
};
use serde_json::json;
use std::time::Duration;
use trine_emulator::{Answer, EmulatorOptions, Endpoint, Fault, Injection, Moment};

/// Invocations of a run; the fault strikes at the third.
const COUNT: usize = 6;
const NTH: u64 = 3;

/// The permitted behaviour of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Allowed {
    /// Going on: all invocations are served.
    GoesOn,
    /// An end with status 1.
    Ends,
}
use Allowed::{Ends, GoesOn};

fn drip() -> Fault {
    Fault::Drip { pieces: 20, over: Duration::from_millis(200) }
}

/// Returns what may go wrong at the endpoint for events, and what the contract demands then.
fn at_next() -> Vec<(Fault, Allowed)> {
    vec![
        (Fault::Status(400), Ends),
        (Fault::Status(403), Ends),
        (Fault::Status(410), Ends),
        (Fault::Status(500), Ends),
        (Fault::Status(503), Ends),
        (Fault::Reset(Moment::RequestHead), GoesOn),
        (Fault::Reset(Moment::RequestBody), GoesOn),
        (Fault::Reset(Moment::Processed), GoesOn),
        (Fault::Reset(Moment::ReplyBody), GoesOn),
        (Fault::Truncate, GoesOn),
        (drip(), GoesOn),
        (Fault::MalformedHead, GoesOn),
        (Fault::GarbageHeaders, GoesOn),
        (Fault::CloseAfter, GoesOn),
        (Fault::Repeat { new_attempt: false }, GoesOn),
        (Fault::Repeat { new_attempt: true }, GoesOn),
        (Fault::Forget { status: 400 }, GoesOn),
        (Fault::Forget { status: 410 }, GoesOn),
        (Fault::Silence { at_most: Duration::from_millis(200) }, GoesOn),
    ]
}

/// Returns what may go wrong where answers are posted.
fn at_post() -> Vec<(Fault, Allowed)> {
    vec![
        (Fault::Status(400), GoesOn),
        (Fault::Status(403), GoesOn),
        (Fault::Status(410), GoesOn),
        (Fault::Status(413), GoesOn),
        (Fault::Status(500), Ends),
        (Fault::Status(503), Ends),
        (Fault::Reset(Moment::RequestHead), Ends),
        (Fault::Reset(Moment::RequestBody), Ends),
        (Fault::Reset(Moment::Processed), Ends),
        (Fault::Reset(Moment::ReplyBody), Ends),
        (Fault::Truncate, Ends),
        (drip(), GoesOn),
        (Fault::MalformedHead, Ends),
        (Fault::CloseAfter, GoesOn),
        (Fault::Silence { at_most: Duration::from_millis(200) }, Ends),
    ]
}

/// Makes one run; returns `None` when everything went as it should.
fn strike(
    language: Language,
    endpoint: Endpoint,
    fault: &Fault,
    allowed: Allowed,
) -> Option<String> {
    let folder = Folder::probe(language);
    let options = EmulatorOptions {
        timeout: LIMIT,
        init_timeout: LIMIT,
        outcomes_length: 100,
        faults: vec![Injection::new(endpoint, NTH, fault.clone())],
        ..EmulatorOptions::default()
    };
    let lambda = Lambda::under(options, &folder, |command| {
        command.env("_HANDLER", "probe.handler");
    });
    let what = if endpoint == Endpoint::Error { "fail" } else { "count" };
    // Where the process ends there is nobody left to answer.
    let count = match (allowed, endpoint) {
        (GoesOn, _) => COUNT,
        (Ends, Endpoint::Next) => NTH as usize - 1,
        (Ends, _) => NTH as usize,
    };
    let outcomes: Vec<_> = (0..count).map(|_| lambda.outcome(ask(what))).collect();
    let name = format!("{} {fault:?} at {endpoint:?}", language.engine);
    if allowed == GoesOn {
        if let Some(status) = lambda.process.status() {
            return Some(format!("{name}: the process ended ({status})\n{:?}", lambda.process));
        }
        lambda.process.signal("TERM");
    }
    let code = lambda.process.wait();
    let expected = if allowed == Ends { Some(1) } else { Some(0) };
    if code != expected {
        return Some(format!(
            "{name}: exit status {code:?}, not {expected:?}\n{:?}",
            lambda.process
        ));
    }
    if !lambda.emulator.faults_left().is_empty() {
        return Some(format!("{name}: the fault never struck"));
    }
    let violations = lambda.emulator.violations();
    if !violations.is_empty() {
        return Some(format!("{name}: {violations:?}"));
    }
    // Where the process goes on, every event that was handed out has exactly one answer.
    let twice =
        lambda.emulator.records().into_iter().find(|record| record.accepted > record.attempts);
    if let Some(record) = twice {
        return Some(format!("{name}: answered twice: {record:?}"));
    }
    let answered = outcomes
        .iter()
        .filter(|outcome| matches!(outcome.result, Answer::Response { .. } | Answer::Error { .. }))
        .count();
    let lost = match fault {
        // The platform itself has dropped this answer.
        Fault::Forget { .. } | Fault::Status(_) => usize::from(allowed == GoesOn),
        _ => 0,
    };
    // The event at which the process ended is answered by its end.
    let ended = usize::from(allowed == Ends && endpoint != Endpoint::Next);
    (answered + lost + ended < count)
        .then(|| format!("{name}: {answered} of {count} answered: {outcomes:?}"))
}

fn cross(endpoint: Endpoint, faults: &[(Fault, Allowed)]) {
    let mut wrong = Vec::new();
    let mut runs = 0;
    for language in PROBE_LANGUAGES {
        for (fault, allowed) in faults {
            runs += 1;
            wrong.extend(strike(language, endpoint, fault, *allowed));
        }
    }
    assert!(wrong.is_empty(), "{} of {runs} runs went wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn faults_where_events_come_from() {
    cross(Endpoint::Next, &at_next());
}

#[test]
fn faults_where_results_go() {
    cross(Endpoint::Response, &at_post());
}

#[test]
fn faults_where_errors_go() {
    cross(Endpoint::Error, &at_post());
}

#[test]
fn faults_where_init_errors_go_leave_an_orderly_end() {
    for (fault, _) in at_post() {
        let folder = Folder::new(&[("app.lua", "error('no')\n")]);
        let options = EmulatorOptions {
            init_timeout: LIMIT,
            faults: vec![Injection::new(Endpoint::InitError, 1, fault.clone())],
            ..EmulatorOptions::default()
        };
        let lambda = Lambda::under(options, &folder, |command| {
            command.env("_HANDLER", "app.handler");
        });
        assert_eq!(lambda.process.wait(), Some(1), "{fault:?}\n{:?}", lambda.process);
        let violations = lambda.emulator.violations();
        assert!(violations.is_empty(), "{fault:?}: {violations:?}");
    }
}

#[test]
fn a_signal_at_any_stage_lets_the_invocation_in_flight_be_answered() {
    for language in PROBE_LANGUAGES {
        for signal in ["TERM", "INT"] {
            let (_folder, lambda) = Lambda::probe(language);
            lambda.invoke(ask("count"));
            let emulator = lambda.emulator.clone();
            let waits = std::thread::spawn(move || {
                emulator.invoke_blocking(json!({"do": "wait", "ms": 300}))
            });
            let handed_out = || {
                let records = lambda.emulator.records();
                records.iter().any(|record| record.handed_out > record.accepted).then_some(())
            };
            eventually("the event is handed out", handed_out);
            lambda.process.signal(signal);
            let outcome = waits.join().unwrap();
            assert!(outcome.is_response(), "{} {signal}: {outcome:?}", language.engine);
            assert_eq!(lambda.process.wait(), Some(0), "{} {signal}", language.engine);
            lambda.emulator.assert_clean();
        }
    }
}

#[test]
fn a_signal_while_the_function_is_loaded_ends_the_process_before_it_takes_an_event() {
    for (name, source) in [
        ("app.py", "import time\nprint('loading')\ntime.sleep(0.5)\ndef handler(e, c): pass\n"),
        (
            "app.mjs",
            "console.log('loading');\nawait new Promise((resolve) => setTimeout(resolve, 500));\n\
             export const handler = () => {};\n",
        ),
        ("app.lua", "print('loading')\ntrine.sleep(0.5)\nreturn { handler = function() end }\n"),
    ] {
        for signal in ["TERM", "INT"] {
            let folder = Folder::new(&[(name, source)]);
            let lambda = Lambda::start(&folder, "app.handler");
            lambda.logged("loading");
            lambda.process.signal(signal);
            assert_eq!(lambda.process.wait(), Some(0), "{name} {signal}\n{:?}", lambda.process);
            assert!(lambda.emulator.log().is_empty(), "{name} {signal}");
        }
    }
}

#[test]
fn a_signal_while_a_request_arrives_lets_it_be_answered() {
    for language in PROBE_LANGUAGES {
        for signal in ["TERM", "INT"] {
            let folder = Folder::probe(language);
            let served = Served::start(&folder, &["--workers", "1"]);
            let mut connection = Connection::open(served.address);
            let head = "POST /?do=count HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n12";
            connection.write(head.as_bytes());
            // Until the worker has begun to read the request.
            assert_eq!(served.get("/?do=count").status, 200);
            served.process.signal(signal);
            std::thread::sleep(Duration::from_millis(50));
            connection.write(b"34");
            let reply = connection.receive("POST");
            assert_eq!(reply.status, 200, "{} {signal}: {reply:?}", language.engine);
            assert_eq!(served.process.wait(), Some(0), "{} {signal}", language.engine);
        }
    }
}
