//! Who may use the console: its own page alone.
//!
//! A page of another site can send requests here, and under a name of its own that leads to this machine it could read the
//! answers, too. So the host has to be this machine's, an origin has to be the same, and the token, which only the page
//! is given, has to be there: in a header of its own that other sites cannot send without being asked for leave, which
//! nobody gives them.

use super::super::target;
use http::{HeaderMap, HeaderName, header, request::Parts};
use std::net::IpAddr;

/// The header with the token.
pub(super) const TOKEN: HeaderName = HeaderName::from_static("x-trine-token");

static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
static FETCH_DESTINATION: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Checks that a request is for this machine under a name of its own, and comes from no other site.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check_place(parts: &Parts, scheme: &str, port: u16) -> Result<(), String> {
    let host = target::host(parts).and_then(|host| std::str::from_utf8(host).ok());
    let Some(host) = host.filter(|host| is_this_machine(host, scheme, port)) else {
        return Err(format!(
            "the console is for this machine alone: open it as {scheme}://127.0.0.1:{port}/.trine/ or {scheme}://localhost:{port}/.trine/"
        ));
    };
    let own = format!("{scheme}://{host}");
    let mut origins = parts.headers.get_all(header::ORIGIN).iter();
    if !origins.all(|origin| origin.as_bytes().eq_ignore_ascii_case(own.as_bytes())) {
        return Err("the console takes no requests from other sites".to_owned());
    }
    match text(&parts.headers, &FETCH_SITE) {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => Err("the console takes no requests from other sites".to_owned()),
    }
}

/// Checks that the page itself is wanted by a person, not by a script: what functions of this server send to browsers is of the
/// same origin, and need not know the token.
///
/// # Errors
/// What is wrong.
pub(super) fn check_reader(headers: &HeaderMap) -> Result<(), String> {
    match text(headers, &FETCH_DESTINATION) {
        None | Some("document") => Ok(()),
        Some(_) => {
            Err("the console is a page to be opened, not to be loaded by another one".to_owned())
        }
    }
}

/// Checks a request's token.
///
/// # Errors
/// What is wrong.
pub(super) fn check_token(headers: &HeaderMap, token: &str) -> Result<(), String> {
    let mut all = headers.get_all(&TOKEN).iter();
    match (all.next(), all.next()) {
        (Some(given), None) if is_same(given.as_bytes(), token.as_bytes()) => Ok(()),
        (None, _) => Err(format!(
            "the header {TOKEN} is missing: requests to this path are the console's own"
        )),
        _ => Err(format!("the token in {TOKEN} is not this server's: reload the page")),
    }
}

/// Compares in a time that does not tell how much is right.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

/// Whether a host with a port is this machine as browsers know it without asking anybody, and the port this server's.
fn is_this_machine(host: &str, scheme: &str, port: u16) -> bool {
    let usual = if scheme == "https" { 443 } else { 80 };
    let (name, given) = match host.rsplit_once(':') {
        Some((name, given)) if !given.ends_with(']') => (name, given.parse().ok()),
        _ => (host, Some(usual)),
    };
    let address = name.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let is_local = name.eq_ignore_ascii_case("localhost")
        || address.unwrap_or(name).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_local && given == Some(port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let request = Request::get("/.trine/api/functions");
        let request = headers.iter().fold(request, |all, (name, value)| all.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_host_is_this_machine_with_the_servers_port() {
        for host in
            ["127.0.0.1:9000", "localhost:9000", "LOCALHOST:9000", "[::1]:9000", "127.9.9.9:9000"]
        {
            assert_eq!(check_place(&parts(&[("host", host)]), "http", 9000), Ok(()), "{host}");
        }
        for host in [
            "evil.example:9000",
            "localhost.evil.example:9000",
            "127.0.0.1.evil.example:9000",
            "127.0.0.1:9001",
            "127.0.0.1",
            "localhost",
            "192.168.0.1:9000",
            "0.0.0.0:9000",
            "[::]:9000",
            "",
        ] {
            assert!(check_place(&parts(&[("host", host)]), "http", 9000).is_err(), "{host}");
        }
        assert!(check_place(&parts(&[]), "http", 9000).is_err());
        assert_eq!(check_place(&parts(&[("host", "localhost")]), "http", 80), Ok(()));
        assert_eq!(check_place(&parts(&[("host", "localhost")]), "https", 443), Ok(()));
    }

    #[test]
    fn an_origin_is_the_same_or_none() {
        let of = |name, value| {
            check_place(&parts(&[("host", "127.0.0.1:9000"), (name, value)]), "http", 9000)
        };
        assert_eq!(of("origin", "http://127.0.0.1:9000"), Ok(()));
        for other in [
            "http://localhost:9000",
            "https://127.0.0.1:9000",
            "http://127.0.0.1:9001",
            "http://evil.example",
            "null",
            "",
        ] {
            assert!(of("origin", other).is_err(), "{other}");
        }
        assert_eq!(
            (of("sec-fetch-site", "same-origin"), of("sec-fetch-site", "none")),
            (Ok(()), Ok(()))
        );
        assert!(
            of("sec-fetch-site", "cross-site").is_err()
                && of("sec-fetch-site", "same-site").is_err()
        );
    }

    #[test]
    fn the_page_is_for_people() {
        let of = |destination| check_reader(&parts(&[("sec-fetch-dest", destination)]).headers);
        assert_eq!((check_reader(&HeaderMap::new()), of("document")), (Ok(()), Ok(())));
        assert!(of("empty").is_err() && of("iframe").is_err() && of("script").is_err());
    }

    #[test]
    fn a_token_is_there_once_and_right() {
        let of = |tokens: &[&str]| {
            let headers: Vec<(&str, &str)> =
                tokens.iter().map(|token| ("x-trine-token", *token)).collect();
            check_token(&parts(&headers).headers, "secret").is_ok()
        };
        assert!(of(&["secret"]));
        for wrong in [&[][..], &[""], &["secre"], &["secret2"], &["Secret"], &["secret", "secret"]]
        {
            assert!(!of(wrong), "{wrong:?}");
        }
    }
}
