//! Faults: what the runtime sees of each, what it may do next, and what is still a violation afterwards.

use super::super::Endpoint::{Error, ExtensionNext, ExtensionRegister, InitError, Next, Response};
use super::super::{Answer, Fault, Injection, Moment, Record, RuntimeExit, rule};
use super::*;

const REGISTER: &str = "/2020-01-01/extension/register";

/// Starts an emulator with a waiting event.
async fn with_event() -> (Emulator, Client, JoinHandle<Outcome>) {
    let emulator = start().await;
    let outcome = invoke(&emulator, json!({"n": 1}));
    let client = Client::new(&emulator).await;
    (emulator, client, outcome)
}

fn only_record(emulator: &Emulator) -> Record {
    let records = emulator.records();
    assert_eq!(records.len(), 1, "{records:?}");
    records[0].clone()
}

/// Serves the next event as a correct client does.
async fn serve_one(emulator: &Emulator) {
    let mut client = Client::new(emulator).await;
    let event = client.next().await;
    assert_eq!(client.respond(&event, "1").await.status, 202);
}

#[tokio::test]
async fn a_refused_post_is_over_and_the_runtime_goes_on() {
    for status in [400, 403, 410, 413, 418] {
        let (emulator, mut client, outcome) = with_event().await;
        emulator.inject(Response, 1, Fault::Status(status));
        let event = client.next().await;
        assert_eq!(client.respond(&event, "1").await.status, status);
        let expected =
            if status == 413 { "Function.ResponseSizeTooLarge" } else { "Sandbox.Failure" };
        assert_eq!(outcome.await.unwrap().error_type().as_deref(), Some(expected));
        client.poll().await;
        short_wait().await;
        emulator.assert_clean();
        let record = only_record(&emulator);
        assert_eq!((record.handed_out, record.accepted, record.refused), (1, 0, 1));
        assert!(emulator.faults_left().is_empty());
    }
}

#[tokio::test]
async fn a_second_answer_after_a_refused_post_is_a_violation() {
    let (emulator, mut client, _outcome) = with_event().await;
    emulator.inject(Response, 1, Fault::Status(413));
    let event = client.next().await;
    client.respond(&event, "1").await;
    assert_eq!(client.fail(&event, JSON, &error_document()).await.status, 403);
    assert_eq!(rules(&emulator), [rule::ANSWERED_TWICE]);
    assert_eq!(only_record(&emulator).refused, 2);
}

#[tokio::test]
async fn after_a_container_error_the_process_must_end() {
    for endpoint in [Response, Error] {
        let (emulator, mut client, outcome) = with_event().await;
        emulator.inject(endpoint, 1, Fault::Status(500));
        let event = client.next().await;
        let reply = match endpoint {
            Response => client.respond(&event, "1").await,
            _ => client.fail(&event, JSON, &error_document()).await,
        };
        assert_eq!((reply.status, reply.error_type().as_str()), (500, "InternalServerError"));
        emulator.assert_clean();
        client.next().await;
        assert_eq!(rules(&emulator), [rule::CALL_AFTER_FATAL, rule::NEXT_WHILE_RUNNING]);
        emulator.runtime_exited(&RuntimeExit::Status(1));
        assert_eq!(outcome.await.unwrap().error_type().as_deref(), Some("Runtime.ExitError"));
    }
}

#[tokio::test]
async fn a_new_process_is_not_blamed_for_the_one_before() {
    let (emulator, mut client, outcome) = with_event().await;
    emulator.inject(Next, 1, Fault::Status(503));
    assert_eq!(client.next().await.status, 503);
    emulator.runtime_exited(&RuntimeExit::Status(1));
    assert_eq!(outcome.await.unwrap().error_type().as_deref(), Some("Runtime.ExitError"));
    let outcome = invoke(&emulator, json!(2));
    serve_one(&emulator).await;
    assert!(outcome.await.unwrap().is_response());
    emulator.assert_clean();
}

#[tokio::test]
async fn a_refused_next_ends_the_process() {
    for status in [403, 410, 500] {
        let (emulator, mut client, _outcome) = with_event().await;
        emulator.inject(Next, 1, Fault::Status(status));
        assert_eq!(client.next().await.status, status);
        emulator.assert_clean();
        client.next().await;
        assert_eq!(rules(&emulator), [rule::CALL_AFTER_FATAL]);
    }
}

