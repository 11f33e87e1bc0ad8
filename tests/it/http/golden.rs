//! Events beside those of serverless-offline and SAM's local API: what both say of a request is on record (`golden`, made by
//! `.ci/record-events`), and what Trine says of it has to be that.

use crate::support::{Folder, Served, repository};
use serde_json::Value;
use std::fs;

const ECHO: &str =
    "export const handler = (event) => ({ statusCode: 200, body: JSON.stringify(event) });\n";
const ROUTE: &str = "[[route]]\npath = \"/v1/{proxy+}\"\nfunction = \"echo\"\n";

fn read(file: &str) -> Value {
    let path = repository().join("tests/it/http/golden").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Adds where a value does not say what is on record of it; it may say more.
fn compare(given: &Value, recorded: &Value, place: &str, problems: &mut Vec<String>) {
    match recorded {
        Value::Object(members) => {
            for (name, recorded) in members {
                compare(&given[name], recorded, &format!("{place}/{name}"), problems);
            }
        }
        _ if given == recorded => {}
        _ => problems.push(format!("{place} is {given}, not {recorded}")),
    }
}

fn compare_all(form: &str, folder: &Folder, arguments: &[&str]) {
    let served = Served::start(folder, arguments);
    let recorded = read("events.json");
    let mut problems = Vec::new();
    for request in read("requests.json").as_array().unwrap() {
        let text = |name: &str| request[name].as_str().unwrap_or_default();
        let headers = request["headers"].as_array().into_iter().flatten();
        let headers: Vec<(&str, &str)> =
            headers.map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect();
        let body = text("body").as_bytes();
        let reply = served.request(text("method"), text("target"), &headers, body);
        let place = format!("{form}: {}", text("name"));
        compare(&reply.json(), &recorded["events"][text("name")][form], &place, &mut problems);
        // Where AWS does otherwise than both tools, so does Trine; the reason stands beside the request.
        for place in request["otherwise"]["members"].as_array().into_iter().flatten() {
            let place = format!("{} is ", place.as_str().unwrap());
            if place.starts_with(form) {
                let before = problems.len();
                problems.retain(|problem| !problem.starts_with(&place));
                assert!(problems.len() < before, "{place}what both tools say");
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn events_of_http_apis_are_those_of_other_local_tools() {
    let folder = Folder::new(&[("echo.mjs", ECHO)]);
    compare_all("v2", &folder, &["echo.mjs"]);
}

#[test]
fn events_of_rest_apis_are_those_of_other_local_tools() {
    let folder = Folder::new(&[("echo.mjs", ECHO), ("trine.toml", ROUTE)]);
    compare_all("v1", &folder, &["--event-format", "aws-v1"]);
}

#[test]
fn every_request_is_on_record() {
    let recorded = read("events.json");
    let requests = read("requests.json");
    for request in requests.as_array().unwrap() {
        let name = request["name"].as_str().unwrap();
        assert!(recorded["events"][name].is_object(), "{name}: run .ci/record-events");
    }
    assert_eq!(recorded["events"].as_object().unwrap().len(), requests.as_array().unwrap().len());
}
