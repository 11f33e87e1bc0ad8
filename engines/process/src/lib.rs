//! The operations of language crates on the process that hosts them: its environment, and signals.
//!
//! The product itself has no `unsafe` code, and these few calls of the C library need it. They are here once, for every
//! language.
//!
//! ```
//! // An invocation begins, and ends.
//! trine_process::trace::set(Some("Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"));
//! trine_process::trace::set(None);
//!
//! // Signal 0 asks whether a process is there.
//! trine_process::signal::send(std::process::id() as i32, 0)?;
//! # Ok::<(), std::io::Error>(())
//! ```

pub mod descriptor;
pub mod environment;
pub mod handlers;
pub mod signal;
pub mod trace;
pub mod tree;

/// Ends this process at once, with a status. Nothing else of it is done: what libraries do at an orderly end would meet
/// other threads in the middle of guests' code, wait for what they hold, or crash.
pub fn end(status: i32) -> ! {
    // SAFETY: no code of this process runs afterwards.
    unsafe { libc::_exit(status) }
}
