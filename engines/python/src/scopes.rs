//! The separation of functions side by side: each root has a context (`contextvars`) of its own, in which its functions
//! are loaded and called. It contains the scope that the prelude's `scopes` knows.
//!
//! A process in which all functions have one root has no scopes, and pays for none.

use crate::{
    child_environment, current_loop, host,
    interpreter::{self, Interpreter, Prelude},
    permits::{self, Inside},
};
use pyo3::{
    ffi,
    prelude::*,
    sync::PyOnceLock,
    types::{PyCFunction, PyDict, PyTuple},
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
};
use trine_engine::{Environment, Permits};

/// The prelude's `scopes` as a namespace, once there are any.
static PRELUDE: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// The scopes of all roots.
static ALL: Mutex<Vec<Arc<Scope>>> = Mutex::new(Vec::new());

/// The environment in which one root's functions are loaded and called.
pub(crate) struct Scope {
    generation: u64,
    root: PathBuf,
    context: Py<PyAny>,
    /// What the prelude's `scopes` keeps for it.
    kept: Py<PyAny>,
    /// What its functions may do, where that is narrowed.
    permits: Option<Arc<Permits>>,
    /// The thread that imports its functions, and calls them unless they have threads of their own.
    home: ThreadId,
}

impl Scope {
    /// Returns the scope of a root, whose functions get this environment. Instances of one generation share it, as they
    /// share modules.
    pub(crate) fn of(
        py: Python<'_>,
        python: &Interpreter,
        generation: u64,
        root: &Path,
        environment: &Environment,
    ) -> PyResult<Arc<Self>> {
        let known = || {
            let all = all();
            let mut all = all.iter();
            all.find(|scope| scope.generation == generation && scope.root == root).cloned()
        };
        if let Some(known) = known() {
            return Ok(known);
        }
        let context = copy_current(py)?;
        let begin = interpreter::of(prelude(py, python)?.bind(py), "begin")?;
        let permits = permits::of_root(py, environment, root)?;
        let given = PyDict::new(py);
        for (name, value) in environment.variables.iter() {
            given.set_item(name, value)?;
        }
        let sees = permits.as_ref().map(|permits| sees(py, permits.clone())).transpose()?;
        let kept = context.call_method1("run", (begin, given, sees))?;
        // Python's code has run, and another thread may have been faster.
        if let Some(known) = known() {
            return Ok(known);
        }
        permits::note(py, &kept, permits.clone())?;
        let (root, home) = (root.to_owned(), thread::current().id());
        let (context, kept) = (context.unbind(), kept.unbind());
        let made = Arc::new(Self { generation, root, context, kept, permits, home });
        all().push(made.clone());
        Ok(made)
    }

    /// Adds a folder that holds code.
    pub(crate) fn add_code(&self, folder: &Path) {
        if let Some(permits) = &self.permits {
            permits.add_code(folder);
        }
    }

    /// Makes its context the thread's until the result is dropped.
    pub(crate) fn enter<'py>(&self, py: Python<'py>) -> PyResult<Entered<'py>> {
        // Settings of a call on a thread of its function's are that call's: it works on a copy.
        if thread::current().id() == self.home
            && let Ok(entered) = Entered::new(self.context.bind(py).clone())
        {
            return Ok(entered.inside(self));
        }
        // Otherwise this thread is in it already.
        // SAFETY: a context that is alive; the result is owned or null with an exception.
        let copy = unsafe {
            Bound::from_owned_ptr_or_err(py, ffi::PyContext_Copy(self.context.as_ptr()))
        }?;
        let entered = Entered::new(copy)?;
        if let Some(prelude) = PRELUDE.get(py) {
            interpreter::of(prelude.bind(py), "take_apart")?.call0()?;
        }
        Ok(entered.inside(self))
    }

    /// Forgets the scopes of a generation.
    pub(crate) fn forget(py: Python<'_>, generation: u64) {
        let ended: Vec<_> = all().extract_if(.., |scope| scope.generation == generation).collect();
        for scope in &ended {
            permits::forget(scope.kept.bind(py));
        }
        // Their finalisers may be the guest's code.
        drop(ended);
    }
}

/// A context that is the thread's current one.
pub(crate) struct Entered<'py>(Bound<'py, PyAny>, Option<Inside>);

