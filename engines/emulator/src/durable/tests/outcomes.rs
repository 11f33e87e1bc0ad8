//! What an execution comes to.

use super::{
    super::{
        events::{Unanswerable, Word},
        operation::Status,
    },
    *,
};

fn wait(id: &str, seconds: u64) -> Value {
    update(id, "WAIT", "START", &json!({"WaitOptions": {"WaitSeconds": seconds}}))
}

#[test]
fn an_invocation_gets_the_input_and_its_result_ends_the_execution() {
    let mut played = Played::new();
    let event = played.invoked();
    assert_eq!(event["DurableExecutionArn"], "arn");
    let state = &event["InitialExecutionState"];
    assert_eq!(state["NextMarker"], "");
    let operations = state["Operations"].as_array().unwrap();
    assert_eq!(operations.len(), 1);
    assert_eq!(operations[0]["Type"], "EXECUTION");
    assert_eq!(operations[0]["StartTimestamp"], 1_700_000_000_000_u64);
    assert_eq!(operations[0]["ExecutionDetails"]["InputPayload"], r#"{"a":1}"#);
    assert_eq!(event["UpdatedOperationIds"], json!([]));
    played.answer(json!({"Status": "SUCCEEDED", "Result": "[1]"}));
    assert_eq!(played.end(), Some(("SUCCEEDED", json!("[1]"))));
    assert!(played.execution.advance(played.now).is_over);
    let told = ["ExecutionStarted", "InvocationCompleted", "ExecutionSucceeded"];
    assert_eq!(played.events(), told);
}

#[test]
fn a_wait_ends_by_itself_and_the_function_is_invoked_again() {
    let mut played = Played::new();
    played.invoked();
    let told = played.checkpoint(json!([wait("a", 5)]));
    assert_eq!(told[0]["WaitDetails"]["ScheduledEndTimestamp"], 1_700_000_005.0);
    played.answer(pending());
    let next = played.execution.advance(played.now);
    assert_eq!((next.invoke, next.wake_at), (None, Some(played.now + 5 * SECOND)));
    played.pass(5 * SECOND);
    let event = played.invoked();
    assert_eq!(event["UpdatedOperationIds"], json!(["a"]));
    assert_eq!(event["InitialExecutionState"]["Operations"][1]["Status"], "SUCCEEDED");
    assert_eq!(
        event["InitialExecutionState"]["Operations"][1]["EndTimestamp"],
        1_700_000_005_000_u64
    );
}

#[test]
fn waits_pass_faster_where_they_are_to() {
    let mut played = Played::with(|start| start.speed = 100);
    played.invoked();
    played.checkpoint(json!([wait("a", 500)]));
    played.answer(pending());
    assert_eq!(played.execution.advance(played.now).wake_at, Some(played.now + 5 * SECOND));
}

#[test]
fn a_step_is_tried_again_when_its_time_has_come() {
    let mut played = Played::new();
    played.invoked();
    let error = json!({"ErrorType": "E", "ErrorMessage": "m"});
    let retry = json!({"Error": error, "StepOptions": {"NextAttemptDelaySeconds": 2}});
    let told = played.checkpoint(json!([
        update("s", "STEP", "START", &json!({"Name": "it"})),
        update("s", "STEP", "RETRY", &retry),
    ]));
    assert_eq!(told[0]["Status"], "PENDING");
    assert_eq!(told[0]["StepDetails"]["Attempt"], 1);
    assert_eq!(told[0]["StepDetails"]["Error"], error);
    assert_eq!(told[0]["StepDetails"]["NextAttemptTimestamp"], 1_700_000_002.0);
    played.answer(pending());
    assert!(played.event().is_none());
    played.pass(2 * SECOND);
    let event = played.invoked();
    let step = &event["InitialExecutionState"]["Operations"][1];
    assert_eq!(
        (step["Status"].as_str(), &step["StepDetails"]["Attempt"]),
        (Some("READY"), &json!(1))
    );
    assert!(step["StepDetails"].get("NextAttemptTimestamp").is_none());
    let told = played.checkpoint(json!([
        update("s", "STEP", "START", &json!({})),
        update("s", "STEP", "SUCCEED", &json!({"Payload": "7"})),
    ]));
    assert_eq!(told[0]["StepDetails"], json!({"Attempt": 2, "Result": "7"}));
    let events = played.events();
    assert_eq!(
        events[1..],
        ["StepStarted", "StepFailed", "InvocationCompleted", "StepStarted", "StepSucceeded"]
    );
}

#[test]
fn what_is_due_is_told_with_the_answer_to_a_checkpoint() {
    let mut played = Played::new();
    played.invoked();
    played.checkpoint(json!([wait("a", 1), update("s", "STEP", "START", &json!({}))]));
    played.pass(SECOND);
    let told = played.checkpoint(json!([]));
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["Id"], &told[0]["Status"]), (&json!("a"), &json!("SUCCEEDED")));
    assert_eq!(played.checkpoint(json!([])), Vec::<Value>::new());
}

