//! `trine event`, events by name, and events that are no JSON.

use crate::support::{
    Finished, Folder, LANGUAGES, PROBE_LANGUAGES, Served, run, run_with_input, trine,
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
};

fn event(arguments: &[&str]) -> Finished {
    run(trine(&Folder::new(&[]), &[&["event"], arguments].concat()))
}

fn made(arguments: &[&str]) -> Value {
    let finished = event(arguments);
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{finished:?}");
    serde_json::from_str(&finished.stdout).unwrap()
}

#[test]
fn an_event_is_json_that_is_the_same_each_time() {
    let arguments = ["s3", "--bucket", "b", "--key", "a b.txt", "--action=copy"];
    let first = event(&arguments);
    assert!(
        first.stdout.starts_with("{\n  \"Records\": [\n    {\n      \"eventVersion\": \"2.1\",\n")
    );
    assert_eq!(event(&arguments).stdout, first.stdout);
    let event: Value = serde_json::from_str(&first.stdout).unwrap();
    let record = &event["Records"][0];
    assert_eq!(record["eventName"], "ObjectCreated:Copy");
    assert_eq!(record["s3"]["bucket"]["arn"], "arn:aws:s3:::b");
    assert_eq!(record["s3"]["object"]["key"], "a+b.txt");
    assert_eq!(
        made(&["http", "--header", "X-A: 1", "--header", "X-A: 2"])["headers"]["x-a"],
        "1,2"
    );
}

#[test]
fn every_event_of_the_list_can_be_made_and_shown() {
    let listed = event(&["list"]);
    assert_eq!(listed.code, Some(0));
    assert_eq!(event(&[]).stdout, listed.stdout);
    let all = made(&["list", "--json"]);
    let all = all.as_array().unwrap();
    assert!(all.len() > 30, "{}", all.len());
    for sample in all {
        let name = sample["name"].as_str().unwrap();
        assert!(listed.stdout.lines().any(|line| line.starts_with(&format!("{name} "))), "{name}");
    }
    for name in ["s3", "cognito", "apigw-v2"] {
        let shown = event(&["show", name]);
        assert!(shown.stdout.starts_with(&format!("{name}: ")), "{shown:?}");
        assert_eq!(event(&[name, "--help"]).stdout, shown.stdout);
        let sample = all.iter().find(|sample| sample["name"] == name).unwrap();
        for option in sample["options"].as_array().unwrap() {
            let option = format!("--{} ", option["name"].as_str().unwrap());
            assert!(
                shown.stdout.contains(&option) && listed.stdout.contains(option.trim()),
                "{option}"
            );
        }
    }
}

#[test]
fn wrong_names_and_options_are_told_with_the_nearest() {
    for (arguments, told) in [
        (&["dynamdb"][..], "there is no sample event 'dynamdb': did you mean 'dynamodb'?"),
        (&["show", "sns3"], "there is no sample event 'sns3'"),
        (&["s3", "--buckte", "b"], "the event 's3' has no option --buckte: did you mean --bucket?"),
        (&["s3", "--bucket"], "--bucket wants a value: --bucket TEXT"),
        (&["s3", "--action", "move"], "--action takes one of put, post,"),
        (&["eventbridge", "--detail", "{a}"], "--detail is no JSON: "),
        (&["s3", "b"], "\"b\" is no option of the event 's3'"),
        (&["show"], "which event?"),
    ] {
        let finished = event(arguments);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{finished:?}");
        assert!(finished.stderr.starts_with("error: "), "{finished:?}");
        assert!(finished.stderr.contains(told), "{told}: {finished:?}");
    }
}

#[test]
fn whoever_stops_reading_sees_no_complaint() {
    let folder = Folder::new(&[]);
    let mut child = trine(&folder, &["event", "sqs", "--count", "10000"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let head = Command::new("head").arg("-1").stdin(child.stdout.take().unwrap()).output().unwrap();
    assert_eq!(head.stdout, b"{\n");
    let finished = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&finished.stderr), "");
}

fn invoke(folder: &Folder, arguments: &[&str]) -> Finished {
    run(trine(folder, &[&["invoke", "probe.handler", "--json"], arguments].concat()))
}

#[test]
fn a_function_is_invoked_with_an_event_by_its_name() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        for (name, line) in [
            ("@s3", &["s3"][..]),
            ("@sqs?queue=q&body=a%20b", &["sqs", "--queue", "q", "--body", "a b"]),
        ] {
            let finished = invoke(&folder, &["--event", name]);
            let seen: Value = serde_json::from_str(&finished.stdout).unwrap();
            assert_eq!(seen, made(line), "{finished:?}");
        }
    }
    let folder = Folder::probe(LANGUAGES[4]);
    for (name, told) in [
        ("@sq", "error: there is no sample event 'sq': did you mean 'sqs'?"),
        ("@", "error: which event? 'trine event list' shows them all"),
        (
            "@probe.lua",
            "error: there is no sample event 'probe.lua': 'trine event list' shows them all; a file is named without @: --event probe.lua\n",
        ),
        ("@sqs?boddy=1", "error: the event 'sqs' has no option --boddy: did you mean --body?"),
    ] {
        let finished = invoke(&folder, &["--event", name]);
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(2), ""), "{finished:?}");
        assert!(finished.stderr.starts_with(told), "{finished:?}");
    }
    folder.write("@s3", "\"a file\"");
    assert_eq!(invoke(&folder, &["--event", "@s3"]).stdout, "\"a file\"\n");
}

