//! A server's place in a row of servers on one port, each of which takes the place of the one before when files change.
//!
//! Whoever starts them holds the port, and has a channel to each. A generation says on it when all its workers have loaded what
//! they serve, and waits for the word to accept: where files have changed meanwhile, they may have loaded different things, and
//! another generation takes its place. Asked to leave, it stops accepting at once, answers what it has, and closes connections on which nothing is asked: whoever waits
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

    /// Says that the server is ready to take requests.
    pub(super) fn tell_ready(&self) {
        // Nobody listens any more where it is about to be asked to leave.
        let _ = (&self.0).write_all(READY);
    }

    /// Says that the server accepts nothing any more.
    pub(super) fn tell_left(&self) {
        // Nobody listens any more where all servers end.
        let _ = (&self.0).write_all(LEFT);
    }

    /// Returns what it is told.
    pub(super) fn words(&self) -> Words {
        let channel = self.0.try_clone().and_then(|channel| {
            channel.set_nonblocking(true)?;
            tokio::net::UnixStream::from_std(channel)
        });
        Words(channel.ok())
    }
}

/// What a generation is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// To accept.
    Open,
    /// To leave. Whoever says nothing any more means that as well.
    Leave,
}

/// The words that a generation is told.
#[derive(Debug)]
pub(super) struct Words(Option<tokio::net::UnixStream>);

impl Words {
    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Word {
        let Some(channel) = &mut self.0 else { return Word::Leave };
        match channel.read_u8().await {
            Ok(word) if [word] == OPEN => Word::Open,
            _ => Word::Leave,
        }
    }
}

const READY: &[u8] = b"r";
const LEFT: &[u8] = b"d";
const OPEN: [u8; 1] = *b"o";
const LEAVE: &[u8] = b"l";

/// The other side of a [`Generation`].
#[derive(Debug)]
pub struct GenerationChannel(UnixStream);

impl GenerationChannel {
    /// Makes the side of whoever has started a generation with the other end of this channel.
    pub fn new(channel: UnixStream) -> Self {
        Self(channel)
    }

    /// Waits on the calling thread until the generation is ready to take requests. Returns whether it ever is.
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

    /// Lets the generation accept.
    pub fn open(&mut self) {
        // One that has ended accepts nothing.
        let _ = self.0.write_all(&OPEN);
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

    fn told(generation: &Generation, count: usize) -> Vec<Word> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut words = generation.words();
            let mut told = Vec::new();
            for _ in 0..count {
                told.push(words.next().await);
            }
            told
        })
    }

    #[test]
    fn a_generation_says_when_it_is_ready_is_let_in_and_asked_to_leave() {
        let (generation, mut channel) = pair();
        generation.tell_ready();
        assert!(channel.wait_until_ready().unwrap());
        channel.open();
        channel.ask_to_leave();
        assert_eq!(told(&generation, 2), [Word::Open, Word::Leave]);
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
        assert_eq!(told(&generation, 1), [Word::Leave]);
    }
}
