//! The caller's side over HTTP: Lambda's Invoke and InvokeWithResponseStream operations, and small answers about
//! functions.
//! Contract: AWS Lambda API reference, Invoke (2015-03-31) and InvokeWithResponseStream (2021-11-15).

mod asynchronous;
mod describe;
mod event_stream;
mod names;
mod rejection;

pub(super) use event_stream::Messages;
pub use names::{BadName, FunctionName};
pub(super) use rejection::{Rejection, UNQUALIFIED};

use super::{
    answers::percent_decoded,
    body::{self, Collected, ReplyBody},
    checks::header_text,
    directory::{Directory, Finished, Submitted},
    durable,
    options::{EmulatorOptions, MAX_ASYNC_EVENT_BYTES, MAX_EVENT_BYTES},
    outcome::{Answer, Event},
    parts::{PARTS_IN_FLIGHT, Parts},
    server::{Endpoint, json_reply, status},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde_json::{Value, value::RawValue};
use tokio::sync::mpsc;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");
const DURABLE_EXECUTION: HeaderName = HeaderName::from_static("x-amz-durable-execution-arn");
const ERROR_KIND: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Number of bytes of a log that a caller gets.
pub(super) const LOG_TAIL: usize = 4096;
/// Largest client context, in base64.
const MAX_CLIENT_CONTEXT: usize = 3583;

/// Whether a path belongs to the callers' API rather than the runtime's.
pub(super) fn has(path: &str) -> bool {
    ["/2015-03-31/", "/2021-11-15/", durable::API].iter().any(|api| path.starts_with(api))
}

/// Returns the reply for a path of the API that the emulator does not have.
pub(super) fn not_found(path: &str) -> Response<ReplyBody> {
    Rejection::unknown_path(path).reply()
}

/// Returns the reply for a request whose method the path does not take.
pub(super) fn wrong_method(method: &Method, expected: &Method) -> Response<ReplyBody> {
    Rejection::wrong_method(method, expected).reply()
}

/// Answers a caller. `subject` is the function's name in the path, still percent-encoded.
pub(super) async fn answer(
    directory: &Directory,
    endpoint: Endpoint,
    subject: &str,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    if endpoint == Endpoint::Durable {
        return durable::answer(directory, request).await;
    }
    if endpoint == Endpoint::ListFunctions {
        return json_reply(StatusCode::OK, describe::list(directory.functions()).to_string());
    }
    let name = percent_decoded(subject);
    let qualifier = query_of(request.uri().query().unwrap_or_default(), "Qualifier");
    let called = match Called::find(directory, &name, qualifier) {
        Ok(called) => called,
        Err(rejection) => {
            body::drain(request.into_body()).await;
            return rejection.reply();
        }
    };
    let qualifier = called.qualifier.as_deref();
    let answered = match endpoint {
        Endpoint::GetFunction => Ok(describe::function(called.options, qualifier)),
        Endpoint::GetFunctionConfiguration => {
            Ok(describe::configuration(called.options, qualifier))
        }
        Endpoint::InvokeStreaming => Err(invoke_streaming(directory, &called, request).await),
        _ => Err(invoke(directory, &called, request).await),
    };
    match answered {
        Ok(description) => json_reply(StatusCode::OK, description.to_string()),
        Err(invoked) => invoked.unwrap_or_else(|rejection| rejection.reply()),
    }
}

/// The function that a request is about.
struct Called<'d> {
    place: usize,
    options: &'d EmulatorOptions,
    qualifier: Option<String>,
    version: String,
    /// The ARN as invoked.
    arn: String,
}

impl<'d> Called<'d> {
    fn find(
        directory: &'d Directory,
        name: &str,
        qualifier: Option<String>,
    ) -> Result<Self, Rejection> {
        let named = FunctionName::parse(name, qualifier);
        let named = named.map_err(|bad| Rejection::bad_name(name, &bad))?;
        let Some((place, options)) = directory.find(named.name) else {
            let region_and_account = directory.functions().next().map(|known| {
                let own = known.function_arn();
                own[..own.len() - known.function_name.len()].to_owned()
            });
            let arn = region_and_account.unwrap_or_default() + named.name;
            return Err(Rejection::unknown_function(named.arn.as_ref().unwrap_or(&arn)));
        };
        let own = named.arn.unwrap_or_else(|| options.function_arn());
        let arn = match &named.qualifier {
            Some(qualifier) => format!("{own}:{qualifier}"),
            None => own,
        };
        let version = options.executed_version(named.qualifier.as_deref()).to_owned();
        Ok(Self { place, options, qualifier: named.qualifier, version, arn })
    }
}

