//! Tests of the server over real sockets: what requests get, how it begins and ends, what a folder serves.

mod console;
pub(in crate::http) mod fixture;
mod lifecycle;
mod requests;
mod sites;