#[test]
fn what_happens_during_an_invocation_leads_to_another_one() {
    let mut played = Played::new();
    played.invoked();
    played.checkpoint(json!([wait("a", 1)]));
    played.pass(SECOND);
    assert!(played.event().is_none());
    played.answer(pending());
    assert_eq!(played.invoked()["UpdatedOperationIds"], json!(["a"]));
    // The function may have learned of it too late, with its last checkpoint.
    played.checkpoint(json!([wait("b", 1)]));
    played.pass(SECOND);
    assert_eq!(played.checkpoint(json!([])).len(), 1);
    played.answer(pending());
    played.invoked();
}

#[test]
fn callbacks_are_answered_once() {
    let mut played = Played::new();
    played.invoked();
    let told = played.checkpoint(json!([
        update("a", "CALLBACK", "START", &json!({})),
        update("b", "CALLBACK", "START", &json!({})),
    ]));
    let ids: Vec<String> = told
        .iter()
        .map(|told| told["CallbackDetails"]["CallbackId"].as_str().unwrap().to_owned())
        .collect();
    played.answer(pending());
    let now = played.now;
    let execution = &mut played.execution;
    assert_eq!(execution.answer("unknown", Word::Heartbeat, now), Err(Unanswerable::Unknown));
    assert_eq!(execution.answer(&ids[0], Word::Heartbeat, now), Ok(()));
    assert_eq!(execution.advance(now).invoke, None);
    assert_eq!(execution.answer(&ids[0], Word::Success(Some("1".into())), now), Ok(()));
    let again = Word::Success(None);
    assert_eq!(execution.answer(&ids[0], again, now), Err(Unanswerable::Answered));
    let error = ErrorObject::new("E", "m");
    assert_eq!(execution.answer(&ids[1], Word::Failure(error), now), Ok(()));
    let event = played.invoked();
    assert_eq!(event["UpdatedOperationIds"], json!(["a", "b"]));
    let operations = &event["InitialExecutionState"]["Operations"];
    assert_eq!(operations[1]["CallbackDetails"]["Result"], "1");
    assert_eq!(operations[2]["Status"], "FAILED");
    assert_eq!(operations[2]["CallbackDetails"]["Error"]["ErrorType"], "E");
}

#[test]
fn callbacks_time_out_unless_they_show_signs_of_life() {
    let mut played = Played::new();
    played.invoked();
    let options = json!({"CallbackOptions": {"TimeoutSeconds": 10, "HeartbeatTimeoutSeconds": 3}});
    let told = played.checkpoint(json!([
        update("a", "CALLBACK", "START", &options),
        update("b", "CALLBACK", "START", &options),
    ]));
    let id = |told: &Value| told["CallbackDetails"]["CallbackId"].as_str().unwrap().to_owned();
    let (first, second) = (id(&told[0]), id(&told[1]));
    played.answer(pending());
    for _ in 0..4 {
        played.pass(2 * SECOND);
        let now = played.now;
        assert_eq!(played.execution.answer(&first, Word::Heartbeat, now), Ok(()));
    }
    let event = played.invoked();
    let late = &event["InitialExecutionState"]["Operations"][2];
    assert_eq!(late["Status"], "TIMED_OUT");
    assert_eq!(late["CallbackDetails"]["Error"]["ErrorType"], "Callback.Heartbeat");
    let now = played.now;
    assert_eq!(played.execution.answer(&second, Word::Heartbeat, now), Err(Unanswerable::TimedOut));
    played.answer(pending());
    played.pass(2 * SECOND);
    let event = played.invoked();
    let late = &event["InitialExecutionState"]["Operations"][1];
    assert_eq!(late["CallbackDetails"]["Error"]["ErrorType"], "Callback.Timeout");
}

