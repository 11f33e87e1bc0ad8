//! The cost of an engine's single call: the event's text becomes the language's value, the function runs, its answer
//! becomes text. No worker, no watchdog, no front door. Bytes are those of the event; an echo's answer has as many.

use crate::{
    bed::Guest,
    bench,
    events::{KILOBYTE, SIZES, dense, mixed, order, parsed},
    language::{LANGUAGES, Language},
};
use bytes::Bytes;
use criterion::{Criterion, SamplingMode, Throughput};
use serde_json::Value;

/// Size above which an event takes milliseconds.
const MANY_BYTES: usize = 512 << 10;

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine call");
    let mut add =
        |question: &str, language: Language, source: &str, event: &Bytes, answer: &Value| {
            group.throughput(Throughput::Bytes(event.len() as u64));
            // Samples of growing size would take too long where a call takes milliseconds.
            let large = event.len() > MANY_BYTES;
            group.sampling_mode(if large { SamplingMode::Flat } else { SamplingMode::Auto });
            let make = || Guest::new(language, source, event, answer);
            bench(&mut group, question, language.id, make, |guest, count| {
                guest.calls(event, count)
            });
        };
    for (size, bytes) in SIZES {
        let event = mixed(bytes);
        let answer = parsed(&event);
        for language in LANGUAGES {
            add(&format!("echo, {size}"), language, language.echo, &event, &answer);
        }
    }
    let event = mixed(KILOBYTE);
    let answer = parsed(&event);
    for language in LANGUAGES {
        if let Some(source) = language.asynchronous {
            add("asynchronous echo, 1 KB", language, source, &event, &answer);
        }
    }
    for language in LANGUAGES {
        add("echo with a look at the context, 1 KB", language, language.context, &event, &answer);
    }
    for language in LANGUAGES {
        add("echo with a write to the state, 1 KB", language, language.state, &event, &answer);
    }
    let event = dense();
    let answer = parsed(&event);
    for language in LANGUAGES {
        add("echo of many small values, 1 KB", language, language.echo, &event, &answer);
    }
    let (event, answer) = order();
    for language in LANGUAGES {
        add("ten fields of 1 KB", language, language.ten_fields, &event, &answer);
    }
    group.finish();
}
