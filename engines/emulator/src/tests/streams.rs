//! Streamed answers: how the runtime's upload is taken, and how it reaches callers of the Invoke API, framed, or a test,
//! piece by piece.

use super::super::{
    Answer, Event, MAX_RESPONSE_BYTES, MAX_STREAMED_BYTES, PRELUDE_CONTENT_TYPE, rule,
};
use super::*;
use base64::{Engine as _, engine::general_purpose::STANDARD};

const INVOKE: &str = "/2015-03-31/functions/function/invocations";
const INVOKE_STREAMING: &str = "/2021-11-15/functions/function/response-streaming-invocations";
const LIMIT: Duration = Duration::from_secs(20);

/// Returns the checksum that the framing has, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// A caller of InvokeWithResponseStream, which decodes messages as they come.
struct Reader {
    client: Client,
    bytes: Vec<u8>,
}

impl Reader {
    /// Sends an event; the head of the reply is yet to come.
    async fn call(emulator: &Emulator, headers: &str) -> Self {
        let mut client = Client::new(emulator).await;
        client
            .write(&format!(
                "POST {INVOKE_STREAMING} HTTP/1.1\r\nHost: e\r\n{headers}Content-Length: 1\r\n\r\n1"
            ))
            .await;
        Self { client, bytes: Vec::new() }
    }

    async fn head(&mut self) -> (u16, HashMap<String, String>) {
        let mut line = String::new();
        self.client.stream.read_line(&mut line).await.unwrap();
        (line.split(' ').nth(1).unwrap().parse().unwrap(), self.client.fields().await)
    }

    /// Returns the next message's event type and payload; `None` after the last one.
    async fn message(&mut self) -> Option<(String, Vec<u8>)> {
        let number = |at: &[u8]| u32::from_be_bytes(at[..4].try_into().unwrap()) as usize;
        while self.bytes.len() < 4 || self.bytes.len() < number(&self.bytes) {
            let Some(chunk) = self.client.chunk().await else {
                assert!(self.bytes.is_empty(), "a message is cut short");
                return None;
            };
            self.bytes.extend(chunk);
        }
        let rest = self.bytes.split_off(number(&self.bytes));
        let message = std::mem::replace(&mut self.bytes, rest);
        assert_eq!(number(&message[8..]), crc32(&message[..8]) as usize);
        let end = message.len() - 4;
        assert_eq!(number(&message[end..]), crc32(&message[..end]) as usize);
        let (mut fields, payload) = message[12..end].split_at(number(&message[4..]));
        let mut headers = HashMap::new();
        while let [length, after @ ..] = fields {
            let (name, after) = after.split_at(usize::from(*length));
            let [7, high, low, after @ ..] = after else { panic!("{message:?}") };
            let (value, after) = after.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            headers.insert(String::from_utf8(name.to_vec()).unwrap(), value.to_vec());
            fields = after;
        }
        assert_eq!(headers[":message-type"], b"event");
        let event_type = String::from_utf8(headers[":event-type"].clone()).unwrap();
        let content_type: &[u8] = match event_type.as_str() {
            "PayloadChunk" => b"application/octet-stream",
            _ => b"application/json",
        };
        assert_eq!(headers[":content-type"], content_type);
        Some((event_type, payload.to_vec()))
    }

    async fn chunk(&mut self) -> Vec<u8> {
        let (event_type, payload) = self.message().await.unwrap();
        assert_eq!(event_type, "PayloadChunk");
        payload
    }

    /// Reads the last message, and the end after it.
    async fn complete(&mut self) -> Value {
        let (event_type, payload) = self.message().await.unwrap();
        assert_eq!(event_type, "InvokeComplete");
        assert!(self.message().await.is_none());
        serde_json::from_slice(&payload).unwrap()
    }
}

/// Takes an event and begins a stream of this media type as its answer.
async fn begin(runtime: &mut Client, content_type: &str) -> Reply {
    let event = runtime.next().await;
    let path = response_path(event.header(REQUEST_ID));
    runtime
        .write(&format!(
            "POST {path} HTTP/1.1\r\nHost: e\r\nUser-Agent: t\r\n{}Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\nTrailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\nContent-Type: {content_type}\r\n\r\n",
            echo(&event)
        ))
        .await;
    event
}

