//! The rules that a correct client keeps, each broken once.

use super::super::{Answer, rule};
use super::*;

/// Starts an emulator with one event under way.
async fn with_event() -> (Emulator, Client, Reply, JoinHandle<Outcome>) {
    let emulator = start().await;
    let outcome = invoke(&emulator, json!(1));
    let mut client = Client::new(&emulator).await;
    let event = client.next().await;
    (emulator, client, event, outcome)
}

#[tokio::test]
async fn the_invocation_id_must_be_sent_back() {
    let (emulator, mut client, event, outcome) = with_event().await;
    let reply = client.post(&response_path(event.header(REQUEST_ID)), "", "1").await;
    assert_eq!(reply.status, 202);
    assert!(outcome.await.unwrap().is_response());
    assert_eq!(rules(&emulator), [rule::INVOCATION_ID_MISSING]);
}

#[tokio::test]
async fn an_invented_invocation_id_is_gone() {
    let (emulator, mut client, event, _outcome) = with_event().await;
    let path = response_path(event.header(REQUEST_ID));
    let reply = client.post(&path, "Lambda-Runtime-Invocation-Id: mine\r\n", "1").await;
    assert_eq!(reply.status, 410);
    assert_eq!(rules(&emulator), [rule::INVOCATION_ID_INVENTED]);
}

#[tokio::test]
async fn error_posts_are_looked_at() {
    let (emulator, mut client, event, outcome) = with_event().await;
    let headers = "Lambda-Runtime-Function-Error-Type: TypeError\r\nLambda-Runtime-Function-XRay-Error-Cause: no\r\n";
    assert_eq!(client.fail(&event, headers, "{\"errorMessage\":\"m\"}").await.status, 202);
    assert_eq!(outcome.await.unwrap().error_type().as_deref(), Some("Runtime.Unknown"));
    assert_eq!(
        rules(&emulator),
        [rule::ERROR_TYPE_HEADER, rule::ERROR_CONTENT_TYPE, rule::ERROR_BODY, rule::XRAY_CAUSE]
    );
}

#[tokio::test]
async fn an_error_body_must_be_json() {
    let (emulator, mut client, event, outcome) = with_event().await;
    client.fail(&event, JSON, "went wrong").await;
    assert_eq!(outcome.await.unwrap().body(), "went wrong");
    assert_eq!(rules(&emulator), [rule::ERROR_BODY]);
}

#[tokio::test]
async fn the_response_mode_is_streaming_or_absent() {
    let (emulator, mut client, event, outcome) = with_event().await;
    let headers = format!("{}Lambda-Runtime-Function-Response-Mode: Streaming\r\n", echo(&event));
    let reply = client.post(&response_path(event.header(REQUEST_ID)), &headers, "1").await;
    assert_eq!((reply.status, reply.error_type().as_str()), (400, "InvalidFunctionResponseMode"));
    let outcome = outcome.await.unwrap();
    assert_eq!(outcome.error_type().as_deref(), Some("Runtime.InvalidResponseModeHeader"));
    assert!(outcome.body().is_empty());
    assert_eq!(rules(&emulator), [rule::RESPONSE_MODE]);
}

#[tokio::test]
async fn a_stream_is_chunked_and_announces_its_trailers() {
    let (emulator, mut client, event, outcome) = with_event().await;
    let path = response_path(event.header(REQUEST_ID));
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: e\r\nUser-Agent: t\r\n{}Lambda-Runtime-Function-Response-Mode: streaming\r\n",
        echo(&event)
    );
    let chunks =
        "2\r\nab\r\n1\r\nc\r\n0\r\nLambda-Runtime-Function-Error-Type: Function.Late\r\n\r\n";
    client.write(&format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}")).await;
    assert_eq!(client.reply().await.status, 202);
    let outcome = outcome.await.unwrap();
    assert_eq!(outcome.error_type().as_deref(), Some("Function.Late"));
    assert!(
        matches!(outcome.result, Answer::Response { streamed: true, bytes, .. } if bytes == "abc")
    );
    assert_eq!(rules(&emulator), [rule::TRAILERS]);

    let outcome = invoke(&emulator, json!(2));
    let event = client.next().await;
    let headers = format!("{}Lambda-Runtime-Function-Response-Mode: streaming\r\n", echo(&event));
    client.post(&response_path(event.header(REQUEST_ID)), &headers, "1").await;
    assert!(outcome.await.unwrap().is_response());
    assert_eq!(rules(&emulator), [rule::TRAILERS, rule::STREAM_NOT_CHUNKED]);
}

