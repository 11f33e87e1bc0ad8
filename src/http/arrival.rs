//! A request as it arrived: where it comes from, its id, and the function that it turned out to be for.

use super::{
    event,
    forwarded::Origin,
    request_id::{self, RequestIds},
};
use crate::telemetry::Root;
use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName, request::Parts};
use std::{borrow::Cow, cell::Cell, collections::BTreeMap, rc::Rc};
use uuid::Uuid;

/// What is known of a request besides its head and body.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) origin: Origin,
    /// The id: the client's, or one of our making.
    pub(super) id: String,
    /// A number that no other request has.
    seed: Uuid,
    /// The position of the function that answers, once it is found.
    pub(super) function: Cell<Option<usize>>,
    /// Whether it has to be loaded first.
    pub(super) is_cold: Cell<bool>,
    /// Its span, if anybody takes spans. It ends with the last who knows it.
    pub(super) span: Option<Rc<Root>>,
}

impl Arrival {
    /// Notes the arrival of a request.
    pub(super) fn new(origin: Origin, parts: &Parts, ids: &RequestIds) -> Self {
        let seed = ids.make();
        let id = request_id::given(&parts.headers).map_or_else(|| seed.to_string(), str::to_owned);
        Self { origin, id, seed, function: Cell::default(), is_cold: Cell::default(), span: None }
    }

    /// Notes the function that answers, and whether it has been loaded.
    pub(super) fn is_for(&self, function: usize, is_warm: bool) {
        self.function.set(Some(function));
        self.is_cold.set(!is_warm);
    }

    /// Returns the time at which its invocation begins, and its X-Ray header: the client's, or a new one.
    pub(super) fn begin<'p>(&self, parts: &'p Parts) -> (DateTime<Utc>, Cow<'p, str>) {
        let time = Utc::now();
        let of_span = || self.span.as_ref().and_then(|span| span.xray());
        let trace_id = match parts.headers.get(&event::TRACE_ID) {
            Some(value) => event::text(value),
            None => {
                let id = of_span().unwrap_or_else(|| event::new_trace_id(time, &self.seed));
                Cow::Owned(id)
            }
        };
        (time, trace_id)
    }
}

static TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// Returns the trace context that a client sends along, as invocations carry it. Contract: W3C Trace Context and Baggage.
pub(super) fn trace_context(headers: &HeaderMap) -> Option<BTreeMap<String, String>> {
    // Without its parent the rest means nothing.
    headers.get(&TRACE_PARENT)?;
    let of = |name: &str| Some((name.to_owned(), headers.get(name)?.to_str().ok()?.to_owned()));
    let context = ["traceparent", "tracestate", "baggage"].into_iter().filter_map(of).collect();
    Some(context)
}
