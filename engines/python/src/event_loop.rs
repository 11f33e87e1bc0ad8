//! The asyncio loop of an instance, driven by the host's executor: the prelude runs what is ready, and the waiting
//! happens here, on the loop's own file descriptor, without holding the thread or the interpreter lock.
//!
//! Of the calls that wait, one leads: it waits for the descriptor and the next timer and runs the loop for all. The
//! others wait for their own task to be done, or for their turn to lead.

mod keeper;

use crate::{
    interpreter::{self, Interpreter, Prelude},
    limits::{Call, Runs},
};
use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple},
};
use std::{
    cell::Cell,
    os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd},
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    runtime::Handle,
    sync::Notify,
};

/// Interval at which the loop runs when there is no reactor to wait with.
const POLL: Duration = Duration::from_millis(1);

/// An asyncio loop and its drivers.
pub(crate) struct EventLoop {
    object: Py<PyAny>,
    begin: Py<PyAny>,
    pump: Py<PyAny>,
    warn: Py<PyAny>,
    end: Py<PyAny>,
    /// A duplicate of the loop's selector: it stays open whatever the guest does to the loop.
    selector: Rc<OwnedFd>,
    leading: Cell<bool>,
    /// The notification that wakes one of the followers when nobody leads.
    turn: Notify,
    /// The notification that makes the leader check the timers again.
    nudge: Notify,
    /// Number of calls that wait.
    waiting: Cell<usize>,
    keeper: keeper::State,
}

/// The selector in the form that a reactor takes.
struct Descriptor(Rc<OwnedFd>);

impl AsRawFd for Descriptor {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// The next step after the loop ran.
enum Next {
    More,
    Wait(Option<Duration>),
}

/// The callback that asyncio calls when a task is done.
#[pyclass(frozen)]
struct Wake(Arc<Notify>);

#[pymethods]
impl Wake {
    #[pyo3(signature = (*_args, **_kwargs))]
    fn __call__(&self, _args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) {
        self.0.notify_one();
    }
}

/// A task that waits. Cancelled when the call that owns it is given up.
pub(crate) struct Task {
    object: Py<PyAny>,
    /// The context (`contextvars`) that it runs in.
    context: Py<PyAny>,
    done: Arc<Notify>,
    finished: Cell<bool>,
}

impl Drop for Task {
    fn drop(&mut self) {
        if !self.finished.get() {
            // It ends on the loop's next run.
            Python::attach(|py| {
                self.object.call_method0(py, "cancel").map(drop).unwrap_or_default()
            });
        }
    }
}

impl EventLoop {
    pub(crate) fn new(py: Python<'_>, python: &Interpreter, runs: &Runs) -> PyResult<Rc<Self>> {
        let natives = crate::host::module(py)?;
        natives.add("DeadlineExceeded", &python.deadline_exceeded)?;
        let prelude = interpreter::run_prelude(py, Prelude::Loop, &natives)?;
        let made = prelude.get_item("Loop")?.expect("the prelude defines it").call0()?;
        let fd: RawFd = made.call_method0("fileno")?.extract()?;
        // SAFETY: the loop was just made and is alive, so its selector's descriptor is open during this borrow.
        let selector = unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned()?;
        runs.use_loop(made.getattr("current_task")?.unbind());
        Ok(Rc::new(Self {
            begin: made.getattr("begin")?.unbind(),
            pump: made.getattr("pump")?.unbind(),
            warn: made.getattr("warn")?.unbind(),
            end: made.getattr("end")?.unbind(),
            object: made.unbind(),
            selector: Rc::new(selector),
            leading: Cell::new(false),
            turn: Notify::new(),
            nudge: Notify::new(),
            waiting: Cell::new(0),
            keeper: keeper::State::default(),
        }))
    }

    /// Returns the loop's Python object.
    pub(crate) fn object(&self, py: Python<'_>) -> Py<PyAny> {
        self.object.clone_ref(py)
    }

