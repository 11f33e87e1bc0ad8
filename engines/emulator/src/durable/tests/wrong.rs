//! What is refused, and in which words.

use super::*;

/// Makes checkpoints of which the last one is refused; returns why.
fn refused(checkpoints: &[Value]) -> String {
    let (last, before) = checkpoints.split_last().unwrap();
    let mut played = Played::new();
    played.invoked();
    for updates in before {
        played.checkpoint(updates.clone());
    }
    let operations = played.execution.operations.clone();
    let token = played.token.clone();
    let why = played.try_checkpoint(last.clone()).unwrap_err().0;
    assert_eq!(played.execution.operations, operations, "all or nothing: {why}");
    assert_eq!(played.execution.token(), token, "{why}");
    why
}

fn step(action: &str) -> Value {
    let more = match action {
        "RETRY" => json!({"StepOptions": {"NextAttemptDelaySeconds": 1}}),
        _ => json!({}),
    };
    update("a", "STEP", action, &more)
}

fn wait(id: &str) -> Value {
    update(id, "WAIT", "START", &json!({"WaitOptions": {"WaitSeconds": 1}}))
}

#[test]
fn operations_take_what_their_state_allows() {
    let error = json!({"Error": {"ErrorMessage": "m"}});
    let payload = json!({"Payload": "1"});
    let context = |action: &str, more: &Value| update("a", "CONTEXT", action, more);
    let callback = |action: &str| update("a", "CALLBACK", action, &json!({}));
    let invoke = json!({"ChainedInvokeOptions": {"FunctionName": "f"}});
    let both = json!({"Error": {}, "Payload": "1", "StepOptions": {"NextAttemptDelaySeconds": 1}});
    let end = update("e", "EXECUTION", "SUCCEED", &json!({}));
    for (checkpoints, why) in [
        (
            vec![json!([step("START")]), json!([step("START")])],
            "Invalid current STEP state to start.",
        ),
        (
            vec![json!([step("SUCCEED")]), json!([step("FAIL")])],
            "Invalid current STEP state to close.",
        ),
        (
            vec![json!([step("RETRY")]), json!([step("SUCCEED")])],
            "Invalid current STEP state to close.",
        ),
        (
            vec![json!([step("RETRY")]), json!([step("RETRY")])],
            "Invalid current STEP state to re-attempt.",
        ),
        (vec![json!([step("CANCEL")])], "Invalid STEP action: CANCEL."),
        (
            vec![json!([update("a", "STEP", "RETRY", &error)])],
            "Invalid StepOptions for the given action.",
        ),
        (
            vec![json!([update("a", "STEP", "RETRY", &both)])],
            "Cannot provide both error and payload",
        ),
        (
            vec![json!([update("a", "STEP", "SUCCEED", &error)])],
            "Cannot provide an Error for SUCCEED",
        ),
        (vec![json!([update("a", "STEP", "FAIL", &payload)])], "Cannot provide a Payload for FAIL"),
        (vec![json!([wait("a")]), json!([wait("a")])], "Cannot start a WAIT that already exists."),
        (vec![json!([update("a", "WAIT", "START", &json!({}))])], "Invalid WaitOptions for"),
        (
            vec![json!([update("a", "WAIT", "CANCEL", &json!({}))])],
            "Cannot cancel a WAIT that does not",
        ),
        (
            vec![json!([update("a", "WAIT", "SUCCEED", &json!({}))])],
            "Invalid WAIT action: SUCCEED.",
        ),
        (
            vec![json!([context("START", &json!({}))]), json!([context("START", &json!({}))])],
            "Cannot start a CONTEXT that already exists.",
        ),
        (
            vec![json!([context("FAIL", &error)]), json!([context("SUCCEED", &json!({}))])],
            "Invalid current CONTEXT state to close.",
        ),
        (vec![json!([context("RETRY", &json!({}))])], "Invalid CONTEXT action: RETRY."),
        (
            vec![json!([callback("START")]), json!([callback("START")])],
            "Cannot start a CALLBACK that already exists.",
        ),
        (vec![json!([callback("SUCCEED")])], "Invalid CALLBACK action: SUCCEED."),
        (
            vec![json!([update("a", "CHAINED_INVOKE", "START", &json!({}))])],
            "Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.",
        ),
        (
            vec![json!([update("a", "CHAINED_INVOKE", "CANCEL", &invoke)])],
            "Invalid CHAINED_INVOKE action: CANCEL.",
        ),
        (
            vec![json!([update("e", "EXECUTION", "START", &json!({}))])],
            "Invalid EXECUTION action: START.",
        ),
        (vec![json!([end, step("START")])], "EXECUTION checkpoint must be the last update."),
        (vec![json!([end, end])], "Cannot checkpoint multiple EXECUTION updates."),
        (
            vec![json!([step("SUCCEED"), step("SUCCEED")])],
            "Cannot checkpoint multiple operations with the same ID.",
        ),
        (
            vec![json!([wait("a"), update("a", "WAIT", "CANCEL", &json!({}))])],
            "Cannot checkpoint multiple operations with the same ID.",
        ),
        (
            vec![json!([update("a", "STEP", "START", &json!({"ParentId": "b"}))])],
            "Invalid parent operation id.",
        ),
        (
            vec![json!([update("a", "CONTEXT", "START", &json!({"ParentId": "a"}))])],
            "Invalid parent operation id.",
        ),
        (
            vec![
                json!([wait("b")]),
                json!([update("a", "STEP", "START", &json!({"ParentId": "b"}))]),
            ],
            "Invalid parent operation id.",
        ),
        (vec![json!([wait("a")]), json!([step("SUCCEED")])], "Inconsistent operation type."),
        (
            vec![
                json!([step("START")]),
                json!([update("a", "STEP", "SUCCEED", &json!({"Name": "n"}))]),
            ],
            "Inconsistent operation name.",
        ),
        (
            vec![
                json!([step("START")]),
                json!([update("a", "STEP", "SUCCEED", &json!({"SubType": "n"}))]),
            ],
            "Inconsistent operation subtype.",
        ),
    ] {
        let told = refused(&checkpoints);
        assert!(told.starts_with(why), "{told:?} for {checkpoints:?}");
    }
}

