//! The access log: a line for each request that was answered.
//!
//! What may be secret is not in it: no query, no header but the names of the host and of the client's program, no body.

use super::forwarded::Origin;
use crate::telemetry::Log;
use chrono::{DateTime, SecondsFormat, Utc};
use http::{Method, StatusCode, Version, header, request::Parts};
use serde::Serialize;
use std::{
    fmt::{self, Write},
    net::IpAddr,
    str::FromStr,
    time::Instant,
};
use trine_engine::Level;

/// The form of the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessLog {
    /// An object a line.
    Json,
    /// The common log format of web servers.
    Common,
}

impl FromStr for AccessLog {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "json" => Ok(Self::Json),
            "common" => Ok(Self::Common),
            _ => Err("use json or common".to_owned()),
        }
    }
}

/// What is remembered of a request for its line.
#[derive(Debug)]
pub(super) struct Record {
    begin: Instant,
    time: DateTime<Utc>,
    client: IpAddr,
    scheme: &'static str,
    id: String,
    method: Method,
    host: Option<String>,
    path: String,
    protocol: &'static str,
    user_agent: Option<String>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome<'a> {
    pub(super) status: StatusCode,
    /// Bytes of the body that were sent.
    pub(super) bytes: u64,
    /// Whether the answer is whole.
    pub(super) is_whole: bool,
    /// The function that was asked for.
    pub(super) function: Option<&'a str>,
}

impl Record {
    pub(super) fn new(begin: Instant, parts: &Parts, origin: Origin, id: &str) -> Self {
        let text =
            |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Self {
            begin,
            time: Utc::now(),
            client: origin.client.ip(),
            scheme: origin.scheme,
            id: id.to_owned(),
            method: parts.method.clone(),
            host: super::target::host(parts).map(|host| String::from_utf8_lossy(host).into_owned()),
            path: parts.uri.path().to_owned(),
            protocol: match parts.version {
                Version::HTTP_10 => "HTTP/1.0",
                Version::HTTP_2 => "HTTP/2.0",
                _ => "HTTP/1.1",
            },
            user_agent: parts.headers.get(header::USER_AGENT).map(text),
        }
    }

    /// Writes the line to where the log goes, whatever level that has.
    pub(super) fn write(&self, form: AccessLog, log: &Log, outcome: Outcome<'_>) {
        let mut line = match form {
            AccessLog::Json => self.json(outcome),
            AccessLog::Common => self.common(outcome),
        };
        line.push('\n');
        log.verbatim(Level::Info, &line);
    }

    fn json(&self, outcome: Outcome<'_>) -> String {
        let micros = self.begin.elapsed().as_micros() as f64;
        let line = Line {
            timestamp: self.time.to_rfc3339_opts(SecondsFormat::Millis, true),
            r#type: "access",
            request_id: &self.id,
            client: self.client,
            method: self.method.as_str(),
            scheme: self.scheme,
            host: self.host.as_deref(),
            path: &self.path,
            protocol: self.protocol,
            status: outcome.status.as_u16(),
            bytes: outcome.bytes,
            duration_ms: micros / 1000.0,
            function: outcome.function,
            user_agent: self.user_agent.as_deref(),
            cut_off: !outcome.is_whole,
        };
        // Texts and numbers always have a JSON form.
        serde_json::to_string(&line).unwrap_or_default()
    }

    fn common(&self, outcome: Outcome<'_>) -> String {
        let time = self.time.format("%d/%b/%Y:%H:%M:%S %z");
        format!(
            "{} - - [{time}] \"{} {} {}\" {} {}",
            self.client,
            self.method,
            Escaped(&self.path),
            self.protocol,
            outcome.status.as_u16(),
            outcome.bytes
        )
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    timestamp: String,
    r#type: &'static str,
    request_id: &'a str,
    client: IpAddr,
    method: &'a str,
    scheme: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    path: &'a str,
    protocol: &'static str,
    status: u16,
    bytes: u64,
    duration_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut_off: bool,
}

/// A text within quotes, on one line.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'"' | b'\\' => write!(f, "\\{}", char::from(byte))?,
                b' '..=b'~' => f.write_char(char::from(byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_client_sends_ends_a_line_or_a_quote() {
        assert_eq!(Escaped("/a\"b\\c\n\u{e9}%0a").to_string(), "/a\\\"b\\\\c\\x0a\\xc3\\xa9%0a");
    }
}
