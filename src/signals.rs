//! The signals that ask the process to end: SIGTERM from a platform, SIGINT from a terminal.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};
use trine_process::signal::note_requests_to_end;

/// Whether the process was asked to end since the first listener was made. Unlike the listener's answer, this is known
/// on every thread, and while guest code holds the listener's own.
pub(crate) use trine_process::signal::end_was_requested;

/// A listener for both of them. Once it is made, they no longer end the process by themselves.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Begins to listen, within an async runtime.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn new() -> io::Result<Self> {
        note_requests_to_end()?;
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one. Returns its number.
    pub(crate) async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.terminate.recv() => 15,
            _ = self.interrupt.recv() => 2,
        }
    }
}
