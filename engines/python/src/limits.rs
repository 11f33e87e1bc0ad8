//! The interruption of running code, and the warnings before it.
//!
//! Two things can be raised in a guest's code from outside: a warning that it may catch (`trine.DeadlineExceeded`), and
//! the stop (`trine.Interrupted`), which is raised anew until the call ends. The way there depends on the thread:
//!
//! - On Python's main thread by a signal of our own ([`signal`]), which needs no interpreter lock and wakes most C
//!   functions that wait.
//! - On any other thread as an asynchronous exception. Setting one needs the interpreter lock, which a long C function
//!   may hold, so a thread of the process does it; the interrupting thread returns at once.
//! - `time.sleep`, which is our own ([`sleep`]), is woken on every thread.
//!
//! Calls that wait in an event loop are stopped by ending their wait.

pub(crate) mod signal;
pub(crate) mod sleep;
mod wait;

pub(crate) use wait::wait_here;

use crate::{debugger, interpreter};
use pyo3::{ffi, prelude::*, types::PyType};
use std::{
    cell::Cell,
    ffi::c_long,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, Weak,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// Pauses between two interrupts of the same calls. Long enough for clean-up code, which would be hit as well.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
];

/// Maximum number of interrupts of the same calls, after which the watchdog's last resort is left to act.
const ATTEMPTS: usize = 40;

/// Number of attempts by signal before the main thread's exception is set as on any other thread.
const SIGNAL_ATTEMPTS: usize = 3;

/// Number of attempts to have an exception raised where it does no harm.
const TAKES: usize = 8;

thread_local! {
    /// The calls of the instance whose section is open on this thread; null outside sections.
    static CURRENT: Cell<*const Runs> = const { Cell::new(std::ptr::null()) };
}

/// The kinds of exceptions raised in a guest's code from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// The deadline is near: `trine.DeadlineExceeded`, once per call.
    Warning,
    /// Time is up: `trine.Interrupted`.
    Stop,
}

impl Level {
    fn class<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyType>> {
        let python = interpreter::get().ok_or_else(|| {
            pyo3::exceptions::PyRuntimeError::new_err("the interpreter is still starting")
        })?;
        let class = match self {
            Self::Warning => &python.deadline_exceeded,
            Self::Stop => &python.interrupted,
        };
        Ok(class.bind(py).cast::<PyType>()?.clone())
    }

    /// Makes the exception.
    pub(crate) fn error(self, py: Python<'_>) -> PyErr {
        match self.class(py) {
            Ok(class) => PyErr::from_type(class, ()),
            Err(error) => error,
        }
    }
}

/// The calls that one instance runs at the moment, as the interrupting thread sees them.
#[derive(Default)]
pub(crate) struct Runs {
    state: Mutex<State>,
    /// The notification that wakes the calls that wait.
    stopped: Notify,
    /// Number of exceptions raised from outside. A sleep ends when it changes.
    alarms: AtomicU32,
    /// The function that returns the running task of the instance's event loop.
    current_task: OnceLock<Py<PyAny>>,
}

#[derive(Default)]
struct State {
    next_call: u64,
    /// Calls in flight, running or waiting.
    in_flight: Vec<InFlight>,
    /// The section that runs guest code.
    running: Option<Running>,
    /// The exception to be raised in the running section, if it has not been yet.
    pending: Option<Level>,
    /// Whether the running section was told to stop.
    stopping: bool,
    /// The call for which an asynchronous exception was set in the running section, and its level.
    set: Option<(u64, Level)>,
    /// The last call that must not wait any longer, along with all before it.
    stop_up_to: Option<u64>,
    /// Number of calls that ended because of an interrupt.
    ended: u64,
}

struct InFlight {
    id: u64,
    warned: bool,
    /// Address of the task that waits for its result; only ever compared.
    task: usize,
}

#[derive(Clone, Copy)]
struct Running {
    thread: c_long,
    call: u64,
}

impl State {
    /// Marks a call as warned. Returns whether it was not yet.
    fn warn_once(&mut self, id: u64) -> bool {
        let call = self.in_flight.iter_mut().find(|call| call.id == id);
        call.is_some_and(|call| !std::mem::replace(&mut call.warned, true))
    }

