//! A long mixed run: every kind of answer, failure and end, in each language, with hooks of two languages around the
//! handler. Answers are counted; memory, descriptors and threads must not grow.
//!
//! `make soak` runs 100 000 invocations for each language (`TRINE_SOAK` sets another number); the ordinary test run
//! makes a few thousand.

use crate::support::{Folder, LANGUAGES, LIMIT, Lambda, Language, eventually};
use serde_json::{Value, json};
use std::{
    env, fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};
use trine_emulator::{Answer, EmulatorOptions, Event, Observer, Outcome, Source};

/// Invocations for each language in the ordinary test run.
const SHORT: u64 = 3_000;
/// Number of invocations after which the memory of a long run is the baseline.
const WARM: u64 = 10_000;
/// Resident memory at the end of a long run, in hundredths of the baseline.
const LONG_GROWTH: u64 = 105;
/// The same for a short run, whose interpreters have barely warmed up at the baseline.
const SHORT_GROWTH: u64 = 130;
/// The function's timeout: the time that hanging or spinning costs.
const TIMEOUT: Duration = Duration::from_millis(500);

const JS: Language = LANGUAGES[0];
const PYTHON: Language = LANGUAGES[3];
const LUA: Language = LANGUAGES[4];

#[test]
fn javascript_with_lua_around_it() {
    soak(JS, LUA);
}

#[test]
fn python_with_javascript_around_it() {
    soak(PYTHON, JS);
}

#[test]
fn lua_with_python_around_it() {
    soak(LUA, PYTHON);
}

/// The answers of a run.
#[derive(Default)]
struct Tally {
    answered: AtomicU64,
    wrong: AtomicU64,
    first_wrong: std::sync::Mutex<String>,
}

impl Tally {
    fn see(&self, outcome: &Outcome, last: &str) {
        let number = self.answered.fetch_add(1, Ordering::Relaxed);
        if let Err(what) = check(number, outcome, last)
            && self.wrong.fetch_add(1, Ordering::Relaxed) == 0
        {
            *self.first_wrong.lock().unwrap() = format!("invocation {number}: {what}");
        }
    }
}

/// Returns what an invocation is asked to do: usually to answer.
fn what(number: u64) -> &'static str {
    match number {
        n if n % 1_500 == 1_199 => "spin",
        n if n % 1_500 == 499 => "hang",
        n if n % 1_000 == 749 => "exit",
        n if n % 20 == 7 => "fail",
        n if n % 10 == 3 => "wait",
        _ => "echo",
    }
}

/// Returns the bytes of padding: 1 KB, now and then 64 KB, rarely 1 MB.
fn size(number: u64) -> usize {
    match number {
        n if n % 500 == 5 => 1_000_000,
        n if n % 50 == 25 => 64_000,
        _ => 1_000,
    }
}

fn event(number: u64) -> Event {
    let pad = "x".repeat(size(number));
    Event::from(json!({"do": what(number), "number": number, "pad": pad}))
}

fn check(number: u64, outcome: &Outcome, last: &str) -> Result<(), String> {
    let shown = || format!("{:.300}", format!("{outcome:?}"));
    let expected = match what(number) {
        "fail" => "TypeError",
        "spin" | "hang" => "Function.Timeout",
        "exit" => "Runtime.ExitError",
        _ => {
            let Answer::Response { .. } = &outcome.result else { return Err(shown()) };
            let answer = outcome.json();
            let right = answer["number"] == number
                && answer["last"] == last
                && answer["stamps"].as_array().is_some_and(|stamps| stamps.len() == 2)
                && answer["pad"].as_str().is_some_and(|pad| pad.len() == size(number));
            return if right { Ok(()) } else { Err(shown()) };
        }
    };
    let found = outcome.json();
    if found["errorType"] == expected {
        return Ok(());
    }
    Err(format!("{} instead of {expected}: {}", found["errorType"], shown()))
}

/// The resources that must not grow.
#[derive(Debug, Clone, Copy)]
struct Usage {
    resident: u64,
    descriptors: usize,
    threads: usize,
}

fn usage(lambda: &Lambda) -> Usage {
    let descriptors = fs::read_dir(format!("/proc/{}/fd", lambda.process.id)).unwrap().count();
    Usage {
        resident: lambda.process.kilobytes("VmRSS:"),
        descriptors,
        threads: lambda.process.threads().len(),
    }
}

