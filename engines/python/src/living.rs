//! Which instances there are, and which of them share the users' modules.

use std::sync::{Mutex, MutexGuard};

/// Locked only by threads that are not attached, and held while an instance ends, so that none starts in the middle of
/// the last one's end.
static LIVING: Mutex<Living> = Mutex::new(Living { generation: 0, instances: Vec::new() });

/// The instances that were not shut down yet.
pub(crate) struct Living {
    /// That of the instances that start now.
    generation: u64,
    /// The generation of each.
    instances: Vec<u64>,
}

pub(crate) fn living() -> MutexGuard<'static, Living> {
    LIVING.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Living {
    /// Counts a new instance; its generation.
    pub(crate) fn add(&mut self) -> u64 {
        self.instances.push(self.generation);
        self.generation
    }

    /// An instance of this generation is replaced: from now on instances share no modules with it, nor with any that is
    /// there. Where that has happened already, its successor joins those that came after.
    pub(crate) fn begin_generation_after(&mut self, generation: u64) {
        self.generation = self.generation.max(generation + 1);
    }

    /// Whether instances that start now are of a later generation.
    pub(crate) fn is_outdated(&self, generation: u64) -> bool {
        generation < self.generation
    }

    /// Counts an instance out. Whether it was the last of its generation, and the last of all.
    pub(crate) fn remove(&mut self, generation: u64) -> (bool, bool) {
        if let Some(at) = self.instances.iter().position(|own| *own == generation) {
            self.instances.swap_remove(at);
        }
        (!self.instances.contains(&generation), self.instances.is_empty())
    }
}
