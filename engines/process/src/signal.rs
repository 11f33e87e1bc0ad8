//! Signals: their names, which of them end a process, and how they are sent.

use std::{
    ffi::c_int,
    io,
    sync::atomic::{AtomicBool, Ordering},
};

/// `SIGURG`, which is ignored where nobody handles it.
pub const URGENT: c_int = libc::SIGURG;

/// A signal whose default is the process's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FatalSignal {
    /// The system's number.
    pub number: c_int,
    /// The name: `SIGHUP`.
    pub name: &'static str,
    /// Lambda's words for a process that it ended: `hangup`.
    pub end: &'static str,
}

const fn fatal(number: c_int, name: &'static str, end: &'static str) -> FatalSignal {
    FatalSignal { number, name, end }
}

/// Linux's deadly signals. SIGTERM and SIGINT are not among them: they ask the process for an orderly end, and it ends.
#[cfg(target_os = "linux")]
const FATAL: &[FatalSignal] = &[
    fatal(libc::SIGHUP, "SIGHUP", "hangup"),
    fatal(libc::SIGQUIT, "SIGQUIT", "quit"),
    fatal(libc::SIGILL, "SIGILL", "illegal instruction"),
    fatal(libc::SIGTRAP, "SIGTRAP", "trace/breakpoint trap"),
    fatal(libc::SIGABRT, "SIGABRT", "aborted"),
    fatal(libc::SIGBUS, "SIGBUS", "bus error"),
    fatal(libc::SIGFPE, "SIGFPE", "floating point exception"),
    fatal(libc::SIGKILL, "SIGKILL", "killed"),
    fatal(libc::SIGUSR1, "SIGUSR1", "user defined signal 1"),
    fatal(libc::SIGSEGV, "SIGSEGV", "segmentation fault"),
    fatal(libc::SIGUSR2, "SIGUSR2", "user defined signal 2"),
    fatal(libc::SIGPIPE, "SIGPIPE", "broken pipe"),
    fatal(libc::SIGALRM, "SIGALRM", "alarm clock"),
    fatal(libc::SIGSTKFLT, "SIGSTKFLT", "stack fault"),
    fatal(libc::SIGXCPU, "SIGXCPU", "CPU time limit exceeded"),
    fatal(libc::SIGXFSZ, "SIGXFSZ", "file size limit exceeded"),
    fatal(libc::SIGVTALRM, "SIGVTALRM", "virtual timer expired"),
    fatal(libc::SIGPROF, "SIGPROF", "profiling timer expired"),
    fatal(libc::SIGIO, "SIGIO", "I/O possible"),
    fatal(libc::SIGPWR, "SIGPWR", "power failure"),
    fatal(libc::SIGSYS, "SIGSYS", "bad system call"),
];

/// No signals elsewhere: which of them end a process is not known here.
#[cfg(not(target_os = "linux"))]
const FATAL: &[FatalSignal] = &[];

/// Signals that end the process whatever handler it has: it cannot have one, or it is the handler that ends it.
const ALWAYS_FATAL: [c_int; 8] = [
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGKILL,
    libc::SIGSEGV,
    libc::SIGSYS,
];

impl FatalSignal {
    /// Returns the signal of this number, if it is one whose default is the process's end.
    pub fn by_number(number: c_int) -> Option<&'static Self> {
        FATAL.iter().find(|signal| signal.number == number)
    }

    /// Returns the signal that is called this, by name (`SIGHUP`) or number (`1`).
    pub fn by_name(name: &str) -> Option<&'static Self> {
        FATAL.iter().find(|signal| signal.name == name || signal.number.to_string() == name)
    }

    /// Whether this process would end if it were sent the signal now.
    pub fn ends_process(&self) -> bool {
        ALWAYS_FATAL.contains(&self.number) || !is_handled(self.number)
    }
}

/// Whether the process handles or ignores a signal, according to the kernel.
fn is_handled(signal: c_int) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ["SigCgt:", "SigIgn:"].iter().any(|name| {
        let mask = status.lines().find_map(|line| line.strip_prefix(name));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
    })
}

