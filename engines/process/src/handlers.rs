//! Signals with several handlers: whoever installs one takes the place of those before, and libraries that bring a
//! runtime of their own, such as Go's, do so when they are loaded. Here one handler calls all of them.
//!
//! Signals that tell of a fault in the code that runs (SIGSEGV and its like) are left alone: their handlers do not
//! return, and libraries pass on what is not theirs.

use std::{
    ffi::{c_int, c_void},
    mem, ptr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Number of signals that are looked at: the system's own, without those for real time, and 0, which is none.
const SIGNALS: usize = 32;
/// Maximum number of handlers of one signal. More are not called.
const MOST: usize = 8;
/// Signals that are left alone: those of faults, and SIGPIPE, which belongs to a write.
const LEFT_ALONE: [c_int; 10] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGSYS,
    libc::SIGPIPE,
    libc::SIGKILL,
    libc::SIGSTOP,
];

/// The handlers of each signal that has several, in the order in which they are called: their addresses, and whether they
/// take three arguments.
static SHARED: [[Entry; MOST]; SIGNALS] = [const { [const { Entry::nobody() }; MOST] }; SIGNALS];
/// Held by whoever changes handlers.
static CHANGES: Mutex<()> = Mutex::new(());

struct Entry {
    address: AtomicUsize,
    takes_info: AtomicUsize,
}

impl Entry {
    const fn nobody() -> Self {
        Self { address: AtomicUsize::new(0), takes_info: AtomicUsize::new(0) }
    }
}

type Plain = extern "C" fn(c_int);
type WithInfo = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// The handlers of the process's signals at some moment.
pub struct Handlers([Option<libc::sigaction>; SIGNALS]);

impl Handlers {
    /// Looks up what is installed now.
    pub fn now() -> Self {
        Self(std::array::from_fn(|signal| handled(signal as c_int)))
    }

    /// Sees to it that these handlers are called for their signals, beside those that have taken their place since. They
    /// come first.
    pub fn keep(&self) {
        let _changes = CHANGES.lock().unwrap_or_else(PoisonError::into_inner);
        for (signal, before) in self.0.iter().enumerate() {
            let Some(before) = before else { continue };
            let signal = signal as c_int;
            // A handler that was taken out stays out.
            let Some(now) = handled(signal) else { continue };
            if now.sa_sigaction != before.sa_sigaction {
                share(signal, before, &now);
            }
        }
    }
}

/// Adds a handler, which is called before one that is there already.
///
/// # Safety
/// The handler is async-signal-safe.
pub(crate) unsafe fn add(signal: c_int, handler: Plain) {
    let _changes = CHANGES.lock().unwrap_or_else(PoisonError::into_inner);
    let action = action(handler as *const () as usize, 0);
    match handled(signal) {
        Some(before) if before.sa_sigaction != action.sa_sigaction => {
            share(signal, &action, &before);
        }
        _ => install(signal, &action),
    }
}

/// Makes a handler's action. Libraries' threads may run on stacks too small for a handler (those of Go's goroutines), and have
/// other ones for this.
fn action(address: usize, flags: c_int) -> libc::sigaction {
    // SAFETY: all-zero bytes are a valid value of this C structure of integers and pointers.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = address;
    action.sa_flags = flags | libc::SA_RESTART | libc::SA_ONSTACK;
    action
}

/// Returns a signal's action, where somebody handles it and it is not to be left alone.
fn handled(signal: c_int) -> Option<libc::sigaction> {
    if signal == 0 || LEFT_ALONE.contains(&signal) {
        return None;
    }
    current(signal).filter(|action| !matches!(action.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN))
}

fn current(signal: c_int) -> Option<libc::sigaction> {
    let mut found = action(libc::SIG_DFL, 0);
    // SAFETY: the action is valid for writes; nothing is installed.
    match unsafe { libc::sigaction(signal, ptr::null(), &raw mut found) } {
        0 => Some(found),
        _ => None,
    }
}

fn install(signal: c_int, action: &libc::sigaction) {
    // SAFETY: the action holds a handler that was installed before, our own, or one that the caller of `add` vouches for.
    unsafe { libc::sigaction(signal, action, ptr::null_mut()) };
}

