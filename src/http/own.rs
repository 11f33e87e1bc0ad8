//! The server's own answers: about its health, its metrics, and itself.

use super::{
    error::refusal,
    metrics::{self, MetricsPlace},
    response::{Reply, finish},
    route::{Destination, OWN},
    service::{Service, only},
    target,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};

/// The path that tells whether the server answers at all; every path below `/.trine` is the server's own.
const HEALTH: &str = "/.trine/health";
/// The path that tells whether it takes further requests.
const READY: &str = "/.trine/ready";
/// The path of the metrics, where they have no port of their own.
const METRICS: &str = "/.trine/metrics";

/// Whether a path is one of the server's own.
pub(super) fn is_own(path: &str) -> bool {
    let rest = path.strip_prefix('/').and_then(|inner| inner.strip_prefix(OWN));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Service {
    /// Returns the server's own answers: to `OPTIONS *`, to questions about its health, and the list of functions.
    pub(super) fn own(&self, parts: &Parts) -> Option<Reply> {
        let (method, path) = (&parts.method, parts.uri.path());
        if target::is_for_the_server(parts) {
            return Some(no_content());
        }
        if is_own(path) {
            return Some(self.about_itself(method, path));
        }
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if reads && path == "/" {
            let destination = self.site.table().find(method, path);
            let is_free = destination == Destination::Nowhere
                && self.site.folder_for(method, path, &destination).is_none();
            return is_free.then(|| self.index(parts));
        }
        None
    }

    /// Says that requests are taken, and which triggers wait for their brokers. Those do not make a server unready: it
    /// answers requests all the same, and if all servers were taken out of service because a broker is away, its failure would
    /// be theirs.
    fn readiness(&self) -> String {
        let triggers = self.site.triggers().iter().zip(&self.shared.triggers);
        let away = triggers
            .filter(|(trigger, counts)| trigger.source.clock().is_none() && !counts.is_connected())
            .map(|(trigger, _)| format!("{} ({})", trigger.name, trigger.source.kind()));
        match away.collect::<Vec<_>>().join(", ").as_str() {
            "" => "ready".to_owned(),
            away => format!("ready; not connected: {away}"),
        }
    }

    fn about_itself(&self, method: &Method, path: &str) -> Reply {
        let (status, text) = match path {
            HEALTH => (StatusCode::OK, "ok".to_owned()),
            READY if self.is_draining() => (StatusCode::SERVICE_UNAVAILABLE, "draining".to_owned()),
            READY if !self.shared.readiness.has_any() => {
                (StatusCode::SERVICE_UNAVAILABLE, "no function can be loaded".to_owned())
            }
            READY => (StatusCode::OK, self.readiness()),
            METRICS if self.options.metrics == Some(MetricsPlace::Path) => {
                (StatusCode::OK, String::new())
            }
            _ => {
                let message = format!("the server's own paths are {HEALTH} and {READY}");
                return refusal(method, StatusCode::NOT_FOUND, &message);
            }
        };
        if !matches!(*method, Method::GET | Method::HEAD) {
            return only(method, path, "GET, HEAD");
        }
        let (body, content_type) = match self.shared.render_metrics(&self.closing) {
            Some(metrics) if path == METRICS => (Bytes::from(metrics), metrics::CONTENT_TYPE),
            _ => (Bytes::from(text), "text/plain"),
        };
        let mut headers = HeaderMap::new();
        // An earlier answer would tell nothing.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        finish(method, status, headers, body, content_type)
    }
}

/// Returns the answer to `OPTIONS *`.
fn no_content() -> Reply {
    let mut headers = HeaderMap::new();
    let methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
    headers.insert(header::ALLOW, HeaderValue::from_static(methods));
    finish(&Method::OPTIONS, StatusCode::NO_CONTENT, headers, Bytes::new(), "")
}
