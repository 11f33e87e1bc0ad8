//! The asyncio loop of an instance, made when it is first needed, and which loop `asyncio.get_event_loop()` gives on the
//! thread.
//!
//! A thread has one current loop, and several roots of functions that each expect it to be theirs: whenever a function of
//! another root than before is loaded or called, what the former had set is put aside for it.

use crate::{
    event_loop::EventLoop,
    host,
    interpreter::{self, Interpreter, Prelude},
    limits::Runs,
};
use pyo3::{prelude::*, sync::PyOnceLock, types::PyDict};
use std::{
    cell::{OnceCell, RefCell},
    path::{Path, PathBuf},
    rc::{Rc, Weak},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// The prelude's `loops` as a namespace, once a guest has imported `asyncio`.
static LOOPS: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// The number of the next root.
static NEXT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static HERE: RefCell<Here> = const { RefCell::new(Here { root: RootId(0), of: Weak::new() }) };
}

/// Whose functions were loaded or called last on a thread.
struct Here {
    root: RootId,
    of: Weak<CurrentLoop>,
}

/// A root of functions within an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RootId(u64);

/// The loop of an instance.
pub(crate) struct CurrentLoop {
    python: &'static Interpreter,
    runs: Arc<Runs>,
    made: OnceCell<Rc<EventLoop>>,
    roots: RefCell<Vec<(PathBuf, RootId)>>,
}

impl CurrentLoop {
    pub(crate) fn new(python: &'static Interpreter, runs: &Arc<Runs>) -> Rc<Self> {
        let (made, roots) = (OnceCell::new(), RefCell::default());
        Rc::new(Self { python, runs: runs.clone(), made, roots })
    }

    /// The loop, if it was needed yet.
    pub(crate) fn made(&self) -> Option<&Rc<EventLoop>> {
        self.made.get()
    }

    /// The loop.
    pub(crate) fn get(&self, py: Python<'_>) -> PyResult<&Rc<EventLoop>> {
        if self.made.get().is_none() {
            let made = EventLoop::new(py, self.python, &self.runs)?;
            // Nobody else sets it: an instance stays on its thread, and the line above runs no other call.
            let _ = self.made.set(made);
        }
        Ok(self.made.get().expect("set above"))
    }

    /// The number of a root folder.
    pub(crate) fn root(&self, path: &Path) -> RootId {
        let mut roots = self.roots.borrow_mut();
        if let Some((_, id)) = roots.iter().find(|(known, _)| known == path) {
            return *id;
        }
        let id = RootId(NEXT.fetch_add(1, Ordering::Relaxed));
        roots.push((path.to_owned(), id));
        id
    }

    /// Functions of this root are loaded or called from here on.
    pub(crate) fn enter(self: &Rc<Self>, py: Python<'_>, root: RootId) -> PyResult<()> {
        let before = HERE.with_borrow_mut(|here| {
            if here.root == root {
                return root;
            }
            here.of = Rc::downgrade(self);
            std::mem::replace(&mut here.root, root)
        });
        match LOOPS.get(py) {
            Some(loops) if before != root => {
                of_prelude(py, loops, "switch")?.call1((before.0, root.0)).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Ends the loop, and forgets what its functions had set.
    pub(crate) fn end(&self, py: Python<'_>) -> PyResult<()> {
        if let Some(made) = self.made.get() {
            made.end(py)?;
        }
        for (_, root) in std::mem::take(&mut *self.roots.borrow_mut()) {
            let active = HERE.with_borrow_mut(|here| {
                let active = here.root == root;
                if active {
                    *here = Here { root: RootId(0), of: Weak::new() };
                }
                active
            });
            if let Some(loops) = LOOPS.get(py) {
                of_prelude(py, loops, "forget")?.call1((root.0, active))?;
            }
        }
        Ok(())
    }
}

fn of_prelude<'py>(py: Python<'py>, loops: &Py<PyDict>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    Ok(loops.bind(py).get_item(name)?.expect("the prelude defines it"))
}

/// Called when `asyncio` was imported.
#[pyfunction]
pub(crate) fn configure_asyncio(py: Python<'_>) -> PyResult<()> {
    let loops = LOOPS.get_or_try_init(py, || {
        let loops = interpreter::run_prelude(py, Prelude::Loops, &host::module(py)?)?;
        PyResult::Ok(loops.unbind())
    })?;
    of_prelude(py, loops, "install")?.call0().map(drop)
}

/// The loop of the instance whose functions were loaded or called last on this thread; `None` on a guest's own threads.
#[pyfunction]
pub(crate) fn event_loop(py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
    let here = HERE.try_with(|here| here.borrow().of.upgrade()).ok().flatten();
    let Some(current) = here else { return Ok(None) };
    Ok(Some(current.get(py)?.object(py)))
}
