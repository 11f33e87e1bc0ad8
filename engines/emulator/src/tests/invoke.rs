//! The caller's side: the Invoke API, buffered and streamed, and answers that are read piece by piece.

use super::super::{Answer, Event};
use super::*;

const INVOKE: &str = "/2015-03-31/functions/function/invocations";
const INVOKE_STREAMING: &str = "/2021-11-15/functions/function/response-streaming-invocations";

/// Starts a runtime that echoes every event, or answers with an error when the event contains the word `fail`.
async fn echo_runtime(emulator: &Emulator) -> JoinHandle<()> {
    let mut client = Client::new(emulator).await;
    tokio::spawn(async move {
        loop {
            let event = client.next().await;
            let body = String::from_utf8_lossy(&event.body).into_owned();
            if body.contains("fail") {
                client.fail(&event, JSON, &error_document()).await;
            } else {
                client.respond(&event, &body).await;
            }
        }
    })
}

#[tokio::test]
async fn a_request_becomes_an_event_and_its_response_a_reply() {
    let emulator = start().await;
    let mut caller = Client::new(&emulator).await;
    let headers = "X-Amz-Client-Context: eyJhIjoxfQ==\r\nX-Amzn-Trace-Id: Root=1\r\nX-Amz-Tenant-Id: blue\r\nContent-Type: text/plain\r\n";
    let path = "/2015-03-31/functions/test_function%3Alive/invocations";
    let mut runtime = Client::new(&emulator).await;
    let (reply, ()) = tokio::join!(caller.post(path, headers, "hi"), async {
        let event = runtime.next().await;
        assert_eq!(event.header("content-type"), "text/plain");
        assert_eq!(event.header("lambda-runtime-client-context"), "{\"a\":1}");
        assert_eq!(event.header("lambda-runtime-trace-id"), "Root=1");
        assert_eq!(event.header("lambda-runtime-aws-tenant-id"), "blue");
        assert!(
            event.header("lambda-runtime-invoked-function-arn").ends_with(":test_function:live")
        );
        let headers = format!("{}Content-Type: text/html\r\n", echo(&event));
        runtime.post(&response_path(event.header(REQUEST_ID)), &headers, "<p>").await;
    });
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"<p>".as_slice()));
    assert_eq!(reply.header("content-type"), "text/html");
    assert_eq!(reply.header("x-amz-executed-version"), "$LATEST");
    assert_eq!(reply.header("x-amzn-requestid").len(), 36);
    assert_eq!(reply.header("x-amz-function-error"), "");
    emulator.assert_clean();
}

#[tokio::test]
async fn a_function_error_is_a_success_with_a_header() {
    let emulator = start().await;
    let runtime = echo_runtime(&emulator).await;
    let reply = Client::new(&emulator).await.post(INVOKE, "", "fail").await;
    assert_eq!((reply.status, reply.header("x-amz-function-error")), (200, "Unhandled"));
    assert_eq!(reply.json()["errorType"], "Error");
    runtime.abort();
    emulator.assert_clean();
}

#[tokio::test]
async fn what_callers_do_wrong_is_no_fault_of_the_runtime() {
    let emulator = start().await;
    let mut caller = Client::new(&emulator).await;
    for path in [INVOKE, INVOKE_STREAMING] {
        let reply = caller.get(path).await;
        assert_eq!((reply.status, reply.header("allow")), (405, "POST"), "{path}");
        assert!(reply.json()["message"].as_str().unwrap().contains("POST, not GET"), "{path}");
    }
    for path in [INVOKE.to_owned() + "/", "/2015-03-31/functions".to_owned()] {
        let reply = caller.post(&path, "", "1").await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.json()["message"].as_str().unwrap().contains("invocations"), "{path}");
    }
    emulator.assert_clean();
}

#[tokio::test]
async fn a_timeout_reaches_http_callers_as_an_error() {
    let emulator = start_with(|options| options.timeout = Duration::from_millis(20)).await;
    let (mut caller, mut runtime) = (Client::new(&emulator).await, Client::new(&emulator).await);
    let (reply, _event) = tokio::join!(caller.post(INVOKE, "", "1"), runtime.next());
    assert_eq!((reply.status, reply.header("x-amz-function-error")), (200, "Unhandled"));
    let message = reply.json()["errorMessage"].as_str().unwrap().to_owned();
    assert!(message.ends_with("Error: Task timed out after 0.02 seconds"), "{message}");
}

#[tokio::test]
async fn invocation_types_are_told_apart() {
    let emulator = start().await;
    let mut caller = Client::new(&emulator).await;
    let dry = caller.post(INVOKE, "X-Amz-Invocation-Type: DryRun\r\n", "1").await;
    assert_eq!(dry.status, 204);
    let queued = caller.post(INVOKE, "X-Amz-Invocation-Type: Event\r\n", "\"e\"").await;
    assert_eq!(queued.status, 202);
    let wrong = caller.post(INVOKE, "X-Amz-Invocation-Type: Later\r\n", "1").await;
    assert_eq!(wrong.status, 400);
    let event = Client::new(&emulator).await.next().await;
    assert_eq!(event.body, b"\"e\"");
}

