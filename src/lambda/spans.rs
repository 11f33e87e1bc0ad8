//! An event as a span. Contract: OpenTelemetry's semantic conventions for functions and for AWS Lambda.
//!
//! What came as a request is told as one: its parent is the one that its headers name, else the one of the client context,
//! else X-Ray's.

use super::Next;
use crate::telemetry::{Facts, Opening, Role, Root, Tracer};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use trine_engine::Invocation;

/// The span of an event.
pub(super) struct EventSpan {
    root: Root,
    /// Whether it came as a request, so that its result has a status.
    is_http: bool,
}

/// What of an event says where it comes from. Whatever is of another type is what it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Event {
    headers: Value,
    multi_value_headers: Value,
    http_method: Value,
    path: Value,
    raw_path: Value,
    resource: Value,
    route_key: Value,
    request_context: Value,
    #[serde(rename = "Records")]
    records: Value,
    source: Value,
    #[serde(rename = "detail-type")]
    detail_type: Value,
    specversion: Value,
    id: Value,
    r#type: Value,
    subject: Value,
    traceparent: Value,
    tracestate: Value,
}

/// Opens the span of an event, if anybody takes spans, and has its invocation carry the trace.
pub(super) fn open(
    tracer: &Tracer,
    next: &Next,
    invocation: &mut Invocation,
    name: &str,
) -> Option<EventSpan> {
    if !tracer.is_on() {
        return None;
    }
    let event: Event = match invocation.event_is_json {
        true => serde_json::from_slice(&next.body).unwrap_or_default(),
        false => Event::default(),
    };
    let request = event.request();
    let of_client = invocation.w3c.take().unwrap_or_default();
    let root = tracer.open_from(
        |field| event.field(field, &of_client, invocation.trace_id.as_deref()),
        || {
            let (trigger, role) = event.trigger(request.is_some());
            let mut facts: Facts = vec![("faas.trigger", trigger.into())];
            facts.extend(event.attributes());
            facts.extend(invocation.invoked_function_arn.as_deref().into_iter().flat_map(of_arn));
            let mut title = name.to_owned();
            if let Some(request) = &request {
                title = request.name().unwrap_or(title);
                facts.extend(request.facts());
            }
            Opening { name: title.into(), role, facts, ..Opening::default() }
        },
    )?;
    root.carry(invocation);
    Some(EventSpan { root, is_http: request.is_some() })
}

impl EventSpan {
    /// Tells it the result, or what begins a streamed one.
    pub(super) fn answered(&self, result: &[u8]) {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            status_code: u16,
        }
        if !self.is_http {
            return;
        }
        // A result without a status is one of the short form, or none of a request's.
        let status =
            serde_json::from_slice(result).map_or(200, |Answer { status_code }| status_code);
        self.root.set("http.response.status_code", status);
        if status >= 500 {
            self.root.set("error.type", status.to_string());
            self.root.fail_plainly();
        }
    }
}

/// What an event says of the request that it stands for.
struct Request<'a> {
    method: &'a str,
    path: Option<&'a str>,
    route: Option<&'a str>,
    host: Option<&'a str>,
    scheme: Option<String>,
    client: Option<&'a str>,
    agent: Option<String>,
}

impl Request<'_> {
    fn name(&self) -> Option<String> {
        self.route.map(|route| format!("{} {route}", self.method))
    }

    fn facts(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let texts = [
            ("http.request.method", Some(self.method)),
            ("http.route", self.route),
            ("url.path", self.path),
            ("url.scheme", self.scheme.as_deref()),
            ("server.address", self.host),
            ("client.address", self.client),
            ("user_agent.original", self.agent.as_deref()),
        ];
        texts.into_iter().filter_map(|(name, text)| Some((name, text?.into())))
    }
}

impl Event {
    /// Returns a header of the request that it stands for, whatever the case of its name.
    fn header(&self, name: &str) -> Option<&str> {
        [&self.headers, &self.multi_value_headers].into_iter().find_map(|headers| {
            let mut all = headers.as_object()?.iter();
            let (_, value) = all.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            value.as_str().or_else(|| value.as_array()?.last()?.as_str())
        })
    }

    /// Returns what names a trace: the event's own, else the caller's, else the platform's.
    fn field(
        &self,
        name: &str,
        of_client: &BTreeMap<String, String>,
        xray: Option<&str>,
    ) -> Option<String> {
        let own = match name {
            "x-amzn-trace-id" => return xray.map(str::to_owned),
            // "Distributed Tracing" of CloudEvents.
            "traceparent" if self.specversion.is_string() => self.traceparent.as_str(),
            "tracestate" if self.specversion.is_string() => self.tracestate.as_str(),
            _ => None,
        };
        own.or_else(|| self.header(name))
            .or_else(|| of_client.get(name).map(String::as_str))
            .map(str::to_owned)
    }

