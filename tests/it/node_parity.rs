//! JavaScript's handlers, beside what Lambda's own clients for Node.js were recorded to answer: `node_parity/cases.json` says
//! what is called, `.ci/record-node` has made the records and compares, `otherwise.json` is what Trine answers otherwise, and
//! why. Nothing may stand there that is not so.

use crate::support::repository;
use serde_json::Value;
use std::{collections::HashSet, fs, process::Command};

fn read(file: &str) -> Value {
    let file = repository().join("tests/it/node_parity").join(file);
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// Holds Trine's answers to the cases of a group against the records, under each set of rules.
#[track_caller]
fn compare(group: &str) {
    let output = Command::new("python3")
        .arg(repository().join(".ci/record-node"))
        .args(["--group", group, env!("CARGO_BIN_EXE_trine")])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.matches(" cases, 0 differ").count(), 3, "{text}");
}

#[test]
fn handlers_are_found_by_the_same_names() {
    compare("names");
}

#[test]
fn functions_that_cannot_be_loaded_are_told_alike() {
    compare("init");
}

#[test]
fn handlers_may_have_the_same_forms() {
    compare("forms");
}

#[test]
fn what_is_thrown_is_told_alike() {
    compare("throws");
}

#[test]
fn results_become_the_same_texts() {
    compare("results");
}

#[test]
fn events_become_the_same_values() {
    compare("events");
}

#[test]
fn contexts_are_the_same() {
    compare("context");
}

#[test]
fn logs_are_the_same() {
    compare("logs");
}

#[test]
fn streams_are_the_same() {
    compare("streams");
}

#[test]
fn processes_look_the_same() {
    compare("process");
}

#[test]
fn modules_are_found_by_the_same_rules() {
    compare("modules");
}

#[test]
fn what_is_left_behind_goes_on_alike() {
    compare("loop");
}

#[test]
fn ends_of_the_process_are_told() {
    compare("ends");
}

#[test]
fn every_group_of_cases_has_its_test_and_every_exception_its_reason() {
    let source = include_str!("node_parity.rs");
    for group in read("cases.json").as_object().unwrap().keys() {
        assert!(source.contains(&format!("compare(\"{group}\")")), "{group} has no test");
    }
    let listed = read("otherwise.json");
    let mut known = HashSet::new();
    for it in listed.as_array().unwrap() {
        assert!(it["why"].as_str().is_some_and(|why| !why.is_empty()), "{it} has no reason");
        for rules in it["rules"].as_array().unwrap() {
            assert!(known.insert((it["case"].as_str(), rules)), "{it} is listed twice");
        }
    }
}
