//! The span of a request or of an event, from its beginning to the end of its answer.

use super::{Facts, NewSpan, Part, Propagator, Role, Shared, Span, TraceContext, Trail};
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::SystemTime,
};
use trine_engine::{Error, Invocation};

/// What is known of a request or an event when its span begins.
#[derive(Debug, Default)]
pub struct Opening {
    /// The span's name.
    pub name: Cow<'static, str>,
    /// What it is of.
    pub role: Role,
    /// Its attributes.
    pub facts: Facts,
    /// Its parent.
    pub parent: Option<TraceContext>,
    /// Another trace that it has to do with.
    pub link: Option<TraceContext>,
    /// What its callers have added to what they pass on.
    pub baggage: Option<String>,
    /// The time at which it began, if not now.
    pub begun: Option<SystemTime>,
}

/// The spans that have not ended.
#[derive(Default)]
pub(super) struct Active {
    spans: HashMap<u64, Entry>,
    /// The span of each invocation by its request id; of two with the same id the later one's.
    requests: HashMap<String, u64>,
}

struct Entry {
    span: Box<dyn Span>,
    context: TraceContext,
    request_id: Option<String>,
    has_failed: bool,
    /// The span that had this request id before: that of an event, where this is of a part of it.
    before: Option<u64>,
}

impl Active {
    /// Returns the place of a span that has not ended.
    pub(super) fn find(&self, span_id: u64) -> Option<TraceContext> {
        self.spans.get(&span_id).map(|entry| entry.context.clone())
    }

    /// Returns the place of the span of an invocation that has not ended.
    pub(super) fn of_request(&self, request_id: &str) -> Option<TraceContext> {
        self.find(*self.requests.get(request_id)?)
    }

    /// Returns the place of the span of the only invocation that has not ended, if there is only one.
    pub(super) fn only(&self) -> Option<TraceContext> {
        let mut all = self.requests.values();
        let (Some(only), None) = (all.next(), all.next()) else { return None };
        self.find(*only)
    }

    fn carried(&mut self, span_id: u64, request_id: &str) {
        if let Some(entry) = self.spans.get_mut(&span_id) {
            entry.request_id = Some(request_id.to_owned());
            entry.before = self.requests.insert(request_id.to_owned(), span_id);
        }
    }

    fn remove(&mut self, span_id: u64) -> Option<Box<dyn Span>> {
        let Entry { span, request_id, before, .. } = self.spans.remove(&span_id)?;
        if let Some(id) = request_id
            && self.requests.get(&id) == Some(&span_id)
        {
            match before.filter(|before| self.spans.contains_key(before)) {
                Some(before) => self.requests.insert(id, before),
                None => self.requests.remove(&id),
            };
        }
        Some(span)
    }
}

impl Opening {
    /// Reads what a propagator finds in the fields of a request or an event. The first that finds a parent counts, and
    /// another's is linked.
    pub(super) fn extract(
        &mut self,
        propagator: Propagator,
        field: &impl Fn(&str) -> Option<String>,
    ) {
        let found = match propagator {
            Propagator::TraceContext => {
                let parent = field("traceparent");
                parent.and_then(|text| TraceContext::from_traceparent(&text)).map(|parent| {
                    let state = field("tracestate").filter(|text| !text.trim().is_empty());
                    TraceContext { state, ..parent }
                })
            }
            Propagator::XRay => {
                field("x-amzn-trace-id").and_then(|text| TraceContext::from_xray(&text))
            }
            Propagator::Baggage => {
                self.baggage = field("baggage").filter(|text| !text.is_empty());
                return;
            }
        };
        match (&self.parent, found) {
            (_, None) => {}
            (None, found) => self.parent = found,
            (Some(parent), Some(found)) if parent.trace_id != found.trace_id => {
                self.link = Some(found);
            }
            (Some(_), Some(_)) => {}
        }
    }
}

/// The span of a request or of an event. It ends when this is dropped, unless it has ended before.
#[derive(Debug)]
pub struct Root {
    shared: Arc<Shared>,
    context: TraceContext,
    baggage: Option<String>,
}

impl Root {
    pub(super) fn open(shared: &Arc<Shared>, opening: Opening) -> Self {
        Self::begin(shared, opening, true)
    }

    fn begin(shared: &Arc<Shared>, opening: Opening, from_outside: bool) -> Self {
        let Opening { name, role, facts, parent, link, baggage, begun } = opening;
        let (parent, link) = (parent.as_ref(), link.as_ref());
        let span = shared.begin(NewSpan { name, role, parent, from_outside, link, facts, begun });
        let context = span.context();
        let entry = Entry {
            span,
            context: context.clone(),
            request_id: None,
            has_failed: false,
            before: None,
        };
        shared.active().spans.insert(context.span_id, entry);
        Self { shared: shared.clone(), context, baggage }
    }

