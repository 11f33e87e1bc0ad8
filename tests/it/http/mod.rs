//! `trine serve`: functions behind a real port.

mod drain;
mod events;
mod formats;
mod golden;
mod lifecycle;
mod main_thread;
mod mounts;
mod protocol;
mod server;
mod side_by_side;
mod sites;
mod threads;