async fn write_chunk(runtime: &mut Client, bytes: &[u8]) -> std::io::Result<()> {
    let stream = runtime.stream.get_mut();
    stream.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
    stream.write_all(bytes).await?;
    stream.write_all(b"\r\n").await
}

#[tokio::test]
async fn every_chunk_reaches_the_caller_before_the_next_is_written() {
    let emulator = start().await;
    let mut caller = Reader::call(&emulator, "X-Amz-Log-Type: Tail\r\n").await;
    let mut runtime = Client::new(&emulator).await;
    let event = begin(&mut runtime, "text/event-stream").await;
    write_chunk(&mut runtime, b"one").await.unwrap();
    let (status, headers) = caller.head().await;
    assert_eq!((status, &*headers["content-type"]), (200, "application/vnd.amazon.eventstream"));
    assert_eq!(headers["x-amz-executed-version"], "$LATEST");
    assert_eq!(headers["x-amzn-requestid"], event.header(REQUEST_ID));
    assert_eq!(caller.chunk().await, b"one");
    for text in ["two", "three", "\0"] {
        write_chunk(&mut runtime, text.as_bytes()).await.unwrap();
        assert_eq!(caller.chunk().await, text.as_bytes());
    }
    runtime.write("0\r\n\r\n").await;
    assert_eq!(runtime.reply().await.status, 202);
    let end = caller.complete().await;
    let log = STANDARD.decode(end["LogResult"].as_str().unwrap()).unwrap();
    assert!(String::from_utf8(log).unwrap().contains("REPORT RequestId: "));
    assert_eq!(end.as_object().unwrap().len(), 1);
    assert!(emulator.counts().all_answered_once());
    emulator.assert_clean();
}

#[tokio::test]
async fn while_a_stream_flows_nothing_else_may_be_asked_for_or_answered() {
    let emulator = start().await;
    let mut answer = emulator.invoke_streaming(Event::new("1"));
    let (mut runtime, mut second) = (Client::new(&emulator).await, Client::new(&emulator).await);
    let event = begin(&mut runtime, "text/plain").await;
    write_chunk(&mut runtime, b"one").await.unwrap();
    assert_eq!(answer.chunk().await.unwrap(), "one");
    for reply in [
        second.next().await,
        second.fail(&event, JSON, &error_document()).await,
        second.respond(&event, "2").await,
    ] {
        assert_eq!((reply.status, reply.error_type().as_str()), (403, "InvalidStateTransition"));
        assert!(
            reply.json()["errorMessage"].as_str().unwrap().contains("from InvocationResponse to")
        );
    }
    runtime.write("0\r\n\r\n").await;
    assert_eq!(runtime.reply().await.status, 202);
    assert!(answer.finish().await.is_response());
    let told = [rule::NEXT_WHILE_RUNNING, rule::ANSWERED_TWICE];
    assert_eq!(rules(&emulator), told);
    let record = emulator.record(event.header(REQUEST_ID)).unwrap();
    assert_eq!((record.accepted, record.refused), (1, 2));
}

#[tokio::test]
async fn an_error_in_mid_stream_is_in_the_last_message() {
    let emulator = start().await;
    let mut caller = Reader::call(&emulator, "").await;
    let mut runtime = Client::new(&emulator).await;
    begin(&mut runtime, "text/plain").await;
    write_chunk(&mut runtime, b"one").await.unwrap();
    let document = error_document();
    let body = STANDARD.encode(&document);
    runtime
        .write(&format!("0\r\nLambda-Runtime-Function-Error-Type: Function.Boom\r\nLambda-Runtime-Function-Error-Body: {body}\r\n\r\n"))
        .await;
    assert_eq!(runtime.reply().await.status, 202);
    assert_eq!(caller.head().await.0, 200);
    assert_eq!(caller.chunk().await, b"one");
    let end = caller.complete().await;
    assert_eq!(end, json!({"ErrorCode": "Unhandled", "ErrorDetails": document}));
    emulator.assert_clean();
}

