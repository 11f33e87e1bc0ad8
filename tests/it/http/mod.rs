//! `trine serve`: functions behind a real port.

mod access_log;
mod drain;
mod events;
mod formats;
mod http2;
mod lifecycle;
mod limits;
mod main_thread;
mod metrics;
mod mounts;
mod origins;
mod protocol;
mod readiness;
mod server;
mod side_by_side;
mod sites;
mod sockets;
mod threads;
mod tls;
