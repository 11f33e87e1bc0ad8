//! How long things take from the platform's side. Not run by default:
//! `cargo test --test it measure -- --ignored --nocapture --test-threads 1`.

use crate::support::{Folder, LIMIT, Lambda, Language, PROBE_LANGUAGES, eventually};
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use trine_testkit::emulator::{EmulatorOptions, Event, Observer, Source};

const COUNT: u64 = 20_000;

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

/// Median time from an event's handing out to its answer, in microseconds, best of three runs.
fn median(language: Language, hooks: &[Language]) -> f64 {
    let run = || {
        let folder = Folder::new(&[(&format!("app.{}", language.extension), handler(language))]);
        let mut names = Vec::new();
        for (at, hook_language) in hooks.iter().enumerate() {
            let file = format!("middlewares/m{at}.{}", hook_language.extension);
            folder.write(&file, hook(*hook_language));
            names.push(format!("m{at}"));
        }
        let times = Arc::<Mutex<Vec<Duration>>>::default();
        let seen = times.clone();
        let event = Event::from(json!({"id": 7, "tags": ["a", "b"], "text": "x".repeat(950)}));
        let options = EmulatorOptions {
            timeout: LIMIT,
            init_timeout: LIMIT,
            log_length: 0,
            records_length: 0,
            source: Some(Source::counted(COUNT, move |_| event.clone())),
            observer: Some(Observer::new(move |outcome| {
                seen.lock().unwrap().push(outcome.duration);
            })),
            ..EmulatorOptions::default()
        };
        let lambda = Lambda::under(options, &folder, |command| {
            command.env("_HANDLER", "app.handler").env("TRINE_MIDDLEWARES", names.join(","));
        });
        eventually("all are answered", || {
            (times.lock().unwrap().len() as u64 == COUNT).then_some(())
        });
        lambda.emulator.assert_clean();
        let mut times = std::mem::take(&mut *times.lock().unwrap());
        times.drain(..COUNT as usize / 10);
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e6
    };
    (0..3).map(|_| run()).fold(f64::MAX, f64::min)
}

#[test]
#[ignore = "a measurement"]
fn hooks() {
    for language in PROBE_LANGUAGES {
        let bare = median(language, &[]);
        println!("{}: no hook {bare:.1} µs", language.engine);
        for (what, hooks) in
            [("one of its own", vec![language]), ("eight of its own", vec![language; 8])]
        {
            let with = median(language, &hooks);
            println!("{}: {what} {with:.1} µs (+{:.1})", language.engine, with - bare);
        }
        for other in PROBE_LANGUAGES.into_iter().filter(|other| *other != language) {
            let with = median(language, &[other]);
            let (engine, around) = (language.engine, other.engine);
            println!("{engine}: one in {around} {with:.1} µs (+{:.1})", with - bare);
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
