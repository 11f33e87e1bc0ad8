//! What the workers of a server share besides its site and its end.

use super::{
    closing::Closing, console::Console, metrics::Metrics, options::ServeOptions, queue::Queue,
    site::Site, tls::Tls, triggers::TriggerCounts, web::Interfaces,
};
use crate::telemetry::Census;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use trine_engine::ErrorKind;

/// The state that workers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) queue: Arc<Queue>,
    pub(super) readiness: Readiness,
    pub(super) interfaces: Arc<Interfaces>,
    pub(super) metrics: Option<Metrics>,
    /// What is counted of each trigger.
    pub(super) triggers: Box<[TriggerCounts]>,
    /// What TLS is spoken with, if it is.
    pub(super) tls: Option<Arc<Tls>>,
    /// The page for whoever develops functions, if there is one.
    pub(super) console: Option<Arc<Console>>,
    /// The connections that there may still be; `None` without a limit.
    connections: Option<Arc<Semaphore>>,
}

impl Shared {
    /// Makes the state of a server.
    pub(super) fn new(
        site: &Site,
        options: &ServeOptions,
        census: &Arc<Census>,
        tls: Option<Arc<Tls>>,
        console: Option<Arc<Console>>,
    ) -> Self {
        let limits = &options.limits;
        let metrics = options.metrics.map(|_| Metrics::new(site, census.clone()));
        let triggers = match &metrics {
            Some(metrics) => metrics.of_triggers(site),
            None => site.triggers().iter().map(|_| TriggerCounts::default()).collect(),
        };
        let permits = |most: usize| Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self {
            queue: Arc::new(Queue::new(site.functions().len(), limits.queue)),
            readiness: Readiness::new(site),
            interfaces: Arc::new(Interfaces::unknown(site.functions().len())),
            tls,
            console,
            metrics,
            triggers,
            connections: limits.max_connections.map(permits),
        }
    }

    /// Returns the metrics as text, if there are any.
    pub(super) fn render_metrics(&self, closing: &Closing) -> Option<String> {
        self.metrics.as_ref().map(|metrics| metrics.render(&self.queue, closing))
    }

    /// Counts an invocation that failed, if anything is counted.
    pub(super) fn count_failure(&self, function: usize, kind: ErrorKind) {
        if let Some(metrics) = &self.metrics {
            metrics.failed(function, kind.default_name());
        }
    }

    /// Waits until there may be one more connection. It is one for as long as what is returned is kept.
    pub(super) async fn one_more_connection(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        self.connections.clone()?.acquire_owned().await.ok()
    }
}

/// Whether a server can answer requests with its functions: whether any of them can be loaded, as far as is known.
#[derive(Debug)]
pub(super) struct Readiness {
    can_be: Box<[AtomicBool]>,
    /// Whether it has been loaded, in any worker.
    was: Box<[AtomicBool]>,
}

impl Readiness {
    fn new(site: &Site) -> Self {
        let can_be = site.functions().iter().map(|function| function.problem.is_none());
        Self {
            can_be: can_be.map(AtomicBool::new).collect(),
            was: site.functions().iter().map(|_| AtomicBool::new(false)).collect(),
        }
    }

    /// Notes whether a function could be loaded.
    pub(super) fn note(&self, function: usize, is_loaded: bool) {
        let note = |of: &[AtomicBool]| {
            // Read first: nearly always it is known.
            if let Some(known) = of.get(function)
                && known.load(Ordering::Relaxed) != is_loaded
            {
                known.store(is_loaded, Ordering::Relaxed);
            }
        };
        note(&self.can_be);
        note(&self.was);
    }

    /// Whether a function has been loaded.
    pub(super) fn is_warm(&self, function: usize) -> bool {
        self.was.get(function).is_some_and(|was| was.load(Ordering::Relaxed))
    }

    /// Whether a function can be loaded, as far as is known.
    pub(super) fn can_be(&self, function: usize) -> bool {
        self.can_be.get(function).is_some_and(|can_be| can_be.load(Ordering::Relaxed))
    }

    /// Whether there is a function that can be loaded.
    pub(super) fn has_any(&self) -> bool {
        self.can_be.iter().any(|can_be| can_be.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_function_that_can_be_loaded_is_enough() {
        let flags = |flags: [bool; 2]| Box::from(flags.map(AtomicBool::new));
        let readiness = Readiness { can_be: flags([true, false]), was: flags([false, false]) };
        assert!(readiness.has_any());
        readiness.note(0, false);
        assert!(!readiness.has_any());
        assert!(!readiness.is_warm(1));
        readiness.note(1, true);
        assert!(readiness.is_warm(1) && !readiness.is_warm(7));
        readiness.note(7, true);
        assert!(readiness.has_any());
    }
}
