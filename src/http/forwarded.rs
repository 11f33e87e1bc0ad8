//! The origin of a request: what its connection says, or what a trusted proxy says of the client behind it. Contracts: RFC
//! 7239 (`Forwarded`), and `X-Forwarded-For`, `-Proto` and `-Host` as proxies write them.
//!
//! Each proxy adds the address that it sees to the end of the list. So the list is read from its end, for as long as the
//! address before is one of a trusted proxy: what stands further in front anybody may have written.

use super::target::is_host;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, request::Parts, uri::PathAndQuery};
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

const FORWARDED: &str = "forwarded";
const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";
const HOST: &str = "x-forwarded-host";
/// The headers that nobody but a proxy has a say in.
const ALL: [HeaderName; 5] = [
    HeaderName::from_static(FORWARDED),
    HeaderName::from_static(FOR),
    HeaderName::from_static(PROTO),
    HeaderName::from_static(HOST),
    HeaderName::from_static("x-forwarded-port"),
];

/// The proxies whose word about their clients counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// The origin of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) client: SocketAddr,
    /// The scheme of the URL that the client asked for.
    pub(super) scheme: &'static str,
}

/// What one proxy says of what it has passed on.
#[derive(Debug, Default)]
struct Hop {
    client: Option<String>,
    proto: Option<String>,
    host: Option<String>,
}

impl FromStr for TrustedProxies {
    type Err = String;

    /// Reads a list of networks and addresses: `10.0.0.0/8,192.0.2.1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let network = |text: &str| {
            let text = text.trim();
            let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
            text.parse::<IpNet>().ok().or_else(address).ok_or_else(|| {
                format!("{text:?} is no network: write addresses such as 10.0.0.0/8, 192.0.2.1 or fd00::/8")
            })
        };
        text.split(',').map(network).collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Returns the origin of a request that came on a connection with this one. The host that a trusted proxy names takes
    /// the place of the request's; what anybody else says is taken out.
    pub(super) fn origin(&self, parts: &mut Parts, connection: Origin) -> Origin {
        if self.0.is_empty() {
            return connection;
        }
        if !self.trust(connection.client.ip()) {
            for name in &ALL {
                parts.headers.remove(name);
            }
            return connection;
        }
        let hops = hops(&parts.headers);
        let mut origin = connection;
        let mut depth = 0;
        for hop in &hops {
            let Some(client) = hop.client.as_deref().and_then(address) else { break };
            origin.client = SocketAddr::new(client, 0);
            depth += 1;
            if !self.trust(client) {
                break;
            }
        }
        // Who sees the client says how and what it asked; where nobody says, those behind may.
        let seen = &hops[..depth.max(1).min(hops.len())];
        let said = |part: fn(&Hop) -> Option<&String>| seen.iter().rev().find_map(part);
        if let Some(proto) = said(|hop| hop.proto.as_ref()) {
            match proto.to_ascii_lowercase().as_str() {
                "https" | "wss" => origin.scheme = "https",
                "http" | "ws" => origin.scheme = "http",
                _ => {}
            }
        }
        if let Some(host) = said(|hop| hop.host.as_ref())
            && !host.is_empty()
            && is_host(host.as_bytes())
            && let Ok(host) = HeaderValue::from_str(host)
        {
            put_host(parts, host);
        }
        origin
    }
}

/// Gives a request another host, whichever way it named its own.
fn put_host(parts: &mut Parts, host: HeaderValue) {
    parts.headers.insert(header::HOST, host);
    if parts.uri.authority().is_some() {
        let path = parts.uri.path_and_query().cloned();
        parts.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    }
}

/// Returns what proxies say, the nearest one first. Where both kinds of headers are there, those that begin with an X
/// count: more proxies set these, and pass on the other one as it was sent.
fn hops(headers: &HeaderMap) -> Vec<Hop> {
    if !headers.contains_key(FOR) && headers.contains_key(FORWARDED) {
        let texts = headers.get_all(FORWARDED).iter().filter_map(|value| value.to_str().ok());
        let mut hops: Vec<Hop> = texts.flat_map(|text| split(text, ',')).map(Hop::read).collect();
        hops.reverse();
        return hops;
    }
    let values = |name| {
        let texts = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let mut all: Vec<&str> = texts.flat_map(|text| text.split(',')).map(str::trim).collect();
        all.reverse();
        all
    };
    let (clients, protos, hosts) = (values(FOR), values(PROTO), values(HOST));
    let count = clients.len().max(protos.len()).max(hosts.len());
    let at = |list: &[&str], index: usize| list.get(index).map(|text| (*text).to_owned());
    (0..count)
        .map(|index| Hop {
            client: at(&clients, index),
            proto: at(&protos, index),
            host: at(&hosts, index),
        })
        .collect()
}

impl Hop {
    /// Reads an element of `Forwarded`: `for=192.0.2.1;proto=https;host="a:80"`.
    fn read(element: &str) -> Self {
        let mut hop = Self::default();
        for pair in split(element, ';') {
            let Some((name, value)) = pair.split_once('=') else { continue };
            let value = value.trim();
            let quoted = value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
            let value =
                Some(quoted.map_or_else(|| value.to_owned(), |text| text.replace('\\', "")));
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => hop.client = value,
                "proto" => hop.proto = value,
                "host" => hop.host = value,
                _ => {}
            }
        }
        hop
    }
}

/// Splits a text where a separator stands outside of quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(|letter: char| {
        let is_escaped = escaped;
        escaped = quoted && letter == '\\' && !is_escaped;
        if letter == '"' && !is_escaped {
            quoted = !quoted;
        }
        letter == separator && !quoted
    })
    .collect()
}

