//! Payload format 2.0, which HTTP APIs and function URLs send.

use super::{
    Body, Clock, Digits, EventContext, FORWARDED_FOR, FORWARDED_PORT, FORWARDED_PROTO,
    PathParameters, TRACE_ID, decoded, domain, finished, pairs, parameters, prefix, protocol, text,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, header, request::Parts};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};
use serde_json::Value;
use std::borrow::Cow;
use trine_engine::Payload;

/// Writes the event for a request; a function URL has no routes (`has_routes`), and no stages.
pub(super) fn write(
    parts: &Parts,
    body: &Bytes,
    around: &EventContext<'_>,
    has_routes: bool,
) -> Payload {
    let headers = &parts.headers;
    let path = around.mount.map_or_else(|| parts.uri.path(), |mount| mount.path);
    let base_path = around.mount.map(|mount| mount.base_path).filter(|_| has_routes);
    let route_key = if has_routes { around.route_key } else { "$default" };
    let path_parameters = if has_routes { around.path_parameters } else { &[] };
    let raw_query_string = parts.uri.query().unwrap_or("");
    let domain_name = domain(parts);
    let domain_prefix = prefix(&domain_name);
    let content = Body::of(headers, body);
    let event = Event {
        version: "2.0",
        route_key,
        raw_path: path,
        base_path,
        raw_query_string,
        cookies: Cookies(headers),
        headers: Headers { parts, around },
        query_string_parameters: query(raw_query_string),
        request_context: RequestContext {
            account_id: "anonymous",
            api_id: domain_prefix,
            authentication: None,
            authorizer: around.authorizer,
            domain_name: &domain_name,
            domain_prefix,
            http: Http {
                method: parts.method.as_str(),
                path,
                protocol: protocol(parts.version),
                source_ip: around.client.ip(),
                user_agent: headers.get(header::USER_AGENT).map_or(Cow::Borrowed(""), text),
            },
            request_id: around.request_id,
            route_key,
            stage: base_path.map_or("$default", |path| path.trim_start_matches('/')),
            time: Clock(around.time),
            time_epoch: around.time.timestamp_millis(),
        },
        path_parameters: PathParameters(path_parameters),
        is_base64_encoded: content.as_ref().is_some_and(Body::is_encoded),
        body: &content,
    };
    finished(&event, content.as_ref(), body)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'a str,
    raw_path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_path: Option<&'a str>,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Cookies::is_empty")]
    cookies: Cookies<'a>,
    headers: Headers<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "pairs")]
    query_string_parameters: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "PathParameters::is_empty")]
    path_parameters: PathParameters<'a>,
    is_base64_encoded: bool,
    /// Last, so that a text can be kept beside the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: &'a Option<Body<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'static str,
    api_id: &'a str,
    authentication: Option<()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorizer: Option<&'a Value>,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'a str,
    time: Clock,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: std::net::IpAddr,
    user_agent: Cow<'a, str>,
}

/// All `k=v` of all `cookie` headers, which do not appear among the headers.
struct Cookies<'a>(&'a HeaderMap);

impl Cookies<'_> {
    /// Whether there is none: a header may exist and hold nothing but separators.
    fn is_empty(&self) -> bool {
        !self.0.get_all(header::COOKIE).iter().any(|value| cookies(&text(value)).next().is_some())
    }
}

impl Serialize for Cookies<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for value in self.0.get_all(header::COOKIE) {
            for cookie in cookies(&text(value)) {
                list.serialize_element(cookie)?;
            }
        }
        list.end()
    }
}

fn cookies(header: &str) -> impl Iterator<Item = &str> {
    header.split(';').map(str::trim).filter(|cookie| !cookie.is_empty())
}

/// The headers, names in lower case, values of one name joined with a comma, and those that the platform adds.
struct Headers<'a> {
    parts: &'a Parts,
    around: &'a EventContext<'a>,
}

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let headers = &self.parts.headers;
        // A target that names a host is right, whatever the header says.
        let named = self.parts.uri.authority().map(http::uri::Authority::as_str);
        if let Some(host) = named {
            map.serialize_entry(header::HOST.as_str(), host)?;
        }
        for name in headers.keys() {
            if name == header::COOKIE || named.is_some() && name == header::HOST {
                continue;
            }
            let mut values = headers.get_all(name).iter();
            let first = values.next().map_or(Cow::Borrowed(""), text);
            let value = values.fold(first, |all, next| Cow::Owned(format!("{all},{}", text(next))));
            map.serialize_entry(name.as_str(), &value)?;
        }
        let absent = |name: &HeaderName| !headers.contains_key(name);
        if absent(&FORWARDED_FOR) {
            map.serialize_entry(FORWARDED_FOR.as_str(), &self.around.client.ip())?;
        }
        if absent(&FORWARDED_PROTO) {
            map.serialize_entry(FORWARDED_PROTO.as_str(), self.around.scheme)?;
        }
        if absent(&FORWARDED_PORT) {
            map.serialize_entry(FORWARDED_PORT.as_str(), &Digits(self.around.port))?;
        }
        if absent(&TRACE_ID) {
            map.serialize_entry(TRACE_ID.as_str(), self.around.trace_id)?;
        }
        map.end()
    }
}

/// Returns the query's parameters, decoded, in order of their names; values of one name are joined with a comma.
fn query(raw: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let mut pairs: Vec<_> =
        parameters(raw).map(|(name, value)| (decoded(name), decoded(value))).collect();
    // Sorting keeps a query of many thousand parameters from costing the square of that.
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    pairs.dedup_by(|(name, value), (kept, values)| {
        let same = name == kept;
        if same {
            let values = values.to_mut();
            values.push(',');
            values.push_str(value);
        }
        same
    });
    pairs
}