#[tokio::test]
async fn an_answer_that_is_no_stream_is_one_chunk_and_an_error_none() {
    let emulator = start_with(|options| options.timeout = Duration::from_millis(300)).await;
    let mut runtime = Client::new(&emulator).await;
    let mut caller = Reader::call(&emulator, "").await;
    let event = runtime.next().await;
    runtime.respond(&event, "[1]").await;
    assert_eq!(caller.head().await.0, 200);
    assert_eq!(caller.chunk().await, b"[1]");
    assert_eq!(caller.complete().await, json!({}));
    let mut caller = Reader::call(&emulator, "").await;
    let event = runtime.next().await;
    runtime.fail(&event, JSON, &error_document()).await;
    assert_eq!(caller.head().await.0, 200);
    let end = caller.complete().await;
    assert_eq!(end, json!({"ErrorCode": "Unhandled", "ErrorDetails": error_document()}));
    let mut caller = Reader::call(&emulator, "").await;
    let _unanswered = runtime.next().await;
    assert_eq!(caller.head().await.0, 200);
    let end = caller.complete().await;
    assert!(end["ErrorDetails"].as_str().unwrap().contains("Task timed out after 0.30 seconds"));
    emulator.assert_clean();
}

#[tokio::test]
async fn a_stream_that_times_out_says_so() {
    let emulator = start_with(|options| options.timeout = Duration::from_millis(300)).await;
    let (mut caller, mut runtime) =
        (Reader::call(&emulator, "").await, Client::new(&emulator).await);
    begin(&mut runtime, "text/plain").await;
    write_chunk(&mut runtime, b"one").await.unwrap();
    caller.head().await;
    assert_eq!(caller.chunk().await, b"one");
    let end = caller.complete().await;
    assert!(end["ErrorDetails"].as_str().unwrap().contains("Task timed out"), "{end}");
    // Nobody reads on, so that the runtime learns of it while it still writes.
    assert_eq!(runtime.reply().await.status, 410);
    assert_eq!(emulator.counts().timed_out, 1);
}

#[tokio::test]
async fn a_wrong_response_mode_reaches_a_streaming_caller_as_an_error() {
    let emulator = start().await;
    let (mut caller, mut runtime) =
        (Reader::call(&emulator, "").await, Client::new(&emulator).await);
    let event = runtime.next().await;
    let headers = format!("{}Lambda-Runtime-Function-Response-Mode: Stream\r\n", echo(&event));
    let reply = runtime.post(&response_path(event.header(REQUEST_ID)), &headers, "1").await;
    let told = (reply.status, reply.error_type());
    assert_eq!(told, (400, "InvalidFunctionResponseMode".to_owned()));
    assert_eq!(caller.head().await.0, 200);
    let end = caller.complete().await;
    let code =
        json!({"ErrorCode": "Unhandled", "ErrorDetails": "Runtime.InvalidResponseModeHeader"});
    assert_eq!(end, code);
    assert_eq!(rules(&emulator), [rule::RESPONSE_MODE]);
}

#[tokio::test]
async fn a_stream_that_ends_early_is_truncated() {
    for is_closed in [true, false] {
        let emulator = start().await;
        let (mut caller, mut runtime) =
            (Reader::call(&emulator, "").await, Client::new(&emulator).await);
        begin(&mut runtime, "text/plain").await;
        write_chunk(&mut runtime, b"one").await.unwrap();
        caller.head().await;
        assert_eq!(caller.chunk().await, b"one");
        if is_closed {
            drop(runtime);
        } else {
            runtime.write("zz\r\n").await;
            assert_eq!(runtime.reply().await.error_type(), "TruncatedHTTPRequest");
        }
        let end = caller.complete().await;
        let details: Value = serde_json::from_str(end["ErrorDetails"].as_str().unwrap()).unwrap();
        assert_eq!(details["errorType"], "Runtime.TruncatedResponse");
        assert_eq!(rules(&emulator), [rule::TRUNCATED_BODY]);
        assert_eq!((emulator.counts().accepted, emulator.counts().lost), (0, 1));
    }
}

