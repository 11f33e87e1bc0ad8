//! Messages of a plug-in, in the forms that users set.

use crate::support::Guest;
use serde_json::Value;
use trine_engine::{Level, LogFormat};

#[test]
fn a_message_is_a_line_with_time_request_and_level() {
    let guest = Guest::new("get: log 3 low on disk\n");
    guest.answer("get", "null").unwrap();
    guest.answer("get", "\"long\"").unwrap();
    let text = guest.log.text();
    let lines: Vec<_> = text.lines().map(|line| line.split_once('\t').unwrap().1).collect();
    assert_eq!(lines, ["id-1\tWARN\tlow on disk", "other-id\tWARN\tlow on disk"]);
}

#[test]
fn a_message_outside_of_calls_belongs_to_none() {
    let guest = Guest::new("get: log 3 a\n");
    guest.answer("get", "null").unwrap();
    guest.instance.shutdown();
    assert!(guest.log.text().ends_with("\tundefined\tINFO\tbye\n"), "{}", guest.log.text());
}

#[test]
fn a_message_in_json_has_the_same_members_and_levels_are_heeded() {
    let guest = Guest::within("low: log 1 unseen\nhigh: log 9 seen\n", |environment| {
        environment.log.format = LogFormat::Json;
        environment.log.level = Some(Level::Warn);
    });
    guest.answer("low", "null").unwrap();
    guest.answer("high", "null").unwrap();
    let text = guest.log.text();
    let line: Value = serde_json::from_str(&text).expect("one line");
    assert_eq!(
        (&line["level"], &line["requestId"], &line["message"]),
        (&"FATAL".into(), &"id-1".into(), &"seen".into())
    );
}
