//! Web applications, beside what the servers that people use were recorded to do with them: `tests/web/cases.json` says
//! what is sent, `.ci/web-parity` has made the records, `otherwise.json` is what Trine does otherwise, and why. Nothing may
//! stand there that is not so.

mod client;

use crate::support::{Folder, Served, repository, trine};
use client::play;
use serde_json::{Map, Value, json};
use std::{collections::HashSet, fs};

/// Applications, by the interface that they have, and what each is called.
const APPLICATIONS: [(&str, &str); 4] =
    [("asgi", "asgi:app"), ("wsgi", "wsgi:app"), ("node", "node.mjs"), ("fetch", "fetch.mjs")];

fn read(file: &str) -> Value {
    let path = repository().join("tests/web").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Returns the cases of a group that an application takes part in.
fn cases_of<'a>(cases: &'a Value, group: &str, application: &str) -> Vec<&'a Value> {
    let has_part = |case: &&Value| match case["apps"].as_array() {
        Some(names) => names.iter().any(|name| name == application),
        None => true,
    };
    cases[group].as_array().unwrap().iter().filter(has_part).collect()
}

/// Returns the names that may differ everywhere for an application.
fn ignored<'a>(otherwise: &'a Value, kind: &str, application: &str) -> HashSet<&'a str> {
    let of = |name: &str| otherwise[kind][name].as_object().into_iter().flat_map(Map::keys);
    of("*").chain(of(application)).map(String::as_str).collect()
}

/// Returns an outcome without what may differ everywhere, header fields in the order of their names.
fn plain(outcome: &Value, otherwise: &Value, application: &str) -> Value {
    let mut outcome = outcome.clone();
    let headers = ignored(otherwise, "headers", application);
    let members = ignored(otherwise, "members", application);
    let without = |told: &mut Value| {
        if let Some(told) = told.as_object_mut() {
            told.retain(|name, _| !members.contains(name.as_str()));
        }
    };
    for answer in outcome["answers"].as_array_mut().into_iter().flatten() {
        if let Some(fields) = answer["headers"].as_array_mut() {
            fields.retain(|field| !headers.contains(field[0].as_str().unwrap()));
            fields.sort_by(|a, b| a[0].as_str().cmp(&b[0].as_str()));
        }
        if let Some(saw) = answer.get_mut("saw") {
            without(saw);
        }
    }
    outcome["seen"].as_array_mut().into_iter().flatten().for_each(without);
    outcome
}

/// Holds an application under `trine serve` against the record of a group.
#[track_caller]
fn compare(application: &str, group: &str) {
    let (cases, otherwise) = (read("cases.json"), read("otherwise.json"));
    let record = read(&format!("recorded/{application}.json"));
    let (_, name) = APPLICATIONS.into_iter().find(|(known, _)| *known == application).unwrap();
    let folder = Folder::new(&[]);
    let mut arguments = vec!["serve", name, "--port", "0", "--workers", "1"];
    if application == "wsgi" {
        // As many as gunicorn was given.
        arguments.extend(["--threads", "4"]);
    }
    let mut command = trine(&folder, &arguments);
    command.current_dir(repository().join("tests/web/apps")).env("PYTHONDONTWRITEBYTECODE", "1");
    let served = Served::of(command);
    let same = |a: &Value, b: &Value| {
        plain(a, &otherwise, application) == plain(b, &otherwise, application)
    };
    let mut problems = Vec::new();
    for case in cases_of(&cases, group, application) {
        let name = case["name"].as_str().unwrap();
        let given = play(case, served.address);
        let recorded = &record["answers"][name];
        let listed = otherwise["cases"].as_array().unwrap().iter();
        let listed = listed
            .filter(|item| item["app"] == application)
            .find(|item| item["case"] == name)
            .map(|item| &item["trine"]);
        match (same(&given, recorded), listed) {
            (true, None) => {}
            (false, Some(listed)) if same(&given, listed) => {}
            (true, Some(_)) => problems.push(format!("{name}: is no exception any more")),
            (false, _) => problems.push(format!(
                "{name}:\n  given    {given}\n  recorded {recorded}\n  listed   {}",
                json!(listed)
            )),
        }
    }
    assert!(problems.is_empty(), "{}\n{:?}", problems.join("\n"), served.process);
}

/// Makes a test of each group out of each application.
macro_rules! groups {
    ($($application:ident: $($group:ident),*;)*) => {
        const GROUPS: &[(&str, &str)] = &[$($((stringify!($application), stringify!($group)),)*)*];
        $(mod $application {
            $(#[test]
            fn $group() { super::compare(stringify!($application), stringify!($group)); })*
        })*
    };
}

groups! {
    asgi: requests, bodies, answers, faults, connections, websockets;
    wsgi: requests, bodies, answers, faults, connections, websockets;
    node: requests, bodies, answers, faults, connections, upgrades;
    fetch: requests, bodies, answers, faults, connections, websockets;
}

#[test]
fn every_case_is_recorded_and_run_and_every_exception_is_of_a_case() {
    let (cases, otherwise) = (read("cases.json"), read("otherwise.json"));
    let mut known = HashSet::new();
    for (application, _) in APPLICATIONS {
        let record = read(&format!("recorded/{application}.json"));
        let recorded = record["answers"].as_object().unwrap();
        let mut names = HashSet::new();
        for group in cases.as_object().unwrap().keys() {
            let of_group = cases_of(&cases, group, application);
            let is_run = GROUPS.contains(&(application, group.as_str()));
            assert!(is_run || of_group.is_empty(), "{group} of {application} is not run");
            for case in of_group {
                let name = case["name"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{name} is there twice");
                assert!(recorded.contains_key(name), "{application}: {name} is not on record");
            }
        }
        assert_eq!(recorded.len(), names.len(), "{application}: run .ci/web-parity --record");
        known.extend(names.into_iter().map(|name| (application, name)));
    }
    let mut listed = HashSet::new();
    for item in otherwise["cases"].as_array().unwrap() {
        let application = item["app"].as_str().unwrap();
        let name = item["case"].as_str().unwrap().to_owned();
        assert!(item["why"].is_string(), "{item} has no reason");
        assert!(known.contains(&(application, name.clone())), "{item} is no case");
        assert!(listed.insert((application, name)), "{item} is listed twice");
    }
}