#[tokio::test]
async fn a_runtime_learns_that_its_caller_has_gone() {
    for is_writing in [false, true] {
        let emulator = start().await;
        let mut caller = Reader::call(&emulator, "").await;
        let mut runtime = Client::new(&emulator).await;
        let event = begin(&mut runtime, "text/plain").await;
        write_chunk(&mut runtime, b"one").await.unwrap();
        caller.head().await;
        assert_eq!(caller.chunk().await, b"one");
        drop(caller);
        let learns = async {
            if !is_writing {
                return runtime.stream.read(&mut [0]).await.is_err();
            }
            while write_chunk(&mut runtime, &[b'x'; 65536]).await.is_ok() {}
            true
        };
        assert!(tokio::time::timeout(LIMIT, learns).await.unwrap(), "the upload is reset");
        let record = emulator.record(event.header(REQUEST_ID)).unwrap();
        assert_eq!((record.abandoned, record.accepted, record.refused), (1, 0, 0));
        // Life goes on, on a fresh connection.
        let next = invoke(&emulator, json!(2));
        let mut runtime = Client::new(&emulator).await;
        let event = runtime.next().await;
        runtime.respond(&event, "2").await;
        assert_eq!(next.await.unwrap().json(), 2);
        assert!(emulator.counts().all_answered_once());
        emulator.assert_clean();
    }
}

#[tokio::test]
async fn a_slow_caller_slows_the_runtime_down() {
    let emulator = start().await;
    let _answer = emulator.invoke_streaming(Event::new("1"));
    let mut runtime = Client::new(&emulator).await;
    begin(&mut runtime, "text/plain").await;
    let total = 40 * 1024 * 1024;
    let piece = vec![b'x'; 64 * 1024];
    let mut written = 0;
    // What nobody takes fills sockets and a few pieces in between, and then the runtime has to wait.
    let until_full = async {
        while written < total {
            write_chunk(&mut runtime, &piece).await.unwrap();
            written += piece.len();
        }
    };
    assert!(tokio::time::timeout(Duration::from_millis(500), until_full).await.is_err());
    assert!(written < total / 2, "{written}");
}

#[tokio::test]
async fn all_of_a_large_stream_arrives() {
    let emulator = start().await;
    let mut answer = emulator.invoke_streaming(Event::new("1"));
    let mut runtime = Client::new(&emulator).await;
    begin(&mut runtime, "text/plain").await;
    let writing = tokio::spawn(async move {
        for n in 0..640_u32 {
            write_chunk(&mut runtime, &n.to_be_bytes().repeat(16 * 1024)).await.unwrap();
        }
        runtime.write("0\r\n\r\n").await;
        runtime.reply().await.status
    });
    let mut sum = 0;
    while let Some(chunk) = answer.chunk().await {
        sum += chunk.len();
    }
    assert_eq!((sum, writing.await.unwrap()), (640 * 64 * 1024, 202));
    assert_eq!(answer.content_type(), Some("text/plain"));
    assert!(answer.finish().await.is_response());
    emulator.assert_clean();
}

#[tokio::test]
async fn streams_have_a_limit_and_a_lower_one_for_callers_who_do_not_stream() {
    let emulator = start_with(|options| options.timeout = LIMIT).await;
    for (streams, limit) in [(true, MAX_STREAMED_BYTES), (false, MAX_RESPONSE_BYTES)] {
        let mut buffered = None;
        let mut streamed = None;
        match streams {
            true => streamed = Some(emulator.invoke_streaming(Event::new("1"))),
            false => buffered = Some(invoke(&emulator, json!(1))),
        }
        let mut runtime = Client::new(&emulator).await;
        begin(&mut runtime, "text/plain").await;
        let writing = tokio::spawn(async move {
            let piece = vec![b'x'; 1024 * 1024];
            let mut written = 0;
            while written <= limit {
                if write_chunk(&mut runtime, &piece).await.is_err() {
                    break;
                }
                written += piece.len();
            }
            runtime.write("0\r\n\r\n").await;
            runtime.reply().await
        });
        let outcome = match (streamed, buffered) {
            (Some(answer), _) => answer.finish().await,
            (None, Some(answer)) => answer.await.unwrap(),
            (None, None) => unreachable!(),
        };
        assert_eq!(outcome.error_type().as_deref(), Some("Function.ResponseSizeTooLarge"));
        let text = outcome.json()["errorMessage"].as_str().unwrap().to_owned();
        assert!(text.ends_with(&format!("allowed payload size ({limit} bytes).")), "{text}");
        let reply = writing.await.unwrap();
        assert_eq!((reply.status, reply.error_type().as_str()), (413, "RequestEntityTooLarge"));
    }
}

