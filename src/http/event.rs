//! A request as an event of Lambda's payload format 2.0, which HTTP APIs and function URLs send.
//!
//! The event is written as JSON text directly from the request: no value tree is built on the way.

use super::target::host;
use base64::{display::Base64Display, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Datelike, Timelike, Utc};
use http::{HeaderMap, HeaderValue, Version, header, request::Parts};
use percent_encoding::percent_decode_str;
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};
use std::{borrow::Cow, fmt, net::SocketAddr};
use trine_engine::{Payload, WithBody};

/// The parts of an event beside the request itself.
#[derive(Debug)]
pub struct EventContext<'a> {
    /// The client's address.
    pub client: SocketAddr,
    /// The port on which the request arrived.
    pub port: u16,
    /// The invocation's id.
    pub request_id: &'a str,
    /// The X-Ray header: the client's, or a new one.
    pub trace_id: &'a str,
    /// The route that matched: `GET /pets/{id}` or `$default`.
    pub route_key: &'a str,
    /// The parameters that the route took from the path, decoded.
    pub path_parameters: &'a [(String, String)],
    /// The mount of the function, if it is to see the path below that.
    pub mount: Option<Mount<'a>>,
    /// The time at which the request arrived.
    pub time: DateTime<Utc>,
}

/// The place of a function whose paths begin there, like a stage on API Gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mount<'a> {
    /// The place, as written in URLs: `/shop`.
    pub base_path: &'a str,
    /// The request's path below it, as it was sent: `/cart`, at least `/`.
    pub path: &'a str,
}

/// Writes the event for a request: one JSON object, whatever the request holds. Bytes that are not UTF-8 are replaced
/// in headers, path parameters and query; a body that is not text becomes base64.
pub fn write(parts: &Parts, body: &Bytes, around: &EventContext<'_>) -> Payload {
    let headers = &parts.headers;
    let path = around.mount.map_or_else(|| parts.uri.path(), |mount| mount.path);
    let base_path = around.mount.map(|mount| mount.base_path);
    let raw_query_string = parts.uri.query().unwrap_or("");
    let domain_name = domain(parts);
    let domain_prefix = prefix(&domain_name);
    let content = Body::of(headers, body);
    let encoded = if matches!(content, Some(Body::Bytes(_))) { body.len() * 4 / 3 } else { 0 };
    let room = 1024 + path.len() + raw_query_string.len() + encoded;
    let event = Event {
        version: "2.0",
        route_key: around.route_key,
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
            route_key: around.route_key,
            stage: base_path.map_or("$default", |path| path.trim_start_matches('/')),
            time: Clock(around.time),
            time_epoch: around.time.timestamp_millis(),
        },
        path_parameters: PathParameters(around.path_parameters),
        is_base64_encoded: encoded > 0,
        body: &content,
    };
    let mut out = Vec::with_capacity(room);
    // Writing to a Vec cannot fail, and neither can the form of an event: maps have text for keys.
    let written = serde_json::to_writer(&mut out, &event);
    debug_assert!(written.is_ok(), "an event always has a JSON form");
    let event = Bytes::from(out);
    match content {
        Some(Body::Text) => match WithBody::new(event.clone(), body.clone()) {
            Some(event) => Payload::WithBody(event),
            None => Payload::Json(event),
        },
        _ => Payload::Json(event),
    }
}

/// Makes an X-Ray header for an invocation that brought none.
pub(super) fn new_trace_id(time: DateTime<Utc>, seed: &uuid::Uuid) -> String {
    let digits = seed.simple().to_string();
    format!("Root=1-{:08x}-{}", time.timestamp(), &digits[..24])
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

/// A time in the form `12/Mar/2020:19:03:58 +0000`.
struct Clock(DateTime<Utc>);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (date, time) = (self.0.date_naive(), self.0.time());
        let month = MONTHS[date.month0() as usize];
        write!(
            f,
            "{:02}/{month}/{:04}:{:02}:{:02}:{:02} +0000",
            date.day(),
            date.year(),
            time.hour(),
            time.minute(),
            time.second()
        )
    }
}

