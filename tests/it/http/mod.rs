//! `trine serve`: functions behind a real port.

mod auth;
mod access_log;
mod drain;
mod events;
mod formats;
mod golden;
mod lifecycle;
mod limits;
mod main_thread;
mod metrics;
mod mounts;
mod origins;
mod protocol;
mod scaleway;
mod readiness;
mod server;
mod side_by_side;
mod sites;
mod threads;
mod tokens;
