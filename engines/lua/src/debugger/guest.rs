//! An instance as debuggers see it, from any thread: what they want of it, and how they reach it while it stands.

use super::{
    protocol::{Client, Request},
    station::Station,
};
use crate::limits::Stop;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

/// Number of bits of the ids of frames and variables that are below the instance's own.
const BITS: u32 = 20;

/// The way in which a guest goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Going {
    /// Until something else stops it.
    On,
    /// To the next line of the same function.
    Over,
    /// To the next line.
    Into,
    /// To the caller.
    Out,
}

/// A message to a guest that stands.
pub(super) enum Command {
    /// Something has changed: look whether to stand any longer.
    Look,
    Go(Going),
    Ask(Arc<Client>, Request),
}

/// An instance that may be debugged: a thread in the protocol's terms.
pub(crate) struct GuestThread {
    /// Its id, from 1.
    id: u32,
    station: Arc<Station>,
    stop: OnceLock<Weak<Stop>>,
    /// Whether it is to stand at its next line.
    pause: AtomicBool,
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Default)]
struct Queue {
    commands: VecDeque<Command>,
    /// Whether the guest stands, so that it can be asked.
    stands: bool,
}

impl GuestThread {
    pub(super) fn new(id: u32, station: Arc<Station>) -> Self {
        Self {
            id,
            station,
            stop: OnceLock::new(),
            pause: AtomicBool::new(false),
            queue: Mutex::default(),
            arrived: Condvar::new(),
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn station(&self) -> &Arc<Station> {
        &self.station
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how running code is reached.
    pub(crate) fn set_stop(&self, stop: &Arc<Stop>) {
        // It is set once, by its instance.
        let _ = self.stop.set(Arc::downgrade(stop));
    }

    /// Notes that the instance has ended.
    pub(crate) fn leave(&self) {
        self.station.leave(self.id);
    }

    /// Makes the guest look whether it is to stand any longer, if it does.
    pub(crate) fn wake(&self) {
        let mut queue = self.queue();
        // Once is enough, and nobody may be there to take it.
        if !matches!(queue.commands.back(), Some(Command::Look)) {
            queue.commands.push_back(Command::Look);
            self.arrived.notify_all();
        }
    }

    /// Makes running code look at what is wanted of it.
    pub(super) fn nudge(&self) {
        if let Some(stop) = self.stop.get().and_then(Weak::upgrade) {
            stop.nudge();
        }
    }

    /// Makes the guest stand at its next line.
    pub(super) fn pause(&self) {
        self.pause.store(true, Ordering::SeqCst);
        self.nudge();
    }

    pub(super) fn is_to_pause(&self) -> bool {
        self.pause.load(Ordering::Relaxed)
    }

    pub(super) fn forget_pause(&self) {
        self.pause.store(false, Ordering::SeqCst);
    }

    /// Sends a command to the guest, if it stands. Returns whether it does.
    pub(super) fn command(&self, command: Command) -> bool {
        let mut queue = self.queue();
        if !queue.stands {
            return false;
        }
        // What comes after it is for the next time.
        queue.stands = !matches!(command, Command::Go(_));
        queue.commands.push_back(command);
        self.arrived.notify_all();
        true
    }

    pub(super) fn stands(&self) -> bool {
        self.queue().stands
    }

    /// Notes that the guest stands from now on, and can be asked. Messages from before are void.
    pub(super) fn stand(&self) {
        let mut queue = self.queue();
        queue.commands.clear();
        queue.stands = true;
    }

    /// Notes that it goes on. Who has asked meanwhile is told.
    pub(super) fn go(&self) {
        let mut queue = self.queue();
        queue.stands = false;
        let left = std::mem::take(&mut queue.commands);
        drop(queue);
        for command in left {
            if let Command::Ask(client, request) = command {
                client.refuse(&request, RUNS);
            }
        }
    }

    /// Waits for the next message.
    pub(super) fn next(&self) -> Command {
        let mut queue = self.queue();
        loop {
            if let Some(command) = queue.commands.pop_front() {
                return command;
            }
            queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Returns the id of a frame or of a group of variables, by its index; 0, which is none, where there are too many.
    pub(super) fn reference(&self, index: usize) -> i64 {
        let index = index as i64 + 1;
        if index >> BITS == 0 { i64::from(self.id) << BITS | index } else { 0 }
    }
}

/// The answer to whoever asks a guest that runs.
pub(super) const RUNS: &str = "the guest runs: it can be asked while it stands";

/// Maximum id of an instance: with the bits below it, the id of a frame has 31 bits, as the protocol wants it.
pub(super) const LAST_ID: u32 = (1 << (31 - BITS)) - 1;

/// Splits the id of a frame or of a group of variables: that of its instance, and its index.
pub(super) fn split(reference: i64) -> Option<(u32, usize)> {
    let index = (reference & ((1 << BITS) - 1)) as usize;
    let id = u32::try_from(reference >> BITS).ok()?;
    Some((id, index.checked_sub(1)?))
}
