//! Events of Application Load Balancers. Contract: "Lambda functions as targets" of Elastic Load Balancing.
//!
//! A target group has names with one value each, or with lists of values; parameters of the query are passed as they were
//! sent, percent signs and all.

use super::{Body, EventContext, Grouped, Lists, finished, headers, parameters};
use bytes::Bytes;
use http::request::Parts;
use serde::Serialize;
use std::borrow::Cow;
use trine_engine::Payload;

/// The target group that a server without one stands in for.
const TARGET_GROUP: &str =
    "arn:aws:elasticloadbalancing:us-east-1:012345678912:targetgroup/trine/0000000000000000";

/// Writes the event for a request, with lists of values or with the last value of each name.
pub(super) fn write(
    parts: &Parts,
    body: &Bytes,
    around: &EventContext<'_>,
    has_lists: bool,
) -> Payload {
    let path = around.mount.map_or_else(|| parts.uri.path(), |mount| mount.path);
    let query = parts.uri.query().unwrap_or("");
    let parameters = Grouped::new(
        parameters(query).map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value))),
    );
    let headers = headers(parts, around);
    let headers =
        Grouped::new(headers.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)));
    let content = Body::of(&parts.headers, body);
    let no_body = (body.is_empty()).then_some("");
    let event = Event {
        request_context: RequestContext { elb: LoadBalancer { target_group_arn: TARGET_GROUP } },
        http_method: parts.method.as_str(),
        path,
        query_string_parameters: (!has_lists).then(|| parameters.last()),
        multi_value_query_string_parameters: has_lists.then(|| parameters.lists()),
        headers: (!has_lists).then(|| headers.last()),
        multi_value_headers: has_lists.then(|| headers.lists()),
        is_base64_encoded: content.as_ref().is_some_and(Body::is_encoded),
        no_body,
        body: content.as_ref(),
    };
    finished(&event, content.as_ref(), body)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    request_context: RequestContext,
    http_method: &'a str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    query_string_parameters: Option<super::Last<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_query_string_parameters: Option<Lists<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<super::Last<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_headers: Option<Lists<'a>>,
    is_base64_encoded: bool,
    #[serde(rename = "body", skip_serializing_if = "Option::is_none")]
    no_body: Option<&'static str>,
    /// Last, so that a text can be kept beside the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a Body<'a>>,
}

#[derive(Serialize)]
struct RequestContext {
    elb: LoadBalancer,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LoadBalancer {
    target_group_arn: &'static str,
}
