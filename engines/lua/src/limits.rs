//! Limits of time and memory: how a running call is stopped from another thread, and how large a heap may grow.
//!
//! A hook that counts instructions makes Lua 5.4 slower at every instruction, armed or not, so none is set while all
//! is well. An interrupt raises a counter and sends a signal to the instance's thread; the handler arms a hook on the
//! coroutine that runs there, which `lua_sethook` allows at any instant. At the next instruction the hook suspends that
//! coroutine for good: no `pcall` sees that happen. Where Lua cannot suspend (a comparator of `table.sort`, a
//! metamethod called from C), the hook raises an error instead, and `guard` passes it on through `pcall`.
//!
//! A warning goes the same way, but its hook raises an error that any `pcall` catches: `trine.deadline_exceeded`.

use crate::{
    debugger::{self, GuestThread},
    observe::Observed,
    profile::Sampler,
    trace::LastOrigin,
};
use mlua::ffi;
use std::{
    cell::Cell,
    ffi::{CStr, c_int, c_void},
    ptr,
    sync::{
        Arc, Mutex, Once,
        atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering, compiler_fence},
    },
};
use tokio::sync::Notify;
use trine_engine::{Environment, Error, ErrorKind, Interrupter};
use trine_process::signal::{self, Thread};

/// Lua's own message for memory that it could not get.
pub(crate) const NO_MEMORY: &CStr = c"not enough memory";

/// A signal that is ignored where nobody handles it, so that a late one does no harm.
const SIGNAL: c_int = signal::URGENT;

/// The interrupt line of an instance, shared with whoever may interrupt it.
pub(crate) struct Stop {
    /// Number of interrupts. A call that started at another value has to end.
    epoch: AtomicU64,
    /// Number of warnings. Code that began to run at another value has to be warned.
    warnings: AtomicU64,
    /// The notifier that wakes calls that wait for something outside Lua.
    waiting: Notify,
    /// The instance's thread, for as long as the instance lives.
    thread: Mutex<Option<Thread>>,
    /// The instance as debuggers see it, where they are expected.
    guest: Option<Arc<GuestThread>>,
    /// Whether a debugger wants running code to look at what it has to do.
    nudged: AtomicBool,
    sampler: Sampler,
}

impl Stop {
    /// Makes the interrupt line of an instance on the calling thread.
    pub(crate) fn new(guest: Option<Arc<GuestThread>>) -> Arc<Self> {
        let stop = Arc::new(Self {
            epoch: AtomicU64::new(0),
            warnings: AtomicU64::new(0),
            waiting: Notify::new(),
            thread: Mutex::new(Some(Thread::current())),
            guest,
            nudged: AtomicBool::new(false),
            sampler: Sampler::default(),
        });
        if let Some(guest) = &stop.guest {
            guest.set_stop(&stop);
        }
        stop
    }

    /// Returns the instance as debuggers see it, where they are expected.
    pub(crate) fn guest(&self) -> Option<&Arc<GuestThread>> {
        self.guest.as_ref()
    }

    pub(crate) fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// Whether somebody wants to know which coroutines run.
    pub(crate) fn is_observed(&self) -> bool {
        self.guest.is_some() || self.sampler.is_on()
    }

    /// Makes running code look at what a debugger wants of it.
    pub(crate) fn nudge(&self) {
        self.nudged.store(true, Ordering::SeqCst);
        self.signal();
    }

    /// Notes that running code looks now.
    pub(crate) fn take_nudge(&self) {
        self.nudged.store(false, Ordering::SeqCst);
    }

    /// Whether running code is to stand still for an observer. To be asked by the signal handler.
    fn has_observers_due(&self) -> bool {
        self.sampler.ticked() || self.nudged.load(Ordering::SeqCst)
    }

    /// Returns the number of interrupts so far.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Returns the number of warnings so far.
    pub(crate) fn warnings(&self) -> u64 {
        self.warnings.load(Ordering::SeqCst)
    }

    /// Returns the notifier that wakes at the next interrupt.
    pub(crate) fn waiting(&self) -> &Notify {
        &self.waiting
    }

    /// Returns a handle for other threads.
    pub(crate) fn interrupter(self: &Arc<Self>) -> Interrupter {
        let (stop, warned) = (self.clone(), self.clone());
        Interrupter::new(move || stop.interrupt()).warning(move || warned.warn())
    }

    /// Forgets the thread: it may end once the instance is gone.
    pub(crate) fn close(&self) {
        if let Ok(mut thread) = self.thread.lock() {
            *thread = None;
        }
        if let Some(guest) = &self.guest {
            guest.leave();
        }
    }