impl Serialize for Clock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
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
        let absent = |name: &str| !headers.contains_key(name);
        if absent("x-forwarded-for") {
            map.serialize_entry("x-forwarded-for", &self.around.client.ip())?;
        }
        if absent("x-forwarded-proto") {
            map.serialize_entry("x-forwarded-proto", "http")?;
        }
        if absent("x-forwarded-port") {
            map.serialize_entry("x-forwarded-port", &Digits(self.around.port))?;
        }
        if absent("x-amzn-trace-id") {
            map.serialize_entry("x-amzn-trace-id", self.around.trace_id)?;
        }
        map.end()
    }
}

struct PathParameters<'a>(&'a [(String, String)]);

impl PathParameters<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for PathParameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        pairs(&self.0, serializer)
    }
}

/// Serialises pairs as a map, in their order.
fn pairs<K, V, S>(pairs: &impl AsRef<[(K, V)]>, serializer: S) -> Result<S::Ok, S::Error>
where
    K: Serialize,
    V: Serialize,
    S: Serializer,
{
    serializer.collect_map(pairs.as_ref().iter().map(|(key, value)| (key, value)))
}

/// A request's body in the form that an event has for it.
enum Body<'a> {
    /// Text beside the event.
    Text,
    Bytes(&'a [u8]),
}

impl<'a> Body<'a> {
    /// Chooses the form: text if its type says so, it is UTF-8 and not compressed; anything else becomes base64.
    fn of(headers: &HeaderMap, body: &'a Bytes) -> Option<Self> {
        if body.is_empty() {
            return None;
        }
        let is_text = !headers.contains_key(header::CONTENT_ENCODING)
            && headers.get(header::CONTENT_TYPE).is_some_and(|value| is_text_type(&text(value)));
        let is_text = is_text && std::str::from_utf8(body).is_ok();
        Some(if is_text { Self::Text } else { Self::Bytes(body) })
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text => serializer.serialize_str(""),
            Self::Bytes(body) => serializer.collect_str(&Base64Display::new(body, &STANDARD)),
        }
    }
}

/// A number that an event holds as text.
struct Digits(u16);

impl Serialize for Digits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Whether bodies of this media type travel as text.
fn is_text_type(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    media_type.starts_with("text/")
        || media_type.ends_with("+json")
        || media_type.ends_with("+xml")
        || matches!(
            media_type.as_str(),
            "application/json" | "application/javascript" | "application/xml"
        )
}

/// Returns the query's parameters, decoded, in order of their names; values of one name are joined with a comma.
fn query(raw: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let mut pairs: Vec<_> = raw
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
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

/// Decodes the percent signs in a part of a query; a plus sign is a space.
fn decoded(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned());
    }
    percent_decode_str(text).decode_utf8_lossy()
}

/// Returns the host that the client asked for, without its port.
fn domain(parts: &Parts) -> Cow<'_, str> {
    let host = host(parts).map_or(Cow::Borrowed(""), String::from_utf8_lossy);
    let end = match host.rfind(':') {
        // The colons of an IPv6 address are inside brackets.
        Some(colon) if !host[colon..].contains(']') => colon,
        _ => host.len(),
    };
    match host {
        Cow::Borrowed("") => Cow::Borrowed("localhost"),
        Cow::Borrowed(host) => Cow::Borrowed(&host[..end]),
        Cow::Owned(mut host) => {
            host.truncate(end);
            Cow::Owned(host)
        }
    }
}

/// Returns the first label of a host name, which platforms use as the API's id; an address has no labels.
fn prefix(domain: &str) -> &str {
    let is_address = domain.starts_with('[') || domain.parse::<std::net::IpAddr>().is_ok();
    match domain.split_once('.') {
        Some((label, _)) if !is_address => label,
        _ => domain,
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}

/// Returns a header's value as text. Bytes that are not UTF-8 are replaced: JSON cannot carry them.
pub(super) fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

#[cfg(test)]
mod tests;
