//! Waiting of a thread, without the interpreter lock, for what wakes as futures do; warnings and stops end it.

use super::{CURRENT, Runs, raise_due, sleep};
use pyo3::prelude::*;
use std::{
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

/// Time after which a wait looks again, although nothing has woken it.
const AGAIN: Duration = Duration::from_secs(60);

/// Wakes whoever waits for the alarms of an instance's calls.
struct Alarm(Arc<Runs>);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.alarms.fetch_add(1, Ordering::Release);
        sleep::wake(&self.0.alarms);
    }
}

/// Waits until something is ready. The calling thread must not be one that has to make it so.
///
/// # Errors
/// What is raised in the section that is open on this thread, or by a signal's handler.
pub(crate) fn wait_here<T>(
    py: Python<'_>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> PyResult<T> {
    // Most waits are over before they begin.
    if let Poll::Ready(ready) = poll(&mut Context::from_waker(Waker::noop())) {
        return Ok(ready);
    }
    let runs = current();
    let waker = Waker::from(Arc::new(Alarm(runs.clone())));
    let mut context = Context::from_waker(&waker);
    loop {
        let seen = runs.alarms.load(Ordering::Acquire);
        raise_due(py)?;
        runs.raise_set(py)?;
        if let Poll::Ready(ready) = poll(&mut context) {
            return Ok(ready);
        }
        let end = sleep::now()? + AGAIN;
        let alarms = sleep::Word::of(&runs.alarms);
        py.detach(move || alarms.wait(seen, end));
        py.check_signals()?;
    }
}

/// Returns the calls of the instance whose section is open on this thread; none where there is no such section.
fn current() -> Arc<Runs> {
    let runs = CURRENT.try_with(std::cell::Cell::get).unwrap_or(std::ptr::null());
    if runs.is_null() {
        return Arc::default();
    }
    // SAFETY: `Section` sets the pointer, which came from `Arc::as_ptr`, and takes it back when it is dropped, on this
    // thread; until then it borrows the call that owns the `Arc`. The count is raised for the one that is returned.
    unsafe {
        Arc::increment_strong_count(runs);
        Arc::from_raw(runs)
    }
}