    fn interrupt(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.waiting.notify_waiters();
        if let Some(guest) = &self.guest {
            guest.wake();
        }
        self.signal();
    }

    fn warn(&self) {
        self.warnings.fetch_add(1, Ordering::SeqCst);
        self.signal();
    }

    /// Makes the instance's thread check what it has to do.
    pub(crate) fn signal(&self) {
        static INSTALL: Once = Once::new();
        // SAFETY: `on_signal` is async-signal-safe: it reads atomics and calls `lua_sethook`, nothing else.
        INSTALL.call_once(|| unsafe { signal::handle(SIGNAL, on_signal) });
        if let Ok(thread) = self.thread.lock()
            && let Some(thread) = *thread
        {
            // SAFETY: the instance lives on that thread and forgets it under this lock before it ends.
            unsafe { thread.send(SIGNAL) };
        }
    }
}

/// The watch over one state's code, for time and memory. It outlives the state and does not move.
pub(crate) struct Watch {
    stop: Arc<Stop>,
    memory: usize,
    /// [`Stop::epoch`] at the start of the running call.
    epoch: Cell<u64>,
    /// The status that the running call has passed to `os.exit`.
    exit: Cell<Option<i32>>,
    /// [`Stop::warnings`] when the running code began, and whether its call has had its warning.
    warnings: Cell<u64>,
    warned: Cell<bool>,
    /// Whether a hook has just raised an error: message handlers then run with hooks off.
    in_hook: Cell<bool>,
    /// `trine.deadline_exceeded`, which is raised as the warning: its address and its key in the registry.
    warning: Cell<(*const c_void, c_int)>,
    origin: LastOrigin,
    observed: Observed,
}

impl Watch {
    pub(crate) fn new(environment: &Environment, stop: Arc<Stop>) -> Self {
        Self {
            observed: Observed::new(&stop),
            stop,
            memory: memory(environment),
            epoch: Cell::new(0),
            exit: Cell::new(None),
            warnings: Cell::new(0),
            warned: Cell::new(false),
            in_hook: Cell::new(false),
            warning: Cell::new((ptr::null(), ffi::LUA_REFNIL)),
            origin: LastOrigin::default(),
        }
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    pub(crate) fn observed(&self) -> &Observed {
        &self.observed
    }

    /// Returns how large the heap may grow, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }

    /// Returns the origin of the last error that has left a coroutine.
    pub(crate) fn origin(&self) -> &LastOrigin {
        &self.origin
    }

    /// Notes that a call runs from now on, which began at this epoch, and whether it has already been warned.
    pub(crate) fn run(&self, epoch: u64, warned: bool) {
        self.epoch.set(epoch);
        self.exit.set(None);
        self.in_hook.set(false);
        self.warned.set(warned);
        self.warnings.set(self.stop.warnings());
    }

    /// Whether the running call has to end.
    pub(crate) fn doomed(&self) -> bool {
        self.exit.get().is_some() || self.stop.epoch() != self.epoch.get()
    }

    pub(crate) fn exit(&self) -> Option<i32> {
        self.exit.get()
    }

    pub(crate) fn set_exit(&self, status: i32) {
        self.exit.set(Some(status));
    }

    /// Puts another status, or none, in the place of the one that the call has passed to `os.exit`.
    pub(crate) fn replace_exit(&self, status: Option<i32>) -> Option<i32> {
        self.exit.replace(status)
    }

    /// Whether the running code has yet to be warned that its time is nearly up.
    fn warning(&self) -> bool {
        !self.warned.get() && self.stop.warnings() != self.warnings.get()
    }

    /// Whether to warn it now; true only once per call.
    fn take_warning(&self) -> bool {
        self.warning() && !self.warned.replace(true)
    }

    /// Whether the running call has had its warning.
    pub(crate) fn warned(&self) -> bool {
        self.warned.get()
    }

    /// Whether this is the address of the warning, and the running call has had it.
    pub(crate) fn warned_with(&self, table: *const c_void) -> bool {
        self.warned.get() && self.warning.get().0 == table
    }

    /// Sets what is raised as the warning: a table, and its key in the registry.
    pub(crate) fn set_warning(&self, table: *const c_void, key: c_int) {
        self.warning.set((table, key));
    }

    /// Pushes what is raised as the warning.
    ///
    /// # Safety
    /// `state` belongs to the state that is watched, and has room for a value.
    pub(crate) unsafe fn push_warning(&self, state: *mut ffi::lua_State) {
        let (_, key) = self.warning.get();
        // SAFETY: as the caller vouches.
        unsafe { ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, key.into()) };
    }

