//! The caller's side: the Invoke API with buffered answers, and small answers about functions.

use super::super::{Answer, Console, Writer, rule};
use super::*;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::sync::{Arc, Mutex};

const INVOKE: &str = "/2015-03-31/functions/function/invocations";
const FUNCTIONS: &str = "/2015-03-31/functions";
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
    let (reply, ()) = tokio::join!(caller.post(path, headers, "\"hi\""), async {
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
    let reply = Client::new(&emulator).await.post(INVOKE, "", "\"fail\"").await;
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
    let reply = caller.post(&(INVOKE.to_owned() + "/"), "", "1").await;
    assert_eq!(reply.status, 404);
    assert!(reply.json()["Message"].as_str().unwrap().contains("invocations"), "{reply:?}");
    let reply = caller.post(FUNCTIONS, "", "1").await;
    assert_eq!((reply.status, reply.header("allow")), (405, "GET"));
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
    let refused = async |caller: &mut Client, path: &str, headers: &str, body: &str| {
        let reply = caller.post(path, headers, body).await;
        let kind = reply.header("x-amzn-errortype").to_owned();
        assert_eq!(reply.json()["Type"], "User");
        let document = reply.json();
        let message = document.get("message").or(document.get("Message")).cloned().unwrap();
        (reply.status, kind, message.as_str().unwrap().to_owned())
    };
    let large = "1".repeat(6 * 1024 * 1024 + 1);
    let (status, kind, message) = refused(&mut caller, INVOKE, "", &large).await;
    assert_eq!((status, kind.as_str()), (413, "RequestTooLargeException"));
    let limit = "6291457 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)";
    assert_eq!(message, limit);
    let queued = "X-Amz-Invocation-Type: Event\r\n";
    let (status, _, message) =
        refused(&mut caller, INVOKE, queued, &large[..1024 * 1024 + 1]).await;
    assert_eq!(status, 413);
    assert!(message.contains("Event invocation type (limit 1048576 bytes)"), "{message}");
    let bad_list = STANDARD.encode("[]");
    for context in ["%%", bad_list.as_str(), &STANDARD.encode("{"), &"e30=".repeat(1000)] {
        let headers = format!("X-Amz-Client-Context: {context}\r\n");
        let (status, kind, message) = refused(&mut caller, INVOKE, &headers, "1").await;
        assert_eq!((status, kind.as_str()), (400, "InvalidRequestContentException"), "{context}");
        assert!(message.contains("Base64"), "{message}");
    }
    for payload in ["{", "nothing", "1 2", "\u{1}"] {
        let (status, kind, message) = refused(&mut caller, INVOKE, "", payload).await;
        assert_eq!((status, kind.as_str()), (400, "InvalidRequestContentException"), "{payload}");
        assert!(message.starts_with("Could not parse request body into json"), "{message}");
    }
    for (name, status, kind) in [
        ("nobody", 404, "ResourceNotFoundException"),
        (
            "arn%3Aaws%3Alambda%3Aus-east-1%3A012345678912%3Afunction%3Anobody",
            404,
            "ResourceNotFoundException",
        ),
        ("a%20b", 400, "ValidationException"),
        ("function%3Alive?Qualifier=dev", 400, "InvalidParameterValueException"),
    ] {
        let (name, query) = name.split_once('?').unwrap_or((name, ""));
        for path in [
            format!("/2015-03-31/functions/{name}/invocations?{query}"),
            format!("/2021-11-15/functions/{name}/response-streaming-invocations?{query}"),
        ] {
            let told = refused(&mut caller, &path, "", "1").await;
            assert_eq!((told.0, told.1.as_str()), (status, kind), "{name}: {}", told.2);
        }
    }
    let (_, _, message) =
        refused(&mut caller, "/2015-03-31/functions/nobody/invocations", "", "1").await;
    assert_eq!(
        message,
        "Function not found: arn:aws:lambda:us-east-1:012345678912:function:nobody"
    );
    for headers in ["X-Amz-Log-Type: All\r\n", "X-Amz-Invocation-Type: Later\r\n"] {
        let (status, kind, _) = refused(&mut caller, INVOKE, headers, "1").await;
        assert_eq!((status, kind.as_str()), (400, "InvalidParameterValueException"), "{headers}");
    }
    assert_eq!(emulator.counts().attempts, 0);
    emulator.assert_clean();
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

#[tokio::test]
async fn every_form_of_a_name_reaches_the_function() {
    let emulator = start().await;
    let (mut caller, mut runtime) = (Client::new(&emulator).await, Client::new(&emulator).await);
    let own = "arn:aws:lambda:us-east-1:012345678912:function:test_function";
    for (name, arn, version) in [
        ("function", own.to_owned(), "$LATEST"),
        ("test_function", own.to_owned(), "$LATEST"),
        ("test_function:live", format!("{own}:live"), "$LATEST"),
        ("test_function:7", format!("{own}:7"), "7"),
        ("test_function?Qualifier=live", format!("{own}:live"), "$LATEST"),
        ("012345678912:function:test_function", own.to_owned(), "$LATEST"),
        (
            "arn:aws:lambda:eu-west-1:123456789012:function:test_function:live",
            "arn:aws:lambda:eu-west-1:123456789012:function:test_function:live".to_owned(),
            "$LATEST",
        ),
    ] {
        let (name, query) = name.split_once('?').unwrap_or((name, ""));
        let name = name.replace(':', "%3A");
        let path = format!("/2015-03-31/functions/{name}/invocations?{query}");
        let (reply, ()) = tokio::join!(caller.post(&path, "", ""), async {
            let event = runtime.next().await;
            assert_eq!(event.body, b"{}");
            assert_eq!(event.header("lambda-runtime-invoked-function-arn"), arn);
            runtime.respond(&event, "1").await;
        });
        assert_eq!((reply.status, reply.header("x-amz-executed-version")), (200, version));
    }
    emulator.assert_clean();
}

#[tokio::test]
async fn a_caller_may_have_the_platforms_lines() {
    let emulator = start().await;
    let runtime = echo_runtime(&emulator).await;
    let mut caller = Client::new(&emulator).await;
    for (body, status) in [("1", ""), ("\"fail\"", "Status: error\tError Type: Runtime.Unknown\t")]
    {
        let reply = caller.post(INVOKE, "X-Amz-Log-Type: Tail\r\n", body).await;
        let id = reply.header("x-amzn-requestid");
        let log = STANDARD.decode(reply.header("x-amz-log-result")).unwrap();
        let log = String::from_utf8(log).unwrap();
        let begin = format!(
            "START RequestId: {id} Version: $LATEST\nEND RequestId: {id}\nREPORT RequestId: {id}\tDuration: "
        );
        assert!(log.starts_with(&begin), "{log}");
        assert!(log.ends_with(&format!("\tMemory Size: 128 MB\t{status}\n")), "{log}");
    }
    assert_eq!(caller.post(INVOKE, "", "1").await.header("x-amz-log-result"), "");
    runtime.abort();
}

type Lines = Arc<Mutex<Vec<(Writer, String)>>>;

/// Makes a console that keeps what is written to it.
fn kept() -> (Console, Lines) {
    let lines = Lines::default();
    let own = Arc::clone(&lines);
    let console = Console::new(move |_, writer, bytes| {
        own.lock().unwrap().push((writer, String::from_utf8_lossy(bytes).into_owned()));
    });
    (console, lines)
}

#[tokio::test]
async fn an_asynchronous_invocation_that_fails_is_tried_twice_more() {
    let (console, lines) = kept();
    let emulator = start_with(|options| {
        options.retry_delay = Duration::from_millis(5);
        options.console = Some(console);
    })
    .await;
    let (mut caller, mut runtime) = (Client::new(&emulator).await, Client::new(&emulator).await);
    let queued = "X-Amz-Invocation-Type: Event\r\n";
    for failures in [3, 1] {
        let accepted = caller.post(INVOKE, queued, "\"e\"").await;
        assert_eq!((accepted.status, accepted.body.as_slice()), (202, b"".as_slice()));
        let id = accepted.header("x-amzn-requestid").to_owned();
        lines.lock().unwrap().clear();
        for _ in 0..failures {
            let event = runtime.next().await;
            assert_eq!(
                (event.header(REQUEST_ID), event.body.as_slice()),
                (&*id, b"\"e\"".as_slice())
            );
            runtime.fail(&event, JSON, &error_document()).await;
        }
        if failures < 3 {
            let event = runtime.next().await;
            runtime.respond(&event, "1").await;
        }
        short_wait().await;
        let lines = lines.lock().unwrap().clone();
        let notes = lines.iter().filter(|(writer, _)| *writer == Writer::Note);
        let notes: Vec<&str> = notes.map(|(_, line)| line.as_str()).collect();
        assert!(notes.iter().all(|note| note.contains(&id)), "{notes:?}");
        assert!(notes[0].contains("has failed (Runtime.Unknown, attempt 1 of 3)"), "{notes:?}");
        match failures {
            3 => assert!(
                notes[2].contains("failed for good (Runtime.Unknown, attempts: 3); a dead-letter"),
                "{notes:?}"
            ),
            _ => assert!(notes[1].contains("has succeeded"), "{notes:?}"),
        }
        assert_eq!(notes.len(), if failures == 3 { 3 } else { 2 }, "{notes:?}");
        let attempts = emulator.record(&id).unwrap().attempts;
        assert_eq!(attempts, if failures == 3 { 3 } else { 2 });
        let reports = lines.iter().filter(|(_, line)| line.contains("REPORT RequestId")).count();
        assert_eq!(reports, attempts as usize, "{lines:?}");
    }
    emulator.assert_clean();
}

#[tokio::test]
async fn functions_are_described() {
    let emulator = start_with(|options| options.handler = "app.handler".into()).await;
    let mut caller = Client::new(&emulator).await;
    let own = "arn:aws:lambda:us-east-1:012345678912:function:test_function";
    let reply = caller.get("/2015-03-31/functions/test_function:live").await;
    let found = reply.json()["Configuration"].clone();
    assert_eq!(found["FunctionArn"], format!("{own}:live"));
    assert_eq!((&found["Handler"], &found["Timeout"]), (&json!("app.handler"), &json!(3)));
    let reply = caller.get("/2015-03-31/functions/function/configuration?Qualifier=7").await;
    assert_eq!((reply.json()["Version"].as_str(), reply.status), (Some("7"), 200));
    assert_eq!(caller.get("/2015-03-31/functions/nobody").await.status, 404);
    for path in [FUNCTIONS, "/2015-03-31/functions/"] {
        let listed = caller.get(path).await.json();
        assert_eq!(listed["Functions"][0]["FunctionArn"], own);
        assert_eq!(listed["Functions"].as_array().unwrap().len(), 1);
    }
    emulator.assert_clean();
}

#[tokio::test]
async fn what_browsers_ask_for_is_no_breach() {
    let emulator = start().await;
    let mut caller = Client::new(&emulator).await;
    for path in ["/", "/favicon.ico", "/robots.txt", "/.well-known/appspecific/x.json"] {
        assert_eq!(caller.get(path).await.status, 404, "{path}");
    }
    emulator.assert_clean();
    for path in ["/2018-06-01/runtime/next", "/runtime/invocation/next", "/2022-07-01/telemetry"] {
        assert_eq!(caller.get(path).await.error_type(), "NotFound", "{path}");
    }
    assert_eq!(rules(&emulator), [rule::UNKNOWN_PATH; 3]);
}
