//! The bounds of a server: how long a client may take, how many connections there may be, and how many requests wait.

use std::time::Duration;

/// What a server grants its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Time for a client to send the head of a request that it has begun.
    pub header_timeout: Duration,
    /// Time that may pass without a byte of a request's body.
    pub body_timeout: Duration,
    /// Time for which a connection without a request is kept.
    pub idle_timeout: Duration,
    /// Maximum number of requests to a function that wait for a place. One more is answered with 503.
    pub queue: Option<usize>,
    /// Maximum number of connections at a time. More are accepted when others end.
    pub max_connections: Option<usize>,
}

impl Default for Limits {
    /// Returns the limits where nothing else is set: a minute for a head and between two pieces of a body, 75 seconds for a
    /// connection without a request, any number of requests and of connections.
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(75),
            queue: None,
            max_connections: None,
        }
    }
}