/// Returns the median of several samples, because resident memory goes up and down with garbage.
fn settled(lambda: &Lambda) -> Usage {
    let mut looks: Vec<Usage> = (0..9)
        .map(|_| {
            thread::sleep(Duration::from_millis(10));
            usage(lambda)
        })
        .collect();
    looks.sort_by_key(|look| look.resident);
    looks[4]
}

fn soak(handler: Language, around: Language) {
    let asked =
        env::var("TRINE_SOAK").ok().map(|text| text.parse().expect("TRINE_SOAK is a number"));
    let count: u64 = asked.unwrap_or(SHORT);
    let warm = if count > 2 * WARM { WARM } else { count / 2 };
    let folder = Folder::new(&[]);
    folder.write(&format!("soak.{}", handler.extension), source("handler", handler));
    folder.write(&format!("middlewares/outer.{}", around.extension), source("stamp", around));
    folder.write(&format!("middlewares/inner.{}", handler.extension), source("stamp", handler));
    let tally = Arc::<Tally>::default();
    let (seen, last) = (tally.clone(), around.engine);
    let options = EmulatorOptions {
        timeout: TIMEOUT,
        init_timeout: LIMIT,
        // With more, V8's young generation comes and goes by some 6 MB, which would hide a growth of 5 %.
        memory_mb: 256,
        log_length: 0,
        records_length: 0,
        source: Some(Source::counted(count, event)),
        observer: Some(Observer::new(move |outcome| seen.see(outcome, last))),
        ..EmulatorOptions::default()
    };
    let lambda = Lambda::under(options, &folder, |command| {
        command.env("_HANDLER", "soak.handler").env("TRINE_MIDDLEWARES", "outer,inner");
    });
    let reaches = |number: u64| {
        let mut before = u64::MAX;
        while tally.answered.load(Ordering::Relaxed) < number {
            let now = tally.answered.load(Ordering::Relaxed);
            assert!(
                now != before,
                "nothing is answered any more after {now}\n{:?}",
                lambda.process
            );
            before = now;
            eventually("another answer comes", || {
                let more = tally.answered.load(Ordering::Relaxed);
                (more >= number || more > now + 500).then_some(())
            });
        }
    };
    reaches(warm);
    let baseline = settled(&lambda);
    // Memory along the way: endless growth looks different from a single step.
    let resident: Vec<u64> = (1..=9)
        .map(|tenth| {
            reaches((count / 10 * tenth).max(warm));
            lambda.process.kilobytes("VmRSS:")
        })
        .collect();
    reaches(count);
    let end = settled(&lambda);
    let growth = end.resident * 100 / baseline.resident;
    let report = json!({
        "handler": handler.engine,
        "around": around.engine,
        "invocations": count,
        "baseline": shown(baseline),
        "end": shown(end),
        "residentKB": resident,
        "growth": format!("{growth} %"),
    });
    report_line(&report);
    let wrong = tally.wrong.load(Ordering::Relaxed);
    assert_eq!(wrong, 0, "{}", tally.first_wrong.lock().unwrap());
    assert_eq!(tally.answered.load(Ordering::Relaxed), count);
    let allowed = if count > 2 * WARM { LONG_GROWTH } else { SHORT_GROWTH };
    assert!(growth <= allowed, "resident memory grew: {report}");
    assert!(end.descriptors <= baseline.descriptors, "descriptors grew: {report}");
    assert!(end.threads <= baseline.threads, "threads grew: {report}");
    lambda.process.signal("TERM");
    assert_eq!(lambda.process.wait(), Some(0));
    lambda.emulator.assert_clean();
}

fn shown(usage: Usage) -> Value {
    json!({"residentKB": usage.resident, "descriptors": usage.descriptors, "threads": usage.threads})
}

#[expect(clippy::print_stdout, reason = "a soak's figures are what it is run for")]
fn report_line(report: &Value) {
    println!("soak: {report}");
}

fn source(what: &str, language: Language) -> &'static str {
    match (what, language.extension) {
        ("handler", "mjs") => include_str!("handler.mjs"),
        ("handler", "py") => include_str!("handler.py"),
        ("handler", "lua") => include_str!("handler.lua"),
        ("stamp", "mjs") => include_str!("stamp.mjs"),
        ("stamp", "py") => include_str!("stamp.py"),
        ("stamp", "lua") => include_str!("stamp.lua"),
        other => panic!("there is no {other:?}"),
    }
}
