//! Who looks on while spans are made and messages written, inside of this process and beside whoever sends them elsewhere.

use super::{Backend, NewSpan, Record, Shared, Span, TraceContext};
use serde_json::Value;
use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};
use trine_engine::Error;

/// Who looks on.
pub trait Watcher: Send + Sync {
    /// Notes that a span begins, at this place. What is told of the span is told to what this returns.
    fn begins(&self, at: &TraceContext, new: NewSpan<'_>) -> Box<dyn Span>;

    /// Notes a message of the log.
    fn notes(&self, record: &Record<'_>);
}

impl Shared {
    /// Begins a span, and has whoever looks on know.
    pub(super) fn begin(&self, new: NewSpan<'_>) -> Box<dyn Span> {
        let Some(watcher) = self.watcher.get() else { return self.backend.begin(new) };
        let sent = self.backend.begin(new.clone());
        let watched = watcher.begins(&sent.context(), new);
        Box::new(Both { sent, watched })
    }

    /// Whether anybody takes messages.
    pub(super) fn takes_records(&self) -> bool {
        self.watcher.get().is_some() || self.backend.takes_records()
    }

    /// Passes a message on.
    pub(super) fn record(&self, record: Record<'_>) {
        if let Some(watcher) = self.watcher.get() {
            watcher.notes(&record);
        }
        if self.backend.takes_records() {
            self.backend.record(record);
        }
    }
}

/// A span that is sent and looked at.
struct Both {
    sent: Box<dyn Span>,
    watched: Box<dyn Span>,
}

impl Span for Both {
    fn context(&self) -> TraceContext {
        self.sent.context()
    }

    fn set(&mut self, name: &'static str, value: Value) {
        self.watched.set(name, value.clone());
        self.sent.set(name, value);
    }

    fn rename(&mut self, name: String) {
        self.watched.rename(name.clone());
        self.sent.rename(name);
    }

    fn fail(&mut self, error: &Error) {
        self.watched.fail(error);
        self.sent.fail(error);
    }

    fn fail_plainly(&mut self) {
        self.watched.fail_plainly();
        self.sent.fail_plainly();
    }

    fn end(&mut self, at: Option<SystemTime>) {
        self.watched.end(at);
        self.sent.end(at);
    }
}

/// A taker of spans that sends none, for processes in which somebody looks on and nobody else wants them.
#[derive(Debug, Default)]
pub(super) struct Nobody {
    secret: RandomState,
    made: AtomicU64,
}

/// A span that goes nowhere.
struct Nowhere(TraceContext);

impl Nobody {
    /// Makes a number that is not zero, and that no other span of this process has.
    fn number(&self) -> u64 {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        self.secret.hash_one(number).max(1)
    }
}

impl Backend for Nobody {
    fn begin(&self, new: NewSpan<'_>) -> Box<dyn Span> {
        let trace_id = new.parent.map(|parent| parent.trace_id);
        let of_its_own = || (u128::from(self.number()) << 64) | u128::from(self.number());
        Box::new(Nowhere(TraceContext {
            trace_id: trace_id.unwrap_or_else(of_its_own),
            span_id: self.number(),
            flags: 0,
            state: None,
        }))
    }

    fn takes_records(&self) -> bool {
        false
    }

    fn record(&self, _record: Record<'_>) {}

    fn flush(&self, done: Box<dyn FnOnce() + Send>, _insists: bool) {
        done();
    }

    fn was_slow(&self) {}

    fn dropped(&self) -> (u64, u64) {
        (0, 0)
    }
}

impl Span for Nowhere {
    fn context(&self) -> TraceContext {
        self.0.clone()
    }

    fn set(&mut self, _name: &'static str, _value: Value) {}

    fn rename(&mut self, _name: String) {}

    fn fail(&mut self, _error: &Error) {}

    fn fail_plainly(&mut self) {}

    fn end(&mut self, _at: Option<SystemTime>) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Opening, Tracer};
    use std::{
        rc::Rc,
        sync::{Arc, Mutex},
    };
    use trine_engine::{Invocation, LogSettings};

    /// Notes what begins and ends.
    #[derive(Default)]
    struct Notes(Arc<Mutex<Vec<String>>>);

    struct Noted(Nowhere, String, Arc<Mutex<Vec<String>>>);

    impl Watcher for Notes {
        fn begins(&self, at: &TraceContext, new: NewSpan<'_>) -> Box<dyn Span> {
            Box::new(Noted(Nowhere(at.clone()), new.name.into_owned(), self.0.clone()))
        }

        fn notes(&self, _record: &Record<'_>) {}
    }

    impl Span for Noted {
        fn context(&self) -> TraceContext {
            self.0.context()
        }

        fn set(&mut self, name: &'static str, value: Value) {
            self.2.lock().unwrap().push(format!("{}: {name}={value}", self.1));
        }

        fn rename(&mut self, _name: String) {}

        fn fail(&mut self, _error: &Error) {}

        fn fail_plainly(&mut self) {}

        fn end(&mut self, _at: Option<SystemTime>) {
            self.2.lock().unwrap().push(format!("{} ends", self.1));
        }
    }

    #[test]
    fn whoever_looks_on_sees_spans_and_guests_see_nothing_of_it() {
        let notes = Notes::default();
        let seen = notes.0.clone();
        let (tracer, _log) = Tracer::default().watched_by(Arc::new(notes), LogSettings::default());
        let span = tracer.open(|| Opening { name: "a".into(), ..Opening::default() }).unwrap();
        let mut invocation = Invocation { request_id: "id-1".into(), ..Invocation::default() };
        span.carry(&mut invocation);
        assert_eq!((invocation.w3c.as_ref(), span.xray()), (None, None));
        let invocation = Rc::new(invocation);
        tracer.trail(&invocation).begin("handler").unwrap().end(None);
        drop(span);
        assert!(!tracer.trail(&invocation).is_on());
        let expected = ["a: faas.invocation_id=\"id-1\"", "handler ends", "a ends"];
        assert_eq!(*seen.lock().unwrap(), expected);
    }

    #[test]
    fn whoever_looks_on_beside_others_sees_traces_that_these_do_not_record_as_well() {
        let notes = Notes::default();
        let seen = notes.0.clone();
        let sending = Tracer::new(Arc::new(Nobody::default()), Vec::new());
        let (tracer, _log) = sending.watched_by(Arc::new(notes), LogSettings::default());
        let span = tracer.open(|| Opening { name: "a".into(), ..Opening::default() }).unwrap();
        assert!(!span.context().is_sampled());
        let mut invocation = Invocation { request_id: "id-1".into(), ..Invocation::default() };
        span.carry(&mut invocation);
        let named = invocation.w3c.as_ref().and_then(|fields| fields.get("traceparent"));
        assert_eq!(named, Some(&span.context().traceparent()));
        let invocation = Rc::new(invocation);
        // The first tracer knows of it, too.
        assert!(sending.trail(&invocation).is_on());
        tracer.trail(&invocation).begin("handler").unwrap().end(None);
        drop(span);
        assert!(seen.lock().unwrap().iter().any(|line| line == "handler ends"));
    }
}
