//! The asyncio loop of an instance, made on first use, and the loop that `asyncio.get_event_loop()` returns on the
//! thread.
//!
//! A thread has one current loop, but several roots whose functions each expect it to be theirs. asyncio keeps it in a
//! policy: each root has one of its own, in its scope. Without scopes, instances that follow one another share one:
//! when another instance than before is used, the settings of the previous one are put aside for it.

use crate::{
    event_loop::EventLoop,
    host,
    interpreter::{self, Interpreter, Prelude},
    limits::Runs,
    scopes,
};
use pyo3::{prelude::*, sync::PyOnceLock, types::PyDict};
use std::{
    cell::{OnceCell, RefCell},
    rc::{Rc, Weak},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// The prelude's `loops` as a namespace, once a guest has imported `asyncio`.
static LOOPS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// The number of the next instance.
static NEXT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static HERE: RefCell<Here> = const { RefCell::new(Here { instance: 0, of: Weak::new() }) };
}

/// The instance whose functions were loaded or called last on a thread.
struct Here {
    instance: u64,
    of: Weak<CurrentLoop>,
}

/// The loop of an instance.
pub(crate) struct CurrentLoop {
    python: &'static Interpreter,
    instance: u64,
    /// Whether its functions are loaded and called in scopes, which keep what they set.
    has_scopes: bool,
    runs: Arc<Runs>,
    made: OnceCell<Rc<EventLoop>>,
}

impl CurrentLoop {
    pub(crate) fn new(
        python: &'static Interpreter,
        runs: &Arc<Runs>,
        has_scopes: bool,
    ) -> Rc<Self> {
        let instance = NEXT.fetch_add(1, Ordering::Relaxed);
        Rc::new(Self { python, instance, has_scopes, runs: runs.clone(), made: OnceCell::new() })
    }

    /// Returns the loop, if it has been made.
    pub(crate) fn made(&self) -> Option<&Rc<EventLoop>> {
        self.made.get()
    }

    /// Returns the loop, which is made on first use.
    pub(crate) fn get(&self, py: Python<'_>) -> PyResult<&Rc<EventLoop>> {
        if self.made.get().is_none() {
            let made = EventLoop::new(py, self.python, &self.runs)?;
            // Nobody else sets it: an instance stays on its thread, and the line above runs no other call.
            let _ = self.made.set(made);
        }
        Ok(self.made.get().expect("set above"))
    }

    /// Notes that functions of its instance are loaded or called from here on.
    pub(crate) fn enter(self: &Rc<Self>, py: Python<'_>) -> PyResult<()> {
        let before = HERE.with_borrow_mut(|here| {
            if here.instance == self.instance {
                return None;
            }
            here.of = Rc::downgrade(self);
            Some(std::mem::replace(&mut here.instance, self.instance))
        });
        match (before, LOOPS.get(py)) {
            (Some(before), Some(loops)) if !self.has_scopes => {
                let switch = interpreter::of(loops.bind(py), "switch")?;
                switch.call1((before, self.instance)).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Ends the loop, and forgets the settings of its functions.
    pub(crate) fn end(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(made) = self.made.get() {
            made.end(py)?;
        }
        let active = HERE.with_borrow_mut(|here| {
            let active = here.instance == self.instance;
            if active {
                *here = Here { instance: 0, of: Weak::new() };
            }
            active
        });
        match LOOPS.get(py) {
            Some(loops) => {
                let forget = interpreter::of(loops.bind(py), "forget")?;
                forget.call1((self.instance, active)).map(drop)
            }
            None => Ok(()),
        }
    }
}

/// Forgets the loop that functions have set in this thread's current scope.
pub(crate) fn forget_in_scope(py: Python<'_>) -> PyResult<()> {
    match LOOPS.get(py) {
        Some(loops) => interpreter::of(loops.bind(py), "forget_in_scope")?.call0().map(drop),
        None => Ok(()),
    }
}

/// Gives each scope a policy of its own from now on, if `asyncio` has been imported. `target` finds the scope in which
/// something is being set.
pub(crate) fn keep_apart(py: Python<'_>, target: Bound<'_, PyAny>) -> PyResult<()> {
    match LOOPS.get(py) {
        Some(loops) => interpreter::of(loops.bind(py), "keep_apart")?.call1((target,)).map(drop),
        None => Ok(()),
    }
}

/// Configures `asyncio` once it has been imported.
#[pyfunction]
pub(crate) fn configure_asyncio(py: Python<'_>) -> PyResult<()> {
    let loops = LOOPS.get_or_try_init(py, || {
        let loops = interpreter::run_prelude(py, Prelude::Loops, &host::module(py)?)?;
        PyResult::Ok(loops.unbind())
    })?;
    interpreter::of(loops.bind(py), "install")?.call0()?;
    scopes::follow_asyncio(py)
}

/// Returns the loop of the instance whose functions were last used on this thread; `None` on a guest's own threads.
#[pyfunction]
pub(crate) fn event_loop(py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
    let here = HERE.try_with(|here| here.borrow().of.upgrade()).ok().flatten();
    let Some(current) = here else { return Ok(None) };
    Ok(Some(current.get(py)?.object(py)))
}
