//! The lifespans of ASGI applications: begun when they are loaded, ended with their instance.

use super::{Application, awaited, prelude};
use crate::{
    call::{Begun, Called},
    error, host,
    instance::{PythonInstance, RootId},
    interpreter,
    limits::Call,
};
use pyo3::{intern, prelude::*, types::PyDict};
use std::rc::Rc;
use trine_engine::{Form, Result};

/// Seconds that an application has to end where nobody waits for it.
const LAST: f64 = 2.0;

/// The lifespan of an application in one instance.
pub(crate) struct Lifespan {
    /// The application itself, by which it is known.
    application: Py<PyAny>,
    object: Py<PyAny>,
    root: RootId,
}

impl Lifespan {
    /// Returns what the application has left for its requests.
    pub(super) fn state<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        let state = self.object.bind(py).getattr(intern!(py, "state"));
        let state = state.ok().and_then(|state| state.cast_into::<PyDict>().ok());
        state.unwrap_or_else(|| PyDict::new(py))
    }
}

const CALLED: Called<'static> = Called { form: Form::Native, hook: None, invocation: None };

impl PythonInstance {
    /// Starts an application, unless this instance has it already.
    ///
    /// # Errors
    /// What it raised as it started, or the message with which it has failed.
    pub(crate) async fn start_lifespan(
        &self,
        call: &Call,
        application: &Application,
        root: RootId,
    ) -> Result<()> {
        let known = self.web.lifespans.borrow().iter().find_map(|lifespan| {
            lifespan.application.is(&application.object).then(|| lifespan.clone())
        });
        if let Some(known) = known {
            let _ = application.lifespan.set(known);
            return Ok(());
        }
        let lifespan = Python::attach(|py| {
            let class = interpreter::of(prelude(py)?.namespace.bind(py), "Lifespan")?;
            let object = class.call1((&application.object,))?.unbind();
            PyResult::Ok(Lifespan { application: application.object.clone_ref(py), object, root })
        });
        let lifespan = lifespan.map_err(|e| Python::attach(|py| error::internal(py, &e)))?;
        self.run_lifespan(call, &lifespan, "start").await?;
        let lifespan = Rc::new(lifespan);
        self.web.lifespans.borrow_mut().push(lifespan.clone());
        let _ = application.lifespan.set(lifespan);
        Ok(())
    }

    async fn run_lifespan(&self, call: &Call, lifespan: &Lifespan, step: &str) -> Result<()> {
        let begun = Python::attach(|py| {
            let section = call.section(py);
            let _scope = self.enter(py, lifespan.root)?;
            let returned = lifespan.object.bind(py).call_method0(step);
            self.outcome(py, &section, returned, None, &CALLED, awaited)
        });
        match begun? {
            Begun::Done(()) => Ok(()),
            Begun::Waiting(task) => self.finish(call, &task, &CALLED, awaited).await,
        }
    }

    /// Lets applications end, the latest first.
    pub(crate) async fn end_lifespans(&self) {
        loop {
            // Not within the condition, whose borrow would last as long as the body.
            let Some(lifespan) = self.web.lifespans.borrow_mut().pop() else { return };
            let call = self.runs.enter();
            let ended = self.run_lifespan(&call, &lifespan, "stop").await;
            self.left(&call, &ended);
            if let Err(failed) = ended {
                host::complain(&format!("the lifespan of an application did not end: {failed:#}"));
                host::flush();
            }
        }
    }

    /// Lets applications end that nobody has waited for, for a moment.
    pub(crate) fn end_lifespans_at_once(&self, py: Python<'_>) -> PyResult<()> {
        loop {
            let Some(lifespan) = self.web.lifespans.borrow_mut().pop() else { return Ok(()) };
            let _scope = self.enter(py, lifespan.root).ok();
            lifespan.object.bind(py).call_method1(intern!(py, "stop_at_once"), (LAST,))?;
        }
    }
}
