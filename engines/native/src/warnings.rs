//! Telling a library that the time of an invocation is nearly up, while a function of it runs.

use crate::{flight::Doing, library::Library};
use std::{
    ffi::CString,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};
use trine_engine::Invocation;

/// The call that an instance runs, as other threads see it.
#[derive(Default)]
pub(crate) struct Running(Mutex<Option<(Arc<Library>, CString)>>);

impl Running {
    /// Notes that a function of a library runs for an invocation, until what is returned is dropped. Libraries that do
    /// not want to hear of deadlines are not noted.
    pub(crate) fn enter(&self, library: &Arc<Library>, invocation: &Invocation) -> Entered<'_> {
        let id = library.warn().and_then(|_| CString::new(invocation.request_id.as_str()).ok());
        if let Some(id) = id {
            *self.lock() = Some((library.clone(), id));
            return Entered(Some(self));
        }
        Entered(None)
    }

    /// Tells the library whose function runs. It is told on a thread of its own: who calls this has other invocations to
    /// look after, and native code may not return.
    pub(crate) fn warn(&self) {
        let Some((library, id)) = self.lock().clone() else { return };
        let Some(warn) = library.warn() else { return };
        // Without a thread nobody is told, and the invocation ends as it does for other libraries.
        let _ = thread::Builder::new().name("trine-warn".to_owned()).spawn(move || {
            let told = id.to_string_lossy();
            let flight = library.flight(Doing::Hear(&told));
            let _hearing = flight.begin();
            // SAFETY: the text is terminated by NUL and lives until the function returns; the library is never unloaded.
            unsafe { warn(id.as_ptr()) };
        });
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Arc<Library>, CString)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that is noted.
pub(crate) struct Entered<'r>(Option<&'r Running>);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if let Some(running) = self.0 {
            *running.lock() = None;
        }
    }
}
