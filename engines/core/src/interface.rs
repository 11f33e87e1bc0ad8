//! The ways in which a handler can want to be called.

use crate::{Error, ErrorKind, Result, nearest};
use std::{fmt, str::FromStr};

/// The way in which a handler wants to be called: with an event, or with a web request, by one of the conventions between
/// web servers and applications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Interface {
    /// `handler(event, context)`, as on Lambda.
    #[default]
    Event,
    /// Python's `async def app(scope, receive, send)`. Contract: ASGI 3.0.
    Asgi,
    /// Python's `def app(environ, start_response)`. Contract: PEP 3333.
    Wsgi,
    /// `fetch(request, env, ctx)`, which returns a `Response`; in Lua a table of `status`, `headers` and `body`.
    Fetch,
    /// Node's listener of a server, `(req, res)`.
    Node,
    /// Lua's `run(wsapi_env)`, which returns status, headers and an iterator. Contract: WSAPI 1.7.
    Wsapi,
}

impl Interface {
    /// All of them, in the order of messages.
    pub const ALL: [Self; 6] =
        [Self::Event, Self::Asgi, Self::Wsgi, Self::Fetch, Self::Node, Self::Wsapi];

    /// Returns the name by which settings and messages call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Asgi => "asgi",
            Self::Wsgi => "wsgi",
            Self::Fetch => "fetch",
            Self::Node => "node",
            Self::Wsapi => "wsapi",
        }
    }

    /// Whether handlers take web requests: [`crate::Payload::Request`], for [`crate::Payload::Response`] or a stream.
    pub const fn is_web(self) -> bool {
        !matches!(self, Self::Event)
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Interface {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let names = Self::ALL.map(Self::name);
        let found = Self::ALL.into_iter().find(|interface| interface.name() == text);
        found.ok_or_else(|| {
            let mut message =
                format!("'{text}' is no interface: it is one of {}", names.join(", "));
            if let Some(near) = nearest(text, names) {
                message.push_str(&format!("; did you mean '{near}'?"));
            }
            Error::new(ErrorKind::Unsupported, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_found_by_their_names() {
        for interface in Interface::ALL {
            assert_eq!(interface.to_string().parse::<Interface>().unwrap(), interface);
        }
        let error = "asgl".parse::<Interface>().unwrap_err();
        assert_eq!(
            error.message(),
            "'asgl' is no interface: it is one of event, asgi, wsgi, fetch, node, wsapi; did you mean 'asgi'?"
        );
        assert!(!Interface::Event.is_web() && Interface::Wsapi.is_web());
    }
}
