//! The code of libraries that runs now: whose it is and what it does, on each thread, for what has to be told where it ends
//! the process.

use crate::crash;
use std::{
    cell::Cell,
    marker::PhantomData,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    ptr,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What a library's code is at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Doing<'a> {
    /// Its constructors and the functions that say what it is.
    Load,
    /// `trine_init`.
    Prepare,
    /// `trine_cleanup`.
    CleanUp,
    /// `trine_warn`, for the invocation of this id.
    Hear(&'a str),
    /// A handler or a hook, for the invocation of this id.
    Handle(&'a str),
}

/// Code of a library that runs, or is about to.
pub(crate) struct Flight<'a> {
    file: &'a [u8],
    doing: Doing<'a>,
}

thread_local! {
    /// The library's code that this thread runs. Without a destructor, so that handlers of signals may read it.
    static CURRENT: Cell<*const Flight<'static>> = const { Cell::new(ptr::null()) };
}

/// All that runs, in the order in which it began.
static ALL: Mutex<Vec<Noted>> = Mutex::new(Vec::new());

/// A flight that other threads may look at while [`ALL`] is locked.
#[derive(PartialEq)]
struct Noted(*const Flight<'static>);

// SAFETY: it is taken out of `ALL` before it goes away, and nobody changes what others read of it.
unsafe impl Send for Noted {}

impl<'a> Flight<'a> {
    /// Makes the note of code of a library's file.
    pub(crate) fn new(file: &'a Path, doing: Doing<'a>) -> Self {
        Self { file: file.as_os_str().as_bytes(), doing }
    }

    /// Notes that the thread runs this code, until the result is dropped.
    pub(crate) fn begin(&self) -> InFlight<'_> {
        crash::prepare_thread();
        let this = ptr::from_ref(self).cast::<Flight<'static>>();
        all().push(Noted(this));
        InFlight { flight: this, before: CURRENT.replace(this), borrowed: PhantomData }
    }

    /// Returns the file's path.
    pub(crate) fn file(&self) -> &[u8] {
        self.file
    }

    /// Returns what is done, in two parts: words, and the id that follows them. Allocates nothing.
    pub(crate) fn words(&self) -> (&'static str, &str) {
        match self.doing {
            Doing::Load => ("was loaded", ""),
            Doing::Prepare => ("prepared itself (trine_init)", ""),
            Doing::CleanUp => ("cleaned up (trine_cleanup)", ""),
            Doing::Hear(id) => ("heard of the deadline of ", id),
            Doing::Handle(id) => ("handled ", id),
        }
    }
}

/// A flight that has begun.
pub(crate) struct InFlight<'f> {
    flight: *const Flight<'static>,
    /// What the thread was in before.
    before: *const Flight<'static>,
    borrowed: PhantomData<&'f Flight<'f>>,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        CURRENT.set(self.before);
        all().retain(|noted| noted.0 != self.flight);
    }
}

/// Gives `tell` what this thread runs of a library; `None` where it runs nothing. May be called by a handler of signals.
pub(crate) fn with_current<T>(tell: impl FnOnce(Option<&Flight<'_>>) -> T) -> T {
    // SAFETY: what the thread runs is there until it has come back from it.
    tell(unsafe { CURRENT.get().as_ref() })
}

/// Gives `tell` what runs longest on whatever thread; `None` where nothing does.
pub(crate) fn with_any<T>(tell: impl FnOnce(Option<&Flight<'_>>) -> T) -> T {
    let all = all();
    // SAFETY: what is noted is there until it is taken out, for which the lock is needed.
    tell(all.first().and_then(|noted| unsafe { noted.0.as_ref() }))
}

fn all() -> MutexGuard<'static, Vec<Noted>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}