#[test]
fn updates_have_their_form() {
    let long = "x".repeat(65);
    for (update, why) in [
        (json!(1), "Updates[0]: an update is an object"),
        (json!({}), "Updates[0]: Type is missing"),
        (json!({"Type": "STEP"}), "Updates[0]: Action is missing"),
        (json!({"Type": "STEP", "Action": "START"}), "Updates[0]: Id is missing"),
        (
            update("a", "THING", "START", &json!({})),
            "Updates[0]: \"THING\" is no Type of an operation: EXECUTION",
        ),
        (update("a", "STEP", "BEGIN", &json!({})), "Updates[0]: \"BEGIN\" is no Action: START"),
        (update("a b", "STEP", "START", &json!({})), "Updates[0]: Id must not contain ' '"),
        (update(&long, "STEP", "START", &json!({})), "Updates[0]: Id has 65 bytes, not 1 to 64"),
        (
            update("a", "STEP", "START", &json!({"Name": "é"})),
            "Updates[0]: Name must not contain 'é'",
        ),
        (update("a", "STEP", "START", &json!({"Payload": {}})), "Updates[0]: Payload is a string"),
        (update("a", "STEP", "FAIL", &json!({"Error": "no"})), "Updates[0]: an Error is an object"),
        (
            update("a", "STEP", "FAIL", &json!({"Error": {"ErrorType": 1}})),
            "Updates[0]: the ErrorType of an Error is a string, not 1",
        ),
        (
            update("a", "STEP", "FAIL", &json!({"Error": {"StackTrace": "x"}})),
            "Updates[0]: the StackTrace of an Error is a list of strings",
        ),
        (
            update("a", "WAIT", "START", &json!({"WaitOptions": []})),
            "Updates[0]: WaitOptions is an object",
        ),
        (
            update("a", "WAIT", "START", &json!({"WaitOptions": {"WaitSeconds": 0}})),
            "Updates[0]: WaitOptions.WaitSeconds is a whole number from 1 to 31622400, not 0",
        ),
        (
            update("a", "WAIT", "START", &json!({"WaitOptions": {"WaitSeconds": 1.5}})),
            "Updates[0]: WaitOptions.WaitSeconds is a whole number from 1 to 31622400, not 1.5",
        ),
        (
            update("a", "CONTEXT", "START", &json!({"ContextOptions": {"ReplayChildren": 1}})),
            "Updates[0]: ContextOptions.ReplayChildren is true or false",
        ),
        (
            update("a", "CHAINED_INVOKE", "START", &json!({"ChainedInvokeOptions": {}})),
            "Updates[0]: ChainedInvokeOptions.FunctionName is missing",
        ),
    ] {
        let told = refused(&[json!([update])]);
        assert!(told.starts_with(why), "{told:?} for {update}");
    }
    assert_eq!(refused(&[json!({})]), "Updates is a list");
}

