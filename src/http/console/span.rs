//! Spans and messages on their way to what looks on.

use super::watch::Watch;
use crate::telemetry::{NewSpan, Record, Span, TraceContext, Watcher};
use serde_json::Value;
use std::{sync::Arc, time::SystemTime};
use trine_engine::Error;

/// Who looks on for a console.
pub(super) struct Onlooker(pub(super) Arc<Watch>);

/// A span that is looked at.
struct Watched {
    at: TraceContext,
    watch: Arc<Watch>,
}

impl Watcher for Onlooker {
    fn begins(&self, at: &TraceContext, new: NewSpan<'_>) -> Box<dyn Span> {
        self.0.begins(at.span_id, new);
        Box::new(Watched { at: at.clone(), watch: self.0.clone() })
    }

    fn notes(&self, record: &Record<'_>) {
        self.0.notes(record);
    }
}

impl Span for Watched {
    fn context(&self) -> TraceContext {
        self.at.clone()
    }

    fn set(&mut self, name: &'static str, value: Value) {
        self.watch.set(self.at.span_id, name, value);
    }

    // Functions have names of their own here.
    fn rename(&mut self, _name: String) {}

    fn fail(&mut self, error: &Error) {
        self.watch.fail(self.at.span_id, Some(error));
    }

    fn fail_plainly(&mut self) {
        self.watch.fail(self.at.span_id, None);
    }

    fn end(&mut self, at: Option<SystemTime>) {
        self.watch.end(self.at.span_id, at.unwrap_or_else(SystemTime::now));
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Where it has ended, nothing is known of it any more.
        self.watch.end(self.at.span_id, SystemTime::now());
    }
}
