//! Actions that would end the process, and end an invocation instead: exits, aborts, deadly signals to oneself.

use crate::{
    channels,
    command::op_trine_command_line,
    fetch::op_trine_fetch,
    host::{Host, host_of},
    threads::op_trine_terminate_thread,
    variables,
};
use deno_runtime::{
    deno_core::{OpDecl, OpState, op2, v8},
    deno_permissions::{PermissionCheckError, PermissionsContainer},
};
use std::{rc::Rc, sync::Once};
use trine_engine::{End, Error};
use trine_process::signal::{self, FatalSignal};

/// A request of the guest to end the process, and the invocation that made it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exit {
    /// The invocation's slot; `None` when it is not known.
    pub(crate) slot: Option<usize>,
    pub(crate) how: How,
}

/// The way in which a process ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    Status(i32),
    Signal(i32),
}

impl Exit {
    /// Returns the error of the invocation, in the words of the platform.
    pub(crate) fn error(self) -> Error {
        let end = match self.how {
            How::Status(status) => End::Status(status.into()),
            How::Signal(signal) => {
                End::Signal(FatalSignal::by_number(signal).map_or("unknown", |signal| signal.end))
            }
        };
        Error::exited(end, None)
    }
}

/// Returns the signal, if sending it to this process id would end this process.
fn fatal(pid: i32, signal: i32) -> Option<&'static FatalSignal> {
    // 0 and -1 mean this process among others.
    let to_us = pid == std::process::id() as i32 || pid == 0 || pid == -1;
    FatalSignal::by_number(signal).filter(|signal| to_us && signal.ends_process())
}

/// Replaces the operations that would end the process, the one that ends a worker thread, the one that translates
/// Node's command lines to Deno's, the one behind `fetch`, and those on the process's environment and on its channels.
pub(crate) fn trap(op: OpDecl) -> OpDecl {
    match op.name {
        "op_process_abort" => op.with_implementation_from(&op_trine_abort()),
        "op_node_process_kill" => op.with_implementation_from(&op_trine_kill()),
        "op_node_translate_cli_args" => op.with_implementation_from(&op_trine_command_line()),
        "op_fetch" => op.with_implementation_from(&op_trine_fetch()),
        "op_host_terminate_worker" => op.with_implementation_from(&op_trine_terminate_thread()),
        _ => channels::replace(variables::redirect(op)),
    }
}

#[op2(fast)]
fn op_trine_abort(state: &mut OpState) {
    let host = state.borrow::<Rc<Host>>();
    if host.is_plain() {
        std::process::abort();
    }
    host.exit(Exit { slot: None, how: How::Signal(6) });
}

/// Sends a signal; returns 0, or the system's error number.
#[op2(fast)]
fn op_trine_kill(
    state: &mut OpState,
    #[smi] pid: i32,
    #[smi] signal: i32,
) -> Result<i32, PermissionCheckError> {
    let host = state.borrow::<Rc<Host>>();
    if !host.is_plain() && fatal(pid, signal).is_some() {
        host.exit(Exit { slot: None, how: How::Signal(signal) });
        return Ok(0);
    }
    if pid != std::process::id() as i32 {
        state.borrow_mut::<PermissionsContainer>().check_run_all("process.kill")?;
    }
    Ok(match signal::send(pid, signal) {
        Ok(()) => 0,
        Err(error) => error.raw_os_error().unwrap_or(0),
    })
}

/// Implements `trapSignal(pid, name)`: whether it would have ended the process, and has ended the guest's code instead.
pub(crate) fn trap_signal(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let pid = args.get(0).int32_value(scope).unwrap_or(0);
    let name = args.get(1).to_rust_string_lossy(scope);
    let Some(signal) = FatalSignal::by_name(&name).map(|signal| signal.number) else { return };
    let host = host_of(scope);
    let is_fatal = !host.is_plain() && fatal(pid, signal).is_some();
    if is_fatal {
        host.exit(Exit { slot: None, how: How::Signal(signal) });
    }
    result.set_bool(is_fatal);
}

/// Implements `listens(ends)`: the guest is about to listen for a signal; `ends` tells whether it is one of those that ask
/// for the end.
pub(crate) fn listens(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    static ONCE: Once = Once::new();
    // Whoever listens for any signal makes Deno's runtime handle these: it ends the process where nobody else listens for
    // them by its own ways.
    ONCE.call_once(|| {
        for signal in [deno_signals::SIGTERM, deno_signals::SIGINT] {
            // Without it the process ends all the same, if not in order.
            let _ = deno_signals::register(signal, true, Box::new(|| ()));
        }
    });
    let host = host_of(scope);
    if args.get(0).is_true() && host.farewell.get() == Farewell::Unwanted {
        host.farewell.set(Farewell::Awaited);
    }
}

/// Implements `heard()`: the guest's listeners for a signal that asks for the end are being called.
pub(crate) fn heard(
    scope: &mut v8::PinScope<'_, '_>,
    _args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    host_of(scope).farewell.set(Farewell::Heard);
}

/// The word of a request to end, on its way to a guest's listeners.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Farewell {
    /// Nobody listens.
    #[default]
    Unwanted,
    /// There are listeners, and none was called.
    Awaited,
    /// Listeners were called.
    Heard,
}

/// Implements `exit(status, slot)`: notes the status and stops the guest's code, past every `catch` and `finally`.
pub(crate) fn exit(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let status = args.get(0).int32_value(scope).unwrap_or(0);
    let slot = args.get(1).int32_value(scope).and_then(|slot| usize::try_from(slot).ok());
    host_of(scope).exit(Exit { slot, how: How::Status(status) });
}
