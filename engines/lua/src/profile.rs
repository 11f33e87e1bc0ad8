//! Profiles: where guests spend their time, found by a look at what runs about a thousand times a second.
//!
//! A thread ticks. Each tick is a signal to the instance's thread, as an interrupt is; its handler counts it and has the
//! code that runs notice at its next instruction, where its stack is noted with the ticks since the last one. So time in a
//! function of Lua's library counts for its caller, time without Lua code counts for nobody, and between two ticks the
//! code is as fast as ever.

use crate::{
    frames::{self, GuestFrame},
    limits::Stop,
};
use mlua::ffi::lua_State;
use std::{
    collections::HashMap,
    fmt::Write,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use trine_engine::{Error, ErrorKind, Profile, Result};

/// Time between two ticks.
const TICK: Duration = Duration::from_millis(1);
/// Maximum number of frames of one stack; of a deeper one the outermost are left out.
const DEEPEST: usize = 200;

/// The stacks that were noted in an instance, and how often the clock has ticked in each.
#[derive(Default)]
pub(crate) struct Sampler {
    /// Whether a profile is being taken.
    on: AtomicBool,
    /// Whether the clock has ticked since the handler looked last.
    due: AtomicBool,
    /// Number of ticks that have found code running whose stack is yet to be noted.
    pending: AtomicU64,
    stacks: Mutex<HashMap<String, u64>>,
}

impl Sampler {
    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Counts a tick for the code that runs, if there was one. To be asked by the signal handler.
    pub(crate) fn ticked(&self) -> bool {
        let ticked = self.due.load(Ordering::Relaxed) && self.due.swap(false, Ordering::Relaxed);
        if ticked {
            self.pending.fetch_add(1, Ordering::Relaxed);
        }
        ticked
    }

    /// Forgets ticks during which the guest did not run, although it looked so.
    pub(crate) fn forget(&self) {
        self.pending.store(0, Ordering::Relaxed);
    }

    /// Notes the stack of what runs, if the clock has ticked.
    ///
    /// # Safety
    /// As for [`frames::of_chain`].
    pub(crate) unsafe fn note(&self, chain: &[*mut lua_State], label: &str) {
        let ticks = self.pending.swap(0, Ordering::Relaxed);
        if ticks == 0 || !self.is_on() {
            return;
        }
        // SAFETY: as the caller vouches.
        let stack = folded(&unsafe { frames::of_chain(chain, label, DEEPEST) });
        let mut stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
        *stacks.entry(stack).or_default() += ticks;
    }

    /// Writes the stacks, one a line.
    fn take(&self) -> Vec<u8> {
        let stacks =
            std::mem::take(&mut *self.stacks.lock().unwrap_or_else(PoisonError::into_inner));
        let mut lines: Vec<_> =
            stacks.into_iter().map(|(stack, ticks)| format!("{stack} {ticks}\n")).collect();
        lines.sort_unstable();
        lines.concat().into_bytes()
    }
}

/// Writes frames, innermost first, as one folded stack: outermost first, separated by semicolons.
fn folded(frames: &[GuestFrame]) -> String {
    let mut stack = String::new();
    if frames.len() == DEEPEST {
        stack.push_str("[deeper]");
    }
    for frame in frames.iter().rev() {
        if !stack.is_empty() {
            stack.push(';');
        }
        let name = match (frame.name.as_str(), frame.is_main) {
            (_, true) => "main chunk",
            ("", false) => "function",
            (name, _) => name,
        };
        let file = frame.path().unwrap_or(&frame.short_source);
        let line = frame.defined.max(1);
        for letter in name.chars().chain(" (".chars()).chain(file.chars()) {
            // These two end a frame and a stack.
            stack.push(if letter == ';' || letter == '\n' { '_' } else { letter });
        }
        // Writing to a string cannot fail.
        let _ = write!(stack, ":{line})");
    }
    if stack.is_empty() { "[runtime]".to_owned() } else { stack }
}

/// The clock of a profile, which stops when this is dropped.
struct Clock {
    stop: Arc<Stop>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Clock {
    fn start(stop: &Arc<Stop>) -> Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let (ticking, until) = (stop.clone(), over.clone());
        let thread = thread::Builder::new().name("lua-profile".to_owned()).spawn(move || {
            while !until.load(Ordering::Relaxed) {
                thread::sleep(TICK);
                ticking.sampler().due.store(true, Ordering::Relaxed);
                ticking.signal();
            }
        });
        let thread = thread.map_err(|error| {
            stop.sampler().on.store(false, Ordering::Relaxed);
            Error::internal(format!("cannot start the thread of a Lua profile: {error}"))
        })?;
        Ok(Self { stop: stop.clone(), over, thread: Some(thread) })
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that has panicked ticks no more, either.
            let _ = thread.join();
        }
        self.stop.sampler().on.store(false, Ordering::Relaxed);
    }
}

/// Begins to take a profile of an instance, from its thread.
pub(crate) fn begin(stop: &Arc<Stop>) -> Result<Profile> {
    if stop.sampler().on.swap(true, Ordering::Relaxed) {
        let message = "a profile of this Lua instance is already being taken: end it first";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    stop.sampler().forget();
    drop(stop.sampler().take());
    let clock = Clock::start(stop)?;
    Ok(Profile::new(move || {
        let stop = clock.stop.clone();
        drop(clock);
        Ok(stop.sampler().take())
    }))
}
