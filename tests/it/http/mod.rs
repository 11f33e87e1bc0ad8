//! `trine serve`: functions behind a real port.

mod events;
mod lifecycle;
mod server;
mod sites;
