//! The steps around a handler, in their order.

use super::{Trigger, open_to_all, told};
use crate::http::{arrival::Arrival, response::Reply, route::Route, service::Service, wire::Hold};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use hyper::body::Incoming;
use std::net::IpAddr;
use trine_engine::Level;

impl Service {
    /// Answers a request to a function with events of Scaleway's form.
    pub(in crate::http) async fn answer_scaleway(
        &self,
        arrival: &Arrival,
        hold: &Hold,
        mut parts: Parts,
        body: Incoming,
        route: &Route,
        parameters: &[(String, String)],
    ) -> Reply {
        let settings = &self.options.scaleway;
        if settings.local {
            pass_ingress(&mut parts.headers, arrival.origin.client.ip(), &arrival.id);
        }
        if settings.tells_requests {
            let facts = [("requestId", arrival.id.as_str().into())];
            self.log.line(Level::Info, "Function Triggered", &facts);
        }
        let answered = self.answer_whoever(arrival, hold, &parts, body, route, parameters).await;
        let mut reply = answered.unwrap_or_else(|refused| refused);
        open_to_all(&mut reply);
        if settings.local {
            let server = reply.headers_mut().entry(header::SERVER);
            server.or_insert(HeaderValue::from_static("envoy"));
        }
        reply
    }

    /// # Errors
    /// The response to a request that the function does not get to see.
    async fn answer_whoever(
        &self,
        arrival: &Arrival,
        hold: &Hold,
        parts: &Parts,
        body: Incoming,
        route: &Route,
        parameters: &[(String, String)],
    ) -> Result<Reply, Reply> {
        arrival.is_for(route.function, self.shared.readiness.is_warm(route.function));
        let method = &parts.method;
        let is_passed_on = match parts.uri.path() {
            "/robots.txt" => false,
            "/favicon.ico" => self.options.scaleway.favicon,
            _ => true,
        };
        if !is_passed_on {
            let mut reply = Reply::default();
            *reply.status_mut() = StatusCode::NOT_FOUND;
            return Ok(reply);
        }
        let caller = self.let_in(route.function, parts).await?;
        let body = self.read(method, body, usize::MAX).await.map_err(|refused| {
            if refused.status() != StatusCode::PAYLOAD_TOO_LARGE {
                return refused;
            }
            let limit = self.options.body_limit;
            let text = format!("Request payload too large, max payload size = {limit} bytes");
            told(method, StatusCode::PAYLOAD_TOO_LARGE, &text)
        })?;
        hold.owe();
        if Trigger::of(&parts.headers).is_none() {
            let text = "Trigger Type is not supported by Scaleway Functions Runtime";
            return Err(told(method, StatusCode::BAD_REQUEST, text));
        }
        Ok(self.invoke(arrival, hold, parts, body, route, parameters, caller.as_ref()).await)
    }
}

/// Adds to a request what the platform's ingress adds, in the place of what the client may have sent.
fn pass_ingress(headers: &mut HeaderMap, address: IpAddr, request_id: &str) {
    let node = match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("\"[{address}]\""),
    };
    let added = [
        ("forwarded", format!("for={node};proto=http")),
        ("x-forwarded-for", address.to_string()),
        ("k-proxy-request", "activator".to_owned()),
        ("x-forwarded-proto", "http".to_owned()),
        ("x-envoy-external-address", address.to_string()),
        ("x-request-id", request_id.to_owned()),
    ];
    for (name, value) in added {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}
