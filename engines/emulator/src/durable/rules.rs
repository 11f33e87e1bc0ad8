//! What a checkpoint may ask for: which actions each type of operation takes in which state.
//! Contract: AWS's durable execution SDKs and the validators of their testing libraries, in the service's words.

use super::{
    operation::{Kind, Operation, Status},
    update::{Action, MAX_PAYLOAD, Update},
};
use std::collections::HashMap;

/// Checks the updates of a checkpoint against the operations that there are. The execution's own result may have this
/// many bytes.
///
/// # Errors
/// What the service says, and the operation that it is about.
pub(super) fn check<'o>(
    updates: &[Update],
    known: impl Fn(&str) -> Option<&'o Operation>,
    max_output: usize,
) -> Result<(), String> {
    let executions = updates.iter().filter(|update| update.kind == Kind::Execution).count();
    if executions > 1 {
        return Err("Cannot checkpoint multiple EXECUTION updates.".to_owned());
    }
    if executions == 1 && updates.last().is_some_and(|update| update.kind != Kind::Execution) {
        return Err("EXECUTION checkpoint must be the last update.".to_owned());
    }
    let mut earlier: HashMap<&str, &Update> = HashMap::new();
    for update in updates {
        let told = |what: &str| Err(format!("{what} (operation {:?})", update.id));
        let before = earlier.insert(&update.id, update);
        if before.is_some_and(|before| !may_follow(before, update)) {
            return told("Cannot checkpoint multiple operations with the same ID.");
        }
        if let Some(parent) = &update.parent_id {
            let started = earlier.get(parent.as_str()).filter(|_| *parent != update.id);
            let kind =
                started.map(|parent| parent.kind).or(known(parent).map(|parent| parent.kind));
            if kind != Some(Kind::Context) {
                return told("Invalid parent operation id.");
            }
        }
        let current = known(&update.id);
        if let Err(what) = check_one(update, current, before, max_output) {
            return told(&what);
        }
    }
    Ok(())
}

/// Whether a checkpoint may bring both for one operation: its start, and how it went on.
fn may_follow(before: &Update, update: &Update) -> bool {
    matches!(before.kind, Kind::Step | Kind::Context)
        && before.kind == update.kind
        && before.action == Action::Start
        && update.action != Action::Start
}

fn check_one(
    update: &Update,
    current: Option<&Operation>,
    before: Option<&Update>,
    max_output: usize,
) -> Result<(), String> {
    if let Some(current) = current {
        check_same(update, current)?;
    }
    check_sizes(update, max_output)?;
    let kind = update.kind.name();
    // What the same checkpoint has started counts as started.
    let status = before.map(|_| Status::Started).or(current.map(|current| current.status));
    let is = |allowed: &[Status]| status.is_none_or(|status| allowed.contains(&status));
    match (update.kind, update.action) {
        (Kind::Step, Action::Start) if !is(&[Status::Ready]) => {
            Err("Invalid current STEP state to start.".to_owned())
        }
        (Kind::Step, Action::Start) => Ok(()),
        (Kind::Step, Action::Retry) => {
            if !is(&[Status::Started, Status::Ready]) {
                Err("Invalid current STEP state to re-attempt.".to_owned())
            } else if update.next_attempt.is_none() {
                Err("Invalid StepOptions for the given action.".to_owned())
            } else if update.error.is_some() && update.payload.is_some() {
                Err("Cannot provide both error and payload to RETRY a STEP.".to_owned())
            } else {
                Ok(())
            }
        }
        (Kind::Step, Action::Succeed | Action::Fail) if !is(&[Status::Started, Status::Ready]) => {
            Err("Invalid current STEP state to close.".to_owned())
        }
        (Kind::Context, Action::Succeed | Action::Fail) if !is(&[Status::Started]) => {
            Err("Invalid current CONTEXT state to close.".to_owned())
        }
        (Kind::Step | Kind::Context | Kind::Execution, Action::Succeed | Action::Fail) => {
            check_outcome(update)
        }
        (Kind::Context | Kind::Wait | Kind::Callback | Kind::ChainedInvoke, Action::Start) => {
            if status.is_some() {
                Err(format!("Cannot start a {kind} that already exists."))
            } else if update.kind == Kind::Wait && update.wait.is_none() {
                Err("Invalid WaitOptions for the given action.".to_owned())
            } else if update.kind == Kind::ChainedInvoke && update.target.is_none() {
                let what = "Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.";
                Err(what.to_owned())
            } else {
                Ok(())
            }
        }
        (Kind::Wait, Action::Cancel) if status != Some(Status::Started) => {
            Err("Cannot cancel a WAIT that does not exist or has already completed.".to_owned())
        }
        (Kind::Wait, Action::Cancel) => Ok(()),
        (_, action) => Err(format!("Invalid {kind} action: {}.", action.name())),
    }
}

/// An operation stays what it is.
fn check_same(update: &Update, current: &Operation) -> Result<(), String> {
    let differs = |own: &Option<String>, known: &Option<String>| own.is_some() && own != known;
    let what = if update.kind != current.kind {
        "type"
    } else if differs(&update.sub_type, &current.sub_type) {
        "subtype"
    } else if differs(&update.name, &current.name) {
        "name"
    } else if differs(&update.parent_id, &current.parent_id) {
        return Err("Inconsistent parent operation id.".to_owned());
    } else {
        return Ok(());
    };
    Err(format!("Inconsistent operation {what}."))
}

fn check_outcome(update: &Update) -> Result<(), String> {
    match update.action {
        Action::Succeed if update.error.is_some() => {
            Err("Cannot provide an Error for SUCCEED action.".to_owned())
        }
        Action::Fail if update.payload.is_some() => {
            Err("Cannot provide a Payload for FAIL action.".to_owned())
        }
        _ => Ok(()),
    }
}

fn check_sizes(update: &Update, max_output: usize) -> Result<(), String> {
    let size = update.error.as_ref().map_or(0, |error| error.json().to_string().len());
    if size > MAX_PAYLOAD {
        return Err(format!(
            "Error object size must be less than {MAX_PAYLOAD} bytes, not {size}."
        ));
    }
    let (what, most) = match (update.kind, update.action) {
        (Kind::Execution, _) => ("Execution output".to_owned(), max_output),
        (kind, Action::Start) => (format!("{} input", kind.name()), MAX_PAYLOAD),
        (kind, _) => (format!("{} output", kind.name()), MAX_PAYLOAD),
    };
    match update.payload.as_ref().map_or(0, String::len) {
        size if size > most => Err(format!(
            "{what} payload size must be less than or equal to {most} bytes, not {size}."
        )),
        _ => Ok(()),
    }
}
