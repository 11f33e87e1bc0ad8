//! The Runtime API's side: whatever incoming headers contain is reported, and whatever goes out is a legal header.

use crate::support::runner;
use http::{HeaderMap, HeaderValue};
use percent_encoding::percent_decode_str;
use proptest::{collection::vec, option, prelude::*, sample::select, test_runner::TestCaseError};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    future::pending,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};
use trine::{
    diagnostic::{error_type_header, xray_cause},
    lambda::{RuntimeApi, Verdict, invocation_from},
};
use trine_engine::{Error, ErrorDialect, ErrorKind, Frame};

/// Makes bytes that may occur in a header's value, without spaces around them.
fn header_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![6 => 0x21..0x7fu8, 1 => select(&b" \t/%?#\"\\"[..]), 1 => 0x80..=0xffu8];
    let text = "[a-zé😀{}:,\"]{1,20}".prop_map(String::into_bytes);
    prop_oneof![2 => vec(byte, 1..40), 1 => text].prop_filter("no spaces around it", |bytes| {
        let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
        !edge(bytes.first()) && !edge(bytes.last())
    })
}

/// Makes a client context: odd text, or an object with or without trace context.
fn client_contexts() -> impl Strategy<Value = Vec<u8>> {
    let field =
        prop_oneof!["[ -~é]{0,10}".prop_map(Value::from), any::<i32>().prop_map(Value::from)];
    let names = "[a-z]{0,8}|traceparent|tracestate|baggage";
    let fields = prop::collection::btree_map(names, field, 0..4);
    let fields = fields.prop_map(|fields| json!(fields));
    let members = prop::collection::btree_map("custom|env|w3c|é", fields, 0..4);
    let contexts = members.prop_map(|members| json!(members).to_string().into_bytes());
    prop_oneof![3 => contexts, 1 => header_bytes(), 1 => Just(b"{\"w3c\": {\"a\"".to_vec())]
}

/// Every header that is text becomes its field unchanged; any other is left out. Of the client context, trace context
/// becomes a field of its own, and what it holds besides its own texts is left out.
#[test]
fn headers_of_an_event_become_its_context() {
    const NAMES: [&str; 5] = [
        "lambda-runtime-aws-request-id",
        "lambda-runtime-invoked-function-arn",
        "lambda-runtime-trace-id",
        "lambda-runtime-cognito-identity",
        "lambda-runtime-aws-tenant-id",
    ];
    let deadline = prop_oneof![
        any::<i128>().prop_map(|ms| ms.to_string()),
        any::<u64>().prop_map(|ms| ms.to_string()),
        "[ -~]{1,12}"
    ];
    let strategy =
        (vec(option::of(header_bytes()), NAMES.len()), option::of(client_contexts()), deadline);
    let outcome = runner(2000).run(&strategy, |(values, context, deadline)| {
        let mut headers = HeaderMap::new();
        for (name, value) in NAMES.iter().zip(&values) {
            if let Some(value) = value {
                headers.insert(*name, HeaderValue::from_bytes(value).unwrap());
            }
        }
        if let Some(context) = &context {
            let value = HeaderValue::from_bytes(context).unwrap();
            headers.insert("lambda-runtime-client-context", value);
        }
        headers.insert("lambda-runtime-deadline-ms", HeaderValue::from_str(&deadline).unwrap());
        let invocation = invocation_from(&headers);
        let text = |value: &Option<Vec<u8>>| String::from_utf8(value.clone()?).ok();
        prop_assert_eq!(invocation.request_id, text(&values[0]).unwrap_or_default());
        prop_assert_eq!(invocation.invoked_function_arn, text(&values[1]));
        prop_assert_eq!(invocation.trace_id, text(&values[2]));
        prop_assert_eq!(invocation.identity, text(&values[3]));
        prop_assert_eq!(invocation.tenant_id, text(&values[4]));
        let milliseconds = deadline.trim().parse::<i128>().ok();
        let held = milliseconds.map(|ms| ms.clamp(0, (1 << 53) - 1) as u64);
        prop_assert_eq!(invocation.deadline_ms, held);
        let context = text(&context);
        let value = context.as_deref().map(serde_json::from_str::<Value>);
        match value {
            Some(Ok(Value::Object(mut members))) => {
                let fields = members.remove("w3c").map(|fields| {
                    let known = ["traceparent", "tracestate", "baggage"].into_iter();
                    let texts = known.filter_map(|k| Some((k.into(), fields[k].as_str()?.into())));
                    texts.collect::<BTreeMap<String, String>>()
                });
                let rest = invocation
                    .client_context
                    .map(|rest| serde_json::from_str::<Value>(&rest).unwrap());
                prop_assert_eq!(rest, Some(json!(members)));
                prop_assert_eq!(invocation.w3c, fields);
            }
            _ => {
                prop_assert_eq!(invocation.client_context, context);
                prop_assert_eq!(invocation.w3c, None);
            }
        }
        Ok(())
    });
    outcome.unwrap();
}

