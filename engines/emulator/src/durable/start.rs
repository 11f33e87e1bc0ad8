//! Invocations of durable functions: each starts an execution, or finds the one of its name.
//! Contract: AWS Lambda developer guide, invoking durable functions, and idempotency.

use super::{
    super::{
        directory::Directory,
        invoke_api::{Rejection, UNQUALIFIED},
        options::EmulatorOptions,
        outcome::Event,
    },
    drive,
    executions::{Beginning, Begun, Entry},
    operation::Status,
    update::{MAX_OUTPUT, MAX_PAYLOAD, is_word},
};
use std::{sync::Arc, time::Duration};

/// The longest time that an execution may take for whose end a caller can wait.
const MAX_SYNCHRONOUS: Duration = Duration::from_secs(15 * 60);

/// An execution that a caller has started or found.
pub(crate) struct Started(Arc<Entry>);

/// What has come of an execution.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The result, or the document of an error, as JSON text.
    pub(crate) body: String,
    pub(crate) is_error: bool,
}

/// Starts an execution of a function for a caller who waits for its end, or does not.
///
/// # Errors
/// When the function cannot be invoked in this way.
pub(crate) fn run(
    directory: &Directory,
    place: usize,
    options: &EmulatorOptions,
    invoked: (&str, Option<&str>),
    event: Event,
    name: Option<String>,
    waits: bool,
) -> Result<Started, Rejection> {
    let (arn, qualifier) = invoked;
    let timeout = options.durable.as_ref().map_or(Duration::ZERO, |own| own.execution_timeout);
    if qualifier.is_none() {
        let message = format!("{UNQUALIFIED} Name it {}:$LATEST.", options.function_name);
        return Err(Rejection::invalid_parameter(message));
    }
    if waits && timeout > MAX_SYNCHRONOUS {
        return Err(Rejection::invalid_parameter(
            "You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes. \
             Invoke it with the type Event.",
        ));
    }
    if let Some(name) = &name
        && !((1..=64).contains(&name.len()) && name.chars().all(is_word))
    {
        return Err(Rejection::invalid_parameter(format!(
            "{name:?} is no DurableExecutionName: 1 to 64 letters, digits, - and _"
        )));
    }
    let beginning = Beginning {
        place,
        options: options.clone(),
        version: options.executed_version(qualifier).to_owned(),
        invoked_arn: arn.to_owned(),
        name,
        input: String::from_utf8_lossy(&event.body).into_owned(),
        max_output: if waits { MAX_OUTPUT } else { MAX_PAYLOAD },
        trace_id: event.trace_id,
        tenant_id: event.tenant_id,
    };
    match drive::begin(directory, beginning) {
        Begun::New(entry) | Begun::Known(entry) => Ok(Started(entry)),
        Begun::Taken(entry) => Err(Rejection::already_started(&entry.name)),
    }
}

impl Started {
    pub(crate) fn arn(&self) -> &str {
        &self.0.arn
    }

    /// Waits for the end of the execution; `None` where there will be none.
    pub(crate) async fn ended(&self) -> Option<Ended> {
        let end = self.0.ended().await?;
        Some(match end.status {
            Status::Succeeded => {
                Ended { body: end.result.unwrap_or_else(|| "null".to_owned()), is_error: false }
            }
            _ => {
                let error = end.error.unwrap_or_default();
                Ended { body: error.document().to_string(), is_error: true }
            }
        })
    }
}
