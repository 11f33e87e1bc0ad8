//! The memory limit of an isolate: V8's heap, and the buffers beside it.
//!
//! V8 asks before its heap outgrows the limit. Unless it is then given more, it ends the process; so it gets more, and
//! the guest's code is stopped. Buffers come from an allocator that counts them together with the heap: a buffer that
//! would cross the limit is refused, which the guest sees as a `RangeError`.

use deno_runtime::deno_core::v8;
use std::{
    alloc::{Layout, alloc, alloc_zeroed, dealloc},
    ffi::c_void,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
};
use trine_engine::{Error, ErrorKind, Result};

/// Minimum number of bytes that an isolate needs to start at all.
const LEAST: usize = 32 << 20;

/// Number of bytes added when V8 has reached the limit: the largest allocation that it makes at once fits in it.
const RESERVE: usize = 2 << 30;

/// Dead buffers, in bytes, that V8 lets gather before it collects; twice as much as it says.
const UNSWEPT: usize = 128 << 20;

/// Size up to which buffers are refused later than others: some of V8's own interfaces, which native code uses for
/// small buffers, end the process when they are refused.
const SMALL: usize = 64 << 10;

/// An isolate's limit and usage. Buffers may outlive their isolate, and end on any thread.
pub(crate) struct Memory {
    limit: usize,
    buffers: AtomicUsize,
    /// Size of the heap after its last full collection.
    heap: AtomicUsize,
    crossed: Arc<AtomicBool>,
    /// Size of the buffer that was refused last and has not been granted since; 0 for none.
    refused: AtomicUsize,
    /// Number of full collections in a row after which heap and buffers were still beyond the limit.
    beyond: AtomicU32,
    /// Whether V8's own limit is higher than ours for the moment.
    raised: AtomicBool,
    isolate: OnceLock<v8::IsolateHandle>,
}

