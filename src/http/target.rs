//! The target of a request: whether it and the `Host` are valid, and what they say together. Contract: RFC 9112 §3.
//!
//! The HTTP library below refuses what it cannot parse; what it parses and the contract forbids is refused here, before
//! any function sees it.

use http::{HeaderMap, Method, StatusCode, Uri, Version, header, request::Parts};
use std::net::{Ipv4Addr, Ipv6Addr};

/// A request that is refused: the status, and the reason in words for the client.
pub(super) type Refused = (StatusCode, &'static str);

/// Whether a request is one that the server as a whole answers: `OPTIONS *`.
pub(super) fn is_for_the_server(parts: &Parts) -> bool {
    parts.uri.path() == "*" && parts.method == Method::OPTIONS
}

/// Checks a request line and the headers that go with it.
///
/// # Errors
/// 501 for what the server does not do: tunnels, transfer codings other than `chunked`; 400 for the rest.
pub(super) fn check(parts: &Parts) -> Result<(), Refused> {
    if parts.method == Method::CONNECT {
        return Err((StatusCode::NOT_IMPLEMENTED, "this server opens no tunnels"));
    }
    // HTTP/2 has the host in its target, and may have the header beside it.
    if parts.version != Version::HTTP_2 || parts.uri.authority().is_none() {
        check_host(parts.version, &parts.headers)?;
    }
    check_target(&parts.method, &parts.uri)?;
    check_coding(&parts.headers)
}

/// Returns the host that a request is for, with its port: the target's if that names one, else the header's.
pub(super) fn host(parts: &Parts) -> Option<&[u8]> {
    match parts.uri.authority() {
        Some(authority) => Some(authority.as_str().as_bytes()),
        None => parts.headers.get(header::HOST).map(http::HeaderValue::as_bytes),
    }
}

/// Returns the version of the protocol that a request came by, as conventions of the Web call it.
pub(super) fn version_of(parts: &Parts) -> &'static str {
    match parts.version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

fn check_host(version: Version, headers: &HeaderMap) -> Result<(), Refused> {
    let bad = |why| Err((StatusCode::BAD_REQUEST, why));
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if version < Version::HTTP_11 => Ok(()),
        (None, _) => bad("the request has no Host header"),
        (Some(_), Some(_)) => bad("the request has more than one Host header"),
        (Some(host), None) if !is_host(host.as_bytes()) => {
            bad("the request's Host header is no host with an optional port")
        }
        (Some(_), None) => Ok(()),
    }
}

fn check_target(method: &Method, uri: &Uri) -> Result<(), Refused> {
    let bad = |why| Err((StatusCode::BAD_REQUEST, why));
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme), Some(authority)) => {
            if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
                return bad("the request's target is of a scheme that is not served here");
            }
            // The only use of a user name in a target is to deceive.
            if !is_host(authority.as_str().as_bytes()) || authority.host().is_empty() {
                return bad("the request's target names no host with an optional port");
            }
            Ok(())
        }
        (None, None) if uri.path().starts_with('/') => Ok(()),
        (None, None) if uri.path() == "*" && method == Method::OPTIONS => Ok(()),
        _ => bad("the request's target is no path and no URI"),
    }
}

/// Accepts the one coding that is removed on the way in; a handler could not tell others from the body.
fn check_coding(headers: &HeaderMap) -> Result<(), Refused> {
    let mut values = headers.get_all(header::TRANSFER_ENCODING).iter();
    let chunked = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    match (values.next(), values.next()) {
        (None, _) => Ok(()),
        (Some(value), None) if chunked(value) => Ok(()),
        (Some(value), Some(other)) if chunked(value) && chunked(other) => {
            Err((StatusCode::BAD_REQUEST, "the request's body is said to be chunked twice"))
        }
        _ => Err((StatusCode::NOT_IMPLEMENTED, "the only transfer coding served here is chunked")),
    }
}

/// Whether it is `uri-host [ ":" port ]` (RFC 9110 §7.2), or empty, as in a target without host; not a port alone.
pub(super) fn is_host(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let end = match text.strip_prefix('[').and_then(|inner| inner.find(']')) {
        Some(bracket) => bracket + 2,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at(end);
    let port = match rest.strip_prefix(':') {
        Some(port) => is_port(port),
        None => rest.is_empty(),
    };
    let literal = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let host_is_valid = match literal {
        Some(address) => address.parse::<Ipv6Addr>().is_ok() || is_future_address(address),
        None => host.parse::<Ipv4Addr>().is_ok() || is_name(host),
    };
    port && host_is_valid && (!host.is_empty() || rest.is_empty())
}

/// Whether it is `*DIGIT`, and a valid port number.
fn is_port(text: &str) -> bool {
    let digits = text.trim_start_matches('0');
    text.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.is_empty() || digits.parse::<u16>().is_ok())
}

