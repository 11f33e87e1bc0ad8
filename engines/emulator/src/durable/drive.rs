//! What keeps an execution going: its invocations, its timers, and the functions that it invokes.

use super::{
    super::{
        directory::{Directory, Finished},
        outcome::{Answer, Event},
    },
    checkpoint::Call,
    execution::Execution,
    executions::{Beginning, Begun, Entry},
    operation::{ErrorObject, Status},
    targets,
    update::MAX_PAYLOAD,
};
use bytes::Bytes;
use chrono::Utc;
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

/// An invocation under way.
type Invocation = Pin<Box<dyn Future<Output = Option<Finished>> + Send>>;

/// Drives an execution until it has ended, and its last invocation with it.
pub(super) async fn drive(directory: Directory, entry: Arc<Entry>) {
    let mut invocation: Option<Invocation> = None;
    loop {
        let next = entry.with(Execution::advance);
        if next.is_over {
            return;
        }
        if let Some(event) = next.invoke {
            invocation = Some(Box::pin(invoke(directory.clone(), Arc::clone(&entry), event)));
        }
        let finished = async {
            match &mut invocation {
                Some(invocation) => invocation.await,
                None => std::future::pending().await,
            }
        };
        let time_has_come = async {
            match next.wake_at {
                // A millisecond more than the rest, which is cut off.
                Some(at) => {
                    let left = (at - Utc::now()).to_std().unwrap_or_default();
                    tokio::time::sleep(left + Duration::from_millis(1)).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            finished = finished => {
                invocation = None;
                // Without an answer the emulator ends.
                let Some(Finished { outcome, .. }) = finished else { return };
                if directory.executions().is_closing() {
                    return;
                }
                let answer = match (outcome.error_type(), &outcome.result) {
                    (None, Answer::Response { bytes, .. }) => Ok(bytes),
                    (kind, _) if outcome.body().is_empty() => {
                        Err(ErrorObject::of_message(kind.unwrap_or_default()))
                    }
                    _ => Err(ErrorObject::of_document(&outcome.body())),
                };
                let answer = answer.map(|bytes| &bytes[..]);
                entry.with(|execution, now| {
                    execution.invocation_ended(&outcome.request_id, answer, now);
                });
            }
            () = entry.changed.notified() => {}
            () = time_has_come => {}
        }
    }
}

/// Runs an invocation, when there is room for it.
async fn invoke(directory: Directory, entry: Arc<Entry>, event: Bytes) -> Option<Finished> {
    let event = Event {
        trace_id: entry.trace_id.clone(),
        tenant_id: entry.tenant_id.clone(),
        invoked_function_arn: Some(entry.invoked_arn.clone()),
        ..Event::new(event)
    };
    run(&directory, entry.place, &event, &entry.version, entry.options.retry_delay).await
}

/// Submits an event, as often as it is turned away.
async fn run(
    directory: &Directory,
    place: usize,
    event: &Event,
    version: &str,
    pause: Duration,
) -> Option<Finished> {
    loop {
        let finished = directory.submit(place, event.clone(), version, None, true).pending.await?;
        if finished.outcome.result != Answer::Throttled {
            return Some(finished);
        }
        tokio::time::sleep(pause.max(Duration::from_millis(10))).await;
    }
}

/// Begins an execution. One that is new is driven from now on.
pub(super) fn begin(directory: &Directory, beginning: Beginning) -> Begun {
    let begun = directory.executions().begin(beginning);
    if let Begun::New(entry) = &begun {
        directory.spawn(drive(directory.clone(), Arc::clone(entry)));
    }
    begun
}

/// Invokes another function for an execution, and tells it the outcome.
pub(super) async fn call(directory: Directory, entry: Arc<Entry>, call: Call) {
    let (status, outcome) = match targets::find(&directory, &call.target.function) {
        Ok(found) if found.options.durable.is_some() => {
            let beginning = Beginning {
                place: found.place,
                options: found.options.clone(),
                version: found.version.clone(),
                invoked_arn: found.arn.clone(),
                name: None,
                input: call.input.unwrap_or_else(|| "{}".to_owned()),
                max_output: MAX_PAYLOAD,
                trace_id: entry.trace_id.clone(),
                tenant_id: call.target.tenant_id,
            };
            let (Begun::New(child) | Begun::Known(child) | Begun::Taken(child)) =
                begin(&directory, beginning);
            outcome_of_child(&child).await
        }
        Ok(found) => {
            let event = Event {
                trace_id: entry.trace_id.clone(),
                tenant_id: call.target.tenant_id,
                invoked_function_arn: Some(found.arn.clone()),
                ..Event::new(call.input.unwrap_or_else(|| "{}".to_owned()))
            };
            let (place, version) = (found.place, &found.version);
            match run(&directory, place, &event, version, entry.options.retry_delay).await {
                Some(finished) => outcome_of(&finished),
                None => return,
            }
        }
        Err(unfound) => (Status::Failed, Err(unfound.into_error())),
    };
    entry.disturb(|execution, now| execution.call_ended(&call.operation, status, outcome, now));
}

type CallOutcome = (Status, Result<Option<String>, ErrorObject>);

async fn outcome_of_child(child: &Entry) -> CallOutcome {
    let Some(end) = child.ended().await else {
        return (Status::Failed, Err(ErrorObject::of_message("Chained invoke failed.")));
    };
    let failed = || ErrorObject::of_message("Chained invoke failed.");
    match end.status {
        Status::Succeeded => (Status::Succeeded, Ok(end.result)),
        Status::TimedOut => {
            let seconds =
                child.options.durable.clone().unwrap_or_default().execution_timeout.as_secs_f64();
            let message = format!("CHAINED_INVOKE timed out after {seconds} seconds.");
            (Status::TimedOut, Err(ErrorObject::new("ChainedInvoke.Timeout", message)))
        }
        status => (status, Err(end.error.unwrap_or_else(failed))),
    }
}

fn outcome_of(finished: &Finished) -> CallOutcome {
    let failed = |error| (Status::Failed, Err(error));
    let body = finished.outcome.body();
    if finished.outcome.error_type().is_some() {
        return failed(ErrorObject::of_document(&body));
    }
    if body.len() > MAX_PAYLOAD {
        return failed(ErrorObject::of_message(format!(
            "CHAINED_INVOKE output payload size must be less than or equal to {MAX_PAYLOAD} bytes, not {}.",
            body.len()
        )));
    }
    match std::str::from_utf8(&body) {
        Ok("") => (Status::Succeeded, Ok(None)),
        Ok(text) => (Status::Succeeded, Ok(Some(text.to_owned()))),
        Err(_) => failed(ErrorObject::of_message(
            "CHAINED_INVOKE response could not be decoded as UTF-8.",
        )),
    }
}
