//! Debuggers and profiles: where a language waits for a debugger, the time that one holds the process up, and what a
//! profile is.

use crate::Result;
use std::{
    any::Any,
    fmt,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The place where a language listens for debuggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebugListener {
    /// The address; port 0 takes any free one. Whoever may connect to it may run code in this process.
    pub address: SocketAddr,
    /// Whether guests wait for a debugger before their first statement, and stop there.
    pub waits: bool,
}

/// The places where debuggers may attach, by the protocol that they speak. A language listens on the one for its own; with
/// both absent it costs nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Debuggers {
    /// For the Chrome DevTools Protocol, which V8 speaks.
    pub inspector: Option<DebugListener>,
    /// For the Debug Adapter Protocol.
    pub adapter: Option<DebugListener>,
}

impl Debuggers {
    /// Whether a debugger may attach.
    pub fn are_expected(&self) -> bool {
        self.inspector.is_some() || self.adapter.is_some()
    }
}

/// The time during which debuggers were attached to the process. Whoever limits time takes it off, because a guest that
/// stands at a breakpoint does not hang.
struct Attached {
    count: usize,
    since: Option<Instant>,
    before: Duration,
}

static ATTACHED: Mutex<Attached> =
    Mutex::new(Attached { count: 0, since: None, before: Duration::ZERO });

fn attached() -> MutexGuard<'static, Attached> {
    // What is kept there is valid after every step.
    ATTACHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns how long debuggers have been attached to this process so far.
///
/// ```
/// use std::time::Duration;
/// use trine_engine::{AttachedDebugger, debugged_time};
///
/// assert_eq!(debugged_time(), Duration::ZERO);
/// let debugger = AttachedDebugger::new();
/// std::thread::sleep(Duration::from_millis(2));
/// assert!(debugged_time() >= Duration::from_millis(2));
/// drop(debugger);
/// assert_eq!(debugged_time(), debugged_time());
/// ```
pub fn debugged_time() -> Duration {
    let attached = attached();
    attached.before + attached.since.map_or(Duration::ZERO, |since| since.elapsed())
}

/// A debugger that is attached, for as long as this value lives.
#[derive(Debug)]
pub struct AttachedDebugger(());

impl AttachedDebugger {
    /// Notes that a debugger has attached.
    #[expect(clippy::new_without_default, reason = "it is counted as soon as it is made")]
    pub fn new() -> Self {
        let mut attached = attached();
        attached.count += 1;
        attached.since.get_or_insert_with(Instant::now);
        Self(())
    }
}

impl Drop for AttachedDebugger {
    fn drop(&mut self) {
        let mut attached = attached();
        attached.count -= 1;
        if attached.count == 0 {
            let since = attached.since.take();
            attached.before += since.map_or(Duration::ZERO, |since| since.elapsed());
        }
    }
}

/// A debugger at the other end of a connection; it is let go when this value is dropped.
pub struct DebugSession(#[expect(dead_code, reason = "it is kept for its end")] Box<dyn Any>);

impl DebugSession {
    /// Makes a session that lasts until `held` is dropped.
    pub fn new(held: impl Any) -> Self {
        Self(Box::new(held))
    }
}

impl fmt::Debug for DebugSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DebugSession")
    }
}

/// A profile that is being taken.
pub struct Profile(Box<dyn FnOnce() -> Result<Vec<u8>>>);

impl Profile {
    /// Makes a profile that `finish` ends and writes in the language's own form.
    pub fn new(finish: impl FnOnce() -> Result<Vec<u8>> + 'static) -> Self {
        Self(Box::new(finish))
    }

    /// Ends it. Returns what belongs into its file.
    ///
    /// # Errors
    /// When the interpreter cannot write it.
    pub fn finish(self) -> Result<Vec<u8>> {
        (self.0)()
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Profile")
    }
}