#[tokio::test]
async fn announced_trailers_are_fine() {
    // In one line, or in a line each, as the official client for Node.js has them.
    for between in [", ", "\r\nTrailer: "] {
        let (emulator, mut client, event, outcome) = with_event().await;
        let path = response_path(event.header(REQUEST_ID));
        let names = ["Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"]
            .join(between);
        let body = "eyJlcnJvck1lc3NhZ2UiOiJtIiwiZXJyb3JUeXBlIjoiVCJ9";
        client
            .write(&format!(
                "POST {path} HTTP/1.1\r\nHost: e\r\nUser-Agent: t\r\n{}Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\nTrailer: {names}\r\n\r\n0\r\nLambda-Runtime-Function-Error-Type: Function.T\r\nLambda-Runtime-Function-Error-Body: {body}\r\n\r\n",
                echo(&event)
            ))
            .await;
        assert_eq!(client.reply().await.status, 202);
        let Answer::Response { trailers, .. } = outcome.await.unwrap().result else { panic!() };
        assert_eq!(trailers.len(), 2);
        emulator.assert_clean();
    }
}

#[tokio::test]
async fn a_body_that_ends_early_is_a_truncated_response() {
    let (emulator, mut client, event, outcome) = with_event().await;
    let path = response_path(event.header(REQUEST_ID));
    let head = format!("POST {path} HTTP/1.1\r\nHost: e\r\nUser-Agent: t\r\n{}", echo(&event));
    client.write(&format!("{head}Content-Length: 100\r\n\r\nabc")).await;
    drop(client);
    let outcome = outcome.await.unwrap();
    assert_eq!(outcome.error_type().as_deref(), Some("Runtime.TruncatedResponse"));
    assert_eq!(rules(&emulator), [rule::TRUNCATED_BODY]);
}

#[tokio::test]
async fn a_body_that_breaks_its_chunks_is_told_so() {
    let (emulator, mut client, event, outcome) = with_event().await;
    let path = response_path(event.header(REQUEST_ID));
    let head = format!("POST {path} HTTP/1.1\r\nHost: e\r\nUser-Agent: t\r\n{}", echo(&event));
    client.write(&format!("{head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n")).await;
    let reply = client.reply().await;
    assert_eq!((reply.status, reply.error_type().as_str()), (400, "TruncatedHTTPRequest"));
    assert_eq!(outcome.await.unwrap().error_type().as_deref(), Some("Runtime.TruncatedResponse"));
    assert_eq!(rules(&emulator), [rule::TRUNCATED_BODY]);
}

#[tokio::test]
async fn a_post_needs_a_length() {
    let (emulator, mut client, event, outcome) = with_event().await;
    let path = response_path(event.header(REQUEST_ID));
    client
        .write(&format!("POST {path} HTTP/1.1\r\nHost: e\r\nUser-Agent: t\r\n{}\r\n", echo(&event)))
        .await;
    assert_eq!(client.reply().await.status, 202);
    assert!(outcome.await.unwrap().body().is_empty());
    assert_eq!(rules(&emulator), [rule::BODY_WITHOUT_LENGTH]);
}

#[tokio::test]
async fn requests_name_their_host_and_their_client() {
    let emulator = start().await;
    let _waiting = invoke(&emulator, json!(1));
    let mut client = Client::new(&emulator).await;
    client.write(&format!("GET {NEXT} HTTP/1.1\r\n\r\n")).await;
    assert_eq!(client.reply().await.status, 200);
    assert_eq!(rules(&emulator), [rule::HOST_MISSING, rule::USER_AGENT_MISSING]);
}

