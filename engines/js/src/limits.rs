//! Stops what runs too long, from any thread.

use deno_runtime::deno_core::v8;
use std::sync::{Arc, Mutex, PoisonError};
use trine_engine::Interrupter;

/// Reaches an isolate from other threads for as long as it lives.
#[derive(Clone, Default)]
pub(crate) struct Limits {
    isolate: Arc<Mutex<Option<v8::IsolateHandle>>>,
}

impl Limits {
    /// The isolate has started.
    pub(crate) fn watch(&self, isolate: v8::IsolateHandle) {
        *self.isolate.lock().unwrap_or_else(PoisonError::into_inner) = Some(isolate);
    }

    /// The isolate is about to end.
    pub(crate) fn forget(&self) {
        *self.isolate.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Stops JavaScript where it stands, past every `catch` and `finally`. Does nothing before the isolate has started.
    pub(crate) fn interrupter(&self) -> Interrupter {
        let isolate = self.isolate.clone();
        Interrupter::new(move || {
            if let Some(isolate) = &*isolate.lock().unwrap_or_else(PoisonError::into_inner) {
                isolate.terminate_execution();
            }
        })
    }
}