    /// Runs an awaitable, in a context, until it waits. Returns its result, or the task that waits for it.
    pub(crate) fn begin<'py>(
        &self,
        awaitable: &Bound<'py, PyAny>,
        context: &Bound<'py, PyAny>,
    ) -> PyResult<std::result::Result<Bound<'py, PyAny>, Task>> {
        let py = awaitable.py();
        let task = self.begin.bind(py).call1((awaitable, context))?;
        if is_done(&task)? {
            if self.leading.get() {
                // The progress of this one may be what another call waits for.
                self.nudge.notify_one();
            }
            self.tell_keeper();
            return task.call_method0("result").map(Ok);
        }
        let done = Arc::new(Notify::new());
        task.call_method1("add_done_callback", (Wake(done.clone()),))?;
        let (object, context) = (task.unbind(), context.clone().unbind());
        Ok(Err(Task { object, context, done, finished: Cell::new(false) }))
    }

    /// Runs the loop until `task` is done. `section` wraps each stretch of guest code.
    ///
    /// # Errors
    /// `None` when the wait was stopped from outside, else what the loop itself raised.
    pub(crate) async fn finish(
        &self,
        task: &Task,
        call: &Call,
        run: impl Fn(&dyn Fn(Python<'_>) -> PyResult<Option<f64>>) -> PyResult<Option<f64>>,
    ) -> std::result::Result<(), Option<PyErr>> {
        // Others may be waiting, with timers that are later than this task's.
        self.nudge.notify_one();
        let place = Place::new(self);
        while !self.check(task).map_err(Some)? {
            if self.leading.replace(true) {
                tokio::select! {
                    () = task.done.notified() => {}
                    () = self.turn.notified() => {}
                    () = call.stopped() => return Err(None),
                }
                continue;
            }
            let led = self.lead(task, call, &run).await;
            self.leading.set(false);
            led?;
        }
        drop(place);
        Ok(())
    }

    async fn lead(
        &self,
        task: &Task,
        call: &Call,
        run: &impl Fn(&dyn Fn(Python<'_>) -> PyResult<Option<f64>>) -> PyResult<Option<f64>>,
    ) -> std::result::Result<(), Option<PyErr>> {
        let _leading = Leading(&self.leading);
        let descriptor = Handle::try_current().ok().and_then(|_| {
            let selector = Descriptor(self.selector.clone());
            // SAFETY: the descriptor is owned, nobody closes or replaces it, and it lives as long as `selector`.
            unsafe { AsyncFd::register_with_interest(selector, Interest::READABLE) }.ok()
        });
        loop {
            let next = run(&|py| self.pump.bind(py).call0()?.extract()).map_err(Some)?;
            if self.check(task).map_err(Some)? {
                return Ok(());
            }
            let next = match next {
                Some(0.0) => Next::More,
                Some(seconds) => Next::Wait(Duration::try_from_secs_f64(seconds).ok()),
                None => Next::Wait(None),
            };
            match (next, &descriptor) {
                (Next::More, _) => tokio::task::yield_now().await,
                (Next::Wait(timer), Some(descriptor)) => {
                    let timer = async {
                        match timer {
                            Some(timer) => tokio::time::sleep(timer).await,
                            None => std::future::pending().await,
                        }
                    };
                    tokio::select! {
                        // The loop looks at its selector after this, so what arrives from here on counts as new.
                        ready = descriptor.readable() => if let Ok(mut ready) = ready {
                            ready.clear_ready();
                        },
                        () = timer => {}
                        () = self.nudge.notified() => {}
                        () = call.stopped() => return Err(None),
                    }
                }
                // An executor without a reactor: the thread itself is all there is to wait with.
                (Next::Wait(timer), None) => {
                    std::thread::sleep(timer.map_or(POLL, |timer| timer.min(POLL)));
                    if futures_ready(call.stopped()) {
                        return Err(None);
                    }
                    // Room for what this task writes is made elsewhere.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    fn check(&self, task: &Task) -> PyResult<bool> {
        let done = Python::attach(|py| is_done(task.object.bind(py)))?;
        if done {
            task.finished.set(true);
        }
        Ok(done)
    }

    /// Raises a warning where a task waits. Returns whether that was possible.
    pub(crate) fn warn(&self, py: Python<'_>, task: &Py<PyAny>) -> PyResult<bool> {
        let warned = self.warn.bind(py).call1((task,))?.extract()?;
        self.nudge.notify_one();
        Ok(warned)
    }

    /// Has the loop run again: something was done to it while it waited.
    pub(crate) fn nudge(&self) {
        self.nudge.notify_one();
    }

    /// Cancels what is left and closes the loop.
    pub(crate) fn end(&self, py: Python<'_>) -> PyResult<()> {
        self.end_keeper();
        self.end.bind(py).call0().map(drop)
    }
}

impl Task {
    /// Returns the Python object, for [`EventLoop::warn`].
    pub(crate) fn object(&self, py: Python<'_>) -> Py<PyAny> {
        self.object.clone_ref(py)
    }

    /// Returns the context that it runs in.
    pub(crate) fn context<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.context.bind(py).clone()
    }

    /// Returns the result of a task that is done.
    pub(crate) fn result<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.object.bind(py).call_method0("result")
    }
}

fn is_done(task: &Bound<'_, PyAny>) -> PyResult<bool> {
    task.call_method0("done")?.extract()
}

fn futures_ready(future: impl Future<Output = ()>) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::pin!(future).poll(&mut context).is_ready()
}

/// The leadership, given up however the leader ends.
struct Leading<'a>(&'a Cell<bool>);

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// A waiting call's place: whoever leaves and finds no leader calls the next one.
struct Place<'a>(&'a EventLoop);

impl<'a> Place<'a> {
    fn new(event_loop: &'a EventLoop) -> Self {
        event_loop.waiting.set(event_loop.waiting.get() + 1);
        Self(event_loop)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.set(self.0.waiting.get() - 1);
        self.0.tell_keeper();
        if !self.0.leading.get() {
            self.0.turn.notify_one();
        }
    }
}
