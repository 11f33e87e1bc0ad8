//! The check of a module before it runs: whether it compiles, and whether it can have the requested function.

use crate::{error, interpreter};
use pyo3::{exceptions::PyOSError, prelude::*, types::PyTuple};
use std::thread;
use trine_engine::{Error, ErrorKind, Module, Presence, Result};

/// Checks a module. Nothing of it runs. The interpreter is started for it, as the thread that asks will need it anyway;
/// on threads other than the process's main one, where that may not be so, an interpreter that does not run is left
/// alone and nothing is reported.
pub(crate) fn check(module: &Module) -> Result<Presence> {
    if interpreter::get().is_none() && thread::current().name() != Some("main") {
        return Ok(Presence::Possible);
    }
    // A module found by an import may lie in an archive or be compiled: there is no text to look at.
    if module.path.extension().is_none_or(|extension| extension != "py") || !module.path.is_file() {
        return Ok(Presence::Possible);
    }
    let python = interpreter::start(true)?;
    Python::attach(|py| {
        let look = || -> PyResult<Presence> {
            let look = python.check(py)?.bind(py).get_item("look")?;
            let look = look.expect("the prelude defines it");
            // Of a path into an export only the export itself can be looked for.
            let names = module.wanted.names().into_iter();
            let names: Vec<_> = names.map(|name| name.split('.').next().unwrap_or(name)).collect();
            let found = look.call1((module.path.as_os_str(), names))?;
            if found.is_none() {
                return Ok(Presence::Possible);
            }
            if found.is_instance_of::<PyTuple>() {
                let (name, kind) = found.extract()?;
                return Ok(Presence::NoFunction { name, kind });
            }
            Ok(Presence::Absent { others: found.extract()? })
        };
        match look() {
            Ok(presence) => Ok(presence),
            Err(raised) if raised.is_instance_of::<PyOSError>(py) => {
                let path = module.path.display();
                let message =
                    format!("cannot read the file '{path}': {}", error::message(py, &raised));
                Err(Error::new(ErrorKind::ImportModule, message))
            }
            Err(raised) => Err(error::import_failed(py, &raised, &module.name)),
        }
    })
}
