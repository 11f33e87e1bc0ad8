//! The flags `--host` and `--port` of every command that listens.

use super::Usage;
use crate::config::CountForm;
use std::net::{SocketAddr, ToSocketAddrs};

/// Valid port numbers; 0 takes any free port.
const PORTS: CountForm = CountForm { least: 0, most: u16::MAX as u64 };

/// Reads a port number.
///
/// # Errors
/// A message with the expected form.
pub(super) fn port(text: &str) -> Result<u16, String> {
    let wrong = || format!("{text:?} is no port: write a whole number from 0 to {}", u16::MAX);
    let number = PORTS.parse(text).map_err(|_| wrong())?;
    u16::try_from(number).map_err(|_| wrong())
}

/// Resolves a host name or an address.
///
/// # Errors
/// [`Usage`] when it has no address.
pub(super) fn resolve(host: &str, port: u16) -> Result<SocketAddr, Usage> {
    let wrong = |why: String| {
        Usage(format!(
            "--host {host}: {why}; write an address such as 127.0.0.1, 0.0.0.0 (all) or ::1, or a name that this \
             machine knows"
        ))
    };
    let bare = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
    if bare.is_empty() {
        return Err(wrong("no address is named".to_owned()));
    }
    let mut found = (bare, port).to_socket_addrs().map_err(|e| wrong(e.to_string()))?;
    found.next().ok_or_else(|| wrong("no address has this name".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_whole_numbers_of_sixteen_bits() {
        assert_eq!((port("0"), port(" 9000 "), port("65535")), (Ok(0), Ok(9000), Ok(65535)));
        for text in ["", "abc", "70000", "-1", "+1", "80.5", "80/tcp", "99999999999999999999999"] {
            let why = port(text).unwrap_err();
            let expected = format!("{text:?} is no port: write a whole number from 0 to 65535");
            assert_eq!(why, expected);
        }
    }

    #[test]
    fn hosts_are_addresses_or_names() {
        for (host, address) in
            [("127.0.0.1", "127.0.0.1:1"), ("::1", "[::1]:1"), ("[::1]", "[::1]:1")]
        {
            assert_eq!(resolve(host, 1).unwrap().to_string(), address);
        }
        assert!(resolve("localhost", 1).unwrap().ip().is_loopback());
        for host in ["", "no such host", "127.0.0.1:80", "300.0.0.1", "no-such-host.invalid"] {
            let why = resolve(host, 1).unwrap_err().to_string();
            assert!(why.starts_with(&format!("--host {host}: ")), "{why}");
            assert!(why.contains("such as 127.0.0.1, 0.0.0.0 (all) or ::1"), "{why}");
        }
    }
}