    fn take_back_warning(&mut self, id: u64) {
        if let Some(call) = self.in_flight.iter_mut().find(|call| call.id == id) {
            call.warned = false;
        }
    }
}

impl Runs {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Counts a call as in flight until the result is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> Call {
        let mut state = self.state();
        state.next_call += 1;
        let id = state.next_call;
        state.in_flight.push(InFlight { id, warned: false, task: 0 });
        drop(state);
        Call { runs: self.clone(), id }
    }

    /// Sets the function that returns the running task of the instance's event loop.
    pub(crate) fn use_loop(&self, current_task: Py<PyAny>) {
        // An instance makes one loop.
        let _ = self.current_task.set(current_task);
    }

    /// Implements the stop of [`trine_engine::Interrupter`].
    pub(crate) fn interrupt(self: &Arc<Self>) {
        let state = self.state();
        if state.in_flight.is_empty() {
            return;
        }
        self.tell(Level::Stop, state);
    }

    /// Implements the warning of [`trine_engine::Interrupter`].
    pub(crate) fn warn(self: &Arc<Self>) {
        let state = self.state();
        if state.running.is_none() {
            return;
        }
        self.tell(Level::Warning, state);
    }

    /// Raises an exception in what runs now, and ensures that it arrives.
    fn tell(self: &Arc<Self>, level: Level, mut state: MutexGuard<'_, State>) {
        self.raise(&mut state, level);
        let request = Request {
            level,
            runs: Arc::downgrade(self),
            up_to: state.next_call,
            ended: state.ended,
            attempt: 0,
            due: Instant::now(),
        };
        drop(state);
        request.send();
    }

    /// Marks a call that waits as warned. Returns whether it was not yet.
    pub(crate) fn warn_once(&self, call: u64) -> bool {
        self.state().warn_once(call)
    }

    /// Takes back a warning that could not be given; it may be given later.
    pub(crate) fn take_back_warning(&self, call: u64) {
        self.state().take_back_warning(call);
    }

    /// Notes an exception for the running section, and wakes it where that needs no interpreter lock.
    fn raise(&self, state: &mut State, level: Level) {
        let Some(running) = state.running else { return };
        state.stopping |= level == Level::Stop;
        state.pending = state.pending.max(Some(level));
        self.alarms.fetch_add(1, Ordering::Release);
        sleep::wake(&self.alarms);
        signal::send(running.thread);
    }

    /// Takes the exception to be raised in the running section, with the call that it concerns.
    fn take_due(&self, py: Python<'_>) -> Option<(u64, Level)> {
        // Asked before the lock is taken: Python's code may run, and may take long.
        let task = match self.state().pending {
            None => return None,
            Some(Level::Stop) => 0,
            Some(Level::Warning) => self.current_task(py),
        };
        let mut state = self.state();
        let level = state.pending.take()?;
        let running = state.running?.call;
        let owner = state.in_flight.iter().find(|call| task != 0 && call.task == task);
        let call = owner.map_or(running, |call| call.id);
        (level == Level::Stop || state.warn_once(call)).then_some((call, level))
    }

    /// Raises the asynchronous exception that was set for the running section, unless it was raised before.
    fn raise_set(&self, py: Python<'_>) -> PyResult<()> {
        // Bound first: the lock must be free while Python's code runs.
        let set = self.state().set.take();
        match (set, interpreter::get()) {
            (Some(_), Some(python)) => python.nothing.call0(py).map(drop),
            _ => Ok(()),
        }
    }

    /// Returns the address of the task that the event loop runs, 0 for none.
    fn current_task(&self, py: Python<'_>) -> usize {
        let Some(current) = self.current_task.get() else { return 0 };
        current.call0(py).map_or(0, |task| task.as_ptr() as usize)
    }
}

/// Raises the exception sent to the section that is open on this thread, if any.
pub(crate) fn raise_due(py: Python<'_>) -> PyResult<()> {
    match with_current(|runs| runs.take_due(py)).flatten() {
        Some((_, level)) => Err(level.error(py)),
        None => Ok(()),
    }
}

