//! What is counted of triggers, for metrics and for `/.trine/ready`.

use super::Trigger;
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

type Labels = Vec<(&'static str, String)>;

/// What is counted of one trigger. What of it is counted is counted whether anybody reads it or not.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct TriggerCounts {
    /// Runs that were due, or messages that came, each time that they came.
    pub(super) received: Counter,
    pub(super) succeeded: Counter,
    pub(super) failed: Counter,
    /// Messages that went where those go that have failed for good.
    #[cfg_attr(
        not(any(feature = "mqtt", feature = "nats", feature = "sqs")),
        allow(dead_code, reason = "runs by the clock do not go anywhere")
    )]
    pub(super) dead_lettered: Counter,
    /// Runs that were missed or left out, and messages that were given up.
    pub(super) dropped: Counter,
    pub(super) in_flight: Gauge,
    /// 1 while the broker can be reached.
    pub(super) connected: Gauge,
}

impl TriggerCounts {
    /// Whether the broker can be reached.
    pub(in crate::http) fn is_connected(&self) -> bool {
        self.connected.get() != 0
    }

    /// Counts as many as in flight, for as long as what is returned is kept.
    pub(super) fn begin(&self, count: usize) -> InFlight {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.in_flight.inc_by(count);
        InFlight(self.in_flight.clone(), count)
    }
}

/// Messages that are counted as in flight.
#[derive(Debug)]
pub(super) struct InFlight(Gauge, i64);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec_by(self.1);
    }
}

/// The metrics of all triggers.
#[derive(Debug, Default)]
pub(in crate::http) struct Families {
    counters: [Family<Labels, Counter>; 5],
    gauges: [Family<Labels, Gauge>; 2],
}

impl Families {
    /// Registers them.
    pub(in crate::http) fn register(&self, registry: &mut Registry) {
        let [received, succeeded, failed, dead_lettered, dropped] = self.counters.clone();
        registry.register(
            "trigger_received",
            "Runs that were due and messages that came, again and again if they did",
            received,
        );
        registry.register("trigger_succeeded", "Runs and messages that went well", succeeded);
        registry.register("trigger_failed", "Attempts at runs and messages that failed", failed);
        registry.register(
            "trigger_dead_lettered",
            "Messages that went to the dead-letter place of their trigger",
            dead_lettered,
        );
        registry.register(
            "trigger_dropped",
            "Runs that were missed or left out, and messages that were given up",
            dropped,
        );
        let [in_flight, connected] = self.gauges.clone();
        registry.register("trigger_in_flight", "Runs and messages that are in flight", in_flight);
        registry.register("trigger_connected", "Whether the broker can be reached", connected);
    }

    /// Returns what is counted of a trigger.
    pub(in crate::http) fn of(&self, trigger: &Trigger, function: &str) -> TriggerCounts {
        let kind = trigger.source.kind();
        let labels: Labels = vec![
            ("trigger", trigger.name.clone()),
            ("kind", kind.to_owned()),
            ("function", function.to_owned()),
        ];
        let [received, succeeded, failed, dead_lettered, dropped] =
            self.counters.each_ref().map(|family| family.get_or_create(&labels).clone());
        let [in_flight, connected] = &self.gauges;
        let in_flight = in_flight.get_or_create(&labels).clone();
        // A clock needs no connection.
        let connected = match trigger.source.clock() {
            Some(_) => Gauge::default(),
            None => connected.get_or_create(&labels).clone(),
        };
        TriggerCounts { received, succeeded, failed, dead_lettered, dropped, in_flight, connected }
    }
}
