//! Hosts, as permissions name them.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
    str::FromStr,
};

/// A host that may be connected to or listened on, with a port or with any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    name: Name,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    /// A name in lower case.
    Exactly(String),
    /// The names below this one.
    Below(String),
    /// Addresses that agree in this many leading bits.
    Network(IpAddr, u8),
    /// A socket's path.
    Unix(PathBuf),
}

impl Host {
    /// Whether this names a host by its name. `unknown` is the answer where this has a port, and nobody has named one yet.
    pub(super) fn covers_name(&self, name: &str, port: Option<u16>, unknown: bool) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let is_it = match &self.name {
            Name::Exactly(known) => *known == name,
            Name::Below(known) => {
                name.strip_suffix(known.as_str()).is_some_and(|rest| rest.ends_with('.'))
            }
            Name::Network(..) | Name::Unix(_) => false,
        };
        is_it && self.covers_port(port, unknown)
    }

    /// Whether this names a host by its address; `unknown` as for names.
    pub(super) fn covers_address(&self, address: IpAddr, port: Option<u16>, unknown: bool) -> bool {
        let Name::Network(network, bits) = self.name else { return false };
        agree(network, plain(address), bits) && self.covers_port(port, unknown)
    }

    /// Whether this names a socket of this machine.
    pub(super) fn covers_socket(&self, path: &Path) -> bool {
        matches!(&self.name, Name::Unix(known) if known == path)
    }

    /// Whether this is about addresses.
    pub(super) fn is_address(&self) -> bool {
        matches!(self.name, Name::Network(..))
    }

    fn covers_port(&self, port: Option<u16>, unknown: bool) -> bool {
        match (self.port, port) {
            (None, _) => true,
            (Some(_), None) => unknown,
            (Some(own), Some(port)) => own == port,
        }
    }
}

/// Returns an address of version 4 as such, however it is written.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Whether two addresses agree in their leading bits.
fn agree(one: IpAddr, other: IpAddr, bits: u8) -> bool {
    let number = |address| match address {
        IpAddr::V4(four) => u128::from(u32::from(four)) << 96,
        IpAddr::V6(six) => u128::from(six),
    };
    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    one.is_ipv4() == other.is_ipv4() && number(one) & mask == number(other) & mask
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            if !path.starts_with('/') {
                return Err(format!(
                    "{text:?}: write the path from the root on, as unix:/run/a.sock"
                ));
            }
            return Ok(Self { name: Name::Unix(PathBuf::from(path)), port: None });
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return Err(url(text, scheme, rest));
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (address, port) = rest.split_once(']').ok_or_else(|| no_host(text))?;
            let address: Ipv6Addr = address.parse().map_err(|_| no_host(text))?;
            let address = plain(IpAddr::V6(address));
            let port = match port {
                "" => None,
                port => Some(port.strip_prefix(':').ok_or_else(|| no_host(text))?),
            };
            return Ok(Self {
                name: whole(address),
                port: port.map(|port| number(text, port)).transpose()?,
            });
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err(format!("{text:?} is an IPv6 address: write it in brackets, as [{text}]"));
        }
        if let Some((network, bits)) = text.split_once('/') {
            let network: Ipv4Addr = network.parse().map_err(|_| no_host(text))?;
            let bits = bits.parse().ok().filter(|bits: &u8| *bits <= 32);
            let bits =
                bits.ok_or_else(|| format!("{text:?}: a network has 0 to 32 bits, as 10.0.0.0/8"))?;
            return Ok(Self { name: Name::Network(network.into(), bits), port: None });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(number(text, port)?)),
            None => (text, None),
        };
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(Self { name: whole(address), port });
        }
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let (name, rest) = match host.strip_prefix("*.") {
            Some(rest) => (Name::Below(rest.to_owned()), rest),
            None => (Name::Exactly(host.clone()), host.as_str()),
        };
        if !is_name(rest) {
            return Err(no_host(text));
        }
        Ok(Self { name, port })
    }
}

fn whole(address: IpAddr) -> Name {
    Name::Network(address, if address.is_ipv4() { 32 } else { 128 })
}

/// Whether this could be a host's name.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    text.len() <= 253
        && text.split('.').all(|label| (1..=63).contains(&label.len()) && label.chars().all(fits))
}

fn number(text: &str, port: &str) -> Result<u16, String> {
    port.parse()
        .map_err(|_| format!("{text:?}: {port:?} is no port: write a whole number from 0 to 65535"))
}

fn no_host(text: &str) -> String {
    format!(
        "{text:?} is no host: write a name or an address, with a port or without (example.com, example.com:443, \
         *.example.com, 127.0.0.1, 10.0.0.0/8, [::1]:80), or unix: and the path of a socket"
    )
}

/// Returns the message about a URL in a host's place.
fn url(text: &str, scheme: &str, rest: &str) -> String {
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let port = match scheme {
        "https" | "wss" => Some(443),
        "http" | "ws" => Some(80),
        _ => None,
    };
    let has_port = host.parse::<Host>().is_ok_and(|host| host.port.is_some());
    let meant = match port.filter(|_| !has_port) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    format!("{text:?} is a URL, and a host is meant: did you mean {meant:?}?")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Host {
        text.parse().unwrap()
    }

    #[test]
    fn names_are_the_same_in_any_case_and_with_a_dot_at_the_end() {
        assert!(host("Example.COM").covers_name("example.com.", Some(1), false));
        assert!(!host("example.com").covers_name("www.example.com", None, false));
        assert!(!host("example.com").covers_name("badexample.com", None, false));
    }

    #[test]
    fn a_star_stands_for_the_names_below() {
        let below = host("*.example.com:443");
        assert!(below.covers_name("a.b.example.com", Some(443), false));
        assert!(!below.covers_name("example.com", Some(443), false));
        assert!(!below.covers_name("badexample.com", Some(443), false));
        assert!(!below.covers_name("a.example.com", Some(80), false));
        assert!(below.covers_name("a.example.com", None, true));
        assert!(!below.covers_name("a.example.com", None, false));
    }

    #[test]
    fn addresses_are_compared_as_numbers() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(host("127.0.0.1:80").covers_address(address("::ffff:127.0.0.1"), Some(80), false));
        assert!(!host("127.0.0.1:80").covers_address(address("127.0.0.1"), Some(81), false));
        assert!(host("[::1]:80").covers_address(address("0:0:0:0:0:0:0:1"), Some(80), false));
        assert!(host("10.0.0.0/8").covers_address(address("10.200.1.2"), None, false));
        assert!(!host("10.0.0.0/8").covers_address(address("11.0.0.1"), None, false));
        assert!(host("0.0.0.0/0").covers_address(address("1.2.3.4"), None, false));
        assert!(!host("0.0.0.0/0").covers_address(address("::1"), None, false));
    }

    #[test]
    fn what_is_no_host_is_told() {
        for text in [
            "a b",
            "",
            "a..b",
            "[::1",
            "[x]",
            "[::1]80",
            "1.2.3.4/33",
            "unix:a",
            "*",
            "a.*",
            "ä.de",
            "a/8",
            "fd00::/8",
        ] {
            let told = text.parse::<Host>();
            assert!(told.is_err(), "{text:?}: {told:?}");
        }
        let meant = "http://a.example:8080/x".parse::<Host>().unwrap_err();
        assert!(meant.ends_with("did you mean \"a.example:8080\"?"), "{meant}");
    }
}
