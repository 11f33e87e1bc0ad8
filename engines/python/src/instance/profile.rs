//! Profiles of what runs on an instance's thread.

use super::PythonInstance;
use crate::{error, interpreter};
use pyo3::prelude::*;
use trine_engine::{Error, ErrorKind, Profile, Result};

impl PythonInstance {
    /// Begins a profile of this thread and of those that guests start from now on.
    pub(super) fn begin_profile(&self) -> Result<Profile> {
        self.refuse_after_end()?;
        let begun = Python::attach(|py| {
            let profile = self.python.profile(py)?.bind(py);
            Ok(interpreter::of(profile, "begin")?.call0()?.unbind())
        });
        let taken = Taken(Some(begun.map_err(|e| Python::attach(|py| refused(py, &e)))?));
        Ok(Profile::new(move || taken.finish()))
    }
}

/// Returns why there is no profile: one is being taken, or `cProfile` is not there.
fn refused(py: Python<'_>, raised: &PyErr) -> Error {
    let reason = error::message(py, raised);
    Error::new(ErrorKind::Unsupported, format!("Python cannot take a profile: {reason}"))
}

/// A profile that ends at the latest when it is dropped, on the thread that it is of.
struct Taken(Option<Py<PyAny>>);

impl Taken {
    fn finish(mut self) -> Result<Vec<u8>> {
        let written = Python::attach(|py| self.take(py));
        written.map_err(|e| Python::attach(|py| error::internal(py, &e)))
    }

    fn take(&mut self, py: Python<'_>) -> PyResult<Vec<u8>> {
        match self.0.take() {
            Some(profile) => profile.bind(py).call_method0("finish")?.extract(),
            None => Ok(Vec::new()),
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if self.0.is_some() {
            // Nobody wants it.
            drop(Python::attach(|py| self.take(py)));
        }
    }
}