#[tokio::test]
async fn the_first_word_of_the_user_agent_is_short() {
    let emulator = start().await;
    let _waiting = invoke(&emulator, json!(1));
    let mut client = Client::new(&emulator).await;
    let agent = "a".repeat(129);
    client.write(&format!("GET {NEXT} HTTP/1.1\r\nHost: e\r\nUser-Agent: {agent}\r\n\r\n")).await;
    assert_eq!(client.reply().await.status, 200);
    assert_eq!(rules(&emulator), [rule::USER_AGENT_LONG]);
}

#[tokio::test]
async fn http_1_0_is_too_old() {
    let emulator = start().await;
    let _waiting = invoke(&emulator, json!(1));
    let mut client = Client::new(&emulator).await;
    client.write(&format!("GET {NEXT} HTTP/1.0\r\nUser-Agent: t\r\n\r\n")).await;
    assert_eq!(client.reply().await.status, 200);
    assert_eq!(rules(&emulator), [rule::HTTP_VERSION]);
}

#[tokio::test]
async fn a_second_poller_is_one_too_many() {
    let emulator = start().await;
    let (mut first, mut second) = (Client::new(&emulator).await, Client::new(&emulator).await);
    let poll = format!("GET {NEXT} HTTP/1.1\r\nHost: e\r\nUser-Agent: t\r\n\r\n");
    first.write(&poll).await;
    assert!(emulator.wait_for_next(Duration::from_secs(5)).await);
    second.write(&poll).await;
    short_wait().await;
    assert_eq!(rules(&emulator), [rule::TOO_MANY_POLLERS]);
}

#[tokio::test]
async fn side_by_side_there_are_as_many_pollers_as_invocations_and_errors_stay_small() {
    let emulator = start_with(|options| options.concurrency = 2).await;
    let (one, _two) = (invoke(&emulator, json!(1)), invoke(&emulator, json!(2)));
    let (mut a, mut b) = (Client::new(&emulator).await, Client::new(&emulator).await);
    let (event, _other) = (a.next().await, b.next().await);
    emulator.assert_clean();
    let document = json!({"errorMessage": "x".repeat(1024 * 1024), "errorType": "T"}).to_string();
    assert_eq!(a.fail(&event, JSON, &document).await.status, 413);
    assert_eq!(one.await.unwrap().error_type().as_deref(), Some("Function.ResponseSizeTooLarge"));
    let mut c = Client::new(&emulator).await;
    for client in [&mut a, &mut c] {
        client.write(&format!("GET {NEXT} HTTP/1.1\r\nHost: e\r\nUser-Agent: t\r\n\r\n")).await;
    }
    short_wait().await;
    assert_eq!(rules(&emulator), [rule::TOO_MANY_POLLERS]);
}

#[tokio::test]
async fn a_connection_for_each_request_is_noticed() {
    let emulator = start().await;
    for n in 0..2 {
        let outcome = invoke(&emulator, json!(n));
        let event = Client::new(&emulator).await.next().await;
        Client::new(&emulator).await.respond(&event, "1").await;
        assert!(outcome.await.unwrap().is_response());
    }
    assert_eq!(rules(&emulator), [rule::NO_KEEP_ALIVE]);
}

#[tokio::test]
async fn paths_and_methods_are_exact() {
    let emulator = start().await;
    let mut client = Client::new(&emulator).await;
    assert_eq!(client.get("/2018-06-01/runtime/invocation/next/").await.status, 404);
    assert_eq!(client.get("/2018-06-01/runtime").await.status, 404);
    let reply = client.post(NEXT, "", "").await;
    assert_eq!((reply.status, reply.header("allow")), (405, "GET"));
    assert_eq!(rules(&emulator), [rule::UNKNOWN_PATH, rule::UNKNOWN_PATH, rule::WRONG_METHOD]);
    assert_eq!(client.get("/2018-06-01/ping").await.body, b"pong");
}

#[tokio::test]
#[should_panic(expected = "unknown-path: GET /2018-06-01/nowhere")]
async fn assert_clean_lists_what_was_broken() {
    let emulator = start().await;
    Client::new(&emulator).await.get("/2018-06-01/nowhere").await;
    emulator.assert_clean();
}
