//! The API of durable executions over HTTP: what functions ask for, and what callers do.
//! Contract: AWS Lambda API reference, the operations of 2025-12-01.

use super::{
    super::{
        body::{self, Collected, ReplyBody},
        directory::Directory,
        invoke_api::{FunctionName, Rejection},
        server::json_reply,
    },
    API, drive,
    events::{Unanswerable, Word},
    execution::Invalid,
    executions::Entry,
    operation::{ErrorObject, Status, Timestamps},
    query::Query,
    targets::{self, Unfound},
    update::{MAX_OUTPUT, MAX_PAYLOAD, Target, Update},
};
use crate::answers::percent_decoded;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Largest body of a request: a payload's quotes and line breaks take two bytes in JSON.
const MAX_BODY: usize = 2 * MAX_OUTPUT;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Checkpoint,
    State,
    Describe,
    History,
    Stop,
    Succeed,
    Fail,
    Heartbeat,
    List,
}

impl Operation {
    /// Returns the operation of a path below [`API`], and what it is about.
    fn of(path: &str) -> Option<(Self, String)> {
        let (family, rest) = path.split_once('/')?;
        let (subject, operation) = match family {
            // The slashes of an ARN may be escaped or not.
            "durable-executions" => match rest.rsplit_once('/') {
                Some((arn, "checkpoint")) => (arn, Self::Checkpoint),
                Some((arn, "state")) => (arn, Self::State),
                Some((arn, "history")) => (arn, Self::History),
                Some((arn, "stop")) => (arn, Self::Stop),
                _ => (rest, Self::Describe),
            },
            "durable-execution-callbacks" => match rest.rsplit_once('/')? {
                (id, "succeed") => (id, Self::Succeed),
                (id, "fail") => (id, Self::Fail),
                (id, "heartbeat") => (id, Self::Heartbeat),
                _ => return None,
            },
            "functions" => (rest.strip_suffix("/durable-executions")?, Self::List),
            _ => return None,
        };
        Some((operation, percent_decoded(subject)))
    }

    fn method(self) -> Method {
        match self {
            Self::State | Self::Describe | Self::History | Self::List => Method::GET,
            _ => Method::POST,
        }
    }
}

/// Answers a request whose path begins with [`API`].
pub(crate) async fn answer(
    directory: &Directory,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let (head, incoming) = request.into_parts();
    let path = head.uri.path();
    let Some((operation, subject)) = Operation::of(path.strip_prefix(API).unwrap_or_default())
    else {
        body::drain(incoming).await;
        return Rejection::unknown_path(path).reply();
    };
    let expected = operation.method();
    if head.method != expected {
        body::drain(incoming).await;
        let mut reply = Rejection::asked_wrongly(&head.method, &expected).reply();
        if let Ok(value) = HeaderValue::from_str(expected.as_str()) {
            reply.headers_mut().insert(header::ALLOW, value);
        }
        return reply;
    }
    let body = match body::collect(incoming, MAX_BODY).await {
        Collected::Whole { bytes, .. } => bytes,
        Collected::TooLarge { size } => {
            return Rejection::body_too_large(size, MAX_BODY).reply();
        }
        Collected::Truncated => {
            return Rejection::invalid_content("The request ended before its end").reply();
        }
    };
    let query = Query(head.uri.query().unwrap_or_default());
    let answered = match operation {
        Operation::Checkpoint => checkpoint(directory, &subject, &body),
        Operation::State => state(directory, &subject, &query),
        Operation::Describe => describe(directory, &subject, &query),
        Operation::History => history(directory, &subject, &query),
        Operation::Stop => stop(directory, &subject, &body),
        Operation::Succeed | Operation::Fail | Operation::Heartbeat => {
            callback(directory, operation, &subject, &body)
        }
        Operation::List => list(directory, &subject, &query),
    };
    match answered {
        Ok(answer) => json_reply(StatusCode::OK, answer.to_string()),
        Err(rejection) => rejection.reply(),
    }
}

impl From<Invalid> for Rejection {
    fn from(invalid: Invalid) -> Self {
        Self::invalid_parameter(invalid.0)
    }
}

/// Returns the execution with an ARN.
fn find(directory: &Directory, arn: &str) -> Result<Arc<Entry>, Rejection> {
    if !(arn.starts_with("arn:") && arn.contains("/durable-execution/")) {
        let message = format!("{arn:?} is no ARN of a durable execution");
        return Err(Rejection::invalid_parameter(message));
    }
    let found = directory.executions().find(arn);
    found.ok_or_else(|| Rejection::not_found(format!("Durable execution not found: {arn}")))
}

/// The same for operations that know one kind of error only.
fn find_for_function(directory: &Directory, arn: &str) -> Result<Arc<Entry>, Rejection> {
    let unknown = |_| {
        Rejection::invalid_parameter(format!("Invalid durable execution ARN: there is no {arn:?}"))
    };
    find(directory, arn).map_err(unknown)
}

