//! Errors while setting up a server, and errors of a function, with the response that its caller gets.

use super::{
    format::EventFormat,
    options::ErrorDetail,
    response::{Reply, finish},
    scaleway,
    tls::TlsError,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;
use std::{io, net::SocketAddr, path::PathBuf};
use trine_engine::{Error, ErrorDialect, ErrorKind};

/// The longest error document that is sent, in bytes.
const DOCUMENT_LIMIT: usize = 64 * 1024;

/// The header by which Lambda's Invoke API tells a function's error from its result.
pub(super) const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");

/// The reason why a server could not start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A port on which another process listens.
    #[error(
        "port {} is in use on {}: stop what listens there, or choose another port with --port or \
         the variable PORT (0 takes any free one); servers share a port if each has --share-port",
        .0.port(),
        .0.ip()
    )]
    PortInUse(SocketAddr),
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// A socket that is no port and cannot be listened on: its name, and the problem.
    #[error("cannot listen on {0}: {1}")]
    Socket(String, String),
    /// A certificate or a key that cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address at which metrics cannot be served.
    #[error("cannot listen on {address}, which --metrics names: {source}")]
    Metrics {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// An error in the file of routes.
    #[error("{}:{line}: {message}", .file.display())]
    Routes {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The problem there.
        message: String,
    },
    /// A function that was not found.
    #[error(transparent)]
    Function(#[from] Error),
    /// A path with nothing to serve.
    #[error("{0}")]
    NothingToServe(String),
    /// A thread or a runtime that could not be started.
    #[error("cannot start a worker")]
    Start(#[source] io::Error),
    /// The end of every worker, though nobody asked for it.
    #[error("all workers have ended by a fault of the runtime; their last words are in the log")]
    WorkersLost,
}

/// Returns the HTTP status for a kind of error.
pub fn status(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::Timeout => 504,
        ErrorKind::Marshal | ErrorKind::ResponseTooLarge => 502,
        _ => 500,
    }
}

/// Returns the response for a function's error, as callers of functions with events of this form get it.
pub(super) fn failure(
    format: EventFormat,
    method: &Method,
    error: &Error,
    dialect: ErrorDialect,
    request_id: &str,
    detail: ErrorDetail,
) -> Reply {
    if format == EventFormat::Scaleway {
        let shown = (detail == ErrorDetail::Full).then_some(error);
        return scaleway::failure(method, error.kind(), shown, dialect);
    }
    let status =
        StatusCode::from_u16(status(error.kind())).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let status = match format {
        EventFormat::AwsV2 | EventFormat::CloudEvents | EventFormat::Raw => status,
        // What is behind these services is a gateway's fault for them.
        _ if status == StatusCode::INTERNAL_SERVER_ERROR => StatusCode::BAD_GATEWAY,
        _ => status,
    };
    let mut reply = match detail {
        ErrorDetail::Full => {
            let document = dialect.document(error, Some(request_id), DOCUMENT_LIMIT);
            finish(method, status, HeaderMap::new(), Bytes::from(document), "application/json")
        }
        ErrorDetail::Hidden => hidden_failure(format, method, status),
    };
    if format == EventFormat::Raw {
        reply.headers_mut().insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
    }
    reply
}

/// Returns what a service says of a failure behind it, which tells nothing but the status.
pub(super) fn hidden_failure(format: EventFormat, method: &Method, status: StatusCode) -> Reply {
    let reason = status.canonical_reason().unwrap_or("Error");
    let page = |text: String, content_type| {
        finish(method, status, HeaderMap::new(), Bytes::from(text), content_type)
    };
    match format {
        EventFormat::AwsV1 if status == StatusCode::GATEWAY_TIMEOUT => {
            refusal(method, status, "Endpoint request timed out")
        }
        EventFormat::AwsV1 => refusal(method, status, "Internal server error"),
        EventFormat::Alb | EventFormat::AlbMultiValue => {
            let title = format!("{} {reason}", status.as_u16());
            let text = format!(
                "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
                 </body>\r\n</html>\r\n"
            );
            page(text, "text/html")
        }
        EventFormat::Scaleway => scaleway::malformed(method, None),
        EventFormat::FunctionUrl => page("Internal Server Error".to_owned(), "text/plain"),
        EventFormat::AwsV2 | EventFormat::CloudEvents | EventFormat::Raw => hidden(method, status),
    }
}

/// Returns the response to what the function did not get to see, or to an invalid result: `{"message": …}`.
pub(super) fn refusal(method: &Method, status: StatusCode, message: &str) -> Reply {
    let body = json!({ "message": message }).to_string();
    finish(method, status, HeaderMap::new(), Bytes::from(body), "application/json")
}

/// Returns a response that tells nothing but the status.
pub(super) fn hidden(method: &Method, status: StatusCode) -> Reply {
    refusal(method, status, status.canonical_reason().unwrap_or("Error"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::response::sent_body;

    fn body(reply: Reply) -> String {
        String::from_utf8(sent_body(reply)).unwrap()
    }

    #[test]
    fn a_kind_of_error_has_a_status() {
        assert_eq!(status(ErrorKind::Timeout), 504);
        assert_eq!(status(ErrorKind::Marshal), 502);
        assert_eq!(status(ErrorKind::Guest), 500);
        assert_eq!(status(ErrorKind::OutOfMemory), 500);
    }

    #[test]
    fn a_caller_sees_an_error_in_full_or_not_at_all() {
        let error = Error::guest("TypeError", "no");
        let reply = |detail| {
            failure(EventFormat::AwsV2, &Method::GET, &error, ErrorDialect::PLAIN, "1", detail)
        };
        assert_eq!(
            body(reply(ErrorDetail::Full)),
            r#"{"errorMessage":"no","errorType":"TypeError","stackTrace":[]}"#
        );
        assert_eq!(body(reply(ErrorDetail::Hidden)), r#"{"message":"Internal Server Error"}"#);
    }

    #[test]
    fn a_busy_port_is_told_with_the_ways_out() {
        let text = ServeError::PortInUse("127.0.0.1:9000".parse().unwrap()).to_string();
        for part in ["port 9000", "127.0.0.1", "--port", "PORT"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