#[tokio::test]
async fn a_stream_for_a_plain_invoke_is_buffered() {
    let emulator = start().await;
    let (mut caller, mut runtime) = (Client::new(&emulator).await, Client::new(&emulator).await);
    let (reply, ()) = tokio::join!(caller.post(INVOKE, "", "1"), async {
        begin(&mut runtime, "text/html").await;
        write_chunk(&mut runtime, b"<p>").await.unwrap();
        write_chunk(&mut runtime, b"</p>").await.unwrap();
        runtime.write("0\r\n\r\n").await;
        assert_eq!(runtime.reply().await.status, 202);
    });
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"<p></p>".as_slice()));
    assert_eq!(reply.header("content-type"), "text/html");
    emulator.assert_clean();
}

#[tokio::test]
async fn a_prelude_is_what_its_media_type_promises() {
    let emulator = start().await;
    for (body, is_good) in
        [(&b"{}\0\0\0\0\0\0\0\0x"[..], true), (b"{}\0x", false), (b"[]\0\0\0\0\0\0\0\0x", false)]
    {
        for streams in [true, false] {
            let mut streamed = None;
            let mut buffered = None;
            match streams {
                true => streamed = Some(emulator.invoke_streaming(Event::new("1"))),
                false => buffered = Some(invoke(&emulator, json!(1))),
            }
            let mut runtime = Client::new(&emulator).await;
            begin(&mut runtime, PRELUDE_CONTENT_TYPE).await;
            write_chunk(&mut runtime, body).await.unwrap();
            runtime.write("0\r\n\r\n").await;
            assert_eq!(runtime.reply().await.status, 202);
            if let Some(answer) = streamed {
                assert!(answer.finish().await.is_response());
            }
            if let Some(answer) = buffered {
                assert_eq!(answer.await.unwrap().body(), body);
            }
            assert_eq!(rules(&emulator).contains(&rule::PRELUDE), !is_good);
        }
    }
    assert_eq!(rules(&emulator), [rule::PRELUDE; 2]);
}

#[tokio::test]
async fn a_test_takes_a_stream_piece_by_piece() {
    let emulator = start().await;
    let mut answer = emulator.invoke_streaming(Event::new("1"));
    let mut runtime = Client::new(&emulator).await;
    begin(&mut runtime, "text/event-stream").await;
    write_chunk(&mut runtime, b"one").await.unwrap();
    assert_eq!(answer.chunk().await.unwrap(), "one");
    runtime.write("0\r\n\r\n").await;
    assert!(answer.chunk().await.is_none());
    let outcome = answer.finish().await;
    assert!(matches!(outcome.result, Answer::Response { streamed: true, .. }));
    emulator.assert_clean();
}

/// Sends a request to a function URL; the reply is yet to come.
async fn visit(url: SocketAddr, request: &str) -> Client {
    let mut client = Client::at(url).await;
    client.write(request).await;
    client
}

