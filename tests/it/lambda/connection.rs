//! The connection to the Runtime API: what becomes of it while nobody looks, and what comes over it.

use crate::support::{Folder, Lambda, PROBE_LANGUAGES, Platform, ask, in_each_language};
use serde_json::json;
use std::{thread, time::Duration};
use trine_emulator::{Event, rule};

#[test]
fn an_answer_finds_another_way_when_its_connection_ended_while_the_process_stood_still() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        let (platform, process) = Platform::start(&folder, "probe.handler", |_| {});
        let mut first = platform.accept(&process);
        first.hand_out(&json!({"do": "wait", "ms": 400, "note": "done"}));
        thread::sleep(Duration::from_millis(150));
        process.signal("STOP");
        drop(first);
        // What it waits for is over when it goes on: the answer and the connection's end come to it at once.
        thread::sleep(Duration::from_millis(500));
        process.signal("CONT");
        let mut second = platform.accept(&process);
        let (line, body) = second.request();
        assert_eq!(line, "POST /2018-06-01/runtime/invocation/one/response HTTP/1.1");
        assert_eq!(body, "\"done\"", "{}", language.engine);
        second.accepted();
        let (line, _) = second.request();
        assert!(line.starts_with("GET "), "{}: {line}", language.engine);
        process.signal("TERM");
        assert_eq!(process.wait(), Some(0), "{}", language.engine);
    }
}

in_each_language! {
    an_event_may_come_with_as_many_headers_as_fit_into_a_megabyte(language) {
        let (_folder, lambda) = Lambda::probe(language);
        let with = |count: usize, length: usize| Event {
            headers: (0..count).map(|n| (format!("x-{n}"), "v".repeat(length))).collect(),
            ..Event::from(ask("count"))
        };
        for (nth, event) in [with(0, 0), with(120, 1), with(0, 0), with(10_000, 60), with(9, 110_000)]
            .into_iter()
            .enumerate()
        {
            assert_eq!(lambda.invoke(event), nth + 1);
        }
        assert_eq!(lambda.process.status(), None);
        // The first large head was not read to its end, and was asked for again.
        let rules = lambda.emulator.violations().into_iter().map(|violation| violation.rule);
        assert!(rules.clone().all(|broken| broken == rule::NEXT_WHILE_RUNNING), "{rules:?}");
        assert!(rules.count() <= 1);
    }
}