/// Whether it is `"v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )`.
fn is_future_address(text: &str) -> bool {
    let Some((version, rest)) = text.strip_prefix(['v', 'V']).and_then(|t| t.split_once('.'))
    else {
        return false;
    };
    !version.is_empty()
        && version.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte == b':' || is_of_a_name(byte))
}

/// Whether it is `*( unreserved / pct-encoded / sub-delims )`.
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let valid = match byte {
            b'%' => {
                let digits = (bytes.next(), bytes.next());
                matches!(digits, (Some(a), Some(b)) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
            }
            byte => is_of_a_name(byte),
        };
        if !valid {
            return false;
        }
    }
    true
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn status(request: http::request::Builder) -> u16 {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(&parts).map_or_else(|(status, _)| status.as_u16(), |()| 200)
    }

    #[test]
    fn a_host_is_a_name_or_an_address_and_an_optional_port() {
        for host in [
            "example.com",
            "example.com:80",
            "example.com:",
            "EXAMPLE.com:00080",
            "example.com:0",
            "my_service",
            "xn--bcher-kva.example",
            "a%20b",
            "127.0.0.1:9000",
            "[::1]",
            "[::1]:9000",
            "[::ffff:1.2.3.4]:1",
            "[v1.a:b]",
            "",
        ] {
            assert!(is_host(host.as_bytes()), "{host:?}");
        }
        for host in [
            "a b",
            "a, b",
            "a/b",
            "user@example.com",
            "http://example.com",
            "example.com:80:80",
            "example.com:http",
            "example.com:-1",
            "example.com:65536",
            ":80",
            ":",
            "::1",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "[]",
            "[fe80::1%25eth0]",
            "[1.2.3.4]",
            "[v.a]",
            "a%2",
            "a%zz",
            "a\\b",
            "a?b",
            "a#b",
            "<script>",
            "bücher.example",
        ] {
            assert!(!is_host(host.as_bytes()), "{host:?}");
        }
        assert!(!is_host(b"a\xff"));
    }

    #[test]
    fn a_request_has_one_host_unless_it_is_of_an_old_version() {
        assert_eq!(status(Request::get("/").header("host", "a")), 200);
        assert_eq!(status(Request::get("/")), 400);
        assert_eq!(status(Request::get("http://a/")), 400);
        assert_eq!(status(Request::get("/").header("host", "a").header("host", "a")), 400);
        assert_eq!(status(Request::get("/").header("host", "a b")), 400);
        let old = || Request::get("/").version(Version::HTTP_10);
        assert_eq!(status(old()), 200);
        assert_eq!(status(old().header("host", "a").header("host", "b")), 400);
        assert_eq!(status(old().header("host", "a/b")), 400);
    }

    #[test]
    fn a_target_is_a_path_a_uri_or_the_servers_star() {
        let of = |method: &str, target: &str| {
            status(Request::builder().method(method).uri(target).header("host", "a"))
        };
        for target in ["/", "/a?b", "//a", "http://b/c", "HTTPS://b:1?x", "http://[::1]/"] {
            assert_eq!(of("GET", target), 200, "{target}");
        }
        for target in ["*", "a", "a:80", "ftp://b/c", "http://u:p@b/", "http://b:99999/"] {
            assert_eq!(of("GET", target), 400, "{target}");
        }
        assert_eq!(of("OPTIONS", "*"), 200);
        assert_eq!(of("CONNECT", "a:443"), 501);
        assert_eq!(of("CONNECT", "/"), 501);
    }

    #[test]
    fn a_body_is_chunked_or_not_coded() {
        let of = |codings: &[&str]| {
            let request = Request::post("/").header("host", "a");
            status(codings.iter().fold(request, |all, next| all.header("transfer-encoding", *next)))
        };
        assert_eq!((of(&[]), of(&["chunked"]), of(&["Chunked"])), (200, 200, 200));
        assert_eq!(of(&["chunked", "chunked"]), 400);
        assert_eq!((of(&["gzip, chunked"]), of(&["gzip", "chunked"])), (501, 501));
    }

    #[test]
    fn the_targets_host_comes_before_the_header() {
        let of = |target: &str| {
            let request = Request::get(target).header("host", "a:1").body(()).unwrap();
            host(&request.into_parts().0).map(|host| String::from_utf8_lossy(host).into_owned())
        };
        assert_eq!(of("/").as_deref(), Some("a:1"));
        assert_eq!(of("http://b:2/c").as_deref(), Some("b:2"));
    }
}
