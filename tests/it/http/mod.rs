//! `trine serve`: functions behind a real port.

mod auth;
mod drain;
mod events;
mod formats;
mod golden;
mod lifecycle;
mod main_thread;
mod mounts;
mod protocol;
mod scaleway;
mod server;
mod side_by_side;
mod sites;
mod threads;
mod tokens;
