//! An event as a request.

use super::WebForm;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;
use std::{
    borrow::Cow,
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};
use trine_engine::{Error, ErrorKind, Fields, RequestBody, Result, WebRequest};

/// What cannot stand in a path as it is sent. A percent sign is one that was sent.
const IN_PATHS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');
/// What is written with percent signs in a query that was decoded.
const IN_QUERIES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The stage that stands for none.
const NO_STAGE: &str = "$default";

/// Makes the request that an event stands for, and tells its form.
///
/// # Errors
/// [`ErrorKind::Unmarshal`] when the event is no web request, or its body is no base64 where it says so.
pub(crate) fn request_of(text: Bytes) -> Result<(WebRequest, WebForm)> {
    let event: Event<'_> = serde_json::from_slice(&text).map_err(|e| no_request(&e.to_string()))?;
    let (mut request, form) = event.into_request()?;
    request.event = Some(text);
    Ok((request, form))
}

fn no_request(why: &str) -> Error {
    let message = format!(
        "the event is no web request, which a web application needs ({why}): it takes those of API Gateway, load balancers and \
         function URLs; a function for other events is named as the handler, or says TRINE_INTERFACE=event"
    );
    Error::new(ErrorKind::Unmarshal, message)
}

/// The members of an event that say something of its request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    cookies: Option<Vec<String>>,
    http_method: Option<String>,
    path: Option<String>,
    headers: Option<Pairs<Value>>,
    multi_value_headers: Option<Pairs<Vec<String>>>,
    query_string_parameters: Option<Pairs<String>>,
    multi_value_query_string_parameters: Option<Pairs<Vec<String>>>,
    request_context: Option<RequestContext>,
    #[serde(borrow)]
    body: Option<Cow<'a, str>>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// Pairs in their order.
struct Pairs<V>(Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<V> {
            type Value = Pairs<V>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Pairs<V>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visitor(std::marker::PhantomData))
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    http: Option<Http>,
    elb: Option<Value>,
    stage: Option<String>,
    path: Option<String>,
    protocol: Option<String>,
    domain_name: Option<String>,
    identity: Option<Identity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    path: Option<String>,
    protocol: Option<String>,
    source_ip: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    source_ip: Option<String>,
}

/// What the forms say each in their own way.
struct Target {
    method: String,
    path: String,
    mount: String,
    query: Option<String>,
    protocol: Option<String>,
    client: Option<String>,
}