#[tokio::test]
async fn a_function_url_turns_requests_into_events_and_results_into_responses() {
    let emulator = start().await;
    let url = emulator.serve_function_url(([127, 0, 0, 1], 0).into()).await.unwrap();
    let mut runtime = Client::new(&emulator).await;
    for (result, status, content_type, body) in [
        (r#"{"a":1}"#, 200, "application/json", r#"{"a":1}"#),
        (r#""text""#, 200, "application/json", "text"),
        (
            r#"{"statusCode":"404","headers":{"Content-Type":"text/html","Content-Length":9,"x":1},"body":"<p>","cookies":["c=d"]}"#,
            404,
            "text/html",
            "<p>",
        ),
        (
            r#"{"statusCode":200,"body":"aGk=","isBase64Encoded":true}"#,
            200,
            "application/json",
            "hi",
        ),
        (r#"{"statusCode":204,"body":"none"}"#, 204, "", ""),
        (r#"{"statusCode":"many"}"#, 502, "text/plain", "Internal Server Error"),
        ("{", 502, "text/plain", "Internal Server Error"),
        ("", 200, "application/json", ""),
    ] {
        let mut visitor =
            visit(url, "GET /a?b=c HTTP/1.1\r\nHost: e:1\r\nUser-Agent: t\r\n\r\n").await;
        let event = runtime.next().await;
        assert_eq!(event.json()["rawPath"], "/a");
        assert_eq!(event.json()["requestContext"]["requestId"], event.header(REQUEST_ID));
        assert_eq!(
            event.json()["headers"]["x-amzn-trace-id"],
            event.header("lambda-runtime-trace-id")
        );
        runtime.respond(&event, result).await;
        let reply = visitor.reply().await;
        let found =
            (reply.status, reply.header("content-type"), String::from_utf8_lossy(&reply.body));
        assert_eq!(found, (status, content_type, body.into()), "{result}");
        if status == 404 {
            assert_eq!((reply.header("x"), reply.header("set-cookie")), ("1", "c=d"));
        }
    }
    let mut visitor = visit(url, "GET / HTTP/1.1\r\nHost: e\r\n\r\n").await;
    let event = runtime.next().await;
    runtime.fail(&event, JSON, &error_document()).await;
    assert_eq!(visitor.reply().await.status, 502);
    emulator.assert_clean();
}

#[tokio::test]
async fn a_function_url_passes_streams_on() {
    let emulator = start().await;
    let url = emulator.serve_function_url(([127, 0, 0, 1], 0).into()).await.unwrap();
    let mut runtime = Client::new(&emulator).await;
    for (content_type, chunks, status, kind) in [
        (
            PRELUDE_CONTENT_TYPE,
            &[
                "{\"statusCode\":201,\"headers\":{\"content-type\":\"text/x\",\"multi\":\"1\"},\"cookies\":[\"a=b\",\"c=d\"]}\0\0\0",
                "\0\0\0\0\0one",
            ][..],
            201,
            "text/x",
        ),
        (PRELUDE_CONTENT_TYPE, &["{}\0\0\0\0\0\0\0\0", "one"], 200, "application/octet-stream"),
        ("text/event-stream", &["one"], 200, "text/event-stream"),
    ] {
        let mut visitor = visit(url, "GET / HTTP/1.1\r\nHost: e\r\n\r\n").await;
        begin(&mut runtime, content_type).await;
        for chunk in chunks {
            write_chunk(&mut runtime, chunk.as_bytes()).await.unwrap();
        }
        let mut line = String::new();
        visitor.stream.read_line(&mut line).await.unwrap();
        assert!(line.starts_with(&format!("HTTP/1.1 {status} ")), "{line}");
        let headers = visitor.fields().await;
        assert_eq!(headers["content-type"], kind);
        assert_eq!(visitor.chunk().await.unwrap(), b"one");
        write_chunk(&mut runtime, b"two").await.unwrap();
        assert_eq!(visitor.chunk().await.unwrap(), b"two");
        runtime.write("0\r\n\r\n").await;
        assert_eq!(runtime.reply().await.status, 202);
        assert!(visitor.chunk().await.is_none());
    }
    emulator.assert_clean();
    // What breaks off in mid-stream is no whole response; what has no prelude is none at all.
    let mut visitor = visit(url, "GET / HTTP/1.1\r\nHost: e\r\n\r\n").await;
    begin(&mut runtime, "text/plain").await;
    write_chunk(&mut runtime, b"one").await.unwrap();
    let body = STANDARD.encode(error_document());
    runtime
        .write(&format!("0\r\nLambda-Runtime-Function-Error-Type: Function.Boom\r\nLambda-Runtime-Function-Error-Body: {body}\r\n\r\n"))
        .await;
    runtime.reply().await;
    let (bytes, _) = visitor.rest().await;
    assert!(String::from_utf8_lossy(&bytes).ends_with("3\r\none\r\n"), "{bytes:?}");
    for chunk in ["{}", "{\0\0\0\0\0\0\0\0"] {
        let mut visitor = visit(url, "GET / HTTP/1.1\r\nHost: e\r\n\r\n").await;
        begin(&mut runtime, PRELUDE_CONTENT_TYPE).await;
        write_chunk(&mut runtime, chunk.as_bytes()).await.unwrap();
        runtime.write("0\r\n\r\n").await;
        assert_eq!(visitor.reply().await.status, 502, "{chunk}");
        // The upload may have been taken or cut off by then.
        runtime = Client::new(&emulator).await;
    }
}