#[test]
fn other_functions_are_invoked_and_their_outcome_is_told() {
    let mut played = Played::new();
    played.invoked();
    let invoke = |id: &str, function: &str| {
        let more = json!({"Payload": "{}", "ChainedInvokeOptions": {"FunctionName": function}});
        update(id, "CHAINED_INVOKE", "START", &more)
    };
    let updates = json!([invoke("a", "other"), invoke("b", "nobody"), invoke("c", "other")]);
    let done = played.try_checkpoint(updates).unwrap();
    let calls: Vec<&str> = done.calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(calls, ["a", "c"]);
    let told = &done.answer["NewExecutionState"]["Operations"];
    assert_eq!((&told[0]["Status"], &told[1]["Status"]), (&json!("STARTED"), &json!("FAILED")));
    assert_eq!(told[1]["ChainedInvokeDetails"]["Error"]["ErrorType"], "NotFound");
    played.answer(pending());
    let now = played.now;
    played.execution.call_ended("a", Status::Succeeded, Ok(Some("1".into())), now);
    let stopped = Err(ErrorObject::of_message("no"));
    played.execution.call_ended("c", Status::Stopped, stopped, now);
    // Once is enough.
    played.execution.call_ended("a", Status::Succeeded, Ok(Some("2".into())), now);
    let event = played.invoked();
    let operations = &event["InitialExecutionState"]["Operations"];
    assert_eq!(operations[1]["ChainedInvokeDetails"]["Result"], "1");
    assert_eq!(operations[3]["Status"], "STOPPED");
}

