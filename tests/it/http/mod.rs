//! `trine serve`: functions behind a real port.

mod events;
mod lifecycle;
mod main_thread;
mod mounts;
mod protocol;
mod server;
mod sites;
