//! The Lambda front door: polls the Runtime API, runs each invocation, posts its answer.
//!
//! One thread does everything, on one connection that is kept alive: between the end of one answer and the next event
//! there is no hop. Where the platform hands out several events at once, there is such a connection for each (`managed`). Contract: AWS's "Lambda runtime API" for custom runtimes.

mod client;
mod extension;
mod headers;
mod managed;
mod outgoing;
mod poller;
mod rescue;
mod run;
mod snapshot;
mod spans;
mod stream;

pub use client::{ApiError, Delivery, Next, RuntimeApi, Verdict};
pub use headers::invocation_from;
pub use managed::{ManagedDoor, StartError};
pub use run::{Door, Ended};

/// The largest body that the platform takes for a response: 6 MiB and 100 bytes.
pub const RESPONSE_LIMIT: usize = 6 * 1024 * 1024 + 100;

/// The largest streamed response that the platform takes: 200 MiB.
pub const STREAM_LIMIT: u64 = 200 * 1024 * 1024;
