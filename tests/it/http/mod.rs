//! `trine serve`: functions behind a real port.

mod access_log;
mod auth;
mod drain;
mod events;
mod files;
mod formats;
mod golden;
mod lifecycle;
mod limits;
mod main_thread;
mod metrics;
mod mounts;
mod origins;
mod protocol;
mod readiness;
mod scaleway;
mod server;
mod settings;
mod side_by_side;
mod sites;
mod sub_runtime;
mod threads;
mod tokens;
mod triggers;
