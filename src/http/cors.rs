//! Calls from pages of other origins, where a server allows all of them. Contract: the Fetch standard, "HTTP CORS protocol".

use super::{
    own::is_own,
    response::{Reply, finish},
    service::Service,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};

/// The time for which a browser need not ask again, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const TRUE: HeaderValue = HeaderValue::from_static("true");
const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
const PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// A page of another origin.
pub(super) struct Caller {
    origin: HeaderValue,
}

impl Caller {
    /// Returns the page that sends a request, if one does; nobody is allowed at what is the server's own.
    pub(super) fn of(parts: &Parts) -> Option<Self> {
        let origin = parts.headers.get(header::ORIGIN)?;
        (!is_own(parts.uri.path())).then(|| Self { origin: origin.clone() })
    }

    /// Lets the page read an answer. What the function itself says of that stays.
    pub(super) fn allow(&self, headers: &mut HeaderMap) {
        if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        let names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        let names = HeaderValue::from_str(&names.join(", "));
        if let Ok(names) = names {
            headers.entry(header::ACCESS_CONTROL_EXPOSE_HEADERS).or_insert(names);
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone());
        headers.entry(header::ACCESS_CONTROL_ALLOW_CREDENTIALS).or_insert(TRUE);
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
}

impl Service {
    /// Returns the answer to a browser that asks beforehand whether a page may send a request.
    pub(super) fn cross_origin(&self, parts: &Parts) -> Option<Reply> {
        let asks = self.options.cors
            && parts.method == Method::OPTIONS
            && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || Caller::of(parts).is_none() {
            return None;
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        headers.insert(PRIVATE_NETWORK, TRUE);
        if let Some(wanted) = parts.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
        }
        Some(finish(&Method::OPTIONS, StatusCode::NO_CONTENT, headers, Bytes::new(), ""))
    }
}