    pub(crate) fn set_in_hook(&self, in_hook: bool) {
        self.in_hook.set(in_hook);
    }

    pub(crate) fn in_hook(&self) -> bool {
        self.in_hook.get()
    }
}

/// The code that runs on this thread, noted by the thread itself and read by its signal handler.
pub(crate) struct Running {
    state: AtomicPtr<ffi::lua_State>,
    watch: AtomicPtr<Watch>,
}

thread_local! {
    static RUNNING: Running = const {
        Running { state: AtomicPtr::new(ptr::null_mut()), watch: AtomicPtr::new(ptr::null_mut()) }
    };
}

/// The mark on a running coroutine, removed when dropped.
pub(crate) struct Entered {
    state: *mut ffi::lua_State,
    watch: *mut Watch,
    /// The length that the chain of coroutines had, where it is kept.
    length: Option<usize>,
}

/// Marks `state`, watched by `watch`, as what runs on this thread. `watch` must outlive the returned guard.
pub(crate) fn enter(state: *mut ffi::lua_State, watch: &Watch) -> Entered {
    let before = RUNNING.with(|running| {
        let before = Entered {
            state: running.state.swap(state, Ordering::Relaxed),
            watch: running.watch.swap(ptr::from_ref(watch).cast_mut(), Ordering::Relaxed),
            length: watch.stop.is_observed().then(|| watch.observed.length()),
        };
        compiler_fence(Ordering::SeqCst);
        before
    });
    if before.length.is_some() && !state.is_null() {
        watch.observed.runs(state);
        // SAFETY: the caller runs `state` next.
        unsafe { watch.attend(state) };
    }
    if watch.warning() && !state.is_null() {
        // The signal came before this thread could say what it runs.
        // SAFETY: the caller runs `state` next, so it is live.
        unsafe { arm(state) };
    }
    before
}

impl Drop for Entered {
    fn drop(&mut self) {
        // SAFETY: the reference does not leave this function.
        if let (Some(length), Some(watch)) = (self.length, unsafe { running() }) {
            watch.observed.cut(length);
        }
        compiler_fence(Ordering::SeqCst);
        RUNNING.with(|running| {
            running.state.store(self.state, Ordering::Relaxed);
            running.watch.store(self.watch, Ordering::Relaxed);
        });
    }
}

/// Marks another coroutine of the same state as the one that runs, and returns the one before. When the call has to
/// end or is warned, the coroutine is made to raise at its first instruction.
///
/// # Safety
/// `state` is a live coroutine, or null.
pub(crate) unsafe fn switch(state: *mut ffi::lua_State) -> *mut ffi::lua_State {
    let before = RUNNING.with(|running| running.state.swap(state, Ordering::Relaxed));
    compiler_fence(Ordering::SeqCst);
    if state.is_null() {
        return before;
    }
    // SAFETY: the caller vouches for `state`; the reference does not leave this function.
    unsafe {
        if let Some(watch) = running()
            && watch.stop.is_observed()
        {
            watch.observed.runs(state);
            watch.attend(state);
        }
        if alarmed() {
            arm(state);
        }
    }
    before
}

/// Makes the running coroutine check again what it has to do: its hook has been replaced.
///
/// # Safety
/// `state` is the coroutine that runs.
pub(crate) unsafe fn look_again(state: *mut ffi::lua_State) {
    // SAFETY: the reference does not leave this function.
    let nudged = unsafe { running() }.is_some_and(|watch| watch.stop.nudged.load(Ordering::SeqCst));
    if nudged || alarmed() {
        // SAFETY: the caller vouches for `state`.
        unsafe { arm(state) };
    }
}

/// Returns the watch over the code that runs on this thread.
///
/// # Safety
/// The result must not be kept beyond the running call.
pub(crate) unsafe fn running<'a>() -> Option<&'a Watch> {
    let watch = RUNNING.with(|running| running.watch.load(Ordering::Relaxed));
    // SAFETY: `enter` stores a live watch and its guard takes it away before the watch can go.
    unsafe { watch.as_ref() }
}

/// Whether what runs on this thread has to end: it was interrupted, or has called `os.exit`.
pub(crate) fn doomed() -> bool {
    // SAFETY: the reference does not leave this function.
    unsafe { running() }.is_some_and(Watch::doomed)
}

/// Whether what runs on this thread has to end, or be warned that its time is nearly up. C functions that take long
/// check this now and then, and leave by [`stop`].
pub(crate) fn alarmed() -> bool {
    // SAFETY: the reference does not leave this function.
    unsafe { running() }.is_some_and(|watch| watch.doomed() || watch.warning())
}

