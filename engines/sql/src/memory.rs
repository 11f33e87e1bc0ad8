//! The memory that SQLite takes for a function: counted for each of them, and refused beyond its limit.
//!
//! SQLite's own limit on its heap is the whole process's, and its limits of single databases leave out sorting, temporary
//! tables, texts and journals. So its allocator is replaced by one that counts: every allocation made while a thread is
//! at work for a function goes on that function's account. What happens on other threads, or for other users of SQLite in
//! the process, is passed on uncounted.

use libsqlite3_sys as ffi;
use std::{
    cell::Cell,
    ffi::{c_int, c_void},
    ptr,
    sync::{Once, OnceLock},
};

/// SQLite's own allocator, before which the counting one stands.
static OWN: OnceLock<Own> = OnceLock::new();

thread_local! {
    /// The account of the function that this thread is at work for.
    static CURRENT: Cell<*const Account> = const { Cell::new(ptr::null()) };
}

/// The functions of an allocator that are called on.
struct Own {
    malloc: unsafe extern "C" fn(c_int) -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void),
    realloc: unsafe extern "C" fn(*mut c_void, c_int) -> *mut c_void,
    size: unsafe extern "C" fn(*mut c_void) -> c_int,
}

/// Puts the counting allocator before SQLite's own. To be called before anybody in the process has opened a database;
/// once somebody has, SQLite keeps the allocator that it has, and nothing is counted.
pub(crate) fn install() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        // A refusal leaves everything as it is.
        let _ = try_install();
    });
}

fn try_install() -> Option<()> {
    let mut methods = ffi::sqlite3_mem_methods {
        xMalloc: None,
        xFree: None,
        xRealloc: None,
        xSize: None,
        xRoundup: None,
        xInit: None,
        xShutdown: None,
        pAppData: ptr::null_mut(),
    };
    // SAFETY: SQLite copies its table of functions to where the pointer leads.
    let known = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_GETMALLOC, &raw mut methods) };
    if known != ffi::SQLITE_OK {
        return None;
    }
    OWN.set(Own {
        malloc: methods.xMalloc?,
        free: methods.xFree?,
        realloc: methods.xRealloc?,
        size: methods.xSize?,
    })
    .ok()?;
    methods.xMalloc = Some(malloc);
    methods.xFree = Some(free);
    methods.xRealloc = Some(realloc);
    // SAFETY: SQLite copies the table, whose functions keep to its contract; it refuses where its own are in use already.
    let set = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw const methods) };
    (set == ffi::SQLITE_OK).then_some(())
}

/// The memory of one function.
pub(crate) struct Account {
    used: Cell<usize>,
    limit: usize,
    /// Whether more was asked for than there is since [`Account::begin`].
    has_refused: Cell<bool>,
    /// Whether nothing more is granted: the call in flight is being stopped.
    stopped: Box<dyn Fn() -> bool>,
}

impl Account {
    /// Makes an account with this limit in bytes. While `stopped` says so, nothing is granted.
    pub(crate) fn new(limit: usize, stopped: impl Fn() -> bool + 'static) -> Self {
        Self {
            used: Cell::new(0),
            limit,
            has_refused: Cell::new(false),
            stopped: Box::new(stopped),
        }
    }

    /// Returns the bytes that are in use.
    pub(crate) fn used(&self) -> usize {
        self.used.get()
    }

    /// Begins a call.
    pub(crate) fn begin(&self) {
        self.has_refused.set(false);
    }

    /// Whether the call has asked for more than there is. Some of SQLite's functions go on without it, and fail in the end.
    pub(crate) fn has_refused(&self) -> bool {
        self.has_refused.get()
    }

    /// Whether as much more would be too much.
    pub(crate) fn is_short_of(&self, more: usize) -> bool {
        self.used.get().saturating_add(more) > self.limit
    }

    /// Lets the thread's allocations count on this account until the result is dropped.
    pub(crate) fn enter(&self) -> Entered<'_> {
        Entered { before: CURRENT.replace(self), _account: self }
    }

    fn grants(&self, more: c_int) -> bool {
        if self.is_short_of(usize::try_from(more).unwrap_or(0)) {
            self.has_refused.set(true);
            return false;
        }
        !(self.stopped)()
    }

    fn add(&self, bytes: c_int) {
        self.used.set(self.used.get().saturating_add(usize::try_from(bytes).unwrap_or(0)));
    }

    /// Takes off what was freed. SQLite recycles pages of files between databases, so that it may be more than was added.
    fn subtract(&self, bytes: c_int) {
        self.used.set(self.used.get().saturating_sub(usize::try_from(bytes).unwrap_or(0)));
    }
}

/// The time for which a thread's allocations count on an account.
pub(crate) struct Entered<'a> {
    before: *const Account,
    _account: &'a Account,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

/// Returns SQLite's own allocator and the account of the thread.
fn present() -> (&'static Own, Option<&'static Account>) {
    let own = OWN.get().expect("set before SQLite knows of these functions");
    // SAFETY: whoever has entered borrows the account until it leaves; the reference does not outlive an allocation.
    (own, unsafe { CURRENT.get().as_ref() })
}

unsafe extern "C" fn malloc(bytes: c_int) -> *mut c_void {
    let (own, account) = present();
    // SAFETY: passed on as SQLite's contract has it; the size is asked of what was just allocated.
    unsafe {
        let Some(account) = account else { return (own.malloc)(bytes) };
        if !account.grants(bytes) {
            return ptr::null_mut();
        }
        let place = (own.malloc)(bytes);
        if !place.is_null() {
            account.add((own.size)(place));
        }
        place
    }
}

unsafe extern "C" fn free(place: *mut c_void) {
    let (own, account) = present();
    // SAFETY: as above; the size is asked before it is freed.
    unsafe {
        if let Some(account) = account
            && !place.is_null()
        {
            account.subtract((own.size)(place));
        }
        (own.free)(place);
    }
}

unsafe extern "C" fn realloc(place: *mut c_void, bytes: c_int) -> *mut c_void {
    let (own, account) = present();
    // SAFETY: as above; a failed call leaves the old place as it was.
    unsafe {
        let Some(account) = account else { return (own.realloc)(place, bytes) };
        let before = (own.size)(place);
        if bytes > before && !account.grants(bytes - before) {
            return ptr::null_mut();
        }
        let moved = (own.realloc)(place, bytes);
        if !moved.is_null() {
            account.subtract(before);
            account.add((own.size)(moved));
        }
        moved
    }
}