#[test]
fn payloads_have_their_limits() {
    let large = "x".repeat(1024 * 1024 + 1);
    for (kind, action, more, why) in [
        ("STEP", "SUCCEED", json!({"Payload": large}), "STEP output payload size must be"),
        ("CONTEXT", "SUCCEED", json!({"Payload": large}), "CONTEXT output payload size must be"),
        (
            "CHAINED_INVOKE",
            "START",
            json!({"Payload": large, "ChainedInvokeOptions": {"FunctionName": "f"}}),
            "CHAINED_INVOKE input payload size must be",
        ),
        (
            "STEP",
            "FAIL",
            json!({"Error": {"ErrorData": large}}),
            "Error object size must be less than 1048576",
        ),
        (
            "EXECUTION",
            "SUCCEED",
            json!({"Payload": "x".repeat(MAX_OUTPUT + 1)}),
            "Updates[0]: Payload has",
        ),
    ] {
        let told = refused(&[json!([update("a", kind, action, &more)])]);
        assert!(told.starts_with(why), "{told:?}");
    }
}

#[test]
fn tokens_are_good_for_one_checkpoint_of_one_invocation() {
    let mut played = Played::new();
    played.invoked();
    let first = played.token.clone();
    played.checkpoint(json!([wait("w")]));
    for wrong in [first.as_str(), "", "0", "é"] {
        let told = played.execution.check_token(wrong).unwrap_err().0;
        assert!(told.starts_with("Invalid checkpoint token: it is not the one"), "{told}");
    }
    played.answer(pending());
    let told = played.try_checkpoint(json!([])).unwrap_err().0;
    assert!(told.ends_with("no invocation of the execution is under way"), "{told}");
    played.pass(SECOND);
    let stale = played.token.clone();
    played.invoked();
    assert!(played.execution.check_token(&stale).is_err());
}

#[test]
fn an_invocation_answers_with_the_envelope() {
    for (answer, why) in [
        ("[1]", "Invalid invocation output: no JSON object; a durable function"),
        ("", "Invalid invocation output: no JSON object"),
        (r#"{"statusCode": 200}"#, "Invalid invocation output: no Status; a durable function"),
        (r#"{"Status": "DONE"}"#, "Invalid invocation output: \"DONE\" is none of"),
        (
            r#"{"Status": "SUCCEEDED", "Result": {}}"#,
            "Invalid invocation output: Result is a string",
        ),
        (
            r#"{"Status": "SUCCEEDED", "Error": {}}"#,
            "Cannot provide an Error for SUCCEEDED status.",
        ),
        (r#"{"Status": "FAILED", "Result": "1"}"#, "Cannot provide a Result for FAILED status."),
        (
            r#"{"Status": "FAILED", "Error": "no"}"#,
            "Invalid invocation output: an Error is an object",
        ),
    ] {
        let mut played = Played::new();
        played.invoked();
        played.execution.invocation_ended("request", Ok(answer.as_bytes()), played.now);
        let (status, error) = played.end().unwrap();
        assert_eq!(
            (status, &error["ErrorType"]),
            ("FAILED", &json!("InvalidParameterValueException"))
        );
        let told = error["ErrorMessage"].as_str().unwrap();
        assert!(told.starts_with(why), "{told:?} for {answer}");
    }
}

#[test]
fn who_waits_for_nothing_is_invoked_three_times() {
    let mut played = Played::new();
    for attempt in 1..=3 {
        assert_eq!(played.end(), None);
        played.invoked();
        if attempt == 1 {
            played.checkpoint(json!([update("a", "CONTEXT", "START", &json!({}))]));
        }
        played.answer(pending());
        played.pass(attempt * SECOND);
    }
    let (status, error) = played.end().unwrap();
    assert_eq!(status, "FAILED");
    assert_eq!(error["ErrorMessage"], "Cannot return PENDING status with no pending operations.");
}