#[tokio::test]
async fn init_errors_and_extensions_are_refused_too() {
    let emulator = start_with(|options| {
        options.faults = vec![
            Injection::new(InitError, 1, Fault::Status(500)),
            Injection::new(ExtensionRegister, 1, Fault::Status(500)),
            Injection::new(ExtensionNext, 1, Fault::Status(410)),
        ];
    })
    .await;
    let mut client = Client::new(&emulator).await;
    let headers = "Lambda-Extension-Name: quiet\r\n";
    assert_eq!(client.post(REGISTER, headers, "{}").await.status, 500);
    assert_eq!(client.post(REGISTER, headers, "{}").await.status, 200);
    assert_eq!(client.get("/2020-01-01/extension/event/next").await.status, 410);
    assert_eq!(client.post(INIT_ERROR, JSON, &error_document()).await.status, 500);
    assert!(emulator.init_error().is_none());
    emulator.assert_clean();
    client.post(INIT_ERROR, JSON, &error_document()).await;
    assert_eq!(rules(&emulator), [rule::CALL_AFTER_FATAL]);
}

#[tokio::test]
async fn an_event_whose_reply_broke_is_handed_out_again() {
    let broken = [
        Fault::Reset(Moment::Processed),
        Fault::Reset(Moment::ReplyBody),
        Fault::Truncate,
        Fault::MalformedHead,
    ];
    for fault in broken {
        let (emulator, mut client, outcome) = with_event().await;
        emulator.inject(Next, 1, fault.clone());
        client.poll().await;
        let (bytes, is_orderly) = client.rest().await;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match fault {
            Fault::Reset(Moment::Processed) => assert!(text.is_empty() && !is_orderly, "{text}"),
            Fault::Reset(_) => {
                assert!(text.contains("content-length: 7") && text.ends_with("{\"n"), "{text}");
                assert!(!is_orderly);
            }
            Fault::Truncate => {
                assert!(text.contains("content-length: 7") && text.ends_with("{\"n"), "{text}");
                assert!(is_orderly);
            }
            _ => assert!(text.starts_with("HTTP/1.1 2OO") && is_orderly, "{text}"),
        }
        serve_one(&emulator).await;
        assert!(outcome.await.unwrap().is_response());
        emulator.assert_clean();
        let record = only_record(&emulator);
        assert_eq!((record.attempts, record.handed_out, record.broken), (1, 2, 1));
        assert!(record.is_answered_once() && emulator.counts().all_answered_once());
    }
}

