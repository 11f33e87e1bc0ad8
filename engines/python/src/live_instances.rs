//! The list of living instances, and which of them share the users' modules.

use std::sync::{Mutex, MutexGuard};

/// The living instances. Locked only by threads that are not attached, and held while an instance ends, so that none
/// starts in the middle of the last one's end.
static LIVE: Mutex<LiveInstances> =
    Mutex::new(LiveInstances { generation: 0, instances: Vec::new() });

/// The instances that have not been shut down yet.
pub(crate) struct LiveInstances {
    /// Generation of the instances that start now.
    generation: u64,
    /// Generation of each instance.
    instances: Vec<u64>,
}

pub(crate) fn live_instances() -> MutexGuard<'static, LiveInstances> {
    LIVE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl LiveInstances {
    /// Counts a new instance; returns its generation.
    pub(crate) fn add(&mut self) -> u64 {
        self.instances.push(self.generation);
        self.generation
    }

    /// Begins a new generation when an instance of this one is replaced: from now on instances share no modules with
    /// it, nor with any existing one. Where that has happened already, its successor joins those that came after.
    pub(crate) fn begin_generation_after(&mut self, generation: u64) {
        self.generation = self.generation.max(generation + 1);
    }

    /// Whether instances that start now are of a later generation.
    pub(crate) fn is_outdated(&self, generation: u64) -> bool {
        generation < self.generation
    }

    /// Removes an instance. Returns whether it was the last of its generation, and the last of all.
    pub(crate) fn remove(&mut self, generation: u64) -> (bool, bool) {
        if let Some(at) = self.instances.iter().position(|own| *own == generation) {
            self.instances.swap_remove(at);
        }
        (!self.instances.contains(&generation), self.instances.is_empty())
    }
}
