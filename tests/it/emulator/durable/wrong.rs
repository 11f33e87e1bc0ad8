//! What functions and callers do wrong, and what they are told.

use super::*;
use crate::support::{LANGUAGES, run as run_to_end, trine};

/// Runs an execution that fails; returns the type and the message of its error.
fn failed(address: SocketAddr, input: &Value) -> (String, String) {
    let reply = run(address, input);
    assert_eq!(reply.header("x-amz-function-error"), Some("Unhandled"), "{reply:?}");
    let text = |name: &str| reply.json()[name].as_str().unwrap_or_default().to_owned();
    (text("errorType"), text("errorMessage"))
}

#[test]
fn functions_that_do_not_keep_to_the_protocol_fail() {
    for extension in ["mjs", "py"] {
        let (process, address, _folder) = started(extension, &["--retry-delay", "100ms"]);
        for (input, kind, message) in [
            (
                json!({"answer": {"statusCode": 200}}),
                "InvalidParameterValueException",
                "Invalid invocation output: no Status; a durable function answers",
            ),
            (
                json!({"answer": "text"}),
                "InvalidParameterValueException",
                "Invalid invocation output: no JSON object",
            ),
            (
                json!({"answer": {"Status": "PENDING"}}),
                "InvalidParameterValueException",
                "Cannot return PENDING status with no pending operations.",
            ),
            (
                json!({"answer": {"Status": "FAILED", "Error": {"ErrorType": "Own", "ErrorMessage": "m"}}}),
                "Own",
                "m",
            ),
            (json!({"crash": true}), "Runtime.ExitError", "RequestId: "),
            (
                json!({"updates": [step("1")], "token": "stale"}),
                "",
                "InvalidParameterValueException: Invalid checkpoint token: it is not the one",
            ),
            (
                json!({"updates": [{"Type": "WAIT", "Action": "START"}]}),
                "",
                "InvalidParameterValueException: Invalid WaitOptions for the given action. (operation \"operation-0\")",
            ),
            (
                json!({"updates": [step("1")], "size": 1_100_000}),
                "",
                "InvalidParameterValueException: STEP output payload size must be",
            ),
        ] {
            let found = failed(address, &input);
            let is_it = kind.is_empty() || found.0 == kind;
            assert!(is_it && found.1.starts_with(message), "{found:?} for {input} in {process:?}");
        }
        let log = process.stdout();
        assert!(
            log.contains(
                "is invoked again in 5ms, because its invocation has failed (Runtime.ExitError"
            ),
            "{log}"
        );
        assert!(log.contains("gives up after 5 failed invocations in a row"), "{log}");
    }
}

#[test]
fn nothing_waits_for_a_function_that_does_not_come_to_an_end() {
    let folder = Folder::new(&[(
        "hang.mjs",
        "export const handler = () => new Promise((done) => setTimeout(done, 1e6));",
    )]);
    let flags = ["--durable", "--execution-timeout", "1s", "hang.mjs"];
    let (process, address) = emulator(&folder, &flags);
    let reply = call(address, "hang:%24LATEST", &[], &json!({}));
    assert_eq!(
        reply.json(),
        json!({"errorMessage": "Execution timed out after 1 seconds."}),
        "{process:?}"
    );
    assert_eq!(describe(address, &arn_of(&reply))["Status"], "TIMED_OUT");
}