impl Memory {
    /// Makes a limit in bytes.
    pub(crate) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX).max(LEAST),
            buffers: AtomicUsize::new(0),
            heap: AtomicUsize::new(0),
            crossed: Arc::default(),
            refused: AtomicUsize::new(0),
            beyond: AtomicU32::new(0),
            raised: AtomicBool::new(false),
            isolate: OnceLock::new(),
        })
    }

    /// Makes V8's parameters with heap limit and allocator.
    pub(crate) fn create_params(self: &Arc<Self>) -> v8::CreateParams {
        static VTABLE: v8::RustAllocatorVtable<Memory> =
            v8::RustAllocatorVtable { allocate, allocate_uninitialized, free, drop: forget };
        // SAFETY: the handle is an `Arc` that `forget` takes back, and the functions of the table take what it points to.
        let allocator = unsafe { v8::new_rust_allocator(Arc::into_raw(self.clone()), &VTABLE) };
        v8::CreateParams::default().heap_limits(0, self.limit).array_buffer_allocator(allocator)
    }

    /// Watches an isolate that was made with [`Memory::create_params`]. It must not outlive `self`.
    pub(crate) fn watch(self: &Arc<Self>, isolate: &mut v8::OwnedIsolate) {
        // An isolate has one of these, and it has one isolate.
        let _ = self.isolate.set(isolate.thread_safe_handle());
        let data = self.data();
        isolate.add_near_heap_limit_callback(near_heap_limit, data);
        isolate.add_gc_epilogue_callback(collected, data, v8::GCType::kGCTypeMarkSweepCompact);
    }

    /// Whether the limit was crossed: the isolate is no longer usable.
    pub(crate) fn is_crossed(&self) -> bool {
        self.crossed.load(Ordering::Relaxed)
    }

    /// Returns the flag that [`Memory::is_crossed`] reads, for others to check.
    pub(crate) fn crossed_flag(&self) -> Arc<AtomicBool> {
        self.crossed.clone()
    }

    /// Whether a buffer has been refused since the last call.
    pub(crate) fn take_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed) > 0 && self.refused.swap(0, Ordering::Relaxed) > 0
    }

    /// Returns the error of a call that needed more.
    pub(crate) fn error(&self) -> Error {
        let limit = self.limit >> 20;
        let message = format!("the function needed more memory than its limit of {limit} MB");
        Error::new(ErrorKind::OutOfMemory, message).poisoning()
    }

    /// Prepares for the next call: the limit holds again. An isolate that crossed it goes on if garbage alone was the
    /// excess.
    ///
    /// # Errors
    /// [`Memory::error`] when it was not.
    pub(crate) fn begin(&self, isolate: &mut v8::OwnedIsolate) -> Result<()> {
        self.refused.store(0, Ordering::Relaxed);
        if !self.raised.load(Ordering::Relaxed) && !self.is_crossed() {
            return Ok(());
        }
        if self.is_crossed() {
            isolate.low_memory_notification();
            let statistics = isolate.get_heap_statistics();
            if statistics.used_heap_size() + statistics.external_memory() > self.limit / 4 * 3 {
                return Err(self.error());
            }
            isolate.cancel_terminate_execution();
            self.beyond.store(0, Ordering::Relaxed);
            self.crossed.store(false, Ordering::Relaxed);
        }
        isolate.remove_near_heap_limit_callback(near_heap_limit, self.limit);
        isolate.add_near_heap_limit_callback(near_heap_limit, self.data());
        self.raised.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Returns the pointer that V8 passes to the callbacks.
    fn data(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    fn cross(&self) {
        self.crossed.store(true, Ordering::Relaxed);
        if let Some(isolate) = self.isolate.get() {
            isolate.terminate_execution();
        }
    }

    /// Counts a buffer, unless it is refused.
    fn take(&self, size: usize) -> bool {
        let heap = self.heap.load(Ordering::Relaxed);
        let grace = if size <= SMALL { self.limit / 4 } else { 0 };
        let taken = self.buffers.fetch_add(size, Ordering::Relaxed) + size;
        let fits = taken.saturating_add(heap) <= self.limit + grace;
        if !fits {
            self.buffers.fetch_sub(size, Ordering::Relaxed);
            self.refused.store(size, Ordering::Relaxed);
        } else if (1..=size).contains(&self.refused.load(Ordering::Relaxed)) {
            // V8 has collected and asked again.
            self.refused.store(0, Ordering::Relaxed);
        }
        fits
    }
}

/// Handles a heap that is about to be full: the guest is stopped, and V8 gets enough to come to an end.
unsafe extern "C" fn near_heap_limit(data: *mut c_void, current: usize, _initial: usize) -> usize {
    // SAFETY: the data that `watch` gave, which outlives the isolate.
    let memory = unsafe { &*data.cast::<Memory>() };
    // V8 also comes here before it gives up on a buffer that was refused; then it is not its heap that is too large. It
    // gets more all the same, for an array may be wanted the next time, and full collections enforce the limit.
    if memory.refused.load(Ordering::Relaxed) == 0
        || memory.heap.load(Ordering::Relaxed) > memory.limit / 4 * 3
    {
        memory.cross();
    }
    memory.raised.store(true, Ordering::Relaxed);
    current.saturating_add(RESERVE)
}

/// Checks heap and buffers together after V8 has collected its whole heap.
unsafe extern "C" fn collected(
    isolate: v8::UnsafeRawIsolatePtr,
    _type: v8::GCType,
    _flags: v8::GCCallbackFlags,
    data: *mut c_void,
) {
    // SAFETY: the data that `watch` gave, which outlives the isolate; and the isolate that has just collected.
    let (memory, mut isolate) =
        unsafe { (&*data.cast::<Memory>(), v8::Isolate::from_raw_isolate_ptr(isolate)) };
    let statistics = isolate.get_heap_statistics();
    memory.heap.store(statistics.used_heap_size(), Ordering::Relaxed);
    // Buffers that other code made do not come from the allocator, but V8 counts them; it also counts dead ones that
    // are not yet swept, of which there may be some.
    let swept_later = memory.limit.max(UNSWEPT);
    let taken = statistics.used_heap_size() + statistics.external_memory();
    if statistics.used_heap_size() <= memory.limit && taken <= memory.limit + swept_later {
        memory.beyond.store(0, Ordering::Relaxed);
    } else if memory.beyond.fetch_add(1, Ordering::Relaxed) > 0 {
        memory.cross();
    }
}

/// Returns the layout of a buffer, aligned as by `malloc`.
fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.max(1), 16).ok()
}

unsafe extern "C" fn allocate(memory: &Memory, size: usize) -> *mut c_void {
    // SAFETY: a layout is never of size 0.
    take(memory, size, |layout| unsafe { alloc_zeroed(layout) })
}

unsafe extern "C" fn allocate_uninitialized(memory: &Memory, size: usize) -> *mut c_void {
    // SAFETY: a layout is never of size 0.
    take(memory, size, |layout| unsafe { alloc(layout) })
}

fn take(memory: &Memory, size: usize, allocate: impl FnOnce(Layout) -> *mut u8) -> *mut c_void {
    let Some(layout) = layout(size).filter(|_| memory.take(size)) else {
        return std::ptr::null_mut();
    };
    let pointer = allocate(layout);
    if pointer.is_null() {
        memory.buffers.fetch_sub(size, Ordering::Relaxed);
        memory.refused.store(size, Ordering::Relaxed);
    }
    pointer.cast()
}

unsafe extern "C" fn free(memory: &Memory, data: *mut c_void, size: usize) {
    memory.buffers.fetch_sub(size, Ordering::Relaxed);
    if let Some(layout) = layout(size) {
        // SAFETY: V8 gives back what `take` gave it, with the size that it asked for.
        unsafe { dealloc(data.cast(), layout) };
    }
}

unsafe extern "C" fn forget(memory: *const Memory) {
    // SAFETY: made by `Arc::into_raw` in `create_params`, for this one call.
    drop(unsafe { Arc::from_raw(memory) });
}