/// Sends a signal to a process, or to a group as `kill(2)` tells them apart. Signal 0 only asks whether it is there.
///
/// # Errors
/// The system's: no such process, no right to, no such signal.
pub fn send(pid: i32, signal: c_int) -> io::Result<()> {
    // SAFETY: `kill` takes two plain numbers and touches no memory of ours.
    match unsafe { libc::kill(pid, signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Leaves faults of memory to the system again: a process of this program's that is an interpreter dies of SIGSEGV and
/// SIGBUS, whoever sends them. The handlers with which Rust's own start looks out for overflown stacks let it live on, once.
/// Call this before the process has threads.
pub fn leave_faults_to_the_system() {
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: the default takes nothing of ours.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// A thread to which signals can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thread(libc::pthread_t);

impl Thread {
    /// Returns the calling thread.
    pub fn current() -> Self {
        // SAFETY: `pthread_self` has no preconditions.
        Self(unsafe { libc::pthread_self() })
    }

    /// Returns the thread that the C library knows by this number.
    pub const fn from_number(number: libc::pthread_t) -> Self {
        Self(number)
    }

    /// Sends the thread a signal.
    ///
    /// # Safety
    /// The thread has not ended.
    pub unsafe fn send(self, signal: c_int) {
        // SAFETY: the caller vouches for the thread; a signal that does not exist is refused.
        unsafe { libc::pthread_kill(self.0, signal) };
    }
}

/// Whether the process was asked to end.
static END_WAS_REQUESTED: AtomicBool = AtomicBool::new(false);

/// Notes from now on whether SIGTERM or SIGINT has come, beside whoever else listens for them by the same registry, as
/// async runtimes do. They no longer end the process by themselves.
///
/// # Errors
/// The system's.
pub fn note_requests_to_end() -> io::Result<()> {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let note = || END_WAS_REQUESTED.store(true, Ordering::Release);
        // SAFETY: storing a number is all that is done, and may be done at any moment.
        unsafe { signal_hook_registry::register(signal, note) }?;
    }
    Ok(())
}

/// Whether SIGTERM or SIGINT has come since [`note_requests_to_end`]. Known at once, on every thread, whatever guests do.
pub fn end_was_requested() -> bool {
    END_WAS_REQUESTED.load(Ordering::Acquire)
}

/// Installs a handler for a signal. One that is there already is called after it: a library's runtime may live on its signals.
///
/// # Safety
/// The handler is async-signal-safe: it may run at any time, on any thread that does not block the signal.
pub unsafe fn handle(signal: c_int, handler: extern "C" fn(c_int)) {
    // SAFETY: the caller vouches for the handler.
    unsafe { crate::handlers::add(signal, handler) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_found_by_number_and_by_either_name() {
        let usr1 = FatalSignal::by_number(libc::SIGUSR1).unwrap();
        assert_eq!((usr1.name, usr1.end), ("SIGUSR1", "user defined signal 1"));
        assert_eq!(FatalSignal::by_name("SIGUSR1"), Some(usr1));
        assert_eq!(FatalSignal::by_name(&libc::SIGUSR1.to_string()), Some(usr1));
        for asking in [libc::SIGTERM, libc::SIGINT, libc::SIGCHLD, 0, -1] {
            assert_eq!(FatalSignal::by_number(asking), None);
        }
    }

    #[test]
    fn a_handler_makes_a_signal_harmless_unless_it_always_ends_a_process() {
        extern "C" fn ignore(_signal: c_int) {}
        let pipe = FatalSignal::by_number(libc::SIGVTALRM).unwrap();
        assert!(pipe.ends_process());
        // SAFETY: the handler does nothing.
        unsafe { handle(libc::SIGVTALRM, ignore) };
        assert!(!pipe.ends_process());
        // SAFETY: this is the current thread.
        unsafe { Thread::current().send(libc::SIGVTALRM) };
        assert!(FatalSignal::by_number(libc::SIGKILL).unwrap().ends_process());
    }

    #[test]
    fn a_request_to_end_is_noted() {
        note_requests_to_end().unwrap();
        assert!(!end_was_requested());
        // SAFETY: this is the current thread.
        unsafe { Thread::current().send(libc::SIGTERM) };
        assert!(end_was_requested());
    }

    #[test]
    fn a_process_that_is_not_there_gets_nothing() {
        assert_eq!(send(i32::MAX, 0).unwrap_err().raw_os_error(), Some(libc::ESRCH));
        send(std::process::id() as i32, 0).unwrap();
    }
}
