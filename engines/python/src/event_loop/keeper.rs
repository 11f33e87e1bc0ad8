//! The loop between calls: what applications have begun as they started goes on while no call waits.

use super::{Descriptor, EventLoop};
use crate::{error, host, limits::Runs};
use pyo3::prelude::*;
use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::Notify,
};

/// Time for which no call has waited before the loop runs without one: under load, another one follows.
const REST: Duration = Duration::from_millis(1);

/// Whether anybody keeps a loop, and how that one is told.
#[derive(Default)]
pub(super) struct State {
    is_kept: Cell<bool>,
    is_ended: Cell<bool>,
    /// Tells that no call waits, or that the loop has ended.
    idle: Notify,
}

impl EventLoop {
    /// Tells whoever keeps the loop that something was done to it, unless a call waits and runs it.
    pub(super) fn tell_keeper(&self) {
        if self.keeper.is_kept.get() && self.waiting.get() == 0 {
            self.keeper.idle.notify_one();
        }
    }

    pub(super) fn end_keeper(&self) {
        self.keeper.is_ended.set(true);
        self.keeper.idle.notify_one();
    }

    /// Returns what runs the loop while no call waits; `None` from the second time on.
    pub(crate) fn keep(
        self: &Rc<Self>,
        runs: &Arc<Runs>,
    ) -> Option<impl Future<Output = ()> + use<>> {
        let kept = self.keeper.is_kept.replace(true);
        (!kept).then(|| keep(self.clone(), runs.clone()))
    }

    /// Runs what is ready. Returns the time until the next timer.
    fn run_between_calls(&self, runs: &Arc<Runs>) -> Option<Duration> {
        let call = runs.enter();
        let next = Python::attach(|py| {
            let _section = call.section(py);
            let next = self.pump.bind(py).call0().and_then(|next| next.extract::<Option<f64>>());
            next.unwrap_or_else(|raised| {
                let failed = error::raised(py, &raised, "");
                host::complain(&format!("what ran between calls has failed: {failed:#}"));
                Some(0.0)
            })
        });
        host::flush();
        next.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }
}

async fn keep(event_loop: Rc<EventLoop>, runs: Arc<Runs>) {
    // A descriptor of its own: a call that waits registers the other one.
    let own = event_loop.selector.try_clone().ok();
    let descriptor = own.and_then(|own| {
        let descriptor = Descriptor(Rc::new(own));
        // SAFETY: the descriptor is owned, nobody closes or replaces it, and it lives as long as its owner.
        unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }.ok()
    });
    let Some(descriptor) = descriptor else { return };
    let State { is_ended, idle, .. } = &event_loop.keeper;
    while !is_ended.get() {
        if event_loop.waiting.get() > 0 {
            idle.notified().await;
            continue;
        }
        tokio::time::sleep(REST).await;
        if is_ended.get() || event_loop.waiting.get() > 0 {
            continue;
        }
        let next = event_loop.run_between_calls(&runs);
        let timer = async {
            match next {
                Some(next) => tokio::time::sleep(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ready = descriptor.readable() => if let Ok(mut ready) = ready {
                ready.clear_ready();
            },
            () = timer => {}
            () = idle.notified() => {}
        }
    }
}
