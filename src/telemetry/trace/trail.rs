//! Where the parts of an invocation are told: its hooks, its handler, what it waited for.

use super::{Root, Shared, Span, TraceContext};
use serde_json::Value;
use std::{borrow::Cow, fmt, sync::Arc, time::SystemTime};
use trine_engine::{Error, Invocation};

/// Where the parts of an invocation are told; nowhere, if nobody takes them. It may change threads.
#[derive(Debug, Clone, Default)]
pub struct Trail(Option<(Arc<Shared>, TraceContext)>);

impl Trail {
    pub(super) fn new(of: Option<(Arc<Shared>, TraceContext)>) -> Self {
        Self(of)
    }

    /// Whether anybody takes them.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Adds an attribute to the invocation's span.
    pub fn set(&self, name: &'static str, value: impl Into<Value>) {
        if let Some((shared, root)) = &self.0 {
            shared.tell(root, |span| span.set(name, value.into()));
        }
    }

    /// Notes the error with which the invocation failed.
    pub fn fail(&self, error: &Error) {
        if let Some((shared, root)) = &self.0 {
            shared.fail(root, |span| span.fail(error));
        }
    }

    /// Ends the invocation's span with an error, because whoever opened it cannot.
    pub fn give_up(&self, error: &Error) {
        if let Some((shared, root)) = &self.0 {
            shared.fail(root, |span| span.fail(error));
            shared.end(root);
        }
    }

    /// Begins a part.
    pub fn begin(&self, name: impl Into<Cow<'static, str>>) -> Option<Part> {
        self.0.as_ref().map(|(shared, root)| shared.part(root, name.into()))
    }

    /// Notes a part that began at the first of these times and ended at the second.
    pub fn past(&self, name: &'static str, times: (SystemTime, SystemTime)) {
        if let Some((shared, root)) = &self.0 {
            shared.past(root, name, times);
        }
    }

    /// Begins a part that is an invocation in its own right, and has this one carry its trace.
    pub fn begin_part(
        &self,
        name: impl Into<Cow<'static, str>>,
        invocation: &mut Invocation,
    ) -> Option<Root> {
        let (shared, root) = self.0.as_ref()?;
        let part = shared.within(root, name.into());
        part.carry(invocation);
        Some(part)
    }
}

/// A part of an invocation. One that is left in the middle has failed.
pub struct Part(Option<Box<dyn Span>>);

impl Part {
    pub(super) fn new(span: Box<dyn Span>) -> Self {
        Self(Some(span))
    }

    /// Adds an attribute.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(span) = &mut self.0 {
            span.set(name, value.into());
        }
    }

    /// Ends it.
    pub fn end(mut self, error: Option<&Error>) {
        if let Some(mut span) = self.0.take() {
            if let Some(error) = error {
                span.fail(error);
            }
            span.end(None);
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(mut span) = self.0.take() {
            span.fail_plainly();
            span.end(None);
        }
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").finish_non_exhaustive()
    }
}
