//! What would end the process, and ends an invocation instead: exits, aborts, deadly signals to oneself.

use crate::{
    channels,
    command::op_trine_command_line,
    fetch::op_trine_fetch,
    host::{Host, host_of},
    threads::op_trine_terminate_thread,
    variables,
};
use deno_runtime::deno_core::{OpDecl, OpState, op2, v8};
use std::rc::Rc;
use trine_engine::{Error, ErrorKind};

/// How the guest asked for the process's end, and in which invocation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exit {
    /// The invocation's place; `None` when it is not known.
    pub(crate) slot: Option<usize>,
    pub(crate) how: How,
}

/// How a process ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    Status(i32),
    Signal(i32),
}

impl Exit {
    /// The error of the invocation, in the words of the platform.
    pub(crate) fn error(self) -> Error {
        let message = match self.how {
            How::Status(0) => "Runtime exited without providing a reason".to_owned(),
            How::Status(status) => format!("Runtime exited with error: exit status {status}"),
            How::Signal(signal) => {
                let name = SIGNALS.iter().find(|(number, ..)| *number == signal);
                let text = name.map_or("unknown", |(_, _, text)| text);
                format!("Runtime exited with error: signal: {text}")
            }
        };
        Error::new(ErrorKind::Exit, message).poisoning()
    }
}

/// Signals whose default is the process's end: number, name, and how the platform calls that end.
#[cfg(target_os = "linux")]
const SIGNALS: &[(i32, &str, &str)] = &[
    (1, "SIGHUP", "hangup"),
    (3, "SIGQUIT", "quit"),
    (4, "SIGILL", "illegal instruction"),
    (5, "SIGTRAP", "trace/breakpoint trap"),
    (6, "SIGABRT", "aborted"),
    (7, "SIGBUS", "bus error"),
    (8, "SIGFPE", "floating point exception"),
    (9, "SIGKILL", "killed"),
    (10, "SIGUSR1", "user defined signal 1"),
    (11, "SIGSEGV", "segmentation fault"),
    (12, "SIGUSR2", "user defined signal 2"),
    (13, "SIGPIPE", "broken pipe"),
    (14, "SIGALRM", "alarm clock"),
    (16, "SIGSTKFLT", "stack fault"),
    (24, "SIGXCPU", "CPU time limit exceeded"),
    (25, "SIGXFSZ", "file size limit exceeded"),
    (26, "SIGVTALRM", "virtual timer expired"),
    (27, "SIGPROF", "profiling timer expired"),
    (29, "SIGIO", "I/O possible"),
    (30, "SIGPWR", "power failure"),
    (31, "SIGSYS", "bad system call"),
];

/// Elsewhere signals have other numbers, and pass.
#[cfg(not(target_os = "linux"))]
const SIGNALS: &[(i32, &str, &str)] = &[];

/// Those that end the process whatever handler it has: it cannot have one, or it is the handler that ends it.
const ALWAYS_DEADLY: [i32; 8] = [4, 5, 6, 7, 8, 9, 11, 31];

/// Whether a signal to this process id is one to this process that ends it. SIGTERM and SIGINT are not among them: they ask
/// the process to end in good order, and it does.
fn is_deadly(pid: i32, signal: i32) -> bool {
    // 0 and -1 mean this process among others.
    (pid == std::process::id() as i32 || pid == 0 || pid == -1)
        && SIGNALS.iter().any(|(number, ..)| *number == signal)
        && (ALWAYS_DEADLY.contains(&signal) || !is_handled(signal))
}

/// Whether the process handles or ignores a signal, as the kernel tells it.
fn is_handled(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ["SigCgt:", "SigIgn:"].iter().any(|name| {
        let mask = status.lines().find_map(|line| line.strip_prefix(name));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
    })
}

/// Replaces the operations that would end the process, the one that ends a worker thread, the one that makes Deno's command
/// lines of Node's, the one behind `fetch`, and those on the process's environment and on channels between processes.
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

/// Sends a signal; 0, or the system's error number.
#[op2(fast)]
fn op_trine_kill(state: &mut OpState, #[smi] pid: i32, #[smi] signal: i32) -> i32 {
    let host = state.borrow::<Rc<Host>>();
    if !host.is_plain() && is_deadly(pid, signal) {
        host.exit(Exit { slot: None, how: How::Signal(signal) });
        return 0;
    }
    unsafe extern "C" {
        fn kill(pid: i32, signal: i32) -> i32;
    }
    // SAFETY: POSIX's `kill` takes two plain numbers and touches no memory of ours.
    match unsafe { kill(pid, signal) } {
        0 => 0,
        _ => std::io::Error::last_os_error().raw_os_error().unwrap_or(0),
    }
}

/// `trapSignal(pid, name)`: whether this would have ended the process, and has ended the guest's code instead.
pub(crate) fn trap_signal(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    mut result: v8::ReturnValue<'_, v8::Value>,
) {
    let pid = args.get(0).int32_value(scope).unwrap_or(0);
    let name = args.get(1).to_rust_string_lossy(scope);
    let known =
        SIGNALS.iter().find(|(number, known, _)| *known == name || number.to_string() == name);
    let Some((signal, ..)) = known else { return };
    let host = host_of(scope);
    let deadly = !host.is_plain() && is_deadly(pid, *signal);
    if deadly {
        host.exit(Exit { slot: None, how: How::Signal(*signal) });
    }
    result.set_bool(deadly);
}

/// `exit(status, slot)`: notes the status and stops the guest's code where it stands, past every `catch` and `finally`.
pub(crate) fn exit(
    scope: &mut v8::PinScope<'_, '_>,
    args: v8::FunctionCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Value>,
) {
    let status = args.get(0).int32_value(scope).unwrap_or(0);
    let slot = args.get(1).int32_value(scope).and_then(|slot| usize::try_from(slot).ok());
    host_of(scope).exit(Exit { slot, how: How::Status(status) });
}
