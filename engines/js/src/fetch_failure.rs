//! The reason why a request of `fetch` got no response, in Node's terms: an error whose `cause` has a code to act on.

use deno_error::JsErrorBox;
use deno_runtime::{
    deno_core::url::{Host, Url},
    deno_fetch::FetchError,
    deno_tls::{
        rustls::{self, CertificateError},
        webpki,
    },
};
use serde_json::{Map, Value};
use std::{error::Error, io};

/// The class of errors that the prelude makes of a [`Cause`] in JSON.
const CLASS: &str = "TrineFetchFailed";

/// The members of the cause, in Node's order.
struct Cause(Map<String, Value>);

impl Cause {
    fn new(message: impl Into<String>, code: &str) -> Self {
        let mut members = Map::new();
        members.insert("message".to_owned(), message.into().into());
        if !code.is_empty() {
            members.insert("code".to_owned(), code.into());
        }
        Self(members)
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    fn named(self, name: &str) -> Self {
        self.with("name", name.into())
    }

    /// Makes the cause of a system error.
    fn of_system(error: &io::Error, number: i32, is_connecting: bool, url: &Url) -> Self {
        let code = ERRORS.iter().find(|(known, _)| *known == number).map_or("", |(_, code)| code);
        let call = match number {
            _ if is_connecting => "connect",
            libc::EPIPE => "write",
            _ => "read",
        };
        if code.is_empty() {
            return Self::new(format!("{call} {error}"), code)
                .with("errno", (-number).into())
                .with("syscall", call.into());
        }
        let place = match (is_connecting, url.host(), url.port_or_known_default()) {
            (true, Some(host), Some(port)) => format!(" {}:{port}", plain(&host)),
            _ => String::new(),
        };
        let cause = Self::new(format!("{call} {code}{place}"), code)
            .with("errno", (-number).into())
            .with("syscall", call.into());
        match (is_connecting, url.host(), url.port_or_known_default()) {
            (true, Some(host @ (Host::Ipv4(_) | Host::Ipv6(_))), Some(port)) => {
                cause.with("address", plain(&host).into()).with("port", port.into())
            }
            _ => cause,
        }
    }

    /// Makes the cause of a name that was not resolved.
    fn of_name(error: &io::Error, url: &Url) -> Self {
        let text = error.to_string();
        let (code, number) = match text.contains("emporary failure") {
            true => ("EAI_AGAIN", -3001),
            false => ("ENOTFOUND", -3008),
        };
        let host = url.host().map(|host| plain(&host)).unwrap_or_default();
        Self::new(format!("getaddrinfo {code} {host}"), code)
            .with("errno", number.into())
            .with("syscall", "getaddrinfo".into())
            .with("hostname", host.into())
    }

    fn of_tls(error: &rustls::Error, url: &Url) -> Self {
        let rustls::Error::InvalidCertificate(problem) = error else {
            let code = match error {
                rustls::Error::InvalidMessage(_) => "ERR_SSL_WRONG_VERSION_NUMBER",
                _ => "EPROTO",
            };
            return Self::new(error.to_string(), code);
        };
        match problem {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Self::new("certificate has expired", "CERT_HAS_EXPIRED")
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::new("certificate is not yet valid", "CERT_NOT_YET_VALID")
            }
            CertificateError::Revoked => Self::new("certificate revoked", "CERT_REVOKED"),
            CertificateError::BadSignature => {
                Self::new("certificate signature failure", "CERT_SIGNATURE_FAILURE")
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                let host = url.host_str().unwrap_or_default();
                let message = format!(
                    "Hostname/IP does not match certificate's altnames: {host} is not among them"
                );
                Self::new(message, "ERR_TLS_CERT_ALTNAME_INVALID").with("host", host.into())
            }
            CertificateError::UnknownIssuer => Self::new(
                "unable to verify the first certificate",
                "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
            ),
            // A self-signed certificate says that it is an authority.
            CertificateError::Other(other) if is_authority(other) => {
                Self::new("self-signed certificate", "DEPTH_ZERO_SELF_SIGNED_CERT")
            }
            other => Self::new(other.to_string(), "CERT_UNTRUSTED"),
        }
    }