impl<'py> Entered<'py> {
    pub(crate) fn new(context: Bound<'py, PyAny>) -> PyResult<Self> {
        // SAFETY: a context that is alive; the thread is attached, as the object is bound to it.
        match unsafe { ffi::PyContext_Enter(context.as_ptr()) } {
            0 => Ok(Self(context, None)),
            _ => Err(PyErr::fetch(context.py())),
        }
    }

    /// Adds that the thread is in functions of a scope.
    fn inside(mut self, scope: &Scope) -> Self {
        self.1 = Some(Inside::begin(scope.permits.clone()));
        self
    }
}

/// Makes the function that says whether a variable of the environment is there for functions with these permits.
fn sees(py: Python<'_>, permits: Arc<Permits>) -> PyResult<Bound<'_, PyCFunction>> {
    let sees = move |arguments: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| {
        let name: String = arguments.get_item(0)?.extract()?;
        PyResult::Ok(permits::sees_variable(&permits, &name))
    };
    PyCFunction::new_closure(py, Some(c"sees"), None, sees)
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // SAFETY: the context is alive and was entered by `new`; the thread is attached.
        if unsafe { ffi::PyContext_Exit(self.0.as_ptr()) } != 0 {
            // The guest left the thread in another context.
            drop(PyErr::take(self.0.py()));
        }
    }
}

/// Returns a copy of the thread's current context.
pub(crate) fn copy_current(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: the thread is attached; the result is owned or null with an exception.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyContext_CopyCurrent()) }
}

/// A guard that keeps a root's scope out of code that works for all roots.
pub(crate) struct Everybodys<'py> {
    variable: Bound<'py, PyAny>,
    before: Bound<'py, PyAny>,
}

impl<'py> Everybodys<'py> {
    pub(crate) fn begin(py: Python<'py>) -> PyResult<Self> {
        let variable = interpreter::scope(py)?.clone();
        let before = variable.call_method0("get")?;
        variable.call_method1("set", (py.None(),))?;
        Ok(Self { variable, before })
    }
}

impl Drop for Everybodys<'_> {
    fn drop(&mut self) {
        if let Err(raised) = self.variable.call_method1("set", (&self.before,)) {
            raised.write_unraisable(self.variable.py(), None);
        }
    }
}

/// Forgets which event loops the functions of these scopes have set on this thread.
pub(crate) fn forget_loops<'a>(
    py: Python<'_>,
    scopes: impl Iterator<Item = &'a Arc<Scope>>,
) -> PyResult<()> {
    for scope in scopes {
        let _entered = scope.enter(py)?;
        current_loop::forget_in_scope(py)?;
    }
    Ok(())
}

/// Gives each scope a policy of event loops, where there are scopes, once `asyncio` has been imported.
pub(crate) fn follow_asyncio(py: Python<'_>) -> PyResult<()> {
    match PRELUDE.get(py) {
        Some(prelude) => {
            current_loop::keep_apart(py, interpreter::of(prelude.bind(py), "_target")?)
        }
        None => Ok(()),
    }
}

/// Gives children the environment of their scope, where there are scopes, once a guest can start any.
pub(crate) fn follow_children(py: Python<'_>) -> PyResult<()> {
    match PRELUDE.get(py) {
        Some(prelude) => {
            let environ = interpreter::of(prelude.bind(py), "environ_of_children")?;
            child_environment::keep_apart(py, environ)
        }
        None => Ok(()),
    }
}

/// Gives the root logger a level for each scope, where there are scopes, once `logging` has been imported.
pub(crate) fn follow_logging(py: Python<'_>) -> PyResult<()> {
    match PRELUDE.get(py) {
        Some(prelude) => interpreter::of(prelude.bind(py), "logging")?.call0().map(drop),
        None => Ok(()),
    }
}

fn prelude(py: Python<'_>, python: &Interpreter) -> PyResult<&'static Py<PyDict>> {
    PRELUDE.get_or_try_init(py, || {
        let natives = host::module(py)?;
        natives.add("owner", interpreter::of(python.loader.bind(py), "_owner")?)?;
        let made = interpreter::run_prelude(py, Prelude::Scopes, &natives)?;
        interpreter::of(&made, "install")?.call0()?;
        if py.import("sys")?.getattr("modules")?.contains("logging")? {
            interpreter::of(&made, "logging")?.call0()?;
        }
        current_loop::keep_apart(py, interpreter::of(&made, "_target")?)?;
        child_environment::keep_apart(py, interpreter::of(&made, "environ_of_children")?)?;
        Ok(made.unbind())
    })
}

fn all() -> MutexGuard<'static, Vec<Arc<Scope>>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}
