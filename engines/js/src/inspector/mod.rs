//! Debuggers that speak the Chrome DevTools Protocol: the server that they connect to, the connections that go out to them,
//! and the isolates that they are attached to.
//!
//! V8 parks an isolate's thread while its code stands at a breakpoint, so that nothing else can happen there. Sockets
//! therefore live on a thread of their own, and pass messages to isolates through channels that V8's side looks into
//! wherever it waits.

mod attend;
mod http;
mod server;
mod session;
mod sockets;
mod target;

pub(crate) use self::{
    attend::attend,
    server::{Registered, listen},
    target::{SharedTarget, Target},
};

/// The variable that lists the places to which functions may let debuggers in by an event.
pub(crate) const PROXY_VARIABLE: &str = "TRINE_DEBUG_PROXY";

/// Whether debuggers may be attached that no listener announces.
pub(crate) fn may_be_attached_by_event() -> bool {
    std::env::var_os(PROXY_VARIABLE).is_some_and(|places| !places.is_empty())
}
