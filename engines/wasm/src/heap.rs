//! The limit of V8's own heap, in which references, tables and garbage-collected objects of guests lie. Linear memories lie
//! outside of it, and modules are changed so that these keep to the limit (`binary::limits`).

use std::{
    ffi::c_void,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};
use trine_engine::{Error, ErrorKind};
use trine_v8::v8;

/// Minimum number of bytes that an isolate needs to start at all.
const LEAST: usize = 32 << 20;

/// Number of bytes added when V8 has reached the limit: the largest allocation that it makes at once fits in it.
const RESERVE: usize = 2 << 30;

/// The limit of an isolate's heap.
pub(crate) struct Heap {
    limit: u64,
    crossed: AtomicBool,
    isolate: OnceLock<v8::IsolateHandle>,
}

impl Heap {
    /// Makes a limit in bytes.
    pub(crate) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { limit, crossed: AtomicBool::new(false), isolate: OnceLock::new() })
    }

    /// Makes V8's parameters with the limit.
    pub(crate) fn create_params(&self) -> v8::CreateParams {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX).max(LEAST);
        v8::CreateParams::default().heap_limits(0, limit)
    }

    /// Watches an isolate that was made with [`Heap::create_params`]. It must not outlive `self`.
    pub(crate) fn watch(self: &Arc<Self>, isolate: &mut v8::OwnedIsolate) {
        // An isolate has one of these, and it has one isolate.
        let _ = self.isolate.set(isolate.thread_safe_handle());
        let data = Arc::as_ptr(self).cast_mut().cast();
        isolate.add_near_heap_limit_callback(near_heap_limit, data);
    }

    /// Whether the limit was crossed: the isolate is no longer usable.
    pub(crate) fn is_crossed(&self) -> bool {
        self.crossed.load(Ordering::Relaxed)
    }

    /// Returns the error of a call that needed more.
    pub(crate) fn error(&self) -> Error {
        out_of_memory(Some(self.limit)).poisoning()
    }
}

/// Returns the error of a guest that needs more than its limit in bytes, or than there is.
pub(crate) fn out_of_memory(limit: Option<u64>) -> Error {
    let limit = match limit {
        Some(limit) => format!("its limit of {} MB", limit >> 20),
        None => "there is".to_owned(),
    };
    let message = format!("the function needed more memory than {limit}");
    Error::new(ErrorKind::OutOfMemory, message)
}

/// Handles a heap that is about to be full: the guest is stopped, and V8 gets enough to come to an end.
unsafe extern "C" fn near_heap_limit(data: *mut c_void, current: usize, _initial: usize) -> usize {
    // SAFETY: the data that `watch` gave, which outlives the isolate.
    let heap = unsafe { &*data.cast::<Heap>() };
    heap.crossed.store(true, Ordering::Relaxed);
    if let Some(isolate) = heap.isolate.get() {
        isolate.terminate_execution();
    }
    current.saturating_add(RESERVE)
}
