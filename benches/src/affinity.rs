//! Assignment of processors: the measured process has one to itself, the driver and wrk share another. Every contestant
//! thus has the same share of the machine, and the other side of its socket takes nothing from it.

use anyhow::Context;
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

/// The two processors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    contestant: usize,
    driver: usize,
}

impl Cores {
    /// Takes the first two processors that this process may use, and moves this thread to the second; returns `None`
    /// where there is only one.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn take() -> anyhow::Result<Option<Self>> {
        let own = sched_getaffinity(Pid::from_raw(0)).context("cannot list the processors")?;
        let mut allowed = (0..CpuSet::count()).filter(|core| own.is_set(*core).unwrap_or(false));
        let (Some(contestant), Some(driver)) = (allowed.next(), allowed.next()) else {
            return Ok(None);
        };
        pin(driver)?;
        Ok(Some(Self { contestant, driver }))
    }

    /// Calls `spawn` on the contestants' processor, which a process that it starts inherits.
    pub(crate) fn among_contestants<R>(self, spawn: impl FnOnce() -> R) -> anyhow::Result<R> {
        pin(self.contestant)?;
        let result = spawn();
        pin(self.driver)?;
        Ok(result)
    }
}

/// Moves this thread to a processor.
fn pin(core: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(core)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
        .with_context(|| format!("cannot move to processor {core}"))
}
