//! Spans in OpenTelemetry's terms.

use super::queue::Queue;
use crate::telemetry::{NewSpan, Role, Span, TraceContext};
use opentelemetry::{
    Array, Context, KeyValue, StringValue, TraceFlags, Value,
    logs::{AnyValue, Severity},
    trace::{
        Link, Span as _, SpanContext, SpanKind, Status, TraceContextExt as _, TraceState,
        Tracer as _,
    },
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracer, Span as SdkSpan, SpanData, SpanProcessor},
};
use serde_json::Value as Json;
use std::{
    collections::HashMap,
    fmt,
    str::FromStr,
    sync::Arc,
    time::{Duration, SystemTime},
};
use trine_engine::{Error, Level};

/// What puts ended spans into the queue.
pub(super) struct Processor(pub(super) Arc<Queue>);

impl SpanProcessor for Processor {
    fn on_start(&self, _span: &mut SdkSpan, _cx: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.0.put_span(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl fmt::Debug for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Processor")
    }
}

/// A span that goes on.
pub(super) struct OtelSpan(SdkSpan);

impl OtelSpan {
    pub(super) fn begin(tracer: &SdkTracer, new: NewSpan<'_>) -> Self {
        let NewSpan { name, role, parent, from_outside, link, facts, begun } = new;
        let mut builder = tracer.span_builder(name).with_kind(match role {
            Role::Server => SpanKind::Server,
            Role::Consumer => SpanKind::Consumer,
            Role::Internal => SpanKind::Internal,
        });
        let attributes = facts.into_iter().map(|(name, fact)| KeyValue::new(name, value(fact)));
        builder = builder.with_attributes(attributes);
        if let Some(begun) = begun {
            builder = builder.with_start_time(begun);
        }
        if let Some(link) = link {
            builder = builder.with_links(vec![Link::with_context(place(link, true))]);
        }
        let around = match parent {
            Some(parent) => Context::new().with_remote_span_context(place(parent, from_outside)),
            None => Context::new(),
        };
        Self(tracer.build_with_context(builder, &around))
    }
}

impl Span for OtelSpan {
    fn context(&self) -> TraceContext {
        let own = self.0.span_context();
        let state = own.trace_state().header();
        TraceContext {
            trace_id: u128::from_be_bytes(own.trace_id().to_bytes()),
            span_id: u64::from_be_bytes(own.span_id().to_bytes()),
            flags: own.trace_flags().to_u8(),
            state: (!state.is_empty()).then_some(state),
        }
    }

    fn set(&mut self, name: &'static str, fact: Json) {
        self.0.set_attribute(KeyValue::new(name, value(fact)));
    }

    fn rename(&mut self, name: String) {
        self.0.update_name(name);
    }

    fn fail(&mut self, error: &Error) {
        if !self.0.is_recording() {
            return;
        }
        let mut facts = vec![
            KeyValue::new("exception.type", error.name().to_owned()),
            KeyValue::new("exception.message", error.message().to_owned()),
        ];
        if !error.stack().is_empty() {
            facts.push(KeyValue::new("exception.stacktrace", error.stack().join("\n")));
        }
        self.0.add_event("exception", facts);
        self.0.set_attribute(KeyValue::new("error.type", error.name().to_owned()));
        self.0.set_status(Status::error(error.message().to_owned()));
    }

    fn fail_plainly(&mut self) {
        self.0.set_status(Status::error(""));
    }

    fn end(&mut self, at: Option<SystemTime>) {
        match at {
            Some(at) => self.0.end_with_timestamp(at),
            None => self.0.end(),
        }
    }
}

/// Returns a place in a trace in the library's terms.
fn place(context: &TraceContext, is_remote: bool) -> SpanContext {
    let state = context.state.as_deref().map(TraceState::from_str);
    // What breaks the rules is passed on by nobody.
    let state = state.and_then(Result::ok).unwrap_or_default();
    let (trace_id, span_id) = (context.trace_id.into(), context.span_id.into());
    SpanContext::new(trace_id, span_id, flags(context), is_remote, state)
}

pub(super) fn flags(context: &TraceContext) -> TraceFlags {
    TraceFlags::new(context.flags)
}

/// Returns a JSON value as an attribute's; what no attribute can hold becomes a text.
pub(super) fn value(json: Json) -> Value {
    match json {
        Json::Bool(is) => is.into(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, number) => number.unwrap_or_default().into(),
        },
        Json::String(text) => text.into(),
        Json::Array(all) if all.iter().all(Json::is_string) => {
            let texts = all.into_iter().filter_map(|text| match text {
                Json::String(text) => Some(StringValue::from(text)),
                _ => None,
            });
            Value::Array(Array::String(texts.collect()))
        }
        other => other.to_string().into(),
    }
}

/// Returns a JSON value as a message's body.
pub(super) fn any_value(json: Json) -> AnyValue {
    match json {
        Json::Null => AnyValue::String("".into()),
        Json::Bool(is) => AnyValue::Boolean(is),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => AnyValue::Int(whole),
            (None, number) => AnyValue::Double(number.unwrap_or_default()),
        },
        Json::String(text) => AnyValue::String(text.into()),
        Json::Array(all) => AnyValue::ListAny(Box::new(all.into_iter().map(any_value).collect())),
        Json::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name.into(), any_value(value)));
            AnyValue::Map(Box::new(members.collect::<HashMap<_, _>>()))
        }
    }
}

pub(super) fn severity(level: Level) -> Severity {
    match level {
        Level::Trace => Severity::Trace,
        Level::Debug => Severity::Debug,
        Level::Info => Severity::Info,
        Level::Warn => Severity::Warn,
        Level::Error => Severity::Error,
        Level::Fatal => Severity::Fatal,
    }
}