    /// Begins a span within this one, for one of several invocations.
    pub fn child(&self, opening: Opening) -> Self {
        let parent = Some(self.context.clone());
        let baggage = self.baggage.clone();
        Self::begin(&self.shared, Opening { parent, baggage, ..opening }, false)
    }

    /// Returns its place in its trace.
    pub fn context(&self) -> &TraceContext {
        &self.context
    }

    /// Returns its place as an X-Ray header, if guests are told of traces.
    pub fn xray(&self) -> Option<String> {
        self.shared.is_told.then(|| self.context.xray())
    }

    /// Has an invocation carry this trace: guests see it, and what the invocation's parts tell belongs to it.
    pub fn carry(&self, invocation: &mut Invocation) {
        if self.shared.is_told {
            self.tell_guests(invocation);
        }
        self.set("faas.invocation_id", invocation.request_id.as_str());
        if let Some(name) = &invocation.function_name {
            self.set("faas.name", name.as_str());
        }
        self.shared.active().carried(self.context.span_id, &invocation.request_id);
    }

    fn tell_guests(&self, invocation: &mut Invocation) {
        let mut fields = BTreeMap::from([("traceparent".to_owned(), self.context.traceparent())]);
        let others = [("tracestate", &self.context.state), ("baggage", &self.baggage)];
        for (name, value) in others {
            fields.extend(value.clone().map(|value| (name.to_owned(), value)));
        }
        invocation.w3c = Some(fields);
    }

    /// Returns where its parts are told: nowhere, unless its trace is recorded.
    pub fn trail(&self) -> Trail {
        let of =
            self.shared.wants(&self.context).then(|| (self.shared.clone(), self.context.clone()));
        Trail::new(of)
    }

    /// Adds an attribute, or replaces one.
    pub fn set(&self, name: &'static str, value: impl Into<Value>) {
        self.shared.tell(&self.context, |span| span.set(name, value.into()));
    }

    /// Gives it another name.
    pub fn rename(&self, name: String) {
        self.shared.tell(&self.context, |span| span.rename(name));
    }

    /// Notes the error with which it failed.
    pub fn fail(&self, error: &Error) {
        self.shared.fail(&self.context, |span| span.fail(error));
    }

    /// Notes that it failed where no error says how.
    pub fn fail_plainly(&self) {
        self.shared.fail(&self.context, |span| span.fail_plainly());
    }

    /// Whether it is known to have failed.
    pub fn has_failed(&self) -> bool {
        let active = self.shared.active();
        active.spans.get(&self.context.span_id).is_some_and(|entry| entry.has_failed)
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        self.shared.end(&self.context);
    }
}

impl Shared {
    /// Tells a span something, unless it has ended.
    pub(super) fn tell(&self, context: &TraceContext, tell: impl FnOnce(&mut dyn Span)) {
        if let Some(entry) = self.active().spans.get_mut(&context.span_id) {
            tell(entry.span.as_mut());
        }
    }

    /// Tells a span that its work has failed, unless it has ended.
    pub(super) fn fail(&self, context: &TraceContext, tell: impl FnOnce(&mut dyn Span)) {
        if let Some(entry) = self.active().spans.get_mut(&context.span_id) {
            entry.has_failed = true;
            tell(entry.span.as_mut());
        }
    }

    /// Ends a span, unless it has ended.
    pub(super) fn end(&self, context: &TraceContext) {
        let ended = self.active().remove(context.span_id);
        if let Some(mut span) = ended {
            span.end(None);
        }
    }

    /// Begins a part of a span.
    pub(super) fn part(&self, of: &TraceContext, name: Cow<'static, str>) -> Part {
        let new = NewSpan { name, parent: Some(of), ..NewSpan::default() };
        Part::new(self.begin(new))
    }

    /// Notes a part of a span that is over.
    pub(super) fn past(
        &self,
        of: &TraceContext,
        name: &'static str,
        (begun, ended): (SystemTime, SystemTime),
    ) {
        let begun = Some(begun);
        let new = NewSpan { name: name.into(), parent: Some(of), begun, ..NewSpan::default() };
        self.begin(new).end(Some(ended));
    }

    /// Begins a span within another one, for a part of an event that is an invocation in its own right.
    pub(super) fn within(self: &Arc<Self>, of: &TraceContext, name: Cow<'static, str>) -> Root {
        let parent = Some(of.clone());
        Root::begin(self, Opening { name, parent, ..Opening::default() }, false)
    }
}