#[tokio::test]
async fn requests_that_cannot_be_events_are_turned_away() {
    let emulator = start().await;
    let mut caller = Client::new(&emulator).await;
    let large = caller.post(INVOKE, "", &"x".repeat(6 * 1024 * 1024 + 1)).await;
    assert_eq!(large.status, 413);
    assert_eq!(large.header("x-amzn-errortype"), "RequestEntityTooLargeException");
    let context = caller.post(INVOKE, "X-Amz-Client-Context: %%\r\n", "1").await;
    assert_eq!(context.status, 400);
    assert!(context.json()["message"].as_str().unwrap().contains("Base64"));
}

#[tokio::test]
async fn callers_side_by_side_are_queued_up_to_a_length() {
    let emulator = start_with(|options| options.queue_length = 5).await;
    let callers: Vec<_> = (0..5).map(|n| invoke(&emulator, json!(n))).collect();
    short_wait().await;
    assert_eq!(Client::new(&emulator).await.post(INVOKE, "", "6").await.status, 429);
    assert_eq!(emulator.invoke(json!(7)).await.result, Answer::Throttled);
    let runtime = echo_runtime(&emulator).await;
    for (n, caller) in callers.into_iter().enumerate() {
        assert_eq!(caller.await.unwrap().json(), json!(n));
    }
    runtime.abort();
    emulator.assert_clean();
}

#[tokio::test]
async fn after_an_init_error_every_invoke_gets_its_document() {
    let emulator = start().await;
    Client::new(&emulator).await.post(INIT_ERROR, JSON, &error_document()).await;
    let reply = Client::new(&emulator).await.post(INVOKE, "", "1").await;
    assert_eq!((reply.status, reply.header("x-amz-function-error")), (200, "Unhandled"));
    assert_eq!(reply.json()["errorMessage"], "no");
}

async fn open_stream(runtime: &mut Client) {
    let event = runtime.next().await;
    let path = response_path(event.header(REQUEST_ID));
    runtime
        .write(&format!(
            "POST {path} HTTP/1.1\r\nHost: e\r\nUser-Agent: t\r\n{}Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n3\r\none\r\n",
            echo(&event)
        ))
        .await;
}

#[tokio::test]
async fn a_stream_is_passed_on_while_it_arrives() {
    let emulator = start().await;
    let (mut caller, mut runtime) = (Client::new(&emulator).await, Client::new(&emulator).await);
    caller
        .write(&format!(
            "POST {INVOKE_STREAMING} HTTP/1.1\r\nHost: e\r\nContent-Length: 1\r\n\r\n1"
        ))
        .await;
    open_stream(&mut runtime).await;
    let mut line = String::new();
    caller.stream.read_line(&mut line).await.unwrap();
    assert!(line.contains("200"), "{line}");
    let headers = caller.fields().await;
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(caller.chunk().await.unwrap(), b"one");
    runtime.write("3\r\ntwo\r\n0\r\n\r\n").await;
    assert_eq!(runtime.reply().await.status, 202);
    assert_eq!(caller.chunk().await.unwrap(), b"two");
    assert!(caller.chunk().await.is_none());
    emulator.assert_clean();
}

#[tokio::test]
async fn a_stream_that_times_out_is_cut() {
    let emulator = start_with(|options| options.timeout = Duration::from_millis(300)).await;
    let (mut caller, mut runtime) = (Client::new(&emulator).await, Client::new(&emulator).await);
    caller
        .write(&format!(
            "POST {INVOKE_STREAMING} HTTP/1.1\r\nHost: e\r\nContent-Length: 1\r\n\r\n1"
        ))
        .await;
    open_stream(&mut runtime).await;
    let mut line = String::new();
    caller.stream.read_line(&mut line).await.unwrap();
    caller.fields().await;
    assert_eq!(caller.chunk().await.unwrap(), b"one");
    assert!(caller.is_cut().await);
}

#[tokio::test]
async fn a_buffered_answer_reaches_a_streaming_caller_whole() {
    let emulator = start().await;
    let runtime = echo_runtime(&emulator).await;
    let mut caller = Client::new(&emulator).await;
    let reply = caller.post(INVOKE_STREAMING, "", "[1]").await;
    assert_eq!((reply.status, reply.json()), (200, json!([1])));
    runtime.abort();
}

#[tokio::test]
async fn a_test_takes_a_stream_piece_by_piece() {
    let emulator = start().await;
    let mut answer = emulator.invoke_streaming(Event::new("1"));
    let mut runtime = Client::new(&emulator).await;
    open_stream(&mut runtime).await;
    assert_eq!(answer.chunk().await.unwrap(), "one");
    runtime.write("0\r\n\r\n").await;
    assert!(answer.chunk().await.is_none());
    let outcome = answer.finish().await;
    assert!(matches!(outcome.result, Answer::Response { streamed: true, .. }));
    emulator.assert_clean();
}
