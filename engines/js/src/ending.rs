//! The end of an isolate: the file operations that it has begun, and the listeners of `process` that wait for it.

use crate::{
    convert::{Read, read_or_fail, read_value},
    error::{During, from_core},
    exits::Farewell,
    instance::Shared,
    isolate::{Entered, Prelude},
};
use deno_runtime::deno_core::{
    JsRuntime, PollEventLoopOptions,
    stats::{RuntimeActivity, RuntimeActivityStatsFilter},
    v8,
};
use std::{
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll},
};
use trine_engine::{ErrorKind, Result};
use trine_process::signal::end_was_requested;

/// Number of turns of the event loop without any file operation after which no more are expected: between two of them,
/// callbacks may be waiting for their turn.
pub(crate) const QUIET_TURNS: u32 = 4;

/// The origin of errors of listeners, for the log.
const AT_THE_END: &str = "in a listener for the end of the process";

/// The progress of a program's end.
struct Settling {
    /// Number of interrupts before it began.
    interrupts: u64,
    /// Whether the program ends because there is nothing left to do.
    by_itself: bool,
    /// Whether listeners of `beforeExit` have begun something.
    told: bool,
    /// Number of turns without any file operation.
    quiet: u32,
}

impl Shared {
    /// Turns the event loop while any file operation is under way. Timers and connections are not waited for: on the
    /// platform they would be frozen. Listeners for the signal that asks for the end are called, and whatever they
    /// begin is waited for, as is all the rest then: in Node the program goes on until one of them ends it. Where
    /// nothing is left and the program ends by itself, `beforeExit` follows, as in Node, and whatever its listeners
    /// begin is waited for. Failures in the meantime are logged.
    pub(crate) async fn settle(self: &Rc<Self>, by_itself: bool) {
        let interrupts = match self.isolate() {
            Ok(mut isolate) => self.forget_old_interrupts(&mut isolate.enter()),
            Err(_) => return,
        };
        let ticket = self.wakers.ticket();
        let mut state = Settling { interrupts, by_itself, told: false, quiet: 0 };
        poll_fn(|cx| {
            ticket.register(cx.waker());
            let turned = self.turn_for_files(&mut state);
            if turned.is_pending() && state.quiet > 0 {
                cx.waker().wake_by_ref();
            }
            turned
        })
        .await;
    }

    fn turn_for_files(&self, state: &mut Settling) -> Poll<()> {
        let Ok(mut isolate) = self.isolate() else { return Poll::Ready(()) };
        let mut isolate = isolate.enter();
        let waker = self.wakers.waker();
        loop {
            let turn = isolate
                .runtime()
                .poll_event_loop(&mut Context::from_waker(&waker), PollEventLoopOptions::default());
            if self.is_cut_short(state.interrupts) {
                // Its error belongs to nobody any more.
                let _ = self.stopped(isolate.runtime().v8_isolate(), None);
                return Poll::Ready(());
            }
            let farewell = match end_was_requested() {
                true => self.host.farewell.get(),
                false => Farewell::Unwanted,
            };
            match turn {
                Poll::Ready(Err(error)) => {
                    let error = from_core(error);
                    // A module that waits in vain at its top level is told of at every turn, and was when it was loaded.
                    if error.kind() == ErrorKind::NeverSettled {
                        return Poll::Ready(());
                    }
                    self.host.log_stray(&error, None);
                }
                Poll::Ready(Ok(())) if state.by_itself && self.tell_before_exit(&mut isolate) => {
                    state.told = true;
                }
                // The signal is on its way to them.
                Poll::Ready(Ok(())) | Poll::Pending if farewell == Farewell::Awaited => {
                    return Poll::Pending;
                }
                Poll::Ready(Ok(())) => return Poll::Ready(()),
                Poll::Pending
                    if state.told
                        || farewell == Farewell::Heard
                        || operations_on_files(isolate.runtime()) > 0 =>
                {
                    state.quiet = 0;
                    return Poll::Pending;
                }
                Poll::Pending if state.quiet == QUIET_TURNS => return Poll::Ready(()),
                Poll::Pending => {
                    state.quiet += 1;
                    return Poll::Pending;
                }
            }
        }
    }

    /// Whether what runs outside of calls has been stopped, or has asked for its end; `interrupts` is their number before it
    /// began.
    pub(crate) fn is_cut_short(&self, interrupts: u64) -> bool {
        self.limits.interrupts() != interrupts || self.host.has_exit() || self.is_out_of_memory()
    }

    /// Calls the listeners of `beforeExit`; returns whether they have found more to do.
    fn tell_before_exit(&self, isolate: &mut Entered<'_>) -> bool {
        fn read(_: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Option<bool> {
            value.is_boolean().then(|| value.is_true())
        }
        match self.tell(isolate, |prelude| &prelude.before_exit, read) {
            Some(Ok(has_more)) => has_more,
            Some(Err(error)) => {
                self.host.log_lost(&error, AT_THE_END, None);
                false
            }
            None => false,
        }
    }

    /// Calls the listeners of `exit`, unless the isolate was stopped by force before.
    pub(crate) fn tell_exit(&self) {
        if self.was_stopped_before.get() || self.is_out_of_memory() {
            return;
        }
        let Ok(mut isolate) = self.isolate() else { return };
        let mut isolate = isolate.enter();
        self.forget_old_interrupts(&mut isolate);
        if let Some(Err(error)) = self.tell(&mut isolate, |prelude| &prelude.exit, read_value) {
            self.host.log_lost(&error, AT_THE_END, None);
        }
    }

    /// Calls a function of the prelude's; returns `None` where its code was stopped.
    fn tell<T>(
        &self,
        isolate: &mut Entered<'_>,
        which: impl FnOnce(&Prelude) -> &v8::Global<v8::Function>,
        read: Read<T>,
    ) -> Option<Result<T>> {
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let function = v8::Local::new(scope, which(prelude));
        let undefined = v8::undefined(scope).into();
        match function.call(scope, undefined, &[]) {
            Some(value) => Some(read_or_fail(scope, value, During::Call, read)),
            None => {
                let _ = self.stopped(scope, None);
                None
            }
        }
    }
}

/// Returns the number of operations on files that are under way.
pub(crate) fn operations_on_files(runtime: &JsRuntime) -> usize {
    let operations = RuntimeActivityStatsFilter::default().with_ops();
    let activity = runtime.runtime_activity_stats_factory().capture(&operations).dump();
    let is_one = |activity: &&RuntimeActivity| matches!(activity, RuntimeActivity::AsyncOp(_, _, name) if is_of_files(name));
    activity.active.iter().filter(is_one).count()
}

/// The beginnings of the names of operations on files, without `op_`.
const OF_FILES: [&str; 10] = [
    "fs_",
    "node_fs_",
    "node_open",
    "node_cp_",
    "node_lch",
    "node_lutimes",
    "node_mkdtemp",
    "node_rmdir",
    "zlib_",
    "brotli_",
];

/// Whether an operation reads or writes files, or produces what is written to them. File watchers never end.
fn is_of_files(name: &str) -> bool {
    let name = name.strip_prefix("op_").unwrap_or(name);
    OF_FILES.iter().any(|prefix| name.starts_with(prefix)) && !name.starts_with("fs_events")
}
