//! All executions of an emulator, by their ARNs and names.

use super::{
    super::{console::Writer, directory::print, options::EmulatorOptions, shared::lock},
    execution::{End, Execution, Start},
    operation::Time,
};
use chrono::{SubsecRound, Utc};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::{Notify, watch};

/// Number of executions that are remembered after their end.
const MAX_ENDED: usize = 1000;

/// All executions.
#[derive(Default)]
pub(crate) struct Executions {
    /// In the order of their start.
    all: Mutex<Vec<Arc<Entry>>>,
    is_closing: AtomicBool,
}

/// An execution with what its invocations have in common.
pub(super) struct Entry {
    pub(super) options: EmulatorOptions,
    /// The place of its function.
    pub(super) place: usize,
    pub(super) arn: String,
    pub(super) name: String,
    /// Its id, the last part of the ARN.
    pub(super) id: String,
    pub(super) version: String,
    /// The function's ARN as it was invoked.
    pub(super) invoked_arn: String,
    pub(super) input: String,
    pub(super) trace_id: Option<String>,
    pub(super) tenant_id: Option<String>,
    execution: Mutex<Execution>,
    /// Tells its driver that something has happened.
    pub(super) changed: Notify,
    ended: watch::Sender<bool>,
}

/// What an execution begins with.
#[derive(Debug, Clone)]
pub(super) struct Beginning {
    pub(super) place: usize,
    pub(super) options: EmulatorOptions,
    pub(super) version: String,
    pub(super) invoked_arn: String,
    /// Its name, if the caller gives one.
    pub(super) name: Option<String>,
    pub(super) input: String,
    pub(super) max_output: usize,
    pub(super) trace_id: Option<String>,
    pub(super) tenant_id: Option<String>,
}

/// An execution that was asked for.
pub(super) enum Begun {
    /// It is new.
    New(Arc<Entry>),
    /// It has the same name and the same input.
    Known(Arc<Entry>),
    /// Another one has the name.
    Taken(Arc<Entry>),
}

impl Executions {
    /// Begins an execution, unless the function has one of this name.
    pub(super) fn begin(&self, beginning: Beginning) -> Begun {
        let mut all = lock(&self.all);
        if let Some(name) = &beginning.name {
            let mut known = all.iter();
            let same = known.find(|entry| entry.place == beginning.place && entry.name == *name);
            if let Some(same) = same.map(Arc::clone) {
                return match same.input == beginning.input {
                    true => Begun::Known(same),
                    false => Begun::Taken(same),
                };
            }
        }
        let entry = Arc::new(Entry::new(beginning));
        if all.len() >= MAX_ENDED
            && let Some(oldest) = all.iter().position(|entry| entry.end().is_some())
        {
            all.remove(oldest);
        }
        all.push(Arc::clone(&entry));
        Begun::New(entry)
    }

    /// Returns the execution with an ARN.
    pub(super) fn find(&self, arn: &str) -> Option<Arc<Entry>> {
        lock(&self.all).iter().find(|entry| entry.arn == arn).map(Arc::clone)
    }

    /// Returns the execution to which a callback belongs.
    pub(super) fn of_callback(&self, id: &str) -> Option<Arc<Entry>> {
        lock(&self.all).iter().find(|entry| id.starts_with(&entry.id)).map(Arc::clone)
    }

    /// Returns the executions of a function, oldest first.
    pub(super) fn of_function(&self, place: usize) -> Vec<Arc<Entry>> {
        lock(&self.all).iter().filter(|entry| entry.place == place).map(Arc::clone).collect()
    }

    /// Has no execution go on any more: the emulator ends.
    pub(crate) fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Relaxed)
    }
}

impl Entry {
    fn new(beginning: Beginning) -> Self {
        let Beginning { place, options, version, invoked_arn, name, input, .. } = beginning;
        let durable = options.durable.clone().unwrap_or_default();
        let name = name.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        let id = uuid::Uuid::new_v4().simple().to_string();
        let function = options.function_arn();
        let arn = format!("{function}:{version}/durable-execution/{name}/{id}");
        let start = Start {
            arn: arn.clone(),
            id: id.clone(),
            name: name.clone(),
            input: input.clone(),
            timeout: durable.execution_timeout,
            retry_delay: options.retry_delay,
            speed: durable.speed,
            max_output: beginning.max_output,
        };
        Self {
            options,
            place,
            arn,
            name,
            id,
            version,
            invoked_arn,
            input,
            trace_id: beginning.trace_id,
            tenant_id: beginning.tenant_id,
            execution: Mutex::new(Execution::new(start, now())),
            changed: Notify::new(),
            ended: watch::Sender::new(false),
        }
    }

    /// Changes the execution, and writes to the log what that has led to.
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut Execution, Time) -> R) -> R {
        let (result, notes, has_ended) = {
            let mut execution = lock(&self.execution);
            let result = change(&mut execution, now());
            (result, execution.take_notes(), execution.end.is_some())
        };
        for note in notes {
            self.note(&note);
        }
        if has_ended {
            self.ended.send_if_modified(|ended| !std::mem::replace(ended, true));
        }
        result
    }

    /// Changes the execution and has its driver look at it.
    pub(super) fn disturb<R>(&self, change: impl FnOnce(&mut Execution, Time) -> R) -> R {
        let result = self.with(change);
        self.changed.notify_one();
        result
    }

    /// Returns the execution's end, if it has ended.
    pub(super) fn end(&self) -> Option<End> {
        lock(&self.execution).end.clone()
    }

    /// Waits for the execution's end.
    pub(super) async fn ended(&self) -> Option<End> {
        // The entry itself keeps the sender.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
        self.end()
    }

    fn note(&self, what: &str) {
        let line = format!("the durable execution {} {what}\n", self.name);
        print(&self.options, Writer::Note, &line);
    }
}

/// Returns the present moment, with the precision of the wire, so that nothing is due before its time has come there.
fn now() -> Time {
    Utc::now().trunc_subsecs(3)
}
