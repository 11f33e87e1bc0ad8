//! The start of children by `_posixsubprocess`, of which CPython tells hooks nothing: `subprocess` is not its only user.

use super::demand;
use pyo3::{
    prelude::*,
    types::{PyBytes, PyCFunction, PyDict, PyTuple},
};
use std::{env, ffi::OsStr, os::unix::ffi::OsStrExt};
use trine_engine::Access;

/// Where the programs, of which the first that can be run is, and the environment stand among the arguments.
const PROGRAMS: usize = 1;
const ENVIRONMENT: usize = 5;

/// Makes the module's function ask, once the module has been imported.
pub(crate) fn guard(py: Python<'_>) -> PyResult<()> {
    let module = py.import("_posixsubprocess")?;
    let plain = module.getattr("fork_exec")?.unbind();
    let call = move |arguments: &Bound<'_, PyTuple>, named: Option<&Bound<'_, PyDict>>| {
        let py = arguments.py();
        let started = match demand(py, |permits| permits.all(Access::Run)) {
            Ok(()) => plain.bind(py).call(arguments, named),
            Err(_) => plain.bind(py).call(allowed(arguments)?, named),
        };
        PyResult::Ok(started?.unbind())
    };
    module.setattr("fork_exec", PyCFunction::new_closure(py, Some(c"fork_exec"), None, call)?)
}

/// Returns the arguments with those programs alone that may run.
fn allowed<'py>(arguments: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyTuple>> {
    let py = arguments.py();
    let variables = arguments.get_item(ENVIRONMENT)?;
    for variable in variables.try_iter().into_iter().flatten() {
        let variable = variable?;
        let bytes = variable.cast::<PyBytes>()?.as_bytes();
        if bytes.starts_with(b"LD_") && !is_own(bytes) {
            demand(py, |permits| permits.all(Access::Run))?;
        }
    }
    let (mut kept, mut refused) = (Vec::new(), None);
    for program in arguments.get_item(PROGRAMS)?.try_iter()? {
        let program = program?;
        let bytes = program.cast::<PyBytes>()?.as_bytes().to_vec();
        match demand(py, |permits| permits.run(&bytes, None)) {
            Ok(()) => kept.push(program),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    if let (true, Some(error)) = (kept.is_empty(), refused) {
        return Err(error);
    }
    let programs = PyTuple::new(py, kept)?.into_any();
    let replaced = arguments.iter().enumerate().map(|(at, argument)| match at {
        PROGRAMS => programs.clone(),
        _ => argument,
    });
    PyTuple::new(py, replaced.collect::<Vec<_>>())
}

/// Whether the process has this very variable itself.
fn is_own(variable: &[u8]) -> bool {
    let mut parts = variable.splitn(2, |byte| *byte == b'=');
    let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    env::var_os(OsStr::from_bytes(name)).is_some_and(|own| own.as_bytes() == value)
}
