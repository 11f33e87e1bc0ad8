//! A last message for a plug-in that crashes while it is loaded, starts, or loads a file: which file it was, and where.
//!
//! What crashes in the process takes it along, and nothing can change that. But the system says no more than the signal,
//! and a process that dies at its start without a word is hard to mend. So while such code runs, handlers for the signals
//! of a crash write one line to standard error, put back what was there before, and let the signal come again.
//!
//! They are there only around that code, not around calls, which must not pay for them. What other libraries have
//! installed is called for crashes that are not the plug-in's, and stays installed where a plug-in has put its own in place.

use std::{
    cell::Cell,
    ffi::{c_int, c_void},
    mem::MaybeUninit,
    os::unix::ffi::OsStrExt,
    path::Path,
    ptr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicPtr, Ordering},
    },
};

/// The signals of a crash, with their names.
const SIGNALS: [(c_int, &str); 5] = [
    (libc::SIGSEGV, "SIGSEGV, segmentation fault"),
    (libc::SIGBUS, "SIGBUS, bus error"),
    (libc::SIGILL, "SIGILL, illegal instruction"),
    (libc::SIGFPE, "SIGFPE, floating point exception"),
    (libc::SIGABRT, "SIGABRT, aborted"),
];

/// Size of the stack that a handler runs on, where the thread has none for that: an overflow leaves no room on its own.
const STACK: usize = 64 << 10;

/// What handled each signal before. Never freed, because a handler may be reading it.
static BEFORE: [AtomicPtr<libc::sigaction>; SIGNALS.len()] =
    [const { AtomicPtr::new(ptr::null_mut()) }; SIGNALS.len()];

/// The number of threads that run such code now.
static RUNNING: Mutex<usize> = Mutex::new(0);

thread_local! {
    /// The beginning of the message, while this thread runs such code; else NULL.
    static MESSAGE: Cell<*const Message> = const { Cell::new(ptr::null()) };
}

/// The beginning of a message.
struct Message(Vec<u8>);

/// Runs a plug-in's code, so that a crash in it is told: "the plug-in FILE crashed WHERE (SIGSEGV, …)".
pub(crate) fn guarded<T>(path: &Path, place: &str, run: impl FnOnce() -> T) -> T {
    let mut message = b"\ntrine: the plug-in ".to_vec();
    message.extend_from_slice(path.as_os_str().as_bytes());
    message.extend_from_slice(format!(" crashed {place} (").as_bytes());
    let message = Message(message);
    let _guard = Guard::install(&message);
    run()
}

struct Guard<'m> {
    outer: *const Message,
    _message: &'m Message,
}

impl<'m> Guard<'m> {
    fn install(message: &'m Message) -> Self {
        provide_stack();
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        if *running == 1 {
            (0..SIGNALS.len()).for_each(take_over);
        }
        Self { outer: MESSAGE.replace(message), _message: message }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        MESSAGE.set(self.outer);
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        *running -= 1;
        if *running == 0 {
            (0..SIGNALS.len()).for_each(give_back);
        }
    }
}

/// Installs the handler of a signal and notes what was there.
fn take_over(at: usize) {
    let (signal, _) = SIGNALS[at];
    let before = action(signal);
    if is_ours(&before) {
        return;
    }
    let known = BEFORE[at].load(Ordering::SeqCst);
    // SAFETY: what was noted stays for good.
    let is_known = unsafe { known.as_ref() }.is_some_and(|known| {
        (known.sa_sigaction, known.sa_flags) == (before.sa_sigaction, before.sa_flags)
    });
    if !is_known {
        BEFORE[at].store(Box::into_raw(Box::new(before)), Ordering::SeqCst);
    }
    // SAFETY: all members of this structure may be 0.
    let mut ours: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    ours.sa_sigaction = on_crash as *const () as usize;
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the structure is whole, and the handler does nothing but what a handler may.
    unsafe { libc::sigaction(signal, &raw const ours, ptr::null_mut()) };
}

/// Puts back what was there, unless the plug-in has installed a handler of its own.
fn give_back(at: usize) {
    let (signal, _) = SIGNALS[at];
    if is_ours(&action(signal)) {
        put_back(at);
    }
}

/// Puts back what was there. A handler may do this.
fn put_back(at: usize) {
    let before = BEFORE[at].load(Ordering::SeqCst);
    // SAFETY: it is the structure that the system has filled in for this signal, or NULL, which changes nothing.
    unsafe { libc::sigaction(SIGNALS[at].0, before, ptr::null_mut()) };
}