#[tokio::test]
async fn a_next_that_breaks_before_its_event_may_be_sent_once_more() {
    let silence = Fault::Silence { at_most: Duration::from_millis(20) };
    let faults = [Fault::Reset(Moment::RequestHead), Fault::Reset(Moment::RequestBody), silence];
    for fault in faults {
        let (emulator, mut client, outcome) = with_event().await;
        emulator.inject(Next, 1, fault);
        client.poll().await;
        assert!(client.rest().await.0.is_empty());
        serve_one(&emulator).await;
        assert!(outcome.await.unwrap().is_response());
        emulator.assert_clean();
        assert_eq!(only_record(&emulator).handed_out, 1);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_twice_running_ends_the_process() {
    let (emulator, _client, _outcome) = with_event().await;
    for nth in [1, 2] {
        emulator.inject(Next, nth, Fault::Reset(Moment::RequestHead));
    }
    for _ in 0..2 {
        let mut client = Client::new(&emulator).await;
        client.poll().await;
        client.rest().await;
        emulator.assert_clean();
    }
    Client::new(&emulator).await.next().await;
    assert_eq!(rules(&emulator), [rule::CALL_AFTER_FATAL]);
}

#[tokio::test]
async fn two_breaks_with_an_answer_between_are_two_first_ones() {
    let emulator = start().await;
    for _ in 0..3 {
        emulator.inject(Next, 1, Fault::Reset(Moment::RequestHead));
        let mut client = Client::new(&emulator).await;
        client.poll().await;
        client.rest().await;
        let outcome = invoke(&emulator, json!(1));
        serve_one(&emulator).await;
        assert!(outcome.await.unwrap().is_response());
    }
    emulator.assert_clean();
}

#[tokio::test]
async fn a_post_that_broke_before_its_body_was_sent_may_be_sent_again() {
    let (emulator, mut client, outcome) = with_event().await;
    emulator.inject(Response, 1, Fault::Reset(Moment::RequestHead));
    let event = client.next().await;
    let path = response_path(event.header(REQUEST_ID));
    let head = format!("POST {path} HTTP/1.1\r\nHost: e\r\nUser-Agent: t\r\n{}", echo(&event));
    client.write(&format!("{head}Content-Length: 1\r\n\r\n")).await;
    assert!(client.rest().await.0.is_empty());
    let mut fresh = Client::new(&emulator).await;
    assert_eq!(fresh.respond(&event, "1").await.status, 202);
    assert!(outcome.await.unwrap().is_response());
    emulator.assert_clean();
    assert!(only_record(&emulator).is_answered_once());
}

#[tokio::test]
async fn a_post_that_broke_with_its_body_must_not_be_sent_again() {
    let faults = [
        Fault::Reset(Moment::RequestHead),
        Fault::Reset(Moment::RequestBody),
        Fault::Silence { at_most: Duration::from_millis(10) },
    ];
    for fault in faults {
        let (emulator, mut client, outcome) = with_event().await;
        emulator.inject(Response, 1, fault);
        let event = client.next().await;
        client.post_blindly(&event).await;
        assert!(client.rest().await.0.is_empty());
        emulator.assert_clean();
        assert_eq!(only_record(&emulator).accepted, 0);
        Client::new(&emulator).await.respond(&event, "2").await;
        assert!(outcome.await.unwrap().is_response());
        assert_eq!(rules(&emulator), [rule::CALL_AFTER_FATAL]);
    }
}

#[tokio::test]
async fn an_answer_that_was_taken_counts_although_its_client_cannot_know() {
    for fault in [Fault::Reset(Moment::Processed), Fault::MalformedHead] {
        let (emulator, mut client, outcome) = with_event().await;
        emulator.inject(Response, 1, fault);
        let event = client.next().await;
        client.post_blindly(&event).await;
        client.rest().await;
        assert!(outcome.await.unwrap().is_response());
        assert!(only_record(&emulator).is_answered_once());
        emulator.assert_clean();
        let again = Client::new(&emulator).await.respond(&event, "1").await;
        assert_eq!(again.status, 403);
        assert_eq!(rules(&emulator), [rule::CALL_AFTER_FATAL, rule::ANSWERED_TWICE]);
        assert!(!emulator.counts().all_answered_once());
    }
}

#[tokio::test]
async fn who_has_the_status_of_a_post_may_go_on_without_its_body() {
    for fault in [Fault::Truncate, Fault::Reset(Moment::ReplyBody)] {
        let (emulator, mut client, outcome) = with_event().await;
        emulator.inject(Response, 1, fault);
        let event = client.next().await;
        client.post_blindly(&event).await;
        assert!(client.rest().await.0.starts_with(b"HTTP/1.1 202"));
        assert!(outcome.await.unwrap().is_response());
        Client::new(&emulator).await.poll().await;
        short_wait().await;
        emulator.assert_clean();
    }
}

#[tokio::test]
async fn rules_are_looked_at_where_a_fault_keeps_a_post_from_its_end() {
    let (emulator, mut client, _outcome) = with_event().await;
    emulator.inject(Response, 1, Fault::Status(400));
    client.next().await;
    assert_eq!(client.post(&response_path("nobody"), "", "1").await.status, 400);
    assert_eq!(rules(&emulator), [rule::UNKNOWN_REQUEST_ID]);
}

#[tokio::test]
async fn a_slow_reply_comes_in_pieces_and_whole() {
    let (emulator, mut client, outcome) = with_event().await;
    let over = Duration::from_millis(60);
    emulator.inject(Next, 1, Fault::Drip { pieces: 3, over });
    let begin = std::time::Instant::now();
    let event = client.next().await;
    assert!(begin.elapsed() >= over);
    assert_eq!(event.json(), json!({"n": 1}));
    emulator.inject(Response, 1, Fault::Drip { pieces: 100, over });
    assert_eq!(client.respond(&event, "1").await.json(), json!({"status": "OK"}));
    assert!(outcome.await.unwrap().is_response());
    emulator.assert_clean();
}

#[tokio::test]
async fn an_idle_connection_may_be_closed_without_a_word() {
    let (emulator, mut client, outcome) = with_event().await;
    for endpoint in [Next, Response] {
        emulator.inject(endpoint, 1, Fault::CloseAfter);
    }
    let event = client.next().await;
    assert_eq!(event.header("connection"), "");
    assert!(client.is_cut().await);
    let mut client = Client::new(&emulator).await;
    assert_eq!(client.respond(&event, "1").await.status, 202);
    assert!(client.is_cut().await);
    assert!(outcome.await.unwrap().is_response());
    emulator.assert_clean();
}

#[tokio::test]
async fn garbage_in_headers_leaves_the_event_whole() {
    let (emulator, mut client, outcome) = with_event().await;
    emulator.inject(Next, 1, Fault::GarbageHeaders);
    client.poll().await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.stream.read_u8().await.unwrap());
    }
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    assert!(text.contains("lambda-runtime-deadline-ms: soon"), "{text}");
    assert!(head.windows(2).any(|pair| pair == b"\xff\xfe"));
    assert!(text.lines().any(|line| line.len() > 64 * 1024));
    let mut body = [0; 7];
    client.stream.read_exact(&mut body).await.unwrap();
    assert_eq!(&body, b"{\"n\":1}");
    let record = only_record(&emulator);
    let path = response_path(&record.request_id);
    assert_eq!(client.post(&path, "", "1").await.status, 202);
    assert!(outcome.await.unwrap().is_response());
}

