//! `trine serve`: functions behind a real port.

mod drain;
mod events;
mod files;
mod formats;
mod lifecycle;
mod main_thread;
mod mounts;
mod protocol;
mod server;
mod settings;
mod side_by_side;
mod sites;
mod threads;
mod triggers;
