//! Signals: their names, which of them end a process, and how they are sent.

use std::{ffi::c_int, io};

/// A signal whose default is the process's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadly {
    /// The system's number.
    pub number: c_int,
    /// The name: `SIGHUP`.
    pub name: &'static str,
    /// Lambda's words for a process that it ended: `hangup`.
    pub end: &'static str,
}

const fn deadly(number: c_int, name: &'static str, end: &'static str) -> Deadly {
    Deadly { number, name, end }
}

/// Linux's deadly signals. SIGTERM and SIGINT are not among them: they ask the process for an orderly end, and it ends.
#[cfg(target_os = "linux")]
const DEADLY: &[Deadly] = &[
    deadly(libc::SIGHUP, "SIGHUP", "hangup"),
    deadly(libc::SIGQUIT, "SIGQUIT", "quit"),
    deadly(libc::SIGILL, "SIGILL", "illegal instruction"),
    deadly(libc::SIGTRAP, "SIGTRAP", "trace/breakpoint trap"),
    deadly(libc::SIGABRT, "SIGABRT", "aborted"),
    deadly(libc::SIGBUS, "SIGBUS", "bus error"),
    deadly(libc::SIGFPE, "SIGFPE", "floating point exception"),
    deadly(libc::SIGKILL, "SIGKILL", "killed"),
    deadly(libc::SIGUSR1, "SIGUSR1", "user defined signal 1"),
    deadly(libc::SIGSEGV, "SIGSEGV", "segmentation fault"),
    deadly(libc::SIGUSR2, "SIGUSR2", "user defined signal 2"),
    deadly(libc::SIGPIPE, "SIGPIPE", "broken pipe"),
    deadly(libc::SIGALRM, "SIGALRM", "alarm clock"),
    deadly(libc::SIGSTKFLT, "SIGSTKFLT", "stack fault"),
    deadly(libc::SIGXCPU, "SIGXCPU", "CPU time limit exceeded"),
    deadly(libc::SIGXFSZ, "SIGXFSZ", "file size limit exceeded"),
    deadly(libc::SIGVTALRM, "SIGVTALRM", "virtual timer expired"),
    deadly(libc::SIGPROF, "SIGPROF", "profiling timer expired"),
    deadly(libc::SIGIO, "SIGIO", "I/O possible"),
    deadly(libc::SIGPWR, "SIGPWR", "power failure"),
    deadly(libc::SIGSYS, "SIGSYS", "bad system call"),
];

/// No signals elsewhere: which of them end a process is not known here.
#[cfg(not(target_os = "linux"))]
const DEADLY: &[Deadly] = &[];

/// Signals that end the process whatever handler it has: it cannot have one, or it is the handler that ends it.
const ALWAYS: [c_int; 8] = [
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGKILL,
    libc::SIGSEGV,
    libc::SIGSYS,
];

impl Deadly {
    /// Returns the signal of this number, if it is one whose default is the process's end.
    pub fn of(number: c_int) -> Option<&'static Self> {
        DEADLY.iter().find(|signal| signal.number == number)
    }

    /// Returns the signal that is called this, by name (`SIGHUP`) or number (`1`).
    pub fn called(name: &str) -> Option<&'static Self> {
        DEADLY.iter().find(|signal| signal.name == name || signal.number.to_string() == name)
    }

    /// Whether this process would end if it were sent the signal now.
    pub fn ends_process(&self) -> bool {
        ALWAYS.contains(&self.number) || !is_handled(self.number)
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

/// Installs a handler for a signal, whatever was there before.
///
/// # Safety
/// The handler is async-signal-safe: it may run at any time, on any thread that does not block the signal.
pub unsafe fn handle(signal: c_int, handler: extern "C" fn(c_int)) {
    let handler = handler as *const () as libc::sighandler_t;
    // SAFETY: the address is that of a function of the type that the system calls; the caller vouches for it.
    unsafe { libc::signal(signal, handler) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_found_by_number_and_by_either_name() {
        let usr1 = Deadly::of(libc::SIGUSR1).unwrap();
        assert_eq!((usr1.name, usr1.end), ("SIGUSR1", "user defined signal 1"));
        assert_eq!(Deadly::called("SIGUSR1"), Some(usr1));
        assert_eq!(Deadly::called(&libc::SIGUSR1.to_string()), Some(usr1));
        for asking in [libc::SIGTERM, libc::SIGINT, libc::SIGCHLD, 0, -1] {
            assert_eq!(Deadly::of(asking), None);
        }
    }

    #[test]
    fn a_handler_makes_a_signal_harmless_unless_it_always_ends_a_process() {
        extern "C" fn ignore(_signal: c_int) {}
        let pipe = Deadly::of(libc::SIGVTALRM).unwrap();
        assert!(pipe.ends_process());
        // SAFETY: the handler does nothing.
        unsafe { handle(libc::SIGVTALRM, ignore) };
        assert!(!pipe.ends_process());
        // SAFETY: this is the current thread.
        unsafe { Thread::current().send(libc::SIGVTALRM) };
        assert!(Deadly::of(libc::SIGKILL).unwrap().ends_process());
    }

    #[test]
    fn a_process_that_is_not_there_gets_nothing() {
        assert_eq!(send(i32::MAX, 0).unwrap_err().raw_os_error(), Some(libc::ESRCH));
        send(std::process::id() as i32, 0).unwrap();
    }
}
