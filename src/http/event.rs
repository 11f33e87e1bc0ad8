//! A request as an event, in one of several forms ([`EventFormat`]).
//!
//! Events are taken apart directly from the request ([`Shaped`]): no value tree is built on the way.

mod alb;
pub(super) mod cloudevents;
mod raw;
mod scaleway;
mod v1;
mod v2;

use super::{format::EventFormat, target::host};
use base64::{display::Base64Display, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Datelike, Timelike, Utc};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header, request::Parts};
use percent_encoding::percent_decode_str;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::HashMap,
    fmt::{self, Write as _},
    net::SocketAddr,
};
use trine_engine::{Beside, Payload, Shaped};

// Names that are looked for in every request: a text would be parsed each time.
pub(super) static TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
static FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
static FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The parts of an event beside the request itself.
#[derive(Debug)]
pub struct EventContext<'a> {
    /// The client's address.
    pub client: SocketAddr,
    /// The scheme of the URL that the client asked for: `http` or `https`.
    pub scheme: &'a str,
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
    /// What is known of the caller: the member `authorizer` of `requestContext`.
    pub authorizer: Option<&'a Value>,
    /// The time at which the request arrived.
    pub time: DateTime<Utc>,
}

/// The reason why a request is no event, for its sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NoEvent {
    /// The status that says so.
    pub status: StatusCode,
    /// The same in words.
    pub message: String,
}

impl NoEvent {
    fn malformed(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }
}

/// The place of a function whose paths begin there, like a stage on API Gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mount<'a> {
    /// The place, as written in URLs: `/shop`.
    pub base_path: &'a str,
    /// The request's path below it, as it was sent: `/cart`, at least `/`.
    pub path: &'a str,
}

/// Writes the event for a request, whatever the request holds. Bytes that are not UTF-8 are replaced in headers, path
/// parameters and query; a body that is not text becomes base64.
///
/// # Errors
/// With [`EventFormat::Raw`] and [`EventFormat::CloudEvents`], where the request is none.
pub fn write(
    format: EventFormat,
    parts: &Parts,
    body: &Bytes,
    around: &EventContext<'_>,
) -> Result<Payload, NoEvent> {
    match format {
        EventFormat::AwsV2 => Ok(v2::write(parts, body, around, true)),
        EventFormat::FunctionUrl => Ok(v2::write(parts, body, around, false)),
        EventFormat::AwsV1 => Ok(v1::write(parts, body, around)),
        EventFormat::Alb => Ok(alb::write(parts, body, around, false)),
        EventFormat::AlbMultiValue => Ok(alb::write(parts, body, around, true)),
        EventFormat::Scaleway => Ok(scaleway::write(parts, body, around)),
        EventFormat::Raw => raw::read(body),
        EventFormat::CloudEvents => cloudevents::read(parts, body),
    }
}

/// Returns an event: taken apart if its shape is known, else as text.
fn finished(event: &impl Serialize, content: Option<&Body<'_>>, body: &Bytes) -> Payload {
    let beside = if matches!(content, Some(Body::Text)) { body } else { &Bytes::new() };
    let event = Shaped::of(event, beside);
    if event.is_known() { Payload::Shaped(event) } else { Payload::Json(event.to_json()) }
}

/// Makes an X-Ray header for an invocation that brought none.
pub(super) fn new_trace_id(time: DateTime<Utc>, seed: &uuid::Uuid) -> String {
    let digits = seed.simple().to_string();
    format!("Root=1-{:08x}-{}", time.timestamp(), &digits[..24])
}

/// A time in the form `12/Mar/2020:19:03:58 +0000`.
struct Clock(DateTime<Utc>);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (date, time) = (self.0.date_naive(), self.0.time());
        // Padding by the formatter costs more than all the rest.
        let two = |f: &mut fmt::Formatter<'_>, number: u32| {
            let digit = |number: u32| char::from(b'0' + (number % 10) as u8);
            f.write_char(digit(number / 10))?;
            f.write_char(digit(number))
        };
        two(f, date.day())?;
        write!(f, "/{}/", MONTHS[date.month0() as usize])?;
        let year = date.year().unsigned_abs();
        two(f, year / 100)?;
        two(f, year)?;
        for number in [time.hour(), time.minute(), time.second()] {
            f.write_char(':')?;
            two(f, number)?;
        }
        f.write_str(" +0000")
    }
}

