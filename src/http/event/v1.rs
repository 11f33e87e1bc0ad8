//! Payload format 1.0, as REST APIs send it. Contract: "Lambda proxy integrations" of API Gateway.
//!
//! Names of headers have capitals here, as clients of HTTP/1.1 write them: what they were is not known any more.

use super::{
    Body, Clock, EventContext, Grouped, Last, Lists, PathParameters, decoded, domain, finished,
    headers, parameters, prefix, protocol,
};
use crate::http::route;
use bytes::Bytes;
use http::{header, request::Parts};
use serde::Serialize;
use serde_json::Value;
use std::{borrow::Cow, net::IpAddr};
use trine_engine::Payload;

/// The parameter of a resource that takes whole paths.
const PROXY: &str = "proxy";

/// Writes the event for a request.
pub(super) fn write(parts: &Parts, body: &Bytes, around: &EventContext<'_>) -> Payload {
    let whole_path = parts.uri.path();
    let path = around.mount.map_or(whole_path, |mount| mount.path);
    let query = parts.uri.query().unwrap_or("");
    let query_parameters =
        Grouped::new(parameters(query).map(|(name, value)| (decoded(name), decoded(value))));
    let all = headers(parts, around);
    let headers = Grouped::new(all.into_iter().map(|(name, value)| (capitals(name), value)));
    let (resource, path_parameters) = resource(path, around);
    let domain_name = domain(parts);
    let domain_prefix = prefix(&domain_name);
    let content = Body::of_any_type(&parts.headers, body);
    let user_agent = parts.headers.get(header::USER_AGENT).map(super::text);
    let event = Event {
        resource: &resource,
        path,
        http_method: parts.method.as_str(),
        headers: headers.last(),
        multi_value_headers: headers.lists(),
        query_string_parameters: (!query_parameters.is_empty()).then(|| query_parameters.last()),
        multi_value_query_string_parameters: (!query_parameters.is_empty())
            .then(|| query_parameters.lists()),
        path_parameters: (!path_parameters.is_empty()).then_some(PathParameters(&path_parameters)),
        stage_variables: (),
        request_context: RequestContext {
            account_id: "012345678912",
            api_id: domain_prefix,
            authorizer: around.authorizer,
            domain_name: &domain_name,
            domain_prefix,
            extended_request_id: around.request_id,
            http_method: parts.method.as_str(),
            identity: Identity {
                source_ip: Some(around.client.ip()),
                user_agent: user_agent.as_deref(),
                ..Identity::default()
            },
            path: whole_path,
            protocol: protocol(parts.version),
            request_id: around.request_id,
            request_time: Clock(around.time),
            request_time_epoch: around.time.timestamp_millis(),
            resource_id: "000000",
            resource_path: &resource,
            stage: around.mount.map_or("$default", |mount| mount.base_path.trim_start_matches('/')),
        },
        is_base64_encoded: content.as_ref().is_some_and(Body::is_encoded),
        body: content.as_ref(),
    };
    finished(&event, content.as_ref(), body)
}

/// Returns the resource that takes a path, and the parameters that it takes from there. What is no declared route is the
/// resource of everything, as on an API of one function.
fn resource<'a>(
    path: &str,
    around: &EventContext<'a>,
) -> (Cow<'a, str>, Cow<'a, [(String, String)]>) {
    if let Some((_, declared)) = around.route_key.split_once(' ') {
        return (Cow::Borrowed(declared), Cow::Borrowed(around.path_parameters));
    }
    let rest = path.trim_start_matches('/');
    if rest.is_empty() {
        return (Cow::Borrowed("/"), Cow::Borrowed(&[]));
    }
    let proxy = (PROXY.to_owned(), route::decoded(rest).into_owned());
    (Cow::Borrowed("/{proxy+}"), Cow::Owned(vec![proxy]))
}

/// Writes a header's name with a capital at the beginning of each word.
pub(super) fn capitals(name: &str) -> Cow<'static, str> {
    let mut begins = true;
    let letter = |letter: char| {
        let written = if begins { letter.to_ascii_uppercase() } else { letter };
        begins = letter == '-';
        written
    };
    Cow::Owned(name.chars().map(letter).collect())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    resource: &'a str,
    path: &'a str,
    http_method: &'a str,
    headers: Last<'a>,
    multi_value_headers: Lists<'a>,
    query_string_parameters: Option<Last<'a>>,
    multi_value_query_string_parameters: Option<Lists<'a>>,
    path_parameters: Option<PathParameters<'a>>,
    stage_variables: (),
    request_context: RequestContext<'a>,
    is_base64_encoded: bool,
    /// Last, so that a text can be kept beside the event.
    body: Option<&'a Body<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'static str,
    api_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<&'a Value>,
    domain_name: &'a str,
    domain_prefix: &'a str,
    extended_request_id: &'a str,
    http_method: &'a str,
    identity: Identity<'a>,
    path: &'a str,
    protocol: &'static str,
    request_id: &'a str,
    request_time: Clock,
    request_time_epoch: i64,
    resource_id: &'static str,
    resource_path: &'a str,
    stage: &'a str,
}

/// The caller, of whom nothing is known but an address.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    access_key: (),
    account_id: (),
    api_key: (),
    api_key_id: (),
    caller: (),
    cognito_authentication_provider: (),
    cognito_authentication_type: (),
    cognito_identity_id: (),
    cognito_identity_pool_id: (),
    principal_org_id: (),
    source_ip: Option<IpAddr>,
    user: (),
    user_agent: Option<&'a str>,
    user_arn: (),
}
