//! The time until a fresh instance is ready.
//!
//! - `fresh instance`: in a process where the language is already up; an instance starts and loads an echo.
//! - `replacement after an answer`: the same, as a worker does it between two invocations, including the old one's end.
//! - `process start`: from exec to the first `/next`, with the page cache warm: what the first instance of a process
//!   costs cannot be had twice in one process.

use crate::{
    bed::{Guest, Served},
    bench,
    events::{KILOBYTE, mixed, parsed},
    language::LANGUAGES,
    process::{Lambda, Program},
};
use criterion::{Criterion, SamplingMode};
use std::time::Duration;

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("recycling");
    // Milliseconds each: every sample gets the same number of them.
    group.sampling_mode(SamplingMode::Flat);
    let event = mixed(KILOBYTE);
    for language in LANGUAGES {
        let make = || Guest::new(language, language.echo, &event, &parsed(&event));
        bench(&mut group, "fresh instance", language.id, make, |guest, count| {
            guest.renewals(count)
        });
    }
    for language in LANGUAGES {
        let make = || {
            let served = Served::worn_by_one(language, language.echo);
            assert_eq!(served.answer(&event), parsed(&event), "the answer in {}", language.id);
            served
        };
        bench(&mut group, "replacement after an answer", language.id, make, |served, count| {
            served.replacements(&event, count)
        });
    }
    for language in LANGUAGES {
        let make = || {
            let mut lambda = Lambda::new(Program::trine(language));
            lambda.start();
            lambda.check(&event);
            lambda.stop();
            lambda
        };
        bench(&mut group, "process start", language.id, make, |lambda, count| {
            let start = |_| {
                let taken = lambda.start();
                lambda.stop();
                taken
            };
            (0..count).map(start).sum::<Duration>()
        });
    }
    group.finish();
}