#[test]
fn children_of_what_has_ended_are_left_out() {
    let mut played = Played::new();
    played.invoked();
    let child = json!({"ParentId": "c", "Payload": "1"});
    played.checkpoint(json!([
        update("c", "CONTEXT", "START", &json!({})),
        update("s", "STEP", "SUCCEED", &child),
        update("d", "CONTEXT", "START", &json!({"ParentId": "c"})),
        update("t", "STEP", "SUCCEED", &json!({"ParentId": "d"})),
        wait("w", 1),
    ]));
    let ids = |played: &mut Played| {
        played.answer(pending());
        played.pass(SECOND);
        let event = played.invoked();
        let operations = event["InitialExecutionState"]["Operations"].as_array().unwrap().clone();
        let ids = operations[1..].iter().map(|one| one["Id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(&mut played), ["c", "s", "d", "t", "w"]);
    let replay = json!({"ContextOptions": {"ReplayChildren": true}});
    played.checkpoint(json!([update("d", "CONTEXT", "SUCCEED", &json!({})), wait("x", 1)]));
    assert_eq!(ids(&mut played), ["c", "s", "d", "w", "x"]);
    played.checkpoint(json!([update("c", "CONTEXT", "SUCCEED", &replay), wait("y", 1)]));
    assert_eq!(ids(&mut played), ["c", "s", "d", "w", "x", "y"]);
}

#[test]
fn large_states_come_in_pages() {
    let mut played = Played::new();
    played.invoked();
    let payload = "x".repeat(1000 * 1000);
    for number in 0..12 {
        let more = json!({"Payload": payload});
        played.checkpoint(json!([update(&number.to_string(), "STEP", "SUCCEED", &more)]));
    }
    played.checkpoint(json!([wait("w", 1)]));
    played.answer(pending());
    played.pass(SECOND);
    let event = played.invoked();
    let first = event["InitialExecutionState"]["Operations"].as_array().unwrap();
    assert_eq!(first.len(), 6);
    let mut found: Vec<Value> = first.clone();
    let mut marker = event["InitialExecutionState"]["NextMarker"].as_str().unwrap().to_owned();
    loop {
        let (page, next) = played.execution.page(&played.token, Some(&marker), 3).unwrap();
        assert!(page.len() <= 3);
        found.extend(page);
        let Some(next) = next else { break };
        marker = next;
    }
    let ids: Vec<&str> = found[1..].iter().map(|one| one["Id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "w"]);
    for wrong in ["", "x", "1", "99-1", &format!("{marker}0")] {
        assert!(played.execution.page(&played.token, Some(wrong), 3).is_err(), "{wrong}");
    }
    played.checkpoint(json!([]));
    assert!(played.execution.page(&played.token, Some(&marker), 3).is_err());
}

#[test]
fn invocations_that_fail_are_tried_again_for_a_while() {
    let mut played = Played::new();
    for attempt in 1..5 {
        played.invoked();
        played.fail();
        assert!(played.event().is_none(), "not at once");
        played.pass(attempt * SECOND);
    }
    played.invoked();
    played.checkpoint(json!([wait("a", 60)]));
    // One that does not fail counts anew.
    played.answer(pending());
    played.pass(60 * SECOND);
    for attempt in 1..5 {
        played.invoked();
        played.fail();
        played.pass(attempt * SECOND);
    }
    played.invoked();
    played.fail();
    let error = json!({"ErrorType": "Error", "ErrorMessage": "no"});
    assert_eq!(played.end(), Some(("FAILED", error)));
}

#[test]
fn an_execution_has_its_time() {
    let mut played = Played::with(|start| start.timeout = 10 * SECOND);
    played.invoked();
    played.checkpoint(json!([wait("a", 60)]));
    played.answer(pending());
    let next = played.execution.advance(played.now);
    assert_eq!(next.wake_at, Some(played.now + 10 * SECOND));
    played.pass(11 * SECOND);
    assert!(played.execution.advance(played.now).is_over);
    let error = json!({"ErrorMessage": "Execution timed out after 10 seconds."});
    assert_eq!(played.end(), Some(("TIMED_OUT", error)));
}

#[test]
fn who_stops_an_execution_has_the_last_word() {
    let mut played = Played::new();
    played.invoked();
    let stopped = played.execution.stop(None, played.now);
    assert_eq!(stopped, played.now);
    assert!(
        played.try_checkpoint(json!([])).unwrap_err().0.starts_with("Invalid checkpoint token")
    );
    played.pass(SECOND);
    let again = Some(ErrorObject::of_message("again"));
    assert_eq!(played.execution.stop(again, played.now), stopped);
    assert!(!played.execution.advance(played.now).is_over, "its invocation goes on");
    played.answer(json!({"Status": "SUCCEEDED", "Result": "1"}));
    assert!(played.execution.advance(played.now).is_over);
    let error = json!({"ErrorMessage": "Execution stopped by user request"});
    assert_eq!(played.end(), Some(("STOPPED", error)));
}

#[test]
fn a_result_that_is_too_large_for_an_answer_comes_with_a_checkpoint() {
    let mut played = Played::new();
    played.invoked();
    let result = "x".repeat(MAX_OUTPUT);
    let more = json!({"Payload": result});
    let done = played.try_checkpoint(json!([update("e", "EXECUTION", "SUCCEED", &more)])).unwrap();
    assert!(done.answer.get("CheckpointToken").is_none());
    played.answer(json!({"Status": "SUCCEEDED", "Result": ""}));
    assert_eq!(played.end(), Some(("SUCCEEDED", json!(result))));
}

#[test]
fn a_checkpoint_that_is_sent_once_more_is_answered_once_more() {
    let mut played = Played::new();
    played.invoked();
    let updates = Update::list(Some(&json!([wait("a", 1)]))).unwrap();
    let token = played.token.clone();
    let mut send = |token: &str, client: &str| {
        let now = played.now;
        let done = played.execution.checkpoint(token, Some(client), &updates, |_| None, now);
        done.map(|done| done.answer)
    };
    let answer = send(&token, "one").unwrap();
    assert_eq!(send(&token, "one").unwrap(), answer);
    assert!(send(&token, "two").unwrap_err().0.starts_with("Invalid checkpoint token"));
    assert!(send(answer["CheckpointToken"].as_str().unwrap(), "two").is_err(), "it exists");
}