fn checkpoint(directory: &Directory, arn: &str, body: &Bytes) -> Result<Value, Rejection> {
    let request = object(body)?;
    let text = |name: &str| match request.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(Rejection::invalid_parameter(format!("{name} is a string"))),
    };
    let missing = || Rejection::invalid_parameter("CheckpointToken is missing");
    let token = text("CheckpointToken")?.ok_or_else(missing)?;
    let client_token = text("ClientToken")?;
    let updates = Update::list(request.get("Updates")).map_err(Rejection::invalid_parameter)?;
    let entry = find_for_function(directory, arn)?;
    for target in updates.iter().filter_map(|update| update.target.as_ref()) {
        if let Err(Unfound::Malformed(what)) = targets::find(directory, &target.function) {
            return Err(Rejection::invalid_parameter(what));
        }
    }
    let done = entry.disturb(|execution, now| {
        let resolve = |target: &Target| {
            targets::find(directory, &target.function).err().map(Unfound::into_error)
        };
        execution.checkpoint(token, client_token, &updates, resolve, now)
    })?;
    for call in done.calls {
        directory.spawn(drive::call(directory.clone(), Arc::clone(&entry), call));
    }
    Ok(done.answer)
}

fn state(directory: &Directory, arn: &str, query: &Query<'_>) -> Result<Value, Rejection> {
    let entry = find_for_function(directory, arn)?;
    let token = query.get("CheckpointToken");
    let token = token.ok_or_else(|| Rejection::invalid_parameter("CheckpointToken is missing"))?;
    let most = query.max_items()?;
    let marker = query.get("Marker");
    let (operations, next) =
        entry.with(|execution, _| execution.page(&token, marker.as_deref(), most))?;
    Ok(paged(json!({"Operations": operations}), next))
}

fn describe(directory: &Directory, arn: &str, query: &Query<'_>) -> Result<Value, Rejection> {
    let entry = find(directory, arn)?;
    let with_data = query.flag("IncludeExecutionData", true)?;
    let mut answer = summary(&entry);
    let durable = entry.options.durable.clone().unwrap_or_default();
    answer["Version"] = json!(entry.version);
    answer["ExecutionDataIncluded"] = json!(with_data);
    answer["DurableConfig"] = durable.json();
    if let Some(trace_id) = &entry.trace_id {
        answer["TraceHeader"] = json!({"XAmznTraceId": trace_id});
    }
    let end = entry.end();
    if end.is_none() {
        let deadline = entry.with(|execution, _| execution.deadline());
        answer["ExpectedExecutionTimeoutTimestamp"] = Timestamps::Seconds.write(deadline);
    }
    if with_data {
        answer["InputPayload"] = json!(entry.input);
        if let Some(end) = end {
            if let Some(result) = end.result {
                answer["Result"] = json!(result);
            }
            if let Some(error) = end.error {
                answer["Error"] = error.json();
            }
        }
    }
    Ok(answer)
}

/// Returns what a list tells of an execution.
fn summary(entry: &Entry) -> Value {
    let function = entry.options.function_arn();
    let mut summary = json!({
        "DurableExecutionArn": entry.arn,
        "DurableExecutionName": entry.name,
        "FunctionArn": format!("{function}:{}", entry.version),
        "Status": status_of(entry),
        "StartTimestamp": entry.with(|execution, _| Timestamps::Seconds.write(execution.begun)),
    });
    if let Some(end) = entry.end() {
        summary["EndTimestamp"] = Timestamps::Seconds.write(end.at);
    }
    summary
}

fn status_of(entry: &Entry) -> &'static str {
    entry.end().map_or("RUNNING", |end| end.status.name())
}

fn history(directory: &Directory, arn: &str, query: &Query<'_>) -> Result<Value, Rejection> {
    let entry = find(directory, arn)?;
    let with_data = query.flag("IncludeExecutionData", true)?;
    let is_reverse = query.flag("ReverseOrder", false)?;
    let (from, most) = (query.marker()?, query.max_items()?);
    let (events, next) = entry.with(|execution, _| {
        let length = execution.history.len();
        let events: Vec<Value> = (from..length)
            .take(most)
            .map(|at| if is_reverse { length - 1 - at } else { at })
            .filter_map(|at| execution.history.event(at, with_data))
            .collect();
        let next = from.saturating_add(most);
        (events, (next < length).then(|| next.to_string()))
    });
    Ok(paged(json!({"Events": events}), next))
}

fn stop(directory: &Directory, arn: &str, body: &Bytes) -> Result<Value, Rejection> {
    let entry = find(directory, arn)?;
    let error = error_of(body)?;
    let stopped = entry.disturb(|execution, now| execution.stop(error, now));
    Ok(json!({"StopTimestamp": Timestamps::Seconds.write(stopped)}))
}