/// Has both of two actions' handlers called.
fn share(signal: c_int, first: &libc::sigaction, second: &libc::sigaction) {
    let Some(entries) = SHARED.get(signal as usize) else { return };
    let ours = call_all as *const () as usize;
    for added in [first, second] {
        if matches!(added.sa_sigaction, libc::SIG_DFL | libc::SIG_IGN) || added.sa_sigaction == ours
        {
            continue;
        }
        for entry in entries {
            let known = entry.address.load(Ordering::Relaxed);
            if known == 0 {
                let takes_info = usize::from(added.sa_flags & libc::SA_SIGINFO != 0);
                entry.takes_info.store(takes_info, Ordering::Relaxed);
                entry.address.store(added.sa_sigaction, Ordering::Release);
            }
            if known == 0 || known == added.sa_sigaction {
                break;
            }
        }
    }
    let mut both = action(ours, libc::SA_SIGINFO);
    // What any of them does not want to be interrupted by stays away from all.
    both.sa_mask = second.sa_mask;
    install(signal, &both);
}

extern "C" fn call_all(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let Some(entries) = usize::try_from(signal).ok().and_then(|at| SHARED.get(at)) else { return };
    for entry in entries {
        let address = entry.address.load(Ordering::Acquire);
        if address == 0 {
            return;
        }
        if entry.takes_info.load(Ordering::Relaxed) != 0 {
            // SAFETY: the address is that of a handler that was installed with `SA_SIGINFO`, which is a function of this
            // type; what handlers are in is never unloaded.
            let handler: WithInfo = unsafe { mem::transmute(address) };
            handler(signal, info, context);
        } else {
            // SAFETY: the address is that of a handler that was installed without `SA_SIGINFO`, as above.
            let handler: Plain = unsafe { mem::transmute(address) };
            handler(signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::{self, Thread};

    static CALLS: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];

    extern "C" fn first(_signal: c_int) {
        CALLS[0].fetch_add(1, Ordering::SeqCst);
    }

    extern "C" fn second(_signal: c_int, info: *mut libc::siginfo_t, _context: *mut c_void) {
        assert!(!info.is_null());
        CALLS[1].fetch_add(1, Ordering::SeqCst);
    }

    extern "C" fn third(_signal: c_int) {
        CALLS[2].fetch_add(1, Ordering::SeqCst);
    }

    fn calls_of(signal: c_int) -> [usize; 3] {
        // SAFETY: this is the current thread.
        unsafe { Thread::current().send(signal) };
        CALLS.each_ref().map(|calls| calls.swap(0, Ordering::SeqCst))
    }

    #[test]
    fn handlers_that_were_replaced_are_called_beside_the_new_ones_and_once_each() {
        let signal = libc::SIGWINCH;
        // SAFETY: the handlers count, which may be done at any moment.
        unsafe { signal::handle(signal, first) };
        assert_eq!(calls_of(signal), [1, 0, 0]);
        let before = Handlers::now();
        install(signal, &action(second as *const () as usize, libc::SA_SIGINFO));
        assert_eq!(calls_of(signal), [0, 1, 0]);
        before.keep();
        before.keep();
        assert_eq!(calls_of(signal), [1, 1, 0]);
        // SAFETY: as above.
        unsafe { signal::handle(signal, third) };
        // SAFETY: as above.
        unsafe { signal::handle(signal, first) };
        assert_eq!(calls_of(signal), [1, 1, 1]);
        assert!(current(signal).is_some_and(|action| action.sa_flags & libc::SA_ONSTACK != 0));
    }

    #[test]
    fn what_nobody_handled_before_belongs_to_the_new_handler_alone() {
        let signal = libc::SIGPROF;
        let before = Handlers::now();
        install(signal, &action(third as *const () as usize, 0));
        before.keep();
        assert!(
            current(signal)
                .is_some_and(|action| action.sa_sigaction == third as *const () as usize)
        );
        let with_handler = Handlers::now();
        install(signal, &action(libc::SIG_DFL, 0));
        with_handler.keep();
        assert!(handled(signal).is_none(), "what was taken out stays out");
    }
}
