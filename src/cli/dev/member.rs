//! One generation, as its supervisor knows it: its process, and what that tells.

use super::watch::Noticed;
use crate::http::GenerationChannel;
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{Signal, kill},
        socket::{getsockopt, sockopt::PeerCredentials},
    },
    unistd::Pid,
};
use std::{
    io::Write as _,
    os::{fd::AsFd as _, unix::net::UnixListener},
    process::{Child, ExitStatus},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// The time for which a generation waits until the one before accepts nothing any more: that holds its threads in guest code
/// where it takes longer, and does not accept for that.
const TURN: Duration = Duration::from_millis(300);
/// The time between two looks at whether a process that has not taken its place still runs, in milliseconds.
const LOOK_INTERVAL: u8 = 50;

/// What happens to a supervisor.
#[derive(Debug)]
pub(super) enum Event {
    Noticed(Noticed),
    Key(u8),
    /// A generation has taken its place, and can be asked to leave.
    Joined(u64, GenerationChannel),
    Ready(u64),
    Ended(u64, Option<ExitStatus>),
}

/// A generation, as its supervisor knows it.
pub(super) struct Member {
    pub(super) number: u64,
    pub(super) id: Pid,
    pub(super) channel: Option<GenerationChannel>,
    pub(super) begun: Instant,
    /// Whether its workers have loaded what they serve.
    pub(super) has_loaded: bool,
    /// Whether it accepts.
    pub(super) is_ready: bool,
    /// What it was started for.
    pub(super) why: String,
    /// Whether it only says what keeps it from serving.
    pub(super) is_faulty: bool,
    /// The channel that ends when it accepts nothing any more.
    pub(super) left: Receiver<()>,
    /// The channel that ends with its process.
    pub(super) ended: Receiver<()>,
    pub(super) is_slow_told: bool,
}

/// The generation before, as far as the next one has to wait for it.
pub(super) struct Before {
    pub(super) left: Receiver<()>,
    /// Its process, and what ends with that, where the next one needs an address that it listens on.
    pub(super) ended: Option<(Pid, Receiver<()>)>,
}

impl Before {
    /// Waits until the next one may go on.
    pub(super) fn wait(&self) {
        // It says so, or ends.
        let _ = self.left.recv_timeout(TURN);
        if let Some((id, ended)) = &self.ended
            && ended.recv_timeout(TURN) == Err(RecvTimeoutError::Timeout)
        {
            // It may stand at a breakpoint. One that has ended needs no signal.
            let _ = kill(*id, Signal::SIGKILL);
            let _ = ended.recv_timeout(TURN);
        }
    }
}

impl Member {
    /// Asks it to leave its place, if it has taken it; else it has answered nobody, and ends at once.
    pub(super) fn leave(&mut self) {
        match &mut self.channel {
            Some(channel) => channel.ask_to_leave(),
            None => self.signal(Signal::SIGKILL),
        }
    }

    pub(super) fn signal(&self, signal: Signal) {
        // One that has ended needs no signal.
        let _ = kill(self.id, signal);
    }
}

/// Waits on a process until it has taken its place, is ready, and has ended.
pub(super) fn follow(
    number: u64,
    mut child: Child,
    door: &UnixListener,
    welcome: impl FnOnce() -> String,
    leaves: Sender<()>,
    events: &mpsc::UnboundedSender<Event>,
) {
    // Nobody reads any more where the process ends.
    let tell = |event| drop(events.send(event));
    if let Some(mut channel) = joined(&mut child, door, welcome) {
        if let Ok(other) = channel.try_clone() {
            tell(Event::Joined(number, other));
        }
        if channel.wait_until_ready().unwrap_or(false) {
            tell(Event::Ready(number));
            channel.wait_until_left();
        }
    }
    drop(leaves);
    tell(Event::Ended(number, child.wait().ok()));
}

/// Waits until a process has taken its place; `None` if it ends before.
fn joined(
    child: &mut Child,
    door: &UnixListener,
    welcome: impl FnOnce() -> String,
) -> Option<GenerationChannel> {
    loop {
        let mut waits = [PollFd::new(door.as_fd(), PollFlags::POLLIN)];
        if poll(&mut waits, PollTimeout::from(LOOK_INTERVAL)).is_ok_and(|count| count > 0) {
            let (mut channel, _) = door.accept().ok()?;
            // Anybody on this machine can find the name of the socket.
            let peer = getsockopt(&channel, PeerCredentials).ok()?;
            if u32::try_from(peer.pid()) == Ok(child.id()) {
                channel.write_all(welcome().as_bytes()).ok()?;
                return Some(GenerationChannel::new(channel));
            }
        }
        if !matches!(child.try_wait(), Ok(None)) {
            return None;
        }
    }
}