#[tokio::test]
async fn an_event_may_come_twice_in_the_same_attempt_or_in_another() {
    for new_attempt in [false, true] {
        let (emulator, mut client, outcome) = with_event().await;
        emulator.inject(Next, 1, Fault::Repeat { new_attempt });
        let first = client.next().await;
        client.respond(&first, "1").await;
        assert_eq!(outcome.await.unwrap().json(), json!(1));
        let again = client.next().await;
        assert_eq!(again.header(REQUEST_ID), first.header(REQUEST_ID));
        assert_eq!(again.header(INVOCATION_ID) != first.header(INVOCATION_ID), new_attempt);
        assert_eq!(again.body, first.body);
        assert_eq!(client.respond(&again, "2").await.status, 202);
        emulator.assert_clean();
        let record = only_record(&emulator);
        assert_eq!((record.attempts, record.accepted), (2, 2));
        assert!(record.is_answered_once());
        let other = invoke(&emulator, json!(3));
        let third = client.next().await;
        assert_ne!(third.header(REQUEST_ID), first.header(REQUEST_ID));
        client.respond(&third, "3").await;
        assert_eq!(other.await.unwrap().json(), json!(3));
    }
}

#[tokio::test]
async fn a_forgotten_invocation_refuses_its_answer_once() {
    for status in [400, 410] {
        let (emulator, mut client, outcome) = with_event().await;
        emulator.inject(Next, 1, Fault::Forget { status });
        let event = client.next().await;
        assert_eq!(client.respond(&event, "1").await.status, status);
        assert!(matches!(outcome.await.unwrap().result, Answer::Platform { .. }));
        let other = invoke(&emulator, json!(2));
        let next = client.next().await;
        client.respond(&next, "2").await;
        assert!(other.await.unwrap().is_response());
        emulator.assert_clean();
        assert_eq!((emulator.counts().accepted, emulator.counts().lost), (1, 1));
        client.respond(&event, "1").await;
        assert_eq!(rules(&emulator), [rule::ANSWERED_TWICE]);
    }
}

#[tokio::test]
async fn a_forgotten_invocation_must_be_answered_all_the_same() {
    let (emulator, mut client, _outcome) = with_event().await;
    emulator.inject(Next, 1, Fault::Forget { status: 410 });
    client.next().await;
    client.poll().await;
    short_wait().await;
    assert_eq!(rules(&emulator), [rule::NEXT_WHILE_RUNNING]);
}

#[tokio::test]
async fn connections_lost_to_faults_are_no_lack_of_keep_alive() {
    let emulator = start().await;
    for _ in 0..8 {
        emulator.inject(Response, 1, Fault::CloseAfter);
        let outcome = invoke(&emulator, json!(1));
        serve_one(&emulator).await;
        assert!(outcome.await.unwrap().is_response());
    }
    emulator.assert_clean();
}

#[tokio::test]
#[should_panic(expected = "is a fault of Next, not of Response")]
async fn a_fault_that_makes_no_sense_is_told_at_once() {
    start().await.inject(Response, 1, Fault::GarbageHeaders);
}

#[tokio::test]
async fn a_plan_that_makes_no_sense_keeps_the_emulator_from_starting() {
    let faults = vec![Injection::new(Next, 0, Fault::Truncate)];
    let started = Emulator::start(EmulatorOptions { faults, ..EmulatorOptions::default() }).await;
    assert!(started.err().unwrap().to_string().contains("counted from 1"));
}

#[tokio::test]
async fn planned_faults_can_be_looked_at_and_forgotten() {
    let emulator = start().await;
    emulator.inject(Next, 3, Fault::Truncate);
    assert_eq!(emulator.faults_left(), [Injection::new(Next, 3, Fault::Truncate)]);
    emulator.clear_faults();
    assert!(emulator.faults_left().is_empty());
}