/// Carries out Invoke: waits for the answer, queues the event (`Event`), or does nothing (`DryRun`).
async fn invoke(
    directory: &Directory,
    called: &Called<'_>,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Rejection> {
    let types = ["RequestResponse", "Event", "DryRun"];
    let (event, asked) = read(called, request, &types).await?;
    if asked.invocation_type == "DryRun" {
        return Ok(status(StatusCode::NO_CONTENT));
    }
    if called.options.durable.is_some() {
        return invoke_durable(directory, called, event, asked).await;
    }
    if asked.execution_name.is_some() {
        return Err(Rejection::invalid_parameter(format!(
            "{} is no durable function, so that its executions have no names: the emulator makes it one with --durable",
            called.options.function_name
        )));
    }
    if asked.invocation_type == "Event" {
        let request_id = asynchronous::begin(directory, called, event);
        let mut reply = status(StatusCode::ACCEPTED);
        set_text(reply.headers_mut(), REQUEST_ID, &request_id);
        return Ok(reply);
    }
    let Submitted { pending, .. } =
        directory.submit(called.place, event, &called.version, None, false);
    Ok(match pending.await {
        Some(finished) => render(called, &finished, asked.with_log),
        None => status(StatusCode::INTERNAL_SERVER_ERROR),
    })
}

/// Starts a durable execution, and waits for its end or does not.
async fn invoke_durable(
    directory: &Directory,
    called: &Called<'_>,
    event: Event,
    asked: Asked,
) -> Result<Response<ReplyBody>, Rejection> {
    let waits = asked.invocation_type != "Event";
    let invoked = (called.arn.as_str(), called.qualifier.as_deref());
    let Called { place, options, .. } = *called;
    let name = asked.execution_name;
    let started = durable::run(directory, place, options, invoked, event, name, waits)?;
    let mut reply = match waits {
        false => status(StatusCode::ACCEPTED),
        true => match started.ended().await {
            None => return Ok(status(StatusCode::INTERNAL_SERVER_ERROR)),
            Some(ended) => {
                let mut reply = json_reply(StatusCode::OK, ended.body);
                if ended.is_error {
                    let kind = HeaderValue::from_static("Unhandled");
                    reply.headers_mut().insert(FUNCTION_ERROR, kind);
                }
                set_text(reply.headers_mut(), EXECUTED_VERSION, &called.version);
                reply
            }
        },
    };
    let request_id = uuid::Uuid::new_v4().to_string();
    set_text(reply.headers_mut(), REQUEST_ID, &request_id);
    set_text(reply.headers_mut(), DURABLE_EXECUTION, started.arn());
    Ok(reply)
}

/// Carries out InvokeWithResponseStream: passes the pieces on as the runtime sends them, each in a message.
async fn invoke_streaming(
    directory: &Directory,
    called: &Called<'_>,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, Rejection> {
    let (event, asked) = read(called, request, &["RequestResponse", "DryRun"]).await?;
    if called.options.durable.is_some() {
        return Err(Rejection::invalid_parameter(
            "A durable function has no response stream: invoke it with Invoke.",
        ));
    }
    if asked.invocation_type == "DryRun" {
        return Ok(status(StatusCode::NO_CONTENT));
    }
    let (sender, parts) = mpsc::channel(PARTS_IN_FLIGHT);
    let Submitted { request_id, pending } =
        directory.submit(called.place, event, &called.version, Some(sender), false);
    let mut parts = Parts::new(parts, pending);
    if parts.next().await.is_none() {
        match parts.finished().and_then(Option::as_mut) {
            None => return Ok(status(StatusCode::INTERNAL_SERVER_ERROR)),
            Some(finished) if finished.outcome.result == Answer::Throttled => {
                return Ok(render(called, finished, false));
            }
            Some(_) => {}
        }
    }
    let messages = Messages::new(parts, asked.with_log);
    let mut reply = Response::new(ReplyBody::Messages(Box::new(messages)));
    let headers = reply.headers_mut();
    set_text(headers, header::CONTENT_TYPE, event_stream::CONTENT_TYPE);
    set_text(headers, REQUEST_ID, &request_id);
    set_text(headers, EXECUTED_VERSION, &called.version);
    Ok(reply)
}

/// What a caller wants beside the answer.
struct Asked {
    invocation_type: String,
    /// Whether the end of the log is to come with the answer.
    with_log: bool,
    /// Name of the durable execution.
    execution_name: Option<String>,
}

