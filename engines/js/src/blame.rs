//! Failures that nobody has caught, and the invocations whose code they come from.

use crate::{host::host_of, instance::Shared, isolate::Entered};
use deno_runtime::deno_core::v8;
use trine_engine::Error;

/// The invocation whose code has failed.
pub(crate) struct Blamed {
    /// Its slot, unless another invocation has that by now.
    slot: Option<usize>,
    request_id: String,
}

/// The owner of a failure that a turn of the event loop has brought.
pub(crate) enum Assigned {
    /// The call that turned the loop.
    Ours(Error),
    /// Nobody knows.
    Unknown(Error),
    /// Another invocation: it has been told, or its log has, where it has its answer.
    Others,
}

/// Implements `blame(slot, requestId)`: notes whose code has just failed.
pub(crate) fn blame(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let slot = args.get(0).int32_value(scope).and_then(|slot| usize::try_from(slot).ok());
    let request_id = args.get(1).to_rust_string_lossy(scope);
    *host_of(scope).blamed.borrow_mut() = Some(Blamed { slot, request_id });
}

impl Shared {
    /// Gives a failure to the invocation that it belongs to; `current` is the slot of the call that turned the loop.
    pub(crate) fn assign(&self, error: Error, current: Option<usize>) -> Assigned {
        let Some(blamed) = self.host.blamed.borrow_mut().take() else {
            return Assigned::Unknown(error);
        };
        match blamed.slot {
            Some(slot) if current == Some(slot) => return Assigned::Ours(error),
            Some(slot) if self.awaited.has(slot) => {
                self.failures.borrow_mut().push((slot, error));
                self.wakers.wake_all();
            }
            _ => self.host.log_stray(&error, Some(&blamed.request_id)),
        }
        Assigned::Others
    }

    /// Sets the timers going again that were stopped when the code of one of them failed.
    pub(crate) fn go_on(isolate: &mut Entered<'_>) {
        let (runtime, prelude) = isolate.parts();
        deno_runtime::deno_core::scope!(scope, runtime);
        let undefined = v8::undefined(scope).into();
        let go_on = v8::Local::new(scope, &prelude.go_on);
        go_on.call(scope, undefined, &[]);
    }

    /// Takes the failure that another call's turn of the loop has brought for the call in this slot.
    pub(crate) fn take_failure(&self, slot: Option<usize>) -> Option<Error> {
        let mut failures = self.failures.borrow_mut();
        let at = failures.iter().position(|(of, _)| Some(*of) == slot)?;
        Some(failures.swap_remove(at).1)
    }
}
