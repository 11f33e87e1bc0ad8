//! Triggers of brokers that make no sense, and what is said of them.

use crate::support::{Folder, run, trine};
use serde_json::Value;

#[test]
fn what_makes_no_sense_is_refused_with_its_line() {
    let folder = Folder::new(&[("work.lua", "return { handler = print }")]);
    for (file, line, part) in [
        ("kind = \"sqs\"", 1, "the trigger has no 'queue'"),
        ("kind = \"mqtt\"", 1, "the trigger has no 'broker'"),
        ("kind = \"mqtt\"", 1, "the trigger has no 'topic'"),
        ("kind = \"nats\"", 1, "the trigger has no 'server'"),
        ("kind = \"cron\"", 1, "the trigger has no 'cron'"),
        ("kind = \"sqss\"", 2, "use cron or sqs or mqtt or nats; did you mean 'sqs'?"),
        (
            "kind = \"sqs\"\nqueue = \"a\"\ntopic = \"a\"",
            4,
            "a trigger of the kind 'sqs' has kind, name",
        ),
        ("kind = \"sqs\"\nqeue = \"a\"", 3, "did you mean 'queue'?"),
        ("kind = \"sqs\"\nqueue = \"my orders\"", 3, "it is no name of a queue"),
        ("kind = \"sqs\"\nqueue = \"a\"\nbatch-size = 11", 4, "use a whole number from 1 to 10"),
        ("kind = \"sqs\"\nqueue = \"a\"\nwait = \"30s\"", 4, "the most is 20s"),
        ("kind = \"sqs\"\nqueue = \"a\"\nendpoint = \"localhost\"", 4, "it is no URL"),
        (
            "kind = \"sqs\"\nqueue = \"a\"\nmax-attempts = 3",
            4,
            "without a 'dead-letter' a message stays",
        ),
        (
            "kind = \"sqs\"\nqueue = \"a\"\nreport-batch-item-failures = \"yes\"",
            4,
            "use true or false, without quotes",
        ),
        ("kind = \"mqtt\"\nbroker = \"mqtt://me:s3cret@\"\ntopic = \"a\"", 3, "it names no host"),
        (
            "kind = \"mqtt\"\nbroker = \"mqtt://h\"\ntopic = [\"a\", \"b#\"]",
            4,
            "topic = \"b#\": # stands for",
        ),
        (
            "kind = \"mqtt\"\nbroker = \"mqtt://h\"\ntopic = \"a\"\nqos = 3",
            5,
            "use a whole number from 0 to 2",
        ),
        ("kind = \"mqtt\"\nbroker = \"mqtt://h\"\ntopic = []", 4, "use at least one text"),
        (
            "kind = \"mqtt\"\nbroker = \"mqtt://h\"\ntopic = \"a\"\npassword-file = \"nowhere\"",
            5,
            "nowhere cannot be read",
        ),
        (
            "kind = \"mqtt\"\nbroker = \"mqtt://h\"\ntopic = \"a\"\nbackoff = \"2m\"\nlongest-backoff = \"1m\"",
            6,
            "shorter than the first pause",
        ),
        ("kind = \"nats\"\nserver = \"nats://h\"", 1, "neither 'subject' nor 'stream'"),
        ("kind = \"nats\"\nserver = \"nats://h\"\nstream = \"S\"", 4, "name it with 'durable'"),
        (
            "kind = \"nats\"\nserver = \"nats://h\"\nsubject = \"a\"\nmax-attempts = 2",
            5,
            "without a stream a message comes once",
        ),
        (
            "kind = \"nats\"\nserver = \"tls://h\"\nsubject = \"a\"\nca-file = \"nowhere\"",
            5,
            "ca-file = \"nowhere\": there is no such file",
        ),
        (
            "kind = \"nats\"\nserver = \"http://h\"\nsubject = \"a\"",
            3,
            "write nats://host or tls://host",
        ),
    ] {
        folder.write("trine.toml", format!("[[trigger]]\n{file}\nfunction = \"work\"\n"));
        let finished = run(trine(&folder, &["check"]));
        let lines: Vec<&str> = finished.stdout.lines().collect();
        let place = format!("trine.toml:{line}: ");
        let is_told = lines.iter().any(|told| told.starts_with(&place) && told.contains(part));
        assert!(finished.code == Some(1) && is_told, "{file}\n{part}\n{finished:?}");
        assert!(!finished.stdout.contains("s3cret"), "{finished:?}");
    }
}

#[test]
fn every_kind_has_its_keys_in_the_schema() {
    let folder = Folder::new(&[]);
    let finished = run(trine(&folder, &["schema"]));
    let schema: Value = serde_json::from_str(&finished.stdout).unwrap();
    let trigger = &schema["properties"]["trigger"]["items"];
    let rules = trigger["allOf"].as_array().unwrap();
    let kinds: Vec<&str> = rules
        .iter()
        .map(|rule| rule["if"]["properties"]["kind"]["const"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["cron", "sqs", "mqtt", "nats"]);
    for (rule, required) in
        rules.iter().zip([&["cron"][..], &["queue"], &["broker", "topic"], &["server"]])
    {
        assert_eq!(rule["then"]["required"], serde_json::json!(required));
        assert_eq!(rule["then"]["properties"].get("queue").is_some(), required != ["queue"]);
    }
    assert_eq!(trigger["required"], serde_json::json!(["kind"]));
}