fn errors() -> impl Strategy<Value = Error> {
    let text = || prop_oneof![4 => any::<String>(), 1 => "[\0-\u{9f}]{0,20}", 1 => "(Runtime|Function)\\.[A-Za-z0-9]{0,8}"];
    let frame = (text(), text(), any::<u32>(), any::<u32>());
    let frame =
        frame.prop_map(|(function, file, line, column)| Frame { function, file, line, column });
    let kinds = select(
        &[
            ErrorKind::Guest,
            ErrorKind::Exit,
            ErrorKind::Timeout,
            ErrorKind::Marshal,
            ErrorKind::Internal,
        ][..],
    );
    let long = prop_oneof![9 => Just(1), 1 => 1..5000usize];
    (kinds, text(), text(), long, vec(frame, 0..5)).prop_map(
        |(kind, name, message, times, frames)| {
            Error::new(kind, message.repeat(times)).with_name(name).with_frames(frames)
        },
    )
}

/// The type has the form that the platform keeps, and the cause is one line of JSON that says what the error says.
#[test]
fn what_the_platform_hears_of_an_error_always_fits_into_headers() {
    let outcome = runner(1000).run(&errors(), |error| {
        let kind = error_type_header(&error);
        let rest = kind.strip_prefix("Runtime.").or_else(|| kind.strip_prefix("Function."));
        prop_assert!(rest.is_some(), "{kind}");
        let rest = rest.unwrap();
        prop_assert!(
            rest.len() > 1 && rest.bytes().all(|byte| byte.is_ascii_alphabetic()),
            "{kind}"
        );
        prop_assert!(rest.starts_with(|c: char| c.is_ascii_uppercase()), "{kind}");
        let Some(cause) = xray_cause(&error, ErrorDialect::PLAIN) else {
            prop_assert!(error.message().len() > 5000, "a small cause is left out: {error}");
            return Ok(());
        };
        prop_assert!(HeaderValue::from_str(&cause).is_ok(), "{cause:?}");
        prop_assert!(cause.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{cause:?}");
        let told: Value = serde_json::from_str(&cause).unwrap();
        let exception = &told["exceptions"][0];
        prop_assert_eq!(&exception["type"], error.name());
        prop_assert_eq!(&exception["message"], error.message());
        let stack = exception["stack"].as_array().unwrap();
        // Outer frames make room for a long message.
        let has_all = stack.len() == error.frames().len();
        prop_assert!(
            has_all || (stack.len() < error.frames().len() && error.message().len() > 5000),
            "{} of {} frames",
            stack.len(),
            error.frames().len()
        );
        for (told, frame) in stack.iter().zip(error.frames()) {
            prop_assert_eq!(&told["path"], &frame.file);
            prop_assert_eq!(&told["label"], &frame.function);
            prop_assert!(told["line"] == frame.line);
        }
        Ok(())
    });
    outcome.unwrap();
}

/// A Runtime API that hands out events with the given ids, and reports how they are answered.
struct Platform {
    address: SocketAddr,
    ids: Sender<Vec<u8>>,
    posts: Receiver<Vec<String>>,
}

impl Platform {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (ids, given) = channel::<Vec<u8>>();
        let (told, posts) = channel();
        thread::spawn(move || {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            while let Some(head) = Self::request(&mut stream) {
                let mut answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_vec();
                if head[0].starts_with("GET") {
                    answer =
                        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nlambda-runtime-aws-request-id: "
                            .to_vec();
                    answer.extend(given.recv().unwrap());
                    answer.extend(b"\r\n\r\n{}");
                } else {
                    told.send(head).unwrap();
                }
                stream.get_mut().write_all(&answer).unwrap();
            }
        });
        Self { address, ids, posts }
    }

    /// Reads the lines of a request's head; `None` at the end.
    fn request(stream: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok().filter(|length| *length > 0)?;
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let length = lines.iter().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body).ok()?;
        Some(lines)
    }
}

/// An invocation is answered under exactly the id that it came with, whatever that is, and as one path segment; so is
/// a failure, whatever it says.
#[test]
fn an_event_is_answered_under_its_id() {
    let platform = Platform::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tasks = tokio::task::LocalSet::new();
    let mut api = RuntimeApi::new(&platform.address.to_string()).unwrap();
    let fails = |e: trine::lambda::ApiError| TestCaseError::fail(e.to_string());
    let api = std::cell::RefCell::new(&mut api);
    let outcome = runner(1000).run(&(header_bytes(), option::of(errors())), |(id, error)| {
        platform.ids.send(id.clone()).unwrap();
        let mut api = api.borrow_mut();
        let (kind, verdict) = tasks.block_on(&runtime, async {
            let next = api.next(pending()).await.map_err(fails)?.unwrap();
            let verdict = match &error {
                None => ("response", api.respond(&next.delivery, "1".into(), "text/plain").await),
                Some(error) => {
                    let (kind, cause) =
                        (error_type_header(error), xray_cause(error, ErrorDialect::PLAIN));
                    let post = api.fail(&next.delivery, "{}".into(), &kind, cause.as_deref());
                    ("error", post.await)
                }
            };
            Ok::<_, TestCaseError>((verdict.0, verdict.1.map_err(fails)?))
        })?;
        prop_assert_eq!(verdict, Verdict::Accepted);
        let head = platform.posts.recv().unwrap();
        let path = head[0].split(' ').nth(1).unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        prop_assert_eq!(&parts[..4], &["", "2018-06-01", "runtime", "invocation"]);
        prop_assert_eq!(parts.len(), 6, "{}", path);
        prop_assert_eq!(parts[5], kind);
        prop_assert_eq!(percent_decode_str(parts[4]).collect::<Vec<u8>>(), id);
        Ok(())
    });
    outcome.unwrap();
}