/// Forgets the section that is open on this thread: in a forked child nobody warns or stops it, and the lock around its
/// state may be held for ever.
pub(crate) fn leave_section() {
    // A thread that ends has none any more.
    let _ = CURRENT.try_with(|current| current.set(std::ptr::null()));
}

/// Calls `f` with the calls of the instance whose section is open on this thread.
fn with_current<T>(f: impl FnOnce(&Runs) -> T) -> Option<T> {
    let runs = CURRENT.try_with(Cell::get).ok().filter(|runs| !runs.is_null())?;
    // SAFETY: `Section` sets the pointer and takes it back when it is dropped, on this thread; until then it borrows
    // the call that owns the `Arc`. `f` is done before this function returns, in the middle of that section.
    Some(f(unsafe { &*runs }))
}

/// A call in flight.
pub(crate) struct Call {
    runs: Arc<Runs>,
    id: u64,
}

impl Call {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Marks this thread as running guest code until the result is dropped, which must happen while it is still
    /// attached (the borrow of the token ensures it).
    pub(crate) fn section<'py>(&self, py: Python<'py>) -> Section<'_, 'py> {
        debugger::enter(py);
        // SAFETY: the thread is attached; the function only reads the thread's own number.
        let thread = unsafe { ffi::PyThread_get_thread_ident() } as c_long;
        let mut state = self.runs.state();
        state.running = Some(Running { thread, call: self.id });
        state.pending = None;
        state.stopping = false;
        state.set = None;
        drop(state);
        let outer = CURRENT.replace(Arc::as_ptr(&self.runs));
        Section { call: self, thread, outer, py }
    }

    /// Notes which task waits for this call's result.
    pub(crate) fn waits_for(&self, task: usize) {
        let mut state = self.runs.state();
        if let Some(call) = state.in_flight.iter_mut().find(|call| call.id == self.id) {
            call.task = task;
        }
    }

    /// Completes when this call must not wait any longer.
    pub(crate) async fn stopped(&self) {
        loop {
            let stopped = self.runs.stopped.notified();
            if self.runs.state().stop_up_to.is_some_and(|last| self.id <= last) {
                return;
            }
            stopped.await;
        }
    }

    /// Notes that this call ended because of an interrupt.
    pub(crate) fn ended_by_interrupt(&self) {
        self.runs.state().ended += 1;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.runs.state().in_flight.retain(|call| call.id != self.id);
    }
}

/// A stretch of guest code on an attached thread.
pub(crate) struct Section<'a, 'py> {
    call: &'a Call,
    thread: c_long,
    outer: *const Runs,
    py: Python<'py>,
}

impl Section<'_, '_> {
    /// Whether this section was told to stop.
    pub(crate) fn was_stopped(&self) -> bool {
        self.call.runs.state().stopping
    }
}

impl Drop for Section<'_, '_> {
    fn drop(&mut self) {
        CURRENT.set(self.outer);
        let mut state = self.call.runs.state();
        state.running = None;
        state.pending = None;
        let stopped = std::mem::take(&mut state.stopping);
        let set = state.set.take();
        drop(state);
        // An exception not yet raised must not hit whatever this thread runs next; a warning is still to be given.
        if let Some((call, level)) = set
            && was_not_raised(self.py, self.thread)
            && level == Level::Warning
        {
            self.call.runs.take_back_warning(call);
        }
        if stopped {
            debugger::recover(self.py);
        }
    }
}

/// Takes back an asynchronous exception of this thread. Returns whether there was one.
fn was_not_raised(py: Python<'_>, thread: c_long) -> bool {
    let Some(python) = interpreter::get() else { return false };
    // Running any Python code raises it. What is raised may be a signal handler's, which comes first.
    for attempt in 0..TAKES {
        if python.nothing.call0(py).is_ok() {
            return attempt > 0;
        }
    }
    // Not in the first place: Python 3.11 then looks for an exception until another one is raised, again and again, and no
    // function begins on a thread that is traced.
    // SAFETY: this thread is attached (the token shows it); null takes an exception back.
    unsafe { ffi::PyThreadState_SetAsyncExc(thread as _, std::ptr::null_mut()) };
    true
}