    /// Makes the cause of a connection that ended before the response did.
    fn of_end(is_connecting: bool, url: &Url) -> Self {
        if is_connecting {
            let message =
                "Client network socket disconnected before secure TLS connection was established";
            let host = url.host_str().unwrap_or_default();
            return Self::new(message, "ECONNRESET").with("host", host.into());
        }
        Self::new("other side closed", "UND_ERR_SOCKET").named("SocketError")
    }
}

/// Returns the same error, in Node's terms where it is about the connection.
pub(crate) fn into_node_error(error: FetchError, url: &Url) -> FetchError {
    let FetchError::ClientSend(failed) = &error else { return error };
    let is_connecting = failed.is_connect_error();
    // An error in the stream that is the request's body is passed on as it is.
    let body = failed.source.source().and_then(|error| error.downcast_ref::<hyper::Error>());
    let is_body = body.is_some_and(hyper::Error::is_user);
    let found = match is_body {
        true => None,
        false => chain(&failed.source).find_map(|error| cause_of(error, is_connecting, url)),
    };
    let cause = found.unwrap_or_else(|| {
        let innermost = body.and_then(Error::source).map(ToString::to_string);
        Cause::new(innermost.unwrap_or_else(|| error.to_string()), "")
    });
    FetchError::Other(JsErrorBox::new(CLASS, Value::Object(cause.0).to_string()))
}

fn cause_of(error: &(dyn Error + 'static), is_connecting: bool, url: &Url) -> Option<Cause> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(Cause::of_tls(error, url));
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return match (error.raw_os_error(), error.kind()) {
            (Some(number), _) => Some(Cause::of_system(error, number, is_connecting, url)),
            (None, io::ErrorKind::UnexpectedEof) => Some(Cause::of_end(is_connecting, url)),
            (None, io::ErrorKind::TimedOut) => Some(
                Cause::new("Connect Timeout Error", "UND_ERR_CONNECT_TIMEOUT")
                    .named("ConnectTimeoutError"),
            ),
            (None, _) if error.to_string().contains("failed to lookup address") => {
                Some(Cause::of_name(error, url))
            }
            _ => None,
        };
    }
    let error = error.downcast_ref::<hyper::Error>()?;
    if error.is_incomplete_message() {
        return Some(Cause::of_end(false, url));
    }
    let message = "Response does not match the HTTP/1.1 protocol";
    error.is_parse().then(|| Cause::new(message, "HPE_INVALID_CONSTANT").named("HTTPParserError"))
}

/// Walks through an error and those that it wraps. I/O errors do not name those as their source.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}

fn is_authority(error: &rustls::OtherError) -> bool {
    matches!(error.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

/// Returns a host without the brackets that addresses have in URLs.
fn plain(host: &Host<&str>) -> String {
    match host {
        Host::Ipv6(address) => address.to_string(),
        other => other.to_string(),
    }
}

/// System errors of connections, and Node's names for them.
const ERRORS: &[(i32, &str)] = &[
    (libc::EACCES, "EACCES"),
    (libc::EADDRNOTAVAIL, "EADDRNOTAVAIL"),
    (libc::ECONNABORTED, "ECONNABORTED"),
    (libc::ECONNREFUSED, "ECONNREFUSED"),
    (libc::ECONNRESET, "ECONNRESET"),
    (libc::EHOSTUNREACH, "EHOSTUNREACH"),
    (libc::EMFILE, "EMFILE"),
    (libc::ENETDOWN, "ENETDOWN"),
    (libc::ENETUNREACH, "ENETUNREACH"),
    (libc::ENFILE, "ENFILE"),
    (libc::ENOTCONN, "ENOTCONN"),
    (libc::EPERM, "EPERM"),
    (libc::EPIPE, "EPIPE"),
    (libc::ETIMEDOUT, "ETIMEDOUT"),
];
