//! The user's debugger: `debugpy` of the function's own packages, listening in this process from the first load on.

use crate::{
    error, find,
    interpreter::{self, Interpreter},
    user_environment,
};
use pyo3::{call::PyCallArgs, exceptions::PyModuleNotFoundError, prelude::*};
use std::{
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use trine_engine::{
    AttachedDebugger, DebugListener, Environment, Error, ErrorKind, Level, LogFormat, LogSettings,
    Lookup, Result, Stream, json_line,
};

/// Whether a debugger may attach, so that it has to know of the threads that run guests.
static LISTENS: AtomicBool = AtomicBool::new(false);

/// The client that is attached.
static ATTACHED: Mutex<Option<AttachedDebugger>> = Mutex::new(None);

/// Prepares for a module of a root that is about to be loaded: listens, the first time, and waits for a client where that is
/// asked for. The wait can be interrupted as a guest's code can.
pub(crate) fn prepare(
    py: Python<'_>,
    python: &Interpreter,
    environment: &Environment,
    root: &Path,
) -> Result<()> {
    let Some(listener) = environment.debuggers.adapter else { return Ok(()) };
    // Nothing hangs while somebody gets the debugger ready.
    let _expected = listener.waits.then(AttachedDebugger::new);
    let prelude = python.debugger(py).map_err(|e| error::internal(py, &e))?.bind(py);
    let function = |name: &str| interpreter::of(prelude, name);
    let layer_root = environment.layer_root.to_string_lossy();
    let place = listener.address;
    let listens = function("listen").and_then(|listen| {
        let import_tool = interpreter::of(python.loader.bind(py), "import_tool")?;
        let arguments =
            (import_tool, root.to_string_lossy(), layer_root, place.ip().to_string(), place.port());
        listen.call1(arguments)?.extract::<Option<(u16, String)>>()
    });
    let listens = listens.map_err(|e| failed(py, &e, listener, environment, root))?;
    if let Some((port, version)) = listens {
        LISTENS.store(true, Ordering::Release);
        let place = std::net::SocketAddr::new(place.ip(), port);
        say(&environment.log, &format!("Python debugger listening on {place} (debugpy {version})"));
    }
    let mut packages: Vec<_> = user_environment::packages(root).collect();
    packages.push(root.join("package"));
    let packages: Vec<_> = packages.iter().map(|folder| folder.to_string_lossy()).collect();
    let used = function("use_packages").and_then(|use_packages| use_packages.call1((packages,)));
    used.map_err(|e| error::internal(py, &e))?;
    if !listener.waits {
        return Ok(());
    }
    let waited = function("wait").and_then(|wait| wait.call0());
    waited.map(drop).map_err(|e| error::raised(py, &e, ""))
}

/// Returns what is wrong with `debugpy`, or with the address.
fn failed(
    py: Python<'_>,
    raised: &PyErr,
    listener: DebugListener,
    environment: &Environment,
    root: &Path,
) -> Error {
    let name = raised.value(py).getattr_opt("name").ok().flatten();
    let is_missing = raised.is_instance_of::<PyModuleNotFoundError>(py)
        && name.is_some_and(|name| name.eq("debugpy").unwrap_or(false));
    let text = if is_missing {
        let lookup = Lookup { name: "debugpy", root, layer_root: &environment.layer_root };
        let places = find::shown_places(&lookup).join(", ");
        format!(
            "the debugger for Python is its package debugpy, which is not installed: pip install debugpy (looked in {places})"
        )
    } else if raised.is_instance_of::<pyo3::exceptions::PyOSError>(py) {
        let reason = error::message(py, raised);
        format!("the debugger for Python cannot listen on {}: {reason}", listener.address)
    } else {
        let reason = error::one_line(py, raised);
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("the installed debugpy does not work here: {reason}")
    };
    Error::new(ErrorKind::Unsupported, text)
}

/// Writes a line of ours to the log.
fn say(log: &LogSettings, text: &str) {
    let line = match log.format {
        LogFormat::Text => format!("{text}\n"),
        LogFormat::Json => json_line(Level::Info, &serde_json::json!({"message": text})),
    };
    log.send(Stream::Stderr, Level::Info, &line);
}

/// Tells the debugger that guests' code is about to run on this thread.
pub(crate) fn enter(py: Python<'_>) {
    tell(py, "enter", ());
}

/// Tells the debugger that guests' code on this thread was stopped from outside.
pub(crate) fn recover(py: Python<'_>) {
    tell(py, "recover", ());
}

/// Tells the debugger of an exception that no guest has caught.
pub(crate) fn raised(py: Python<'_>, raised: &PyErr) {
    tell(py, "raised", (raised.get_type(py), raised.value(py), raised.traceback(py)));
}

fn tell<'py>(py: Python<'py>, what: &str, arguments: impl PyCallArgs<'py>) {
    if !LISTENS.load(Ordering::Relaxed) {
        return;
    }
    let Some(python) = interpreter::get() else { return };
    let told = python
        .debugger(py)
        .and_then(|prelude| interpreter::of(prelude.bind(py), what)?.call1(arguments).map(drop));
    if let Err(raised) = told {
        raised.write_unraisable(py, None);
    }
}

/// Notes that a client has attached, or is gone.
#[pyfunction]
fn debugger_is_attached(is_attached: bool) {
    let mut attached = ATTACHED.lock().unwrap_or_else(PoisonError::into_inner);
    if !is_attached {
        *attached = None;
    } else if attached.is_none() {
        *attached = Some(AttachedDebugger::new());
    }
}

/// Prepares a child right after the fork.
#[pyfunction]
fn leave_debugger() {
    LISTENS.store(false, Ordering::Release);
}

/// Adds to the prelude's module what its `debugger` calls.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(debugger_is_attached, module)?)?;
    module.add_function(wrap_pyfunction!(leave_debugger, module)?)
}