/// Returns what handles a signal now.
fn action(signal: c_int) -> libc::sigaction {
    let mut action = MaybeUninit::zeroed();
    // SAFETY: the system fills in the structure; where it does not, it is all 0, which is the default action.
    unsafe {
        libc::sigaction(signal, ptr::null(), action.as_mut_ptr());
        action.assume_init()
    }
}

fn is_ours(action: &libc::sigaction) -> bool {
    action.sa_sigaction == on_crash as *const () as usize
}

/// Gives the thread a stack for handlers, if it has none: threads of Rust's have one. It stays for as long as the process.
fn provide_stack() {
    let mut now = MaybeUninit::<libc::stack_t>::zeroed();
    // SAFETY: the system fills in the structure; all 0 stands for a stack that is there.
    let now = unsafe {
        libc::sigaltstack(ptr::null(), now.as_mut_ptr());
        now.assume_init()
    };
    if now.ss_flags & libc::SS_DISABLE == 0 {
        return;
    }
    let stack = Box::leak(vec![0_u8; STACK].into_boxed_slice());
    let own = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: STACK };
    // SAFETY: the memory is this thread's alone, and is never freed.
    unsafe { libc::sigaltstack(&raw const own, ptr::null_mut()) };
}

/// Handles a crash. Calls nothing but what a handler may: `write`, `sigaction`, `raise`.
unsafe extern "C" fn on_crash(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let Some(at) = SIGNALS.iter().position(|(known, _)| *known == signal) else { return };
    // A cell that is constant at first and needs no destructor is a plain variable of the thread.
    let message = MESSAGE.replace(ptr::null());
    // SAFETY: it is NULL, or the message of a guard that is alive further down on this very thread's stack.
    let Some(message) = (unsafe { message.as_ref() }) else {
        // SAFETY: these are the arguments that the system has passed.
        unsafe { pass_on(at, info, context) };
        return;
    };
    for part in [message.0.as_slice(), SIGNALS[at].1.as_bytes(), b")\n"] {
        // SAFETY: the memory is there. There is nobody to tell that it could not be written.
        unsafe { libc::write(libc::STDERR_FILENO, part.as_ptr().cast(), part.len()) };
    }
    // SAFETY: as above.
    unsafe { come_again(at, info) };
}

/// Puts back what was there and has the signal come again.
///
/// # Safety
/// `info` is what the system has passed to a handler.
unsafe fn come_again(at: usize, info: *mut libc::siginfo_t) {
    put_back(at);
    // A fault comes again by itself, because the instruction is run again. What was sent has to be sent again; it comes when
    // the handler returns.
    // SAFETY: the structure is the system's; sending a signal to oneself touches no memory.
    unsafe {
        if info.is_null() || (*info).si_code <= 0 {
            libc::raise(SIGNALS[at].0);
        }
    }
}

/// Does what would have been done without this handler.
///
/// # Safety
/// The arguments are those that the system has passed to a handler.
unsafe fn pass_on(at: usize, info: *mut libc::siginfo_t, context: *mut c_void) {
    let before = BEFORE[at].load(Ordering::SeqCst);
    // SAFETY: what was noted stays for good.
    let Some(before) = (unsafe { before.as_ref() }) else { return };
    match before.sa_sigaction {
        libc::SIG_IGN => {}
        // SAFETY: the arguments are the system's.
        libc::SIG_DFL => unsafe { come_again(at, info) },
        handler if before.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: a handler with this flag has this type.
            let handler: unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                unsafe { std::mem::transmute(handler) };
            // SAFETY: it gets what the system has passed.
            unsafe { handler(SIGNALS[at].0, info, context) };
        }
        handler => {
            // SAFETY: a handler without that flag has this type.
            let handler: unsafe extern "C" fn(c_int) = unsafe { std::mem::transmute(handler) };
            // SAFETY: it gets what the system has passed.
            unsafe { handler(SIGNALS[at].0) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn handlers_are_there_while_code_runs_on_any_thread_and_not_afterwards() {
        let are_ours = || SIGNALS.iter().all(|(signal, _)| is_ours(&action(*signal)));
        let path = Path::new("upper.so");
        let threads: Vec<_> = (0..8)
            .map(|_| {
                thread::spawn(move || {
                    for _ in 0..100 {
                        guarded(path, "outside", || {
                            guarded(path, "inside", || assert!(are_ours()));
                            assert!(are_ours() && !MESSAGE.get().is_null());
                        });
                        assert!(MESSAGE.get().is_null());
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(SIGNALS.iter().all(|(signal, _)| !is_ours(&action(*signal))));
    }
}