/// Reads an address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `[::1]:80`, `::1`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| bare.parse::<SocketAddr>().map(|both| both.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    /// Returns the client, the scheme and the host of a request on a connection from this address.
    fn of(from: &str, headers: &[(&str, &str)]) -> (String, &'static str, String, bool) {
        let trusted: TrustedProxies = "10.0.0.0/8, ::1".parse().unwrap();
        let mut request = Request::get("/a?b").header("host", "own.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let connection =
            Origin { client: SocketAddr::new(from.parse().unwrap(), 7), scheme: "http" };
        let origin = trusted.origin(&mut parts, connection);
        let host = parts.headers["host"].to_str().unwrap().to_owned();
        let left = ALL.iter().any(|name| parts.headers.contains_key(name));
        (origin.client.ip().to_string(), origin.scheme, host, left)
    }

    #[test]
    fn what_an_unknown_client_says_of_itself_is_taken_out() {
        let claims = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "other.example"),
            ("x-forwarded-port", "443"),
            ("forwarded", "for=192.0.2.1"),
        ];
        let own = || ("203.0.113.5".to_owned(), "http", "own.example".to_owned(), false);
        assert_eq!(of("203.0.113.5", &claims), own());
    }

    #[test]
    fn a_list_is_read_from_its_end_while_proxies_are_trusted() {
        let client = |from: &str, list: &str| of(from, &[("x-forwarded-for", list)]).0;
        assert_eq!(client("10.0.0.1", "192.0.2.9, 192.0.2.1"), "192.0.2.1");
        assert_eq!(client("10.0.0.1", "192.0.2.9, 192.0.2.1, 10.1.1.1"), "192.0.2.1");
        assert_eq!(client("10.0.0.1", "10.3.3.3, 10.2.2.2"), "10.3.3.3");
        assert_eq!(client("::1", "[2001:db8::1]:4711"), "2001:db8::1");
        assert_eq!(client("::ffff:10.0.0.1", "192.0.2.1:80"), "192.0.2.1");
        for nothing in ["", "unknown", "192.0.2.1, nonsense", "1.2.3.4.5"] {
            assert_eq!(client("10.0.0.1", nothing), "10.0.0.1", "{nothing}");
        }
    }

    #[test]
    fn scheme_and_host_come_from_whoever_has_seen_the_client() {
        let lists = [
            ("x-forwarded-for", "192.0.2.9, 192.0.2.1, 10.1.1.1"),
            ("x-forwarded-proto", "ftp, https, http"),
            ("x-forwarded-host", "x.example, shop.example:8443, inner"),
        ];
        let expected = ("192.0.2.1".to_owned(), "https", "shop.example:8443".to_owned(), true);
        assert_eq!(of("10.0.0.1", &lists), expected);
        let single = [
            ("x-forwarded-for", "192.0.2.1, 10.1.1.1"),
            ("x-forwarded-proto", "HTTPS"),
            ("x-forwarded-host", "a b"),
        ];
        let expected = ("192.0.2.1".to_owned(), "https", "own.example".to_owned(), true);
        assert_eq!(of("10.0.0.1", &single), expected);
        assert_eq!(of("10.0.0.1", &[("x-forwarded-proto", "https")]).1, "https");
        assert_eq!(of("10.0.0.1", &[("x-forwarded-proto", "gopher")]).1, "http");
    }

    #[test]
    fn the_standard_header_is_read_where_the_other_is_not_there() {
        let header = r#"for=_hidden, for="[2001:db8::1]:47";proto=https;host="a\.example:1,2", FOR=10.1.1.1"#;
        let (client, scheme, host, _) = of("10.0.0.1", &[("forwarded", header)]);
        assert_eq!(
            (client.as_str(), scheme, host.as_str()),
            ("2001:db8::1", "https", "own.example")
        );
        let header = r#"for=192.0.2.1;host="a.example";by=x;;=;proto"#;
        let (client, _, host, _) = of("10.0.0.1", &[("forwarded", header)]);
        assert_eq!((client.as_str(), host.as_str()), ("192.0.2.1", "a.example"));
        let both = [("forwarded", "for=192.0.2.66"), ("x-forwarded-for", "192.0.2.1")];
        assert_eq!(of("10.0.0.1", &both).0, "192.0.2.1");
        for broken in ["\"", "for=\"", "for=\"\\", ";;;,,,", "for"] {
            assert_eq!(of("10.0.0.1", &[("forwarded", broken)]).0, "10.0.0.1", "{broken}");
        }
    }

    #[test]
    fn a_target_that_names_a_host_gives_way() {
        let trusted: TrustedProxies = "10.0.0.1".parse().unwrap();
        let request = Request::get("https://own.example/a?b").header("x-forwarded-host", "other");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let client = "10.0.0.1:1".parse().unwrap();
        trusted.origin(&mut parts, Origin { client, scheme: "https" });
        assert_eq!(
            (parts.uri.to_string().as_str(), &parts.headers["host"]),
            ("/a?b", &HeaderValue::from_static("other"))
        );
    }

    #[test]
    fn what_is_no_network_is_told() {
        for text in ["", "10.0.0.0/33", "a.example", "10.0.0.1,", "10.0.0.1 10.0.0.2"] {
            let why = text.parse::<TrustedProxies>().unwrap_err();
            assert!(why.contains("write addresses such as 10.0.0.0/8"), "{why}");
        }
    }
}
