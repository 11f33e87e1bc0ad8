//! The thread on which the sockets of debuggers live, started with the first of them.

use std::{
    io,
    sync::{Mutex, PoisonError},
    thread,
};
use tokio::runtime::{Builder, Handle};

static SOCKETS: Mutex<Option<Handle>> = Mutex::new(None);

/// Returns the handle of that thread's runtime.
///
/// # Errors
/// When the system gives no thread, or nothing to wait with.
pub(super) fn sockets() -> io::Result<Handle> {
    let mut sockets = SOCKETS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*sockets {
        return Ok(handle.clone());
    }
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let handle = runtime.handle().clone();
    let name = "trine-inspector".to_owned();
    thread::Builder::new().name(name).spawn(move || {
        runtime.block_on(std::future::pending::<()>());
    })?;
    *sockets = Some(handle.clone());
    Ok(handle)
}
