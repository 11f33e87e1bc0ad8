//! A snapshot of the process, of which copies go on: what guests want done around it, and what no copy may share.

use super::{PythonInstance, RootId};
use crate::{
    call::{Begun, Called},
    error, interpreter,
};
use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple},
};
use trine_engine::{Form, Result};

impl PythonInstance {
    /// Runs what guests want done before a snapshot.
    pub(super) async fn prepare_for_snapshot(&self) -> Result<()> {
        self.run_due(false).await
    }

    /// Seeds the random generators in use, and runs what guests want done in a copy.
    pub(super) async fn go_on_restored(&self) -> Result<()> {
        let reseeded = Python::attach(|py| {
            let reseed = interpreter::of(self.python.snapshot(py)?.bind(py), "reseed")?;
            reseed.call0().map(drop)
        });
        reseeded.map_err(|e| Python::attach(|py| error::internal(py, &e)))?;
        self.run_due(true).await
    }

    async fn run_due(&self, restored: bool) -> Result<()> {
        self.refuse_after_end()?;
        let due = Python::attach(|py| -> PyResult<Vec<Py<PyAny>>> {
            let due = interpreter::of(self.python.snapshot(py)?.bind(py), "due")?;
            due.call1((restored,))?.try_iter()?.map(|call| call.map(Bound::unbind)).collect()
        });
        // The package may be anybody's.
        let due = due.map_err(|e| Python::attach(|py| error::raised(py, &e, "")))?;
        for call in due {
            self.run_registered(&call).await?;
        }
        Ok(())
    }

    /// Makes one call, and waits for it where it can be awaited.
    async fn run_registered(&self, registered: &Py<PyAny>) -> Result<()> {
        let called = Called { form: Form::Native, hook: None, invocation: None };
        let call = self.runs.enter();
        let begun = Python::attach(|py| {
            let section = call.section(py);
            // Functions with other roots have no part in a process of which a snapshot is taken.
            let _scope = self.enter(py, RootId(0))?;
            let returned = apply(registered.bind(py));
            self.outcome(py, &section, returned, None, &called, |_, _| Ok(()))
        });
        let done = match begun {
            Ok(Begun::Done(())) => Ok(()),
            Ok(Begun::Waiting(task)) => self.finish(&call, &task, &called, |_, _| Ok(())).await,
            Err(failed) => Err(failed),
        };
        self.left(&call, &done);
        done
    }
}

/// Calls a function that was registered with its arguments.
fn apply<'py>(registered: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    type Registered<'py> = (Bound<'py, PyAny>, Bound<'py, PyTuple>, Bound<'py, PyDict>);
    let (function, arguments, named): Registered<'py> = registered.extract()?;
    function.call(arguments, Some(&named))
}
