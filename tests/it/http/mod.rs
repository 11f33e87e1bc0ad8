//! `trine serve`: functions behind a real port.

mod auth;
mod drain;
mod events;
mod formats;
mod lifecycle;
mod main_thread;
mod mounts;
mod protocol;
mod scaleway;
mod server;
mod side_by_side;
mod sites;
mod sub_runtime;
mod threads;
mod tokens;
