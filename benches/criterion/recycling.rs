//! How soon a fresh instance is there.
//!
//! - `fresh instance`: in a process in which the language is up already; an instance starts and loads an echo.
//! - `replacement after an answer`: the same as a worker does it between two invocations, with the end of the old one.
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
    // Milliseconds each: as many of them in every sample.
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