#[test]
fn requests_are_refused_with_lambdas_exceptions() {
    let (_process, address, _folder) = started("mjs", &[]);
    let arn = begin(address, "it", &json!({"updates": [callback(&json!({}))]}));
    let id = callback_of(address, &arn);
    let unknown =
        "arn:aws:lambda:us-east-1:012345678912:function:by_hand:$LATEST/durable-execution/a/b";
    let large = "x".repeat(1024 * 1024 + 1);
    let invalid = "InvalidParameterValueException";
    let checkpoint = |arn: &str| format!("durable-executions/{arn}/checkpoint");
    let callback = |id: &str, verb: &str| format!("durable-execution-callbacks/{id}/{verb}");
    for (method, path, body, status, kind, message) in [
        (
            "GET",
            format!("durable-executions/{unknown}"),
            "",
            404,
            "ResourceNotFoundException",
            "Durable execution not found: arn:",
        ),
        (
            "GET",
            "durable-executions/it".to_owned(),
            "",
            400,
            invalid,
            "\"it\" is no ARN of a durable execution",
        ),
        (
            "POST",
            format!("durable-executions/{unknown}/stop"),
            "",
            404,
            "ResourceNotFoundException",
            "Durable execution not found",
        ),
        (
            "POST",
            format!("durable-executions/{arn}/stop"),
            "[",
            400,
            "InvalidRequestContentException",
            "Could not parse request body into json",
        ),
        (
            "GET",
            format!("durable-executions/{arn}/history?MaxItems=x"),
            "",
            400,
            invalid,
            "MaxItems is a number from 0 to 1000",
        ),
        (
            "GET",
            format!("durable-executions/{arn}/history?Marker=x"),
            "",
            400,
            invalid,
            "Invalid marker: \"x\"",
        ),
        (
            "GET",
            format!("durable-executions/{arn}?IncludeExecutionData=1"),
            "",
            400,
            invalid,
            "IncludeExecutionData is true or false",
        ),
        (
            "POST",
            checkpoint(unknown),
            "{\"CheckpointToken\":\"x\"}",
            400,
            invalid,
            "Invalid durable execution ARN",
        ),
        (
            "POST",
            checkpoint(&arn),
            "{",
            400,
            "InvalidRequestContentException",
            "Could not parse request body into json",
        ),
        (
            "POST",
            checkpoint(&arn),
            "[]",
            400,
            "InvalidRequestContentException",
            "The request's body is a JSON object",
        ),
        ("POST", checkpoint(&arn), "{}", 400, invalid, "CheckpointToken is missing"),
        (
            "POST",
            checkpoint(&arn),
            "{\"CheckpointToken\":1}",
            400,
            invalid,
            "CheckpointToken is a string",
        ),
        (
            "POST",
            checkpoint(&arn),
            "{\"CheckpointToken\":\"x\"}",
            400,
            invalid,
            "Invalid checkpoint token",
        ),
        (
            "POST",
            checkpoint(&arn),
            "{\"CheckpointToken\":\"x\",\"Updates\":[{}]}",
            400,
            invalid,
            "Updates[0]: Type is missing",
        ),
        (
            "GET",
            format!("durable-executions/{arn}/state"),
            "",
            400,
            invalid,
            "CheckpointToken is missing",
        ),
        (
            "GET",
            format!("durable-executions/{arn}/state?CheckpointToken=x"),
            "",
            400,
            invalid,
            "Invalid checkpoint token",
        ),
        (
            "GET",
            checkpoint(&arn),
            "",
            405,
            "MethodNotAllowedException",
            "this is asked for with POST",
        ),
        (
            "POST",
            callback("abc", "succeed"),
            "",
            404,
            "ResourceNotFoundException",
            "Callback not found: abc",
        ),
        ("POST", callback("%C3%A9", "succeed"), "", 400, invalid, "\"é\" is no CallbackId"),
        ("POST", callback(&id, "succeed"), &large, 400, invalid, "Result has 1048577 bytes"),
        (
            "POST",
            callback(&id, "fail"),
            "{\"ErrorType\":1}",
            400,
            invalid,
            "the ErrorType of an Error is a string",
        ),
        (
            "POST",
            callback(&id, "answer"),
            "",
            404,
            "ResourceNotFoundException",
            "/2025-12-01/durable-execution-callbacks/",
        ),
        (
            "GET",
            "functions/nobody/durable-executions".to_owned(),
            "",
            404,
            "ResourceNotFoundException",
            "Function not found: nobody",
        ),
        (
            "GET",
            "functions/by_hand/durable-executions?Statuses=DONE".to_owned(),
            "",
            400,
            invalid,
            "\"DONE\" is none of the Statuses RUNNING, ",
        ),
        (
            "GET",
            "functions/by_hand/durable-executions?StartedAfter=now".to_owned(),
            "",
            400,
            invalid,
            "StartedAfter is a moment",
        ),
        (
            "GET",
            "things".to_owned(),
            "",
            404,
            "ResourceNotFoundException",
            "/2025-12-01/things is no path",
        ),
    ] {
        let reply = ask(address, method, &path, body.as_bytes());
        let told = reply.json();
        let told = told["message"].as_str().or(told["Message"].as_str()).unwrap_or_default();
        let found = (reply.status, reply.header("x-amzn-errortype"));
        assert_eq!(found, (status, Some(kind)), "{method} {path}: {told}");
        assert!(told.starts_with(message), "{told:?} for {method} {path}");
    }
    assert_eq!(describe(address, &arn)["Status"], "RUNNING");
}