#[test]
fn an_event_that_is_no_json_is_told_with_line_column_and_a_mark() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        folder.write("order.json", "\u{feff}{\n  \"é\": 1\n  \"b\": 2\n}\n");
        let finished = invoke(&folder, &["--event", "order.json"]);
        assert_eq!(finished.code, Some(4), "{finished:?}");
        assert_eq!(
            finished.stderr,
            "error: Runtime.UnmarshalError: order.json is no JSON at line 3, column 3: expected `,` or `}`\n  \
             3 |   \"b\": 2\n    |   ^\n"
        );
        let document: Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!(document["errorType"], "Runtime.UnmarshalError");
    }
    // Nothing was loaded for it.
    let folder =
        Folder::new(&[("probe.mjs", "console.error('loaded'); export const handler = () => 1;")]);
    for (event, told) in [
        (
            "{'a': 1}",
            "column 2: strings and names are written in double quotes\n  1 | {'a': 1}\n    |  ^\n",
        ),
        ("[1,]", "column 4: a comma stands before the end\n  1 | [1,]\n    |    ^\n"),
        ("{\"a\"", "it ends inside of an object\n  1 | {\"a\"\n    |     ^\n"),
    ] {
        let finished = run(trine(&folder, &["invoke", "probe.handler", "--event", event]));
        assert_eq!((finished.code, finished.stdout.as_str()), (Some(4), ""), "{finished:?}");
        assert!(finished.stderr.ends_with(told), "{finished:?}");
        assert!(!finished.stderr.contains("loaded"), "{finished:?}");
    }
    let command = trine(&folder, &["invoke", "probe.handler", "--event", "-"]);
    let finished = run_with_input(command, b"\xff\xfe{\0}\0");
    assert_eq!(finished.code, Some(4));
    let told = "the event on standard input is no JSON at line 1, column 1: it is UTF-16; save it as UTF-8";
    assert!(finished.stderr.contains(told), "{finished:?}");
}

#[test]
fn what_python_reads_is_left_to_it() {
    let folder = Folder::probe(LANGUAGES[3]);
    let finished = invoke(&folder, &["--event", "[NaN, -Infinity]"]);
    assert_eq!(finished.stdout, "[NaN, -Infinity]\n", "{finished:?}");
    let folder = Folder::probe(LANGUAGES[4]);
    assert_eq!(invoke(&folder, &["--event", "[NaN]"]).code, Some(4));
}

/// Returns the paths of an event's members; names of headers and the like are the request's own.
fn members(event: &Value, path: &str, found: &mut BTreeSet<String>) {
    for (name, value) in event.as_object().into_iter().flatten() {
        let path = format!("{path}/{name}");
        // Only where somebody is let in by one.
        if name == "authorizer" {
            continue;
        }
        if !["headers", "multiValueHeaders"].contains(&name.as_str()) {
            members(value, &path, found);
        }
        found.insert(path);
    }
}

#[test]
fn requests_have_the_members_that_the_server_gives_them() {
    let source =
        "export const handler = (event) => ({ statusCode: 200, body: JSON.stringify(event) });";
    let folder = Folder::new(&[("app.mjs", source)]);
    for (form, sample, more) in [
        ("aws-v2", "apigw-v2", &["--cookie", "c=d"][..]),
        ("function-url", "function-url", &["--cookie", "c=d"]),
        ("aws-v1", "apigw-v1", &[]),
        ("alb", "alb", &[]),
        ("alb-multi-value", "alb", &["--multi-value"]),
        ("scaleway", "scaleway", &[]),
    ] {
        let mut arguments = vec!["app.mjs", "--workers", "1", "--event-format", form];
        if form == "scaleway" {
            arguments.push("--local");
        }
        let served = Served::start(&folder, &arguments);
        let headers =
            [("content-type", "application/json"), ("cookie", "c=d"), ("user-agent", "me")];
        for (method, body) in [("GET", ""), ("PUT", "{}")] {
            let reply = served.request(method, "/a?b=1", &headers, body.as_bytes());
            assert_eq!(reply.status, 200, "{form}: {}", reply.text());
            let mut line = vec![sample, "--method", method, "--path", "/a", "--query", "b=1"];
            line.extend(more);
            if !body.is_empty() {
                line.extend(["--body", body]);
            }
            let [mut theirs, mut ours] = [BTreeSet::new(), BTreeSet::new()];
            members(&reply.json(), "", &mut theirs);
            members(&made(&line), "", &mut ours);
            assert_eq!(ours, theirs, "{form} {method}");
        }
    }
}