    /// Returns the request that it stands for: one of API Gateway's, of a function URL or of a load balancer.
    fn request(&self) -> Option<Request<'_>> {
        let context = &self.request_context;
        let http = &context["http"];
        let method = http["method"].as_str().or_else(|| self.http_method.as_str())?;
        if !context.is_object() {
            return None;
        }
        // `GET /pets/{id}`; `$default` names no path.
        let route = self.route_key.as_str().and_then(|key| key.split_once(' '));
        let route = route.map(|(_, path)| path).or_else(|| self.resource.as_str());
        let of_both = |name: &str| {
            let of_v2 = http[name].as_str();
            of_v2.or_else(|| context["identity"][name].as_str())
        };
        Some(Request {
            method,
            path: self.raw_path.as_str().or_else(|| self.path.as_str()),
            route,
            host: context["domainName"].as_str().or_else(|| self.header("host")),
            scheme: self.header("x-forwarded-proto").map(str::to_owned),
            client: of_both("sourceIp"),
            agent: of_both("userAgent").or_else(|| self.header("user-agent")).map(str::to_owned),
        })
    }

    /// Returns the kind of what it comes from, and whether somebody waits.
    fn trigger(&self, is_request: bool) -> (&'static str, Role) {
        if is_request {
            return ("http", Role::Server);
        }
        let first = &self.records[0];
        let of_record = first["eventSource"].as_str().or_else(|| first["EventSource"].as_str());
        match (of_record, self.source.as_str(), self.detail_type.as_str()) {
            (Some("aws:s3" | "aws:dynamodb"), _, _) => ("datasource", Role::Consumer),
            (Some(_), _, _) => ("pubsub", Role::Consumer),
            (None, Some("aws.scheduler"), _)
            | (None, Some("aws.events"), Some("Scheduled Event")) => ("timer", Role::Consumer),
            (None, Some(_), Some(_)) => ("pubsub", Role::Consumer),
            _ if self.specversion.is_string() => ("pubsub", Role::Consumer),
            _ => ("other", Role::Server),
        }
    }

    /// Returns what identifies it, where it is a CloudEvent.
    fn attributes(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let of_event = [
            ("cloudevents.event_id", &self.id),
            ("cloudevents.event_source", &self.source),
            ("cloudevents.event_spec_version", &self.specversion),
            ("cloudevents.event_type", &self.r#type),
            ("cloudevents.event_subject", &self.subject),
        ];
        let is_one = self.specversion.is_string();
        let texts = of_event.into_iter().filter(move |(_, value)| is_one && value.is_string());
        texts.map(|(name, value)| (name, value.clone()))
    }
}

/// Returns what an ARN says: `arn:aws:lambda:region:account:function:name`.
fn of_arn(arn: &str) -> Vec<(&'static str, Value)> {
    let account = arn.split(':').nth(4).filter(|account| !account.is_empty());
    let mut facts = vec![("aws.lambda.invoked_arn", arn.into()), ("cloud.resource_id", arn.into())];
    facts.extend(account.map(|account| ("cloud.account.id", account.into())));
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(value: Value) -> Event {
        serde_json::from_value(value).unwrap_or_default()
    }

    #[test]
    fn events_tell_what_they_come_from() {
        for (value, trigger) in [
            (json!({"Records": [{"eventSource": "aws:sqs"}]}), "pubsub"),
            (json!({"Records": [{"EventSource": "aws:sns"}]}), "pubsub"),
            (json!({"Records": [{"eventSource": "aws:s3"}]}), "datasource"),
            (json!({"Records": []}), "other"),
            (json!({"Records": "none"}), "other"),
            (json!({"source": "aws.events", "detail-type": "Scheduled Event"}), "timer"),
            (json!({"source": "my.app", "detail-type": "Order"}), "pubsub"),
            (json!({"specversion": "1.0", "id": "1", "source": "/a", "type": "t"}), "pubsub"),
            (json!({"httpMethod": "GET", "requestContext": {}}), "http"),
            (json!({"requestContext": {"http": {"method": "GET"}}}), "http"),
            (json!({"httpMethod": "GET"}), "other"),
            (json!({"httpMethod": 7, "headers": 7, "requestContext": 7}), "other"),
            (json!([1]), "other"),
            (json!(null), "other"),
        ] {
            let event = event(value.clone());
            assert_eq!(event.trigger(event.request().is_some()).0, trigger, "{value}");
        }
    }

    #[test]
    fn a_parent_is_the_events_own_then_the_callers() {
        let callers = BTreeMap::from([("traceparent".to_owned(), "callers".to_owned())]);
        let of = |value: Value| event(value).field("traceparent", &callers, Some("xray"));
        assert_eq!(of(json!({"headers": {"TraceParent": "own"}})).as_deref(), Some("own"));
        let several = json!({"multiValueHeaders": {"traceparent": ["a", "own"]}});
        assert_eq!(of(several).as_deref(), Some("own"));
        let extension = json!({"specversion": "1.0", "traceparent": "own"});
        assert_eq!(of(extension).as_deref(), Some("own"));
        assert_eq!(of(json!({"traceparent": "own"})).as_deref(), Some("callers"));
        let xray = event(json!({"headers": {"X-Amzn-Trace-Id": "own"}}));
        assert_eq!(xray.field("x-amzn-trace-id", &callers, Some("xray")).as_deref(), Some("xray"));
    }

    #[test]
    fn a_request_is_named_by_its_route() {
        let name = |value: Value| event(value).request().and_then(|request| request.name());
        let context = || json!({"http": {"method": "PUT"}});
        let v2 = json!({"routeKey": "PUT /pets/{id}", "requestContext": context()});
        assert_eq!(name(v2).as_deref(), Some("PUT /pets/{id}"));
        assert_eq!(name(json!({"routeKey": "$default", "requestContext": context()})), None);
        let v1 = json!({"httpMethod": "GET", "resource": "/a/{b+}", "requestContext": {}});
        assert_eq!(name(v1).as_deref(), Some("GET /a/{b+}"));
    }
}