/// Calls `step` with a warning that is raised as soon as it runs Python code.
pub(crate) fn call_with_warning<'py>(step: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = step.py();
    let class = Level::Warning.class(py)?;
    // SAFETY: the thread is attached; the function only reads the thread's own number.
    let thread = unsafe { ffi::PyThread_get_thread_ident() };
    // SAFETY: this thread is attached; the class is alive and the callee takes its own reference.
    unsafe { ffi::PyThreadState_SetAsyncExc(thread as _, class.as_ptr()) };
    let result = step.call0();
    was_not_raised(py, thread as c_long);
    result
}

/// A request to warn or stop calls: those of an instance that were in flight at one moment.
struct Request {
    level: Level,
    runs: Weak<Runs>,
    up_to: u64,
    ended: u64,
    attempt: usize,
    due: Instant,
}

impl Request {
    fn send(self) {
        // The other end lives as long as the process, unless its thread could not be started.
        let _ = interrupting_thread().send(self);
    }

    /// Warns or interrupts once. Returns whether that has to be repeated later.
    fn act(&mut self) -> bool {
        let Some(runs) = self.runs.upgrade() else { return false };
        let again = self.remind(&runs);
        // A guest may have blocked the signal.
        let ignored = self.attempt >= SIGNAL_ATTEMPTS;
        if again.is_some_and(|thread| ignored || !signal::reaches(thread)) {
            Python::attach(|py| self.set_exception(py, &runs));
        }
        self.due = Instant::now() + PAUSES[self.attempt.min(PAUSES.len() - 1)];
        self.attempt += 1;
        self.level == Level::Stop && self.concerns(&runs.state())
    }

    fn concerns(&self, state: &State) -> bool {
        let oldest = state.in_flight.first().map_or(u64::MAX, |call| call.id);
        state.ended <= self.ended && oldest <= self.up_to && self.attempt < ATTEMPTS
    }

    /// Ends waits, and repeats what may have been swallowed. Returns the thread that runs the guest, if one does.
    fn remind(&self, runs: &Arc<Runs>) -> Option<c_long> {
        let mut state = runs.state();
        if !self.concerns(&state) {
            return None;
        }
        let Some(running) = state.running else {
            if self.level == Level::Stop {
                state.stop_up_to = Some(self.up_to);
                drop(state);
                runs.stopped.notify_waiters();
            }
            return None;
        };
        // The first time it has been told already, unless another section has begun since.
        if self.level == Level::Stop && (self.attempt > 0 || !state.stopping) {
            runs.raise(&mut state, Level::Stop);
        }
        Some(running.thread)
    }

    fn set_exception(&self, py: Python<'_>, runs: &Arc<Runs>) {
        let Some((call, level)) = runs.take_due(py) else { return };
        let Ok(class) = level.class(py) else { return };
        let mut state = runs.state();
        // Sections end with the interpreter lock held, which `take_due` may have released for a moment.
        let Some(running) = state.running else {
            state.take_back_warning(call);
            return;
        };
        state.set = Some((call, level));
        // A sleep that checked between the two steps checks again.
        runs.alarms.fetch_add(1, Ordering::Release);
        sleep::wake(&runs.alarms);
        // SAFETY: this thread is attached; the class is alive and the callee takes its own reference. A section ends
        // under the interpreter lock, and it was running just now, so the thread still runs that section.
        unsafe { ffi::PyThreadState_SetAsyncExc(running.thread as _, class.as_ptr()) };
    }
}

fn interrupting_thread() -> &'static mpsc::Sender<Request> {
    static REQUESTS: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
    REQUESTS.get_or_init(|| {
        let (sender, receiver) = mpsc::channel();
        // Without the thread nothing is interrupted and the watchdog's last resort, ending the process, remains.
        let _ = thread::Builder::new()
            .name("trine-interrupt".to_owned())
            .spawn(move || serve(&receiver));
        sender
    })
}

fn serve(receiver: &mpsc::Receiver<Request>) {
    let mut pending: Vec<Request> = Vec::new();
    loop {
        let next = pending.iter().map(|request| request.due).min();
        let received = match next {
            None => receiver.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
            Some(due) => receiver.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        match received {
            Ok(request) => pending.push(request),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
        pending.retain_mut(|request| request.due > Instant::now() || request.act());
    }
}
