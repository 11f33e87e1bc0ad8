//! The state machine: what is accepted when, and how everything else is refused.

use super::super::{Answer, EmulatorOptions, Event, MAX_RESPONSE_BYTES, RuntimeExit, rule};
use super::*;

#[tokio::test]
async fn an_event_arrives_with_its_headers_and_its_response_goes_back() {
    let emulator = start().await;
    let event = Event {
        client_context: Some("{\n\"a\":\"é\"}".into()),
        identity: Some("{}".into()),
        trace_id: Some("Root=1-2-3".into()),
        tenant_id: Some("blue".into()),
        ..Event::from(json!({"n": 1}))
    };
    let handle = emulator.clone();
    let outcome = tokio::spawn(async move { handle.invoke(event).await });
    let mut client = Client::new(&emulator).await;
    let next = client.next().await;
    assert_eq!((next.status, next.body.as_slice()), (200, br#"{"n":1}"#.as_slice()));
    assert_eq!(next.header("content-type"), "application/json");
    assert_eq!(
        next.header("lambda-runtime-invoked-function-arn"),
        "arn:aws:lambda:us-east-1:012345678912:function:test_function"
    );
    assert_eq!(next.header("lambda-runtime-client-context"), "{ \"a\":\"é\"}");
    assert_eq!(next.header("lambda-runtime-cognito-identity"), "{}");
    assert_eq!(next.header("lambda-runtime-trace-id"), "Root=1-2-3");
    assert_eq!(next.header("lambda-runtime-aws-tenant-id"), "blue");
    assert!(!next.header(INVOCATION_ID).is_empty());
    assert_eq!(next.header("lambda-runtime-deadline-ms").len(), 13);
    let posted = client.respond(&next, "\"yes\"").await;
    assert_eq!((posted.status, posted.json()), (202, json!({"status": "OK"})));
    let outcome = outcome.await.unwrap();
    assert_eq!(outcome.json(), json!("yes"));
    assert_eq!(outcome.request_id, next.header(REQUEST_ID));
    emulator.assert_clean();
    let statuses: Vec<u16> = emulator.log().iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [200, 202]);
}

#[tokio::test]
async fn headers_without_a_value_are_left_out() {
    let emulator = start_with(|options| options.invocation_id_header = false).await;
    let outcome = invoke(&emulator, json!(1));
    let mut client = Client::new(&emulator).await;
    let next = client.next().await;
    for absent in ["trace-id", "client-context", "cognito-identity", "aws-tenant-id"] {
        assert!(!next.headers.contains_key(&format!("lambda-runtime-{absent}")), "{absent}");
    }
    assert!(!next.headers.contains_key(INVOCATION_ID));
    client.respond(&next, "1").await;
    assert!(outcome.await.unwrap().is_response());
    emulator.assert_clean();
}

#[tokio::test]
async fn next_blocks_until_an_event_comes() {
    let emulator = start().await;
    let mut client = Client::new(&emulator).await;
    let polling = tokio::spawn(async move {
        let next = client.next().await;
        (client, next)
    });
    assert!(emulator.wait_for_next(Duration::from_secs(5)).await);
    short_wait().await;
    assert!(!polling.is_finished());
    let outcome = invoke(&emulator, json!("late"));
    let (mut client, next) = polling.await.unwrap();
    client.respond(&next, "1").await;
    assert!(outcome.await.unwrap().is_response());
    emulator.assert_clean();
}

#[tokio::test]
async fn next_while_running_hands_out_the_same_event_again() {
    let emulator = start().await;
    let outcome = invoke(&emulator, json!(1));
    let _second = invoke(&emulator, json!(2));
    let mut client = Client::new(&emulator).await;
    let first = client.next().await;
    let again = client.next().await;
    assert_eq!(again.header(REQUEST_ID), first.header(REQUEST_ID));
    assert_eq!(again.header(INVOCATION_ID), first.header(INVOCATION_ID));
    assert_eq!(client.respond(&again, "1").await.status, 202);
    assert!(outcome.await.unwrap().is_response());
    assert_eq!(rules(&emulator), [rule::NEXT_WHILE_RUNNING]);
}

#[tokio::test]
async fn an_unknown_id_is_refused() {
    let emulator = start().await;
    let mut client = Client::new(&emulator).await;
    let reply = client.post(&response_path("nobody"), "", "1").await;
    assert_eq!((reply.status, reply.error_type().as_str()), (400, "InvalidRequestID"));
    assert_eq!(rules(&emulator), [rule::UNKNOWN_REQUEST_ID]);
}

#[tokio::test]
async fn a_second_response_is_an_invalid_transition_and_after_next_an_invalid_id() {
    let emulator = start().await;
    let outcome = invoke(&emulator, json!(1));
    let mut client = Client::new(&emulator).await;
    let first = client.next().await;
    client.respond(&first, "1").await;
    let twice = client.respond(&first, "2").await;
    assert_eq!((twice.status, twice.error_type().as_str()), (403, "InvalidStateTransition"));
    assert_eq!(
        twice.json()["errorMessage"],
        "State transition from RuntimeResponseSentState to InvocationResponse failed for runtime. Error: State transition is not allowed"
    );
    let other = invoke(&emulator, json!(2));
    let second = client.next().await;
    let late = client.fail(&first, JSON, &error_document()).await;
    assert_eq!((late.status, late.error_type().as_str()), (400, "InvalidRequestID"));
    client.respond(&second, "2").await;
    assert_eq!(outcome.await.unwrap().json(), json!(1));
    assert_eq!(other.await.unwrap().json(), json!(2));
    assert_eq!(rules(&emulator), [rule::ANSWERED_TWICE]);
}

#[tokio::test]
async fn an_error_reaches_the_caller_word_for_word() {
    let emulator = start().await;
    let outcome = invoke(&emulator, json!(1));
    let mut client = Client::new(&emulator).await;
    let event = client.next().await;
    let headers = format!(
        "{JSON}Lambda-Runtime-Function-Error-Type: Function.Error\r\nLambda-Runtime-Function-XRay-Error-Cause: {{\"paths\":[]}}\r\n"
    );
    assert_eq!(client.fail(&event, &headers, &error_document()).await.status, 202);
    let outcome = outcome.await.unwrap();
    assert_eq!(outcome.error_type().as_deref(), Some("Function.Error"));
    assert_eq!(
        outcome.result,
        Answer::Error {
            type_header: Some("Function.Error".into()),
            xray_cause: Some("{\"paths\":[]}".into()),
            body: error_document().into()
        }
    );
    emulator.assert_clean();
}

#[tokio::test]
async fn an_error_with_its_cause_inside_is_taken_apart() {
    let emulator = start().await;
    let outcome = invoke(&emulator, json!(1));
    let mut client = Client::new(&emulator).await;
    let event = client.next().await;
    let body = json!({"errorMessage": "m", "errorType": "T", "errorCause": {"paths": []}});
    let headers = "Content-Type: application/vnd.aws.lambda.error.cause+json\r\n";
    client.fail(&event, headers, &body.to_string()).await;
    let outcome = outcome.await.unwrap();
    assert_eq!(outcome.json(), json!({"errorMessage": "m", "errorType": "T"}));
    assert!(
        matches!(outcome.result, Answer::Error { xray_cause: Some(cause), .. } if cause == "{\"paths\":[]}")
    );
    emulator.assert_clean();
}

#[tokio::test]
async fn an_init_error_answers_everybody_and_may_come_once() {
    let emulator = start().await;
    let waiting = invoke(&emulator, json!(1));
    short_wait().await;
    let mut client = Client::new(&emulator).await;
    assert_eq!(client.post(INIT_ERROR, JSON, &error_document()).await.status, 202);
    emulator.assert_clean();
    assert_eq!(waiting.await.unwrap().json()["errorMessage"], "no");
    assert!(matches!(emulator.invoke(json!(2)).await.result, Answer::InitError(_)));
    assert!(emulator.init_error().is_some());
    assert_eq!(client.post(INIT_ERROR, JSON, &error_document()).await.status, 403);
    assert_eq!(client.next().await.status, 403);
    assert_eq!(rules(&emulator), [rule::INIT_ERROR_TWICE, rule::CALL_AFTER_INIT_ERROR]);
}

#[tokio::test]
async fn an_init_error_after_next_is_refused() {
    let emulator = start().await;
    let outcome = invoke(&emulator, json!(1));
    let mut client = Client::new(&emulator).await;
    let event = client.next().await;
    let reply = client.post(INIT_ERROR, JSON, &error_document()).await;
    assert_eq!((reply.status, reply.error_type().as_str()), (403, "InvalidStateTransition"));
    client.respond(&event, "1").await;
    assert!(outcome.await.unwrap().is_response());
    assert_eq!(rules(&emulator), [rule::INIT_ERROR_LATE]);
}

#[tokio::test]
async fn a_response_that_is_too_large_is_answered_by_the_platform() {
    let emulator = start().await;
    let outcome = invoke(&emulator, json!(1));
    let mut client = Client::new(&emulator).await;
    let event = client.next().await;
    let body = "x".repeat(MAX_RESPONSE_BYTES + 1);
    let reply = client.respond(&event, &body).await;
    assert_eq!((reply.status, reply.error_type().as_str()), (413, "RequestEntityTooLarge"));
    assert_eq!(
        outcome.await.unwrap().json(),
        json!({
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": "Response payload size (6291557 bytes) exceeded maximum allowed payload size (6291556 bytes)."
        })
    );
    let outcome = invoke(&emulator, json!(2));
    let event = client.next().await;
    assert_eq!(client.respond(&event, &body[1..]).await.status, 202);
    assert_eq!(outcome.await.unwrap().body().len(), MAX_RESPONSE_BYTES);
    emulator.assert_clean();
}

#[tokio::test]
async fn a_timeout_answers_the_caller_and_the_late_response_is_gone() {
    let emulator = start_with(|options| options.timeout = Duration::from_millis(300)).await;
    let outcome = invoke(&emulator, json!(1));
    let mut client = Client::new(&emulator).await;
    let event = client.next().await;
    let outcome = outcome.await.unwrap();
    assert!(matches!(outcome.result, Answer::Timeout { .. }));
    assert_eq!(outcome.json()["errorType"], "Sandbox.Timedout");
    let late = client.respond(&event, "1").await;
    assert_eq!((late.status, late.error_type().as_str()), (410, "InvokeTimeout"));
    let outcome = invoke(&emulator, json!(2));
    let event = client.next().await;
    client.respond(&event, "2").await;
    assert_eq!(outcome.await.unwrap().json(), json!(2));
    emulator.assert_clean();
}

#[tokio::test]
async fn an_event_may_have_headers_of_its_own() {
    let emulator = start().await;
    let headers =
        [("lambda-runtime-deadline-ms", "1"), ("lambda-runtime-trace-id", ""), ("x", "y")];
    let event = Event {
        trace_id: Some("Root=1".into()),
        headers: headers.map(|(name, value)| (name.into(), value.into())).into(),
        ..Event::from(json!(1))
    };
    let handle = emulator.clone();
    let outcome = tokio::spawn(async move { handle.invoke(event).await });
    let mut client = Client::new(&emulator).await;
    let next = client.next().await;
    for (name, value) in headers {
        assert_eq!(next.header(name), value);
    }
    client.respond(&next, "2").await;
    assert_eq!(outcome.await.unwrap().json(), json!(2));
    emulator.assert_clean();
}

#[tokio::test]
async fn a_late_answer_does_not_reach_a_second_attempt_of_the_same_request() {
    let emulator = start_with(|options| options.timeout = Duration::from_millis(300)).await;
    let event = Event { request_id: Some("same".into()), ..Event::from(json!(1)) };
    let mut client = Client::new(&emulator).await;
    let (first, outcome) = tokio::join!(client.next(), emulator.invoke(event.clone()));
    assert!(matches!(outcome.result, Answer::Timeout { .. }));
    let handle = emulator.clone();
    let second = tokio::spawn(async move { handle.invoke(event).await });
    let again = client.next().await;
    assert_eq!(client.respond(&first, "\"old\"").await.status, 410);
    assert_eq!(client.respond(&again, "\"new\"").await.status, 202);
    assert_eq!(second.await.unwrap().json(), json!("new"));
    emulator.assert_clean();
}

#[tokio::test]
async fn a_runtime_that_never_polls_times_out() {
    let emulator = start_with(|options| options.init_timeout = Duration::from_millis(30)).await;
    let outcome = emulator.invoke(json!(1)).await;
    assert!(matches!(outcome.result, Answer::Timeout { .. }));
    assert!(!emulator.wait_for_next(Duration::from_millis(1)).await);
}

#[tokio::test]
async fn the_end_of_the_process_fails_what_was_in_flight_and_the_next_one_starts_over() {
    let emulator = start().await;
    let outcome = invoke(&emulator, json!(1));
    let kept = invoke(&emulator, json!(2));
    let mut client = Client::new(&emulator).await;
    let event = client.next().await;
    drop(client);
    emulator.runtime_exited(&RuntimeExit::Status(7));
    let id = event.header(REQUEST_ID);
    assert_eq!(
        outcome.await.unwrap().json(),
        json!({
            "errorType": "Runtime.ExitError",
            "errorMessage": format!("RequestId: {id} Error: Runtime exited with error: exit status 7")
        })
    );
    let mut client = Client::new(&emulator).await;
    let event = client.next().await;
    client.respond(&event, "2").await;
    assert_eq!(kept.await.unwrap().json(), json!(2));
    emulator.assert_clean();
}

#[tokio::test]
async fn an_event_is_not_lost_to_a_poller_that_went_away() {
    let emulator = start().await;
    let mut gone = Client::new(&emulator).await;
    gone.write(&format!("GET {NEXT} HTTP/1.1\r\nHost: e\r\nUser-Agent: t\r\n\r\n")).await;
    assert!(emulator.wait_for_next(Duration::from_secs(5)).await);
    drop(gone);
    short_wait().await;
    let outcome = invoke(&emulator, json!(1));
    let mut client = Client::new(&emulator).await;
    let event = client.next().await;
    client.respond(&event, "1").await;
    assert!(outcome.await.unwrap().is_response());
    emulator.assert_clean();
}

#[tokio::test]
async fn several_invocations_are_in_flight_where_that_is_asked_for() {
    let emulator = start_with(|options| options.concurrency = 2).await;
    let (one, two) = (invoke(&emulator, json!(1)), invoke(&emulator, json!(2)));
    let (mut a, mut b) = (Client::new(&emulator).await, Client::new(&emulator).await);
    let (first, second) = (a.next().await, b.next().await);
    assert_ne!(first.header(REQUEST_ID), second.header(REQUEST_ID));
    assert_eq!(b.respond(&second, "\"b\"").await.status, 202);
    assert_eq!(a.respond(&first, "\"a\"").await.status, 202);
    assert_eq!(one.await.unwrap().json(), json!("a"));
    assert_eq!(two.await.unwrap().json(), json!("b"));
    emulator.assert_clean();
}

#[tokio::test]
async fn restore_blocks_until_the_first_event_and_exists_under_snap_start_only() {
    let emulator = start_with(|options| options.snap_start = true).await;
    let mut client = Client::new(&emulator).await;
    let restoring = tokio::spawn(async move {
        let reply = client.get("/2018-06-01/runtime/restore/next").await;
        (client, reply)
    });
    short_wait().await;
    assert!(!restoring.is_finished());
    let outcome = invoke(&emulator, json!(1));
    let (mut client, reply) = restoring.await.unwrap();
    assert_eq!(reply.status, 200);
    let event = client.next().await;
    client.respond(&event, "1").await;
    assert!(outcome.await.unwrap().is_response());
    emulator.assert_clean();
    let ordinary = start().await;
    let mut client = Client::new(&ordinary).await;
    assert_eq!(client.get("/2018-06-01/runtime/restore/next").await.status, 404);
}

#[tokio::test]
async fn a_restore_error_answers_the_event_that_caused_the_restore() {
    let emulator = start_with(|options| options.snap_start = true).await;
    let outcome = invoke(&emulator, json!(1));
    short_wait().await;
    let mut client = Client::new(&emulator).await;
    assert_eq!(client.get("/2018-06-01/runtime/restore/next").await.status, 200);
    let path = "/2018-06-01/runtime/restore/error";
    assert_eq!(client.post(path, JSON, &error_document()).await.status, 202);
    assert!(matches!(outcome.await.unwrap().result, Answer::InitError(_)));
    emulator.assert_clean();
}

#[tokio::test]
async fn an_extension_without_events_registers_and_waits() {
    let emulator = start().await;
    let mut client = Client::new(&emulator).await;
    let path = "/2020-01-01/extension/register";
    let reply = client.post(path, "Lambda-Extension-Name: quiet\r\n", "{\"events\":[]}").await;
    assert_eq!((reply.status, &reply.json()["functionName"]), (200, &json!("test_function")));
    let id = reply.header("lambda-extension-identifier").to_owned();
    client
        .write(&format!(
            "GET /2020-01-01/extension/event/next HTTP/1.1\r\nHost: e\r\nLambda-Extension-Identifier: {id}\r\n\r\n"
        ))
        .await;
    let waited = tokio::time::timeout(Duration::from_millis(30), client.reply()).await;
    assert!(waited.is_err());
    emulator.assert_clean();
    let mut other = Client::new(&emulator).await;
    let wants = "{\"events\":[\"INVOKE\"]}";
    assert_eq!(other.post(path, "Lambda-Extension-Name: busy\r\n", wants).await.status, 403);
    assert_eq!(rules(&emulator), [rule::EXTENSION]);
}

#[test]
fn it_runs_on_a_thread_of_its_own() {
    let emulator = Emulator::spawn_thread(EmulatorOptions::default()).unwrap();
    let address = emulator.address();
    let runtime = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let head = "HTTP/1.1\r\nHost: e\r\nUser-Agent: t\r\n";
        stream.write_all(format!("GET {NEXT} {head}\r\n").as_bytes()).unwrap();
        let mut text = vec![0; 4096];
        let read = stream.read(&mut text).unwrap();
        let text = String::from_utf8_lossy(&text[..read]).to_ascii_lowercase();
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(&format!("{name}: ")))
                .unwrap()
                .to_owned()
        };
        let path = response_path(&value(REQUEST_ID));
        let echo = format!("{INVOCATION_ID}: {}", value(INVOCATION_ID));
        let post = format!("POST {path} {head}{echo}\r\nContent-Length: 1\r\n\r\n5");
        stream.write_all(post.as_bytes()).unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
    });
    assert_eq!(emulator.invoke_blocking(json!(1)).json(), json!(5));
    assert!(emulator.wait_for_next_blocking(Duration::from_secs(1)));
    runtime.join().unwrap();
    emulator.assert_clean();
    emulator.shutdown();
}
