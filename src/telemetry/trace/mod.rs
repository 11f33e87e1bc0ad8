//! Spans of invocations and their parts, and messages with the traces that they belong to.
//!
//! A front door opens a [`Root`] for a request or an event. What it carries into the invocation is a W3C trace context
//! ([`Invocation::w3c`]), by which guests go on with the trace, and by which the pipeline's parts find their root again on
//! whatever thread they run: a [`Trail`] is where an invocation's parts are told. Where nobody takes spans, a [`Tracer`] is
//! empty, and all of this is one look at that.

mod backend;
mod context;
mod root;
mod sink;
mod trail;
mod watcher;

pub use backend::{Backend, Facts, NewSpan, Record, Role, Span};
pub use context::TraceContext;
pub use root::{Opening, Root};
pub use trail::{Part, Trail};
pub use watcher::Watcher;

use super::Log;
use root::Active;
use sink::TracingSink;
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc},
    time::Duration,
};
use tokio::{sync::oneshot, time};
use trine_engine::{Invocation, Level, LogSettings};

/// What names the trace of a request or an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagator {
    /// W3C's `traceparent` and `tracestate`.
    TraceContext,
    /// W3C's `baggage`.
    Baggage,
    /// X-Ray's header.
    XRay,
}

/// What opens spans; empty where nobody takes them.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Shared>>);

/// What all spans of a process share.
struct Shared {
    backend: Arc<dyn Backend>,
    propagators: Vec<Propagator>,
    active: Mutex<Active>,
    /// Who looks on inside of this process.
    watcher: OnceLock<Arc<dyn Watcher>>,
    /// Whether guests and the log are told of traces: not where somebody merely looks on.
    is_told: bool,
}

impl Tracer {
    /// Makes a tracer whose spans go there, and whose parents are found by these means, the first that names one.
    pub fn new(backend: Arc<dyn Backend>, propagators: Vec<Propagator>) -> Self {
        Self(Some(Arc::new(Shared {
            backend,
            propagators,
            active: Mutex::default(),
            watcher: OnceLock::new(),
            is_told: true,
        })))
    }

    /// Returns this tracer with somebody who looks on, and the settings of a log whose messages the watcher sees as well.
    /// Guests notice nothing of it: where nobody else takes spans, no trace is named to them.
    pub fn watched_by(&self, watcher: Arc<dyn Watcher>, log: LogSettings) -> (Self, LogSettings) {
        if let Some(shared) = &self.0 {
            // There is one at most: a process has one server.
            let _ = shared.watcher.set(watcher);
            return (self.clone(), log);
        }
        let watched = Self(Some(Arc::new(Shared {
            backend: Arc::new(watcher::Nobody::default()),
            propagators: Vec::new(),
            active: Mutex::default(),
            watcher: OnceLock::from(watcher),
            is_told: false,
        })));
        let log = watched.attached_to(log);
        (watched, log)
    }

    /// Whether anybody takes spans.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the settings of a log whose messages name their traces, and are sent along with them where that is wanted.
    pub fn attached_to(&self, log: LogSettings) -> LogSettings {
        let Some(shared) = &self.0 else { return log };
        let sink = TracingSink::new(log.sink.clone(), shared.clone());
        LogSettings { sink: Arc::new(sink), ..log }
    }

    /// Opens the span of a request or an event. `opening` is asked for nothing where nobody takes spans.
    pub fn open(&self, opening: impl FnOnce() -> Opening) -> Option<Root> {
        self.0.as_ref().map(|shared| Root::open(shared, opening()))
    }

    /// Opens the span of a request or an event whose trace is named by what `carrier` returns for `traceparent`,
    /// `tracestate`, `baggage` and `x-amzn-trace-id`.
    pub fn open_from(
        &self,
        carrier: impl Fn(&str) -> Option<String>,
        opening: impl FnOnce() -> Opening,
    ) -> Option<Root> {
        let shared = self.0.as_ref()?;
        let mut opening = opening();
        for propagator in &shared.propagators {
            opening.extract(*propagator, &carrier);
        }
        Some(Root::open(shared, opening))
    }

    /// Opens a span for an invocation whose front door has opened none: what comes by a message, for one. The trace that it
    /// brings along is its parent.
    pub fn adopt(
        &self,
        invocation: &mut Invocation,
        opening: impl FnOnce() -> Opening,
    ) -> Option<Root> {
        let shared = self.0.as_ref()?;
        if shared.root_of(invocation).is_some() {
            return None;
        }
        let carried = |name: &str| match (name, &invocation.w3c) {
            ("x-amzn-trace-id", _) => invocation.trace_id.clone(),
            (name, Some(fields)) => fields.get(name).cloned(),
            _ => None,
        };
        let root = self.open_from(carried, opening)?;
        root.carry(invocation);
        Some(root)
    }

    /// Returns where the parts of an invocation are told: nowhere, unless its trace is recorded.
    pub fn trail(&self, invocation: &Invocation) -> Trail {
        let Some(shared) = &self.0 else { return Trail::default() };
        let root = shared.root_of(invocation).filter(|root| shared.wants(root));
        Trail::new(root.map(|root| (shared.clone(), root)))
    }

    /// Waits until what has ended is sent, no longer than this, and not at all where sending does not work at present.
    pub async fn flush(&self, limit: Duration) {
        let Some(shared) = &self.0 else { return };
        let (sent, is_sent) = oneshot::channel();
        let done = move || {
            // Nobody waits any longer, perhaps.
            let _ = sent.send(());
        };
        shared.backend.flush(Box::new(done), false);
        if time::timeout(limit, is_sent).await.is_err() {
            shared.backend.was_slow();
        }
    }

    /// Waits until what has ended is sent, no longer than this, and holds the thread: for the end of the process.
    pub fn flush_blocking(&self, limit: Duration) {
        let Some(shared) = &self.0 else { return };
        let (sent, is_sent) = mpsc::channel();
        let done = move || {
            // Nobody waits any longer, perhaps.
            let _ = sent.send(());
        };
        shared.backend.flush(Box::new(done), true);
        // What is late is left.
        let _ = is_sent.recv_timeout(limit);
    }

    /// Sends what is left at the end of the process, no longer than this, and tells what was dropped.
    pub fn finish(&self, limit: Duration, log: &Log) {
        let Some(shared) = &self.0 else { return };
        self.flush_blocking(limit);
        let (spans, records) = shared.backend.dropped();
        if spans > 0 || records > 0 {
            let message = format!(
                "{spans} spans and {records} messages of the log have not reached the collector"
            );
            let facts = [("spans", spans.into()), ("messages", records.into())];
            log.line(Level::Warn, &message, &facts);
        }
    }
}

impl Shared {
    fn active(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the parts of a trace are of interest to anybody.
    fn wants(&self, context: &TraceContext) -> bool {
        context.is_sampled() || self.watcher.get().is_some()
    }

    /// Returns the place of the span that was opened for an invocation.
    fn root_of(&self, invocation: &Invocation) -> Option<TraceContext> {
        if !self.is_told {
            return self.active().of_request(&invocation.request_id);
        }
        let named = invocation.w3c.as_ref()?.get("traceparent")?;
        let named = TraceContext::from_traceparent(named)?;
        self.active().find(named.span_id).filter(|root| root.trace_id == named.trace_id)
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").field("is_on", &self.is_on()).finish()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("propagators", &self.propagators).finish_non_exhaustive()
    }
}
