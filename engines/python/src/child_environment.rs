//! The environment of a guest's child processes.

use crate::{
    host,
    interpreter::{self, Prelude},
    permits, scopes,
};
use pyo3::{
    prelude::*,
    sync::PyOnceLock,
    types::{PyBytes, PyDict},
};
use std::{env, ffi::OsStr, os::unix::ffi::OsStrExt};

/// The prelude's `children` as a namespace, once a guest can start any.
static PRELUDE: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// Adds the functions that the prelude needs to the module `_trine`.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(configure_children, module)?)?;
    module.add_function(wrap_pyfunction!(configure_spawn, module)?)?;
    module.add_function(wrap_pyfunction!(folders_of, module)?)?;
    module.add_function(wrap_pyfunction!(system_variable, module)?)?;
    module.add_function(wrap_pyfunction!(system_variables, module)?)
}

/// Makes children get the result of this function instead of the system's environment from now on, if there are any.
pub(crate) fn keep_apart(py: Python<'_>, environ: Bound<'_, PyAny>) -> PyResult<()> {
    match PRELUDE.get(py) {
        Some(prelude) => {
            interpreter::of(prelude.bind(py), "keep_apart")?.call1((environ,)).map(drop)
        }
        None => Ok(()),
    }
}

/// Configures `_posixsubprocess` once it has been imported.
#[pyfunction]
fn configure_children(py: Python<'_>) -> PyResult<()> {
    permits::guard_programs(py)?;
    let prelude = PRELUDE.get_or_try_init(py, || {
        let prelude = interpreter::run_prelude(py, Prelude::Children, &host::module(py)?)?;
        PyResult::Ok(prelude.unbind())
    })?;
    interpreter::of(prelude.bind(py), "install")?.call0()?;
    scopes::follow_children(py)
}

/// Configures `multiprocessing.spawn` once it has been imported.
#[pyfunction]
fn configure_spawn(py: Python<'_>) -> PyResult<()> {
    match interpreter::get() {
        Some(python) => interpreter::of(python.loader.bind(py), "spawning")?.call0().map(drop),
        None => Ok(()),
    }
}

/// Returns those folders on `sys.path` that belong to the function whose code runs in a frame, and those of the layers;
/// `None` before any function was loaded.
#[pyfunction]
fn folders_of<'py>(
    py: Python<'py>,
    frame: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    // Code of site-packages runs while the interpreter starts.
    let Some(python) = interpreter::get() else { return Ok(None) };
    interpreter::of(python.loader.bind(py), "folders_of")?.call1((frame,)).map(Some)
}

/// Returns a variable of the system's environment, as native code sees it.
#[pyfunction]
fn system_variable<'py>(py: Python<'py>, name: &[u8]) -> Option<Bound<'py, PyBytes>> {
    let value = env::var_os(OsStr::from_bytes(name))?;
    Some(PyBytes::new(py, value.as_bytes()))
}

/// Returns the system's environment, as native code sees it.
#[pyfunction]
fn system_variables(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let variables = PyDict::new(py);
    for (name, value) in env::vars_os() {
        let (name, value) = (name.as_bytes(), value.as_bytes());
        variables.set_item(PyBytes::new(py, name), PyBytes::new(py, value))?;
    }
    Ok(variables)
}
