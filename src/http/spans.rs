//! A request as a span. Contract: OpenTelemetry's semantic conventions for HTTP servers, functions and CloudEvents.
//!
//! What may be secret is not in it, as it is not in the access log: no query, no header but those of the access log.

use super::{
    arrival::Arrival, format::EventFormat, own::is_own, route::Route, service::Service, target,
};
use crate::telemetry::{Facts, Opening, Role, Root};
use bytes::Bytes;
use http::{Method, StatusCode, header, request::Parts};
use serde::Deserialize;
use std::rc::Rc;
use trine_engine::Invocation;

/// What stands for a method that is none of HTTP's own.
const OTHER: &str = "_OTHER";

impl Service {
    /// Opens the span of a request, if anybody takes spans: not of one for the server itself.
    pub(super) fn open_span(&self, parts: &Parts, arrival: &Arrival) -> Option<Rc<Root>> {
        let tracer = self.functions.tracer();
        if !tracer.is_on() || is_own(parts.uri.path()) {
            return None;
        }
        let field = |name: &str| {
            let value = parts.headers.get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let span = tracer.open_from(field, || {
            let (name, facts) = described(parts, arrival);
            Opening { name: name.into(), role: Role::Server, facts, ..Opening::default() }
        });
        span.map(Rc::new)
    }
}

/// Returns the name of a method in spans.
fn name_of(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] =
        ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or(OTHER)
}

/// Returns a span's first name, and what is known of its request.
fn described(parts: &Parts, arrival: &Arrival) -> (&'static str, Facts) {
    let method = name_of(&parts.method);
    let mut facts: Facts = vec![
        ("http.request.method", method.into()),
        ("url.scheme", arrival.origin.scheme.into()),
        ("url.path", parts.uri.path().into()),
        ("network.protocol.version", target::version_of(parts).into()),
        ("client.address", arrival.origin.client.ip().to_string().into()),
    ];
    if method == OTHER {
        facts.push(("http.request.method_original", parts.method.as_str().into()));
    }
    let host = target::host(parts).map(|host| String::from_utf8_lossy(host).into_owned());
    if let Some((address, port)) = host.as_deref().map(address_and_port) {
        facts.push(("server.address", address.into()));
        facts.extend(port.map(|port| ("server.port", port.into())));
    }
    if let Some(agent) = parts.headers.get(header::USER_AGENT) {
        let agent = String::from_utf8_lossy(agent.as_bytes());
        facts.push(("user_agent.original", agent.into()));
    }
    // Spans without a name for the path are not told apart by it: there would be as many names as paths.
    (if method == OTHER { "HTTP" } else { method }, facts)
}

/// Splits `host:port`; an address of IPv6 is in brackets.
fn address_and_port(host: &str) -> (&str, Option<u16>) {
    match host.rsplit_once(':') {
        Some((address, port)) if !port.ends_with(']') => (address, port.parse().ok()),
        _ => (host, None),
    }
}

impl Arrival {
    /// Tells the request's span which route was found for it.
    pub(super) fn trace_route(&self, method: &Method, route: &Route) {
        if let Some(span) = &self.span {
            span.set("http.route", route.path.as_str());
            span.rename(format!("{} {}", name_of(method), route.path));
        }
    }

    /// Has an invocation carry the trace of its request, and tells the request's span what it is invoked for.
    pub(super) fn trace(&self, trigger: &'static str, invocation: &mut Invocation) {
        if let Some(span) = &self.span {
            span.set("faas.trigger", trigger);
            span.carry(invocation);
        }
    }

    /// Opens a span within that of the request, for an invocation of several or one that goes on after the answer.
    pub(super) fn trace_apart(
        &self,
        trigger: &'static str,
        invocation: &mut Invocation,
    ) -> Option<Root> {
        let facts = vec![("faas.trigger", trigger.into())];
        let name = invocation.function_name.clone().unwrap_or_default().into();
        let span = self.span.as_ref()?.child(Opening { name, facts, ..Opening::default() });
        span.carry(invocation);
        Some(span)
    }

    /// Tells the request's span of the event that it brought, where that is a CloudEvent.
    pub(super) fn trace_event(&self, format: EventFormat, parts: &Parts, body: &Bytes) {
        let Some(span) = self.span.as_ref().filter(|_| format == EventFormat::CloudEvents) else {
            return;
        };
        let field = |name: &str| {
            let value = parts.headers.get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let event = match parts.headers.contains_key("ce-specversion") {
            true => Event {
                id: field("ce-id"),
                source: field("ce-source"),
                specversion: field("ce-specversion"),
                r#type: field("ce-type"),
                subject: field("ce-subject"),
            },
            false => serde_json::from_slice(body).unwrap_or_default(),
        };
        let Event { id, source, specversion, r#type, subject } = event;
        for (name, value) in [
            ("cloudevents.event_id", id),
            ("cloudevents.event_source", source),
            ("cloudevents.event_spec_version", specversion),
            ("cloudevents.event_type", r#type),
            ("cloudevents.event_subject", subject),
        ] {
            if let Some(value) = value {
                span.set(name, value);
            }
        }
    }
}

/// The attributes of a CloudEvent that spans have.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    id: Option<String>,
    source: Option<String>,
    specversion: Option<String>,
    r#type: Option<String>,
    subject: Option<String>,
}

/// Tells a span how its request was answered.
pub(super) fn answered(span: &Root, status: StatusCode, is_whole: bool) {
    span.set("http.response.status_code", status.as_u16());
    // Where a function has failed, its error says more.
    if status.is_server_error() && !span.has_failed() {
        span.set("error.type", status.as_u16().to_string());
        span.fail_plainly();
    } else if !is_whole && !span.has_failed() {
        span.set("error.type", "cut_off");
        span.fail_plainly();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_an_address_and_perhaps_a_port() {
        for (host, expected) in [
            ("a.example", ("a.example", None)),
            ("a.example:80", ("a.example", Some(80))),
            ("[::1]:9000", ("[::1]", Some(9000))),
            ("[::1]", ("[::1]", None)),
            ("a:b", ("a", None)),
        ] {
            assert_eq!(address_and_port(host), expected);
        }
    }

    #[test]
    fn methods_of_somebodys_own_share_a_name() {
        assert_eq!(name_of(&Method::PATCH), "PATCH");
        assert_eq!(name_of(&Method::from_bytes(b"BREW").unwrap()), OTHER);
    }
}
