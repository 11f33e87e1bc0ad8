//! What looks after a server while guests hold the main thread: signals, and the next server in its place.

use super::{
    closing::Closing,
    error::ServeError,
    generation::{Generation, Word},
};
use crate::signals::Signals;
use std::future::pending;
use tokio::runtime::Runtime;

/// A listener for signals from the moment it is made, which then looks after a server. It is made before anything
/// starts an interpreter: one that finds signals without a handler may install its own.
pub struct Supervisor {
    pub(super) runtime: Runtime,
    pub(super) signals: Signals,
    pub(super) generation: Option<Generation>,
}

impl Supervisor {
    /// Makes a supervisor; signals no longer end the process by themselves.
    ///
    /// # Errors
    /// [`ServeError::Start`] when the system refuses.
    pub fn new() -> Result<Self, ServeError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(ServeError::Start)?;
        let signals = {
            let _inside = runtime.enter();
            Signals::new().map_err(ServeError::Start)?
        };
        Ok(Self { runtime, signals, generation: None })
    }

    /// Has the server take this place in a row of servers on one port.
    #[must_use]
    pub fn with_generation(mut self, generation: Generation) -> Self {
        self.generation = Some(generation);
        self
    }
}

/// Waits until the server is to leave its place to the next generation; for ever, where it is none.
pub(super) async fn succeeded(generation: Option<&Generation>, closing: &Closing) {
    let Some(generation) = generation else { return pending().await };
    let mut words = generation.words();
    tokio::select! {
        _ = words.next() => return,
        () = closing.all_are_ready() => generation.tell_ready(),
    }
    while words.next().await == Word::Open {
        closing.open();
    }
}
