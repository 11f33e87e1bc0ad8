//! An isolate of V8 with one bare context, nothing of Deno's around it.

use crate::{heap::Heap, host::Host, limits::Stop};
use std::{
    mem::ManuallyDrop,
    ops::{Deref, DerefMut},
    rc::Rc,
    sync::Arc,
};
use trine_engine::{Error, Result};
use trine_v8::v8;

/// Maximum number of frames in a stack.
const FRAMES: i32 = 50;

/// Bytes of dead memories that V8 may keep until it collects them.
const MOST_GARBAGE: u64 = 32 << 20;

/// An isolate, its context, and what is needed of that.
pub(crate) struct Isolate {
    isolate: ManuallyDrop<v8::OwnedIsolate>,
    pub(crate) context: v8::Global<v8::Context>,
    /// `WebAssembly.Instance`.
    pub(crate) constructor: v8::Global<v8::Function>,
    pub(crate) host: Rc<Host>,
    pub(crate) heap: Option<Arc<Heap>>,
    stop: Arc<Stop>,
    /// Bytes of memories that nobody uses any more, since V8 was last told to collect them.
    garbage: u64,
    most_garbage: u64,
}

/// An isolate that is the thread's current one, until this is dropped.
pub(crate) struct Entered<'i>(&'i mut Isolate);

impl Isolate {
    /// Starts an isolate that takes at most this many bytes.
    pub(crate) fn start(limit: Option<u64>, stop: &Arc<Stop>) -> Result<Self> {
        trine_v8::start("");
        let heap = limit.map(Heap::new);
        let params =
            heap.as_ref().map_or_else(v8::CreateParams::default, |heap| heap.create_params());
        let mut isolate = v8::Isolate::new(params);
        let host = Rc::new(Host::default());
        isolate.set_slot(host.clone());
        // Nobody settles promises here, and none are made.
        isolate.set_microtasks_policy(v8::MicrotasksPolicy::Explicit);
        let made = context(&mut isolate);
        if let Some(heap) = &heap {
            heap.watch(&mut isolate);
        }
        stop.watch(Some(isolate.thread_safe_handle()));
        // SAFETY: V8's bindings leave an isolate entered when they have made it, and nothing was entered since.
        unsafe { isolate.exit() };
        let isolate = ManuallyDrop::new(isolate);
        let Some((context, constructor)) = made else {
            return Err(Error::internal("V8 has made no context with WebAssembly"));
        };
        let most_garbage = limit.map_or(MOST_GARBAGE, |limit| MOST_GARBAGE.min(limit / 4));
        let stop = stop.clone();
        Ok(Self { isolate, context, constructor, host, heap, stop, garbage: 0, most_garbage })
    }

    /// Checks that V8's heap has not crossed its limit: then the isolate is no longer usable.
    ///
    /// # Errors
    /// [`Heap::error`].
    pub(crate) fn check_heap(&self) -> Result<()> {
        match &self.heap {
            Some(heap) if heap.is_crossed() => Err(heap.error()),
            _ => Ok(()),
        }
    }

    /// Makes this the thread's current isolate. Another one may be current; it is again when this one is left.
    pub(crate) fn enter(&mut self) -> Entered<'_> {
        // SAFETY: the isolate stays on the thread that made it, and `Entered` exits it before anybody else can: what is
        // entered meanwhile is a local of a call, exited in the reverse order.
        unsafe { self.isolate.enter() };
        Entered(self)
    }
}

impl Drop for Isolate {
    fn drop(&mut self) {
        self.stop.watch(None);
        // SAFETY: as in `enter`; the isolate's own drop exits it. It is dropped here only.
        unsafe {
            self.isolate.enter();
            ManuallyDrop::drop(&mut self.isolate);
        }
    }
}

impl Entered<'_> {
    /// Returns V8's isolate.
    pub(crate) fn v8(&mut self) -> &mut v8::OwnedIsolate {
        &mut self.0.isolate
    }

    /// Notes that nobody uses a memory of this size any more. V8 collects memories only where it is short of its own heap.
    pub(crate) fn discard(&mut self, bytes: u64) {
        self.0.garbage += bytes;
        if self.0.garbage > self.0.most_garbage {
            self.0.garbage = 0;
            self.0.isolate.low_memory_notification();
        }
    }
}

impl Deref for Entered<'_> {
    type Target = Isolate;

    fn deref(&self) -> &Isolate {
        self.0
    }
}

impl DerefMut for Entered<'_> {
    fn deref_mut(&mut self) -> &mut Isolate {
        self.0
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // SAFETY: entered by `Isolate::enter`; whatever was entered later has been exited.
        unsafe { self.0.isolate.exit() };
    }
}

/// Makes a context; returns it with `WebAssembly.Instance`.
fn context(
    isolate: &mut v8::OwnedIsolate,
) -> Option<(v8::Global<v8::Context>, v8::Global<v8::Function>)> {
    v8::scope!(let scope, isolate);
    let context = v8::Context::new(scope, v8::ContextOptions::default());
    let scope = &mut v8::ContextScope::new(scope, context);
    let global = context.global(scope);
    let member = |object: v8::Local<'_, v8::Object>, name: &str| {
        let key = v8::String::new(scope, name)?;
        object.get(scope, key.into())
    };
    let error: v8::Local<'_, v8::Object> = member(global, "Error")?.try_into().ok()?;
    let web_assembly: v8::Local<'_, v8::Object> = member(global, "WebAssembly")?.try_into().ok()?;
    let constructor: v8::Local<'_, v8::Function> =
        member(web_assembly, "Instance")?.try_into().ok()?;
    let key = v8::String::new(scope, "stackTraceLimit")?;
    let frames = v8::Integer::new(scope, FRAMES);
    error.set(scope, key.into(), frames.into())?;
    Some((v8::Global::new(scope, context), v8::Global::new(scope, constructor)))
}