extern "C" fn on_signal(_: c_int) {
    let Ok((state, watch)) = RUNNING.try_with(|running| {
        (running.state.load(Ordering::Relaxed), running.watch.load(Ordering::Relaxed))
    }) else {
        return;
    };
    // SAFETY: `enter` stores a live watch and a live coroutine; both are read on the thread that stores them.
    unsafe {
        if state.is_null() {
            return;
        }
        if let Some(watch) = watch.as_ref()
            && (watch.stop.has_observers_due() || watch.doomed() || watch.warning())
        {
            arm(state);
        }
    }
}

/// Makes `state` end, raise its warning, or stand still for an observer, at its next instruction.
unsafe fn arm(state: *mut ffi::lua_State) {
    // Only counting hooks may suspend a coroutine. One that has lines told keeps that: this may be the instant before.
    // SAFETY: `state` is live; `lua_sethook` may be called at any instant on the thread that runs it.
    unsafe {
        let lines = ffi::lua_gethookmask(state) & ffi::LUA_MASKLINE;
        ffi::lua_sethook(state, Some(on_hook), ffi::LUA_MASKCOUNT | lines, 1);
    }
}

unsafe extern "C-unwind" fn on_hook(state: *mut ffi::lua_State, event: *mut ffi::lua_Debug) {
    // SAFETY: Lua calls this on a live coroutine; no value with a destructor is alive when it leaves.
    unsafe {
        if doomed() {
            end(state);
            return;
        }
        if (*event).event == ffi::LUA_HOOKLINE {
            return debugger::on_line(state, event);
        }
        ffi::lua_sethook(state, None, 0, 0);
        let Some(watch) = running() else { return };
        if watch.stop.is_observed() {
            watch.observe(state);
        }
        if watch.take_warning() {
            watch.set_in_hook(true);
            raise_warning(state, watch);
        }
    }
}

/// Leaves a C function that was [`alarmed`]: ends the call, or raises the warning. To be returned as its last act.
///
/// # Safety
/// As for [`end`].
pub(crate) unsafe fn stop(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: as the caller vouches.
    unsafe {
        if let Some(watch) = running()
            && !watch.doomed()
            && watch.take_warning()
        {
            return raise_warning(state, watch);
        }
        end(state)
    }
}

/// Raises `trine.deadline_exceeded`.
unsafe fn raise_warning(state: *mut ffi::lua_State, watch: &Watch) -> c_int {
    // SAFETY: as for `end`; hooks and C functions have room for a value.
    unsafe {
        watch.push_warning(state);
        ffi::lua_error(state)
    }
}

/// Ends a doomed call: suspends `state` for good, or raises an error where that is impossible. To be returned as the
/// last act of a C function or a hook.
///
/// # Safety
/// `state` runs in protected mode, and no frame between it and the handler has a destructor to run.
pub(crate) unsafe fn end(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: as the caller vouches.
    unsafe {
        if ffi::lua_isyieldable(state) != 0 {
            return ffi::lua_yieldk(state, 0, 0, None);
        }
        ffi::lua_pushlstring(state, Error::STOPPED.as_ptr().cast(), Error::STOPPED.len());
        ffi::lua_error(state)
    }
}

/// Makes an internal error of one of Lua's.
pub(crate) fn internal(error: &mlua::Error) -> Error {
    if is_memory(error) { out_of_memory() } else { Error::internal(error.to_string()) }
}

/// Whether an error is about memory.
pub(crate) fn is_memory(error: &mlua::Error) -> bool {
    match error {
        // We only ask for room for a few values, which fails only for lack of memory.
        mlua::Error::MemoryError(_) | mlua::Error::StackError => true,
        mlua::Error::CallbackError { cause, .. } => is_memory(cause),
        _ => false,
    }
}

/// Makes the error of a call that could not get memory.
pub(crate) fn out_of_memory() -> Error {
    Error::new(ErrorKind::OutOfMemory, NO_MEMORY.to_string_lossy()).poisoning()
}

/// Returns how large the heap of one Lua state may grow: the function's memory, or the machine's. There is always a
/// limit, so that a guest that asks for more than can exist gets an error; the allocator would end the process.
fn memory(environment: &Environment) -> usize {
    let limit = environment.memory_limit.and_then(|bytes| usize::try_from(bytes).ok());
    // Lua's allocator takes 0 to mean no limit.
    let limit = limit.map(|bytes| bytes.max(1));
    limit.unwrap_or_else(machine_memory)
}

fn machine_memory() -> usize {
    let total = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        line.split_whitespace().nth(1)?.parse::<usize>().ok()
    });
    total.map_or(4 << 30, |kilobytes| kilobytes.saturating_mul(1024))
}