#[test]
fn invocations_that_lambda_refuses_are_refused() {
    let (_process, address, _folder) = started("mjs", &["--execution-timeout", "1h"]);
    let event = [("x-amz-invocation-type", "Event")];
    let named = |name| [event[0], ("x-amz-durable-execution-name", name)];
    for (function, headers, message) in [
        (
            "by_hand",
            &event[..],
            "You cannot invoke a durable function using an unqualified ARN. Name it by_hand:$LATEST.",
        ),
        (
            LATEST,
            &[][..],
            "You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.",
        ),
        (LATEST, &named("a b")[..], "\"a b\" is no DurableExecutionName"),
        ("plain", &named("a")[..], "plain is no durable function"),
    ] {
        let reply = call(address, function, headers, &json!({}));
        let kind = reply.header("x-amzn-errortype");
        assert_eq!(
            (reply.status, kind),
            (400, Some("InvalidParameterValueException")),
            "{reply:?}"
        );
        let told = reply.json()["message"].as_str().unwrap().to_owned();
        assert!(told.starts_with(message), "{told}");
    }
    let path = "/2021-11-15/functions/by_hand:%24LATEST/response-streaming-invocations";
    assert_eq!(Connection::open(address).exchange("POST", path, &[], b"{}").status, 400);
    assert_eq!(call(address, LATEST, &event, &json!({})).status, 202);
}

#[test]
fn flags_about_durable_functions_are_checked() {
    let folder = Folder::probe(LANGUAGES[4]);
    for (flags, told) in [
        (
            &["--durable=other", "probe.lua"][..],
            "error: --durable names \"other\", and there is: probe",
        ),
        (&["--execution-timeout", "0s", "probe.lua"][..], "\"0s\" is too short"),
        (&["--execution-timeout", "367d", "probe.lua"][..], "\"367d\" is too long"),
        (&["--durable-speed", "0", "probe.lua"][..], "--durable-speed <N>"),
    ] {
        let finished = run_to_end(trine(&folder, &[&["emulator", "--port", "0"], flags].concat()));
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.stderr.contains(told), "{told:?} in {finished:?}");
    }
}

#[test]
fn functions_find_the_emulator_and_credentials() {
    let folder = Folder::new(&[(
        "tell.py",
        "import os\n\ndef handler(event, context):\n    return {'Status': 'SUCCEEDED', 'Result': os.environ['AWS_ENDPOINT_URL_LAMBDA'] + ' ' + os.environ.get('AWS_ACCESS_KEY_ID', '')}\n",
    )]);
    let found = |own: &[(&str, &str)]| {
        let mut command = trine(&folder, &["emulator", "--port", "0", "--durable", "tell.py"]);
        command.envs(own.iter().copied()).env("HOME", folder.task());
        let (process, address) = super::super::listening(command);
        let text = call(address, "tell:%24LATEST", &[], &json!({})).text().to_owned();
        drop(process);
        text.replace(&address.to_string(), "HERE")
    };
    assert_eq!(found(&[]), "http://HERE emulator");
    assert_eq!(found(&[("AWS_ACCESS_KEY_ID", "mine")]), "http://HERE mine");
    assert_eq!(found(&[("AWS_PROFILE", "mine")]), "http://HERE ");
    assert_eq!(found(&[("AWS_ENDPOINT_URL_LAMBDA", "http://other")]), "http://other emulator");
}

#[test]
fn a_runtime_of_ones_own_serves_a_durable_function() {
    let folder = Folder::new(&[("by_hand.mjs", include_str!("by_hand.mjs"))]);
    let (process, address) = emulator(&folder, &["--handler", "by_hand.handler", "--durable"]);
    let text = process.stdout();
    assert!(
        text.contains(&format!("export AWS_ENDPOINT_URL_LAMBDA='http://{address}'\n")),
        "{text}"
    );
    let mut command = trine(&folder, &[]);
    for line in text.lines().filter_map(|line| line.strip_prefix("export ")) {
        let (name, value) = line.split_once('=').unwrap();
        command.env(name, value.trim_matches('\''));
    }
    let runtime = Process::start(command);
    let input = json!({"updates": [step("1"), wait(1), step("2")]});
    let reply = call(address, "function:%24LATEST", &[], &input);
    assert_eq!(reply.json(), json!(["1", "SUCCEEDED", "2"]), "{process:?}\n{runtime:?}");
    process.signal("INT");
    assert_eq!(process.finish().code, Some(0));
}
