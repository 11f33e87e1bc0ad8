//! A server's place in a row of servers on one port, each of which takes the place of the one before when files change.
//!
//! Whoever starts them holds the port, and has a channel to each. A generation says on it when it takes requests. Asked to
//! leave, it stops accepting at once, answers what it has, and closes connections on which nothing is asked: whoever waits
//! at the port is for the next one.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::net::UnixStream,
};
use tokio::io::AsyncReadExt as _;

/// The channel between a generation and whoever has started it: here the words are written, there they are read.
#[derive(Debug)]
pub struct Generation(UnixStream);

impl Generation {
    /// Makes the place of a server that was started with this channel.
    pub fn new(channel: UnixStream) -> Self {
        Self(channel)
    }

    /// Says that the server takes requests.
    pub(super) fn tell_ready(&self) {
        // Nobody listens any more where it is about to be asked to leave.
        let _ = (&self.0).write_all(READY);
    }

    /// Says that the server accepts nothing any more.
    pub(super) fn tell_left(&self) {
        // Nobody listens any more where all servers end.
        let _ = (&self.0).write_all(LEFT);
    }

    /// Waits until it is asked to leave, or whoever might ask is gone.
    pub(super) async fn asked_to_leave(&self) {
        let channel = self.0.try_clone().and_then(|channel| {
            channel.set_nonblocking(true)?;
            tokio::net::UnixStream::from_std(channel)
        });
        if let Ok(mut channel) = channel {
            let _ = channel.read_u8().await;
        }
    }
}

const READY: &[u8] = b"r";
const LEFT: &[u8] = b"d";
const LEAVE: &[u8] = b"l";

/// The other side of a [`Generation`].
#[derive(Debug)]
pub struct GenerationChannel(UnixStream);

impl GenerationChannel {
    /// Makes the side of whoever has started a generation with the other end of this channel.
    pub fn new(channel: UnixStream) -> Self {
        Self(channel)
    }

    /// Waits on the calling thread until the generation takes requests. Returns whether it ever does.
    ///
    /// # Errors
    /// What the system says of the channel.
    pub fn wait_until_ready(&mut self) -> io::Result<bool> {
        Ok(self.0.read(&mut [0])? > 0)
    }

    /// Waits on the calling thread until the generation, asked to leave, accepts nothing any more, or has ended.
    pub fn wait_until_left(&mut self) {
        // Whatever else is read means that it has ended.
        let _ = self.0.read(&mut [0]);
    }

    /// Asks the generation to leave.
    pub fn ask_to_leave(&mut self) {
        // One that is gone has left.
        let _ = self.0.write_all(LEAVE);
    }

    /// Returns another handle to the channel.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Generation, GenerationChannel) {
        let (one, other) = UnixStream::pair().unwrap();
        (Generation::new(one), GenerationChannel::new(other))
    }

    fn wait_until_asked(generation: &Generation) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(generation.asked_to_leave());
    }

    #[test]
    fn a_generation_says_when_it_is_ready_and_is_asked_to_leave() {
        let (generation, mut channel) = pair();
        generation.tell_ready();
        assert!(channel.wait_until_ready().unwrap());
        channel.ask_to_leave();
        wait_until_asked(&generation);
        generation.tell_left();
        channel.wait_until_left();
    }

    #[test]
    fn the_end_of_either_side_is_an_answer() {
        let (generation, mut channel) = pair();
        drop(generation);
        assert!(!channel.wait_until_ready().unwrap());
        let (generation, channel) = pair();
        drop(channel);
        wait_until_asked(&generation);
    }
}