impl Serialize for Clock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The parameters that a route took from the path, as a map.
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
        let is_text = |headers: &HeaderMap| {
            headers.get(header::CONTENT_TYPE).is_some_and(|value| is_text_type(&text(value)))
        };
        Self::unless(body, headers, is_text)
    }

    /// Chooses the form for those who take all that is text as such, whatever its type.
    fn of_any_type(headers: &HeaderMap, body: &'a Bytes) -> Option<Self> {
        Self::unless(body, headers, |_| true)
    }

    fn unless(
        body: &'a Bytes,
        headers: &HeaderMap,
        is_text: impl FnOnce(&HeaderMap) -> bool,
    ) -> Option<Self> {
        if body.is_empty() {
            return None;
        }
        let is_text = !headers.contains_key(header::CONTENT_ENCODING)
            && is_text(headers)
            && std::str::from_utf8(body).is_ok();
        Some(if is_text { Self::Text } else { Self::Bytes(body) })
    }

    fn is_encoded(&self) -> bool {
        matches!(self, Self::Bytes(_))
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text => Beside.serialize(serializer),
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

/// Returns all headers in their order, each value by itself, names in lower case: those of the request, then those that
/// platforms add.
fn headers<'a>(parts: &'a Parts, around: &'a EventContext<'_>) -> Vec<(&'a str, Cow<'a, str>)> {
    let own = &parts.headers;
    // A target that names a host is right, whatever the header says.
    let named = parts.uri.authority().map(http::uri::Authority::as_str);
    let host = named.map(|host| (header::HOST.as_str(), Cow::Borrowed(host)));
    let own = own
        .iter()
        .filter(|(name, _)| named.is_none() || **name != header::HOST)
        .map(|(name, value)| (name.as_str(), text(value)));
    let added = [
        (&FORWARDED_FOR, Cow::Owned(around.client.ip().to_string())),
        (&FORWARDED_PROTO, Cow::Borrowed(around.scheme)),
        (&FORWARDED_PORT, Cow::Owned(around.port.to_string())),
        (&TRACE_ID, Cow::Borrowed(around.trace_id)),
    ];
    let added = added.into_iter().filter(|(name, _)| !parts.headers.contains_key(*name));
    let added = added.map(|(name, value)| (name.as_str(), value));
    host.into_iter().chain(own).chain(added).collect()
}

/// Returns the parameters of a query in their order.
fn parameters(raw: &str) -> impl Iterator<Item = (&str, &str)> {
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// What a map has of pairs with names that occur several times: of each name all values, in the order of the first.
struct Grouped<'a>(Vec<(Cow<'a, str>, Vec<Cow<'a, str>>)>);

impl<'a> Grouped<'a> {
    fn new(pairs: impl IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>) -> Self {
        let mut all: Vec<(Cow<'a, str>, Vec<Cow<'a, str>>)> = Vec::new();
        // Looked up, not searched for: a query may have many thousand parameters.
        let mut places: HashMap<Cow<'a, str>, usize> = HashMap::new();
        for (name, value) in pairs {
            match places.get(&name) {
                Some(place) => all[*place].1.push(value),
                None => {
                    places.insert(name.clone(), all.len());
                    all.push((name, vec![value]));
                }
            }
        }
        Self(all)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the map with the last value of each name.
    fn last(&self) -> Last<'_> {
        Last(&self.0)
    }

    /// Returns the map with lists of values.
    fn lists(&self) -> Lists<'_> {
        Lists(&self.0)
    }
}

struct Last<'a>(&'a [(Cow<'a, str>, Vec<Cow<'a, str>>)]);

impl Serialize for Last<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, values)| (name, values.last())))
    }
}

struct Lists<'a>(&'a [(Cow<'a, str>, Vec<Cow<'a, str>>)]);

impl Serialize for Lists<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, values)| (name, values)))
    }
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
