//! Cost of hooks and deadlines. Not run by default:
//! `cargo test --test it measure -- --ignored --nocapture --test-threads 1`.

use crate::support::{Folder, LIMIT, Lambda, Language, PROBE_LANGUAGES};
use serde_json::json;
use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use trine::{
    engines::Registry,
    handler::{SearchPaths, locate},
    pipeline::{MiddlewareNames, Plan, middleware_folders},
    worker::{Function, Worker, WorkerOptions},
};
use trine_emulator::EmulatorOptions;
use trine_engine::{
    Environment, FunctionInfo, Invocation, LogFormat, LogSettings, NullSink, Payload,
};

/// Invocations of a round.
const ROUND: u32 = 5_000;

fn handler(language: Language) -> &'static str {
    match language.engine {
        "js" => "export const handler = (event) => event;\n",
        "python" => "def handler(event, context):\n    return event\n",
        _ => "return { handler = function(event) return event end }\n",
    }
}

fn hook(language: Language) -> &'static str {
    match language.engine {
        "js" => "export const before = (event) => { event.seen = true; };\n",
        "python" => "def before(event, context):\n    event['seen'] = True\n",
        _ => "return { before = function(event) event.seen = true end }\n",
    }
}

/// Returns the microseconds of an invocation from event to answer, without a front door; the best of thirty rounds.
fn micros(language: Language, hooks: &[Language], deadline: Option<Duration>) -> f64 {
    let folder = Folder::new(&[(&format!("app.{}", language.extension), handler(language))]);
    let mut names = Vec::new();
    for (at, hook_language) in hooks.iter().enumerate() {
        let file = format!("middlewares/m{at}.{}", hook_language.extension);
        folder.write(&file, hook(*hook_language));
        names.push(format!("m{at}"));
    }
    let registry = Registry::built_in();
    let search = SearchPaths::new(folder.task());
    let located = locate("app.handler", &search, &registry).unwrap();
    let folders = middleware_folders(&folder.layers(), &folder.task(), &folder.task());
    let asked = MiddlewareNames { names, ..MiddlewareNames::default() };
    let plan = Plan::find(located, &asked, &folders, &registry).unwrap();
    let environment = Environment {
        layer_root: folder.layers(),
        function: FunctionInfo::default(),
        log: LogSettings { sink: Arc::new(NullSink), format: LogFormat::Text, level: None },
        main_thread: false,
        trace_in_environment: false,
        shares_process: false,
        lone_root: false,
        memory_limit: None,
    };
    let event = json!({"id": 7, "tags": ["a", "b"], "text": "x".repeat(950)}).to_string();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let worker = Rc::new(Worker::new(WorkerOptions::new(environment)));
        let function = Function::new(worker.clone(), plan);
        let mut best = f64::MAX;
        for _ in 0..30 {
            let start = Instant::now();
            for _ in 0..ROUND {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let invocation = Rc::new(Invocation {
                    request_id: "00000000-0000-4000-8000-000000000000".to_owned(),
                    deadline_ms: deadline.map(|deadline| (now + deadline).as_millis() as u64),
                    event_is_json: true,
                    ..Invocation::default()
                });
                let event = Payload::json(event.clone());
                let answer = function.invoke(event, &invocation, || None).await;
                let (result, claim) = answer.into_parts();
                assert!(claim.take());
                result.unwrap().into_bytes().unwrap();
            }
            best = best.min(start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUND));
        }
        worker.shutdown().await;
        best
    })
}

#[test]
#[ignore = "a measurement"]
fn hooks() {
    for language in PROBE_LANGUAGES {
        let engine = language.engine;
        let bare = micros(language, &[], None);
        let watched = micros(language, &[], Some(Duration::from_secs(60)));
        println!(
            "{engine}: no hook {bare:.2} µs; with a deadline {watched:.2} (+{:.2})",
            watched - bare
        );
        for count in [1, 2, 8] {
            let with = micros(language, &vec![language; count], None);
            let each = (with - bare) / count as f64;
            println!("{engine}: {count} of its own {with:.2} µs (+{each:.2} each)");
        }
        for other in PROBE_LANGUAGES.into_iter().filter(|other| *other != language) {
            let with = micros(language, &[other], None);
            println!("{engine}: one in {} {with:.2} µs (+{:.2})", other.engine, with - bare);
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn time_limits() {
    for (name, source) in [
        ("app.mjs", "export const handler = () => { for (;;); };\n"),
        ("app.py", "def handler(event, context):\n    while True: pass\n"),
        ("app.lua", "return { handler = function() while true do end end }\n"),
    ] {
        let folder = Folder::new(&[(name, source)]);
        let limit = Duration::from_secs(1);
        let options =
            EmulatorOptions { timeout: limit, init_timeout: LIMIT, ..EmulatorOptions::default() };
        let lambda = Lambda::under(options, &folder, |command| {
            command.env("_HANDLER", "app.handler");
        });
        let mut late: Vec<f64> = (0..7)
            .map(|_| {
                let answered = lambda.outcome(json!({})).duration;
                (answered.as_secs_f64() - limit.as_secs_f64()) * 1e3
            })
            .collect();
        late.sort_by(f64::total_cmp);
        println!(
            "{name}: an endless loop is answered at the limit {:+.1} ms (median of 7, {late:.1?})",
            late[3]
        );
    }
}
