//! The cost of hooks: an echo of 1 KB with `before` hooks around it, in the handler's language, and in
//! languages that alternate so that the event crosses from one to another at every step. Without a front door.

use crate::{
    bed::Served,
    bench,
    events::{KILOBYTE, mixed, parsed},
    language::{LANGUAGES, Language},
};
use criterion::{Criterion, Throughput};

/// Numbers of hooks.
const COUNTS: [usize; 4] = [1, 2, 4, 8];

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pipeline");
    group.throughput(Throughput::Bytes(KILOBYTE as u64));
    let mut add = |question: &str, language: Language, hooks: &[Language]| {
        let event = mixed(KILOBYTE);
        let make = || {
            let served = Served::new((language, language.echo), hooks);
            let mut answer = parsed(&event);
            if !hooks.is_empty() {
                answer["hooks"] = hooks.len().into();
            }
            assert_eq!(served.answer(&event), answer, "the answer in {}", language.id);
            served
        };
        bench(&mut group, question, language.id, make, |served, count| {
            served.invocations(&event, count)
        });
    };
    for language in LANGUAGES {
        add("no hook", language, &[]);
    }
    for count in COUNTS {
        let hooks = if count == 1 { "hook" } else { "hooks" };
        for language in LANGUAGES {
            add(&format!("{count} {hooks}, same language"), language, &vec![language; count]);
        }
        for (at, language) in LANGUAGES.into_iter().enumerate() {
            // The last one is next to the handler.
            let other = |distance: usize| LANGUAGES[(at + distance) % LANGUAGES.len()];
            let others: Vec<Language> = (1..=count).rev().map(other).collect();
            add(&format!("{count} {hooks}, alternating languages"), language, &others);
        }
    }
    group.finish();
}