fn callback(
    directory: &Directory,
    operation: Operation,
    id: &str,
    body: &Bytes,
) -> Result<Value, Rejection> {
    let word = match operation {
        Operation::Heartbeat => Word::Heartbeat,
        Operation::Fail => Word::Failure(error_of(body)?.unwrap_or_default()),
        _ if body.len() > MAX_PAYLOAD => {
            let message = format!("Result has {} bytes, and {MAX_PAYLOAD} are allowed", body.len());
            return Err(Rejection::invalid_parameter(message));
        }
        _ => match std::str::from_utf8(body) {
            Ok("") => Word::Success(None),
            Ok(text) => Word::Success(Some(text.to_owned())),
            Err(_) => return Err(Rejection::invalid_parameter("Result is no text in UTF-8")),
        },
    };
    let is_id = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    if id.is_empty() || !id.chars().all(is_id) {
        return Err(Rejection::invalid_parameter(format!("{id:?} is no CallbackId")));
    }
    let unknown = || Rejection::not_found(format!("Callback not found: {id}"));
    let entry = directory.executions().of_callback(id).ok_or_else(unknown)?;
    entry.disturb(|execution, now| execution.answer(id, word, now)).map_err(|why| match why {
        Unanswerable::Unknown => unknown(),
        Unanswerable::TimedOut => Rejection::callback_timeout(format!("Callback {id} timed out")),
        Unanswerable::Answered => Rejection::invalid_parameter(format!(
            "Callback {id} has been answered already: it is answered once"
        )),
        Unanswerable::Ended => Rejection::invalid_parameter(format!(
            "The execution that waited for callback {id} has ended: {}",
            status_of(&entry)
        )),
    })?;
    Ok(json!({}))
}

fn list(directory: &Directory, name: &str, query: &Query<'_>) -> Result<Value, Rejection> {
    let named = FunctionName::parse(name, query.get("Qualifier"));
    let named = named.map_err(|bad| Rejection::bad_name(name, &bad))?;
    let Some((place, options)) = directory.find(named.name) else {
        return Err(Rejection::unknown_function(named.name));
    };
    let version = named.qualifier.as_deref().map(|own| options.executed_version(Some(own)));
    let name = query.get("DurableExecutionName");
    let statuses = query.all("Statuses");
    let known = [Status::Succeeded, Status::Failed, Status::TimedOut, Status::Stopped];
    let known: Vec<&str> = ["RUNNING"].into_iter().chain(known.map(Status::name)).collect();
    if let Some(unknown) = statuses.iter().find(|status| !known.contains(&status.as_str())) {
        let message = format!("{unknown:?} is none of the Statuses {}", known.join(", "));
        return Err(Rejection::invalid_parameter(message));
    }
    let (after, before) = (query.time("StartedAfter")?, query.time("StartedBefore")?);
    let mut found = directory.executions().of_function(place);
    found.retain(|entry| {
        let begun = entry.with(|execution, _| execution.begun);
        version.is_none_or(|version| version == entry.version)
            && name.as_ref().is_none_or(|name| *name == entry.name)
            && (statuses.is_empty() || statuses.iter().any(|status| status == status_of(entry)))
            && after.is_none_or(|after| begun > after)
            && before.is_none_or(|before| begun < before)
    });
    if !query.flag("ReverseOrder", false)? {
        found.reverse();
    }
    let (from, most) = (query.marker()?, query.max_items()?);
    let next = from.saturating_add(most);
    let next = (next < found.len()).then(|| next.to_string());
    let page: Vec<Value> = found.iter().skip(from).take(most).map(|entry| summary(entry)).collect();
    Ok(paged(json!({"DurableExecutions": page}), next))
}

/// Adds the marker of the next page, if there is one.
fn paged(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["NextMarker"] = json!(next);
    }
    answer
}

/// Reads a body that is an object.
fn object(body: &Bytes) -> Result<Map<String, Value>, Rejection> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Rejection::invalid_content("The request's body is a JSON object")),
        Err(error) => Err(Rejection::invalid_content(format!(
            "Could not parse request body into json: {error}"
        ))),
    }
}

/// Reads a body that is an error, or empty.
fn error_of(body: &Bytes) -> Result<Option<ErrorObject>, Rejection> {
    if body.is_empty() {
        return Ok(None);
    }
    let error = ErrorObject::parse(&Value::Object(object(body)?));
    let error = error.map_err(Rejection::invalid_parameter)?;
    match error.json().to_string().len() {
        size if size > MAX_PAYLOAD => Err(Rejection::invalid_parameter(format!(
            "Error object size must be less than {MAX_PAYLOAD} bytes, not {size}."
        ))),
        _ => Ok(Some(error)),
    }
}
