//! The functions that callers of the Invoke API can reach, whatever runs them: a runtime that somebody else has
//! started, or the environments of a platform.

use super::{
    console::{Console, Writer},
    durable::Executions,
    options::EmulatorOptions,
    outcome::{Event, Outcome},
    platform::Fleet,
    report::Usage,
    shared::Shared,
    state::StreamPart,
};
use bytes::Bytes;
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
};
use tokio::sync::{mpsc, oneshot};

/// The name by which the Runtime Interface Emulator knows the one function that it has.
const ONLY_FUNCTION: &str = "function";

/// A task that outlives the request that began it.
pub(super) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tasks on their way to the server that runs them, and ends them when it ends.
pub(super) struct Background {
    tasks: mpsc::UnboundedSender<Task>,
    receiver: Mutex<Option<mpsc::UnboundedReceiver<Task>>>,
}

impl Background {
    pub(super) fn new() -> Self {
        let (tasks, receiver) = mpsc::unbounded_channel();
        Self { tasks, receiver: Mutex::new(Some(receiver)) }
    }

    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // Without a server there is nobody whom the task could concern.
        let _ = self.tasks.send(Box::pin(task));
    }

    /// Returns the tasks, once.
    pub(super) fn take(&self) -> Option<mpsc::UnboundedReceiver<Task>> {
        super::shared::lock(&self.receiver).take()
    }
}

/// The functions behind one address.
#[derive(Clone)]
pub(super) enum Directory {
    /// The function of a runtime that uses the Runtime API on the same address.
    One(Arc<Shared>),
    /// Functions with environments of their own.
    Fleet(Arc<Fleet>),
}

/// An invocation that was accepted.
pub(super) struct Submitted {
    pub(super) request_id: String,
    pub(super) pending: Pending,
}

/// An invocation that has ended.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) outcome: Outcome,
    /// The end of its log.
    pub(super) log: Bytes,
}

/// An invocation whose end is awaited; `None` where there will be none.
pub(super) enum Pending {
    /// Under a runtime whose output nobody reads.
    Unlogged { done: oneshot::Receiver<Outcome>, version: String, shared: Arc<Shared> },
    /// In an environment, which knows its log.
    Logged(oneshot::Receiver<Finished>),
}

impl Future for Pending {
    type Output = Option<Finished>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Logged(done) => Pin::new(done).poll(cx).map(Result::ok),
            Self::Unlogged { done, version, shared } => {
                let Ok(outcome) = ready!(Pin::new(done).poll(cx)) else { return Poll::Ready(None) };
                let usage = Usage { memory_mb: shared.options.memory_mb, ..Usage::default() };
                let form = shared.options.log_form;
                let end = form.end_of(&outcome, &usage);
                print(&shared.options, Writer::Platform, &end);
                let log = (form.start(&outcome.request_id, version) + &end).into();
                Poll::Ready(Some(Finished { outcome, log }))
            }
        }
    }
}

impl Directory {
    /// Returns the settings of the function with this name, and its place among the others.
    pub(super) fn find(&self, name: &str) -> Option<(usize, &EmulatorOptions)> {
        let mut functions = self.functions().enumerate();
        let found = functions.find(|(_, options)| options.function_name == name);
        found.or_else(|| {
            let mut functions = self.functions();
            let only = functions.next().filter(|_| functions.next().is_none())?;
            (name == ONLY_FUNCTION).then_some((0, only))
        })
    }

    /// Returns the settings of all functions.
    pub(super) fn functions(&self) -> Box<dyn Iterator<Item = &EmulatorOptions> + '_> {
        match self {
            Self::One(shared) => Box::new(std::iter::once(&shared.options)),
            Self::Fleet(fleet) => Box::new(fleet.functions()),
        }
    }

    /// Submits an event to the function at a place. A synchronous one is turned away where all is busy, an asynchronous
    /// one `waits`.
    pub(super) fn submit(
        &self,
        place: usize,
        event: Event,
        version: &str,
        parts: Option<mpsc::Sender<StreamPart>>,
        waits: bool,
    ) -> Submitted {
        match self {
            Self::One(shared) => {
                let (request_id, done) = shared.submit(event, parts);
                let start = shared.options.log_form.start(&request_id, version);
                print(&shared.options, Writer::Platform, &start);
                let (version, shared) = (version.to_owned(), Arc::clone(shared));
                Submitted { request_id, pending: Pending::Unlogged { done, version, shared } }
            }
            Self::Fleet(fleet) => fleet.submit(place, event, version, parts, waits),
        }
    }

    /// Returns the executions of durable functions.
    pub(super) fn executions(&self) -> &Executions {
        match self {
            Self::One(shared) => &shared.executions,
            Self::Fleet(fleet) => &fleet.executions,
        }
    }

    /// Runs a task beside the requests.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match self {
            Self::One(shared) => shared.background.spawn(task),
            Self::Fleet(fleet) => fleet.background.spawn(task),
        }
    }
}

/// Writes lines to a function's console, if it has one.
pub(super) fn print(options: &EmulatorOptions, writer: Writer, lines: &str) {
    if let Some(console) = &options.console {
        Console::receive(console, &options.function_name, writer, lines.as_bytes());
    }
}
