//! What is counted of a server's requests and interpreters, for Prometheus.
//!
//! All that a request touches is there before it comes: no name is looked up on its way. What is counted elsewhere anyway
//! (who waits, connections, interpreters) is read when somebody asks.

use super::{
    closing::Closing,
    queue::Queue,
    site::Site,
    triggers::{Families, TriggerCounts},
};
use crate::{telemetry::Census, watchdog::resident_memory};
use http::StatusCode;
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// The media type of what [`Metrics::render`] returns.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the buckets for durations, in seconds.
const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// The classes of statuses.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// What stands in the place of a function where a request was for none.
const NONE: &str = "-";

/// The place where metrics can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsPlace {
    /// The path `/.trine/metrics` beside the functions.
    Path,
    /// A port of their own, with the path `/metrics`.
    Port(SocketAddr),
}

type Labels = Vec<(&'static str, String)>;

/// The metrics of a server.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    /// Those of each function, and at the end those of requests for none.
    functions: Box<[OfFunction]>,
    errors: Family<Labels, Counter>,
    waiting: Family<Labels, Gauge>,
    connections: Gauge,
    instances: Family<Labels, Gauge>,
    started: Family<Labels, Counter>,
    replaced: Family<Labels, Counter>,
    heap: Family<Labels, Gauge>,
    resident: Gauge,
    triggers: Families,
    census: Arc<Census>,
}

#[derive(Debug)]
struct OfFunction {
    labels: Labels,
    requests: [Counter; CLASSES.len()],
    durations: Histogram,
    in_flight: Gauge,
}

/// An invocation that is counted as one in flight.
#[derive(Debug)]
pub(super) struct InFlight(Gauge);

impl Metrics {
    /// Makes the metrics of a site whose interpreters are counted there.
    pub(super) fn new(site: &Site, census: Arc<Census>) -> Self {
        let requests = Family::<Labels, Counter>::default();
        let durations =
            Family::<Labels, Histogram, fn() -> Histogram>::new_with_constructor(|| {
                Histogram::new(BUCKETS)
            });
        let in_flight = Family::<Labels, Gauge>::default();
        let of = |name: &str, language: &str| {
            let labels: Labels =
                vec![("function", name.to_owned()), ("language", language.to_owned())];
            let of_class = |class: &str| {
                let mut labels = labels.clone();
                labels.push(("status", class.to_owned()));
                requests.get_or_create(&labels).clone()
            };
            OfFunction {
                requests: CLASSES.map(of_class),
                durations: durations.get_or_create(&labels).clone(),
                in_flight: in_flight.get_or_create(&labels).clone(),
                labels,
            }
        };
        let functions = site.functions().iter();
        let functions =
            functions.map(|function| of(&function.name, function.located.engine.info().id));
        let functions = functions.chain([of(NONE, NONE)]).collect();
        let mut metrics = Self {
            registry: Registry::with_prefix("trine"),
            functions,
            errors: Family::default(),
            waiting: Family::default(),
            connections: Gauge::default(),
            instances: Family::default(),
            started: Family::default(),
            replaced: Family::default(),
            heap: Family::default(),
            resident: Gauge::default(),
            triggers: Families::default(),
            census,
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests that were answered", requests);
        registry.register_with_unit(
            "request_duration",
            "Time from a request's head to the end of its answer",
            Unit::Seconds,
            durations,
        );
        registry.register("requests_in_flight", "Invocations that run or wait", in_flight);
        registry.register(
            "requests_waiting",
            "Requests that wait for a place",
            metrics.waiting.clone(),
        );
        registry.register("errors", "Invocations that failed, by type", metrics.errors.clone());
        registry.register("connections", "Open connections", metrics.connections.clone());
        registry.register("instances", "Interpreters that there are", metrics.instances.clone());
        registry.register(
            "instances_started",
            "Interpreters that were started",
            metrics.started.clone(),
        );
        registry.register(
            "instances_replaced",
            "Interpreters in whose place another one came",
            metrics.replaced.clone(),
        );
        registry.register_with_unit(
            "heap",
            "Size of the heaps of all interpreters of a language",
            Unit::Bytes,
            metrics.heap.clone(),
        );
        registry.register_with_unit(
            "resident",
            "Memory of the whole process",
            Unit::Bytes,
            metrics.resident.clone(),
        );
        if !site.triggers().is_empty() {
            metrics.triggers.register(registry);
        }
        metrics
    }

    /// Returns what is counted of each trigger of a site.
    pub(super) fn of_triggers(&self, site: &Site) -> Box<[TriggerCounts]> {
        let name = |index: usize| site.functions().get(index).map_or(NONE, |f| f.name.as_str());
        let triggers = site.triggers().iter();
        triggers.map(|trigger| self.triggers.of(trigger, name(trigger.function))).collect()
    }

    fn of(&self, function: Option<usize>) -> &OfFunction {
        let none = self.functions.len() - 1;
        &self.functions[function.map_or(none, |index| index.min(none))]
    }

    /// Counts a request that was answered.
    pub(super) fn answered(&self, function: Option<usize>, status: StatusCode, took: Duration) {
        let of = self.of(function);
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        of.requests[class].inc();
        of.durations.observe(took.as_secs_f64());
    }

    /// Counts an invocation as one in flight, for as long as what is returned is kept.
    pub(super) fn begin(&self, function: usize) -> InFlight {
        let gauge = self.of(Some(function)).in_flight.clone();
        gauge.inc();
        InFlight(gauge)
    }

    /// Counts an invocation that failed.
    pub(super) fn failed(&self, function: usize, error_type: &'static str) {
        let mut labels = self.of(Some(function)).labels.clone();
        labels.push(("type", error_type.to_owned()));
        self.errors.get_or_create(&labels).inc();
    }

    /// Returns all of it as text.
    pub(super) fn render(&self, queue: &Queue, closing: &Closing) -> String {
        let functions = self.functions.iter().take(self.functions.len() - 1).enumerate();
        for (index, function) in functions {
            let waiting = i64::try_from(queue.waiting(index)).unwrap_or(i64::MAX);
            self.waiting.get_or_create(&function.labels).set(waiting);
        }
        let connections = closing.connections.count();
        self.connections.set(i64::try_from(connections).unwrap_or(i64::MAX));
        for (language, figures) in self.census.figures() {
            let labels: Labels = vec![("language", language.to_owned())];
            let gauge = |family: &Family<Labels, Gauge>, value: u64| {
                family.get_or_create(&labels).set(i64::try_from(value).unwrap_or(i64::MAX));
            };
            let counter = |family: &Family<Labels, Counter>, value: u64| {
                family.get_or_create(&labels).inner().store(value, Ordering::Relaxed);
            };
            gauge(&self.instances, figures.alive);
            gauge(&self.heap, figures.heap_bytes);
            counter(&self.started, figures.started);
            counter(&self.replaced, figures.replaced);
        }
        let resident = resident_memory().unwrap_or_default();
        self.resident.set(i64::try_from(resident).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing to a text cannot fail.
        let written = encode(&mut text, &self.registry);
        debug_assert!(written.is_ok(), "metrics have a text form");
        text
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