/// Reads an event and its facts from a request.
async fn read(
    called: &Called<'_>,
    request: Request<Incoming>,
    types: &[&str],
) -> Result<(Event, Asked), Rejection> {
    let (head, incoming) = request.into_parts();
    let asked = match Asked::read(&head.headers, types) {
        Ok(asked) => asked,
        Err(rejection) => {
            body::drain(incoming).await;
            return Err(rejection);
        }
    };
    let limit = match asked.invocation_type.as_str() {
        "Event" => MAX_ASYNC_EVENT_BYTES,
        _ => MAX_EVENT_BYTES,
    };
    let body = match body::collect(incoming, limit).await {
        Collected::Whole { bytes, .. } => bytes,
        Collected::TooLarge { size } => {
            return Err(Rejection::too_large(size, limit, &asked.invocation_type));
        }
        Collected::Truncated => {
            return Err(Rejection::invalid_content("The request ended before its end"));
        }
    };
    let text = |name| header_text(&head.headers, name).map(str::to_owned);
    // A caller that sends nothing sends an empty object, whatever its type.
    let empty = body.is_empty();
    if !empty {
        check_json(&body)?;
    }
    let event = Event {
        body: if empty { Bytes::from_static(b"{}") } else { body },
        // The SDKs' own type, and curl's for `-d`, say nothing about the event.
        content_type: text("content-type").filter(|kind| {
            !empty
                && kind != "application/x-www-form-urlencoded"
                && kind != "application/octet-stream"
        }),
        client_context: client_context(&head.headers)?,
        identity: None,
        trace_id: text("x-amzn-trace-id"),
        tenant_id: text("x-amz-tenant-id"),
        invoked_function_arn: Some(called.arn.clone()),
        request_id: None,
        headers: Vec::new(),
    };
    Ok((event, asked))
}

impl Asked {
    fn read(headers: &HeaderMap, types: &[&str]) -> Result<Self, Rejection> {
        let invocation_type = header_text(headers, "x-amz-invocation-type").unwrap_or(types[0]);
        if !types.contains(&invocation_type) {
            let message = format!("{invocation_type:?} is none of {}", types.join(", "));
            return Err(Rejection::invalid_parameter(message));
        }
        let with_log = match header_text(headers, "x-amz-log-type") {
            None | Some("None") => false,
            Some("Tail") => true,
            Some(other) => {
                let message = format!("{other:?} is none of None, Tail");
                return Err(Rejection::invalid_parameter(message));
            }
        };
        let execution_name = header_text(headers, "x-amz-durable-execution-name");
        Ok(Self {
            invocation_type: invocation_type.to_owned(),
            with_log,
            execution_name: execution_name.map(str::to_owned),
        })
    }
}

/// Checks that an event is JSON, without building it. How deep it is nested is left to the runtime.
fn check_json(body: &[u8]) -> Result<(), Rejection> {
    match serde_json::from_slice::<&RawValue>(body) {
        Err(error) if !error.to_string().contains("recursion limit") => {
            Err(Rejection::invalid_content(format!(
                "Could not parse request body into json: Could not parse payload into json: {error}"
            )))
        }
        _ => Ok(()),
    }
}

fn client_context(headers: &HeaderMap) -> Result<Option<String>, Rejection> {
    let Some(encoded) = headers.get("x-amz-client-context") else { return Ok(None) };
    let decoded =
        STANDARD.decode(encoded.as_bytes()).ok().filter(|_| encoded.len() <= MAX_CLIENT_CONTEXT);
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let is_object =
        |text: &String| serde_json::from_str(text).is_ok_and(|value: Value| value.is_object());
    match text.filter(is_object) {
        Some(text) => Ok(Some(text)),
        None => Err(Rejection::invalid_content(format!(
            "Client context must be a valid Base64-encoded JSON object of at most {MAX_CLIENT_CONTEXT} bytes."
        ))),
    }
}

/// Returns a parameter of a query, decoded.
fn query_of(query: &str, name: &str) -> Option<String> {
    let (_, value) =
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?;
    Some(percent_decoded(value)).filter(|value| !value.is_empty())
}

fn render(called: &Called<'_>, finished: &Finished, with_log: bool) -> Response<ReplyBody> {
    let outcome = &finished.outcome;
    let mut reply = json_reply(StatusCode::OK, outcome.body());
    let headers = reply.headers_mut();
    set_text(headers, REQUEST_ID, &outcome.request_id);
    set_text(headers, EXECUTED_VERSION, &called.version);
    if with_log {
        set_text(headers, LOG_RESULT, &log_result(&finished.log));
    }
    match &outcome.result {
        Answer::Response { content_type, .. } => {
            if let Some(content_type) = content_type {
                set_text(headers, header::CONTENT_TYPE, content_type);
            }
            if outcome.error_type().is_some() {
                headers.insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
            }
        }
        Answer::Throttled => {
            headers.insert(ERROR_KIND, HeaderValue::from_static("TooManyRequestsException"));
            *reply.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        }
        _ => {
            headers.insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
        }
    }
    reply
}

/// Returns the end of a log as callers get it.
fn log_result(log: &[u8]) -> String {
    STANDARD.encode(&log[log.len().saturating_sub(LOG_TAIL)..])
}

fn set_text(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(name, value);
    }
}
