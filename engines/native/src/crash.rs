//! What is told when a library crashes: its file, the signal, and the invocation. Then the process ends as it would have.
//!
//! A crash cannot be caught, so nothing is mended here. Crashes elsewhere (V8's, CPython's, anybody's) are those of whoever
//! handled these signals before.

use crate::flight;
use std::{
    cell::RefCell,
    ffi::{c_int, c_void},
    mem, ptr,
    sync::{
        Once,
        atomic::{AtomicI32, AtomicUsize, Ordering},
    },
};

/// The signals of a crash, with their names.
const SIGNALS: [(c_int, &str); 5] = [
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGILL, "SIGILL"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGABRT, "SIGABRT"),
];

/// Size of a thread's stack for handlers, in bytes. Go's runtime uses it as well, and needs half of it.
const STACK: usize = 64 << 10;

/// The handlers before, in the order of [`SIGNALS`].
static BEFORE: [Before; SIGNALS.len()] = [const { Before::nobody() }; SIGNALS.len()];

/// The process that has the handlers. Its children end without a word.
static PROCESS: AtomicI32 = AtomicI32::new(0);

struct Before {
    address: AtomicUsize,
    flags: AtomicI32,
}

impl Before {
    const fn nobody() -> Self {
        Self { address: AtomicUsize::new(libc::SIG_DFL), flags: AtomicI32::new(0) }
    }

    fn keep(&self, action: &libc::sigaction) {
        self.flags.store(action.sa_flags, Ordering::Relaxed);
        self.address.store(action.sa_sigaction, Ordering::Release);
    }
}

type Plain = extern "C" fn(c_int);
type WithInfo = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// Whether this is the process that looks out for what libraries do to it, and not a child that a library has forked.
pub(crate) fn is_own_process() -> bool {
    PROCESS.load(Ordering::Relaxed) == std::process::id() as i32
}

/// Looks out for crashes of libraries from now on.
pub(crate) fn watch() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        PROCESS.store(std::process::id() as i32, Ordering::Relaxed);
        for ((signal, _), before) in SIGNALS.iter().zip(&BEFORE) {
            // SAFETY: all-zero bytes are a valid value of this C structure of integers and pointers.
            let (mut action, mut found) =
                unsafe { mem::zeroed::<(libc::sigaction, libc::sigaction)>() };
            // SAFETY: nothing is installed; the action is valid for writes.
            if unsafe { libc::sigaction(*signal, ptr::null(), &raw mut found) } != 0 {
                continue;
            }
            before.keep(&found);
            action.sa_sigaction = crashed as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            action.sa_mask = found.sa_mask;
            // SAFETY: the handler does only what may be done at any moment, as said where it is.
            unsafe { libc::sigaction(*signal, &raw const action, ptr::null_mut()) };
        }
    });
}

/// Tells of a crash in a library's code; passes on any other one.
///
/// It reads what the thread has noted, writes to standard error and changes the signal's action, all of which may be done in a
/// handler of signals.
extern "C" fn crashed(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let Some(at) = SIGNALS.iter().position(|(number, _)| *number == signal) else { return };
    // SAFETY: the system passes what it knows of the signal.
    let (code, sender) = unsafe { ((*info).si_code, (*info).si_pid()) };
    let is_fault = code > 0;
    // What another process sends is no crash.
    let is_ours = is_own_process() && (is_fault || sender == PROCESS.load(Ordering::Relaxed));
    let is_told = flight::with_current(|flight| match flight {
        Some(flight) if is_ours => {
            let (words, id) = flight.words();
            write(&[
                b"error: ",
                flight.file(),
                b" crashed (",
                SIGNALS[at].1.as_bytes(),
                b") while it ",
                words.as_bytes(),
                id.as_bytes(),
                b"; compiled handlers share the process and cannot be caught\n",
            ]);
            true
        }
        _ => false,
    });
    if is_told {
        return end_by(signal, is_fault);
    }
    let address = BEFORE[at].address.load(Ordering::Acquire);
    if address == libc::SIG_IGN && !is_fault {
        return;
    }
    if matches!(address, libc::SIG_DFL | libc::SIG_IGN) {
        return end_by(signal, is_fault);
    }
    if BEFORE[at].flags.load(Ordering::Relaxed) & libc::SA_SIGINFO != 0 {
        // SAFETY: the address is that of a handler that was installed with `SA_SIGINFO`, which is a function of this type.
        let handler: WithInfo = unsafe { mem::transmute(address) };
        handler(signal, info, context);
    } else {
        // SAFETY: the address is that of a handler that was installed without `SA_SIGINFO`, as above.
        let handler: Plain = unsafe { mem::transmute(address) };
        handler(signal);
    }
}

/// Lets the system do what it does about a signal that nobody handles: when the handler has returned, the fault comes again,
/// or the signal does.
fn end_by(signal: c_int, is_fault: bool) {
    // SAFETY: both may be called in a handler; the default takes nothing of ours.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        if !is_fault {
            libc::raise(signal);
        }
    }
}

/// Writes parts to standard error, as one piece.
pub(crate) fn write(parts: &[&[u8]]) {
    let mut pieces = [const { libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 } }; 12];
    for (piece, part) in pieces.iter_mut().zip(parts) {
        piece.iov_base = part.as_ptr().cast_mut().cast();
        piece.iov_len = part.len();
    }
    let count = parts.len().min(pieces.len()) as c_int;
    // SAFETY: each piece is a slice that lives until this returns. Nothing can be done where nobody takes them.
    unsafe { libc::writev(libc::STDERR_FILENO, pieces.as_ptr(), count) };
}

/// A stack on which this thread's handlers of signals run, where it had none: a library may have used up its own.
struct Stack(*mut c_void);

thread_local! {
    static STACK_OF_THREAD: RefCell<Option<Stack>> = const { RefCell::new(None) };
    static WAS_LOOKED_AT: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Sees to it that this thread has a stack for handlers.
pub(crate) fn prepare_thread() {
    if WAS_LOOKED_AT.replace(true) {
        return;
    }
    // SAFETY: all-zero bytes are a valid value of this C structure.
    let mut found: libc::stack_t = unsafe { mem::zeroed() };
    // SAFETY: nothing is changed; the structure is valid for writes.
    let asked = unsafe { libc::sigaltstack(ptr::null(), &raw mut found) };
    if asked != 0 || found.ss_flags & libc::SS_DISABLE == 0 {
        return;
    }
    let (access, kind) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: new memory of nobody's.
    let place = unsafe { libc::mmap(ptr::null_mut(), STACK, access, kind, -1, 0) };
    if place == libc::MAP_FAILED {
        return;
    }
    let stack = libc::stack_t { ss_sp: place, ss_flags: 0, ss_size: STACK };
    // SAFETY: the memory is as large as is said, and stays until the thread ends.
    unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) };
    STACK_OF_THREAD.set(Some(Stack(place)));
}

impl Drop for Stack {
    fn drop(&mut self) {
        let nothing =
            libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        // SAFETY: the thread ends, so that no handler runs on its stack, which is given back only where it was taken out of use.
        unsafe {
            if libc::sigaltstack(&raw const nothing, ptr::null_mut()) == 0 {
                libc::munmap(self.0, STACK);
            }
        }
    }
}