impl Event<'_> {
    fn into_request(mut self) -> Result<(WebRequest, WebForm)> {
        let mut context = self.request_context.take().unwrap_or_default();
        let domain = context.domain_name.clone();
        let headers = self.fields();
        let (target, form) = match (context.http.take(), &context.elb) {
            (Some(http), _) => (self.of_v2(http, context.stage.take()), WebForm::V2),
            (None, Some(_)) => self.of_alb(&headers)?,
            (None, None) => (self.of_v1(context)?, WebForm::V1),
        };
        let header =
            |name: &str| headers.get(name).and_then(|value| std::str::from_utf8(value).ok());
        let scheme = header("x-forwarded-proto").unwrap_or("https").to_owned();
        let host =
            header("host").map(str::to_owned).or(domain).unwrap_or_else(|| "localhost".to_owned());
        let (name, own) = split_port(&host);
        let forwarded = header("x-forwarded-port").and_then(|port| port.parse().ok());
        let port = own.or(forwarded).unwrap_or(if scheme == "http" { 80 } else { 443 });
        let mut request = WebRequest::new(target.method, target.path, (name, port));
        request.mount = target.mount;
        request.scheme = scheme;
        request.query = target.query;
        request.client = target
            .client
            .and_then(|client| client.parse::<IpAddr>().ok())
            .map(|ip| SocketAddr::new(ip, 0));
        if let Some(version) =
            target.protocol.as_deref().and_then(|protocol| protocol.strip_prefix("HTTP/"))
        {
            request.version = version
                .strip_suffix(".0")
                .filter(|major| *major != "1")
                .unwrap_or(version)
                .to_owned();
        }
        request.headers = headers;
        let body = match self.body {
            None => Bytes::new(),
            Some(text) if self.is_base64_encoded => {
                let bytes = BASE64
                    .decode(text.as_bytes())
                    .map_err(|e| no_request(&format!("its body is no base64: {e}")))?;
                Bytes::from(bytes)
            }
            Some(text) => Bytes::from(text.into_owned()),
        };
        if !body.is_empty() && !request.headers.contains("content-length") {
            request.headers.push("content-length", body.len().to_string());
        }
        Ok((request.with_body(RequestBody::Whole(body)), form))
    }

    fn of_v2(&mut self, http: Http, stage: Option<String>) -> Target {
        let path = self.raw_path.take().or(http.path).unwrap_or_default();
        let stage = stage
            .filter(|stage| stage != NO_STAGE && !stage.is_empty())
            .map(|stage| format!("/{stage}"));
        let is_in = |stage: &String| {
            path.strip_prefix(stage.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let mount = stage.filter(is_in).unwrap_or_default();
        Target {
            method: http.method,
            path: as_sent(&path),
            mount,
            query: self.raw_query_string.take().filter(|query| !query.is_empty()),
            protocol: http.protocol,
            client: http.source_ip,
        }
    }

    fn of_v1(&mut self, context: RequestContext) -> Result<Target> {
        let (Some(method), Some(path)) = (self.http_method.take(), self.path.take()) else {
            return Err(no_request("it has neither requestContext.http nor httpMethod and path"));
        };
        // Whoever asks under a domain of its own sees no stage.
        let stage = context.stage.map(|stage| format!("/{stage}")).filter(|stage| {
            context.path.as_deref().and_then(|whole| whole.strip_prefix(stage.as_str()))
                == Some(path.as_str())
        });
        let mount = stage.unwrap_or_default();
        Ok(Target {
            method,
            path: format!("{mount}{}", as_sent(&path)),
            mount,
            query: self.query(|text| Cow::Owned(utf8_percent_encode(text, IN_QUERIES).to_string())),
            protocol: context.protocol,
            client: context.identity.and_then(|identity| identity.source_ip),
        })
    }

    fn of_alb(&mut self, headers: &Fields) -> Result<(Target, WebForm)> {
        let (Some(method), Some(path)) = (self.http_method.take(), self.path.take()) else {
            return Err(no_request("it has neither httpMethod nor path"));
        };
        let form =
            if self.multi_value_headers.is_some() { WebForm::AlbMultiValue } else { WebForm::Alb };
        // The last address is the one that the load balancer has seen itself.
        let forwarded =
            headers.get("x-forwarded-for").and_then(|value| std::str::from_utf8(value).ok());
        let client =
            forwarded.and_then(|all| all.rsplit(',').next()).map(|last| last.trim().to_owned());
        let query = self.query(|text| Cow::Borrowed(text));
        let target = Target {
            method,
            path: as_sent(&path),
            mount: String::new(),
            query,
            protocol: None,
            client,
        };
        Ok((target, form))
    }

    /// Returns the query, put together of its parameters, each of which `encode` writes.
    fn query(&mut self, encode: impl for<'t> Fn(&'t str) -> Cow<'t, str>) -> Option<String> {
        let lists = self.multi_value_query_string_parameters.take().map(|pairs| pairs.0);
        let singles = self.query_string_parameters.take().map(|pairs| pairs.0);
        let pairs: Vec<(String, String)> = match lists {
            Some(lists) => lists
                .into_iter()
                .flat_map(|(name, values)| {
                    values.into_iter().map(move |value| (name.clone(), value))
                })
                .collect(),
            None => singles?,
        };
        let shown = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        Some(shown.collect::<Vec<_>>().join("&")).filter(|query| !query.is_empty())
    }

    /// Returns the header fields, names in lower case.
    fn fields(&mut self) -> Fields {
        let mut fields = Fields::default();
        let lists = self.multi_value_headers.as_ref().map(|pairs| &pairs.0).into_iter().flatten();
        let mut listed = BTreeSet::new();
        for (name, values) in lists {
            let name = name.to_ascii_lowercase();
            for value in values {
                fields.push(&name, value);
            }
            listed.insert(name);
        }
        for (name, value) in self.headers.take().map(|pairs| pairs.0).into_iter().flatten() {
            let name = name.to_ascii_lowercase();
            if listed.contains(&name) {
                continue;
            }
            match value {
                Value::String(value) => fields.push(name, value),
                Value::Null => {}
                other => fields.push(name, other.to_string()),
            }
        }
        if let Some(cookies) =
            self.cookies.take().filter(|cookies| !cookies.is_empty() && !fields.contains("cookie"))
        {
            fields.push("cookie", cookies.join("; "));
        }
        fields
    }
}

/// Returns a path with percent signs for what nobody can have sent.
fn as_sent(path: &str) -> String {
    let path = if path.is_empty() { "/" } else { path };
    utf8_percent_encode(path, IN_PATHS).to_string()
}

/// Returns a host without its port, and the port.
fn split_port(host: &str) -> (String, Option<u16>) {
    match host.rsplit_once(':') {
        // The colons of an IPv6 address are inside brackets.
        Some((name, port)) if !port.contains(']') => (name.to_owned(), port.parse().ok()),
        _ => (host.to_owned(), None),
    }
}
