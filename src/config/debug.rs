//! Where debuggers attach, as variables and flags say it.

use std::net::{Ipv4Addr, SocketAddr};
use trine_engine::DebugListener;

/// The beginning of a variable's value that has guests wait for a debugger.
const WAIT: &str = "wait:";

/// Reads the address, or the port of this machine, at which a debugger attaches.
///
/// # Errors
/// What to write in its place.
pub fn debug_place(text: &str) -> Result<SocketAddr, String> {
    let port = || text.parse().ok().map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let local = || {
        let port = text.strip_prefix("localhost:")?.parse().ok()?;
        Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    };
    let address = text.parse().ok().or_else(port).or_else(local);
    address
        .ok_or_else(|| "write an address with a port, such as 127.0.0.1:9229, or a port".to_owned())
}

/// Reads a variable's value: an address or a port, after `wait:` where guests wait for the debugger.
///
/// # Errors
/// As [`debug_place`].
pub(super) fn listener(text: &str) -> Result<DebugListener, String> {
    let (waits, place) = match text.strip_prefix(WAIT) {
        Some(place) => (true, place),
        None => (false, text),
    };
    Ok(DebugListener { address: debug_place(place.trim())?, waits })
}

/// Reads the places to which an event may have a debugger's connection made: host and port each, between commas.
///
/// # Errors
/// What to write in their place.
pub(super) fn proxies(text: &str) -> Result<Vec<String>, String> {
    let places = text.split(',').map(str::trim).filter(|place| !place.is_empty());
    places
        .map(|place| match place.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                Ok(place.to_owned())
            }
            _ => Err(format!("{place:?} is no host with a port, such as debug.example.com:9999")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_or_a_port_of_this_machine() {
        for (text, address) in [
            ("9230", "127.0.0.1:9230"),
            ("localhost:9230", "127.0.0.1:9230"),
            ("0.0.0.0:9229", "0.0.0.0:9229"),
            ("[::1]:0", "[::1]:0"),
        ] {
            assert_eq!(debug_place(text), Ok(address.parse().unwrap()));
        }
        for text in ["", "x", "127.0.0.1", "70000", "example.com:1"] {
            assert!(debug_place(text).unwrap_err().contains("127.0.0.1:9229"), "{text}");
        }
    }

    #[test]
    fn a_variable_says_whether_guests_wait() {
        let waits = |text| listener(text).map(|listener| listener.waits);
        assert_eq!((waits("9229"), waits("wait:9229")), (Ok(false), Ok(true)));
        assert!(waits("wait:").is_err());
    }

    #[test]
    fn places_that_an_event_may_name_have_hosts_and_ports() {
        assert_eq!(
            proxies("a.example:9999, 10.0.0.1:1,").unwrap(),
            ["a.example:9999", "10.0.0.1:1"]
        );
        assert_eq!(proxies("").unwrap(), [""; 0]);
        assert!(proxies("a.example").unwrap_err().contains("no host with a port"));
    }
}
