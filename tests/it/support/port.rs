//! Ports for programs that have to be told theirs.

use std::{
    net::TcpListener,
    process,
    sync::atomic::{AtomicU16, Ordering},
};

/// Ports that the system gives to nobody who asks for any, so that no other test takes one between the look and its use.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// Returns a port that nobody listens on.
///
/// # Panics
/// When all are taken.
pub(crate) fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Test binaries that run side by side begin at different places.
    let begin = (process::id() % u32::from(COUNT)) as u16;
    let mut candidates = (0..COUNT).map(|_| {
        let step = TAKEN.fetch_add(1, Ordering::Relaxed) % COUNT;
        FIRST + (u32::from(begin) + u32::from(step)).rem_euclid(u32::from(COUNT)) as u16
    });
    let port = candidates.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    port.expect("one port of so many is free")
}
